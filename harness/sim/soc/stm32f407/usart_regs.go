package stm32f407

import (
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// The USARTs' registers, RM0090 §30.6.

const (
	usartSR   = 0x00
	usartDR   = 0x04
	usartBRR  = 0x08
	usartCR1  = 0x0C
	usartCR2  = 0x10
	usartCR3  = 0x14
	usartGTPR = 0x18
)

// Load implements bus.Device.
func (u usart) Load(off uint32, width uint8) (uint64, bus.Fault) {
	u.sync(u.c.Cycle())
	switch off {
	case usartSR:
		u.Seen = u.Sr
		return uint64(u.Sr), bus.None
	case usartDR:
		u.Sr &^= usartRXNE | u.Seen&(usartPE|usartFE|usartNF|usartORE|usartIDLE)
		u.Seen = 0
		u.apply()
		return uint64(u.Rdr), bus.None
	case usartBRR:
		return uint64(u.Brr), bus.None
	case usartCR1:
		return uint64(u.Cr1), bus.None
	case usartCR2:
		return uint64(u.Cr2), bus.None
	case usartCR3:
		return uint64(u.Cr3), bus.None
	case usartGTPR:
		return 0, bus.None
	}
	return 0, u.c.unknown(u.name, off)
}

// Store implements bus.Device.
func (u usart) Store(off uint32, width uint8, v uint64) bus.Fault {
	if what := u.lacks(off, uint32(v)); what != "" {
		return u.c.lack(u.name + "." + what)
	}
	u.sync(u.c.Cycle())
	f := u.store(off, uint32(v))
	u.apply()
	return f
}

func (u usart) store(off uint32, v uint32) bus.Fault {
	switch off {
	case usartSR: // rc_w0: RXNE and TC
		u.Sr &= v | ^uint32(usartRXNE|usartTC)
	case usartDR:
		u.storeDR(v & 0x1FF)
	case usartBRR:
		u.Brr = v & 0xFFFF
	case usartCR1:
		u.storeCR1(v & 0xBFFF)
	case usartCR2:
		u.Cr2 = v & 0x7F6F
	case usartCR3:
		u.Cr3 = v & 0xFFF
	case usartGTPR: // 0, or refused by lacks
	default:
		return u.c.unknown(u.name, off)
	}
	return bus.None
}

func (u usart) storeDR(v uint32) {
	u.Sr &^= u.Seen & (usartTC | usartPE)
	u.Seen = 0
	u.Tdr = v
	u.Sr &^= usartTXE
	u.kick()
}

// kick starts an idle transmitter.
func (u usart) kick() {
	if !u.Tx.Busy {
		u.load(u.nextClock(u.c.Cycle()))
	}
}

// storeCR1: switching the transmitter on sends an idle frame first (§30.3.2);
// switching the receiver on looks at the line afresh.
func (u usart) storeCR1(v uint32) {
	tx, rx := u.on(usartTE), u.on(usartRE)
	u.Cr1 = v
	if u.on(usartTE) && !tx {
		u.Tx.Idle = true
		if u.Cr3&usartHDSEL == 0 {
			u.c.afOut(u.tx, u.Tx.Level)
		}
	}
	if u.on(usartRE) != rx {
		level := u.c.afIn(u.listens())
		u.Rx = usartRx{Level: level, Idle: clock.Never}
	}
	u.kick()
	u.letGo()
}

// lacks names what a value asks of a register and the model does not have.
func (u usart) lacks(off, v uint32) string {
	switch off {
	case usartCR2:
		return firstBit(v, "CR2", []bit{{0x40, "LBDIE"}, {0x800, "CLKEN"}, {0x1000, "STOP of 0.5 or 1.5 bits"}, {0x4000, "LINEN"}})
	case usartCR3:
		return firstBit(v, "CR3", []bit{{0x02, "IREN"}, {0x04, "IRLP"}, {0x10, "NACK"}, {0x20, "SCEN"},
			{0x100, "RTSE"}, {0x200, "CTSE"}, {0x400, "CTSIE"}})
	case usartGTPR:
		return firstBit(v, "GTPR", []bit{{0xFFFF, "PSC and GT"}})
	}
	return ""
}
