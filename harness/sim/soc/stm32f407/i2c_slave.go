package stm32f407

// The I2Cs as slaves, RM0090 §27.3.2: driven by the master's clock.

// slaveClock is an edge of SCL. Bits are taken at rising edges; falling ones go
// on.
func (i i2c) slaveClock(high bool) {
	if i.Slave == slaveIdle {
		return
	}
	if high {
		i.slaveSample()
		return
	}
	switch i.Slave {
	case slaveAddress, slaveSecond:
		if i.SBit == 8 {
			i.answer()
		}
	case slaveHeaderAck:
		i.SBit, i.Slave = 0, slaveSecond
		i.c.afOut(i.sda, true)
	case slaveAddressAck:
		i.addressed()
	case slaveReceive:
		if i.SBit == 8 {
			i.Ack = i.Cr1&i2cACK != 0
			i.Slave = slaveReceiveAck
			i.c.afOut(i.sda, !i.Ack)
		}
	case slaveReceiveAck:
		i.received()
	case slaveSend:
		i.slaveBit()
	case slaveSendAck:
		i.sent()
	}
}

func (i i2c) slaveSample() {
	bit := i.line(i.sda)
	i.SBit++
	switch i.Slave {
	case slaveAddress, slaveSecond, slaveReceive:
		i.Shift = i.Shift<<1&0xFF | oneIf(bit)
	case slaveSendAck:
		i.Ack = !bit
	}
}

// answer acknowledges an address byte that is the slave's.
func (i i2c) answer() {
	next := i.match()
	if next == slaveIdle || i.Cr1&i2cACK == 0 {
		i.Slave = slaveIdle
		return
	}
	i.Slave = next
	i.c.afOut(i.sda, false)
}

// match compares an address byte with the slave's addresses and returns what
// follows.
func (i i2c) match() i2cSlave {
	if i.Slave == slaveSecond {
		i.Ten = i.Shift == i.Oar1&0xFF
		i.Shift = 0 // a slave receives after it
		return chosenIf(i.Ten)
	}
	ten, addr := i.Ten, i.Shift>>1
	i.Ten = false
	i.Sr2 &^= i2cDUALF | i2cGENCALL
	switch {
	case i.Oar1&i2cADDMODE != 0 && i.Shift&^1 == 0xF0|i.Oar1>>7&6:
		if i.Shift&1 == 0 {
			return slaveHeaderAck
		}
		i.Ten = ten // to send, once it has been addressed (§27.3.2)
		return chosenIf(ten)
	case i.Oar1&i2cADDMODE == 0 && addr == i.Oar1>>1&0x7F && i.Oar1&0xFE != 0:
	case i.Oar2&1 != 0 && addr == i.Oar2>>1&0x7F:
		i.Sr2 |= i2cDUALF
	case i.Cr1&i2cENGC != 0 && i.Shift == 0:
		i.Sr2 |= i2cGENCALL
	default:
		return slaveIdle
	}
	return slaveAddressAck
}

func chosenIf(match bool) i2cSlave {
	if match {
		return slaveAddressAck
	}
	return slaveIdle
}

// addressed sets ADDR and stretches the clock until the program has seen it.
func (i i2c) addressed() {
	i.Sr1 |= i2cADDR
	i.Sr1 &^= i2cTXE | i2cBTF
	i.SBit, i.TxFull = 0, false
	i.Sr2 &^= i2cTRA
	i.Slave = slaveReceive
	if i.Shift&1 != 0 {
		i.Sr2 |= i2cTRA
		i.Slave = slaveSend
	}
	i.hold(true)
	i.c.afOut(i.sda, true)
}

// slaveGo lets the clock go once nothing stands against it: a slave that sends
// needs a byte, one that receives room for the last.
func (i i2c) slaveGo() {
	switch {
	case !i.Stretch || i.Sr1&i2cADDR != 0:
		return
	case i.Slave == slaveSend && !i.TxFull, i.Slave == slaveReceive && i.Held:
		return
	case i.Slave == slaveSend:
		i.slaveByte()
	}
	i.hold(false)
}

// hold stretches the clock, or ends that.
func (i i2c) hold(on bool) {
	i.Stretch = on
	i.c.afOut(i.scl, !on)
}

// slaveByte begins to send the byte that waits.
func (i i2c) slaveByte() {
	i.Shift, i.TxFull = i.Tdr, false
	i.Sr1 = i.Sr1&^i2cBTF | i2cTXE
	i.slaveBit()
}

// slaveBit puts out the next bit, and lets go for the acknowledge.
func (i i2c) slaveBit() {
	if i.SBit < 8 {
		i.c.afOut(i.sda, i.Shift>>(7-i.SBit)&1 != 0)
		return
	}
	i.Slave = slaveSendAck
	i.c.afOut(i.sda, true)
}

func (i i2c) received() {
	i.c.afOut(i.sda, true)
	i.deliver()
	i.SBit, i.Slave = 0, slaveReceive
	if !i.Ack {
		i.Slave = slaveIdle
	}
	if i.Held {
		i.hold(true)
	}
}

// sent goes on with the next byte, stretches the clock without one, and ends
// with a byte that was not acknowledged (§27.6.6).
func (i i2c) sent() {
	i.SBit, i.Slave = 0, slaveSend
	switch {
	case !i.Ack:
		i.Sr1 |= i2cAF
		i.Sr1 &^= i2cTXE
		i.Slave = slaveIdle
	case i.TxFull:
		i.slaveByte()
	default:
		i.Sr1 |= i2cBTF
		i.hold(true)
	}
}
