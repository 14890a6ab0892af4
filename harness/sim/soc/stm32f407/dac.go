package stm32f407

import (
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// Digital-to-analog converter, RM0090 §14: two channels on PA4 and PA5.
//
// Modelled: all data formats, single and dual, every trigger, noise and
// triangle, DMA with its underrun, and the voltage on the pins, which ADC and
// probes see. The output follows DOR at once: neither its settling time nor
// what the buffer costs near the rails (BOFF) is modelled, nor any error.
//
// Timing: DOR takes DHR one clock of PCLK1 after a write without trigger or a
// software trigger, three after any other (§14.3.4). A trigger within that
// time changes nothing.
type dac struct {
	Cr, Sr uint32
	Ch     [2]dacChannel
}

type dacChannel struct {
	Dhr, Dor uint32
	Lfsr     uint32
	Tri      uint32 // the triangle's counter
	Down     bool
}

const (
	dacEN       = 1 << 0 // CR, of channel 1; channel 2's are 16 higher
	dacTEN      = 1 << 2
	dacDMAEN    = 1 << 12
	dacDMAUDRIE = 1 << 13
	dacDMAUDR   = 1 << 13 // SR

	dacSoftware = 7 // TSEL
	dacLFSR     = 0xAAA
	dacPin      = 4 // PA4; PA5 follows
	irqTIM6DAC  = 54
)

// dacTriggers are TSEL (§14.3.6); the last is software.
var dacTriggers = [7]trigger{trgTIM6TRGO, trgTIM8TRGO, trgTIM7TRGO, trgTIM5TRGO, trgTIM2TRGO, trgTIM4TRGO, trgEXTI9}

func (c *Chip) dacReset() {
	c.DAC = dac{}
	for n := range c.DAC.Ch {
		c.DAC.Ch[n].Lfsr = dacLFSR
		c.Schedule(slotDAC+n, clock.Never)
	}
	c.updateDACIRQ()
}

// control is a channel's half of CR.
func (d *dac) control(n int) uint32 { return d.Cr >> (16 * n) & 0x3FFF }

// convert lets DOR take DHR some clocks of PCLK1 from now.
func (c *Chip) convertDAC(n int, clocks uint64) {
	if c.Events.At(slotDAC+n) == clock.Never {
		p := c.pclkDiv(1)
		c.Schedule(slotDAC+n, (c.Cycle()/p+clocks)*p)
	}
}

// dacEvent is the transfer from DHR to DOR.
func (c *Chip) dacEvent(slot int) {
	n := slot - slotDAC
	d := &c.DAC.Ch[n]
	d.Dor = min(d.Dhr+d.wave(c.DAC.control(n)), 0xFFF)
	c.settle(dacPin + n)
}

// wave is what noise or triangle add (§14.3.8, §14.3.9); the next value comes
// after it.
func (d *dacChannel) wave(control uint32) uint32 {
	amplitude := uint32(2)<<min(control>>8&0xF, 11) - 1
	switch {
	case control&dacTEN == 0 || control>>6&3 == 0:
		return 0
	case control>>6&3 == 1:
		v := d.Lfsr & amplitude
		d.shift()
		return v
	}
	v := d.Tri
	if d.Down = v >= amplitude || d.Down && v > 0; d.Down {
		d.Tri--
	} else {
		d.Tri++
	}
	return v
}

// shift is a step of the noise generator (§14.3.8): X^12 + X^6 +
// X^4 + X + 1, and all zeros lead out of themselves.
func (d *dacChannel) shift() {
	l := d.Lfsr
	in := (l ^ l>>1 ^ l>>4 ^ l>>6) & 1
	if l == 0 {
		in = 1
	}
	d.Lfsr = l>>1 | in<<11
}

// dacTrigger takes an edge of a trigger line; rising ones count.
func (c *Chip) dacTrigger(t trigger, high bool) {
	for n := range c.DAC.Ch {
		if high && c.dacFollows(n, t) {
			c.convertDAC(n, 3)
			c.askDAC(n)
		}
	}
}

func (c *Chip) dacFollows(n int, t trigger) bool {
	control := c.DAC.control(n)
	sel := control >> 3 & 7
	return control&(dacEN|dacTEN) == dacEN|dacTEN && sel != dacSoftware && dacTriggers[sel] == t
}

func (c *Chip) dacHears(t trigger) bool { return c.dacFollows(0, t) || c.dacFollows(1, t) }

// askDAC asks for the next value by DMA. A trigger that finds the last request
// unanswered is an underrun, after which there are no more (§14.3.7).
func (c *Chip) askDAC(n int) {
	r, flag := reqDAC1+request(n), uint32(dacDMAUDR)<<(16*n)
	switch {
	case c.DAC.control(n)&dacDMAEN == 0 || c.DAC.Sr&flag != 0:
	case c.Requests.Latched[r]:
		c.DAC.Sr |= flag
		c.updateDACIRQ()
	default:
		c.dmaPulse(r)
	}
}

// updateDACIRQ: TIM6 has the same line, and irq adds what DAC has to say.
func (c *Chip) updateDACIRQ() {
	t := c.timer(6)
	c.irq(irqTIM6DAC, t.Sr&t.Dier&timUIF != 0)
}

func (d *dac) pending() bool {
	return d.Sr&d.Cr&(dacDMAUDRIE|dacDMAUDRIE<<16) != 0
}

// dacDrives tells whether a channel is on at a pin, and its microvolts.
func (c *Chip) dacDrives(p int) (uv int64, on bool) {
	n := p - dacPin
	if n < 0 || n > 1 || c.DAC.control(n)&dacEN == 0 {
		return 0, false
	}
	return c.supply() * int64(c.DAC.Ch[n].Dor) / 4096, true
}

type dacDevice struct{ *Chip }

func (v dacDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	d := &v.DAC
	switch off {
	case 0x00:
		return uint64(d.Cr), bus.None
	case 0x04: // SWTRIGR: write-only
		return 0, bus.None
	case 0x2C, 0x30:
		return uint64(d.Ch[(off-0x2C)/4].Dor), bus.None
	case 0x34:
		return uint64(d.Sr), bus.None
	}
	if off < 0x20 {
		return uint64(dhrFormat(d.Ch[(off-8)/12].Dhr, (off-8)%12/4)), bus.None
	}
	if off < 0x2C {
		f := (off - 0x20) / 4
		return uint64(dhrFormat(d.Ch[0].Dhr, f) | dhrFormat(d.Ch[1].Dhr, f)<<dualShift(f)), bus.None
	}
	return 0, v.unknown("DAC", off)
}

// The data formats (§14.3.3): 12 bits right and left aligned, 8 bits.
func dhrFormat(dhr, format uint32) uint32 {
	switch format {
	case 1:
		return dhr << 4
	case 2:
		return dhr >> 4
	}
	return dhr
}

func dhrValue(v, format uint32) uint32 {
	switch format {
	case 1:
		return v >> 4 & 0xFFF
	case 2:
		return v & 0xFF << 4
	}
	return v & 0xFFF
}

func dualShift(format uint32) uint32 {
	if format == 2 {
		return 8
	}
	return 16
}

func (v dacDevice) Store(off uint32, _ uint8, value uint64) bus.Fault {
	d, x := &v.DAC, uint32(value)
	switch {
	case off == 0x00:
		v.storeDACCR(x & 0x3FFF3FFF)
	case off == 0x04:
		for n := range d.Ch {
			if x>>n&1 != 0 && d.control(n)&(dacEN|dacTEN) == dacEN|dacTEN && d.control(n)>>3&7 == dacSoftware {
				v.convertDAC(n, 1)
			}
		}
	case off < 0x20:
		v.storeDHR(int(off-8)/12, dhrValue(x, (off-8)%12/4))
	case off < 0x2C:
		f := (off - 0x20) / 4
		v.storeDHR(0, dhrValue(x, f))
		v.storeDHR(1, dhrValue(x>>dualShift(f), f))
	case off < 0x34: // DORx: read-only
	case off == 0x34: // rc_w1
		d.Sr &^= x
	default:
		return v.unknown("DAC", off)
	}
	v.updateDACIRQ()
	return bus.None
}

func (c *Chip) storeDHR(n int, v uint32) {
	d := &c.DAC
	d.Ch[n].Dhr = v
	if d.control(n)&dacTEN == 0 {
		c.convertDAC(n, 1)
	}
}

// storeDACCR: a wave starts over when it is chosen; a channel without trigger
// shows DHR.
func (c *Chip) storeDACCR(v uint32) {
	d := &c.DAC
	d.Cr = v
	for n := range d.Ch {
		control := d.control(n)
		if control>>6&3 == 0 {
			d.Ch[n].Lfsr, d.Ch[n].Tri, d.Ch[n].Down = dacLFSR, 0, false
		}
		if control&dacTEN == 0 {
			c.convertDAC(n, 1)
		}
		if control&dacDMAEN == 0 {
			c.Requests.Latched[reqDAC1+request(n)] = false
		}
		if control&dacEN != 0 && c.mode(dacPin+n) != modeAnalog {
			c.warn("DAC channel %d enabled while its pin is not in analog mode", n+1)
		}
		c.settle(dacPin + n)
	}
	c.triggersChanged()
}
