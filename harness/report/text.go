package report

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// sequences are what terminals obey and nobody reads: control sequences, operating system commands and
// other escapes (ECMA-48 5.4 and 5.6).
var sequences = regexp.MustCompile(`\x1b(\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(\x07|\x1b\\)?|[ -/]*[0-~])`)

// clean makes text of what a board sent fit to be read: valid, in lines, without what terminals obey. Each
// run of bytes that stand for nothing that can be seen becomes one dot, as messages in binary do for the most part.
func clean(text []byte) string {
	s := strings.ToValidUTF8(string(text), "\x00")
	s = sequences.ReplaceAllString(s, "")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	var b strings.Builder
	unseen := false
	for _, r := range s {
		see := r == '\n' || r == '\t' || unicode.IsPrint(r) && r != utf8.RuneError
		switch {
		case see:
			b.WriteRune(r)
		case !unseen:
			b.WriteRune('·')
		}
		unseen = !see
	}
	return strings.TrimRight(binary.ReplaceAllString(b.String(), "·"), "\n")
}

// binary is what cannot be seen with what can by chance: no more than three characters at a time.
var binary = regexp.MustCompile(`·(?:[^\n·]{0,3}·)+`)

// brief cuts text to so many characters, with a mark where it does.
func brief(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// lastLines are so many of a text's.
func lastLines(text string, n int) string {
	all := strings.Split(text, "\n")
	return strings.Join(all[max(len(all)-n, 0):], "\n")
}

// plural counts things: "1 experiment", "2 experiments".
func plural(n int, one string) string {
	if n != 1 {
		one += "s"
	}
	return itoa(n) + " " + one
}
