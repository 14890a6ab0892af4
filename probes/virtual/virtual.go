// Package virtual is the instruments of a virtual board: pin driver, logic
// analyser, source of voltages, voltmeter and fault injector. They sit at the
// simulated pins, know each edge to the picosecond and each voltage to the
// microvolt, and cannot lose an edge; a capture's rate is therefore 1 THz. The
// analyser's triggers choose among what it recorded.
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

// Wire is a line's place on the board. Lines at one pin are wired together.
type Wire struct {
	Pin    board.Pin
	Drive  bool // the probe may set its level, or of an analog one its voltage
	Analog bool // it carries volts, not levels
}

func driven(w Wire) bool  { return w.Drive && !w.Analog }
func watched(w Wire) bool { return !w.Analog }
func source(w Wire) bool  { return w.Drive && w.Analog }
func analog(w Wire) bool  { return w.Analog }
func wired(Wire) bool     { return true }

// Probe watches and drives the pins of one board.
type Probe struct {
	board *board.Board
	wires map[probes.Line]Wire
}

var (
	_ probes.Capturer      = (*Probe)(nil)
	_ probes.Driver        = (*Probe)(nil)
	_ probes.AnalogSource  = (*Probe)(nil)
	_ probes.Voltmeter     = (*Probe)(nil)
	_ probes.FaultInjector = (*Probe)(nil)
)

// New puts a probe on a board. Lines that it drives start low, or at 0 V.
func New(b *board.Board, wires map[probes.Line]Wire) *Probe {
	p := &Probe{board: b, wires: wires}
	for _, l := range p.lines(wired) {
		switch w := wires[l]; {
		case driven(w):
			b.Drive(w.Pin, board.Drive{Kind: board.DriveLow})
		case source(w):
			b.Drive(w.Pin, board.Drive{Kind: board.DriveVoltage})
		}
	}
	return p
}

// find gives the wire of a line that fits, unless the context has ended.
func (p *Probe) find(ctx context.Context, l probes.Line, fit func(Wire) bool) (Wire, error) {
	if err := ctx.Err(); err != nil {
		return Wire{}, err
	}
	w, ok := p.wires[l]
	if !ok || !fit(w) {
		return Wire{}, &probes.UnknownLineError{Line: l, Have: p.lines(fit)}
	}
	return w, nil
}

func (p *Probe) lines(fit func(Wire) bool) []probes.Line {
	var have []probes.Line
	for l, w := range p.wires {
		if fit(w) {
			have = append(have, l)
		}
	}
	slices.Sort(have)
	return have
}

// Drive sets a line's level from now on.
func (p *Probe) Drive(ctx context.Context, l probes.Line, high bool) error {
	w, err := p.find(ctx, l, driven)
	if err != nil {
		return fmt.Errorf("drive %s: %w", l, err)
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
	if err := s.Check(); err != nil {
		return nil, fmt.Errorf("arm the capture: %w", err)
	}
	r := &recording{board: p.board, lines: slices.Clone(s.Lines)}
	for _, l := range s.Lines {
		w, err := p.find(ctx, l, watched)
		if err != nil {
			return nil, fmt.Errorf("arm the capture: %w", err)
		}
		r.pins = append(r.pins, w.Pin)
	}
	if s.Trigger != nil {
		t := *s.Trigger
		r.trigger = &t
	}
	distinct := slices.Clone(r.pins)
	slices.Sort(distinct)
	r.rec = p.board.Record(slices.Compact(distinct)...)
	for _, pin := range r.pins {
		r.initial = append(r.initial, p.board.Chip().Level(pin))
	}
	return r, nil
}

// recording is a capture in progress.
type recording struct {
	board   *board.Board
	rec     *board.Recorder
	lines   []probes.Line
	pins    []board.Pin // of the lines, in the same order
	initial []bool
	trigger *probes.Trigger
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
	for i, high := range r.initial {
		c.Initial[r.lines[i]] = high
	}
	return r.trigger.Cut(c), nil
}

// edges converts the edges. Pins that changed together were recorded in the
// chip's order; the contract wants that of the spec's lines.
func (r *recording) edges() []probes.Edge {
	var edges []probes.Edge
	for _, e := range r.rec.Edges() {
		for i, pin := range r.pins {
			if pin == e.Pin {
				edges = append(edges, probes.Edge{At: timebase.Ticks(e.At - r.rec.Start()), Line: r.lines[i], High: e.High})
			}
		}
	}
	order := func(e probes.Edge) int { return slices.Index(r.lines, e.Line) }
	slices.SortStableFunc(edges, func(a, b probes.Edge) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(order(a), order(b)))
	})
	return edges
}
