package change

import (
	"cmp"
	"fmt"
	"slices"
)

// Correct takes back verdicts on changes where so many figures were judged at once that chance alone
// may have made them. Rate is the share of false ones that is accepted among the changes that remain; if
// nothing changed at all, it is the probability that any is left.
//
// The procedure is that of Benjamini and Hochberg (Controlling the False Discovery Rate, Journal of
// the Royal Statistical Society B 57, 1995), not Holm's: a slower scheduler slows dozens of
// figures together, and the more there are the surer each one is. Such figures depend on each other
// positively, which the procedure allows (Benjamini and Yekutieli, Annals of Statistics 29, 2001).
func Correct(cs []Change, rate float64) {
	var family []*Change
	for i := range cs {
		if cs[i].Effect != nil {
			family = append(family, &cs[i])
		}
	}
	slices.SortStableFunc(family, func(a, b *Change) int { return cmp.Compare(b.Effect.P, a.Effect.P) })
	least := 1.0
	for i, c := range family {
		rank := len(family) - i
		least = min(least, c.Effect.P*float64(len(family))/float64(rank))
		c.Effect.P = least
		if least > rate && c.Verdict.changed() {
			c.Verdict = CannotTell
			c.Reason = fmt.Sprintf("%s, which among %d figures may be chance (p %.2g)", c.Reason, len(family), least)
		}
	}
}

// changed reports whether the verdict speaks of a change.
func (v Verdict) changed() bool { return v == Better || v == Worse || v == Different }
