package faults

import "rigor/harness/sim/board"

// Model says how many ways there are to cut an operation.
type Model struct {
	Bytes    bool // a program operation after each of its bytes
	Patterns int  // of bits that a program operation has done, seeded
	Erases   int  // of bits that an erase has done, or has programmed before
	Marginal bool // done, but uncertain
	// Readings of marginal cells are that many seeded patterns, 2 at most, beside all
	// ones and all zeros. That of the first cut's model counts.
	Readings int
}

// Full is for a first cut, Coarse for those that follow it: it chooses among what
// Full chooses from, so that cuts on cuts come to an end. Edges leaves out what is
// within a program operation.
var (
	Full   = Model{Bytes: true, Patterns: 2, Erases: 2, Marginal: true, Readings: 1}
	Coarse = Model{Patterns: 1}
	Edges  = Model{}
)

// extent is how far an operation got.
type extent struct {
	how How
	n   int
}

// cuts appends all ways to cut an operation, simplest first.
func (m Model) cuts(all []extent, op board.FlashOp) []extent {
	all = append(all, extent{how: Before})
	if op.Erase {
		all = append(all, extent{how: Half})
		all = append(all, numbered(Zeroed, 0, m.Erases+1)...)
		all = append(all, numbered(Bits, 0, m.Erases)...)
	} else {
		if m.Bytes {
			all = append(all, numbered(Bytes, 1, int(op.Len))...)
		}
		all = append(all, numbered(Bits, 0, m.Patterns)...)
	}
	if m.Marginal {
		all = append(all, extent{how: Marginal})
	}
	return all
}

func numbered(h How, from, to int) (all []extent) {
	for n := from; n < to; n++ {
		all = append(all, extent{h, n})
	}
	return all
}

// maxReadings is how many ways there can be.
const maxReadings = 4

// readings is how many ways there are to read a state.
func (m Model) readings(frail bool) Reading {
	if frail {
		return Reading(min(2+m.Readings, maxReadings))
	}
	return 1
}

// cut does so much of an operation.
func (s *state) cut(op board.FlashOp, x extent, seed uint64) {
	eachWord(op, func(i, data uint32) {
		cells, weak := cutWord(op, x, i, data, s.cells.word(i), s.weak.word(i), seed)
		s.set(i, cells, weak)
	})
}

// cutWord is what becomes of a word and its marginal bits.
func cutWord(op board.FlashOp, x extent, i, data, cells, weak uint32, seed uint64) (uint32, uint32) {
	switch {
	case x.how == Bits && op.Erase: // ones of the pattern are ones again
		ones := pattern(seed, x.n, i)
		return cells | ones, weak &^ ones
	case x.how == Bits:
		data |= pattern(seed, x.n, i)
		return cells & data, weak & data
	case x.how == Zeroed && x.n == 0:
		return 0, 0
	case x.how == Zeroed:
		ones := pattern(seed, x.n, i)
		return cells & ones, weak & ones
	case x.how == Half && i*wordBytes < op.Off+op.Len/2:
		return ^uint32(0), 0
	case x.how == Bytes:
		data = dataAt(op, i, uint32(x.n))
		return cells & data, weak & data
	case x.how == Marginal && op.Erase:
		return ^uint32(0), weak | ^cells
	case x.how == Marginal:
		return cells, weak | cells&^data
	}
	return cells, weak
}
