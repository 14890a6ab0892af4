//go:build tinygo && esp32c3

package board

import (
	"device/esp"
	"machine"
	"runtime/interrupt"
	"runtime/volatile"
)

// AnalogPeriodMin is the shortest period of samples in ticks of TimerHz: the part
// is specified for 100 000 conversions a second (ESP32-C3 Series Datasheet, ADC
// Characteristics). How long one takes is not published.
const AnalogPeriodMin = TimerHz / 100_000

// SampleAnalog converts the analog input once at the beginning of each of the
// timer's periods. The converter can't be triggered by the timer: the processor
// waits for the timer's flag, with interrupts off, and starts it, so that a
// sample is some ten core cycles late, uncertain by one round of the waiting loop.
// It returns false if a conversion was not done in time for the next.
func SampleAnalog(values []volatile.Register16, period uint32) bool {
	startADC()
	setTimer(period, period/4)
	mask := interrupt.Disable()
	ok := sample(values)
	interrupt.Restore(mask)
	StopTimer()
	esp.APB_SARADC.ONETIME_SAMPLE.Set(0)
	return ok
}

const (
	adcOnce  = esp.APB_SARADC_ONETIME_SAMPLE_SARADC1_ONETIME_SAMPLE | 3<<esp.APB_SARADC_ONETIME_SAMPLE_SARADC_ONETIME_ATTEN_Pos // 11 dB, channel 0
	adcStart = adcOnce | esp.APB_SARADC_ONETIME_SAMPLE_SARADC_ONETIME_START
	adcDone  = esp.APB_SARADC_INT_RAW_APB_SARADC1_DONE_INT_RAW
	adcBits  = 0xFFF // of a result; above it stands the channel
)

func startADC() {
	machine.InitADC()
	machine.ADC{Pin: analogPin}.Configure(machine.ADCConfig{})
	esp.APB_SARADC.ONETIME_SAMPLE.Set(adcOnce)
	esp.APB_SARADC.INT_CLR.Set(adcDone)
}

// sample starts a conversion at each overflow of the timer, and fails if it
// still goes on at the next.
func sample(values []volatile.Register16) bool {
	adc := esp.APB_SARADC
	for i := range values {
		for !overflowed() {
		}
		adc.ONETIME_SAMPLE.Set(adcStart)
		clearOverflow()
		for adc.INT_RAW.Get()&adcDone == 0 {
			if overflowed() {
				return false
			}
		}
		values[i].Set(uint16(adc.SAR1DATA_STATUS.Get() & adcBits))
		adc.INT_CLR.Set(adcDone)
		adc.ONETIME_SAMPLE.Set(adcOnce)
	}
	return true
}
