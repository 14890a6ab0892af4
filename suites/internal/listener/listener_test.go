// Package listener tests suite spectrum on a board in memory that runs the program audio
// as its protocol has it: that each question finds what is the case, and that what is
// wrong shows.
package listener

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"rigor/firmware/images"
	"rigor/firmware/wire"
	"rigor/firmware/wire/audio"
	"rigor/harness"
	"rigor/harness/flash"
	"rigor/harness/measure"
	"rigor/harness/port"
	"rigor/harness/rig"
	"rigor/harness/timebase"
	"rigor/probes"
	"rigor/suites/spectrum"
)

// listener is a board in memory that runs the program audio: it samples the sounds that are
// played, transforms them exactly, and answers when it is read from. A defect spoils one
// thing.
type listener struct {
	defect string
	now    time.Duration
	input  []byte // what the console has to give
	run    func() // of the command under way; nil: none

	rate   uint32 // mHz
	edges  []probes.Edge
	sounds []sounding
	kept   []int64 // the last transform's input
	output []uint32
	counts audio.Counts
	done   int // transforms of the last run
}

// sounding is a sound from a time on.
type sounding struct {
	sound probes.Sound
	from  time.Duration
}

const (
	coreHz  = 390_000_000
	waits   = 2 * time.Microsecond  // interrupt to worker
	works   = 30 * time.Microsecond // worker to result
	cost    = 20                    // cycles of an empty interval
	takes   = 5000                  // cycles of a transform
	fastest = 50_000_000            // mHz that it keeps up with
)

var epoch = time.Unix(1e9, 0)

func (l *listener) has(defect string) bool { return l.defect == defect }

func (l *listener) Now() time.Time { return epoch.Add(l.now) }

func (l *listener) Sleep(ctx context.Context, d time.Duration) error {
	l.now += max(d, 0)
	return ctx.Err()
}

// The board.
func (l *listener) Name() string                              { return "ear" }
func (l *listener) Clock() timebase.Clock                     { return l }
func (l *listener) Console() port.Port                        { return line{l} }
func (l *listener) Power(context.Context, bool) error         { return nil }
func (l *listener) Reset(context.Context, rig.BootMode) error { return nil }
func (l *listener) Close() error                              { return nil }

func (l *listener) Loader(context.Context) (flash.Loader, error) { return nil, errors.ErrUnsupported }

// Its probes.
func (l *listener) Drive(_ context.Context, name probes.Line, high bool) error {
	l.edge(l.now, name, high)
	return nil
}

func (l *listener) edge(at time.Duration, name probes.Line, high bool) {
	l.edges = append(l.edges, probes.Edge{At: timebase.Ticks(at), Line: name, High: high})
}

func (l *listener) Play(_ context.Context, s probes.Sound) (probes.Onset, error) {
	l.sounds = append(l.sounds, sounding{s, l.now})
	o := probes.Onset{At: l.Now(), Calibrated: true}
	if l.has("a loudspeaker") {
		o.Within, o.Calibrated = 40*time.Millisecond, false
	}
	return o, s.Check()
}

func (l *listener) Stop(context.Context) error {
	l.sounds = append(l.sounds, sounding{probes.Silence{}, l.now})
	return nil
}

// sample is of 16 bits.
func (l *listener) sample(at time.Duration) int64 {
	for _, s := range slices.Backward(l.sounds) {
		if at >= s.from {
			v := int64(s.sound.At((at-s.from).Nanoseconds()*1000)) >> 16
			if l.has("half as loud") {
				v /= 2
			}
			return min(max(v, -1<<15), 1<<15-1)
		}
	}
	return 0
}

// line is the console.
type line struct{ *listener }

func (l line) Write(p []byte) (int, error) {
	var d wire.Decoder
	for _, b := range p {
		if f, ok := d.Feed(b); ok {
			c, err := wire.ParseCommand(f.Payload)
			if err != nil {
				return 0, err
			}
			l.obey(c)
		}
	}
	return len(p), nil
}

// Read lets the command come to its end: whatever was to happen meanwhile has.
func (l line) Read(p []byte) (int, error) {
	if len(l.input) == 0 && l.run != nil {
		run := l.run
		l.run = nil
		run()
	}
	if len(l.input) == 0 {
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(p, l.input)
	l.input = l.input[n:]
	return n, nil
}

func (line) SetReadDeadline(time.Time) error { return nil }
func (line) SetMode(port.Mode) error         { return nil }
func (line) SetLines(port.Lines) error       { return nil }
func (line) DiscardInput() error             { return nil }
func (line) Close() error                    { return nil }

func (l *listener) obey(c wire.Command) {
	began := l.now
	l.input = wire.AppendStatus(l.input, wire.Status{Code: wire.StatusOK})
	l.run = func() {
		values := l.values(c, began)
		for i := 0; i < len(values); i += wire.MaxSamples {
			part := values[i:min(i+wire.MaxSamples, len(values))]
			l.input = wire.AppendSamples(l.input, wire.Samples{Name: c.Name, Index: uint32(i), Values: part})
		}
		l.input = wire.AppendDone(l.input, wire.Done{Name: c.Name, Count: c.Count, Overhead: cost})
	}
}

func (l *listener) values(c wire.Command, began time.Duration) []uint32 {
	config := audio.ConfigOf(c.Param % audio.Configs)
	switch c.Name {
	case audio.CommandRate:
		l.rate = c.Param*1000 + 417 // as the K210's divider gives 16 kHz
		if l.has("another rate") {
			return []uint32{c.Param * 1020}
		}
		return []uint32{l.rate}
	case audio.CommandFFT:
		return l.listen(config, int(c.Count)/audio.ResultWords, began)
	case audio.CommandLoad:
		l.listen(config, int(c.Param/audio.Configs), began)
		fallthrough
	case audio.CommandCounts:
		w := l.counts.Words()
		return w[:]
	case audio.CommandWait:
		return repeated(uint32(waits.Nanoseconds()*coreHz/1e9), l.done)
	case audio.CommandWork:
		return repeated(uint32(works.Nanoseconds()*coreHz/1e9), l.done)
	case audio.CommandInput:
		return words(l.kept)
	case audio.CommandOutput:
		return l.output
	case audio.CommandBench:
		return l.bench(config, int(c.Count))
	}
	return nil
}

func repeated(v uint32, n int) []uint32 { return slices.Repeat([]uint32{v}, n) }

func words(all []int64) (w []uint32) {
	for _, v := range all {
		w = append(w, uint32(int32(v)))
	}
	return w
}

// listen captures and transforms.
func (l *listener) listen(c audio.Config, n int, began time.Duration) (samples []uint32) {
	l.edge(began, "running", true)
	at := func(i int) time.Duration { return began + time.Duration(i)*1e12/time.Duration(l.rate) }
	var behind []probes.Edge // whatever comes meanwhile is there already
	for i := range n * c.Size {
		behind = append(behind, probes.Edge{At: timebase.Ticks(at(i)), Line: "microphone-ws"})
	}
	for k := range n {
		l.kept = nil
		for i := range c.Size {
			l.kept = append(l.kept, l.sample(at(k*c.Size+i)))
		}
		l.transform(c)
		r := l.peak(c, k)
		w := r.Words()
		samples = append(samples, w[:]...)
		complete := at((k + 1) * c.Size)
		sent := complete + waits + works
		behind = append(behind,
			probes.Edge{At: timebase.Ticks(complete), Line: "mark-start", High: true}, probes.Edge{At: timebase.Ticks(sent), Line: "mark-end", High: true},
			probes.Edge{At: timebase.Ticks(sent + 1000), Line: "console-tx"}, probes.Edge{At: timebase.Ticks(sent + 9000), Line: "console-tx", High: true},
			probes.Edge{At: timebase.Ticks(sent + 100_000), Line: "mark-start"}, probes.Edge{At: timebase.Ticks(sent + 100_000), Line: "mark-end"})
	}
	l.now = max(l.now, at(n*c.Size)+time.Millisecond)
	l.edges = append(l.edges, behind...)
	slices.SortStableFunc(l.edges, func(a, b probes.Edge) int { return int(a.At - b.At) })
	l.edge(l.now, "running", false)
	l.count(n)
	return samples
}

func (l *listener) count(n int) {
	l.done = n
	l.counts = audio.Counts{Transforms: uint32(n)}
	if l.rate > fastest {
		l.counts.Dropped = 3
	}
	if l.has("overruns") {
		l.counts.Overruns = 1
	}
}

// transform is by gonum; what has 16 bits is rounded.
func (l *listener) transform(c audio.Config) {
	l.output = make([]uint32, 2*c.Size)
	for k, b := range measure.Transform(l.kept) {
		for i, v := range []float64{real(b), imag(b)} {
			if c.Transform == audio.Float {
				l.output[2*k+i] = math.Float32bits(float32(v))
			} else {
				l.output[2*k+i] = uint32(int32(math.Round(v)))
			}
		}
	}
	if c.Transform == audio.Accelerator && l.has("an accelerator of its own") {
		l.output[20]++
	}
	if c.Transform == audio.Fixed && l.has("coarse") {
		for i := range l.output {
			l.output[i] &^= 63
		}
	}
}

func (l *listener) peak(c audio.Config, k int) audio.Result {
	r := audio.Result{Block: uint32((k+1)*c.Size/audio.Block - 1)}
	power := func(bin uint32) uint32 {
		p := uint32(0)
		for _, v := range l.output[2*bin : 2*bin+2] {
			if c.Transform == audio.Float {
				f := math.Float32frombits(v)
				p += uint32(f * f)
			} else {
				p += uint32(int32(v) * int32(v))
			}
		}
		return p
	}
	for bin := uint32(1); bin < uint32(c.Size)/2; bin++ {
		if p := power(bin); r.Bin == 0 || p > r.Power[0] {
			r.Bin, r.Power = bin, [3]uint32{p, power(bin - 1), power(bin + 1)}
		}
	}
	switch {
	case l.has("the bin beside"):
		r.Bin++
	case l.has("a block too few") && k > 1:
		r.Block++
	}
	return r
}

// bench transforms again and again.
func (l *listener) bench(c audio.Config, n int) []uint32 {
	cycles := uint32(takes * (1 + int(c.Transform)))
	for range n {
		l.edge(l.now, "mark-start", true)
		l.now += time.Duration(cycles) * 1e9 / coreHz
		l.edge(l.now, "mark-end", true)
		l.now += time.Microsecond
		l.edge(l.now, "mark-start", false)
		l.edge(l.now, "mark-end", false)
	}
	l.transform(c)
	return repeated(cycles, n)
}

// ask puts one of the suite's questions to a listener with a defect.
func ask(t *testing.T, name, defect string) ([]measure.Sample, error) {
	t.Helper()
	l := &listener{defect: defect}
	s := rig.Station{Board: l, Driver: l, Audio: l, Config: &rig.BoardConfig{Name: "ear"}}
	hello := wire.Hello{CoreHz: coreHz, CounterHz: coreHz}
	b := &harness.Bench{Station: &s, Firmware: harness.NewConsole(l.Console(), l, io.Discard), Hello: hello}
	for _, x := range spectrum.Experiments(images.Image{}) {
		if x.Name != name {
			continue
		}
		if _, err := x.Stimulate(t.Context(), b); err != nil {
			return nil, err
		}
		if l.has("no probe") {
			return x.Measure(harness.Observation{Hello: hello})
		}
		c := probes.Capture{Rate: 1e9, Resolution: 1, Initial: map[probes.Line]bool{}, Length: timebase.Ticks(l.now)}
		for _, e := range l.edges {
			if slices.Contains(x.Watch, e.Line) {
				c.Edges = append(c.Edges, e)
			}
		}
		return x.Measure(harness.Observation{Hello: hello, Capture: c})
	}
	t.Fatalf("no question %q", name)
	return nil, nil
}

// found are the values of a quantity by a source.
func found(t *testing.T, all []measure.Sample, name string, by measure.Source) measure.Sample {
	t.Helper()
	for _, s := range all {
		if s.Name == name && s.Source == by {
			if len(s.Values) == 0 {
				t.Fatalf("%s by %s: no values, %v", name, by, s.Doubts)
			}
			if _, ok := measure.Describe(name); !ok {
				t.Errorf("%s is not described", name)
			}
			return s
		}
	}
	t.Fatalf("%s by %s is not measured", name, by)
	return measure.Sample{}
}

// Every question finds what the listener does, within bounds that follow from it.
func TestQuestions(t *testing.T) {
	const mega = 1_000_000
	type want struct {
		quantity string
		by       measure.Source
		least    int64
		most     int64
		howMany  int
	}
	h, f, p := measure.Harness, measure.Firmware, measure.Probe
	for name, wants := range map[string][]want{
		"tones": {
			// A bin is 125 Hz; gonum is off by the tone's image, 1/1000 of a bin at bin 3, and by noise.
			{"peak-frequency-error-tone", h, -1000, 1000, 6}, {"peak-frequency-error-tone", f, -12_500, 12_500, 6},
			{"peak-level-error-tone", h, -30, 30, 6}, {"peak-level-error-tone", f, -60, 60, 6},
			{"signal-to-noise-tone", h, 55_000, 105_000, 6}, {"signal-to-noise-tone", f, 30_000, 150_000, 6},
			{"sinad-tone", h, 55_000, 105_000, 6}, {"sinad-tone", f, 30_000, 150_000, 6},
			{"harmonic-distortion-tone", h, -150_000, -55_000, 6}, {"harmonic-distortion-tone", f, -150_000, -30_000, 6},
			{"spectrum-tone", h, -150_000, 0, 65}, {"spectrum-tone", f, -150_000, 0, 65},
		},
		"tones between bins": {
			{"peak-frequency-error-between", h, -500, 500, 4}, {"peak-frequency-error-between", f, -12_500, 12_500, 4},
			{"peak-level-error-between", h, -10, 10, 4}, {"peak-level-error-between", f, -500, 500, 4},
			// -8.4 dB between bins, see measure's TestLeakage.
			{"spectral-leakage-between", h, -150_000, -41_000, 4}, {"spectral-leakage-between", f, -20_000, -8_000, 4},
		},
		"two tones": {
			{"peak-frequency-error-tones", h, -100, 100, 2}, {"peak-frequency-error-tones", f, -100, 100, 2},
			{"tones-dip", h, 20_000, 150_000, 1}, {"tones-dip", f, 40_000, 150_000, 1},
		},
		"sweep": {{"peak-frequency-error-sweep", f, -62_500, 62_500, 0}}, // half a bin
		"noise": {{"peak-level-error-noise", h, -810, 810, 4}, {"peak-level-error-noise", f, -810, 810, 4}},
		"recording": {
			{"peak-frequency-error-recording", h, -100, 100, 1}, {"peak-level-error-recording", h, -30, 5, 1},
			{"peak-frequency-error-recording", f, -1000, 1000, 1}, {"peak-level-error-recording", f, -60, 60, 1},
		},
		"frames": {{"audio-frames", p, 16_000, 16_001, 15}},
		// 16 bits: 6.02·16 + 1.76.
		"silence": {{"noise-floor", h, -98_100, -98_080, 1}},
		"transforms of 128 points": {
			{"transform-time-accelerator-128", f, takes - cost, takes - cost, 32},
			{"transform-time-accelerator-128", p, 12_769, 12_770, 32}, // ns
			{"transform-time-float-128", f, 3*takes - cost, 3*takes - cost, 32},
			{"transform-rate-accelerator-128", f, coreHz / (takes - cost), coreHz / (takes - cost), 32},
			{"transform-error-float-128", f, -150_000, -130_000, 1}, // 24 bits
			{"transform-error-fixed-128", f, -75_000, -50_000, 1},
			{"transform-alike-128", f, 100, 100, 1},
		},
		"pipeline, fixed": {
			{"audio-blocks-dropped-fixed", f, 0, 0, 1}, {"audio-overruns-fixed", f, 0, 0, 1},
			{"audio-scheduling-overhead-fixed", f, 780, 780, 100}, {"audio-work-fixed", f, 11_700, 11_700, 100},
			{"audio-jitter-fixed", p, 0, 1, 99}, {"audio-response-fixed", p, 32_000, 32_000, 100},
			{"audio-rate-error", p, -1, 1, 1},
		},
		// At most a block and the wait; at least that of a hundredth of a block, and 1 us to the start bit.
		"latency, fixed-second-hart": {
			{"audio-latency-fixed-second-hart", p, 33_000, 8*mega + 200_000, 20},
			{"audio-latency-jitter-fixed-second-hart", p, 0, 8 * mega, 20},
		},
		"highest rate, float": {{"audio-highest-rate-float", f, 48_437, 50_000, 1}}, // a thirty-second
	} {
		t.Run(name, func(t *testing.T) {
			all, err := ask(t, name, "")
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range wants {
				s := found(t, all, w.quantity, w.by)
				if lo, hi := slices.Min(s.Values), slices.Max(s.Values); lo < w.least || hi > w.most {
					t.Errorf("%s by %s: %d to %d %s, want %d to %d", w.quantity, w.by, lo, hi, s.Unit, w.least, w.most)
				}
				if n := len(s.Values); w.howMany > 0 && n != w.howMany || len(s.Doubts) > 0 {
					t.Errorf("%s by %s: %d values, want %d; %v", w.quantity, w.by, n, w.howMany, s.Doubts)
				}
			}
		})
	}
}

// All questions are answered by a good listener, with quantities that are described.
func TestEveryQuestion(t *testing.T) {
	for _, x := range spectrum.Experiments(images.Image{}) {
		all, err := ask(t, x.Name, "")
		if err != nil || len(all) == 0 {
			t.Errorf("%s: %d samples, %v", x.Name, len(all), err)
		}
		for _, s := range all {
			found(t, all, s.Name, s.Source)
		}
	}
}

// What is wrong shows: as an error, or in a number.
func TestDefectsShow(t *testing.T) {
	for _, c := range []struct {
		defect, name string
		err          string
		quantity     string // of the firmware's or the harness's, that is outside of least to most
		by           measure.Source
		least, most  int64
	}{
		{defect: "another rate", name: "tones", err: "16320000 mHz"},
		{defect: "the bin beside", name: "tones", err: "has the most power"},
		{defect: "a block too few", name: "noise", err: "result 2 is of block"},
		{defect: "half as loud", name: "tones", quantity: "peak-level-error-tone", by: measure.Harness, least: -100, most: 100},
		{defect: "half as loud", name: "noise", quantity: "peak-level-error-noise", by: measure.Harness, least: -810, most: 810},
		{defect: "coarse", name: "transforms of 128 points", quantity: "transform-error-fixed-128", by: measure.Firmware, least: -200_000, most: -50_000},
		{defect: "an accelerator of its own", name: "transforms of 64 points", quantity: "transform-alike-64", by: measure.Firmware, least: 100, most: 100},
		{defect: "overruns", name: "pipeline, accelerator", quantity: "audio-overruns-accelerator", by: measure.Firmware},
		{defect: "overruns", name: "highest rate, fixed", err: "samples are dropped at"},
	} {
		all, err := ask(t, c.name, c.defect)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %s says %v, want %q", c.defect, c.name, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.defect, err)
			continue
		}
		s := found(t, all, c.quantity, c.by)
		if slices.Min(s.Values) >= c.least && slices.Max(s.Values) <= c.most {
			t.Errorf("%s: %s is %d", c.defect, c.quantity, s.Values)
		}
	}
}

// How loud a loudspeaker is nobody knows, and not to the millisecond when it begins.
func TestLoudspeakersAreDoubtful(t *testing.T) {
	var missing *rig.MissingError
	if _, err := ask(t, "latency, fixed", "a loudspeaker"); !errors.As(err, &missing) {
		t.Errorf("latency: %v", err)
	}
	all, err := ask(t, "sweep", "a loudspeaker")
	if err != nil {
		t.Fatal(err)
	}
	if s := found(t, all, "peak-frequency-error-sweep", measure.Firmware); s.Resolution < 280_000 { // 40 ms of 7 kHz a second
		t.Errorf("a sweep that began within 40 ms is known to %d mHz", s.Resolution)
	}
	for name, quantity := range map[string]string{
		"tones": "peak-level-error-tone", "noise": "peak-level-error-noise", "silence": "noise-floor",
	} {
		all, err := ask(t, name, "a loudspeaker")
		if err != nil {
			t.Fatal(err)
		}
		if s := found(t, all, quantity, measure.Harness); len(s.Doubts) == 0 {
			t.Errorf("%s is not doubted", quantity)
		}
	}
}

// Without a probe most is known by the firmware; what only a probe can tell is missing.
func TestProbeIsNeededForSome(t *testing.T) {
	for _, x := range spectrum.Experiments(images.Image{}) {
		only := x.Name == "sweep" || x.Name == "frames" || strings.HasPrefix(x.Name, "latency")
		_, err := ask(t, x.Name, "no probe")
		if missing := (*rig.MissingError)(nil); errors.As(err, &missing) != only || !only && err != nil {
			t.Errorf("%s: %v", x.Name, err)
		}
	}
}

// Without a source of sounds there is nothing to ask.
func TestSourceIsNeeded(t *testing.T) {
	l := &listener{}
	b := &harness.Bench{Station: &rig.Station{Board: l, Driver: l}, Firmware: harness.NewConsole(l.Console(), l, io.Discard)}
	for _, x := range spectrum.Experiments(images.Image{}) {
		if _, err := x.Stimulate(t.Context(), b); err == nil || !strings.Contains(err.Error(), "source of sounds") {
			t.Errorf("%s: %v", x.Name, err)
		}
	}
}
