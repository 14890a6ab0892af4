package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rigor/harness/compare"
	"rigor/harness/judge"
	"rigor/harness/measure"
	"rigor/harness/record"
)

// fakeRig is a rig that runs in no time: what is asked of it leaves a bundle, or fails.
type fakeRig struct {
	t     *testing.T
	asked []string
	fails map[int]error // by the number of the run
}

func (b *fakeRig) ask(_ context.Context, firmware string) (*record.Run, error) {
	n := len(b.asked)
	b.asked = append(b.asked, firmware)
	if err := b.fails[n]; err != nil {
		return nil, err
	}
	bundle, err := record.Create(filepath.Join(b.t.TempDir(), fmt.Sprintf("run%02d", n)), record.Run{Harness: "1.0", Rig: record.Rig{Name: "lab", Kind: "hardware"}})
	if err != nil {
		b.t.Fatal(err)
	}
	s := measure.Sample{Name: measure.GoroutineSwitch, Source: measure.Firmware, Unit: measure.Cycles, Clock: 16e6, Values: []int64{10000 + int64(n%5)}}
	e := record.Experiment{Suite: "latency", Name: "switch", Board: "f407", Measurements: []record.Measurement{record.Measured(s, 16e6, measure.Summarize(s), nil, nil)}}
	if err := bundle.Add(e); err != nil {
		b.t.Fatal(err)
	}
	run, err := record.Load(bundle.Dir())
	if err != nil {
		b.t.Fatal(err)
	}
	return run, nil
}

// The runs alternate, and a round that the rig spoils is left out; two in a row end it.
func TestRounds(t *testing.T) {
	lost := errors.New("the probe has gone")
	for name, c := range map[string]struct {
		fails  map[int]error
		asked  string
		rounds int
		err    string
	}{
		"all well":        {nil, "ABA ABA ABA ABA", 4, ""},
		"one is spoiled":  {map[int]error{4: lost}, "ABA AB ABA ABA", 3, ""},
		"now and then":    {map[int]error{0: lost, 6: lost}, "A ABA ABA ABA", 2, ""},
		"the rig is gone": {map[int]error{5: lost, 6: lost}, "ABA ABA A", 0, "round 3 of 4: the probe has gone"},
	} {
		b := &fakeRig{t: t, fails: c.fails}
		cmd := abCmd{A: "A", B: "B", Rounds: 4}
		rounds, err := cmd.rounds(t.Context(), b.ask)
		if c.err == "" && err != nil || c.err != "" && (err == nil || err.Error() != c.err) || len(rounds) != c.rounds {
			t.Errorf("%s: %d rounds, %v", name, len(rounds), err)
		}
		if got, want := strings.Join(b.asked, ""), strings.ReplaceAll(c.asked, " ", ""); got != want {
			t.Errorf("%s: asked %s, want %s", name, got, want)
		}
	}
}

func TestRoundsEndWhenInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b := &fakeRig{t: t, fails: map[int]error{1: context.Canceled}}
	cmd := abCmd{A: "A", B: "B", Rounds: 4}
	_, err := cmd.rounds(ctx, func(ctx context.Context, firmware string) (*record.Run, error) {
		if len(b.asked) == 1 {
			cancel()
		}
		return b.ask(ctx, firmware)
	})
	if !errors.Is(err, context.Canceled) || len(b.asked) != 2 {
		t.Errorf("%v after %v", err, b.asked)
	}
}

// Noise goes into the baseline beside figures that stay as they were accepted, and
// what the baseline lacks comes along.
func TestAcceptNoise(t *testing.T) {
	b := &fakeRig{t: t}
	cmd := abCmd{A: "A", B: "A", Rounds: 12, Why: "a new bench"}
	rounds, err := cmd.rounds(t.Context(), b.ask)
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	key := rounds[0].B.Figures[0].Key
	for _, first := range []bool{true, false} {
		var was *judge.Baseline
		if !first {
			was = loadBaseline(t, filepath.Join(root, "results", "baseline", "lab.json"))
			was.Figures[0].Summary.Median.Value = 9999
			was.Figures[0].Noise = nil
		}
		if err := cmd.acceptNoise(root, was, rounds); err != nil {
			t.Fatal(err)
		}
		got := loadBaseline(t, filepath.Join(root, "results", "baseline", "lab.json"))
		f := got.Figure(key)
		if f == nil || f.Noise == nil || f.Noise.Runs != 36 || f.Noise.Relative == 0 || (f.Summary.Median.Value == 9999) == first {
			t.Fatalf("%+v", f)
		}
		if !slices.ContainsFunc(got.Accepted, func(a judge.Acceptance) bool { return a.Why == "noise: a new bench" && a.Run == f.Run }) {
			t.Errorf("%+v", got.Accepted)
		}
		if c := compare.Interleaved(rounds, got); c.Rows[0].Change.Verdict != "same" {
			t.Errorf("A against A: %+v", c.Rows[0].Change)
		}
	}
}
