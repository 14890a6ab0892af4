package faults

import (
	"bytes"
	"fmt"

	"rigor/harness/sim/board"
)

// recorder writes down what a run reads of the flash that it began with, and its
// operations. What the run has erased before does not count: it made that itself.
type recorder struct {
	began  *state
	known  words // read, or erased
	reads  []span
	values []byte
	ops    []board.FlashOp
}

func newRecorder(began *state) *recorder {
	return &recorder{began: began, known: newWords(began.size)}
}

// FlashRead notes those words of a read that are not known. What two calls told is
// kept apart: the program may have chosen the second after the first.
func (r *recorder) FlashRead(off, n uint32) {
	from, to := span{off, n}.limits()
	before := len(r.reads)
	for i := from; i < to; i++ {
		if r.known.has(i) {
			continue
		}
		r.known.set(i)
		at := span{i * wordBytes, wordBytes}
		r.values = r.began.append(r.values, at)
		if last := len(r.reads) - 1; last >= before && r.reads[last].off+r.reads[last].n == at.off {
			r.reads[last].n += wordBytes
			continue
		}
		r.reads = append(r.reads, at)
	}
}

// FlashBegin is of no interest.
func (r *recorder) FlashBegin(board.FlashOp) {}

// FlashEnd notes an operation.
func (r *recorder) FlashEnd(op board.FlashOp) {
	op.Data = bytes.Clone(op.Data)
	r.ops = append(r.ops, op)
	if op.Erase {
		r.known.add(span{op.Off, op.Len})
	}
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
