package web

import (
	"fmt"
	"html/template"
	"time"

	"rigor/harness/history"
	"rigor/harness/record"
)

// helpers are what templates call.
var helpers = template.FuncMap{
	"clock":   clock,
	"bytes":   bytesText,
	"grouped": grouped,
	"span":    span,
	"plural":  plural,
	"look":    look,
	"word":    word,
	"took":    took,
	"runs":    runStrip,
	"recents": boardStrip,
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

// span is a time for people, in the unit that fits it.
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

// word is a run's verdict, or that there is none yet.
func word(r history.Run) string {
	if r.Status == record.Running && r.Blocking == 0 {
		return "not ended"
	}
	return r.Verdict()
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

// stripWidth is that of a strip's picture.
const stripWidth = 400

// stripeAt puts a stripe at the right edge of n places, i of them from the left.
func stripeAt(i, n, places int, run, look, title string) stripe {
	const low, high = 10, 24
	width := float64(stripWidth) / float64(places)
	s := stripe{Run: run, Look: look, Title: title, X: round(stripWidth - width*float64(n-i)), Y: low, W: round(width * 0.8), H: high - low}
	if look != "ok" && look != "flaky" {
		s.Y, s.H = 0, high
	}
	return s
}

// runStrip draws a rig's last runs, the newest at the right edge.
func runStrip(runs []history.Run) (all []stripe) {
	looks := map[string]string{history.Passed: "ok", history.Failed: "failed", history.Incomplete: "none"}
	for i, r := range runs {
		look := looks[r.Verdict()]
		if look == "ok" && r.Flaky > 0 {
			look = "flaky"
		}
		all = append(all, stripeAt(i, len(runs), strip, r.Name, look, r.Started.UTC().Format("2006-01-02 15:04")+": "+word(r)))
	}
	return all
}

// boardStrip draws what a board's last runs found of it.
func boardStrip(runs []history.Recent) (all []stripe) {
	for i, r := range runs {
		look := string(r.State)
		if r.State == history.StateSkipped {
			look = "none"
		}
		all = append(all, stripeAt(i, len(runs), 30, r.Run, look, r.Run+": "+string(r.State)))
	}
	return all
}
