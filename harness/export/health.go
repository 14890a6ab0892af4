package export

import (
	"context"
	"time"

	"rigor/harness/history"
)

// Recent is the span over which boards and experiments are asked how reliable they are.
const Recent = 30 * 24 * time.Hour

// AddHealth completes a state by what the history knows of boards and experiments.
func (s *State) AddHealth(ctx context.Context, x *history.Index, now time.Time) (err error) {
	if s.Boards, err = x.Boards(ctx, now.Add(-Recent)); err != nil {
		return err
	}
	s.Experiments, err = x.Experiments(ctx, now.Add(-Recent))
	return err
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
}

func (m *metrics) moment(name string, t time.Time, labels ...string) {
	if !t.IsZero() {
		m.gauge(name, labels...).Set(float64(t.Unix()))
	}
}
