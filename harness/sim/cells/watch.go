package cells

import (
	"math/bits"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// lineSize is what a read is told as, but in fine areas.
const lineSize = 64

// watch is who watches, and what has been told of reads.
type watch struct {
	watcher board.FlashWatcher
	fail    func(board.FlashOp) board.FlashFault
	told    []uint16 // by line, a bit for each word that was told
	fine    []bool   // by line: tell words; nil: nowhere
}

// WatchFlash has w told of what happens; nil ends it. Everything counts as not yet
// read.
func (m *Memory) WatchFlash(w board.FlashWatcher) {
	m.watcher, m.told = w, nil
	if w != nil {
		m.told = make([]uint16, (len(m.data)+lineSize-1)/lineSize)
	}
}

// FineFlash has reads of an area told to the word.
func (m *Memory) FineFlash(off, n uint32) {
	if m.fine == nil {
		m.fine = make([]bool, (len(m.data)+lineSize-1)/lineSize)
	}
	for line := off / lineSize; n > 0 && line <= (off+n-1)/lineSize; line++ {
		m.fine[line] = true
	}
}

// FailFlash has f asked as operations begin; nil ends it.
func (m *Memory) FailFlash(f func(board.FlashOp) board.FlashFault) { m.fail = f }

// Watched tells whether there is a watcher, who must be told of reads.
func (m *Memory) Watched() bool { return m.watcher != nil }

// Hooked tells whether anybody wants to know of operations.
func (m *Memory) Hooked() bool { return m.watcher != nil || m.fail != nil }

// Rearm makes all cells count as not yet read.
func (m *Memory) Rearm() { clear(m.told) }

// forget makes some of them count as not yet read.
func (m *Memory) forget(s Span) {
	if m.told != nil && s.Size > 0 {
		clear(m.told[s.Off/lineSize : (s.Off+s.Size-1)/lineSize+1])
	}
}

// Read tells the watcher of cells that are read, those that are read for the first
// time at least.
func (m *Memory) Read(off, n uint32) {
	if m.watcher == nil || n == 0 {
		return
	}
	last := min(off+n, m.Size()) - 1
	for line := off / lineSize; line <= last/lineSize; line++ {
		m.readLine(line, max(off, line*lineSize), min(last, line*lineSize+lineSize-1))
	}
}

// readLine tells of the words from that of first to that of last, which are in a line.
func (m *Memory) readLine(line, first, last uint32) {
	words := uint16(0xFFFF)
	if m.fine != nil && m.fine[line] {
		from, to := first%lineSize/4, last%lineSize/4
		words = uint16(1<<(to-from+1)-1) << from
	}
	fresh := words &^ m.told[line]
	m.told[line] |= words
	for at := line * lineSize; fresh != 0; {
		skip := bits.TrailingZeros16(fresh)
		run := bits.TrailingZeros16(^(fresh >> skip))
		m.watcher.FlashRead(at+uint32(4*skip), uint32(4*run))
		fresh &^= uint16(1<<run-1) << skip
	}
}

// Begin asks for the fault of an operation that is about to begin, and tells the
// watcher of it, unless it is refused. It is called while there is anybody (Hooked).
func (m *Memory) Begin(op board.FlashOp) (f board.FlashFault) {
	if m.fail != nil {
		f = m.fail(op)
	}
	switch {
	case f.Kind == board.FlashRefused:
		return f
	case f.Kind == board.FlashPartial && uint32(len(f.Mask)) != op.Len:
		panic("BUG: the mask of a partial flash operation has not its length")
	case f.Kind == board.FlashDropped:
		f.Mask = make([]byte, op.Len)
	}
	if op.Erase {
		m.partial = f.Mask
	}
	m.ops = append(m.ops, op)
	if m.watcher != nil {
		m.watcher.FlashBegin(op)
	}
	return f
}

// End tells the watcher that the last operation that began, of those that it was told of, has
// ended.
func (m *Memory) End(at clock.Time, cut bool) {
	n := len(m.ops) - 1
	if n < 0 {
		return
	}
	op := m.ops[n]
	m.ops = m.ops[:n]
	if op.End, op.Cut = at, cut; m.watcher != nil {
		m.watcher.FlashEnd(op)
	}
}

// Only is what a fault leaves of bytes to be programmed: bits that it leaves out are
// not.
func Only(f board.FlashFault, p []byte) []byte {
	if f.Mask == nil {
		return p
	}
	left := make([]byte, len(p))
	for i, b := range p {
		left[i] = b | ^f.Mask[i]
	}
	return left
}
