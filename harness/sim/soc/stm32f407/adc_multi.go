package stm32f407

// Regular simultaneous mode, RM0090 §13.9.2, and the interleaved mode of two
// converters, §13.9.3: ADC1's start is that of ADC2, or of ADC2 and ADC3, at once
// or after DELAY, and CDR gathers the results.

// adcMulti is how many converters work together.
func (c *Chip) adcMulti() int {
	switch c.ADCs.Ccr & 0x1F {
	case adcDual, adcInterleaved:
		return 2
	case adcTriple:
		return 3
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
		if ccr := a.c.ADCs.Ccr; ccr&0x1F == adcInterleaved {
			s.enter(adcLatency, uint64(ccr>>8&0xF)+5)
		}
	}
}

// resultsComplete asks for DMA once all converters have theirs (§13.9).
func (a adc) resultsComplete() {
	all, m := &a.c.ADCs, a.c.adcMulti()
	mode := all.Ccr >> 14 & 3
	if m == 1 || mode == 0 || a.n >= m {
		return
	}
	for n := range m {
		if !all.ADC[n].Unread {
			return
		}
	}
	all.Given, all.Asked = 0, uint8(m)
	if m == 2 && mode != 1 {
		all.Asked = 1
	}
	a.c.adc(0).apply()
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
	all.Given++
	v := all.ADC[i%m].Dr
	if mode > 1 {
		lo, hi, shift := all.ADC[2*i%m].Dr, all.ADC[(2*i+1)%m].Dr, 16
		if mode == 3 {
			lo, hi, shift = lo&0xFF, hi&0xFF, 8
		}
		v = lo | hi<<shift
	}
	if all.Asked--; all.Asked == 0 {
		c.releaseResults()
	}
	return v
}

func (c *Chip) releaseResults() {
	for n := range c.adcMulti() {
		c.adc(n).taken()
	}
}
