package faults

import (
	"context"
	"fmt"

	"rigor/harness/sim/board"
)

// walker cuts the operations of a job one after another.
type walker struct {
	*worker
	e       *explorer
	ctx     context.Context
	job     *job
	told    map[key]bool
	s       *state // before the present operation
	now     []*kin // of s, by reading; nil: not known yet
	extents []extent
}

// walk does a job.
func (e *explorer) walk(ctx context.Context, w *worker, j *job) error {
	j.findings.tallies = make([]Tally, len(j.fresh))
	j.findings.reached = map[*kin]int{}
	k := &walker{worker: w, e: e, ctx: ctx, job: j, told: map[key]bool{}, s: j.s.clone()}
	for i, op := range j.ops {
		if err := k.cut(i, op); err != nil || j.findings.failed {
			return err
		}
		if k.reads(op) && (op.Erase || k.alters(op, extent{Bytes, int(op.Len)})) {
			k.now = nil
		}
		k.s.apply(op)
	}
	if !j.last {
		return nil
	}
	return k.end(k.fault(len(j.ops), board.FlashOp{}, extent{how: End}))
}

// end switches the device off and on again after its recovery.
func (k *walker) end(f Fault) error {
	all, err := k.look(k.s, f)
	if err != nil {
		return err
	}
	for r, next := range all {
		if err := k.job.c.recovery.lasts(next.recovery); err != nil {
			f.Next = Reading(r)
			k.job.findings.failures = append(k.job.findings.failures, Failure{append(k.job.c.faults(), f), err})
			k.job.findings.failed = true
		}
	}
	return nil
}

func (k *walker) fault(i int, op board.FlashOp, x extent) Fault {
	return Fault{Kind: Cut, Op: k.job.from + i, Erase: op.Erase, How: x.how, N: x.n}
}

// cut cuts an operation in every way.
func (k *walker) cut(i int, op board.FlashOp) (err error) {
	if k.now == nil {
		if k.now, err = k.look(k.s, k.fault(i, op, extent{how: Before})); err != nil {
			return err
		}
	} else {
		k.same(i, extent{how: Before})
	}
	k.extents = k.e.config.model(k.job.c.depth, k.s.frail > 0).cuts(k.extents[:0], op)
	unread := !k.reads(op)
	for _, x := range k.extents[1:] {
		if unread || !k.alters(op, x) {
			k.same(i, x)
			continue
		}
		n := k.s.clone()
		n.cut(op, x, k.seed)
		if _, err := k.look(n.share(), k.fault(i, op, x)); err != nil || k.job.findings.failed {
			return err
		}
	}
	return nil
}

// reads tells whether the recovery from the present state reads what an operation
// changes, in any reading.
func (k *walker) reads(op board.FlashOp) bool { return k.now[0].touches(span{op.Off, op.Len}) }

// alters tells whether a cut changes what that recovery reads.
func (k *walker) alters(op board.FlashOp, x extent) bool {
	from, to := span{op.Off, op.Len}.limits()
	for i := from; i < to; i++ {
		cells, weak := k.s.cells.word(i), k.s.weak.word(i)
		c, w := cutWord(op, x, i, dataAt(op, i, op.Len), cells, weak, k.seed)
		changed := c ^ cells | w ^ weak
		if changed != 0 && (changed&k.now[0].mask(i) != 0 || k.now[0].extra.has(i)) {
			return true
		}
	}
	return false
}

// look finds out how the device recovers from a state, for each way to read it.
func (k *walker) look(s *state, f Fault) (kins []*kin, err error) {
	n := k.e.config.First.readings(s.frail > 0)
	all := make([]*recovery, n)
	for f.Next = range n {
		if all[f.Next], err = k.recover(k.ctx, s.read(f.Next, k.seed)); err != nil {
			return nil, fmt.Errorf("%s: %w", append(k.job.c.faults(), f), err)
		}
	}
	for f.Next = range n {
		to := k.e.keyOf(s, all, f.Next)
		kins = append(kins, to.kin)
		k.reach(to, s, f)
		k.count(f.Op-k.job.from, f.How, to.recovery)
	}
	return kins, nil
}

// reach notes the class that a cut leads to.
func (k *walker) reach(to key, s *state, f Fault) {
	if _, ok := k.job.findings.reached[to.kin]; !ok {
		k.job.findings.reached[to.kin] = f.Op
	}
	if k.told[to] || k.e.classes[to] != nil {
		return
	}
	k.told[to] = true
	k.job.findings.failed = k.job.findings.failed || to.verdict == Fails
	c := &class{key: to, start: s.clone().share(), depth: k.job.c.depth + 1, parent: k.job.c, fault: f}
	k.job.findings.found = append(k.job.findings.found, c)
}

// same counts a cut after which the device recovers as from the present state.
func (k *walker) same(i int, x extent) {
	for n := range k.e.config.First.readings(k.s.frail > 0 || x.how == Marginal) {
		k.count(i, x.how, k.now[int(n)%len(k.now)].recovery)
	}
}

func (k *walker) count(i int, h How, r *recovery) {
	if !k.job.fresh[i] {
		k.job.findings.repeated++
		return
	}
	k.job.findings.tallies[i][h][r.verdict]++
}
