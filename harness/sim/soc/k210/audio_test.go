package k210

import (
	"math"
	"testing"

	"rigor/firmware/wire/audio"
	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/soc/soctest"
)

// audioBench is a board whose flash holds the checked-in program audio, with a microphone.
type audioBench struct {
	*soctest.Board
	chip *Chip
}

func newAudio(t *testing.T) audioBench {
	t.Helper()
	c := New(Options{})
	if err := c.LoadFlash(0, image(0, programBytes(t, "audio-k210"))); err != nil {
		t.Fatal(err)
	}
	b := soctest.New(t, c, board.Wiring{Boot: "IO16", BootLow: true,
		Bridges:     []board.BridgeWiring{{Name: "console", TX: "IO5", RX: "IO4"}},
		Microphones: []board.MicrophoneWiring{{Name: "microphone", SCK: "IO18", WS: "IO19", SD: "IO20"}}})
	b.SetPower(true)
	b.Hello()
	return audioBench{b, c}
}

// programBytes is what a checked-in program has in memory from the beginning of SRAM on.
func programBytes(t *testing.T, name string) (flat []byte) {
	t.Helper()
	for _, s := range soctest.Segments(t, name) {
		at := int(s.Addr - ramBase)
		flat = append(flat, make([]byte, max(0, at+len(s.Data)-len(flat)))...)
		copy(flat[at:], s.Data)
	}
	return flat
}

// run gives a command and returns its samples.
func (a audioBench) run(name string, count int, param uint32) []uint32 {
	samples, _ := a.Run(name, count, param)
	return samples
}

// parts are words as 16-bit numbers.
func parts(words []uint32) (v []int16) {
	for _, w := range words {
		v = append(v, int16(w))
	}
	return v
}

// The program hears a tone of 1 kHz by I2S and DMA, and transforms it by the accelerator or in Go, on either
// hart: the peak is in the bin of 1 kHz, of the level that was sounded, and the output is our
// definition's, to the bit.
func TestAudioFirmware(t *testing.T) {
	for _, config := range []audio.Config{
		{Size: 64, Transform: audio.Accelerator},
		{Size: 128, Transform: audio.Accelerator, Second: true},
		{Size: 256, Transform: audio.Fixed},
		{Size: 512, Transform: audio.Accelerator},
	} {
		size := config.Size
		a := newAudio(t)
		const amplitude = 1 << 22
		a.Microphone("microphone").Hear(func(at clock.Time) int32 {
			turns := float64(at%clock.Millisecond) / float64(clock.Millisecond)
			return int32(math.Round(amplitude * math.Sin(2*math.Pi*turns)))
		})
		for _, r := range audio.Results(a.run(audio.CommandFFT, 5*3, config.Param())) {
			const want = (amplitude >> 8) * (amplitude >> 8) / 4 // of a sine, half is at this bin
			if r.Bin != uint32(size/16) || math.Abs(float64(r.Power[0])/want-1) > 0.02 {
				t.Errorf("%+v: %+v, want bin %d and power %d", config, r, size/16, want)
			}
		}
		counts := audio.CountsOf([6]uint32(a.run(audio.CommandCounts, 6, 0)))
		if counts.Overruns != 0 || counts.Dropped != 0 {
			t.Errorf("%+v: %+v", config, counts)
		}
		x := make([]fftPoint, size)
		for i, v := range parts(a.run(audio.CommandInput, size, 0)) {
			x[i].Re = v
		}
		fftTransform(x, 0x1FF, false)
		out := parts(a.run(audio.CommandOutput, 2*size, 0))
		for i, p := range x {
			if got := (fftPoint{out[2*i], out[2*i+1]}); got != p {
				t.Fatalf("%+v: [%d] = %v, want %v", config, i, got, p)
			}
		}
		if w := a.chip.Warnings(); len(w) != 0 {
			t.Errorf("%+v: %q", config, w)
		}
		t.Logf("%+v: %d cycles each", config, a.run(audio.CommandCycles, 3, 0))
	}
}
