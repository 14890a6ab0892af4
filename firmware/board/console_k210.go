//go:build tinygo && k210

package board

import (
	"device/kendryte"
	"device/riscv"
	"machine"
	"runtime"
	"time"
	"unsafe"
)

// The console is UARTHS, which TinyGo has set up by the time main starts.
var console = machine.UART0

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

// CanWrite reports whether WriteByte would not wait.
func CanWrite() bool { return !console.Bus.TXDATA.HasBits(kendryte.UARTHS_TXDATA_FULL) }
