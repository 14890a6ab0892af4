package spectrum

import (
	"context"
	"fmt"
	"slices"

	"rigor/firmware/wire"
	"rigor/firmware/wire/audio"
	"rigor/harness"
	"rigor/harness/measure"
	"rigor/harness/timebase"
	"rigor/probes"
)

// transforms are the questions of how fast and how exact each size is.
func transforms() (all []entry) {
	for _, size := range measure.TransformSizes {
		all = append(all, entry{
			name: fmt.Sprintf("transforms of %d points", size), watch: []probes.Line{stimulus, begun, ended},
			make: func() question { return &sideBySide{size: size} },
		})
	}
	return all
}

// variants are the transforms by their quantities' names.
var variants = map[string]audio.Transform{
	measure.Accelerator: audio.Accelerator, measure.FixedPoint: audio.Fixed, measure.FloatPoint: audio.Float,
}

// sideBySide has the same samples transformed in each way.
type sideBySide struct {
	size    int
	samples []int64
	reports []harness.Report // of TransformVariants, as the others
	outputs [][]complex128
}

// repeats is how often each transform is timed.
const repeats = 32

// chord is rich in frequencies and uses most of the range.
func chord(rate milliHertz) probes.Sound {
	return probes.Mix{
		tone{5.3, -9_000}.at(rate), tone{21, -12_000}.at(rate), tone{44.8, -20_000}.at(rate),
		probes.WhiteNoise{Level: -40 * probes.Decibel, Seed: 1},
	}
}

func (q *sideBySide) ask(ctx context.Context, s *session) error {
	h, _, err := s.hear(ctx, audio.Config{Size: q.size, Transform: audio.Fixed}, chord(s.rate))
	if err != nil {
		return err
	}
	q.samples = h.samples
	for _, name := range measure.TransformVariants {
		c := audio.Config{Size: q.size, Transform: variants[name]}
		for _, high := range []bool{false, true} { // what follows is of this variant
			if err := s.Driver.Drive(ctx, stimulus, high); err != nil {
				return err
			}
		}
		r, err := s.obey(ctx, wire.Command{Name: audio.CommandBench, Count: repeats, Param: c.Param()}, nil)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		out, err := s.output(ctx, c)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		q.reports, q.outputs = append(q.reports, r), append(q.outputs, out)
	}
	return q.unchanged(ctx, s)
}

// unchanged is an error if the variants were not given the same samples.
func (q *sideBySide) unchanged(ctx context.Context, s *session) error {
	after, err := s.input(ctx, q.size)
	if err == nil && !slices.Equal(after, q.samples) {
		err = fmt.Errorf("the %d samples to be transformed changed meanwhile", q.size)
	}
	return err
}

func (q *sideBySide) answer(o harness.Observation) ([]measure.Sample, error) {
	counter := timebase.Rate(o.Hello.CounterHz)
	seen := parts(o.Capture)
	if o.Capture.Rate != 0 && len(seen) != 1+len(q.reports) { // the first is the chord's
		return nil, fmt.Errorf("the probe saw %s rise %d times, want %d", stimulus, len(seen), 1+len(q.reports))
	}
	var all []measure.Sample
	for i, name := range measure.TransformVariants {
		named := func(what string) string { return measure.Transforming(what, name, q.size) }
		own := sample(named(measure.TransformTime), measure.Firmware, measure.Cycles, 1)
		own.Clock = counter
		for _, v := range q.reports[i].Values {
			own.Values = append(own.Values, int64(v))
		}
		cost := timebase.Ticks(q.reports[i].Overhead)
		own = own.Subtract(int64(cost))
		rate := sample(named(measure.TransformRate), measure.Firmware, measure.PerSecond, 1)
		for _, v := range own.Values {
			rate.Values = append(rate.Values, int64(counter)/max(v, 1))
		}
		if all = append(all, own, rate); o.Capture.Rate != 0 {
			probe := measure.Durations(own.Name, seen[1+i], measure.Rise(begun), measure.Rise(ended))
			all = append(all, probe.Subtract(int64(cost.Convert(counter, o.Capture.Rate))))
		}
		off, err := measure.TransformNoise(q.outputs[i], measure.Transform(q.samples))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, sample(named(measure.TransformError), measure.Firmware, measure.Millidecibels, 1, thousandths(off)))
	}
	return append(all, q.alike()), nil
}

// alike compares what the accelerator and fixed-point code made of the samples.
func (q *sideBySide) alike() measure.Sample {
	of := func(name string) []complex128 { return q.outputs[slices.Index(measure.TransformVariants, name)] }
	a, b, same := of(measure.Accelerator), of(measure.FixedPoint), 0
	for k := range a {
		if a[k] == b[k] {
			same++
		}
	}
	return sample(measure.Under(measure.TransformAlike, fmt.Sprint(q.size)), measure.Firmware, measure.Percent, 1, int64(100*same/len(a)))
}

// parts cuts a capture at each rise of the stimulus line.
func parts(c probes.Capture) (all []probes.Capture) {
	for _, e := range c.Edges {
		if e.Line == stimulus && e.High {
			part := c
			part.Edges = nil
			all = append(all, part)
		}
		if n := len(all); n > 0 {
			all[n-1].Edges = append(all[n-1].Edges, e)
		}
	}
	return all
}
