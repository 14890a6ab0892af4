package virtual

import (
	"context"
	"fmt"
	"time"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/probes"
)

var kinds = map[probes.FaultKind]board.FaultKind{
	probes.StuckLow: board.StuckLow, probes.StuckHigh: board.StuckHigh, probes.Open: board.Open,
}

// Inject puts a fault on the line's pin, and so on all lines there.
func (p *Probe) Inject(ctx context.Context, l probes.Line, f probes.Fault) error {
	if err := p.inject(ctx, l, f); err != nil {
		return fmt.Errorf("inject a fault into %s: %w", l, err)
	}
	return nil
}

func (p *Probe) inject(ctx context.Context, l probes.Line, f probes.Fault) error {
	w, err := p.find(ctx, l, wired)
	if err != nil {
		return err
	}
	if err := f.Check(); err != nil {
		return err
	}
	fault := board.Fault{Kind: kinds[f.Kind], Delay: span(f.Delay), Width: span(f.Width)}
	if f.After != nil {
		after, err := p.find(ctx, f.After.Line, watched)
		if err != nil {
			return err
		}
		fault.After = &board.Trigger{Pin: after.Pin, High: f.After.High}
	}
	return p.board.Inject(w.Pin, fault)
}

// Clear ends the faults of the lines, or all of them.
func (p *Probe) Clear(ctx context.Context, lines ...probes.Line) error {
	if len(lines) == 0 {
		lines = p.lines(wired)
	}
	for _, l := range lines {
		w, err := p.find(ctx, l, wired)
		if err != nil {
			return fmt.Errorf("clear the fault of %s: %w", l, err)
		}
		p.board.ClearFault(w.Pin)
	}
	return nil
}

func span(d time.Duration) clock.Time { return clock.Time(d) * clock.Nanosecond }
