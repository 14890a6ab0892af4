package virtual

import (
	"context"
	"fmt"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/probes"
)

// Set lets an analog line follow a waveform from now on.
func (p *Probe) Set(ctx context.Context, l probes.Line, w probes.Waveform) error {
	wire, err := p.find(ctx, l, source)
	if err == nil {
		err = w.Check()
	}
	if err != nil {
		return fmt.Errorf("set the voltage of %s: %w", l, err)
	}
	p.board.SetAnalog(wire.Pin, sourceOf(w, p.board.Now()))
	return nil
}

// sourceOf is a waveform that began at a time.
func sourceOf(w probes.Waveform, start clock.Time) board.Source {
	since := func(at clock.Time) int64 { return int64(max(at-start, 0)) }
	return board.Source{
		MicroVolts: func(at clock.Time) int64 { return int64(w.At(since(at))) },
		Reach: func(from, to clock.Time, uv int64, rising bool) (clock.Time, bool) {
			ps, ok := w.Reach(since(from), since(to), probes.MicroVolts(uv), rising)
			return start + clock.Time(ps), ok
		},
	}
}

// Voltage reads an analog line as it is now.
func (p *Probe) Voltage(ctx context.Context, l probes.Line) (probes.MicroVolts, error) {
	wire, err := p.find(ctx, l, analog)
	if err != nil {
		return 0, fmt.Errorf("measure the voltage of %s: %w", l, err)
	}
	return probes.MicroVolts(p.board.Chip().MicroVolts(wire.Pin)), nil
}
