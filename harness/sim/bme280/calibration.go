package bme280

import "math/rand/v2"

// calibration is a sensor's trimming parameters (§4.2.2, table 16).
type calibration struct {
	T1             uint16
	T2, T3         int16
	P1             uint16
	P2, P3, P4, P5 int16
	P6, P7, P8, P9 int16
	H1             uint8
	H2             int16
	H3             uint8
	H4, H5         int16 // of 12 bits
	H6             int8
}

// typical has the temperature's and pressure's words of the example that Bosch
// gives for the same element (BST-BMP280-DS001 §3.12), and humidity's as parts
// have them.
var typical = calibration{
	T1: 27504, T2: 26435, T3: -1000,
	P1: 36477, P2: -10685, P3: 3024, P4: 2855, P5: 140, P6: -7, P7: 15500, P8: -14600, P9: 6000,
	H1: 75, H2: 362, H3: 0, H4: 313, H5: 50, H6: 30,
}

// newCalibration scatters the words that differ most between parts, each by a few
// hundredths.
func newCalibration(serial uint64) calibration {
	rnd := rand.New(rand.NewPCG(serial, 0x280))
	scatter := func(v, by int) int { return v + rnd.IntN(2*by+1) - by }
	c := typical
	c.T1 = uint16(scatter(int(c.T1), 700))
	c.T2 = int16(scatter(int(c.T2), 700))
	c.P1 = uint16(scatter(int(c.P1), 800))
	c.P2 = int16(scatter(int(c.P2), 150))
	c.P4 = int16(scatter(int(c.P4), 500))
	c.P5 = int16(scatter(int(c.P5), 60))
	c.H2 = int16(scatter(int(c.H2), 10))
	c.H4 = int16(scatter(int(c.H4), 20))
	c.H5 = int16(scatter(int(c.H5), 5))
	return c
}

// bytes are calib00 to calib25 and calib26 to calib41.
func (c *calibration) bytes() (b [42]byte) {
	words := []int{int(c.T1), int(c.T2), int(c.T3), int(c.P1), int(c.P2), int(c.P3), int(c.P4),
		int(c.P5), int(c.P6), int(c.P7), int(c.P8), int(c.P9)}
	for i, w := range words {
		b[2*i], b[2*i+1] = byte(w), byte(w>>8)
	}
	b[25] = c.H1
	copy(b[26:], []byte{
		byte(c.H2), byte(c.H2 >> 8), c.H3,
		byte(c.H4 >> 4), byte(c.H4&0xF) | byte(c.H5<<4), byte(c.H5 >> 4), byte(c.H6),
	})
	return b
}

const maxRaw = 1<<20 - 1

// fine is the temperature of a raw value in 1/5120 °C (§4.2.3).
func (c *calibration) fine(raw uint32) int64 {
	a, b := int64(raw>>3)-2*int64(c.T1), int64(raw>>4)-int64(c.T1)
	return a*int64(c.T2)>>11 + (b*b>>12)*int64(c.T3)>>14
}

// pressure is that of a raw value in 1/256 Pa, or 0 where the formula has none
// (§4.2.3).
func (c *calibration) pressure(raw uint32, fine int64) int64 {
	d := fine - 128000
	offset := d*d*int64(c.P6) + d*int64(c.P5)<<17 + int64(c.P4)<<35
	gain := d*d*int64(c.P3)>>8 + d*int64(c.P2)<<12
	gain = (1<<47 + gain) * int64(c.P1) >> 33
	if gain == 0 {
		return 0
	}
	p := ((1048576-int64(raw))<<31 - offset) * 3125 / gain
	square := int64(c.P9) * (p >> 13) * (p >> 13) >> 25
	return (p+square+int64(c.P8)*p>>19)>>8 + int64(c.P7)<<4
}

// humidity is that of a raw value in 2^-22 %RH, below 0 and above 100 too
// (§4.2.3).
func (c *calibration) humidity(raw uint32, fine int64) int64 {
	d := fine - 76800
	x := (int64(raw)<<14 - int64(c.H4)<<20 - int64(c.H5)*d + 16384) >> 15
	y := (d*int64(c.H6)>>10)*(d*int64(c.H3)>>11+32768)>>10 + 2097152
	v := x * ((y*int64(c.H2) + 8192) >> 14)
	return v - (v>>15)*(v>>15)>>7*int64(c.H1)>>4
}

// rawTemperature is the raw value whose compensation comes nearest to a
// temperature in 1/5120 °C.
func (c *calibration) rawTemperature(fine int64) uint32 {
	return nearest(maxRaw, func(raw uint32) int64 { return c.fine(raw) - fine })
}

// rawPressure is that of a pressure; more pressure is a lower value.
func (c *calibration) rawPressure(milliPascals, fine int64) uint32 {
	want := milliPascals * 256 / 1000
	return nearest(maxRaw, func(raw uint32) int64 { return want - c.pressure(raw, fine) })
}

// rawHumidity is that of a relative humidity.
func (c *calibration) rawHumidity(milliRH, fine int64) uint32 {
	want := min(max(milliRH, 0), 100_000) << 22 / 1000
	return nearest(1<<16-1, func(raw uint32) int64 { return c.humidity(raw, fine) - want })
}

// nearest finds where a rising function is nearest to 0.
func nearest(most uint32, f func(uint32) int64) uint32 {
	lo, hi := uint32(0), most // the first that is not below 0
	for lo < hi {
		if mid := (lo + hi) / 2; f(mid) < 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo > 0 && -f(lo-1) < f(lo) {
		lo--
	}
	return lo
}
