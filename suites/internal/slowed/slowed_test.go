package slowed

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rigor/firmware/images"
	"rigor/harness"
	"rigor/harness/measure"
	"rigor/harness/profile"
	"rigor/harness/record"
	"rigor/harness/timebase"
	"rigor/suites/internal/virtualrig"
	"rigor/suites/latency"
)

// A plant is one instruction in the goroutine switch of an image: two ways to write the same, one with
// an instruction more than the other.
type plant struct {
	board, image, function string
	before, after          []byte
	slower                 bool // after is the one with more
}

var plants = []plant{
	{
		board: "f407", image: "latency-stm32f407-16mhz", function: "tinygo_swapTask",
		before: []byte{0x02, 0x23, 0x58, 0x40}, // movs r3, #2; eors r0, r3
		after:  []byte{0x80, 0xF0, 0x02, 0x00}, // eor.w r0, r0, #2
	},
	{
		board: "f407", image: "latency-stm32f407-168mhz", function: "tinygo_swapTask",
		before: []byte{0x02, 0x23, 0x58, 0x40},
		after:  []byte{0x80, 0xF0, 0x02, 0x00},
	},
	{
		board: "c3", image: "latency-esp32c3", function: "tinygo_swapTask", slower: true,
		before: []byte{0x13, 0x01, 0xC1, 0xFC}, // addi sp, sp, -52
		after:  []byte{0x11, 0x11, 0x21, 0x11}, // c.addi sp, -28; c.addi sp, -24
	},
	{
		board: "k210", image: "latency-k210", function: "__wrap_tinygo_swapTask", slower: true,
		before: []byte{0x13, 0x01, 0x81, 0x06}, // addi sp, sp, 104
		after:  []byte{0x25, 0x61, 0x21, 0x01}, // c.addi16sp sp, 96; c.addi sp, 8
	},
}

// in gives the image with the plant, at its first place in the function.
func (p plant) in(t *testing.T) images.Image {
	t.Helper()
	image, err := images.Open(p.image)
	if err != nil {
		t.Fatal(err)
	}
	start, err := profile.Place(image.Data, p.function)
	if err != nil {
		t.Fatal(err)
	}
	data := bytes.Clone(image.Data)
	i := bytes.Index(data[start:start+128], p.before)
	if i < 0 {
		t.Fatalf("%s of %s has no % x: it is another one now", p.function, p.image, p.before)
	}
	copy(data[int(start)+i:], p.after)
	image.Data, image.SHA256 = data, images.SHA256(data)
	return image
}

// TestOneInstructionIsCaught: of two images that differ by one instruction in the goroutine switch, which takes a cycle, the figure
// differs by the two switches that are in it, to and fro, and the function is the only one whose cycles differ.
func TestOneInstructionIsCaught(t *testing.T) {
	for _, p := range plants {
		t.Run(p.image, func(t *testing.T) {
			image, err := images.Open(p.image)
			if err != nil {
				t.Fatal(err)
			}
			less, more := ask(t, p.board, image, true), ask(t, p.board, p.in(t), true)
			if !p.slower {
				less, more = more, less
			}
			if d := more.median - less.median; d != switches {
				t.Errorf("the median differs by %d cycles, not %d", d, switches)
			}
			want := profile.Change{Name: p.function, Cycles: switches * intervals, Instructions: switches * intervals}
			changes := profile.Diff(less.profile, more.profile)
			changes = slices.DeleteFunc(changes, func(c profile.Change) bool { return c.Name == profile.Sleep }) // the K210's other hart, meanwhile
			if len(changes) != 1 {
				t.Fatalf("%d functions differ: %+v", len(changes), changes)
			}
			got := changes[0]
			got.Old, got.New = profile.Function{}, profile.Function{}
			if got != want {
				t.Errorf("what differs is %+v, not %+v", got, want)
			}
		})
	}
}

// TestProfileIsExact: a profile has all cycles of the intervals that the probe has seen, and no
// others; and that it is made changes no sample.
func TestProfileIsExact(t *testing.T) {
	for board, name := range map[string]string{"f407": "latency-stm32f407-168mhz", "c3": "latency-esp32c3", "k210": "latency-k210"} {
		image, err := images.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		profiled, plain := ask(t, board, image, true), ask(t, board, image, false)
		if profiled.digests != plain.digests {
			t.Errorf("%s: with a profile the samples are others", name)
		}
		if n := profiled.profile.Intervals; n != intervals {
			t.Errorf("%s: %d intervals, not %d", name, n, intervals)
		}
		if got := profiled.profile.Cycles(); got != profiled.cycles {
			t.Errorf("%s: the profile has %d cycles, the intervals on the pins %d", name, got, profiled.cycles)
		}
	}
}

const (
	intervals = 1000 // of the suite's question
	switches  = 2    // in each
)

// answer is what a goroutine switch took.
type answer struct {
	median  int64  // in cycles, by the firmware
	cycles  uint64 // of all intervals on the pins
	digests string // of the samples
	profile *profile.Profile
}

func ask(t *testing.T, board string, image images.Image, profiled bool) answer {
	t.Helper()
	r := virtualrig.Open(t, board)
	r.Profile = profiled
	all := latency.Experiments(image)
	x := all[slices.IndexFunc(all, func(x harness.Experiment) bool { return strings.HasPrefix(x.Name, measure.GoroutineSwitch) })]
	var a answer
	judged := x.Measure
	x.Measure = func(o harness.Observation) ([]measure.Sample, error) {
		spans, _ := measure.Intervals(o.Capture, measure.Rise("mark-start"), measure.Rise("mark-end"))
		for _, s := range spans {
			a.cycles += uint64((s.End - s.Start).Convert(o.Capture.Rate, timebase.Rate(o.Hello.CoreHz)))
		}
		return judged(o)
	}
	e, err := r.Run(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	if e.Failed() {
		t.Fatal(e.Attempts[0].Failure)
	}
	a.median = e.Measurements[0].Summary.Median.Value
	run, err := record.Load(r.Bundle.Dir())
	if err != nil {
		t.Fatal(err)
	}
	a.digests = run.SamplesDigest
	if profiled {
		if a.profile, err = profile.Load(filepath.Join(r.Bundle.Dir(), e.Profile)); err != nil {
			t.Fatal(err)
		}
	}
	return a
}
