package stm32f407

import "rigor/harness/sim/bus"

// The RTC's registers, RM0090 §26.6.

const (
	rtcTR       = 0x00
	rtcDR       = 0x04
	rtcCR       = 0x08
	rtcISR      = 0x0C
	rtcPRER     = 0x10
	rtcWUTR     = 0x14
	rtcALRMAR   = 0x1C
	rtcALRMBR   = 0x20
	rtcWPR      = 0x24
	rtcSSR      = 0x28
	rtcSHIFTR   = 0x2C
	rtcTSTR     = 0x30
	rtcTSDR     = 0x34
	rtcTSSSR    = 0x38
	rtcCALR     = 0x3C
	rtcTAFCR    = 0x40
	rtcALRMASSR = 0x44
	rtcALRMBSSR = 0x48
	rtcBKP0R    = 0x50
	rtcBKPEnd   = 0xA0
)

type rtcDevice struct{ *Chip }

func (d rtcDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	d.rtcCatchUp()
	r := &d.RTC
	switch off {
	case rtcSSR:
		return d.rtcTime(0), bus.None
	case rtcTR:
		return d.rtcTime(1), bus.None
	case rtcDR:
		return d.rtcTime(2), bus.None
	case rtcISR:
		return uint64(r.status()), bus.None
	case rtcWPR, rtcSHIFTR: // write-only
		return 0, bus.None
	}
	if p := r.register(off); p != nil {
		return uint64(*p), bus.None
	}
	return 0, d.unknown("RTC", off)
}

// rtcTime reads SSR, TR or DR: the first two lock what follows them until DR is
// read (§26.3.6).
func (c *Chip) rtcTime(i int) uint64 {
	r := &c.RTC
	if r.CR&rtcBYP != 0 {
		return uint64([...]uint32{uint32(r.SS), r.TR, r.DR}[i])
	}
	v := r.Shadow[i]
	if i == 2 {
		r.Locked = 3
	} else {
		r.Locked = min(r.Locked, i+1)
	}
	return uint64(v)
}

// register is one that reads as it was written.
func (r *rtc) register(off uint32) *uint32 {
	switch off {
	case rtcCR:
		return &r.CR
	case rtcPRER:
		return &r.PRER
	case rtcWUTR:
		return &r.WUTR
	case rtcALRMAR, rtcALRMBR:
		return &r.Alarm[(off-rtcALRMAR)/4]
	case rtcALRMASSR, rtcALRMBSSR:
		return &r.AlarmSS[(off-rtcALRMASSR)/4]
	case rtcTSTR:
		return &r.TSTR
	case rtcTSDR:
		return &r.TSDR
	case rtcTSSSR:
		return &r.TSSSR
	case rtcCALR:
		return &r.CALR
	case rtcTAFCR:
		return &r.TAFCR
	}
	if off >= rtcBKP0R && off < rtcBKPEnd {
		return &r.Backup[(off-rtcBKP0R)/4]
	}
	return nil
}

// status is ISR: the flags that stick, and those that follow the rest.
func (r *rtc) status() uint32 {
	v := r.ISR
	for i := range r.Alarm {
		if r.CR>>8>>i&1 == 0 {
			v |= isrALRAWF << i
		}
	}
	if r.CR&rtcWUTE == 0 {
		v |= isrWUTWF
	}
	if r.DR>>16&0xFF != 0 {
		v |= isrINITS
	}
	return v
}

func (d rtcDevice) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	v := uint32(v64)
	if what := rtcLacks(off, v); what != "" {
		return d.lack("RTC." + what)
	}
	if d.PWR.CR&pwrDBP == 0 {
		d.warn("RTC written while PWR.CR.DBP is 0")
		return bus.None
	}
	d.rtcCatchUp()
	f := d.store(off, v)
	d.rtcApply()
	return f
}

// rtcLacks names what a value asks of a register and the model does not have.
func rtcLacks(off, v uint32) string {
	switch off {
	case rtcCR:
		return firstBit(v, "CR", []bit{{1 << 4, "REFCKON"}, {1 << 7, "DCE"}, {3 << 21, "OSEL"}, {1 << 23, "COE"}})
	case rtcTAFCR:
		return firstBit(v, "TAFCR", []bit{{1 << 0, "TAMP1E"}, {1 << 2, "TAMPIE"}, {1 << 3, "TAMP2E"}, {1 << 17, "TSINSEL"}})
	case 0x18:
		return firstBit(v, "CALIBR", []bit{{0x9F, "DC"}})
	}
	return ""
}

// store writes behind the registers' protection, which leaves out ISR's flags,
// TAFCR and the backup registers (§26.3.5).
func (d rtcDevice) store(off, v uint32) bus.Fault {
	r := &d.RTC
	switch {
	case off >= rtcBKP0R && off < rtcBKPEnd:
		r.Backup[(off-rtcBKP0R)/4] = v
		return bus.None
	case off == rtcWPR:
		r.key(uint8(v))
		return bus.None
	case off == rtcTAFCR:
		r.TAFCR = v & 0x0007FF1F
		return bus.None
	case off == rtcISR:
		r.ISR &= v | ^uint32(isrALRAF|isrALRAF<<1|isrWUTF|isrTSF|isrTSOVF)
	}
	if r.WPR != 2 {
		if off != rtcISR || (v^r.ISR)&isrINIT != 0 {
			d.warn("RTC written while RTC.WPR protects it")
		}
		return bus.None
	}
	return d.storeOpen(off, v)
}

// key takes a write of WPR: 0xCA, then 0x53.
func (r *rtc) key(v uint8) {
	switch {
	case v == 0xCA:
		r.WPR = 1
	case v == 0x53 && r.WPR == 1:
		r.WPR = 2
	default:
		r.WPR = 0
	}
}

func (d rtcDevice) storeOpen(off, v uint32) bus.Fault {
	r := &d.RTC
	switch off {
	case rtcTR, rtcDR, rtcPRER:
		d.storeInit(off, v)
	case rtcCR:
		d.storeCR(v)
	case rtcISR:
		r.storeISR(v)
	case rtcWUTR:
		if d.rtcIdle(rtcWUTE, "WUTR written while CR.WUTE is set") {
			r.WUTR = v & 0xFFFF
		}
	case rtcALRMAR, rtcALRMBR:
		if i := (off - rtcALRMAR) / 4; d.rtcIdle(rtcALRAE<<i, "alarm written while it is enabled") {
			r.Alarm[i] = v
		}
	case rtcALRMASSR, rtcALRMBSSR:
		if i := (off - rtcALRMASSR) / 4; d.rtcIdle(rtcALRAE<<i, "alarm written while it is enabled") {
			r.AlarmSS[i] = v & 0x0F007FFF
		}
	case rtcSHIFTR:
		r.shift(v)
	case rtcCALR:
		r.calibrate(v)
	case 0x18: // 0, or refused by rtcLacks
	case rtcSSR, rtcTSTR, rtcTSDR, rtcTSSSR: // read-only
	default:
		return d.unknown("RTC", off)
	}
	return bus.None
}

// rtcIdle tells whether what a bit of CR enables is off, or the initialization
// mode holds everything.
func (c *Chip) rtcIdle(bit uint32, otherwise string) bool {
	if c.RTC.CR&bit == 0 || c.RTC.ISR&isrINITF != 0 {
		return true
	}
	c.warn("RTC: %s", otherwise)
	return false
}

// storeInit writes what only the initialization mode can (§26.3.5). Prescalers
// start over with their new factors.
func (d rtcDevice) storeInit(off, v uint32) {
	r := &d.RTC
	switch {
	case r.ISR&isrINITF == 0:
		d.warn("RTC calendar written outside of the initialization mode")
	case off == rtcTR:
		r.TR = v & 0x007F7F7F
	case off == rtcDR:
		r.DR = v & 0x00FFFF3F
	default:
		r.PRER = v & 0x007F7FFF
	}
}

// storeISR enters and leaves the initialization mode, and clears RSF.
func (r *rtc) storeISR(v uint32) {
	if v&isrRSF == 0 && r.ISR&isrRSF != 0 {
		r.ISR &^= isrRSF
		r.SyncAt = r.At + rtcSync
	}
	switch {
	case v&isrINIT != 0 && r.ISR&isrINIT == 0:
		r.ISR = (r.ISR | isrINIT) &^ isrRSF
		r.InitAt = r.At + rtcSync
	case v&isrINIT == 0 && r.ISR&isrINIT != 0:
		if r.ISR&isrINITF != 0 {
			r.Pre, r.SS = 0, r.sync()-1
		}
		r.ISR &^= isrINIT | isrINITF
		r.SyncAt = r.At + rtcSync
	}
}

// storeCR is §26.6.3. The wake-up timer's clock is fixed while it runs, the
// format outside of the initialization mode.
func (d rtcDevice) storeCR(v uint32) {
	r := &d.RTC
	fixed := uint32(0)
	if r.CR&v&rtcWUTE != 0 {
		fixed |= 7
	}
	if r.ISR&isrINITF == 0 {
		fixed |= rtcFMT
	}
	old := r.CR
	r.CR = (old&fixed | v&^fixed) & 0x0014FF6F
	if r.CR&^old&rtcWUTE != 0 {
		r.WUT = r.wakePeriod() - 1
	}
	if v&rtcADD1H != 0 {
		r.addHour(1)
	}
	if v&rtcSUB1H != 0 {
		r.addHour(-1)
	}
	if r.CR&rtcBYP != 0 {
		r.ISR &^= isrRSF
	}
}

// shift is SHIFTR (§26.3.8): it takes effect at once.
func (r *rtc) shift(v uint32) {
	r.SS += int64(v & 0x7FFF)
	if v>>31 != 0 {
		r.SS -= r.sync()
		if r.SS < 0 {
			r.SS += r.sync()
			r.tick(1)
		}
	}
	r.ISR &^= isrRSF
	r.SyncAt = r.At + rtcSync
}
