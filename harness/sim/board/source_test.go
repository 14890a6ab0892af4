package board

import (
	"testing"

	"rigor/harness/sim/clock"
)

// triggering is a chip that keeps what is connected to X.
type triggering struct {
	fake
	source func(clock.Time) int64
	reach  Reach
}

func (c *triggering) SetAnalog(p Pin, f func(clock.Time) int64) {
	if p == other {
		c.source, c.reach = f, nil
	}
}

func (c *triggering) SetReach(p Pin, r Reach) {
	if p == other {
		c.reach = r
	}
}

// A source and its edges come and go together: with a level in its place, and
// with a fault.
func TestSource(t *testing.T) {
	c := &triggering{}
	b, err := New(c, Wiring{})
	if err != nil {
		t.Fatal(err)
	}
	s := Source{
		MicroVolts: func(at clock.Time) int64 { return int64(at) },
		Reach:      func(_, _ clock.Time, uv int64, _ bool) (clock.Time, bool) { return clock.Time(uv), true },
	}
	for _, step := range []struct {
		what string
		do   func()
		want bool
	}{
		{"connect", func() { b.SetAnalog(other, s) }, true},
		{"fault", func() { b.Inject(other, Fault{Kind: StuckLow}) }, false},
		{"clear", func() { b.ClearFault(other) }, true},
		{"level", func() { b.Drive(other, Drive{Kind: DriveLow}) }, false},
		{"source without edges", func() { b.SetAnalog(other, Source{MicroVolts: s.MicroVolts}) }, true},
	} {
		step.do()
		if has := c.source != nil; has != step.want {
			t.Errorf("%s: connected %v, want %v", step.what, has, step.want)
		}
		if edges := c.reach != nil; edges != (step.want && step.what != "source without edges") {
			t.Errorf("%s: makes edges %v", step.what, edges)
		}
	}
}
