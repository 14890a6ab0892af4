package report

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/measure"
	"rigor/harness/record"
	"rigor/harness/rig"
)

// details are the experiments as the page shows them, as many as its size allows.
type details struct {
	run    *record.Run
	common map[string]bool       // what so many measurements warn of that it stands only among the notes
	text   map[int]template.HTML // by index of the experiment
	sample map[[2]int]picture    // pictures by indices of experiment and measurement
	waves  map[int]picture       // and of traces, by index of the experiment
	worst  map[string]string     // sentences on worst cases, by figure
	left   int
}

// newDetails makes the details, those that matter most first: those are kept if there are too many.
func newDetails(r *record.Run) (*details, error) {
	d := &details{run: r, common: map[string]bool{}, text: map[int]template.HTML{}, sample: map[[2]int]picture{}, waves: map[int]picture{},
		worst: map[string]string{}}
	for _, n := range notes(r) {
		d.common[n.text] = len(n.where) > 5
	}
	order := make([]int, len(r.Experiments))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return weight(r.Experiments[b]) - weight(r.Experiments[a]) })
	room := mostDetails
	for _, i := range order {
		if room < leastDetail {
			d.left++
			continue
		}
		for _, full := range []bool{true, false} {
			text, err := d.render(i, full)
			if err != nil {
				return nil, err
			}
			if len(text) <= room {
				d.text[i] = template.HTML(text) // of the page's own template
				room -= len(text)
				break
			}
		}
		d.left += one(d.text[i] == "")
	}
	return d, nil
}

// leastDetail is about what an experiment takes without pictures and console.
const leastDetail = 1 << 10

func (d *details) render(i int, full bool) (string, error) {
	var b strings.Builder
	err := layout.ExecuteTemplate(&b, "experiment", d.experiment(i, full))
	return b.String(), err
}

// weight says how much an experiment matters.
func weight(e record.Experiment) int {
	switch {
	case findingsOf(0, e) != nil:
		return 3
	case len(e.Attempts) > 1 || slices.ContainsFunc(e.Measurements, changed):
		return 2
	}
	return one(slices.ContainsFunc(e.Measurements, limited))
}

func changed(m record.Measurement) bool { return m.Change != nil && m.Change.Verdict != change.Same }

// card is a finding with the pictures and words that show it.
type card struct {
	Finding
	ID, Console string
	Pictures    []picture
	Also        []link // other experiments with the same finding
}

// link leads to an experiment.
type link struct{ ID, Where string }

func (c *card) add(p picture) {
	if p.SVG != "" {
		c.Pictures = append(c.Pictures, p)
	}
}

// Look is the card's class.
func (c card) Look() string {
	if c.Fails {
		return "bad"
	}
	return "warn"
}

// first are the findings, each with where to look. Those that fail nothing are fewer.
func (d *details) first() list[card] {
	found := Findings(d.run)
	most := mostAsides
	for _, f := range found {
		most += one(f.Fails)
	}
	some := upTo(min(most, mostFindings), found)
	var all []card
	for _, f := range some.All {
		if i := slices.IndexFunc(all, func(o card) bool { return d.same(o.Finding, f) }); i >= 0 {
			all[i].Also = append(all[i].Also, link{id(f.experiment), f.Where})
			continue
		}
		c := card{Finding: f}
		if f.experiment >= 0 {
			c.ID = id(f.experiment)
			c.add(d.sample[[2]int{f.experiment, f.measurement}])
			if !slices.ContainsFunc(all, func(o card) bool { return o.ID == c.ID }) { // once for all of an experiment's
				c.add(d.waves[f.experiment])
			}
			if f.measurement < 0 {
				text, _ := d.console(d.run.Experiments[f.experiment], 4<<10)
				c.Console = lastLines(text, 8)
			}
		}
		all = append(all, c)
	}
	return list[card]{all, some.More}
}

// same reports whether two experiments failed with the same words, but for the boards' names.
func (d *details) same(a, b Finding) bool {
	if a.experiment < 0 || b.experiment < 0 || a.experiment == b.experiment || a.measurement >= 0 || b.measurement >= 0 {
		return false
	}
	words := func(f Finding) string {
		return strings.ReplaceAll(f.What, d.run.Experiments[f.experiment].Board, "")
	}
	return a.Class == b.Class && a.Fails == b.Fails && a.Quarantine == b.Quarantine && words(a) == words(b)
}

// id is the anchor of an experiment's details.
func id(i int) string { return fmt.Sprint("x", i) }

// experiment is what the details show of one.
type experiment struct {
	record.Experiment
	ID, Look, Glyph, Headline, Program string
	Open, Full                         bool
	Tries                              []try // if there is something to tell of them
	Rows                               []row
	Pictures                           []picture
	Shares                             []share
	SharesOf                           string
	Console, ConsoleOf                 string
	Problems                           []string // what could not be shown
}

// try is an attempt; Class is empty if it gave an answer.
type try struct {
	Class   rig.Class
	Message string
}

func attempt(a record.Attempt) try {
	if a.Failure == nil {
		return try{}
	}
	return try{a.Failure.Class, clean([]byte(a.Failure.Message))}
}

// row is a measurement.
type row struct {
	record.Measurement
	Help, Median, Time, Spread, P99, Cost string
	Verdicts                              []verdict
	Moved, MovedLook                      string
	Notes                                 []string
}

type verdict struct{ Look, Glyph, Text, Because string }

func (d *details) experiment(i int, full bool) *experiment {
	e := d.run.Experiments[i]
	x := &experiment{Experiment: e, ID: id(i), Full: full, Open: fails(e), Program: d.run.Program(e.Firmware),
		Headline: micro(strings.TrimPrefix(headline(essence(e)), ": "))}
	x.Look, x.Glyph = looks(e)
	for _, a := range e.Attempts {
		if len(e.Attempts) > 1 || e.Failed() {
			x.Tries = append(x.Tries, attempt(a))
		}
	}
	for k, m := range e.Measurements {
		x.Rows = append(x.Rows, d.row(m))
		if full && !isSpectrum(m) {
			d.values(x, i, k, m)
		}
	}
	if full {
		d.wave(x, i, e)
		d.where(x, e)
		x.Console, x.ConsoleOf = d.console(e, consoleBytes[x.Open])
	}
	return x
}

// essence is an experiment with what it was about first: what is limited.
func essence(e record.Experiment) record.Experiment {
	if i := slices.IndexFunc(e.Measurements, limited); i > 0 {
		e.Measurements = e.Measurements[i:]
	}
	return e
}

// consoleBytes is how much of a console is shown: more of one whose experiment failed.
var consoleBytes = map[bool]int64{true: 16 << 10, false: 2 << 10}

// looks are an experiment's colour and sign.
func looks(e record.Experiment) (look, glyph string) {
	found := findingsOf(0, e)
	switch {
	case e.Outcome() == record.Skipped:
		return "dim", "–"
	case fails(e):
		return "bad", "✗"
	case len(found) > 0 || len(e.Attempts) > 1:
		return "warn", "!"
	}
	return "good", "✓"
}

func (d *details) row(m record.Measurement) row {
	s := m.Summary
	r := row{Measurement: m}
	if q, ok := measure.Describe(m.Quantity); ok {
		r.Help = q.Help
	}
	write := func(n int64) string { return amount(n, m.Unit, m.ClockHz) }
	if s.N > 0 {
		r.Median, r.Time = write(s.Median.Value), inTime(s.Median.Value, m)
	}
	if s.Min != s.Max {
		r.Spread, r.P99 = bare(write(s.Min), write(s.Max))+" … "+write(s.Max), write(s.P99.Value)
	}
	if m.Overhead != 0 {
		r.Cost = write(m.Overhead)
	}
	for _, v := range m.Verdicts {
		if v.Reason != judge.NoLimit {
			r.Verdicts = append(r.Verdicts, verdictOf(v))
		}
	}
	if c := m.Change; c != nil {
		r.Moved, r.MovedLook = string(c.Verdict), changeLook[c.Verdict]
		if c.Verdict != change.Same {
			r.Moved += ": " + transition(m)
		}
	}
	for _, text := range slices.Concat(m.Doubts, m.Warnings, s.Warnings) {
		if !d.common[text] {
			r.Notes = append(r.Notes, micro(text))
		}
	}
	return r
}

func verdictOf(v judge.Verdict) verdict {
	text := v.Limit
	if v.Outcome != judge.Pass {
		text += ": " + words[v.Outcome] + ", " + v.Reason
		if v.Class != "" {
			text += " [" + string(v.Class) + "]"
		}
	}
	switch {
	case v.Blocks():
		return verdict{"bad", "✗", text, v.Because}
	case v.Outcome == judge.Pass:
		return verdict{"good", "✓", text, v.Because}
	}
	return verdict{"warn", "?", text, v.Because}
}

// where adds the functions that cycles went to.
func (d *details) where(x *experiment, e record.Experiment) {
	var err error
	if x.Shares, x.SharesOf, err = shares(d.run, e); err != nil {
		x.Problems = append(x.Problems, err.Error())
	}
}

// console is the end of what the board said, and of how much it is.
func (d *details) console(e record.Experiment, n int64) (text, of string) {
	tail, size, err := d.run.ConsoleTail(e, n)
	if err != nil {
		return "", err.Error()
	}
	of = d.run.ConsoleFile(e)
	if size > n {
		of = fmt.Sprintf("the last %d of %d bytes of %s", n, size, of)
	}
	return clean(tail), of
}
