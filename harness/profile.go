package harness

import (
	"context"
	"slices"

	"rigor/harness/profile"
	"rigor/harness/record"
	"rigor/harness/rig"
	"rigor/probes"
)

// The lines whose rises begin and end the intervals that suites measure: the release by a timer, the
// stimulus, or the mark of the firmware, whichever comes first, up to the other mark.
var (
	intervalBegins = []probes.Line{"timer", "stimulus", "mark-start"}
	intervalEnds   = []probes.Line{"mark-end"}
)

// profile counts where the firmware's cycles go while the experiment's stimulus acts, if that is wanted and
// the board can tell. What it returns ends the counting and keeps the profile.
func (r *Runner) profile(ctx context.Context, x Experiment, e *record.Experiment) (keep func() error, err error) {
	none := func() error { return nil }
	if !r.Profile {
		return none, nil
	}
	b, ok := r.Station.Board.(rig.Profiler)
	switch {
	case !ok:
		e.Warnings = append(e.Warnings, "no profile was made: only a simulated board tells where cycles go")
		return none, nil
	case x.Spoils:
		e.Warnings = append(e.Warnings, "no profile was made: other programs run than the image, whose symbols would name their functions")
		return none, nil
	}
	from, to := intervals(x.Watch)
	p, err := b.Profile(ctx, from, to)
	if err != nil {
		return nil, blame(rig.Harness, r.Station.Name(), "profile", err)
	}
	return func() error {
		return blame(rig.Harness, r.Station.Name(), "keep the profile", r.keepProfile(x, e, p.Stop()))
	}, nil
}

// intervals are the lines of those watched that begin and end intervals; none unless there
// are both.
func intervals(watched []probes.Line) (from, to []probes.Line) {
	of := func(all []probes.Line) []probes.Line {
		return slices.DeleteFunc(slices.Clone(all), func(l probes.Line) bool { return !slices.Contains(watched, l) })
	}
	from, to = of(intervalBegins), of(intervalEnds)
	if len(from) == 0 || len(to) == 0 {
		return nil, nil
	}
	return from, to
}

func (r *Runner) keepProfile(x Experiment, e *record.Experiment, counts rig.Profile) error {
	p, err := profile.Of(x.Image.Data, counts)
	if err != nil {
		return err
	}
	p.Board, p.Suite, p.Experiment, p.Firmware = e.Board, x.Suite, x.Name, x.Image.SHA256
	file, err := r.Bundle.Profile(r.label(x), p.Write)
	if err != nil {
		return err
	}
	e.Profile = file
	return nil
}
