package report

import (
	"slices"

	"rigor/harness/measure"
	"rigor/harness/record"
	"rigor/harness/timebase"
	"rigor/probes"
)

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
