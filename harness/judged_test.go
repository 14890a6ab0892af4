package harness

import (
	"testing"

	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/record"
	"rigor/harness/rig"
)

// asked is the experiment that a runner on an honest board records.
func asked(t *testing.T, set func(*Runner, *fake, *Experiment)) record.Experiment {
	t.Helper()
	f, x := honest(t), question(t)
	r := runner(t, f)
	set(r, f, &x)
	if _, err := r.Run(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	return recorded(t, r)
}

// accepted holds what an experiment found.
func acceptedOf(e record.Experiment) *judge.Baseline {
	var b judge.Baseline
	for _, m := range e.Measurements {
		b.Put(e.Figure(m))
	}
	return &b
}

// Every figure that the baseline has is compared with it, but for repeats of a rig
// that repeats itself only from a fresh board.
func TestRunnerComparesWithBaseline(t *testing.T) {
	was := asked(t, func(*Runner, *fake, *Experiment) {})
	for name, c := range map[string]struct {
		set  func(r *Runner, f *fake, x *Experiment)
		want []change.Verdict // of firmware and probe; empty: not compared
	}{
		"the same": {func(*Runner, *fake, *Experiment) {}, []change.Verdict{change.Same, change.Same}},
		"by three ticks": {func(r *Runner, f *fake, x *Experiment) {
			f.capture.Edges[1].At += 3 // within what the counters allow, beyond what a probe rounds to
		}, []change.Verdict{change.Same, change.Worse}},
		"hardware":           {func(r *Runner, f *fake, x *Experiment) { r.RigKind = rig.Hardware }, []change.Verdict{change.CannotTell, change.CannotTell}},
		"a repeat":           {func(r *Runner, f *fake, x *Experiment) { x.Repeat = 1 }, []change.Verdict{"", ""}},
		"no baseline":        {func(r *Runner, f *fake, x *Experiment) { r.Baseline = nil }, []change.Verdict{"", ""}},
		"another experiment": {func(r *Runner, f *fake, x *Experiment) { x.Name = "launch" }, []change.Verdict{"", ""}},
	} {
		got := asked(t, func(r *Runner, f *fake, x *Experiment) {
			r.Baseline = acceptedOf(was)
			c.set(r, f, x)
		})
		for i, m := range got.Measurements {
			var verdict change.Verdict
			if m.Change != nil {
				verdict = m.Change.Verdict
			}
			if verdict != c.want[i] {
				t.Errorf("%s: %s by %s is %q (%+v), want %q", name, m.Quantity, m.Source, verdict, m.Change, c.want[i])
			}
		}
	}
}

// What fails in quarantine is recorded with who answers for it, and is asked all the same.
func TestRunnerHeedsQuarantine(t *testing.T) {
	for expires, want := range map[judge.Day]bool{"2999-12-31": true, "2001-01-01": false} {
		e := asked(t, func(r *Runner, f *fake, x *Experiment) {
			f.greeting = nil
			r.Quarantine = &judge.Quarantine{Entries: []judge.Isolation{{Suite: x.Suite, Experiment: x.Name, Board: r.Station.Name(), Owner: "ann", Expires: expires}}}
		})
		if !e.Failed() || e.Quarantined() != want || want && e.Quarantine.Owner != "ann" {
			t.Errorf("until %s: failed %v, in quarantine %v: %+v", expires, e.Failed(), e.Quarantined(), e.Quarantine)
		}
	}
}
