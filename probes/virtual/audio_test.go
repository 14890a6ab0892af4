package virtual

import (
	"testing"
	"time"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/probes"
	"rigor/probes/probestest"
)

// hearing is a wire that can receive I2S, too.
type hearing struct {
	wire
	source func(clock.Time) int32
}

func (h *hearing) ConnectI2S(_, _, _ board.Pin, _ bool, source func(clock.Time) int32) error {
	h.source = source
	return nil
}

func audioBench(t *testing.T) (*Audio, *hearing, *board.Board) {
	t.Helper()
	chip := &hearing{}
	b, err := board.New(chip, board.Wiring{Microphones: []board.MicrophoneWiring{{Name: "mic", SCK: "IN", WS: "OUT", SD: "W"}}})
	if err != nil {
		t.Fatal(err)
	}
	b.Advance(123_456 * clock.Nanosecond)
	return NewAudio(b, b.Microphone("mic"), ticker{b}), chip, b
}

func TestAudioConformance(t *testing.T) {
	probestest.RunAudio(t, func(t *testing.T) probestest.AudioBench {
		a, chip, b := audioBench(t)
		return probestest.AudioBench{
			Source: a, Clock: ticker{b}, Accuracy: 128, // half a step of 24 bits
			Hears: func(at time.Time) probes.Amplitude {
				return probes.Amplitude(chip.source(clock.Time(at.UnixNano())*clock.Nanosecond)) << 8
			},
		}
	})
}

// A sample is the amplitude at its own picosecond, rounded to 24 bits and cut off at
// their ends.
func TestSamplesOfSounds(t *testing.T) {
	a, chip, b := audioBench(t)
	tone := probes.Tone{MicroHz: 1e9}
	for _, s := range []struct {
		sound probes.Sound
		after clock.Time
		want  int32
	}{
		{tone, -1, 0},
		{tone, 250 * clock.Microsecond, 1<<23 - 1},
		{tone, 750 * clock.Microsecond, -1 << 23},
		{probes.Mix{tone, tone, tone}, 750 * clock.Microsecond, -1 << 23},
		{probes.Clip{Rate: 1, Values: []int32{127}}, 1, 0},
		{probes.Clip{Rate: 1, Values: []int32{128}}, 1, 1},
		{probes.Clip{Rate: 1, Values: []int32{-129}}, 1, -1},
	} {
		o, err := a.Play(t.Context(), s.sound)
		if err != nil || o.Within != 0 || !o.Calibrated {
			t.Fatalf("%+v, %v", o, err)
		}
		if got := chip.source(b.Now() + s.after); got != s.want {
			t.Errorf("%+v is %d after %d ps, want %d", s.sound, got, s.after, s.want)
		}
	}
}
