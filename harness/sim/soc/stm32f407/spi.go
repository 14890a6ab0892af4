package stm32f407

import (
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// SPI1 to SPI3 (RM0090 §28).
//
// Modelled: master and slave, full duplex, receive only and on one bidirectional
// line, frames of 8 and 16 bits, all four clock modes, both bit orders, TI's frame
// format, NSS by software and by hardware both ways, CRC, overrun, mode fault and
// frame error with their clearing sequences, interrupts, DMA requests. Not
// modelled, and faulting by name: I2S.
//
// Timing: half a period of SCK lasts exactly 2^BR clocks of PCLK. A master's
// frame begins at the first PCLK after the write to an idle transmitter; frames
// follow each other without a gap. RXNE comes with the sample of the last bit,
// BSY falls with the end of its period. A slave acts in the cycle of SCK's edge,
// without the delay of the input's synchroniser, and at any rate. In TI's format
// NSS is high for the period of SCK ahead of a frame, which is the last one of a
// frame before it that it follows at once (§28.3.1, figure 250); a slave lets MISO go
// half a period of its own rate and 4 clocks of PCLK after the last sample, where
// the manual says 4 to 6.

// spiRegs is an SPI's state, as plain data.
type spiRegs struct {
	Cr1, Cr2, Sr, Crcpr uint32
	Rxcrc, Txcrc        uint32
	CRC                 bool // the frame under way is the CRC's
	Tdr, Rdr            uint32
	Seen                uint32 // SR as last read, for MODF's clearing sequence
	DataRead            bool   // DR was read after an overrun

	Busy   bool   // a master's frame is under way
	Start  uint64 // cycle at which it began, or will while At is 0
	Half   uint64 // cycles of half a period
	At     uint64 // the half period that begins next
	Loaded bool   // a slave's shift register has taken its frame
	Bit    uint32 // bits sampled
	Out    uint32 // the frame on its way out
	In     uint32 // the frame on its way in
	Div    uint64 // cycles per PCLK
	Chosen bool   // a slave is selected
	Follow bool   // in TI's format, a frame follows the present one at once
	LetGo  uint64 // when a slave lets MISO go in TI's format, or Never
}

const (
	spiCPHA     = 1 << 0
	spiCPOL     = 1 << 1
	spiMSTR     = 1 << 2
	spiSPE      = 1 << 6
	spiLSBFIRST = 1 << 7
	spiSSI      = 1 << 8
	spiSSM      = 1 << 9
	spiRXONLY   = 1 << 10
	spiDFF      = 1 << 11
	spiCRCNEXT  = 1 << 12
	spiCRCEN    = 1 << 13
	spiBIDIOE   = 1 << 14
	spiBIDIMODE = 1 << 15

	spiRXDMAEN = 1 << 0 // CR2
	spiTXDMAEN = 1 << 1
	spiSSOE    = 1 << 2
	spiFRF     = 1 << 4
	spiERRIE   = 1 << 5
	spiRXNEIE  = 1 << 6
	spiTXEIE   = 1 << 7

	spiRXNE   = 1 << 0 // SR
	spiTXE    = 1 << 1
	spiCRCERR = 1 << 4
	spiMODF   = 1 << 5
	spiOVR    = 1 << 6
	spiBSY    = 1 << 7
	spiFRE    = 1 << 8
)

// spiInfo is what tells the SPIs apart.
type spiInfo struct {
	name                 string
	irq, apb             int
	nss, sck, miso, mosi signal
}

var spiInfos = [...]spiInfo{
	{"SPI1", 35, 2, sigSPI1NSS, sigSPI1SCK, sigSPI1MISO, sigSPI1MOSI},
	{"SPI2", 36, 1, sigSPI2NSS, sigSPI2SCK, sigSPI2MISO, sigSPI2MOSI},
	{"SPI3", 51, 1, sigSPI3NSS, sigSPI3SCK, sigSPI3MISO, sigSPI3MOSI},
}

var spiNumber = map[string]int{"SPI1": 1, "SPI2": 2, "SPI3": 3}

// spi is one SPI of a chip.
type spi struct {
	*spiRegs
	c *Chip
	n int // from 1
	*spiInfo
}

func (c *Chip) spi(n int) spi { return spi{&c.SPIs[n-1], c, n, &spiInfos[n-1]} }

// spiReset puts an SPI into its reset state (§28.5).
func (c *Chip) spiReset(n int) {
	s := c.spi(n)
	*s.spiRegs = spiRegs{Sr: spiTXE, Crcpr: 7, Div: c.pclkDiv(s.apb), LetGo: clock.Never}
	s.apply()
}

// spiEvent handles a master's deadline.
func (c *Chip) spiEvent(slot int, cycle uint64) {
	s := c.spi(slot - slotSPI + 1)
	s.sync(cycle)
	if s.LetGo <= cycle {
		s.LetGo = clock.Never
		s.c.afRelease(s.miso)
	}
	s.apply()
}

// spiInput takes an edge of SCK or NSS.
func (c *Chip) spiInput(sig signal, high bool) {
	for i := range spiInfos {
		s := c.spi(i + 1)
		switch sig {
		case s.sck:
			s.edge(high)
		case s.nss:
			s.choose()
		default:
			continue
		}
		s.apply()
	}
}

// spiClockWillChange and spiClockChanged enclose a change of PCLK.
func (c *Chip) spiClockWillChange() {
	for n := range c.SPIs {
		c.spi(n + 1).sync(c.Cycle())
	}
}

func (c *Chip) spiClockChanged() {
	for n := range c.SPIs {
		s := c.spi(n + 1)
		div := c.pclkDiv(s.apb)
		if s.Busy && div != s.Div {
			now := c.Cycle()
			s.Start = now - (now-min(now, s.Start))/s.Div*div
			s.Half = s.Half / s.Div * div
			s.apply()
		}
		s.Div = div
	}
}

func (s spi) on(flags uint32) bool { return s.Cr1&(spiSPE|flags) == spiSPE|flags }
func (s spi) master() bool         { return s.on(spiMSTR) }
func (s spi) slave() bool          { return s.on(0) && s.Cr1&spiMSTR == 0 }

// ti tells whether frames are TI's: then clock and NSS follow its protocol,
// whatever the other bits say (§28.3.1).
func (s spi) ti() bool { return s.Cr2&spiFRF != 0 }

func (s spi) cpol() bool { return s.Cr1&spiCPOL != 0 && !s.ti() }
func (s spi) cpha() bool { return s.Cr1&spiCPHA != 0 || s.ti() }

// transmits and receives tell which ways data goes (§28.3.4).
func (s spi) transmits() bool {
	if s.Cr1&spiBIDIMODE != 0 {
		return s.Cr1&spiBIDIOE != 0
	}
	return s.Cr1&spiRXONLY == 0
}

func (s spi) receives() bool { return s.Cr1&(spiBIDIMODE|spiBIDIOE) != spiBIDIMODE|spiBIDIOE }

// dataOut and dataIn are the lines; a bidirectional one is where the data of its
// side comes out.
func (s spi) dataOut() signal {
	if s.Cr1&spiMSTR != 0 {
		return s.mosi
	}
	return s.miso
}

func (s spi) dataIn() signal {
	if (s.Cr1&spiMSTR != 0) != (s.Cr1&spiBIDIMODE != 0) {
		return s.miso
	}
	return s.mosi
}

func (s spi) bits() uint32 {
	if s.Cr1&spiDFF != 0 {
		return 16
	}
	return 8
}

// place is where the i-th bit on the line lies in a frame.
func (s spi) place(i uint32) uint32 {
	if s.Cr1&spiLSBFIRST != 0 {
		return i
	}
	return s.bits() - 1 - i
}

// nssLevel is the level of the slave select that counts (§28.3.1).
func (s spi) nssLevel() bool {
	if s.Cr1&spiSSM != 0 {
		return s.Cr1&spiSSI != 0
	}
	return s.c.afIn(s.nss)
}

// choose follows a change of slave select: a master with another one on its
// line has a fault (§28.3.10), a slave begins or gives up a frame.
func (s spi) choose() {
	software := s.Cr1&spiSSM != 0
	if s.Cr1&spiMSTR != 0 && !s.ti() && !s.nssLevel() && (software || s.master() && s.Cr2&spiSSOE == 0) {
		s.Sr |= spiMODF
		s.Cr1 &^= spiSPE | spiMSTR
		s.Busy = false
	}
	chosen := s.slave() && (s.ti() || !s.nssLevel())
	if chosen != s.Chosen {
		s.Chosen, s.Loaded, s.Bit = chosen, false, 0
	}
	s.drive()
	s.present()
}

// drive puts out or lets go of the lines that the present mode drives. Data
// lines follow with their bits.
func (s spi) drive() {
	if s.master() {
		if !s.Busy {
			s.c.afOut(s.sck, s.cpol())
		}
	} else {
		s.c.afRelease(s.sck)
	}
	if !s.master() || !s.transmits() {
		s.c.afRelease(s.mosi)
	}
	if !s.Chosen || !s.transmits() {
		s.c.afRelease(s.miso)
	}
	switch {
	case s.master() && s.ti():
		if !s.Busy {
			s.c.afOut(s.nss, false)
		}
	case s.master() && s.Cr1&spiSSM == 0 && s.Cr2&spiSSOE != 0:
		s.c.afOut(s.nss, false)
	default:
		s.c.afRelease(s.nss)
	}
}

// kick starts an idle master that has something to do.
func (s spi) kick() {
	if s.master() && !s.Busy && s.wanted() {
		s.begin((s.c.Cycle()/s.Div + 1) * s.Div)
	}
}

// wanted tells whether a frame is to follow: data waits, or the CRC, or a receiver
// goes on until it is switched off (§28.3.4).
func (s spi) wanted() bool { return s.Sr&spiTXE == 0 || !s.transmits() || s.crcFrame() }

func (s spi) begin(cycle uint64) {
	s.Busy, s.Start, s.At, s.Bit = true, cycle, 0, 0
	s.Half = s.Div << (s.Cr1 >> 3 & 7)
}

// take moves the data that waits into the shift register, or the CRC; without
// any, the last goes out again.
func (s spi) take() {
	s.Out, s.In, s.Loaded = s.Tdr, 0, true
	if s.CRC = s.crcFrame(); s.CRC {
		s.Out = s.Txcrc
		s.Cr1 &^= spiCRCNEXT
	}
	s.Sr |= spiTXE
}

// sync handles everything of a master's frame up to a cycle.
func (s spi) sync(cycle uint64) {
	for s.Busy && s.next() <= cycle {
		s.step(s.next())
	}
}

func (s spi) next() uint64 {
	if !s.Busy {
		return clock.Never
	}
	return s.Start + s.At*s.Half
}

// lead is how many half periods of NSS's pulse come before the first bit.
func (s spi) lead() uint64 {
	if s.ti() {
		return 2
	}
	return 0
}

// step is the beginning of a half period of a master's frame (§28.3.1, figure
// 248): data changes half a period before the edge that samples it.
func (s spi) step(cycle uint64) {
	h := s.At
	s.At++
	if h == s.lead()+2*uint64(s.bits()) {
		h = s.frameEnd(cycle)
	}
	if s.ti() && s.Busy && h&1 == 0 {
		s.pulse(h)
	}
	if h == s.lead() && s.Busy {
		s.take()
	}
	data := s.Busy && h >= s.lead()
	active := s.Busy && (h&1 != 0) != s.cpha()
	if data && h&1 == 0 {
		s.shiftOut(uint32(h-s.lead()) / 2)
	}
	s.c.afOut(s.sck, active != s.cpol())
	if data && h&1 != 0 {
		s.sample()
	}
}

// frameEnd goes over to the next frame, or to rest, and returns the half period
// that begins.
func (s spi) frameEnd(cycle uint64) uint64 {
	follow := s.wanted()
	if s.ti() {
		follow = s.Follow
	}
	if !follow {
		s.Busy = false
		return 0
	}
	s.begin(cycle - s.lead()*s.Half)
	s.At = s.lead() + 1
	return s.lead()
}

// pulse is NSS in TI's format: high in the first period, and in the last if a frame
// follows.
func (s spi) pulse(h uint64) {
	last := h == 2*uint64(s.bits())
	if last {
		s.Follow = s.wanted()
	}
	s.c.afOut(s.nss, h == 0 || last && s.Follow)
}

func (s spi) shiftOut(i uint32) {
	if s.transmits() {
		s.c.afOut(s.dataOut(), s.Out>>s.place(i)&1 != 0)
	}
}

// sample takes a bit, and with the last one the frame (§28.3.5, §28.3.10).
func (s spi) sample() {
	if s.receives() && s.c.afIn(s.dataIn()) {
		s.In |= 1 << s.place(s.Bit)
	}
	if s.Bit++; s.Bit < s.bits() {
		return
	}
	s.Bit, s.Loaded = 0, false
	s.crcDone()
	switch {
	case !s.receives():
	case s.Sr&spiRXNE != 0:
		s.Sr |= spiOVR
	default:
		s.Rdr = s.In
		s.Sr |= spiRXNE
	}
}

// edge is an edge of SCK at a slave: the leading one samples or shifts, as CPHA
// says.
func (s spi) edge(high bool) {
	if !s.Chosen {
		return
	}
	if s.ti() {
		s.edgeTI(high)
		return
	}
	leading, cpha := high != s.cpol(), s.cpha()
	if !s.Loaded && leading {
		s.take()
	}
	switch {
	case leading != cpha:
		s.sample()
	case s.Bit == 0 && !cpha:
		s.present()
	default:
		s.shiftOut(s.Bit)
	}
}

// edgeTI: bits go out with rising edges and come in with falling ones, of which one
// with NSS high comes before a frame; within one it is an error (§28.3.10).
func (s spi) edgeTI(high bool) {
	if high {
		if s.Loaded {
			s.LetGo = clock.Never
			s.shiftOut(s.Bit)
		}
		return
	}
	if s.Loaded {
		s.sample()
	}
	pulse := s.c.afIn(s.nss)
	switch {
	case pulse && s.Loaded:
		s.Sr |= spiFRE
	case pulse:
		s.take()
	case !s.Loaded:
		s.LetGo = s.c.Cycle() + (1<<(s.Cr1>>3&7)+4)*s.Div
	}
}

// present puts the first bit on a slave's line ahead of the first edge, which
// with CPHA 0 samples it.
func (s spi) present() {
	if !s.Chosen || s.Bit != 0 || s.cpha() {
		return
	}
	if !s.Loaded && (s.Sr&spiTXE == 0 || s.crcFrame()) {
		s.take()
	}
	s.shiftOut(0)
}

// apply brings interrupt line, DMA requests and deadline up to date (§28.3.11,
// table 127).
func (s spi) apply() {
	pending := s.Cr2&spiTXEIE != 0 && s.Sr&spiTXE != 0 ||
		s.Cr2&spiRXNEIE != 0 && s.Sr&spiRXNE != 0 ||
		s.Cr2&spiERRIE != 0 && s.Sr&(spiMODF|spiOVR|spiCRCERR|spiFRE) != 0
	s.c.irq(s.irq, pending)
	rx := reqSPI1RX + 2*request(s.n-1)
	s.c.dmaRequest(rx, s.Cr2&spiRXDMAEN != 0 && s.Sr&spiRXNE != 0)
	s.c.dmaRequest(rx+1, s.Cr2&spiTXDMAEN != 0 && s.Sr&spiTXE != 0)
	s.c.Schedule(slotSPI+s.n-1, min(s.next(), s.LetGo))
}

// Load implements bus.Device.
func (s spi) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	s.sync(s.c.Cycle())
	switch off {
	case 0x00:
		return uint64(s.Cr1), bus.None
	case 0x04:
		return uint64(s.Cr2), bus.None
	case 0x08:
		return uint64(s.status()), bus.None
	case 0x0C:
		s.DataRead = s.Sr&spiOVR != 0
		s.Sr &^= spiRXNE
		s.apply()
		return uint64(s.Rdr), bus.None
	case 0x10:
		return uint64(s.Crcpr), bus.None
	case 0x14:
		return uint64(s.Rxcrc), bus.None
	case 0x18:
		return uint64(s.Txcrc), bus.None
	case 0x1C: // without I2S
		return 0, bus.None
	case 0x20:
		return 2, bus.None
	}
	return 0, s.c.unknown(s.name, off)
}

// status reads SR, which clears FRE, and after a read of DR OVR (§28.3.10).
func (s spi) status() uint32 {
	v := s.Sr
	if s.Busy || s.Bit > 0 {
		v |= spiBSY
	}
	s.Seen = v
	s.Sr &^= spiFRE
	if s.DataRead {
		s.DataRead = false
		s.Sr &^= spiOVR
	}
	s.apply()
	return v
}

// Store implements bus.Device.
func (s spi) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	v := uint32(v64) & 0xFFFF
	if what := spiLacks(off, v); what != "" {
		return s.c.lack(s.name + "." + what)
	}
	s.sync(s.c.Cycle())
	switch off {
	case 0x00:
		s.storeCR1(v)
	case 0x04:
		s.Cr2 = v & 0xF7
		s.choose()
	case 0x08: // CRCERR is rc_w0
		s.Sr &= v | ^uint32(spiCRCERR)
	case 0x14, 0x18, 0x1C, 0x20: // results of CRC, and I2S
	case 0x0C:
		s.Tdr = v & (1<<s.bits() - 1)
		s.Sr &^= spiTXE
		s.kick()
		s.present()
	case 0x10:
		s.Crcpr = v
	default:
		return s.c.unknown(s.name, off)
	}
	s.apply()
	return bus.None
}

// storeCR1 ends MODF's clearing sequence. Switching the SPI off ends a frame
// where it is.
func (s spi) storeCR1(v uint32) {
	if s.Seen&spiMODF != 0 {
		s.Sr &^= spiMODF
	}
	if s.Sr&spiMODF != 0 { // §28.3.10: set again only once the flag is clear
		v &^= spiSPE | spiMSTR
	}
	s.Seen = 0
	if v&^s.Cr1&spiCRCEN != 0 {
		s.Rxcrc, s.Txcrc, s.CRC = 0, 0, false
	}
	s.Cr1 = v
	if v&spiSPE == 0 {
		s.Busy, s.Loaded, s.Bit, s.CRC = false, false, 0, false
		s.LetGo = clock.Never
	}
	s.choose()
	s.kick()
}

// spiLacks names what a value asks of a register and the model does not have.
func spiLacks(off, v uint32) string {
	switch off {
	case 0x1C:
		return firstBit(v, "I2SCFGR", []bit{{1 << 11, "I2SMOD"}})
	case 0x20:
		return firstBit(v&^2, "I2SPR", []bit{{0x3FF, "I2SDIV"}})
	}
	return ""
}
