//go:build tinygo && stm32f407 && (hsi16 || ota)

package board

import "device/stm32"

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
