package report

import (
	"strings"
	"testing"
	"time"
)

func TestMeterCountsAndEstimates(t *testing.T) {
	var out strings.Builder
	now := time.Unix(1e9, 0)
	m := NewMeter(NewDisplay(&out, true), func() time.Time { return now })
	m.Expect("a", 6)
	m.Expect("b", 4)
	tell := func(board string, after time.Duration, k Kind, text string) {
		now = now.Add(after)
		m.Tell(board, Event{k, text})
	}
	tell("a", 0, Begun, "s/x on a")
	tell("b", 0, Begun, "s/x on b")
	tell("a", 2*time.Second, Ended, "ok s/x on a")
	tell("a", 0, Begun, "s/y on a") // 5 of a at 2 s each
	tell("b", 4*time.Second, Ended, "ok s/x on b")
	tell("b", 0, Begun, "s/y on b") // 3 of b at 6 s each, 5 of a at 6 s each
	m.Expect("a", -5)
	tell("b", 594*time.Second, Ended, "ok s/y on b") // 2 of b at 300 s each
	got := strings.ReplaceAll(out.String(), "\r\x1b[K", "|")
	want := "[ 1/10] s/x on a|[ 1/10] s/x on b|[ 1/10] ok s/x on a\n" +
		"[ 2/10] s/y on a, about 10 s left|[ 2/10] ok s/x on b\n" +
		"[ 3/10] s/y on b, about 30 s left|[3/5] ok s/y on b\n"
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
		m.Tell(e[:1], Event{Step, e})
	}
	if want := "a: write x\nb: write x\na: verify x\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestEventsComeBack(t *testing.T) {
	for _, e := range []Event{{Begun, "s/x on a"}, {Step, ""}, {Ended, "ok"}, {Trouble, "no space"}} {
		if got, ok := ParseEvent(e.String()); !ok || got != e {
			t.Errorf("%v came back as %v, %t", e, got, ok)
		}
	}
	if e := (Event{Trouble, "one\ntwo"}); strings.Contains(e.String(), "\n") {
		t.Errorf("%q takes two lines", e.String())
	}
	for _, line := range []string{"", "panic: oh", "\x1e", "\x1e?text"} {
		if e, ok := ParseEvent(line); ok {
			t.Errorf("%q was read as %v", line, e)
		}
	}
}
