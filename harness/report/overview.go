package report

import (
	"html/template"
	"slices"

	"rigor/harness/judge/change"
	"rigor/harness/record"
)

// suite is a suite on all boards.
type suite struct {
	Name        string
	Cells       []cell // by board
	Experiments []template.HTML
	Open        bool
}

// cell counts a suite's experiments on a board.
type cell struct{ Stand, Fail, Skip, Isolated, Retried, Worse int }

// N is how many there are.
func (c cell) N() int { return c.Stand + c.Fail + c.Skip + c.Isolated }

// Look is the cell's class.
func (c cell) Look() string {
	switch {
	case c.Fail > 0:
		return "bad"
	case c.Isolated > 0 || c.Worse > 0 || c.Retried > 0:
		return "warn"
	case c.Stand > 0:
		return "good"
	}
	return "dim"
}

// suites are in the order of the run.
func (d *details) suites() (all []suite) {
	for i, e := range d.run.Experiments {
		k := slices.IndexFunc(all, func(s suite) bool { return s.Name == e.Suite })
		if k < 0 {
			all = append(all, suite{Name: e.Suite, Cells: make([]cell, len(d.run.Boards))})
			k = len(all) - 1
		}
		s := &all[k]
		if b := slices.IndexFunc(d.run.Boards, func(b record.Board) bool { return b.Name == e.Board }); b >= 0 {
			s.Cells[b].count(e)
		}
		s.Open = s.Open || fails(e)
		if text := d.text[i]; text != "" {
			s.Experiments = append(s.Experiments, text)
		}
	}
	return all
}

func (c *cell) count(e record.Experiment) {
	switch found := findingsOf(0, e); {
	case e.Outcome() == record.Skipped:
		c.Skip++
	case fails(e):
		c.Fail++
	case slices.ContainsFunc(found, func(f Finding) bool { return f.Quarantine != "" }):
		c.Isolated++
	default:
		c.Stand++
	}
	c.Retried += one(len(e.Attempts) > 1)
	for _, m := range e.Measurements {
		c.Worse += one(m.Change != nil && m.Change.Verdict == change.Worse)
	}
}

// fails reports whether an experiment fails the run.
func fails(e record.Experiment) bool {
	return slices.ContainsFunc(findingsOf(0, e), func(f Finding) bool { return f.Fails })
}
