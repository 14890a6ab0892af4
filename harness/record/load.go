package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"rigor/harness/measure"
)

// FormatError is a file of a bundle that cannot be read as what it should be.
type FormatError struct {
	File string
	Err  error
}

func (e *FormatError) Error() string { return fmt.Sprintf("%s: %v", e.File, e.Err) }

// Unwrap gives the cause.
func (e *FormatError) Unwrap() error { return e.Err }

// Why a file is none of a bundle's.
var (
	ErrTruncated = errors.New("the file ends too early")
	ErrForeign   = errors.New("not written by rigor")
	ErrSchema    = errors.New("written by a newer rigor")
	ErrDigest    = errors.New("the values are not those that were recorded")
)

// Load reads the bundle at dir, complete or not.
func Load(dir string) (*Run, error) {
	r := &Run{}
	path := filepath.Join(dir, RunFile)
	if err := readJSON(path, r); err != nil {
		return nil, fmt.Errorf("load run: %w", err)
	}
	switch {
	case r.Schema == 0:
		return nil, fmt.Errorf("load run: %w", &FormatError{path, ErrForeign})
	case r.Schema > Schema:
		err := fmt.Errorf("%w: schema %d, this one knows %d", ErrSchema, r.Schema, Schema)
		return nil, fmt.Errorf("load run: %w", &FormatError{path, err})
	}
	r.dir = dir
	return r, nil
}

// Sample reads the values of one of the run's measurements and checks them
// against the recorded digest.
func (r *Run) Sample(m Measurement) (measure.Sample, error) {
	var f sampleFile
	if !filepath.IsLocal(m.File) {
		return measure.Sample{}, fmt.Errorf("load sample: %w", &FormatError{m.File, ErrForeign})
	}
	path := filepath.Join(r.dir, m.File)
	if err := readJSON(path, &f); err != nil {
		return measure.Sample{}, fmt.Errorf("load sample: %w", err)
	}
	if f.digest() != m.Digest {
		return measure.Sample{}, fmt.Errorf("load sample: %w", &FormatError{path, ErrDigest})
	}
	return measure.Sample{
		Name: m.Quantity, Source: m.Source, Unit: m.Unit, Clock: m.ClockHz, Resolution: m.Resolution, Overhead: m.Overhead,
		Assumption: m.Assumption, Values: f.Values, Warnings: m.Warnings, Doubts: m.Doubts,
	}, nil
}

// Latest finds the newest run of every rig, in the order of the rigs' names.
// Without any it gives an error that is fs.ErrNotExist.
func Latest(runs string) ([]*Run, error) {
	dirs, err := bundles(runs)
	if err != nil {
		return nil, err
	}
	ofRig := map[string]string{}
	for _, dir := range dirs {
		_, rig, _ := strings.Cut(filepath.Base(dir), "-")
		ofRig[rig] = dir
	}
	var all []*Run
	for _, rig := range slices.Sorted(maps.Keys(ofRig)) {
		r, err := Load(ofRig[rig])
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// bundles lists the folders that hold a run, oldest first as their names begin
// with the time.
func bundles(runs string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(runs, "*", RunFile))
	if err != nil {
		return nil, fmt.Errorf("find runs: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("find runs: none in %s: %w", runs, os.ErrNotExist)
	}
	slices.Sort(files)
	for i, f := range files {
		files[i] = filepath.Dir(f)
	}
	return files, nil
}

func readJSON(path string, v any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	err = d.Decode(v)
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return &FormatError{path, ErrTruncated}
	case errors.As(err, &syntax), errors.As(err, &wrong):
		return &FormatError{path, fmt.Errorf("%w: %w", ErrForeign, err)}
	}
	return &FormatError{path, err}
}
