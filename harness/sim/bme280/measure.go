package bme280

import "rigor/harness/sim/clock"

// measurement is the part that converts.
type measurement struct {
	Phase phase
	Due   clock.Time // when the phase ends; no matter while sleeping
	Out   output     // what the data registers hold
	T, P  filter
}

type phase uint8

const (
	sleeping phase = iota
	measuring
	standby
)

// output is raw data: 20 bits of pressure and temperature, 16 of humidity.
type output struct{ P, T, H uint32 }

// skipped is what the data registers hold of what is not converted (§5.4.7 to
// §5.4.9).
var skipped = output{P: 0x80000, T: 0x80000, H: 0x8000}

// bytes lays the data registers out.
func (o output) bytes() [8]byte {
	return [8]byte{
		byte(o.P >> 12), byte(o.P >> 4), byte(o.P << 4),
		byte(o.T >> 12), byte(o.T >> 4), byte(o.T << 4),
		byte(o.H >> 8), byte(o.H),
	}
}

// filter is the memory of the infinite impulse response filter (§3.4.4). Its
// value is in 2^-8 of the data's unit, so that it settles.
type filter struct {
	Value int64
	Set   bool
}

// Codes of oversampling: conversions of a quantity (§5.4.3, table 20).
func times(osrs byte) int64 { return [...]int64{0, 1, 2, 4, 8, 16, 16, 16}[osrs&7] }

// coefficients of the filter (§5.4.6, table 28).
func coefficient(config byte) int64 { return [...]int64{1, 2, 4, 8, 16, 16, 16, 16}[config>>2&7] }

// Standby times of the normal mode (§5.4.6, table 27).
func standbyTime(config byte) clock.Time {
	us := [...]clock.Time{500, 62_500, 125_000, 250_000, 500_000, 1_000_000, 10_000, 20_000}
	return us[config>>5] * clock.Microsecond
}

func (r registers) osrsT() byte { return r.CtrlMeas >> 5 }
func (r registers) osrsP() byte { return r.CtrlMeas >> 2 & 7 }

// duration is how long a conversion typically takes (§9.1).
func (r registers) duration() clock.Time {
	us := int64(1000) + 2000*times(r.osrsT())
	for _, osrs := range []byte{r.osrsP(), r.OsrsH} {
		if n := times(osrs); n > 0 {
			us += 2000*n + 500
		}
	}
	return clock.Time(us) * clock.Microsecond
}

// convert begins a conversion.
func (s *Sensor) convert(at clock.Time) {
	s.Meas.Phase, s.Meas.Due = measuring, at+s.Regs.duration()
}

// sync lets the sensor do what it had to do until a time.
func (s *Sensor) sync(at clock.Time) {
	s.skip(at)
	for s.Meas.Phase != sleeping && s.Meas.Due <= at {
		due := s.Meas.Due
		if s.Meas.Phase == standby {
			s.convert(due)
			continue
		}
		s.sample()
		s.rest(due)
	}
}

// settled is after how many conversions of the same air the filter stays where
// it is, and more: 2^28 times (15/16)^512 is nothing.
const settled = 512

// skip passes over conversions that change nothing any more.
func (s *Sensor) skip(at clock.Time) {
	if s.Regs.CtrlMeas&modeMask != modeNormal || s.Regs.Waiting || s.Meas.Phase == sleeping {
		return
	}
	cycle := s.Regs.duration() + standbyTime(s.Regs.Config)
	if n := (at - s.Meas.Due) / cycle; n > settled {
		s.Meas.Due += (n - settled) * cycle
	}
}

// rest follows a conversion: with the next mode, that which waited, or none.
func (s *Sensor) rest(at clock.Time) {
	s.Meas.Phase = sleeping
	switch {
	case s.Regs.Waiting:
		s.Regs.Waiting = false
		s.storeCtrlMeas(s.Regs.Later, at)
	case s.Regs.CtrlMeas&modeMask == modeNormal:
		s.Meas.Phase, s.Meas.Due = standby, at+standbyTime(s.Regs.Config)
	default: // forced
		s.Regs.CtrlMeas &^= modeMask
	}
}

// sample ends a conversion: what is converted goes into the data registers.
func (s *Sensor) sample() {
	c := coefficient(s.Regs.Config)
	fine := s.Air.MilliCelsius * 5120 / 1000
	s.Meas.Out = skipped
	if osrs := s.Regs.osrsT(); osrs&7 != 0 {
		raw := quantise(s.cal.rawTemperature(fine), osrs, c)
		fine = s.cal.fine(raw)
		s.Meas.Out.T = s.Meas.T.take(raw, c)
	}
	if osrs := s.Regs.osrsP(); osrs != 0 {
		raw := quantise(s.cal.rawPressure(s.Air.MilliPascals, fine), osrs, c)
		s.Meas.Out.P = s.Meas.P.take(raw, c)
	}
	if s.Regs.OsrsH != 0 {
		s.Meas.Out.H = s.cal.rawHumidity(s.Air.MilliRH, fine)
	}
}

// quantise rounds 20 bits to the resolution: all with the filter, else 16 and
// one more for each doubling of the oversampling (§3.4.1, §3.4.2).
func quantise(raw uint32, osrs byte, coefficient int64) uint32 {
	if coefficient > 1 {
		return raw
	}
	drop := 5 - min(osrs, 5)
	half := uint32(1) << drop >> 1
	return min(raw+half, maxRaw) >> drop << drop
}

// take filters a value (§3.4.4). The first one sets the filter.
func (f *filter) take(raw uint32, coefficient int64) uint32 {
	v := int64(raw) << 8
	if !f.Set {
		f.Value, f.Set = v, true
	}
	f.Value += (v - f.Value) / coefficient
	return uint32(min((f.Value+128)>>8, maxRaw))
}
