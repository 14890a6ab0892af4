package stm32f407

import "rigor/harness/sim/clock"

// I2C1 to I2C3 (RM0090 §27).
//
// Modelled: master and slave with addresses of 7 and 10 bits on open-drain pins,
// standard and fast mode, clock stretching both ways, arbitration, general call and
// the second address, the flags with their clearing sequences, POS, interrupts,
// DMA requests and LAST. Not modelled, and faulting by name: SMBus and PEC, and
// NOSTRETCH.
//
// Timing: SCL is low and high for exactly the clocks of PCLK1 that CCR says
// (§27.6.8); the high time counts from where SCL is seen high, so that rising
// edges, which are instant here, and others who stretch the clock lengthen the
// period, and TRISE has nothing to make up for. Data changes in the middle of
// SCL's low time. A bus is busy from START to STOP; a line held low without a
// START does not make it so.

// i2cRegs is an I2C's state, as plain data.
type i2cRegs struct {
	Cr1, Cr2, Oar1, Oar2, Ccr, Trise uint32
	Sr1, Sr2                         uint32
	Dr                               uint32 // received
	Tdr                              uint32 // to send, while TxFull
	Shift                            uint32 // the byte on the line
	TxFull                           bool
	Held                             bool   // Shift holds a byte for which DR has no room
	Seen                             uint32 // SR1 as last read, for the clearing sequences

	Phase   i2cPhase
	Job     i2cJob
	Due     uint64 // cycle at which a phase ends, or Never
	Bit     uint32 // of the byte; 8 is the acknowledge
	Address bool   // the master's byte is an address
	Second  bool   // and the second byte of one of 10 bits
	Ending  bool   // DMA has but one byte left to take, see LAST
	Ack     bool   // what the 9th bit was
	AckNext bool   // CR1.ACK at the last acknowledge, for POS

	Slave i2cSlave // what the slave does
	SBit  uint32   // bits of its byte
	Ten   bool     // the last address was its own one of 10 bits
	// Stretch is set while the slave holds SCL low.
	Stretch bool

	SDA bool // as last seen
	Div uint64
}

// i2cPhase is where a master is in its job.
type i2cPhase uint8

const (
	i2cOff   i2cPhase = iota // no master
	i2cStart                 // START is to come
	i2cStartHold
	i2cHold // SCL low until the program or the job goes on
	i2cLow1 // first half of SCL's low time
	i2cLow2 // and the second
	i2cRise // SCL released, not high yet
	i2cHigh
)

// i2cJob is what a clock of SCL is for.
type i2cJob uint8

const (
	i2cByte i2cJob = iota
	i2cRestart
	i2cStop
)

// i2cSlave is what a slave does.
type i2cSlave uint8

const (
	slaveIdle i2cSlave = iota // until the next START
	slaveAddress
	slaveHeaderAck // of the first byte of a 10-bit address
	slaveSecond    // its second byte
	slaveAddressAck
	slaveReceive
	slaveReceiveAck
	slaveSend
	slaveSendAck
)

const (
	i2cPE    = 1 << 0
	i2cENGC  = 1 << 6
	i2cSTART = 1 << 8
	i2cSTOP  = 1 << 9
	i2cACK   = 1 << 10
	i2cPOS   = 1 << 11
	i2cSWRST = 1 << 15

	i2cITERREN = 1 << 8 // CR2
	i2cITEVTEN = 1 << 9
	i2cITBUFEN = 1 << 10
	i2cDMAEN   = 1 << 11
	i2cLAST    = 1 << 12

	i2cADDMODE = 1 << 15 // OAR1

	i2cSB    = 1 << 0 // SR1
	i2cADDR  = 1 << 1
	i2cBTF   = 1 << 2
	i2cADD10 = 1 << 3
	i2cSTOPF = 1 << 4
	i2cRXNE  = 1 << 6
	i2cTXE   = 1 << 7
	i2cBERR  = 1 << 8
	i2cARLO  = 1 << 9
	i2cAF    = 1 << 10
	i2cErrs  = 0xDF00

	i2cMSL     = 1 << 0 // SR2
	i2cBUSY    = 1 << 1
	i2cTRA     = 1 << 2
	i2cGENCALL = 1 << 4
	i2cDUALF   = 1 << 7
)

// i2cInfo is what tells the I2Cs apart.
type i2cInfo struct {
	name           string
	event, failure int // interrupts
	scl, sda       signal
	rx, tx         request
}

var i2cInfos = [...]i2cInfo{
	{"I2C1", 31, 32, sigI2C1SCL, sigI2C1SDA, reqI2C1RX, reqI2C1TX},
	{"I2C2", 33, 34, sigI2C2SCL, sigI2C2SDA, reqI2C2RX, reqI2C2TX},
	{"I2C3", 72, 73, sigI2C3SCL, sigI2C3SDA, reqI2C3RX, reqI2C3TX},
}

var i2cNumber = map[string]int{"I2C1": 1, "I2C2": 2, "I2C3": 3}

// i2c is one I2C of a chip.
type i2c struct {
	*i2cRegs
	c *Chip
	n int // from 1
	*i2cInfo
}

func (c *Chip) i2c(n int) i2c { return i2c{&c.I2Cs[n-1], c, n, &i2cInfos[n-1]} }

// i2cReset puts an I2C into its reset state (§27.6).
func (c *Chip) i2cReset(n int) {
	i := c.i2c(n)
	*i.i2cRegs = i2cRegs{Trise: 2, Due: clock.Never, SDA: c.afIn(i.sda), Div: c.pclkDiv(1)}
	i.letGo()
	i.apply()
}

// i2cEvent handles a master's deadline.
func (c *Chip) i2cEvent(slot int, cycle uint64) {
	i := c.i2c(slot - slotI2C + 1)
	i.sync(cycle)
	i.apply()
}

// i2cInput takes an edge of SCL or SDA.
func (c *Chip) i2cInput(sig signal, high bool, cycle uint64) {
	if sig < sigI2C1SCL || sig > sigI2C3SDA {
		return
	}
	i := c.i2c(int(sig-sigI2C1SCL)/2 + 1)
	switch {
	case sig == i.sda:
		i.sdaEdge(high)
	case i.Cr1&i2cPE == 0:
	case i.Sr2&i2cMSL != 0:
		i.masterClock(high, cycle)
	default:
		i.slaveClock(high)
	}
	i.apply()
}

// i2cClockWillChange and i2cClockChanged enclose a change of PCLK1.
func (c *Chip) i2cClockWillChange() {
	for n := range c.I2Cs {
		c.i2c(n + 1).sync(c.Cycle())
	}
}

func (c *Chip) i2cClockChanged() {
	for n := range c.I2Cs {
		i := c.i2c(n + 1)
		div := c.pclkDiv(1)
		if i.Due != clock.Never && i.Div != 0 && div != i.Div {
			i.Due = c.Cycle() + (i.Due-c.Cycle())/i.Div*div
		}
		if i.Div = div; i.Due != clock.Never {
			i.apply()
		}
	}
}

// line is a level of the bus at this moment.
func (i i2c) line(sig signal) bool {
	for _, p := range afPins[sig] {
		if i.c.Pins.Selected[p] == sig {
			return i.c.Pins.Level[p/16]>>(p%16)&1 != 0
		}
	}
	return true
}

// letGo releases both lines; they stay the block's while it is on.
func (i i2c) letGo() {
	i.Stretch = false
	if i.Cr1&i2cPE == 0 {
		i.c.afRelease(i.sda)
		i.c.afRelease(i.scl)
		return
	}
	i.c.afOut(i.sda, true)
	i.c.afOut(i.scl, true)
}

// lowTime and highTime are SCL's, in cycles (§27.6.8).
func (i i2c) lowTime() uint64 {
	low, _ := i.times()
	return low * i.Div
}

func (i i2c) highTime() uint64 {
	_, high := i.times()
	return high * i.Div
}

func (i i2c) times() (low, high uint64) {
	ccr := uint64(max(i.Ccr&0xFFF, 1))
	switch i.Ccr >> 14 & 3 {
	case 2:
		return 2 * ccr, ccr
	case 3:
		return 16 * ccr, 9 * ccr
	}
	return ccr, ccr
}

// sync handles a master's phases that end up to a cycle.
func (i i2c) sync(cycle uint64) {
	for i.Due <= cycle {
		at := i.Due
		i.Due = clock.Never
		i.step(at)
	}
}

// enter begins a phase that ends by itself.
func (i i2c) enter(p i2cPhase, due uint64) { i.Phase, i.Due = p, due }

// do begins a job with SCL low.
func (i i2c) do(j i2cJob, cycle uint64) {
	i.Job, i.Bit = j, 0
	i.enter(i2cLow1, cycle+i.lowTime()/2)
}

// step ends a phase.
func (i i2c) step(cycle uint64) {
	switch i.Phase {
	case i2cStart:
		i.sendStart(cycle)
	case i2cStartHold:
		i.Phase = i2cHold
		i.Sr1 |= i2cSB
		i.Cr1 &^= i2cSTART
		i.c.afOut(i.scl, false)
	case i2cLow1:
		i.enter(i2cLow2, cycle+i.lowTime()-i.lowTime()/2)
		i.c.afOut(i.sda, i.dataOut())
	case i2cLow2:
		i.Phase = i2cRise
		i.c.afOut(i.scl, true)
		if i.Phase == i2cRise && i.line(i.scl) {
			i.masterClock(true, cycle)
		}
	case i2cHigh:
		i.endHigh(cycle)
	}
}

// sendStart waits for a free bus, then becomes its master.
func (i i2c) sendStart(cycle uint64) {
	if i.Sr2&(i2cBUSY|i2cMSL) == i2cBUSY {
		return // busFree comes back
	}
	i.Sr2 |= i2cMSL
	i.Sr1 &^= i2cTXE | i2cBTF
	i.TxFull = false
	i.enter(i2cStartHold, cycle+i.highTime())
	i.c.afOut(i.sda, false)
}

// dataOut is what a master does to SDA in the present clock.
func (i i2c) dataOut() bool {
	switch {
	case i.Job == i2cRestart:
		return true
	case i.Job == i2cStop:
		return false
	case i.sending() && i.Bit < 8:
		return i.Shift>>(7-i.Bit)&1 != 0
	case !i.sending() && i.Bit == 8:
		return !i.acknowledges()
	}
	return true
}

func (i i2c) sending() bool { return i.Address || i.Sr2&i2cTRA != 0 }

// acknowledges decides the 9th bit of a byte received: by ACK now, or with POS
// as it was at the byte before (§27.6.1). With LAST it is not after DMA's last byte
// but one (§27.3.7).
func (i i2c) acknowledges() bool {
	switch {
	case i.Ending:
		return false
	case i.Cr1&i2cPOS != 0:
		return i.AckNext
	}
	return i.Cr1&i2cACK != 0
}

// i2cEnding tells an I2C that a stream has one more byte to take.
func (c *Chip) i2cEnding(r request) {
	i := c.i2c(int(r-reqI2C1RX)/2 + 1)
	i.Ending = r == i.rx && i.Cr2&i2cLAST != 0 && i.Sr2&(i2cMSL|i2cTRA) == i2cMSL
}

// masterClock is an edge of SCL as a master sees it: the line has risen for all,
// or somebody else has ended the high time.
func (i i2c) masterClock(high bool, cycle uint64) {
	switch {
	case high && i.Phase == i2cRise:
		i.enter(i2cHigh, cycle+i.highTime())
		if i.Job == i2cByte {
			i.sampleBit()
		}
	case !high && i.Phase == i2cHigh && i.Job == i2cByte:
		i.Due = cycle
	}
}

// sampleBit takes SDA. A one that reads as zero has lost the bus (§27.3.4).
func (i i2c) sampleBit() {
	bit := i.line(i.sda)
	switch {
	case i.Bit == 8:
		i.Ack = !bit
		i.AckNext = i.Cr1&i2cACK != 0
	case !i.sending():
		i.Shift = i.Shift<<1&0xFF | oneIf(bit)
	case !bit && i.dataOut():
		i.Sr1 |= i2cARLO
		i.leave()
	}
}

// leave ends being master.
func (i i2c) leave() {
	i.Sr2 &^= i2cMSL | i2cTRA
	i.Phase, i.Due = i2cOff, clock.Never
	i.Slave, i.TxFull, i.Ending = slaveIdle, false, false
	i.Sr1 &^= i2cTXE | i2cSB | i2cADDR | i2cADD10
	i.letGo()
}

func (i i2c) endHigh(cycle uint64) {
	switch i.Job {
	case i2cRestart:
		i.sendStart(cycle)
	case i2cStop:
		i.Sr1 &^= i2cTXE | i2cSB | i2cADDR
		if !i.Held {
			i.Sr1 &^= i2cBTF
		}
		i.Cr1 &^= i2cSTOP
		i.leave()
	default:
		i.Phase = i2cHold
		i.c.afOut(i.scl, false)
		if i.Bit++; i.Bit <= 8 {
			i.enter(i2cLow1, cycle+i.lowTime()/2)
			return
		}
		i.byteDone(cycle)
	}
}

// byteDone follows a byte and its acknowledge (§27.3.3, figures 241 and 242).
func (i i2c) byteDone(cycle uint64) {
	switch {
	case i.Address && i.Ack && !i.Second && i.Shift&0xF9 == 0xF0:
		i.Sr1 |= i2cADD10
	case i.Address && i.Ack:
		i.Sr1 |= i2cADDR
		i.Sr2 = i.Sr2&^i2cTRA | oneIf(i.Second || i.Shift&1 == 0)*i2cTRA
	case i.sending() && !i.Ack:
		i.Sr1 |= i2cAF
	case !i.sending():
		i.deliver()
	}
	i.Address, i.Second, i.Ending = false, false, i.Ending && i.Ack
	i.proceed(cycle)
}

// deliver puts a received byte into DR, or holds it until there is room.
func (i i2c) deliver() {
	if i.Sr1&i2cRXNE != 0 {
		i.Held = true
		i.Sr1 |= i2cBTF
		return
	}
	i.Dr = i.Shift
	i.Sr1 |= i2cRXNE
}

// proceed goes on from SCL held low if there is something to do: STOP, START,
// or the next byte.
func (i i2c) proceed(cycle uint64) {
	switch {
	case i.Phase != i2cHold || i.Sr1&(i2cSB|i2cADDR|i2cADD10) != 0:
	case i.Cr1&i2cSTOP != 0:
		i.do(i2cStop, cycle)
	case i.Cr1&i2cSTART != 0:
		i.do(i2cRestart, cycle)
	case !i.Ack:
	case i.Sr2&i2cTRA != 0 && i.TxFull:
		i.Shift, i.TxFull = i.Tdr, false
		i.Sr1 = i.Sr1&^i2cBTF | i2cTXE
		i.do(i2cByte, cycle)
	case i.Sr2&i2cTRA != 0 && i.Bit > 8 && i.Sr1&i2cTXE != 0:
		i.Sr1 |= i2cBTF
	case i.Sr2&i2cTRA == 0 && !i.Held:
		i.do(i2cByte, cycle)
	}
}

// sdaEdge is START or STOP when SCL is high (§27.3.2). Within a byte it is a
// bus error.
func (i i2c) sdaEdge(high bool) {
	was := i.SDA
	i.SDA = high
	if i.Cr1&i2cPE == 0 || high == was || !i.line(i.scl) || !i.c.afIn(i.scl) {
		return
	}
	master := i.Sr2&i2cMSL != 0
	if master && i.Phase == i2cHigh && i.Job == i2cByte || !master && i.Slave != slaveIdle && i.SBit > 1 && i.SBit < 9 {
		i.Sr1 |= i2cBERR
	}
	if high {
		i.busFree()
		return
	}
	i.Sr2 |= i2cBUSY
	if !master {
		i.Slave, i.SBit = slaveAddress, 0
	}
}

// busFree is a STOP: an addressed slave tells of it, a START that waits follows
// after SCL's low time.
func (i i2c) busFree() {
	if i.Slave > slaveSecond && i.Sr2&i2cMSL == 0 {
		i.Sr1 |= i2cSTOPF
	}
	i.Slave, i.Ten = slaveIdle, false
	i.Sr2 &^= i2cBUSY | i2cTRA | i2cGENCALL | i2cDUALF
	if i.Cr1&i2cSTART != 0 {
		i.enter(i2cStart, i.c.Cycle()+i.lowTime())
	}
}
