package harness

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"rigor/harness/profile"
	"rigor/harness/rig"
	"rigor/probes"
)

// counting is a board that tells where cycles went, or why it cannot.
type counting struct {
	rig.Board
	from, to []probes.Line
	err      error
	profiles int // under way
}

func (c *counting) Profile(_ context.Context, from, to []probes.Line) (rig.Profiling, error) {
	c.from, c.to = from, to
	c.profiles++
	return c, c.err
}

func (c *counting) Stop() rig.Profile {
	c.profiles--
	return rig.Profile{Intervals: 3, Cores: []rig.CoreProfile{{Exceptions: 42}}}
}

func TestProfilesAreKept(t *testing.T) {
	f := honest(t)
	r := runner(t, f)
	b := &counting{Board: r.Station.Board}
	r.Station.Board, r.Profile = b, true
	x := question(t)
	if _, err := r.Run(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	e := recorded(t, r)
	p, err := profile.Load(filepath.Join(r.Bundle.Dir(), e.Profile))
	if err != nil {
		t.Fatal(err)
	}
	want := &profile.Profile{Schema: 1, Board: "fake", Suite: x.Suite, Experiment: x.Name, Firmware: x.Image.SHA256, Intervals: 3,
		Functions: []profile.Function{{Name: profile.Exceptions, Cycles: 42}}}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("kept %+v, not %+v", p, want)
	}
	if b.profiles != 0 {
		t.Error("the profile goes on")
	}
}

func TestProfilesThatAreNot(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(*Runner, *Experiment)
		failure string
		warning string
	}{
		"a real board":   {func(r *Runner, _ *Experiment) { r.Station.Board = r.Station.Board.(*counting).Board }, "", "only a simulated board"},
		"other programs": {func(_ *Runner, x *Experiment) { x.Spoils = true }, "", "other programs run than the image"},
		"no capture": {func(r *Runner, _ *Experiment) {
			r.Station.Capturer.(capturer).fail["arm"] = []error{errCable, errCable}
		}, errCable.Error(), ""},
		"a board that cannot": {func(r *Runner, _ *Experiment) { r.Station.Board.(*counting).err = errors.New("it counts already") },
			"it counts already", ""},
	} {
		f := honest(t)
		r, x := runner(t, f), question(t)
		b := &counting{Board: r.Station.Board}
		r.Station.Board, r.Profile = b, true
		c.prepare(r, &x)
		if _, err := r.Run(t.Context(), x); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		e := recorded(t, r)
		if e.Profile != "" || !strings.Contains(strings.Join(e.Warnings, "\n"), c.warning) {
			t.Errorf("%s: profile %q, warnings %q", name, e.Profile, e.Warnings)
		}
		if c.failure != "" && (!e.Failed() || !strings.Contains(e.Attempts[0].Failure.Message, c.failure)) {
			t.Errorf("%s: attempts %+v", name, e.Attempts)
		}
		if b.err == nil && b.profiles != 0 {
			t.Errorf("%s: the profile goes on", name)
		}
	}
}

// TestIntervals: those between marks, if both are watched.
func TestIntervals(t *testing.T) {
	for _, c := range []struct{ watched, from, to []probes.Line }{
		{[]probes.Line{"mark-start", "mark-end", "running", "stimulus"}, []probes.Line{"stimulus", "mark-start"}, []probes.Line{"mark-end"}},
		{[]probes.Line{"timer", "mark-start", "mark-end"}, []probes.Line{"timer", "mark-start"}, []probes.Line{"mark-end"}},
		{[]probes.Line{"mark-start", "running"}, nil, nil},
		{[]probes.Line{"console-tx"}, nil, nil},
	} {
		from, to := intervals(c.watched)
		if !reflect.DeepEqual(from, c.from) || !reflect.DeepEqual(to, c.to) {
			t.Errorf("%v: from %v to %v, not from %v to %v", c.watched, from, to, c.from, c.to)
		}
	}
}
