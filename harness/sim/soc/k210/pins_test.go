package k210

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

const (
	fpioa  = 0x502B0000
	gpiohs = 0x38001000
	gpio   = 0x50200000
	uarths = 0x38000000
)

// quiet is a part with ACLK at 390 MHz and the clocks of all blocks on, in which neither ROM
// nor harts run.
func quiet(t *testing.T) *Chip {
	t.Helper()
	c := powered(Options{})
	c.SetReset(false)
	c.ScheduleAt(slotReset, clock.NeverTime)
	c.romHandOver()
	c.SYSCTL.CLK_EN_PERI = ^uint32(0)
	if hz := c.Timeline.Hz(); hz != 390e6 {
		t.Fatalf("ACLK is %d Hz", hz)
	}
	return c
}

// st stores to a block as a hart does, ld loads.
func st(t *testing.T, c *Chip, addr, v uint32) {
	t.Helper()
	if f := c.store(uint64(addr), 4, uint64(v)); f != bus.None {
		t.Fatalf("store to %s: fault %v %s", RegisterName(addr), f, c.lacking)
	}
}

func ld(t *testing.T, c *Chip, addr uint32) uint32 {
	t.Helper()
	v, f := c.load(uint64(addr), 4)
	if f != bus.None {
		t.Fatalf("load from %s: fault %v %s", RegisterName(addr), f, c.lacking)
	}
	return uint32(v)
}

// pass lets cycles pass.
func pass(c *Chip, cycles uint64) { c.Run(c.TimeOf(c.Clock + cycles)) }

// edge is what a watcher saw.
type edge struct {
	pin  board.Pin
	high bool
	at   uint64 // cycle
}

// watch records the edges of some IOs, of none of all.
func watch(c *Chip, pins ...board.Pin) *[]edge {
	var edges []edge
	c.Watch(func(p board.Pin, high bool, at clock.Time) {
		edges = append(edges, edge{p, high, c.Timeline.CycleAt(at)})
	})
	if len(pins) > 0 {
		c.WatchOnly(pins...)
	}
	return &edges
}

// held tells what an IO is by itself: high, low, or what a resistor makes of it.
func held(c *Chip, io board.Pin) string {
	c.Drive(io, board.Drive{Kind: board.PullUp}, c.Now())
	up := c.Level(io)
	c.Drive(io, board.Drive{Kind: board.PullDown}, c.Now())
	down := c.Level(io)
	c.Drive(io, board.Drive{}, c.Now())
	switch {
	case up && down:
		return "high"
	case up:
		return "released"
	case down:
		return "?"
	}
	return "low"
}

// TestFPIOADefaults: functions after reset (DS, list of pins).
func TestFPIOADefaults(t *testing.T) {
	c := quiet(t)
	for io, want := range map[int]int{0: 0, 3: fnJTAG_TDO, 4: fnUARTHS_RX, 5: fnUARTHS_TX, 8: fnGPIO0, 15: fnGPIO0 + 7, 16: fnGPIOHS0, 47: fnGPIOHS0 + 31} {
		if got := int(ld(t, c, fpioa+4*uint32(io)) & ioCH_SEL); got != want {
			t.Errorf("IO%d has function %d, want %d", io, got, want)
		}
		if want == fnUARTHS_TX && c.padOf(want) != 5 {
			t.Errorf("UARTHS_TX is on IO%d", c.padOf(want))
		}
	}
	for io, want := range map[board.Pin]string{4: "released", 5: "high", 16: "released"} {
		if got := held(c, io); got != want {
			t.Errorf("IO%d is %s, want %s", io, got, want)
		}
	}
	if c.padOf(fnTIMER0) != -1 {
		t.Error("a timer's output has an IO")
	}
}

// TestFPIOAOutput: enables, inversions and choices of an IO (SDK fpioa.h) with
// GPIOHS12's output.
func TestFPIOAOutput(t *testing.T) {
	for _, one := range []struct {
		bits        uint32
		enable, out uint32
		want        string
	}{
		{0, 1, 1, "released"},
		{ioOE_EN, 0, 1, "released"},
		{ioOE_EN, 1, 1, "high"},
		{ioOE_EN, 1, 0, "low"},
		{ioOE_EN | ioDO_INV, 1, 0, "high"},
		{ioOE_EN | ioOE_INV, 0, 1, "high"},
		{ioOE_EN | ioOE_INV, 1, 1, "released"},
		{ioOE_EN | ioDO_SEL, 1, 0, "high"},
		{ioOE_EN | ioDO_SEL | ioDO_INV, 1, 1, "low"},
		{ioOE_EN | ioOE_INV | ioDO_SEL, 0, 1, "low"},
		{ioPU, 0, 0, "released"}, // outside's resistors are taken to be stronger
	} {
		c := quiet(t)
		st(t, c, gpiohs+ghOUTPUT_EN, one.enable<<12)
		st(t, c, gpiohs+ghOUTPUT_VAL, one.out<<12)
		st(t, c, fpioa+4*30, fnGPIOHS0+12|one.bits)
		if got := held(c, 30); got != one.want {
			t.Errorf("%#x with enable %d, output %d: %s, want %s", one.bits, one.enable, one.out, got, one.want)
		}
	}
}

// TestFPIOAConstant is high (Linux pinctrl-k210.c).
func TestFPIOAConstant(t *testing.T) {
	c := quiet(t)
	st(t, c, fpioa+4*30, fnCONSTANT|ioOE_EN)
	if got := held(c, 30); got != "high" {
		t.Errorf("it is %s", got)
	}
}

// TestFPIOAInput: enables, inversion, pulls and ties of an input.
func TestFPIOAInput(t *testing.T) {
	for _, one := range []struct {
		bits  uint32
		drive board.DriveKind
		want  bool
	}{
		{0, board.DriveHigh, false},
		{ioIE_EN, board.DriveHigh, true},
		{ioIE_EN, board.DriveLow, false},
		{ioIE_EN | ioIE_INV, board.DriveHigh, false},
		{ioIE_EN | ioDI_INV, board.DriveLow, true},
		{ioIE_EN | ioPU, board.HiZ, true},
		{ioIE_EN | ioPU, board.PullDown, false},
		{ioIE_EN | ioPD, board.HiZ, false},
	} {
		c := quiet(t)
		c.Drive(30, board.Drive{Kind: one.drive}, c.Now())
		st(t, c, fpioa+4*30, fnUART1_RX|one.bits)
		if got := c.in(fnUART1_RX); got != one.want {
			t.Errorf("%#x driven %v: %v", one.bits, one.drive, got)
		}
		if got := ld(t, c, fpioa+4*30)&ioPAD_DI != 0; got != one.want {
			t.Errorf("%#x driven %v: PAD_DI %v", one.bits, one.drive, got)
		}
		st(t, c, fpioa+fpTIE_VAL+4*(fnUART1_RX/32), oneIf(!one.want)<<(fnUART1_RX%32))
		st(t, c, fpioa+fpTIE_EN+4*(fnUART1_RX/32), 1<<(fnUART1_RX%32))
		if got := c.in(fnUART1_RX); got == one.want {
			t.Errorf("%#x: tied it is %v", one.bits, got)
		}
	}
}

// TestFPIOAShares: two IOs of a function are joined by or, with a warning.
func TestFPIOAShares(t *testing.T) {
	c := quiet(t)
	c.Drive(30, board.Drive{Kind: board.DriveHigh}, c.Now())
	st(t, c, fpioa+4*30, fnUART1_RX|ioInput)
	if len(c.Warnings()) != 0 {
		t.Errorf("warnings %q", c.Warnings())
	}
	c.Drive(31, board.Drive{Kind: board.DriveLow}, c.Now())
	st(t, c, fpioa+4*31, fnUART1_RX|ioInput)
	c.Drive(31, board.Drive{Kind: board.DriveHigh}, c.Now())
	c.Drive(31, board.Drive{Kind: board.DriveLow}, c.Now())
	if !c.in(fnUART1_RX) || len(c.Warnings()) != 1 {
		t.Errorf("input %v, warnings %q", c.in(fnUART1_RX), c.Warnings())
	}
}

// TestFPIOALacks: clocks and debug signals are not modelled, as outputs.
func TestFPIOALacks(t *testing.T) {
	c := quiet(t)
	st(t, c, fpioa+4*30, fnDEBUG0+3)
	if f := c.store(fpioa+4*30, 4, fnDEBUG0+3|ioOE_EN); f != bus.Unmodelled || c.lacking != "FUNC_DEBUG3 on IO30" {
		t.Errorf("fault %v, lacks %q", f, c.lacking)
	}
}

func TestPinNames(t *testing.T) {
	c := New(Options{})
	for _, name := range []string{"IO0", "IO47"} {
		if p, err := c.PinByName(name); err != nil || c.PinName(p) != name {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
	for _, name := range []string{"IO48", "IO", "IO-1", "IO07", "io7", "GPIO3"} {
		if _, err := c.PinByName(name); err == nil {
			t.Errorf("there is a pin %s", name)
		}
	}
}

// TestFightWarns: chip and board against each other.
func TestFightWarns(t *testing.T) {
	c := quiet(t)
	c.Drive(5, board.Drive{Kind: board.DriveLow}, c.Now())
	if !c.Level(5) || len(c.Warnings()) != 1 || !strings.Contains(c.Warnings()[0], "IO5 driven") {
		t.Errorf("level %v, warnings %q", c.Level(5), c.Warnings())
	}
	c.Drive(5, board.Drive{Kind: board.ShortLow}, c.Now())
	if c.Level(5) || c.MicroVolts(5) != 0 {
		t.Error("a short does not win")
	}
}

// TestSourceMakesEdges: a ramp reaches the thresholds, 0.8 V and 2.0 V.
func TestSourceMakesEdges(t *testing.T) {
	c := quiet(t)
	st(t, c, gpiohs+ghINPUT_EN, 1<<5)
	from := c.Now()
	up := from + 40*clock.Microsecond
	c.SetAnalog(21, func(at clock.Time) int64 { // 0.1 V in a microsecond, up and down
		return 4_000_000 - max(int64(at-up), int64(up-at))/10
	})
	c.SetReach(21, func(a, b clock.Time, uv int64, rising bool) (clock.Time, bool) {
		at := up - clock.Time(10*(4_000_000-uv))
		if !rising {
			at = up + clock.Time(10*(4_000_000-uv))
		}
		return at, at >= a && at <= b
	})
	edges := watch(c, 21)
	c.Run(from + 80*clock.Microsecond)
	if len(*edges) != 2 || !(*edges)[0].high || (*edges)[1].high {
		t.Fatalf("edges %v", *edges)
	}
	for i, want := range []clock.Time{20 * clock.Microsecond, 72 * clock.Microsecond} {
		if got := c.TimeOf((*edges)[i].at) - from; got < want || got > want+3*clock.Nanosecond {
			t.Errorf("edge %d at %d ps, want %d and a cycle at most", i, got, want)
		}
	}
	if got := ld(t, c, gpiohs+0x1C); got != 1<<5 {
		t.Errorf("RISE_IP %#x", got)
	}
}

// TestSourceIsReadNow: one that makes no edges is seen when a pin is read.
func TestSourceIsReadNow(t *testing.T) {
	c := quiet(t)
	from := c.Now()
	c.SetAnalog(8, func(at clock.Time) int64 { return int64(at-from) / 10 }) // 2 V at 20 us
	for _, one := range []struct {
		at   clock.Time
		want uint32
	}{{19, 0}, {21, 1}} {
		c.Run(from + one.at*clock.Microsecond)
		if got := ld(t, c, gpio+gpDATA_INPUT); got != one.want {
			t.Errorf("DATA_INPUT %d after %d us", got, one.at)
		}
	}
	if got := c.MicroVolts(8); got != 2_100_000 {
		t.Errorf("%d uV", got)
	}
}

// TestPinsSurviveSnapshots: levels, what is applied, and who shows what.
func TestPinsSurviveSnapshots(t *testing.T) {
	c := quiet(t)
	st(t, c, fpioa+4*30, fnGPIOHS0+3|ioBoth)
	st(t, c, gpiohs+ghOUTPUT_EN, 1<<3)
	s, before := c.Snapshot(), c.Digest()
	st(t, c, fpioa+4*30, fnGPIOHS0+4|ioBoth)
	st(t, c, gpiohs+ghOUTPUT_VAL, 1<<3)
	c.Restore(s)
	if c.Digest() != before {
		t.Error("another digest")
	}
	edges := watch(c)
	st(t, c, gpiohs+ghOUTPUT_VAL, 1<<3)
	if len(on(*edges, 30)) != 1 || !c.Level(30) {
		t.Errorf("IO30 does not show GPIOHS3: %v", *edges)
	}
}

// describe writes edges relative to a cycle.
func describe(edges []edge, from uint64) string {
	var s []string
	for _, e := range edges {
		s = append(s, fmt.Sprintf("%d:%d", e.at-from, oneIf(e.high)))
	}
	return strings.Join(s, " ")
}

// on are the edges of one pin.
func on(edges []edge, p board.Pin) []edge {
	return slices.DeleteFunc(slices.Clone(edges), func(e edge) bool { return e.pin != p })
}
