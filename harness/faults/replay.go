package faults

import (
	"context"
	"fmt"
	"reflect"
	"slices"
)

// Replay does a sequence of faults, in text, step by step. A *Failure is what the
// device does wrong.
func Replay(ctx context.Context, c Config, text string) error {
	faults, err := ParseSequence(text)
	if err != nil {
		return err
	}
	e, _, err := start(ctx, &c)
	if err != nil {
		return err
	}
	defer e.dismiss()
	broken, err := e.workers[0].replay(ctx, e.update, faults)
	if err == nil && broken != nil {
		err = &Failure{Faults: faults, Err: broken}
	}
	return err
}

// replay does a sequence of faults and tells what is wrong after one of them.
func (w *worker) replay(ctx context.Context, update *recovery, faults Sequence) (broken, err error) {
	s, r := w.base, update
	for i, f := range faults {
		if f.Kind != Cut {
			if i > 0 || len(faults) > 1 {
				return nil, fmt.Errorf("%s: only cuts follow each other", f)
			}
			_, broken, err = w.disturbed(ctx, s, update, f)
			return broken, err
		}
		if s, err = s.after(f, r, w.seed); err != nil {
			return nil, err
		}
		was := r
		if r, err = w.recover(ctx, s.read(f.Next, w.seed)); err != nil {
			return nil, err
		}
		if broken = r.check(false); broken == nil && f.How == End {
			broken = was.lasts(r)
		}
		if broken != nil {
			return broken, nil
		}
	}
	return nil, nil
}

// after is what a cut leaves.
func (s *state) after(f Fault, r *recovery, seed uint64) (*state, error) {
	if f.Op > len(r.ops) || (f.How == End) != (f.Op == len(r.ops)) {
		return nil, fmt.Errorf("%s: there are %d operations", f, len(r.ops))
	}
	n := s.before(r.ops, f.Op)
	if f.How == End {
		return n.share(), nil
	}
	op := r.ops[f.Op]
	if f.Erase != op.Erase || f.How == Bytes && f.N >= int(op.Len) {
		return nil, fmt.Errorf("%s: the operation is another one", f)
	}
	n.cut(op, extent{f.How, f.N}, seed)
	return n.share(), nil
}

// shrink looks for a shorter sequence, or a simpler one of the same length, that
// goes wrong as well. Levels are explored in order, so that this mostly finds
// simpler cuts.
func (e *explorer) shrink(ctx context.Context, f *Failure) {
	w := e.workers[0]
	for better := true; better; {
		better = false
		for _, s := range f.Faults.simpler() {
			broken, err := w.replay(ctx, e.update, s)
			if err == nil && broken != nil {
				f.Faults, f.Err, better = s, broken, true
				break
			}
		}
	}
}

// simpler are sequences that are shorter by one fault, or have one simpler cut.
func (s Sequence) simpler() (all []Sequence) {
	for i := range s {
		if len(s) > 1 {
			all = append(all, slices.Delete(slices.Clone(s), i, i+1))
		}
	}
	for i, f := range s {
		if f.Kind != Cut || f.How == End {
			continue
		}
		for h := range f.How {
			simple := slices.Clone(s)
			simple[i] = Fault{Kind: Cut, Op: f.Op, Erase: f.Erase, How: h}
			if h != End {
				all = append(all, simple)
			}
		}
	}
	return all
}

// recheck executes points that were not executed, from power-on, and compares with
// what was concluded for them.
func (e *explorer) recheck(ctx context.Context) error {
	errs := make([]error, e.config.Recheck)
	e.parallel(len(errs), func(w *worker, i int) { errs[i] = e.recheckOne(ctx, w, mix(e.seed+uint64(i))) })
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	e.result.Rechecked = len(errs)
	return nil
}

func (e *explorer) recheckOne(ctx context.Context, w *worker, random uint64) error {
	c := e.order[random%uint64(len(e.order))]
	if len(c.ops) == 0 {
		return nil
	}
	op := int(mix(random) % uint64(len(c.ops)))
	cuts := e.config.First.cuts(nil, c.ops[op])
	x := cuts[mix(random+1)%uint64(len(cuts))]
	s := c.start.before(c.ops, op)
	s.cut(c.ops[op], x, e.seed)
	s = s.share().read(Reading(mix(random+2)%3), e.seed).share()
	concluded, err := w.recover(ctx, s)
	if err != nil {
		return err
	}
	defer w.m.WatchFlash(nil)
	b, run, err := w.boot(ctx, s)
	if err != nil {
		return err
	}
	r, err := w.update(ctx, b, run)
	if err != nil {
		return err
	}
	if b != concluded.boot || r.outcome != concluded.outcome || !reflect.DeepEqual(r.ops, concluded.ops) {
		at := Fault{Kind: Cut, Op: op, Erase: c.ops[op].Erase, How: x.how, N: x.n}
		return fmt.Errorf("%s: %w", append(c.faults(), at), errUndetermined)
	}
	return nil
}
