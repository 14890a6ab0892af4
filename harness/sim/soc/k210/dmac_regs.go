package k210

import "rigor/harness/sim/bus"

// Offsets of the DMAC's registers, of 64 bits each, of which halves may be accessed.
const (
	dmCOMPVER          = 0x08
	dmCFG              = 0x10
	dmCHEN             = 0x18
	dmINTSTATUS        = 0x30
	dmCOM_INTCLEAR     = 0x38
	dmCOM_INTSTATUS_EN = 0x40
	dmCOM_INTSIGNAL_EN = 0x48
	dmCOM_INTSTATUS    = 0x50
	dmRESET            = 0x58
	dmCHANNEL0         = 0x100 // and so on
)

// Those of a channel.
const (
	dmSAR          = 0x00
	dmDAR          = 0x08
	dmBLOCK_TS     = 0x10
	dmCTL          = 0x18
	dmCHCFG        = 0x20
	dmLLP          = 0x28
	dmSTATUS       = 0x30
	dmSWHSSRC      = 0x38
	dmSWHSDST      = 0x40
	dmBLK_TFR      = 0x48
	dmAXI_ID       = 0x50
	dmAXI_QOS      = 0x58
	dmINTSTATUS_EN = 0x80
	dmCHINTSTATUS  = 0x88
	dmINTSIGNAL_EN = 0x90
	dmINTCLEAR     = 0x98
)

// The version is 1.01a, by the device tree of Linux, as Synopsys spells it. [A]
const (
	dmVersion = 0x3130312A

	dmCommonInterrupts = 0x10F
	dmUNDEFINED        = 1 << 8
)

// dmacDevice is the block's registers.
type dmacDevice struct{ *Chip }

func (d dmacDevice) Load(off uint32, width uint8) (uint64, bus.Fault) {
	v, f := d.load64(off &^ 7)
	return v >> (8 * (off & 4)), f
}

// Store merges halves with what a register holds. Bits that make something happen
// do so only if they are in the half.
func (d dmacDevice) Store(off uint32, width uint8, v uint64) bus.Fault {
	mask := ^uint64(0)
	if width == 4 {
		mask = 0xFFFFFFFF << (8 * (off & 4))
		v = v << (8 * (off & 4)) & mask
	}
	return d.store64(off&^7, v, mask)
}

func (d dmacDevice) load64(off uint32) (uint64, bus.Fault) {
	s := &d.DMAC
	if n := int(off-dmCHANNEL0) >> 8; off >= dmCHANNEL0 && n < dmacChannels {
		return d.loadChannel(n, off)
	}
	switch off {
	case dmCOMPVER:
		return dmVersion, bus.None
	case dmCFG:
		return s.CFG, bus.None
	case dmCHEN:
		return s.chen(), bus.None
	case dmINTSTATUS:
		return s.intStatus(), bus.None
	case dmCOM_INTSTATUS_EN:
		return s.COM_INTSTATUS_EN, bus.None
	case dmCOM_INTSIGNAL_EN:
		return s.COM_INTSIGNAL_EN, bus.None
	case dmCOM_INTSTATUS:
		return s.COM_INTSTATUS, bus.None
	case dmCOM_INTCLEAR, dmRESET: // the reset is over at once
		return 0, bus.None
	}
	return 0, d.undefined(off)
}

// undefined answers for a register that there is not.
func (d dmacDevice) undefined(off uint32) bus.Fault {
	d.DMAC.COM_INTSTATUS |= dmUNDEFINED & d.DMAC.COM_INTSTATUS_EN
	return d.unknown("DMAC", off)
}

// chen is CHEN: enabled channels, and those that are asked to suspend.
func (s *dmacState) chen() (v uint64) {
	for n := range s.Channel {
		ch := &s.Channel[n]
		v |= uint64(oneIf(ch.Enabled)<<n | oneIf(ch.Suspend)<<(16+n))
	}
	return v
}

func (s *dmacState) intStatus() (v uint64) {
	for n := range s.Channel {
		ch := &s.Channel[n]
		v |= uint64(oneIf(ch.INTSTATUS&ch.INTSIGNAL_EN != 0)) << n
	}
	return v | uint64(oneIf(s.COM_INTSTATUS&s.COM_INTSIGNAL_EN != 0))<<16
}

func (d dmacDevice) loadChannel(n int, off uint32) (uint64, bus.Fault) {
	ch := &d.DMAC.Channel[n]
	if r := ch.register(off & 0xFF); r != nil {
		return *r, bus.None
	}
	switch off & 0xFF {
	case dmSTATUS:
		return ch.completed(), bus.None
	case dmSWHSSRC:
		return ch.SWHS[source], bus.None
	case dmSWHSDST:
		return ch.SWHS[destination], bus.None
	case dmCHINTSTATUS:
		return ch.INTSTATUS, bus.None
	case dmBLK_TFR, dmINTCLEAR:
		return 0, bus.None
	}
	return 0, d.undefined(off)
}

// register is one that keeps what is written, or nil.
func (ch *dmacChannel) register(off uint32) *uint64 {
	switch off {
	case dmSAR:
		return &ch.SAR
	case dmDAR:
		return &ch.DAR
	case dmBLOCK_TS:
		return &ch.BLOCK_TS
	case dmCTL:
		return &ch.CTL
	case dmCHCFG:
		return &ch.CFG
	case dmLLP:
		return &ch.LLP
	case dmAXI_ID:
		return &ch.AXI_ID
	case dmAXI_QOS:
		return &ch.AXI_QOS
	case dmINTSTATUS_EN:
		return &ch.INTSTATUS_EN
	case dmINTSIGNAL_EN:
		return &ch.INTSIGNAL_EN
	}
	return nil
}

func (d dmacDevice) store64(off uint32, v, mask uint64) bus.Fault {
	s := &d.DMAC
	if n := int(off-dmCHANNEL0) >> 8; off >= dmCHANNEL0 && n < dmacChannels {
		return d.storeChannel(n, off, v, mask)
	}
	switch off {
	case dmCFG:
		s.CFG = (s.CFG&^mask | v) & (dmDMAC_EN | dmINT_EN)
		for n := range s.Channel {
			d.dmacIRQ(n)
		}
		d.dmacWake()
	case dmCHEN:
		return d.storeCHEN(v)
	case dmCOM_INTCLEAR:
		s.COM_INTSTATUS &^= v
	case dmCOM_INTSTATUS_EN:
		s.COM_INTSTATUS_EN = (s.COM_INTSTATUS_EN&^mask | v) & dmCommonInterrupts
	case dmCOM_INTSIGNAL_EN:
		s.COM_INTSIGNAL_EN = (s.COM_INTSIGNAL_EN&^mask | v) & dmCommonInterrupts
	case dmRESET:
		if v&1 != 0 {
			d.dmacReset()
		}
	case dmCOMPVER, dmINTSTATUS, dmCOM_INTSTATUS: // cannot be written
	default:
		return d.undefined(off)
	}
	return bus.None
}

// storeCHEN enables and disables, suspends and aborts channels; each bit counts only with
// its write enable, eight bits above.
func (d dmacDevice) storeCHEN(v uint64) bus.Fault {
	for n := range d.DMAC.Channel {
		ch := &d.DMAC.Channel[n]
		bit := func(i int) bool { return v>>(i+n)&1 != 0 }
		if bit(40) && bit(32) && ch.Enabled {
			d.dmacOff(n, dmABORTED|dmDISABLED)
		}
		if bit(24) && ch.Enabled {
			d.suspend(n, bit(16))
		}
		if !bit(8) || bit(0) == ch.Enabled {
			continue
		}
		if !bit(0) {
			d.dmacOff(n, dmDISABLED)
		} else if d.DMAC.CFG&dmDMAC_EN == 0 {
			d.warn("DMAC channel %d enabled while the DMAC is not", n)
		} else if f := d.dmacEnable(n); f != bus.None {
			return f
		}
	}
	return bus.None
}

// suspend stops a channel behind its present burst, or lets it go on.
func (d dmacDevice) suspend(n int, on bool) {
	ch := &d.DMAC.Channel[n]
	ch.Suspend = on
	ch.Suspended = ch.Suspended && on
	d.dmacNext(n)
}

func (d dmacDevice) storeChannel(n int, off uint32, v, mask uint64) bus.Fault {
	ch := &d.DMAC.Channel[n]
	reg := off & 0xFF
	if reg <= dmLLP && ch.Enabled {
		d.warn("%s written while the channel is enabled", RegisterName(0x50000000+off))
		d.dmacStatus(n, dmWRONCHEN_ERR)
		return bus.None
	}
	if r := ch.register(reg); r != nil {
		*r = (*r&^mask | v) & dmacWritable(reg)
		d.dmacIRQ(n)
		return bus.None
	}
	switch reg {
	case dmSWHSSRC:
		d.softwareRequest(n, source, v)
	case dmSWHSDST:
		d.softwareRequest(n, destination, v)
	case dmBLK_TFR:
		if v&1 != 0 && ch.Invalid {
			ch.Invalid = false
			d.dmacFetch(n)
		}
	case dmINTCLEAR:
		ch.INTSTATUS &^= v
		d.dmacIRQ(n)
	case dmSTATUS, dmCHINTSTATUS: // cannot be written
	default:
		return d.undefined(off)
	}
	return bus.None
}

// dmacWritable are the bits of a register that keep what is written.
func dmacWritable(reg uint32) uint64 {
	switch reg {
	case dmBLOCK_TS:
		return 0x3FFFFF
	case dmLLP:
		return ^uint64(0x3E)
	case dmINTSTATUS_EN, dmINTSIGNAL_EN:
		return dmInterrupts
	}
	return ^uint64(0)
}

// softwareRequest sets and clears the requests of a handshake by software: each bit
// counts with its write enable above.
func (d dmacDevice) softwareRequest(n, side int, v uint64) {
	ch := &d.DMAC.Channel[n]
	for bit := 0; bit < 6; bit += 2 {
		if v>>(bit+1)&1 != 0 {
			ch.SWHS[side] = ch.SWHS[side]&^(1<<bit) | v&(1<<bit)
		}
	}
	d.dmacNext(n)
}

// foreseeLoad: registers change by events and stores only.
func (d dmacDevice) foreseeLoad(off uint32, width uint8, _ uint64) (least, most uint64, ok bool) {
	return steady(d, off, width, polled(off))
}

// polled tells of the registers that programs wait for.
func polled(off uint32) bool {
	n := int(off-dmCHANNEL0) >> 8
	return off == dmCHEN || off == dmINTSTATUS || off >= dmCHANNEL0 && n < dmacChannels && off&0xFF == dmCHINTSTATUS
}
