package stm32f407

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// idle is a chip whose core does not run: time passes, and the test writes
// registers in the program's place. HCLK is 16 MHz.
func idle(t *testing.T) *Chip {
	t.Helper()
	c := New(Options{})
	c.Powered = true
	for b := range c.RCC.ENR {
		c.RCC.ENR[b] = ^uint32(0)
	}
	return c
}

// until moves an idle chip to a cycle.
func until(c *Chip, cycle uint64) { c.Run(c.TimeOf(cycle)) }

func get(t *testing.T, d bus.Device, off uint32) uint32 {
	t.Helper()
	v, f := d.Load(off, 4)
	if f != bus.None {
		t.Fatalf("load of %#x: %v", off, f)
	}
	return uint32(v)
}

func set(t *testing.T, d bus.Device, off, v uint32) {
	t.Helper()
	if f := d.Store(off, 4, uint64(v)); f != bus.None {
		t.Fatalf("store of %#x to %#x: %v", v, off, f)
	}
}

// ticking is the counter of RM0090 §18.3.2 as a machine that ticks, to hold
// the derived one against.
type ticking struct {
	psc, arr, max  uint64
	ccr            [4]uint64
	mode           uint32 // CMS<<1 | DIR
	cnt, pre       uint64
	down           bool
	sr             uint32
	ref            bool // of channel 1 in PWM mode 1
	updates, edges int
}

func (k *ticking) tick() {
	if k.arr == 0 {
		return
	}
	if k.pre < k.psc {
		k.pre++
		return
	}
	k.pre = 0
	cms := k.mode >> 1
	over, arrivedDown := false, k.down
	switch {
	case cms != 0 && k.down:
		k.cnt--
		if over = k.cnt == 0; over {
			k.down = false
		}
	case cms != 0:
		k.cnt++
		if over = k.cnt == k.arr; over {
			k.down = true
		}
	case k.down && k.cnt == 0:
		k.cnt, over = k.arr, true
	case k.down:
		k.cnt--
	case k.cnt == k.arr || k.cnt == k.max:
		k.cnt, over = 0, true
	default:
		k.cnt++
	}
	if over {
		k.sr |= timUIF
		k.updates++
	}
	flags := cms == 0 || cms == 3 || (cms == 1) == arrivedDown
	for i, v := range k.ccr {
		if flags && (v == k.cnt || over && v > k.arr) {
			k.sr |= 2 << i
		}
	}
	ref := k.cnt < k.ccr[0]
	if k.down {
		ref = k.cnt <= k.ccr[0]
	}
	if ref != k.ref {
		k.edges++
	}
	k.ref = ref
}

// TestDerivedCounter holds the derived counter against the ticking one at
// random moments, for random settings, with and without anyone watching.
func TestDerivedCounter(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for trial := range 400 {
		c := idle(t)
		n := 2 + rnd.IntN(4)
		tm := c.timer(n)
		ref := ticking{psc: rnd.Uint64N(4), arr: 1 + rnd.Uint64N(12), max: tm.K.Max, mode: uint32([]int{0, 1, 2, 4, 6}[rnd.IntN(5)])}
		set(t, tm, timPSC, uint32(ref.psc))
		set(t, tm, timARR, uint32(ref.arr))
		for i := range ref.ccr {
			ref.ccr[i] = rnd.Uint64N(16)
			set(t, tm, timCCR1+uint32(4*i), uint32(ref.ccr[i]))
		}
		set(t, tm, timCCMR1, 0x60) // PWM mode 1 on channel 1
		watched := rnd.IntN(2) == 0
		if watched {
			set(t, tm, timCCER, 1)
			set(t, tm, timDIER, 0x1F)
		}
		set(t, tm, timCR1, ref.mode<<4)
		set(t, tm, timEGR, timUIF)
		set(t, tm, timSR, 0)
		ref.down = ref.mode == 1
		if ref.down {
			ref.cnt = ref.arr
		}
		ref.ref = tm.Ref[0]
		set(t, tm, timCR1, ref.mode<<4|timCEN)
		start, done := c.Cycle(), uint64(0)
		for range 12 {
			step := rnd.Uint64N([]uint64{5, 60, 3000}[rnd.IntN(3)])
			for range step {
				ref.tick()
			}
			done += step
			until(c, start+done)
			what := fmt.Sprintf("trial %d, TIM%d %+v, tick %d", trial, n, ref, done)
			if got := get(t, tm, timCNT); uint64(got) != ref.cnt {
				t.Fatalf("%s: CNT %d", what, got)
			}
			if got := get(t, tm, timSR); got != ref.sr {
				t.Fatalf("%s: SR %#x, want %#x", what, got, ref.sr)
			}
			if got := get(t, tm, timCR1)&timDIR != 0; got != ref.down {
				t.Fatalf("%s: DIR %v", what, got)
			}
			if out := c.Pins.AFLevel[tm.info.chan1]; watched && out != ref.ref {
				t.Fatalf("%s: OC1 %v", what, out)
			}
			if rnd.IntN(2) == 0 {
				clear := rnd.Uint32N(0x20)
				set(t, tm, timSR, clear)
				ref.sr &= clear
			}
		}
	}
}

// edgesOf are the edges of a pin in cycles since a start.
func edgesOf(r *board.Recorder, c *Chip, start uint64) (at []uint64) {
	for _, e := range r.Edges() {
		at = append(at, c.Timeline.CycleAt(e.At)-start)
	}
	return at
}

// onBoard records a pin of an idle chip that selects an alternate function.
func onBoard(t *testing.T, c *Chip, pin board.Pin, af uint32) (*board.Board, *board.Recorder) {
	t.Helper()
	b, err := board.New(c, board.Wiring{})
	if err != nil {
		t.Fatal(err)
	}
	c.Powered = true
	alternate(c, pin, af)
	return b, b.Record(pin)
}

func alternate(c *Chip, pin board.Pin, af uint32) {
	base, n := uint32(0x40020000+0x400*(pin/16)), uint32(pin%16)
	for b := range c.RCC.ENR {
		c.RCC.ENR[b] = ^uint32(0)
	}
	c.poke(base+0x20+n/8*4, c.peek(base+0x20+n/8*4)|af<<(n%8*4))
	c.poke(base, c.peek(base)|2<<(2*n))
}

// A PWM of 3 in 10 counts, prescaler 2: OC1 is high for 6 cycles in 20. The
// first count comes with the timer clock after the one that sees CEN.
func TestPWMOnPin(t *testing.T) {
	c := idle(t)
	_, r := onBoard(t, c, 0, 1) // PA0, AF1: TIM2_CH1
	tm := c.timer(2)
	set(t, tm, timPSC, 1)
	set(t, tm, timARR, 9)
	set(t, tm, timCCR1, 3)
	set(t, tm, timCCMR1, 0x68)
	set(t, tm, timCCER, 1)
	set(t, tm, timEGR, timUIF)
	start := c.Cycle()
	set(t, tm, timCR1, timCEN)
	until(c, start+65)
	if got, want := edgesOf(r, c, start), []uint64{0, 6, 20, 26, 40, 46, 60}; !slices.Equal(got, want) {
		t.Errorf("edges at %v, want %v", got, want)
	}
}

func TestToggleAndForce(t *testing.T) {
	c := idle(t)
	_, r := onBoard(t, c, 0, 1)
	tm := c.timer(2)
	set(t, tm, timARR, 9)
	set(t, tm, timCCR1, 5)
	set(t, tm, timCCMR1, 0x30)
	set(t, tm, timCCER, 1)
	start := c.Cycle()
	set(t, tm, timCR1, timCEN)
	until(c, start+30)
	set(t, tm, timCCMR1, 0x50) // force active: it is already
	until(c, start+32)
	set(t, tm, timCCMR1, 0x40)
	until(c, start+100)
	if got, want := edgesOf(r, c, start), []uint64{5, 15, 25, 32}; !slices.Equal(got, want) {
		t.Errorf("edges at %v, want %v", got, want)
	}
	set(t, tm, timCCER, 3) // inverted
	if !c.Level(0) {
		t.Error("CC1P does not invert")
	}
}

// RM0090 §18.4.1: URS, UDIS and OPM; §18.4.10: ARPE.
func TestUpdateControl(t *testing.T) {
	c := idle(t)
	tm := c.timer(3)
	set(t, tm, timCR1, timURS)
	set(t, tm, timEGR, timUIF)
	if get(t, tm, timSR) != 0x1E { // CNT = CCRx = 0
		t.Errorf("SR %#x after UG with URS", get(t, tm, timSR))
	}
	if get(t, tm, timEGR) != 0 {
		t.Error("EGR does not read 0")
	}
	set(t, tm, timCR1, 0)
	set(t, tm, timEGR, timUIF)
	if get(t, tm, timSR)&timUIF == 0 {
		t.Error("no UIF after UG")
	}
	set(t, tm, timSR, ^uint32(timUIF))
	set(t, tm, timARR, 99)
	set(t, tm, timCR1, timUDIS|timCEN)
	until(c, c.Cycle()+250)
	if get(t, tm, timSR)&timUIF != 0 {
		t.Error("UIF with UDIS")
	}
	set(t, tm, timCR1, timOPM|timCEN)
	until(c, c.Cycle()+250)
	if get(t, tm, timSR)&timUIF == 0 || get(t, tm, timCR1)&timCEN != 0 || get(t, tm, timCNT) != 0 {
		t.Errorf("one pulse: SR %#x CR1 %#x CNT %d", get(t, tm, timSR), get(t, tm, timCR1), get(t, tm, timCNT))
	}
	set(t, tm, timSR, 0)
	set(t, tm, timCR1, timARPE|timCEN)
	set(t, tm, timARR, 9)
	start := c.Cycle()
	until(c, start+99)
	if got := get(t, tm, timCNT); got != 99 {
		t.Errorf("with ARPE: CNT %d, want 99", got)
	}
	until(c, start+100+13)
	if got := get(t, tm, timCNT); got != 3 {
		t.Errorf("after the update: CNT %d, want 3", got)
	}
}

func TestTimerInterrupt(t *testing.T) {
	c := idle(t)
	tm := c.timer(2)
	set(t, tm, timPSC, 12)
	set(t, tm, timARR, 64614)
	set(t, tm, timEGR, timUIF)
	set(t, tm, timSR, 0)
	set(t, tm, timDIER, timUIF)
	start := c.Cycle()
	set(t, tm, timCR1, timCEN|timARPE)
	if got, want := c.Events.At(slotTIM+1), start+13*64615; got != want {
		t.Errorf("deadline at %d, want %d", got, want)
	}
	until(c, start+13*64615)
	if tm.Sr&timUIF == 0 {
		t.Error("no update at the deadline")
	}
	if got := c.Events.At(slotTIM + 1); got != clock.Never {
		t.Errorf("UIF is pending and nothing else to see, but there is a deadline at %d", got)
	}
}

// RM0090 §18.3.5: capture, its prescaler, overcapture.
func TestInputCapture(t *testing.T) {
	c := idle(t)
	tm := c.timer(5)
	set(t, tm, timCCMR1, 1|1<<2) // IC1 on TI1, every second edge
	set(t, tm, timCCER, 1)
	start := c.Cycle()
	set(t, tm, timCR1, timCEN)
	pulse := func(at uint64) {
		until(c, start+at)
		tm.input(0, true, start+at)
		tm.input(0, false, start+at)
	}
	pulse(10)
	if tm.Sr&2 != 0 {
		t.Error("captured at the first edge")
	}
	pulse(25)
	if get(t, tm, timSR)&2 == 0 || get(t, tm, timCCR1) != 25 {
		t.Errorf("SR %#x, CCR1 %d", tm.Sr, tm.Ccr[0])
	}
	if get(t, tm, timSR)&2 != 0 {
		t.Error("reading CCR1 did not clear CC1IF")
	}
	pulse(30)
	pulse(40)
	pulse(50)
	pulse(60)
	if sr := get(t, tm, timSR); sr&0x202 != 0x202 || tm.Ccr[0] != 60 {
		t.Errorf("overcapture: SR %#x, CCR1 %d", sr, tm.Ccr[0])
	}
	set(t, tm, timCCR1, 7) // read-only now
	if tm.Ccr[0] != 60 {
		t.Error("CCR1 was written in input mode")
	}
}

// TIM3 counts TIM2's updates (external clock 1 on ITR1), TIM4 is gated by
// TIM3's OC1REF (ITR2). §18.3.15.
func TestTimerChain(t *testing.T) {
	c := idle(t)
	t2, t3, t4 := c.timer(2), c.timer(3), c.timer(4)
	set(t, t4, timSMCR, 2<<4|slaveGated)
	set(t, t4, timCR1, timCEN)
	set(t, t3, timSMCR, 1<<4|slaveClock)
	set(t, t3, timARR, 9)
	set(t, t3, timCCR1, 4)
	set(t, t3, timCCMR1, 0x60)
	set(t, t3, timCR2, 4<<4)
	set(t, t3, timCR1, timCEN)
	set(t, t2, timARR, 99)
	set(t, t2, timCR2, 2<<4)
	start := c.Cycle()
	set(t, t2, timCR1, timCEN)
	until(c, start+100*25+50)
	if got := get(t, t3, timCNT); got != 5 {
		t.Errorf("TIM3 counts %d, want 25 updates mod 10", got)
	}
	// TIM3's reference is high for counts 0 to 3: 400 cycles, then 400 in the
	// second and third period.
	if got := get(t, t4, timCNT); got != 1200 {
		t.Errorf("TIM4 counted %d cycles, want 1200", got)
	}
}

func TestTimersThatTriggerEachOther(t *testing.T) {
	c := idle(t)
	t2, t3 := c.timer(2), c.timer(3)
	set(t, t2, timSMCR, 2<<4|slaveReset) // ITR2 of TIM2 is TIM3
	set(t, t3, timSMCR, 1<<4|slaveReset) // ITR1 of TIM3 is TIM2
	set(t, t2, timEGR, timUIF)           // MMS reset: must come to an end
	if t3.Sr&timTIF == 0 {
		t.Error("no trigger reached TIM3")
	}
}

func TestSlaveModesFromPins(t *testing.T) {
	c := idle(t)
	tm := c.timer(4)
	set(t, tm, timSMCR, 5<<4|slaveTrigger)
	until(c, c.Cycle()+100)
	start := c.Cycle()
	tm.input(0, true, start)
	until(c, start+50)
	if get(t, tm, timCNT) != 50 || tm.Sr&timTIF == 0 {
		t.Errorf("trigger mode: CNT %d SR %#x", tm.K.Cnt, tm.Sr)
	}
	set(t, tm, timSMCR, 6<<4|slaveReset)
	tm.input(1, true, c.Cycle())
	if get(t, tm, timCNT) != 0 {
		t.Errorf("reset mode: CNT %d", tm.K.Cnt)
	}
	set(t, tm, timSMCR, 4<<4|slaveClock) // TI1F_ED: both edges
	for i := range 6 {
		tm.input(0, i%2 == 1, c.Cycle())
	}
	if get(t, tm, timCNT) != 6 {
		t.Errorf("external clock: CNT %d", tm.K.Cnt)
	}
}

func TestTimerFaultsByName(t *testing.T) {
	for _, e := range []struct {
		n      int
		off, v uint32
		want   string
	}{
		{2, timOR, 0x400, "TIM2.OR.ITR1_RMP"},
		{5, timOR, 0xC0, "TIM5.OR.TI4_RMP"},
		{9, timSMCR, 3, "TIM9.SMCR.SMS encoder mode, reserved"},
		{12, timCCMR1, 0x8000, "TIM12.CCMR1.OC2CE, reserved"},
		{13, timCCMR1, 0x0002, "TIM13.CCMR1.CC1S 2, reserved"},
	} {
		c := idle(t)
		if f := c.timer(e.n).Store(e.off, 4, uint64(e.v)); f != bus.Unmodelled || c.lacking != e.want {
			t.Errorf("TIM%d+%#x = %#x: %v, %q, want %q", e.n, e.off, e.v, f, c.lacking, e.want)
		}
	}
	c := idle(t)
	set(t, c.timer(2), timBDTR, 0x8000) // TinyGo writes MOE everywhere
	if get(t, c.timer(2), timBDTR) != 0 {
		t.Error("BDTR of TIM2 is not reserved")
	}
}

// TIM6 and TIM7 are the same counter without channels (RM0090 §20).
func TestBasicTimer(t *testing.T) {
	c := idle(t)
	tm := c.timer(6)
	set(t, tm, timPSC, 15)
	set(t, tm, timARR, 999)
	set(t, tm, timEGR, timUIF)
	set(t, tm, timSR, 0)
	start := c.Cycle()
	set(t, tm, timCR1, timCEN)
	until(c, start+16*1000+160)
	if get(t, tm, timSR) != timUIF || get(t, tm, timCNT) != 10 {
		t.Errorf("SR %#x CNT %d", get(t, tm, timSR), get(t, tm, timCNT))
	}
	if _, f := tm.Load(timCCMR1, 4); f != bus.None || len(c.warnings) == 0 {
		t.Errorf("CCMR1 of TIM6: %v, warnings %q; it is a reserved word", f, c.warnings)
	}
}

// A timer whose clock RCC stops stands still, and goes on from there.
func TestTimerClockGate(t *testing.T) {
	c := idle(t)
	tm := c.timer(3)
	set(t, tm, timCR1, timCEN)
	start := c.Cycle()
	until(c, start+100)
	c.poke(rccBase+0x40, 0)
	until(c, start+500)
	c.poke(rccBase+0x40, 1<<1)
	until(c, start+550)
	if got := get(t, tm, timCNT); got != 150 {
		t.Errorf("CNT %d, want 150", got)
	}
}

// Writes to RCC that have nothing to do with a timer cost it no clock.
func TestTimerSurvivesClockWrites(t *testing.T) {
	c := idle(t)
	c.poke(rccBase+0x08, 5<<10) // PPRE1: PCLK1 = HCLK / 4, timers at HCLK / 2
	tm := c.timer(3)
	start := c.Cycle() / 2 * 2
	until(c, start+2)
	set(t, tm, timCR1, timCEN)
	for i := range uint64(100) {
		until(c, start+2+7*i)
		c.poke(rccBase+0x30, uint32(i))
	}
	until(c, start+2+1000)
	if got := get(t, tm, timCNT); got != 500 {
		t.Errorf("CNT %d, want 500", got)
	}
}

// A limit lowered below the count lets the counter run to its end.
func TestLimitBelowCount(t *testing.T) {
	c := idle(t)
	tm := c.timer(3)
	set(t, tm, timCR1, timCEN)
	start := c.Cycle()
	until(c, start+50)
	set(t, tm, timARR, 10)
	until(c, start+0xFFFF)
	if get(t, tm, timSR)&timUIF != 0 || get(t, tm, timCNT) != 0xFFFF {
		t.Errorf("SR %#x CNT %#x before the end", get(t, tm, timSR), get(t, tm, timCNT))
	}
	until(c, start+0x10000+13)
	if get(t, tm, timSR)&timUIF == 0 || get(t, tm, timCNT) != 2 {
		t.Errorf("SR %#x CNT %d after it", get(t, tm, timSR), get(t, tm, timCNT))
	}
}
