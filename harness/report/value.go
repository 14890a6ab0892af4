package report

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"rigor/harness/measure"
	"rigor/harness/record"
	"rigor/harness/report/sketch"
	"rigor/harness/timebase"
)

func itoa(n int) string { return strconv.Itoa(n) }

// larger are units that read better than those that values count.
var larger = map[measure.Unit]string{measure.Millidecibels: "dB", measure.Millihertz: "Hz", measure.Millikelvins: "K", measure.Millipascals: "Pa"}

// amount writes a number of a unit as people read it: as a time if the unit is no more than that, else with the unit.
func amount(n int64, u measure.Unit, clock timebase.Rate) string {
	if t, ok := measure.Seconds(n, u, clock); ok && u != measure.Cycles {
		return micro(Time(t))
	}
	if name, ok := larger[u]; ok {
		return big.NewRat(n, 1000).FloatString(3) + " " + name
	}
	return fmt.Sprintf("%d %s", n, micro(string(u)))
}

// micro writes microseconds and microvolts by their letter, which logs and metrics cannot count on.
func micro(text string) string {
	return strings.NewReplacer(" us", " µs", "uV", "µV").Replace(text)
}

// inTime is the time of so many cycles, or "".
func inTime(n int64, m record.Measurement) string {
	if t, ok := measure.Seconds(n, m.Unit, m.ClockHz); ok && m.Unit == measure.Cycles {
		return micro(Time(t))
	}
	return ""
}

// scale is the unit that a picture's axis shows a measurement in, and how many of it one of the measurement's is.
func scale(m record.Measurement) (unit string, factor float64) {
	if name, ok := larger[m.Unit]; ok {
		return name, 1e-3
	}
	one, ok := measure.Seconds(1, m.Unit, m.ClockHz)
	if !ok || m.Unit == measure.Cycles {
		return micro(string(m.Unit)), 1
	}
	span := max(m.Summary.Max, -m.Summary.Min)
	most, _ := new(big.Rat).Mul(one, big.NewRat(span, 1)).Float64()
	factor, _ = one.Float64()
	for _, u := range []struct {
		name  string
		scale float64
	}{{"ns", 1e9}, {"µs", 1e6}, {"ms", 1e3}} {
		if most*u.scale < 1000 {
			return u.name, factor * u.scale
		}
	}
	return "s", factor
}

// values are those of a measurement's picture.
func values(s measure.Sample, factor float64) []float64 {
	all := make([]float64, len(s.Values))
	for i, v := range s.Values {
		all[i] = float64(v) * factor
	}
	return all
}

// rules are what a measurement's picture compares the values with: limits that are numbers, and the baseline.
func rules(m record.Measurement, factor float64) (all []sketch.Rule) {
	for _, v := range m.Verdicts {
		for _, b := range v.Bounds {
			if at, ok := sameUnit(b.Value, b.Unit, m); ok {
				all = append(all, sketch.Rule{At: at * factor, Name: "limit " + string(v.Statistic), Limit: true})
			}
		}
	}
	if c := m.Change; c != nil && c.Unit == m.Unit {
		all = append(all, sketch.Rule{At: float64(c.Old.Value) * factor, Name: "baseline " + string(c.Statistic)})
	}
	return all
}

// sameUnit is so much of a unit in that of a measurement, if both are one unit or times.
func sameUnit(n int64, u measure.Unit, m record.Measurement) (float64, bool) {
	if u == m.Unit && u != measure.Ticks {
		return float64(n), true
	}
	is, ok := measure.Seconds(n, u, m.CoreHz)
	one, ok2 := measure.Seconds(1, m.Unit, m.ClockHz)
	if !ok || !ok2 {
		return 0, false
	}
	v, _ := is.Quo(is, one).Float64()
	return v, true
}
