//go:build tinygo && esp32c3

package board

// unsigned mark_start(void);
// unsigned mark_end(void);
import "C"

import (
	"device/esp"
	"device/riscv"
	"machine"
	"runtime/interrupt"
	"runtime/volatile"
	"unsafe"
)

// Chip is the chip's name in folder names, records and build tags.
const Chip = "esp32c3"

// CoreHz is the core clock: what TinyGo sets up at start, 160 MHz from the PLL.
const CoreHz = 160_000_000

func setClock() {}

// The pins, all free on boards with an ESP32-C3-MINI-1 or -WROOM-02 module. The
// console is UART0, TX GPIO21 and RX GPIO20, as in the boot loader in ROM.
const (
	analogPin   = machine.GPIO0 // ADC1 channel 0
	stimulusPin = machine.GPIO1
	timerPin    = machine.GPIO2
	startPin    = machine.GPIO3
	endPin      = machine.GPIO4
	echoPin     = machine.GPIO5
	runPin      = machine.GPIO10
)

// The marks are the core's dedicated outputs 0 and 1, which mark_esp32c3.c sets:
// matrix signals 28 and 29 (TRM table 5.11-1).
const (
	cpuGPIOOut0 = 28
	cpuGPIOOut1 = 29
	startBit    = 1 << 0
	endBit      = 1 << 1
	gpioOutUser = riscv.CSR(0x805) // TRM §1.4
)

func configurePins() {
	Clear()
	stimulusPin.Configure(machine.PinConfig{Mode: machine.PinInputPulldown})
	for _, p := range [...]machine.Pin{startPin, endPin, echoPin, runPin} {
		p.Low()
		p.Configure(machine.PinConfig{Mode: machine.PinOutput})
	}
	connect(startPin, cpuGPIOOut0)
	connect(endPin, cpuGPIOOut1)
	startConsole()
}

// connect drives an output by a signal of the GPIO matrix.
func connect(p machine.Pin, signal uint32) {
	sel := (*volatile.Register32)(unsafe.Add(unsafe.Pointer(&esp.GPIO.FUNC0_OUT_SEL_CFG), 4*uintptr(p)))
	sel.Set(signal | esp.GPIO_FUNC_OUT_SEL_CFG_OEN_SEL)
}

// The cycle counter (TRM §1.4): what to count, whether, and the count.
const (
	mpcer = riscv.CSR(0x7E0)
	mpcmr = riscv.CSR(0x7E1)
	mpccr = riscv.CSR(0x7E2)

	countCycles = 1 << 0
	countEnable = 1 << 0 // without bit 1 it wraps around
)

func enableCounter() {
	mpcmr.Set(countEnable)
	mpccr.Set(0)
	mpcer.Set(countCycles)
}

// Start marks the start of an interval and returns the cycle counter.
func Start() uint32 { return uint32(C.mark_start()) }

// End marks the end of an interval and returns the cycle counter.
func End() uint32 { return uint32(C.mark_end()) }

// Clear lowers both marks, some time after End.
func Clear() { gpioOutUser.ClearBits(startBit | endBit) }

// Cycles is the cycle counter, which stands still while the processor sleeps.
func Cycles() uint32 { return uint32(mpccr.Get()) }

// Hart is the number of the core that this runs on (The RISC-V Instruction Set
// Manual, Volume II, §3.1.5).
func Hart() uint32 { return uint32(riscv.MHARTID.Get()) }

// Hold keeps interrupts off until Release, which gets what Hold gave.
func Hold() uintptr { return uintptr(interrupt.Disable()) }

// Release lets them in, if they were let in before Hold.
func Release(mask uintptr) { interrupt.Restore(interrupt.State(mask)) }

// Running raises or lowers the run pin.
func Running(on bool) { runPin.Set(on) }

// SetEcho drives the echo pin.
func SetEcho(high bool) { echoPin.Set(high) }

// Stimulus is the level of the stimulus pin.
func Stimulus() bool { return stimulusPin.Get() }

// Edge is an edge of the stimulus pin.
type Edge = machine.PinChange

// The edges that can interrupt.
const (
	Rising = machine.PinRising
	Both   = machine.PinToggle
)

// HandleStimulus calls the handler from the interrupt of each such edge from
// now on, or no more if it is nil. It goes the way of every TinyGo program, through
// machine's own handler, which clears the status and looks up the function.
func HandleStimulus(e Edge, handler func(machine.Pin)) {
	stimulusPin.SetInterrupt(e, nil)
	if handler == nil {
		return
	}
	esp.GPIO.STATUS_W1TC.Set(1 << stimulusPin)
	if err := stimulusPin.SetInterrupt(e, handler); err != nil {
		panic("BUG: board: stimulus interrupt: " + err.Error())
	}
}

// RaiseStimulus raises the stimulus pin's interrupt without an edge (TRM §5.15,
// GPIO_STATUS_W1TS): the handler cannot tell the difference.
func RaiseStimulus() { esp.GPIO.STATUS_W1TS.Set(1 << stimulusPin) }

// Random is a number of the chip's generator.
func Random() uint32 {
	v, _ := machine.GetRNG() // it gives no error on this chip
	return v
}
