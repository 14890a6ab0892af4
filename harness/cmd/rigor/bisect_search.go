package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/record"
	"rigor/harness/rig"
)

// step is a commit that was asked.
type step struct {
	commit
	Verdict  change.Verdict `json:"verdict,omitempty"` // to the good commit's figure; none: it could not be asked
	Reason   string         `json:"reason,omitempty"`
	Value    *int64         `json:"value,omitempty"` // of the statistic that tells, in its unit
	Unit     string         `json:"unit,omitempty"`
	Firmware string         `json:"firmware,omitempty"` // digest of the image
	Error    string         `json:"error,omitempty"`
}

func (s step) String() string {
	switch {
	case s.Error != "":
		return fmt.Sprintf("%v: passed over, %s", s.commit, s.Error)
	case s.Value == nil:
		return fmt.Sprintf("%v: %s", s.commit, s.Verdict)
	}
	return fmt.Sprintf("%v: %d %s, %s", s.commit, *s.Value, s.Unit, s.Verdict)
}

// search asks good and bad, and then halves what is between.
func (b *bisection) search(ctx context.Context) (*bisected, error) {
	history, err := b.history(ctx)
	if err != nil {
		return nil, err
	}
	if len(history) == 0 {
		return nil, fmt.Errorf("bisect: there is no commit after %v up to %v", b.good, b.bad)
	}
	first, last, err := b.ends(ctx)
	if err != nil {
		return nil, err
	}
	o := &bisected{Figure: b.key, Verdict: b.now, Steps: []step{first, last}}
	between := history[:len(history)-1]
	states := make([]*step, len(history)+1) // of good, history
	states[0], states[len(history)] = &first, &last
	lo, hi := 0, len(history)
	for {
		n, ok := middle(states, lo, hi)
		if !ok {
			break
		}
		s, err := b.ask(ctx, between[n-1])
		if err != nil {
			return nil, err
		}
		states[n] = &s
		o.Steps = append(o.Steps, s)
		switch {
		case s.Error != "":
		case s.Verdict == b.now:
			hi = n
		default:
			lo = n
		}
	}
	o.conclude(states, lo, hi)
	return o, nil
}

// middle is the place between lo and hi, which are known, that is nearest to their middle of those not asked yet.
func middle(states []*step, lo, hi int) (n int, ok bool) {
	for d := range hi - lo {
		for _, n := range []int{(lo+hi)/2 - d, (lo+hi)/2 + d} {
			if n > lo && n < hi && states[n] == nil {
				return n, true
			}
		}
	}
	return 0, false
}

// conclude names the first bad commit, or those that it may be.
func (o *bisected) conclude(states []*step, lo, hi int) {
	o.LastGood = states[lo]
	if hi-lo > 1 {
		for _, s := range states[lo+1 : hi+1] {
			o.Suspects = append(o.Suspects, *s)
		}
		return
	}
	o.FirstBad = states[hi]
	o.Whose = rig.Firmware
	if o.FirstBad.Firmware == o.LastGood.Firmware {
		o.Whose = rig.Harness
	}
}

// ends asks the good commit and the bad one, and finds the figure that differs between them.
func (b *bisection) ends(ctx context.Context) (first, last step, err error) {
	old, err := b.try(ctx, b.good)
	if err != nil {
		return first, last, fmt.Errorf("ask the good commit %v: %w", b.good, err)
	}
	now, err := b.try(ctx, b.bad)
	if err != nil {
		return first, last, fmt.Errorf("ask the bad commit %v: %w", b.bad, err)
	}
	if err := b.choose(b.figure.in(old), b.figure.in(now)); err != nil {
		return first, last, err
	}
	first, last = b.judge(b.good, old), b.judge(b.bad, now)
	fmt.Fprintf(b.progress, "%s\n  good %v\n  bad  %v\n", b.key, first, last)
	return first, last, nil
}

// choose takes the one figure that differs.
func (b *bisection) choose(old, now map[judge.Key]judge.Figure) error {
	var differ, same []string
	for _, k := range slices.SortedFunc(maps.Keys(old), judge.Key.Compare) {
		f, ok := now[k]
		if !ok {
			continue
		}
		c := judge.Compare(string(rig.Virtual), old[k], f)
		if c.Verdict == change.Same || c.Verdict == change.CannotTell {
			same = append(same, fmt.Sprintf("%s: %s, %s", k, c.Verdict, c.Reason))
			continue
		}
		differ = append(differ, k.String())
		b.key, b.old, b.now = k, old[k], c.Verdict
	}
	switch {
	case len(differ) > 1:
		return fmt.Errorf("bisect %s: %d figures of that name differ between good and bad, name one: %q", b.figure.pattern, len(differ), differ)
	case len(differ) == 0 && len(same) == 0:
		return fmt.Errorf("bisect %s: no figure of that name is in both the good commit's run and the bad one's", b.figure.pattern)
	case len(differ) == 0:
		return fmt.Errorf("bisect %s: nothing differs between good and bad: %q", b.figure.pattern, same)
	}
	return nil
}

// ask runs a commit. Only the end of the context is an error; what else goes wrong is the commit's.
func (b *bisection) ask(ctx context.Context, at commit) (step, error) {
	run, err := b.try(ctx, at)
	if ctx.Err() != nil {
		return step{}, ctx.Err()
	}
	s := step{commit: at}
	if err != nil {
		s.Error = err.Error()
	} else {
		s = b.judge(at, run)
	}
	fmt.Fprintf(b.progress, "  %v\n", s)
	return s, nil
}

// judge compares a commit's figure with the good one's.
func (b *bisection) judge(at commit, run *record.Run) step {
	s := step{commit: at}
	f, ok := b.figure.in(run)[b.key]
	if !ok {
		s.Error = "its run has no such figure"
		return s
	}
	c := judge.Compare(string(rig.Virtual), b.old, f)
	s.Firmware, s.Verdict, s.Reason = f.Firmware, c.Verdict, c.Reason
	if c.Verdict == change.CannotTell {
		s.Error = c.Reason
	} else {
		s.Value, s.Unit = &c.New.Value, string(c.Unit)
	}
	return s
}
