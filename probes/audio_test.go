package probes

import (
	"bytes"
	"math"
	"testing"
	"time"
)

const second = 1000 * ms

func TestSounds(t *testing.T) {
	const half, whole = FullScale / 2, FullScale
	tone := Tone{MicroHz: 1000 * 1e6}
	steps := Clip{Rate: 1000, Values: []int32{100, -200, 400}}
	lines, again := steps, steps
	lines.Linear, again.Repeat = true, true
	for _, c := range []struct {
		name string
		s    Sound
		ps   int64
		want Amplitude
	}{
		{"silence", Silence{}, 5, 0},
		{"tone begins", tone, 0, 0},
		{"its top", tone, ms / 4, whole},
		{"its bottom", tone, 3 * ms / 4, -whole},
		{"30 degrees, less a third of a picosecond", tone, ms / 12, half - 4},
		{"20 dB down is a tenth", Tone{Level: -20 * Decibel, MicroHz: 1000 * 1e6}, ms / 4, 214_748_365}, // 2^31/10
		{"two tones", Mix{tone, Tone{MicroHz: 3000 * 1e6}}, ms / 4, 0},
		{"two tones alike", Mix{tone, tone}, ms / 4, 2 * whole},
		{"sweep begins", Sweep{From: 1, To: 1e9, Over: time.Second}, 0, 0},
		{"sweep of one frequency", Sweep{From: 1e9, To: 1e9, Over: time.Second}, 400*ms + ms/4, whole},
		// 500·t + 500·t² turns are 375.25003125, of which the sine is 1 - 1.93e-8.
		{"sweep, at a top", Sweep{From: 500e6, To: 1500e6, Over: time.Second}, 500*ms + ms/4, whole - 41},
		{"sweep is over", Sweep{From: 1e9, To: 2e9, Over: time.Second}, second, 0},
		{"clip", steps, 2*ms - 1, -200},
		{"clip ends", steps, 3 * ms, 0},
		{"clip in lines", lines, 1*ms + ms/2, 100},
		{"clip's lines end", lines, 2*ms + ms/2, 200},
		{"clip again", again, 4 * ms, -200},
		{"clip more quietly", Clip{Rate: 1000, Values: []int32{1000}, Level: -20 * Decibel}, 0, 100},
	} {
		if err := c.s.Check(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if got := c.s.At(c.ps); got != c.want {
			t.Errorf("%s: %d at %d ps, want %d", c.name, got, c.ps, c.want)
		}
	}
}

// Against math.Pow, over all levels.
func TestLevels(t *testing.T) {
	for l := MilliDBFS(0); l >= quietest; l -= 137 {
		want := math.Round(float64(FullScale) * math.Pow(10, float64(l)/20000))
		if got := l.peak(); math.Abs(float64(got)-want) > 1 {
			t.Errorf("%d: %d, want %.0f", l, got, want)
		}
	}
}

// The phase of a sweep is the integral of its frequency: f0·t + (f1-f0)·t²/2T turns.
func TestSweepIsRight(t *testing.T) {
	for _, s := range []Sweep{
		{From: 100e6, To: 8000e6, Over: 2 * time.Second},
		{From: 8000e6, To: 100e6, Over: 2 * time.Second},
	} {
		for ps := int64(0); ps < 2*second; ps += 7_654_321_123 {
			sec := float64(ps) / second
			turns := float64(s.From)/1e6*sec + (float64(s.To)-float64(s.From))/1e6*sec*sec/4
			want := float64(FullScale) * math.Sin(2*math.Pi*turns)
			if got := float64(s.At(ps)); math.Abs(got-want) > 100 { // float64's error: 1e4 turns of 2^-53
				t.Fatalf("%+v at %d ps: %.0f, want %.0f", s, ps, got, want)
			}
		}
	}
}

// A level is that of the root mean square against a sine's.
func TestWhiteNoiseHasItsLevel(t *testing.T) {
	n := WhiteNoise{Level: -20 * Decibel, Seed: 7}
	const count = 100_000
	squares := 0.0
	for i := range int64(count) {
		v := float64(n.At(i*10*us)) / float64(FullScale)
		squares += v * v
	}
	if rms, want := math.Sqrt(squares/count), 0.1/math.Sqrt2; math.Abs(rms/want-1) > 0.012 { // five standard deviations
		t.Errorf("root mean square %.5f, want %.5f", rms, want)
	}
}

// Fixed for all machines and all time, as waveforms are. The number is what amd64 and
// 386 gave when the sounds were written.
func TestSoundsAreFixed(t *testing.T) {
	s := Mix{
		Tone{Level: -6 * Decibel, MicroHz: 1_234_567_890}, WhiteNoise{Level: -40 * Decibel, Seed: 42},
		Sweep{Level: -12_345, From: 20e6, To: 20_000e6, Over: 3 * time.Second},
		Clip{Rate: 44_100, Values: []int32{1, -1 << 30, 1 << 30}, Level: -333, Linear: true, Repeat: true},
	}
	sum := uint64(0)
	for i := range int64(1000) {
		sum = mix(sum ^ uint64(s.At(i*987_654_321)))
	}
	if want := uint64(0x7e7fa5b9edfbcc5d); sum != want {
		t.Errorf("sounds hash to %#x, want %#x: they changed", sum, want)
	}
}

func TestSoundsRefused(t *testing.T) {
	for name, s := range map[string]Sound{
		"too loud":         Tone{Level: 1, MicroHz: 1},
		"too quiet":        WhiteNoise{Level: quietest - 1},
		"no frequency":     Tone{},
		"too high":         Tone{MicroHz: 1e12 + 1},
		"no sounds":        Mix{},
		"nothing in a mix": Mix{nil},
		"wrong in a mix":   Mix{Tone{}},
		"sweep at once":    Sweep{From: 1, To: 2},
		"sweep for ever":   Sweep{From: 1, To: 2, Over: maxDuration + 1},
		"sweep from 0":     Sweep{To: 2, Over: 1},
		"empty clip":       Clip{Rate: 1},
		"clip of no rate":  Clip{Values: []int32{1}},
		"louder clip":      Clip{Rate: 1, Values: []int32{1}, Level: 1},
	} {
		if s.Check() == nil {
			t.Errorf("%s: %+v is accepted", name, s)
		}
	}
}

// No sound that is accepted panics, whatever the time, or is far beyond full scale.
func FuzzSounds(f *testing.F) {
	f.Add(int64(-1000), uint64(1e9), uint64(2e9), int64(3), uint64(4), int32(5), int64(6))
	f.Fuzz(func(t *testing.T, level int64, from, to uint64, over int64, seed uint64, v int32, ps int64) {
		if ps < 0 {
			return
		}
		l := MilliDBFS(level)
		for _, s := range []Sound{
			Tone{l, from}, Sweep{l, from, to, time.Duration(over)}, WhiteNoise{l, seed}, Mix{Tone{l, to}, Silence{}},
			Clip{Rate: 1e9, Values: []int32{v, ^v}, Level: l, Linear: true, Repeat: true},
		} {
			if s.Check() != nil {
				continue
			}
			if got := s.At(ps); got < -7*FullScale || got > 7*FullScale {
				t.Errorf("%+v at %d ps: %d", s, ps, got)
			}
		}
	})
}

// wave puts chunks into a WAV file.
func wave(chunks ...string) []byte {
	all := "WAVE"
	for _, c := range chunks {
		all += c
	}
	return []byte("RIFF" + size(len(all)) + all)
}

func size(n int) string { return string([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}) }

func chunk(id, data string) string {
	c := id + size(len(data)) + data
	if len(data)%2 != 0 {
		c += "\x00"
	}
	return c
}

// Bytes of formats: tag, channels, rate, bytes a second, bytes a frame, bits.
const (
	mono16   = "\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00"
	stereo16 = "\x01\x00\x02\x00\x80\x3e\x00\x00\x00\xfa\x00\x00\x04\x00\x10\x00"
	mono24   = "\x01\x00\x01\x00\x80\x3e\x00\x00\x80\xbb\x00\x00\x03\x00\x18\x00"
	// Its own length, valid bits, speakers, and a GUID whose first word is PCM.
	extensible = "\xfe\xff\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00" +
		"\x16\x00\x10\x00\x04\x00\x00\x00\x01\x00\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
)

func TestReadWAV(t *testing.T) {
	for _, c := range []struct {
		name string
		file []byte
		want []int32
	}{
		{"16 bits", wave(chunk("fmt ", mono16), chunk("data", "\x01\x00\xff\xff\x00\x80")), []int32{1 << 16, -1 << 16, -1 << 31}},
		{"two channels", wave(chunk("fmt ", stereo16), chunk("data", "\x02\x00\x04\x00\xff\x7f\x00\x80")), []int32{3 << 16, -1 << 15}},
		{"24 bits", wave(chunk("fmt ", mono24), chunk("data", "\x01\x02\x03\xff\xff\xff\x00\x00\x80")), []int32{0x03020100, -1 << 8, -1 << 31}},
		{"extensible", wave(chunk("fmt ", extensible), chunk("data", "\x00\x01")), []int32{1 << 24}},
		{"chunks beside", wave(chunk("LIST", "odd"), chunk("fmt ", mono16), chunk("fact", "1234"), chunk("data", "\x01\x00"), "rest"), []int32{1 << 16}},
		{"half a frame", wave(chunk("fmt ", mono16), chunk("data", "\x01\x00\x02")), []int32{1 << 16}},
	} {
		got, err := ReadWAV(c.file)
		if err != nil || got.Rate != 16_000 || !got.Linear || got.Level != 0 {
			t.Errorf("%s: %+v, %v", c.name, got, err)
			continue
		}
		for i, want := range c.want {
			if len(got.Values) != len(c.want) || got.Values[i] != want {
				t.Errorf("%s: %v, want %v", c.name, got.Values, c.want)
				break
			}
		}
	}
}

func TestReadWAVRefuses(t *testing.T) {
	data := chunk("data", "\x01\x00")
	for name, file := range map[string][]byte{
		"nothing":         nil,
		"no RIFF":         []byte("RIFX\x00\x00\x00\x00WAVE"),
		"no WAVE":         []byte("RIFF\x00\x00\x00\x00AVI "),
		"no data":         wave(chunk("fmt ", mono16)),
		"no samples":      wave(chunk("fmt ", mono16), chunk("data", "")),
		"no format":       wave(data),
		"short format":    wave(chunk("fmt ", mono16[:14]), data),
		"float":           wave(chunk("fmt ", "\x03"+mono16[1:]), data),
		"8 bits":          wave(chunk("fmt ", mono16[:14]+"\x08\x00"), data),
		"three channels":  wave(chunk("fmt ", mono16[:2]+"\x03"+mono16[3:]), data),
		"frames too long": wave(chunk("fmt ", mono16[:12]+"\x03"+mono16[13:]), data),
		"cut off":         wave(chunk("fmt ", mono16), "data\x04\x00\x00\x00\x01\x00"),
		"no rate":         wave(chunk("fmt ", mono16[:4]+"\x00\x00\x00\x00"+mono16[8:]), data),
	} {
		if c, err := ReadWAV(file); err == nil {
			t.Errorf("%s: read as %+v", name, c)
		}
	}
}

// What is written reads back, to the half of a step of 16 bits.
func TestWriteWAV(t *testing.T) {
	s := Mix{Tone{Level: -1 * Decibel, MicroHz: 997e6}, Tone{Level: -3 * Decibel, MicroHz: 1503e6}}
	var file bytes.Buffer
	if err := WriteWAV(&file, s, 48_000, 480); err != nil {
		t.Fatal(err)
	}
	c, err := ReadWAV(file.Bytes())
	if err != nil || c.Rate != 48_000 || len(c.Values) != 480 {
		t.Fatalf("%d samples at %v, %v", len(c.Values), c.Rate, err)
	}
	clipped := 0
	for i, v := range c.Values {
		want := s.At(firstAt(uint64(i), 1e12, 48_000))
		if want > FullScale-1<<16 || want < -FullScale {
			want = min(max(want, -FullScale), FullScale-1<<16)
			clipped++
		}
		if off := Amplitude(v) - want; off < -1<<15 || off > 1<<15 {
			t.Errorf("sample %d is %d, want %d", i, v, want)
		}
	}
	if clipped == 0 {
		t.Error("nothing was beyond full scale")
	}
}

// Whatever is read can be played, and no file panics.
func FuzzReadWAV(f *testing.F) {
	f.Add(wave(chunk("fmt ", mono16), chunk("data", "\x01\x00\xff\xff\x00\x80")))
	f.Add(wave(chunk("fmt ", stereo16), chunk("data", "\x02\x00\x04\x00")))
	f.Add(wave(chunk("fmt ", extensible), chunk("LIST", "odd"), chunk("data", "\x00\x01")))
	f.Fuzz(func(t *testing.T, file []byte) {
		c, err := ReadWAV(file)
		if err == nil && c.Check() != nil {
			t.Errorf("%+v is read and refused", c)
		}
		if err == nil {
			c.At(1_000_000)
		}
	})
}
