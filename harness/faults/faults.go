package faults

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rigor/harness/sim/board"
)

// Area is a part of flash.
type Area struct {
	Name      string
	Off, Size uint32
	// Trusted areas are what the proof rests on: their bits are not flipped.
	Trusted bool
}

// Config says what to explore.
type Config struct {
	// Machines are all alike, without power, the old image and nothing else in
	// flash. Each is used by one goroutine.
	Machines []Machine
	Judge    Judge
	Areas    []Area
	First    Model // of a first cut
	Again    Model // of those that follow
	Frail    Model // of those that follow while there are marginal cells
	// Samples is how many operations of an area, or bits, are tried with each of the
	// faults that are not cuts; 0: none.
	Samples int
	Resets  []board.ResetKind // tried besides: those that keep RAM
	Seed    uint64
	Depth   int // how many cuts may follow each other; 0: until nothing new comes
	// Horizon tells from flash, after a recovery, that it need not be cut itself:
	// an update that begins anew with other numbers may do so for ever. May be nil.
	Horizon func(Flash) bool
	// Snapshots is how many are kept; 0: 256.
	Snapshots int
	// Recheck is how many points, chosen by the seed, are executed for themselves, to
	// see whether what was concluded for them is so.
	Recheck int
	// Now is a clock that only tells how long it took; Progress is told what there
	// is after every level. Both may be nil.
	Now      func() time.Time
	Progress func(Result)
}

// Explore tries everything. An error is the harness's, or a machine's that is not
// fit for this; what the device does wrong is in the result.
func Explore(ctx context.Context, c Config) (*Result, error) {
	e, root, err := start(ctx, &c)
	if err != nil {
		return nil, err
	}
	defer e.finish()
	defer e.dismiss()
	if err := e.explore(ctx, root); err != nil {
		return nil, err
	}
	if e.result.Failed == 0 {
		err = errors.Join(e.disturb(ctx, root), e.recheck(ctx))
	}
	for i := range e.result.Failures {
		e.shrink(ctx, &e.result.Failures[i])
	}
	return e.result, err
}

func (c *Config) clock() time.Time {
	if c.Now == nil {
		return time.Time{}
	}
	return c.Now()
}

// start looks at the machines and does the update without faults.
func start(ctx context.Context, c *Config) (*explorer, *class, error) {
	e := &explorer{config: c, families: map[kinship]*kin{}, began: c.clock(), executor: &executor{
		judge: c.Judge, horizon: c.Horizon, seed: c.Seed, keep: c.Snapshots, underWay: map[unknown]chan struct{}{},
	}}
	if e.keep == 0 {
		e.keep = 256
	}
	if err := e.employ(c.Machines); err != nil {
		return nil, nil, err
	}
	base := e.workers[0].base
	r, err := e.workers[0].recover(ctx, base)
	if err != nil {
		return nil, nil, err
	}
	e.update = r
	return e, &class{key: e.keyOf(base, []*recovery{r}, 0), start: base}, happened(r)
}

// employ makes workers of machines, which must be alike.
func (e *explorer) employ(machines []Machine) error {
	if len(machines) == 0 {
		return errors.New("explore: no machine")
	}
	for i, m := range machines {
		w := &worker{executor: e.executor, m: m, off: m.Snapshot(), base: capture(m).share()}
		if i > 0 && !w.base.equal(e.workers[0].base) {
			return fmt.Errorf("explore: machine %d has something else in flash than machine 0", i)
		}
		if i > 0 {
			w.base = e.workers[0].base
		}
		e.workers = append(e.workers, w)
	}
	return nil
}

// dismiss leaves the machines as they were.
func (e *explorer) dismiss() {
	for _, w := range e.workers {
		w.m.Restore(w.off)
	}
}

// happened makes sure that there is something to be proved: a suite would also pass
// if no update ever happened.
func happened(r *recovery) error {
	switch err := r.check(false); {
	case err != nil:
		return fmt.Errorf("the update without faults: %w", err)
	case r.boot.image != Old:
		return fmt.Errorf("the device runs the %s image before the update", r.boot.image)
	case len(r.ops) == len(r.boot.run.ops):
		return errors.New("the update without faults changes nothing in flash")
	}
	return nil
}

// begin makes a new result.
func (e *explorer) begin() {
	splits := 0
	if e.result != nil {
		splits = e.result.Splits
	}
	e.result = &Result{Splits: splits, Others: map[Kind][numVerdicts]int{}}
	e.classes, e.order = map[key]*class{}, nil
	e.states, e.visits = map[uint64]bool{}, map[uint64]bool{}
	e.touched = newWords(e.workers[0].base.size)
	for _, op := range e.update.ops {
		e.result.Timeline = append(e.result.Timeline, Point{
			Start: op.Start, End: op.End, Area: e.config.area(op.Off), Erase: op.Erase, Off: op.Off, Len: op.Len,
		})
	}
}

// model is that of cuts after a number of others.
func (c *Config) model(depth int, frail bool) Model {
	switch {
	case depth == 0:
		return c.First
	case frail:
		return c.Frail
	}
	return c.Again
}

// area names the one that an offset lies in.
func (c *Config) area(off uint32) string {
	for _, a := range c.Areas {
		if off >= a.Off && off-a.Off < a.Size {
			return a.Name
		}
	}
	return ""
}

// finish completes the figures.
func (e *explorer) finish() {
	e.result.Boots, e.result.Executed = e.booted, e.executed
	e.result.States, e.result.Elapsed = len(e.states), e.config.clock().Sub(e.began)
}
