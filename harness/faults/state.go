package faults

import (
	"bytes"
	"encoding/binary"
	"slices"

	"rigor/harness/sim/board"
)

type page [pageBytes]byte

// layer is the bytes of a flash, or a mask of bits in them. Copies share pages
// until they change them.
type layer struct {
	pages []*page // nil: all zeros
	mine  []bool  // which pages no copy shares; nil: none
}

func (l *layer) clone() layer {
	l.share()
	return layer{pages: slices.Clone(l.pages)}
}

// share gives up the ownership of all pages. Layers that several goroutines clone
// have given it up before.
func (l *layer) share() {
	if l.mine != nil {
		l.mine = nil
	}
}

// page is one to be written.
func (l *layer) page(n uint32) *page {
	if l.mine == nil {
		l.mine = make([]bool, len(l.pages))
	}
	if !l.mine[n] {
		p := new(page)
		if l.pages[n] != nil {
			*p = *l.pages[n]
		}
		l.pages[n], l.mine[n] = p, true
	}
	return l.pages[n]
}

func (l *layer) word(i uint32) uint32 {
	if p := l.pages[i/pageWords]; p != nil {
		return binary.LittleEndian.Uint32(p[i%pageWords*wordBytes:])
	}
	return 0
}

func (l *layer) setWord(i, v uint32) {
	binary.LittleEndian.PutUint32(l.page(i / pageWords)[i%pageWords*wordBytes:], v)
}

// state is what a flash holds: its cells, and which of them are marginal. A
// marginal cell counts as a one in cells. A state that is shared is not changed
// any more.
type state struct {
	size  int
	cells layer
	weak  layer
	frail int    // words with marginal cells
	sum   uint64 // of all words that differ from those of the first state
}

// capture is the state of a device's flash, sound as it reads now.
func capture(f Flash) *state {
	n := (f.FlashSize() + pageBytes - 1) / pageBytes
	s := &state{size: f.FlashSize(), cells: layer{pages: make([]*page, n)}, weak: layer{pages: make([]*page, n)}}
	for i := range s.cells.pages {
		s.cells.pages[i] = new(page)
		f.ReadCells(uint32(i*pageBytes), s.cells.pages[i][:min(pageBytes, s.size-i*pageBytes)])
	}
	return s
}

func (s *state) clone() *state {
	c := *s
	c.cells, c.weak = s.cells.clone(), s.weak.clone()
	return &c
}

// share makes a state fit to be cloned by several goroutines at once.
func (s *state) share() *state {
	s.cells.share()
	s.weak.share()
	return s
}

// set changes a word and the marginal bits in it.
func (s *state) set(i, cells, weak uint32) {
	oldCells, oldWeak := s.cells.word(i), s.weak.word(i)
	if cells == oldCells && weak == oldWeak {
		return
	}
	s.sum += hashWord(i, cells, weak) - hashWord(i, oldCells, oldWeak)
	s.cells.setWord(i, cells)
	if weak != oldWeak {
		s.weak.setWord(i, weak)
		s.frail += btoi(weak != 0) - btoi(oldWeak != 0)
	}
}

// apply does an operation: an erase makes ones, a program operation makes zeros,
// and what they make is sound.
func (s *state) apply(op board.FlashOp) {
	eachWord(op, func(i, data uint32) {
		if op.Erase {
			s.set(i, ^uint32(0), 0)
			return
		}
		s.set(i, s.cells.word(i)&data, s.weak.word(i)&data)
	})
}

// eachWord calls f with the words of an operation, and for a program operation
// what is and-ed with each.
func eachWord(op board.FlashOp, f func(i, data uint32)) {
	from, to := span{op.Off, op.Len}.limits()
	for i := from; i < to; i++ {
		f(i, dataAt(op, i, op.Len))
	}
}

// dataAt is what the first n bytes of a program operation put into a word.
func dataAt(op board.FlashOp, i, n uint32) uint32 {
	if op.Erase {
		return 0
	}
	at := i * wordBytes
	if at >= op.Off && at+wordBytes <= op.Off+n {
		return binary.LittleEndian.Uint32(op.Data[at-op.Off:])
	}
	v := ^uint32(0)
	for b := range uint32(wordBytes) {
		if at+b >= op.Off && at+b < op.Off+n {
			v &^= uint32(^op.Data[at+b-op.Off]) << (8 * b)
		}
	}
	return v
}

// read is the state as a device reads it after a power-on: sound.
func (s *state) read(r Reading, seed uint64) *state {
	if s.frail == 0 {
		return s
	}
	c := s.clone()
	for n, p := range s.weak.pages {
		if p == nil {
			continue
		}
		for i := uint32(n * pageWords); i < uint32((n+1)*pageWords); i++ {
			if w := s.weak.word(i); w != 0 {
				c.set(i, s.cells.word(i)&^(w&^r.ones(seed, i)), 0)
			}
		}
	}
	return c
}

// ones are the bits of a word that read as one, of those that may.
func (r Reading) ones(seed uint64, i uint32) uint32 {
	switch r {
	case 0:
		return ^uint32(0)
	case 1:
		return 0
	}
	return pattern(seed, int(r)-2, i)
}

// holds tells whether what r reads of s is as in values.
func (s *state) holds(r read, values []byte) bool {
	if r.mask != all {
		return s.holdsMasked(r, values)
	}
	for at := r.span; at.n > 0; {
		from := at.off % pageBytes
		n := min(at.n, pageBytes-from)
		if !bytes.Equal(s.cells.pages[at.off/pageBytes][from:from+n], values[:n]) {
			return false
		}
		at, values = span{at.off + n, at.n - n}, values[n:]
	}
	return true
}

func (s *state) holdsMasked(r read, values []byte) bool {
	from, to := r.limits()
	for i := from; i < to; i++ {
		if s.cells.word(i)&r.mask != binary.LittleEndian.Uint32(values[(i-from)*wordBytes:]) {
			return false
		}
	}
	return true
}

// put writes a state into a machine that has another one.
func (s *state) put(m Machine, now *state) {
	for i, p := range s.cells.pages {
		if p != now.cells.pages[i] && *p != *now.cells.pages[i] {
			m.SetCells(uint32(i*pageBytes), p[:min(pageBytes, s.size-i*pageBytes)])
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// hashWord is a number for a word and its content. Sums of them tell states apart.
func hashWord(i, cells, weak uint32) uint64 {
	return mix(mix(uint64(i)<<32|uint64(cells)) + uint64(weak))
}

// pattern is a choice of a word's bits, always the same: so that faults on faults
// do not make new content for ever.
func pattern(seed uint64, n int, i uint32) uint32 {
	return uint32(mix(mix(seed+uint64(n)) + uint64(i)))
}

// mix is the finalizer of SplitMix64.
func mix(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// hash is a number for what r reads.
func (s *state) hash(r read) (sum uint64) {
	from, to := r.limits()
	for i := from; i < to; i++ {
		sum += hashWord(i, s.cells.word(i)&r.mask, 0)
	}
	return sum
}

// equal compares sound states.
func (s *state) equal(o *state) bool {
	return slices.EqualFunc(s.cells.pages, o.cells.pages, func(a, b *page) bool { return *a == *b })
}
