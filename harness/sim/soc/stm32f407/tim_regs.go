package stm32f407

import (
	"fmt"

	"rigor/harness/sim/bus"
)

// The timers' registers, RM0090 §17.4, §18.4, §19.4, §19.5 and §20.4.

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
	timRCR   = 0x30
	timCCR1  = 0x34
	timCCR4  = 0x40
	timBDTR  = 0x44
	timDCR   = 0x48
	timDMAR  = 0x4C
	timOR    = 0x50
)

// timMask has a timer's implemented bits; a register without any is a
// reserved word.
type timMask struct{ cr1, cr2, smcr, dier, sr, egr, ccmr1, ccmr2, ccer uint32 }

// timMasks are by timKind.
var timMasks = [...]timMask{
	timBasic:    {cr1: 0x8F, cr2: 0x70, dier: 0x101, sr: 0x1, egr: 0x1},
	timOne:      {cr1: 0x38F, dier: 0x3, sr: 0x203, egr: 0x3, ccmr1: 0xFF, ccer: 0xB},
	timTwo:      {cr1: 0x38F, smcr: 0xF7, dier: 0x47, sr: 0x647, egr: 0x47, ccmr1: 0xFFFF, ccer: 0xBB},
	timFull:     {cr1: 0x3FF, cr2: 0xF8, smcr: 0xFFF7, dier: 0x5F5F, sr: 0x1E5F, egr: 0x5F, ccmr1: 0xFFFF, ccmr2: 0xFFFF, ccer: 0xBBBB},
	timAdvanced: {cr1: 0x3FF, cr2: 0x7FFD, smcr: 0xFFF7, dier: 0x7FFF, sr: 0x1EFF, egr: 0xFF, ccmr1: 0xFFFF, ccmr2: 0xFFFF, ccer: 0x3FFF},
}

func (t timer) mask() *timMask { return &timMasks[t.info.kind] }

// has reports whether the timer has a register. BDTR counts as one of every
// timer with channels, as common drivers write it everywhere.
func (t timer) has(off uint32) bool {
	m := t.mask()
	switch off {
	case timCR1, timDIER, timSR, timEGR, timCNT, timPSC, timARR:
		return true
	case timCR2:
		return m.cr2 != 0
	case timSMCR:
		return m.smcr != 0
	case timCCMR1, timCCER, timBDTR:
		return m.ccmr1 != 0
	case timCCMR2, timDCR, timDMAR:
		return t.full()
	case timRCR:
		return t.advanced()
	case timCCR1, timCCR1 + 4, timCCR1 + 8, timCCR4:
		return int(off-timCCR1)/4 < t.channels()
	case timOR:
		return timRemaps[t.info.n].mask != 0
	}
	return false
}

// timRemaps are the fields of OR.
var timRemaps = map[int]struct {
	mask  uint32
	name  string
	lacks func(v uint32) bool
}{
	2:  {3 << 10, "ITR1_RMP", func(v uint32) bool { return v != 0 }},
	5:  {3 << 6, "TI4_RMP", func(v uint32) bool { return v == 3<<6 }},
	11: {3, "TI1_RMP", func(uint32) bool { return false }},
}

// Load implements bus.Device.
func (t timer) Load(off uint32, width uint8) (uint64, bus.Fault) {
	if !t.has(off) {
		return 0, t.c.unknown(t.name(), off)
	}
	t.sync(t.c.Cycle())
	return uint64(t.load(off)), bus.None
}

func (t timer) load(off uint32) uint32 {
	switch off {
	case timCR1:
		v := t.Cr1 &^ timDIR
		if t.K.Down {
			v |= timDIR
		}
		return v
	case timCR2:
		return t.Cr2
	case timSMCR:
		return t.Smcr
	case timDIER:
		return t.Dier
	case timSR:
		return t.Sr
	case timCCMR1, timCCMR2:
		return t.Ccmr[(off-timCCMR1)/4]
	case timCCER:
		return t.Ccer
	case timCNT:
		return uint32(t.K.Cnt)
	case timPSC:
		return t.Psc
	case timARR:
		return t.Arr
	case timRCR:
		return t.Rcr
	case timCCR1, timCCR1 + 4, timCCR1 + 8, timCCR4:
		return t.loadCCR(int(off-timCCR1) / 4)
	case timBDTR:
		return t.Bdtr
	case timDCR:
		return t.Dcr
	case timOR:
		return t.Or
	case timDMAR:
		if at, ok := t.burst(); ok {
			return t.load(at)
		}
	}
	return 0 // EGR is write-only
}

// loadCCR: reading a captured value clears CCxIF (§18.4.5).
func (t timer) loadCCR(i int) uint32 {
	if t.channelMode(i) != 0 {
		t.Sr &^= timCC1IF << i
		t.apply()
	}
	return t.Ccr[i]
}

// burst is the register that DMAR stands for in this access, and steps on; a
// burst that is not done asks for its next transfer (§18.4.17, §18.4.18).
func (t timer) burst() (at uint32, ok bool) {
	at = (t.Dcr&0x1F + uint32(t.Burst)) * 4
	if t.Burst++; uint32(t.Burst) <= t.Dcr>>8&0x1F {
		t.c.dmaPulse(t.Asked)
	} else {
		t.Burst = 0
	}
	return at, at < timDMAR && t.has(at)
}

// Store implements bus.Device.
func (t timer) Store(off uint32, width uint8, v uint64) bus.Fault {
	if !t.has(off) {
		return t.c.unknown(t.name(), off)
	}
	if what := t.lacks(off, uint32(v)); what != "" {
		return t.c.lack(t.name() + "." + what)
	}
	t.sync(t.c.Cycle())
	if off == timDMAR {
		if at, ok := t.burst(); ok {
			return t.Store(at, width, v)
		}
		return bus.None
	}
	chained := off == timCR2 || off == timSMCR || off == timCCMR1 || off == timCCMR2
	if chained {
		t.c.timSync() // what masters did before is not for this timer
	}
	t.store(off, uint32(v))
	t.apply()
	if chained {
		t.c.timRewatch()
	}
	return bus.None
}

func (t timer) store(off uint32, v uint32) {
	m := t.mask()
	switch off {
	case timCR1:
		t.storeCR1(v & m.cr1)
	case timCR2:
		t.storeCR2(v & m.cr2)
	case timSMCR:
		t.storeSMCR(v & m.smcr)
	case timDIER:
		t.enableDMA(v & m.dier)
	case timSR:
		t.storeSR(v)
	case timEGR:
		t.generate(v & m.egr)
	case timCCMR1:
		t.storeCCMR(0, v&m.ccmr1)
	case timCCMR2:
		t.storeCCMR(1, v&m.ccmr2)
	case timCCER:
		t.storeCCER(v & m.ccer)
	case timCNT:
		t.K.Cnt = uint64(v) & t.K.Max
	case timPSC:
		t.Psc = v & 0xFFFF
	case timARR:
		t.Arr = v & uint32(t.K.Max)
		t.unloaded()
	case timRCR:
		t.Rcr = v & 0xFF
	case timCCR1, timCCR1 + 4, timCCR1 + 8, timCCR4:
		if i := int(off-timCCR1) / 4; t.channelMode(i) == 0 {
			t.Ccr[i] = v & uint32(t.K.Max)
			t.unloaded()
		}
	case timBDTR:
		if t.advanced() {
			t.storeBDTR(v & 0xFFFF)
		}
	case timDCR:
		t.Dcr, t.Burst = v&0x1F1F, 0
	case timOR:
		t.storeOR(v)
	}
}

// unloaded passes registers without preload on at once.
func (t timer) unloaded() {
	if t.Cr1&timARPE == 0 {
		t.K.Arr = uint64(t.Arr)
	}
	for i := range t.channels() {
		if preload := t.Ccmr[i/2]>>(8*(i%2)+3)&1 != 0; !preload && t.channelMode(i) == 0 {
			t.K.Ccr[i] = uint64(t.Ccr[i])
		}
	}
}

func (t timer) storeCR1(v uint32) {
	start := v&timCEN != 0 && t.Cr1&timCEN == 0
	t.Cr1 = v
	t.K.Both = v&timCMS != 0
	if mode := t.slaveMode(); !t.K.Both && (mode == 0 || mode > slaveEncoder3) {
		t.K.Down = v&timDIR != 0
	}
	t.unloaded()
	if start {
		t.K.align(t.c.Cycle(), t.K.Div)
	}
}

// storeCR2: LOCK keeps OISx and OISxN from level 1 on (§17.4.18).
func (t timer) storeCR2(v uint32) {
	t.Cr2 = t.kept(1, 0x7F00, t.Cr2, v)
	t.uncommuted()
	t.refilter()
}

// storeSMCR looks at the level of a gating input as the mode is chosen.
func (t timer) storeSMCR(v uint32) {
	t.Smcr = v
	if t.info.etr != sigNone {
		t.prescaleETR(t.ETRPin != (v&timETP != 0))
	}
	switch ts := t.triggerSource(); ts {
	case 5, 6:
		ch := int(ts) - 5
		t.Gate = t.TI[ch].Out == (t.Ccer>>(4*ch)&2 == 0)
	case 7:
		t.Gate = t.ETR.Out
	case 0, 1, 2, 3:
		t.Gate = t.c.timer(t.info.itr[ts]).masterLevel()
	}
	if t.counting() {
		t.K.align(t.c.Cycle(), t.K.Div)
	}
}

// storeSR: flags are rc_w0; BIF stays while the break input is active.
func (t timer) storeSR(v uint32) {
	t.Sr &= v
	if t.breaking() {
		t.Sr |= timBIF
	}
}

// storeCCMR: CCxS can be written only while the channel is off (§18.4.7), and
// LOCK keeps OCxM and OCxPE of outputs from level 3 on.
func (t timer) storeCCMR(r int, v uint32) {
	old := t.Ccmr[r]
	for i := range 2 {
		half := uint32(0xFF) << (8 * i)
		if on := t.Ccer>>(8*r+4*i)&5 != 0; on && (v^old)&half&0x303 != 0 {
			t.c.warn("%s.CCMR%d.CC%dS written while the channel is on", t.name(), r+1, 2*r+i+1)
			v = v&^(half&0x303) | old&half&0x303
		}
		if old&half&0x303 == 0 {
			v = t.kept(3, half&0x7878, old, v)
		}
	}
	t.Ccmr[r] = v
	t.uncommuted()
	t.unloaded()
	t.refilter()
	t.clear()
}

// storeCCER: a channel that is off forgets the edges it had counted (§18.4.7);
// LOCK keeps the polarities of outputs from level 2 on.
func (t timer) storeCCER(v uint32) {
	for i := range t.channels() {
		if t.channelMode(i) == 0 {
			v = t.kept(2, 0xA<<(4*i), t.Ccer, v)
		}
		if v>>(4*i)&1 == 0 {
			t.Taken[i] = 0
		}
	}
	t.Ccer = v
	t.uncommuted()
}

// kept is a new value with the bits that LOCK keeps from a level on.
func (t timer) kept(lock, bits, old, v uint32) uint32 {
	if t.Bdtr>>8&3 < lock {
		return v
	}
	return v&^bits | old&bits
}

// storeBDTR is §17.4.18. The first write fixes LOCK.
func (t timer) storeBDTR(v uint32) {
	old := t.Bdtr
	v = t.kept(1, timBKE|timBKP|timAOE|0xFF, old, v)
	v = t.kept(2, timOSSI|timOSSR, old, v)
	if t.Locked {
		v = v&^0x300 | old&0x300
	}
	t.Locked = true
	t.Bdtr = v&^timMOE | old&timMOE
	switch {
	case t.breaking():
		t.breaks()
	case v&timMOE == 0:
		t.disarm()
	default:
		t.Bdtr |= timMOE
	}
}

// generate is a write to EGR (§18.4.6).
func (t timer) generate(v uint32) {
	for i := range t.channels() {
		switch {
		case v>>(i+1)&1 == 0:
		case t.channelMode(i) == 0:
			t.channelEvent(i)
		default:
			t.capture(i)
		}
	}
	if v&timTIF != 0 {
		t.Sr |= timTIF
		t.request(timTDE, 5)
	}
	if v&timCOMIF != 0 {
		t.commute()
	}
	if v&timBIF != 0 {
		t.breaks()
	}
	if v&timUIF != 0 {
		t.reinit()
		t.K.align(t.c.Cycle(), t.K.Div)
	}
}

// lacks names what a value asks of a register and the model does not have, or
// the manual reserves.
func (t timer) lacks(off, v uint32) string {
	switch off {
	case timSMCR:
		if mode := v & 7; !t.full() && mode >= slaveEncoder1 && mode <= slaveEncoder3 {
			return "SMCR.SMS encoder mode, reserved"
		}
	case timCCMR1, timCCMR2:
		return t.lacksCCMR(v, int(off-timCCMR1)/4)
	case timOR:
		if r := timRemaps[t.info.n]; r.lacks(v & r.mask) {
			return "OR." + r.name
		}
	}
	return ""
}

func (t timer) lacksCCMR(v uint32, reg int) string {
	for i := range min(2, t.channels()) {
		half, ch := v>>(8*i)&0xFF, 2*reg+i+1
		switch {
		case half&3 > 1 && t.info.kind == timOne:
			return fmt.Sprintf("CCMR%d.CC%dS %d, reserved", reg+1, ch, half&3)
		case half&3 == 0 && half&0x80 != 0 && !t.full():
			return fmt.Sprintf("CCMR%d.OC%dCE, reserved", reg+1, ch)
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
