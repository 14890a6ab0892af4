package stm32f407

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// Encoder counting directions of RM0090 §18.3.12: by the input that
// has the edge, the edge, and the level of the other input.
var encoderTable = map[[3]int]int{
	{1, 1, 1}: -1, {1, 0, 1}: +1, {1, 1, 0}: +1, {1, 0, 0}: -1,
	{2, 1, 1}: +1, {2, 0, 1}: -1, {2, 1, 0}: -1, {2, 0, 0}: +1,
}

// TestEncoder holds the encoder modes against the table, for random edges on
// both inputs.
func TestEncoder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for trial := range 200 {
		c := idle(t)
		n := []int{1, 2, 3, 4, 5, 8}[rnd.IntN(6)]
		tm, mode, arr := c.timer(n), 1+rnd.IntN(3), 2+rnd.IntN(9)
		set(t, tm, timARR, uint32(arr))
		set(t, tm, timCCMR1, 0x0101)
		set(t, tm, timSMCR, uint32(mode))
		set(t, tm, timCR1, timCEN)
		levels, cnt, sr := [2]int{}, 0, uint32(0)
		for range 60 {
			ch := rnd.IntN(2)
			levels[ch] ^= 1
			until(c, c.Cycle()+rnd.Uint64N(20))
			tm.input(ch, levels[ch] == 1, c.Cycle())
			by := encoderTable[[3]int{ch + 1, levels[ch], levels[1-ch]}]
			if counts := mode == 3 || mode == 2-ch; counts { // SMS 1 counts on TI2, 2 on TI1
				switch cnt += by; {
				case cnt < 0:
					cnt, sr = arr, sr|timUIF
				case cnt > arr:
					cnt, sr = 0, sr|timUIF
				}
			}
			if got := int(get(t, tm, timCNT)); got != cnt {
				t.Fatalf("trial %d, TIM%d mode %d: CNT %d, want %d", trial, n, mode, got, cnt)
			}
			if got := get(t, tm, timCR1) & timDIR; got != 0 != (by < 0) {
				t.Fatalf("trial %d: DIR %#x after a step of %d", trial, got, by)
			}
		}
		if got := get(t, tm, timSR) & timUIF; got != sr {
			t.Errorf("trial %d: UIF %d, want %d", trial, got, sr)
		}
	}
}

// TestInputFilter holds the filters against a machine that samples (RM0090
// §18.4.7, IC1F), for random edges: of captures, the last count and the number
// of edges let through.
func TestInputFilter(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	dividers := [16]uint64{0, 1, 1, 1, 2, 2, 4, 4, 8, 8, 16, 16, 16, 32, 32, 32}
	lengths := [16]int{0, 2, 4, 8, 6, 8, 6, 8, 6, 8, 5, 6, 8, 5, 6, 8}
	for trial := range 200 {
		c := idle(t)
		tm, code, ckd := c.timer(3), 1+rnd.IntN(15), rnd.IntN(3)
		set(t, tm, timCR1, uint32(ckd)<<8)
		set(t, tm, timCCMR1, uint32(1|code<<4))
		set(t, tm, timCCER, 0xB) // both edges
		period := dividers[code]
		if code > 3 {
			period <<= ckd
		}
		set(t, tm, timCR1, uint32(ckd)<<8|timCEN)
		start := c.Cycle()
		level, out, row, captured := false, false, 0, -1
		for cycle := start + 1; cycle < start+3000; cycle++ {
			if cycle%period == 0 {
				if row++; level == out {
					row = 0
				}
				if row == lengths[code] {
					out, row, captured = level, 0, int(cycle-start)
				}
			}
			if rnd.IntN(int(period)*4) == 0 {
				until(c, cycle)
				level = !level
				tm.input(0, level, cycle)
			}
		}
		until(c, start+2999)
		if got := int(tm.Ccr[0]); captured >= 0 && got != captured || tm.TI[0].Out != out {
			t.Fatalf("trial %d, IC1F %d, CKD %d: captured at %d, level %v; want %d, %v", trial, code, ckd, got, tm.TI[0].Out, captured, out)
		}
	}
}

// Output control of a complementary channel: RM0090 §17.4.9. OC1REF
// is high; want is OC1 and OC1N as 0, 1, or z for not driven.
func TestOutputControl(t *testing.T) {
	const ois1, ois1n = 1 << 8, 1 << 9
	for _, e := range []struct {
		bdtr, ccer, cr2 uint32
		want            string
	}{
		{timMOE, 0x0, 0, "zz"},
		{timMOE, 0x4, 0, "z1"}, // OC1N alone is OC1REF, not its complement
		{timMOE, 0xC, 0, "z0"},
		{timMOE, 0x1, 0, "1z"},
		{timMOE, 0x3, 0, "0z"},
		{timMOE, 0x5, 0, "10"},
		{timMOE, 0xF, 0, "01"},
		{timMOE | timOSSR, 0x0, 0, "zz"},
		{timMOE | timOSSR, 0x4, 0, "01"},
		{timMOE | timOSSR, 0x6, 0, "11"}, // off state: inactive, that is CC1P
		{timMOE | timOSSR, 0x1, 0, "10"},
		{timMOE | timOSSR, 0x9, 0, "11"},
		{timMOE | timOSSR, 0x5, 0, "10"},
		{0, 0x5, 0, "zz"},
		{timOSSI, 0x0, 0, "zz"},
		{timOSSI, 0x5, 0, "00"},
		{timOSSI, 0x5, ois1, "10"},
		{timOSSI, 0x5, ois1n, "01"},
		{timOSSI, 0x1, ois1, "10"},
		{timOSSI, 0x5, ois1 | ois1n, "00"}, // both active: stays inactive
		{timOSSI, 0xF, 0, "11"},            // likewise
	} {
		c := idle(t)
		tm := c.timer(8)
		set(t, tm, timCCMR1, 0x50)
		set(t, tm, timCR2, e.cr2)
		set(t, tm, timCCER, e.ccer)
		set(t, tm, timBDTR, e.bdtr)
		got := driven(c, sigTIM8CH1) + driven(c, sigTIM8CH1N)
		if got != e.want {
			t.Errorf("BDTR %#x CCER %#x CR2 %#x: %s, want %s", e.bdtr, e.ccer, e.cr2, got, e.want)
		}
	}
}

func driven(c *Chip, sig signal) string {
	switch {
	case !c.Pins.AFDriven[sig]:
		return "z"
	case c.Pins.AFLevel[sig]:
		return "1"
	}
	return "0"
}

// BDTR.DTG, RM0090 §17.4.18: in timer clocks, from OC1REF's fall to OC1N's rise.
func TestDeadTime(t *testing.T) {
	for _, e := range []struct{ dtg, ckd, want uint32 }{
		{0, 0, 0}, {1, 0, 1}, {0x7F, 0, 127}, {0x80, 0, 128}, {0xBF, 0, 254}, {0xC0, 0, 256}, {0xDF, 0, 504},
		{0xE0, 0, 512}, {0xFF, 0, 1008}, {10, 1, 20}, {10, 2, 40},
	} {
		c := idle(t)
		_, r := onBoard(t, c, portE+8, 1)
		tm := c.timer(1)
		set(t, tm, timCCMR1, 0x50)
		set(t, tm, timCCER, 5)
		set(t, tm, timCR1, e.ckd<<8)
		set(t, tm, timBDTR, timMOE|e.dtg)
		until(c, c.Cycle()+2000)
		set(t, tm, timCCMR1, 0x40)
		start := c.Cycle()
		until(c, start+2000)
		if got := edgesOf(r, c, start); !slices.Equal(got, []uint64{uint64(e.want)}) {
			t.Errorf("DTG %#x, CKD %d: edges at %v, want %d", e.dtg, e.ckd, got, e.want)
		}
	}
}

// A break by the pin: MOE falls at once, BIF stays while the input is active,
// and AOE sets MOE again at an update (RM0090 §17.3.12).
func TestBreak(t *testing.T) {
	c := idle(t)
	alternate(c, portB+12, 1) // TIM1_BKIN
	alternate(c, portE+9, 1)
	tm := c.timer(1)
	set(t, tm, timARR, 99)
	set(t, tm, timCCR1, 50)
	set(t, tm, timCCMR1, 0x60)
	set(t, tm, timCCER, 1)
	set(t, tm, timDIER, timBIF)
	set(t, tm, timBDTR, timMOE|timBKE|timBKP|timAOE)
	set(t, tm, timCR1, timCEN)
	start := c.Cycle()
	until(c, start+10)
	if !c.Level(portE + 9) {
		t.Fatal("no output before the break")
	}
	c.Drive(portB+12, board.Drive{Kind: board.DriveHigh}, c.Now())
	if get(t, tm, timBDTR)&timMOE != 0 || driven(c, sigTIM1CH1) != "z" || !tm.interrupts(24) {
		t.Errorf("break: BDTR %#x, CH1 %s, SR %#x", tm.Bdtr, driven(c, sigTIM1CH1), tm.Sr)
	}
	set(t, tm, timSR, 0)
	set(t, tm, timBDTR, tm.Bdtr|timMOE)
	until(c, start+150)
	if get(t, tm, timSR)&timBIF == 0 || get(t, tm, timBDTR)&timMOE != 0 {
		t.Errorf("while the input is active: SR %#x, BDTR %#x", tm.Sr, tm.Bdtr)
	}
	c.Drive(portB+12, board.Drive{Kind: board.DriveLow}, c.Now())
	set(t, tm, timSR, 0)
	until(c, start+199)
	if get(t, tm, timBDTR)&timMOE != 0 || get(t, tm, timSR)&timBIF != 0 {
		t.Errorf("before the update: BDTR %#x, SR %#x", tm.Bdtr, tm.Sr)
	}
	until(c, start+201)
	if get(t, tm, timBDTR)&timMOE == 0 || !c.Level(portE+9) {
		t.Errorf("AOE did not set MOE at the update: %#x", tm.Bdtr)
	}
	set(t, tm, timEGR, timBIF)
	if get(t, tm, timBDTR)&timMOE != 0 || get(t, tm, timSR)&timBIF == 0 {
		t.Error("BG is no break")
	}
}

// BDTR.LOCK, RM0090 §17.4.18: what each level keeps.
func TestTimerLock(t *testing.T) {
	for level := range uint32(4) {
		c := idle(t)
		tm := c.timer(1)
		set(t, tm, timBDTR, level<<8)
		set(t, tm, timBDTR, 0x5C55) // AOE, BKE, OSSR, OSSI and DTG
		set(t, tm, timCR2, 0x7F00)
		set(t, tm, timCCER, 0xAAA) // all polarities
		set(t, tm, timCCMR1, 0x6868)
		want := [4][4]uint32{{0x5C55, 0x7F00, 0xAAA, 0x6868}, {0x0D00, 0, 0xAAA, 0x6868}, {0x0200, 0, 0, 0x6868}, {0x0300, 0, 0, 0}}[level]
		got := [4]uint32{get(t, tm, timBDTR), get(t, tm, timCR2), get(t, tm, timCCER), get(t, tm, timCCMR1)}
		if got != want {
			t.Errorf("LOCK %d: %#x, want %#x", level, got, want)
		}
	}
}

// The six steps of a motor: CCPC holds the next step back until COMG or, with
// CCUS, an edge of the trigger input (RM0090 §17.3.13).
func TestCommutation(t *testing.T) {
	c := idle(t)
	tm, hall := c.timer(1), c.timer(2)
	set(t, tm, timBDTR, timMOE)
	set(t, tm, timCR2, timCCPC)
	set(t, tm, timCCMR1, 0x50)
	set(t, tm, timCCER, 1)
	if driven(c, sigTIM1CH1) != "z" {
		t.Error("CC1E took effect without COM")
	}
	set(t, tm, timEGR, timCOMIF)
	if driven(c, sigTIM1CH1) != "1" || tm.Sr&timCOMIF == 0 {
		t.Errorf("after COMG: CH1 %s, SR %#x", driven(c, sigTIM1CH1), tm.Sr)
	}
	set(t, tm, timSR, 0)
	set(t, tm, timCCER, 4)
	set(t, tm, timCR2, timCCPC|timCCUS)
	set(t, tm, timSMCR, 1<<4) // ITR1: TIM2
	set(t, hall, timCR2, 2<<4)
	set(t, hall, timEGR, timUIF)
	if driven(c, sigTIM1CH1) != "z" || driven(c, sigTIM1CH1N) != "1" || tm.Sr&timCOMIF == 0 {
		t.Errorf("after the trigger: CH1 %s, CH1N %s, SR %#x", driven(c, sigTIM1CH1), driven(c, sigTIM1CH1N), tm.Sr)
	}
}

// A Hall sensor interface: TI1 is the exclusive or of three pins, each edge
// captures the count by TRC and starts over (RM0090 §17.3.18).
func TestHallSensor(t *testing.T) {
	c := idle(t)
	tm := c.timer(3)
	set(t, tm, timCR2, timTI1S)
	set(t, tm, timCCMR1, 3)
	set(t, tm, timCCER, 1)
	set(t, tm, timSMCR, 4<<4|slaveReset)
	set(t, tm, timCR1, timCEN)
	start := c.Cycle()
	for i, at := range []uint64{100, 150, 230} {
		until(c, start+at)
		tm.input(i, true, c.Cycle())
		if want := []uint32{100, 50, 80}[i]; get(t, tm, timCCR1) != want || get(t, tm, timCNT) != 0 {
			t.Errorf("edge %d: CCR1 %d, CNT %d; want %d, 0", i, tm.Ccr[0], tm.K.Cnt, want)
		}
	}
}

// External clock mode 2: ETR by polarity and prescaler (RM0090 §18.3.3).
func TestExternalClock2(t *testing.T) {
	for _, e := range []struct{ smcr, psc, want uint32 }{
		{timECE, 0, 16}, {timECE | timETP, 0, 16}, {timECE | 1<<12, 0, 8}, {timECE | 3<<12, 0, 2}, {timECE, 3, 4},
	} {
		c := idle(t)
		tm := c.timer(4)
		set(t, tm, timPSC, e.psc)
		set(t, tm, timEGR, timUIF)
		set(t, tm, timSMCR, e.smcr)
		set(t, tm, timCR1, timCEN)
		for range 16 {
			tm.input(pinETR, true, c.Cycle())
			until(c, c.Cycle()+10)
			tm.input(pinETR, false, c.Cycle())
			until(c, c.Cycle()+10)
		}
		if got := get(t, tm, timCNT); got != e.want {
			t.Errorf("SMCR %#x PSC %d: CNT %d, want %d", e.smcr, e.psc, got, e.want)
		}
	}
}

// OCxCE: ETRF high clears OC1REF until an update finds it low (§18.3.11).
func TestClearByExternalTrigger(t *testing.T) {
	c := idle(t)
	_, r := onBoard(t, c, portB+6, 2) // TIM4_CH1
	tm := c.timer(4)
	set(t, tm, timARR, 99)
	set(t, tm, timCCR1, 60)
	set(t, tm, timCCMR1, 0xE0)
	set(t, tm, timCCER, 1)
	start := c.Cycle()
	set(t, tm, timCR1, timCEN)
	until(c, start+120)
	tm.input(pinETR, true, c.Cycle())
	until(c, start+130)
	tm.input(pinETR, false, c.Cycle())
	until(c, start+270)
	if got, want := edgesOf(r, c, start), []uint64{0, 60, 100, 120, 200, 260}; !slices.Equal(got, want) {
		t.Errorf("edges at %v, want %v", got, want)
	}
}

// OCxFE: with the trigger an output is what it would be from the match on
// (§18.3.10), in both PWM modes; the match and the update are where they were.
func TestFastEnable(t *testing.T) {
	for _, e := range []struct {
		ccmr uint32
		want []uint64
	}{
		{0x0170, []uint64{110, 131}}, // PWM 2; TI2 is an input
		{0x0174, []uint64{100, 131}},
		{0x0164, []uint64{0, 100, 131}}, // PWM 1, high before the trigger
		{0x0160, []uint64{0, 110, 131}},
	} {
		c := idle(t)
		_, r := onBoard(t, c, portE+5, 3) // TIM9_CH1
		tm := c.timer(9)
		set(t, tm, timARR, 30)
		set(t, tm, timCCR1, 10)
		start := c.Cycle()
		set(t, tm, timCCMR1, e.ccmr)
		set(t, tm, timCCER, 1)
		set(t, tm, timSMCR, 6<<4|slaveTrigger)
		set(t, tm, timCR1, timOPM)
		until(c, start+100)
		tm.input(1, true, c.Cycle())
		until(c, start+200)
		if got := edgesOf(r, c, start); !slices.Equal(got, e.want) {
			t.Errorf("CCMR1 %#x: edges at %v, want %v", e.ccmr, got, e.want)
		}
	}
}

// One pulse at each trigger: OPM with slave trigger mode (§18.3.10).
func TestOnePulseRetrigger(t *testing.T) {
	c := idle(t)
	_, r := onBoard(t, c, portE+5, 3) // TIM9_CH1
	tm := c.timer(9)
	set(t, tm, timARR, 30)
	set(t, tm, timCCR1, 10)
	set(t, tm, timCCMR1, 0x0170) // PWM 2; TI2 is an input
	set(t, tm, timCCER, 1)
	set(t, tm, timSMCR, 6<<4|slaveTrigger)
	set(t, tm, timCR1, timOPM)
	start := c.Cycle()
	for _, at := range []uint64{100, 200, 300} {
		until(c, start+at)
		tm.input(1, true, c.Cycle())
		tm.input(1, false, c.Cycle())
	}
	until(c, start+400)
	if got, want := edgesOf(r, c, start), []uint64{110, 131, 210, 231, 310, 331}; !slices.Equal(got, want) {
		t.Errorf("edges at %v, want %v", got, want)
	}
}

// Internal triggers: RM0090 tables 94, 98 and 101. Every slave in external
// clock mode 1 counts its master's updates, or edges of its OC1.
func TestInternalTriggers(t *testing.T) {
	for _, e := range []struct {
		slave   int
		masters [4]int
	}{
		{1, [4]int{5, 2, 3, 4}}, {2, [4]int{1, 8, 3, 4}}, {3, [4]int{1, 2, 5, 4}}, {4, [4]int{1, 2, 3, 8}},
		{5, [4]int{2, 3, 4, 8}}, {8, [4]int{1, 2, 4, 5}}, {9, [4]int{2, 3, 10, 11}}, {12, [4]int{4, 5, 13, 14}},
	} {
		for itr, n := range e.masters {
			c := idle(t)
			s, m := c.timer(e.slave), c.timer(n)
			set(t, s, timSMCR, uint32(itr)<<4|slaveClock)
			set(t, s, timCR1, timCEN)
			set(t, m, timARR, 9)
			if n >= 10 {
				set(t, m, timCCR1, 5)
				set(t, m, timCCMR1, 0x70)
				set(t, m, timCCER, 1)
			} else {
				set(t, m, timCR2, 2<<4)
			}
			start := c.Cycle()
			set(t, m, timCR1, timCEN)
			until(c, start+58)
			want := uint32(5)
			if n >= 10 {
				want = 6 // OC1 rises at 5, 15 and so on
			}
			if got := get(t, s, timCNT); got != want {
				t.Errorf("TIM%d on ITR%d: CNT %d after 58 clocks of TIM%d, want %d", e.slave, itr, got, n, want)
			}
		}
	}
}

// Interrupt lines: RM0090 §12.2, table 62. Two timers share most of TIM1's and
// TIM8's.
func TestTimerLines(t *testing.T) {
	for _, e := range []struct {
		n    int
		flag uint32
		line int
	}{
		{1, timBIF, 24}, {1, timUIF, 25}, {1, timTIF, 26}, {1, timCOMIF, 26}, {1, timCC1IF, 27}, {1, timCC1IF << 3, 27},
		{2, timUIF, 28}, {3, timTIF, 29}, {4, timCC1IF, 30}, {5, timUIF, 50}, {6, timUIF, 54}, {7, timUIF, 55},
		{8, timBIF, 43}, {8, timUIF, 44}, {8, timTIF, 45}, {8, timCC1IF, 46},
		{9, timCC1IF, 24}, {10, timUIF, 25}, {11, timUIF, 26}, {12, timTIF, 43}, {13, timUIF, 44}, {14, timCC1IF, 45},
	} {
		c := idle(t)
		tm := c.timer(e.n)
		set(t, tm, timDIER, e.flag)
		set(t, tm, timEGR, e.flag)
		var on []int
		for line := range timLines {
			for _, n := range timLines[line] {
				if c.timer(n).interrupts(line) {
					on = append(on, line)
				}
			}
		}
		if !slices.Equal(on, []int{e.line}) {
			t.Errorf("TIM%d flag %#x: lines %v, want %d", e.n, e.flag, on, e.line)
		}
	}
}

// TIM9 to TIM14 (RM0090 §19): a PWM on each channel's pin.
func TestSmallTimers(t *testing.T) {
	for _, e := range []struct {
		n, ch int
		pin   board.Pin
		af    uint32
	}{
		{9, 0, portA + 2, 3}, {9, 1, portA + 3, 3}, {10, 0, portB + 8, 3}, {11, 0, portB + 9, 3},
		{12, 0, portB + 14, 9}, {12, 1, portB + 15, 9}, {13, 0, portA + 6, 9}, {14, 0, portA + 7, 9},
	} {
		c := idle(t)
		_, r := onBoard(t, c, e.pin, e.af)
		tm := c.timer(e.n)
		set(t, tm, timARR, 9)
		set(t, tm, timCCR1+uint32(4*e.ch), 3)
		set(t, tm, timCCMR1, 0x60<<(8*e.ch))
		set(t, tm, timCCER, 1<<(4*e.ch))
		start := c.Cycle()
		set(t, tm, timCR1, timCEN)
		until(c, start+25)
		if got, want := edgesOf(r, c, start), []uint64{0, 3, 10, 13, 20, 23}; !slices.Equal(got, want) {
			t.Errorf("TIM%d_CH%d on %s: edges at %v, want %v", e.n, e.ch+1, c.PinName(e.pin), got, want)
		}
	}
	c := idle(t)
	for n, off := range map[int]uint32{10: timSMCR, 13: timCCR1 + 4, 9: timCR2, 12: timCCMR2, 3: timRCR, 4: timOR} {
		if get(t, c.timer(n), off); len(c.warnings) == 0 {
			t.Errorf("TIM%d+%#x: no warning of a reserved word", n, off)
		}
		c.warnings = nil
	}
}

// A PWM of 1 MHz and more that nobody watches makes no events, and its pin
// reads right.
func TestUnwatchedOutputIsFree(t *testing.T) {
	c := idle(t)
	b, err := board.New(c, board.Wiring{})
	if err != nil {
		t.Fatal(err)
	}
	c.Powered = true
	alternate(c, portE+9, 1)
	tm := c.timer(1)
	set(t, tm, timARR, 9)
	set(t, tm, timCCR1, 3)
	set(t, tm, timCCMR1, 0x60)
	set(t, tm, timCCER, 1)
	set(t, tm, timBDTR, timMOE)
	set(t, tm, timCR1, timCEN)
	start := c.Cycle()
	if at := c.Events.At(slotTIM); at != clock.Never {
		t.Fatalf("nobody watches, and there is a deadline at %d", at)
	}
	for _, e := range []struct {
		at   uint64
		high bool
	}{{2, true}, {3, false}, {9, false}, {10, true}, {16_000_012, true}, {16_000_013, false}} {
		until(c, start+e.at)
		if got := get(t, gpioDevice{c, 4}, 0x10)>>9&1 != 0; got != e.high {
			t.Errorf("PE9 reads %v at %d", got, e.at)
		}
	}
	r := b.Record(portE + 9)
	from := c.Cycle()
	until(c, from+20)
	r.Stop()
	if got, want := edgesOf(r, c, from), []uint64{7, 10, 17, 20}; !slices.Equal(got, want) {
		t.Errorf("recorded edges at %v, want %v", got, want)
	}
	if at := c.Events.At(slotTIM); at != clock.Never {
		t.Errorf("the recording is over, and there is a deadline at %d", at)
	}
}

// Whoever looks at a chip does not change it.
func TestWatchingDoesNotDisturb(t *testing.T) {
	var digests [2]string
	for i := range digests {
		c := idle(t)
		alternate(c, portE+9, 1)
		if i == 1 {
			c.Watch(func(board.Pin, bool, clock.Time) {})
		}
		tm := c.timer(1)
		set(t, tm, timARR, 9)
		set(t, tm, timCCR1, 3)
		set(t, tm, timCCMR1, 0x60)
		set(t, tm, timCCER, 1)
		set(t, tm, timBDTR, timMOE)
		set(t, tm, timCR1, timCEN)
		until(c, c.Cycle()+12345)
		c.timSync()
		digests[i] = fmt.Sprint(c.TIMs, c.Pins.Level, c.Pins.AFLevel)
	}
	if digests[0] != digests[1] {
		t.Errorf("watched and unwatched differ:\n%s\n%s", digests[0], digests[1])
	}
}

// A burst at each update writes ARR, RCR and CCR1 of TIM1 by DMAR: RM0090
// §17.3.20, DMA2 stream 5 channel 6.
func TestTimerDMABurst(t *testing.T) {
	c := idle(t)
	for i, v := range []uint32{19, 0, 7, 29, 1, 8} {
		binary.LittleEndian.PutUint32(c.mem.SRAM[4*i:], v)
	}
	tm := c.timer(1)
	set(t, tm, timDCR, 2<<8|timARR/4)
	stream(t, dma2(c), 5, 0x40010000+timDMAR, sramBase, 6, 0, 6<<chs|1<<dir|dmaMINC|sizeWord<<ps|sizeWord<<ms)
	set(t, tm, timARR, 99)
	set(t, tm, timDIER, timUDE)
	set(t, tm, timCR1, timCEN|timARPE)
	start := c.Cycle()
	until(c, start+99)
	if tm.Arr != 99 {
		t.Fatal("a transfer before the update")
	}
	until(c, start+180)
	if got := [3]uint32{tm.Arr, tm.Rcr, tm.Ccr[0]}; got != [3]uint32{19, 0, 7} {
		t.Errorf("after one update ARR, RCR, CCR1 are %d", got)
	}
	until(c, start+270)
	if got := [3]uint32{tm.Arr, tm.Rcr, tm.Ccr[0]}; got != [3]uint32{29, 1, 8} {
		t.Errorf("after two updates ARR, RCR, CCR1 are %d", got)
	}
}

// DMA requests: RM0090 §18.4.4, and CCDS, §18.4.2. want are the requests after
// one period of 10 in which channel 2 matches at 5.
func TestTimerRequests(t *testing.T) {
	for _, e := range []struct {
		n         int
		dier, cr2 uint32
		at        uint64
		want      []request
	}{
		{3, timUDE, 0, 9, nil},
		{3, timUDE, 0, 10, []request{reqTIM3UP}},
		{6, timUDE, 0, 10, []request{reqTIM6UP}},
		{3, timCC1DE << 1, 0, 5, []request{reqTIM3CH2}},
		{3, timCC1DE << 1, timCCDS, 9, nil},
		{3, timCC1DE << 1, timCCDS, 10, []request{reqTIM3CH2}},
		{8, timUDE | timCC1DE<<1, 0, 10, []request{reqTIM8UP, reqTIM8CH2}},
	} {
		c := idle(t)
		tm := c.timer(e.n)
		set(t, tm, timARR, 9)
		if e.n != 6 {
			set(t, tm, timCCR1+4, 5)
			set(t, tm, timCR2, e.cr2)
		}
		set(t, tm, timDIER, e.dier)
		start := c.Cycle()
		set(t, tm, timCR1, timCEN)
		until(c, start+e.at)
		var got []request
		for r, on := range c.Requests.Latched {
			if on {
				got = append(got, request(r))
			}
		}
		if !slices.Equal(got, e.want) {
			t.Errorf("TIM%d, DIER %#x, CR2 %#x after %d: %v, want %v", e.n, e.dier, e.cr2, e.at, got, e.want)
		}
		set(t, tm, timDIER, 0)
		if c.Requests.Latched != [requests]bool{} {
			t.Errorf("TIM%d: DIER 0 withdraws nothing", e.n)
		}
	}
}

// The lines to the converters (RM0090 §13.6): OCx while enabled, and TRGO, at
// their exact cycles. A conversion begins with the rise.
func TestTimerStartsConversions(t *testing.T) {
	for _, e := range []struct {
		n           int
		extsel      uint32
		ch          int
		ccer, bdtr  uint32
		conversions int
	}{
		{1, 0, 0, 1, timMOE, 3}, {1, 0, 0, 1, 0, 0}, {1, 1, 1, 0x10, timMOE, 3}, {1, 1, 1, 0, timMOE, 0},
		{2, 3, 1, 0x10, 0, 3}, {4, 9, 3, 0x1000, 0, 3}, {5, 12, 2, 0x100, 0, 3}, {8, 13, 0, 1, timMOE, 3},
	} {
		c, a := analog(t, Options{})
		sequence(t, a, 1)
		set(t, a, adcCR2, adcADON|1<<28|e.extsel<<24)
		tm := c.timer(e.n)
		set(t, tm, timARR, 999)
		set(t, tm, timCCR1+uint32(4*e.ch), 500)
		set(t, tm, timCCMR1+uint32(e.ch/2*4), 0x70<<(8*(e.ch%2)))
		set(t, tm, timCCER, e.ccer)
		set(t, tm, timBDTR, e.bdtr)
		start, n := c.Cycle(), 0
		set(t, tm, timCR1, timCEN)
		for at := uint64(500); at < 3000; at += 1000 {
			until(c, start+at-1)
			if c.ADCs.ADC[0].Group == adcRegular {
				t.Fatalf("TIM%d_CC%d: a conversion before the match", e.n, e.ch+1)
			}
			until(c, start+at)
			if c.ADCs.ADC[0].Group == adcRegular {
				n++
			}
		}
		if n != e.conversions {
			t.Errorf("TIM%d_CC%d, CCER %#x, BDTR %#x: %d conversions, want %d", e.n, e.ch+1, e.ccer, e.bdtr, n, e.conversions)
		}
	}
}
