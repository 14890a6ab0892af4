package stm32f407

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"rigor/firmware/wire"
	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// converter is an ADC of a chip as the bus sees it.
type converter struct {
	adcDevice
	n uint32
}

func (v converter) Load(off uint32, w uint8) (uint64, bus.Fault) {
	return v.adcDevice.Load(v.n<<8+off, w)
}

func (v converter) Store(off uint32, w uint8, x uint64) bus.Fault {
	return v.adcDevice.Store(v.n<<8+off, w, x)
}

const (
	adcCCR = 0x04
	adcCDR = 0x08
)

// analog is an idle chip whose PA0 to PA7 are analog inputs at 100 mV to 800 mV,
// with ADC1 on for long enough. ADCCLK is HCLK/2.
func analog(t *testing.T, opt Options) (*Chip, converter) {
	t.Helper()
	c := New(opt)
	c.Powered = true
	for b := range c.RCC.ENR {
		c.RCC.ENR[b] = ^uint32(0)
	}
	set(t, gpioDevice{c, 0}, 0, 0xFFFF)
	for p := range 8 {
		c.Drive(board.Pin(p), board.Drive{Kind: board.DriveVoltage, MV: int32(100 * (p + 1))}, 0)
	}
	a := converter{adcDevice{c}, 0}
	set(t, a, adcCR2, adcADON)
	until(c, 1000)
	return c, a
}

// code is the nearest 12-bit code of a voltage at VDDA 3.3 V.
func code(mv float64) uint32 { return uint32(math.Round(mv * 4096 / 3300)) }

// sequence writes SQR1 to SQR3.
func sequence(t *testing.T, a converter, channels ...uint32) {
	t.Helper()
	r := [3]uint32{uint32(len(channels)-1) << 20}
	for i, ch := range channels {
		r[2-i/6] |= ch << (5 * (i % 6))
	}
	for i, v := range r {
		set(t, a, adcSQR+4*uint32(i), v)
	}
}

// eoc is how many cycles pass until a flag of SR is set.
func eoc(t *testing.T, c *Chip, a converter, flag uint32) uint64 {
	t.Helper()
	from := c.Cycle()
	for get(t, a, adcSR)&flag == 0 {
		if c.Cycle() > from+100_000 {
			t.Fatalf("no flag %#x", flag)
		}
		until(c, c.Cycle()+1)
	}
	return c.Cycle() - from
}

// RM0090 §13.5: Tconv = sampling time + 12 cycles, and with less resolution 10,
// 8 and 6 instead; a software start adds the two edges of DS8626's latency.
func TestADCConversionTime(t *testing.T) {
	for smp, sampling := range []uint64{3, 15, 28, 56, 84, 112, 144, 480} { // §13.13.4
		for res, bits := range []uint64{12, 10, 8, 6} {
			for pre, div := range []uint64{2, 4, 6, 8} {
				for _, ch := range []uint32{3, 12} {
					c, a := analog(t, Options{})
					set(t, converter{a.adcDevice, 3}, adcCCR, uint32(pre)<<16)
					set(t, a, adcCR1, uint32(res)<<24)
					set(t, a, 0x0C+4*(1-ch/10), uint32(smp)<<(3*(ch%10)))
					sequence(t, a, ch)
					until(c, 24*100) // on an edge of every ADCCLK
					set(t, a, adcCR2, adcADON|adcSWSTART)
					want := (2 + sampling + bits) * div
					if got := eoc(t, c, a, adcEOC); got != want {
						t.Fatalf("SMP %d, RES %d, ADCPRE %d, channel %d: %d cycles, want %d", smp, res, pre, ch, got, want)
					}
				}
			}
		}
	}
}

// §13.4: alignment and offsets, at 400 mV on channel 3.
func TestADCAlignment(t *testing.T) {
	raw := code(400)
	for _, tt := range []struct {
		cr1, cr2, jofr uint32
		dr, jdr        uint32
	}{
		{0, 0, 0, raw, raw},
		{0, 0, 0x800, raw, (raw - 0x800) & 0xFFFF},
		{0, adcALIGN, 0, raw << 4, raw << 3},
		{0, adcALIGN, 0x800, raw << 4, (raw - 0x800) << 3 & 0xFFFF},
		{1 << 24, 0, 0, 124, 124},      // 10 bits: 400 * 1024 / 3300
		{2 << 24, 0, 0, 31, 31},        // 8 bits
		{3 << 24, 0, 0, 8, 8},          // 6 bits
		{3 << 24, adcALIGN, 0, 32, 32}, // byte aligned
		{1 << 24, adcALIGN, 0, 7936, 3968},
	} {
		c, a := analog(t, Options{})
		set(t, a, adcCR1, tt.cr1)
		set(t, a, adcJOFR, tt.jofr)
		sequence(t, a, 3)
		set(t, a, adcJSQR, 3<<15)
		set(t, a, adcCR2, adcADON|tt.cr2|adcSWSTART)
		eoc(t, c, a, adcEOC)
		set(t, a, adcCR2, adcADON|tt.cr2|adcJSWSTART)
		eoc(t, c, a, adcJEOC)
		if dr, jdr := get(t, a, adcDR), get(t, a, adcJDR); dr != tt.dr || jdr != tt.jdr {
			t.Errorf("%+v: DR %#x, JDR1 %#x", tt, dr, jdr)
		}
	}
}

// conversions runs on and lists the channels of DR as they come, read at once.
func conversions(t *testing.T, c *Chip, a converter, cycles uint64) (channels []uint32) {
	t.Helper()
	for end := c.Cycle() + cycles; c.Cycle() < end; until(c, c.Cycle()+1) {
		if c.ADCs.ADC[a.n].Unread {
			channels = append(channels, (get(t, a, adcDR)*3300+2048)/4096/100-1)
		}
	}
	return channels
}

// §13.3.3 to §13.3.10: what the modes convert at each trigger. A conversion takes
// 15 ADCCLK, 30 cycles.
func TestADCSequences(t *testing.T) {
	sixteen := []uint32{7, 6, 5, 4, 3, 2, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7}
	for _, tt := range []struct {
		name     string
		cr1, cr2 uint32
		order    []uint32
		cycles   uint64
		want     [][]uint32 // at each start
	}{
		{"single", 0, 0, []uint32{5, 6}, 200, [][]uint32{{5}, {5}}},
		{"scan", adcSCAN, 0, []uint32{1, 4, 2}, 200, [][]uint32{{1, 4, 2}, {1, 4, 2}}},
		{"scan of 16", adcSCAN, 0, sixteen, 600, [][]uint32{sixteen}},
		{"continuous", 0, adcCONT, []uint32{3}, 4 + 5*30, [][]uint32{{3, 3, 3, 3, 3}}},
		{"continuous scan", adcSCAN, adcCONT, []uint32{1, 2}, 4 + 5*30, [][]uint32{{1, 2, 1, 2, 1}}},
		// The example of §13.3.10, n = 3.
		{"discontinuous", adcSCAN | adcDISCEN | 2<<13, 0, []uint32{0, 1, 2, 3, 6, 7, 4, 5}, 200,
			[][]uint32{{0, 1, 2}, {3, 6, 7}, {4, 5}, {0, 1, 2}}},
	} {
		c, a := analog(t, Options{})
		set(t, a, adcCR1, tt.cr1)
		sequence(t, a, tt.order...)
		for i, want := range tt.want {
			set(t, a, adcCR2, adcADON|tt.cr2|adcSWSTART)
			if got := conversions(t, c, a, tt.cycles+1); !slices.Equal(got, want) {
				t.Errorf("%s, start %d: %v, want %v", tt.name, i+1, got, want)
			}
		}
	}
}

// §13.8.2: EOCS decides when EOC is set.
func TestADCEndOfConversion(t *testing.T) {
	for eocs, want := range map[uint32]uint64{0: 4 + 3*30, adcEOCS: 4 + 30} {
		c, a := analog(t, Options{})
		set(t, a, adcCR1, adcSCAN)
		sequence(t, a, 0, 1, 2)
		set(t, a, adcCR2, adcADON|eocs|adcSWSTART)
		if got := eoc(t, c, a, adcEOC); got != want {
			t.Errorf("EOCS %#x: EOC after %d cycles, want %d", eocs, got, want)
		}
	}
}

// §13.3.9: an injected sequence interrupts a regular conversion, which is done
// again; the injected channels are the last of JSQR.
func TestADCInjection(t *testing.T) {
	c, a := analog(t, Options{})
	set(t, a, adcCR1, adcSCAN)
	sequence(t, a, 1, 2)
	set(t, a, adcJSQR, 1<<20|6<<10|7<<15)
	set(t, a, adcCR2, adcADON|adcSWSTART)
	until(c, c.Cycle()+40) // in the second conversion
	set(t, a, adcCR2, adcADON|adcJSWSTART)
	if got, want := eoc(t, c, a, adcJEOC), uint64(6+2*30); got != want {
		t.Errorf("JEOC after %d cycles, want %d", got, want)
	}
	if got := [2]uint32{get(t, a, adcJDR), get(t, a, adcJDR+4)}; got != [2]uint32{code(700), code(800)} {
		t.Errorf("JDR1, JDR2 = %v", got)
	}
	if got, want := eoc(t, c, a, adcEOC), uint64(30); got != want {
		t.Errorf("EOC %d cycles after JEOC, want %d", got, want)
	}
	if got := get(t, a, adcDR); got != code(300) {
		t.Errorf("DR %d, want that of channel 2", got)
	}
}

// §13.3.9: JAUTO appends the injected sequence.
func TestADCAutomaticInjection(t *testing.T) {
	c, a := analog(t, Options{})
	set(t, a, adcCR1, adcJAUTO)
	sequence(t, a, 1)
	set(t, a, adcJSQR, 6<<15)
	set(t, a, adcCR2, adcADON|adcSWSTART)
	if got, want := eoc(t, c, a, adcJEOC), uint64(4+2*30); got != want {
		t.Errorf("JEOC after %d cycles, want %d", got, want)
	}
}

// §13.6, tables 69 and 70: each trigger at each polarity. The start comes one
// PCLK2 and two or three edges of ADCCLK later.
func TestADCTriggers(t *testing.T) {
	for sel := range uint32(16) {
		for exten := range uint32(4) {
			for _, high := range []bool{false, true} {
				c, a := analog(t, Options{})
				set(t, a, adcCR2, adcADON|exten<<28|sel<<24)
				c.trigger(adcTriggers[sel], high, c.Cycle())
				want := high && exten&1 != 0 || !high && exten&2 != 0
				if got := c.ADCs.ADC[0].Group == adcRegular; got != want || c.triggerHeard(adcTriggers[sel]) != (exten != 0) {
					t.Fatalf("EXTSEL %d, EXTEN %d, edge %v: started %v", sel, exten, high, got)
				}
				set(t, a, adcCR2, 0)
				set(t, a, adcCR2, adcADON|exten<<20|sel<<16)
				c.trigger(adcJTriggers[sel], high, c.Cycle())
				if got := c.ADCs.ADC[0].Group == adcInjected; got != want || c.triggerHeard(adcJTriggers[sel]) != (exten != 0) {
					t.Fatalf("JEXTSEL %d, JEXTEN %d, edge %v: started %v", sel, exten, high, got)
				}
			}
		}
	}
	c, a := analog(t, Options{})
	set(t, a, adcCR2, adcADON|1<<28)
	c.trigger(adcTriggers[0], true, c.Cycle())
	if got, want := eoc(t, c, a, adcEOC), uint64(4+30); got != want {
		t.Errorf("EOC %d cycles after the trigger, want %d", got, want)
	}
}

// An edge on PB11 converts by way of EXTI.
func TestADCByEXTI(t *testing.T) {
	c, a := analog(t, Options{})
	set(t, syscfgDevice{c}, 0x10, 1<<12) // EXTI11: port B
	set(t, extiDevice{c}, 0x08, 1<<11)   // rising
	set(t, a, adcCR2, adcADON|1<<28|15<<24)
	c.Drive(portB+11, board.Drive{Kind: board.DriveHigh}, c.Now())
	eoc(t, c, a, adcEOC)
}

// §13.3.7: outside of LTR to HTR, on one channel or all, regular or injected.
func TestADCWatchdog(t *testing.T) {
	for _, tt := range []struct {
		cr1, low, high uint32
		want           bool
	}{
		{0, 0, 0, false},
		{adcAWDEN, 0, code(400), false},
		{adcAWDEN, 0, code(400) - 1, true},
		{adcAWDEN, code(400), 0xFFF, false},
		{adcAWDEN, code(400) + 1, 0xFFF, true},
		{adcAWDEN | adcAWDSGL | 3, 0, 0, true},
		{adcAWDEN | adcAWDSGL | 4, 0, 0, false},
		{adcJAWDEN, 0, 0, false},
	} {
		c, a := analog(t, Options{})
		set(t, a, adcHTR, tt.high)
		set(t, a, adcLTR, tt.low)
		set(t, a, adcCR1, tt.cr1|adcAWDIE)
		sequence(t, a, 3)
		set(t, a, adcCR2, adcADON|adcSWSTART)
		eoc(t, c, a, adcEOC)
		if got := get(t, a, adcSR)&adcAWD != 0; got != tt.want {
			t.Errorf("%+v: AWD %v", tt, got)
		}
	}
}

// §13.8.2: with DMA or EOCS a result that nobody read stops the sequence, and the
// first result stays.
func TestADCOverrun(t *testing.T) {
	for _, tt := range []struct {
		cr2  uint32
		want bool
	}{{0, false}, {adcEOCS, true}, {adcDMA, true}} {
		c, a := analog(t, Options{})
		set(t, a, adcCR1, adcSCAN)
		sequence(t, a, 1, 2, 3)
		set(t, a, adcCR2, adcADON|tt.cr2|adcSWSTART)
		until(c, c.Cycle()+200)
		if got := get(t, a, adcSR)&adcOVR != 0; got != tt.want {
			t.Errorf("CR2 %#x: OVR %v", tt.cr2, got)
		}
		if got := get(t, a, adcDR); tt.want && got != code(200) {
			t.Errorf("CR2 %#x: DR %d after the overrun", tt.cr2, got)
		}
	}
}

// §13.8.1: DMA takes a scan in order; without DDS the last transfer ends the
// requests and no overrun follows, with DDS they go on.
func TestADCByDMA(t *testing.T) {
	for _, dds := range []uint32{0, adcDDS} {
		c, a := analog(t, Options{})
		stream(t, dma2(c), 0, 0x4001204C, sramBase, 6, 0, dmaCIRC|dmaMINC|sizeHalf<<ps|sizeHalf<<ms)
		set(t, a, adcCR1, adcSCAN)
		sequence(t, a, 0, 2, 4)
		set(t, a, adcCR2, adcADON|adcCONT|adcDMA|dds|adcSWSTART)
		until(c, c.Cycle()+4+7*30+20)
		for i, ch := range []uint32{0, 2, 4, 0, 2, 4} {
			if got, want := binary.LittleEndian.Uint16(c.mem.SRAM[2*i:]), uint16(code(float64(100*(ch+1)))); got != want {
				t.Errorf("item %d is %d, want %d", i, got, want)
			}
		}
		left := get(t, dma2(c), dmaNDTR(0))
		if want := map[uint32]uint32{0: 6, adcDDS: 5}[dds]; left != want || get(t, a, adcSR)&adcOVR != 0 {
			t.Errorf("DDS %#x: NDTR %d, want %d; SR %#x", dds, left, want, get(t, a, adcSR))
		}
	}
}

// §13.9.2: two and three converters at once, and what CDR gives (§13.13.17).
func TestADCSimultaneous(t *testing.T) {
	r := [3]uint32{code(200), code(300), code(400)}
	for _, tt := range []struct {
		ccr  uint32
		want []uint32
	}{
		{adcRegularly, []uint32{r[1]<<16 | r[0]}},
		{adcRegularly | 1<<14, []uint32{r[0], r[1]}},
		{adcRegularly | 2<<14, []uint32{r[1]<<16 | r[0]}},
		{adcThree | adcRegularly | 1<<14, []uint32{r[0], r[1], r[2]}},
		{adcThree | adcRegularly | 2<<14, []uint32{r[1]<<16 | r[0], r[0]<<16 | r[2], r[2]<<16 | r[1]}},
	} {
		c, a := analog(t, Options{})
		for n := range uint32(3) {
			set(t, converter{a.adcDevice, n}, adcCR2, adcADON)
			sequence(t, converter{a.adcDevice, n}, n+1)
		}
		until(c, 2000)
		common := converter{a.adcDevice, 3}
		set(t, common, adcCCR, tt.ccr)
		stream(t, dma2(c), 0, 0x40012308, sramBase, uint32(len(tt.want)), 0, dmaMINC|sizeWord<<ps|sizeWord<<ms)
		set(t, a, adcCR2, adcADON|adcSWSTART)
		until(c, c.Cycle()+4+30+50)
		for i, want := range tt.want {
			got := binary.LittleEndian.Uint32(c.mem.SRAM[4*i:])
			if tt.ccr>>14 == 0 {
				got = get(t, common, adcCDR)
			}
			if got != want {
				t.Errorf("CCR %#x, item %d: %#x, want %#x", tt.ccr, i, got, want)
			}
		}
	}
	_, a := analog(t, Options{})
	for _, multi := range []uint64{adcMixed, adcThree | adcMixed, adcThree, 3} {
		if f := (converter{a.adcDevice, 3}).Store(adcCCR, 4, multi); f != bus.Unmodelled {
			t.Errorf("MULTI %#x: %v", multi, f)
		}
	}
}

// §13.9.3: ADC2 samples DELAY after ADC1, and both go on by themselves. PA1
// rises 1 mV each cycle; a conversion takes 30, DELAY 3 is 8 ADCCLK.
func TestADCInterleaved(t *testing.T) {
	c, a := analog(t, Options{})
	b := converter{a.adcDevice, 1}
	set(t, b, adcCR2, adcADON|adcCONT)
	sequence(t, a, 1)
	sequence(t, b, 1)
	set(t, converter{a.adcDevice, 3}, adcCCR, adcInterleaved|3<<8|2<<14)
	until(c, 2000)
	from := c.Cycle()
	c.SetAnalog(1, func(at clock.Time) int64 { return int64(at-c.TimeOf(from)) * 1000 / 62_500 })
	stream(t, dma2(c), 0, 0x40012308, sramBase, 3, 0, dmaMINC|sizeWord<<ps|sizeWord<<ms)
	set(t, a, adcCR2, adcADON|adcCONT|adcSWSTART)
	until(c, from+150)
	for i := range uint32(3) {
		first := float64(10 + 30*i)
		if got, want := binary.LittleEndian.Uint32(c.mem.SRAM[4*i:]), code(first)|code(first+16)<<16; got != want {
			t.Errorf("pair %d: %#x, want %#x", i, got, want)
		}
	}
}

// §13.9, DMA mode 2 of interleaved mode of three: ADC2 and ADC1, ADC1 and ADC3,
// ADC3 and ADC2, in the order in which they are converted. PA1 rises 1 mV each
// cycle; DELAY 0 is 5 ADCCLK or 10 cycles, and a conversion takes 30. In mode 3, of
// results of 8 bits, the pairs are bytes.
func TestADCTripleInterleaved(t *testing.T) {
	for _, mode := range []uint32{2, 3} {
		c, a := analog(t, Options{})
		res, shift := uint32(0), 16
		if mode == 3 {
			res, shift = 2<<24, 8
		}
		for n := range uint32(3) {
			v := converter{a.adcDevice, n}
			set(t, v, adcCR1, res)
			set(t, v, adcCR2, adcADON|adcCONT)
			sequence(t, v, 1)
		}
		set(t, converter{a.adcDevice, 3}, adcCCR, adcThree|adcInterleaved|mode<<14)
		until(c, 2000)
		from := c.Cycle()
		c.SetAnalog(1, func(at clock.Time) int64 { return int64(at-c.TimeOf(from)) * 1000 / 62_500 })
		stream(t, dma2(c), 0, 0x40012308, sramBase, 6, 0, dmaMINC|sizeWord<<ps|sizeWord<<ms)
		set(t, a, adcCR2, adcADON|adcCONT|adcSWSTART)
		until(c, from+200)
		at := func(i int) float64 { return float64(10 + i/3*30 + i%3*10) }
		if mode == 3 { // 3 + 8 ADCCLK
			at = func(i int) float64 { return float64(10 + i/3*22 + i%3*10) }
		}
		for i := range 6 {
			lo, hi := code(at(2*i)), code(at(2*i+1))
			if mode == 3 {
				lo, hi = uint32(math.Round(at(2*i)*256/3300)), uint32(math.Round(at(2*i+1)*256/3300))
			}
			got := binary.LittleEndian.Uint32(c.mem.SRAM[4*i:])
			if want := lo | hi<<shift; got != want {
				t.Errorf("mode %d, pair %d: %#x, want %#x", mode, i, got, want)
			}
		}
	}
}

// §13.9.3: an interleaved converter starts no earlier than two cycles after the
// other's sampling time; of 15 that makes 17, whatever DELAY says.
func TestADCInterleavedSampling(t *testing.T) {
	c, a := analog(t, Options{})
	b := converter{a.adcDevice, 1}
	for _, v := range []converter{a, b} {
		set(t, v, adcCR2, adcADON)
		set(t, v, 0x10, 1<<3) // SMPR2: channel 1, 15 cycles
		sequence(t, v, 1)
	}
	set(t, converter{a.adcDevice, 3}, adcCCR, adcInterleaved)
	until(c, 2000)
	set(t, a, adcCR2, adcADON|adcSWSTART)
	if d := eoc(t, c, b, adcEOC); d != 2*(2+17+15+12) {
		t.Errorf("ADC2 is done after %d cycles", d)
	}
}

// §13.9.1: an injected trigger of ADC1 is that of the others too, and regular
// conversions under way go on afterwards. §13.9.4: or they take turns.
func TestADCInjectedTogether(t *testing.T) {
	for _, tt := range []struct {
		multi uint32
		want  [4][3]bool // whose JEOC comes after each of four triggers
	}{
		{adcIndependent, [4][3]bool{{true}, {true}, {true}, {true}}},
		{adcInjectedly, [4][3]bool{{true, true}, {true, true}, {true, true}, {true, true}}},
		{adcThree | adcInjectedly, [4][3]bool{{true, true, true}, {true, true, true}, {true, true, true}, {true, true, true}}},
		{adcThree | adcBoth, [4][3]bool{{true, true, true}, {true, true, true}, {true, true, true}, {true, true, true}}},
		{adcAlternate, [4][3]bool{{true}, {false, true}, {true}, {false, true}}},
		{adcThree | adcAlternate, [4][3]bool{{true}, {false, true}, {false, false, true}, {true}}},
	} {
		c, a := analog(t, Options{})
		for n := range uint32(3) {
			v := converter{a.adcDevice, n}
			set(t, v, adcCR2, adcADON)
			set(t, v, adcJSQR, (n+1)<<15) // one conversion, of PA1 to PA3
		}
		set(t, converter{a.adcDevice, 3}, adcCCR, tt.multi)
		until(c, 2000)
		for i, want := range tt.want {
			set(t, a, adcCR2, adcADON|adcJSWSTART)
			until(c, c.Cycle()+100)
			var got [3]bool
			for n := range uint32(3) {
				v := converter{a.adcDevice, n}
				got[n] = get(t, v, adcSR)&adcJEOC != 0
				if got[n] && get(t, v, adcJDR) != code(float64(200+100*n)) {
					t.Errorf("MULTI %#x: ADC%d has %d", tt.multi, n+1, get(t, v, adcJDR))
				}
				set(t, v, adcSR, 0)
			}
			if got != want {
				t.Errorf("MULTI %#x, trigger %d: %v, want %v", tt.multi, i+1, got, want)
			}
		}
	}
}

// The chain that samples at even intervals: TIM3's update, TRGO, ADC1 (EXTSEL
// 8), DMA2. PA1 rises 1 mV each cycle, the timer's period is 100; every sample
// is taken 100 cycles after the one before.
func TestADCByTimer(t *testing.T) {
	c, a := analog(t, Options{})
	c.SetAnalog(1, func(at clock.Time) int64 { return int64(at-c.TimeOf(1000)) * 1000 / 62_500 })
	sequence(t, a, 1)
	set(t, a, adcCR2, adcADON|adcDMA|1<<28|8<<24)
	stream(t, dma2(c), 0, 0x4001204C, sramBase, 10, 0, 3<<pl|dmaMINC|sizeHalf<<ps|sizeHalf<<ms)
	tim3 := c.timDevice(3)
	set(t, tim3, 0x2C, 99)     // ARR
	set(t, tim3, 0x04, 2<<4)   // MMS: update
	set(t, tim3, 0x00, timCEN) // counts from 0: the first update comes 100 timer clocks on
	until(c, c.Cycle()+1200)
	if get(t, dma2(c), 0)&dmaTCIF == 0 {
		t.Fatal("the buffer is not full")
	}
	first := float64(binary.LittleEndian.Uint16(c.mem.SRAM)) * 3300 / 4096
	// One PCLK2, two edges of ADCCLK, three cycles of sampling after the update.
	if first < 107 || first > 113 {
		t.Errorf("first sample at cycle %.1f", first)
	}
	for i := range 10 {
		got := uint32(binary.LittleEndian.Uint16(c.mem.SRAM[2*i:]))
		if want := code(math.Round(first) + float64(100*i)); got != want {
			t.Errorf("sample %d: %d, want %d", i, got, want)
		}
	}
}

// A reset by RCC stops what goes on and clears all registers.
func TestConvertersResetByRCC(t *testing.T) {
	c, a := analog(t, Options{})
	set(t, a, adcCR2, adcADON|adcCONT|adcSWSTART)
	set(t, dacDevice{c}, dacCR, dacEN)
	stream(t, dma2(c), 0, sramBase, sramBase, 10, 0, memToMem<<dir)
	c.resetByRCC(apb2, 1<<8)
	c.resetByRCC(apb1, 1<<29)
	c.resetByRCC(ahb1, 1<<22)
	until(c, c.Cycle()+100)
	for name, got := range map[string]uint32{"CR2": get(t, a, adcCR2), "SR": get(t, a, adcSR),
		"DAC.CR": get(t, dacDevice{c}, dacCR), "S0CR": get(t, dma2(c), dmaCR(0)), "LISR": get(t, dma2(c), 0)} {
		if got != 0 {
			t.Errorf("%s is %#x after the reset", name, got)
		}
	}
}

// The voltage counts at the end of the sampling time: PA1 rises 1 mV each cycle
// of 62.5 ns. SMP 0 samples for 3 ADCCLK after two edges of latency.
func TestADCSamplesAtTheEnd(t *testing.T) {
	c, a := analog(t, Options{})
	from := c.Cycle()
	c.SetAnalog(1, func(at clock.Time) int64 { return int64(at-c.TimeOf(from)) * 1000 / 62_500 })
	sequence(t, a, 1)
	set(t, a, adcCR2, adcADON|adcSWSTART)
	eoc(t, c, a, adcEOC)
	if got, want := get(t, a, adcDR), code(10); got != want {
		t.Errorf("code %d, want %d: the 10th cycle", got, want)
	}
}

// Errors by options: offset and gain move every code, noise has the deviation
// asked for and follows from the seed.
func TestADCErrors(t *testing.T) {
	convert := func(o Options, n int) (codes []float64) {
		c, a := analog(t, o)
		sequence(t, a, 7)
		for range n {
			set(t, a, adcCR2, adcADON|adcSWSTART)
			until(c, c.Cycle()+40)
			codes = append(codes, float64(get(t, a, adcDR)))
		}
		return codes
	}
	if got := convert(Options{ADC: Analog{OffsetUV: 10_000}}, 1)[0]; got != float64(code(810)) {
		t.Errorf("offset 10 mV: %v", got)
	}
	if got := convert(Options{ADC: Analog{GainPPM: -50_000}}, 1)[0]; got != float64(code(760)) {
		t.Errorf("gain -5 %%: %v", got)
	}
	noisy := Options{Seed: 1, ADC: Analog{NoiseUVrms: 8057}} // 10 LSB
	a, b := convert(noisy, 4000), convert(noisy, 4000)
	if !slices.Equal(a, b) {
		t.Error("the same seed gives other noise")
	}
	var sum, squares float64
	for _, x := range a {
		sum += x
		squares += x * x
	}
	mean := sum / 4000
	sd := math.Sqrt(squares/4000 - mean*mean)
	if math.Abs(mean-float64(code(800))) > 0.7 || math.Abs(sd-10) > 0.5 { // 4 standard errors
		t.Errorf("mean %.2f, deviation %.2f", mean, sd)
	}
}

// Internal channels (DS8626 §6.3.22 to §6.3.24) and supply as reference.
func TestADCInternalChannels(t *testing.T) {
	for _, tt := range []struct {
		ch, ccr uint32
		mv      float64
	}{{16, adcTSVREFE, 760}, {17, adcTSVREFE, 1210}, {18, adcVBATE, 1650}, {16, 0, 0}, {17, 0, 0}, {18, 0, 0}} {
		c, a := analog(t, Options{})
		set(t, converter{a.adcDevice, 3}, adcCCR, tt.ccr)
		sequence(t, a, tt.ch)
		set(t, a, adcCR2, adcADON|adcSWSTART)
		eoc(t, c, a, adcEOC)
		if got := get(t, a, adcDR); got != code(tt.mv) {
			t.Errorf("channel %d, CCR %#x: %d, want %d", tt.ch, tt.ccr, got, code(tt.mv))
		}
		if (tt.ccr == 0) != warned(c, "channel") {
			t.Errorf("channel %d, CCR %#x: warnings %v", tt.ch, tt.ccr, c.Warnings())
		}
	}
}

// What a program does wrong: it starts a converter that is off, too early or too
// fast, or converts a pin in digital mode.
func TestADCWarnings(t *testing.T) {
	c, a := analog(t, Options{})
	set(t, gpioDevice{c, 0}, 0, 0xFFFF&^(3<<8))
	sequence(t, a, 4)
	set(t, a, adcCR2, 0)
	set(t, a, adcCR2, adcADON|adcSWSTART)
	if !warned(c, "ADON is clear") {
		t.Error("SWSTART without ADON")
	}
	set(t, a, adcCR2, adcADON|adcSWSTART)
	eoc(t, c, a, adcEOC)
	for _, w := range []string{"within 3 us", "PA4, which is not in analog mode"} {
		if !warned(c, w) {
			t.Errorf("no warning %q in %v", w, c.Warnings())
		}
	}
}

// pends tells whether an NVIC line is pending.
func pends(c *Chip, irq int) bool {
	n := irq + 16
	return c.core.Sys.Pending[n/64]>>(n%64)&1 != 0
}

// All three share a line (§13.12); what rises it is enabled one by one.
func TestADCInterrupts(t *testing.T) {
	for _, tt := range []struct{ flag, enable uint32 }{
		{adcEOC, adcEOCIE}, {adcAWD, adcAWDIE}, {adcJEOC, adcJEOCIE}, {adcOVR, adcOVRIE},
	} {
		for n := range 3 {
			c, _ := analog(t, Options{})
			r := c.adc(n)
			r.Sr = tt.flag
			r.apply()
			before := pends(c, irqADC)
			r.Cr1 = tt.enable
			r.apply()
			if after := pends(c, irqADC); before || !after {
				t.Errorf("ADC%d flag %#x: pending %v, then %v", n+1, tt.flag, before, after)
			}
		}
	}
}

// The checked-in firmware samples 100000 times a second by timer, ADC and DMA:
// on a ramp of 0.01 V/ms that is 100 uV from one sample to the next. And the
// chip goes the same way from a snapshot in the middle of that.
func TestADCFirmware(t *testing.T) {
	c := New(Options{})
	loadELF(t, c, "analog-stm32f407")
	b := console(t, c)
	b.Hello()
	from := b.Now()
	c.SetAnalog(1, func(at clock.Time) int64 { return int64((at - from) / 100_000) }) // 10 V/s
	values, _ := b.Run(wire.CommandAnalog, 1000, 100_000)
	for i, v := range values {
		want := float64(values[0]) + float64(i)*0.1*4096/3300
		if math.Abs(float64(v)-want) > 1.01 {
			t.Fatalf("sample %d is %d, want %.1f", i, v, want)
		}
	}

	b.Console.Write(wire.AppendCommand(nil, wire.Command{Name: wire.CommandAnalog, Count: 1000, Param: 100_000}))
	b.Advance(b.Now() + 6*clock.Millisecond)
	if n := get(t, dma2(c), dmaNDTR(0)); n == 0 || n == 1000 {
		t.Fatalf("NDTR %d: not in the middle of a run", n)
	}
	snap := c.Snapshot()
	c.Run(c.Now() + clock.Millisecond)
	want := c.Digest()
	c.Restore(snap)
	c.Run(c.Now() + clock.Millisecond)
	if c.Digest() != want {
		t.Error("from the snapshot it went another way")
	}
}

// What TinyGo's machine.ADC does (machine_stm32_adc_f4.go): a sequence of three
// without SCAN, whose first channel it writes before and clears after each
// conversion.
func TestADCAsTinyGoUsesIt(t *testing.T) {
	c, a := analog(t, Options{})
	change := func(off, clear, bits uint32) { set(t, a, off, get(t, a, off)&^clear|bits) }
	change(adcCR1, adcSCAN|3<<24, 0)
	change(adcCR2, adcCONT|adcALIGN|0x3F<<24, 0)
	change(adcSQR, 0xF<<20, 2<<20)
	change(adcCR2, 0, adcADON)
	for _, ch := range []uint32{1, 6, 1} {
		change(0x10, 0, 4<<(3*ch)) // 84 cycles
		change(adcSQR+8, 0, ch)
		change(adcCR2, 0, adcSWSTART)
		if got, want := eoc(t, c, a, adcEOC), uint64((2+84+12)*2); got != want {
			t.Errorf("channel %d: EOC after %d cycles, want %d", ch, got, want)
		}
		if got, want := get(t, a, adcDR), code(float64(100*(ch+1))); got != want {
			t.Errorf("channel %d reads %d, want %d", ch, got, want)
		}
		change(adcSR, adcEOC, 0)
		change(adcSQR+8, ch, 0)
	}
}
