package harness

import (
	"context"
	"errors"
	"time"

	"rigor/harness/record"
	"rigor/harness/rig"
)

// Tries is how often an experiment is tried when the rig fails. Every other
// failure is an answer, and final.
const Tries = 2

// try asks until there is an answer, and keeps every attempt. What the rig cannot
// ask is skipped.
func (r *Runner) try(ctx context.Context, e *record.Experiment, ask func() error) {
	for len(e.Attempts) < Tries {
		started := time.Now()
		r.phases = nil
		err := ask()
		if missing := (*rig.MissingError)(nil); errors.As(err, &missing) {
			e.Skipped = missing.Error()
			return
		}
		if err != nil {
			r.flashed = onBoard{} // who knows what is on the board now
		}
		e.Attempts = append(e.Attempts, r.attempt(started, err))
		if err == nil || rig.ClassOf(err) != rig.Rig || ctx.Err() != nil {
			return
		}
	}
}

func (r *Runner) attempt(started time.Time, err error) record.Attempt {
	a := record.Attempt{Started: started.UTC(), Took: time.Since(started), Phases: r.phases}
	if err != nil {
		a.Failure = &record.Failure{Class: rig.ClassOf(err), Message: err.Error()}
	}
	return a
}

// phase begins a part of the attempt, which done ends.
func (r *Runner) phase(name string) (done func()) {
	started := time.Now()
	return func() {
		r.phases = append(r.phases, record.Phase{Name: name, Took: time.Since(started)})
	}
}
