// Package virtual is the pin driver and the logic analyser of a virtual board.
// They sit at the simulated pins, know each edge to the picosecond and cannot
// lose one; a capture's rate is therefore 1 THz.
package virtual

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"rigor/harness/sim/board"
	"rigor/harness/timebase"
	"rigor/probes"
)

// Rate is a capture's: one tick is a picosecond.
const Rate timebase.Rate = 1e12

// Wire is a line's place on the board.
type Wire struct {
	Pin   board.Pin
	Drive bool // the probe may set its level
}

// Probe watches and drives the pins of one board.
type Probe struct {
	board *board.Board
	wires map[probes.Line]Wire
}

var (
	_ probes.Capturer = (*Probe)(nil)
	_ probes.Driver   = (*Probe)(nil)
)

// New puts a probe on a board. Lines that it drives start low.
func New(b *board.Board, wires map[probes.Line]Wire) *Probe {
	for _, w := range wires {
		if w.Drive {
			b.Drive(w.Pin, board.Drive{Kind: board.DriveLow})
		}
	}
	return &Probe{board: b, wires: wires}
}

// Drive sets a line's level from now on.
func (p *Probe) Drive(ctx context.Context, l probes.Line, high bool) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("drive %s: %w", l, err)
	}
	w, ok := p.wires[l]
	if !ok || !w.Drive {
		return fmt.Errorf("drive %s: %w", l, &probes.UnknownLineError{Line: l, Have: p.lines(true)})
	}
	kind := board.DriveLow
	if high {
		kind = board.DriveHigh
	}
	p.board.Drive(w.Pin, board.Drive{Kind: kind})
	return nil
}

// Arm begins to record.
func (p *Probe) Arm(ctx context.Context, s probes.CaptureSpec) (probes.Recording, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("arm the capture: %w", err)
	}
	if len(s.Lines) == 0 {
		return nil, errors.New("arm the capture: no lines to watch")
	}
	var pins []board.Pin
	for i, l := range s.Lines {
		w, ok := p.wires[l]
		switch {
		case !ok:
			return nil, fmt.Errorf("arm the capture: %w", &probes.UnknownLineError{Line: l, Have: p.lines(false)})
		case slices.Contains(s.Lines[:i], l):
			return nil, fmt.Errorf("arm the capture: line %q is named twice", l)
		}
		pins = append(pins, w.Pin)
	}
	return &recording{board: p.board, rec: p.board.Record(pins...), lines: slices.Clone(s.Lines), pins: pins}, nil
}

func (p *Probe) lines(driven bool) []probes.Line {
	var have []probes.Line
	for l, w := range p.wires {
		if w.Drive || !driven {
			have = append(have, l)
		}
	}
	slices.Sort(have)
	return have
}

// recording is a capture in progress.
type recording struct {
	board   *board.Board
	rec     *board.Recorder
	lines   []probes.Line
	pins    []board.Pin
	stopped bool
}

// Stop ends the recording and converts it.
func (r *recording) Stop(context.Context) (probes.Capture, error) {
	if r.stopped {
		return probes.Capture{}, errors.New("stop the capture: it was stopped before")
	}
	r.stopped = true
	r.rec.Stop()
	c := probes.Capture{
		Rate: Rate, Resolution: 1, Initial: map[probes.Line]bool{}, Edges: r.edges(),
		Length: timebase.Ticks(r.board.Now() - r.rec.Start()),
	}
	for i, high := range r.rec.Initial() {
		c.Initial[r.lines[i]] = high
	}
	return c, nil
}

// edges converts the edges. Pins that changed together were recorded in the
// chip's order; the contract wants that of the spec's lines.
func (r *recording) edges() []probes.Edge {
	order := func(e board.Edge) int { return slices.Index(r.pins, e.Pin) }
	recorded := slices.Clone(r.rec.Edges())
	slices.SortStableFunc(recorded, func(a, b board.Edge) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(order(a), order(b)))
	})
	var edges []probes.Edge
	for _, e := range recorded {
		at := timebase.Ticks(e.At - r.rec.Start())
		edges = append(edges, probes.Edge{At: at, Line: r.lines[order(e)], High: e.High})
	}
	return edges
}
