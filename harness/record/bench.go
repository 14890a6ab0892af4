package record

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"rigor/harness/measure"
)

// WriteBench writes the run in Go's benchmark format: one line to a
// measurement, its statistics as units of their own, iterations the number of
// values. Repeats of an experiment give repeated lines, which is what benchstat
// takes its intervals from.
//
// Configuration lines split benchstat's tables, so only what makes two runs incomparable
// is one; what differs from run to run (firmware, harness) is a comment.
func (r *Run) WriteBench(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# rigor %s, %s, %s\n", r.Harness, r.Rig.Name, r.Started.UTC().Format("2006-01-02T15:04:05Z"))
	for _, f := range r.Firmware {
		fmt.Fprintf(b, "# firmware %s %s sha256 %s, %s\n", f.Program, f.Target, f.Digest, f.Toolchain)
	}
	fmt.Fprintf(b, "rig-kind: %s\n", r.Rig.Kind)
	r.writeUnits(b)
	chip := ""
	for _, e := range r.Experiments {
		if c := r.ChipOf(e.Board); c != chip && len(e.Measurements) > 0 {
			chip = c
			fmt.Fprintf(b, "chip: %s\n", chip)
		}
		for _, m := range e.Measurements {
			writeBenchLine(b, e, m)
		}
	}
	return b.Flush()
}

// writeUnits declares the units. A virtual rig repeats itself to the cycle, so
// there any difference between two runs is real.
func (r *Run) writeUnits(w io.Writer) {
	if r.Rig.Kind != "virtual" {
		return
	}
	units := []measure.Unit{measure.Cycles, "sec"}
	for _, u := range measure.Units {
		if _, isTime := measure.Seconds(0, u, 1); !isTime {
			units = append(units, u)
		}
	}
	for _, unit := range units {
		for _, prefix := range []string{"", "min-", "p99-", "max-"} {
			fmt.Fprintf(w, "Unit %s%s assume=exact\n", prefix, unit)
		}
	}
}

func writeBenchLine(w io.Writer, e Experiment, m Measurement) {
	if m.Summary.N == 0 {
		return
	}
	fmt.Fprintf(w, "Benchmark%s/in=%s/board=%s/source=%s", benchName(m.Quantity), slug(e.Name), slug(e.Board), m.Source)
	if m.CoreHz != 0 {
		fmt.Fprintf(w, "/clock=%s", strings.ReplaceAll(m.CoreHz.String(), " ", ""))
	}
	fmt.Fprintf(w, " %d", m.Summary.N)
	for _, st := range []measure.Statistic{measure.Median, measure.Min, measure.P99, measure.Max} {
		est, _ := m.Summary.Estimate(st)
		writeBenchValue(w, st, est.Value, m)
	}
	fmt.Fprintln(w)
}

// writeBenchValue writes a statistic in its own unit and, if that is a count of
// a clock, in seconds. The median bears the plain unit's name.
func writeBenchValue(w io.Writer, st measure.Statistic, v int64, m Measurement) {
	prefix := string(st) + "-"
	if st == measure.Median {
		prefix = ""
	}
	t, isTime := measure.Seconds(v, m.Unit, m.ClockHz)
	if !isTime || m.Unit == measure.Cycles {
		fmt.Fprintf(w, " %d %s%s", v, prefix, m.Unit)
	}
	if isTime {
		s, _ := t.Float64()
		fmt.Fprintf(w, " %g %ssec", s, prefix)
	}
}

// benchName writes goroutine-switch as GoroutineSwitch.
func benchName(quantity string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(quantity, "-") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}
