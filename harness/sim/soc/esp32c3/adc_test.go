package esp32c3

import (
	"strings"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

const (
	adc0    = 0x60040000
	regi2c0 = 0x6000E000
)

// withADC is a chip whose converters have a clock of 40 MHz, set up as TinyGo does.
func withADC(t *testing.T, a Analog) *Chip {
	t.Helper()
	c := started(t, Options{Seed: 5}, endless())
	c.SetADC(a)
	fast(t, c)
	st(t, c, system0+0x10, ld(t, c, system0+0x10)|1<<28)
	st(t, c, adc0+0x54, 2<<21|1<<20|1)
	st(t, c, adc0+0x0C, 8|8<<8|100<<16)
	return c
}

// convert reads a channel: 0 to 4 are ADC1's, 8 is ADC2's.
func convert(t *testing.T, c *Chip, ch, atten uint32) uint32 {
	t.Helper()
	unit := ch >> 3
	start := uint32(onetimeADC1)>>unit | ch<<25 | atten<<23
	st(t, c, adc0+0x4C, 0xFFFFFFFF)
	st(t, c, adc0+0x20, start)
	st(t, c, adc0+0x20, start|onetimeSTART)
	for range 100 {
		if ld(t, c, adc0+0x44)&(onetimeADC1>>unit) != 0 {
			st(t, c, adc0+0x20, 0)
			return ld(t, c, adc0+0x2C+4*unit)
		}
		run(t, c, 100*clock.Nanosecond)
	}
	t.Fatal("the conversion does not end")
	return 0
}

// Codes of an ideal part: nominally 2000 at 400, 550, 750 and 1370 mV
// (ESP-IDF, esp_efuse_rtc_calib.c).
func TestADCCodes(t *testing.T) {
	tests := []struct {
		pin       board.Pin
		ch, atten uint32
		mv        int32
		want      uint32
	}{
		{0, 0, 0, 400, 2000},
		{1, 1, 1, 550, 2000},
		{2, 2, 2, 750, 2000},
		{3, 3, 3, 1370, 2000},
		{4, 4, 3, 685, 1000},
		{5, 8, 3, 1370, 2000},
		{0, 0, 0, 0, 0},
		{0, 0, 0, 3300, 4095},
		{0, 0, 3, 3300, 4095},
	}
	for _, tt := range tests {
		c := withADC(t, Analog{})
		c.Drive(tt.pin, board.Drive{Kind: board.DriveVoltage, MV: tt.mv}, c.Now())
		got := convert(t, c, tt.ch, tt.atten)
		if got&0xFFF != tt.want || got>>13 != tt.ch&7 {
			t.Errorf("channel %d, attenuation %d, %d mV: %#x, want code %d of that channel", tt.ch, tt.atten, tt.mv, got, tt.want)
		}
	}
}

func TestADCErrors(t *testing.T) {
	tests := []struct {
		name   string
		errors Analog
		want   uint32 // of 1370 mV, where the ideal is 2000
	}{
		{"offset", Analog{OffsetUV: 6850}, 2010},
		{"gain", Analog{GainPPM: -10_000}, 1980},
		{"bow", Analog{BowUV: 13_700}, 2020}, // all but in the middle
		{"another zero", Analog{Zero: 1600}, 2088},
	}
	for _, tt := range tests {
		c := withADC(t, tt.errors)
		c.Drive(0, board.Drive{Kind: board.DriveVoltage, MV: 1370}, c.Now())
		if got := convert(t, c, 0, 3) & 0xFFF; got != tt.want {
			t.Errorf("%s: code %d, want %d", tt.name, got, tt.want)
		}
	}
}

// Noise has the deviation that was asked for, and follows from the seed.
func TestADCNoise(t *testing.T) {
	sample := func() (codes [400]int) {
		c := withADC(t, Analog{NoiseUVrms: 6850}) // ten codes
		c.Drive(0, board.Drive{Kind: board.DriveVoltage, MV: 1370}, c.Now())
		for i := range codes {
			codes[i] = int(convert(t, c, 0, 3)&0xFFF) - 2000
		}
		return codes
	}
	codes, sum, squares := sample(), 0, 0
	for _, v := range codes {
		sum, squares = sum+v, squares+v*v
	}
	if mean := sum / len(codes); mean < -1 || mean > 1 {
		t.Errorf("mean %d codes, want 0", mean)
	}
	if variance := squares / len(codes); variance < 80 || variance > 120 {
		t.Errorf("variance %d, want about 100", variance)
	}
	if codes != sample() {
		t.Error("the same seed gives other noise")
	}
}

// Self-calibration as TinyGo and ESP-IDF do it: the input on ground, INITIAL_CODE is
// searched for the least that reads 0.
func TestADCSelfCalibration(t *testing.T) {
	write := func(c *Chip, reg, v uint32) { st(t, c, regi2c0, masterSAR|reg<<8|masterWRITE|v<<16) }
	set := func(c *Chip, code uint32) {
		write(c, 1, code>>8)
		write(c, 0, code&0xFF)
	}
	for _, zero := range []uint32{1000, 1777, 2023} {
		c := withADC(t, Analog{Zero: zero})
		c.Drive(0, board.Drive{Kind: board.DriveVoltage, MV: 1370}, c.Now())
		write(c, saradcENCAL, 1<<5)
		low, high := uint32(0), uint32(4096)
		for high-low > 1 {
			middle := (low + high) / 2
			set(c, middle)
			if convert(t, c, 0, 3)&0xFFF == 0 {
				high = middle
			} else {
				low = middle
			}
		}
		set(c, high)
		write(c, saradcENCAL, 0)
		if high != zero {
			t.Errorf("calibration finds %d, want %d", high, zero)
		}
		if got := convert(t, c, 0, 3) & 0xFFF; got != 2000 {
			t.Errorf("calibrated to %d: code %d, want 2000", high, got)
		}
		st(t, c, regi2c0, masterSAR|1<<8)
		if got := ld(t, c, regi2c0); got != masterSAR|1<<8|zero>>8<<16 {
			t.Errorf("a read of the internal bus: %#x", got)
		}
	}
}

// 16 cycles of the controller's clock and 15 of the SAR clock, which is a quarter.
func TestADCTime(t *testing.T) {
	c := withADC(t, Analog{})
	st(t, c, adc0+0x40, onetimeADC1)
	begin := c.Now()
	st(t, c, adc0+0x20, onetimeADC1|onetimeSTART)
	begin += 2 * 12_500 // the store's way to the block
	const lasts = 16*25_000 + 15*4*25_000
	run(t, c, begin+lasts-c.Now()-100_000)
	if c.Matrix.Levels>>sourceADC&1 != 0 {
		t.Error("too early")
	}
	run(t, c, 200_000)
	if c.Matrix.Levels>>sourceADC&1 == 0 {
		t.Error("no interrupt")
	}
}

// ADC2's data are marked while the arbiter is forced away from software.
func TestADCArbiter(t *testing.T) {
	c := withADC(t, Analog{})
	st(t, c, adc0+0x24, 0x900|1<<5|1<<4)
	if got := convert(t, c, 8, 3) >> 13 & 0xF; got <= 9 { // adc_ll.h: above 9 is invalid
		t.Errorf("channel field %d", got)
	}
}

func TestADCLacks(t *testing.T) {
	for _, tt := range []struct {
		addr, v uint32
		want    string
	}{
		{adc0 + 0x3C, 1 << 31, "THRES_CTRL"},
		{adc0 + 0x58, 1 << 22, "TSENS_PU"},
		{regi2c0, 0x67 | 4<<8, "register 0x04 of the analog part 0x67"},
	} {
		c := withADC(t, Analog{})
		if f := (cpuBus{c}).Store(uint64(tt.addr), 4, uint64(tt.v)); f != bus.Unmodelled || !strings.Contains(c.lacking, tt.want) {
			t.Errorf("%s: %v, %q, want %q", RegisterName(tt.addr), f, c.lacking, tt.want)
		}
	}
}

// ESP-IDF's bootloader_random_enable has the converters look at test points and the digital
// controller sample them. That may run, but no program may believe a result.
func TestADCWithoutResults(t *testing.T) {
	c := withADC(t, Analog{})
	st(t, c, adc0+0x04, 1<<24|0xA1FE)
	if _, f := (cpuBus{c}).Load(adc0+0x2C, 4); f != bus.Unmodelled || !strings.Contains(c.lacking, "digital controller") {
		t.Errorf("SAR1DATA_STATUS: %v, %q", f, c.lacking)
	}
	st(t, c, adc0+0x04, 0xA1FE)
	st(t, c, regi2c0, masterSAR|saradcENCAL<<8|1<<(16+4)|masterWRITE) // ENCAL_REF of ADC1
	if f := (cpuBus{c}).Store(adc0+0x20, 4, onetimeADC1|onetimeSTART); f != bus.Unmodelled || !strings.Contains(c.lacking, "calibration by reference") {
		t.Errorf("a conversion of the reference: %v, %q", f, c.lacking)
	}
}

// Registers of the PLL and its like are kept, but for those that tell of a calibration.
func TestAnalogParts(t *testing.T) {
	c := withADC(t, Analog{})
	st(t, c, regi2c0, 0x66|4<<8|0x6B<<16|masterWRITE)
	if got := ld(t, c, regi2c0); got>>16&0xFF != 0x6B {
		t.Errorf("I2C_BBPLL register 4: 0x%02x", got>>16)
	}
	st(t, c, regi2c0, 0x66|8<<8|0<<16|masterWRITE)
	if got := ld(t, c, regi2c0); got>>16&0xC0 != 0xC0 {
		t.Errorf("I2C_BBPLL register 8: 0x%02x, want calibrated and locked", got>>16)
	}
}
