package report

import (
	"fmt"
	"html/template"
	"slices"

	"rigor/harness/judge"
	"rigor/harness/measure"
	"rigor/harness/record"
	"rigor/harness/report/sketch"
	"rigor/harness/timebase"
	"rigor/probes"
)

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

// background are lines that change by themselves, whatever is measured.
var background = []probes.Line{"running", "timer", "console-tx", "console-rx"}

// interesting is the index of the edge that a capture is looked at from: the first that is not of the background.
func interesting(c probes.Capture) int {
	i := slices.IndexFunc(c.Edges, func(e probes.Edge) bool { return !slices.Contains(background, e.Line) })
	return max(i, 0)
}

// mostSought is how many edges a trace may have for its longest interval to be sought.
const mostSought = 20_000

// slowest finds the interval of a capture that is the greatest of a probe's values: that at the same place among all
// intervals between two kinds of edges, if there are as many as values and it is as long. It gives the value's index.
func slowest(c probes.Capture, m record.Measurement, s measure.Sample) (span measure.Span, at int, ok bool) {
	if m.Source != measure.Probe || m.ClockHz == 0 || m.Summary.Min == m.Summary.Max || len(c.Edges) > mostSought {
		return span, 0, false
	}
	at = slices.Index(s.Values, m.Summary.Max)
	long := timebase.Ticks(m.Summary.Max+m.Overhead).Convert(m.ClockHz, c.Rate)
	for _, start := range transitions(c) {
		for _, end := range transitions(c) {
			spans, _ := measure.Intervals(c, start, end)
			if start == end || len(spans) != len(s.Values) {
				continue
			}
			if d := spans[at].End - spans[at].Start - long; d >= -2 && d <= 2 { // a trace is rounded
				return spans[at], at, true
			}
		}
	}
	return span, 0, false
}

// transitions are the kinds of edges that a capture has.
func transitions(c probes.Capture) (all []measure.Transition) {
	for _, e := range c.Edges {
		if t := (measure.Transition{Line: e.Line, High: e.High}); !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	return all
}
