//go:build tinygo && k210

package board

import (
	"device/kendryte"
	"device/riscv"
	"runtime/volatile"
	"unsafe"
)

// What hart 1 is to do, and how often it was told and has done something.
var (
	work       func()
	told, done volatile.Register32
)

// OnSecond has the second hart call f. It must not be busy. TinyGo's runtime knows one hart:
// f must not allocate, start a goroutine, use a channel or print.
func OnSecond(f func()) {
	work = f
	told.Set(told.Get() + 1)
	riscv.Asm("fence")
	msip1 := (*volatile.Register32)(unsafe.Add(unsafe.Pointer(kendryte.CLINT), 4))
	msip1.Set(1)
}

// SecondBusy reports whether the second hart has not done yet what OnSecond told it.
func SecondBusy() bool {
	busy := told.Get() != done.Get()
	riscv.Asm("fence")
	return busy
}

// boardWork must not be inlined into the code in C: linking would then give functions of the
// runtime names that depend on the folder of the build.
//
//go:noinline
//export board_work
func boardWork() {
	work()
	riscv.Asm("fence")
	done.Set(told.Get())
}
