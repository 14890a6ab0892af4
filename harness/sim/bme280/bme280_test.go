package bme280

import (
	"fmt"
	"testing"

	"rigor/harness/sim/clock"
)

const ms = clock.Millisecond

// ready is a sensor some time after power-on.
func ready(serial uint64) (*Sensor, clock.Time) {
	s := New(0x76, serial)
	s.Power(true, 0)
	return s, 10 * ms
}

func write(s *Sensor, at clock.Time, pairs ...byte) {
	s.Start(false, at)
	for _, v := range pairs {
		s.Write(v, at)
	}
	s.Stop(at)
}

func read(s *Sensor, at clock.Time, from byte, n int) []byte {
	s.Start(false, at)
	s.Write(from, at)
	s.Start(true, at)
	b := make([]byte, n)
	for i := range b {
		_, b[i] = s.Read(at)
	}
	s.Stop(at)
	return b
}

// reading is what a program makes of a sensor: the integer formulas of
// BST-BME280-DS002 §4.2.3 on what it reads from the registers, in the units that
// they give: 0.01 °C, 1/256 Pa and 1/1024 %RH. It is a second reading of the data
// sheet, in the widths that it names.
type reading struct {
	t int32
	p uint32
	h uint32
}

func take(s *Sensor, at clock.Time) reading {
	a, b := read(s, at, 0x88, 26), read(s, at, 0xE1, 7)
	u16 := func(i int) uint16 { return uint16(a[i]) | uint16(a[i+1])<<8 }
	word := func(i int) int64 { return int64(int16(u16(i))) }
	d := read(s, at, 0xF7, 8)
	adcP := int32(d[0])<<12 | int32(d[1])<<4 | int32(d[2])>>4
	adcT := int32(d[3])<<12 | int32(d[4])<<4 | int32(d[5])>>4
	adcH := int32(d[6])<<8 | int32(d[7])

	t1, t2, t3 := int32(u16(0)), int32(word(2)), int32(word(4))
	fine := ((adcT>>3-t1<<1)*t2)>>11 + ((((adcT>>4-t1)*(adcT>>4-t1))>>12)*t3)>>14
	r := reading{t: (fine*5 + 128) >> 8}

	v1 := int64(fine) - 128000
	v2 := v1 * v1 * word(16)
	v2 += (v1 * word(14)) << 17
	v2 += word(12) << 35
	v1 = (v1*v1*word(10))>>8 + (v1*word(8))<<12
	v1 = ((int64(1)<<47 + v1) * int64(u16(6))) >> 33
	if v1 != 0 {
		p := int64(1048576 - adcP)
		p = ((p<<31 - v2) * 3125) / v1
		v1 = (word(22) * (p >> 13) * (p >> 13)) >> 25
		v2 = (word(20) * p) >> 19
		r.p = uint32((p+v1+v2)>>8 + word(18)<<4)
	}

	h1, h2, h3 := int32(a[25]), int32(int16(uint16(b[0])|uint16(b[1])<<8)), int32(b[2])
	h4 := int32(int8(b[3]))<<4 | int32(b[4]&0xF)
	h5 := int32(int8(b[5]))<<4 | int32(b[4]>>4)
	h6 := int32(int8(b[6]))
	x := fine - 76800
	x = ((adcH<<14 - h4<<20 - h5*x + 16384) >> 15) *
		(((((((x*h6)>>10)*((x*h3)>>11+32768))>>10)+2097152)*h2 + 8192) >> 14)
	x -= (((x >> 15) * (x >> 15)) >> 7 * h1) >> 4
	r.h = uint32(min(max(x, 0), 419430400) >> 12)
	return r
}

// Bosch's example of the temperature and pressure formulas, BST-BMP280-DS001
// §3.12: t_fine 128422, 25.08 °C, and in floating point 100653.27 Pa, from which
// the integers may be off by 1/64 Pa.
func TestPublishedExample(t *testing.T) {
	c := typical
	fine := c.fine(519888)
	if got := (fine*5 + 128) >> 8; fine != 128422 || got != 2508 {
		t.Errorf("t_fine %d, %d", fine, got)
	}
	want := int64(10065327 * 256 / 100)
	if got := c.pressure(415148, fine); got < want-4 || got > want+4 {
		t.Errorf("pressure %d/256 Pa, want %d", got, want)
	}
}

// The air comes back through the data sheet's formulas: temperature within 0.01
// °C, pressure and humidity within the 0.18 Pa and 0.008 %RH that §1 gives as
// their resolution and half a step of the formula's own results. At the lowest
// oversampling temperature and pressure have 16 steps in one.
func TestRoundTrip(t *testing.T) {
	for serial := range uint64(6) {
		for _, osrs := range []byte{1, 5} {
			s, at := ready(serial)
			for _, c := range []int64{-40_000, -12_345, 0, 21_500, 25_000, 60_010, 85_000} {
				for _, p := range []int64{30_000_000, 86_543_210, 101_325_000, 110_000_000} {
					for _, h := range []int64{0, 12_340, 50_000, 100_000} {
						s.SetEnvironment(Environment{c, p, h}, at)
						write(s, at, regCtrlHum, osrs, regCtrlMeas, osrs<<5|osrs<<2|1)
						at += 200 * ms
						check(t, fmt.Sprintf("serial %d, osrs %d, air %v", serial, osrs, s.Environment()), take(s, at), s.Air, osrs)
					}
				}
			}
		}
	}
}

func check(t *testing.T, what string, r reading, e Environment, osrs byte) {
	t.Helper()
	offT, offP, offH := int64(10), int64(200), int64(15)
	if osrs == 1 {
		offP = 1700
	}
	if off := int64(r.t)*10 - e.MilliCelsius; off < -offT || off > offT {
		t.Errorf("%s: %d m°C off", what, off)
	}
	if off := int64(r.p)*1000/256 - e.MilliPascals; off < -offP || off > offP {
		t.Errorf("%s: %d mPa off", what, off)
	}
	if off := int64(r.h)*1000/1024 - e.MilliRH; off < -offH || off > offH {
		t.Errorf("%s: %d m%%RH off", what, off)
	}
}

// Air beyond the converter's range ends where that does.
func TestBeyondRange(t *testing.T) {
	s, at := ready(1)
	for _, e := range []Environment{{-1_000_000, 0, -5}, {1_000_000, 1e12, 200_000}} {
		s.SetEnvironment(e, at)
		write(s, at, regCtrlHum, 1, regCtrlMeas, 0x25)
		at += 20 * ms
		s.sync(at)
		if o := s.Meas.Out; o.T > maxRaw || o.P > maxRaw || o.H > 0xFFFF {
			t.Errorf("air %v: %+v", e, o)
		}
	}
}

// Every serial has calibration of its own, always the same.
func TestCalibrationIsItsOwn(t *testing.T) {
	seen := map[[42]byte]bool{}
	for serial := range uint64(50) {
		c, again := newCalibration(serial), newCalibration(serial)
		if c != again {
			t.Fatalf("serial %d differs from itself", serial)
		}
		if b := c.bytes(); seen[b] {
			t.Errorf("serial %d is like another", serial)
		} else {
			seen[b] = true
		}
	}
}

// Values after power-on, §5.3 table 18 and §5.4.7 to §5.4.9.
func TestResetValues(t *testing.T) {
	s, at := ready(1)
	for r, want := range map[byte]byte{
		0xD0: 0x60, 0xE0: 0, 0xF2: 0, 0xF3: 0, 0xF4: 0, 0xF5: 0,
		0xF7: 0x80, 0xF8: 0, 0xF9: 0, 0xFA: 0x80, 0xFB: 0, 0xFC: 0, 0xFD: 0x80, 0xFE: 0,
	} {
		if got := read(s, at, r, 1)[0]; got != want {
			t.Errorf("register %#x is %#x, want %#x", r, got, want)
		}
	}
}

func TestRegistersOnTheBus(t *testing.T) {
	s, at := ready(1)
	write(s, at, 0xF5, 0xA9, 0xF2, 0x0D, 0xD0, 0x11, 0x88, 0x22) // pairs
	if got := read(s, at, 0xF2, 4); string(got) != "\x05\x00\x00\xA9" {
		t.Errorf("ctrl_hum to config % x", got)
	}
	if got := read(s, at, 0xD0, 1)[0]; got != 0x60 {
		t.Errorf("id %#x", got)
	}
	c := s.cal.bytes()
	if got := read(s, at, 0x88, 26); string(got) != string(c[:26]) {
		t.Errorf("calib00.. % x", got)
	}
	s.Start(true, at) // goes on where the last read ended
	if r, _ := s.Read(at); r != 0x88+26 {
		t.Errorf("register %#x", r)
	}
	if got := read(s, at, 0xFF, 2); string(got) != "\x00\x00" {
		t.Errorf("past the end % x", got)
	}
}

func TestPowerAndReset(t *testing.T) {
	s := New(0x77, 1)
	if s.Start(false, 0) || s.Address() != 0x77 {
		t.Error("it answers without supply")
	}
	s.Power(true, 5*ms)
	if s.Start(false, 6*ms) || !s.Start(false, 7*ms) {
		t.Error("it does not start in 2 ms")
	}
	write(s, 10*ms, regConfig, 0xA0, regCtrlMeas, 0x27)
	write(s, 11*ms, regReset, 0xB5)
	if got := read(s, 11*ms, regConfig, 1)[0]; got != 0xA0 {
		t.Errorf("config %#x after another word than B6", got)
	}
	write(s, 11*ms, regReset, 0xB6)
	if got := read(s, 11*ms, 0xF2, 4); string(got) != "\x00\x01\x00\x00" {
		t.Errorf("after reset % x", got)
	}
	if got := read(s, 13*ms, regStatus, 1)[0]; got != 0 {
		t.Errorf("status %#x 2 ms later", got)
	}
}

// Typical times by §9.1: 1 ms, 2 ms a conversion, and 0.5 ms each for pressure
// and humidity.
func TestConversionTimes(t *testing.T) {
	for _, c := range []struct {
		hum, meas byte
		want      clock.Time
	}{
		{0, 1<<5 | 3<<2 | 1, 11_500 * clock.Microsecond}, // §9.1's example
		{1, 1<<5 | 1<<2 | 1, 8 * ms},                     // weather monitoring, §3.5.1
		{5, 5<<5 | 5<<2 | 2, 98 * ms},
		{7, 0<<5 | 0<<2 | 1, 33_500 * clock.Microsecond},
		{0, 1, 1 * ms},
	} {
		s, at := ready(1)
		write(s, at, regCtrlHum, c.hum, regCtrlMeas, c.meas)
		before, after := read(s, at+c.want-1, regStatus, 1)[0], read(s, at+c.want, regStatus, 1)[0]
		if before != 8 || after != 0 {
			t.Errorf("ctrl_hum %#x, ctrl_meas %#x: status %#x before %d, %#x then", c.hum, c.meas, before, c.want, after)
		}
		if got := read(s, at+c.want, regCtrlMeas, 1)[0]; got != c.meas&^3 {
			t.Errorf("ctrl_meas %#x after a forced conversion", got)
		}
	}
}

// What is not converted reads as skipped; ctrl_hum waits for ctrl_meas (§5.4.3).
func TestSkippedAndLatched(t *testing.T) {
	s, at := ready(1)
	write(s, at, regCtrlMeas, 0x21)
	at += 50 * ms
	if o := s.out(at); o.P != skipped.P || o.H != skipped.H || o.T == skipped.T {
		t.Errorf("temperature alone: %+v", o)
	}
	write(s, at, regCtrlMeas, 0x27, regCtrlHum, 1)
	at += 50 * ms
	if o := s.out(at); o.P == skipped.P || o.H != skipped.H {
		t.Errorf("humidity before ctrl_meas is written: %+v", o)
	}
	write(s, at, regCtrlMeas, 0x27)
	at += 50 * ms
	if o := s.out(at); o.H == skipped.H {
		t.Error("no humidity after ctrl_meas is written")
	}
}

func (s *Sensor) out(at clock.Time) output {
	s.sync(at)
	return s.Meas.Out
}

// Writes to ctrl_meas during a conversion: the first waits, others are lost
// (§3.3.1). Config is not taken in normal mode (§5.4.6).
func TestWritesAtWork(t *testing.T) {
	s, at := ready(1)
	write(s, at, regCtrlMeas, 0x27)
	write(s, at+ms, regCtrlMeas, 0x20, regCtrlMeas, 0x43, regConfig, 0x1C)
	if got := read(s, at+2*ms, 0xF4, 2); string(got) != "\x27\x00" {
		t.Errorf("at work % x", got)
	}
	if got := read(s, at+6*ms, 0xF3, 3); string(got) != "\x00\x20\x00" {
		t.Errorf("afterwards % x", got)
	}
}

// Normal mode: conversions of 5.5 ms and standby in turn (§3.3.4).
func TestNormalMode(t *testing.T) {
	for code, us := range []clock.Time{500, 62500, 125000, 250000, 500000, 1000000, 10000, 20000} {
		s, at := ready(1)
		write(s, at, regConfig, byte(code)<<5, regCtrlMeas, 0x27)
		end := at + 5500*clock.Microsecond
		again := end + us*clock.Microsecond
		for i, c := range []struct {
			at   clock.Time
			want byte
		}{{end - 1, 8}, {end, 0}, {again - 1, 0}, {again, 8}, {again + 5500*clock.Microsecond, 0}} {
			if got := read(s, c.at, regStatus, 1)[0]; got != c.want {
				t.Errorf("t_sb %d, look %d: status %#x", code, i, got)
			}
		}
	}
}

// A burst is of one conversion (§4), the next of a later one.
func TestShadowing(t *testing.T) {
	s, at := ready(1)
	write(s, at, regCtrlMeas, 0x27)
	at += 5600 * clock.Microsecond
	s.Start(false, at)
	s.Write(regData, at)
	s.Start(true, at)
	before := s.out(at).bytes()
	s.SetEnvironment(Environment{80_000, 50_000_000, 0}, at)
	for i := range 6 {
		at += 10 * ms
		if _, v := s.Read(at); v != before[i] {
			t.Errorf("byte %d of another conversion", i)
		}
	}
	s.Stop(at)
	if got := read(s, at, regData, 8); string(got) == string(before[:]) {
		t.Error("the next burst is no newer")
	}
}

// Samples until at least 75 % of a step, §3.4.4 table 6.
func TestFilterStep(t *testing.T) {
	for code, want := range []int{1, 2, 5, 11, 22} {
		s, at := ready(1)
		step := func() int64 {
			write(s, at, regCtrlMeas, 0xA1)
			at += 40 * ms
			return int64(s.out(at).T)
		}
		s.SetEnvironment(Environment{MilliCelsius: 10_000}, at)
		write(s, at, regConfig, byte(code)<<2)
		first := step()
		s.SetEnvironment(Environment{MilliCelsius: 50_000}, at)
		last := int64(s.cal.rawTemperature(50 * 5120))
		n := 1
		for 4*(step()-first) < 3*(last-first) {
			n++
		}
		if n != want {
			t.Errorf("filter code %d: %d samples, want %d", code, n, want)
		}
	}
}

// What is passed over comes out as if it had been gone through.
func TestSkipChangesNothing(t *testing.T) {
	run := func(steps int) state {
		s, at := ready(3)
		s.SetEnvironment(Environment{10_000, 90_000_000, 10_000}, at)
		write(s, at, regConfig, 4<<2, regCtrlHum, 1, regCtrlMeas, 0x27)
		at += 100 * ms
		s.SetEnvironment(Environment{30_000, 100_000_000, 20_000}, at)
		for range steps {
			at += 60_000 * ms / clock.Time(steps)
			s.sync(at)
		}
		return s.state
	}
	if one, many := run(1), run(600); one != many {
		t.Errorf("at once %+v\nin steps %+v", one, many)
	}
}

func TestSnapshot(t *testing.T) {
	s, at := ready(1)
	write(s, at, regCtrlHum, 1, regCtrlMeas, 0x27)
	snap := s.Snapshot()
	first := take(s, at+50*ms)
	s.SetEnvironment(Environment{}, at+60*ms)
	s.Restore(snap)
	if got := take(s, at+50*ms); got != first {
		t.Errorf("%v after it was put back, %v before", got, first)
	}
}
