package virtual

import (
	"context"
	"fmt"

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
	start := p.board.Now()
	p.board.SetAnalog(wire.Pin, func(at clock.Time) int64 { return int64(w.At(int64(max(at-start, 0)))) })
	return nil
}

// Voltage reads an analog line as it is now.
func (p *Probe) Voltage(ctx context.Context, l probes.Line) (probes.MicroVolts, error) {
	wire, err := p.find(ctx, l, analog)
	if err != nil {
		return 0, fmt.Errorf("measure the voltage of %s: %w", l, err)
	}
	return probes.MicroVolts(p.board.Chip().MicroVolts(wire.Pin)), nil
}
