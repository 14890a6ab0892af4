package k210

import (
	"fmt"
	"math/bits"

	"rigor/harness/sim/bus"
)

// Field programmable IO array (SDK fpioa.h): connects any of 256 functions, which are
// signals of the blocks, with any of 48 IOs. pins.go is what an IO is electrically.
//
// A block's function has an output, an enable of it, and an input. An IO's register
// selects the function, and may switch off or invert each of the three. Several IOs
// may show one function; as an input they are combined by or, as one would build it [A],
// and a warning tells when they differ. A function that no IO is switched to reads 0
// unless it is tied.
//
// At reset IO0 to IO3 are JTAG's, IO4 and IO5 the console's, IO8 to IO15 are GPIO0 to
// GPIO7 and IO16 to IO47 GPIOHS0 to GPIOHS31 (DS, list of pins). That they are set up
// as the SDK sets up these functions is [A].
// Drive strength, slew rate and the input's hysteresis are kept without effect.
type fpioaState struct {
	IO              [pinCount]uint32
	TIE_EN, TIE_VAL functions
	Out, OE         functions // what the blocks put out
	In              functions // what they see
	Pins            pinsState
}

// functions is a set of functions.
type functions [8]uint32

func (s *functions) has(fn int) bool { return s[fn>>5]>>(fn&31)&1 != 0 }

func (s *functions) set(fn int, on bool) {
	if on {
		s[fn>>5] |= 1 << (fn & 31)
	} else {
		s[fn>>5] &^= 1 << (fn & 31)
	}
}

// Functions (SDK fpioa.h).
const (
	fnJTAG_TDO   = 3
	fnSPI0_D0    = 4 // eight
	fnSPI0_SS0   = 12
	fnSPI0_ARB   = 16
	fnSPI0_SCLK  = 17
	fnUARTHS_RX  = 18
	fnUARTHS_TX  = 19
	fnCLK_SPI1   = 22
	fnCLK_I2C1   = 23
	fnGPIOHS0    = 24 // 32
	fnGPIO0      = 56 // eight
	fnUART1_RX   = 64 // fnUART1_RX + 2n is that of UART1+n
	fnUART1_TX   = 65
	fnSPI1_D0    = 70
	fnSPI1_SS0   = 78
	fnSPI1_ARB   = 82
	fnSPI1_SCLK  = 83
	fnSPISLAVE   = 84  // its data, select, clock
	fnI2S0_MCLK  = 87  // 11 of each I2S
	fnRESV0      = 120 // five more
	fnI2C0_SCLK  = 126
	fnCMOS_XCLK  = 132
	fnSCCB_SCLK  = 146
	fnUART1_CTS  = 148 // 14 of each UART
	fnTIMER0     = 190 // four of each timer
	fnCLK_SPI2   = 202
	fnCLK_I2C2   = 203
	fnINTERNAL0  = 204
	fnCONSTANT   = 222
	fnINTERNAL18 = 223
	fnDEBUG0     = 224
	fnCount      = 256
)

// Of the 14 functions of a UART behind fnUART1_CTS.
const (
	fnCTS = iota
	fnDSR
	fnDCD
	fnRI
	fnSIR_IN
	fnDTR
	fnRTS
	fnOUT2
	fnOUT1
	fnSIR_OUT
	fnBAUD
	fnRE
	fnDE
	fnRS485_EN
	uartFunctions
)

// Fields of an IO's register.
const (
	ioCH_SEL = 0xFF
	ioOE_EN  = 1 << 12
	ioOE_INV = 1 << 13
	ioDO_SEL = 1 << 14 // data is the output enable
	ioDO_INV = 1 << 15
	ioPU     = 1 << 16
	ioPD     = 1 << 17
	ioIE_EN  = 1 << 20
	ioIE_INV = 1 << 21
	ioDI_INV = 1 << 22
	ioST     = 1 << 23
	ioPAD_DI = 1 << 31
	ioWrites = 0x00FB_FFFF // bit 18 is reserved

	fpTIE_EN  = 0xC0
	fpTIE_VAL = 0xE0
)

// What the SDK gives an input, an output and a pin of GPIO.
const (
	ioInput  = ioIE_EN | ioST
	ioOutput = ioOE_EN | 15<<8
	ioBoth   = ioInput | ioOutput
)

// ioReset is an IO's register after a reset.
func ioReset(io int) uint32 {
	switch {
	case io < fnJTAG_TDO:
		return uint32(io) | ioInput
	case io == fnJTAG_TDO:
		return fnJTAG_TDO | ioOutput
	case io == 4:
		return fnUARTHS_RX | ioInput
	case io == 5:
		return fnUARTHS_TX | ioOutput
	case io < 8:
		return uint32(fnRESV0 + io - 6)
	case io < 16:
		return uint32(fnGPIO0+io-8) | ioBoth
	}
	return uint32(fnGPIOHS0+io-16) | ioBoth
}

// fpioaReset puts registers into their reset state. Signals of the blocks are theirs.
func (c *Chip) fpioaReset() {
	f := &c.FPIOA
	*f = fpioaState{Out: f.Out, OE: f.OE, In: f.In, Pins: f.Pins}
	for io := range f.IO {
		f.IO[io] = ioReset(io)
	}
	f.Out.set(fnCONSTANT, true) // Linux pinctrl-k210.c inverts it for a low level
	f.OE.set(fnCONSTANT, true)
	c.connect()
	c.settleAll()
}

// fpioaClockChanged: FPIOA has no clock of its own but its registers'.
func (c *Chip) fpioaClockChanged() {}

// connect finds the IOs of each function.
func (c *Chip) connect() {
	c.ios = [fnCount]uint64{}
	for io, r := range c.FPIOA.IO {
		c.ios[r&ioCH_SEL] |= 1 << io
	}
}

// setOut is a block's output signal by its function number, and whether it drives.
func (c *Chip) setOut(fn int, high, drives bool) {
	f := &c.FPIOA
	if f.Out.has(fn) == high && f.OE.has(fn) == drives {
		return
	}
	f.Out.set(fn, high)
	f.OE.set(fn, drives)
	c.settleFunction(fn)
}

// settleFunction brings the IOs that a function is connected to up to date.
func (c *Chip) settleFunction(fn int) {
	for ios := c.ios[fn]; ios != 0; ios &= ios - 1 {
		c.settle(bits.TrailingZeros64(ios), c.Cycle())
	}
}

// in is a block's input signal by its function number.
func (c *Chip) in(fn int) bool { return c.FPIOA.In.has(fn) }

// padOf is the IO that a function is connected to, of several the lowest, or -1.
func (c *Chip) padOf(fn int) int {
	if c.ios[fn] == 0 {
		return -1
	}
	return bits.TrailingZeros64(c.ios[fn])
}

// enablesLow tells of functions whose enables of output are active low: the SDK
// inverts those of SPI's data and of SCCB.
func enablesLow(fn int) bool { return inputEnablesLow(fn) || fn == fnSCCB_SCLK || fn == fnSCCB_SCLK+1 }

// inputEnablesLow tells of those whose enables of the input are.
func inputEnablesLow(fn int) bool {
	return fn >= fnSPI0_D0 && fn < fnSPI0_D0+8 || fn >= fnSPI1_D0 && fn < fnSPI1_D0+8 || fn == fnSPISLAVE
}

// inputEnable is a function's enable of its input: only GPIOHS has one that it
// switches.
func (c *Chip) inputEnable(fn int) bool {
	if n := fn - fnGPIOHS0; n >= 0 && n < 32 {
		return c.GPIOHS.INPUT_EN>>n&1 != 0
	}
	return !inputEnablesLow(fn)
}

// inputValue is what a function's input is to be.
func (c *Chip) inputValue(fn int) bool {
	f := &c.FPIOA
	if f.TIE_EN.has(fn) {
		return f.TIE_VAL.has(fn)
	}
	return f.Pins.Input&c.ios[fn] != 0
}

// refresh brings an input signal up to date and tells its block of a change, at a cycle.
func (c *Chip) refresh(fn int, at uint64) {
	is := c.inputValue(fn)
	if c.in(fn) == is {
		return
	}
	c.FPIOA.In.set(fn, is)
	c.inputChanged(fn, is, at)
}

// inputChanged hands a change of an input signal to its block.
func (c *Chip) inputChanged(fn int, high bool, at uint64) {
	switch {
	case fn == fnUARTHS_RX:
		c.uarthsInput(high, at)
	case fn >= fnGPIOHS0 && fn < fnGPIOHS0+32:
		c.gpiohsInput(fn-fnGPIOHS0, high, at)
	case fn >= fnGPIO0 && fn < fnGPIO0+8:
		c.gpioInput(fn-fnGPIO0, high)
	case fn >= fnUART1_RX && fn < fnUART1_RX+6:
		c.uartInput((fn-fnUART1_RX)/2, fnUART1_RX, high, at)
	case fn >= fnUART1_CTS && fn < fnUART1_CTS+3*uartFunctions:
		c.uartInput((fn-fnUART1_CTS)/uartFunctions, (fn-fnUART1_CTS)%uartFunctions, high, at)
	}
}

// fpioaDevice is the block's registers.
type fpioaDevice struct{ *Chip }

func (d fpioaDevice) loadWord(off uint32) (uint32, bus.Fault) {
	f := &d.FPIOA
	switch {
	case off < 4*pinCount:
		d.catchUpPins()
		v := f.IO[off/4]
		if f.Pins.Input>>(off/4)&1 != 0 {
			v |= ioPAD_DI
		}
		return v, bus.None
	case off >= fpTIE_EN && off < fpTIE_VAL:
		return f.TIE_EN[(off-fpTIE_EN)/4], bus.None
	case off >= fpTIE_VAL && off < fpTIE_VAL+32:
		return f.TIE_VAL[(off-fpTIE_VAL)/4], bus.None
	}
	return 0, d.unknown("FPIOA", off)
}

func (d fpioaDevice) storeWord(off, v uint32) bus.Fault {
	f := &d.FPIOA
	switch {
	case off < 4*pinCount:
		return d.configure(int(off/4), v)
	case off >= fpTIE_EN && off < fpTIE_VAL:
		d.tie(&f.TIE_EN, (off-fpTIE_EN)/4, v)
	case off >= fpTIE_VAL && off < fpTIE_VAL+32:
		d.tie(&f.TIE_VAL, (off-fpTIE_VAL)/4, v)
	default:
		return d.unknown("FPIOA", off)
	}
	return bus.None
}

// tie stores a word of the ties.
func (c *Chip) tie(set *functions, word, v uint32) {
	changed := set[word] ^ v
	set[word] = v
	for ; changed != 0; changed &= changed - 1 {
		c.refresh(int(word)*32+bits.TrailingZeros32(changed), c.Cycle())
	}
}

// configure stores an IO's register. Outputs that the model cannot produce fault.
func (c *Chip) configure(io int, v uint32) bus.Fault {
	f := &c.FPIOA
	if name := unmodelledOutput(int(v & ioCH_SEL)); name != "" && v&ioOE_EN != 0 {
		return c.lack(fmt.Sprintf("%s on IO%d", name, io))
	}
	c.catchUpPins()
	old := int(f.IO[io] & ioCH_SEL)
	f.IO[io] = v & ioWrites
	c.connect()
	c.settle(io, c.Cycle())
	c.refresh(old, c.Cycle())
	c.refresh(int(v&ioCH_SEL), c.Cycle())
	c.followEdges()
	return bus.None
}

// unmodelledOutput names functions that put out clocks and signals from within.
func unmodelledOutput(fn int) string {
	switch {
	case fn == fnCLK_SPI1:
		return "FUNC_CLK_SPI1"
	case fn == fnCLK_I2C1:
		return "FUNC_CLK_I2C1"
	case fn == fnCLK_SPI2:
		return "FUNC_CLK_SPI2"
	case fn == fnCLK_I2C2:
		return "FUNC_CLK_I2C2"
	case fn >= fnDEBUG0:
		return fmt.Sprintf("FUNC_DEBUG%d", fn-fnDEBUG0)
	case fn >= fnINTERNAL0 && fn < fnCONSTANT:
		return fmt.Sprintf("FUNC_INTERNAL%d", fn-fnINTERNAL0)
	case fn == fnINTERNAL18:
		return "FUNC_INTERNAL18"
	}
	return ""
}

// foreseeLoad: what moves pins unseen is not foreseen.
func (d fpioaDevice) foreseeLoad(off uint32, width uint8, _ uint64) (least, most uint64, ok bool) {
	return steady(words{d}, off, width, off < fpTIE_VAL+32 && !d.movesUnseen())
}
