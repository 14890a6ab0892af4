package report

import (
	"fmt"
	"io"
	"strings"

	"rigor/harness/record"
)

// The bounds of what is written for a job's page and for a chat.
const (
	mostRows = 40  // of a table; a GitHub step summary may have 1 MiB in all
	mostLine = 400 // characters
	mostText = 300 // of a finding
)

// Line tells what came of a run in one line for a chat: the result, what failed first and whose it is, what changed.
func Line(r *record.Run) string {
	t := tallyOf(r)
	parts := []string{fmt.Sprintf("%s %s: %s", result(r), r.Rig.Name, says(r, t))}
	if found := Findings(r); len(found) > 0 && found[0].Fails {
		parts = append(parts, fmt.Sprintf("first %s: %s", found[0].Where, found[0].What))
	}
	if moved := t.Moved(); moved != "" {
		parts = append(parts, "against the baseline "+moved)
	}
	parts = append(parts, plural(t.Experiments, "experiment")+comma(took(r)))
	if r.Dir() != "" {
		parts = append(parts, r.Name())
	}
	return brief(strings.Join(strings.Fields(clean([]byte(strings.Join(parts, "; ")))), " "), mostLine)
}

// Markdown writes a run's summary for people in GitHub's flavour, as for a job's step summary: the result, what to look at
// first, what changed, each suite on each board. It is below 100 kB.
func Markdown(w io.Writer, r *record.Run) error {
	t := tallyOf(r)
	var b strings.Builder
	fmt.Fprintf(&b, "## %s %s: %s\n\n", signs[result(r)], result(r), escape(says(r, t)))
	fmt.Fprintf(&b, "Rig **%s** (%s), %s%s. %s, %d failed, %d skipped, %d tried again, %d in quarantine. Verdicts: %d pass, %d fail, %d unset; %s without a limit.\n\n",
		escape(r.Rig.Name), escape(r.Rig.Kind), r.Started.UTC().Format("2006-01-02 15:04 UTC"), comma(took(r)), plural(t.Experiments, "experiment"),
		t.Failed, t.Skipped, t.Retried, t.Isolated, t.Pass, t.Fail, t.Unset, plural(t.Unlimited, "figure"))
	findingsTable(&b, r)
	changesTable(&b, r, t)
	suitesTable(&b, r)
	if v := (&view{Run: r}); v.Replay() != "" {
		fmt.Fprintf(&b, "Reproduce with `%s`. ", v.Replay())
	}
	fmt.Fprintf(&b, "Samples digest `%s`, harness %s.\n", r.SamplesDigest, escape(r.Harness))
	_, err := io.WriteString(w, b.String())
	return err
}

var signs = map[string]string{"PASS": "✅", "FAIL": "❌", "INCOMPLETE": "⚠️"}

func findingsTable(b *strings.Builder, r *record.Run) {
	found := Findings(r)
	if len(found) == 0 {
		return
	}
	b.WriteString("### Look at first\n\n| | Whose | Where | What |\n|---|---|---|---|\n")
	for _, f := range found[:min(len(found), mostRows)] {
		sign, what := "⚠️", f.What
		if f.Fails {
			sign = "❌"
		}
		if f.Quarantine != "" {
			what += " (" + f.Quarantine + ")"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", sign, f.Class, escape(brief(f.Where, mostText)), escape(brief(what, mostText)))
	}
	more(b, len(found))
}

func changesTable(b *strings.Builder, r *record.Run, t tally) {
	if t.Moved() == "" {
		return
	}
	fmt.Fprintf(b, "### Against the baseline: %s\n\n", t.Moved())
	told, _ := changeRows(r)
	if len(told) == 0 {
		return
	}
	b.WriteString("| Figure | Where | Change | |\n|---|---|---|---|\n")
	for _, c := range told[:min(len(told), mostRows)] {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", escape(c.What), escape(c.Place), escape(c.Change), c.Verdict)
	}
	more(b, len(told))
}

// more says how many rows are left out, and ends a table.
func more(b *strings.Builder, rows int) {
	if rows > mostRows {
		fmt.Fprintf(b, "\n%d more are in report.html.\n", rows-mostRows)
	}
	b.WriteString("\n")
}

func suitesTable(b *strings.Builder, r *record.Run) {
	b.WriteString("### Suites\n\n|")
	for _, board := range r.Boards {
		b.WriteString(" | " + escape(board.Name))
	}
	b.WriteString(" |\n|---" + strings.Repeat("|---", len(r.Boards)) + "|\n")
	for _, s := range (&details{run: r}).suites() {
		b.WriteString("| " + escape(s.Name))
		for _, c := range s.Cells {
			b.WriteString(" | " + c.text())
		}
		b.WriteString(" |\n")
	}
	b.WriteString("\n")
}

// text is a cell in words.
func (c cell) text() string {
	var parts []string
	for _, p := range []struct {
		n    int
		word string
	}{{c.Fail, "❌ %d"}, {c.Isolated, "⚠️ %d in quarantine"}, {c.Stand, "✅ %d"}, {c.Skip, "%d skipped"}, {c.Retried, "↻ %d tried again"}, {c.Worse, "%d worse"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf(p.word, p.n))
		}
	}
	return strings.Join(parts, ", ")
}

// escape keeps text from meaning anything in Markdown or HTML, mentions and references of GitHub's included. It is
// one line, fit for a cell of a table.
func escape(text string) string {
	var b strings.Builder
	for _, r := range strings.Join(strings.Fields(clean([]byte(text))), " ") {
		switch {
		case strings.ContainsRune("<>&@#", r):
			fmt.Fprintf(&b, "&#%d;", r)
		case strings.ContainsRune("\\`*_{}[]()!|~$", r):
			b.WriteString(`\` + string(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
