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

// hsiTrim is where HSITRIM begins in RCC.CR.
const hsiTrim = 3

// useHSI runs AHB, APB1 and APB2 from the internal oscillator, undivided.
// TinyGo's start-up writes RCC.CR as a whole and so takes HSITRIM away from its
// reset value of 16, which would leave the oscillator some 4 % slow (RM0090
// §7.3.1). The prescalers go last: at 168 MHz they keep APB1 and APB2 in bounds.
func useHSI() {
	rcc := stm32.RCC
	rcc.CR.ReplaceBits(16<<hsiTrim|stm32.RCC_CR_HSION, 0x1F<<hsiTrim|stm32.RCC_CR_HSION, 0)
	for !rcc.CR.HasBits(stm32.RCC_CR_HSIRDY) {
	}
	rcc.CFGR.ClearBits(stm32.RCC_CFGR_SW_Msk)
	for rcc.CFGR.Get()&stm32.RCC_CFGR_SWS_Msk != 0 {
	}
	rcc.CFGR.Set(0)
	rcc.CR.ClearBits(stm32.RCC_CR_PLLON | stm32.RCC_CR_HSEON)
}

func retimeTicks() {
	const prescale, perSecond = 4, 100
	countMax = CoreHz / prescale / perSecond
	stm32.TIM2.PSC.Set(prescale - 1)
	stm32.TIM2.ARR.Set(countMax - 1)
	stm32.TIM2.EGR.Set(stm32.TIM_EGR_UG)
}
