package ota

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"

	"rigor/harness/faults"
	"rigor/harness/faults/device"
	"rigor/harness/measure"
	"rigor/harness/ota"
	"rigor/harness/rig"
	"rigor/harness/sim/clock"
)

// faultSeed chooses the bits of what is half done.
const faultSeed = 1

// samples is how many operations of an area are tried with each fault that is no cut, and how many
// conclusions are executed to see whether they hold; four times as many where minutes are given.
const samples = 2

// survives tries every fault in a board's first update, and so many cuts after one another, or with 0 so
// many that they lead to nothing new.
func survives(depth int) question {
	return func(ctx context.Context, s *session) ([]measure.Sample, error) {
		return s.explore(ctx, depth, s.firstUpdate)
	}
}

// explore tries faults in an update of as many copies of a simulated board as the host has processors.
func (s *session) explore(ctx context.Context, depth int, update func(context.Context, *rig.BoardConfig, int) (faults.Config, error)) ([]measure.Sample, error) {
	if _, ok := s.Board.(rig.Simulated); !ok {
		return nil, &rig.MissingError{What: "flash that can be looked at"}
	}
	c, err := update(ctx, s.Config, runtime.GOMAXPROCS(0))
	if err != nil {
		return nil, err
	}
	c.Depth, c.Now = depth, time.Now
	if depth == 0 {
		c.Samples, c.Recheck = 4*c.Samples, 4*c.Recheck
	}
	c.Progress = func(r faults.Result) {
		s.Progress(fmt.Sprintf("%d faults tried in %d classes of states, %d recoveries executed, %.0f faults a second",
			r.Points(), r.Classes(), r.Executed, float64(r.Points())/r.Elapsed.Seconds()))
	}
	r, err := faults.Explore(ctx, c)
	if err != nil {
		return nil, err
	}
	if c.Depth == 0 && !r.Closed && r.Failed == 0 {
		return nil, fmt.Errorf("after cuts of %d levels there still are new states", len(r.Levels))
	}
	return append(timeline(r),
		sample(measure.UpdateFaults, measure.Events, int64(r.Points())),
		sample(measure.UpdateStates, measure.Events, int64(r.Classes())),
		sample(measure.UpdateRuns, measure.Events, int64(r.Executed)),
		violations(r)), nil
}

// firstUpdate is one by a changed line.
func (k *kit) firstUpdate(_ context.Context, board *rig.BoardConfig, machines int) (faults.Config, error) {
	update, err := k.update(oneLine, false)
	if err != nil {
		return faults.Config{}, err
	}
	return k.exploration(board, machines, 0, k.firstID, update)
}

// laterUpdate is one from what the first put into slot 1.
func (k *kit) laterUpdate(ctx context.Context, board *rig.BoardConfig, machines int) (faults.Config, error) {
	before, err := k.update(oneLine, false)
	if err != nil {
		return faults.Config{}, err
	}
	running, err := k.program(oneLine, 1)
	if err != nil {
		return faults.Config{}, err
	}
	next, err := k.program(release, 0)
	if err != nil {
		return faults.Config{}, err
	}
	update, err := k.pack(next, ota.Options{Base: running})
	if err != nil {
		return faults.Config{}, err
	}
	c, err := k.exploration(board, machines, 1, before.ID(), update)
	if err != nil {
		return c, err
	}
	return c, k.updated(ctx, board, before, c.Machines)
}

// exploration is of an update of machines that are as the factory left them, but for so many updates before it.
func (k *kit) exploration(board *rig.BoardConfig, machines int, before uint32, old uint32, update *ota.Package) (faults.Config, error) {
	judge := device.Judge{Layout: k.layout, Old: old, New: update.ID()}
	c := faults.Config{
		Judge: judge, Horizon: judge.Horizon(before),
		Areas: device.Areas(k.layout), First: faults.Full, Again: faults.Coarse, Frail: faults.Edges, Seed: faultSeed,
		Samples: samples, Recheck: samples,
	}
	for range machines {
		m, err := device.New(board, k.factory.Data, update)
		if err != nil {
			return c, err
		}
		c.Machines, c.Resets = append(c.Machines, m), m.ResetKinds()
	}
	return c, nil
}

// updated puts into the machines' flash what an update leaves there.
func (k *kit) updated(ctx context.Context, board *rig.BoardConfig, p *ota.Package, machines []faults.Machine) error {
	m, err := device.New(board, k.factory.Data, p)
	if err != nil {
		return err
	}
	m.Power(true)
	if _, err := m.Boot(ctx); err != nil {
		return err
	}
	o, err := m.Update(ctx)
	if err == nil && !o.Done {
		err = fmt.Errorf("the update before: %s", o.Err)
	}
	if err != nil {
		return err
	}
	m.Power(false)
	cells := make([]byte, m.FlashSize())
	m.ReadCells(0, cells)
	for _, to := range machines {
		to.SetCells(0, cells)
	}
	return nil
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
