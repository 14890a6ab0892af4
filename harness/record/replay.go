package record

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"rigor/harness/measure"
)

// CheckSamples reads all samples of the run, and says of each that is missing or not what
// was recorded what is wrong.
func (r *Run) CheckSamples() error {
	var errs []error
	if got := r.digest(); got != r.SamplesDigest {
		errs = append(errs, &FormatError{filepath.Join(r.dir, RunFile),
			fmt.Errorf("%w: their digest is %s, recorded was %s", ErrDigest, got, r.SamplesDigest)})
	}
	for _, m := range r.samples() {
		_, err := r.Sample(m)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// samples are the run's measurements by the files of their values.
func (r *Run) samples() map[string]Measurement {
	all := map[string]Measurement{}
	for _, e := range r.Experiments {
		for _, m := range e.Measurements {
			all[m.File] = m
		}
	}
	return all
}

// Departure is a difference between a run and its replay.
type Departure struct {
	Sample string `json:"sample"` // the file of its values in the bundle that has it
	Text   string `json:"text"`
}

// Replay is what a comparison of a run with its replay shows.
type Replay struct {
	Samples    int         `json:"samples"` // that were compared
	Whole      bool        `json:"whole"`   // the run had got to its end, so that the replay may have no more
	Digest     string      `json:"digest"`  // of the run's samples
	Departures []Departure `json:"departures"`
}

// Repeats compares the samples of a run with those of its replay, value by value. Where
// the run did not get to its end, it compares what there is.
func Repeats(run, replay *Run) (Replay, error) {
	old, fresh := run.samples(), replay.samples()
	c := Replay{Samples: len(old), Whole: run.Status == Complete, Digest: run.SamplesDigest, Departures: []Departure{}}
	for _, file := range slices.Sorted(maps.Keys(old)) {
		m, ok := fresh[file]
		text := "the replay has no such sample"
		if ok {
			var err error
			if text, err = differ(run, old[file], replay, m); err != nil {
				return c, err
			}
		}
		if text != "" {
			c.Departures = append(c.Departures, Departure{file, text})
		}
	}
	for _, file := range slices.Sorted(maps.Keys(fresh)) {
		if _, ok := old[file]; !ok && c.Whole {
			c.Departures = append(c.Departures, Departure{file, "the replay alone has such a sample"})
		}
	}
	return c, nil
}

// differ tells how two samples differ, or nothing if they do not.
func differ(run *Run, m Measurement, replay *Run, n Measurement) (string, error) {
	if m.Digest == n.Digest {
		return "", nil
	}
	old, errOld := run.Sample(m)
	fresh, errNew := replay.Sample(n)
	if err := errors.Join(errOld, errNew); err != nil {
		return "", err
	}
	switch {
	case old.Unit != fresh.Unit || old.Clock != fresh.Clock:
		return fmt.Sprintf("was in %s at %d Hz, is in %s at %d Hz", old.Unit, old.Clock, fresh.Unit, fresh.Clock), nil
	case old.Overhead != fresh.Overhead:
		return fmt.Sprintf("overhead was %d %s, is %d", old.Overhead, old.Unit, fresh.Overhead), nil
	}
	return differValues(old, fresh), nil
}

func differValues(old, fresh measure.Sample) string {
	n, first := 0, -1
	both := min(len(old.Values), len(fresh.Values))
	for i := range both {
		if old.Values[i] != fresh.Values[i] {
			n++
			if first < 0 {
				first = i
			}
		}
	}
	text := fmt.Sprintf("%d of %d values differ", n, both)
	if first >= 0 {
		text += fmt.Sprintf(", the first is value %d: was %d %s, is %d", first+1, old.Values[first], old.Unit, fresh.Values[first])
	}
	if len(old.Values) != len(fresh.Values) {
		text += fmt.Sprintf("; there were %d values, are %d", len(old.Values), len(fresh.Values))
	}
	return text
}
