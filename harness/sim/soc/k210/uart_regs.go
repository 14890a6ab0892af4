package k210

import "rigor/harness/sim/bus"

// Registers of UART1 to UART3.

const (
	urRBR     = 0x00 // THR when written, DLL with LCR.DLAB
	urIER     = 0x04 // DLH with LCR.DLAB
	urIIR     = 0x08 // FCR when written
	urLCR     = 0x0C
	urMCR     = 0x10
	urLSR     = 0x14
	urMSR     = 0x18
	urSCR     = 0x1C
	urLPDLL   = 0x20
	urLPDLH   = 0x24
	urSRBR    = 0x30 // 16 of them
	urFAR     = 0x70
	urTFR     = 0x74
	urRFW     = 0x78
	urUSR     = 0x7C
	urTFL     = 0x80
	urRFL     = 0x84
	urSRR     = 0x88
	urSRTS    = 0x8C
	urSBCR    = 0x90
	urSDMAM   = 0x94
	urSFE     = 0x98
	urSRT     = 0x9C
	urSTET    = 0xA0
	urHTX     = 0xA4
	urDMASA   = 0xA8
	urTCR     = 0xAC
	urTAT     = 0xBC
	urDLF     = 0xC0
	urRAR     = 0xC4
	urTAR     = 0xC8
	urLCR_EXT = 0xCC
	urCTR     = 0xFC

	uartCTR = 0x44570110 // "DW" and the block's number
)

// shadow is a register that stands for a field of another one.
type shadow struct {
	of         func(*uartState) *uint32
	lsb, width uint8
}

func uartMCR(s *uartState) *uint32 { return &s.MCR }
func uartLCR(s *uartState) *uint32 { return &s.LCR }
func uartFCR(s *uartState) *uint32 { return &s.FCR }

var uartShadows = map[uint32]shadow{
	urSRTS:  {uartMCR, 1, 1},
	urSBCR:  {uartLCR, 6, 1},
	urSDMAM: {uartFCR, 3, 1},
	urSFE:   {uartFCR, 0, 1},
	urSRT:   {uartFCR, 6, 2},
	urSTET:  {uartFCR, 4, 2},
}

// uartDevice is a block's registers.
type uartDevice struct {
	*Chip
	n int
}

// register is one that is read as it was stored, or nil.
func (u uart) register(off uint32) *uint32 {
	dlab := u.LCR&lcrDLAB != 0
	switch {
	case off == urRBR && dlab:
		return &u.DLL
	case off == urIER && dlab:
		return &u.DLH
	case off == urIER:
		return &u.IER
	case off == urLCR:
		return &u.LCR
	case off == urMCR:
		return &u.MCR
	case off == urSCR:
		return &u.SCR
	case off == urHTX:
		return &u.HTX
	case off >= urTCR && off <= urTAT:
		return &u.RS485[(off-urTCR)/4]
	case off == urDLF:
		return &u.DLF
	case off == urRAR || off == urTAR:
		return &u.Addresses[(off-urRAR)/4]
	}
	return nil
}

func (d uartDevice) loadWord(off uint32) (uint32, bus.Fault) {
	u := d.uart(d.n)
	if r := u.register(off); r != nil {
		return *r, bus.None
	}
	if s, ok := uartShadows[off]; ok {
		return *s.of(u.uartState) >> s.lsb & (1<<s.width - 1), bus.None
	}
	switch {
	case off == urRBR, off >= urSRBR && off < urFAR:
		v := u.read()
		u.apply()
		return uint32(v), bus.None
	case off == urIIR:
		return u.identify(), bus.None
	case off == urLSR:
		v := u.lineStatus()
		u.Errors = 0
		if u.RxFIFO.N > 0 {
			u.RxFIFO.Buf[u.RxFIFO.R] &= 0xFF
		}
		u.apply()
		return v, bus.None
	case off == urMSR:
		v := u.Modem | u.Delta
		u.Delta = 0
		u.apply()
		return v, bus.None
	}
	return d.status(u, off)
}

// status are registers that are read without effect.
func (d uartDevice) status(u uart, off uint32) (uint32, bus.Fault) {
	switch off {
	case urUSR:
		return u.status(), bus.None
	case urTFL:
		return uint32(u.TxFIFO.N), bus.None
	case urRFL:
		return uint32(u.RxFIFO.N), bus.None
	case urCTR:
		return uartCTR, bus.None
	case urFAR, urTFR, urSRR, urDMASA, urLCR_EXT:
		return 0, bus.None
	}
	return 0, d.unknown(u.name(), off)
}

// identify is IIR; reading it ends the interrupt of the transmitter.
func (u uart) identify() uint32 {
	v := u.interrupt()
	if v == iirTHRE {
		u.THRE = false
		u.apply()
	}
	if u.fifo() {
		v |= 3 << 6
	}
	return v
}

// lineStatus is LSR. With programmable thresholds THRE tells that the FIFO is full.
func (u uart) lineStatus() uint32 {
	v := u.Errors
	if u.RxFIFO.N > 0 {
		v |= lsrDR
	}
	if u.programmed() && u.TxFIFO.N == uartDepth || !u.programmed() && u.TxFIFO.N == 0 {
		v |= lsrTHRE
	}
	if u.TxFIFO.N == 0 && !u.Tx.Busy {
		v |= lsrTEMT
	}
	for i := range u.RxFIFO.N {
		if u.fifo() && u.RxFIFO.Buf[(u.RxFIFO.R+i)%uartDepth]>>8 != 0 {
			v |= lsrRFE
		}
	}
	return v
}

// status is USR.
func (u uart) status() uint32 {
	tx, rx := u.TxFIFO.N, u.RxFIFO.N
	return oneIf(u.busy()) | oneIf(tx < u.depth())<<1 | oneIf(tx == 0)<<2 | oneIf(rx > 0)<<3 | oneIf(rx == u.depth())<<4
}

// busy is USR's bit.
func (u uart) busy() bool { return u.Tx.Busy || u.Rx.Busy || u.TxFIFO.N > 0 || u.RxFIFO.N > 0 }

func (d uartDevice) storeWord(off, v uint32) bus.Fault {
	u := d.uart(d.n)
	if what := u.lacks(off, v); what != "" {
		return d.lack(u.name() + what)
	}
	if s, ok := uartShadows[off]; ok {
		r := s.of(u.uartState)
		mask := uint32(1<<s.width-1) << s.lsb
		off, v = s.owner(u.uartState), *r&^mask|v<<s.lsb&mask
	}
	switch {
	case off == urRBR && u.LCR&lcrDLAB == 0, off >= urSRBR && off < urFAR:
		u.write(byte(v))
	case off == urIIR:
		u.setFCR(v)
	case off == urSRR:
		u.softReset(v)
	case off == urLSR, off == urMSR, off >= urUSR && off <= urRFL, off == urTFR, off >= urCTR-8: // cannot be written
	case off == urFAR, off == urRFW, off == urDMASA, off == urLCR_EXT: // 0, or without effect
	default:
		if !u.keep(off, v) {
			return d.unknown(u.name(), off)
		}
	}
	u.start()
	u.apply()
	return bus.None
}

// owner is the register that a shadow stands for.
func (s shadow) owner(of *uartState) uint32 {
	switch s.of(of) {
	case &of.MCR:
		return urMCR
	case &of.LCR:
		return urLCR
	}
	return urIIR
}

// lacks names what a store asks for and the model has not.
func (u uart) lacks(off, v uint32) string {
	switch {
	case off == urMCR && v&mcrSIRE != 0:
		return ".MCR.SIRE: infrared"
	case off == urTCR && v&1 != 0:
		return ".TCR.RS485_EN"
	case off == urFAR && v != 0:
		return ".FAR: access to the FIFOs"
	case off == urLCR_EXT && v != 0:
		return ".LCR_EXT: nine bits"
	case off == urLPDLL || off == urLPDLH:
		return ".LPDLL and LPDLH: infrared"
	}
	return ""
}

// keep stores a register that is read as it was stored.
func (u uart) keep(off, v uint32) bool {
	r := u.register(off)
	if r == nil {
		return false
	}
	if (off == urLCR || r == &u.DLL || r == &u.DLH) && u.busy() && v != *r {
		u.c.warn("%s: LCR or the divisor is changed while the UART is busy or holds what it received; whether the part allows it is not known", u.name())
	}
	was := *r
	*r = v & u.writable(off)
	switch {
	case r == &u.IER && v&^was&ierETBEI != 0 && u.Drained:
		u.THRE = true
	case off == urMCR:
		u.modemChanged()
	case off == urLCR:
		u.c.followEdges()
	}
	return true
}

// writable are the bits that a register has.
func (u uart) writable(off uint32) uint32 {
	switch off {
	case urIER:
		if u.LCR&lcrDLAB == 0 {
			return ierPTIME | 0xF
		}
	case urMCR:
		return 0x3F
	case urDLF:
		return 0xF
	case urHTX:
		return 1
	case urTCR, urTAT, urTAT - 4, urTCR + 4, urTCR + 8:
		return ^uint32(0)
	}
	return 0xFF
}

// setFCR: switching the FIFOs on or off empties them.
func (u uart) setFCR(v uint32) {
	if (v^u.FCR)&fcrFIFOE != 0 {
		v |= fcrRFIFOR | fcrXFIFOR
	}
	u.FCR = v & 0xFF &^ (fcrRFIFOR | fcrXFIFOR)
	if v&fcrXFIFOR != 0 {
		u.TxFIFO = uartFIFO{}
	}
	if v&fcrRFIFOR != 0 {
		u.clearRx()
	}
}

// softReset is SRR.
func (u uart) softReset(v uint32) {
	if v&1 != 0 {
		u.c.uartReset(u.n)
		return
	}
	if v&2 != 0 {
		u.clearRx()
	}
	if v&4 != 0 {
		u.TxFIFO = uartFIFO{}
	}
}

// foreseeLoad: reading what was received, or what is reset by reading, has an effect.
func (d uartDevice) foreseeLoad(off uint32, width uint8, _ uint64) (least, most uint64, ok bool) {
	u := d.uart(d.n)
	has := width <= 4
	switch {
	case off == urRBR, off >= urSRBR && off < urFAR, off > urLCR_EXT:
		has = false
	case off == urIIR:
		has = has && u.interrupt() != iirTHRE
	case off == urLSR:
		has = has && u.Errors == 0 && u.lineStatus()&lsrRFE == 0
	case off == urMSR:
		has = has && u.Delta == 0
	}
	return steady(words{d}, off, width, has)
}
