package nor

import (
	"rigor/harness/sim/cells"
	"rigor/harness/sim/clock"
)

// erasePrepare is the part of an erase, in 256ths, in which cells are
// programmed before they are erased.
const erasePrepare = 64

// marginal is how near the cut, in 256ths of the operation, the moment of a
// marginal cell lies.
const marginal = 8

// abort ends what is under way or suspended at a moment of its own.
func (f *Flash) abort(at clock.Time) (s Span) {
	for _, op := range []*operation{&f.Op, &f.Suspended} {
		passed := op.Passed
		total := op.Passed + op.End
		if op == &f.Op {
			passed += at - op.Start
			total += -op.Start
		}
		if op.Kind == opProgram || op.Kind == opErase {
			f.Cuts++
			s = cover(s, op.Span)
			f.cut(op, int(passed*256/total))
			f.cells.End(at, true)
		}
		*op = operation{}
	}
	f.SUS = false
	return s
}

func cover(a, b Span) Span { return Span(cells.Span(a).Cover(cells.Span(b))) }

// cut leaves an operation after so many 256ths of its time: a cell whose moment
// has come has changed, one whose moment is near is marginal.
func (f *Flash) cut(op *operation, passed int) {
	seed := f.cfg.Seed ^ f.Cuts*0x9E3779B97F4A7C15
	weak := make([]byte, op.Span.Size)
	f.cells.Cut(cells.Span(op.Span), op.Kind == opErase, func(i int, was byte) (now byte) {
		r := splitmix(&seed)
		switch {
		case op.Kind == opProgram:
			now, weak[i] = drift(was, was&op.Page[i], r, passed)
		case passed < erasePrepare:
			now, weak[i] = drift(was, 0, r, passed*256/erasePrepare)
		default:
			now, weak[i] = drift(0, 0xFF, r, (passed-erasePrepare)*256/(256-erasePrepare))
		}
		return now
	})
	f.cells.SetMarginal(op.Span.Off, weak)
	f.cells.Waver(cells.Span(op.Span), seed)
}

// drift takes the bits on their way from one value to another. r holds the
// moment of each, in 256ths.
func drift(from, to byte, r uint64, passed int) (now, weak byte) {
	now = from
	for bit := range 8 {
		mask := byte(1) << bit
		if (from^to)&mask == 0 {
			continue
		}
		moment := int(r >> (8 * bit) & 0xFF)
		if moment < passed {
			now ^= mask
		}
		if d := moment - passed; d >= -marginal && d < marginal {
			weak |= mask
		}
	}
	return now, weak
}

// splitmix is the SplitMix64 generator.
func splitmix(state *uint64) uint64 {
	*state += 0x9E3779B97F4A7C15
	z := *state
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}
