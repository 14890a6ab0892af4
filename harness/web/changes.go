package web

import (
	"context"
	"slices"
	"time"

	"rigor/harness/history"
	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/measure"
	"rigor/harness/measure/series"
)

// turn is a run with which figures changed: what a reader asks for is the run, for what came into it is
// the reason of all of them.
type turn struct {
	Run, LastRun string // the first of the new level, and the last of the old
	Rig          string
	Time         time.Time
	Figures      []turned // the worst first
	Worse        int
	Better       int
	Different    int
	Suspect      string
}

// turned is a figure that changed.
type turned struct {
	Name, Board, Link, Relative, Look string
	verdict                           change.Verdict
}

const (
	mostTurns  = 6 // that the overview shows
	mostTurned = 4 // figures of each

	patience = 10 * time.Second // for which an answer of turns stands whatever comes
)

// turns are the runs of late with which figures changed, the newest first. They are worked out anew
// when the index changed, but not all the time while a run adds to it.
func (s *site) turns(ctx context.Context) ([]turn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known.changed == s.changed || s.known.changed > 0 && s.Now().Sub(s.known.at) < patience {
		return s.known.turns, nil
	}
	changed := s.changed
	all, err := s.findTurns(ctx)
	if err == nil {
		s.known.turns, s.known.changed, s.known.at = all, changed, s.Now()
	}
	return all, err
}

func (s *site) findTurns(ctx context.Context) (all []turn, err error) {
	figures, err := s.History.Figures(ctx, history.Pattern{})
	if err != nil {
		return nil, err
	}
	series, err := s.History.SeriesOf(ctx, figures, measure.Median)
	if err != nil {
		return nil, err
	}
	for i, f := range figures {
		for _, c := range changesOf(f, measure.Median, series[i]) {
			if s.Now().Sub(c.Time) < window {
				all = note(all, f, c)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b turn) int { return b.Time.Compare(a.Time) })
	for _, t := range all {
		slices.SortStableFunc(t.Figures, func(a, b turned) int { return slices.Index(severity, a.verdict) - slices.Index(severity, b.verdict) })
	}
	return all[:min(len(all), mostTurns)], nil
}

// changesOf are the change points of a figure.
func changesOf(f history.Figure, st measure.Statistic, points []history.Point) []history.Change {
	return history.Changes(f, st, points, series.Options{})
}

// note counts a change with the others of the same run.
func note(all []turn, f history.Figure, c history.Change) []turn {
	i := slices.IndexFunc(all, func(t turn) bool { return t.Run == c.Run })
	if i < 0 {
		i = len(all)
		all = append(all, turn{Run: c.Run, LastRun: c.LastRun, Rig: f.Rig.Name, Time: c.Time, Suspect: string(c.Suspect)})
	}
	t := &all[i]
	switch c.Verdict {
	case change.Worse:
		t.Worse++
	case change.Better:
		t.Better++
	default:
		t.Different++
	}
	t.Figures = append(t.Figures, turned{f.Quantity, f.Board, figureLink(f.Rig.Name, judge.Key(f.Key)), moved(c), changeLooks[c.Verdict], c.Verdict})
	return all
}

// First are the figures that are named; Rest is how many more there are.
func (t turn) First() []turned { return t.Figures[:min(len(t.Figures), mostTurned)] }
func (t turn) Rest() int       { return max(0, len(t.Figures)-mostTurned) }

// Compare leads to the two runs about it.
func (t turn) Compare() string { return link("/compare", "a", t.LastRun, "b", t.Run) }
