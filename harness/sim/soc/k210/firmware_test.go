package k210

import (
	"math"
	"slices"
	"testing"

	"rigor/firmware/wire"
	"rigor/firmware/wire/audio"
	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// boots is a board whose firmware has said hello.
func boots(t *testing.T, program string) (*romBoard, wire.Hello) {
	t.Helper()
	r := newROMBoard(t, Options{})
	if err := r.chip.LoadFlash(0, image(0, programBytes(t, program+"-k210"))); err != nil {
		t.Fatal(err)
	}
	if err := r.chip.ConnectI2S(18, 19, 20, false, tone); err != nil {
		t.Fatal(err)
	}
	r.SetPower(true)
	return r, r.Hello()
}

// tone is of 1 kHz and half of full scale.
func tone(at clock.Time) int32 {
	return int32(math.Round(1 << 22 * math.Sin(2*math.Pi*1000*float64(at%clock.Second)/float64(clock.Second))))
}

// The checked-in firmware boots through the ROM and says hello at the clock it claims.
func TestFirmwareSaysHello(t *testing.T) {
	for _, program := range []string{"echo", "latency", "jitter", "audio"} {
		r, h := boots(t, program)
		if h.Program != program || h.Chip != "k210" || h.CoreHz != 390e6 || r.chip.Stats().ClockHz != 390e6 {
			t.Errorf("%s: %+v at %d Hz", program, h, r.chip.Stats().ClockHz)
		}
		if w := r.chip.Warnings(); len(w) > 0 {
			t.Errorf("%s: %q", program, w)
		}
	}
}

// An edge on the stimulus pin comes out on the echo pin, and a byte comes back. Between
// them both harts sleep.
func TestFirmwareEchoes(t *testing.T) {
	r, _ := boots(t, "echo")
	rec := r.Record(13)
	r.Drive(21, board.Drive{Kind: board.DriveHigh})
	r.wait(clock.Millisecond)
	r.Drive(21, board.Drive{Kind: board.DriveLow})
	r.wait(clock.Millisecond)
	if e := rec.Edges(); len(e) != 2 || !e[0].High || e[1].High {
		t.Errorf("the echo pin shows %+v", e)
	}
	if got := r.ask([]byte("xyz")); got != "78797a" {
		t.Errorf("the echo of xyz is %s", got)
	}
	before := r.chip.Stats()
	r.wait(100 * clock.Millisecond)
	if after := r.chip.Stats(); after.Instructions != before.Instructions {
		t.Errorf("%d instructions while there is nothing to do", after.Instructions-before.Instructions)
	}
}

// cyclesBetween are those from each rise of one recording to the one of the other.
func cyclesBetween(start, end *board.Recorder) (n []uint32) {
	s, e := start.Edges(), end.Edges()
	for i := 0; i < min(len(s), len(e)); i += 2 {
		n = append(n, uint32((uint64(e[i].At-s[i].At)*390+500_000)/1_000_000))
	}
	return n
}

// The firmware's times are those between its marks, to the cycle.
func TestFirmwareLatency(t *testing.T) {
	const count = 20
	r, _ := boots(t, "latency")
	for _, name := range []string{
		wire.CommandOverhead, wire.CommandGosched, wire.CommandChannel, wire.CommandLaunch,
		wire.CommandHandler, wire.CommandGoroutine, wire.CommandPoll,
	} {
		start, end := r.Record(22), r.Record(23)
		values, overhead := r.Run(name, count, 0)
		if got := cyclesBetween(start, end); !slices.Equal(got, values) {
			t.Errorf("%s: %v between the marks, %v reported", name, got, values)
		}
		t.Logf("%s: %d and %d more", name, overhead, values[count-1]-overhead)
	}
}

// The handler is there soon after each rise of the timer pin, and the goroutine as many
// cycles later as it says.
func TestFirmwareJitter(t *testing.T) {
	const count, rate = 20, 2000
	r, _ := boots(t, "jitter")
	for _, name := range []string{wire.CommandJitterIdle, wire.CommandJitterUART, wire.CommandJitterCompete} {
		timer, start, end := r.Record(25), r.Record(22), r.Record(23)
		r.Run(name, count, rate)
		wake, _ := r.Run(wire.CommandReleaseWake, count, 0)
		if got := cyclesBetween(start, end); !slices.Equal(got, wake) {
			t.Errorf("%s: %v between the marks, %v reported", name, got, wake)
		}
		for i, late := range cyclesBetween(timer, start) {
			if late > 400 {
				t.Errorf("%s: the handler comes %d cycles behind release %d", name, late, i)
			}
		}
		t.Logf("%s: %d cycles from handler to goroutine", name, wake)
	}
}

// A tone is heard in its bin, by each transform, on either hart. On the same input the
// accelerator and Go's 16-bit transform give the same bits.
func TestFirmwareAudio(t *testing.T) {
	const transforms, size = 3, 128
	r, _ := boots(t, "audio")
	for _, transform := range []audio.Transform{audio.Accelerator, audio.Fixed, audio.Float} {
		for _, second := range []bool{false, true} {
			c := audio.Config{Size: size, Transform: transform, Second: second}
			values, _ := r.Run(audio.CommandFFT, transforms*audio.ResultWords, c.Param())
			for i, result := range audio.Results(values) {
				// 1000 of 16000 Hz; a fourth of full scale squared, but for what rounds
				if result.Block != uint32(4*i+3) || result.Bin != 8 || math.Abs(float64(result.Power[0])/(1<<26)-1) > 0.01 {
					t.Errorf("%+v: %+v", c, result)
				}
			}
			cycles, _ := r.Run(audio.CommandCycles, transforms, 0)
			t.Logf("%+v: %d cycles", c, cycles)
		}
	}
	var out [2][]uint32
	for i, transform := range []audio.Transform{audio.Accelerator, audio.Fixed} {
		r.Run(audio.CommandBench, 1, audio.Config{Size: size, Transform: transform}.Param())
		out[i], _ = r.Run(audio.CommandOutput, 2*size, 0)
	}
	if !slices.Equal(out[0], out[1]) {
		t.Errorf("the accelerator gives %d, Go %d", out[0], out[1])
	}
	if w := r.chip.Warnings(); len(w) > 0 {
		t.Errorf("%q", w)
	}
}

// Floating point registers survive interrupts: with the console's in each of its
// butterflies, or nearly, a transform gives what it gives undisturbed.
func TestFirmwareFloatsSurviveInterrupts(t *testing.T) {
	const size, count = 512, 50
	r, _ := boots(t, "audio")
	c := audio.Config{Size: size, Transform: audio.Float}
	r.Run(audio.CommandFFT, audio.ResultWords, c.Param())
	quiet, _ := r.Run(audio.CommandOutput, 2*size, 0)
	calm, _ := r.Run(audio.CommandBench, 3, c.Param())

	r.Console.Write(wire.AppendCommand(nil, wire.Command{Name: audio.CommandBench, Count: count, Param: c.Param()}))
	r.Frames(wire.TypeStatus, clock.Second)
	r.Console.Write(make([]byte, 100)) // borders of frames
	var disturbed uint32
	for _, f := range r.Frames(wire.TypeDone, clock.Second) {
		if s, err := wire.ParseSamples(f.Payload); err == nil && f.Type == wire.TypeSamples {
			disturbed = max(disturbed, slices.Max(s.Values))
		}
	}
	if least := calm[2]; disturbed < least+500 { // the first fills the caches
		t.Errorf("%d cycles, and %d if nothing comes: no interrupt was inside", disturbed, least)
	}
	if got, _ := r.Run(audio.CommandOutput, 2*size, 0); !slices.Equal(got, quiet) {
		t.Error("interrupts have changed the result")
	}
}

// At a rate beyond what the slowest transform can bear blocks are dropped, and counted.
func TestFirmwareAudioOverload(t *testing.T) {
	r, _ := boots(t, "audio")
	for _, test := range []struct {
		rate  uint32
		drops bool
	}{{192_000, false}, {audio.MaxRate, true}} {
		rate, _ := r.Run(audio.CommandRate, 1, test.rate)
		if got := rate[0]; math.Abs(float64(got)/float64(test.rate)/1000-1) > 0.002 { // whole dividers
			t.Errorf("asked for %d Hz, got %d mHz", test.rate, got)
		}
		values, _ := r.Run(audio.CommandLoad, audio.CountsWords, audio.LoadParam(audio.Config{Size: 512, Transform: audio.Fixed}, 10))
		counts := audio.CountsOf([audio.CountsWords]uint32(values))
		if counts.Transforms != 10 || counts.Dropped > 0 != test.drops || counts.Captured < 160 {
			t.Errorf("%d Hz: %+v", test.rate, counts)
		}
	}
}
