//go:build tinygo && stm32f407

package board

import (
	"device/stm32"
	"machine"
	"runtime/volatile"
	"unsafe"
)

// The analog input is PA1, channel 1 of ADC1.
const (
	analogPin     = machine.PA1
	analogChannel = 1
)

// Bits that the SVD file doesn't name.
const (
	adcPreDiv4    = 1 << 16 // CCR.ADCPRE: PCLK2 / 4, 21 MHz (RM0090 §13.13.16)
	adcTIM3TRGO   = 8 << 24 // CR2.EXTSEL (§13.6, table 69)
	adcRisingEdge = 1 << 28 // CR2.EXTEN
	adcDMA        = 1 << 8  // CR2.DMA
	adcCycles15   = 1       // SMPR2.SMP1
	smp1          = 3       // where it begins

	dmaHalfwords  = 1<<13 | 1<<11 // S0CR.MSIZE, PSIZE (§10.5.5)
	dmaIncrement  = 1 << 10       // MINC
	dmaVeryUrgent = 3 << 16       // PL
	dmaEnable     = 1 << 0
	dmaComplete   = 1 << 5 // LISR.TCIF0
	dmaErrors     = 0x0D   // LISR.TEIF0, DMEIF0, FEIF0
)

// AnalogPeriodMin is the shortest period of samples in ticks of TimerHz: sampling
// takes 15 cycles of the ADC's 21 MHz and conversion 12 (§13.5), the timer has 84.
const AnalogPeriodMin = 28 * 4

// SampleAnalog converts the analog input once at the beginning of each of the timer's
// periods, by hardware alone: the update that raises the timer pin triggers ADC1,
// and DMA2 stores the result. It returns false if a result was lost.
func SampleAnalog(values []volatile.Register16, period uint32) bool {
	setTimer(period, period/4) // its update by software must not trigger
	startDMA(values)
	startADC()
	startTimer()
	for stm32.DMA2.LISR.Get()&(dmaComplete|dmaErrors) == 0 && !stm32.ADC1.SR.HasBits(stm32.ADC_SR_OVR) {
	}
	StopTimer()
	ok := stm32.DMA2.LISR.Get()&dmaComplete != 0
	stm32.ADC1.CR2.Set(0)
	stm32.DMA2.S0CR.Set(0)
	return ok
}

func startDMA(values []volatile.Register16) {
	stm32.RCC.AHB1ENR.SetBits(stm32.RCC_AHB1ENR_DMA2EN)
	d := stm32.DMA2
	d.S0CR.Set(0)
	for d.S0CR.HasBits(dmaEnable) {
	}
	d.LIFCR.Set(dmaComplete | dmaErrors | 1<<4)
	d.S0PAR.Set(uint32(uintptr(unsafe.Pointer(&stm32.ADC1.DR))))
	d.S0M0AR.Set(uint32(uintptr(unsafe.Pointer(&values[0]))))
	d.S0NDTR.Set(uint32(len(values)))
	const mode = dmaVeryUrgent | dmaHalfwords | dmaIncrement // channel 0 is ADC1 (table 43)
	d.S0CR.Set(mode)
	d.S0CR.Set(mode | dmaEnable)
}

func startADC() {
	stm32.RCC.APB2ENR.SetBits(stm32.RCC_APB2ENR_ADC1EN)
	analogPin.Configure(machine.PinConfig{Mode: machine.PinInputAnalog})
	stm32.ADC_Common.CCR.Set(adcPreDiv4)
	a := stm32.ADC1
	a.CR1.Set(0)
	a.CR2.Set(stm32.ADC_CR2_ADON)
	for began := Cycles(); Cycles()-began < CoreHz/100_000; { // 10 us; t_STAB is 3 us (DS8626 table 67)
	}
	a.SMPR2.Set(adcCycles15 << smp1)
	a.SQR1.Set(0) // one conversion
	a.SQR3.Set(analogChannel)
	a.SR.Set(0)
	a.CR2.Set(stm32.ADC_CR2_ADON | adcDMA | adcTIM3TRGO | adcRisingEdge)
}
