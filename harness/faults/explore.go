package faults

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"rigor/harness/sim/board"
)

// kin are all states with the same recovery, in which the same cells of what that
// reads are marginal, and which recover alike in every other reading of those, too.
type kin struct {
	*recovery
	all []*recovery // by reading
	// extra is what they are told apart by besides, though no recovery of theirs
	// reads it: what is found for one of them would not hold for the others.
	extra words
}

// kinship names kin.
type kinship struct {
	all     [maxReadings]*recovery
	reading Reading
	weak    uint64
}

// key names a class: kin that agree on extra.
type key struct {
	*kin
	sum uint64
}

// class is one of its states, for all of them.
type class struct {
	key
	start   *state
	depth   int // faults before it
	parent  *class
	fault   Fault        // of the parent's recovery, which led here
	reached map[*kin]int // by cuts of this one's, and from which operation on
}

// mask is which bits of a word are the same in all kin.
func (k *kin) mask(i uint32) (mask uint32) {
	for _, r := range k.all {
		mask |= r.mask(i)
	}
	return mask
}

// touches tells whether an operation there may change which class a state
// belongs to.
func (k *kin) touches(s span) bool {
	return k.extra.touches(s) || slices.ContainsFunc(k.all, func(r *recovery) bool { return r.reads.touches(s) })
}

// unread takes away from a set what all kin agree on.
func (k *kin) unread(w words) words {
	for _, r := range k.all {
		w = w.minus(r.firm)
	}
	return w.minus(k.extra)
}

// keyOf names the class of a state that recovers so, in one of its readings.
func (e *explorer) keyOf(s *state, all []*recovery, r Reading) (k key) {
	name := kinship{reading: r, weak: s.hashWeak(all)}
	if name.weak == 0 { // nothing that is read is marginal
		all, name.reading = all[r:r+1], 0
	}
	copy(name.all[:], all)
	k.kin = e.kinOf(name, all, s.size)
	k.extra.each(func(i uint32) { k.sum += hashWord(i, s.cells.word(i), s.weak.word(i)) })
	return k
}

// kinOf makes the kin on the first call.
func (e *explorer) kinOf(name kinship, all []*recovery, size int) *kin {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.families[name] == nil {
		e.families[name] = &kin{recovery: all[name.reading], all: all, extra: newWords(size)}
	}
	return e.families[name]
}

// hashWeak is a number for the marginal cells in what some recoveries read.
func (s *state) hashWeak(of []*recovery) (sum uint64) {
	if s.frail == 0 {
		return 0
	}
	for n, p := range s.weak.pages {
		if p == nil {
			continue
		}
		for i := uint32(n * pageWords); i < uint32((n+1)*pageWords); i++ {
			w, read := s.weak.word(i), uint32(0)
			for _, r := range of {
				read |= w & r.mask(i)
			}
			if read != 0 {
				sum += hashWord(i, 0, read)
			}
		}
	}
	return sum
}

// explorer finds all classes, level by level: those after one fault, after two,
// and so on, until no level brings a new one.
type explorer struct {
	*executor
	config   *Config
	workers  []*worker
	update   *recovery // the one without faults
	began    time.Time
	families map[kinship]*kin
	classes  map[key]*class
	order    []*class        // all, as found
	states   map[uint64]bool // before an operation that was cut
	visits   map[uint64]bool // operations cut in a state
	touched  words           // by any operation
	result   *Result
}

// job is a stretch of a class's recovery whose operations are to be cut.
type job struct {
	c        *class
	s        *state // before the first operation
	from     int
	ops      []board.FlashOp
	last     bool   // the end of the recovery follows
	fresh    []bool // by operation: has not been cut in this state before
	findings findings
}

// findings are what a job brings.
type findings struct {
	tallies  []Tally  // by operation
	repeated int      // points that were not fresh
	found    []*class // in order, perhaps not for the first time
	reached  map[*kin]int
	failures []Failure
	failed   bool // so that nothing after it matters
	err      error
}

// stretch is how many operations a job has. It must not depend on the number of
// workers: what is found first is what stands for its class.
const stretch = 256

// level cuts every operation of the classes given, and returns the new ones that
// are reached.
func (e *explorer) level(ctx context.Context, classes []*class) ([]*class, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop() // what else is under way once a job has failed
	jobs := make(chan *job)
	var group sync.WaitGroup
	var enough atomic.Bool
	for _, w := range e.workers {
		group.Go(func() {
			for j := range jobs {
				if j.findings.err = e.walk(ctx, w, j); j.findings.err != nil {
					stop()
				}
				if j.findings.failed {
					enough.Store(true)
				}
			}
		})
	}
	all := e.deal(ctx, classes, jobs, &enough)
	close(jobs)
	group.Wait()
	next, err := e.merge(all)
	return next, cmp.Or(err, ctx.Err())
}

// deal hands out the jobs, until one fails.
func (e *explorer) deal(ctx context.Context, classes []*class, jobs chan<- *job, enough *atomic.Bool) (all []*job) {
	for _, c := range classes {
		s := c.start.clone()
		for from := 0; ctx.Err() == nil && !enough.Load(); from += stretch {
			j := e.cutOut(c, s, from)
			all = append(all, j)
			jobs <- j
			if j.last {
				break
			}
		}
	}
	return all
}

// cutOut makes the job that begins with an operation, and takes s past it.
func (e *explorer) cutOut(c *class, s *state, from int) *job {
	to := min(from+stretch, len(c.ops))
	j := &job{c: c, s: s.clone().share(), from: from, ops: c.ops[from:to], last: to == len(c.ops)}
	for _, op := range j.ops {
		j.fresh = append(j.fresh, e.visit(s, op))
		e.touched.add(span{op.Off, op.Len})
		s.apply(op)
	}
	if j.last {
		j.fresh = append(j.fresh, e.visit(s, board.FlashOp{}))
	}
	return j
}

// visit tells whether nobody has come to this operation in this state before.
func (e *explorer) visit(s *state, op board.FlashOp) bool {
	e.states[s.sum] = true
	at := mix(s.sum + mix(uint64(op.Off)<<32|uint64(op.Len)<<1|uint64(btoi(op.Erase))))
	for _, b := range op.Data {
		at = mix(at + uint64(b))
	}
	fresh := !e.visits[at]
	e.visits[at] = true
	return fresh
}

// merge takes in what the jobs of a level found, in their order, whoever was
// quicker, up to the first that failed.
func (e *explorer) merge(jobs []*job) (next []*class, err error) {
	for _, j := range jobs {
		f := &j.findings
		if f.err != nil {
			return nil, f.err
		}
		e.result.count(j)
		for _, bad := range f.failures {
			e.result.fail(bad.Faults, bad.Err)
		}
		for r, at := range f.reached {
			if was, ok := j.c.reached[r]; !ok || at < was {
				j.c.reached[r] = at
			}
		}
		for _, c := range f.found {
			if e.classes[c.key] == nil {
				e.add(c)
				next = append(next, c)
			}
		}
		if f.failed {
			break
		}
	}
	return next, nil
}

func (e *explorer) add(c *class) {
	c.reached = map[*kin]int{}
	e.classes[c.key] = c
	e.order = append(e.order, c)
	if err := c.check(false); err != nil {
		e.result.fail(c.faults(), err)
	}
}

// faults are those that led to a class.
func (c *class) faults() Sequence {
	if c.parent == nil {
		return nil
	}
	return append(c.parent.faults(), c.fault)
}

// explore goes through all levels from the device as it was before the update, and
// again when some classes had to be split.
func (e *explorer) explore(ctx context.Context, root *class) error {
	for {
		e.begin()
		e.add(root)
		err := e.deepen(ctx, []*class{root})
		if err != nil || e.result.Failed > 0 || !e.result.Closed {
			return err
		}
		n := e.split()
		if n == 0 {
			return nil
		}
		e.result.Splits += n
	}
}

// deepen goes from level to level.
func (e *explorer) deepen(ctx context.Context, level []*class) (err error) {
	for len(level) > 0 && e.result.Failed == 0 {
		if len(e.result.Levels) == e.config.Depth && e.config.Depth > 0 {
			return nil
		}
		e.result.Levels = append(e.result.Levels, len(level))
		if level, err = e.level(ctx, e.expandable(level)); err != nil {
			return err
		}
		e.finish()
		if e.config.Progress != nil {
			e.config.Progress(*e.result)
		}
	}
	e.result.Closed = e.result.Failed == 0
	return nil
}

// expandable are the classes whose recoveries are cut: that without faults is, wherever
// the horizon.
func (e *explorer) expandable(level []*class) (near []*class) {
	for _, c := range level {
		if c.far && c.parent != nil {
			e.result.Beyond++
			continue
		}
		near = append(near, c)
	}
	return near
}

// split makes sure that what was found for one state of a class holds for all. They
// agree on what the recovery reads, and on what it had erased when it was cut. If the
// recovery after a cut reads anything else that ever changes, states are told
// apart by that, too, from now on; and those from which they come. It returns how
// many kin that concerns.
func (e *explorer) split() int {
	concerned := map[*kin]bool{}
	for more := true; more; {
		more = false
		for _, c := range slices.Backward(e.order) { // what a class needs, those before it need
			if c.agree(e.touched) {
				continue
			}
			concerned[c.kin], more = true, true
		}
	}
	return len(concerned)
}

// agree tells whether the states of a class are alike in all that decides what
// follows, and has them told apart if not.
func (c *class) agree(touched words) bool {
	made, at, alike := &maker{c.kin, newWords(c.start.size), map[uint32]uint32{}}, 0, true
	for _, next := range c.byOperation() {
		for ; at < c.reached[next]; at++ {
			made.apply(c.ops[at])
		}
		open := newWords(c.start.size)
		for _, r := range next.all {
			reads := c.unread(r.reads.and(touched)).minus(made.words)
			c.agreed(r, reads)
			open.merge(reads)
		}
		open.merge(c.unread(next.extra.and(touched)).minus(made.words))
		if !open.empty() {
			c.extra.merge(open)
			alike = false
		}
	}
	return alike
}

// agreed takes away the words of which a recovery reads only bits that are the same in all kin.
func (k *kin) agreed(r *recovery, open words) {
	for i, mask := range r.masks {
		if mask&^k.mask(i) == 0 {
			open.unset(i)
		}
	}
}

// maker finds the words that are alike in all kin because their recovery has made them
// so: those that it has erased, and those that it has programmed but for bits that
// were alike.
type maker struct {
	*kin
	words words
	left  map[uint32]uint32 // bits of a word that have not been programmed
}

func (m *maker) apply(op board.FlashOp) {
	if op.Erase {
		m.words.add(span{op.Off, op.Len})
		return
	}
	eachWord(op, func(i, data uint32) {
		if m.words.has(i) {
			return
		}
		if left, ok := m.left[i]; ok {
			data &= left
		}
		if m.left[i] = data; data&^m.mask(i) == 0 {
			m.words.set(i)
		}
	})
}

// byOperation are the kin that a class leads to, in the order of the operations
// from which on they do.
func (c *class) byOperation() []*kin {
	return slices.SortedFunc(maps.Keys(c.reached), func(a, b *kin) int { return c.reached[a] - c.reached[b] })
}
