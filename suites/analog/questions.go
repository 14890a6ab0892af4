package analog

import (
	"context"
	"fmt"
	"time"

	"rigor/firmware/images"
	"rigor/firmware/wire"
	"rigor/harness"
	"rigor/harness/measure"
	"rigor/harness/rig"
	"rigor/harness/timebase"
	"rigor/probes"
)

// The lines of rigs.yaml that the program uses; see firmware/README.md.
const (
	input    probes.Line = "analog"
	trigger  probes.Line = "timer"    // rises at each trigger
	running  probes.Line = "running"  // high while there are triggers
	stimulus probes.Line = "stimulus" // rises when the waveform begins
)

// A question is a waveform, how it is sampled, and what is made of the
// conversions.
type question struct {
	name    string
	by      converter
	wave    probes.Waveform
	rate    uint32 // of conversions, Hz
	count   uint32
	measure func(q question, all []conversion) ([]measure.Sample, error)
}

// questions to a converter. The rates of the waveforms for instants and steps don't
// divide that of the conversions, so that these fall on every part of them.
func questions(by converter) []question {
	middle := probes.Constant(by.top / 2)
	ramp := probes.Ramp{To: by.top, Over: 38 * time.Millisecond}
	hiss := probes.Noise{Of: middle, RMS: 5 * probes.MilliVolt, Seed: 1}
	triangle := probes.Samples{Rate: 40_000, Linear: true, Repeat: true,
		Values: []probes.MicroVolts{100 * probes.MilliVolt, by.top - 100*probes.MilliVolt}}
	square := probes.Samples{Rate: 10_000, Repeat: true,
		Values: []probes.MicroVolts{0, by.top - 300*probes.MilliVolt}}
	return []question{
		{"linearity", by, ramp, 100_000, 4000, linearity},
		{"noise", by, middle, 100_000, 2000, noise(measure.ADCNoise)},
		{"5 mV of noise", by, hiss, 100_000, 2000, noise(measure.ADCInjectedNoise)},
		{"sampling instant", by, triangle, 97_000, 2000, instant},
		{"step response", by, square, by.fast, 4000, stepResponse},
	}
}

// Experiments are the suite's questions to a board with an image of the program
// analog.
func Experiments(image images.Image) []harness.Experiment {
	by, ok := converters[image.Chip]
	if !ok {
		panic("BUG: analog: no converter of " + image.Chip)
	}
	var all []harness.Experiment
	for _, q := range questions(by) {
		all = append(all, harness.Experiment{
			Name:      q.name,
			Image:     image,
			Watch:     []probes.Line{stimulus, trigger, running},
			Stimulate: q.stimulate,
			Measure: func(o harness.Observation) ([]measure.Sample, error) {
				all, err := conversions(o)
				if err != nil {
					return nil, err
				}
				return q.measure(q, all)
			},
		})
	}
	return all
}

// stimulate starts the conversions, then the waveform: a few conversions come
// before it.
func (q question) stimulate(ctx context.Context, b *harness.Bench) (harness.Report, error) {
	if b.Source == nil {
		return harness.Report{}, &rig.MissingError{What: fmt.Sprintf("source of voltages on %s", input)}
	}
	if err := b.Driver.Drive(ctx, stimulus, false); err != nil {
		return harness.Report{}, err
	}
	cmd := wire.Command{Name: wire.CommandAnalog, Count: q.count, Param: q.rate}
	if err := b.Firmware.Start(ctx, cmd, harness.Patience); err != nil {
		return harness.Report{}, err
	}
	if err := b.Driver.Drive(ctx, stimulus, true); err != nil {
		return harness.Report{}, err
	}
	if err := b.Source.Set(ctx, input, q.wave); err != nil {
		return harness.Report{}, &rig.Error{Class: rig.Rig, Board: b.Name(), Op: "set the source", Err: err}
	}
	return b.Firmware.Collect(ctx, cmd, harness.Patience)
}

// A conversion is a trigger and what came of it.
type conversion struct {
	at   int64 // the trigger, in picoseconds since the waveform began
	code int64
}

// conversions pairs the triggers that the probe saw with the results, and leaves
// out those from before the waveform.
func conversions(o harness.Observation) ([]conversion, error) {
	var began timebase.Ticks = -1
	var triggers []timebase.Ticks
	for _, e := range o.Capture.Edges {
		switch {
		case !e.High:
		case e.Line == stimulus:
			began = e.At
		case e.Line == trigger:
			triggers = append(triggers, e.At)
		}
	}
	switch {
	case o.Capture.Rate == 0:
		return nil, &rig.MissingError{What: fmt.Sprintf("probe that watches %s", trigger)}
	case o.Capture.Lost > 0:
		return nil, fmt.Errorf("the probe lost %d edges, so no conversion has a time", o.Capture.Lost)
	case began < 0 || len(triggers) < len(o.Report.Values):
		return nil, fmt.Errorf("the probe saw %d triggers of %d conversions; the waveform began: %v", len(triggers), len(o.Report.Values), began >= 0)
	}
	var all []conversion
	for i, code := range o.Report.Values {
		if triggers[i] >= began {
			since := (triggers[i] - began).Convert(o.Capture.Rate, 1e12)
			all = append(all, conversion{int64(since), int64(code)})
		}
	}
	return all, nil
}
