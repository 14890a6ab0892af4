package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"rigor/harness/judge"
	"rigor/harness/record"
)

// Claims writes each claim beside what was measured, or nothing if the run
// measured nothing that a claim is about.
func Claims(w io.Writer, r *record.Run, colour bool) error {
	p := paint(colour)
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "CLAIM\tMEASURED\tBY\tFINDING")
	var reasons []string
	n := 0
	for _, e := range r.Experiments {
		for _, m := range e.Measurements {
			for _, c := range m.Claims {
				n++
				fmt.Fprintf(t, "%s\t%s\t%s on %s\t%s\n", c.Claim, c.Measured, m.Source, e.Board, p.finding(c.Finding))
				if reason := c.Claim + ": " + c.Reason; !slices.Contains(reasons, reason) {
					reasons = append(reasons, reason)
				}
			}
		}
	}
	t.Flush()
	if n == 0 {
		return nil
	}
	for _, reason := range reasons {
		fmt.Fprintln(&b, "  "+reason)
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (p paint) finding(f judge.Finding) string {
	switch f {
	case judge.Confirmed:
		return p.in(green, string(f))
	case judge.Refuted:
		return p.in(red, string(f))
	}
	return p.in(yellow, string(f))
}
