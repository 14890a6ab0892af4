package judge

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"rigor/harness/judge/change"
	"rigor/harness/measure"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// figure is one of a quantity in cycles, as a run of that name found it.
func figure(quantity, run string, values ...int64) Figure {
	s := measure.Sample{Name: quantity, Unit: measure.Cycles, Clock: 16e6, Assumption: measure.Nothing, Values: values}
	return Figure{
		Key:  Key{Suite: "latency", Experiment: quantity + " at 16 MHz", Board: "f407", Quantity: quantity, Source: measure.Firmware, CoreHz: 16e6},
		Unit: s.Unit, ClockHz: s.Clock, Assumption: s.Assumption, Summary: measure.Summarize(s), Digest: "d0", Firmware: "f0", Run: run,
	}
}

func baseline() *Baseline {
	at := time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)
	b := &Baseline{Schema: BaselineSchema, Rig: "virtual", Kind: "virtual", Accepted: []Acceptance{
		{Time: at, Run: "first", Harness: "1.0", By: "ann@example.org", Why: "to begin with"},
		{Time: at.AddDate(0, 0, 1), Run: "second", Harness: "1.1", By: "bob", Why: "a <faster> switch", Only: "goroutine-*"},
	}}
	b.Put(figure(measure.PinEcho, "first", 40), figure(measure.GoroutineSwitch, "first", 160, 160, 161))
	faster := figure(measure.GoroutineSwitch, "second", 150, 150, 151)
	faster.Noise = &change.Noise{Runs: 30, Relative: 0.001, Widest: 0.004}
	b.Put(faster)
	return b
}

func TestBaselineGolden(t *testing.T) {
	var got bytes.Buffer
	if err := baseline().Write(&got); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "baseline.json")
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
	back, err := ParseBaseline(want)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, baseline()) {
		t.Errorf("read back %+v", back)
	}
}

func TestBaselineFigures(t *testing.T) {
	b := baseline()
	key := figure(measure.GoroutineSwitch, "").Key
	if f := b.Figure(key); f == nil || f.Run != "second" || b.HarnessOf(f.Run) != "1.1" {
		t.Errorf("%+v", f)
	}
	b.Put(figure(measure.GoroutineSwitch, "first", 170))
	if f := b.Figure(key); f.Summary.Max != 170 || f.Noise == nil {
		t.Errorf("what is replaced leaves its noise: %+v", f)
	}
	if got := b.Runs(); !slices.Equal(got, []string{"first"}) {
		t.Errorf("runs %v", got)
	}
	b.Tidy()
	if len(b.Accepted) != 1 || b.Accepted[0].Run != "first" {
		t.Errorf("after the second was replaced: %+v", b.Accepted)
	}
	key.CoreHz = 168e6
	if b.Figure(key) != nil || (*Baseline)(nil).Figure(key) != nil || (*Baseline)(nil).Runs() != nil {
		t.Error("a figure that nobody accepted is there")
	}
}

func TestSaveIsWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "baseline", "virtual.json")
	if _, err := LoadBaseline(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("none yet: %v", err)
	}
	if err := baseline().Save(path); err != nil {
		t.Fatal(err)
	}
	bad := baseline()
	bad.Figures[0].Doubts = []string{"the probe lost 2 edges"}
	if err := bad.Save(path); err == nil {
		t.Error("a doubtful figure was saved")
	}
	if b, err := LoadBaseline(path); err != nil || !reflect.DeepEqual(b, baseline()) {
		t.Errorf("%v %+v", err, b)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("beside the file: %v %v", left, err)
	}
}

// Each mistake is one edit of the golden file.
func TestParseBaselineIsStrict(t *testing.T) {
	good, err := os.ReadFile(filepath.Join("testdata", "baseline.json"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(good), "\n")
	for name, c := range map[string]struct{ old, new, want string }{
		"newer":           {`"schema": 1`, `"schema": 2`, "newer rigor: schema 2"},
		"none":            {`"schema": 1,`, ``, "no baseline: schema 0"},
		"no rig":          {`"rig": "virtual"`, `"rig": ""`, "no baseline"},
		"unknown kind":    {`"kind": "virtual"`, `"kind": "real"`, "no baseline"},
		"unknown key":     {`"digest":"d0"`, `"digets":"d0"`, "digets"},
		"wrong type":      {`"n":1`, `"n":"1"`, "cannot unmarshal"},
		"cut":             {"  ]\n}\n", "  ]\n", "EOF"},
		"more":            {"  ]\n}\n", "  ]\n}{", "after the end"},
		"twice":           {lines[10], lines[9] + "\n" + lines[10], "twice or out of order"},
		"unknown unit":    {`"unit":"cycles"`, `"unit":"furlongs"`, "no value or no unit"},
		"in doubt":        {`"run":"first"}`, `"run":"first","doubts":["lost edges"]}`, "lost edges"},
		"nobody accepted": {`"run":"second","harness"`, `"run":"third","harness"`, `run "second", which nobody accepted`},
	} {
		text := strings.Replace(string(good), c.old, c.new, 1)
		if text == string(good) {
			t.Fatalf("%s changes nothing", name)
		}
		if _, err := ParseBaseline([]byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// What is read can be written, and is read again as it was.
func FuzzParseBaseline(f *testing.F) {
	good, err := os.ReadFile(filepath.Join("testdata", "baseline.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"schema":1,"rig":"r","kind":"virtual"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := ParseBaseline(text)
		if err != nil {
			return
		}
		var first, second bytes.Buffer
		if err := b.Write(&first); err != nil {
			t.Fatal(err)
		}
		if b, err = ParseBaseline(first.Bytes()); err != nil {
			t.Fatalf("%v\n%s", err, first.String())
		}
		if err := b.Write(&second); err != nil || first.String() != second.String() {
			t.Errorf("%v\n%s\n%s", err, first.String(), second.String())
		}
	})
}
