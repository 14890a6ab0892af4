package report

import (
	"fmt"
	"io"
	"os"
	"strings"

	"rigor/harness/judge"
	"rigor/harness/record"
)

// Progress tells in one line what came of an experiment that has just ended.
func Progress(e record.Experiment, colour bool) string {
	p := paint(colour)
	word, why := p.in(green, "ok  "), headline(e)
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
	return fmt.Sprintf("%s %s/%s on %s%s", word, e.Suite, e.Name, e.Board, why)
}

// headline is the median of what was measured first, if anything was.
func headline(e record.Experiment) string {
	if len(e.Measurements) == 0 || e.Measurements[0].Summary.N == 0 {
		return ""
	}
	m := e.Measurements[0]
	text := medianTime(m)
	if text == "-" {
		text = fmt.Sprint(m.Summary.Median.Value, " ", m.Unit)
	}
	if m.CoreHz != 0 {
		text += " at " + m.CoreHz.String()
	}
	return ": " + m.Quantity + " " + text
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

// Display shows what is going on. What is under way takes one line of a
// terminal, which the next overwrites; a log gets only what stays.
type Display struct {
	*screen
	step string // what the last step was of
}

// screen is what displays of several boards share.
type screen struct {
	w        io.Writer
	terminal bool
	open     bool // the line on the terminal is to be overwritten
}

// NewDisplay writes to w.
func NewDisplay(w io.Writer, terminal bool) *Display {
	return &Display{screen: &screen{w: w, terminal: terminal}}
}

// Beside is a display for another board on the same terminal or log.
func (d *Display) Beside() *Display { return &Display{screen: d.screen} }

// Show shows a text. One that ends in a percentage, such as "write echo 50%",
// is a step of something under way, of which a log gets a single line.
func (d *Display) Show(text string) {
	if !strings.HasSuffix(text, "%") {
		d.Line(text)
		return
	}
	what := text[:max(strings.LastIndex(text, " "), 0)]
	if !d.terminal && what != d.step {
		d.Line(what)
	}
	d.step = what
	d.Underway(text)
}

// Line writes a line that stays.
func (d *Display) Line(text string) {
	d.clear()
	d.step = ""
	fmt.Fprintln(d.w, text)
}

// columns is what fits the narrowest terminal in use: a line that wraps cannot
// be overwritten.
const columns = 79

// Underway shows a text until the next comes; a log does not get it.
func (d *Display) Underway(text string) {
	if !d.terminal {
		return
	}
	d.clear()
	d.open = true
	fmt.Fprint(d.w, string([]rune(text)[:min(columns, len([]rune(text)))]))
}

// clear empties the terminal's line: EL of ECMA-48 8.3.41.
func (s *screen) clear() {
	if s.open {
		fmt.Fprint(s.w, "\r\x1b[K")
	}
	s.open = false
}

// IsTerminal reports whether a person may be reading f, on something that knows
// ANSI sequences.
func IsTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

// Colours reports whether f wants colours (no-color.org).
func Colours(f *os.File) bool { return IsTerminal(f) && os.Getenv("NO_COLOR") == "" }
