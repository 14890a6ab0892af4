package report

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"rigor/harness/record"
	"rigor/harness/rig"
)

func TestClean(t *testing.T) {
	for _, c := range []struct{ sent, want string }{
		{"ready\r\n", "ready"},
		{"\x1b[1;31mpanic:\x1b[0m <nil>\n\tat main", "panic: <nil>\n\tat main"},
		{"\x1b]0;a title\x07text\x1b]8;;http://x\x1b\\link", "textlink"},
		{"\x1b(Bplain\x1bM", "plain"},
		{"a\x00\x01\xff\xfeb", "a·b"},
		{"load:0x40\xe9\x02 Bkd\x84\x14\x00THota/app@d9f6\x01\x02\n", "load:0x40· Bkd·THota/app@d9f6·"},
		{"\x01PH\x02\x03D\x04release\x00\x05E\x06", "·release·"}, // what can be seen by chance
		{"grüße \u202egnp.exe\u200b", "grüße ·gnp.exe·"},         // neither what turns text round nor what has no width
		{"progress 1%\rprogress 2%", "progress 1%·progress 2%"},
	} {
		if got := clean([]byte(c.sent)); got != c.want {
			t.Errorf("%q: %q, want %q", c.sent, got, c.want)
		}
	}
}

// Whatever a board sends, what is left is text that can be seen.
func FuzzClean(f *testing.F) {
	f.Add([]byte("\x1b[31mred\x1b[0m \xff\x00 <script>\r\n"))
	f.Add([]byte("\x1b]0;title"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		got := clean(sent)
		unseen := func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }
		if !utf8.ValidString(got) || strings.ContainsFunc(got, unseen) {
			t.Errorf("%q leaves %q", sent, got)
		}
	})
}

// Whatever is escaped stays in its cell of its table, and means nothing in HTML.
func FuzzEscape(f *testing.F) {
	f.Add("a|b `c` <img src=x> @all [x](javascript:1) \n\n# h")
	f.Fuzz(func(t *testing.T, text string) {
		got := escape(text)
		bare := regexp.MustCompile(`\\[[:punct:]]|&#[0-9]+;`).ReplaceAllString(got, "")
		if strings.ContainsAny(bare, "|`<>@[]*_\n\\&") {
			t.Errorf("%q becomes %q", text, got)
		}
	})
}

var tag = regexp.MustCompile(`</?[a-z0-9]+|<!`)

// FuzzPage has a board say, and name, anything: the page's elements stay the same.
func FuzzPage(f *testing.F) {
	f.Add("</pre><script>alert(1)</script>", "\"><img src=x onerror=alert(1)>")
	f.Add("{{.}} ]]> --> \x00\xff", "' onload='x")
	f.Fuzz(func(t *testing.T, message, name string) {
		if want, got := elements(t, "message", "name"), elements(t, "x"+message, "x"+name); !slices.Equal(got, want) {
			t.Errorf("%q of %q adds elements: %d, want %d", message, name, len(got), len(want))
		}
	})
}

// elements are the tags of a page about a failure.
func elements(t *testing.T, message, name string) []string {
	t.Helper()
	message = strings.ReplaceAll(message, "\n", " ") // the first line is shown apart
	e := record.Experiment{Suite: "s", Name: name, Board: "b", Warnings: []string{message}, Attempts: []record.Attempt{
		{Failure: &record.Failure{Class: rig.Firmware, Message: message}}}}
	var page bytes.Buffer
	r := &record.Run{Rig: record.Rig{Name: name}, Boards: []record.Board{{Name: "b", ID: message}}, Experiments: []record.Experiment{e}}
	if err := HTML(&page, r); err != nil {
		t.Fatal(err)
	}
	return tag.FindAllString(page.String(), -1)
}

// A page has a bound: what matters least gives way, and the page says how much.
func TestPageIsBounded(t *testing.T) {
	r := run(t)
	failing := r.Experiments[0]
	for range 3000 {
		e := r.Experiments[4]
		e.Warnings = []string{strings.Repeat("the loader is an old one. ", 100)}
		r.Experiments = append(r.Experiments, e)
	}
	failing.Name = "the last"
	r.Experiments = append(r.Experiments, failing)
	var page bytes.Buffer
	if err := HTML(&page, r); err != nil {
		t.Fatal(err)
	}
	if n := page.Len(); n > mostDetails+1<<20 {
		t.Errorf("the page has %d bytes", n)
	}
	for _, want := range []string{"experiments more are in run.json", "<b>the last</b>"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("%q is not in the page", want)
		}
	}
	var text bytes.Buffer
	if err := Markdown(&text, r); err != nil || text.Len() > 100_000 {
		t.Errorf("the summary has %d bytes, %v", text.Len(), err)
	}
	if n := utf8.RuneCountInString(Line(r)); n > mostLine {
		t.Errorf("the line has %d characters", n)
	}
}
