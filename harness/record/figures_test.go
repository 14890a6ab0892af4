package record

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"rigor/harness/judge"
	"rigor/harness/measure"
	"rigor/harness/rig"
)

// added is the run of a bundle that experiments were added to.
func added(t *testing.T, r Run, es ...Experiment) *Run {
	t.Helper()
	b, err := Create(filepath.Join(t.TempDir(), "run"), r)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range es {
		if err := b.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	run, err := Load(b.Dir())
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// Of repeats the first counts where runs repeat to the cycle, else the one in the middle.
func TestFigures(t *testing.T) {
	failed := experiment("switch", switches(100))
	failed.Attempts[0].Failure = &Failure{Class: rig.Firmware, Message: "wrong"}
	all := []Experiment{failed, experiment("switch", switches(163)), experiment("switch", switches(161)), experiment("switch", switches(162)),
		experiment("empty", switches()), experiment("echo", switches(7), probed(9))}
	for kind, median := range map[string]int64{"virtual": 163, "hardware": 162} {
		m := meta()
		m.Rig.Kind = kind
		figures := added(t, m, all...).Figures()
		var got []string
		for _, f := range figures {
			got = append(got, f.Key.String())
		}
		want := []string{"latency/echo/f407/goroutine-switch/firmware/16MHz", "latency/echo/f407/goroutine-switch/probe/16MHz",
			"latency/switch/f407/goroutine-switch/firmware/16MHz"}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", kind, got, want)
		}
		if f := figures[2]; f.Summary.Median.Value != median || f.Run != "run" || f.Firmware != "ab12" {
			t.Errorf("%s: %+v, want median %d", kind, f, median)
		}
	}
}

// The digest that is foretold is the one that is recorded.
func TestDigestIsForetold(t *testing.T) {
	s := measure.Sample{Name: measure.GoroutineSwitch, Source: measure.Firmware, Unit: measure.Cycles, Clock: 16e6, Overhead: 4, Values: []int64{160, 161}}
	e := experiment("switch at 16 MHz", Measured(s, 16e6, measure.Summarize(s), nil, nil))
	if got, want := e.Digest(s), added(t, meta(), e).Experiments[0].Measurements[0].Digest; got != want {
		t.Errorf("%s, recorded is %s", got, want)
	}
}

// What is in quarantine is counted, and does not block.
func TestQuarantineDoesNotBlock(t *testing.T) {
	failed := experiment("switch", switches(160))
	failed.Attempts[0].Failure = &Failure{Class: rig.Rig, Message: "loose"}
	broken := experiment("launch", switches(160))
	broken.Measurements[0].Verdicts = []judge.Verdict{{Outcome: judge.Fail}, {Outcome: judge.Unset, Required: true}}
	fine := experiment("echo", switches(160))
	all := []Experiment{failed, broken, fine}
	blocking := func(r Run) int { return added(t, r, all...).Blocking() }
	if n := blocking(meta()); n != 3 {
		t.Errorf("%d findings, want a failure and two verdicts", n)
	}
	entry := judge.Isolation{Suite: "latency", Experiment: "switch", Board: "f407", Owner: "ann", Expires: judge.Day(start.AddDate(0, 0, 1).Format(time.DateOnly))}
	for i := range all {
		all[i].Quarantine = &entry
	}
	if n := blocking(meta()); n != 0 {
		t.Errorf("%d findings block in quarantine", n)
	}
	for i, want := range []bool{true, true, false} {
		if all[i].Quarantined() != want {
			t.Errorf("%s: in quarantine %v, want %v", all[i].Name, !want, want)
		}
	}
	expired, elsewhere := entry, entry
	expired.Expires = judge.Day(start.Format(time.DateOnly))
	elsewhere.Experiment = "gone"
	r := meta()
	r.Quarantine = []judge.Isolation{entry, expired, elsewhere}
	run := added(t, r, all...)
	if got := run.Expired(); !slices.Equal(got, []judge.Isolation{expired}) || run.Blocking() != 1 {
		t.Errorf("expired %+v, blocking %d", got, run.Blocking())
	}
	if got := run.Idle(); !slices.Equal(got, []judge.Isolation{elsewhere}) {
		t.Errorf("about nothing: %+v", got)
	}
}
