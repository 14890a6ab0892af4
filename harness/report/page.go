package report

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/record"
	"rigor/harness/report/sketch"
	"rigor/harness/rig"
)

// The page's parts, each bounded, so that the whole is: what is beyond is counted, and is in run.json.
const (
	mostFindings = 60
	mostAsides   = 10 // findings that fail nothing: one more cycle somewhere makes many figures worse
	mostChanges  = 120
	mostClaims   = 120
	mostNotes    = 100
	mostPlots    = 60
	mostDetails  = 4 << 20 // bytes of all experiments' details
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

var layout = template.Must(template.New("page").Parse(pageText))

// HTML writes the report that people read: one file that needs no other and runs no scripts, on a screen of any
// width and on paper. First comes what is wrong and whose it is, then each suite with all numbers, pictures, traces
// and consoles. It is a few megabytes at most: details beyond that are cut, those of what fails last.
func HTML(w io.Writer, r *record.Run) error {
	all, err := figures(r)
	if err != nil {
		return err
	}
	return page(w, r, all)
}

func page(w io.Writer, r *record.Run, all []figure) error {
	d, err := newDetails(r)
	if err != nil {
		return err
	}
	v := &view{Run: r, Style: template.CSS(pageStyle + sketch.Style), Tally: tallyOf(r), First: d.first(), Suites: d.suites(), Left: d.left,
		Claims: upTo(mostClaims, claimRows(r)), Notes: upTo(mostNotes, noteRows(r))}
	changes, untold := changeRows(r)
	v.Changes, v.Untold = upTo(mostChanges, changes), upTo(mostChanges, untold)
	drawn := upTo(mostPlots, all)
	for _, f := range drawn.All {
		var svg strings.Builder
		if err := f.chart.writeSVG(&svg); err != nil {
			return err
		}
		v.Plots.All = append(v.Plots.All, picture{template.HTML(svg.String()), f.caption}) // our own, its texts escaped
	}
	v.Plots.More = drawn.More
	return layout.Execute(w, v)
}

// view is what the page's template shows.
type view struct {
	*record.Run
	Style   template.CSS
	Tally   tally
	First   list[card]
	Changes list[changeRow]
	Untold  list[changeRow] // those that cannot be told
	Claims  list[claimRow]
	Plots   list[picture]
	Notes   list[noteRow]
	Suites  []suite
	Left    int // experiments whose details are left out
}

// list is as much of something as is shown.
type list[T any] struct {
	All  []T
	More int // that are left out
}

func upTo[T any](most int, all []T) list[T] {
	return list[T]{all[:min(len(all), most)], max(len(all)-most, 0)}
}

type picture struct {
	SVG     template.HTML
	Caption string
}

// Result is the run's in a word, and Look its colour.
func (v *view) Result() string { return result(v.Run) }

// Look is the class of the page's head.
func (v *view) Look() string {
	return map[string]string{"PASS": "good", "FAIL": "bad", "INCOMPLETE": "warn"}[v.Result()]
}

// Says tells the result in a sentence.
func (v *view) Says() string { return says(v.Run, v.Tally) }

// says tells a run's result in a sentence, and whose it is.
func says(r *record.Run, t tally) string {
	var text string
	n := 0
	for _, k := range t.Blocking {
		n += k
	}
	switch {
	case n > 0:
		verb := "fails"
		if n > 1 {
			verb = "fail"
		}
		text = fmt.Sprintf("%s %s the run%s", plural(n, "finding"), verb, whose(t.Blocking))
	case r.Status == record.Failed:
		text = "the rig or the harness ended the run"
	case t.Pass > 1:
		text = fmt.Sprintf("all %d verdicts stand", t.Pass)
	case t.Pass == 1:
		text = "its one verdict stands"
	default:
		text = "nothing was judged"
	}
	return text + ended(r)
}

// ended tells how a run ended that has no end.
func ended(r *record.Run) string {
	switch {
	case r.Status == record.Interrupted:
		return ", until the run was interrupted"
	case r.Status != record.Running:
		return ""
	case r.Dir() != "" && record.Alive(r.Dir()):
		return ", so far: the run goes on"
	case len(lastEvents(r)) > 0:
		return ", until the run was killed"
	}
	return ", so far: the run goes on, or was killed"
}

// Last are the events of a run that did not come to its end, as it went: what it was about.
func (v *view) Last() []record.Event {
	if v.Status == record.Complete {
		return nil
	}
	return lastEvents(v.Run)
}

// lastEvents are a few of a bundle's, the last ones; none if they cannot be read.
func lastEvents(r *record.Run) []record.Event {
	const most = 15
	if r.Dir() == "" {
		return nil
	}
	all, _ := record.Events(r.Dir()) // an old bundle has none
	for i := range all {
		all[i].Text = clean([]byte(all[i].Text))
	}
	return all[max(len(all)-most, 0):]
}

// whose tells the classes of findings, as " (2 firmware, 1 rig)".
func whose(blocking map[rig.Class]int) string {
	var parts []string
	for _, c := range classes {
		if n := blocking[c]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, cmp.Or(c, "missing or expired")))
		}
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// Took is how long the run was.
func (v *view) Took() string { return took(v.Run) }

func took(r *record.Run) string {
	if r.Ended.IsZero() {
		return ""
	}
	return r.Ended.Sub(r.Started).Round(time.Second).String()
}

// noteRows are what limits the trust in the run's numbers, what concerns most first.
func noteRows(r *record.Run) (rows []noteRow) {
	all := notes(r)
	slices.SortStableFunc(all, func(a, b note) int { return len(b.where) - len(a.where) })
	for _, n := range all {
		rows = append(rows, noteRow{n.text, n.where[0], len(n.where) - 1})
	}
	return rows
}

type noteRow struct {
	Text, Where string
	More        int
}

// Replay is the command that repeats the run, or "" where nothing can.
func (v *view) Replay() string {
	if v.Rig.Kind != string(rig.Virtual) || v.Dir() == "" {
		return ""
	}
	return "rigor replay results/runs/" + v.Name()
}

// Spent is what a suite took, on all boards together.
func (v *view) Spent(suite string) string {
	var took time.Duration
	for _, w := range v.Work {
		if w.Suite == suite {
			took += w.Took
		}
	}
	return tenths(took)
}

// Claimed counts what became of the claims.
func (v *view) Claimed() string {
	n := map[judge.Finding]int{}
	for _, c := range v.Claims.All {
		n[c.Finding]++
	}
	return fmt.Sprintf("%d confirmed, %d refuted, %d cannot tell", n[judge.Confirmed], n[judge.Refuted], n[judge.CannotTell])
}

// changeRow is a measurement that is not what the baseline has.
type changeRow struct {
	ID, Place, What, Change, Reason, Look string
	Verdict                               change.Verdict
}

// changeRows are the changes from the baseline, worse ones first, and apart what cannot be told.
func changeRows(r *record.Run) (told, untold []changeRow) {
	for i, e := range r.Experiments {
		for _, m := range e.Measurements {
			c := m.Change
			if c == nil || c.Verdict == change.Same {
				continue
			}
			row := changeRow{id(i), place(e), m.Quantity + " by " + string(m.Source), transition(m), c.Reason, changeLook[c.Verdict], c.Verdict}
			if c.Verdict == change.CannotTell {
				untold = append(untold, row)
			} else {
				told = append(told, row)
			}
		}
	}
	order := []change.Verdict{change.Worse, change.Different, change.Better}
	slices.SortStableFunc(told, func(a, b changeRow) int { return slices.Index(order, a.Verdict) - slices.Index(order, b.Verdict) })
	return told, untold
}

var changeLook = map[change.Verdict]string{change.Worse: "bad", change.Better: "good", change.Different: "warn", change.CannotTell: "dim"}

// Moved tells how many figures are what became of them since the baseline, "" without one.
func (t tally) Moved() string {
	var parts []string
	for _, v := range []change.Verdict{change.Worse, change.Better, change.Different, change.CannotTell, change.Same} {
		if n := t.Changes[v]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		}
	}
	return strings.Join(parts, ", ")
}

type claimRow struct {
	judge.ClaimResult
	By string
}

// Look is the finding's.
func (c claimRow) Look() string {
	return map[judge.Finding]string{judge.Confirmed: "good", judge.Refuted: "bad", judge.CannotTell: "dim"}[c.Finding]
}

func claimRows(r *record.Run) (all []claimRow) {
	for _, e := range r.Experiments {
		for _, m := range e.Measurements {
			for _, c := range m.Claims {
				all = append(all, claimRow{c, string(m.Source) + " on " + e.Board})
			}
		}
	}
	return all
}
