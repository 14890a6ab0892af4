//go:build tinygo && esp32c3 && !stockidle

package board

import (
	"device/riscv"
	"runtime"
	"unsafe"
)

// With nothing to run and nobody asleep, TinyGo 0.41.1 calls waitForEvents,
// whose condition is the wrong way round on RISC-V: it never sleeps while the run queue
// is empty, and does sleep if an interrupt has put a goroutine there since the scheduler
// looked, until some other interrupt comes. A goroutine that an interrupt wakes
// is thus left alone a good part of the time. The goroutine idle keeps the scheduler
// away from there and does what was meant. It costs two switches at a wake-up.
//
// Images built with the tag stockidle are without it and show what TinyGo does.
func init() { go idle() }

func idle() {
	for {
		mask := riscv.DisableInterrupts()
		if runQueue().head == nil && sleepQueue == nil && timerQueue == nil {
			riscv.Asm("wfi") // a pending interrupt ends it, though it is held off
		}
		riscv.EnableInterrupts(mask)
		runtime.Gosched()
	}
}

// queue is how the runtime's queue of goroutines begins (internal/task.Queue).
type queue struct{ head unsafe.Pointer }

//go:linkname runQueue runtime.schedulerRunQueue
func runQueue() *queue

// Whoever sleeps is looked after by the scheduler alone, between the switches
// to other goroutines.
var (
	//go:extern runtime.sleepQueue
	sleepQueue unsafe.Pointer
	//go:extern runtime.timerQueue
	timerQueue unsafe.Pointer
)
