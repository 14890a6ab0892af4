// Package compare holds two runs against each other, or a run against what was
// accepted: for each figure whether it changed, and whose the change can be. A change can only be
// that of something that differs between the two: the firmware, the harness, the rig. On
// the virtual rig that leads to an answer; on hardware what remains is the board and
// its surroundings.
//
// Left out: the judgement on one figure (packages judge and judge/change), and
// which function a change is in (package profile).
package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/profile"
	"rigor/harness/record"
	"rigor/harness/rig"
)

// Side is one of two states.
type Side struct {
	Name     string // of the bundle, or Baseline
	Rig      record.Rig
	Boards   []record.Board
	Seeds    map[string]uint64
	Host     *record.Host      // nil: not known, as in a baseline
	Firmware []record.Firmware // empty in a baseline: figures have the images' digests
	Figures  []judge.Figure    // one to a key, in the order of keys
	Failed   []string          // experiments that gave no answer: where, and why
	harness  map[string]string // version, by the run that a figure comes from
}

// Baseline is the name of the side that was accepted.
const Baseline = "baseline"

// OfRun is the state that a run found.
func OfRun(r *record.Run) Side {
	s := Side{
		Name: r.Name(), Rig: r.Rig, Boards: r.Boards, Seeds: r.Seeds, Host: &r.Host, Firmware: r.Firmware,
		Figures: r.Figures(), harness: map[string]string{r.Name(): r.Version()},
	}
	for _, e := range r.Experiments {
		if e.Failed() {
			f := e.Attempts[len(e.Attempts)-1].Failure
			first, _, _ := strings.Cut(f.Message, "\n")
			s.Failed = append(s.Failed, fmt.Sprintf("%s/%s on %s: [%s] %s", e.Suite, e.Name, e.Board, f.Class, first))
		}
	}
	return s
}

// OfBaseline is the state that was accepted.
func OfBaseline(b *judge.Baseline) Side {
	s := Side{Name: Baseline, Rig: record.Rig{Name: b.Rig, Kind: b.Kind}, Figures: b.Figures, harness: map[string]string{}}
	for _, run := range b.Runs() {
		s.harness[run] = b.HarnessOf(run)
	}
	return s
}

// Noisy gives the side's figures the noise that was accepted for them.
func (s Side) Noisy(b *judge.Baseline) Side {
	s.Figures = slices.Clone(s.Figures)
	for i := range s.Figures {
		if f := b.Figure(s.Figures[i].Key); f != nil {
			s.Figures[i].Noise = f.Noise
		}
	}
	return s
}

// Version is that of the harness, of a run.
func (s *Side) Version() string { return s.harness[s.Name] }

// Comparison is what there is to say about two states.
type Comparison struct {
	Old     string       `json:"old"`
	New     string       `json:"new"`
	Differs []Difference `json:"differs"` // what may be the reason; empty: nothing that is known
	Rows    []Row        `json:"rows"`
	Failed  []string     `json:"failed,omitempty"` // experiments that gave an answer in the old state
}

// Worse reports whether anything got worse.
func (c *Comparison) Worse() bool { return c.Count(change.Worse)+len(c.Failed) > 0 }

// Difference is something besides the figures in which the two states differ.
type Difference struct {
	Class rig.Class `json:"class"` // firmware, harness or rig
	What  string    `json:"what"`  // the image, the board, …
	Old   string    `json:"old"`
	New   string    `json:"new"`
}

// Row is a figure in both states, or in one.
type Row struct {
	judge.Key
	Change change.Change    `json:"change"`
	Only   string           `json:"only,omitempty"`  // the side that alone has it: old or new; then there is no change
	Whose  []rig.Class      `json:"whose,omitempty"` // whose a change can be, the likeliest first
	Where  []profile.Change `json:"where,omitempty"` // the functions in which it is, most first
}

// Changed reports whether the figure is known to have changed.
func (r Row) Changed() bool {
	return r.Only == "" && r.Change.Verdict != change.Same && r.Change.Verdict != change.CannotTell
}

// Count counts the rows of a verdict.
func (c *Comparison) Count(v change.Verdict) (n int) {
	for _, r := range c.Rows {
		if r.Only == "" && r.Change.Verdict == v {
			n++
		}
	}
	return n
}

// begin is a comparison without figures yet. Its lists are empty rather than nil, for who reads them as JSON.
func begin(old, now Side) Comparison {
	return Comparison{Old: old.Name, New: now.Name, Differs: append([]Difference{}, differences(old, now)...), Rows: []Row{}}
}

// Compare judges each figure of the two states.
func Compare(old, now Side) Comparison {
	c := begin(old, now)
	c.Failed = broken(old, now)
	kind := cmp.Or(old.Rig.Kind, now.Rig.Kind)
	if kind != now.Rig.Kind { // what is exact is so on one side only
		kind = string(rig.Hardware)
	}
	for _, p := range pairs(old.Figures, now.Figures) {
		c.Rows = append(c.Rows, p.row(kind))
	}
	for i := range c.Rows {
		if r := &c.Rows[i]; r.Changed() {
			r.Whose = whose(r.Key, old, now, c.Differs)
		}
	}
	return c
}

// broken are the experiments that fail in the new state and did not in the old.
func broken(old, now Side) (all []string) {
	where := func(failed string) string { at, _, _ := strings.Cut(failed, ": "); return at }
	for _, f := range now.Failed {
		if !slices.ContainsFunc(old.Failed, func(o string) bool { return where(o) == where(f) }) {
			all = append(all, f)
		}
	}
	return all
}
