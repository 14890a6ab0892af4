package faults

import (
	"context"
	"fmt"
	"time"
)

// Rig is a device whose flash nobody sees, and whose supply can be cut at any time
// but not within a given operation: a board on a bench.
type Rig interface {
	// Prepare puts the old image back, runs it, and gives how long an update takes.
	Prepare(ctx context.Context) (update time.Duration, err error)
	// CutAfter has the supply fail after a while.
	CutAfter(ctx context.Context, d time.Duration) error
	// Boot switches the supply off, and on again, and waits for hello.
	Boot(ctx context.Context) (Report, error)
	// Update is that of a Machine. When the supply fails it returns.
	Update(ctx context.Context) (Outcome, error)
}

// Sample cuts n updates after times that the seed chooses, and judges what the device
// reports afterwards by the judge's own rules, without flash.
func Sample(ctx context.Context, r Rig, j Judge, n int, seed uint64) (*Samples, error) {
	s := &Samples{}
	for i := range n {
		whole, err := r.Prepare(ctx)
		if err != nil {
			return s, fmt.Errorf("prepare cut %d: %w", i, err)
		}
		after := time.Duration(mix(seed+uint64(i)) % uint64(max(whole, 1)))
		v, wrong, err := sample(ctx, r, j, after)
		if err != nil {
			return s, fmt.Errorf("cut %d, after %v: %w", i, after, err)
		}
		s.Cuts[v]++
		if wrong != nil {
			s.Failures = append(s.Failures, fmt.Errorf("cut after %v: %w", after, wrong))
		}
	}
	return s, nil
}

// Samples is what came of random cuts.
type Samples struct {
	Cuts     [numVerdicts]int // by verdict
	Failures []error
}

// sample cuts one update.
func sample(ctx context.Context, r Rig, j Judge, after time.Duration) (v Verdict, wrong, err error) {
	if err = r.CutAfter(ctx, after); err != nil {
		return Fails, nil, err
	}
	if _, err = r.Update(ctx); err != nil {
		return Fails, nil, err
	}
	b := &boot{}
	if b.report, err = r.Boot(ctx); err != nil {
		return Fails, nil, err
	}
	b.image, b.wrong = j.Booted(nil, b.report)
	done := &recovery{boot: b}
	if done.takesUpdates() {
		if done.outcome, err = r.Update(ctx); err != nil {
			return Fails, nil, err
		}
		done.image, done.wrong = j.Updated(nil, done.outcome)
	}
	return done.verdictOf(false), done.check(false), nil
}
