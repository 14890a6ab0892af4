package faults

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"rigor/harness/sim/board"
)

// disturb tries the faults that are not cuts, each in the update without other
// faults, and what a device makes of them after it was switched off and on again. It
// ends at the first that goes wrong.
func (e *explorer) disturb(ctx context.Context, root *class) error {
	all := e.disturbances()
	verdicts, errs, broken := make([]Verdict, len(all)), make([]error, len(all)), make([]error, len(all))
	var done lowest // nothing after the first counterexample matters
	done.Store(int64(len(all)))
	e.parallel(len(all), func(w *worker, i int) {
		if int64(i) > done.Load() {
			return
		}
		verdicts[i] = RunsOld
		var r *recovery
		r, broken[i], errs[i] = w.disturbed(ctx, root.start, e.update, all[i])
		if r != nil {
			verdicts[i] = r.verdictOf(all[i].Kind == Flip)
		}
		if broken[i] != nil {
			verdicts[i] = Fails
			done.lower(int64(i))
		}
	})
	for i, f := range all {
		if errs[i] != nil {
			return fmt.Errorf("%s: %w", f, errs[i])
		}
		n := e.result.Others[f.Kind]
		n[verdicts[i]]++
		e.result.Others[f.Kind] = n
		if broken[i] != nil {
			e.result.fail(Sequence{f}, broken[i])
			break
		}
	}
	return nil
}

// lowest is the lowest of some numbers.
type lowest struct{ atomic.Int64 }

func (l *lowest) lower(n int64) {
	for was := l.Load(); n < was && !l.CompareAndSwap(was, n); was = l.Load() {
	}
}

// parallel calls f with the numbers below n, on every worker's goroutine.
func (e *explorer) parallel(n int, f func(w *worker, i int)) {
	var group sync.WaitGroup
	next := make(chan int)
	for _, w := range e.workers {
		group.Go(func() {
			for i := range next {
				f(w, i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	group.Wait()
}

// disturbances are what to try, area by area.
func (e *explorer) disturbances() (all []Fault) {
	random := e.seed
	below := func(n int) int {
		random = mix(random)
		return int(random % uint64(n))
	}
	for _, a := range e.config.Areas {
		for _, op := range e.sampled(a, below) {
			at := Fault{Op: op, Erase: e.update.ops[op].Erase}
			for _, k := range []Kind{Drop, Partial, Refuse} {
				at.Kind = k
				all = append(all, at)
			}
			for _, by := range e.config.Resets {
				all = append(all, Fault{Kind: Reset, Op: op, By: by})
			}
		}
		for range e.config.Samples {
			if a.Trusted {
				break
			}
			all = append(all, Fault{
				Kind: Flip, Op: below(len(e.update.ops) + 1), Off: a.Off + uint32(below(int(a.Size))), Bit: uint8(below(8)),
			})
		}
	}
	return all
}

// sampled are operations in an area: all, or as many as are wanted, one of each
// stretch of as many.
func (e *explorer) sampled(a Area, below func(int) int) (ops []int) {
	for i, op := range e.update.ops {
		if op.Off >= a.Off && op.Off-a.Off < a.Size {
			ops = append(ops, i)
		}
	}
	n := e.config.Samples
	if len(ops) <= n {
		return ops
	}
	chosen := make([]int, n)
	for i := range chosen {
		from, to := i*len(ops)/n, (i+1)*len(ops)/n
		chosen[i] = ops[from+below(to-from)]
	}
	return chosen
}

// disturbed does the update with a fault, and then recovers. Broken is what
// should not have happened.
func (w *worker) disturbed(ctx context.Context, base *state, update *recovery, f Fault) (r *recovery, broken, err error) {
	if f.Op > len(update.ops) || f.Kind != Flip && f.Op == len(update.ops) {
		return nil, nil, fmt.Errorf("the update has %d operations", len(update.ops))
	}
	var after *state
	if f.Kind == Flip {
		after = base.before(update.ops, f.Op)
		i := f.Off / wordBytes
		after.set(i, after.cells.word(i)^1<<(f.Off%wordBytes*8+uint32(f.Bit)), 0)
	} else if after, broken, err = w.spoil(ctx, base, update, f); err != nil {
		return nil, nil, err
	}
	if r, err = w.recover(ctx, after.share()); err == nil && broken == nil {
		broken = r.check(f.Kind == Flip)
	}
	return r, broken, err
}

// before is the state before an operation.
func (s *state) before(ops []board.FlashOp, n int) *state {
	c := s.clone()
	for _, op := range ops[:n] {
		c.apply(op)
	}
	return c
}

// spoil does the update with a fault in an operation, or a reset in the middle of
// it, and gives back what flash holds then.
func (w *worker) spoil(ctx context.Context, base *state, update *recovery, f Fault) (after *state, broken, err error) {
	defer w.m.FailFlash(nil)
	w.m.Restore(w.off)
	base.put(w.m, w.base)
	n := -1
	w.m.FailFlash(func(op board.FlashOp) board.FlashFault {
		n++
		if n != f.Op {
			return board.FlashFault{}
		}
		return f.flashFault(op, w.seed)
	})
	if f.Kind == Reset {
		op := update.ops[f.Op]
		w.m.ResetAt(op.Start+(op.End-op.Start)/2, f.By)
	}
	w.m.Power(true)
	if _, err = w.m.Boot(ctx); err != nil {
		return nil, nil, fmt.Errorf("boot: %w", err)
	}
	o, err := w.m.Update(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("update: %w", err)
	}
	return base.changed(w.m), w.spoiled(f, o), nil
}

// spoiled judges an update in which something went wrong. A device cannot know that
// a write was dropped which it did not read, so that it may report what is not so
// until it is switched off, but not that it is done; a reset is no excuse.
func (w *worker) spoiled(f Fault, o Outcome) error {
	image, wrong := w.judge.Updated(w.m, o)
	switch {
	case image != Old && image != New:
		return fmt.Errorf("the image %q runs (%s)", image, o.Report)
	case wrong != nil && (o.Done || f.Kind == Reset):
		return wrong
	case !o.Done && f.Kind == Reset:
		return fmt.Errorf("no update completes, in %d pushes: %s", o.Pushes, o.Err)
	}
	return nil
}

// flashFault is what the machine is to do.
func (f Fault) flashFault(op board.FlashOp, seed uint64) board.FlashFault {
	switch f.Kind {
	case Drop:
		return board.FlashFault{Kind: board.FlashDropped}
	case Refuse:
		return board.FlashFault{Kind: board.FlashRefused}
	case Partial:
		mask := make([]byte, op.Len)
		for i := range mask {
			at := op.Off + uint32(i)
			mask[i] = byte(pattern(seed, 0, at/wordBytes) >> (at % wordBytes * 8))
		}
		return board.FlashFault{Kind: board.FlashPartial, Mask: mask}
	}
	return board.FlashFault{}
}

// changed is what a device's flash holds now, as a change of s.
func (s *state) changed(f Flash) *state {
	c, now := s.clone(), capture(f)
	for n := range now.cells.pages {
		if *now.cells.pages[n] == *c.cells.pages[n] {
			continue
		}
		for i := uint32(n * pageWords); i < uint32((n+1)*pageWords); i++ {
			c.set(i, now.cells.word(i), 0)
		}
	}
	return c
}
