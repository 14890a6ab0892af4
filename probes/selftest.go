package probes

import (
	"context"
	"fmt"
	"slices"
	"time"

	"rigor/harness/timebase"
)

// Report is what a probe's self-test found. All but N are in ticks of Rate.
type Report struct {
	Rate       timebase.Rate  `json:"rate"`
	Resolution timebase.Ticks `json:"resolution"` // as the probe states it
	Skew       timebase.Ticks `json:"skew"`       // by how much the loop's end is behind, the median
	Spread     timebase.Ticks `json:"spread"`     // from the least to the greatest of these
	N          int            `json:"n"`          // edges
}

// Known is within how many ticks the probe knows the time between edges of two
// lines: what it states, or what it scatters by if that is more.
func (r Report) Known() timebase.Ticks { return max(r.Resolution, r.Spread) }

func (r Report) String() string {
	ns := func(t timebase.Ticks) string { return fmt.Sprintf("%.3f ns", float64(t)*1e9/float64(r.Rate)) }
	return fmt.Sprintf("resolution %s, skew %s, spread %s over %d edges at %v",
		ns(r.Resolution), ns(r.Skew), ns(r.Spread), r.N, r.Rate)
}

// selfTestEdges is how many edges a self-test drives; it waits selfTestPause
// after each.
const (
	selfTestEdges = 32
	selfTestPause = 100 * time.Microsecond
)

// SelfTest drives a line that is wired back to another, loop, and compares when
// the capturer saw both change. An edge that does not come back, or a skew of
// more than the pause between two edges, is an error: the loop is not wired, or
// the probe does not work.
func SelfTest(ctx context.Context, clock timebase.Clock, c Capturer, d Driver, driven, loop Line) (Report, error) {
	fail := func(err error) (Report, error) {
		return Report{}, fmt.Errorf("self-test of the probe, from %s to %s: %w", driven, loop, err)
	}
	if err := d.Drive(ctx, driven, false); err != nil {
		return fail(err)
	}
	if err := clock.Sleep(ctx, selfTestPause); err != nil {
		return fail(err)
	}
	r, err := c.Arm(ctx, CaptureSpec{Lines: []Line{driven, loop}})
	if err != nil {
		return fail(err)
	}
	for i := 0; i < selfTestEdges && err == nil; i++ {
		if err = d.Drive(ctx, driven, i%2 == 0); err == nil {
			err = clock.Sleep(ctx, selfTestPause)
		}
	}
	seen, stopErr := r.Stop(context.WithoutCancel(ctx))
	if err == nil {
		err = stopErr
	}
	if err != nil {
		return fail(err)
	}
	report, err := compare(seen, driven, loop)
	if err != nil {
		return fail(err)
	}
	return report, nil
}

// compare pairs the edges of both lines, each with the next of its own kind.
func compare(c Capture, driven, loop Line) (Report, error) {
	at := map[Line][]timebase.Ticks{}
	for _, e := range c.Edges {
		if n := len(at[e.Line]); e.High != (n%2 == 0) {
			return Report{}, fmt.Errorf("edge %d of %s goes the wrong way", n, e.Line)
		}
		at[e.Line] = append(at[e.Line], e.At)
	}
	if len(at[driven]) != selfTestEdges || len(at[loop]) != selfTestEdges || c.Lost > 0 {
		return Report{}, fmt.Errorf("%d edges were driven; seen were %d going out and %d coming back, %d lost",
			selfTestEdges, len(at[driven]), len(at[loop]), c.Lost)
	}
	var behind []timebase.Ticks
	for i, out := range at[driven] {
		behind = append(behind, at[loop][i]-out)
	}
	slices.Sort(behind)
	least, most := behind[0], behind[selfTestEdges-1]
	if most > timebase.Ticks(selfTestPause).Convert(1e9, c.Rate) {
		return Report{}, fmt.Errorf("an edge came back %d ticks of %v late, after the next was driven", most, c.Rate)
	}
	return Report{Rate: c.Rate, Resolution: c.Resolution, Skew: behind[selfTestEdges/2], Spread: most - least, N: selfTestEdges}, nil
}
