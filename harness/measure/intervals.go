package measure

import (
	"fmt"
	"math/big"

	"rigor/harness/timebase"
	"rigor/probes"
)

// Transition is a kind of edge: a line going high or going low.
type Transition struct {
	Line probes.Line
	High bool
}

// Rise is a line going high.
func Rise(l probes.Line) Transition { return Transition{l, true} }

// Fall is a line going low.
func Fall(l probes.Line) Transition { return Transition{l, false} }

func (t Transition) String() string {
	if t.High {
		return string(t.Line) + " rising"
	}
	return string(t.Line) + " falling"
}

func (t Transition) matches(e probes.Edge) bool { return e.Line == t.Line && e.High == t.High }

// Span is the time from one edge to another.
type Span struct{ Start, End timebase.Ticks }

// Intervals pairs each start with the next end. It gives the spans in order,
// and for each edge that is left over (a start before the first one ended, an
// end that nothing started) a sentence saying so.
func Intervals(c probes.Capture, start, end Transition) (spans []Span, unpaired []string) {
	var open *probes.Edge
	for i, e := range c.Edges {
		switch {
		case open != nil && end.matches(e):
			spans = append(spans, Span{open.At, e.At})
			open = nil
		case start.matches(e):
			if open != nil {
				unpaired = append(unpaired, fmt.Sprintf("%v at tick %d has no %v after it", start, open.At, end))
			}
			open = &c.Edges[i]
		case end.matches(e):
			unpaired = append(unpaired, fmt.Sprintf("%v at tick %d has no %v before it", end, e.At, start))
		}
	}
	if open != nil {
		unpaired = append(unpaired, fmt.Sprintf("%v at tick %d has no %v after it", start, open.At, end))
	}
	return spans, unpaired
}

// Durations measures a quantity on a capture, from each start to the next end,
// in ticks. Both ends are rounded the same way, so a duration is known to
// within the capture's resolution. Edges that were lost or found no partner
// make the sample doubtful.
func Durations(quantity string, c probes.Capture, start, end Transition) Sample {
	s := Sample{
		Name: quantity, Source: Probe, Unit: Ticks, Clock: c.Rate,
		Resolution: int64(c.Resolution), Assumption: Nothing,
	}
	spans, unpaired := Intervals(c, start, end)
	for _, p := range spans {
		s.Values = append(s.Values, int64(p.End-p.Start))
	}
	if c.Lost > 0 {
		s.Doubts = append(s.Doubts, fmt.Sprintf("the probe lost %d edges", c.Lost))
	}
	if n := len(unpaired); n > 0 {
		s.Doubts = append(s.Doubts, fmt.Sprintf("%d unpaired edges, first: %s", n, unpaired[0]))
	}
	return s
}

// Agreement says how far two instruments are apart about the same events.
// Times are in seconds, exact.
type Agreement struct {
	Events    int
	Apart     int      // events further apart than Tolerance
	Worst     int      // index of the event they differ most about
	Reported  *big.Rat // duration of that event as the firmware gave it
	Probed    *big.Rat // and as the probe saw it
	Tolerance *big.Rat // what the two resolutions together allow
}

// OK reports whether every event agrees.
func (a Agreement) OK() bool { return a.Events > 0 && a.Apart == 0 }

func (a Agreement) String() string {
	verb := "agree on all"
	if !a.OK() {
		verb = fmt.Sprintf("differ on %d of", a.Apart)
	}
	return fmt.Sprintf("firmware and probe %s %d events; worst is event %d: %s against %s, tolerance %s",
		verb, a.Events, a.Worst, Nanos(a.Reported), Nanos(a.Probed), Nanos(a.Tolerance))
}

// Nanos writes a time in seconds as nanoseconds, to the picosecond.
func Nanos(seconds *big.Rat) string {
	return new(big.Rat).Mul(seconds, big.NewRat(1e9, 1)).FloatString(3) + " ns"
}

// Agree compares what the firmware reported with what a probe saw, event by
// event. Samples that cannot be compared (doubtful, empty, of different
// length, not times) are an error: it cannot be told whether they agree.
func Agree(reported, probed Sample) (Agreement, error) {
	for _, s := range []Sample{reported, probed} {
		if len(s.Doubts) > 0 {
			return Agreement{}, fmt.Errorf("compare %s with %s: %s: %s",
				reported.Source, probed.Source, s.Source, s.Doubts[0])
		}
		if _, ok := s.Seconds(0); !ok {
			return Agreement{}, fmt.Errorf("compare %s with %s: %s at %v is no time",
				reported.Source, probed.Source, s.Unit, s.Clock)
		}
	}
	if len(reported.Values) != len(probed.Values) || len(probed.Values) == 0 {
		return Agreement{}, fmt.Errorf("compare %s with %s: %d events against %d",
			reported.Source, probed.Source, len(reported.Values), len(probed.Values))
	}
	return agree(reported, probed), nil
}

func agree(reported, probed Sample) Agreement {
	tolerance := new(big.Rat).Add(seconds(reported, reported.Resolution), seconds(probed, probed.Resolution))
	a := Agreement{Events: len(probed.Values), Tolerance: tolerance}
	worst := new(big.Rat)
	for i := range probed.Values {
		r, p := seconds(reported, reported.Values[i]), seconds(probed, probed.Values[i])
		d := new(big.Rat).Sub(r, p)
		d.Abs(d)
		if d.Cmp(a.Tolerance) > 0 {
			a.Apart++
		}
		if i == 0 || d.Cmp(worst) > 0 {
			worst, a.Worst, a.Reported, a.Probed = d, i, r, p
		}
	}
	return a
}

func seconds(s Sample, n int64) *big.Rat {
	r, _ := s.Seconds(n)
	return r
}
