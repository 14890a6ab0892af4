package virtual

import (
	"context"
	"fmt"

	"rigor/harness/rig"
	"rigor/harness/sim/board"
	"rigor/probes"
)

var _ rig.Profiler = (*Board)(nil)

// Profile counts where the cycles of the chip's cores go.
func (b *Board) Profile(ctx context.Context, from, to []probes.Line) (rig.Profiling, error) {
	if err := b.usable(ctx, "profile"); err != nil {
		return nil, err
	}
	first, err := b.pinsOf(from)
	if err != nil {
		return nil, err
	}
	last, err := b.pinsOf(to)
	if err != nil {
		return nil, err
	}
	p, err := b.sim.Profile(first, last)
	if err != nil {
		return nil, fmt.Errorf("board %s: %w", b.name, err)
	}
	return profiling{p}, nil
}

func (b *Board) pinsOf(lines []probes.Line) (pins []board.Pin, err error) {
	for _, l := range lines {
		wire, ok := b.wires[l]
		if !ok {
			return nil, fmt.Errorf("profile board %s: it has no line %s", b.name, l)
		}
		pins = append(pins, wire.Pin)
	}
	return pins, nil
}

// profiling is a profile that is being made.
type profiling struct{ p *board.Profiling }

// Stop ends it.
func (p profiling) Stop() rig.Profile {
	cores, intervals := p.p.Stop()
	out := rig.Profile{Intervals: intervals}
	for _, c := range cores {
		core := rig.CoreProfile{At: map[uint64]rig.Cost{}, Exceptions: c.Exceptions, Slept: c.Slept}
		for addr, k := range c.At {
			core.At[addr] = rig.Cost(k)
		}
		out.Cores = append(out.Cores, core)
	}
	return out
}
