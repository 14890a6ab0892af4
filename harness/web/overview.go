package web

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rigor/harness/history"
	"rigor/harness/record"
)

const (
	window = 30 * 24 * time.Hour // that health is told of
	strip  = 40                  // runs of a rig that are shown at a glance
	recent = 8                   // runs in the overview's table
	lately = 7                   // runs of a board in which it must not have been flaky to be well
)

// overview is the front page: what is going on, how rigs and boards are, what ran last.
type overview struct {
	Now    now
	Rigs   []rigView
	Turns  []turn
	Flaky  []history.Experiment
	Recent []history.Run
	Window int // days
}

// rigView is a rig with its boards.
type rigView struct {
	record.Rig
	Runs   []history.Run // the last ones, oldest first
	Boards []boardView
}

// Last is the newest run that ended, if there is one.
func (v rigView) Last() history.Run {
	for _, r := range slices.Backward(v.Runs) {
		if r.Status != record.Running {
			return r
		}
	}
	return v.Runs[len(v.Runs)-1]
}

// boardView is a board with its health in a word, and the word's look.
type boardView struct {
	history.Board
	Health, Look string
}

func (s *site) overview(w http.ResponseWriter, req *http.Request) error {
	ctx := req.Context()
	if err := s.sync(ctx); err != nil {
		return err
	}
	page := overview{Window: int(window / (24 * time.Hour))}
	var err error
	if page.Now, err = s.now(ctx); err != nil {
		return err
	}
	if page.Rigs, err = s.rigs(ctx); err != nil {
		return err
	}
	if page.Turns, err = s.turns(ctx); err != nil {
		return err
	}
	if page.Flaky, err = s.flaky(ctx); err != nil {
		return err
	}
	if page.Recent, err = s.History.Runs(ctx, history.Filter{Limit: recent}); err != nil {
		return err
	}
	return s.show(w, http.StatusOK, "overview.html", frame{"Overview", "overview", page})
}

// flaky are the experiments that were answered only when asked again, the worst first.
func (s *site) flaky(ctx context.Context) ([]history.Experiment, error) {
	all, err := s.History.Experiments(ctx, s.Now().Add(-window))
	all = slices.DeleteFunc(all, func(e history.Experiment) bool { return e.Flaky == 0 })
	slices.SortStableFunc(all, func(a, b history.Experiment) int { return cmp.Compare(b.FlakeRate(), a.FlakeRate()) })
	return all[:min(len(all), recent)], err
}

// rigs gives every rig that ran, and of rigs.yaml those that did not yet.
func (s *site) rigs(ctx context.Context) (all []rigView, err error) {
	boards, err := s.History.Boards(ctx, s.Now().Add(-window))
	if err != nil {
		return nil, err
	}
	at := func(r record.Rig) *rigView {
		i := slices.IndexFunc(all, func(v rigView) bool { return v.Rig == r })
		if i < 0 {
			i, all = len(all), append(all, rigView{Rig: r})
		}
		return &all[i]
	}
	for _, b := range boards {
		v := at(b.Rig)
		v.Boards = append(v.Boards, s.boardView(b))
	}
	for _, b := range s.configured() {
		v := at(b.Rig)
		if !slices.ContainsFunc(v.Boards, func(o boardView) bool { return o.Name == b.Name }) {
			v.Boards = append(v.Boards, s.boardView(b))
		}
	}
	for i := range all {
		if all[i].Runs, err = s.History.Runs(ctx, history.Filter{Rig: all[i].Name, Limit: strip}); err != nil {
			return nil, err
		}
		slices.Reverse(all[i].Runs)
	}
	return all, nil
}

// configured are the boards of rigs.yaml. A file that cannot be read is told of in the log: what ran is
// shown all the same.
func (s *site) configured() (all []history.Board) {
	c, err := s.Rigs()
	if err != nil {
		s.Log.Print(err)
		return nil
	}
	for name, r := range c.Rigs {
		for _, b := range r.Boards {
			all = append(all, history.Board{Rig: record.Rig{Name: name, Kind: string(r.Kind)}, Name: b.Name, Chip: b.Chip})
		}
	}
	slices.SortFunc(all, func(a, b history.Board) int { return strings.Compare(a.Rig.Name+"\n"+a.Name, b.Rig.Name+"\n"+b.Name) })
	return all
}

// boardView sums up a board's health.
func (s *site) boardView(b history.Board) boardView {
	v := boardView{b, "answers", "good"}
	switch {
	case b.LastSeen.IsZero():
		v.Health, v.Look = "not seen", ""
	case b.Failing != "":
		v.Health, v.Look = "failing", "bad"
	case slices.ContainsFunc(b.Recent[max(0, len(b.Recent)-lately):], func(r history.Recent) bool { return r.State == history.StateFlaky }):
		v.Health, v.Look = "flaky", "warn"
	}
	return v
}

// now is what is going on.
type now struct {
	Running []underway
	State   string // what a stream compares, to tell when there is more to see than progress
}

// underway is a run that has not ended.
type underway struct {
	Name     string
	Rig      record.Rig
	Progress progress
}

// now looks for runs that are under way.
func (s *site) now(ctx context.Context) (n now, err error) {
	running, err := s.History.Runs(ctx, history.Filter{Status: record.Running})
	if err != nil {
		return n, err
	}
	last, err := s.History.Runs(ctx, history.Filter{Limit: 1})
	if err != nil {
		return n, err
	}
	var names []string
	for _, r := range append(last, running...) {
		names = append(names, fmt.Sprint(r.Name, " ", r.Status))
	}
	for _, r := range running {
		if record.Alive(filepath.Join(s.Runs, r.Name)) {
			n.Running = append(n.Running, underway{r.Name, r.Rig, s.progress(r.Name)})
			names = append(names, "alive")
		}
	}
	n.State = fmt.Sprintf("%.8x", sha256.Sum256([]byte(strings.Join(names, "\n"))))
	return n, nil
}

// watch streams what is going on.
func (s *site) watch(w http.ResponseWriter, req *http.Request) error {
	seen := req.URL.Query().Get("seen")
	return s.stream(w, req, func() (string, bool, error) {
		if err := s.sync(req.Context()); err != nil {
			return "", false, err
		}
		n, err := s.now(req.Context())
		if err != nil {
			return "", false, err
		}
		html, err := fragment("overview.html", "running", n)
		return html, n.State != seen, err
	})
}

// sync takes into the index what changed among the bundles, if the last look at them was not just now.
func (s *site) sync(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Now().Sub(s.synced) < time.Second {
		return nil
	}
	found, err := s.History.Sync(ctx, s.Runs)
	if err != nil {
		return err
	}
	if s.synced.IsZero() || found.Added+found.Updated+found.Removed > 0 {
		s.changed++
	}
	s.synced = s.Now()
	return nil
}
