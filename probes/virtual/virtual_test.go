package virtual

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/probes"
	"rigor/probes/probestest"
)

// wire is a chip whose pin OUT is its pin IN unless something outside holds it:
// both change at the same picosecond, OUT first as far as the watcher can tell.
// Pin V carries volts.
type wire struct {
	now    clock.Time
	level  [pins]bool
	drive  [pins]board.Drive
	source func(clock.Time) int64
	watch  func(board.Pin, bool, clock.Time)
}

const (
	in board.Pin = iota
	out
	v
	w
	pins
)

var names = []string{"IN", "OUT", "V", "W"}

func (w *wire) Name() string                              { return "wire" }
func (w *wire) Now() clock.Time                           { return w.now }
func (w *wire) SetPower(bool)                             {}
func (w *wire) SetReset(bool)                             {}
func (w *wire) PinName(p board.Pin) string                { return names[p] }
func (w *wire) Level(p board.Pin) bool                    { return w.level[p] }
func (w *wire) Stats() board.Stats                        { return board.Stats{} }
func (w *wire) Warnings() []string                        { return nil }
func (w *wire) Caveats() []string                         { return nil }
func (w *wire) Snapshot() any                             { return *w }
func (w *wire) Restore(any)                               {}
func (w *wire) Digest() (sum [32]byte)                    { return sum }
func (w *wire) Watch(f func(board.Pin, bool, clock.Time)) { w.watch = f }

func (w *wire) PinByName(name string) (board.Pin, error) {
	if i := slices.Index(names, name); i >= 0 {
		return board.Pin(i), nil
	}
	return 0, fmt.Errorf("wire: no pin %q", name)
}

func (w *wire) Run(until clock.Time) board.Stop {
	w.now = max(w.now, until)
	return board.Stop{}
}

func (w *wire) Drive(p board.Pin, d board.Drive, at clock.Time) {
	w.drive[p] = d
	if level, held := levelOf(d); held {
		w.set(in, p == in && level || p != in && w.level[in], at)
	}
	level, held := levelOf(w.drive[out])
	w.set(out, held && level || !held && w.level[in], at)
}

// levelOf is what a drive makes of a pin, if it holds it.
func levelOf(d board.Drive) (high, held bool) {
	high = d.Kind == board.DriveHigh || d.Kind == board.ShortHigh
	return high, high || d.Kind == board.DriveLow || d.Kind == board.ShortLow
}

func (w *wire) set(p board.Pin, high bool, at clock.Time) {
	if w.level[p] != high {
		w.level[p] = high
		w.watch(p, high, at)
	}
}

func (w *wire) SetAnalog(p board.Pin, f func(clock.Time) int64) {
	if p == v {
		w.source = f
	}
}

func (w *wire) MicroVolts(board.Pin) int64 {
	if w.source == nil {
		return int64(w.drive[v].MV) * 1000
	}
	return w.source(w.now)
}

// ticker is the board's time.
type ticker struct{ b *board.Board }

func (c ticker) Now() time.Time { return time.Unix(0, int64(c.b.Now()/clock.Nanosecond)) }

func (c ticker) Sleep(ctx context.Context, d time.Duration) error {
	c.b.Advance(c.b.Now() + clock.Time(d)*clock.Nanosecond)
	return ctx.Err()
}

// bench puts a probe on a fresh wire.
func bench(t *testing.T) (*Probe, ticker) {
	t.Helper()
	b, err := board.New(&wire{}, board.Wiring{})
	if err != nil {
		t.Fatal(err)
	}
	return New(b, map[probes.Line]Wire{
		"in": {Pin: in, Drive: true}, "out": {Pin: out}, "loop": {Pin: in},
		"v": {Pin: v, Drive: true, Analog: true}, "w": {Pin: w, Analog: true},
	}), ticker{b}
}

func levels(t *testing.T) probestest.Bench {
	p, clock := bench(t)
	return probestest.Bench{Capturer: p, Driver: p, Clock: clock, Drive: "in", Follow: "out"}
}

func TestConformance(t *testing.T) { probestest.Run(t, levels) }

// A loop is a line at the driven one's pin.
func TestConformanceOfALoop(t *testing.T) {
	probestest.Run(t, func(t *testing.T) probestest.Bench {
		b := levels(t)
		b.Follow = "loop"
		return b
	})
}

func TestAnalogConformance(t *testing.T) {
	probestest.RunAnalog(t, func(t *testing.T) probestest.AnalogBench {
		p, clock := bench(t)
		return probestest.AnalogBench{Source: p, Meter: p, Clock: clock, Line: "v", Watched: "w"}
	})
}

func TestFaultConformance(t *testing.T) {
	probestest.RunFaults(t, func(t *testing.T) probestest.FaultBench {
		b := levels(t)
		return probestest.FaultBench{Bench: b, Faults: b.Driver.(*Probe)}
	})
}

// Nothing lies between the ends of a virtual loop.
func TestSelfTest(t *testing.T) {
	p, clock := bench(t)
	r, err := probes.SelfTest(t.Context(), clock, p, p, "in", "loop")
	if want := (probes.Report{Rate: Rate, Resolution: 1, N: 32}); r != want || err != nil {
		t.Errorf("%v, %v, want %v", r, err, want)
	}
	if _, err := probes.SelfTest(t.Context(), clock, p, p, "in", "nowhere"); err == nil {
		t.Error("a loop of nothing passes")
	}
}

// A waveform begins when it is set, and so does what it reaches: a ramp of 3 V in
// 3 ms is at 2 V after 2 ms, less half a microvolt by rounding.
func TestReachFromNow(t *testing.T) {
	s := sourceOf(probes.Ramp{To: 3 * probes.Volt, Over: 3 * time.Millisecond}, clock.Second)
	at, ok := s.Reach(0, clock.NeverTime, 2_000_000, true)
	if want := clock.Second + 2*clock.Millisecond - 500; !ok || at != want {
		t.Errorf("%d, %v; want %d", at, ok, want)
	}
	if s.MicroVolts(at) != 2_000_000 || s.MicroVolts(at-1) != 1_999_999 {
		t.Errorf("%d uV there, %d uV before", s.MicroVolts(at), s.MicroVolts(at-1))
	}
	if _, ok := s.Reach(0, clock.Second, 2_000_000, true); ok {
		t.Error("it is there before it begins")
	}
}
