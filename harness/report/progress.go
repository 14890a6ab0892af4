package report

import (
	"fmt"
	"io"
	"os"
	"strings"

	"rigor/harness/record"
)

// Progress tells in one line what came of an experiment that has just ended.
func Progress(e record.Experiment) record.Event {
	why := headline(e)
	switch e.Outcome() {
	case record.Broken:
		f := e.Attempts[len(e.Attempts)-1].Failure
		why = fmt.Sprintf(": [%s] %s", f.Class, firstLine(f.Message))
	case record.Skipped:
		why = ": " + e.Skipped
	default:
		if lines := blocking(e); lines != nil {
			why = ": " + lines[0]
		}
	}
	if n := len(e.Attempts); n > 1 {
		why += fmt.Sprintf(" (attempt %d)", n)
	}
	return record.Event{Kind: record.Ended, Suite: e.Suite, Experiment: e.Name, Upshot: e.Upshot(),
		Text: fmt.Sprintf("%s/%s on %s%s", e.Suite, e.Name, e.Board, why)}
}

// upshot is the word as wide as the others.
func upshot(u record.Upshot, colour bool) string {
	hue := map[record.Upshot]string{record.Fine: green, record.Fatal: red, record.Unasked: yellow}[u]
	return paint(colour).in(hue, fmt.Sprintf("%-4s", u))
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
	colour   bool
	open     bool // the line on the terminal is to be overwritten
}

// NewDisplay writes to w.
func NewDisplay(w io.Writer, terminal bool) *Display {
	return &Display{screen: &screen{w: w, terminal: terminal, colour: terminal && os.Getenv("NO_COLOR") == ""}}
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
	what := stepOf(text)
	if !d.terminal && what != d.step {
		d.Line(what)
	}
	d.step = what
	d.Underway(text)
}

// stepOf is what a step is of: its text without the percentage, or nothing if it has none.
func stepOf(text string) string {
	if !strings.HasSuffix(text, "%") {
		return ""
	}
	return text[:max(strings.LastIndex(text, " "), 0)]
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
