package compare

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/measure"
	"rigor/harness/record"
	"rigor/harness/rig"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// figure is a quantity of a run in cycles, made with an image.
func figure(quantity, run, image string, values ...int64) judge.Figure {
	s := measure.Sample{Name: quantity, Unit: measure.Cycles, Clock: 16e6, Assumption: measure.Nothing, Values: values}
	return judge.Figure{
		Key:  judge.Key{Suite: "latency", Experiment: quantity, Board: "f407", Quantity: quantity, Source: measure.Firmware, CoreHz: 16e6},
		Unit: s.Unit, ClockHz: s.Clock, Summary: measure.Summarize(s), Digest: "d", Firmware: image, Run: run,
	}
}

// side is a run of a kind of rig, by a version of the harness.
func side(name, kind, version string, figures ...judge.Figure) Side {
	slices.SortFunc(figures, func(a, b judge.Figure) int { return a.Key.Compare(b.Key) })
	for i := range figures {
		figures[i].Run = name
	}
	return Side{
		Name: name, Rig: record.Rig{Name: "bench", Kind: kind}, Host: &record.Host{OS: "linux"}, Figures: figures,
		Boards: []record.Board{{Name: "f407", Chip: "stm32f407", ID: "0x413"}}, Seeds: map[string]uint64{"board f407": 1},
		Firmware: []record.Firmware{{Target: "latency-stm32f407-16mhz", Digest: "image-a"}, {Target: "latency-stm32f407-16mhz", Digest: "image-b"}},
		harness:  map[string]string{name: version},
	}
}

// On a virtual rig a change is that of what differs, and the harness's if nothing does;
// on hardware the board remains a suspect.
func TestWhose(t *testing.T) {
	at := func(name, kind, version, image string, v int64) Side {
		return side(name, kind, version, figure(measure.GoroutineSwitch, name, image, v))
	}
	old := at("a", "virtual", "1.0", "image-a", 160)
	otherSeed, otherBoard := at("b", "virtual", "1.0", "image-a", 161), at("b", "virtual", "1.0", "image-a", 161)
	otherSeed.Seeds = map[string]uint64{"board f407": 2}
	otherBoard.Boards = []record.Board{{Name: "f407", Chip: "stm32f407", ID: "0x419"}}
	otherHost := at("b", "virtual", "1.0", "image-a", 161)
	otherHost.Host = &record.Host{OS: "plan9"}
	for name, c := range map[string]struct {
		now  Side
		want []rig.Class
	}{
		"firmware":             {at("b", "virtual", "1.0", "image-b", 161), []rig.Class{rig.Firmware}},
		"harness":              {at("b", "virtual", "1.1", "image-a", 161), []rig.Class{rig.Harness}},
		"both":                 {at("b", "virtual", "1.1", "image-b", 161), []rig.Class{rig.Firmware, rig.Harness}},
		"seed":                 {otherSeed, []rig.Class{rig.Rig}},
		"board":                {otherBoard, []rig.Class{rig.Rig}},
		"nothing":              {at("b", "virtual", "1.0", "image-a", 161), []rig.Class{rig.Harness}},
		"host of no matter":    {otherHost, []rig.Class{rig.Harness}},
		"nothing changed":      {at("b", "virtual", "1.1", "image-b", 160), nil},
		"harness is not known": {at("b", "virtual", "1.0+changes", "image-b", 161), []rig.Class{rig.Firmware, rig.Harness}},
	} {
		got := Compare(old, c.now)
		if len(got.Rows) != 1 || !slices.Equal(got.Rows[0].Whose, c.want) {
			t.Errorf("%s: %+v, want %v", name, got.Rows, c.want)
		}
	}
	vague := at("a", "virtual", "1.0+changes", "image-a", 160)
	if got := Compare(vague, vague); len(got.Differs) != 1 || got.Differs[0].Class != rig.Harness {
		t.Errorf("a version with changes equals itself: %+v", got.Differs)
	}
}

// A baseline knows its figures' images and runs, and neither boards nor host.
func TestBaselineSide(t *testing.T) {
	b := &judge.Baseline{Rig: "bench", Kind: "virtual", Accepted: []judge.Acceptance{{Run: "first", Harness: "1.0"}, {Run: "second", Harness: "1.1"}}}
	b.Put(figure(measure.GoroutineSwitch, "first", "image-a", 160), figure(measure.PinEcho, "second", "image-a", 40))
	got := Compare(OfBaseline(b), side("new", "virtual", "1.1", figure(measure.GoroutineSwitch, "", "image-a", 161), figure(measure.PinEcho, "", "image-b", 41)))
	want := []Difference{{rig.Firmware, "latency-stm32f407-16mhz", "image-a", "image-b"}, {rig.Harness, "version", "1.0, 1.1", "1.1"}}
	if !slices.Equal(got.Differs, want) {
		t.Errorf("differs %+v, want %+v", got.Differs, want)
	}
	if w := got.Rows[0].Whose; !slices.Equal(w, []rig.Class{rig.Harness}) {
		t.Errorf("of the run by another harness: %v", w)
	}
	if w := got.Rows[1].Whose; !slices.Equal(w, []rig.Class{rig.Firmware}) {
		t.Errorf("of the run by the same harness: %v", w)
	}
}

func TestWriteGolden(t *testing.T) {
	old := side("before", "virtual", "1.0", figure(measure.GoroutineSwitch, "", "image-a", 160, 160, 161), figure(measure.PinEcho, "", "image-a", 40),
		figure(measure.GoroutineLaunch, "", "image-a", 900), figure(measure.ChannelHandover, "", "image-a", 350), figure(measure.UARTEcho, "", "image-a", 5))
	now := side("after", "virtual", "1.0", figure(measure.GoroutineSwitch, "", "image-b", 162, 162, 163), figure(measure.PinEcho, "", "image-b", 40),
		figure(measure.GoroutineLaunch, "", "image-b", 899), figure(measure.ChannelHandover, "", "image-b", 400), figure(measure.ResetToHello, "", "image-b", 9))
	now.Failed = []string{"latency/uart-echo on f407: [firmware] the program that answers is another one"}
	c := Compare(old, now)
	if !c.Worse() || c.Count(change.Worse) != 2 || c.Count(change.Same) != 1 {
		t.Errorf("%+v", c)
	}
	var b bytes.Buffer
	mark := func(v change.Verdict) string { return "*" + string(v) + "*" }
	if err := c.Write(&b, false, mark); err != nil {
		t.Fatal(err)
	}
	b.WriteString("\nall:\n")
	if err := c.Write(&b, true, mark); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "compare.txt")
	if *update {
		if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

// An experiment that failed before as well is no news.
func TestFailedAlone(t *testing.T) {
	old, now := side("a", "virtual", "1.0"), side("b", "virtual", "1.0")
	old.Failed = []string{"smoke/boot on f407: [rig] no answer"}
	now.Failed = []string{"smoke/boot on f407: [firmware] another reason", "smoke/pins on f407: [firmware] wrong"}
	if c := Compare(old, now); !slices.Equal(c.Failed, now.Failed[1:]) || !c.Worse() {
		t.Errorf("%q", c.Failed)
	}
}
