package faults

import "math/bits"

// Flash is kept in pages, and looked at in words of four bytes: no operation is
// smaller.
const (
	pageBytes = 4096
	wordBytes = 4
	pageWords = pageBytes / wordBytes
)

// span is a range of flash, in bytes.
type span struct{ off, n uint32 }

func (s span) end() uint32 { return s.off + s.n }

// words is a set of words of flash.
type words struct{ pages []*[pageWords / 64]uint64 }

func newWords(flashSize int) words {
	return words{make([]*[pageWords / 64]uint64, (flashSize+pageBytes-1)/pageBytes)}
}

// limits are the first word that s touches, and the first after it.
func (s span) limits() (from, to uint32) {
	return s.off / wordBytes, (s.off + s.n + wordBytes - 1) / wordBytes
}

// add puts the words of s in.
func (w words) add(s span) {
	from, to := s.limits()
	for i := from; i < to; i++ {
		w.set(i)
	}
}

func (w words) set(i uint32) {
	p := &w.pages[i/pageWords]
	if *p == nil {
		*p = new([pageWords / 64]uint64)
	}
	(*p)[i%pageWords/64] |= 1 << (i % 64)
}

func (w words) has(i uint32) bool {
	p := w.pages[i/pageWords]
	return p != nil && p[i%pageWords/64]>>(i%64)&1 != 0
}

// touches tells whether a word of s is in the set.
func (w words) touches(s span) bool {
	from, to := s.limits()
	for i := from; i < to; {
		p := w.pages[i/pageWords]
		if p == nil {
			i = (i/pageWords + 1) * pageWords
			continue
		}
		if rest := p[i%pageWords/64] >> (i % 64); rest != 0 {
			return i+uint32(bits.TrailingZeros64(rest)) < to
		}
		i = (i/64 + 1) * 64
	}
	return false
}

// each calls f with every word of the set, in order.
func (w words) each(f func(i uint32)) {
	for n, p := range w.pages {
		if p == nil {
			continue
		}
		for m, b := range p {
			for ; b != 0; b &= b - 1 {
				f(uint32(n*pageWords + m*64 + bits.TrailingZeros64(b)))
			}
		}
	}
}

// merge adds another set.
func (w words) merge(o words) {
	for n, p := range o.pages {
		if p == nil {
			continue
		}
		if w.pages[n] == nil {
			w.pages[n] = new([pageWords / 64]uint64)
		}
		for m, b := range p {
			w.pages[n][m] |= b
		}
	}
}

func (w words) clone() words {
	c := words{make([]*[pageWords / 64]uint64, len(w.pages))}
	c.merge(w)
	return c
}

// and are the words in both sets. Pages without any are left out.
func (w words) and(o words) words {
	c := words{make([]*[pageWords / 64]uint64, len(w.pages))}
	for n, p := range w.pages {
		if q := o.pages[n]; p != nil && q != nil {
			c.pages[n] = combine(p, q, func(a, b uint64) uint64 { return a & b })
		}
	}
	return c
}

// minus takes away, from a set of its own, what is in others.
func (w words) minus(others ...words) words {
	for n, p := range w.pages {
		for _, o := range others {
			if q := o.pages[n]; p != nil && q != nil {
				p = combine(p, q, func(a, b uint64) uint64 { return a &^ b })
			}
		}
		w.pages[n] = p
	}
	return w
}

// combine is nil if nothing is left.
func combine(p, q *[pageWords / 64]uint64, f func(a, b uint64) uint64) *[pageWords / 64]uint64 {
	c, any := new([pageWords / 64]uint64), uint64(0)
	for m := range c {
		c[m] = f(p[m], q[m])
		any |= c[m]
	}
	if any == 0 {
		return nil
	}
	return c
}

func (w words) empty() bool {
	for _, p := range w.pages {
		if p != nil && *p != [pageWords / 64]uint64{} {
			return false
		}
	}
	return true
}

func (w words) unset(i uint32) {
	if p := w.pages[i/pageWords]; p != nil {
		p[i%pageWords/64] &^= 1 << (i % 64)
	}
}
