package k210

import (
	"debug/elf"
	"math"
	"testing"

	"rigor/firmware/wire"
	"rigor/firmware/wire/audio"
	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// audioBench is a board whose flash holds the checked-in program audio, with a microphone.
type audioBench struct {
	*board.Board
	t       *testing.T
	chip    *Chip
	bridge  *board.Bridge
	decoder wire.Decoder
}

func newAudio(t *testing.T) *audioBench {
	t.Helper()
	c := New(Options{})
	if err := c.LoadFlash(0, image(0, programBytes(t, "audio-k210"))); err != nil {
		t.Fatal(err)
	}
	b, err := board.New(c, board.Wiring{Boot: "IO16", BootLow: true,
		Bridges:     []board.BridgeWiring{{Name: "console", TX: "IO5", RX: "IO4"}},
		Microphones: []board.MicrophoneWiring{{Name: "microphone", SCK: "IO18", WS: "IO19", SD: "IO20"}}})
	if err != nil {
		t.Fatal(err)
	}
	a := &audioBench{Board: b, t: t, chip: c, bridge: b.Bridge("console")}
	if err := a.bridge.SetMode(board.Mode{Baud: 115200}); err != nil {
		t.Fatal(err)
	}
	b.SetPower(true)
	if f := a.next(); f.Type != wire.TypeHello {
		t.Fatalf("no hello but %+v", f)
	}
	return a
}

// programBytes is what a checked-in program has in memory from the beginning of SRAM on.
func programBytes(t *testing.T, name string) (flat []byte) {
	t.Helper()
	f, err := elf.Open("../../../../firmware/images/" + name + ".elf")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type != elf.PT_LOAD || p.Filesz == 0 {
			continue
		}
		end := p.Paddr - ramBase + p.Filesz
		flat = append(flat, make([]byte, max(0, int(end)-len(flat)))...)
		if _, err := p.ReadAt(flat[p.Paddr-ramBase:end], 0); err != nil {
			t.Fatal(err)
		}
	}
	return flat
}

// next is the next frame from the board.
func (a *audioBench) next() (frame wire.Frame) {
	a.t.Helper()
	found := false
	stop := a.AdvanceUntil(a.Now()+2*clock.Second, func() bool {
		for r, ok := a.bridge.Next(); ok && !found; r, ok = a.bridge.Next() {
			frame, found = a.decoder.Feed(r.Byte)
		}
		return found
	})
	if err := stop.Err(); err != nil {
		a.t.Fatal(err)
	}
	if !found {
		a.t.Fatalf("no frame; %q", a.chip.Warnings())
	}
	return frame
}

// run gives a command and returns its samples.
func (a *audioBench) run(name string, count, param uint32) (samples []uint32) {
	a.t.Helper()
	a.bridge.Write(wire.AppendCommand(nil, wire.Command{Name: name, Count: count, Param: param}))
	for {
		switch f := a.next(); f.Type {
		case wire.TypeStatus:
			if s, err := wire.ParseStatus(f.Payload); err != nil || s.Code != wire.StatusOK {
				a.t.Fatalf("%s: %+v, %v", name, s, err)
			}
		case wire.TypeSamples:
			s, err := wire.ParseSamples(f.Payload)
			if err != nil {
				a.t.Fatal(err)
			}
			samples = append(samples, s.Values...)
		case wire.TypeDone:
			return samples
		}
	}
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
		for i, v := range parts(a.run(audio.CommandInput, uint32(size), 0)) {
			x[i].Re = v
		}
		fftTransform(x, 0x1FF, false)
		out := parts(a.run(audio.CommandOutput, uint32(2*size), 0))
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
