package probes

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"time"

	"rigor/harness/timebase"
)

// AudioSource plays sounds into the board's microphone. It begins silent.
type AudioSource interface {
	// Play lets a sound be heard, in place of an earlier one, and returns when it has
	// begun. One that Check refuses is an error and changes nothing.
	Play(ctx context.Context, s Sound) (Onset, error)
	// Stop ends the sound: from then on there is silence. It tells what went wrong
	// while the sound was played.
	Stop(ctx context.Context) error
}

// Onset is the beginning of a sound, as the microphone hears it.
type Onset struct {
	At     time.Time     // on the rig's clock
	Within time.Duration // by how much it may have been earlier or later
	// Calibrated says that levels are those that the microphone hears. Else they are
	// right to each other alone: an amplifier's knob and the room add to them.
	Calibrated bool
}

// Amplitude is a sound's momentary value.
type Amplitude int64

// FullScale is the amplitude that just fills the microphone's range; it cuts off
// what is beyond.
const FullScale Amplitude = 1 << 31

// MilliDBFS is a level in thousandths of a decibel of full scale: that of its root mean
// square, where 0 is that of a sine whose peaks just reach full scale (AES17-2015, 3.12).
// A microphone's sensitivity ties it to sound pressure: an MSM261S4030H0's of -26 dBFS at
// 94 dB SPL makes 0 dBFS 120 dB SPL (MEMSensing MSM261S4030H0, Acoustic & Electrical
// Specifications).
type MilliDBFS int64

// Decibel is the larger unit of levels.
const Decibel MilliDBFS = 1000

// quietest is the lowest level of a sound, just above what 24 bits resolve.
const quietest = -140 * Decibel

// aThousandth is a thousandth of a decibel down, 10^(-1/20000), in units of 2^-62.
const aThousandth = 4611155109015596761

// peak is the amplitude of a sine of that level.
func (l MilliDBFS) peak() Amplitude {
	value, step := uint64(one), uint64(aThousandth)
	for n := uint64(-l); n > 0; n >>= 1 {
		if n&1 != 0 {
			value = product(value, step)
		}
		step = product(step, step)
	}
	return scale(FullScale, value, one)
}

func (l MilliDBFS) check() error {
	if l < quietest || l > 0 {
		return fmt.Errorf("a level of %d thousandths of a dBFS: want %d to 0", l, quietest)
	}
	return nil
}

// Sound is an amplitude as a pure function of the time since it began. Like waveforms
// sounds compute in integers alone, and so give the same on every machine.
type Sound interface {
	At(picoseconds int64) Amplitude
	Check() error
}

// Silence is no sound.
type Silence struct{}

func (Silence) At(int64) Amplitude { return 0 }

func (Silence) Check() error { return nil }

// Tone is a sine that begins at 0, upwards.
type Tone struct {
	Level   MilliDBFS
	MicroHz uint64
}

func (t Tone) At(ps int64) Amplitude {
	return swing(t.Level.peak(), turn(bits.Mul64(uint64(ps), t.MicroHz)))
}

func (t Tone) Check() error { return errors.Join(t.Level.check(), checkPitch(t.MicroHz)) }

// checkPitch refuses frequencies far beyond all sound.
func checkPitch(microHz uint64) error {
	if microHz == 0 || microHz > 1e12 {
		return fmt.Errorf("a tone of %d uHz: want 1 uHz to 1 MHz", microHz)
	}
	return nil
}

// Mix is several sounds at once: two tones, a tone in noise. What they make together
// may be beyond full scale.
type Mix []Sound

func (m Mix) At(ps int64) (sum Amplitude) {
	for _, s := range m {
		sum += s.At(ps)
	}
	return sum
}

func (m Mix) Check() error {
	if len(m) == 0 || len(m) > 64 {
		return fmt.Errorf("a mix of %d sounds: want 1 to 64", len(m))
	}
	for i, s := range m {
		if s == nil {
			return fmt.Errorf("sound %d of a mix is none", i)
		}
		if err := s.Check(); err != nil {
			return fmt.Errorf("sound %d of a mix: %w", i, err)
		}
	}
	return nil
}

// Sweep is a tone whose frequency goes from one to another evenly. Then there is
// silence.
type Sweep struct {
	Level    MilliDBFS
	From, To uint64 // uHz
	Over     time.Duration
}

func (s Sweep) At(ps int64) Amplitude {
	over := picoseconds(s.Over)
	if ps < 0 || ps >= over {
		return 0
	}
	part, _ := bits.Div64(uint64(ps), 0, uint64(over)) // that has passed, in 2^-64
	half, _ := bits.Mul64((max(s.From, s.To)-min(s.From, s.To))<<15, part)
	mean := s.From<<16 + half // frequency since it began, in 2^-16 uHz
	if s.To < s.From {
		mean = s.From<<16 - half
	}
	hi, lo := bits.Mul64(uint64(ps), mean)
	return swing(s.Level.peak(), turn(hi>>16, hi<<48|lo>>16))
}

func (s Sweep) Check() error {
	if s.Over == 0 {
		return errors.New("a sweep of no length")
	}
	return errors.Join(s.Level.check(), checkPitch(s.From), checkPitch(s.To), checkDuration(s.Over))
}

// WhiteNoise is noise of all frequencies alike up to some hundred kilohertz: a new value
// every microsecond, bell-shaped up to six times its root mean square, where it ends. The
// seed and the time alone decide it.
type WhiteNoise struct {
	Level MilliDBFS
	Seed  uint64
}

// hissLasts is how many picoseconds a value of white noise stays.
const hissLasts = 1_000_000

// sineRMS is the root mean square of a sine against its peak.
const sineRMS MilliDBFS = -3010

func (n WhiteNoise) At(ps int64) Amplitude {
	return hiss((n.Level + sineRMS).peak(), n.Seed, uint64(ps)/hissLasts)
}

func (n WhiteNoise) Check() error { return n.Level.check() }

// Clip is a recording. After its end there is silence, or it begins anew.
type Clip struct {
	Rate   timebase.Rate
	Values []int32   // full scale is 2^31
	Level  MilliDBFS // by how much it is played more quietly than it was recorded
	Linear bool      // straight lines between the values, not steps
	Repeat bool
}

func (c Clip) At(ps int64) Amplitude {
	hi, lo := bits.Mul64(uint64(ps), uint64(c.Rate))
	n, rest := bits.Div64(hi, lo, 1e12)
	v := c.value(n)
	if c.Linear {
		v += scale(c.value(n+1)-v, rest, 1e12)
	}
	return scale(v, uint64(c.Level.peak()), uint64(FullScale))
}

func (c Clip) value(n uint64) Amplitude {
	length := uint64(len(c.Values))
	switch {
	case c.Repeat:
		n %= length
	case n >= length:
		return 0
	}
	return Amplitude(c.Values[n])
}

func (c Clip) Check() error {
	if len(c.Values) == 0 || c.Rate == 0 || c.Rate > 1e9 {
		return fmt.Errorf("a clip of %d samples at %v: want some, at 1 Hz to 1 GHz", len(c.Values), c.Rate)
	}
	return c.Level.check()
}
