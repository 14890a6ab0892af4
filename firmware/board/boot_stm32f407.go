//go:build tinygo && stm32f407 && ota

package board

// void jump(unsigned vectors) __attribute__((noreturn));
import "C"

import (
	"device/arm"
	"device/stm32"
	"machine"
	"runtime/volatile"
)

// The independent watchdog (RM0090 §21).
const (
	iwdgUnlock = 0x5555
	iwdgReload = 0xAAAA
	iwdgStart  = 0xCCCC
	iwdgDiv256 = 6
	iwdgHz     = 32_000 / 256 // LSI has 17 to 47 kHz (DS8626 §6.3.9)
)

// StartWatchdog starts the watchdog, which nothing but a reset stops. It resets the part
// when it was not fed for so many seconds, 32 at most; LSI makes of one
// second 0.7 to 1.9.
func StartWatchdog(seconds uint32) {
	w := stm32.IWDG
	w.KR.Set(iwdgStart)
	w.KR.Set(iwdgUnlock)
	w.PR.Set(iwdgDiv256)
	w.RLR.Set(seconds*iwdgHz - 1)
	for w.SR.Get() != 0 { // on the way to LSI's domain
	}
	FeedWatchdog()
}

// FeedWatchdog puts off what the watchdog does, if it was started.
func FeedWatchdog() { stm32.IWDG.KR.Set(iwdgReload) }

// Restart resets core and peripherals; RAM stays (DDI0403E B3.2.6).
func Restart() {
	finishConsole()
	arm.SystemReset()
}

// Idle lets the processor sleep until an interrupt, the runtime's tick at the
// latest.
func Idle() { arm.Asm("wfe") }

// HandOver leaves the part as a reset leaves it, but for the watchdog, and starts the
// program whose vector table is at an offset of flash.
func HandOver(image uint32) {
	finishConsole()
	arm.Asm("cpsid i")
	silenceInterrupts()
	useHSI()
	stm32.RCC.PLLCFGR.Set(pllcfgrReset)
	resetPeripherals()
	stm32.FLASH.ACR.Set(0)
	stm32.FLASH.ACR.Set(stm32.FLASH_ACR_ICRST | stm32.FLASH_ACR_DCRST)
	stm32.FLASH.ACR.Set(0)
	disableCounter()
	arm.SCB.VTOR.Set(mainMemory + image)
	C.jump(C.uint(mainMemory + image))
}

// finishConsole waits until the last byte has left.
func finishConsole() {
	const tc = 1 << 6 // USART_SR.TC (RM0090 §30.6.1)
	for !machine.UART1.Bus.SR.HasBits(tc) {
	}
}

// silenceInterrupts disables all interrupts and forgets those that wait (DDI0403E
// B3.4, B3.2.4).
func silenceInterrupts() {
	const pendsvclr, pendstclr = 1 << 27, 1 << 25
	for i := range arm.NVIC.ICER {
		arm.NVIC.ICER[i].Set(0xFFFF_FFFF)
		arm.NVIC.ICPR[i].Set(0xFFFF_FFFF)
	}
	arm.SCB.ICSR.Set(pendsvclr | pendstclr)
}

// Reset values of RCC (RM0090 §7.3).
const (
	pllcfgrReset = 0x2400_3010
	ahb1enrReset = 0x0010_0000
)

// resetPeripherals resets those that have a bit in RCC and stops their clocks.
func resetPeripherals() {
	rcc := stm32.RCC
	for _, r := range [...]*volatile.Register32{&rcc.AHB1RSTR, &rcc.AHB2RSTR, &rcc.AHB3RSTR, &rcc.APB1RSTR, &rcc.APB2RSTR} {
		r.Set(0xFFFF_FFFF)
		r.Set(0)
	}
	rcc.AHB1ENR.Set(ahb1enrReset)
	rcc.AHB2ENR.Set(0)
	rcc.APB1ENR.Set(0)
	rcc.APB2ENR.Set(0)
}

func disableCounter() {
	dwtCtrl.Set(0)
	demcr.Set(0)
}

// StackPointer is about where the caller's stack ends.
func StackPointer() uintptr { return arm.AsmFull("mov {}, sp", nil) }
