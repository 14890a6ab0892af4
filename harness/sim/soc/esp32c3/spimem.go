package esp32c3

import (
	"encoding/binary"
	"errors"

	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/nor"
)

// SPI0 and SPI1, the controllers of the flash chip. The TRM leaves them out;
// registers and fields are those of Espressif's SVD file and of
// soc/spi_mem_reg.h of ESP-IDF. SPI1 sends what software asks for, SPI0 reads for
// the cache; they share the chip and its lines.
//
// A transaction of SPI1 takes the clocks that its phases have; the chip sees it
// at its end. Those of SPI0 are only a time here (flashLineTime): the cache sees
// the cells themselves. That both want the lines at once is not modelled, nor are
// encryption, interrupts, the calibration of input delays, commands on more than
// one line, and automatic suspension.
type spiState struct {
	SPI0, SPI1 spiRegs
	Op         uint32 // the bits of CMD under way
}

// spiRegs are the registers that keep what is written to them, by offset.
type spiRegs [0xE4 / 4]uint32

// Registers, and their bits.
const (
	spiCMD       = 0x00
	spiADDR      = 0x04
	spiCTRL      = 0x08
	spiCLOCK     = 0x14
	spiUSER      = 0x18
	spiUSER1     = 0x1C
	spiUSER2     = 0x20
	spiMOSI_DLEN = 0x24
	spiMISO_DLEN = 0x28
	spiRD_STATUS = 0x2C
	spiFCTRL     = 0x3C // CACHE_FCTRL
	spiFSM       = 0x54
	spiW0        = 0x58
	spiW15       = 0x94
	spiSUS_CTRL  = 0x9C
	spiTIMING    = 0xA8 // TIMING_CALI
	spiINT_ENA   = 0xC0
	spiINT_CLR   = 0xC4
	spiINT_RAW   = 0xC8
	spiINT_ST    = 0xCC
	spiCORE_CLK  = 0xE0 // CORE_CLK_SEL
	spiDATE      = 0x3FC

	spiREAD = 1 << 31
	spiWREN = 1 << 30
	spiWRDI = 1 << 29
	spiRDID = 1 << 28
	spiRDSR = 1 << 27
	spiWRSR = 1 << 26
	spiPP   = 1 << 25
	spiSE   = 1 << 24
	spiBE   = 1 << 23
	spiCE   = 1 << 22
	spiDP   = 1 << 21
	spiRES  = 1 << 20
	spiHPM  = 1 << 19
	spiUSR  = 1 << 18

	ctrlQIO     = 1 << 24
	ctrlDIO     = 1 << 23
	ctrlWRSR_2B = 1 << 22
	ctrlQUAD    = 1 << 20
	ctrlDUAL    = 1 << 14
	ctrlFASTRD  = 1 << 13
	ctrlFCMD    = 3 << 7 // the command on more than one line

	userCOMMAND   = 1 << 31
	userADDR      = 1 << 30
	userDUMMY     = 1 << 29
	userMISO      = 1 << 28
	userMOSI      = 1 << 27
	userMOSI_HIGH = 1 << 25
	userMISO_HIGH = 1 << 24
	userFWRITE    = 15 << 12

	spiTransEnd = 3 << 3 // INT_RAW: both state machines are idle again
)

const (
	slotSPITransfer = slotSPI + iota // SPI1's transaction ends
	slotFlashOp                      // the flash chip's operation ends
)

func (r *spiRegs) at(off uint32) *uint32 { return &r[off/4] }
func (r *spiRegs) get(off uint32) uint32 { return r[off/4] }

// newFlash is the flash chip on the module.
func newFlash(o Options) (*nor.Flash, error) {
	capacity := byte(0)
	for n := o.Flash; n > 1; n >>= 1 {
		capacity++
	}
	return nor.New(nor.Config{JEDEC: [3]byte{0xEF, 0x40, capacity}, Seed: o.Seed,
		Unique: [8]byte{0xE6, 0x61, 0xA4, o.MAC[3], o.MAC[4], o.MAC[5], 0x10, 0x32}})
}

// spiPower switches the flash chip's supply.
func (c *Chip) spiPower(on bool) {
	c.flashTouched(c.nor.SetPower(on, c.Time()))
}

// spiReset resets the controllers. The flash chip has no reset: it goes on with
// what it does.
func (c *Chip) spiReset() {
	c.SPI = spiState{}
	resetValues("SPI0", c.SPI.SPI0[:])
	resetValues("SPI1", c.SPI.SPI1[:])
	c.ScheduleAt(slotSPITransfer, clock.NeverTime)
}

func (c *Chip) spiClockChanged() {}

func (c *Chip) spiEvent(slot int, at uint64) {
	switch slot {
	case slotSPITransfer:
		c.spiFinish()
	case slotFlashOp:
		c.flashTouched(c.nor.Settle(c.Time()))
	}
}

// flashTouched follows the flash chip: cells that changed, an operation that is
// under way.
func (c *Chip) flashTouched(s nor.Span) {
	c.flashChanged(s.Off, s.Size)
	c.ScheduleAt(slotFlashOp, c.nor.Pending())
}

// flashExec has the flash chip see a transaction. What it cannot make sense of
// is the program's fault; what the model of it lacks is named.
func (c *Chip) flashExec(t *nor.Transaction) bool {
	span, err := c.nor.Exec(c.Time(), t)
	c.flashTouched(span)
	switch {
	case errors.Is(err, nor.ErrNotModelled):
		c.lack(err.Error())
		return false
	case err != nil:
		c.warn("%v", err)
	}
	return true
}

// spiPeriod is that of a controller's clock: the module's clock is APB's rate,
// or with the PLL what CORE_CLK_SEL of SPI0 says.
func (c *Chip) spiPeriod(r *spiRegs) clock.Time {
	period := c.apbPeriod()
	if c.SYSTEM.SYSCLK_CONF>>sysSOC_CLK_SEL&3 == selPLL && c.SPI.SPI0.get(spiCORE_CLK)&3 == 2 {
		period /= 2
	}
	if v := r.get(spiCLOCK); v>>31 == 0 {
		period *= clock.Time(v>>16&0xFF) + 1
	}
	return period
}

// spiOverhead is what a transaction takes beside its clocks: chip select before
// and after, in clocks of the bus [A].
const spiOverhead = 2

// readShape is how a controller reads: the command, and the lines and clocks of
// its phases, as CTRL selects them.
func (r *spiRegs) readShape() nor.Transaction {
	ctrl := r.get(spiCTRL)
	t := nor.Transaction{Cmd: nor.ReadData, AddrBits: 24, AddrLines: 1, DataLines: 1}
	if ctrl&ctrlFASTRD == 0 {
		return t
	}
	switch {
	case ctrl&ctrlQIO != 0:
		t.Cmd, t.AddrLines, t.Dummy, t.DataLines = nor.FastReadQuadIO, 4, 6, 4
	case ctrl&ctrlDIO != 0:
		t.Cmd, t.AddrLines, t.Dummy, t.DataLines = nor.FastReadDualIO, 2, 4, 2
	case ctrl&ctrlQUAD != 0:
		t.Cmd, t.Dummy, t.DataLines = nor.FastReadQuad, 8, 4
	case ctrl&ctrlDUAL != 0:
		t.Cmd, t.Dummy, t.DataLines = nor.FastReadDual, 8, 2
	default:
		t.Cmd, t.Dummy = nor.FastRead, 8
	}
	return t
}

// flashReadTime is how long a controller takes to read n bytes at once.
func (c *Chip) flashReadTime(r *spiRegs, n int) clock.Time {
	t := r.readShape()
	clocks := t.Clocks() + 8*n/t.DataLines + int(r.get(spiTIMING)>>2&7) + spiOverhead
	return clock.Time(clocks) * c.spiPeriod(r)
}

// flashLineTime is how long SPI0 takes to read a line of the cache.
func (c *Chip) flashLineTime() clock.Time {
	if _, busy := c.nor.Busy(c.Time()); busy {
		c.warn("the cache reads flash while that is busy: the part would get anything")
	}
	return c.flashReadTime(&c.SPI.SPI0, cacheLine)
}

// spiStart begins what bits of CMD ask for.
func (c *Chip) spiStart(bits uint32) bus.Fault {
	s := &c.SPI
	if s.Op != 0 {
		c.warn("SPI1.CMD written while a transaction is under way")
		return bus.None
	}
	t, fault := c.spiTransaction(bits)
	if fault != bus.None {
		return fault
	}
	s.Op = bits
	clocks := clock.Time(t.Clocks() + spiOverhead)
	c.ScheduleIn(slotSPITransfer, clocks*c.spiPeriod(&s.SPI1))
	return bus.None
}

// spiFinish is the end of SPI1's transaction.
func (c *Chip) spiFinish() {
	s := &c.SPI
	t, _ := c.spiTransaction(s.Op)
	if !c.flashExec(&t) {
		c.halt(board.NotModelled, uint32(c.core.PC), c.lacking+" not modelled")
	}
	switch {
	case s.Op&(spiRDSR|spiRES) != 0:
		*s.SPI1.at(spiRD_STATUS) = uint32(t.In[0])
	case s.Op&spiUSR != 0 && s.SPI1.get(spiUSER)&userMISO_HIGH != 0:
		s.SPI1.putBytes(spiW0+32, t.In)
	default:
		s.SPI1.putBytes(spiW0, t.In)
	}
	s.Op = 0
	*s.SPI1.at(spiINT_RAW) |= spiTransEnd
}

// putBytes fills the data buffer. Bytes that are not read keep their values.
func (r *spiRegs) putBytes(off uint32, p []byte) {
	for i, b := range p {
		at := off + uint32(i)&^3
		shift := 8 * (i & 3)
		*r.at(at) = r.get(at)&^(0xFF<<shift) | uint32(b)<<shift
	}
}

func (r *spiRegs) bytes(off uint32, n int) []byte {
	var p []byte
	for i := 0; i < n; i += 4 {
		p = binary.LittleEndian.AppendUint32(p, r.get(off+uint32(i)))
	}
	return p[:n]
}

// spiTransaction is what bits of CMD ask for. The opcodes of the old commands are
// those that the flash chips of these modules share.
func (c *Chip) spiTransaction(bits uint32) (t nor.Transaction, _ bus.Fault) {
	r := &c.SPI.SPI1
	addr, count := r.get(spiADDR)&0xFFFFFF, int(r.get(spiADDR)>>24)
	switch {
	case bits == spiUSR:
		return c.spiUser()
	case bits == spiREAD:
		t = r.readShape()
		t.Addr, t.In = addr, make([]byte, min(count, 64))
	case bits == spiPP:
		t = nor.Transaction{Cmd: nor.PageProgram, Addr: addr, AddrBits: 24, Out: r.bytes(spiW0, min(count, 64))}
	case bits == spiSE:
		t = nor.Transaction{Cmd: nor.SectorErase, Addr: addr, AddrBits: 24}
	case bits == spiBE:
		t = nor.Transaction{Cmd: nor.BlockErase, Addr: addr, AddrBits: 24}
	case bits == spiCE:
		t.Cmd = nor.ChipErase
	case bits == spiWREN:
		t.Cmd = nor.WriteEnable
	case bits == spiWRDI:
		t.Cmd = nor.WriteDisable
	case bits == spiDP:
		t.Cmd = nor.PowerDown
	case bits == spiRDID:
		t = nor.Transaction{Cmd: nor.JEDECID, In: make([]byte, 3)}
	case bits == spiRDSR:
		t = nor.Transaction{Cmd: nor.ReadStatus1, In: make([]byte, 1)}
	case bits == spiRES:
		t = nor.Transaction{Cmd: nor.ReleasePowerDown, Dummy: 24, In: make([]byte, 1)}
	case bits == spiWRSR:
		status := r.get(spiRD_STATUS)
		t = nor.Transaction{Cmd: nor.WriteStatus1, Out: []byte{byte(status), byte(status >> 8)}}
		if r.get(spiCTRL)&ctrlWRSR_2B == 0 {
			t.Out = t.Out[:1]
		}
	default:
		return t, c.lack("SPI1.CMD with these bits")
	}
	return t, bus.None
}

// spiUser is a transaction of the phases that USER names.
func (c *Chip) spiUser() (t nor.Transaction, _ bus.Fault) {
	r := &c.SPI.SPI1
	user, ctrl := r.get(spiUSER), r.get(spiCTRL)
	out, in := int(r.get(spiMOSI_DLEN)&0x3FF)+1, int(r.get(spiMISO_DLEN)&0x3FF)+1
	switch {
	case user&userCOMMAND == 0 || r.get(spiUSER2)>>28 != 7:
		return t, c.lack("an SPI1 transaction without a command of 8 bits")
	case ctrl&ctrlFCMD != 0 || user&userFWRITE != 0 || r.get(spiFCTRL)&0x1F8 != 0:
		return t, c.lack("an SPI1 transaction that sends commands or data on more than one line")
	case user&userMOSI != 0 && out%8 != 0 || user&userMISO != 0 && in%8 != 0:
		return t, c.lack("an SPI1 transaction of bits that are not bytes")
	case user&userMOSI != 0 && out > 512 || user&userMISO != 0 && in > 512:
		return t, c.lack("an SPI1 transaction longer than its buffer")
	}
	shape := r.readShape()
	t = nor.Transaction{Cmd: byte(r.get(spiUSER2)), AddrLines: 1, DataLines: 1}
	if user&userMISO != 0 {
		t.AddrLines, t.DataLines = shape.AddrLines, shape.DataLines
		t.In = make([]byte, in/8)
	}
	if user&userADDR != 0 {
		t.Addr, t.AddrBits = r.get(spiADDR), int(r.get(spiUSER1)>>26)+1
	}
	if user&userDUMMY != 0 {
		t.Dummy = int(r.get(spiUSER1)&0x3F) + 1
	}
	if user&userMOSI != 0 {
		off := uint32(spiW0)
		if user&userMOSI_HIGH != 0 {
			off += 32
		}
		t.Out = r.bytes(off, min(out/8, int(spiW15+4-off)))
	}
	return t, bus.None
}

// spiDevice is SPI0 or SPI1.
type spiDevice struct {
	*Chip
	n int
}

func (d spiDevice) name() string { return [2]string{"SPI0", "SPI1"}[d.n] }

func (d spiDevice) regs() *spiRegs {
	if d.n == 0 {
		return &d.SPI.SPI0
	}
	return &d.SPI.SPI1
}

// has tells whether the controller keeps the register.
func (d spiDevice) has(off uint32) bool {
	if off >= uint32(len(spiRegs{})*4) || d.n == 0 && off == spiCMD {
		return false
	}
	return off == spiFSM || peripherals.Register(d.name(), off) != nil // SPI1's is in soc/spi_mem_reg.h only
}

func (d spiDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	r := d.regs()
	switch {
	case d.n == 1 && off == spiCMD:
		return uint64(d.SPI.Op), bus.None
	case off == spiDATE:
		return [2]uint64{0x02007130, 0x02007170}[d.n], bus.None
	case off == spiINT_ST:
		return uint64(r.get(spiINT_RAW) & r.get(spiINT_ENA)), bus.None
	case off == spiINT_CLR:
		return 0, bus.None
	case !d.has(off):
		return 0, d.unknown(d.name(), off)
	}
	return uint64(r.get(off)), bus.None
}

func (d spiDevice) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	r, v := d.regs(), uint32(v64)
	switch {
	case d.n == 1 && off == spiCMD:
		if bits := v & (spiREAD | spiWREN | spiWRDI | spiRDID | spiRDSR | spiWRSR | spiPP | spiSE | spiBE | spiCE | spiDP |
			spiRES | spiHPM | spiUSR); bits != 0 {
			return d.spiStart(bits)
		}
	case !d.has(off):
		return d.unknown(d.name(), off)
	case off == spiSUS_CTRL && v&0x23 != 0:
		return d.lack("SPI1.FLASH_SUS_CTRL: suspension")
	case off == spiINT_ENA && v != 0:
		return d.lack(d.name() + ".INT_ENA: interrupts")
	case off == spiINT_CLR:
		*r.at(spiINT_RAW) &^= v
	case off == spiINT_RAW, off == spiINT_ST, off == spiFSM && d.n == 1, off == spiDATE: // read-only
	default:
		*r.at(off) = v
	}
	return bus.None
}

// foreseeLoad: all registers change at events or by stores only.
func (d spiDevice) foreseeLoad(off uint32, _ uint64) (least, most uint64, ok bool) {
	v, f := d.Load(off, 4)
	return v, v, f == bus.None
}
