package esp32c3

import (
	"slices"
	"strings"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/soc/pad"
)

const (
	gpio0 = 0x60004000
	mux0  = 0x60009004 // IO_MUX_GPIO0
)

const (
	gpioOUT    = gpio0 + 0x04
	gpioOUTSet = gpio0 + 0x08
	gpioENABLE = gpio0 + 0x20
	gpioIN     = gpio0 + 0x3C
	gpioSTATUS = gpio0 + 0x44
)

func pinReg(p uint32) uint32 { return gpio0 + gpioPIN + 4*p }
func inSel(s uint32) uint32  { return gpio0 + gpioFUNC_IN + 4*s }
func outSel(p uint32) uint32 { return gpio0 + gpioFUNC_OUT + 4*p }
func muxReg(p uint32) uint32 { return mux0 + 4*p }

// edge is a pin's change as the watcher sees it.
type edge struct {
	pin  board.Pin
	high bool
	at   clock.Time
}

// watching collects the edges of some pins.
func watching(c *Chip, pins ...board.Pin) *[]edge {
	var edges []edge
	c.Watch(func(p board.Pin, high bool, at clock.Time) {
		if slices.Contains(pins, p) {
			edges = append(edges, edge{p, high, at})
		}
	})
	c.WatchOnly(pins...)
	return &edges
}

// What a pin carries, by the data sheet's order: output, outside, pulls.
func TestPadVoltage(t *testing.T) {
	const gpio, ie, wpu, wpd = 1 << muxMCU_SEL, muxFUN_IE, muxFUN_WPU, muxFUN_WPD
	tests := []struct {
		name     string
		mux      uint32
		out, on  bool
		drain    bool
		outside  board.Drive
		uv       int64
		in       bool
		fighting bool
	}{
		{"output high", gpio | ie, true, true, false, board.Drive{}, 3_300_000, true, false},
		{"output low", gpio | ie, false, true, false, board.Drive{}, 0, false, false},
		{"input disabled", gpio, true, true, false, board.Drive{}, 3_300_000, false, false},
		{"open drain released", gpio | ie | wpu, true, true, true, board.Drive{}, 3_300_000, true, false},
		{"open drain pulled down outside", gpio | ie, true, true, true, board.Drive{Kind: board.PullDown}, 0, false, false},
		{"open drain low", gpio | ie | wpu, false, true, true, board.Drive{}, 0, false, false},
		{"pull-up", gpio | ie | wpu, false, false, false, board.Drive{}, 3_300_000, true, false},
		{"pull-down", gpio | ie | wpd, false, false, false, board.Drive{}, 0, false, false},
		{"both pulls", gpio | ie | wpu | wpd, false, false, false, board.Drive{}, 1_650_000, false, false},
		{"driven from outside", gpio | ie | wpd, false, false, false, board.Drive{Kind: board.DriveHigh}, 3_300_000, true, false},
		{"voltage", gpio | ie, false, false, false, board.Drive{Kind: board.DriveVoltage, MV: 2500}, 2_500_000, true, false},
		{"fight", gpio | ie, true, true, false, board.Drive{Kind: board.DriveLow}, 3_300_000, true, true},
		{"short", gpio | ie, true, true, false, board.Drive{Kind: board.ShortLow}, 0, false, true},
		{"no such function", 3<<muxMCU_SEL | ie | wpd, true, true, false, board.Drive{}, 0, false, false},
	}
	for _, tt := range tests {
		c := started(t, Options{}, endless())
		st(t, c, muxReg(3), tt.mux)
		st(t, c, gpioOUT, oneIf(tt.out)<<3)
		st(t, c, gpioENABLE, oneIf(tt.on)<<3)
		st(t, c, pinReg(3), oneIf(tt.drain)<<2)
		c.Drive(3, tt.outside, c.Now())
		if got := c.MicroVolts(3); got != tt.uv {
			t.Errorf("%s: %d uV, want %d", tt.name, got, tt.uv)
		}
		if got := ld(t, c, gpioIN)>>3&1 != 0; got != tt.in {
			t.Errorf("%s: GPIO_IN %t, want %t", tt.name, got, tt.in)
		}
		if got := strings.Contains(strings.Join(c.Warnings(), "\n"), "GPIO3 driven"); got != tt.fighting {
			t.Errorf("%s: a fight: %t, want %t", tt.name, got, tt.fighting)
		}
	}
}

// Pins after reset, TRM table 5.12-1, column Reset.
func TestPadsAfterReset(t *testing.T) {
	c := started(t, Options{}, endless())
	for p, want := range map[board.Pin]bool{9: true, 6: true, 20: true, 21: true, 12: true, 19: true, 0: false, 10: false} {
		if c.Level(p) != want {
			t.Errorf("GPIO%d is %t, want %t", p, !want, want)
		}
	}
	c.SetPower(false)
	if c.MicroVolts(9) != 3_300_000 { // floats where it was
		t.Error("GPIO9 without power has moved")
	}
	c.Drive(9, board.Drive{Kind: board.DriveLow}, c.Now())
	c.SetPower(true)
	c.Drive(2, board.Drive{Kind: board.DriveHigh}, c.Now())
	c.Drive(8, board.Drive{Kind: board.PullUp}, c.Now())
	if got := c.latchStraps(); got != 0x5 { // boot:0x5 is DOWNLOAD
		t.Errorf("straps %#x, want 0x5", got)
	}
}

// OUT and ENABLE, their set and clear registers, and the matrix's selectors.
func TestOutputSelection(t *testing.T) {
	tests := []struct {
		name    string
		sel     uint32
		enable  bool
		level   bool // of UART1's TXD or of GPIO_OUT
		want    bool
		driving bool
	}{
		{"GPIO_OUT", sigGPIO, true, true, true, true},
		{"GPIO_OUT not enabled", sigGPIO, false, true, false, false},
		{"GPIO_OUT inverted", sigGPIO | outINV, true, true, false, true},
		{"enable inverted", sigGPIO | outOENINV, false, true, true, true},
		{"U1TXD enables itself", 9, false, true, true, true},
		{"U1TXD inverted", 9 | outINV, false, true, false, true},
		{"U1TXD enabled by GPIO_ENABLE", 9 | outOEN, true, true, true, true},
		{"U1TXD not enabled", 9 | outOEN, false, true, false, false},
		{"CPU_GPIO_0 does not enable itself", sigCPUGPIO, true, true, false, false},
	}
	for _, tt := range tests {
		c := started(t, Options{}, endless())
		st(t, c, muxReg(4), 1<<muxMCU_SEL)
		st(t, c, outSel(4), tt.sel)
		st(t, c, gpioOUTSet, oneIf(tt.level)<<4)
		st(t, c, gpio0+0x24, oneIf(tt.enable)<<4)
		if got := c.Level(4); got != tt.want {
			t.Errorf("%s: level %t, want %t", tt.name, got, tt.want)
		}
		if got := c.driver(4) != pad.Released; got != tt.driving {
			t.Errorf("%s: driving %t, want %t", tt.name, got, tt.driving)
		}
	}
}

// Input signals: from pins, constants, inverted, and around the matrix.
func TestInputSelection(t *testing.T) {
	tests := []struct {
		name string
		sig  int
		sel  uint32
		pin  board.Pin
		want bool // with the pin high
		low  bool // and low
	}{
		{"pin", 9, inSEL | 3, 3, true, false},
		{"pin inverted", 9, inSEL | inINV | 3, 3, false, true},
		{"constant 1", 9, inSEL | constHigh, 3, true, true},
		{"constant 0", 9, inSEL | constLow, 3, false, false},
		{"no pin and no function", 9, 3, 3, false, false},
		{"U0RXD by the IO MUX", sigUARTRX, 0, 20, true, false},
		{"SCL by default", sigSCL, 0, 3, true, true},
	}
	for _, tt := range tests {
		c := started(t, Options{}, endless())
		st(t, c, inSel(uint32(tt.sig)), tt.sel)
		for _, level := range []bool{true, false} {
			kind, want := board.DriveHigh, tt.want
			if !level {
				kind, want = board.DriveLow, tt.low
			}
			c.Drive(tt.pin, board.Drive{Kind: kind}, c.Now())
			if got := c.sigIn(tt.sig); got != want {
				t.Errorf("%s: %t with the pin %t, want %t", tt.name, got, level, want)
			}
		}
	}
}

// TRM: GPIO_PINn_INT_TYPE and INT_ENA.
func TestPinInterrupts(t *testing.T) {
	tests := []struct {
		typ                        uint32
		onRise, onFall             bool
		backWhileHigh, backWhenLow bool // comes back behind W1TC
	}{
		{0, false, false, false, false},
		{intRising, true, false, false, false},
		{intFalling, false, true, false, false},
		{intAny, true, true, false, false},
		{intLow, false, true, false, true},
		{intHigh, true, false, true, false},
	}
	for _, tt := range tests {
		c := started(t, Options{}, endless())
		c.Drive(1, board.Drive{Kind: board.DriveLow}, c.Now())
		flag := func() bool { return ld(t, c, gpioSTATUS)>>1&1 != 0 }
		clear := func() { st(t, c, gpio0+0x4C, 1<<1) }
		st(t, c, muxReg(1), 1<<muxMCU_SEL|muxFUN_IE)
		st(t, c, pinReg(1), tt.typ<<pinINT_TYPE|1<<pinINT_ENA)
		c.Drive(1, board.Drive{Kind: board.DriveHigh}, c.Now())
		if tt.typ == intLow { // its flag is that of the level before
			clear()
		}
		if flag() != tt.onRise {
			t.Errorf("type %d: flag behind a rise %t", tt.typ, !tt.onRise)
		}
		if line := c.Matrix.Levels>>sourceGPIO&1 != 0; line != tt.onRise {
			t.Errorf("type %d: interrupt %t", tt.typ, line)
		}
		clear()
		if flag() != tt.backWhileHigh {
			t.Errorf("type %d: flag behind W1TC %t", tt.typ, !tt.backWhileHigh)
		}
		c.Drive(1, board.Drive{Kind: board.DriveLow}, c.Now())
		clearedHigh := tt.typ == intHigh
		if clearedHigh {
			clear()
		}
		if flag() != tt.onFall {
			t.Errorf("type %d: flag behind a fall %t", tt.typ, !tt.onFall)
		}
		clear()
		if flag() != tt.backWhenLow {
			t.Errorf("type %d: flag behind W1TC, low, %t", tt.typ, !tt.backWhenLow)
		}
	}
	c := started(t, Options{}, endless())
	st(t, c, pinReg(1), 2<<pinINT_ENA) // non-maskable only
	st(t, c, gpio0+0x48, 1<<1)
	if cpu, nmi := ld(t, c, gpio0+0x5C), ld(t, c, gpio0+0x60); cpu != 0 || nmi != 1<<1 || c.Matrix.Levels>>sourceGPIONMI&1 == 0 {
		t.Errorf("STATUS_W1TS: CPU interrupt %#x, NMI %#x", cpu, nmi)
	}
}

// Stages of the synchroniser sample at the edges of APB that GPIO_PINn names;
// the filter swallows pulses shorter than two cycles of 12.5 ns.
func TestSynchroniser(t *testing.T) {
	tests := []struct {
		name         string
		sync1, sync2 uint32
		filter       bool
		pulse        clock.Time
		delay        clock.Time // of the rise at 100 us; Never: not seen
	}{
		{"none", 0, 0, false, 50_000, 0},
		{"one, falling", 1, 0, false, 50_000, 6_250},
		{"one, rising", 2, 0, false, 50_000, 12_500},
		{"two", 2, 3, false, 50_000, 25_000},
		{"mixed", 1, 2, false, 50_000, 12_500},
		{"between two samples", 2, 2, false, 6_250, clock.NeverTime},
		{"filter", 0, 0, true, 50_000, 25_000},
		{"filter and two", 2, 2, true, 50_000, 50_000},
		{"filtered", 0, 0, true, 18_750, clock.NeverTime},
	}
	for _, tt := range tests {
		c := started(t, Options{}, endless())
		fast(t, c)
		c.Drive(1, board.Drive{Kind: board.DriveLow}, c.Now())
		st(t, c, muxReg(1), 1<<muxMCU_SEL|muxFUN_IE|oneIf(tt.filter)<<15)
		st(t, c, pinReg(1), tt.sync1<<pinSYNC1|tt.sync2<<pinSYNC2|intRising<<pinINT_TYPE)
		rise := 2 * clock.Millisecond
		c.Running = false // time alone: the moments are exact
		run(t, c, rise-c.Now())
		c.Drive(1, board.Drive{Kind: board.DriveHigh}, rise)
		seen := clock.NeverTime
		for end := rise + 200*clock.Nanosecond; c.Now() < end; c.Run(c.Now() + 1) {
			if c.Now() == rise+tt.pulse {
				c.Drive(1, board.Drive{Kind: board.DriveLow}, c.Now())
			}
			c.Dispatch(c.core.Cycle)
			if seen == clock.NeverTime && c.GPIO.STATUS>>1&1 != 0 {
				seen = c.Now() - rise
			}
		}
		if seen != tt.delay {
			t.Errorf("%s: seen after %d ps, want %d", tt.name, seen, tt.delay)
		}
	}
}

// The CPU's own GPIOs: outputs by the matrix, a cycle each, and inputs.
func TestCPUGPIO(t *testing.T) {
	csrci := func(csr, imm uint32) uint32 { return csr<<20 | imm<<15 | 7<<12 | 0x73 }
	csrr := func(rd, csr uint32) uint32 { return csr<<20 | 2<<12 | rd<<7 | 0x73 }
	program := code(addi(1, 0, 1), csrw(csrGPIO_OEN_USER, 1),
		csrsi(csrGPIO_OUT_USER, 1), csrci(csrGPIO_OUT_USER, 1), csrsi(csrGPIO_OUT_USER, 1), csrci(csrGPIO_OUT_USER, 1),
		csrr(5, csrGPIO_IN_USER), jal(0, 0))
	c := started(t, Options{}, program)
	fast(t, c)
	st(t, c, muxReg(3), 1<<muxMCU_SEL|muxFUN_IE)
	st(t, c, outSel(3), sigCPUGPIO)
	st(t, c, muxReg(1), 1<<muxMCU_SEL|muxFUN_IE|muxFUN_WPU)
	st(t, c, inSel(sigCPUGPIO+7), inSEL|1)
	edges := watching(c, 3)
	run(t, c, clock.Microsecond)
	if len(*edges) != 4 {
		t.Fatalf("%d edges, want 4: %+v", len(*edges), *edges)
	}
	for i, e := range *edges {
		if e.high != (i%2 == 0) || i > 0 && e.at-(*edges)[i-1].at != 6250 {
			t.Errorf("edge %d: %+v, the last one %+v: want a cycle of 6250 ps between", i, e, (*edges)[max(i-1, 0)])
		}
	}
	if got := c.core.X[5]; got != 0x80 {
		t.Errorf("GPIO_IN_USER %#x, want 0x80", got)
	}
}

// A source's crossings of 0.75 and 0.25 VDD come as edges.
func TestSourceCrossings(t *testing.T) {
	c := started(t, Options{}, endless())
	fast(t, c)
	st(t, c, muxReg(1), 1<<muxMCU_SEL|muxFUN_IE)
	edges := watching(c, 1)
	begin := c.Now()
	// a ramp of 1 V in 10 us, up for 33 us and down again
	ramp := func(at clock.Time) int64 {
		d := int64(at-begin) / 10
		return min(d, 6_600_000-d)
	}
	c.SetAnalog(1, ramp)
	c.SetReach(1, func(from, to clock.Time, uv int64, rising bool) (clock.Time, bool) {
		at := begin + clock.Time(uv*10)
		if !rising {
			at = begin + clock.Time((6_600_000-uv)*10)
		}
		if v := ramp(from); rising && v >= uv || !rising && v <= uv {
			at = from
		}
		return at, from <= at && at <= to
	})
	run(t, c, 66*clock.Microsecond)
	want := []edge{{1, true, begin + 24_750_000}, {1, false, begin + 57_750_000}}
	if len(*edges) != 2 {
		t.Fatalf("edges %+v, want %+v", *edges, want)
	}
	for i, e := range *edges {
		if late := e.at - want[i].at; e.high != want[i].high || late < 0 || late > 6250 {
			t.Errorf("edge %+v, want %+v within a cycle", e, want[i])
		}
	}
}

func TestUnmodelledSignals(t *testing.T) {
	for sel, want := range map[uint32]string{55: "GPIO_SD0_OUT", 58: "GPIO_SD3_OUT", 124: "CLK_OUT2"} {
		c := started(t, Options{}, endless())
		if f := (cpuBus{c}).Store(uint64(outSel(3)), 4, uint64(sel)); f.String() != "not modelled" || !strings.Contains(c.lacking, want) {
			t.Errorf("signal %d: %v, %q, want %q", sel, f, c.lacking, want)
		}
	}
}
