package stm32f407

import (
	"slices"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// onPin is a chip with open clock gates and PB5 configured.
func onPin(t *testing.T, mode, otype, pupd, odr uint32) *Chip {
	t.Helper()
	c := started(t, Options{}, endless())
	gates(t, c)
	st(t, c, gpioB+0x14, odr<<5)
	st(t, c, gpioB+0x04, otype<<5)
	st(t, c, gpioB+0x0C, pupd<<10)
	st(t, c, gpioB+0x00, mode<<10)
	return c
}

// RM0090 §8.3 and DS8626 §6.3.16 at a supply of 3.3 V: VIL 0.99 V, VIH 2.31 V.
func TestPinLevels(t *testing.T) {
	const pb5 = portB + 5
	drive := func(k board.DriveKind) board.Drive { return board.Drive{Kind: k} }
	volts := func(mv int32) board.Drive { return board.Drive{Kind: board.DriveVoltage, MV: mv} }
	tests := []struct {
		name                   string
		mode, otype, pupd, odr uint32
		outside                board.Drive
		level                  bool
		mv                     int64
		idr                    bool
		fight                  bool
	}{
		{"push-pull high", modeOutput, 0, 0, 1, board.Drive{}, true, 3300, true, false},
		{"push-pull low", modeOutput, 0, 1, 0, board.Drive{}, false, 0, false, false},
		{"open drain released", modeOutput, 1, 0, 1, board.Drive{}, false, 0, false, false},
		{"open drain with pull-up", modeOutput, 1, 1, 1, board.Drive{}, true, 3300, true, false},
		{"open drain held low outside", modeOutput, 1, 1, 1, drive(board.DriveLow), false, 0, false, false},
		{"open drain low against high", modeOutput, 1, 0, 0, drive(board.DriveHigh), false, 0, false, true},
		{"push-pull high against low", modeOutput, 0, 0, 1, drive(board.DriveLow), true, 3300, true, true},
		{"push-pull low against 3 V", modeOutput, 0, 0, 0, volts(3000), false, 0, false, true},
		{"push-pull high against 3 V", modeOutput, 0, 0, 1, volts(3000), true, 3300, true, false},
		{"input pulled up", modeInput, 0, 1, 0, board.Drive{}, true, 3300, true, false},
		{"input pulled down", modeInput, 0, 2, 0, board.Drive{}, false, 0, false, false},
		{"input driven against its pull", modeInput, 0, 2, 0, drive(board.DriveHigh), true, 3300, true, false},
		{"outside pull against its own", modeInput, 0, 2, 0, drive(board.PullUp), true, 3300, true, false},
		{"output against an outside pull", modeOutput, 0, 0, 0, drive(board.PullUp), false, 0, false, false},
		{"input at VIH", modeInput, 0, 0, 0, volts(2310), true, 2310, true, false},
		{"input between, was low", modeInput, 0, 0, 0, volts(2300), false, 2300, false, false},
		{"shorted low", modeOutput, 0, 0, 1, drive(board.ShortLow), false, 0, false, true},
		{"shorted high", modeOutput, 0, 0, 0, drive(board.ShortHigh), true, 3300, true, true},
		{"shorted to what it drives", modeOutput, 0, 0, 0, drive(board.ShortLow), false, 0, false, false},
		{"input shorted", modeInput, 0, 1, 0, drive(board.ShortLow), false, 0, false, false},
		{"analog reads 0", modeAnalog, 0, 1, 0, drive(board.DriveHigh), true, 3300, false, false},
	}
	for _, tt := range tests {
		c := New(Options{})
		c.Drive(pb5, tt.outside, 0)
		c = onPin(t, tt.mode, tt.otype, tt.pupd, tt.odr)
		before := len(c.Warnings())
		c.Drive(pb5, tt.outside, c.Now())
		idr := ld(t, c, gpioB+0x10)>>5&1 != 0
		if c.Level(pb5) != tt.level || c.MicroVolts(pb5) != tt.mv*1000 || idr != tt.idr {
			t.Errorf("%s: level %v, %d uV, IDR %v", tt.name, c.Level(pb5), c.MicroVolts(pb5), idr)
		}
		if fight := len(c.Warnings()) > before; fight != tt.fight {
			t.Errorf("%s: warnings %q", tt.name, c.Warnings())
		}
	}
}

// A source that changes by itself is seen when it is looked at: at 1 V/ms, VIH of
// 2.31 V (0.7 VDD, DS8626 table 48) comes after 2.31 ms.
func TestAnalogSource(t *testing.T) {
	c := onPin(t, modeInput, 0, 0, 0)
	start := c.Now()
	edges := 0
	c.Watch(func(board.Pin, bool, clock.Time) { edges++ })
	c.Drive(portB+5, board.Drive{Kind: board.DriveHigh}, c.Now())
	c.SetAnalog(portB+5, func(at clock.Time) int64 { return int64(at-start) / 1000 })
	for _, at := range []clock.Time{clock.Millisecond, 2300 * clock.Microsecond, 2320 * clock.Microsecond} {
		c.Run(start + at)
		want := int64(c.Now()-start) / 1000
		if uv := c.MicroVolts(portB + 5); uv != want {
			t.Errorf("%d uV at %d ps, want %d", uv, at, want)
		}
		if idr := ld(t, c, gpioB+0x10)>>5&1 != 0; idr != (want >= 2_310_000) {
			t.Errorf("at %d uV IDR reads %v", want, idr)
		}
	}
	if c.SetAnalog(portB+5, nil); c.MicroVolts(portB+5) != 3_300_000 || !c.Level(portB+5) {
		t.Error("what was driven before does not hold again")
	}
	if edges != 3 { // driven high; low at 0 V; high at 2.32 V
		t.Errorf("%d edges", edges)
	}
}

// triangle rises from 0 V by 1 V/ms for 3.3 ms, falls as fast, and so on.
func triangle(at clock.Time) int64 {
	const half = 3300 * clock.Microsecond
	if at %= 2 * half; at > half {
		at = 2*half - at
	}
	return int64(at) / 1000
}

// triangleReach is its Reach, picosecond by picosecond where it is near.
func triangleReach(from, to clock.Time, uv int64, rising bool) (clock.Time, bool) {
	for at := from; at <= to; at++ {
		switch v := triangle(at); {
		case rising && v >= uv, !rising && v <= uv:
			return at, true
		case rising && uv-v > 2, !rising && v-uv > 2:
			at += clock.Time(max(uv-v, v-uv)-2)*1000 - 1 // it cannot be there earlier
		}
	}
	return 0, false
}

// VIH of 2.31 V comes 2.31 ms, and VIL of 0.99 V 5.61 ms after the beginning of
// each period of 6.6 ms (DS8626 table 48); EXTI's flag follows in the same cycle.
func TestSourceMakesEdges(t *testing.T) {
	c := onPin(t, modeInput, 0, 0, 0)
	start := c.Now()
	reach := func(from, to clock.Time, uv int64, rising bool) (clock.Time, bool) {
		at, ok := triangleReach(from-start, to-start, uv, rising)
		return at + start, ok
	}
	c.SetAnalog(portB+5, func(at clock.Time) int64 { return triangle(at - start) })
	c.SetReach(portB+5, reach)
	c.WatchOnly()
	var edges []clock.Time
	c.Watch(func(p board.Pin, high bool, at clock.Time) {
		if p == portB+5 {
			edges = append(edges, at-start)
		}
	})
	ms := clock.Millisecond
	if c.Run(start + 10*ms); len(edges) != 0 {
		t.Errorf("edges at %v though nobody looks", edges)
	}
	if next := c.Events.At(slotSource); next != clock.Never {
		t.Errorf("the source is looked at in cycle %d though nobody looks", next)
	}
	st(t, c, sysc0+0x0C, 1<<4) // EXTICR2: PB5
	st(t, c, exti0+0x08, 1<<5) // RTSR
	st(t, c, exti0+0x0C, 1<<5) // FTSR
	if pr := ld(t, c, exti0+0x14); pr != 0 {
		t.Errorf("PR %#x by an edge that was before", pr)
	}
	edges = nil
	c.Run(start + 20*ms)
	want := []clock.Time{6600*clock.Microsecond + 5610*clock.Microsecond, 15_510 * clock.Microsecond, 18_810 * clock.Microsecond}
	if len(edges) != len(want) {
		t.Fatalf("edges at %v, want %v", edges, want)
	}
	for i, at := range edges {
		if late := at - want[i]; late < 0 || late > c.TimeOf(2)-c.TimeOf(1) {
			t.Errorf("edge %d at %d ps, want %d", i, at, want[i])
		}
	}
	if pr := ld(t, c, exti0+0x14); pr != 1<<5 {
		t.Errorf("PR %#x", pr)
	}
	st(t, c, gpioB+0x00, modeAnalog<<10)
	if next := c.Events.At(slotSource); next != clock.Never {
		t.Error("the source is looked at in analog mode")
	}
}

// Between VIL and VIH a pin keeps its level, and so it does when let go.
func TestPinHysteresis(t *testing.T) {
	c := onPin(t, modeInput, 0, 0, 0)
	for _, step := range []struct {
		mv   int32
		want bool
	}{{1500, false}, {2400, true}, {1500, true}, {990, false}, {1500, false}} {
		c.Drive(portB+5, board.Drive{Kind: board.DriveVoltage, MV: step.mv}, c.Now())
		if got := c.Level(portB + 5); got != step.want {
			t.Errorf("at %d mV: %v", step.mv, got)
		}
	}
	c.Drive(portB+5, board.Drive{Kind: board.DriveHigh}, c.Now())
	c.Drive(portB+5, board.Drive{}, c.Now())
	if !c.Level(portB+5) || c.MicroVolts(portB+5) != 3_300_000 {
		t.Error("a floating pin lost its level")
	}
	c = onPin(t, modeAnalog, 0, 1, 0) // pulls are off in analog mode, §8.3.12
	c.Drive(portB+5, board.Drive{Kind: board.DriveLow}, c.Now())
	c.Drive(portB+5, board.Drive{}, c.Now())
	if c.Level(portB + 5) {
		t.Error("pulled up in analog mode")
	}
}

// RM0090 §8.4.7.
func TestBSRR(t *testing.T) {
	c := onPin(t, modeOutput, 0, 0, 0)
	for _, step := range []struct{ v, odr uint32 }{
		{0x0000_00F0, 0x00F0}, {0x0030_0000, 0x00C0}, {0xFFFF_0001, 0x0001}, {0x0001_0001, 0x0001}, {0, 0x0001},
	} {
		st(t, c, gpioB+0x18, step.v)
		if got := ld(t, c, gpioB+0x14); got != step.odr {
			t.Errorf("ODR %#x after BSRR %#x, want %#x", got, step.v, step.odr)
		}
	}
	if v := ld(t, c, gpioB+0x18); v != 0 {
		t.Errorf("BSRR reads %#x", v)
	}
}

// RM0090 §8.4.8.
func TestPortLock(t *testing.T) {
	tests := []struct {
		writes []uint32
		read   bool
		locked bool
	}{
		{[]uint32{0x10020, 0x00020, 0x10020}, true, true},
		{[]uint32{0x10020, 0x00020, 0x10020}, false, false},
		{[]uint32{0x10020, 0x10020, 0x00020, 0x10020}, true, true},
		{[]uint32{0x10020, 0x00020, 0x10021}, true, false},
		{[]uint32{0x10020, 0x00020}, true, false},
		{[]uint32{0x00020, 0x10020}, true, false},
	}
	for _, tt := range tests {
		c := onPin(t, modeOutput, 0, 0, 1)
		for _, v := range tt.writes {
			st(t, c, gpioB+0x1C, v)
		}
		if tt.read {
			ld(t, c, gpioB+0x1C)
		}
		st(t, c, gpioB+0x00, 0)
		if got := ld(t, c, gpioB+0x00) == 1<<10; got != tt.locked {
			t.Errorf("%x: locked %v", tt.writes, got)
		}
		st(t, c, gpioB+0x18, 1<<21)
		if tt.locked && c.Level(portB+5) {
			t.Errorf("%x: the lock froze ODR", tt.writes)
		}
	}
}

// Watchers see the exact cycle of the store: str r1, [r0]; str r2, [r0] are
// two cycles apart.
func TestWatchTimes(t *testing.T) {
	c := started(t, Options{}, endless())
	gates(t, c)
	st(t, c, gpioB+0x00, modeOutput<<10)
	var at []clock.Time
	c.Watch(func(p board.Pin, high bool, when clock.Time) {
		if p == portB+5 {
			at = append(at, when)
		}
	})
	start := c.core.Cycle
	for _, d := range []uint64{0, 7, 8} {
		c.core.Cycle = start + d
		st(t, c, gpioB+0x14, ld(t, c, gpioB+0x14)^0x20)
	}
	want := []clock.Time{c.TimeOf(start), c.TimeOf(start + 7), c.TimeOf(start + 8)}
	if !slices.Equal(at, want) {
		t.Errorf("%d, want %d", at, want)
	}
}

// A wire from one pin to another: Drive within the watcher, as boards do.
func TestWire(t *testing.T) {
	c := started(t, Options{}, endless())
	gates(t, c)
	c.Watch(func(p board.Pin, high bool, when clock.Time) {
		if p == portB+5 {
			k := board.DriveLow
			if high {
				k = board.DriveHigh
			}
			c.Drive(portA+1, board.Drive{Kind: k}, when)
		}
	})
	st(t, c, gpioB+0x00, modeOutput<<10)
	st(t, c, gpioB+0x18, 1<<5)
	if ld(t, c, gpioA+0x10)>>1&1 == 0 {
		t.Error("the edge did not come through")
	}
}

// Without power the chip drives nothing.
func TestPinsWithoutPower(t *testing.T) {
	c := onPin(t, modeOutput, 0, 0, 1)
	c.Drive(portB+5, board.Drive{Kind: board.PullDown}, c.Now())
	if !c.Level(portB + 5) {
		t.Fatal("not driven")
	}
	c.SetPower(false)
	if c.Level(portB+5) || c.Level(portA+13) && c.MicroVolts(portA+13) == 0 {
		t.Error("driven without power")
	}
}

func TestPinNames(t *testing.T) {
	c := New(Options{})
	for p := board.Pin(0); p < 8*16+12; p++ {
		if got, err := c.PinByName(c.PinName(p)); err != nil || got != p {
			t.Errorf("%s is %d, %v", c.PinName(p), got, err)
		}
	}
	for _, bad := range []string{"", "P", "PA", "PA16", "PI12", "PJ0", "PA01", "PA-1", "pa1", "NRST", "PA1x"} {
		if p, err := c.PinByName(bad); err == nil {
			t.Errorf("%q is %s", bad, c.PinName(p))
		}
	}
}

// The alternate functions of DS8626 table 9 are one to one from pin and number.
func TestAlternateFunctions(t *testing.T) {
	seen := map[[2]int]bool{}
	for _, e := range afTable {
		key := [2]int{e.pin, e.af}
		if seen[key] {
			t.Errorf("P%c%d has AF%d twice", 'A'+e.pin/16, e.pin%16, e.af)
		}
		seen[key] = true
	}
	c := started(t, Options{}, endless())
	gates(t, c)
	st(t, c, gpioA+0x20, 7<<8)
	st(t, c, gpioA+0x00, modeAF<<4)
	c.afOut(sigUSART2TX, true)
	if !c.Level(portA + 2) {
		t.Error("USART2_TX does not reach PA2")
	}
	c.afOut(sigUSART2TX, false)
	if c.Level(portA + 2) {
		t.Error("USART2_TX does not fall on PA2")
	}
}

// Where an input signal goes when its pin turns elsewhere: back to idle.
func TestInputSignalSelection(t *testing.T) {
	c := started(t, Options{}, endless())
	gates(t, c)
	c.Drive(portA+1, board.Drive{Kind: board.DriveHigh}, c.Now())
	if c.afIn(sigTIM2CH2) {
		t.Error("TIM2_CH2 is high without a pin")
	}
	st(t, c, gpioA+0x20, 1<<4)
	st(t, c, gpioA+0x00, modeAF<<2)
	if !c.afIn(sigTIM2CH2) {
		t.Error("TIM2_CH2 does not see PA1")
	}
	st(t, c, gpioA+0x00, 0)
	if c.afIn(sigTIM2CH2) || !c.afIn(sigUSART2RX) {
		t.Error("signals without a pin are not idle")
	}
}

// RM0090 §12.2 and table 62.
func TestEXTI(t *testing.T) {
	tests := []struct {
		name             string
		line             int
		rtsr, ftsr       uint32
		high             bool
		imr              uint32
		pending, request bool
		irq              int
	}{
		{"rising", 5, 1 << 5, 0, true, 1 << 5, true, true, 23},
		{"rising only", 5, 0, 1 << 5, true, 1 << 5, false, false, 23},
		{"falling", 5, 0, 1 << 5, false, 1 << 5, true, true, 23},
		{"masked", 5, 1 << 5, 0, true, 0, true, false, 23},
		{"line 0", 0, 1, 0, true, 1, true, true, 6},
		{"line 15", 15, 1 << 15, 0, true, 1 << 15, true, true, 40},
	}
	for _, tt := range tests {
		c := started(t, Options{}, endless())
		gates(t, c)
		st(t, c, sysc0+8+uint32(tt.line/4*4), 1<<(4*(tt.line%4)))
		p := board.Pin(portB + tt.line)
		level := map[bool]board.DriveKind{false: board.DriveLow, true: board.DriveHigh}
		c.Drive(p, board.Drive{Kind: level[!tt.high]}, c.Now())
		st(t, c, exti0+0x08, tt.rtsr)
		st(t, c, exti0+0x0C, tt.ftsr)
		st(t, c, exti0+0x00, tt.imr)
		c.Drive(p, board.Drive{Kind: level[tt.high]}, c.Now())
		if got := ld(t, c, exti0+0x14)>>tt.line&1 != 0; got != tt.pending {
			t.Errorf("%s: PR %v", tt.name, got)
		}
		if got := requested(c, tt.irq); got != tt.request {
			t.Errorf("%s: request %v", tt.name, got)
		}
		st(t, c, exti0+0x14, 0xFFFFFFFF)
		if requested(c, tt.irq) || ld(t, c, exti0+0x14) != 0 {
			t.Errorf("%s: still pending", tt.name)
		}
	}
}

// §12.3.5: a software trigger; clearing PR clears SWIER.
func TestEXTISoftware(t *testing.T) {
	c := started(t, Options{}, endless())
	for line := range 23 {
		bit := uint32(1) << line
		st(t, c, exti0, bit)
		st(t, c, exti0+0x10, bit)
		if ld(t, c, exti0+0x14) != bit {
			t.Errorf("line %d: PR %#x", line, ld(t, c, exti0+0x14))
		}
		st(t, c, exti0+0x14, bit)
		if ld(t, c, exti0+0x10) != 0 {
			t.Errorf("line %d: SWIER stays", line)
		}
	}
}

// EMR: the event reaches the core without an interrupt (§12.2.3).
func TestEXTIEvent(t *testing.T) {
	c := started(t, Options{}, endless())
	st(t, c, exti0+0x04, 1<<3)
	c.core.Event = false
	st(t, c, exti0+0x10, 1<<3)
	if !c.core.Event {
		t.Error("no event")
	}
}

// Only the port that EXTICR selects triggers, and turning to a port with
// another level is an edge.
func TestEXTIRouting(t *testing.T) {
	c := started(t, Options{}, endless())
	gates(t, c)
	st(t, c, exti0+0x08, 1<<7)
	c.Drive(portC+7, board.Drive{Kind: board.DriveHigh}, c.Now())
	if ld(t, c, exti0+0x14) != 0 {
		t.Error("PC7 triggers while PA7 is selected")
	}
	st(t, c, sysc0+0x0C, 2<<12)
	if ld(t, c, exti0+0x14) != 1<<7 {
		t.Error("no edge when PC7 is selected")
	}
}

// RM0090 §24.3: TinyGo asks before the PLL runs and gets CECS; with PLL48CLK
// a number comes each 40 of its periods (833 ns).
func TestRNG(t *testing.T) {
	c := started(t, Options{Seed: 42}, endless())
	gates(t, c)
	st(t, c, rng0, rngEN|rngIE)
	if sr := ld(t, c, rng0+4); sr != rngCECS|rngCEIS {
		t.Errorf("SR %#x without PLL48CLK, want CECS and CEIS", sr)
	}
	if !requested(c, irqRNG) {
		t.Error("no interrupt of the clock error")
	}
	st(t, c, rcc0, 0x83|crPLLON)
	run(t, c, pllLock+clock.Microsecond/2)
	st(t, c, rng0+4, 0)
	if sr := ld(t, c, rng0+4); sr != 0 {
		t.Errorf("SR %#x half a microsecond after PLL48CLK came", sr)
	}
	var got []uint32
	for range 3 {
		run(t, c, clock.Microsecond)
		if sr := ld(t, c, rng0+4); sr != rngDRDY {
			t.Errorf("SR %#x after a microsecond", sr)
		}
		got = append(got, ld(t, c, rng0+8))
	}
	if got[0] == got[1] || got[1] == got[2] {
		t.Errorf("numbers %x", got)
	}
	if ld(t, c, rng0+8) != 0 || !warned(c, "RNG.DR read without DRDY") {
		t.Error("a number without DRDY")
	}
}
