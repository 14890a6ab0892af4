//go:build tinygo && stm32f407 && !hsi16

package board

// CoreHz is the core clock: what TinyGo sets up at start, 168 MHz from the
// 8 MHz crystal through the PLL, with 5 flash wait states, caches on, prefetch off.
const CoreHz = 168_000_000

// TimerHz is the clock of the timer: twice that of APB1, which is a fourth of
// the core's (RM0090 §7.2).
const TimerHz = 84_000_000

const tickTimerHz = TimerHz / 13 // as TinyGo sets up TIM2

func setClock() {}
