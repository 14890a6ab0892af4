package compare

import (
	"rigor/harness/judge"
)

// pair is a figure in both states; nil is the state that lacks it.
type pair struct{ old, now *judge.Figure }

// pairs brings together the figures of two states, each in the order of keys.
func pairs(old, now []judge.Figure) (all []pair) {
	for len(old) > 0 || len(now) > 0 {
		switch {
		case len(old) == 0 || len(now) > 0 && now[0].Key.Compare(old[0].Key) < 0:
			all, now = append(all, pair{now: &now[0]}), now[1:]
		case len(now) == 0 || old[0].Key.Compare(now[0].Key) < 0:
			all, old = append(all, pair{old: &old[0]}), old[1:]
		default:
			all, old, now = append(all, pair{&old[0], &now[0]}), old[1:], now[1:]
		}
	}
	return all
}

func (p pair) row(kind string) Row {
	switch {
	case p.old == nil:
		return Row{Key: p.now.Key, Only: "new"}
	case p.now == nil:
		return Row{Key: p.old.Key, Only: "old"}
	}
	return Row{Key: p.now.Key, Change: judge.Compare(kind, *p.old, *p.now)}
}
