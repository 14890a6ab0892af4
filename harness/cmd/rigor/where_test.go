package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rigor/harness/compare"
	"rigor/harness/profile"
	"rigor/harness/record"
)

// profiledRun is a bundle with a figure, and where its cycles went.
func profiledRun(t *testing.T, name string, median int64, functions ...profile.Function) *record.Run {
	t.Helper()
	run := runWith(median)
	b, err := record.Create(filepath.Join(t.TempDir(), name), *runWith(median))
	if err != nil {
		t.Fatal(err)
	}
	e := run.Experiments[0]
	if functions != nil {
		p := &profile.Profile{Schema: profile.Schema, Intervals: 3, Functions: functions}
		if e.Profile, err = b.Profile("switch", p.Write); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Update(func(r *record.Run) error { r.Experiments = []record.Experiment{e}; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := b.Finish(record.Complete, time.Unix(1e9, 0)); err != nil {
		t.Fatal(err)
	}
	if run, err = record.Load(b.Dir()); err != nil {
		t.Fatal(err)
	}
	return run
}

// TestPlaces: of bundles that have profiles nothing is run again. What another core slept is nobody's change.
func TestPlaces(t *testing.T) {
	swap := func(cycles, instructions uint64) profile.Function {
		return profile.Function{Name: "tinygo_swapTask", Cycles: cycles, Instructions: instructions, Calls: 6}
	}
	pause := profile.Function{Name: "internal/task.Pause", Cycles: 30, Instructions: 30, Calls: 3}
	old := profiledRun(t, "old", 100, swap(33, 30), pause, profile.Function{Name: profile.Sleep, Core: 1, Cycles: 300})
	for name, c := range map[string]struct {
		now  *record.Run
		want string
	}{
		"an instruction": {profiledRun(t, "now", 102, swap(39, 36), pause, profile.Function{Name: profile.Sleep, Core: 1, Cycles: 306}), `
where: latency/switch on f407, cycles of 3 measured intervals
  cycles  instructions  calls  function
      +6            +6     +0  tinygo_swapTask
`},
		"nothing": {profiledRun(t, "now", 100, swap(33, 30), pause), ""},
		"nothing that is counted": {profiledRun(t, "now", 103, swap(33, 30), pause), `
where: latency/switch on f407, cycles of 3 measured intervals
  no cycle differs
`},
	} {
		found := compare.Compare(compare.OfRun(old), compare.OfRun(c.now))
		all, err := places(t.Context(), old, c.now, &found)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var text strings.Builder
		if err := tellWhere(&text, all); err != nil {
			t.Fatal(err)
		}
		if text.String() != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, &text, c.want)
		}
		if name == "an instruction" {
			if w := found.Rows[0].Where; len(w) != 1 || w[0].Name != "tinygo_swapTask" || w[0].Instructions != 6 {
				t.Errorf("%s: the row has %+v", name, w)
			}
		}
	}
}

// TestPlacesNeedABundle: a run that has no profile is replayed, if it carries what that takes; one of real boards never.
func TestPlacesNeedABundle(t *testing.T) {
	old := profiledRun(t, "old", 100, profile.Function{Name: "f", Cycles: 1})
	now := profiledRun(t, "now", 102)
	found := compare.Compare(compare.OfRun(old), compare.OfRun(now))
	if _, err := places(t.Context(), old, now, &found); err == nil || !strings.Contains(err.Error(), "replay ") {
		t.Errorf("without a profile and without firmware: %v", err)
	}
	now.Rig.Kind = "hardware"
	if _, err := places(t.Context(), old, now, &found); err == nil || !strings.Contains(err.Error(), "real boards") {
		t.Errorf("of real boards: %v", err)
	}
}
