package report

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
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

// What is shown is logged: each experiment, and of a step that takes long a line a
// second.
func TestMeterLogs(t *testing.T) {
	b, err := record.Create(filepath.Join(t.TempDir(), "run"), record.Run{})
	if err != nil {
		t.Fatal(err)
	}
	log, err := b.Events()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1e9, 0).UTC()
	m := NewMeter(NewDisplay(io.Discard, false), func() time.Time { return now })
	m.Line("before the log")
	m.Log(log)
	m.Expect("a", 2)
	tell := func(after time.Duration, k record.EventKind, text string) {
		now = now.Add(after)
		m.Tell("a", record.Event{Kind: k, Text: text, Suite: "s"})
	}
	tell(0, record.Begun, "x")
	for _, percent := range []string{"0%", "1%", "2%", "3%"} {
		tell(400*time.Millisecond, record.Step, "write "+percent)
	}
	tell(0, record.Step, "verify 0%")
	tell(400*time.Millisecond, record.Ended, "x")
	if err := m.Over(record.Interrupted); err != nil {
		t.Fatal(err)
	}
	got, err := record.Events(b.Dir())
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, e := range got {
		lines = append(lines, fmt.Sprintf("%v %s %s %s %d/%d %v", e.Time.Sub(time.Unix(1e9, 0)), e.Board, e.Kind, e.Text, e.Done, e.Total, e.Left))
	}
	want := []string{
		"0s a begun x 0/2 0s",
		"400ms a step write 0% 0/2 0s",
		"1.6s a step write 3% 0/2 0s",
		"1.6s a step verify 0% 0/2 0s",
		"2s a ended x 1/2 2s",
		"2s  over run interrupted 1/2 2s",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	if err := m.Over(record.Complete); err != nil {
		t.Errorf("over once more: %v", err)
	}
}

// A log that cannot be written does not end a run, but is told.
func TestMeterTellsOfALogThatFails(t *testing.T) {
	b, err := record.Create(filepath.Join(t.TempDir(), "run"), record.Run{})
	if err != nil {
		t.Fatal(err)
	}
	log, err := b.Events()
	if err != nil {
		t.Fatal(err)
	}
	log.Close()
	m := NewMeter(NewDisplay(io.Discard, false), time.Now)
	m.Log(log)
	m.Line("a")
	if err := m.Over(record.Complete); !errors.Is(err, os.ErrClosed) {
		t.Errorf("%v", err)
	}
}
