//go:build tinygo && stm32f407 && !hsi16

package board

// CoreHz is the core clock: what TinyGo sets up at start, 168 MHz from the
// 8 MHz crystal through the PLL, with 5 flash wait states, caches on, prefetch off.
const CoreHz = 168_000_000

func setClock() {}
