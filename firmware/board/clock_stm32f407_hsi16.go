//go:build tinygo && stm32f407 && hsi16

package board

import (
	"device/stm32"
	"machine"
	_ "unsafe" // for go:extern
)

// CoreHz is the core clock: the internal oscillator without the PLL. Flash needs
// no wait states there (RM0090 §3.5.1), so that code runs at the core's own pace.
const CoreHz = 16_000_000

// TimerHz is the clock of the timer: APB1's, undivided.
const TimerHz = 16_000_000

const tickTimerHz = CoreHz / 4 // see retimeTicks

// The runtime's tick timer counts to countMax in 10 ms.
//
//go:extern runtime.countMax
var countMax uint32

// setClock takes back the 168 MHz that TinyGo's runtime has set up by the time
// main starts, and tells the console and the tick timer. machine.CPUFrequency
// can't be told and goes on returning 168 MHz.
func setClock() {
	useHSI()
	stm32.FLASH.ACR.Set(0)
	const baud = 115200
	machine.UART1.Bus.BRR.Set((CoreHz + baud/2) / baud)
	retimeTicks()
}

func retimeTicks() {
	const prescale, perSecond = 4, 100
	countMax = CoreHz / prescale / perSecond
	stm32.TIM2.PSC.Set(prescale - 1)
	stm32.TIM2.ARR.Set(countMax - 1)
	stm32.TIM2.EGR.Set(stm32.TIM_EGR_UG)
}
