package judge

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"rigor/harness/yamlfile"
)

// Quarantine is a list of experiments whose failure is known and does not block
// for a while.
type Quarantine struct {
	Entries []Isolation `yaml:"quarantine"`
}

// Isolation is an entry of the list. Somebody owns it, and it ends on a day:
// from then on it protects nothing, and fails each run that could have asked the
// experiment.
type Isolation struct {
	Suite      string `yaml:"suite" json:"suite"`
	Experiment string `yaml:"experiment" json:"experiment"`
	Board      string `yaml:"board" json:"board"`
	Owner      string `yaml:"owner" json:"owner"`
	Reason     string `yaml:"reason" json:"reason"`
	Issue      string `yaml:"issue" json:"issue"`     // where it is worked on
	Expires    Day    `yaml:"expires" json:"expires"` // the first day without it, UTC
}

// Day is a date as 2026-12-31.
type Day string

func (d Day) time() (time.Time, error) { return time.Parse(time.DateOnly, string(d)) }

// Expired reports whether the entry has ended at t.
func (i Isolation) Expired(t time.Time) bool {
	end, err := i.Expires.time()
	return err != nil || !t.UTC().Before(end)
}

// Where names the experiment.
func (i Isolation) Where() string { return i.Suite + "/" + i.Experiment + " on " + i.Board }

// String says what is isolated, by whom, until when and why.
func (i Isolation) String() string {
	return fmt.Sprintf("%s in quarantine until %s by %s: %s (%s)", i.Where(), i.Expires, i.Owner, i.Reason, i.Issue)
}

// Find gives the entry about an experiment that holds at t, or nil. A nil list has none.
func (q *Quarantine) Find(suite, experiment, board string, t time.Time) *Isolation {
	if q == nil {
		return nil
	}
	for i := range q.Entries {
		e := &q.Entries[i]
		if e.Suite == suite && e.Experiment == experiment && e.Board == board && !e.Expired(t) {
			return e
		}
	}
	return nil
}

// ParseQuarantine reads a quarantine file strictly: every field is wanted.
func ParseQuarantine(file string, text []byte) (*Quarantine, error) {
	var q Quarantine
	f, err := yamlfile.Decode(file, text, &q)
	if err != nil {
		return nil, err
	}
	var errs []error
	seen := map[string]bool{}
	for n, e := range q.Entries {
		err := e.valid()
		if err == nil && seen[e.Where()] {
			err = fmt.Errorf("%s is there twice", e.Where())
		}
		seen[e.Where()] = true
		if err != nil {
			errs = append(errs, f.Errorf([]any{"quarantine", n}, "entry %d: %w", n+1, err))
		}
	}
	return &q, errors.Join(errs...)
}

func (i Isolation) valid() error {
	for _, field := range []struct{ name, value string }{
		{"suite", i.Suite}, {"experiment", i.Experiment}, {"board", i.Board}, {"owner", i.Owner}, {"reason", i.Reason}, {"issue", i.Issue},
	} {
		if strings.TrimSpace(field.value) == "" {
			return fmt.Errorf("no %s", field.name)
		}
	}
	if _, err := i.Expires.time(); err != nil {
		return fmt.Errorf("expires %q: want a day such as 2026-12-31", i.Expires)
	}
	return nil
}

// LoadQuarantine reads the quarantine file at path.
func LoadQuarantine(path string) (*Quarantine, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read quarantine: %w", err)
	}
	return ParseQuarantine(path, text)
}
