// Package cells keeps what a flash memory holds: its cells, which of them are
// marginal, and who watches them. Snapshots share what did not change, with
// each other and between boards.
//
// Marginal cells are those that an interrupted operation left between 0 and 1.
// They read as one or the other anew at every power-on, and alike until the
// next, until they are erased or programmed. Data sheets only say that such
// data may be corrupted; this is our model of it.
package cells

import (
	"bytes"
	"encoding/binary"
	"hash"
	"slices"

	"rigor/harness/sim/board"
)

// SectorSize is the unit in which snapshots share, in bytes.
const SectorSize = 4 << 10

// sector is the content of 4 KB, or a mask of bits in them. It is never
// changed once it is shared.
type sector [SectorSize]byte

// erased is shared by all snapshots.
var erased = func() *sector {
	s := new(sector)
	fill(s[:], 0xFF)
	return s
}()

// Span is a range of cells, in bytes.
type Span struct{ Off, Size uint32 }

// Cover is the least span that holds two; one without size counts for nothing.
func (s Span) Cover(o Span) Span {
	switch {
	case s.Size == 0:
		return o
	case o.Size == 0:
		return s
	}
	off := min(s.Off, o.Off)
	return Span{off, max(s.Off+s.Size, o.Off+o.Size) - off}
}

// Memory is the cells of one flash memory.
type Memory struct {
	data   []byte
	copies []*sector // what the last snapshot made of each sector; nil: changed since
	weak   []*sector // which bits are marginal; nil: none
	// partial is what of an erase under way takes effect; nil: all of it.
	partial []byte
	ops     []board.FlashOp // under way, those suspended first, as far as they were told
	watch
}

// New makes erased cells, of a size that is a multiple of SectorSize.
func New(size uint32) *Memory {
	m := &Memory{data: make([]byte, size)}
	fill(m.data, 0xFF)
	n := size / SectorSize
	m.copies, m.weak = make([]*sector, n), make([]*sector, n)
	for i := range m.copies {
		m.copies[i] = erased
	}
	return m
}

// Size is in bytes.
func (m *Memory) Size() uint32 { return uint32(len(m.data)) }

// FlashSize is Size, as board.Nonvolatile has it.
func (m *Memory) FlashSize() int { return len(m.data) }

// Data are the cells as they read. It stays the same slice; nobody else may
// write it.
func (m *Memory) Data() []byte { return m.data }

// ReadCells copies cells.
func (m *Memory) ReadCells(off uint32, p []byte) { copy(p, m.data[off:]) }

// Put gives cells values that are sound.
func (m *Memory) Put(off uint32, p []byte) {
	s := Span{off, uint32(copy(m.data[off:], p))}
	m.touch(s, nil)
	m.forget(s)
}

// Program lets bits go from 1 to 0; those that it programs are sound.
func (m *Memory) Program(off uint32, p []byte) {
	for i, b := range p {
		m.data[off+uint32(i)] &= b
	}
	m.touch(Span{off, uint32(len(p))}, p)
}

// Erase ends an erase: all bits go to 1 and are sound, but those that it leaves
// out as its fault was.
func (m *Memory) Erase(s Span) {
	cells := m.data[s.Off:][:s.Size]
	if m.partial == nil {
		fill(cells, 0xFF)
		m.touch(s, nil)
		return
	}
	spared := make([]byte, s.Size) // of touch: a 1 keeps its cell as it was
	for i := range cells {
		cells[i] |= m.partial[i]
		spared[i] = ^m.partial[i]
	}
	m.touch(s, spared)
	m.partial = nil
}

// Cut gives cells other values, sound ones, in the middle of an operation. Those that the
// fault of an erase leaves out stay as they are.
func (m *Memory) Cut(s Span, erase bool, now func(i int, was byte) byte) {
	for i, was := range m.data[s.Off:][:s.Size] {
		v := now(i, was)
		if erase && m.partial != nil {
			v = was&^m.partial[i] | v&m.partial[i]
		}
		m.data[s.Off+uint32(i)] = v
	}
	m.touch(s, nil)
	if erase {
		m.partial = nil
	}
}

// touch notes that cells changed. They are sound from now on: all of them, or
// those bits that are 0 in page.
func (m *Memory) touch(s Span, page []byte) {
	if s.Size == 0 {
		return
	}
	for n := s.Off / SectorSize; n <= (s.Off+s.Size-1)/SectorSize; n++ {
		m.copies[n] = nil
		if m.weak[n] == nil {
			continue
		}
		mask := *m.weak[n]
		base := n * SectorSize
		for off := max(base, s.Off); off < min(base+SectorSize, s.Off+s.Size); off++ {
			if page == nil {
				mask[off-base] = 0
			} else {
				mask[off-base] &= page[off-s.Off]
			}
		}
		m.weak[n] = &mask
		if mask == (sector{}) {
			m.weak[n] = nil
		}
	}
}

// SetMarginal makes of a span those cells marginal, and only those, whose bits
// are set in mask. They read as they did until Waver.
func (m *Memory) SetMarginal(off uint32, mask []byte) {
	m.touch(Span{off, uint32(len(mask))}, nil)
	for i, b := range mask {
		if b == 0 {
			continue
		}
		at := off + uint32(i)
		n := at / SectorSize
		if m.weak[n] == nil {
			m.weak[n] = new(sector) // else touch has made a new one: a snapshot may hold the old
		}
		m.weak[n][at%SectorSize] |= b
	}
}

// Waver lets the marginal cells in the sectors of a span read as a seed says, and reports
// where there are any.
func (m *Memory) Waver(s Span, seed uint64) (changed Span) {
	for n := s.Off / SectorSize; n < (s.Off+s.Size+SectorSize-1)/SectorSize; n++ {
		if m.weak[n] == nil {
			continue
		}
		cells := m.data[n*SectorSize:][:SectorSize]
		for i, mask := range m.weak[n] {
			if mask != 0 {
				cells[i] = cells[i]&^mask | byte(splitmix(&seed))&mask
			}
		}
		m.copies[n] = nil
		changed = changed.Cover(Span{n * SectorSize, SectorSize})
	}
	return changed
}

// Marginal is how many cells of a span are.
func (m *Memory) Marginal(s Span) (n int) {
	for off := s.Off; off < s.Off+s.Size; off++ {
		if w := m.weak[off/SectorSize]; w != nil {
			for b := w[off%SectorSize]; b != 0; b &= b - 1 {
				n++
			}
		}
	}
	return n
}

// Snapshot is the cells at one moment. It may be restored to any memory of the
// same size, on several at once.
type Snapshot struct {
	copies, weak []*sector
	partial      []byte
	ops          []board.FlashOp
}

// Snapshot copies what changed since the last one.
func (m *Memory) Snapshot() Snapshot {
	for n, c := range m.copies {
		if c == nil {
			c = (*sector)(bytes.Clone(m.data[n*SectorSize:][:SectorSize]))
			m.copies[n] = c
		}
	}
	return Snapshot{slices.Clone(m.copies), slices.Clone(m.weak), m.partial, slices.Clone(m.ops)}
}

// Restore puts a snapshot back and reports the cells that may have changed.
// Everything counts as not yet read.
func (m *Memory) Restore(s Snapshot) (changed Span) {
	if len(s.copies) != len(m.copies) {
		panic("BUG: a snapshot of a flash of another size")
	}
	for n, c := range s.copies {
		if m.copies[n] != c {
			copy(m.data[n*SectorSize:], c[:])
			changed = changed.Cover(Span{uint32(n) * SectorSize, SectorSize})
		}
	}
	copy(m.copies, s.copies)
	copy(m.weak, s.weak)
	m.partial, m.ops = s.partial, slices.Clone(s.ops)
	m.Rearm()
	return changed
}

// Hash adds to h the sectors that are not erased, and which cells are marginal.
func (m *Memory) Hash(h hash.Hash) {
	for n := range m.copies {
		cells := m.data[n*SectorSize:][:SectorSize]
		if m.weak[n] == nil && (m.copies[n] == erased || [SectorSize]byte(cells) == *erased) {
			continue
		}
		h.Write(binary.LittleEndian.AppendUint32(nil, uint32(n)))
		h.Write(cells)
		if m.weak[n] != nil {
			h.Write(m.weak[n][:])
		}
	}
	h.Write(m.partial)
}

// HashMarginal adds to h which cells are marginal, and nothing if none are.
func (m *Memory) HashMarginal(h hash.Hash) {
	for n, w := range m.weak {
		if w != nil {
			h.Write(binary.LittleEndian.AppendUint32(nil, uint32(n)))
			h.Write(w[:])
		}
	}
	h.Write(m.partial)
}

// splitmix is the SplitMix64 generator.
func splitmix(state *uint64) uint64 {
	*state += 0x9E3779B97F4A7C15
	z := *state
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

func fill(p []byte, v byte) {
	for i := range p {
		p[i] = v
	}
}
