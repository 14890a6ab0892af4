package board

import (
	"slices"

	"rigor/harness/sim/clock"
)

// Edge is one change of a pin's level.
type Edge struct {
	At   clock.Time
	Pin  Pin
	High bool
}

// Recorder keeps every edge of some pins. It costs an append an edge and
// nothing else, and cannot lose any.
type Recorder struct {
	board   *Board
	pins    []Pin
	start   clock.Time
	initial []bool
	edges   []Edge
}

// Record starts to record the pins' edges.
func (b *Board) Record(pins ...Pin) *Recorder {
	r := &Recorder{board: b, pins: slices.Clone(pins), start: b.Now()}
	for _, p := range r.pins {
		r.initial = append(r.initial, b.chip.Level(p))
		t := b.tap(p)
		t.recorders = append(t.recorders, r)
	}
	b.rewatch()
	return r
}

// Start is when the recording began.
func (r *Recorder) Start() clock.Time { return r.start }

// Initial is the level of each pin, in the order given to Record, at the start.
func (r *Recorder) Initial() []bool { return r.initial }

// Edges are the changes so far, in order of time (world time, not since the
// start). The slice is the recorder's own.
func (r *Recorder) Edges() []Edge { return r.edges }

// Stop ends the recording; what it has stays readable.
func (r *Recorder) Stop() {
	for _, p := range r.pins {
		t := r.board.tap(p)
		t.recorders = slices.DeleteFunc(t.recorders, func(o *Recorder) bool { return o == r })
	}
	r.board.rewatch()
}
