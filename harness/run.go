package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rigor/firmware/images"
	"rigor/harness/flash"
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
	Image       images.Image
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

	flashed string          // digest of the image on the board
	tests   []probes.Report // what the probe's loops showed; nil: not tested yet
}

// Tries is how often an experiment is tried when the rig fails. Every other
// failure is an answer, and final.
const Tries = 2

// Run puts the experiment to the board and records what came of it. An error
// is a failure to record; what the board did wrong is in the experiment.
func (r *Runner) Run(ctx context.Context, x Experiment) (record.Experiment, error) {
	e := record.Experiment{Suite: x.Suite, Name: x.Name, Board: r.Station.Name(), Firmware: x.Image.SHA256}
	for len(e.Attempts) < Tries {
		started := time.Now()
		err := r.try(ctx, x, &e)
		if missing := (*rig.MissingError)(nil); errors.As(err, &missing) {
			e.Skipped = missing.Error()
			break
		}
		if err != nil {
			r.flashed = "" // who knows what is on the board now
		}
		e.Attempts = append(e.Attempts, attempt(started, err))
		if err == nil || rig.ClassOf(err) != rig.Rig || ctx.Err() != nil {
			break
		}
	}
	return e, r.Bundle.Add(e)
}

// try is the pipeline.
func (r *Runner) try(ctx context.Context, x Experiment, e *record.Experiment) error {
	if err := r.selfTest(ctx); err != nil {
		return err
	}
	written, err := r.flash(ctx, x)
	if err != nil {
		return err
	}
	seen, err := r.observe(ctx, x)
	if err != nil {
		return err
	}
	seen.Flash = written
	samples, err := x.Measure(seen)
	if err != nil {
		return fmt.Errorf("measure: %w", err)
	}
	if r.Station.Capturer == nil {
		if samples, err = withoutProbe(samples, x.Watch, e); err != nil {
			return err
		}
	}
	for i := range samples {
		samples[i].Warnings = append(samples[i].Warnings, seen.Caveats...)
	}
	e.Measurements = r.judge(samples, timebase.Rate(seen.Hello.CoreHz))
	err = agree(samples)
	if err != nil && seen.Capture.Lost > 0 { // then the probe is no witness
		e.Warnings = append(e.Warnings, err.Error())
		return nil
	}
	return blame(rig.Firmware, r.Station.Name(), "trust the firmware", err)
}

// withoutProbe leaves out what only a probe could have measured, and says so: of
// a question to which nothing else has an answer, nothing is known.
func withoutProbe(samples []measure.Sample, watch []probes.Line, e *record.Experiment) (kept []measure.Sample, err error) {
	for _, s := range samples {
		if s.Source != measure.Probe {
			kept = append(kept, s)
		}
	}
	missing := &rig.MissingError{What: fmt.Sprintf("probe that watches %v", watch)}
	byFirmware := func(s measure.Sample) bool { return s.Source == measure.Firmware }
	switch {
	case len(kept) == 0 && len(samples) > 0:
		return nil, missing
	case slices.ContainsFunc(kept, byFirmware):
		e.Warnings = append(e.Warnings, missing.Error()+": the firmware's account stands alone")
	}
	return kept, nil
}

// flash puts the image on the board through its boot loader, unless it is there.
func (r *Runner) flash(ctx context.Context, x Experiment) (flash.Result, error) {
	if r.flashed == x.Image.SHA256 {
		return flash.Result{}, nil
	}
	r.flashed = ""
	result, err := Flash(ctx, r.Station, x.Image.Name, x.Image.Data, r.progress)
	if err != nil {
		return result, err
	}
	r.flashed = x.Image.SHA256
	note := func(run *record.Run) error {
		run.NoteBoard(record.Board{Name: r.Station.Name(), Chip: r.Station.Config.Chip, ID: result.Chip.String()})
		run.NoteFirmware(record.Firmware{Program: x.Image.Program, Target: x.Image.Name, Digest: x.Image.SHA256,
			SourceDigest: x.Image.SourceDigest, Toolchain: x.Image.Toolchain.String()})
		return nil
	}
	return result, r.Bundle.Update(note)
}

// judge summarises the samples and holds them against limits and claims.
func (r *Runner) judge(samples []measure.Sample, core timebase.Rate) (ms []record.Measurement) {
	on := judge.Subject{RigKind: string(r.RigKind), Chip: r.Station.Config.Chip, Core: core}
	for _, s := range samples {
		sum := measure.Summarize(s)
		ms = append(ms, record.Measured(s, core, sum, r.Limits.Judge(on, s, sum), r.Limits.Check(on, s, sum)))
	}
	return ms
}

// agree is an error if firmware and probe tell different stories of the same
// quantity.
func agree(samples []measure.Sample) error {
	for _, f := range samples {
		for _, p := range samples {
			if f.Name != p.Name || f.Source != measure.Firmware || p.Source != measure.Probe {
				continue
			}
			a, err := measure.Agree(f, p)
			if err == nil && !a.OK() {
				err = errors.New(a.String())
			}
			if err != nil {
				return fmt.Errorf("%s: %w", f.Name, err)
			}
		}
	}
	return nil
}

func attempt(started time.Time, err error) record.Attempt {
	a := record.Attempt{Started: started.UTC(), Took: time.Since(started)}
	if err != nil {
		a.Failure = &record.Failure{Class: rig.ClassOf(err), Message: err.Error()}
	}
	return a
}

func (r *Runner) progress(text string) {
	if r.Progress != nil {
		r.Progress(r.Station.Name() + ": " + text)
	}
}
