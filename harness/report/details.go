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
	"rigor/harness/report/sketch"
	"rigor/harness/rig"
	"rigor/harness/timebase"
	"rigor/probes"
)

// details are the experiments as the page shows them, as many as its size allows.
type details struct {
	run    *record.Run
	common map[string]bool       // what so many measurements warn of that it stands only among the notes
	text   map[int]template.HTML // by index of the experiment
	sample map[[2]int]picture    // pictures by indices of experiment and measurement
	waves  map[int]picture       // and of traces, by index of the experiment
	left   int
}

// newDetails makes the details, those that matter most first: those are kept if there are too many.
func newDetails(r *record.Run) (*details, error) {
	d := &details{run: r, common: map[string]bool{}, text: map[int]template.HTML{}, sample: map[[2]int]picture{}, waves: map[int]picture{}}
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

// card is a finding with the pictures and words that show it.
type card struct {
	Finding
	ID, Console string
	Pictures    []picture
}

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

// first are the findings, each with where to look.
func (d *details) first() (all []card) {
	found := Findings(d.run)
	for _, f := range found[:min(len(found), mostFindings)] {
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
	return all
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

// values adds the picture of a sample that has a spread, and what is to say of its greatest values.
func (d *details) values(x *experiment, i, k int, m record.Measurement) {
	if m.Summary.Min == m.Summary.Max {
		return
	}
	s, err := d.run.Sample(m)
	if err != nil {
		x.Problems = append(x.Problems, m.Quantity+" by "+string(m.Source)+" has no picture: "+err.Error())
		return
	}
	if worst := d.worstCase(x.Experiment, m, s); worst != "" {
		x.Rows[k].Notes = append(x.Rows[k].Notes, worst)
	}
	unit, factor := scale(m)
	title := m.Quantity + " by " + string(m.Source)
	svg := sketch.Sample{Title: title, Unit: unit, Values: values(s, factor), Rules: rules(m, factor)}.SVG()
	p := picture{template.HTML(svg), title} // our own, its texts escaped
	d.sample[[2]int{i, k}] = p
	x.Pictures = append(x.Pictures, p)
}

// The most of a trace that is read for its picture, and that is drawn.
const (
	mostEdges  = 1 << 18
	drawnEdges = 32
)

// wave adds a picture of where the experiment's trace gets interesting, and one of the slowest that was seen in it.
func (d *details) wave(x *experiment, i int, e record.Experiment) {
	c, err := d.run.Capture(e, mostEdges)
	if err != nil {
		x.Problems = append(x.Problems, "the trace has no picture: "+err.Error())
		return
	}
	if len(c.Edges) == 0 {
		return
	}
	from, to, n := sketch.Part(c, interesting(c), drawnEdges)
	caption := fmt.Sprintf("%d of %s from %s on, in %s", n, plural(len(c.Edges), "edge"), amount(int64(from), measure.Ticks, c.Rate), e.Trace)
	if c.Lost > 0 {
		caption += fmt.Sprintf("; the probe lost %d", c.Lost)
	}
	d.draw(x, i, sketch.Wave{Title: "waveform", Capture: c, From: from, To: to}, caption)
	d.slowest(x, i, e, c)
}

// draw adds a picture of a trace. The last is the one that goes with a finding.
func (d *details) draw(x *experiment, i int, w sketch.Wave, caption string) {
	d.waves[i] = picture{template.HTML(w.SVG()), caption} // our own, its texts escaped
	x.Pictures = append(x.Pictures, d.waves[i])
}

// slowest adds the picture of the greatest value that a probe measured, of what failed first.
func (d *details) slowest(x *experiment, i int, e record.Experiment, c probes.Capture) {
	all := slices.Clone(e.Measurements)
	blocks := func(m record.Measurement) bool { return slices.ContainsFunc(m.Verdicts, judge.Verdict.Blocks) }
	slices.SortStableFunc(all, func(a, b record.Measurement) int { return one(blocks(b)) - one(blocks(a)) })
	for _, m := range all {
		s, err := d.run.Sample(m)
		if err != nil {
			continue // its picture has said so
		}
		if span, at, ok := slowest(c, m, s); ok {
			room := (span.End - span.Start) / 2
			w := sketch.Wave{Title: "the slowest", Capture: c, From: max(span.Start-room, 0), To: span.End + room, Span: [2]timebase.Ticks{span.Start, span.End}}
			d.draw(x, i, w, fmt.Sprintf("the greatest %s: value %d of %d, at %s", m.Quantity, at+1, len(s.Values), amount(int64(span.Start), measure.Ticks, c.Rate)))
			return
		}
	}
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
