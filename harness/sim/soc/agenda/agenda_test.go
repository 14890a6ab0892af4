package agenda

import (
	"fmt"
	"slices"
	"testing"

	"rigor/harness/sim/clock"
)

// chip notes what it is called for.
type chip struct {
	a     *Agenda
	cycle uint64
	until uint64 // as shortened
	fired []string
	then  func(slot int)
}

func (c *chip) Cycle() uint64        { return c.cycle }
func (c *chip) Shorten(cycle uint64) { c.until = min(c.until, cycle) }
func (c *chip) Fire(slot int, at uint64) {
	c.fired = append(c.fired, fmt.Sprintf("%d@%d", slot, at))
	if c.a.Cycle() != at {
		c.fired = append(c.fired, fmt.Sprintf("but cycle %d", c.a.Cycle()))
	}
	if c.then != nil {
		c.then(slot)
	}
}

func newChip(hz uint64) *chip {
	c := &chip{a: &Agenda{}, until: clock.Never}
	c.a.Init(c, hz)
	return c
}

func TestDispatch(t *testing.T) {
	c := newChip(1e6)
	c.a.Schedule(5, 20)
	c.a.Schedule(3, 20)
	c.a.Schedule(1, 10)
	c.a.ScheduleAt(2, 15*clock.Microsecond)
	c.a.Schedule(4, 99)
	c.then = func(slot int) {
		if slot == 1 {
			c.a.ScheduleIn(6, 8*clock.Microsecond) // from its own cycle, 10
		}
	}
	c.cycle = 50
	c.a.Dispatch(50)
	want := []string{"1@10", "2@15", "6@18", "3@20", "5@20"}
	if !slices.Equal(c.fired, want) {
		t.Errorf("fired %v, want %v", c.fired, want)
	}
	if c.until != 10 {
		t.Errorf("the core was to stop at %d, want 10", c.until)
	}
}

func TestPastIsNow(t *testing.T) {
	c := newChip(1e6)
	c.cycle = 30
	c.a.Schedule(1, 7)
	c.a.Dispatch(30)
	if want := []string{"1@30"}; !slices.Equal(c.fired, want) {
		t.Errorf("fired %v, want %v", c.fired, want)
	}
}

func TestSetHz(t *testing.T) {
	c := newChip(1e6)
	c.a.Schedule(1, 40)
	c.a.ScheduleAt(2, 40*clock.Microsecond)
	c.a.ScheduleAt(3, 41*clock.Microsecond)
	c.a.ScheduleAt(3, clock.NeverTime)
	c.cycle = 20
	c.a.SetHz(10e6)
	if at := c.a.TimeOf(30); at != 21*clock.Microsecond {
		t.Errorf("cycle 30 is at %d ps, want 21 us", at)
	}
	c.cycle = 1000
	c.a.Dispatch(1000)
	if want := []string{"1@40", "2@220"}; !slices.Equal(c.fired, want) {
		t.Errorf("fired %v, want %v", c.fired, want)
	}
}
