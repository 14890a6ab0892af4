// Package report tells people and machines what a run found: a table for the
// terminal, claims beside measurements, lines of progress, JUnit XML, a page of HTML with
// plots. Each is a pure function of a run.
//
// JUnit's XML has no normative definition; what is written here is what the
// schema of the Jenkins xUnit plugin (junit-10.xsd) allows.
package report

import (
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"text/tabwriter"

	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/measure"
	"rigor/harness/record"
)

// paint colours words for a terminal (ECMA-48 8.3.117), or leaves them.
type paint bool

// The colours of ECMA-48 SGR.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (p paint) in(colour, text string) string {
	if !p {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

func (p paint) outcome(v judge.Verdict) string {
	text := v.Outcome.String()
	if v.Outcome == judge.Unset && v.Reason == judge.NoLimit {
		return "-"
	}
	switch {
	case v.Blocks():
		return p.in(red, strings.ToUpper(text))
	case v.Outcome == judge.Pass:
		return p.in(green, text)
	}
	return p.in(yellow, text)
}

// Terminal writes the summary and, if there are any, the claims. Colours are
// for terminals that know ANSI sequences.
func Terminal(w io.Writer, r *record.Run, colour bool) error {
	if err := Claims(w, r, colour); err != nil {
		return err
	}
	return Summary(w, r, colour)
}

// Summary writes the table of measurements (COST is what was subtracted from
// each value as the measurement's own; spectra are for plots), how well the probes
// saw by their self-tests, what to look at, and the counts.
func Summary(w io.Writer, r *record.Run, colour bool) error {
	p := paint(colour)
	var b strings.Builder
	p.table(&b, r)
	b.WriteString("\n")
	for _, t := range r.SelfTests {
		fmt.Fprintf(&b, "PROBE of %s, back by line %s: %v\n", t.Board, t.Loop, t.Report)
	}
	p.troubles(&b, r)
	fmt.Fprintf(&b, "%s\nsamples digest %s\n", p.totals(r), r.SamplesDigest)
	_, err := io.WriteString(w, b.String())
	return err
}

// table is made of tab-separated cells; the verdict is last, so that colours,
// which tabwriter counts as text, move nothing.
func (p paint) table(w io.Writer, r *record.Run) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "QUANTITY\tBOARD\tCLOCK\tSOURCE\tN\tMIN\tP50\tP99\tMAX\tUNIT\tCOST\tP50 TIME\tVERDICT")
	for _, e := range r.Experiments {
		for _, m := range e.Measurements {
			if isSpectrum(m) && !limited(m) { // quantiles of bins tell nothing
				continue
			}
			fmt.Fprintln(t, strings.Join(append(cells(e, m), p.verdicts(m)), "\t"))
		}
	}
	t.Flush()
}

func limited(m record.Measurement) bool {
	return slices.ContainsFunc(m.Verdicts, func(v judge.Verdict) bool { return v.Reason != judge.NoLimit })
}

func cells(e record.Experiment, m record.Measurement) []string {
	clock := "-"
	if m.CoreHz != 0 {
		clock = m.CoreHz.String()
	}
	who := []string{m.Quantity, e.Board, clock, string(m.Source)}
	s := m.Summary
	if s.N == 0 {
		return append(who, "0", "-", "-", "-", "-", string(m.Unit), "-", "-")
	}
	return append(who, fmt.Sprint(s.N), fmt.Sprint(s.Min), fmt.Sprint(s.Median.Value), fmt.Sprint(s.P99.Value),
		fmt.Sprint(s.Max), string(m.Unit), fmt.Sprint(m.Overhead), medianTime(m))
}

func (p paint) verdicts(m record.Measurement) string {
	var words []string
	for _, v := range m.Verdicts {
		word := p.outcome(v)
		if v.Limit != "" {
			word += " " + v.Limit
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

func medianTime(m record.Measurement) string {
	t, ok := measure.Seconds(m.Summary.Median.Value, m.Unit, m.ClockHz)
	if !ok {
		return "-"
	}
	return Time(t)
}

// Time writes a span in the unit that fits it, to three decimals.
func Time(seconds *big.Rat) string {
	unit, scale := "s", int64(1)
	abs := new(big.Rat).Abs(seconds)
	for _, u := range []struct {
		name  string
		scale int64
	}{{"ms", 1e3}, {"us", 1e6}, {"ns", 1e9}} {
		if abs.Cmp(big.NewRat(1000, u.scale)) < 0 {
			unit, scale = u.name, u.scale
		}
	}
	return new(big.Rat).Mul(seconds, big.NewRat(scale, 1)).FloatString(3) + " " + unit
}

// troubles lists what a reader should look at, one line each.
func (p paint) troubles(w io.Writer, r *record.Run) {
	line := func(colour, kind, where, text string) {
		fmt.Fprintf(w, "%s %s: %s\n", p.in(colour, kind), where, clean([]byte(text))) // not what terminals obey
	}
	for _, v := range r.Missing {
		line(red, "MISSING", v.Limit, v.Reason)
	}
	for _, i := range r.Expired() {
		line(red, "EXPIRED", i.Where(), i.String())
	}
	for _, e := range r.Experiments {
		p.troublesOf(e, line)
	}
	p.moves(r, line)
	for _, n := range notes(r) {
		where := n.where[0]
		if more := len(n.where) - 1; more > 0 {
			where += fmt.Sprintf(" and %d more", more)
		}
		line(yellow, "NOTE", where, n.text)
	}
}

// troublesOf are those of an experiment. What is in quarantine is as bad, and doesn't count.
func (p paint) troublesOf(e record.Experiment, line func(colour, kind, where, text string)) {
	where, colour := place(e), red
	if e.Quarantine != nil {
		colour = yellow
	}
	for i, a := range e.Attempts {
		if a.Failure != nil {
			line(colour, "FAILED", fmt.Sprintf("%s, attempt %d", where, i+1), fmt.Sprintf("[%s] %s", a.Failure.Class, firstLine(a.Failure.Message)))
		}
	}
	if e.Skipped != "" {
		line(yellow, "SKIPPED", where, e.Skipped)
	}
	for _, text := range blocking(e) {
		line(colour, "BROKEN", where, text)
	}
	if e.Quarantined() {
		line(yellow, "NOT COUNTED", where, e.Quarantine.String())
	}
}

// moves tells what got worse, and what else changed, since the baseline was accepted; not all of it where it is much.
func (p paint) moves(r *record.Run, line func(colour, kind, where, text string)) {
	const most = 20
	colours := map[change.Verdict]string{change.Worse: red, change.Better: green, change.Different: yellow}
	told, _ := changeRows(r)
	for _, c := range told[:min(len(told), most)] {
		line(colours[c.Verdict], strings.ToUpper(string(c.Verdict)), c.Place, c.What+": "+c.Change)
	}
	if more := len(told) - most; more > 0 {
		line(yellow, "NOTE", "run", fmt.Sprintf("%d more figures changed; rigor compare lists them", more))
	}
}

// note is one thing to know, and all that it is about.
type note struct {
	text  string
	where []string
}

// notes gathers what limits the trust in the run's numbers, each text once.
func notes(r *record.Run) (all []note) {
	add := func(where string, texts []string) {
		for _, text := range texts {
			i := slices.IndexFunc(all, func(n note) bool { return n.text == text })
			if i < 0 {
				all = append(all, note{text: text})
				i = len(all) - 1
			}
			all[i].where = append(all[i].where, where)
		}
	}
	for _, e := range r.Experiments {
		where := e.Suite + "/" + e.Name + " on " + e.Board
		for _, m := range e.Measurements {
			add(where+", "+m.Quantity+" by "+string(m.Source), doubtful(m))
		}
		add(where, e.Warnings)
	}
	for _, i := range r.Idle() {
		add("run", []string{"nothing was asked that the quarantine is about: " + i.String()})
	}
	add("run", r.Warnings)
	return all
}

// doubtful gathers what limits the trust in a measurement.
func doubtful(m record.Measurement) []string {
	var all []string
	for _, v := range m.Verdicts {
		if v.Outcome == judge.Unset && v.Reason != judge.NoLimit && !v.Required {
			all = append(all, sentence(v))
		}
	}
	if len(all) == 0 {
		all = append(all, m.Doubts...)
	}
	return append(append(all, m.Warnings...), m.Summary.Warnings...)
}

// totals counts what came of the run.
func (p paint) totals(r *record.Run) string {
	t := tallyOf(r)
	word := result(r)
	text := fmt.Sprintf("%s (%s): %d experiments, %d failed, %d skipped; ", p.in(resultColours[word], word), r.Status, t.Experiments, t.Failed, t.Skipped) +
		fmt.Sprintf("verdicts: %d pass, %d fail, %d unset; %d without a limit", t.Pass, t.Fail, t.Unset, t.Unlimited)
	if moved := t.Moved(); moved != "" {
		text += "; against the baseline: " + moved
	}
	return text
}

var resultColours = map[string]string{"PASS": green, "FAIL": red, "INCOMPLETE": yellow}
