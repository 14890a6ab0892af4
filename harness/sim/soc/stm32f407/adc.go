package stm32f407

import "rigor/harness/sim/clock"

// Analog-to-digital converters ADC1 to ADC3, RM0090 §13.
//
// Modelled: all resolutions and sampling times, regular and injected sequences
// with scan, continuous, discontinuous and automatic injection, software and
// external triggers, both alignments, injected offsets, the analog watchdog,
// overrun, DMA with and without DDS, the multi modes of two and three converters,
// the internal channels, and the interrupts. Not modelled, and faulting by name:
// alternate trigger mode combined with regular simultaneous mode.
//
// Timing: a conversion takes its sampling time and one ADCCLK for each bit
// (§13.5); the voltage counts at the end of the sampling time. A regular
// conversion starts with the second edge of ADCCLK after its start, an injected
// one with the third, and external triggers need a clock of PCLK2 more: within
// the latencies of DS8626 §6.3.21, which gives maxima. Edges of ADCCLK are at
// multiples of its period in HCLK cycles. Sequences go on without a pause.
//
// Where the manual leaves it open: a regular trigger during a regular sequence
// is ignored, and an injected one during an injected sequence; with EOCS clear,
// EOC in discontinuous mode comes at the end of the whole sequence; the
// watchdog compares at the resolution of the conversion; an overrun keeps the
// older result; SWSTART and JSWSTART read 0 at once.
type adcs struct {
	ADC   [3]adcRegs
	Ccr   uint32
	Asked uint8  // transfers that CCR.DMA still asks of CDR
	Given uint8  // place in the order of CDR's items
	Fresh uint8  // interleaved results of which no transfer was asked yet
	Turn  uint8  // who is next in alternate trigger mode
	Noise uint64 // the noise generator's state
}

// adcRegs is one converter's state.
type adcRegs struct {
	Sr, Cr1, Cr2 uint32
	Smpr         [2]uint32
	Jofr         [4]uint32
	Htr, Ltr     uint32
	Sqr          [3]uint32
	Jsqr         uint32
	Jdr          [4]uint32
	Dr           uint32
	Group        adcGroup // what converts
	Phase        adcPhase
	At           uint64 // the cycle at which the phase ends
	Div          uint64 // HCLK cycles per ADCCLK as the phase began
	Rank, JRank  uint32 // of the present or next conversion
	Burst        uint32 // conversions done since the trigger
	Resume       bool   // a regular sequence waits for the injected one's end
	Code         uint32 // what was sampled
	Unread       bool   // DR holds what nobody read
	Last         bool   // DMA has made its last transfer and DDS is clear
	Ready        clock.Time
}

type adcGroup uint8

const (
	adcIdle adcGroup = iota
	adcRegular
	adcInjected
)

type adcPhase uint8

const (
	adcLatency adcPhase = iota
	adcSampling
	adcConverting
)

const (
	adcAWD   = 1 << 0 // SR
	adcEOC   = 1 << 1
	adcJEOC  = 1 << 2
	adcJSTRT = 1 << 3
	adcSTRT  = 1 << 4
	adcOVR   = 1 << 5

	adcEOCIE   = 1 << 5 // CR1
	adcAWDIE   = 1 << 6
	adcJEOCIE  = 1 << 7
	adcSCAN    = 1 << 8
	adcAWDSGL  = 1 << 9
	adcJAUTO   = 1 << 10
	adcDISCEN  = 1 << 11
	adcJDISCEN = 1 << 12
	adcJAWDEN  = 1 << 22
	adcAWDEN   = 1 << 23
	adcOVRIE   = 1 << 26

	adcADON     = 1 << 0 // CR2
	adcCONT     = 1 << 1
	adcDMA      = 1 << 8
	adcDDS      = 1 << 9
	adcEOCS     = 1 << 10
	adcALIGN    = 1 << 11
	adcJSWSTART = 1 << 22
	adcSWSTART  = 1 << 30

	adcVBATE   = 1 << 22 // CCR
	adcTSVREFE = 1 << 23

	irqADC     = 18
	apb2ADCRST = 1 << 8

	adcNone = 19 // and above: no channel

	adcNoiseSeed = 0xADC // tells the noise from other random things

	adcMaxHz     = 36_000_000            // DS8626 §6.3.21
	adcStabilise = 3 * clock.Microsecond // tSTAB, the maximum
)

// MULTI's modes (§13.13.16), of two converters or with adcThree of three.
const (
	adcIndependent = 0x00
	adcBoth        = 0x01 // regular and injected simultaneous
	adcMixed       = 0x02 // regular simultaneous and alternate trigger
	adcInjectedly  = 0x05 // injected simultaneous
	adcRegularly   = 0x06 // regular simultaneous
	adcInterleaved = 0x07
	adcAlternate   = 0x09 // alternate trigger
	adcThree       = 0x10
)

// adcSamplings are the sampling times in ADCCLK cycles (§13.13.4).
var adcSamplings = [8]uint64{3, 15, 28, 56, 84, 112, 144, 480}

// adcTriggers and adcJTriggers are EXTSEL and JEXTSEL (tables 69 and 70).
var (
	adcTriggers = [16]trigger{trgTIM1CC1, trgTIM1CC2, trgTIM1CC3, trgTIM2CC2, trgTIM2CC3, trgTIM2CC4, trgTIM2TRGO, trgTIM3CC1,
		trgTIM3TRGO, trgTIM4CC4, trgTIM5CC1, trgTIM5CC2, trgTIM5CC3, trgTIM8CC1, trgTIM8TRGO, trgEXTI11}
	adcJTriggers = [16]trigger{trgTIM1CC4, trgTIM1TRGO, trgTIM2CC1, trgTIM2TRGO, trgTIM3CC2, trgTIM3CC4, trgTIM4CC1, trgTIM4CC2,
		trgTIM4CC3, trgTIM4TRGO, trgTIM5CC4, trgTIM5TRGO, trgTIM8CC2, trgTIM8CC3, trgTIM8CC4, trgEXTI15}
)

// adc is one converter of a chip.
type adc struct {
	*adcRegs
	c *Chip
	n int // 0 for ADC1
}

func (c *Chip) adc(n int) adc { return adc{&c.ADCs.ADC[n], c, n} }

func (a adc) name() string { return "ADC" + string(rune('1'+a.n)) }

// adcReset is the reset of all three, which they share (§7.3.9).
func (c *Chip) adcReset() {
	noise := c.ADCs.Noise
	c.ADCs = adcs{Noise: noise}
	for n := range c.ADCs.ADC {
		a := c.adc(n)
		a.Htr = 0xFFF
		a.halt()
		a.apply()
	}
}

// adcDiv is how many HCLK cycles one ADCCLK takes (§13.13.16, ADCPRE).
func (c *Chip) adcDiv() uint64 {
	return c.pclkDiv(2) * 2 * uint64(c.ADCs.Ccr>>16&3+1)
}

// adcEvent handles a converter's deadline.
func (c *Chip) adcEvent(slot int) {
	a := c.adc(slot - slotADC)
	switch a.Phase {
	case adcLatency:
		a.started()
		a.convert()
	case adcSampling:
		a.Code = a.sample(a.channel())
		a.enter(adcConverting, a.bits())
	case adcConverting:
		if a.Group == adcRegular {
			a.regularDone()
		} else {
			a.injectedDone()
		}
	}
	a.apply()
}

// enter schedules the end of a phase that takes some cycles of ADCCLK.
func (a adc) enter(p adcPhase, cycles uint64) {
	a.Phase = p
	a.At += cycles * a.Div
	a.c.Schedule(slotADC+a.n, a.At)
}

// halt leaves the converter idle.
func (a adc) halt() {
	a.Group, a.Resume = adcIdle, false
	a.c.Schedule(slotADC+a.n, clock.Never)
}

func (a adc) started() {
	if a.Group == adcRegular {
		a.Sr |= adcSTRT
		return
	}
	a.Sr |= adcJSTRT
}

// convert begins the conversion of the present rank at At.
func (a adc) convert() { a.enter(adcSampling, a.sampling()) }

// sampling is the sampling time of the present rank.
func (a adc) sampling() uint64 {
	ch := a.channel()
	return adcSamplings[a.Smpr[1-ch/10]>>(3*(ch%10))&7]
}

// bits is the resolution.
func (a adc) bits() uint64 { return 12 - 2*uint64(a.Cr1>>24&3) }

// channel is what the present rank converts.
func (a adc) channel() uint32 {
	if a.Group == adcInjected {
		return min(a.Jsqr>>(5*(3-a.injectedLast()+a.JRank))&0x1F, adcNone)
	}
	return min(a.Sqr[2-a.Rank/6]>>(5*(a.Rank%6))&0x1F, adcNone)
}

// Without SCAN only a sequence's first channel is converted.
func (a adc) regularLast() uint32 {
	if a.Cr1&adcSCAN == 0 {
		return 0
	}
	return a.Sqr[0] >> 20 & 0xF
}

func (a adc) injectedLast() uint32 { return a.Jsqr >> 20 & 3 }

// start asks for a regular sequence, or the next part of one.
func (a adc) start(external bool) {
	switch {
	case a.Cr2&adcADON == 0 || a.Sr&adcOVR != 0 || a.Group == adcRegular || a.Resume:
	case a.Group == adcInjected:
		a.Resume = true
	default:
		a.begin(adcRegular, external)
		a.startSlaves(external)
	}
}

// startInjected asks for the injected sequence; a regular conversion under way
// is repeated afterwards (§13.3.9).
func (a adc) startInjected(external bool) {
	if a.Cr2&adcADON == 0 || a.Group == adcInjected {
		return
	}
	a.Resume = a.Group == adcRegular
	a.begin(adcInjected, external)
}

// triggerInjected takes an event for the injected group: in alternate trigger
// mode ADC1's go round (§13.9.4), in simultaneous mode they are the others' too.
func (a adc) triggerInjected(external bool) {
	all, m := &a.c.ADCs, a.c.adcGroupSize()
	switch mode := a.c.adcMode(); {
	case a.n == 0 && mode == adcAlternate:
		a.c.adc(int(all.Turn) % m).startInjected(external)
		all.Turn = uint8((int(all.Turn) + 1) % m)
	case a.n == 0 && (mode == adcInjectedly || mode == adcBoth):
		for n := range m {
			a.c.adc(n).startInjected(external)
		}
	default:
		a.startInjected(external)
	}
}

// begin lets a sequence start after its latency.
func (a adc) begin(g adcGroup, external bool) {
	if a.c.Time() < a.Ready {
		a.c.warn("%s converts within 3 us of ADON: not accurate", a.name())
	}
	a.checkClock()
	a.Div, a.Burst = a.c.adcDiv(), 0
	from, edges := a.c.Cycle(), uint64(2)
	if external {
		from += a.c.pclkDiv(2)
	}
	if a.Group = g; g == adcInjected {
		edges = 3
	}
	a.At = from / a.Div * a.Div
	a.enter(adcLatency, edges)
}

func (a adc) checkClock() {
	if hz := a.c.RCC.Tree.HCLK / a.c.adcDiv(); hz > adcMaxHz {
		a.c.warn("%s runs at %d Hz: ADCCLK may be 36 MHz at most", a.name(), hz)
	}
}

// proceed begins the next conversion of a group without a pause.
func (a adc) proceed(g adcGroup) {
	if a.Group = g; g == adcInjected {
		a.Sr |= adcJSTRT
	}
	a.convert()
}

// regularDone takes the result of a regular conversion.
func (a adc) regularDone() {
	if a.overrun() {
		a.Sr |= adcOVR
		a.halt()
		return
	}
	a.Dr, a.Unread = a.align(int32(a.Code), false), true
	a.watch(adcAWDEN)
	a.Burst++
	last := a.Rank >= a.regularLast()
	if last || a.Cr2&adcEOCS != 0 {
		a.Sr |= adcEOC
	}
	a.resultsComplete()
	a.Rank++
	switch {
	case last:
		a.sequenceDone()
	case a.Cr1&adcDISCEN != 0 && a.Burst > a.Cr1>>13&7:
		a.halt()
	default:
		a.proceed(adcRegular)
	}
}

func (a adc) sequenceDone() {
	a.Rank, a.Burst = 0, 0
	switch {
	case a.Cr1&adcJAUTO != 0:
		a.Resume = a.Cr2&adcCONT != 0
		a.proceed(adcInjected)
	case a.Cr2&adcCONT != 0:
		a.proceed(adcRegular)
	default:
		a.halt()
	}
}

// overrun tells whether the result would be lost: only DMA and EOCS watch for
// it (§13.8.2).
func (a adc) overrun() bool {
	if m := a.c.adcMulti(); m > 1 && a.n < m && a.c.ADCs.Ccr>>14&3 != 0 {
		return a.Unread && a.c.ADCs.Asked > 0
	}
	return a.Unread && (a.Cr2&adcDMA != 0 && !a.Last || a.Cr2&(adcDMA|adcEOCS) == adcEOCS)
}

// injectedDone takes the result of an injected conversion.
func (a adc) injectedDone() {
	a.Jdr[a.JRank&3] = a.align(int32(a.Code)-int32(a.Jofr[a.JRank&3]), true)
	a.watch(adcJAWDEN)
	a.JRank++
	last := a.JRank > a.injectedLast() || a.Cr1&adcSCAN == 0
	if last {
		a.JRank = 0
		a.Sr |= adcJEOC
	}
	switch {
	case !last && a.Cr1&adcJDISCEN == 0:
		a.proceed(adcInjected)
	case a.Resume:
		a.Resume = false
		a.Sr |= adcSTRT
		a.proceed(adcRegular)
	default:
		a.halt()
	}
}

// align puts a result into its half-word (§13.4). Injected ones have a sign.
func (a adc) align(v int32, signed bool) uint32 {
	if a.Cr2&adcALIGN != 0 {
		shift := 16 - a.bits()
		switch {
		case a.bits() == 6:
			shift = 2
		case signed:
			shift--
		}
		v <<= shift
	}
	return uint32(uint16(v))
}

// watch is the analog watchdog (§13.3.7).
func (a adc) watch(enable uint32) {
	if a.Cr1&enable == 0 || a.Cr1&adcAWDSGL != 0 && a.Cr1&0x1F != a.channel() {
		return
	}
	if a.Code > a.Htr || a.Code < a.Ltr {
		a.Sr |= adcAWD
	}
}

// apply brings the interrupt line, which all three share, and the DMA requests
// up to date.
func (a adc) apply() {
	pending := false
	for i := range a.c.ADCs.ADC {
		r := &a.c.ADCs.ADC[i]
		pending = pending || r.Sr&(adcEOC|adcAWD|adcJEOC)&r.enabled() != 0 || r.Sr&adcOVR != 0 && r.Cr1&adcOVRIE != 0
	}
	a.c.irq(irqADC, pending)
	on := a.Cr2&adcDMA != 0 && a.Unread && !a.Last && a.Sr&adcOVR == 0
	if a.n == 0 {
		on = on || a.c.ADCs.Asked > 0 && a.Sr&adcOVR == 0
	}
	a.c.dmaRequest(reqADC1+request(a.n), on)
}

// enabled are the flags of SR whose interrupts CR1 enables.
func (r *adcRegs) enabled() (flags uint32) {
	if r.Cr1&adcEOCIE != 0 {
		flags |= adcEOC
	}
	if r.Cr1&adcAWDIE != 0 {
		flags |= adcAWD
	}
	if r.Cr1&adcJEOCIE != 0 {
		flags |= adcJEOC
	}
	return flags
}

// adcLast tells a converter that a stream made the last transfer of its buffer.
func (c *Chip) adcLast(n int) {
	a := c.adc(n)
	a.Last = a.Cr2&(adcDMA|adcDDS) == adcDMA
	if n == 0 && c.ADCs.Ccr>>13&1 == 0 {
		c.ADCs.Asked = 0
	}
	a.apply()
}

// adcClockChanged: a conversion under way keeps its place in clocks of ADCCLK.
func (c *Chip) adcClockChanged() {
	for n := range c.ADCs.ADC {
		a := c.adc(n)
		if div := c.adcDiv(); a.Group != adcIdle && div != a.Div {
			a.At = c.Cycle() + (a.At-min(a.At, c.Cycle()))/a.Div*div
			a.Div = div
			c.Schedule(slotADC+n, a.At)
		}
	}
}

// adcTrigger takes an edge of a trigger line.
func (c *Chip) adcTrigger(t trigger, high bool) {
	for n := range c.ADCs.ADC {
		a := c.adc(n)
		if adcTriggers[a.Cr2>>24&15] == t && edgeChosen(a.Cr2>>28&3, high) {
			a.start(true)
		}
		if adcJTriggers[a.Cr2>>16&15] == t && edgeChosen(a.Cr2>>20&3, high) {
			a.triggerInjected(true)
		}
	}
}

// edgeChosen is EXTEN: 1 rising, 2 falling, 3 both.
func edgeChosen(exten uint32, high bool) bool {
	if high {
		return exten&1 != 0
	}
	return exten&2 != 0
}

// adcHears tells whether a converter waits for a trigger line.
func (c *Chip) adcHears(t trigger) bool {
	for i := range c.ADCs.ADC {
		r := &c.ADCs.ADC[i]
		if r.Cr2&adcADON == 0 {
			continue
		}
		if r.Cr2>>28&3 != 0 && adcTriggers[r.Cr2>>24&15] == t || r.Cr2>>20&3 != 0 && adcJTriggers[r.Cr2>>16&15] == t {
			return true
		}
	}
	return false
}
