package faults

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// executor runs recoveries on machines, each once.
type executor struct {
	judge   Judge
	horizon func(Flash) bool
	seed    uint64
	keep    int // snapshots

	mu       sync.Mutex
	boots    tree[boot]
	kept     []*boot // whose snapshots are kept, the last one used at the end
	underWay map[unknown]chan struct{}
	booted   int // different boots executed
	executed int // different recoveries executed
}

// worker is a machine and the executor's hold on it.
type worker struct {
	*executor
	m    Machine
	off  any    // a snapshot without power,
	base *state // and what flash held then
}

// recover tells how a device recovers that has this flash content, sound, as the
// power comes on.
func (w *worker) recover(ctx context.Context, s *state) (*recovery, error) {
	for {
		r, b, depth := w.known(s)
		if r != nil {
			return r, nil
		}
		if wait := w.claim(depth); wait != nil {
			<-wait // a run that may answer this one, too
			continue
		}
		err := w.execute(ctx, s, b)
		w.release(depth)
		if err != nil {
			return nil, err
		}
	}
}

// known finds a recovery that has been executed, or else the boot that begins it,
// or else neither.
func (e *executor) known(s *state) (*recovery, *boot, unknown) {
	e.mu.Lock()
	defer e.mu.Unlock()
	b, depth := e.boots.find(s)
	if b == nil {
		return nil, nil, depth
	}
	r, more := b.updates.find(s)
	more.reads += depth.reads + len(b.run.reads)
	return r, b, more
}

func (e *executor) claim(u unknown) chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	if wait := e.underWay[u]; wait != nil {
		return wait
	}
	e.underWay[u] = make(chan struct{})
	return nil
}

func (e *executor) release(u unknown) {
	e.mu.Lock()
	defer e.mu.Unlock()
	close(e.underWay[u])
	delete(e.underWay, u)
}

// execute runs a recovery, from the end of its boot if that is known.
func (w *worker) execute(ctx context.Context, s *state, b *boot) error {
	defer w.m.WatchFlash(nil)
	run, err := w.resume(s, b)
	if err != nil {
		return err
	}
	if run == nil {
		if b, run, err = w.boot(ctx, s); err != nil {
			return err
		}
	}
	r, err := w.update(ctx, b, run)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	known, err := b.updates.insert(run.reads, run.values, r)
	if err != nil {
		return fmt.Errorf("update after %s: %w", b.report, err)
	}
	if known == r {
		w.executed++
	}
	return nil
}

// resume puts the machine where the boot ended, if that is kept.
func (w *worker) resume(s *state, b *boot) (*recorder, error) {
	if b == nil {
		return nil, nil
	}
	snapshot, after := w.use(b)
	if snapshot == nil {
		return nil, nil
	}
	w.m.Restore(snapshot)
	now := s.clone()
	for _, op := range b.run.ops {
		now.apply(op)
	}
	now.put(w.m, after)
	return w.goOn(s, b), nil
}

// boot runs the machine from power-on until it says hello, and leaves it there.
func (w *worker) boot(ctx context.Context, s *state) (*boot, *recorder, error) {
	w.m.Restore(w.off)
	s.put(w.m, w.base)
	run := newRecorder(s)
	w.m.WatchFlash(run)
	w.m.Power(true)
	b := &boot{run: run}
	var err error
	if b.report, err = w.m.Boot(ctx); err != nil {
		return nil, nil, fmt.Errorf("boot: %w", err)
	}
	b.image, b.wrong = w.judge.Booted(seen{w.m, run}, b.report)
	if b.after, err = run.after(w.m); err != nil {
		return nil, nil, fmt.Errorf("boot: %w", err)
	}
	b.snapshot = w.m.Snapshot()
	if b, err = w.learn(b); err != nil {
		return nil, nil, err
	}
	return b, w.goOn(s, b), nil
}

// goOn records what follows a boot of s.
func (w *worker) goOn(s *state, b *boot) *recorder {
	run := b.run.resume(s)
	w.m.WatchFlash(run)
	return run
}

// update runs the machine on through a whole update, if it can take one.
func (w *worker) update(ctx context.Context, b *boot, run *recorder) (*recovery, error) {
	r := &recovery{boot: b}
	if r.takesUpdates() {
		var err error
		if r.outcome, err = w.m.Update(ctx); err != nil {
			return nil, fmt.Errorf("update: %w", err)
		}
		r.image, r.wrong = w.judge.Updated(seen{w.m, run}, r.outcome)
	}
	r.far = w.horizon != nil && w.horizon(seen{w.m, run})
	if _, err := run.after(w.m); err != nil {
		return nil, fmt.Errorf("update: %w", err)
	}
	r.verdict = r.verdictOf(false)
	r.ops = run.ops
	r.depends(run.began.size, slices.Concat(b.run.reads, run.reads))
	return r, nil
}

// learn keeps a boot and its snapshot, or gives back what is known of the same one.
func (w *worker) learn(b *boot) (*boot, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	known, err := w.boots.insert(b.run.reads, b.run.values, b)
	if err != nil {
		return nil, fmt.Errorf("boot: %w", err)
	}
	if known == b {
		w.booted++
	} else if known.snapshot == nil {
		known.snapshot, known.after = b.snapshot, b.after
	}
	w.keepSnapshot(known)
	return known, nil
}

// use gives the snapshot of a boot, if it is kept, and what flash held then.
func (w *worker) use(b *boot) (snapshot any, after *state) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if b.snapshot != nil {
		w.keepSnapshot(b)
	}
	return b.snapshot, b.after
}

// keepSnapshot gives up the snapshot that has not been used for longest.
func (e *executor) keepSnapshot(b *boot) {
	if i := slices.Index(e.kept, b); i >= 0 {
		e.kept = slices.Delete(e.kept, i, i+1)
	}
	e.kept = append(e.kept, b)
	if len(e.kept) > e.keep {
		e.kept[0].snapshot = nil
		e.kept = slices.Delete(e.kept, 0, 1)
	}
}
