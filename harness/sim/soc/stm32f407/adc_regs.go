package stm32f407

import (
	"fmt"

	"rigor/harness/sim/bus"
)

// The converters' registers, RM0090 §13.13: 0x100 bytes each, the common ones
// behind them.

type adcDevice struct{ *Chip }

const (
	adcSR   = 0x00
	adcCR1  = 0x04
	adcCR2  = 0x08
	adcJOFR = 0x14
	adcHTR  = 0x24
	adcLTR  = 0x28
	adcSQR  = 0x2C
	adcJSQR = 0x38
	adcJDR  = 0x3C
	adcDR   = 0x4C

	adcCommon = 0x300
)

// clock tells whether a converter's clock is on: each has its own.
func (d adcDevice) clock(n uint32) bool {
	on := d.RCC.ENR[apb2] >> 8 & 7
	if n == 3 {
		if on == 0 {
			d.warn("ADC_Common used while no converter's clock is on")
		}
		return on != 0
	}
	if on>>n&1 == 0 {
		d.warn("ADC%d used while its clock is off", n+1)
	}
	return on>>n&1 != 0
}

func (d adcDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	n := off >> 8
	switch {
	case !d.clock(n):
		return 0, bus.None
	case n == 3:
		return d.loadCommon(off)
	}
	a, off := d.adc(int(n)), off&0xFF
	if r := a.register(off); r != nil {
		return uint64(*r), bus.None
	}
	if off != adcDR {
		return 0, d.unknown(a.name(), off)
	}
	a.taken()
	return uint64(a.Dr), bus.None
}

// taken is a read of DR (§13.13.14): it clears EOC.
func (a adc) taken() {
	a.Unread = false
	a.Sr &^= adcEOC
	a.apply()
}

// register finds the registers that are read as they are; JDRx are read-only.
func (a adc) register(off uint32) *uint32 {
	switch {
	case off == adcSR:
		return &a.Sr
	case off == adcCR1:
		return &a.Cr1
	case off == adcCR2:
		return &a.Cr2
	case off < adcJOFR:
		return &a.Smpr[off/4-3]
	case off < adcHTR:
		return &a.Jofr[(off-adcJOFR)/4]
	case off == adcHTR:
		return &a.Htr
	case off == adcLTR:
		return &a.Ltr
	case off < adcJSQR:
		return &a.Sqr[(off-adcSQR)/4]
	case off == adcJSQR:
		return &a.Jsqr
	case off < adcDR:
		return &a.Jdr[(off-adcJDR)/4]
	}
	return nil
}

func (d adcDevice) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	n, v := off>>8, uint32(v64)
	switch {
	case !d.clock(n):
		return bus.None
	case n == 3:
		return d.storeCommon(off, v)
	}
	a, off := d.adc(int(n)), off&0xFF
	switch {
	case off == adcSR:
		a.storeSR(v)
	case off == adcCR1:
		a.Cr1 = v & 0x07C0FFFF
	case off == adcCR2:
		a.storeCR2(v)
	case off >= adcSQR && off <= adcJSQR:
		a.storeSequence(off, v)
	case off >= adcJDR && off <= adcDR: // read-only
	default:
		r := a.register(off)
		if r == nil {
			return d.unknown(a.name(), off)
		}
		*r = v & adcMask(off)
	}
	a.apply()
	return bus.None
}

func adcMask(off uint32) uint32 {
	switch off {
	case 0x0C: // SMPR1
		return 0x07FFFFFF
	case 0x10: // SMPR2
		return 0x3FFFFFFF
	}
	return 0xFFF // JOFRx, HTR, LTR
}

// storeSR clears flags by writing 0. EOC gone means that the result was seen.
func (a adc) storeSR(v uint32) {
	a.Sr &= v
	if v&adcEOC == 0 && a.Cr2&adcDMA == 0 || v&adcOVR == 0 {
		a.Unread = false
	}
}

func (a adc) storeCR2(v uint32) {
	was := a.Cr2
	a.Cr2 = v & 0x3F3F0F03
	if v&^was&adcADON != 0 {
		a.Ready = a.c.Time() + adcStabilise
	}
	if v&^was&adcDMA != 0 {
		a.Last = false
	}
	if v&adcADON == 0 {
		a.halt()
		a.Rank, a.JRank = 0, 0
	}
	if v&was&adcADON != 0 {
		if v&adcSWSTART != 0 {
			a.start(false)
		}
		if v&adcJSWSTART != 0 {
			a.triggerInjected(false)
		}
	} else if v&(adcSWSTART|adcJSWSTART) != 0 {
		a.c.warn("%s started while ADON is clear", a.name())
	}
	a.c.triggersChanged()
}

// storeSequence: to change a sequence while it is converted starts it over
// (§13.3.3).
func (a adc) storeSequence(off, v uint32) {
	masks := [4]uint32{0x00FFFFFF, 0x3FFFFFFF, 0x3FFFFFFF, 0x003FFFFF}
	*a.register(off) = v & masks[(off-adcSQR)/4]
	switch {
	case off == adcJSQR:
		a.JRank = 0
		if a.Group == adcInjected {
			a.begin(adcInjected, false)
		}
	default:
		a.Rank = 0
		if a.Group == adcRegular {
			a.begin(adcRegular, false)
		}
	}
}

func (d adcDevice) loadCommon(off uint32) (uint64, bus.Fault) {
	switch off - adcCommon {
	case 0x00: // CSR
		var v uint32
		for i := range d.ADCs.ADC {
			v |= d.ADCs.ADC[i].Sr << (8 * i)
		}
		return uint64(v), bus.None
	case 0x04:
		return uint64(d.ADCs.Ccr), bus.None
	case 0x08:
		return uint64(d.takeCDR()), bus.None
	}
	return 0, d.unknown("ADC_Common", off-adcCommon)
}

func (d adcDevice) storeCommon(off, v uint32) bus.Fault {
	switch off - adcCommon {
	case 0x00, 0x08: // read-only
	case 0x04:
		if m := v & 0x1F; !adcKnown(m) {
			return d.lack(fmt.Sprintf("ADC_Common.CCR MULTI %#02x", m))
		}
		if (v^d.ADCs.Ccr)&0xC01F != 0 {
			d.ADCs.Asked, d.ADCs.Given, d.ADCs.Fresh, d.ADCs.Turn = 0, 0, 0, 0
		}
		d.ADCs.Ccr = v & 0x00C3EF1F
		d.adcClockChanged()
		d.adc(0).apply()
	default:
		return d.unknown("ADC_Common", off-adcCommon)
	}
	return bus.None
}
