package record

import (
	"cmp"
	"path/filepath"
	"slices"

	"rigor/harness/judge"
	"rigor/harness/measure"
	"rigor/harness/rig"
)

// Key names the figure that a measurement of the experiment is a sample of.
func (e *Experiment) Key(m Measurement) judge.Key {
	return judge.Key{Suite: e.Suite, Experiment: e.Name, Board: e.Board, Quantity: m.Quantity, Source: m.Source, CoreHz: m.CoreHz}
}

// Figure is a measurement of the experiment as baselines keep it.
func (e *Experiment) Figure(m Measurement) judge.Figure {
	return judge.Figure{
		Key: e.Key(m), Unit: m.Unit, ClockHz: m.ClockHz, Resolution: m.Resolution, Assumption: m.Assumption, Summary: m.Summary,
		Digest: m.Digest, Firmware: e.Firmware, Doubts: m.Doubts,
	}
}

// Digest is the digest that the sample's values will have once the experiment
// is added.
func (e *Experiment) Digest(s measure.Sample) string {
	f := sampleFile{sampleName(*e, Measurement{Quantity: s.Name, Source: s.Source}), s.Unit, uint64(s.Clock), s.Overhead, s.Values}
	return f.digest()
}

// Name is the name of the run's bundle.
func (r *Run) Name() string { return filepath.Base(r.dir) }

// Version names what decided about the samples: the sources that the suites were
// built from, or as far as is known.
func (r *Run) Version() string { return cmp.Or(r.Sources, r.Harness) }

// Figures are what the run found, one to a key, in the order of keys. What has no
// values is none, and neither is what came before a failure.
//
// Of repeats on the virtual rig it is the first, the one that began with a board as new as that of any other run; on
// hardware the one whose median is in the middle.
func (r *Run) Figures() []judge.Figure {
	repeats := map[judge.Key][]judge.Figure{}
	for _, e := range r.Experiments {
		for _, m := range e.Measurements {
			if f := e.Figure(m); !e.Failed() && m.Summary.N > 0 {
				f.Run = r.Name()
				repeats[f.Key] = append(repeats[f.Key], f)
			}
		}
	}
	var all []judge.Figure
	for _, fs := range repeats {
		all = append(all, r.represent(fs))
	}
	slices.SortFunc(all, func(a, b judge.Figure) int { return a.Key.Compare(b.Key) })
	return all
}

// represent chooses one of a figure's repeats.
func (r *Run) represent(fs []judge.Figure) judge.Figure {
	if r.Rig.Kind == string(rig.Virtual) {
		return fs[0]
	}
	slices.SortStableFunc(fs, func(a, b judge.Figure) int { return cmp.Compare(a.Summary.Median.Value, b.Summary.Median.Value) })
	return fs[(len(fs)-1)/2]
}
