// Package probestest is the conformance test of the contracts in package
// probes, for real and simulated instruments alike. It moves by the rig's clock
// only.
package probestest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"rigor/harness/timebase"
	"rigor/probes"
)

// Bench is a set of probes under test and how they are wired.
type Bench struct {
	Capturer probes.Capturer
	Driver   probes.Driver
	Clock    timebase.Clock
	// Drive is a line that the driver owns and the capturer watches too.
	Drive probes.Line
	// Follow is a line that the capturer only watches. It takes Drive's level at
	// most Delay later, by a wire or by a program on the board.
	Follow probes.Line
	Delay  time.Duration
	// Slack is by how much the clock may be off when it says at what time a line
	// was driven: its resolution, and on a host what the driver takes to act.
	Slack time.Duration
	// Overrun drives edges faster than the capturer can take them; nil if it
	// takes whatever can be driven.
	Overrun func(t *testing.T)
}

// Run tests probes; open gives a fresh bench each time and closes it by
// t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) Bench) {
	fresh := func(t *testing.T) *bench { return &bench{tester{t}, open(t)} }
	each(t, fresh, []check[*bench]{
		{"an unknown line cannot be watched", (*bench).watchUnknown},
		{"an unknown line cannot be driven", (*bench).driveUnknown},
		{"a line that is only watched cannot be driven", (*bench).driveWatched},
		{"a capture of nothing is refused", (*bench).watchNothing},
		{"a line named twice is refused", (*bench).watchTwice},
		{"initial levels are those at the beginning", (*bench).initial},
		{"a quiet line has no edges", (*bench).quiet},
		{"a level driven again is no edge", (*bench).sameLevel},
		{"edges are where the line was driven", (*bench).times},
		{"edges of two lines are in order", (*bench).order},
		{"only the lines of the spec are watched", (*bench).others},
		{"what comes after the stop is not recorded", (*bench).afterStop},
		{"a recording stops once", (*bench).stopTwice},
		{"two recordings at once are both right, or the second is refused", (*bench).together},
		{"a recording begins anew", (*bench).again},
		{"a trigger on another line is refused", (*bench).triggerElsewhere},
		{"a trigger keeps what is around its edge", (*bench).triggerKeeps},
		{"without the trigger's edge nothing is kept", (*bench).triggerMissed},
		{"a cancelled context ends a call unbegun", (*bench).cancelled},
		{"edges that are lost are counted", (*bench).lost},
	})
}

// check is one thing that a kind of bench has to get right.
type check[B any] struct {
	name string
	test func(B)
}

// each does every check on a bench of its own.
func each[B any](t *testing.T, fresh func(*testing.T) B, checks []check[B]) {
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) { c.test(fresh(t)) })
	}
}

// tester is a test that ends at an error.
type tester struct{ *testing.T }

func (t tester) must(what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// bench is one set of probes under test.
type bench struct {
	tester
	Bench
}

// pause is between two edges: far above any delay.
func (b *bench) pause() time.Duration { return 10*b.Delay + time.Millisecond }

func (b *bench) rest() {
	b.Helper()
	b.must("sleep", b.Clock.Sleep(b.Context(), b.pause()))
}

// drive sets the line and waits until all that follows has happened.
func (b *bench) drive(high bool) {
	b.Helper()
	b.must("drive", b.Driver.Drive(b.Context(), b.Bench.Drive, high))
	b.rest()
}

func (b *bench) arm(lines ...probes.Line) probes.Recording {
	b.Helper()
	r, err := b.Capturer.Arm(b.Context(), probes.CaptureSpec{Lines: lines})
	b.must("arm", err)
	return r
}

// stop ends a recording and checks what every capture must be.
func (b *bench) stop(r probes.Recording, lines ...probes.Line) probes.Capture {
	b.Helper()
	c, err := r.Stop(b.Context())
	b.must("stop", err)
	if c.Rate == 0 || c.Resolution < 1 || c.Lost < 0 {
		b.Fatalf("rate %v, resolution %d, %d lost", c.Rate, c.Resolution, c.Lost)
	}
	level := map[probes.Line]bool{}
	for _, l := range lines {
		high, known := c.Initial[l]
		if !known {
			b.Fatalf("no initial level of %q among %v", l, c.Initial)
		}
		level[l] = high
	}
	var last timebase.Ticks
	for i, e := range c.Edges {
		switch high, known := level[e.Line]; {
		case !known:
			b.Fatalf("edge %d is of %q, which the spec does not name", i, e.Line)
		case high == e.High && c.Lost == 0:
			b.Fatalf("edge %d of %q changes nothing: %v", i, e.Line, c.Edges)
		case e.At < last || e.At > c.Length:
			b.Fatalf("edge %d is at tick %d, after one at %d, of %d", i, e.At, last, c.Length)
		}
		level[e.Line], last = e.High, e.At
	}
	return c
}

// unknown checks the error about a line that is not there.
func (b *bench) unknown(err error, l probes.Line) {
	b.Helper()
	var u *probes.UnknownLineError
	if !errors.As(err, &u) {
		b.Fatalf("got %v, want a *probes.UnknownLineError", err)
	}
	if u.Line != l || !slices.Contains(u.Have, b.Bench.Drive) || slices.Contains(u.Have, l) {
		b.Errorf("the error says that %q is not among %v", u.Line, u.Have)
	}
}

const nowhere probes.Line = "no-such-line"

func (b *bench) watchUnknown() {
	_, err := b.Capturer.Arm(b.Context(), probes.CaptureSpec{Lines: []probes.Line{b.Bench.Drive, nowhere}})
	b.unknown(err, nowhere)
}

func (b *bench) driveUnknown() { b.unknown(b.Driver.Drive(b.Context(), nowhere, true), nowhere) }

func (b *bench) driveWatched() {
	b.unknown(b.Driver.Drive(b.Context(), b.Follow, true), b.Follow)
}

func (b *bench) watchNothing() {
	if _, err := b.Capturer.Arm(b.Context(), probes.CaptureSpec{}); err == nil {
		b.Error("no error")
	}
}

func (b *bench) watchTwice() {
	spec := probes.CaptureSpec{Lines: []probes.Line{b.Follow, b.Follow}}
	if _, err := b.Capturer.Arm(b.Context(), spec); err == nil {
		b.Error("no error")
	}
}

func (b *bench) initial() {
	for _, high := range []bool{true, false, true} {
		b.drive(high)
		c := b.stop(b.arm(b.Bench.Drive, b.Follow), b.Bench.Drive, b.Follow)
		if len(c.Initial) != 2 || c.Initial[b.Bench.Drive] != high || c.Initial[b.Follow] != high || len(c.Edges) != 0 {
			b.Errorf("initial levels %v, edges %v, want %v on both lines and no edges", c.Initial, c.Edges, high)
		}
	}
}

func (b *bench) quiet() {
	r := b.arm(b.Bench.Drive)
	b.rest()
	c := b.stop(r, b.Bench.Drive)
	if len(c.Edges) != 0 {
		b.Errorf("edges: %v", c.Edges)
	}
	if least := b.ticks(c, b.pause()-b.Slack) - c.Resolution; c.Length < least {
		b.Errorf("a recording of %v is %d ticks of %v long", b.pause(), c.Length, c.Rate)
	}
}

// ticks is a duration on the capture's clock.
func (b *bench) ticks(c probes.Capture, d time.Duration) timebase.Ticks {
	return timebase.Ticks(d).Convert(1e9, c.Rate)
}

func (b *bench) sameLevel() {
	b.drive(true)
	r := b.arm(b.Bench.Drive)
	b.drive(true)
	b.drive(true)
	if c := b.stop(r, b.Bench.Drive); len(c.Edges) != 0 {
		b.Errorf("edges: %v", c.Edges)
	}
}

// times drives edges at known times and compares.
func (b *bench) times() {
	b.drive(false)
	r := b.arm(b.Bench.Drive)
	armed := b.Clock.Now()
	var driven []time.Duration
	for i := range 20 {
		b.must("sleep", b.Clock.Sleep(b.Context(), b.pause()+time.Duration(i)*1234567*time.Nanosecond))
		driven = append(driven, b.Clock.Now().Sub(armed))
		b.must("drive", b.Driver.Drive(b.Context(), b.Bench.Drive, i%2 == 0))
	}
	b.rest()
	c := b.stop(r, b.Bench.Drive)
	if len(c.Edges) != len(driven) || c.Lost != 0 {
		b.Fatalf("%d edges, %d lost, %d driven", len(c.Edges), c.Lost, len(driven))
	}
	allowed := c.Resolution + b.ticks(c, b.Slack)
	for i, e := range c.Edges {
		if off := e.At - b.ticks(c, driven[i]); off < -allowed || off > allowed || e.High != (i%2 == 0) {
			b.Errorf("edge %d is %d ticks from where the line was driven %v, allowed are %d", i, off, i%2 == 0, allowed)
		}
	}
}

func (b *bench) order() {
	b.drive(false)
	for _, lines := range [][]probes.Line{{b.Bench.Drive, b.Follow}, {b.Follow, b.Bench.Drive}} {
		r := b.arm(lines...)
		for i := range 10 {
			b.drive(i%2 == 0)
		}
		c := b.stop(r, lines...)
		if len(c.Edges) != 20 {
			b.Fatalf("%d edges, want 10 of each line: %v", len(c.Edges), c.Edges)
		}
		latest := c.Resolution + b.ticks(c, b.Delay)
		for i := 0; i < 20; i += 2 {
			first, second := c.Edges[i], c.Edges[i+1]
			if first.Line == second.Line || first.High != second.High || second.At-first.At > latest {
				b.Errorf("edges %v and %v are not one of each line within %d ticks", first, second, latest)
			}
			ordered := first.Line == b.Bench.Drive
			if first.At == second.At { // then the spec's order counts
				ordered = first.Line == lines[0]
			}
			if !ordered {
				b.Errorf("edges %v and %v are out of order", first, second)
			}
		}
	}
}

func (b *bench) others() {
	b.drive(false)
	r := b.arm(b.Follow)
	b.drive(true)
	c := b.stop(r, b.Follow)
	if len(c.Edges) != 1 || len(c.Initial) != 1 {
		b.Errorf("initial levels %v, edges %v, want one of each", c.Initial, c.Edges)
	}
}

func (b *bench) afterStop() {
	b.drive(false)
	r := b.arm(b.Bench.Drive)
	b.drive(true)
	c := b.stop(r, b.Bench.Drive)
	before := slices.Clone(c.Edges)
	b.drive(false)
	if !slices.Equal(c.Edges, before) || len(before) != 1 {
		b.Errorf("edges %v at the stop, %v later, want one", before, c.Edges)
	}
}

func (b *bench) stopTwice() {
	r := b.arm(b.Bench.Drive)
	b.stop(r, b.Bench.Drive)
	if _, err := r.Stop(b.Context()); err == nil {
		b.Error("the second stop gives no error")
	}
}

func (b *bench) together() {
	b.drive(false)
	first := b.arm(b.Bench.Drive)
	b.drive(true)
	second, err := b.Capturer.Arm(b.Context(), probes.CaptureSpec{Lines: []probes.Line{b.Bench.Drive}})
	b.drive(false)
	whole := b.stop(first, b.Bench.Drive)
	if len(whole.Edges) != 2 || whole.Initial[b.Bench.Drive] {
		b.Errorf("the first recording has edges %v, want two from low", whole.Edges)
	}
	if err != nil {
		return // an instrument of one recording
	}
	b.drive(true)
	part := b.stop(second, b.Bench.Drive)
	if len(part.Edges) != 2 || !part.Initial[b.Bench.Drive] {
		b.Errorf("the second recording has edges %v, want two from high", part.Edges)
	}
}

func (b *bench) again() {
	b.drive(false)
	for i := range 3 {
		r := b.arm(b.Bench.Drive)
		b.drive(i%2 == 0)
		c := b.stop(r, b.Bench.Drive)
		longest := b.ticks(c, b.pause()) // the edge comes at once, not after the recording before
		if len(c.Edges) != 1 || c.Edges[0].At > longest {
			b.Errorf("recording %d has edges %v, want one before tick %d", i, c.Edges, longest)
		}
	}
}

func (b *bench) triggerElsewhere() {
	spec := probes.CaptureSpec{Lines: []probes.Line{b.Bench.Drive}, Trigger: &probes.Trigger{Line: b.Follow}}
	if _, err := b.Capturer.Arm(b.Context(), spec); err == nil {
		b.Error("no error")
	}
}

func (b *bench) armOn(t probes.Trigger) probes.Recording {
	b.Helper()
	r, err := b.Capturer.Arm(b.Context(), probes.CaptureSpec{Lines: []probes.Line{b.Bench.Drive}, Trigger: &t})
	b.must("arm", err)
	return r
}

// triggerKeeps drives six edges, a pause apart from the first on, and holds the
// trigger off until after the second falling one: the sixth edge is its. It
// keeps the one before and none after.
func (b *bench) triggerKeeps() {
	b.drive(false)
	r := b.armOn(probes.Trigger{
		Line: b.Bench.Drive, Holdoff: 4*b.pause() - b.pause()/2, Before: b.pause() + b.pause()/2, After: b.pause() / 2,
	})
	for i := range 8 {
		b.drive(i%2 == 0)
	}
	c := b.stop(r, b.Bench.Drive)
	if !c.Triggered || len(c.Edges) != 2 || c.Initial[b.Bench.Drive] {
		b.Fatalf("triggered %v, first level %v, edges %v; want a rise and a fall from low", c.Triggered, c.Initial, c.Edges)
	}
	if fall := c.Edges[1]; fall.High || fall.At != c.TriggeredAt {
		b.Errorf("triggered at tick %d, last edge kept is %v", c.TriggeredAt, fall)
	}
	if off := c.TriggeredAt - b.ticks(c, 5*b.pause()); off < -b.ticks(c, b.pause()/2) || off > b.ticks(c, b.pause()/2) {
		b.Errorf("triggered at tick %d of %v, the edge was driven after %v", c.TriggeredAt, c.Rate, 5*b.pause())
	}
}

func (b *bench) triggerMissed() {
	b.drive(false)
	r := b.armOn(probes.Trigger{Line: b.Bench.Drive, Holdoff: time.Hour, Before: time.Hour, After: time.Hour})
	b.drive(true)
	if c := b.stop(r, b.Bench.Drive); c.Triggered || len(c.Edges) != 0 {
		b.Errorf("triggered %v, edges %v", c.Triggered, c.Edges)
	}
}

func (b *bench) cancelled() {
	b.drive(false)
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	if err := b.Driver.Drive(ctx, b.Bench.Drive, true); !errors.Is(err, context.Canceled) {
		b.Errorf("drive says %v, want %v", err, context.Canceled)
	}
	if _, err := b.Capturer.Arm(ctx, probes.CaptureSpec{Lines: []probes.Line{b.Bench.Drive}}); !errors.Is(err, context.Canceled) {
		b.Errorf("arm says %v, want %v", err, context.Canceled)
	}
	if c := b.stop(b.arm(b.Bench.Drive), b.Bench.Drive); c.Initial[b.Bench.Drive] {
		b.Error("the cancelled drive took place")
	}
}

func (b *bench) lost() {
	b.drive(false)
	r := b.arm(b.Bench.Drive)
	if b.Overrun == nil {
		for i := range 1000 {
			b.must("drive", b.Driver.Drive(b.Context(), b.Bench.Drive, i%2 == 0))
			b.must("sleep", b.Clock.Sleep(b.Context(), b.Slack))
		}
		if c := b.stop(r, b.Bench.Drive); len(c.Edges) != 1000 || c.Lost != 0 {
			b.Errorf("%d edges, %d lost, 1000 driven", len(c.Edges), c.Lost)
		}
		return
	}
	b.Overrun(b.T)
	if c := b.stop(r, b.Bench.Drive); c.Lost == 0 {
		b.Errorf("%d edges and none lost, though more came than can be taken", len(c.Edges))
	}
}
