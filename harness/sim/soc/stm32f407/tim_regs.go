package stm32f407

import (
	"fmt"

	"rigor/harness/sim/bus"
)

// The timers' registers, RM0090 §18.4 and §20.4.

const (
	timCR1   = 0x00
	timCR2   = 0x04
	timSMCR  = 0x08
	timDIER  = 0x0C
	timSR    = 0x10
	timEGR   = 0x14
	timCCMR1 = 0x18
	timCCMR2 = 0x1C
	timCCER  = 0x20
	timCNT   = 0x24
	timPSC   = 0x28
	timARR   = 0x2C
	timCCR1  = 0x34
	timCCR4  = 0x40
	timBDTR  = 0x44 // reserved here, see Store
	timOR    = 0x50
)

// timBasicRegs are the registers of TIM6 and TIM7 (§20.4).
var timBasicRegs = map[uint32]bool{timCR1: true, timCR2: true, timDIER: true, timSR: true, timEGR: true, timCNT: true, timPSC: true, timARR: true}

// Load implements bus.Device.
func (t timer) Load(off uint32, width uint8) (uint64, bus.Fault) {
	if t.basic() && !timBasicRegs[off] {
		return 0, t.c.unknown(t.name(), off)
	}
	t.sync(t.c.now())
	v, f := t.load(off)
	return uint64(v), f
}

func (t timer) load(off uint32) (uint32, bus.Fault) {
	switch off {
	case timCR1:
		v := t.Cr1 &^ timDIR
		if t.K.Down {
			v |= timDIR
		}
		return v, bus.None
	case timCR2:
		return t.Cr2, bus.None
	case timSMCR:
		return t.Smcr, bus.None
	case timDIER:
		return t.Dier, bus.None
	case timSR:
		return t.Sr, bus.None
	case timEGR, timBDTR: // write only; nothing there
		return 0, bus.None
	case timCCMR1, timCCMR2:
		return t.Ccmr[(off-timCCMR1)/4], bus.None
	case timCCER:
		return t.Ccer, bus.None
	case timCNT:
		return uint32(t.K.Cnt), bus.None
	case timPSC:
		return t.Psc, bus.None
	case timARR:
		return t.Arr, bus.None
	case timCCR1, timCCR1 + 4, timCCR1 + 8, timCCR4:
		return t.loadCCR(int(off-timCCR1) / 4), bus.None
	case timOR:
		return 0, bus.None
	}
	return 0, t.c.unknown(t.name(), off)
}

// loadCCR: reading a captured value clears CCxIF (§18.4.5).
func (t timer) loadCCR(i int) uint32 {
	if t.channelMode(i) != 0 {
		t.Sr &^= 2 << i
		t.apply()
	}
	return t.Ccr[i]
}

// Store implements bus.Device.
func (t timer) Store(off uint32, width uint8, v uint64) bus.Fault {
	if t.basic() && !timBasicRegs[off] {
		return t.c.unknown(t.name(), off)
	}
	if what := t.lacks(off, uint32(v)); what != "" {
		return t.c.lack(t.name() + "." + what)
	}
	t.sync(t.c.now())
	f := t.store(off, uint32(v))
	t.apply()
	return f
}

func (t timer) store(off uint32, v uint32) bus.Fault {
	switch off {
	case timCR1:
		t.storeCR1(v & 0x3FF)
	case timCR2:
		t.Cr2 = v & 0xF8
	case timSMCR:
		t.storeSMCR(v & 0xFFF7)
	case timDIER:
		t.Dier = v & 0x5F5F
		if t.basic() {
			t.Dier &= timUIF
		}
	case timSR:
		t.Sr &= v // rc_w0
	case timEGR:
		t.generate(v)
	case timCCMR1, timCCMR2:
		t.Ccmr[(off-timCCMR1)/4] = v & 0xFFFF
		t.unloaded()
	case timCCER:
		t.storeCCER(v & 0xBBBB)
	case timCNT:
		t.K.Cnt = uint64(v) & t.K.Max
	case timPSC:
		t.Psc = v & 0xFFFF
	case timARR:
		t.Arr = v & uint32(t.K.Max)
		t.unloaded()
	case timCCR1, timCCR1 + 4, timCCR1 + 8, timCCR4:
		if i := int(off-timCCR1) / 4; t.channelMode(i) == 0 {
			t.Ccr[i] = v & uint32(t.K.Max)
			t.unloaded()
		}
	case timBDTR: // of TIM1 and TIM8 only; common drivers write it everywhere
	case timOR: // 0 or refused by lacks
	default:
		return t.c.unknown(t.name(), off)
	}
	return bus.None
}

// unloaded passes registers without preload on at once.
func (t timer) unloaded() {
	if t.Cr1&timARPE == 0 {
		t.K.Arr = uint64(t.Arr)
	}
	for i := range 4 {
		if preload := t.Ccmr[i/2]>>(8*(i%2)+3)&1 != 0; !preload && t.channelMode(i) == 0 {
			t.K.Ccr[i] = uint64(t.Ccr[i])
		}
	}
}

func (t timer) storeCR1(v uint32) {
	if t.basic() {
		v &= 0x8F
	}
	start := v&timCEN != 0 && t.Cr1&timCEN == 0
	t.Cr1 = v
	t.K.Both = v&timCMS != 0
	if !t.K.Both {
		t.K.Down = v&timDIR != 0
	}
	t.unloaded()
	if start {
		t.K.align(t.c.now(), t.K.Div)
	}
}

// storeSMCR looks at the level of a gating input as the mode is chosen.
func (t timer) storeSMCR(v uint32) {
	t.Smcr = v
	switch ts := v >> 4 & 7; ts {
	case 5, 6:
		ch := int(ts) - 5
		t.Gate = t.c.afIn(t.info.chan1+signal(ch)) == (t.Ccer>>(4*ch)&2 == 0)
	case 0, 1, 2, 3:
		for n := 2; n <= 5; n++ {
			if m := t.c.timer(n); t.follows(m) {
				t.Gate = m.Trgo
			}
		}
	}
	if t.counting() {
		t.K.align(t.c.now(), t.K.Div)
	}
}

// storeCCER: a channel that is off forgets the edges it had counted (§18.4.7).
func (t timer) storeCCER(v uint32) {
	t.Ccer = v
	for i := range 4 {
		if v>>(4*i)&1 == 0 {
			t.Taken[i] = 0
		}
	}
}

// generate is a write to EGR (§18.4.6).
func (t timer) generate(v uint32) {
	for i := range 4 {
		if v>>(i+1)&1 == 0 || t.basic() {
			continue
		}
		if t.channelMode(i) == 0 {
			t.Sr |= 2 << i
		} else {
			t.capture(i)
		}
	}
	if v&timTIF != 0 && !t.basic() {
		t.Sr |= timTIF
	}
	if v&timUIF != 0 {
		t.reinit()
		t.K.align(t.c.now(), t.K.Div)
	}
}

// lacks names what a value asks of a register and the model does not have.
func (t timer) lacks(off, v uint32) string {
	switch off {
	case timCR2:
		return firstBit(v, "CR2", []bit{{0x08, "CCDS"}, {0x80, "TI1S"}})
	case timSMCR:
		return t.lacksSMCR(v)
	case timDIER:
		return firstBit(v, "DIER", []bit{{0x100, "UDE"}, {0x200, "CC1DE"}, {0x400, "CC2DE"}, {0x800, "CC3DE"}, {0x1000, "CC4DE"}, {0x4000, "TDE"}})
	case timCCMR1, timCCMR2:
		return lacksCCMR(v, int(off-timCCMR1)/4)
	case timOR:
		return firstBit(v, "OR", []bit{{0xFFFF, "remapping"}})
	}
	return ""
}

func (t timer) lacksSMCR(v uint32) string {
	if what := firstBit(v, "SMCR", []bit{{0xF00, "ETF"}, {0x3000, "ETPS"}, {0x4000, "ECE"}, {0x8000, "ETP"}}); what != "" {
		return what
	}
	mode, ts := v&7, v>>4&7
	switch {
	case mode >= 1 && mode <= 3:
		return "SMCR.SMS encoder mode"
	case mode != 0 && ts == 7:
		return "SMCR.TS ETRF"
	case mode != 0 && ts < 4 && t.info.itr[ts] == 0:
		return fmt.Sprintf("SMCR.TS ITR%d (TIM1 or TIM8)", ts)
	}
	return ""
}

func lacksCCMR(v uint32, reg int) string {
	for i := range 2 {
		half, ch := v>>(8*i)&0xFF, 2*reg+i+1
		switch {
		case half&3 == 3:
			return fmt.Sprintf("CCMR%d.CC%dS TRC", reg+1, ch)
		case half&3 == 0 && half&4 != 0:
			return fmt.Sprintf("CCMR%d.OC%dFE", reg+1, ch)
		case half&3 == 0 && half&0x80 != 0:
			return fmt.Sprintf("CCMR%d.OC%dCE", reg+1, ch)
		case half&3 != 0 && half&0xF0 != 0:
			return fmt.Sprintf("CCMR%d.IC%dF", reg+1, ch)
		}
	}
	return ""
}

// bit names a field that the model lacks.
type bit struct {
	mask uint32
	name string
}

// firstBit names the first of the fields that the value sets.
func firstBit(v uint32, reg string, fields []bit) string {
	for _, f := range fields {
		if v&f.mask != 0 {
			return reg + "." + f.name
		}
	}
	return ""
}
