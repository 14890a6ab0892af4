package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rigor/harness/measure"
	"rigor/harness/record"
)

// nights records a run a night on the virtual rig, in which a switch takes the given
// numbers of cycles.
func nights(t *testing.T, root string, began time.Time, values ...int64) (dirs []string) {
	t.Helper()
	for i, v := range values {
		at := began.AddDate(0, 0, i)
		dir := recorded(t, root, "virtual", at)
		b, err := record.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		s := measure.Sample{Name: measure.GoroutineSwitch, Source: measure.Firmware, Unit: measure.Cycles, Clock: 16e6,
			Assumption: measure.Exact, Values: []int64{v, v}}
		add := record.Experiment{Suite: "latency", Name: "switch", Board: "f407", Firmware: "ab12", Attempts: []record.Attempt{{Started: at}},
			Measurements: []record.Measurement{record.Measured(s, 16e6, measure.Summarize(s), nil, nil)}}
		if err := errors.Join(b.Add(add), b.Update(func(r *record.Run) error { r.Harness = "h1"; return nil })); err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, dir)
	}
	return dirs
}

var monday = time.Date(2026, 11, 2, 2, 0, 0, 0, time.UTC)

func TestHistory(t *testing.T) {
	root := empty(t)
	in(t, root, "history").want(t, exitSetup, "no runs to show")
	nights(t, root, monday, 160, 160, 161)
	o := in(t, root, "history")
	o.want(t, exitOK)
	if want := "20261104T020000Z-virtual  complete  pass"; !strings.Contains(o.stdout, want) {
		t.Errorf("%q is not in\n%s", want, o.stdout)
	}
	o = in(t, root, "history", "goroutine-*", "--board", "f407")
	o.want(t, exitOK)
	for _, want := range []string{
		"goroutine-switch by firmware, f407 on virtual at 16 MHz, latency/switch: p50 in cycles",
		"3 runs from 2026-11-02 02:00 to 2026-11-04 02:00, now 161",
		"WORSE 160 -> 161, +1 (+0.62 %), exact",
		"first in 20261104T020000Z-virtual, last as before in 20261103T020000Z-virtual; harness: the image is the same",
		"20261102T020000Z-virtual  2026-11-02 02:00  160",
	} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("%q is not in\n%s", want, o.stdout)
		}
	}
	in(t, root, "history", "goroutine-swich").want(t, exitSetup, `"goroutine-swich"`, "there are goroutine-switch")
	in(t, root, "history", "goroutine-switch", "--board", "c3").want(t, exitSetup, "no run measured goroutine-switch with what the options name")
}

func TestHistoryJSON(t *testing.T) {
	root := empty(t)
	nights(t, root, monday, 160, 159)
	if err := os.MkdirAll(filepath.Join(root, "results", "runs", "broken"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "results", "runs", "broken", record.RunFile), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	o := in(t, root, "history", "goroutine-switch", "--json")
	o.want(t, exitOK, "note: run broken cannot be read", "ends too early")
	var got []struct {
		Quantity  string
		Statistic string
		Points    []struct{ Value int }
		Changes   []struct{ Run, Verdict string }
	}
	if err := json.Unmarshal([]byte(o.stdout), &got); err != nil || len(got) != 1 {
		t.Fatalf("%v\n%s", err, o.stdout)
	}
	f := got[0]
	if f.Quantity != measure.GoroutineSwitch || f.Statistic != "p50" || len(f.Points) != 2 || f.Points[1].Value != 159 ||
		len(f.Changes) != 1 || f.Changes[0].Verdict != "better" || f.Changes[0].Run != "20261103T020000Z-virtual" {
		t.Errorf("%+v", f)
	}
}

// The index is a copy: whatever becomes of it, the next call shows the same.
func TestHistoryOfADamagedIndex(t *testing.T) {
	root := empty(t)
	nights(t, root, monday, 160)
	want := in(t, root, "history", "goroutine-switch")
	want.want(t, exitOK)
	if err := os.WriteFile(filepath.Join(root, "results", "history.db"), []byte(strings.Repeat("?", 9000)), 0o644); err != nil {
		t.Fatal(err)
	}
	got := in(t, root, "history", "goroutine-switch")
	got.want(t, exitOK, "made anew", "not a database")
	if got.stdout != want.stdout {
		t.Errorf("got\n%s\nwant\n%s", got.stdout, want.stdout)
	}
	again := in(t, root, "history", "goroutine-switch", "--rebuild")
	if again.want(t, exitOK); again.stdout != want.stdout || again.stderr != "" {
		t.Errorf("%s%s", again.stderr, again.stdout)
	}
}

func TestPrune(t *testing.T) {
	root := empty(t)
	in(t, root, "prune").want(t, exitSetup, "retention.yaml")
	policy := "keep_days: 0\nkeep_last: 1\nkeep_failed_days: 0\nkeep_monthly: 0\n"
	if err := os.WriteFile(filepath.Join(root, "results", "retention.yaml"), []byte(policy), 0o644); err != nil {
		t.Fatal(err)
	}
	dirs := nights(t, root, monday, 160, 160, 160)
	baseline := in(t, root, "baseline", "accept", filepath.Base(dirs[0]), "--why", "the first", "--by", "a test")
	baseline.want(t, exitOK)
	o := in(t, root, "prune", "--dry-run", "--all")
	o.want(t, exitOK)
	for _, want := range []string{"a baseline rests on it", "among the newest 1 of its rig", "would remove 1 of 3 bundles"} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("%q is not in\n%s", want, o.stdout)
		}
	}
	in(t, root, "prune").want(t, exitOK)
	for i, dir := range dirs {
		if _, err := os.Stat(dir); (err == nil) != (i != 1) {
			t.Errorf("night %d: %v", i, err)
		}
	}
	if o = in(t, root, "prune"); !strings.Contains(o.stdout, "removed nothing: rules keep all of 2 bundles") {
		t.Errorf("once more: %s%s", o.stdout, o.stderr)
	}
}

// Several processes use one index, each as if it were alone.
func TestHistoryAtOnce(t *testing.T) {
	root := empty(t)
	nights(t, root, monday, 160, 160, 161)
	want := in(t, root, "history", "goroutine-switch")
	want.want(t, exitOK)
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			args := []string{"history", "goroutine-switch", "--rebuild"}
			if got := in(t, root, args[:2+i%2]...); got.stdout != want.stdout || got.stderr != "" {
				t.Errorf("%s%s", got.stderr, got.stdout)
			}
		})
	}
	all.Wait()
}

// A run whose process is gone says that it is running, for ever.
func TestHistoryOfAKilledRun(t *testing.T) {
	root := empty(t)
	b, err := record.Create(filepath.Join(root, "results", "runs", record.Name(monday, "virtual")), record.Run{Started: monday, Rig: record.Rig{Name: "virtual", Kind: "virtual"}})
	if err != nil {
		t.Fatal(err)
	}
	log, err := b.Events()
	if err != nil {
		t.Fatal(err)
	}
	if o := in(t, root, "history"); !strings.Contains(o.stdout, "  running  incomplete") {
		t.Errorf("while it goes on:\n%s%s", o.stdout, o.stderr)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if o := in(t, root, "history"); !strings.Contains(o.stdout, "  killed  incomplete") {
		t.Errorf("once it is gone:\n%s%s", o.stdout, o.stderr)
	}
}
