package esp32c3

import (
	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// The SAR ADCs (TRM On-Chip Sensor and Analog Signal Processing): conversions
// one by one, which software starts, of ADC1 (GPIO0 to GPIO4) and ADC2 (GPIO5),
// whose arbiter nobody else competes for.
//
// The digital controller (timer, pattern table) may run, as ESP-IDF has it do for the
// noise that feeds the RNG, but has no results: looking for them faults, as does the DMA that
// it would hand them to. Threshold monitors and the temperature sensor fault, too.
//
// How long a conversion takes is not published. Here it is XPD_WAIT and RSTB_WAIT
// cycles of the controller's clock, then a sample's cycles and 13 of the SAR
// clock.

// adcState is the block's registers, and the analog part.
type adcState struct {
	Regs    [adcRegs]uint32 // by offset/4
	INT_RAW uint32
	Data    [2]uint32
	Unit    uint8  // of the conversion under way
	Held    uint32 // its code
	Errors  Analog
	Noise   uint64 // state of the generator

	Master   uint32 // of the bus to analog parts, see adc_regi2c.go
	Config   [3]uint32
	Internal [saradcRegs]uint8
	Parts    [len(regi2cParts)][partRegs]uint8 // other parts' registers
}

// Analog is what a part's converters make of a voltage. The zero value is ideal
// but for quantisation.
type Analog struct {
	OffsetUV   int64 // added to every voltage, microvolts
	GainPPM    int64 // of the voltage, parts per million
	BowUV      int64 // greatest deviation of a parabola between the ends, microvolts
	NoiseUVrms int64 // Gaussian, microvolts
	// Zero is the INITIAL_CODE at which ground is about to read as 0, which
	// self-calibration looks for. 0 is defaultZero.
	Zero uint32
}

// defaultZero lies in the middle of what eFuse can hold, 1000 to 2023
// (esp_efuse_rtc_calib.c). It is what INITIAL_CODE is taken to be after reset, too.
const defaultZero = 1512

const (
	adcRegs = 25

	adcCTRL     = 0
	adcCTRL2    = 0x04 / 4
	adcFSM_WAIT = 0x0C / 4
	adcONETIME  = 0x20 / 4
	adcARB      = 0x24 / 4
	adcTHRES    = 0x3C / 4
	adcINT_ENA  = 0x40 / 4
	adcDMA_CONF = 0x50 / 4
	adcCLKM     = 0x54 / 4
	adcTSENS    = 0x58 / 4

	onetimeADC1  = 1 << 31
	onetimeADC2  = 1 << 30
	onetimeSTART = 1 << 29

	adcDATE = 0x02007171

	sourceADC = 43

	adcNoiseSeed = 0x3C3ADC
)

// Deadlines.
const (
	slotADCSample = slotADC + iota
	slotADCDone
)

// adcFullScale is the voltage of code 4096 by attenuation, in microvolts: nominally
// code 2000 is 400, 550, 750 and 1370 mV (esp_efuse_rtc_calib.c).
var adcFullScale = [4]int64{400_000 * 4096 / 2000, 550_000 * 4096 / 2000, 750_000 * 4096 / 2000, 1_370_000 * 4096 / 2000}

// SetADC makes the converters err. A new chip's are ideal; noise follows from
// Options.Seed.
func (c *Chip) SetADC(a Analog) {
	c.ADC.Errors, c.ADC.Noise = a, c.opt.Seed^adcNoiseSeed
}

// adcReset puts the block into its reset state. The analog part has power of its
// own and forgets only with CHIP_EN.
func (c *Chip) adcReset() {
	a := &c.ADC
	a.INT_RAW, a.Data = 0, [2]uint32{}
	a.Regs = [adcRegs]uint32{
		adcCTRL: 0x40038240, adcCTRL2: 0xA1FE, adcFSM_WAIT: 0xFF0808, adcONETIME: 0x1A000000, adcARB: 0x900,
		0x28 / 4: 0x03740000, 0x34 / 4: 0x3FFED, 0x38 / 4: 0x3FFED, adcDMA_CONF: 0xFF,
		adcCLKM: 4, adcTSENS: 0x18000, 0x5C / 4: 0x4002, 0x60 / 4: 0x8000,
	}
	c.ScheduleAt(slotADCSample, clock.NeverTime)
	c.ScheduleAt(slotADCDone, clock.NeverTime)
	if c.Cause == resetPowerOn && !c.Running {
		c.regi2cReset()
	}
	c.adcApply()
}

// adcClockChanged: a conversion under way keeps its times.
func (c *Chip) adcClockChanged() {}

func (c *Chip) adcApply() {
	c.source(sourceADC, c.ADC.INT_RAW&c.ADC.Regs[adcINT_ENA] != 0)
}

type adcDevice struct{ *Chip }

func (d adcDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	a := &d.ADC
	if a.digital() && off >= 0x2C && off < 0x4C && off != adcTHRES*4 && off != adcINT_ENA*4 {
		return 0, d.lack("APB_SARADC: a result of the digital controller")
	}
	switch off {
	case 0x2C, 0x30:
		return uint64(a.Data[(off-0x2C)/4]), bus.None
	case 0x44:
		return uint64(a.INT_RAW), bus.None
	case 0x48:
		return uint64(a.INT_RAW & a.Regs[adcINT_ENA]), bus.None
	case 0x4C: // write-only
		return 0, bus.None
	case 0x10, 0x14:
		return 0, d.unknown("APB_SARADC", off)
	case 0x3FC:
		return adcDATE, bus.None
	}
	if off < 4*adcRegs {
		return uint64(a.Regs[off/4]), bus.None
	}
	return 0, d.unknown("APB_SARADC", off)
}

// foreseeLoad: all registers change at events or by stores only.
func (d adcDevice) foreseeLoad(off uint32, _ uint64) (least, most uint64, ok bool) {
	return steady(d, off, off >= 0x18 && off < 4*adcRegs && !d.ADC.digital())
}

// digital tells whether the digital controller's timer runs.
func (a *adcState) digital() bool { return a.Regs[adcCTRL2]>>24&1 != 0 }

func (d adcDevice) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	a, v := &d.ADC, uint32(v64)
	switch off {
	case 0x10, 0x14, 0x2C, 0x30, 0x44, 0x48: // read-only
		return bus.None
	case 0x4C:
		a.INT_RAW &^= v
		d.adcApply()
		return bus.None
	}
	if off >= 4*adcRegs {
		return d.unknown("APB_SARADC", off)
	}
	if what := adcLacks(off/4, v); what != "" {
		return d.lack("APB_SARADC." + what)
	}
	old := a.Regs[off/4]
	a.Regs[off/4] = v
	if off/4 == adcONETIME && v&^old&onetimeSTART != 0 {
		return d.adcStart()
	}
	d.adcApply()
	return bus.None
}

// adcLacks names what a store would switch on that is not modelled.
func adcLacks(reg, v uint32) string {
	switch {
	case reg == adcCTRL && v&3 != 0:
		return "CTRL.START: the digital controller"
	case reg == adcTHRES && v>>30 != 0:
		return "THRES_CTRL: threshold monitors"
	case reg == adcTSENS && v>>22&1 != 0:
		return "APB_TSENS_CTRL.TSENS_PU: the temperature sensor"
	}
	return ""
}

// adcStart begins a conversion, by the rising edge of ONETIME_START.
func (c *Chip) adcStart() bus.Fault {
	a := &c.ADC
	r := a.Regs[adcONETIME]
	period, f := c.adcPeriod()
	switch {
	case f != bus.None:
		return f
	case a.Internal[saradcENCAL]&saradcTests != 0:
		return c.lack("I2C_SAR_ADC: calibration by reference, and tests")
	case r&(onetimeADC1|onetimeADC2) == 0 || period == 0:
		c.warn("APB_SARADC started without a converter or a clock: the conversion never ends")
		return bus.None
	}
	a.Unit = 0
	if r&onetimeADC1 == 0 {
		a.Unit = 1
	}
	wait := a.Regs[adcFSM_WAIT]
	c.ScheduleIn(slotADCSample, clock.Time(wait&0xFF+wait>>8&0xFF)*period)
	return bus.None
}

// adcPeriod is a cycle of the controller's clock, rounded to a picosecond, or 0. CLK_EN does
// not gate it: programs of ESP-IDF 4.4 convert without.
func (c *Chip) adcPeriod() (clock.Time, bus.Fault) {
	r := c.ADC.Regs[adcCLKM]
	if r>>21&3 == 0 {
		return 0, bus.None
	}
	if r>>21&3 != 2 {
		return 0, c.lack("APB_SARADC.CLKM_CONF: a clock that is not APB")
	}
	n, b, a := clock.Time(r&0xFF)+1, clock.Time(r>>8&0x3F), clock.Time(max(r>>14&0x3F, 1))
	return c.apbPeriod() * (n*a + b) / a, bus.None
}

// adcEvent handles the deadlines: the voltage is held, the code is ready.
func (c *Chip) adcEvent(slot int, _ uint64) {
	a := &c.ADC
	if slot == slotADCDone {
		a.Data[a.Unit] = a.Held
		a.INT_RAW |= onetimeADC1 >> a.Unit
		c.adcApply()
		return
	}
	a.Held = c.adcConvert()
	period, _ := c.adcPeriod()
	sar := period * clock.Time(max(a.Regs[adcCTRL]>>7&0xFF, 1))
	c.ScheduleIn(slotADCDone, sar*clock.Time(a.sampleCycles()+13))
}

// adcConvert is the data register's content for the voltage of this moment: the
// code, and the channel in its upper bits. ADC2 marks data as invalid while its
// arbiter is forced to somebody else.
func (c *Chip) adcConvert() uint32 {
	a := &c.ADC
	r := a.Regs[adcONETIME]
	ch := int(r >> 25 & 7)
	const grantForce, apbForce = 1 << 5, 1 << 2
	if a.Unit == 1 && a.Regs[adcARB]&(grantForce|apbForce) == grantForce {
		return 0xF << 13
	}
	code := c.adcCode(c.adcInput(ch), int(r>>23&3))
	return code | uint32(ch)<<13
}

// adcInput is the voltage at a converter, in microvolts.
func (c *Chip) adcInput(ch int) int64 {
	unit := int(c.ADC.Unit)
	if c.ADC.grounded(unit) {
		return 0
	}
	p := ch + 5*unit
	if ch > 4 || unit == 1 && ch > 0 {
		c.warn("ADC%d has no channel %d: it converts as 0", unit+1, ch)
		return 0
	}
	v := c.voltage(p)
	if v.Floating {
		c.warn("ADC%d converts %s, which floats", unit+1, c.PinName(board.Pin(p)))
		return c.MicroVolts(board.Pin(p))
	}
	return v.MicroVolts
}

// adcCode is what a converter makes of a voltage.
func (c *Chip) adcCode(uv int64, atten int) uint32 {
	a := &c.ADC
	e, full := a.Errors, adcFullScale[atten]
	bow := 4 * e.BowUV * min(max(uv, 0), full) / full * (full - min(max(uv, 0), full)) / full
	uv += uv*e.GainPPM/1_000_000 + e.OffsetUV + bow
	if e.NoiseUVrms != 0 {
		uv += c.gauss() * e.NoiseUVrms >> 16
	}
	zero := e.Zero
	if zero == 0 {
		zero = defaultZero
	}
	code := (2*uv*4096+full)/(2*full) + int64(zero) - int64(a.initialCode(int(a.Unit)))
	return uint32(min(max(code, 0), 4095))
}

// gauss is a number of mean 0 and deviation 65536: the sum of twelve uniform
// ones of 16 bits.
func (c *Chip) gauss() int64 {
	sum := int64(-6 * 65535)
	for range 3 {
		for v, n := splitmix(&c.ADC.Noise), 0; n < 4; v, n = v>>16, n+1 {
			sum += int64(v & 0xFFFF)
		}
	}
	return sum
}
