package k210

import (
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// pll are fields of SYSCTL.PLL0 to PLL2.
func pll(r, f, od uint64) uint64 {
	return (r - 1) | (f-1)<<4 | (od-1)<<10 | (f-1)<<14 | pllPWRD | pllOUT_EN
}

// TestPLL: what the SDK's sysctl_pll_source_get_freq and sysctl_clock_get_freq compute.
func TestPLL(t *testing.T) {
	c := powered(Options{})
	d := words{sysctlDevice{c}}
	if hz := c.Timeline.Hz(); hz != in0Hz {
		t.Fatalf("ACLK is %d Hz at reset", hz)
	}
	mustStore(t, d, syPLL0, 4, pll(1, 60, 2))
	if got := mustLoad(t, d, syPLL_LOCK, 4); got != 0 {
		t.Errorf("locked at once: %#x", got)
	}
	c.Run(c.Now() + pllLockTime + clock.Microsecond)
	if got := mustLoad(t, d, syPLL_LOCK, 4); got&3 != 3 {
		t.Errorf("PLL_LOCK %#x, want PLL0 locked", got)
	}
	mustStore(t, d, syCLK_SEL0, 4, selACLK|1<<3|3<<6)
	for _, one := range []struct {
		name      string
		got, want uint64
	}{
		{"PLL0", c.SYSCTL.Hz[0], 780e6},
		{"ACLK", c.Timeline.Hz(), 390e6},
		{"APB0", c.apbHz(0), 195e6},
		{"APB1", c.apbHz(1), 97.5e6},
		{"APB2", c.apbHz(2), 390e6},
		{"TIMER0 from IN0", c.timerHz(0), 13e6},
	} {
		if one.got != one.want {
			t.Errorf("%s is %d Hz, want %d", one.name, one.got, one.want)
		}
	}
	mustStore(t, d, syCLK_SEL0, 4, selACLK|1<<1|selTIMER0|selSPI3)
	mustStore(t, d, syCLK_TH0+4, 4, 3<<24)
	mustStore(t, d, syCLK_TH0+8, 4, 4)
	mustStore(t, d, syPLL0+4, 4, pll(1, 59, 2))
	mustStore(t, d, syPLL2, 4, pll(2, 48, 4)|1<<26) // from PLL0
	c.Run(c.Now() + pllLockTime + clock.Microsecond)
	mustStore(t, d, syCLK_TH0+12, 4, 99)
	for _, one := range []struct {
		name      string
		got, want uint64
	}{
		{"ACLK", c.Timeline.Hz(), 195e6},
		{"TIMER0", c.timerHz(0), 78e6},
		{"SPI3", c.spiHz(3), 97.5e6},
		{"PLL1", c.SYSCTL.Hz[1], 767e6},
		{"PLL2", c.SYSCTL.Hz[2], 4680e6},
		{"I2S0", c.i2sHz(0), 23.4e6},
		{"WDT1", c.wdtHz(1), 13e6},
	} {
		if one.got != one.want {
			t.Errorf("%s is %d Hz, want %d", one.name, one.got, one.want)
		}
	}
}

// TestACLKWithoutPLL0 stands still on the part.
func TestACLKWithoutPLL0(t *testing.T) {
	c := powered(Options{})
	mustStore(t, words{sysctlDevice{c}}, syCLK_SEL0, 4, selACLK)
	if len(c.Warnings()) != 1 {
		t.Errorf("warnings: %q", c.Warnings())
	}
}

// TestSoftReset: software resets the part, and RESET_STATUS tells.
func TestSoftReset(t *testing.T) {
	c := powered(Options{})
	// lui a0, 0x50440; li a1, 1; sw a1, 0x30(a0); 1: j 1b
	start(t, c, "3705445085450cd901a0", 10*clock.Microsecond)
	if c.Running {
		t.Fatal("the harts run on")
	}
	if got := mustLoad(t, words{sysctlDevice{c}}, syRESET_STATUS, 4); got != rsSOFT {
		t.Errorf("RESET_STATUS %#x, want the software's bit", got)
	}
	mustStore(t, words{sysctlDevice{c}}, syRESET_STATUS, 4, rsCLR)
	if got := mustLoad(t, words{sysctlDevice{c}}, syRESET_STATUS, 4); got != 0 {
		t.Errorf("RESET_STATUS %#x when cleared", got)
	}
}

// TestUnmodelled stops by name.
func TestUnmodelled(t *testing.T) {
	c := powered(Options{})
	// lui a0, 0x50430; 1: lw a1, 0(a0); j 1b
	code := "370543500c41fdbf"
	if err := c.LoadRAM(ramBase, fromHex(t, code)); err != nil {
		t.Fatal(err)
	}
	c.Start(ramBase)
	stop := c.Run(c.Now() + clock.Millisecond)
	if want := "k210: DVP.DVP_CFG not modelled, PC 0x80000004"; stop.Kind != board.NotModelled || stop.Text != want {
		t.Errorf("stopped by %q, want %q", stop.Text, want)
	}
}
