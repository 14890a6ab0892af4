package compare

import (
	"slices"

	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/measure"
	"rigor/harness/rig"
)

// FalseChanges is the share of false ones among the changes of a comparison, where so
// many figures are judged at once that chance alone would make some.
const FalseChanges = 0.01

// Round is three runs that follow each other: of the old state, the new, and the old again.
type Round struct{ A1, B, A2 Side }

// Interleaved judges rounds on a hardware rig, each figure by its median in each run and by the noise
// that the baseline has of it. A round that lacks a figure in one of its runs doesn't count for it.
func Interleaved(rounds []Round, b *judge.Baseline) Comparison {
	c := begin(rounds[0].A1, rounds[0].B)
	all := keys(rounds)
	var changes []change.Change
	for _, k := range all {
		changes = append(changes, interleaved(k, rounds, b.Figure(k)))
	}
	change.Correct(changes, FalseChanges)
	for i, k := range all {
		r := Row{Key: k, Change: changes[i]}
		if r.Changed() {
			r.Whose = suspects(k, rounds, c.Differs)
		}
		c.Rows = append(c.Rows, r)
	}
	return c
}

// keys are those of the figures that any complete round has, in their order.
func keys(rounds []Round) (all []judge.Key) {
	for _, r := range rounds {
		for _, f := range r.B.Figures {
			if _, ok := r.medians(f.Key); ok {
				all = append(all, f.Key)
			}
		}
	}
	slices.SortFunc(all, judge.Key.Compare)
	return slices.Compact(all)
}

// medians are those of a figure in the runs of a round, if all three have it,
// counted alike and beyond doubt.
func (r *Round) medians(k judge.Key) (m [3]int64, ok bool) {
	first := r.B.figure(k)
	for i, s := range []*Side{&r.A1, &r.B, &r.A2} {
		f := s.figure(k)
		if f == nil || first == nil || len(f.Doubts) > 0 || f.Unit != first.Unit || f.ClockHz != first.ClockHz {
			return m, false
		}
		m[i] = f.Summary.Median.Value
	}
	return m, true
}

func interleaved(k judge.Key, rounds []Round, accepted *judge.Figure) change.Change {
	var runs [3][]int64
	var unit measure.Unit
	for _, r := range rounds {
		if m, ok := r.medians(k); ok {
			unit = r.B.figure(k).Unit
			for i := range runs {
				runs[i] = append(runs[i], m[i])
			}
		}
	}
	var noise change.Noise
	if accepted != nil && accepted.Noise != nil {
		noise = *accepted.Noise
	}
	q, _ := measure.Describe(k.Quantity)
	return change.Interleaved(q, measure.Median, unit, runs[0], runs[1], runs[2], noise, change.Options{})
}

// suspects are whose a change is, by a round that has the figure.
func suspects(k judge.Key, rounds []Round, ds []Difference) []rig.Class {
	for _, r := range rounds {
		if _, ok := r.medians(k); ok {
			return whose(k, r.A1, r.B, ds)
		}
	}
	return nil
}

// Noise measures how much each figure scatters over rounds in which nothing
// changed, its runs in their order.
func Noise(rounds []Round) []judge.Figure {
	var all []judge.Figure
	for _, k := range keys(rounds) {
		var runs []int64
		var f *judge.Figure
		for _, r := range rounds {
			if m, ok := r.medians(k); ok {
				runs = append(runs, m[:]...)
				f = r.B.figure(k)
			}
		}
		noise := change.MeasureNoise(runs)
		figure := *f
		figure.Noise = &noise
		all = append(all, figure)
	}
	return all
}
