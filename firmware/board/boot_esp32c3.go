//go:build tinygo && esp32c3 && ota

package board

// #include <stdint.h>
// void hand_over(uint32_t image) __attribute__((noreturn));
// void uart_tx_wait_idle(uint8_t uart);
// void software_reset(void);
import "C"

import (
	"device/esp"
	"device/riscv"
	"runtime/volatile"
	"unsafe"
)

// The watchdog is that of timer group 1 (TRM Watchdog Timers): TinyGo's start turns off those of
// timer group 0 and of RTC, so that one of these would not watch over it. It counts
// milliseconds of the crystal, since APB's rate changes as a program starts.
const (
	watchdogKey      = 0x50D8_3AA1
	watchdogEnable   = 1 << 31
	watchdogResets   = 3 << 29 // stage 0: the core and all but RTC
	watchdogUpdate   = 1 << 22
	watchdogXTAL     = 1 << 21
	watchdogLengths  = 7<<18 | 7<<15 // of the reset signals
	watchdogPrescale = 40_000 << 16
)

// StartWatchdog starts the watchdog, which only a reset stops: it resets the part
// when it was not fed for so many seconds.
func StartWatchdog(seconds uint32) {
	esp.SYSTEM.SetPERIP_CLK_EN0_TIMERGROUP1_CLK_EN(1)
	t := esp.TIMG1
	t.WDTWPROTECT.Set(watchdogKey)
	t.WDTCONFIG1.Set(watchdogPrescale)
	t.WDTCONFIG2.Set(seconds * 1000)
	t.WDTCONFIG0.Set(watchdogEnable | watchdogResets | watchdogUpdate | watchdogXTAL | watchdogLengths)
	t.WDTFEED.Set(1)
	t.WDTWPROTECT.Set(0)
}

// FeedWatchdog puts off what the watchdog does, if it was started.
func FeedWatchdog() {
	t := esp.TIMG1
	t.WDTWPROTECT.Set(watchdogKey)
	t.WDTFEED.Set(1)
	t.WDTWPROTECT.Set(0)
}

// Restart resets all but RTC; RAM stays.
func Restart() {
	finishConsole()
	C.software_reset()
	for {
	}
}

// Idle lets the processor sleep until an interrupt, or for 1 ms by the alarm of the runtime's timer,
// of which it does not count on the runtime to clear the last.
func Idle() {
	const ticks, latch = 40_000, 1 << 31
	t := esp.TIMG0
	for t.T0UPDATE.Set(latch); t.T0UPDATE.HasBits(latch); { // it crosses into the timer's clock
	}
	until := (uint64(t.T0HI.Get())<<32 | uint64(t.T0LO.Get())) + ticks
	t.INT_CLR_TIMERS.Set(1)
	t.T0ALARMLO.Set(uint32(until))
	t.T0ALARMHI.Set(uint32(until >> 32))
	t.T0CONFIG.SetBits(esp.TIMG_T0CONFIG_ALARM_EN)
	riscv.Asm("wfi")
}

// HandOver starts the program whose image is at an offset of flash. Clocks,
// peripherals and watchdog stay as they are; no interrupt is left enabled.
func HandOver(image uint32) {
	finishConsole()
	riscv.DisableInterrupts()
	esp.INTERRUPT_CORE0.CPU_INT_ENABLE.Set(0)
	C.hand_over(C.uint32_t(image))
}

// Image is the offset in flash of the image that runs, which is where the cache's MMU (TRM System and
// Memory, Cache) has the page that programs see first.
func Image() uint32 {
	const table, page, size = 0x600C_5000, 0xFF, 64 << 10
	return (*volatile.Register32)(unsafe.Pointer(uintptr(table))).Get() & page * size
}

// finishConsole waits until the last byte has left.
func finishConsole() { C.uart_tx_wait_idle(0) }

// StackPointer is about where the caller's stack ends.
func StackPointer() uintptr { return riscv.AsmFull("mv {}, sp", nil) }
