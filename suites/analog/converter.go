package analog

import "rigor/probes"

// codes is how many a converter has: all are of 12 bits.
const codes = 1 << 12

// A converter is what a chip's datasheet says of the one that the program uses.
type converter struct {
	full probes.MicroVolts // voltage at which code 4096 would begin, nominally
	top  probes.MicroVolts // highest voltage that it is specified for
	fast uint32            // rate of conversions that it reaches, Hz
}

// The converters by chip. The STM32F407's range is the board's VDDA; 391 kHz is
// near the fastest of 27 cycles of 21 MHz each that leaves room for the trigger.
// The ESP32-C3's attenuation of 11 dB makes 2000 of 1370 mV nominally (ESP-IDF,
// esp_efuse_rtc_calib.c), is specified up to 2500 mV, and for 100 000 conversions a
// second (ESP32-C3 Series Datasheet, ADC Characteristics).
var converters = map[string]converter{
	"stm32f407": {full: 3300 * probes.MilliVolt, top: 3300 * probes.MilliVolt, fast: 391_000},
	"esp32c3":   {full: 1370 * probes.MilliVolt * codes / 2000, top: 2500 * probes.MilliVolt, fast: 99_000},
}

// lsb is the width of a code in microvolts.
func (c converter) lsb() float64 { return float64(c.full) / codes }

// microvolts is the voltage at which a code begins.
func (c converter) microvolts(code int64) int64 { return code * int64(c.full) / codes }
