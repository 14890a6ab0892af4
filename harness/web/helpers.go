package web

import (
	"fmt"
	"html/template"
	"time"

	"rigor/harness/history"
)

// helpers are what templates call.
var helpers = template.FuncMap{
	"clock":   clock,
	"bytes":   bytesText,
	"grouped": grouped,
	"span":    span,
	"plural":  plural,
	"look":    look,
	"took":    took,
	"strip":   strips,
}

// clock writes a moment for people and for machines.
func clock(t time.Time) template.HTML {
	if t.IsZero() {
		return "never"
	}
	t = t.UTC()
	return template.HTML(fmt.Sprintf(`<time datetime="%s">%s</time>`, t.Format(time.RFC3339), t.Format("2006-01-02 15:04"))) // digits and signs alone
}

// bytesText writes a file's size.
func bytesText(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.0f kB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}

// span is a time for people: the two largest units are enough.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return "less than a second"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

// plural writes a number of things.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// look is that of a run's verdict.
func look(r history.Run) string {
	return map[string]string{history.Passed: "good", history.Failed: "bad", history.Incomplete: "warn"}[r.Verdict()]
}

// took is how long a run took, if it ended.
func took(r history.Run) string {
	if r.Ended.IsZero() {
		return "–"
	}
	return span(r.Ended.Sub(r.Started))
}

// stripe is a run in a strip of them: what did not pass stands higher, so that it shows without colour.
type stripe struct {
	Run, Look, Title string
	X, Y, W, H       float64
}

// strips draws a rig's last runs, 400 wide and 24 high, the newest at the right edge.
func strips(runs []history.Run) (all []stripe) {
	const width = 400.0 / strip
	for i, r := range runs {
		s := stripe{Run: r.Name, X: 400 - width*float64(len(runs)-i), Y: 10, W: width - 2, H: 14,
			Look: map[string]string{history.Passed: "ok", history.Failed: "failed", history.Incomplete: "none"}[r.Verdict()]}
		if r.Verdict() != history.Passed {
			s.Y, s.H = 0, 24
		} else if r.Flaky > 0 {
			s.Look = "flaky"
		}
		s.Title = r.Started.UTC().Format("2006-01-02 15:04") + ": " + r.Verdict()
		all = append(all, s)
	}
	return all
}
