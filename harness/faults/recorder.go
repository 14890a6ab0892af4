package faults

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"rigor/harness/sim/board"
)

// read is what a run reads of the flash that it began with: the bits of mask in
// every word of a span.
type read struct {
	span
	mask uint32
}

const all = ^uint32(0) // bits of a word

// recorder writes down what a run reads of the flash that it began with, and its
// operations. What the run has erased before does not count: it made that itself.
// Nor do the bits that it has programmed: they are zeros, whatever they were. So a
// run that programs over what an interrupted one left does not depend on how much
// of it that was.
type recorder struct {
	began  *state
	known  words             // read, or erased
	masks  map[uint32]uint32 // of words that are not known, but were programmed
	reads  []read
	values []byte
	ops    []board.FlashOp
}

func newRecorder(began *state) *recorder {
	return &recorder{began: began, known: newWords(began.size), masks: map[uint32]uint32{}}
}

// FlashRead notes those words of a read that are not known. What two calls told is
// kept apart: the program may have chosen the second after the first.
func (r *recorder) FlashRead(off, n uint32) {
	from, to := span{off, n}.limits()
	before := len(r.reads)
	for i := from; i < to; i++ {
		if !r.known.has(i) {
			r.known.set(i)
			r.note(i, before)
		}
	}
}

// note adds a word to the last of the reads from a number on, or begins another.
func (r *recorder) note(i uint32, from int) {
	mask, masked := r.masks[i]
	if !masked {
		mask = all
	}
	r.values = binary.LittleEndian.AppendUint32(r.values, r.began.cells.word(i)&mask)
	if last := len(r.reads) - 1; last >= from && r.reads[last].mask == mask && r.reads[last].end() == i*wordBytes {
		r.reads[last].n += wordBytes
		return
	}
	r.reads = append(r.reads, read{span{i * wordBytes, wordBytes}, mask})
}

// FlashBegin is of no interest.
func (r *recorder) FlashBegin(board.FlashOp) {}

// FlashEnd notes an operation.
func (r *recorder) FlashEnd(op board.FlashOp) {
	op.Data = bytes.Clone(op.Data)
	r.ops = append(r.ops, op)
	if op.Erase {
		r.known.add(span{op.Off, op.Len})
		return
	}
	eachWord(op, func(i, data uint32) {
		if !r.known.has(i) {
			if mask, ok := r.masks[i]; ok {
				data &= mask
			}
			r.masks[i] = data
		}
	})
}

// resume records how a run goes on that began with another content, which was alike
// in all that this one has read.
func (r *recorder) resume(began *state) *recorder {
	return &recorder{began: began, known: r.known.clone(), masks: maps.Clone(r.masks), ops: slices.Clone(r.ops)}
}

// seen is flash whose reader is recorded.
type seen struct {
	Flash
	r *recorder
}

func (s seen) ReadCells(off uint32, p []byte) {
	if len(p) > 0 {
		s.r.FlashRead(off, uint32(len(p)))
	}
	s.Flash.ReadCells(off, p)
}

// after is what the flash holds after all operations, which must be what the
// machine's does.
func (r *recorder) after(f Flash) (*state, error) {
	s := r.began.clone()
	for _, op := range r.ops {
		if op.Cut {
			return nil, fmt.Errorf("the device cut its own flash operation at %#x", op.Off)
		}
		s.apply(op)
	}
	var now page
	for i, mine := range s.cells.mine {
		p := s.cells.pages[i]
		n := min(pageBytes, s.size-i*pageBytes)
		f.ReadCells(uint32(i*pageBytes), now[:n])
		if mine && !bytes.Equal(p[:n], now[:n]) {
			return nil, fmt.Errorf("flash at %#x is not what %d operations make of it", i*pageBytes, len(r.ops))
		}
	}
	return s.share(), nil
}
