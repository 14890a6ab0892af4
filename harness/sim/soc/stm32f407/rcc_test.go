package stm32f407

import (
	"testing"

	"rigor/harness/sim/clock"
)

// Rates from RM0090 §7.2 and §7.3.2: f = source / M * N / P.
func TestClockTree(t *testing.T) {
	const hse, hsi = 1 << 22, 0
	pll := func(m, n, p, q, src uint32) uint32 { return m | n<<6 | (p/2-1)<<16 | q<<24 | src }
	tests := []struct {
		name    string
		pllcfgr uint32
		cfgr    uint32
		hclk    uint64
		pclk    [2]uint64
		timer   [2]uint64
		pll48   uint64
	}{
		{"reset", 0x24003010, 0, 16e6, [2]uint64{16e6, 16e6}, [2]uint64{16e6, 16e6}, 48e6},
		{"TinyGo", 0x07405408, 0x9402, 168e6, [2]uint64{42e6, 84e6}, [2]uint64{84e6, 168e6}, 48e6},
		{"HSE", pll(8, 336, 2, 7, hse), 1, 8e6, [2]uint64{8e6, 8e6}, [2]uint64{8e6, 8e6}, 48e6},
		{"HSI through the PLL", pll(16, 240, 4, 5, hsi), 0x1002, 60e6, [2]uint64{30e6, 60e6}, [2]uint64{60e6, 60e6}, 48e6},
		{"prescalers", pll(8, 336, 2, 7, hse), 0xFC81, 4e6, [2]uint64{250e3, 250e3}, [2]uint64{500e3, 500e3}, 48e6},
		{"HPRE 512", pll(8, 336, 2, 7, hse), 0xF2, 328125, [2]uint64{328125, 328125}, [2]uint64{328125, 328125}, 48e6},
		{"HPRE 64", pll(8, 336, 2, 7, hse), 0xC2, 2625e3, [2]uint64{2625e3, 2625e3}, [2]uint64{2625e3, 2625e3}, 48e6},
	}
	for _, tt := range tests {
		c := started(t, Options{}, endless())
		st(t, c, rcc0+0x04, tt.pllcfgr)
		st(t, c, rcc0, 0x83|crHSEON|crPLLON)
		run(t, c, 3*clock.Millisecond)
		st(t, c, flash0, 5)
		st(t, c, rcc0+0x08, tt.cfgr)
		run(t, c, 10*clock.Microsecond)
		if sws := ld(t, c, rcc0+0x08) >> 2 & 3; sws != tt.cfgr&3 {
			t.Errorf("%s: SWS %d", tt.name, sws)
		}
		hz := c.Stats().ClockHz
		pclk := [2]uint64{hz / c.pclkDiv(1), hz / c.pclkDiv(2)}
		timer := [2]uint64{hz / c.timerDiv(1), hz / c.timerDiv(2)}
		if hz != tt.hclk || pclk != tt.pclk || timer != tt.timer || c.RCC.Tree.PLL48 != tt.pll48 {
			t.Errorf("%s: HCLK %d, PCLK %d, timers %d, PLL48 %d", tt.name, hz, pclk, timer, c.RCC.Tree.PLL48)
		}
		if len(c.Warnings()) != 0 {
			t.Errorf("%s: %q", tt.name, c.Warnings())
		}
	}
}

// Start-up times of DS8626 §6.3.8 to §6.3.10 and the ready interrupt.
func TestReadyTimes(t *testing.T) {
	tests := []struct {
		name           string
		reg, on, ready uint32
		after          clock.Time
		cir            uint32
	}{
		{"HSE", 0x00, crHSEON, crHSERDY, 2 * clock.Millisecond, cirHSERDY},
		{"PLL", 0x00, crPLLON, crPLLRDY, 200 * clock.Microsecond, cirPLLRDY},
		{"LSI", 0x74, csrLSION, csrLSIRDY, 15 * clock.Microsecond, cirLSIRDY},
		{"LSE", 0x70, bdcrLSEON, bdcrLSERDY, 2 * clock.Second, cirLSERDY},
	}
	for _, tt := range tests {
		c := started(t, Options{}, endless())
		gates(t, c)
		st(t, c, pwr0, pwrDBP)
		st(t, c, rcc0+0x0C, tt.cir<<8)
		st(t, c, rcc0+tt.reg, ld(t, c, rcc0+tt.reg)|tt.on)
		run(t, c, tt.after-clock.Microsecond)
		if ld(t, c, rcc0+tt.reg)&tt.ready != 0 {
			t.Errorf("%s is ready too early", tt.name)
		}
		run(t, c, 2*clock.Microsecond)
		if ld(t, c, rcc0+tt.reg)&tt.ready == 0 {
			t.Errorf("%s is not ready in time", tt.name)
		}
		if got := ld(t, c, rcc0+0x0C); got != tt.cir<<8|tt.cir {
			t.Errorf("%s: CIR %#x", tt.name, got)
		}
		st(t, c, rcc0+0x0C, tt.cir<<16)
		if got := ld(t, c, rcc0+0x0C); got != 0 {
			t.Errorf("%s: CIR %#x after clearing", tt.name, got)
		}
		st(t, c, rcc0+tt.reg, ld(t, c, rcc0+tt.reg)&^tt.on)
		if ld(t, c, rcc0+tt.reg)&tt.ready != 0 {
			t.Errorf("%s is still ready when off", tt.name)
		}
	}
}

func TestNoCrystal(t *testing.T) {
	c := started(t, Options{NoHSE: true}, endless())
	st(t, c, rcc0, 0x83|crHSEON)
	run(t, c, clock.Second/10)
	if ld(t, c, rcc0)&crHSERDY != 0 {
		t.Error("HSERDY without a crystal")
	}
}

// RM0090 §7.3.1: an oscillator in use stays on; TinyGo writes CR = HSEON while
// on HSI. §7.3.2: PLLCFGR is fixed while the PLL is on.
func TestClockLocks(t *testing.T) {
	c := started(t, Options{}, endless())
	st(t, c, rcc0, crHSEON)
	if cr := ld(t, c, rcc0); cr&(crHSION|crHSIRDY) != crHSION|crHSIRDY {
		t.Errorf("CR %#x: HSI went off under SYSCLK", cr)
	}
	run(t, c, 3*clock.Millisecond)
	st(t, c, rcc0+0x04, 0x07405408)
	st(t, c, rcc0, crHSEON|crPLLON)
	st(t, c, rcc0+0x04, 0x24003010)
	if v := ld(t, c, rcc0+0x04); v != 0x07405408 || !warned(c, "PLLCFGR written while the PLL is on") {
		t.Errorf("PLLCFGR %#x, warnings %q", v, c.Warnings())
	}
	st(t, c, rcc0+0x08, 0x9402) // before the PLL is ready: the switch waits for it
	if sws := ld(t, c, rcc0+0x08) >> 2 & 3; sws != 0 {
		t.Errorf("SWS %d at once", sws)
	}
	st(t, c, flash0, 5)
	run(t, c, clock.Millisecond)
	st(t, c, rcc0, 0)
	if cr := ld(t, c, rcc0); cr&(crPLLON|crPLLRDY|crHSEON) != crPLLON|crPLLRDY|crHSEON || cr&crHSION != 0 {
		t.Errorf("CR %#x while SYSCLK is the PLL on HSE", cr)
	}
}

// RM0090 §7.3.24: PLLI2SCFGR holds its fields; only turning the PLL on is
// refused. ST's HAL_RCC_DeInit writes the reset value back.
func TestPLLI2SCFGR(t *testing.T) {
	c := started(t, Options{}, endless())
	if v := ld(t, c, rcc0+0x84); v != 0x20003000 {
		t.Errorf("PLLI2SCFGR %#x after a reset, want 0x20003000", v)
	}
	st(t, c, rcc0+0x84, 0xFFFFFFFF)
	if v := ld(t, c, rcc0+0x84); v != 0x70007FC0 {
		t.Errorf("PLLI2SCFGR %#x, want 0x70007fc0", v)
	}
}

func TestClockWarnings(t *testing.T) {
	tests := []struct {
		name               string
		pllcfgr, cfgr, acr uint32
		want               string
	}{
		{"wait states", 0x07405408, 0x9402, 4, "flash read with 4 wait states at an HCLK of 168000000 Hz"},
		{"PCLK1", 0x07405408, 0x8002, 5, "PCLK1 of 168000000 Hz"},
		{"PCLK2", 0x07405408, 0x1402, 5, "PCLK2 of 168000000 Hz"},
		{"HCLK", 0x07405A08, 0x9402, 5, "HCLK of 180000000 Hz"},
		{"VCO", 8 | 50<<6 | 7<<24 | 1<<22, 0, 0, "PLL VCO of 50000000 Hz"},
		{"input", 2 | 100<<6 | 7<<24 | 1<<22, 0, 0, "PLL input of 4000000 Hz"},
		{"M", 1 | 100<<6 | 7<<24 | 1<<22, 0, 0, "PLL enabled with a factor out of range"},
	}
	for _, tt := range tests {
		c := started(t, Options{}, endless())
		st(t, c, rcc0, 0x83|crHSEON)
		run(t, c, 3*clock.Millisecond)
		st(t, c, rcc0+0x04, tt.pllcfgr)
		st(t, c, rcc0, 0x83|crHSEON|crPLLON)
		run(t, c, clock.Millisecond)
		st(t, c, flash0, tt.acr)
		st(t, c, rcc0+0x08, tt.cfgr)
		run(t, c, 10*clock.Microsecond)
		if !warned(c, tt.want) {
			t.Errorf("%s: %q", tt.name, c.Warnings())
		}
	}
}

// A deadline in world time holds whatever HCLK does meanwhile.
func TestTimeAcrossRates(t *testing.T) {
	c := started(t, Options{}, endless())
	gates(t, c)
	st(t, c, rcc0+0x74, csrLSION) // 15 us
	run(t, c, 5*clock.Microsecond)
	st(t, c, rcc0+0x08, 0xB0)      // HCLK / 16
	run(t, c, 6*clock.Microsecond) // and an instruction of 3 us at most
	if ld(t, c, rcc0+0x74)&csrLSIRDY != 0 {
		t.Error("LSI ready before 14 us")
	}
	run(t, c, 4*clock.Microsecond)
	if ld(t, c, rcc0+0x74)&csrLSIRDY == 0 {
		t.Error("LSI not ready after 15 us")
	}
}

// RM0090 §7.3.5 and following: a reset bit resets its block and holds it.
func TestBlockReset(t *testing.T) {
	c := started(t, Options{}, endless())
	gates(t, c)
	st(t, c, gpioB+0x14, 0x5555)
	st(t, c, rcc0+0x10, 1<<1)
	if v := ld(t, c, gpioB+0x14); v != 0 || !warned(c, "GPIOB used while RCC holds it in reset") {
		t.Errorf("held in reset: %#x, %q", v, c.Warnings())
	}
	st(t, c, rcc0+0x10, 0)
	if v := ld(t, c, gpioB+0x00); v != 0x280 {
		t.Errorf("GPIOB.MODER %#x after its reset, want 0x280", v)
	}
}

// RM0090 §7.3.20: the backup domain is write protected and outlives a reset.
func TestBackupDomain(t *testing.T) {
	c := started(t, Options{}, endless())
	gates(t, c)
	st(t, c, rcc0+0x70, bdcrLSEON)
	if ld(t, c, rcc0+0x70) != 0 {
		t.Error("BDCR written without DBP")
	}
	st(t, c, pwr0, pwrDBP)
	st(t, c, rcc0+0x70, 0x8200)
	c.SetReset(true)
	c.SetReset(false)
	run(t, c, resetPulse)
	if v := ld(t, c, rcc0+0x70); v != 0x8200 {
		t.Errorf("BDCR %#x after a reset, want 0x8200", v)
	}
}
