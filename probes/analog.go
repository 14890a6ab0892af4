package probes

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"time"

	"rigor/harness/timebase"
)

// MicroVolts is a voltage against ground.
type MicroVolts int64

// Larger units of voltage.
const (
	MilliVolt MicroVolts = 1000
	Volt                 = 1000 * MilliVolt
)

// AnalogSource puts voltages on lines that it owns; any other is an
// *UnknownLineError. A source starts at 0 V.
type AnalogSource interface {
	// Set lets the line follow a waveform, which begins now. One that Check
	// refuses is an error and changes nothing.
	Set(ctx context.Context, l Line, w Waveform) error
}

// Voltmeter reads the voltage of an analog line as it is now, driven or only
// watched; any other is an *UnknownLineError.
type Voltmeter interface {
	Voltage(ctx context.Context, l Line) (MicroVolts, error)
}

// Waveform is a voltage as a pure function of the time since it began.
//
// Those of this package compute in integers alone, the sine too. Floating-point
// sums would not do: Go may fuse a multiplication with an addition on some
// architectures and not on others (The Go Programming Language Specification,
// Floating-point operators), and math.Sin has code of its own on some.
type Waveform interface {
	At(picoseconds int64) MicroVolts
	Check() error
	// Reach gives the first picosecond from..to, ends included, at which At is uv
	// or beyond: above it, or with rising false below it. Of a waveform that Check
	// refuses nothing is promised.
	Reach(from, to int64, uv MicroVolts, rising bool) (at int64, ok bool)
}

// Bounds of what waveforms may ask for, far beyond any rig, so that no
// computation overflows.
const (
	maxVoltage  = 1000 * Volt
	maxDuration = 24 * time.Hour
)

// Constant is a voltage that stays.
type Constant MicroVolts

func (c Constant) At(int64) MicroVolts { return MicroVolts(c) }

func (c Constant) Check() error { return checkVoltage(MicroVolts(c)) }

// Step changes from one voltage to another. It begins after Delay, and its edge
// is a straight line of length Edge.
type Step struct {
	From, To    MicroVolts
	Delay, Edge time.Duration
}

func (s Step) At(ps int64) MicroVolts {
	return between(s.From, s.To, ps-picoseconds(s.Delay), picoseconds(s.Edge))
}

func (s Step) Check() error {
	return errors.Join(checkVoltage(s.From), checkVoltage(s.To), checkDuration(s.Delay), checkDuration(s.Edge))
}

// Ramp goes from one voltage to another in a straight line, and stays there.
type Ramp struct {
	From, To MicroVolts
	Over     time.Duration
}

func (r Ramp) At(ps int64) MicroVolts { return between(r.From, r.To, ps, picoseconds(r.Over)) }

func (r Ramp) Check() error { return Step{From: r.From, To: r.To, Edge: r.Over}.Check() }

// between is the voltage on a straight line that takes a time over.
func between(from, to MicroVolts, ps, over int64) MicroVolts {
	switch {
	case ps < 0:
		return from
	case ps >= over:
		return to
	}
	return from + scale(to-from, uint64(ps), uint64(over))
}

// Sine is Offset + Amplitude·sin(2π·f·t), within a microvolt. Its frequency is
// in millionths of a hertz, so that a test can choose one that fits the
// converter's rate.
type Sine struct {
	Offset, Amplitude MicroVolts
	MicroHz           uint64
}

// periodsPerUnit is how many picoseconds times microhertz make a period.
const periodsPerUnit = 1e18

func (s Sine) At(ps int64) MicroVolts {
	return s.Offset + swing(s.Amplitude, turn(bits.Mul64(uint64(ps), s.MicroHz)))
}

// turn is the place within a period, in 2^-64 of it, after a time of so many
// picoseconds times microhertz.
func turn(hi, lo uint64) uint64 {
	_, rest := bits.Div64(hi%periodsPerUnit, lo, periodsPerUnit)
	turn, _ := bits.Div64(rest, 0, periodsPerUnit)
	return turn
}

// swing is a sine's value there.
func swing[T ~int64](amplitude T, turn uint64) T {
	value, negative := sine(turn)
	return signed(scale(amplitude, value, one), negative)
}

func (s Sine) Check() error {
	if s.MicroHz == 0 || s.MicroHz > 1e15 {
		return fmt.Errorf("sine of %d uHz: want 1 uHz to 1 GHz", s.MicroHz)
	}
	return errors.Join(checkVoltage(s.Offset), checkVoltage(s.Amplitude))
}

// halfPi is π/2 in units of 2^-62; one is 1 in the same.
const (
	halfPi = 7244019458077122842
	one    = 1 << 62
)

// sine of an angle in 2^-64 turns, in units of 2^-62, by the Taylor series of
// the first quadrant: of the term that is left out, x^21/21!, nothing is left in
// a microvolt of a kilovolt.
func sine(turn uint64) (value uint64, negative bool) {
	quadrant, within := turn>>62, turn<<2>>2 // of 2^62 a quadrant
	if quadrant&1 != 0 {
		within = one - within
	}
	x := product(within, halfPi)
	square := product(x, x)
	sum, term := x, x
	for n := uint64(2); n <= 18; n += 2 {
		term = product(term, square) / (n * (n + 1))
		if n%4 != 0 {
			sum -= term
		} else {
			sum += term
		}
	}
	return sum, quadrant&2 != 0
}

// product of two numbers in units of 2^-62.
func product(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi<<2 | lo>>62
}

func signed[T ~int64](v T, negative bool) T {
	if negative {
		return -v
	}
	return v
}

// Samples is a waveform given by its values, one after the other at Rate. After
// the last one it stays there, or begins anew.
type Samples struct {
	Rate   timebase.Rate
	Values []MicroVolts
	Linear bool // straight lines between the values, not steps
	Repeat bool
}

func (s Samples) At(ps int64) MicroVolts {
	hi, lo := bits.Mul64(uint64(ps), uint64(s.Rate))
	n, rest := bits.Div64(hi, lo, 1e12)
	v, next := s.value(n), s.value(n+1)
	if !s.Linear {
		return v
	}
	return v + scale(next-v, rest, 1e12)
}

func (s Samples) value(n uint64) MicroVolts {
	if length := uint64(len(s.Values)); s.Repeat {
		n %= length
	} else {
		n = min(n, length-1)
	}
	return s.Values[n]
}

func (s Samples) Check() error {
	if len(s.Values) == 0 || s.Rate == 0 || s.Rate > 1e12 {
		return fmt.Errorf("waveform of %d samples at %v: want some, at 1 Hz to 1 THz", len(s.Values), s.Rate)
	}
	for i, v := range s.Values {
		if err := checkVoltage(v); err != nil {
			return fmt.Errorf("sample %d: %w", i, err)
		}
	}
	return nil
}

// Noise adds noise to a waveform: white, with a new value every nanosecond, and
// bell-shaped up to six times its root mean square, where it ends. The seed and
// the time alone decide it.
type Noise struct {
	Of   Waveform
	RMS  MicroVolts
	Seed uint64
}

func (n Noise) At(ps int64) MicroVolts { return n.Of.At(ps) + n.value(ps) }

// noiseLasts is how many picoseconds a value of noise stays.
const noiseLasts = 1000

func (n Noise) value(ps int64) MicroVolts {
	return hiss(n.RMS, n.Seed, uint64(ps)/noiseLasts)
}

// hiss is the n-th value of a noise.
func hiss[T ~int64](rms T, seed, n uint64) T {
	value := bell(seed, n)
	negative := value < 0
	if negative {
		value = -value
	}
	return signed(scale(rms, uint64(value), 1<<16), negative)
}

func (n Noise) Check() error {
	if n.Of == nil || n.RMS < 0 {
		return fmt.Errorf("noise of %d uV on %v: want a waveform, and no less than 0", n.RMS, n.Of)
	}
	return errors.Join(n.Of.Check(), checkVoltage(n.RMS))
}

// bell is a number of mean 0 and standard deviation 2^16: the sum of twelve that
// are uniform on 0 to 2^16-1, of which each has the variance (2^32-1)/12.
func bell(seed, n uint64) int64 {
	sum := int64(-12 * (1<<16 - 1) / 2)
	for i := range uint64(3) {
		for h := mix(mix(seed) + 3*n + i); h != 0; h >>= 16 {
			sum += int64(h & 0xFFFF)
		}
	}
	return sum
}

// mix scatters a number's bits (Steele, Lea and Flood, Fast Splittable
// Pseudorandom Number Generators, 2014: SplitMix64's finalizer).
func mix(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// scale is v·num/den for num of at most a few den, rounded to the nearest unit.
func scale[T ~int64](v T, num, den uint64) T {
	if v < 0 {
		return -scale(-v, num, den)
	}
	hi, lo := bits.Mul64(uint64(v), num)
	lo, carry := bits.Add64(lo, den/2, 0)
	q, _ := bits.Div64(hi+carry, lo, den)
	return T(q)
}

func picoseconds(d time.Duration) int64 { return int64(d) * 1000 }

func checkVoltage(v MicroVolts) error {
	if v < -maxVoltage || v > maxVoltage {
		return fmt.Errorf("%d uV is beyond the %d V that waveforms are made for", v, maxVoltage/Volt)
	}
	return nil
}

func checkDuration(d time.Duration) error {
	if d < 0 || d > maxDuration {
		return fmt.Errorf("%v is out of range: want 0 to %v", d, maxDuration)
	}
	return nil
}
