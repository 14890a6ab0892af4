package harness

import (
	"errors"
	"fmt"
	"slices"

	"rigor/harness/measure"
	"rigor/harness/record"
	"rigor/harness/rig"
	"rigor/probes"
)

// crossCheck holds the firmware's account against the probe's.
func (r *Runner) crossCheck(samples []measure.Sample, seen Observation, e *record.Experiment) error {
	err := agree(samples)
	if err != nil && seen.Capture.Lost > 0 { // then the probe is no witness
		e.Warnings = append(e.Warnings, err.Error())
		return nil
	}
	return blame(rig.Firmware, r.Station.Name(), "trust the firmware", err)
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
