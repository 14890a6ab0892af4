//go:build tinygo && k210 && ota

package board

import (
	"device/kendryte"
	"device/riscv"
	"runtime/volatile"
)

// The watchdog is WDT0, a DesignWare DW_apb_wdt. Its timeouts are powers of two of its clock,
// the crystal's divided by twice a threshold and one; here 2^20.
const (
	crystalHz       = 26_000_000
	watchdogTop     = 4 // 2^(16+4) clocks
	watchdogRestart = 0x76
)

// StartWatchdog starts the watchdog, which resets the part when it was not fed for so many
// seconds, 20 at most. Nothing but a reset stops it.
func StartWatchdog(seconds uint32) {
	threshold := crystalHz/2*seconds>>(16+watchdogTop) - 1
	s, w := kendryte.SYSCTL, kendryte.WDT0
	s.CLK_EN_CENT.SetBits(kendryte.SYSCTL_CLK_EN_CENT_APB1_CLK_EN)
	s.CLK_EN_PERI.SetBits(kendryte.SYSCTL_CLK_EN_PERI_WDT0_CLK_EN)
	s.CLK_TH6.ReplaceBits(threshold, kendryte.SYSCTL_CLK_TH6_WDT0_CLK_Msk, 0)
	w.TORR.Set(watchdogTop<<4 | watchdogTop) // the first timeout and all others
	w.CR.Set(kendryte.WDT_CR_ENABLE)         // reset without an interrupt before
	FeedWatchdog()
}

// FeedWatchdog puts off what the watchdog does, if it was started.
func FeedWatchdog() {
	if kendryte.SYSCTL.CLK_EN_PERI.HasBits(kendryte.SYSCTL_CLK_EN_PERI_WDT0_CLK_EN) {
		kendryte.WDT0.CRR.Set(watchdogRestart)
	}
}

// Restart resets the part; RAM stays.
func Restart() {
	finishConsole()
	kendryte.SYSCTL.SOFT_RESET.Set(1)
	for {
	}
}

// finishConsole waits until the last byte has left. The one that the FIFO has given
// away is still on the line, for eleven bits of 115200 baud.
func finishConsole() {
	console.Bus.TXCTRL.Set(kendryte.UARTHS_TXCTRL_TXEN | 1<<kendryte.UARTHS_TXCTRL_TXCNT_Pos)
	for !console.Bus.IP.HasBits(kendryte.UARTHS_IP_TXWM) {
	}
	pause(96)
}

// Idle lets the processor sleep until an interrupt, 10 ms at most, unless there is
// something on the console.
func Idle() {
	mask := riscv.DisableInterrupts()
	if console.Buffered() == 0 {
		kendryte.CLINT.MTIMECMP[0].Set(kendryte.CLINT.MTIME.Get() + CoreHz/50/100)
		riscv.MIE.SetBits(riscv.MIE_MTIE)
		riscv.Asm("wfi")
		riscv.MIE.ClearBits(riscv.MIE_MTIE)
	}
	riscv.EnableInterrupts(mask)
}

// handed is the offset in flash of the image that the boot program handed over to. A program
// can't tell by where it runs.
//
//go:extern board_handed
var handed volatile.Register32

// StackPointer is about where the caller's stack ends.
func StackPointer() uintptr { return riscv.AsmFull("mv {}, sp", nil) }
