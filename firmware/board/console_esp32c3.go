//go:build tinygo && esp32c3

package board

import (
	"device/riscv"
	"machine"
	"runtime"
	"time"
	"unsafe"
)

var console = machine.UART0

// startConsole sets UART0 up, which TinyGo leaves as the ROM had it if it is the
// serial port, and lets interrupts in: TinyGo never sets mstatus.MIE, but
// takes over what the ROM leaves there. IDLE_CONF.TX_IDLE_NUM comes out of reset as 256
// bits, 2.2 ms, for which the transmitter rests after what it has sent; TinyGo leaves that,
// and Espressif's driver makes it 0 too.
func startConsole() {
	if err := console.Configure(machine.UARTConfig{BaudRate: 115200, TX: machine.GPIO21, RX: machine.GPIO20}); err != nil {
		panic("BUG: board: console: " + err.Error())
	}
	console.Bus.IDLE_CONF.Set(0)
	console.Bus.SetID_REG_UPDATE(1)
	riscv.MSTATUS.SetBits(riscv.MSTATUS_MIE)
}

// ReadByte waits for a byte from the console. Other goroutines run meanwhile; where
// some sleep this one does too, for less than it takes to fill the console's buffer,
// 128 bytes of 87 us. If there are none, the processor sleeps. An interrupt that comes after the tests
// is not lost: it is held off, and being pending ends the sleep (The RISC-V Instruction
// Set Manual, Volume II, §3.3.3).
func ReadByte() byte {
	for console.Buffered() == 0 {
		if sleepQueue != nil || timerQueue != nil {
			time.Sleep(time.Millisecond)
			continue
		}
		runtime.Gosched()
		mask := riscv.DisableInterrupts()
		if console.Buffered() == 0 && runQueue().head == nil && sleepQueue == nil && timerQueue == nil {
			riscv.Asm("wfi")
		}
		riscv.EnableInterrupts(mask)
	}
	b, _ := TryReadByte()
	return b
}

// queue is how the runtime's queue of goroutines begins (internal/task.Queue).
type queue struct{ head unsafe.Pointer }

//go:linkname runQueue runtime.schedulerRunQueue
func runQueue() *queue

// Goroutines that sleep; the scheduler looks after them whenever it is called. TinyGo
// takes go:extern only of a variable that is declared alone.
//
//go:extern runtime.sleepQueue
var sleepQueue unsafe.Pointer

//go:extern runtime.timerQueue
var timerQueue unsafe.Pointer

var consumed uint32 // bytes of the console taken

// TryReadByte takes a byte from the console if there is one.
func TryReadByte() (byte, bool) {
	if console.Buffered() == 0 {
		return 0, false
	}
	b, _ := console.ReadByte()
	consumed++
	return b, true
}

// Received counts the bytes that the console's interrupt has received, as far as
// there was room for them.
func Received() uint32 { return consumed + uint32(console.Buffered()) }

// WriteByte sends a byte to the console, waiting for room.
func WriteByte(b byte) { console.WriteByte(b) }

// Write sends bytes to the console.
func Write(p []byte) {
	for _, b := range p {
		WriteByte(b)
	}
}
