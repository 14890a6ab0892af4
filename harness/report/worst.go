package report

import (
	"fmt"
	"math"

	"rigor/harness/measure"
	"rigor/harness/measure/extreme"
	"rigor/harness/record"
)

// fewest is how many values a worst case is worth a sentence of.
const fewest = 30

// worstCase tells of a time that is better if lower how its greatest values came, and what lies beyond where that can
// be told. The sample is one of the measurement's; repeats of the experiment count, too.
func (d *details) worstCase(e record.Experiment, m record.Measurement, s measure.Sample) string {
	q, ok := measure.Describe(m.Quantity)
	if _, timed := measure.Seconds(1, m.Unit, m.ClockHz); !ok || !timed || q.Better != measure.Lower || m.Summary.N < fewest || m.Summary.Min == m.Summary.Max {
		return ""
	}
	figure := fmt.Sprint(e.Suite, "/", e.Name, "/", e.Board, "/", m.Quantity, "/", m.Source, "/", m.Unit)
	if d.worst[figure] == "" {
		d.worst[figure] = worstOf(m, d.repeats(e, m, s))
	}
	return d.worst[figure]
}

// worstOf puts the worst case of samples of a measurement into a sentence.
func worstOf(m record.Measurement, all []measure.Sample) string {
	w := extreme.Of(all...)
	text := fmt.Sprintf("greatest %s of %d: %s", amount(w.Max, m.Unit, m.ClockHz), w.N, w.Mechanism)
	if w.Fit == nil || len(w.Fit.Levels) == 0 {
		return text + "; what may lie beyond cannot be told: " + w.Refused
	}
	l := w.Fit.Levels[len(w.Fit.Levels)-1]
	write := func(v float64) string { return amount(int64(math.Round(v)), m.Unit, m.ClockHz) }
	return text + fmt.Sprintf("; one of %.0f is expected above %s (%s to %s)", 1/l.Probability, write(l.Value), write(l.Lo), write(l.Hi))
}

// repeats are the samples of the same figure in all repeats of an experiment. One that cannot be read is left out:
// its own repeat says so.
func (d *details) repeats(e record.Experiment, m record.Measurement, s measure.Sample) (all []measure.Sample) {
	for _, o := range d.run.Experiments {
		if o.Suite != e.Suite || o.Name != e.Name || o.Board != e.Board {
			continue
		}
		for _, n := range o.Measurements {
			if n.Quantity != m.Quantity || n.Source != m.Source || n.Unit != m.Unit {
				continue
			}
			if n.File == m.File {
				all = append(all, s)
			} else if other, err := d.run.Sample(n); err == nil {
				all = append(all, other)
			}
		}
	}
	return all
}
