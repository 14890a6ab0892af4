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

// wire is a chip whose pin OUT is its pin IN: both change at the same
// picosecond, OUT first as far as the watcher can tell.
type wire struct {
	now   clock.Time
	level [2]bool
	watch func(board.Pin, bool, clock.Time)
}

const (
	in board.Pin = iota
	out
)

var names = []string{"IN", "OUT"}

func (w *wire) Name() string                                { return "wire" }
func (w *wire) Now() clock.Time                             { return w.now }
func (w *wire) SetPower(bool)                               {}
func (w *wire) SetReset(bool)                               {}
func (w *wire) PinName(p board.Pin) string                  { return names[p] }
func (w *wire) Level(p board.Pin) bool                      { return w.level[p] }
func (w *wire) SetAnalog(board.Pin, func(clock.Time) int64) {}
func (w *wire) MicroVolts(board.Pin) int64                  { return 0 }
func (w *wire) Stats() board.Stats                          { return board.Stats{} }
func (w *wire) Warnings() []string                          { return nil }
func (w *wire) Caveats() []string                           { return nil }
func (w *wire) Snapshot() any                               { return *w }
func (w *wire) Restore(any)                                 {}
func (w *wire) Digest() (sum [32]byte)                      { return sum }
func (w *wire) Watch(f func(board.Pin, bool, clock.Time))   { w.watch = f }

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

func (w *wire) Drive(_ board.Pin, d board.Drive, at clock.Time) {
	high := d.Kind == board.DriveHigh
	for _, p := range []board.Pin{out, in} {
		if w.level[p] != high {
			w.level[p] = high
			w.watch(p, high, at)
		}
	}
}

// ticker is the board's time.
type ticker struct{ b *board.Board }

func (c ticker) Now() time.Time { return time.Unix(0, int64(c.b.Now()/clock.Nanosecond)) }

func (c ticker) Sleep(ctx context.Context, d time.Duration) error {
	c.b.Advance(c.b.Now() + clock.Time(d)*clock.Nanosecond)
	return ctx.Err()
}

func TestConformance(t *testing.T) {
	probestest.Run(t, func(t *testing.T) probestest.Bench {
		b, err := board.New(&wire{}, board.Wiring{})
		if err != nil {
			t.Fatal(err)
		}
		p := New(b, map[probes.Line]Wire{"in": {Pin: in, Drive: true}, "out": {Pin: out}})
		return probestest.Bench{Capturer: p, Driver: p, Clock: ticker{b}, Drive: "in", Follow: "out"}
	})
}
