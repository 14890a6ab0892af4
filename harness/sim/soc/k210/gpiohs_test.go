package k210

import (
	"math/rand/v2"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// TestGPIOHSOutput: an IO changes in the cycle of the store; OUTPUT_XOR inverts.
func TestGPIOHSOutput(t *testing.T) {
	c := quiet(t)
	edges := watch(c)
	from := c.Clock
	st(t, c, gpiohs+ghOUTPUT_EN, 1<<5)
	pass(c, 10)
	st(t, c, gpiohs+ghOUTPUT_VAL, 1<<5|1<<6)
	pass(c, 10)
	st(t, c, gpiohs+ghOUTPUT_XOR, 1<<5)
	if got, want := describe(*edges, from), "10:1 20:0"; got != want {
		t.Errorf("edges %s, want %s", got, want)
	}
	if got := ld(t, c, gpiohs+ghOUTPUT_VAL); got != 1<<5|1<<6 {
		t.Errorf("OUTPUT_VAL %#x", got)
	}
}

// TestGPIOHSSynchroniser: an edge is seen four cycles later, short pulses too.
func TestGPIOHSSynchroniser(t *testing.T) {
	c := quiet(t)
	st(t, c, gpiohs+ghINPUT_EN, 1<<5)
	high := board.Drive{Kind: board.DriveHigh}
	c.Drive(21, high, c.Now())
	pass(c, 1)
	c.Drive(21, board.Drive{Kind: board.DriveLow}, c.Now())
	pass(c, 1)
	c.Drive(21, high, c.Now())
	for i, want := range []uint32{0, 0, 1, 0, 1, 1} {
		if got := ld(t, c, gpiohs+ghINPUT_VAL) >> 5; got != want {
			t.Errorf("%d cycles after the first edge: %d, want %d", i+2, got, want)
		}
		pass(c, 1)
	}
}

// TestGPIOHSInterrupts: edges and levels, each kind with its enable; pending bits are
// cleared by writing 1 and come back while a level stays.
func TestGPIOHSInterrupts(t *testing.T) {
	for _, one := range []struct {
		name  string
		ie    uint32
		high  bool // the level before
		stays bool // when cleared
	}{
		{"rise", 0x18, false, false},
		{"fall", 0x20, true, false},
		{"high", 0x28, false, true},
		{"low", 0x30, true, true},
	} {
		c := quiet(t)
		drive := func(high bool) {
			kind := board.DriveLow
			if high {
				kind = board.DriveHigh
			}
			c.Drive(21, board.Drive{Kind: kind}, c.Now())
			pass(c, 10)
		}
		st(t, c, gpiohs+ghINPUT_EN, 1<<5)
		drive(one.high)
		for ip := uint32(0x1C); ip <= 0x34; ip += 8 {
			st(t, c, gpiohs+ip, ^uint32(0))
		}
		st(t, c, gpiohs+one.ie, 1<<5)
		irq := func() bool { return c.PLIC.Level.has(irqGPIOHS + 5) }
		if irq() {
			t.Errorf("%s: interrupts before", one.name)
		}
		drive(!one.high)
		if !irq() || ld(t, c, gpiohs+one.ie+4)&(1<<5) == 0 {
			t.Errorf("%s: does not interrupt", one.name)
		}
		st(t, c, gpiohs+one.ie+4, 1<<5)
		if irq() != one.stays {
			t.Errorf("%s: interrupts when cleared: %v", one.name, irq())
		}
		st(t, c, gpiohs+one.ie, 0)
		if irq() {
			t.Errorf("%s: interrupts when switched off", one.name)
		}
	}
}

// TestGPIOHSRandom compares the synchroniser and the pending bits with a shift register
// that is clocked cycle by cycle.
func TestGPIOHSRandom(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 5))
	c := quiet(t)
	st(t, c, gpiohs+ghINPUT_EN, 1<<5|1<<6)
	var line, rise, fall uint32
	var shift [gpiohsSync + 1]uint32
	for i := range 5000 {
		if rnd.IntN(3) == 0 {
			n := rnd.IntN(2)
			line ^= 1 << (5 + n)
			kind := board.DriveLow
			if line>>(5+n)&1 != 0 {
				kind = board.DriveHigh
			}
			c.Drive(board.Pin(21+n), board.Drive{Kind: kind}, c.Now())
		}
		shift[0] = line
		if got := ld(t, c, gpiohs+ghINPUT_VAL); got != shift[gpiohsSync] {
			t.Fatalf("cycle %d: INPUT_VAL %#x, want %#x", i, got, shift[gpiohsSync])
		}
		if got := ld(t, c, gpiohs+0x1C); got != rise {
			t.Fatalf("cycle %d: RISE_IP %#x, want %#x", i, got, rise)
		}
		if got := ld(t, c, gpiohs+0x24); got != fall {
			t.Fatalf("cycle %d: FALL_IP %#x, want %#x", i, got, fall)
		}
		if clear := rnd.Uint32N(4) << 5; rnd.IntN(9) == 0 {
			st(t, c, gpiohs+0x1C, clear)
			st(t, c, gpiohs+0x24, clear)
			rise, fall = rise&^clear, fall&^clear
		}
		pass(c, 1)
		was := shift[gpiohsSync]
		copy(shift[1:], shift[:gpiohsSync])
		rise |= shift[gpiohsSync] &^ was
		fall |= was &^ shift[gpiohsSync]
	}
}

// TestGPIOHSWithoutInputEnable reads 0.
func TestGPIOHSWithoutInputEnable(t *testing.T) {
	c := quiet(t)
	c.Drive(21, board.Drive{Kind: board.DriveHigh}, c.Now())
	c.Run(c.Now() + clock.Microsecond)
	if got := ld(t, c, gpiohs+ghINPUT_VAL); got != 0 {
		t.Errorf("INPUT_VAL %#x", got)
	}
	st(t, c, gpiohs+ghINPUT_EN, 1<<5)
	c.Run(c.Now() + clock.Microsecond)
	if got := ld(t, c, gpiohs+ghINPUT_VAL); got != 1<<5 {
		t.Errorf("INPUT_VAL %#x when enabled", got)
	}
}
