package nor

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"rigor/harness/sim/clock"
)

// sector is the content of 4 KB, or a mask of bits in them. It is never
// changed once it is shared.
type sector [SectorSize]byte

// cellRecord knows, sector by sector, the copy that the last snapshot made and
// which bits are marginal, so that a snapshot copies only what changed.
type cellRecord struct {
	copies []*sector // nil: changed since
	weak   []*sector // nil: none
}

// erased is shared by all snapshots.
var erased = func() *sector {
	s := new(sector)
	fill(s[:], 0xFF)
	return s
}()

func (f *Flash) newRecord() {
	n := len(f.cells) / SectorSize
	f.copies, f.weak = make([]*sector, n), make([]*sector, n)
	for i := range f.copies {
		f.copies[i] = erased
	}
}

// touch notes that cells changed. They are sound from now on: all of them, or
// those bits that page programs to 0.
func (f *Flash) touch(s Span, page []byte) {
	if s.Size == 0 {
		return
	}
	for n := s.Off / SectorSize; n <= (s.Off+s.Size-1)/SectorSize; n++ {
		f.copies[n] = nil
		if f.weak[n] == nil {
			continue
		}
		mask := *f.weak[n]
		base := n * SectorSize
		for off := max(base, s.Off); off < min(base+SectorSize, s.Off+s.Size); off++ {
			if page == nil {
				mask[off-base] = 0
			} else {
				mask[off-base] &= page[off-s.Off]
			}
		}
		f.weak[n] = &mask
		if mask == (sector{}) {
			f.weak[n] = nil
		}
	}
}

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
		}
		*op = operation{}
	}
	f.SUS = false
	return s
}

func cover(a, b Span) Span {
	if a.Size == 0 {
		return b
	}
	off := min(a.Off, b.Off)
	return Span{off, max(a.Off+a.Size, b.Off+b.Size) - off}
}

// cut leaves an operation after so many 256ths of its time: a cell whose moment
// has come has changed, one whose moment is near is marginal.
func (f *Flash) cut(op *operation, passed int) {
	old := slices.Clone(f.cells[op.Span.Off : op.Span.Off+op.Span.Size])
	seed := f.cfg.Seed ^ f.Cuts*0x9E3779B97F4A7C15
	weak := make([]byte, op.Span.Size)
	for i, was := range old {
		r := splitmix(&seed)
		var now byte
		switch {
		case op.Kind == opProgram:
			now, weak[i] = drift(was, was&op.Page[i], r, passed)
		case passed < erasePrepare:
			now, weak[i] = drift(was, 0, r, passed*256/erasePrepare)
		default:
			now, weak[i] = drift(0, 0xFF, r, (passed-erasePrepare)*256/(256-erasePrepare))
		}
		f.cells[op.Span.Off+uint32(i)] = now
	}
	f.touch(op.Span, nil)
	f.weaken(op.Span, weak)
	f.settleWeak(op.Span, seed)
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

// weaken makes bits marginal, in masks that touch has just replaced: a snapshot
// may hold the old ones.
func (f *Flash) weaken(s Span, mask []byte) {
	for i, m := range mask {
		if m == 0 {
			continue
		}
		off := s.Off + uint32(i)
		n := off / SectorSize
		if f.weak[n] == nil {
			f.weak[n] = new(sector)
		}
		f.weak[n][off%SectorSize] |= m
	}
}

// waver lets every marginal cell read as it likes until the next power-on.
func (f *Flash) waver() Span {
	return f.settleWeak(Span{0, f.Size()}, f.cfg.Seed^f.Boots<<32)
}

// settleWeak gives marginal cells the values that they read as for now, and
// reports where there are any.
func (f *Flash) settleWeak(s Span, seed uint64) (changed Span) {
	for n := s.Off / SectorSize; n < (s.Off+s.Size+SectorSize-1)/SectorSize; n++ {
		if f.weak[n] == nil {
			continue
		}
		cells := f.cells[n*SectorSize : (n+1)*SectorSize]
		for i, m := range f.weak[n] {
			if m != 0 {
				cells[i] = cells[i]&^m | byte(splitmix(&seed))&m
			}
		}
		f.copies[n] = nil
		changed = cover(changed, Span{n * SectorSize, SectorSize})
	}
	return changed
}

// Marginal is how many cells read differently from one power-on to the next.
func (f *Flash) Marginal(s Span) (n int) {
	for off := s.Off; off < s.Off+s.Size; off++ {
		if w := f.weak[off/SectorSize]; w != nil {
			for m := w[off%SectorSize]; m != 0; m &= m - 1 {
				n++
			}
		}
	}
	return n
}

// Snapshot is a whole chip at one moment. It shares what did not change with
// other snapshots of the same chip.
type Snapshot struct {
	state  state
	copies []*sector
	weak   []*sector
}

// Snapshot copies the chip.
func (f *Flash) Snapshot() *Snapshot {
	for n, c := range f.copies {
		if c == nil {
			c = new(sector)
			copy(c[:], f.cells[n*SectorSize:])
			f.copies[n] = c
		}
	}
	return &Snapshot{f.state, slices.Clone(f.copies), slices.Clone(f.weak)}
}

// Restore puts a snapshot back, of this chip or of one like it, and reports
// the cells that changed.
func (f *Flash) Restore(s *Snapshot) (changed Span) {
	if len(s.copies) != len(f.copies) {
		panic("BUG: a snapshot of a flash of another size")
	}
	f.state = s.state
	for n, c := range s.copies {
		if f.copies[n] != c {
			copy(f.cells[n*SectorSize:], c[:])
			changed = cover(changed, Span{uint32(n) * SectorSize, SectorSize})
		}
	}
	f.copies, f.weak = slices.Clone(s.copies), slices.Clone(s.weak)
	return changed
}

// Digest hashes all that decides what the chip does next (SHA-256).
func (f *Flash) Digest() (sum [32]byte) {
	h := sha256.New()
	fmt.Fprintf(h, "%v\n", f.state)
	for n := range f.copies {
		cells := f.cells[n*SectorSize : (n+1)*SectorSize]
		if f.weak[n] == nil && (f.copies[n] == erased || [SectorSize]byte(cells) == *erased) {
			continue
		}
		h.Write(binary.LittleEndian.AppendUint32(nil, uint32(n)))
		h.Write(cells)
		if f.weak[n] != nil {
			h.Write(f.weak[n][:])
		}
	}
	h.Sum(sum[:0])
	return sum
}

// splitmix is the SplitMix64 generator.
func splitmix(state *uint64) uint64 {
	*state += 0x9E3779B97F4A7C15
	z := *state
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}
