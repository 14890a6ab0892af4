package export

import (
	"context"
	"time"

	"rigor/harness/history"
	"rigor/harness/measure"
	"rigor/harness/measure/series"
)

// Recent is the span over which boards and experiments are asked how reliable they are.
const Recent = 30 * 24 * time.Hour

// Fresh is the span in which a change of a figure's level is news.
const Fresh = 7 * 24 * time.Hour

// Trend is a change of a figure's level from run to run.
type Trend struct {
	history.Figure
	history.Change
}

// AddHealth completes a state by what the history knows of boards and experiments.
func (s *State) AddHealth(ctx context.Context, x *history.Index, now time.Time) (err error) {
	if s.Boards, err = x.Boards(ctx, now.Add(-Recent)); err != nil {
		return err
	}
	if s.Experiments, err = x.Experiments(ctx, now.Add(-Recent)); err != nil {
		return err
	}
	return s.addTrends(ctx, x, now.Add(-Fresh))
}

// addTrends finds the figures whose newest change of the median is no older than since.
func (s *State) addTrends(ctx context.Context, x *history.Index, since time.Time) error {
	figures, err := x.Figures(ctx, history.Pattern{})
	if err != nil {
		return err
	}
	all, err := x.SeriesOf(ctx, figures, measure.Median)
	if err != nil {
		return err
	}
	for i, f := range figures {
		cs := history.Changes(f, measure.Median, all[i], series.Options{})
		if n := len(cs); n > 0 && !cs[n-1].Time.Before(since) {
			s.Trends = append(s.Trends, Trend{f, cs[n-1]})
		}
	}
	return nil
}

// addHealth exports counts over a span as gauges: counters would fall when old runs
// are pruned, which Prometheus takes for a restart.
func (m *metrics) addHealth(s State) {
	for _, b := range s.Boards {
		on := []string{b.Rig.Name, b.Rig.Kind, b.Name}
		m.moment(BoardLastSeen, b.LastSeen, on...)
		m.moment(BoardLastAnswer, b.LastOK, on...)
		m.gauge(RecentAttempts, on...).Set(float64(b.Attempts))
		m.gauge(RecentFlashes, on...).Set(float64(b.Flashes))
		m.gauge(RecentFlashFailures, on...).Set(float64(b.FlashFailures))
		for _, c := range classes {
			m.gauge(RecentFailures, with(on, string(c))...).Set(float64(b.Failed(c)))
		}
	}
	for _, e := range s.Experiments {
		on := []string{e.Rig.Name, e.Rig.Kind, e.Suite, e.Name, e.Board}
		m.gauge(RecentAnswers, on...).Set(float64(e.Answered))
		m.gauge(RecentFlakyAnswers, on...).Set(float64(e.Flaky))
	}
	for _, t := range s.Trends {
		k := t.Key
		m.gauge(TrendChange, t.Rig.Name, t.Rig.Kind, k.Suite, k.Experiment, k.Board, clockLabel(k.CoreHz), string(k.Source),
			k.Quantity, string(measure.Median), string(t.Verdict), string(t.Suspect), t.Run).Set(t.Relative)
	}
}

func (m *metrics) moment(name string, t time.Time, labels ...string) {
	if !t.IsZero() {
		m.gauge(name, labels...).Set(float64(t.Unix()))
	}
}
