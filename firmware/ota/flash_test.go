package ota

import (
	"errors"
	"hash/fnv"
)

// cells is a flash that can be cut off, and made to fail, in any of its operations: one word of
// internal flash, one page of a NOR, one sector's erase.
type cells struct {
	mem  []byte
	weak []byte // bits that read as they like
	lie  uint32 // what they read as since the last power-on: 0 as they are, 1 the other way round, else by chance
	page uint32 // programmed at once
	ops  int    // operations begun
	hit  int    // the operation that goes wrong, counted from 0
	how  mishap
}

// mishap is how an operation goes wrong.
type mishap struct {
	kind mishapKind
	arg  uint32
}

type mishapKind uint8

const (
	none     mishapKind = iota
	cutFirst            // power fails when so many bytes are done
	cutBits             // when a choice of the bits is
	cutWeak             // when all bits are, but none for good
	dropped             // nothing is done, and nothing told
	partial             // a choice of the bits is done, and nothing told
	refused             // nothing is done, and told
)

func (m mishapKind) cuts() bool { return m >= cutFirst && m <= cutWeak }

// powerCut is what an operation panics with when power fails.
type powerCut struct{}

var errRefused = errors.New("refused")

func newCells(size, page uint32) *cells {
	c := &cells{mem: make([]byte, size), weak: make([]byte, size), page: page, hit: -1}
	for i := range c.mem {
		c.mem[i] = 0xFF
	}
	return c
}

func (c *cells) clone() *cells {
	d := *c
	d.mem, d.weak = append([]byte(nil), c.mem...), append([]byte(nil), c.weak...)
	d.ops, d.hit, d.how = 0, -1, mishap{}
	return &d
}

func chance(seed, at uint32) byte {
	h := fnv.New32a()
	h.Write([]byte{byte(seed), byte(seed >> 8), byte(at), byte(at >> 8), byte(at >> 16)})
	s := h.Sum32()
	return byte(s ^ s>>11 ^ s>>22)
}

func (c *cells) Read(off uint32, p []byte) {
	copy(p, c.mem[off:])
	for i := range p {
		if w := c.weak[off+uint32(i)]; w != 0 {
			switch c.lie {
			case 0:
			case 1:
				p[i] ^= w
			default:
				p[i] ^= w & chance(c.lie, off+uint32(i))
			}
		}
	}
}

func (c *cells) Program(off uint32, p []byte) error {
	if off%4 != 0 || len(p)%4 != 0 {
		panic("BUG: not aligned")
	}
	for len(p) > 0 {
		n := min(uint32(len(p)), c.page-off%c.page)
		if err := c.operate(off, p[:n], false); err != nil {
			return err
		}
		off, p = off+n, p[n:]
	}
	return nil
}

func (c *cells) Erase(off, size uint32) error {
	blank := make([]byte, size)
	for i := range blank {
		blank[i] = 0xFF
	}
	return c.operate(off, blank, true)
}

// operate makes cells what p says: an erase sets bits, programming clears them.
func (c *cells) operate(off uint32, p []byte, erase bool) error {
	how := mishap{}
	if c.ops == c.hit {
		how = c.how
	}
	c.ops++
	for i, want := range p {
		at := off + uint32(i)
		change := c.mem[at] & ^want
		if erase {
			change = ^c.mem[at]
		}
		done := byte(0xFF)
		switch how.kind {
		case cutFirst:
			if uint32(i) >= how.arg {
				done = 0
			}
		case cutBits, partial:
			done = chance(how.arg, at)
		case dropped, refused:
			done = 0
		}
		c.mem[at] ^= change & done
		switch {
		case how.kind == cutWeak:
			c.weak[at] |= change
		case how.kind == cutBits:
			c.weak[at] |= change & chance(how.arg+1, at) & chance(how.arg+2, at)
		case erase:
			c.weak[at] &^= done
		default:
			c.weak[at] &^= done & ^want
		}
	}
	if how.kind.cuts() {
		panic(powerCut{})
	}
	if how.kind == refused {
		return errRefused
	}
	return nil
}

// uncut runs f and says whether power lasted.
func uncut(f func()) (lasted bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, cut := r.(powerCut); !cut {
				panic(r)
			}
			lasted = false
		}
	}()
	f()
	return true
}
