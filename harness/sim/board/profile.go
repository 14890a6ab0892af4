package board

import (
	"fmt"
	"slices"

	"rigor/harness/sim/profile"
)

// Profiled is a chip whose cores tell where their cycles go.
type Profiled interface {
	// Profile gives each core its counter, by number; no counters end it.
	Profile(p ...*profile.Counter)
	// Cores is how many there are.
	Cores() int
}

// Profiling counts where the cycles of a chip's cores go, in intervals that begin and end with
// rises of pins. Like a Recorder it is an instrument: no part of snapshots and digests.
type Profiling struct {
	board     *Board
	from, to  []Pin
	cores     []*profile.Counter
	open      bool
	intervals int
}

// Profile begins to count: in intervals from the rise of any of some pins to that of any of others, or all the
// time if there are none of these.
func (b *Board) Profile(from, to []Pin) (*Profiling, error) {
	chip, ok := b.chip.(Profiled)
	if !ok {
		return nil, fmt.Errorf("profile %s: its model cannot tell where cycles go", b.chip.Name())
	}
	if b.profiling != nil {
		return nil, fmt.Errorf("profile %s: it is being profiled already", b.chip.Name())
	}
	p := &Profiling{board: b, from: from, to: to}
	for range chip.Cores() {
		p.cores = append(p.cores, &profile.Counter{})
	}
	chip.Profile(p.cores...)
	b.profiling = p
	b.rewatch()
	if len(from) == 0 {
		p.turn(true)
	}
	return p, nil
}

// pins are those whose edges it needs.
func (p *Profiling) pins() []Pin {
	if p == nil {
		return nil
	}
	return slices.Concat(p.from, p.to)
}

// rose tells of an edge.
func (p *Profiling) rose(pin Pin) {
	switch {
	case p == nil:
	case !p.open && slices.Contains(p.from, pin):
		p.turn(true)
	case p.open && slices.Contains(p.to, pin):
		p.turn(false)
		p.intervals++
	}
}

func (p *Profiling) turn(open bool) {
	p.open = open
	for _, c := range p.cores {
		c.Open(open)
	}
}

// Stop ends the counting. It gives the counts of each core, and how many intervals have ended.
func (p *Profiling) Stop() (cores []profile.Counts, intervals int) {
	for _, c := range p.cores {
		cores = append(cores, c.Counts())
	}
	p.board.profiling = nil
	p.board.chip.(Profiled).Profile()
	p.board.rewatch()
	return cores, p.intervals
}
