package esp32c3

import (
	"fmt"

	"rigor/harness/sim/bus"
)

// The GPIO matrix (TRM IO MUX and GPIO Matrix): any peripheral's signal to any pin
// and back, and the pins' direct functions in the IO MUX.

// Signals that have a number in both directions (TRM table 5.11-1).
const (
	sigUARTRX  = 6 // and TX as an output; UART1 three further
	sigUARTCTS = 7 // and RTS as an output
	sigUARTDSR = 8 // and DTR as an output

	sigCPUGPIO = 28
	sigLEDC    = 45 // output; the first of six
	sigSCL     = 53
	sigSDA     = 54

	sigCount = 128
	sigGPIO  = 128 // output of GPIO_OUT

	sigNone = -1 // a direct function that is not simulated
)

const (
	constHigh = 0x1E // IN_SEL: no pin
	constLow  = 0x1F
)

// selectInput connects an input signal.
func (c *Chip) selectInput(sig int, v uint32) {
	c.catchUpPins()
	g := &c.GPIO
	if old := g.IN_SEL[sig]; old&inSEL != 0 && old&0x1F < pinCount {
		g.Pins.Fan[old&0x1F][sig/64] &^= 1 << (sig % 64)
	}
	g.IN_SEL[sig] = v
	if v&inSEL != 0 && v&0x1F < pinCount {
		g.Pins.Fan[v&0x1F][sig/64] |= 1 << (sig % 64)
	}
	c.refreshSignal(sig)
	c.rewatch()
}

// selectOutput connects a pin's output. Signals that the model cannot produce
// fault.
func (c *Chip) selectOutput(p int, v uint32) bus.Fault {
	switch sig := v & 0xFF; {
	case sig >= 55 && sig <= 58:
		return c.lack(fmt.Sprintf("GPIO_SD%d_OUT, a sigma-delta output, on GPIO%d", sig-55, p))
	case sig >= 123 && sig <= 125:
		return c.lack(fmt.Sprintf("CLK_OUT%d, a clock output, on GPIO%d", sig-122, p))
	case sig > sigGPIO:
		c.warn("GPIO%d is given output signal %d, which does not exist", p, sig)
	}
	c.catchUpPins()
	c.GPIO.OUT_SEL[p] = v
	if p < pinCount {
		c.reselect(p)
		c.settle(p)
	}
	c.rewatch()
	return bus.None
}

// alwaysOn tells of outputs without an enable of their own, which the table calls
// 1'd1: all but those of SPI, of the CPU's GPIOs and of I2C.
func alwaysOn(sig int) bool {
	switch {
	case sig <= 5, sig >= sigCPUGPIO && sig < sigCPUGPIO+cpuGPIOs, sig == sigSCL, sig == sigSDA, sig >= 63 && sig <= 73:
		return false
	}
	return true
}

// sigOut sets the level that a peripheral puts out on a signal.
func (c *Chip) sigOut(sig int, level bool) {
	if c.GPIO.Pins.SigOut[sig] == level {
		return
	}
	c.GPIO.Pins.SigOut[sig] = level
	c.settleSignal(sig)
}

// sigOE switches a peripheral's driver of a signal. Only signals with an enable
// of their own have it.
func (c *Chip) sigOE(sig int, on bool) {
	if c.GPIO.Pins.SigOE[sig] == on {
		return
	}
	c.GPIO.Pins.SigOE[sig] = on
	c.settleSignal(sig)
}

// sigIn is the level of an input signal now.
func (c *Chip) sigIn(sig int) bool { return c.GPIO.Pins.SigIn[sig] }

// settleSignal settles the pins that show an output signal.
func (c *Chip) settleSignal(sig int) {
	for p := range pinCount {
		if int(c.GPIO.Pins.Shows[p]) == sig {
			c.settle(p)
		}
	}
}

// padOutput is what the selected function does to a pin.
func (c *Chip) padOutput(p int) (level, on bool) {
	g := &c.GPIO
	sig := int(g.Pins.Shows[p])
	switch {
	case sig < 0 || sig > sigGPIO:
		return false, false
	case sig == sigGPIO:
		level, on = g.OUT>>p&1 != 0, g.ENABLE>>p&1 != 0
	default:
		level, on = g.Pins.SigOut[sig], g.Pins.SigOE[sig] || alwaysOn(sig)
	}
	if g.Pins.Direct>>p&1 != 0 {
		return level, on
	}
	sel := g.OUT_SEL[p]
	if sel&outOEN != 0 {
		on = g.ENABLE>>p&1 != 0
	}
	return level != (sel&outINV != 0), on != (sel&outOENINV != 0)
}

// matrixInput is the level of an input signal: from a pin by the matrix, a
// constant, or from the pin whose direct function it is.
func (c *Chip) matrixInput(sig int) bool {
	g := &c.GPIO
	sel := g.IN_SEL[sig]
	if sel&inSEL == 0 {
		return c.directInput(sig)
	}
	level := false
	switch n := sel & 0x1F; {
	case n == constHigh:
		level = true
	case n < pinCount:
		level = g.Pins.Input>>n&1 != 0
	}
	return level != (sel&inINV != 0)
}

// directInput is an input signal that bypasses the matrix and the synchroniser.
// Without a pin it has the table's default: 1 for I2C and TWAI, else 0.
func (c *Chip) directInput(sig int) bool {
	for _, d := range directs {
		if d.in == sig && c.muxFunction(d.pin) == d.fun {
			return c.padInput(d.pin)
		}
	}
	return sig == sigSCL || sig == sigSDA || sig == 74
}

// refreshSignal brings an input signal up to date and tells its peripheral.
func (c *Chip) refreshSignal(sig int) {
	is := c.matrixInput(sig)
	if c.GPIO.Pins.SigIn[sig] == is {
		return
	}
	c.GPIO.Pins.SigIn[sig] = is
	c.sigChanged(sig, is)
}

// refreshSignals does so with all of them, after a change that may concern any.
func (c *Chip) refreshSignals() {
	for sig := range sigCount {
		c.refreshSignal(sig)
	}
}

// sigChanged hands a change of an input signal to the peripheral.
func (c *Chip) sigChanged(sig int, level bool) {
	switch {
	case sig >= sigUARTRX && sig < sigUARTRX+6:
		c.uartInput((sig-sigUARTRX)/3, (sig-sigUARTRX)%3, level)
	case sig == sigSCL || sig == sigSDA:
		c.i2cLine()
	}
}
