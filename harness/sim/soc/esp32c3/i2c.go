package esp32c3

import (
	"math/bits"

	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// I2C controller (TRM I2C Controller, §28).
//
// Modelled: the controller as a master: lists of commands, FIFO and direct access
// to its memories, all timing registers, noise filters, acknowledge checks, clock
// stretching by targets, arbitration, the three timeouts, clearing of the bus,
// fractional clocks, and registers that take effect with CONF_UPGATE. Not
// modelled, and faulting by name: slave mode, and SDA sampled while SCL is low.
//
// Timing, in cycles of I2C_SCLK: SCL is low for SCL_LOW_PERIOD+1. Released, it is
// given SCL_WAIT_HIGH_PERIOD+1 to rise, and then counts as high for
// SCL_HIGH_PERIOD+1 (§28.4.7). It has risen when the controller sees it: after the
// line's rise, three cycles of synchroniser and SCL_FILTER_THRES of the filter; if
// that is later, so is the rest. Editions for later chips add the filter's delay
// even when it lies within the wait: the ESP32-C3's does not.
//
// The line's rise is i2cRise. With it the frequencies are those that were measured
// at a board of unknown resistors (MicroPython's pull request 9434, a XIAO
// ESP32C3): see the table in the tests.
//
// Assumed, since nothing says it: a START on an idle bus comes at once;
// TRANS_COMPLETE follows the time that STOP_HOLD_TIME keeps the bus free; a
// TRANS_START during a STOP waits for its end; what a failed WRITE has not sent
// stays in the FIFO; RX_FULL_ACK_LEVEL acts when the FIFO is full; the state
// machines' timeouts, like the line's, do not run between an END and what follows.
type i2cState struct {
	Set  i2cRegs // as written
	Live i2cRegs // as CONF_UPGATE last made it effective
	Raw  uint32  // INT_RAW
	Ena  uint32
	TX   i2cFIFO
	RX   i2cFIFO

	Phase   i2cPhase
	Job     i2cJob
	Due     clock.Time // when the phase ends; NeverTime: not by itself
	LowEnd  clock.Time
	Window  clock.Time // until when SCL is given to rise
	HighEnd clock.Time
	Command int  // of the list
	Left    int  // bytes of the command to come, with the present one
	Bit     int  // of the byte; 8 is the acknowledge
	Shift   byte // in the order of the line
	Sending bool
	Ack     bool // the level of the last acknowledge bit
	Failed  bool // the transfer ends with a STOP of the controller's own
	Again   bool // TRANS_START came during a STOP
	Pulses  int  // of a clearing of the bus
	Busy    bool
	Lost    bool

	SCL, SDA i2cLine
	Since    i2cSince
}

// i2cRegs are the registers from 0 to 0x84, by word.
type i2cRegs [0x88 / 4]uint32

// i2cPhase is where the master is in a clock of SCL or a condition.
type i2cPhase uint8

const (
	i2cIdle      i2cPhase = iota
	i2cAwaitBus           // START is to come: SCL has to be high
	i2cStartHold          // SDA is low, SCL follows
	i2cHeld               // SCL is low until the program goes on
	i2cHold               // SCL is low, SDA is still as before
	i2cLow                // and SDA has changed
	i2cWaitHigh           // SCL released
	i2cSetup              // SCL high, SDA makes START or STOP
	i2cSample             // SCL high, SDA is to be sampled
	i2cHigh               // and has been
	i2cStopHold           // STOP is over, the bus stays free
)

// i2cJob is what a clock of SCL is for.
type i2cJob uint8

const (
	i2cByte i2cJob = iota
	i2cRestart
	i2cStop
	i2cClear
)

// i2cSince is from when the timeouts count.
type i2cSince struct{ Line, FSM, Main clock.Time }

// Opcodes of commands (§28.4.9).
const (
	i2cWRITE  = 1
	i2cSTOP   = 2
	i2cREAD   = 3
	i2cEND    = 4
	i2cRSTART = 6

	i2cACK_CHECK = 1 << 8 // with a command
	i2cACK_EXP   = 1 << 9
	i2cACK_VALUE = 1 << 10
	i2cCMD_DONE  = 1 << 31
)

// i2cSynchroniser is how many cycles a line takes to the state machines.
const i2cSynchroniser = 3

// Slots: the state machine, the lines' rises, what filters let through, timeouts.
const (
	i2cSlotFSM = slotI2C + iota
	i2cSlotRise
	i2cSlotFilter
	i2cSlotTimeout
)

// i2c is the controller of a chip.
type i2c struct {
	*i2cState
	c *Chip
}

func (c *Chip) i2c() i2c { return i2c{&c.I2C, c} }

func (c *Chip) i2cReset() {
	i := c.i2c()
	*i.i2cState = i2cState{Raw: i2cTXFIFO_WM, Due: clock.NeverTime}
	resetValues("I2C0", i.Set[:])
	i.Live = i.Set
	i.SCL.Out, i.SDA.Out = true, true
	i.drive()
	for _, l := range []struct {
		line *i2cLine
		sig  int
	}{{&i.SCL, sigSCL}, {&i.SDA, sigSDA}} {
		*l.line = i2cLine{Want: true, Out: true, RiseAt: clock.NeverTime, Level: c.sigIn(l.sig), Seen: c.sigIn(l.sig)}
	}
	c.ScheduleAt(i2cSlotRise, clock.NeverTime)
	i.awaitArrival()
	i.enter(i2cIdle, clock.NeverTime)
	i.update()
}

func (c *Chip) i2cClockChanged() {} // its clocks are not the CPU's

func (c *Chip) i2cEvent(slot int, _ uint64) {
	i := c.i2c()
	switch slot {
	case i2cSlotFSM:
		i.step(i.Due)
	case i2cSlotRise:
		i.rise(c.Time())
	case i2cSlotFilter:
		i.arrive(c.Time())
	case i2cSlotTimeout:
		i.timeout(c.Time())
	}
	i.update()
}

// cycles is how long so many cycles of I2C_SCLK take: the crystal's or RC_FAST's,
// divided by SCLK_DIV_NUM+1+SCLK_DIV_A/SCLK_DIV_B (§28.4.1).
func (i i2c) cycles(n uint32) clock.Time {
	conf := i.Set[i2cCLK_CONF/4]
	hz := uint64(xtalHz)
	if conf&i2cSCLK_SEL != 0 {
		hz = rcFastHz
	}
	num, den := uint64(conf&0xFF)+1, uint64(1)
	if a, b := uint64(conf>>8&0x3F), uint64(conf>>14&0x3F); b != 0 {
		num, den = num*b+a, b
	}
	return clock.Time((uint64(n)*num*uint64(clock.Second/1000) + hz/1000*den/2) / (hz / 1000 * den))
}

// field is a timing register's time: its value and one more cycle.
func (i i2c) field(off uint32) clock.Time { return i.cycles(i.Live[off/4]&0x1FF + 1) }

// enter begins a phase that ends at a time.
func (i i2c) enter(p i2cPhase, due clock.Time) {
	i.Phase, i.Due = p, due
	i.Since.FSM = i.c.Time()
	i.c.ScheduleAt(i2cSlotFSM, due)
	i.awaitTimeout()
}

// begin is TRANS_START.
func (i i2c) begin(at clock.Time) bus.Fault {
	switch {
	case i.Live[i2cCTR/4]&i2cMS_MODE == 0:
		return i.c.lack("I2C0.CTR.TRANS_START in slave mode")
	case i.Set[i2cCLK_CONF/4]&i2cSCLK_ACTIVE == 0:
		i.c.warn("I2C0 is started while CLK_CONF.SCLK_ACTIVE is 0")
		return bus.None
	case i.Phase == i2cStopHold || i.Phase == i2cSetup && i.Job == i2cStop || i.Failed:
		i.Again = true
		return bus.None
	case i.Phase != i2cIdle && i.Phase != i2cHeld:
		return bus.None
	}
	i.Command, i.Lost = 0, false
	if i.Phase == i2cIdle && i.Live[i2cFIFO_CONF/4]&i2cNONFIFO_EN != 0 {
		i.TX.Read, i.RX.Write = 0, 0
	}
	i.execute(at)
	return bus.None
}

// execute begins the present command. SCL is low, or the bus idle.
func (i i2c) execute(at clock.Time) {
	i.Since.Main = at
	for ; i.Command < 8; i.Command++ {
		cmd := i.Set[i2cCOMD0/4+i.Command]
		switch op := cmd >> 11 & 7; {
		case op == i2cRSTART:
			i.restart(at)
		case op == i2cSTOP:
			i.clocked(i2cStop, at)
		case op == i2cEND:
			i.done()
			i.put(&i.SCL, false, at)
			i.enter(i2cHeld, clock.NeverTime)
			i.raise(i2cEND_DETECT)
		case (op == i2cWRITE || op == i2cREAD) && cmd&0xFF == 0:
			i.done()
			continue
		case op == i2cWRITE || op == i2cREAD:
			i.Left, i.Sending = int(cmd&0xFF), op == i2cWRITE
			i.beginByte(at)
		default:
			i.c.warn("I2C0.COMD%d has operation %d, which does not exist", i.Command, op)
			i.abort()
		}
		return
	}
	i.c.warn("I2C0: a list of commands without STOP or END")
	i.enter(i2cHeld, clock.NeverTime)
}

// done marks the present command.
func (i i2c) done() { i.Set[i2cCOMD0/4+i.Command] |= i2cCMD_DONE }

// next goes on with the list.
func (i i2c) next(at clock.Time) {
	i.done()
	i.Command++
	i.execute(at)
}

// restart makes a START when SCL is high, else a repeated one.
func (i i2c) restart(at clock.Time) {
	switch {
	case i.Phase != i2cIdle:
		i.clocked(i2cRestart, at)
	case i.SCL.Seen:
		i.start(at)
	default:
		i.enter(i2cAwaitBus, clock.NeverTime)
	}
}

func (i i2c) start(at clock.Time) {
	i.put(&i.SDA, false, at)
	i.enter(i2cStartHold, at+i.field(i2cSTART_HOLD))
	i.raise(i2cTRANS_START)
}

// clocked begins a clock of SCL.
func (i i2c) clocked(j i2cJob, at clock.Time) {
	i.Job, i.LowEnd = j, at+i.field(i2cLOW_PERIOD)
	i.put(&i.SCL, false, at)
	i.enter(i2cHold, min(at+i.field(i2cSDA_HOLD), i.LowEnd))
}

// step ends the present phase.
func (i i2c) step(at clock.Time) {
	switch i.Phase {
	case i2cStartHold:
		i.put(&i.SCL, false, at)
		i.next(at)
	case i2cHold:
		i.put(&i.SDA, i.level(), at)
		i.enter(i2cLow, i.LowEnd)
	case i2cLow:
		i.Window = at + i.cycles(i.Live[i2cHIGH_PERIOD/4]>>9&0x7F+1)
		i.put(&i.SCL, true, at)
		i.enter(i2cWaitHigh, clock.NeverTime)
		if i.SCL.Seen {
			i.risen(at)
		}
	case i2cSample:
		i.sample(at)
	case i2cHigh:
		i.fallen(at)
	case i2cSetup:
		i.condition(at)
	case i2cStopHold:
		i.stopped(at)
	}
}

// level is what SDA has to be in the present clock.
func (i i2c) level() bool {
	switch {
	case i.Job == i2cStop:
		return false
	case i.Job != i2cByte:
		return true
	case i.Sending && i.Bit < 8:
		return i.Shift>>(7-i.Bit)&1 != 0
	case !i.Sending && i.Bit == 8:
		full := i.RX.N == fifoSize && i.Live[i2cCTR/4]&i2cRX_FULL_ACK != 0
		return full || i.Set[i2cCOMD0/4+i.Command]&i2cACK_VALUE != 0
	}
	return true
}

// risen follows SCL's rise. It counts as high from the end of the wait on.
func (i i2c) risen(at clock.Time) {
	high := max(at, i.Window)
	switch i.Job {
	case i2cRestart:
		i.enter(i2cSetup, high+i.field(i2cRSTART_SETUP))
	case i2cStop:
		i.enter(i2cSetup, high+i.field(i2cSTOP_SETUP))
	default:
		i.HighEnd = high + i.field(i2cHIGH_PERIOD)
		i.enter(i2cSample, min(at+i.field(i2cSDA_SAMPLE), i.HighEnd))
	}
}

// sample takes a bit from SDA. One that is not what the controller sends has lost
// the bus.
func (i i2c) sample(at clock.Time) {
	bit := i.SDA.Seen
	switch {
	case i.Job != i2cByte:
	case i.Bit == 8:
		i.Ack = bit
	case !i.Sending:
		i.Shift = i.Shift<<1 | byte(oneIf(bit))
	}
	if i.Job == i2cByte && i.SDA.Want && !bit && i.Sending == (i.Bit < 8) && i.Live[i2cCTR/4]&i2cARBITRATION_EN != 0 {
		i.Lost = true
		i.raise(i2cARBITRATION_LOST)
		i.abort()
		return
	}
	i.enter(i2cHigh, i.HighEnd)
	if i.HighEnd <= at {
		i.fallen(at)
	}
}

// fallen ends a clock: SCL falls.
func (i i2c) fallen(at clock.Time) {
	if i.Job == i2cClear {
		i.clearNext(at)
		return
	}
	i.put(&i.SCL, false, at)
	i.Bit++
	switch {
	case i.Bit <= 8:
		if i.Bit == 8 {
			i.Since.Main = at
		}
		i.clocked(i2cByte, at)
	default:
		i.byteDone(at)
	}
}

// beginByte begins a byte of the present command.
func (i i2c) beginByte(at clock.Time) {
	i.Bit, i.Since.Main = 0, at
	if i.Sending {
		if i.TX.N == 0 && i.Live[i2cFIFO_CONF/4]&i2cNONFIFO_EN == 0 {
			i.raise(i2cMST_TXFIFO_UDF)
		}
		i.Shift = i.TX.pop()
		if i.Live[i2cCTR/4]&i2cTX_LSB_FIRST != 0 {
			i.Shift = bits.Reverse8(i.Shift)
		}
	}
	i.clocked(i2cByte, at)
}

// byteDone follows a byte and its acknowledge. An unexpected one ends the transfer
// with a STOP (§28.4.9).
func (i i2c) byteDone(at clock.Time) {
	i.raise(i2cBYTE_TRANS_DONE)
	cmd := i.Set[i2cCOMD0/4+i.Command]
	switch {
	case !i.Sending:
		i.receive()
	case cmd&i2cACK_CHECK != 0 && i.Ack != (cmd&i2cACK_EXP != 0):
		i.raise(i2cNACK)
		i.Failed = true
		i.clocked(i2cStop, at)
		return
	}
	if i.Left--; i.Left > 0 {
		i.beginByte(at)
		return
	}
	i.next(at)
}

// receive stores a byte.
func (i i2c) receive() {
	v := i.Shift
	if i.Live[i2cCTR/4]&i2cRX_LSB_FIRST != 0 {
		v = bits.Reverse8(v)
	}
	if !i.RX.push(v) && i.Live[i2cFIFO_CONF/4]&i2cNONFIFO_EN == 0 {
		i.raise(i2cRXFIFO_OVF)
	}
}

// condition makes a repeated START or a STOP.
func (i i2c) condition(at clock.Time) {
	if i.Job == i2cRestart {
		i.start(at)
		return
	}
	i.put(&i.SDA, true, at)
	i.enter(i2cStopHold, at+i.field(i2cSTOP_HOLD))
}

// stopped ends a transfer.
func (i i2c) stopped(at clock.Time) {
	if !i.Failed {
		i.done()
	}
	i.enter(i2cIdle, clock.NeverTime)
	i.Failed = false
	i.raise(i2cTRANS_COMPLETE)
	if i.Again {
		i.Again = false
		i.begin(at)
	}
}

// abort lets go of the bus.
func (i i2c) abort() {
	i.Failed, i.Again = false, false
	i.put(&i.SCL, true, i.c.Time())
	i.put(&i.SDA, true, i.c.Time())
	i.enter(i2cIdle, clock.NeverTime)
}

// clearBus sends pulses on an idle bus (§28.4.4).
func (i i2c) clearBus(at clock.Time) {
	i.Pulses = int(i.Live[i2cSP_CONF/4] >> 1 & 0x1F)
	if i.Pulses == 0 {
		i.cleared()
		return
	}
	i.clocked(i2cClear, at)
}

func (i i2c) clearNext(at clock.Time) {
	if i.Pulses--; i.Pulses > 0 {
		i.clocked(i2cClear, at)
		return
	}
	i.cleared()
	i.enter(i2cIdle, clock.NeverTime)
}

func (i i2c) cleared() {
	i.Set[i2cSP_CONF/4] &^= i2cRST_SLV_EN
	i.Live[i2cSP_CONF/4] &^= i2cRST_SLV_EN
}
