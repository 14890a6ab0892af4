package stm32f407

import "rigor/harness/sim/board"

// Analog is what a part's converters make of a voltage. The zero value is
// ideal: nothing but quantisation.
type Analog struct {
	OffsetUV   int64 // added to every voltage, microvolts
	GainPPM    int64 // of the voltage, parts per million
	NoiseUVrms int64 // Gaussian, from Options.Seed, microvolts
}

// Voltages of the internal channels, typical (DS8626 §6.3.22 to §6.3.24), at
// 25 degrees Celsius; VBAT is taken to be VDD, and the bridge halves it.
const (
	adcTempUV = 760_000
	adcVrefUV = 1_210_000
)

// adcPins are the pins of channels 0 to 15 (DS8626 §4, table 7), of ADC1 and
// ADC2, and of ADC3.
var adcPins = [2][16]int{
	{0, 1, 2, 3, 4, 5, 6, 7, portB + 0, portB + 1, portC + 0, portC + 1, portC + 2, portC + 3, portC + 4, portC + 5},
	{0, 1, 2, 3, portF + 6, portF + 7, portF + 8, portF + 9, portF + 10, portF + 3,
		portC + 0, portC + 1, portC + 2, portC + 3, portF + 4, portF + 5},
}

// sample is a channel's code at this moment: the nearest of the resolution,
// for the ideal transfer curve changes its first code at half an LSB (DS8626
// §6.3.21).
func (a adc) sample(ch uint32) uint32 {
	o, full := a.c.opt.ADC, int64(1)<<a.bits()
	uv := a.microvolts(ch)
	uv += uv*o.GainPPM/1_000_000 + o.OffsetUV
	if o.NoiseUVrms != 0 {
		uv += a.c.gauss() * o.NoiseUVrms >> 16
	}
	ref := a.c.supply()
	if uv <= 0 || ref == 0 {
		return 0
	}
	return uint32(min((2*uv*full+ref)/(2*ref), full-1))
}

// microvolts is the voltage of a channel.
func (a adc) microvolts(ch uint32) int64 {
	if ch < 16 {
		return a.pinMicrovolts(adcPins[a.n/2][ch])
	}
	on := a.c.ADCs.Ccr&adcTSVREFE != 0
	if ch == 18 {
		on = a.c.ADCs.Ccr&adcVBATE != 0
	}
	switch {
	case a.n != 0 || ch > 18:
		a.c.warn("%s has no channel %d: it converts as 0", a.name(), ch)
		return 0
	case !on:
		a.c.warn("%s channel %d converted while CCR keeps it off: it converts as 0", a.name(), ch)
		return 0
	case ch == 16:
		return adcTempUV
	case ch == 17:
		return adcVrefUV
	}
	return a.c.supply() / 2
}

// pinMicrovolts is the voltage of a pin, whatever its mode. A floating pin
// has the voltage that it had.
func (a adc) pinMicrovolts(p int) int64 {
	if a.c.mode(p) != modeAnalog {
		a.c.warn("%s converts %s, which is not in analog mode", a.name(), a.c.PinName(board.Pin(p)))
	}
	v := a.c.voltage(p)
	if v.Floating {
		a.c.warn("%s converts %s, which floats", a.name(), a.c.PinName(board.Pin(p)))
		return a.c.MicroVolts(board.Pin(p))
	}
	return v.MicroVolts
}

// gauss is a number of mean 0 and deviation 65536: the sum of twelve uniform
// ones of 16 bits.
func (c *Chip) gauss() int64 {
	sum := int64(-6 * 65535)
	for range 3 {
		for v := splitmix(&c.ADCs.Noise); v != 0; v >>= 16 {
			sum += int64(v & 0xFFFF)
		}
	}
	return sum
}
