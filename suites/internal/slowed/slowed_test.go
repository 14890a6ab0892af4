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
		before: []byte{0x13, 0x01, 0x81, 0xF9}, // addi sp, sp, -104
		after:  []byte{0x1D, 0x71, 0x61, 0x11}, // c.addi16sp sp, -96; c.addi sp, -8
	},
}

// in gives the image with the plant, at its only place near the function's start.
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
	i := bytes.Index(data[start:start+16], p.before)
	if i < 0 {
		t.Fatalf("%s of %s begins with % x, without % x: it is another one now", p.function, p.image, data[start:start+16], p.before)
	}
	copy(data[int(start)+i:], p.after)
	image.Data, image.SHA256 = data, images.SHA256(data)
	return image
}

func TestOneInstructionIsCaught(t *testing.T) {
	for _, p := range plants {
		t.Run(p.image, func(t *testing.T) {
			image, err := images.Open(p.image)
			if err != nil {
				t.Fatal(err)
			}
			old, oldProfile := ask(t, p.board, image, true)
			new, newProfile := ask(t, p.board, p.in(t), true)
			t.Log(old.Measurements[0].Summary.Median, new.Measurements[0].Summary.Median)
			var text strings.Builder
			changes := profile.Diff(oldProfile, newProfile)
			profile.Table(&text, changes, 10)
			t.Logf("%d intervals\n%s", oldProfile.Intervals, &text)
		})
	}
}

// ask asks what a goroutine switch takes.
func ask(t *testing.T, board string, image images.Image, profiled bool) (record.Experiment, *profile.Profile) {
	t.Helper()
	r := virtualrig.Open(t, board)
	r.Profile = profiled
	all := latency.Experiments(image)
	i := slices.IndexFunc(all, func(x harness.Experiment) bool { return strings.HasPrefix(x.Name, measure.GoroutineSwitch) })
	e, err := r.Run(t.Context(), all[i])
	if err != nil {
		t.Fatal(err)
	}
	if e.Failed() {
		t.Fatal(e.Attempts[0].Failure)
	}
	if !profiled {
		return e, nil
	}
	seen, err := profile.Load(filepath.Join(r.Bundle.Dir(), e.Profile))
	if err != nil {
		t.Fatal(err)
	}
	return e, seen
}
