package stm32f407

import (
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// The I2Cs' registers, RM0090 §27.6.

const (
	i2cCR1   = 0x00
	i2cCR2   = 0x04
	i2cOAR1  = 0x08
	i2cOAR2  = 0x0C
	i2cDR    = 0x10
	i2cSR1   = 0x14
	i2cSR2   = 0x18
	i2cCCR   = 0x1C
	i2cTRISE = 0x20
)

// Load implements bus.Device.
func (i i2c) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	i.sync(i.c.Cycle())
	switch off {
	case i2cDR:
		return uint64(i.readDR()), bus.None
	case i2cSR1:
		i.Seen = i.Sr1
		return uint64(i.Sr1), bus.None
	case i2cSR2:
		v := i.Sr2
		i.readSR2()
		return uint64(v), bus.None
	}
	if r := i.register(off); r != nil {
		return uint64(*r), bus.None
	}
	return 0, i.c.unknown(i.name, off)
}

func (i i2c) register(off uint32) *uint32 {
	switch off {
	case i2cCR1:
		return &i.Cr1
	case i2cCR2:
		return &i.Cr2
	case i2cOAR1:
		return &i.Oar1
	case i2cOAR2:
		return &i.Oar2
	case i2cCCR:
		return &i.Ccr
	case i2cTRISE:
		return &i.Trise
	}
	return nil
}

// readDR makes room for a byte that is held, and with it for the next. After a
// read of SR1 it ends BTF.
func (i i2c) readDR() uint32 {
	v := i.Dr
	i.Seen = 0
	if i.Sr1&i2cRXNE == 0 {
		return v
	}
	if !i.Held {
		i.Sr1 &^= i2cRXNE
		i.apply()
		return v
	}
	i.Held, i.Dr = false, i.Shift
	i.Sr1 &^= i2cBTF
	i.goOn()
	return v
}

// readSR2 after a read of SR1 clears ADDR (§27.6.7), and the bus goes on.
func (i i2c) readSR2() {
	if i.Seen&i.Sr1&i2cADDR == 0 {
		return
	}
	i.Seen = 0
	i.Sr1 &^= i2cADDR
	if i.Sr2&i2cTRA != 0 && !i.TxFull {
		i.Sr1 |= i2cTXE
	}
	i.Bit = 0
	i.goOn()
}

// goOn lets master or slave proceed after the program has done its part.
func (i i2c) goOn() {
	if i.Sr2&i2cMSL != 0 {
		i.proceed(i.c.Cycle())
	} else {
		i.slaveGo()
	}
	i.apply()
}

// Store implements bus.Device.
func (i i2c) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	v := uint32(v64) & 0xFFFF
	if what := i.lacks(off, v); what != "" {
		return i.c.lack(i.name + "." + what)
	}
	i.sync(i.c.Cycle())
	switch off {
	case i2cCR1:
		i.storeCR1(v)
	case i2cCR2:
		i.Cr2 = v & 0x1F3F
	case i2cOAR1:
		i.Oar1 = v & 0xC3FF
	case i2cOAR2:
		i.Oar2 = v & 0xFF
	case i2cDR:
		i.storeDR(v & 0xFF)
	case i2cSR1: // rc_w0
		i.Sr1 &= v | ^uint32(i2cErrs)
	case i2cSR2:
	case i2cCCR:
		i.Ccr = v & 0xCFFF
	case i2cTRISE:
		i.Trise = v & 0x3F
	default:
		return i.c.unknown(i.name, off)
	}
	i.apply()
	return bus.None
}

// lacks names what a value asks of a register and the model does not have.
func (i i2c) lacks(off, v uint32) string {
	if off != i2cCR1 {
		return ""
	}
	return firstBit(v, "CR1", []bit{{1 << 1, "SMBUS"}, {1 << 4, "ENARP"}, {1 << 5, "ENPEC"}, {1 << 7, "NOSTRETCH"}, {1 << 12, "PEC"}, {1 << 13, "ALERT"}})
}

// storeCR1 follows START, STOP, PE and SWRST; after a read of SR1 it clears
// STOPF (§27.6.6).
func (i i2c) storeCR1(v uint32) {
	if v&i2cSWRST != 0 {
		i.c.i2cReset(i.n)
		i.Cr1 = i2cSWRST
		return
	}
	i.Sr1 &^= i.Seen & i2cSTOPF
	i.Seen &^= i2cSTOPF
	on := i.Cr1&i2cPE != 0
	i.Cr1 = v & 0x0FFB
	switch {
	case v&i2cPE == 0:
		i.stopAll()
	case !on:
		i.SDA = i.c.afIn(i.sda)
		i.letGo()
	}
	switch {
	case i.Cr1&i2cPE == 0:
	case i.Sr2&i2cMSL != 0:
		i.proceed(i.c.Cycle())
	case v&i2cSTART != 0 && i.Phase == i2cOff && i.Sr2&i2cBUSY == 0:
		i.enter(i2cStart, (i.c.Cycle()/i.Div+1)*i.Div)
	case v&i2cSTOP != 0 && i.Slave != slaveIdle: // a slave lets the lines go
		i.Slave = slaveIdle
		i.Cr1 &^= i2cSTOP
		i.letGo()
	}
}

// stopAll is what PE = 0 does (§27.6.1).
func (i i2c) stopAll() {
	i.Cr1 &^= i2cSTART | i2cSTOP | i2cACK | i2cPOS
	i.Sr1, i.Sr2 = 0, 0
	i.Phase, i.Due, i.Slave = i2cOff, clock.Never, slaveIdle
	i.TxFull, i.Held, i.Ten, i.Ending, i.Seen = false, false, false, false, 0
	i.letGo()
}

// storeDR sends: the address after START, its second byte, or data.
func (i i2c) storeDR(v uint32) {
	if waits := i.Sr1 & (i2cSB | i2cADD10); waits != 0 {
		if i.Seen&waits == 0 {
			i.c.warn("%s.DR written with SB or ADD10 set but SR1 unread", i.name)
			return
		}
		i.Sr1 &^= waits
		i.Shift, i.Address, i.Second, i.Ack = v, true, waits == i2cADD10, true
		i.do(i2cByte, i.c.Cycle())
		return
	}
	i.Tdr, i.TxFull = v, true
	i.Sr1 &^= i2cTXE | i2cBTF
	i.goOn()
}

// apply brings interrupts, DMA requests and deadline up to date (§27.4 and
// §27.3.8).
func (i i2c) apply() {
	events := uint32(i2cSB | i2cADDR | i2cADD10 | i2cBTF | i2cSTOPF)
	if i.Cr2&i2cITBUFEN != 0 {
		events |= i2cRXNE | i2cTXE
	}
	i.c.irq(i.event, i.Cr2&i2cITEVTEN != 0 && i.Sr1&events != 0)
	i.c.irq(i.failure, i.Cr2&i2cITERREN != 0 && i.Sr1&i2cErrs != 0)
	dma := i.Cr2&i2cDMAEN != 0
	i.c.dmaRequest(i.rx, dma && i.Sr1&i2cRXNE != 0)
	i.c.dmaRequest(i.tx, dma && i.Sr1&i2cTXE != 0)
	i.c.Schedule(slotI2C+i.n-1, i.Due)
}
