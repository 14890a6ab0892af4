//go:build tinygo && k210

package board

// extern unsigned board_outputs;
// unsigned mark_start(void);
// unsigned mark_end(void);
import "C"

import (
	"device/kendryte"
	"device/riscv"
	"machine"
	"runtime/interrupt"
	"runtime/volatile"
	"unsafe"
)

// Chip is the chip's name in folder names, records and build tags.
const Chip = "k210"

// CoreHz is the core clock: what TinyGo counts on, and the boot ROM sets up, 390 MHz
// from PLL0.
const CoreHz = 390_000_000

func setClock() { clockTimers() }

// The pins, all free on Sipeed's Maix Bit but the echo's, which has a LED too, lit
// when low. The console is UARTHS, TX IO5 and RX IO4, as in the boot ROM.
const (
	echoPin     = machine.P13 // red LED
	stimulusPin = machine.P21
	startPin    = machine.P22
	endPin      = machine.P23
	runPin      = machine.P24
	timerPin    = machine.P25
)

// Of the pins within GPIOHS. IO16 and on are GPIOHS0 and on after a reset, so that no
// other pin feeds the same input. mark_k210.c knows the marks' numbers.
const (
	stimulusBit = 1 << 5
	startBit    = 1 << 6
	endBit      = 1 << 7
	runBit      = 1 << 8
	echoBit     = 1 << 9 // of IO25 after a reset, which is the timer's here
)

func configurePins() {
	setOutputs(startBit|endBit|runBit|echoBit, false)
	timerPin.SetFPIOAFunction(machine.FUNC_TIMER0_TOGGLE1)
	kendryte.FPIOA.IO[timerPin].SetBits(kendryte.FPIOA_IO_IE_EN) // so that its level can be read
	stimulusPin.SetFPIOAFunction(machine.FUNC_GPIOHS5)
	stimulusPin.Configure(machine.PinConfig{Mode: machine.PinInputPulldown})
	stimulusPad = kendryte.FPIOA.IO[stimulusPin].Get()
	for _, o := range [...]struct {
		pin      machine.Pin
		function machine.FPIOAFunction
	}{
		{startPin, machine.FUNC_GPIOHS6},
		{endPin, machine.FUNC_GPIOHS7},
		{runPin, machine.FUNC_GPIOHS8},
		{echoPin, machine.FUNC_GPIOHS9},
	} {
		o.pin.SetFPIOAFunction(o.function)
		o.pin.Configure(machine.PinConfig{Mode: machine.PinOutput})
	}
}

// setOutputs drives pins of GPIOHS by the word that the marks know of, too.
func setOutputs(bits uint32, high bool) {
	outputs := (*volatile.Register32)(unsafe.Pointer(&C.board_outputs))
	mask := interrupt.Disable()
	if high {
		outputs.SetBits(bits)
	} else {
		outputs.ClearBits(bits)
	}
	kendryte.GPIOHS.OUTPUT_VAL.Set(outputs.Get())
	interrupt.Restore(mask)
}

// The cycle counter is mcycle (The RISC-V Instruction Set Manual, Volume II, §3.1.10),
// which counts from reset on.
func enableCounter() {}

const mcycle = riscv.CSR(0xB00)

// Start marks the start of an interval and returns the cycle counter.
func Start() uint32 { return uint32(C.mark_start()) }

// End marks the end of an interval and returns the cycle counter.
func End() uint32 { return uint32(C.mark_end()) }

// Clear lowers both marks, some time after End, and takes back RaiseStimulus.
func Clear() {
	setOutputs(startBit|endBit, false)
	kendryte.FPIOA.IO[stimulusPin].Set(stimulusPad)
}

// Cycles is the cycle counter. Whether it stands still while the processor sleeps is
// not published; nothing here counts on either.
func Cycles() uint32 { return uint32(mcycle.Get()) }

// Hart is the number of the core that this runs on (The RISC-V Instruction Set
// Manual, Volume II, §3.1.5).
func Hart() uint32 { return uint32(riscv.MHARTID.Get()) }

// Hold keeps interrupts off until Release, which gets what Hold gave.
func Hold() uintptr { return uintptr(interrupt.Disable()) }

// Release lets them in, if they were let in before Hold.
func Release(mask uintptr) { interrupt.Restore(interrupt.State(mask)) }

// Running raises or lowers the run pin.
func Running(on bool) { setOutputs(runBit, on) }

// SetEcho drives the echo pin.
func SetEcho(high bool) { setOutputs(echoBit, high) }

// Stimulus is the level of the stimulus pin.
func Stimulus() bool { return kendryte.GPIOHS.INPUT_VAL.HasBits(stimulusBit) }

// Edge is an edge of the stimulus pin.
type Edge = machine.PinChange

// The edges that can interrupt.
const (
	Rising = machine.PinRising
	Both   = machine.PinToggle
)

// HandleStimulus calls the handler from the interrupt of each such edge from
// now on, or no more if it is nil. It goes the way of every TinyGo program, through
// machine's own handler, which clears the pending bits and looks up the function.
func HandleStimulus(e Edge, handler func(machine.Pin)) {
	stimulusPin.SetInterrupt(e, nil) // clears what is pending, too
	if handler == nil {
		return
	}
	if err := stimulusPin.SetInterrupt(e, handler); err != nil {
		panic("BUG: board: stimulus interrupt: " + err.Error())
	}
}

// stimulusPad is what FPIOA is told of the stimulus pin.
var stimulusPad uint32

// invertInput is DI_INV of FPIOA's word for a pin (Kendryte standalone SDK, fpioa.h):
// the function sees the opposite of the pin's level.
const invertInput = 1 << 22

// RaiseStimulus raises the stimulus pin's interrupt without an edge on the pin, which must
// be low: GPIOHS sees one, for FPIOA inverts the level until Clear. The handler cannot
// tell the difference.
func RaiseStimulus() { kendryte.FPIOA.IO[stimulusPin].Set(stimulusPad | invertInput) }
