// Package nor simulates a serial NOR flash of the W25Q32 class, command by
// command: what a controller sends between select and deselect is one
// Transaction.
//
// It follows Winbond's data sheet W25Q32JV (revision G: commands §8, status
// registers §7, times §9.6) and JESD216 for the discoverable parameters. The chip
// is passive: it is told the world time of each transaction and computes from that
// whether it is busy.
//
// Where power is lost in the middle of an operation the data sheet only says that
// data may be corrupted. Here every cell has a moment of its own within the
// operation, drawn from the seed, at which it changes; cells whose moment is near
// the cut are marginal, and read as one or the other anew at every power-on until
// they are erased or programmed. An erase programs all cells first, as the usual
// erase algorithm does, for an assumed quarter of its time.
//
// Left out: security registers, individual block locks, QPI, burst wrap,
// continuous read mode, double rates, the WP and HOLD pins, times that depend on
// temperature or wear. Those commands are refused by name.
package nor

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"rigor/harness/sim/board"
	"rigor/harness/sim/cells"
	"rigor/harness/sim/clock"
)

// Sizes in bytes.
const (
	PageSize    = 256
	SectorSize  = cells.SectorSize
	halfSize    = 32 << 10
	BlockSize   = 64 << 10
	DefaultSize = 4 << 20
)

// Config says which part it is. The zero value of a field chooses the default.
type Config struct {
	JEDEC  [3]byte // maker, type, capacity as a power of two; default EF 40 16
	Unique [8]byte // the factory's id
	Times  Times   // default Typical
	Seed   uint64  // decides what a cut operation leaves
}

// Times are how long operations take (W25Q32JV §9.6).
type Times struct {
	FirstByte clock.Time // tBP1: programming of one byte
	NextByte  clock.Time // tBP2: of each further one
	Page      clock.Time // tPP: the most that a page takes
	Sector    clock.Time // tSE: 4 KB
	Half      clock.Time // tBE1: 32 KB
	Block     clock.Time // tBE2: 64 KB
	Chip      clock.Time // tCE
	Status    clock.Time // tW: non-volatile status registers
}

// The columns of the data sheet.
var (
	Typical = Times{
		FirstByte: 30 * clock.Microsecond, NextByte: 2500 * clock.Nanosecond, Page: 400 * clock.Microsecond,
		Sector: 45 * clock.Millisecond, Half: 120 * clock.Millisecond, Block: 150 * clock.Millisecond,
		Chip: 10 * clock.Second, Status: 10 * clock.Millisecond,
	}
	Maximum = Times{
		FirstByte: 50 * clock.Microsecond, NextByte: 12 * clock.Microsecond, Page: 3 * clock.Millisecond,
		Sector: 400 * clock.Millisecond, Half: 1600 * clock.Millisecond, Block: 2 * clock.Second,
		Chip: 50 * clock.Second, Status: 15 * clock.Millisecond,
	}
)

const (
	suspendTime   = 20 * clock.Microsecond // tSUS
	resetTime     = 30 * clock.Microsecond // tRST
	powerDownTime = 3 * clock.Microsecond  // tDP, tRES1
)

// Span is a range of cells, in bytes.
type Span struct{ Off, Size uint32 }

// Flash is one chip. Its state but the cells is plain data.
type Flash struct {
	cfg   Config
	cells *cells.Memory
	state
}

// state is what the chip remembers besides its cells.
type state struct {
	Powered  bool
	Status   [3]byte // status registers 1 to 3 but BUSY, WEL and SUS
	Stored   [3]byte // their non-volatile values
	WEL      bool
	Volatile bool // 50h: the next status write is volatile
	Asleep   bool // deep power-down
	Armed    bool // 66h: the next command may be reset

	Op        operation // under way
	Suspended operation // its End is the time that it still needs
	SUS       bool
	Ready     clock.Time // suspending, resetting or waking until then
	Cuts      uint64     // operations cut so far
	Boots     uint64     // power-ons so far
}

// operation is a program, an erase or a status write.
type operation struct {
	Kind       opKind
	Span       Span
	Page       [PageSize]byte // of opProgram: what the cells are and-ed with
	Status     [3]byte        // of opStatus
	Start, End clock.Time
	Passed     clock.Time // before it was suspended
}

type opKind uint8

const (
	opNone opKind = iota
	opProgram
	opErase
	opStatus
)

// Status register bits (§7.1).
const (
	sr1Busy  = 1 << 0
	sr1WEL   = 1 << 1
	sr1TB    = 1 << 5
	sr1SEC   = 1 << 6
	sr1Write = 0xFC
	sr2QE    = 1 << 1
	sr2CMP   = 1 << 6
	sr2SUS   = 1 << 7
	sr2Write = 0x78 // QE is fixed; SRL needs the WP pin
	sr3Write = 0x64
)

// New makes an erased chip without power. It refuses sizes that 24-bit
// addresses do not reach.
func New(cfg Config) (*Flash, error) {
	if cfg.JEDEC == [3]byte{} {
		cfg.JEDEC = [3]byte{0xEF, 0x40, 0x16}
	}
	if cfg.Times == (Times{}) {
		cfg.Times = Typical
	}
	if bits := cfg.JEDEC[2]; bits < 16 || bits > 24 {
		return nil, fmt.Errorf("make a flash of 2^%d bytes: only 64 KB to 16 MB are modelled", bits)
	}
	f := &Flash{cfg: cfg, cells: cells.New(1 << cfg.JEDEC[2])}
	f.Stored = [3]byte{0, sr2QE, 0x60}
	f.Status = f.Stored
	return f, nil
}

// Size is the capacity in bytes.
func (f *Flash) Size() uint32 { return f.cells.Size() }

// JEDEC is what RDID answers.
func (f *Flash) JEDEC() [3]byte { return f.cfg.JEDEC }

// Data are the cells, for a cache that reads them and a board that looks at
// them. It stays the same slice; nobody else may write it.
func (f *Flash) Data() []byte { return f.cells.Data() }

// Cells are the chip's, for who watches them, or puts others in.
func (f *Flash) Cells() *cells.Memory { return f.cells }

// Program puts bytes into the cells as a factory's programmer would, in no
// time.
func (f *Flash) Program(off uint32, data []byte) error {
	if uint64(off)+uint64(len(data)) > uint64(f.Size()) {
		return fmt.Errorf("put %d bytes at 0x%x of a flash of %d bytes: beyond its end", len(data), off, f.Size())
	}
	f.cells.Put(off, data)
	return nil
}

// Busy tells until when the chip is busy, if it is at that time.
func (f *Flash) Busy(at clock.Time) (until clock.Time, busy bool) {
	until = f.Ready
	if f.Op.Kind != opNone {
		until = max(until, f.Op.End)
	}
	return until, until > at
}

// Pending is when the operation under way changes the cells; clock.NeverTime if
// there is none.
func (f *Flash) Pending() clock.Time {
	if f.Op.Kind == opNone {
		return clock.NeverTime
	}
	return f.Op.End
}

// Settle ends the operation that is due by then and reports the cells that it
// changed. Transactions do so themselves; whoever keeps copies of cells calls
// it at the time that Pending names.
func (f *Flash) Settle(at clock.Time) Span {
	if f.Op.Kind == opNone || f.Op.End > at {
		return Span{}
	}
	op := f.Op
	f.Op = operation{}
	f.WEL = false
	return f.finish(&op)
}

// finish gives the cells what the operation was for.
func (f *Flash) finish(op *operation) Span {
	switch op.Kind {
	case opProgram:
		f.cells.Program(op.Span.Off, op.Page[:])
		f.cells.End(op.End, false)
	case opErase:
		f.cells.Erase(cells.Span(op.Span))
		f.cells.End(op.End, false)
	case opStatus:
		f.Status, f.Stored = op.Status, op.Status
	}
	return op.Span
}

// SetPower switches the supply. Off cuts the operation under way or suspended;
// the cells touched are reported.
func (f *Flash) SetPower(on bool, at clock.Time) Span {
	if on == f.Powered {
		return Span{}
	}
	f.Powered = on
	if on {
		f.Boots++
		f.cells.Rearm()
		return Span(f.cells.Waver(cells.Span{Size: f.Size()}, f.cfg.Seed^f.Boots<<32))
	}
	f.Settle(at)
	span := f.abort(at)
	f.state = state{Status: f.Stored, Stored: f.Stored, Cuts: f.Cuts, Boots: f.Boots}
	return span
}

// order asks who watches whether an operation on some of its cells may begin, and gives it the
// fault that it is to have. A refused one does not begin, as in a protected area.
func (f *Flash) order(op *operation, s Span, at, d clock.Time) bool {
	if !f.cells.Hooked() {
		return true
	}
	o := board.FlashOp{Erase: op.Kind == opErase, Off: s.Off, Len: s.Size, Start: at, End: at + d}
	if o.Erase {
		return f.cells.Begin(o).Kind != board.FlashRefused
	}
	page := op.Page[s.Off-op.Span.Off:][:s.Size]
	o.Data = bytes.Clone(page)
	fault := f.cells.Begin(o)
	copy(page, cells.Only(fault, o.Data))
	return fault.Kind != board.FlashRefused
}

// begin starts an operation.
func (f *Flash) begin(op operation, at, d clock.Time) {
	op.Start, op.End = at, at+d
	f.Op = op
}

// suspend is 75h (§8.2.24): the chip can be read after tSUS.
func (f *Flash) suspend(at clock.Time) {
	if f.Op.Kind != opProgram && f.Op.Kind != opErase || f.SUS {
		return
	}
	f.Suspended, f.SUS = f.Op, true
	f.Suspended.Passed += at - f.Op.Start
	f.Suspended.End -= at
	f.Op = operation{}
	f.WEL = false
	f.Ready = at + suspendTime
}

// resume is 7Ah (§8.2.25).
func (f *Flash) resume(at clock.Time) {
	if !f.SUS {
		return
	}
	left := f.Suspended.End
	f.begin(f.Suspended, at, left)
	f.Suspended, f.SUS = operation{}, false
}

// reset is 66h, 99h (§8.2.40): an operation under way may corrupt data.
func (f *Flash) reset(at clock.Time) Span {
	span := f.abort(at)
	f.Status = f.Stored
	f.WEL, f.Volatile, f.Asleep = false, false, false
	f.Ready = at + resetTime
	return span
}

// protected tells whether a byte lies in the area that the block protection
// bits name (§7.1.14, the tables of CMP = 0 and 1).
func (f *Flash) protected(off uint32) bool {
	sr1, size := f.Status[0], f.Size()
	bp := uint32(sr1 >> 2 & 7)
	var area uint32
	switch {
	case bp == 0:
	case bp == 7:
		area = size
	case sr1&sr1SEC != 0:
		area = min(uint32(SectorSize)<<(bp-1), halfSize)
	default:
		area = size >> (7 - bp)
	}
	in := off >= size-area
	if sr1&sr1TB != 0 {
		in = off < area
	}
	return in != (f.Status[1]&sr2CMP != 0)
}

// locked tells whether any part of the span is protected. Areas are multiples
// of 4 KB.
func (f *Flash) locked(s Span) bool {
	for off := s.Off; off < s.Off+s.Size; off += SectorSize {
		if f.protected(off) {
			return true
		}
	}
	return false
}

func fill(p []byte, v byte) {
	for i := range p {
		p[i] = v
	}
}

// Snapshot is a whole chip at one moment. It shares what did not change with
// other snapshots.
type Snapshot struct {
	state state
	cells cells.Snapshot
}

// Snapshot copies the chip.
func (f *Flash) Snapshot() *Snapshot { return &Snapshot{f.state, f.cells.Snapshot()} }

// Restore puts a snapshot back, of this chip or of one like it, and reports
// the cells that changed.
func (f *Flash) Restore(s *Snapshot) (changed Span) {
	f.state = s.state
	return Span(f.cells.Restore(s.cells))
}

// Marginal is how many cells read differently from one power-on to the next.
func (f *Flash) Marginal(s Span) int { return f.cells.Marginal(cells.Span(s)) }

// Digest hashes all that decides what the chip does next (SHA-256).
func (f *Flash) Digest() (sum [32]byte) {
	h := sha256.New()
	fmt.Fprintf(h, "%v\n", f.state)
	f.cells.Hash(h)
	h.Sum(sum[:0])
	return sum
}
