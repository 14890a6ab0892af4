package judge

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rigor/harness/judge/change"
	"rigor/harness/measure"
	"rigor/harness/timebase"
	"rigor/harness/wholefile"
)

// Key names a figure: what was measured where, by whom, at which core clock.
// Repeats of an experiment are several samples of one figure.
type Key struct {
	Suite      string         `json:"suite"`
	Experiment string         `json:"experiment"`
	Board      string         `json:"board"`
	Quantity   string         `json:"quantity"`
	Source     measure.Source `json:"source"`
	CoreHz     timebase.Rate  `json:"core_hz,omitempty"`
}

// String writes the key as a path, by which patterns find it.
func (k Key) String() string {
	s := strings.Join([]string{k.Suite, k.Experiment, k.Board, k.Quantity, string(k.Source)}, "/")
	if k.CoreHz != 0 {
		s += "/" + strings.ReplaceAll(k.CoreHz.String(), " ", "")
	}
	return s
}

// Compare orders keys.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Suite, o.Suite), cmp.Compare(k.Experiment, o.Experiment), cmp.Compare(k.Board, o.Board),
		cmp.Compare(k.Quantity, o.Quantity), cmp.Compare(k.Source, o.Source), cmp.Compare(k.CoreHz, o.CoreHz))
}

// Figure is what a run found for a key.
type Figure struct {
	Key
	Unit       measure.Unit       `json:"unit"`
	ClockHz    timebase.Rate      `json:"clock_hz,omitempty"`   // that cycles or ticks are counted by
	Resolution int64              `json:"resolution,omitempty"` // of each value
	Assumption measure.Assumption `json:"assumption"`
	Summary    measure.Summary    `json:"summary"`
	Digest     string             `json:"digest"`             // of the sample's values
	Firmware   string             `json:"firmware,omitempty"` // digest of the image that ran
	Run        string             `json:"run,omitempty"`      // the bundle's name
	Noise      *change.Noise      `json:"noise,omitempty"`    // between runs of one state, as rigor ab measured it
	Doubts     []string           `json:"doubts,omitempty"`   // why nothing may rest on it; none in a baseline
}

// BaselineSchema is the version of the file that this package reads and writes.
const BaselineSchema = 1

// Baseline is what later runs on a rig are compared against: figures that
// somebody accepted, and why. A nil one holds none.
type Baseline struct {
	Schema   int          `json:"schema"`
	Rig      string       `json:"rig"`
	Kind     string       `json:"kind"` // hardware or virtual
	Accepted []Acceptance `json:"accepted"`
	Figures  []Figure     `json:"figures"` // in the order of their keys
}

// Acceptance is one call of rigor baseline accept.
type Acceptance struct {
	Time    time.Time `json:"time"`
	Run     string    `json:"run"`            // the bundle's name
	Harness string    `json:"harness"`        // version that made the run
	By      string    `json:"by"`             // who accepted it
	Why     string    `json:"why"`            // and the reason
	Only    string    `json:"only,omitempty"` // the pattern of the figures that were meant; empty: all
}

// Figure finds what was accepted for a key, or nil.
func (b *Baseline) Figure(k Key) *Figure {
	if b == nil {
		return nil
	}
	i, ok := slices.BinarySearchFunc(b.Figures, k, func(f Figure, k Key) int { return f.Key.Compare(k) })
	if !ok {
		return nil
	}
	return &b.Figures[i]
}

// HarnessOf is the version of the harness that made an accepted run, or "".
func (b *Baseline) HarnessOf(run string) string {
	if b != nil {
		for _, a := range b.Accepted {
			if a.Run == run {
				return a.Harness
			}
		}
	}
	return ""
}

// Runs are the names of the bundles that the figures were taken from.
func (b *Baseline) Runs() (names []string) {
	if b == nil {
		return nil
	}
	for _, f := range b.Figures {
		names = append(names, f.Run)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Put replaces or adds figures. What has no noise of its own keeps that of the
// figure it replaces: noise belongs to rig and quantity, not to their state.
func (b *Baseline) Put(figures ...Figure) {
	for _, f := range figures {
		i, ok := slices.BinarySearchFunc(b.Figures, f.Key, func(f Figure, k Key) int { return f.Key.Compare(k) })
		if !ok {
			b.Figures = slices.Insert(b.Figures, i, f)
			continue
		}
		if f.Noise == nil {
			f.Noise = b.Figures[i].Noise
		}
		b.Figures[i] = f
	}
}

// Tidy forgets acceptances of which no figure is left.
func (b *Baseline) Tidy() {
	runs := b.Runs()
	b.Accepted = slices.DeleteFunc(b.Accepted, func(a Acceptance) bool { return !slices.Contains(runs, a.Run) })
}

// LoadBaseline reads a baseline strictly. A file that does not exist gives an
// error that is fs.ErrNotExist.
func LoadBaseline(path string) (*Baseline, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read baseline: %w", err)
	}
	b, err := ParseBaseline(text)
	if err != nil {
		return nil, fmt.Errorf("read baseline %s: %w", path, err)
	}
	return b, nil
}

// ParseBaseline reads a baseline's text.
func ParseBaseline(text []byte) (*Baseline, error) {
	var version struct{ Schema int }
	if err := json.Unmarshal(text, &version); err == nil && version.Schema > BaselineSchema {
		return nil, fmt.Errorf("written by a newer rigor: schema %d, this one knows %d", version.Schema, BaselineSchema)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var b Baseline
	if err := d.Decode(&b); err != nil {
		return nil, fmt.Errorf("%w; restore it with git, rigor baseline accept is what writes it", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text after the end")
	}
	return &b, b.valid()
}

func (b *Baseline) valid() error {
	if b.Schema < 1 || b.Rig == "" || b.Kind != "virtual" && b.Kind != "hardware" {
		return fmt.Errorf("no baseline: schema %d, rig %q of kind %q", b.Schema, b.Rig, b.Kind)
	}
	for i, f := range b.Figures {
		switch {
		case i > 0 && b.Figures[i-1].Key.Compare(f.Key) >= 0:
			return fmt.Errorf("figure %d: %s is there twice or out of order", i+1, f.Key)
		case f.Quantity == "" || f.Board == "" || !f.Unit.Valid() || f.Summary.N == 0:
			return fmt.Errorf("figure %d: %s has no value or no unit", i+1, f.Key)
		case len(f.Doubts) > 0:
			return fmt.Errorf("figure %d: %s is in doubt: %s", i+1, f.Key, f.Doubts[0])
		case b.HarnessOf(f.Run) == "":
			return fmt.Errorf("figure %d: %s comes from run %q, which nobody accepted", i+1, f.Key, f.Run)
		}
	}
	return nil
}

// Write writes the baseline with one figure a line, so that a diff of two
// versions shows what was accepted.
func (b *Baseline) Write(w io.Writer) error {
	if err := b.valid(); err != nil {
		return fmt.Errorf("write baseline: %w", err)
	}
	var t bytes.Buffer
	line := func(indent string, v any, end string) error {
		e := json.NewEncoder(&t)
		e.SetEscapeHTML(false)
		t.WriteString(indent)
		err := e.Encode(v)
		t.Truncate(t.Len() - 1) // the newline
		t.WriteString(end)
		return err
	}
	fmt.Fprintf(&t, "{\n  \"schema\": %d,\n", b.Schema)
	err := errors.Join(line(`  "rig": `, b.Rig, ",\n"), line(`  "kind": `, b.Kind, ",\n"),
		lines(&t, "accepted", b.Accepted, line), lines(&t, "figures", b.Figures, line))
	if err != nil {
		return fmt.Errorf("write baseline: %w", err)
	}
	t.Truncate(t.Len() - len(",\n"))
	t.WriteString("\n}\n")
	_, err = t.WriteTo(w)
	return err
}

// lines writes a list with one entry a line.
func lines[T any](t *bytes.Buffer, name string, list []T, line func(string, any, string) error) error {
	fmt.Fprintf(t, "  %q: [", name)
	for i, v := range list {
		end := ","
		if i == len(list)-1 {
			end = ""
		}
		if err := line("\n    ", v, end); err != nil {
			return err
		}
	}
	t.WriteString("\n  ],\n")
	return nil
}

// Save writes the baseline to path as a whole.
func (b *Baseline) Save(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("save baseline: %w", err)
	}
	return wholefile.Write(path, b.Write)
}
