package esp32c3

import (
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// Calibration of slow clocks: TRM Timer Group, RTC calibration. It counts cycles of the
// crystal's clock during a number of cycles of the slow one. No crystal of
// 32 kHz is connected: counting its cycles ends by the timeout.
const (
	caliCYCLING = 1 << 12
	caliCLK_SEL = 13 // 2 bits
	caliRDY     = 1 << 15
	caliMAX     = 16 // 15 bits
	caliSTART   = 1 << 31
	caliVALUE   = 7 // 25 bits of RTCCALICFG1

	caliTIMEOUT = 1 << 0 // of RTCCALICFG2
)

// caliClock is the period of the clock that is calibrated, 0 if there is none.
func (c *Chip) caliClock(n int) clock.Time {
	switch c.TIMG[n].CALI[0] >> caliCLK_SEL & 3 {
	case 0:
		return c.slowPeriod()
	case 1:
		return d256Period
	}
	return 0
}

// caliEnds tells whether the calibration ends before the timeout.
func (c *Chip) caliEnds(n int) bool {
	return c.caliClock(n) != 0 && c.caliTime(n) <= clock.Time(c.TIMG[n].CALI[2]>>7)*xtalPeriod
}

// caliTime is how long the calibration takes.
func (c *Chip) caliTime(n int) clock.Time {
	return clock.Time(c.TIMG[n].CALI[0]>>caliMAX&0x7FFF) * c.caliClock(n)
}

func (c *Chip) readCali(n int, off uint32) uint32 {
	t := &c.TIMG[n]
	switch {
	case off == 0x68:
		return t.CALI[0]
	case off == 0x80 && t.CALI[0]&caliCYCLING != 0 && !c.caliEnds(n):
		return t.CALI[2] | caliTIMEOUT
	case off == 0x80:
		return t.CALI[2]
	case t.CALI[0]&caliCYCLING != 0 && c.caliClock(n) != 0: // it goes on and on
		return uint32(c.caliTime(n)/xtalPeriod)<<caliVALUE | 1
	}
	return t.CALI[1]
}

func (c *Chip) writeCali(n int, off, v uint32) bus.Fault {
	t := &c.TIMG[n]
	switch off {
	case 0x68:
		started := v&^t.CALI[0]&caliSTART != 0
		t.CALI[0] = v&^(caliRDY|0xFFF) | t.CALI[0]&caliRDY
		if started {
			c.startCali(n)
		}
		if v&caliSTART == 0 {
			t.CALI[2] &^= caliTIMEOUT
			c.ScheduleAt(slotCali+n, clock.NeverTime)
		}
	case 0x80:
		t.CALI[2] = v&^caliTIMEOUT | t.CALI[2]&caliTIMEOUT
	}
	return bus.None
}

func (c *Chip) startCali(n int) {
	t := &c.TIMG[n]
	t.CALI[0] &^= caliRDY
	t.CALI[2] &^= caliTIMEOUT
	d := clock.Time(t.CALI[2]>>7) * xtalPeriod
	if c.caliClock(n) != 0 {
		d = min(d, c.caliTime(n))
	}
	c.ScheduleIn(slotCali+n, d)
}

// caliEvent is the end of a calibration, or its timeout.
func (c *Chip) caliEvent(n int) {
	t := &c.TIMG[n]
	if !c.caliEnds(n) {
		t.CALI[2] |= caliTIMEOUT
		return
	}
	t.CALI[0] |= caliRDY
	t.CALI[1] = uint32(c.caliTime(n)/xtalPeriod) << caliVALUE
}
