package k210

import (
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
)

// TestGPIOPins: an output is what is stored, and is read so; an input is the IO's level.
func TestGPIOPins(t *testing.T) {
	c := quiet(t)
	c.Drive(8, board.Drive{Kind: board.DriveHigh}, c.Now())
	c.Drive(10, board.Drive{Kind: board.PullUp}, c.Now())
	if got := ld(t, c, gpio+gpDATA_INPUT); got != 0b101 {
		t.Errorf("DATA_INPUT %#b", got)
	}
	st(t, c, gpio+gpDIRECTION, 0b110)
	if got := ld(t, c, gpio+gpDATA_INPUT); got != 0b001 || c.Level(10) {
		t.Errorf("DATA_INPUT %#b, level %v", got, c.Level(10))
	}
	st(t, c, gpio+gpDATA_OUTPUT, 0x102)
	if got := ld(t, c, gpio+gpDATA_INPUT); got != 0b011 || !c.Level(9) {
		t.Errorf("DATA_INPUT %#b, level %v", got, c.Level(9))
	}
	if got := ld(t, c, gpio+gpDATA_OUTPUT); got != 2 {
		t.Errorf("DATA_OUTPUT %#x", got)
	}
}

// TestGPIOInterrupts: kinds by LEVEL (set: edges), POLARITY (set: high or rising) and
// BOTHEDGE; edges are cleared, levels stay.
func TestGPIOInterrupts(t *testing.T) {
	for _, one := range []struct {
		name                      string
		level, polarity, bothedge uint32
		rise, high, fall, low     bool // interrupts behind the rising edge, when cleared, behind the falling one, when cleared
	}{
		{"low", 0, 0, 0, false, false, true, true},
		{"high", 0, 1, 0, true, true, false, false},
		{"falling", 1, 0, 0, false, false, true, false},
		{"rising", 1, 1, 0, true, false, false, false},
		{"both", 1, 0, 1, true, false, true, false},
	} {
		c := quiet(t)
		st(t, c, gpio+gpLEVEL, one.level<<3)
		st(t, c, gpio+gpPOLARITY, one.polarity<<3)
		st(t, c, gpio+gpBOTHEDGE, one.bothedge<<3)
		st(t, c, gpio+gpENABLE, 1<<3)
		expect := func(when string, want bool) {
			t.Helper()
			irq, status := c.PLIC.Level.has(irqGPIO), ld(t, c, gpio+gpSTATUS)
			if irq != want || status != oneIf(want)<<3 {
				t.Errorf("%s: %s: interrupt %v, status %#x, want %v", one.name, when, irq, status, want)
			}
		}
		c.Drive(11, board.Drive{Kind: board.DriveHigh}, c.Now())
		expect("risen", one.rise)
		st(t, c, gpio+gpCLEAR, 1<<3)
		expect("cleared while high", one.high)
		c.Drive(11, board.Drive{Kind: board.DriveLow}, c.Now())
		expect("fallen", one.fall)
		st(t, c, gpio+gpCLEAR, 1<<3)
		expect("cleared while low", one.low)
		st(t, c, gpio+gpMASK, 1<<3)
		expect("masked", false)
		st(t, c, gpio+gpMASK, 0)
		st(t, c, gpio+gpDIRECTION, 1<<3)
		expect("an output", false)
	}
}

// TestGPIOLacks: debouncing and control by hardware stop by name.
func TestGPIOLacks(t *testing.T) {
	c := quiet(t)
	for what, off := range map[string]uint32{"GPIO.INTERRUPT_DEBOUNCE": gpDEBOUNCE, "GPIO.SOURCE: control by hardware": gpSOURCE} {
		st(t, c, gpio+off, 0)
		if f := c.store(uint64(gpio+off), 4, 1); f != bus.Unmodelled || c.lacking != what {
			t.Errorf("%s: %v, %q", what, f, c.lacking)
		}
	}
}

// TestGPIOAtHandOver: a program may use GPIO by the default functions of IO8 to IO15 without
// switching anything on, as TinyGo's blinky1 does with the LED at IO13.
func TestGPIOAtHandOver(t *testing.T) {
	c := New(Options{})
	c.SetPower(true)
	c.romHandOver()
	st(t, c, gpio+gpDIRECTION, 1<<5)
	st(t, c, gpio+gpDATA_OUTPUT, 1<<5)
	if !c.Level(13) {
		t.Error("IO13 is low")
	}
	if w := c.Warnings(); len(w) != 0 {
		t.Error("warnings:", w)
	}
}
