package nor

import (
	"errors"
	"fmt"

	"rigor/harness/sim/clock"
)

// Transaction is what a controller does between select and deselect.
type Transaction struct {
	Cmd       byte
	Addr      uint32 // the AddrBits lowest bits are sent
	AddrBits  int
	AddrLines int // 1, 2 or 4; 0 is 1
	Dummy     int // clocks between address and data
	DataLines int // 1, 2 or 4; 0 is 1

	Out []byte // sent after the address
	In  []byte // filled from the chip

	// Skip is how many bytes went by before those of In. By it a controller that
	// gives its program the data while the transaction goes on asks for it piece by
	// piece; no more than reading may then be asked for.
	Skip int
}

// Clocks is how many clocks of the bus it takes.
func (t *Transaction) Clocks() int {
	return 8 + t.header() + 8*(len(t.Out)+len(t.In))/max(t.DataLines, 1)
}

// header is the clocks from command to data.
func (t *Transaction) header() int { return t.AddrBits/max(t.AddrLines, 1) + t.Dummy }

// Errors of Exec. The chip has done with the transaction whatever it does with
// it; an error says that a program cannot have meant it.
var (
	ErrUnknown     = errors.New("the chip does not know it")
	ErrNotModelled = errors.New("not modelled")
	ErrShape       = errors.New("not on the lines that the chip expects")
	ErrAddress     = errors.New("without its address")
)

// Commands, W25Q32JV §8.1.2.
const (
	WriteEnable         = 0x06
	VolatileWriteEnable = 0x50
	WriteDisable        = 0x04
	ReleasePowerDown    = 0xAB
	ManufacturerID      = 0x90
	JEDECID             = 0x9F
	UniqueID            = 0x4B
	ReadData            = 0x03
	FastRead            = 0x0B
	FastReadDual        = 0x3B
	FastReadDualIO      = 0xBB
	FastReadQuad        = 0x6B
	FastReadQuadIO      = 0xEB
	PageProgram         = 0x02
	QuadPageProgram     = 0x32
	SectorErase         = 0x20
	HalfBlockErase      = 0x52
	BlockErase          = 0xD8
	ChipErase           = 0xC7
	ChipErase2          = 0x60
	ReadStatus1         = 0x05
	ReadStatus2         = 0x35
	ReadStatus3         = 0x15
	WriteStatus1        = 0x01
	WriteStatus2        = 0x31
	WriteStatus3        = 0x11
	ReadSFDP            = 0x5A
	Suspend             = 0x75
	Resume              = 0x7A
	PowerDown           = 0xB9
	EnableReset         = 0x66
	ResetDevice         = 0x99
)

// shape is how the chip takes a command: address bits, the clocks from command
// to data, and the lines of address and data.
type shape struct{ addr, header, addrLines, dataLines int }

// shapes of the commands that have an address or are followed by data.
var shapes = map[byte]shape{
	ReleasePowerDown: {0, 24, 1, 1}, ManufacturerID: {24, 24, 1, 1}, JEDECID: {0, 0, 1, 1}, UniqueID: {0, 32, 1, 1},
	ReadData: {24, 24, 1, 1}, FastRead: {24, 32, 1, 1}, FastReadDual: {24, 32, 1, 2}, FastReadDualIO: {24, 16, 2, 2},
	FastReadQuad: {24, 32, 1, 4}, FastReadQuadIO: {24, 12, 4, 4}, ReadSFDP: {24, 32, 1, 1},
	PageProgram: {24, 24, 1, 1}, QuadPageProgram: {24, 24, 1, 4},
	SectorErase: {24, 24, 1, 1}, HalfBlockErase: {24, 24, 1, 1}, BlockErase: {24, 24, 1, 1},
	ReadStatus1: {0, 0, 1, 1}, ReadStatus2: {0, 0, 1, 1}, ReadStatus3: {0, 0, 1, 1},
	WriteStatus1: {0, 0, 1, 1}, WriteStatus2: {0, 0, 1, 1}, WriteStatus3: {0, 0, 1, 1},
}

// lacking are commands of the part that are left out.
var lacking = map[byte]string{
	0x38: "enter QPI", 0x36: "individual block lock", 0x39: "individual block unlock", 0x3D: "read block lock",
	0x7E: "global block lock", 0x98: "global block unlock", 0x44: "erase security register",
	0x42: "program security register", 0x48: "read security register", 0x77: "set burst with wrap",
	0x92: "id on two lines", 0x94: "id on four lines",
}

// Exec runs a transaction that ends at the given time. In holds ones where the
// chip drives nothing.
func (f *Flash) Exec(at clock.Time, t *Transaction) (Span, error) {
	fill(t.In, 0xFF)
	if !f.Powered {
		return Span{}, nil
	}
	changed := f.Settle(at)
	armed := f.Armed
	f.Armed = false
	if _, busy := f.Busy(at); !f.listens(t.Cmd, busy) {
		return changed, nil
	}
	if armed && t.Cmd == ResetDevice {
		return f.reset(at), nil
	}
	if err := f.exec(at, t); err != nil {
		return changed, fmt.Errorf("flash command 0x%02x: %w", t.Cmd, err)
	}
	return changed, nil
}

// listens tells whether the chip takes a command in its present state.
func (f *Flash) listens(cmd byte, busy bool) bool {
	switch {
	case f.Asleep:
		return cmd == ReleasePowerDown
	case busy:
		return cmd == ReadStatus1 || cmd == ReadStatus2 || cmd == ReadStatus3 || cmd == Suspend ||
			cmd == EnableReset || cmd == ResetDevice
	}
	return true
}

func (f *Flash) exec(at clock.Time, t *Transaction) error {
	s, ok := shapes[t.Cmd]
	if ok && (len(t.In) > 0 || len(t.Out) > 0) && max(t.DataLines, 1) != s.dataLines ||
		ok && s.addr > 0 && max(t.AddrLines, 1) != s.addrLines {
		return ErrShape
	}
	if ok && t.AddrBits < s.addr {
		return ErrAddress
	}
	if s.dataLines == 4 && f.Status[1]&sr2QE == 0 {
		return ErrShape
	}
	addr := f.address(t)
	switch t.Cmd {
	case WriteEnable:
		f.WEL = true
	case VolatileWriteEnable:
		f.Volatile = true
	case WriteDisable:
		f.WEL = false
	case ReadData, FastRead, FastReadDual, FastReadDualIO, FastReadQuad, FastReadQuadIO:
		f.read(addr, t, s)
	case PageProgram, QuadPageProgram:
		f.program(at, addr, t.Out)
	case SectorErase:
		f.erase(at, Span{addr &^ (SectorSize - 1), SectorSize}, f.cfg.Times.Sector)
	case HalfBlockErase:
		f.erase(at, Span{addr &^ (halfSize - 1), halfSize}, f.cfg.Times.Half)
	case BlockErase:
		f.erase(at, Span{addr &^ (BlockSize - 1), BlockSize}, f.cfg.Times.Block)
	case ChipErase, ChipErase2:
		f.erase(at, Span{0, f.Size()}, f.cfg.Times.Chip)
	case WriteStatus1, WriteStatus2, WriteStatus3:
		f.writeStatus(at, t)
	case Suspend:
		f.suspend(at)
	case Resume:
		f.resume(at)
	case PowerDown:
		f.Asleep = true
	case EnableReset:
		f.Armed = true
	case ResetDevice: // not armed: no effect (§8.2.40)
	default:
		return f.identify(at, t, s)
	}
	return nil
}

// read sends cells, from the last one on from the first again.
func (f *Flash) read(addr uint32, t *Transaction, s shape) {
	data, last := f.cells.Data(), f.Size()-1
	f.answer(t, s, func(i uint32) byte { return data[(addr+i)&last] })
	if !f.cells.Watched() {
		return
	}
	lag := t.lag(s)
	from := (addr + uint32(max(lag, 0)/8)) & last
	n := uint32(max(8*len(t.In)+lag+7, 0)/8 - max(lag, 0)/8)
	f.cells.Read(from, n)
	if from+n > f.Size() {
		f.cells.Read(0, from+n-f.Size())
	}
}

// identify are the commands that read what is not a cell.
func (f *Flash) identify(at clock.Time, t *Transaction, s shape) error {
	id, device := f.cfg.JEDEC, f.cfg.JEDEC[2]-1
	addr := f.address(t)
	var source func(i uint32) byte
	switch t.Cmd {
	case JEDECID:
		source = func(i uint32) byte { return id[min(i, 2)] }
	case ManufacturerID:
		source = func(i uint32) byte { return [2]byte{id[0], device}[(addr+i)&1] }
	case ReleasePowerDown:
		if f.Asleep {
			f.Asleep, f.Ready = false, at+powerDownTime
		}
		source = func(uint32) byte { return device }
	case UniqueID:
		source = func(i uint32) byte { return f.cfg.Unique[i&7] }
	case ReadSFDP:
		table := f.sfdp()
		source = func(i uint32) byte { return table[(addr+i)&0xFF] }
	case ReadStatus1, ReadStatus2, ReadStatus3:
		v := f.status(at)[map[byte]int{ReadStatus1: 0, ReadStatus2: 1, ReadStatus3: 2}[t.Cmd]]
		source = func(uint32) byte { return v }
	default:
		if what, ok := lacking[t.Cmd]; ok {
			return fmt.Errorf("%s: %w", what, ErrNotModelled)
		}
		return ErrUnknown
	}
	f.answer(t, s, source)
	return nil
}

// address is that of the transaction: what follows 24 bits is the mode.
func (f *Flash) address(t *Transaction) uint32 {
	a := t.Addr
	if t.AddrBits > 24 {
		a >>= t.AddrBits - 24
	}
	return a & 0xFFFFFF & (f.Size() - 1)
}

// lag is how many bits of a command's data have gone by before those of In.
func (t *Transaction) lag(s shape) int { return (t.header()-s.header)*s.dataLines + 8*t.Skip }

// answer sends bytes from the clock on at which the chip begins. A controller
// with other dummy clocks misses the first bits, or has idle lines before them.
func (f *Flash) answer(t *Transaction, s shape, source func(uint32) byte) {
	skip := t.lag(s)
	for i := range t.In {
		var v byte
		for bit := range 8 {
			v = v<<1 | 1
			if n := 8*i + bit + skip; n >= 0 && source(uint32(n/8))>>(7-n%8)&1 == 0 {
				v &^= 1
			}
		}
		t.In[i] = v
	}
}

// status are the registers as they read.
func (f *Flash) status(at clock.Time) [3]byte {
	s := f.Status
	if _, busy := f.Busy(at); busy {
		s[0] |= sr1Busy
	}
	if f.WEL {
		s[0] |= sr1WEL
	}
	if f.SUS {
		s[1] |= sr2SUS
	}
	return s
}

// program is §8.2.19: of more bytes than a page the last count, and addresses
// wrap within the page.
func (f *Flash) program(at clock.Time, addr uint32, data []byte) {
	page := Span{addr &^ (PageSize - 1), PageSize}
	if !f.WEL || len(data) == 0 || f.locked(page) || f.suspendedIn(page) {
		return
	}
	op := operation{Kind: opProgram, Span: page}
	fill(op.Page[:], 0xFF)
	for i, b := range data {
		op.Page[(addr+uint32(i))%PageSize] = b
	}
	n := clock.Time(min(len(data), PageSize))
	d := min(f.cfg.Times.FirstByte+(n-1)*f.cfg.Times.NextByte, f.cfg.Times.Page)
	sent := Span{addr, uint32(len(data))}
	if sent.Off+sent.Size > page.Off+PageSize {
		sent = page
	}
	if f.order(&op, sent, at, d) {
		f.begin(op, at, d)
	}
}

// erase is §8.2.21 and on. Nothing is erased while an operation is suspended.
func (f *Flash) erase(at clock.Time, s Span, d clock.Time) {
	op := operation{Kind: opErase, Span: s}
	if f.WEL && !f.SUS && !f.locked(s) && f.order(&op, s, at, d) {
		f.begin(op, at, d)
	}
}

// suspendedIn: the sector of a suspended operation takes no other.
func (f *Flash) suspendedIn(s Span) bool {
	return f.SUS && (f.Suspended.Kind == opProgram ||
		s.Off < f.Suspended.Span.Off+f.Suspended.Span.Size && f.Suspended.Span.Off < s.Off+s.Size)
}

// writeStatus is §8.2.5: after 06h non-volatile and slow, after 50h volatile
// and at once.
func (f *Flash) writeStatus(at clock.Time, t *Transaction) {
	volatile := f.Volatile
	f.Volatile = false
	if !f.WEL && !volatile || len(t.Out) == 0 || f.SUS {
		return
	}
	next := f.Status
	set := func(i int, mask, v byte) { next[i] = next[i]&^mask | v&mask }
	switch t.Cmd {
	case WriteStatus1:
		set(0, sr1Write, t.Out[0])
		if len(t.Out) > 1 {
			set(1, sr2Write, t.Out[1])
		}
	case WriteStatus2:
		set(1, sr2Write, t.Out[0])
	case WriteStatus3:
		set(2, sr3Write, t.Out[0])
	}
	if volatile {
		f.Status = next
		return
	}
	f.begin(operation{Kind: opStatus, Status: next}, at, f.cfg.Times.Status)
}
