package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// EventKind is what an event is of.
type EventKind string

// The kinds of events.
const (
	Note    EventKind = "note"    // what a person reads: a suite begins, somebody is waited for
	Begun   EventKind = "begun"   // an experiment
	Step    EventKind = "step"    // of something under way; "write echo 50%"
	Ended   EventKind = "ended"   // an experiment, with what came of it
	Trouble EventKind = "trouble" // why a suite ends early
	Over    EventKind = "over"    // the run; Status says how
)

// Event is a line of events.jsonl: a piece of a run's progress.
type Event struct {
	Time       time.Time     `json:"time"` // of the host
	Kind       EventKind     `json:"kind"`
	Board      string        `json:"board,omitempty"` // none: of the whole run
	Suite      string        `json:"suite,omitempty"`
	Experiment string        `json:"experiment,omitempty"`
	Upshot     Upshot        `json:"upshot,omitempty"` // of what ended
	Status     Status        `json:"status,omitempty"` // of what is over
	Text       string        `json:"text"`
	Done       int           `json:"done"`              // experiments of all boards that have ended
	Total      int           `json:"total"`             // that are to end
	Left       time.Duration `json:"left_ns,omitempty"` // estimated; 0: not known
}

// Upshot is what came of an experiment, in the word that people read.
type Upshot string

// The upshots.
const (
	Fine    Upshot = "ok"
	Fatal   Upshot = "FAIL" // fails the run
	Unasked Upshot = "skip"
)

// Upshot is that of the experiment.
func (e *Experiment) Upshot() Upshot {
	one := Run{Experiments: []Experiment{*e}}
	switch {
	case e.Outcome() == Skipped:
		return Unasked
	case one.Blocking() > 0:
		return Fatal
	}
	return Fine
}

// EventLog is a bundle's events.jsonl, open to append to. It is locked as long, which
// shows that its run goes on.
type EventLog struct{ f *os.File }

// Events opens the bundle's log of progress.
func (b *Bundle) Events() (*EventLog, error) {
	f, err := os.OpenFile(filepath.Join(b.dir, EventsFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("record progress: %w", err)
	}
	if err := lock(f, unix.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("record progress: %w", err), f.Close())
	}
	return &EventLog{f}, nil
}

// Add appends an event, as one write: a reader, or a kill, finds whole lines.
func (l *EventLog) Add(e Event) error {
	e.Time = e.Time.UTC()
	line, err := json.Marshal(e)
	if err == nil {
		_, err = l.f.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("record progress: %w", err)
	}
	return nil
}

// Close ends the log.
func (l *EventLog) Close() error { return l.f.Close() }

// Alive reports whether the run at dir has its log of progress open: one that says that
// it is running and is not alive was killed.
func Alive(dir string) bool {
	f, err := os.Open(filepath.Join(dir, EventsFile))
	if err != nil {
		return false
	}
	defer f.Close() // and with it the lock, if there was none
	return errors.Is(lock(f, unix.LOCK_SH|unix.LOCK_NB), unix.EWOULDBLOCK)
}

// Events reads the progress of the run at dir as far as it got. Of a run that
// recorded none the error is fs.ErrNotExist. A last line without an end is that of a machine
// that stopped, or of a moment ago, and no event.
func Events(dir string) ([]Event, error) {
	path := filepath.Join(dir, EventsFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read progress: %w", err)
	}
	var all []Event
	for line := range bytes.Lines(text) {
		var e Event
		if !bytes.HasSuffix(line, []byte("\n")) {
			break
		}
		if err := json.Unmarshal(line, &e); err != nil {
			return all, fmt.Errorf("read progress: %w", &FormatError{path, fmt.Errorf("%w: %w", ErrForeign, err)})
		}
		all = append(all, e)
	}
	return all, nil
}
