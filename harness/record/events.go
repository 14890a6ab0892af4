package record

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
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
// recorded none the error is fs.ErrNotExist.
func Events(dir string) ([]Event, error) {
	var all []Event
	for e, err := range follow(dir, func() bool { return false }) {
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
	return all, nil
}

// Tail gives the events of the run at dir from the first on and then waits for
// more, looking each time after pause, until the run is over or was killed, or ctx
// ends it.
func Tail(ctx context.Context, dir string, pause time.Duration) iter.Seq2[Event, error] {
	last := false // the log has ended; what it holds has to be read once more
	return follow(dir, func() bool {
		if last {
			return false
		}
		last = !Alive(dir)
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pause):
			return true
		}
	})
}

// follow gives the events of a log, and has more say at its end whether to look
// again.
func follow(dir string, more func() bool) iter.Seq2[Event, error] {
	path := filepath.Join(dir, EventsFile)
	return func(yield func(Event, error) bool) {
		f, err := os.Open(path)
		if err != nil {
			yield(Event{}, fmt.Errorf("read progress: %w", err))
			return
		}
		defer f.Close()
		lines := &lineReader{r: bufio.NewReader(f)}
		for {
			line, err := lines.next(more)
			if line == nil && err == nil {
				return
			}
			var e Event
			if err == nil {
				err = parseEvent(path, line, &e)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// lineReader reads lines of a file that grows.
type lineReader struct {
	r     *bufio.Reader
	begun []byte
}

// next gives the next line, or none if there is no more. A last one without an end
// is that of a machine that stopped.
func (l *lineReader) next(more func() bool) ([]byte, error) {
	for {
		part, err := l.r.ReadBytes('\n')
		l.begun = append(l.begun, part...)
		switch {
		case err == nil:
			line := l.begun
			l.begun = nil
			return line, nil
		case !errors.Is(err, io.EOF):
			return nil, fmt.Errorf("read progress: %w", err)
		case !more():
			return nil, nil
		}
	}
}

func parseEvent(path string, line []byte, e *Event) error {
	if err := json.Unmarshal(line, e); err != nil {
		return fmt.Errorf("read progress: %w", &FormatError{path, fmt.Errorf("%w: %w", ErrForeign, err)})
	}
	return nil
}
