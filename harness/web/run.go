package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"

	"rigor/harness/history"
	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/measure"
	"rigor/harness/record"
	"rigor/harness/report"
)

// runPage is one run.
type runPage struct {
	*record.Run
	Name, Word, Look string // how it ended
	Alive            bool   // it has not
	Progress         progress
	Previous         string // the rig's run before, if there is one
	Findings         []finding
	Suites           []suiteView
	Files            []folder
}

// finding is something to look at first.
type finding struct{ Look, Kind, Where, Text string }

// suiteView is what a suite found on all boards.
type suiteView struct {
	Name     string
	Blocking int
	Compared bool // something is to be said against the baseline
	Rows     []row
}

// row is a measurement, or an experiment without any.
type row struct {
	Suite, Experiment, Board string
	Outcome, OutcomeLook     string // of an experiment without measurements
	Quantity, Source         string
	N                        int
	Median, Range, Unit      string
	Time                     string // the median as a time, if it is one
	Verdict, Look            string
	Change, ChangeLook       string // against the baseline
	Reason                   string // of the change's verdict
	Trend                    string // the link
}

func (s *site) run(w http.ResponseWriter, req *http.Request) error {
	ctx, name := req.Context(), req.PathValue("run")
	bundle, err := s.bundle(name)
	if err != nil {
		return err
	}
	defer bundle.Close()
	r, err := record.Load(filepath.Join(s.Runs, name))
	if err != nil {
		return missingRun(err)
	}
	if err := s.sync(ctx); err != nil {
		return err
	}
	page := runPage{Run: r, Name: name, Findings: findings(r), Suites: suiteViews(r)}
	if r.Status == record.Running {
		page.Alive, page.Progress = record.Alive(filepath.Join(s.Runs, name)), s.progress(name)
	}
	page.Word, page.Look = verdict(r, page.Alive)
	if page.Previous, err = s.previous(ctx, r); err != nil {
		return err
	}
	if page.Files, err = list(bundle); err != nil {
		return err
	}
	return s.show(w, http.StatusOK, "run.html", frame{name, "runs", page})
}

// missingRun tells a folder that holds no run from a run that can't be read.
func missingRun(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errors.Join(errNotFound, err)
	}
	return err
}

// verdict is how a run ended in a word, and the word's look.
func verdict(r *record.Run, alive bool) (word, look string) {
	switch {
	case alive:
		return "running", "warn"
	case r.Blocking() > 0 || r.Status == record.Failed:
		return "fail", "bad"
	case r.Status != record.Complete:
		return "incomplete", "warn"
	}
	return "pass", "good"
}

// previous is the rig's run before.
func (s *site) previous(ctx context.Context, r *record.Run) (string, error) {
	before, err := s.History.Runs(ctx, history.Filter{Rig: r.Rig.Name, Until: r.Started, Limit: 1})
	if err != nil || len(before) == 0 {
		return "", err
	}
	return before[0].Name, nil
}

// findings are the report's, then what else a reader should know of.
func findings(r *record.Run) (all []finding) {
	for _, f := range report.Findings(r) {
		o := finding{"warn", cmp.Or(string(f.Class), "worse"), f.Where, f.What}
		if f.Why != "" {
			o.Text += ". " + f.Why
		}
		switch {
		case f.Fails:
			o.Look, o.Kind = "bad", cmp.Or(string(f.Class), "fails")
		case f.Quarantine != "":
			o.Kind, o.Text = "quarantine", o.Text+". In quarantine: "+f.Quarantine
		}
		all = append(all, o)
	}
	for _, e := range r.Experiments {
		where := e.Suite + "/" + e.Name + " on " + e.Board
		for i, a := range e.Attempts[:max(0, len(e.Attempts)-1)] {
			if a.Failure != nil {
				all = append(all, finding{"warn", "tried again", where, fmt.Sprintf("Attempt %d: [%s] %s", i+1, a.Failure.Class, a.Failure.Message)})
			}
		}
		if e.Skipped != "" {
			all = append(all, finding{"", "skipped", where, e.Skipped})
		}
	}
	for _, text := range r.Warnings {
		all = append(all, finding{"warn", "note", "the run", text})
	}
	return all
}

// suiteViews groups what was measured by suites.
func suiteViews(r *record.Run) (all []suiteView) {
	for _, e := range r.Experiments {
		if len(all) == 0 || all[len(all)-1].Name != e.Suite {
			all = append(all, suiteView{Name: e.Suite})
		}
		v := &all[len(all)-1]
		if !e.Quarantined() {
			v.Blocking += e.Findings()
		}
		for _, m := range e.Measurements {
			v.Rows = append(v.Rows, measured(r, e, m))
			v.Compared = v.Compared || v.Rows[len(v.Rows)-1].Change != ""
		}
		if len(e.Measurements) == 0 {
			v.Rows = append(v.Rows, unmeasured(e))
		}
	}
	return all
}

func unmeasured(e record.Experiment) row {
	look := map[record.Outcome]string{record.Answered: "good", record.Broken: "bad"}[e.Outcome()]
	return row{Suite: e.Suite, Experiment: e.Name, Board: e.Board, Outcome: string(e.Outcome()), OutcomeLook: look}
}

func measured(r *record.Run, e record.Experiment, m record.Measurement) row {
	o := row{Suite: e.Suite, Experiment: e.Name, Board: e.Board, Quantity: m.Quantity, Source: string(m.Source), N: m.Summary.N, Unit: string(m.Unit)}
	o.Verdict, o.Look = verdicts(m.Verdicts)
	if c := m.Change; c != nil && c.Verdict != change.Same {
		o.Change, o.ChangeLook, o.Reason = string(c.Verdict), changeLooks[c.Verdict], c.Reason
	}
	if s := m.Summary; s.N > 0 {
		o.Median = grouped(s.Median.Value)
		if s.Min != s.Max {
			o.Range = grouped(s.Min) + " … " + grouped(s.Max)
		}
		if t, ok := measure.Seconds(s.Median.Value, m.Unit, m.ClockHz); ok {
			o.Time = report.Time(t)
		}
		o.Trend = figureLink(r.Rig.Name, judge.Key{Suite: e.Suite, Experiment: e.Name, Board: e.Board, Quantity: m.Quantity, Source: m.Source, CoreHz: m.CoreHz})
	}
	return o
}

// verdicts are a measurement's in words, and the look of the worst.
func verdicts(all []judge.Verdict) (text, look string) {
	var words []string
	for _, v := range all {
		if v.Reason == judge.NoLimit {
			continue
		}
		text := v.Outcome.String() + " " + v.Limit
		if v.Outcome != judge.Pass {
			text += ": " + v.Reason
		}
		words = append(words, text)
		switch {
		case v.Blocks():
			look = "bad"
		case v.Outcome == judge.Unset && look != "bad":
			look = "warn"
		case look == "":
			look = "good"
		}
	}
	return strings.Join(words, ", "), look
}

// follow streams the progress of a run.
func (s *site) follow(w http.ResponseWriter, req *http.Request) error {
	name := req.PathValue("run")
	bundle, err := s.bundle(name)
	if err != nil {
		return err
	}
	defer bundle.Close()
	return s.stream(w, req, func() (string, bool, error) {
		r, err := record.Load(filepath.Join(s.Runs, name))
		if err != nil {
			return "", false, err
		}
		html, err := fragment("run.html", "progress", s.progress(name))
		return html, r.Status != record.Running || !record.Alive(filepath.Join(s.Runs, name)), err
	})
}
