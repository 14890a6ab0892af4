package esp32c3

import "rigor/harness/sim/bus"

// The registers (TRM LED PWM Controller, register summary).

type ledcDevice struct{ *Chip }

func (d ledcDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	l := &d.LEDC
	d.ledcSync()
	switch {
	case off < 0x78 && off%0x14 == 0x10:
		return uint64(l.Channels[off/0x14].Duty), bus.None
	case off >= 0xA0 && off < 0xC0 && off%8 == 4:
		return uint64(l.Timers[(off-0xA0)/8].count(d.ledcPosition())), bus.None
	case off == 0xC0:
		return uint64(l.INT_RAW), bus.None
	case off == 0xC4:
		return uint64(l.INT_RAW & l.INT_ENA), bus.None
	case off == 0xCC: // write-only
		return 0, bus.None
	}
	if r := l.register(off); r != nil {
		return uint64(*r), bus.None
	}
	return 0, d.unknown("LEDC", off)
}

func (d ledcDevice) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	l, v := &d.LEDC, uint32(v64)
	d.ledcSync()
	r := l.register(off)
	switch {
	case off < 0x78 && off%0x14 == 0x10, off >= 0xA0 && off < 0xC0 && off%8 == 4, off == 0xC0, off == 0xC4:
		return bus.None // read-only
	case off == 0xCC:
		l.INT_RAW &^= v
	case r == nil:
		return d.unknown("LEDC", off)
	case off < 0x78 && off%0x14 == 0:
		d.setChannel(int(off/0x14), v)
	case off >= 0xA0 && off < 0xC0:
		d.setTimer(int(off-0xA0)/8, v)
	case off == 0xD0:
		*r = v
		d.ledcClockChanged()
	default:
		*r = v
	}
	d.ledcApply()
	return bus.None
}

// register is the register at an offset that is read as it was stored, or nil.
func (l *ledcState) register(off uint32) *uint32 {
	switch {
	case off < 0x78:
		ch := &l.Channels[off/0x14]
		return [5]*uint32{&ch.CONF0, &ch.HPOINT, &ch.DUTY, &ch.CONF1}[off%0x14/4]
	case off >= 0xA0 && off < 0xC0 && off%8 == 0:
		return &l.Timers[(off-0xA0)/8].CONF
	}
	switch off {
	case 0xC8:
		return &l.INT_ENA
	case 0xD0:
		return &l.CONF
	case 0xFC:
		return &l.DATE
	}
	return nil
}

// setChannel stores a channel's CONF0.
func (d ledcDevice) setChannel(i int, v uint32) {
	ch := &d.LEDC.Channels[i]
	ch.CONF0 = v &^ (ledcChannelPARA | ledcOVF_RESET)
	if v&ledcOVF_RESET != 0 {
		ch.Overflows = 0
	}
	if v&ledcChannelPARA == 0 {
		return
	}
	ch.Update = true
	if !d.LEDC.Timers[v&3].Runs {
		ch.latch()
	}
}

// setTimer stores a timer's configuration.
func (d ledcDevice) setTimer(i int, v uint32) {
	t := &d.LEDC.Timers[i]
	position := d.ledcPosition()
	t.CONF = v &^ ledcTimerPARA
	t.Update = t.Update || v&ledcTimerPARA != 0
	if v&(ledcRST|ledcPAUSE) != 0 {
		t.stop(position)
	}
	if v&ledcRST != 0 {
		t.Held = 0
	}
	if t.Update && !t.Runs {
		t.latch()
	}
}
