package report

import (
	"strings"
	"testing"
	"time"

	"rigor/harness/record"
)

func TestMeterCountsAndEstimates(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	var out strings.Builder
	now := time.Unix(1e9, 0)
	m := NewMeter(NewDisplay(&out, true), func() time.Time { return now })
	m.Expect("a", 6)
	m.Expect("b", 4)
	tell := func(board string, after time.Duration, k record.EventKind, text string) {
		now = now.Add(after)
		m.Tell(board, record.Event{Kind: k, Text: text, Upshot: record.Fine})
	}
	tell("a", 0, record.Begun, "s/x on a")
	tell("b", 0, record.Begun, "s/x on b")
	tell("a", 2*time.Second, record.Ended, "s/x on a")
	tell("a", 0, record.Begun, "s/y on a") // 5 of a at 2 s each
	tell("b", 4*time.Second, record.Ended, "s/x on b")
	tell("b", 0, record.Begun, "s/y on b") // 3 of b at 6 s each, 5 of a at 6 s each
	m.Expect("a", -5)
	tell("b", 594*time.Second, record.Ended, "s/y on b") // 2 of b at 300 s each
	got := strings.ReplaceAll(out.String(), "\r\x1b[K", "|")
	want := "[ 1/10] s/x on a|[ 1/10] s/x on b|[ 1/10] ok   s/x on a\n" +
		"[ 2/10] s/y on a, about 10 s left|[ 2/10] ok   s/x on b\n" +
		"[ 3/10] s/y on b, about 30 s left|[3/5] ok   s/y on b\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if left := m.Left(); left != ", about 10 min left" {
		t.Errorf("got %q", left)
	}
}

// In a log, boards that are flashed at once have a line for each step of each.
func TestMeterKeepsBoardsApart(t *testing.T) {
	var out strings.Builder
	m := NewMeter(NewDisplay(&out, false), time.Now)
	for _, e := range []string{"a: write x 0%", "b: write x 0%", "a: write x 50%", "b: write x 50%", "a: verify x 0%"} {
		m.Tell(e[:1], record.Event{Kind: record.Step, Text: e})
	}
	if want := "a: write x\nb: write x\na: verify x\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestEventsComeBack(t *testing.T) {
	for _, e := range []record.Event{
		{Kind: record.Begun, Suite: "s", Experiment: "x", Text: "s/x on a"},
		{Kind: record.Step},
		{Kind: record.Ended, Upshot: record.Fatal, Text: "one\ntwo \x1e \x1b[31m"},
	} {
		if got, ok := ParseEvent(EventLine(e)); !ok || got != e {
			t.Errorf("%v came back as %v, %t", e, got, ok)
		}
		if line := EventLine(e); strings.Contains(line, "\n") {
			t.Errorf("%q takes two lines", line)
		}
	}
	for _, line := range []string{"", "panic: oh", "\x1e", "\x1e{}", `{"kind":"begun"}`} {
		if e, ok := ParseEvent(line); ok {
			t.Errorf("%q was read as %v", line, e)
		}
	}
}
