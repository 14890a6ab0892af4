package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rigor/harness/compare"
	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/measure"
	"rigor/harness/record"
	"rigor/harness/rig"
)

// accepted is a checkout with a run of the latency suite on the ESP32-C3 and a baseline made of it.
func acceptedRun(t *testing.T) (dir, file string) {
	t.Helper()
	dir = checkout(t, nil)
	in(t, dir, "run", "--suite", "latency", "--board", "c3").want(t, exitOK)
	o := in(t, dir, "baseline", "accept", "latest", "--why", "to begin with", "--by", "ann")
	o.want(t, exitOK)
	if !strings.Contains(o.stdout, "accepted 16 figures of ") {
		t.Errorf("got %s", o.stdout)
	}
	return dir, filepath.Join(dir, "results", "baseline", "virtual.json")
}

func loadBaseline(t *testing.T, file string) *judge.Baseline {
	t.Helper()
	b, err := judge.LoadBaseline(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A cycle more than what was accepted fails the run, is shown as such, and belongs to
// the harness if the image is the same. Accepting it changes that figure's line and no other.
func TestOneCycleIsShown(t *testing.T) {
	dir, file := acceptedRun(t)
	b := loadBaseline(t, file)
	i := slices.IndexFunc(b.Figures, func(f judge.Figure) bool {
		return f.Quantity == measure.GoroutineSwitch && f.Source == measure.Firmware
	})
	b.Figures[i].Summary.Median.Value-- // as if it had been faster
	if err := b.Save(file); err != nil {
		t.Fatal(err)
	}
	before := strings.Split(string(read(t, file)), "\n")

	o := in(t, dir, "run", "--suite", "latency", "--board", "c3")
	o.want(t, exitWanting, "FAIL latency/goroutine-switch at 160 MHz on c3", "rigor: 1 findings fail the run")
	if !strings.Contains(o.stdout, "FAIL p50 <= baseline + 0 cycles") {
		t.Errorf("the table does not show the verdict:\n%s", o.stdout)
	}

	var found compare.Comparison
	o = in(t, dir, "compare", "baseline", "latest", "--json")
	o.want(t, exitWanting, "1 figures got worse")
	if err := json.Unmarshal([]byte(o.stdout), &found); err != nil {
		t.Fatal(err)
	}
	if found.Count(change.Worse) != 1 || found.Count(change.Same) != 15 {
		t.Fatalf("%+v", found)
	}
	row := found.Rows[slices.IndexFunc(found.Rows, compare.Row.Changed)]
	if c := row.Change; c.New.Value-c.Old.Value != 1 || c.Statistic != measure.Median || c.Unit != measure.Cycles || !slices.Equal(row.Whose, []rig.Class{rig.Harness}) {
		t.Errorf("%+v", row)
	}

	o = in(t, dir, "baseline", "accept", "latest", "--why", "a test", "--only", "goroutine-switch")
	o.want(t, exitOK)
	if !strings.Contains(o.stdout, "worse: values are exact: +1 cycles") {
		t.Errorf("it does not show what is accepted:\n%s", o.stdout)
	}
	changed := 0
	for n, line := range strings.Split(string(read(t, file)), "\n") {
		if n < len(before) && line != before[n] && strings.Contains(line, `"quantity"`) && !slices.Contains(before, line) {
			changed++
		}
	}
	if b = loadBaseline(t, file); changed != 2 || len(b.Accepted) != 2 || b.Accepted[1].Only != "goroutine-switch" || len(b.Runs()) != 2 {
		t.Errorf("%d lines of figures changed, want those of the firmware and the probe; accepted %+v", changed, b.Accepted)
	}
	in(t, dir, "baseline", "diff", "latest").want(t, exitOK)
	o = in(t, dir, "baseline", "show", "latency/*/c3/goroutine-*/firmware")
	if !strings.Contains(o.stdout, "accepted by ann: to begin with") || strings.Count(o.stdout, "/firmware/") != 2 {
		t.Errorf("got %s", o.stdout)
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// What is refused changes nothing.
func TestBaselineRefuses(t *testing.T) {
	dir := checkout(t, nil)
	in(t, dir, "baseline", "show").want(t, exitSetup, "rigor baseline accept makes one")
	in(t, dir, "compare", "baseline", "latest").want(t, exitSetup, `no run "latest"`)
	in(t, dir, "run", "--suite", "pwm", "--board", "c3", "--out", "whole").want(t, exitOK)
	text := strings.Replace(string(read(t, filepath.Join(dir, "whole", "run.json"))), `"status": "complete"`, `"status": "running"`, 1)
	if err := os.MkdirAll(filepath.Join(dir, "killed"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "killed", "run.json"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"baseline accept whole":                             "missing flags: --why",
		"baseline accept whole --why=":                      "--why is empty",
		"baseline accept killed --why x":                    "it is running",
		"baseline accept nowhere --why x":                   `no run "nowhere"`,
		"baseline accept whole --why x --only [":            `pattern "["`,
		"baseline diff whole":                               "rigor baseline accept makes one",
		"compare baseline baseline":                         "compare the baseline with a run",
		"compare whole nowhere":                             `no run "nowhere"`,
		"ab whole whole":                                    "manifest",
		"ab firmware/images firmware/images --rounds 0":     "want 1 or more",
		"ab firmware/images nowhere":                        "nowhere",
		"ab firmware/images firmware/images --accept-noise": "a virtual rig has no noise",
	} {
		in(t, dir, strings.Fields(args)...).want(t, exitSetup, want)
	}
	in(t, dir, "baseline", "accept", "whole", "--why", "x", "--only", "adc-*").want(t, exitWanting, `no figure that fits "adc-*"`)
	if _, err := os.Stat(filepath.Join(dir, "results", "baseline")); err == nil {
		t.Error("a baseline was made all the same")
	}
	bad := filepath.Join(dir, "results", "baseline", "virtual.json")
	if err := os.MkdirAll(filepath.Dir(bad), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bad, []byte(`{"schema": 1, "rgi": "virtual"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	in(t, dir, "run", "--suite", "pwm", "--board", "c3").want(t, exitSetup, "virtual.json", "rgi")
}

// In quarantine a failure is shown and does not fail the run; once the entry has
// expired it fails the run whatever the experiment says.
func TestRunHeedsQuarantine(t *testing.T) {
	entry := func(experiment, expires string) string {
		return "  - {suite: smoke, experiment: " + experiment + ", board: f407, owner: ann@example.org, reason: a test, issue: none, expires: " + expires + "}\n"
	}
	const broken = "takes the image and greets"
	limits := edited(t, "suites/limits.yaml", "min: 7200", "min: 720000")
	for name, c := range map[string]struct {
		limits, entries string
		status          int
		tells           string
	}{
		"it holds":     {limits, entry(broken, "2999-12-31") + entry("something gone", "2999-12-31"), exitOK, ""},
		"expired":      {limits, entry(broken, "2001-01-01"), exitWanting, "2 findings fail the run"},
		"and all well": {original(t, "suites/limits.yaml"), entry(broken, "2001-01-01"), exitWanting, "1 findings fail the run"},
	} {
		dir := checkout(t, map[string]string{"suites/limits.yaml": c.limits, "suites/quarantine.yaml": "quarantine:\n" + c.entries})
		o := in(t, dir, "run", "--board", "f407", "--suite", "smoke", "--out", "out")
		if o.want(t, c.status, c.tells); t.Failed() {
			t.Fatalf("%s:\n%s", name, o.stdout)
		}
		if !strings.Contains(o.stdout, "ann@example.org") {
			t.Errorf("%s: the owner is not named:\n%s", name, o.stdout)
		}
		run := load(t, filepath.Join(dir, "out"))
		if idle := strings.Contains(c.entries, "gone"); len(run.Experiments) != 4 || idle != strings.Contains(o.stdout, "nothing was asked that the quarantine is about") {
			t.Errorf("%s: %d experiments; an entry about nothing is told: %v\n%s", name, len(run.Experiments), !idle, o.stdout)
		}
	}
}

// A figure that its suite no longer measures is dropped, but not if the run could not
// have measured it.
func TestAcceptDropsWhatIsGone(t *testing.T) {
	experiment := func(suite, name string) record.Experiment {
		s := measure.Sample{Name: measure.GoroutineSwitch, Source: measure.Firmware, Unit: measure.Cycles, Clock: 16e6, Values: []int64{160}}
		return record.Experiment{Suite: suite, Name: name, Board: "f407", Measurements: []record.Measurement{record.Measured(s, 16e6, measure.Summarize(s), nil, nil)}}
	}
	run := func(es ...record.Experiment) *record.Run {
		return &record.Run{Status: record.Complete, Rig: record.Rig{Name: "virtual", Kind: "virtual"}, Experiments: es}
	}
	skipped, filtered := experiment("latency", "launch"), run(experiment("latency", "switch"))
	skipped.Skipped, skipped.Measurements = "no probe", nil
	filtered.Invocation = &record.Invocation{Label: "quick"}
	for name, c := range map[string]struct {
		run  *record.Run
		only string
		left int
	}{
		"it is gone":         {run(experiment("latency", "switch")), "", 1},
		"it was asked again": {run(experiment("latency", "switch"), experiment("latency", "launch")), "", 2},
		"another suite":      {run(experiment("jitter", "idle")), "", 3},
		"it was skipped":     {run(experiment("latency", "switch"), skipped), "", 2},
		"only some":          {run(experiment("latency", "switch")), "goroutine-*", 2},
		"only some labels":   {filtered, "", 2},
	} {
		b := &judge.Baseline{Schema: judge.BaselineSchema, Rig: "virtual", Kind: "virtual"}
		accept := func(r *record.Run, only string) {
			if _, err := (&baselineAcceptCmd{Why: "a test", By: "ann", Only: only}).accept(b, r, time.Unix(1e9, 0)); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		accept(run(experiment("latency", "switch"), experiment("latency", "launch")), "")
		accept(c.run, c.only)
		if len(b.Figures) != c.left {
			t.Errorf("%s: %d figures are left, want %d", name, len(b.Figures), c.left)
		}
	}
}
