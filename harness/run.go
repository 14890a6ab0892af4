package harness

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rigor/firmware/images"
	"rigor/harness/judge"
	"rigor/harness/measure"
	"rigor/harness/record"
	"rigor/harness/rig"
	"rigor/harness/timebase"
	"rigor/probes"
)

// Experiment is one question asked of one board: what to run on it, what to do
// to it while its pins are watched, and which numbers follow from what was
// seen.
type Experiment struct {
	Suite, Name string
	Repeat      int // how often the run has asked it before; each repeat begins with a flash of its own
	Image       images.Image
	Spoils      bool // leaves the board with something else in its flash than the image
	Watch       []probes.Line
	Stimulate   func(context.Context, *Bench) (Report, error)
	Measure     func(Observation) ([]measure.Sample, error)
}

// Runner takes experiments through the pipeline on one board:
//
//	flash -> stimulate + capture -> measure -> judge -> record
type Runner struct {
	Station  *rig.Station
	RigKind  rig.Kind
	Limits   *judge.Limits
	Bundle   *record.Bundle
	Progress func(string) // gets what Flash tells of; may be nil
	Profile  bool         // keep where the firmware's cycles went, of boards that can tell

	Baseline   *judge.Baseline   // what the rig's figures are compared against; may be nil
	Quarantine *judge.Quarantine // whose failures don't block; may be nil

	phases  []record.Phase  // of the attempt under way
	flashed onBoard         // what is on the board
	carried int             // so many opened images are in the bundle
	tests   []probes.Report // what the probe's loops showed; nil: not tested yet
}

// Run puts the experiment to the board and records what came of it. An error
// is a failure to record; what the board did wrong is in the experiment.
func (r *Runner) Run(ctx context.Context, x Experiment) (record.Experiment, error) {
	e := record.Experiment{Suite: x.Suite, Name: x.Name, Board: r.Station.Name(), Firmware: x.Image.SHA256}
	e.Quarantine = r.Quarantine.Find(e.Suite, e.Name, e.Board, time.Now())
	r.try(ctx, &e, func() error { return r.ask(ctx, x, &e) })
	return e, errors.Join(r.carry(), r.Bundle.Add(e))
}

// Skip records that the board cannot be asked, for want of something.
func (r *Runner) Skip(x Experiment, missing *rig.MissingError) (record.Experiment, error) {
	e := record.Experiment{Suite: x.Suite, Name: x.Name, Board: r.Station.Name(), Skipped: missing.Error()}
	return e, r.Bundle.Add(e)
}

// ask is the pipeline up to the verdicts.
func (r *Runner) ask(ctx context.Context, x Experiment, e *record.Experiment) error {
	if err := r.selfTest(ctx); err != nil {
		return err
	}
	written, err := r.flash(ctx, x)
	if err != nil {
		return err
	}
	if x.Spoils {
		r.flashed = onBoard{}
	}
	seen, err := r.observe(ctx, x, e)
	if err != nil {
		return err
	}
	seen.Flash = written
	samples, err := r.measure(x, seen, e)
	if err != nil {
		return err
	}
	e.Measurements = r.judge(x, samples, timebase.Rate(seen.Hello.CoreHz), e)
	return r.crossCheck(samples, seen, e)
}

// measure makes samples of what was seen.
func (r *Runner) measure(x Experiment, seen Observation, e *record.Experiment) ([]measure.Sample, error) {
	defer r.phase(record.MeasurePhase)()
	samples, err := x.Measure(seen)
	if err != nil {
		return nil, fmt.Errorf("measure: %w", err)
	}
	if r.Station.Capturer == nil {
		if samples, err = withoutProbe(samples, x.Watch, e); err != nil {
			return nil, err
		}
	}
	for i := range samples {
		samples[i].Warnings = append(samples[i].Warnings, seen.Caveats...)
	}
	return samples, nil
}

// judge summarises the samples and holds them against limits, claims and the
// baseline.
func (r *Runner) judge(x Experiment, samples []measure.Sample, core timebase.Rate, e *record.Experiment) (ms []record.Measurement) {
	defer r.phase(record.JudgePhase)()
	on := judge.Subject{RigKind: string(r.RigKind), Chip: r.Station.Config.Chip, Core: core, Firmware: e.Firmware}
	for _, s := range samples {
		sum := measure.Summarize(s)
		m := record.Measured(s, core, sum, nil, r.Limits.Check(on, s, sum))
		accepted := r.Baseline.Figure(e.Key(m))
		m.Verdicts = r.Limits.Judge(on, s, sum, accepted)
		if accepted != nil && !r.used(x) {
			m.Digest = e.Digest(s)
			c := judge.Compare(on.RigKind, *accepted, e.Figure(m))
			m.Change = &c
		}
		ms = append(ms, m)
	}
	return ms
}

// used reports a repeat on the virtual rig, which does not repeat the first one to
// the cycle: it begins with a board that has been used.
func (r *Runner) used(x Experiment) bool { return r.RigKind == rig.Virtual && x.Repeat > 0 }
