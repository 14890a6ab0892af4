package record

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rigor/harness/judge"
	"rigor/harness/rig"
)

// progress is a bundle with a log of progress, open.
func progress(t *testing.T) (dir string, log *EventLog) {
	t.Helper()
	b, err := Create(filepath.Join(t.TempDir(), "run"), meta())
	if err != nil {
		t.Fatal(err)
	}
	if log, err = b.Events(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return b.Dir(), log
}

func add(t *testing.T, log *EventLog, events ...Event) {
	t.Helper()
	for _, e := range events {
		if err := log.Add(e); err != nil {
			t.Error(err)
		}
	}
}

func TestEventsGolden(t *testing.T) {
	dir, log := progress(t)
	want := []Event{
		{Time: start, Kind: Note, Board: "f407", Suite: "latency", Text: "suite latency on f407", Total: 2},
		{Time: start, Kind: Begun, Board: "f407", Suite: "latency", Experiment: "switch", Text: "latency/switch on f407, image", Total: 2},
		{Time: start, Kind: Step, Board: "f407", Suite: "latency", Text: "f407: write image 50%", Total: 2},
		{Time: start.Add(time.Second), Kind: Ended, Board: "f407", Suite: "latency", Experiment: "switch", Upshot: Fatal,
			Text: "latency/switch on f407: <slow>\nand more", Done: 1, Total: 2, Left: time.Second},
		{Time: start.Add(2 * time.Second), Kind: Over, Status: Complete, Text: "run complete", Done: 2, Total: 2},
	}
	add(t, log, want...)
	text, err := os.ReadFile(filepath.Join(dir, EventsFile))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, EventsFile, text)
	got, err := Events(dir)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v\ngot  %v\nwant %v", err, got, want)
	}
}

// A machine that stopped may leave half a line.
func TestEventsOfAStoppedMachine(t *testing.T) {
	dir, log := progress(t)
	add(t, log, Event{Time: start, Kind: Note, Text: "one"})
	if _, err := log.f.WriteString(`{"time":"2026-`); err != nil {
		t.Fatal(err)
	}
	if got, err := Events(dir); err != nil || len(got) != 1 || got[0].Text != "one" {
		t.Errorf("%v, %v", got, err)
	}
}

func TestEventsSayWhatIsWrong(t *testing.T) {
	if _, err := Events(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no log: %v", err)
	}
	dir, log := progress(t)
	if _, err := log.f.WriteString("<html>\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := Events(dir); !errors.Is(err, ErrForeign) {
		t.Errorf("foreign text: %v", err)
	}
	log.Close()
	if err := log.Add(Event{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// The kernel takes the lock from a run that is killed, as Close does here.
func TestAlive(t *testing.T) {
	dir, log := progress(t)
	if !Alive(dir) {
		t.Error("a run whose log is open is not alive")
	}
	log.Close()
	if Alive(dir) || Alive(t.TempDir()) {
		t.Error("a run is alive that has no log open")
	}
}

func TestUpshot(t *testing.T) {
	stands, falls := switches(1), switches(1)
	falls.Verdicts = []judge.Verdict{{Outcome: judge.Fail}}
	failed := experiment("failed")
	failed.Attempts = []Attempt{{Failure: &Failure{rig.DUT, "silent"}}}
	for want, es := range map[Upshot][]Experiment{
		Fine:    {experiment("good", stands)},
		Fatal:   {experiment("bad", stands, falls), failed},
		Unasked: {{Skipped: "no supply to cut"}},
	} {
		for _, e := range es {
			if got := e.Upshot(); got != want {
				t.Errorf("%s: %q, want %q", e.Name, got, want)
			}
		}
	}
}

// Whatever a log holds, reading it doesn't panic, and gives no more than its lines.
func FuzzEvents(f *testing.F) {
	whole, err := os.ReadFile(filepath.Join("testdata", EventsFile))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(whole))
	f.Add(string(whole[:len(whole)/2]))
	f.Add("{}\n\n{\"kind\": 1}\n")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(filepath.Join(dir, EventsFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, _ := Events(dir); len(got) > strings.Count(text, "\n") {
			t.Errorf("%d events of %q", len(got), text)
		}
	})
}
