package k210

import (
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// SPI0, SPI1 and SPI3, masters (Synopsys DW_apb_ssi databook 4.00a; SDK spi.h, spi.c), with
// FIFOs of 32 frames. The fields of CTRLR0 lie elsewhere in SPI3 than in the other two
// (SDK spi.c). What is at their other end is in spi_transfer.go.
//
// As the databook says, the slave is selected while there is something to send: a
// transmitter that runs dry ends the command that the slave was about to get. Registers
// that set a transfer up take nothing while the block is enabled.
//
// Left out: formats other than Motorola's, the shift register's loop, more than one
// slave at once, execution in place, what RX_SAMPLE_DELAY is for, the toggling of the
// slave's select between frames.
type spiState struct {
	Regs    [spiRegisters]uint32 // what keeps what is written to it
	Enabled bool
	Raw     uint32 // RISR's bits that stay
	TX, RX  spiFIFO
	Sub     spiTransfer
	Wire    flashWire // of SPI3: what the flash chip has been sent
}

// spiFIFO holds 32 frames.
type spiFIFO struct {
	Data [spiDepth]uint32
	Head uint8
	Len  uint8
}

const spiDepth = 32

func (f *spiFIFO) put(v uint32) {
	f.Data[(f.Head+f.Len)%spiDepth] = v
	f.Len++
}

func (f *spiFIFO) get() uint32 {
	v := f.Data[f.Head]
	f.Head = (f.Head + 1) % spiDepth
	f.Len--
	return v
}

// Registers.
const (
	spiCTRLR0     = 0x00
	spiCTRLR1     = 0x04 // frames to receive - 1
	spiSSIENR     = 0x08
	spiMWCR       = 0x0C
	spiSER        = 0x10
	spiBAUDR      = 0x14
	spiTXFTLR     = 0x18
	spiRXFTLR     = 0x1C
	spiTXFLR      = 0x20
	spiRXFLR      = 0x24
	spiSR         = 0x28
	spiIMR        = 0x2C
	spiISR        = 0x30
	spiRISR       = 0x34
	spiTXOICR     = 0x38
	spiRXOICR     = 0x3C
	spiRXUICR     = 0x40
	spiMSTICR     = 0x44
	spiICR        = 0x48
	spiDMACR      = 0x4C
	spiDMATDLR    = 0x50
	spiDMARDLR    = 0x54
	spiVERSION    = 0x5C // SSIC_VERSION_ID
	spiDR         = 0x60
	spiDREnd      = 0xEC
	spiRXDELAY    = 0xF0
	spiSPI_CTRLR0 = 0xF4
	spiXIP        = 0xFC // to XIP_CNT_TIME_OUT
	spiENDIAN     = 0x118
	spiRegisters  = 0x11C / 4
)

// Bits of SR, and of IMR, ISR and RISR.
const (
	spiBUSY = 1 << 0
	spiTFNF = 1 << 1 // the transmitter's FIFO is not full
	spiTFE  = 1 << 2 // and empty
	spiRFNE = 1 << 3
	spiRFF  = 1 << 4

	spiTXE = 1 << 0
	spiTXO = 1 << 1
	spiRXU = 1 << 2
	spiRXO = 1 << 3
	spiRXF = 1 << 4
)

// spiModes are what CTRLR0 means, taken from where its fields are.
type spiModes struct {
	bits  int // of a frame
	phase uint32
	polar uint32
	tmod  uint32
	lines int
	other bool // what is left out
}

// Values of TMOD.
const (
	tmodBoth    = 0
	tmodSend    = 1
	tmodReceive = 2
	tmodEEPROM  = 3
)

func (s *spiState) modes(n int) spiModes {
	v := s.Regs[spiCTRLR0/4]
	field := func(lsb, bits int) uint32 { return v >> lsb & (1<<bits - 1) }
	if n == 3 {
		return spiModes{int(field(0, 5)) + 1, field(8, 1), field(9, 1), field(10, 2), 1 << field(22, 2),
			field(6, 2) != 0 || field(13, 1) != 0}
	}
	return spiModes{int(field(16, 5)) + 1, field(6, 1), field(7, 1), field(8, 2), 1 << field(21, 2),
		field(4, 2) != 0 || field(11, 1) != 0}
}

func (c *Chip) spiReset(n int) {
	s := &c.SPI[n]
	c.spiAbort(n)
	*s = spiState{}
	s.Regs[spiIMR/4] = 0x3F
	if n < 2 {
		c.spiSelect(n, false)
	}
	c.spiUpdate(n)
}

// The clock is looked at when a frame begins.
func (c *Chip) spiClockChanged() {}

// risr is what the block would interrupt for.
func (s *spiState) risr() uint32 {
	if !s.Enabled {
		return 0
	}
	v := s.Raw
	if uint32(s.TX.Len) <= s.Regs[spiTXFTLR/4] {
		v |= spiTXE
	}
	if uint32(s.RX.Len) > s.Regs[spiRXFTLR/4] {
		v |= spiRXF
	}
	return v
}

func (s *spiState) status() uint32 {
	return spiBUSY*oneIf(s.Sub.Phase != spiIdle) | spiTFNF*oneIf(s.TX.Len < spiDepth) | spiTFE*oneIf(s.TX.Len == 0) |
		spiRFNE*oneIf(s.RX.Len > 0) | spiRFF*oneIf(s.RX.Len == spiDepth)
}

// spiUpdate tells PLIC and DMAC what the block asks for.
func (c *Chip) spiUpdate(n int) {
	s := &c.SPI[n]
	c.setIRQ(irqSPI0+n, s.risr()&s.Regs[spiIMR/4] != 0)
	dmacr := s.Regs[spiDMACR/4]
	c.setDMA(2*n, s.Enabled && dmacr&1 != 0 && uint32(s.RX.Len) > s.Regs[spiDMARDLR/4])
	c.setDMA(2*n+1, s.Enabled && dmacr&2 != 0 && uint32(s.TX.Len) <= s.Regs[spiDMATDLR/4])
}

// spiEnable is a write to SSIENR: disabling ends the transfer and empties the FIFOs.
func (c *Chip) spiEnable(n int, on bool) {
	s := &c.SPI[n]
	s.Enabled = on
	if !on {
		c.spiAbort(n)
		s.TX, s.RX, s.Raw = spiFIFO{}, spiFIFO{}, 0
	}
}

// spiDevice is one of the blocks.
type spiDevice struct {
	*Chip
	n int
}

func (d spiDevice) name() string { return [...]string{"SPI0", "SPI1", "SPI2", "SPI3"}[d.n] }

func (d spiDevice) loadWord(off uint32) (uint32, bus.Fault) {
	s := &d.SPI[d.n]
	switch {
	case off >= spiDR && off <= spiDREnd:
		return d.receive(), bus.None
	case off >= spiXIP && off < spiENDIAN:
		return 0, d.lack(d.name() + ": execution in place")
	}
	switch off {
	case spiSSIENR:
		return oneIf(s.Enabled), bus.None
	case spiTXFLR:
		return uint32(s.TX.Len), bus.None
	case spiRXFLR:
		return uint32(s.RX.Len), bus.None
	case spiSR:
		return s.status(), bus.None
	case spiISR:
		return s.risr() & s.Regs[spiIMR/4], bus.None
	case spiRISR:
		return s.risr(), bus.None
	case spiTXOICR:
		return d.clear(spiTXO), bus.None
	case spiRXOICR:
		return d.clear(spiRXO), bus.None
	case spiRXUICR:
		return d.clear(spiRXU), bus.None
	case spiMSTICR:
		return 0, bus.None
	case spiICR:
		return d.clear(spiTXO | spiRXU | spiRXO), bus.None
	case spiVERSION:
		return d.version(), bus.None
	case spiCTRLR0, spiCTRLR1, spiMWCR, spiSER, spiBAUDR, spiTXFTLR, spiRXFTLR, spiIMR, spiDMACR, spiDMATDLR, spiDMARDLR,
		spiRXDELAY, spiSPI_CTRLR0, spiENDIAN:
		return s.Regs[off/4], bus.None
	}
	return 0, d.unknown(d.name(), off)
}

// version is in characters: DW_apb_ssi 4.01 and DWC_ssi 1.01 (k210.dtsi of Linux and U-Boot).
func (d spiDevice) version() uint32 {
	if d.n == 3 {
		return 0x3130312A // 101*
	}
	return 0x3430312A // 401*
}

// clear is a read of a register that clears interrupts.
func (d spiDevice) clear(bits uint32) uint32 {
	s := &d.SPI[d.n]
	was := oneIf(s.Raw&bits != 0)
	s.Raw &^= bits
	d.spiUpdate(d.n)
	return was
}

// receive is a read of DR.
func (d spiDevice) receive() (v uint32) {
	s := &d.SPI[d.n]
	switch {
	case s.RX.Len > 0:
		v = s.RX.get()
	case s.Enabled:
		s.Raw |= spiRXU
	}
	d.spiUpdate(d.n)
	return v
}

// send is a write to DR.
func (d spiDevice) send(v uint32) {
	s := &d.SPI[d.n]
	switch {
	case !s.Enabled:
		d.warn("%s.DR0 written while the block is disabled: nothing is sent", d.name())
	case s.TX.Len == spiDepth:
		s.Raw |= spiTXO
	default:
		s.TX.put(v)
	}
}

func (d spiDevice) storeWord(off, v uint32) bus.Fault {
	switch {
	case off >= spiDR && off <= spiDREnd:
		d.send(v)
	case off >= spiXIP && off < spiENDIAN:
		return d.lack(d.name() + ": execution in place")
	case off == spiSSIENR:
		d.spiEnable(d.n, v&1 != 0)
	case off >= spiTXFLR && off <= spiICR && off != spiIMR: // read-only
	default:
		mask := spiMask(off)
		if mask == 0 {
			return d.unknown(d.name(), off)
		}
		d.set(off, v&mask)
	}
	d.spiBegin(d.n)
	d.spiUpdate(d.n)
	return bus.None
}

// spiMask is the bits of a register that keep what is written; 0 if it keeps nothing.
func spiMask(off uint32) uint32 {
	switch off {
	case spiCTRLR0, spiSPI_CTRLR0:
		return ^uint32(0)
	case spiCTRLR1:
		return 0xFFFF
	case spiBAUDR:
		return 0xFFFE
	case spiRXDELAY:
		return 0xFF
	case spiIMR:
		return 0x3F
	case spiTXFTLR, spiRXFTLR, spiDMATDLR, spiDMARDLR:
		return spiDepth - 1
	case spiSER:
		return 15
	case spiMWCR:
		return 7
	case spiDMACR:
		return 3
	case spiENDIAN:
		return 1
	}
	return 0
}

// set is a write to a register that keeps it, where the databook lets it.
func (d spiDevice) set(off, v uint32) {
	s := &d.SPI[d.n]
	locked := false
	switch off {
	case spiCTRLR0, spiCTRLR1, spiMWCR, spiBAUDR, spiRXDELAY, spiSPI_CTRLR0:
		locked = s.Enabled
	case spiSER:
		locked = s.Enabled && s.Sub.Phase != spiIdle
	}
	if !locked {
		s.Regs[off/4] = v
		return
	}
	if v != s.Regs[off/4] {
		d.warn("%s cannot be written while the block is enabled", RegisterName(d.base()+off))
	}
}

func (d spiDevice) base() uint32 { return [...]uint32{0x52000000, 0x53000000, 0, 0x54000000}[d.n] }

// foreseeLoad: what has effects on reading is left out.
func (d spiDevice) foreseeLoad(off uint32, width uint8, _ uint64) (least, most uint64, ok bool) {
	return steady(words{d}, off, width, width == 4 && (off < spiTXOICR || off >= spiDMACR && off < spiDR))
}

// spiPower switches the flash chip's supply.
func (c *Chip) spiPower(on bool) { c.nor.SetPower(on, c.Time()) }

// spiFrameTime is how long clocks of SCLK take, or 0 if there is none.
func (c *Chip) spiFrameTime(n int, clocks uint32) clock.Time {
	hz, div := c.spiHz(n), c.SPI[n].Regs[spiBAUDR/4]
	if hz == 0 || div == 0 {
		return 0
	}
	return clock.Time(clocks) * clock.Time(div) * clock.Second / clock.Time(hz)
}
