package harness

import (
	"context"
	"slices"
	"strings"
	"testing"

	"rigor/harness/record"
	"rigor/harness/rig"
	"rigor/harness/timebase"
	"rigor/probes"
)

// looped is a capturer whose line "loop" comes behind line "out", by so many
// ticks each time; other lines are the fake's.
type looped struct {
	capturer
	behind []timebase.Ticks
}

func (l looped) Arm(ctx context.Context, s probes.CaptureSpec) (probes.Recording, error) {
	if !slices.Contains(s.Lines, "loop") {
		return l.capturer.Arm(ctx, s)
	}
	f := *l.fake
	f.capture = probes.Capture{Rate: clockHz, Resolution: 1}
	for i := range timebase.Ticks(32) {
		at, high := 1000*i, i%2 == 0
		f.capture.Edges = append(f.capture.Edges, probes.Edge{At: at, Line: "out", High: high},
			probes.Edge{At: at + l.behind[int(i)%len(l.behind)], Line: "loop", High: high})
	}
	return recording{&f}, l.call("self-test")
}

// loopTested is a runner on a station with a loop.
func loopTested(t *testing.T, f *fake, behind ...timebase.Ticks) *Runner {
	t.Helper()
	r := runner(t, f)
	r.Station.Capturer = looped{capturer{f}, behind}
	r.Station.Config.Lines = map[probes.Line]rig.LineConfig{"out": {Drive: true}, "loop": {Loop: "out"}}
	return r
}

// The probe is tested once, and what it cannot tell apart is kept from the
// numbers.
func TestRunnerTestsItsProbe(t *testing.T) {
	f := honest(t)
	r := loopTested(t, f, 2, 2, 5)
	for range 2 {
		if e, err := r.Run(t.Context(), question(t)); err != nil || e.Failed() || e.Measurements[1].Resolution != 3 {
			t.Fatalf("%v, %+v", err, e)
		}
	}
	run, err := record.Load(r.Bundle.Dir())
	if err != nil {
		t.Fatal(err)
	}
	want := record.SelfTest{Board: "fake", Loop: "loop", Report: probes.Report{Rate: clockHz, Resolution: 1, Skew: 2, Spread: 3, N: 32}}
	if !slices.Equal(run.SelfTests, []record.SelfTest{want}) || f.calls["self-test"] != 1 {
		t.Errorf("%+v of %d self-tests, want one %+v", run.SelfTests, f.calls["self-test"], want)
	}
}

// A loop that is broken says nothing about the board.
func TestRunnerStopsAtABrokenProbe(t *testing.T) {
	f := honest(t)
	r := loopTested(t, f, 999_999)
	e, err := r.Run(t.Context(), question(t))
	if err != nil || !slices.Equal(classes(e), []rig.Class{rig.Rig, rig.Rig}) || !strings.Contains(e.Attempts[1].Failure.Message, "self-test of the probe") {
		t.Errorf("%v, %+v", err, e)
	}
}

// faults counts how often they were cleared.
type faults struct{ *fake }

func (f faults) Inject(context.Context, probes.Line, probes.Fault) error { return f.call("inject") }
func (f faults) Clear(context.Context, ...probes.Line) error             { return f.call("clear") }

func TestRunnerClearsFaults(t *testing.T) {
	f, x := honest(t), question(t)
	r := runner(t, f)
	r.Station.Faults = faults{f}
	honestly := x.Stimulate
	x.Stimulate = func(ctx context.Context, b *Bench) (Report, error) {
		if err := b.Faults.Inject(ctx, "out", probes.Fault{Kind: probes.Open}); err != nil {
			return Report{}, err
		}
		return honestly(ctx, b)
	}
	if e, err := r.Run(t.Context(), x); err != nil || e.Failed() || f.calls["clear"] != 1 {
		t.Errorf("%v, %+v, faults cleared %d times", err, e, f.calls["clear"])
	}
	f.fail["inject"] = []error{errCable, errCable}
	if e, err := r.Run(t.Context(), x); err != nil || !slices.Equal(classes(e), []rig.Class{rig.Rig, rig.Rig}) || f.calls["clear"] != 3 {
		t.Errorf("%v, %+v, faults cleared %d times", err, e, f.calls["clear"])
	}
}
