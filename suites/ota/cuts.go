package ota

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"rigor/harness/faults"
	"rigor/harness/faults/device"
	"rigor/harness/measure"
	"rigor/harness/rig"
	"rigor/harness/sim/clock"
)

// faultSeed chooses the bits of what is half done.
const faultSeed = 1

// survives tries every fault in an update of a simulated board, and every cut in what follows from it,
// on as many copies of the board as the host has processors.
func survives(ctx context.Context, s *session) ([]measure.Sample, error) {
	if _, ok := s.Board.(rig.Simulated); !ok {
		return nil, &rig.MissingError{What: "flash that can be looked at"}
	}
	c, err := s.exploration(s.Config, runtime.GOMAXPROCS(0))
	if err != nil {
		return nil, err
	}
	r, err := faults.Explore(ctx, c)
	if err != nil {
		return nil, err
	}
	if !r.Closed && r.Failed == 0 {
		return nil, fmt.Errorf("after cuts of %d levels there still are new states", len(r.Levels))
	}
	return append(timeline(r),
		sample(measure.UpdateFaults, measure.Events, int64(r.Points())),
		sample(measure.UpdateStates, measure.Events, int64(r.Classes())),
		sample(measure.UpdateRuns, measure.Events, int64(r.Executed)),
		violations(r)), nil
}

// exploration is that of an update by one changed line.
func (k *kit) exploration(board *rig.BoardConfig, machines int) (faults.Config, error) {
	update, err := k.update(oneLine, false)
	if err != nil {
		return faults.Config{}, err
	}
	c := faults.Config{
		Judge: device.Judge{Layout: k.layout, Old: k.firstID, New: update.ID()},
		Areas: device.Areas(k.layout), First: faults.Full, Again: faults.Coarse, Seed: faultSeed,
	}
	for range machines {
		m, err := device.New(board, k.factory.Data, update)
		if err != nil {
			return c, err
		}
		c.Machines = append(c.Machines, m)
	}
	return c, nil
}

// violations are what must not happen, with the shortest ways to them.
func violations(r *faults.Result) measure.Sample {
	all := sample(measure.UpdateBricks, measure.Events, int64(r.Failed))
	for _, f := range r.Failures {
		all.Warnings = append(all.Warnings, strings.TrimSpace(f.Spec()))
	}
	return all
}

// timeline is when the update's operations were under way, and when cuts in them lead to which image.
func timeline(r *faults.Result) (all []measure.Sample) {
	times := map[string][]int64{}
	for _, p := range r.Timeline {
		area, _, _ := strings.Cut(p.Area, " ") // whichever slot it is
		during := span(p.Start-r.Timeline[0].Start, p.End-r.Timeline[0].Start)
		add := func(name string) { times[name] = append(times[name], during...) }
		add(measure.Under(measure.UpdateOperation, area))
		for image, v := range map[string]faults.Verdict{"old": faults.RunsOld, "new": faults.RunsNew} {
			if p.Cuts.Of(v) > 0 {
				add(measure.Under(measure.CutBoots, image))
			}
		}
	}
	for _, phase := range measure.UpdatePhases {
		all = append(all, sample(measure.Under(measure.UpdateOperation, phase), measure.Nanoseconds, times[measure.Under(measure.UpdateOperation, phase)]...))
	}
	for _, image := range measure.CutOutcomes {
		all = append(all, sample(measure.Under(measure.CutBoots, image), measure.Nanoseconds, times[measure.Under(measure.CutBoots, image)]...))
	}
	return all
}

// span is a stretch of time as moments in nanoseconds, near enough to each other for a picture.
func span(from, to clock.Time) (all []int64) {
	const step = 10 * clock.Millisecond
	for at := from; at < to; at += step {
		all = append(all, int64(at/clock.Nanosecond))
	}
	return all
}
