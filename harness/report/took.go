package report

import (
	"fmt"
	"strings"
	"time"

	"rigor/harness/record"
)

// Took tells in a line where the time of a run went: all of it, until the
// suites were built, each suite on all boards, which run at once, and for simulated boards how fast
// they went together.
func Took(r *record.Run, built, all time.Duration) string {
	var suites []string
	took := map[string]time.Duration{}
	var sum record.Work // of simulated boards
	for _, w := range r.Work {
		if _, ok := took[w.Suite]; !ok {
			suites = append(suites, w.Suite)
		}
		took[w.Suite] += w.Took
		sum.Simulated, sum.Instructions = sum.Simulated+w.Simulated, sum.Instructions+w.Instructions
	}
	parts := []string{"build " + tenths(built)}
	for _, s := range suites {
		parts = append(parts, s+" "+tenths(took[s]))
	}
	return "took " + tenths(all) + ": " + strings.Join(parts, ", ") + speed(sum, all-built)
}

// speed is that of a simulation in so much of the host's time, all that the harness does around it included.
func speed(w record.Work, took time.Duration) string {
	if w.Simulated <= 0 || took <= 0 {
		return ""
	}
	return fmt.Sprintf("; simulated %s with %d million instructions, %.0f MIPS, %.2f times real time",
		tenths(w.Simulated), w.Instructions/1e6, float64(w.Instructions)/1e6/took.Seconds(), float64(w.Simulated)/float64(took))
}

func tenths(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
