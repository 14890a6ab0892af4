//go:build tinygo && stm32f407

package board

// unsigned mark_start(void);
// unsigned mark_end(void);
import "C"

import (
	"device/arm"
	"device/stm32"
	"machine"
	"runtime/volatile"
	"unsafe"
)

// Chip is the chip's name in folder names, records and build tags.
const Chip = "stm32f407"

// The pins of the STM32F4DISCOVERY (UM1472 §6): its button and its four LEDs,
// all on the pin headers too. The console is USART2, TX PA2 and RX PA3.
const (
	stimulusPin = machine.PA0  // button B1, pulled down on the board
	echoPin     = machine.PD12 // green LED
	startPin    = machine.PD13 // orange LED; mark_stm32f407.c knows the number
	endPin      = machine.PD14 // red LED; likewise
	runPin      = machine.PD15 // blue LED
)

// Of the pins within their ports, for single stores to BSRR and SWIER.
const (
	stimulusBit = 1 << 0
	echoBit     = 1 << 12
	startBit    = 1 << 13
	endBit      = 1 << 14
	runBit      = 1 << 15
	reset       = 16 // shift from a BSRR bit that sets a pin to the one that resets it
)

func configurePins() {
	stimulusPin.Configure(machine.PinConfig{Mode: machine.PinInputPulldown})
	for _, p := range [...]machine.Pin{echoPin, startPin, endPin, runPin} {
		p.Configure(machine.PinConfig{Mode: machine.PinOutput})
	}
	stm32.GPIOD.BSRR.Set((echoBit | startBit | endBit | runBit) << reset)
}

// The cycle counter (DDI0403E C1.8): a debug feature, so the trace enable bit
// of DEMCR has to come first.
var (
	demcr     = (*volatile.Register32)(unsafe.Pointer(uintptr(0xE000EDFC)))
	dwtCtrl   = (*volatile.Register32)(unsafe.Pointer(uintptr(0xE0001000)))
	dwtCycCnt = (*volatile.Register32)(unsafe.Pointer(uintptr(0xE0001004)))
)

func enableCounter() {
	const trcena, cyccntena = 1 << 24, 1 << 0
	demcr.SetBits(trcena)
	dwtCycCnt.Set(0)
	dwtCtrl.SetBits(cyccntena)
}

// Start marks the start of an interval and returns the cycle counter.
func Start() uint32 { return uint32(C.mark_start()) }

// End marks the end of an interval and returns the cycle counter.
func End() uint32 { return uint32(C.mark_end()) }

// Clear lowers both marks, some time after End.
func Clear() { stm32.GPIOD.BSRR.Set((startBit | endBit) << reset) }

// Running raises or lowers the run pin.
func Running(on bool) { setOutput(runBit, on) }

// SetEcho drives the echo pin.
func SetEcho(high bool) { setOutput(echoBit, high) }

func setOutput(bit uint32, high bool) {
	if !high {
		bit <<= reset
	}
	stm32.GPIOD.BSRR.Set(bit)
}

// Stimulus is the level of the stimulus pin.
func Stimulus() bool { return stm32.GPIOA.IDR.Get()&stimulusBit != 0 }

// Edge is an edge of the stimulus pin.
type Edge = machine.PinChange

// The edges that can interrupt.
const (
	Rising = machine.PinRising
	Both   = machine.PinToggle
)

// HandleStimulus calls the handler from the interrupt of each such edge from
// now on, or no more if it is nil. It goes the way of every TinyGo program, through
// machine's own handler, which clears the pending bit and looks up the function.
func HandleStimulus(e Edge, handler func(machine.Pin)) {
	stimulusPin.SetInterrupt(e, nil)
	if handler == nil {
		return
	}
	stm32.EXTI.PR.Set(stimulusBit) // edges are noted even while masked (RM0090 §12.2.3)
	if err := stimulusPin.SetInterrupt(e, handler); err != nil {
		panic("BUG: board: stimulus interrupt: " + err.Error())
	}
}

// RaiseStimulus raises the stimulus pin's interrupt without an edge (RM0090
// §12.3.5): the handler cannot tell the difference.
func RaiseStimulus() { stm32.EXTI.SWIER.Set(stimulusBit) }

// ReadByte waits for a byte from the console, with the processor asleep in
// between. Interrupts that come after the test and before WFE are not lost, for
// they set the event register (DDI0403E B1.5.18).
func ReadByte() byte {
	for machine.UART1.Buffered() == 0 {
		arm.Asm("wfe")
	}
	b, _ := machine.UART1.ReadByte()
	return b
}

// WriteByte sends a byte to the console, waiting for room.
func WriteByte(b byte) { machine.UART1.WriteByte(b) }

// Write sends bytes to the console.
func Write(p []byte) {
	for _, b := range p {
		WriteByte(b)
	}
}
