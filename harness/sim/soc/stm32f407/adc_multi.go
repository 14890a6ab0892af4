package stm32f407

// Multi modes, RM0090 §13.9: ADC1's start is that of ADC2, or of ADC2 and ADC3, at
// once or after DELAY, and CDR gathers the results of regular conversions.

// adcKnown tells whether a value of MULTI is modelled; the others are reserved,
// but for adcMixed.
func adcKnown(multi uint32) bool {
	switch multi &^ adcThree {
	case adcBoth, adcInjectedly, adcRegularly, adcInterleaved, adcAlternate:
		return true
	}
	return multi == adcIndependent
}

// adcMode is what the converters do together.
func (c *Chip) adcMode() uint32 { return c.ADCs.Ccr & 0x0F }

// adcGroupSize is how many converters work together.
func (c *Chip) adcGroupSize() int {
	switch {
	case c.adcMode() == adcIndependent:
		return 1
	case c.ADCs.Ccr&adcThree != 0:
		return 3
	}
	return 2
}

// adcMulti is how many make their regular conversions together.
func (c *Chip) adcMulti() int {
	switch c.adcMode() {
	case adcBoth, adcRegularly, adcInterleaved:
		return c.adcGroupSize()
	}
	return 1
}

// startSlaves starts those that follow ADC1.
func (a adc) startSlaves(external bool) {
	if a.n != 0 {
		return
	}
	for n := 1; n < a.c.adcMulti(); n++ {
		s := a.c.adc(n)
		if s.Cr2&adcADON == 0 || s.Group != adcIdle {
			continue
		}
		s.begin(adcRegular, external)
		if a.c.adcMode() == adcInterleaved {
			s.enter(adcLatency, uint64(n)*a.delay())
		}
	}
}

// delay is what lies between the samples of interleaved converters, in cycles of
// ADCCLK: DELAY, unless the one before would still sample then (§13.9.3).
func (a adc) delay() uint64 {
	delay := uint64(a.c.ADCs.Ccr>>8&0xF) + 5
	if sampling := a.sampling(); sampling > delay {
		return sampling + 2
	}
	return delay
}

// resultsComplete asks for DMA: of interleaved results for each two, else once
// all converters have theirs (§13.9).
func (a adc) resultsComplete() {
	all, m := &a.c.ADCs, a.c.adcMulti()
	mode := all.Ccr >> 14 & 3
	switch {
	case m == 1 || mode == 0 || a.n >= m:
		return
	case mode > 1 && a.c.adcMode() == adcInterleaved:
		if all.Fresh++; all.Fresh < 2 {
			return
		}
		all.Fresh = 0
		all.Asked++
	default:
		if !a.c.allUnread(m) {
			return
		}
		all.Given, all.Asked = 0, uint8(m)
		if m == 2 && mode != 1 {
			all.Asked = 1
		}
	}
	a.c.adc(0).apply()
}

func (c *Chip) allUnread(m int) bool {
	for n := range m {
		if !c.ADCs.ADC[n].Unread {
			return false
		}
	}
	return true
}

// takeCDR is a read of CDR (§13.13.17): in DMA mode 1 a result at a time, in
// mode 2 two as half-words, in mode 3 two as bytes.
func (c *Chip) takeCDR() uint32 {
	all, m := &c.ADCs, c.adcMulti()
	mode := all.Ccr >> 14 & 3
	if mode == 0 || all.Asked == 0 {
		v := all.ADC[0].Dr | all.ADC[1].Dr<<16
		c.releaseResults()
		return v
	}
	i := int(all.Given)
	all.Given = uint8((i + 1) % m)
	all.Asked--
	if mode == 1 {
		v := all.ADC[i].Dr
		if all.Asked == 0 {
			c.releaseResults()
		}
		return v
	}
	first, second := 2*i%m, (2*i+1)%m
	lo, hi, shift := all.ADC[first].Dr, all.ADC[second].Dr, 16
	if mode == 3 {
		lo, hi, shift = lo&0xFF, hi&0xFF, 8
	}
	switch {
	case c.adcMode() == adcInterleaved:
		c.adc(first).taken()
		c.adc(second).taken()
		c.adc(0).apply()
	case all.Asked == 0:
		c.releaseResults()
	}
	return lo | hi<<shift
}

func (c *Chip) releaseResults() {
	for n := range c.adcMulti() {
		c.adc(n).taken()
	}
}
