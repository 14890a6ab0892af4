package esp32c3

import "rigor/harness/sim/bus"

// The IO MUX (TRM IO MUX and GPIO Matrix): each pin's function, pulls, drive
// strength, input enable and filter.
//
// What the flash chip's pins GPIO12 to GPIO17 do is not simulated: as SPI
// they keep still, at their pulls. JTAG on GPIO4 to GPIO7 is not either. Drive
// strength and the settings for sleep are kept without effect.

// Fields of IO_MUX_GPIOn.
const (
	muxFUN_WPD   = 1 << 7
	muxFUN_WPU   = 1 << 8
	muxFUN_IE    = 1 << 9
	muxFUN_DRV   = 10 // position of a field of two bits
	muxMCU_SEL   = 12 // of three
	muxFILTER_EN = 1 << 15
)

// muxReset is a pin's register after reset. Espressif's SVD file has one value
// for all; these are those of TRM table 5.12-1, column Reset: inputs of most
// pins are enabled; the boot strap GPIO9, flash, MTCK and UART0 have pull-ups.
func muxReset(p int) uint32 {
	const drive = 2 << muxFUN_DRV
	switch {
	case p <= 1, p == 11:
		return drive
	case p == 18 || p == 19: // USB, whose own pull-up is in USB_DEVICE
		return 3 << muxFUN_DRV
	case p == 6, p == 9, p >= 12 && p <= 17, p == 20:
		return drive | muxFUN_IE | muxFUN_WPU
	case p == 21:
		return drive | muxFUN_WPU
	}
	return drive | muxFUN_IE
}

// direct is a function of a pin beside the matrix (TRM table 5.12-1), with the
// signals of the matrix that bypass it.
type direct struct {
	pin, fun int
	out, in  int
}

var directs = []direct{
	{2, 2, 64, 64}, // FSPIQ
	{4, 0, sigNone, sigNone},
	{4, 2, 66, 66}, // FSPIHD
	{5, 0, sigNone, sigNone},
	{5, 2, 67, 67}, // FSPIWP
	{6, 0, sigNone, sigNone},
	{6, 2, 63, 63}, // FSPICLK
	{7, 0, sigNone, sigNone},
	{7, 2, 65, 65},      // FSPID
	{10, 2, 68, 68},     // FSPICS0
	{12, 0, 2, 2},       // SPIHD
	{13, 0, 3, 3},       // SPIWP
	{14, 0, 5, sigNone}, // SPICS0
	{15, 0, 4, sigNone}, // SPICLK
	{16, 0, 1, 1},       // SPID
	{17, 0, 0, 0},       // SPIQ
	{20, 0, sigNone, sigUARTRX},
	{21, 0, sigUARTRX, sigNone}, // U0TXD has the number of U0RXD
}

func (c *Chip) muxFunction(p int) int { return int(c.GPIO.MUX[p] >> muxMCU_SEL & 7) }

// reselect finds out which output signal a pin is switched to. Function 1 is the
// matrix on every pin, and 0 is on those that have nothing else there.
func (c *Chip) reselect(p int) {
	g, f := &c.GPIO, c.muxFunction(p)
	g.Pins.Direct |= 1 << p
	for i := range directs {
		if d := &directs[i]; d.pin == p && d.fun == f {
			g.Pins.Shows[p] = int16(d.out)
			return
		}
	}
	g.Pins.Shows[p] = sigNone
	if f <= 1 {
		g.Pins.Direct &^= 1 << p
		g.Pins.Shows[p] = int16(g.OUT_SEL[p] & 0xFF)
	}
}

type ioMuxDevice struct{ *Chip }

func (d ioMuxDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	if r := d.register(off); r != nil {
		return uint64(*r), bus.None
	}
	return 0, d.unknown("IO_MUX", off)
}

func (d ioMuxDevice) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	r, v := d.register(off), uint32(v64)
	switch {
	case r == nil:
		return d.unknown("IO_MUX", off)
	case off == 0x00 || off == 0xFC:
		*r = v
		return bus.None
	}
	d.setMux(int(off/4)-1, v&0xFF9F)
	return bus.None
}

func (c *Chip) setMux(p int, v uint32) {
	c.catchUpPins()
	if p >= 12 && p <= 17 && v>>muxMCU_SEL&7 != 0 {
		c.warn("GPIO%d is taken from the flash chip", p)
	}
	c.GPIO.MUX[p] = v
	c.reselect(p)
	c.settle(p)
	for i := range directs {
		if d := &directs[i]; d.pin == p && d.in >= 0 {
			c.refreshSignal(d.in)
		}
	}
	c.rewatch()
}

func (d ioMuxDevice) register(off uint32) *uint32 {
	switch {
	case off == 0x00:
		return &d.GPIO.PIN_CTRL
	case off == 0xFC:
		return &d.GPIO.MUX_DATE
	case off <= 4*pinCount:
		return &d.GPIO.MUX[off/4-1]
	}
	return nil
}
