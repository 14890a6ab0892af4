package report

import (
	"fmt"
	"io"

	"rigor/harness/judge"
	"rigor/harness/record"
)

// Progress writes one line about an experiment that has just ended.
func Progress(w io.Writer, e record.Experiment, colour bool) error {
	p := paint(colour)
	word, why := p.in(green, "ok  "), ""
	switch e.Outcome() {
	case record.Broken:
		f := e.Attempts[len(e.Attempts)-1].Failure
		word, why = p.in(red, "FAIL"), fmt.Sprintf(": [%s] %s", f.Class, firstLine(f.Message))
	case record.Skipped:
		word, why = p.in(yellow, "skip"), ": "+e.Skipped
	default:
		if lines := blocking(e); lines != nil {
			word, why = p.in(red, "FAIL"), ": "+lines[0]
		}
	}
	if n := len(e.Attempts); n > 1 {
		why += fmt.Sprintf(" (attempt %d)", n)
	}
	_, err := fmt.Fprintf(w, "%s %s/%s on %s%s\n", word, e.Suite, e.Name, e.Board, why)
	return err
}

// blocking says of each verdict that fails the run what it is about.
func blocking(e record.Experiment) (lines []string) {
	for _, m := range e.Measurements {
		for _, v := range m.Verdicts {
			if v.Blocks() {
				lines = append(lines, m.Quantity+" by "+string(m.Source)+", "+sentence(v))
			}
		}
	}
	return lines
}

// sentence tells a verdict with its grounds.
func sentence(v judge.Verdict) string {
	return fmt.Sprintf("%s is %s: %s (limit: %s)", v.Limit, words[v.Outcome], v.Reason, v.Because)
}

var words = map[judge.Outcome]string{judge.Pass: "kept", judge.Fail: "broken", judge.Unset: "unset"}

// Transfer writes a line of progress about a transfer, such as
// "write 64.0 of 128.0 KiB (50%)". Written after a carriage return and without a
// line's end, it overwrites itself on a terminal.
func Transfer(w io.Writer, what string, done, total int64) error {
	percent := int64(100)
	if total > 0 {
		percent = done * 100 / total
	}
	_, err := fmt.Fprintf(w, "\r%s %s of %s KiB (%d%%)", what, kibi(done), kibi(total), percent)
	return err
}

// kibi writes bytes as KiB with one decimal, in integers.
func kibi(n int64) string { return fmt.Sprintf("%d.%d", n/1024, n%1024*10/1024) }
