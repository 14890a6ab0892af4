package jitter

import (
	"fmt"
	"math/big"
	"strings"

	"rigor/firmware/wire"
	"rigor/harness"
	"rigor/harness/measure"
	"rigor/harness/timebase"
	"rigor/probes"
)

// measure takes the firmware's account and the probe's. Wake and jitter both
// know, and must agree; when a release was due only the probe saw.
func (r *run) measure(o harness.Observation) ([]measure.Sample, error) {
	counter := timebase.Rate(o.Hello.CounterHz)
	wakes := measure.Durations(r.quantity(measure.ReleaseWake), o.Capture, measure.Rise(start), measure.Rise(end))
	cost := timebase.Ticks(o.Report.Overhead)
	samples := []measure.Sample{
		r.lateness(o.Capture),
		r.firmware(measure.ReleaseWake, counter, 1, values(r.wake)).Subtract(int64(cost)),
		wakes.Subtract(int64(cost.Convert(counter, o.Capture.Rate))),
		r.jitter(r.firmware(measure.ReleaseJitter, counter, timerResolution, measure.Unwrap(o.Report.Values))),
		r.jitter(measure.EdgeTimes(r.quantity(measure.ReleaseJitter), o.Capture, measure.Rise(end))),
	}
	samples[0].Warnings = append(samples[0].Warnings, r.worst(samples[0]))
	return samples, nil
}

func (r *run) quantity(what string) string { return measure.Release(what, r.hz, r.name) }

// timerResolution is that of the firmware's times, in cycles: a timer's tick is
// two of them at 168 MHz, and its bus another.
const timerResolution = 4

func (r *run) firmware(what string, counter timebase.Rate, resolution int64, v []int64) measure.Sample {
	return measure.Sample{Name: r.quantity(what), Source: measure.Firmware, Unit: measure.Cycles, Clock: counter,
		Resolution: resolution, Assumption: measure.Nothing, Values: v}
}

func (r *run) probe(what string, c probes.Capture, v []int64) measure.Sample {
	s := measure.Sample{Name: r.quantity(what), Source: measure.Probe, Unit: measure.Ticks, Clock: c.Rate,
		Resolution: int64(c.Resolution), Assumption: measure.Nothing, Values: v}
	if c.Lost > 0 {
		s.Doubts = append(s.Doubts, fmt.Sprintf("the probe lost %d edges", c.Lost))
	}
	return s
}

// lateness goes from each release to the goroutine's mark. A release that comes
// while one is unserved belongs to no mark: the firmware has missed it, and the
// one unserved is later still.
func (r *run) lateness(c probes.Capture) measure.Sample {
	var late []int64
	var due *timebase.Ticks
	for i, e := range c.Edges {
		switch {
		case !e.High:
		case e.Line == timer && due == nil:
			due = &c.Edges[i].At
		case e.Line == end && due != nil:
			late = append(late, int64(e.At-*due))
			due = nil
		}
	}
	s := r.probe(measure.ReleaseLateness, c, late)
	if len(late) != count {
		s.Doubts = append(s.Doubts, fmt.Sprintf("%d releases were served, %d asked for", len(late), count))
	}
	return s
}

// jitter is that of the times at which the goroutine ran, from one to the next:
// against the ideal grid, one release that is missed would make all that follow
// late by a period, and so would a crystal that is off.
func (r *run) jitter(times measure.Sample) measure.Sample {
	s, _ := measure.PeriodJitterOf(times.Name, times, measure.Period{Count: 1, Of: timebase.Rate(r.hz)})
	return s
}

func values(readings []uint32) []int64 {
	var v []int64
	for _, r := range readings {
		v = append(v, int64(r))
	}
	return v
}

// worst names the latest release and what the firmware knows of its cause.
func (r *run) worst(s measure.Sample) string {
	if len(s.Values) == 0 || len(s.Values) != len(r.causes) {
		return "the worst release's cause cannot be told"
	}
	at, missed := 0, 0
	for i, v := range s.Values {
		missed += int(r.causes[i] >> wire.MissedShift)
		if v > s.Values[at] {
			at = i
		}
	}
	late, _ := s.Seconds(s.Values[at])
	late.Mul(late, big.NewRat(1e6, 1))
	return fmt.Sprintf("worst is release %d, %s us late: %s; %d releases missed in all", at, late.FloatString(3), cause(r.causes[at]), missed)
}

var causes = []struct {
	bit  uint32
	name string
}{
	{wire.CauseTick, "the runtime's tick"},
	{wire.CauseReceive, "the console's interrupt"},
	{wire.CauseAllocate, "an allocation"},
	{wire.CauseCollect, "a garbage collection"},
	{wire.CauseWrite, "a write to the console"},
	{wire.CauseCompete, "a computation"},
}

// cause puts cause bits into words.
func cause(bits uint32) string {
	var all []string
	for _, c := range causes {
		if bits&c.bit != 0 {
			all = append(all, c.name)
		}
	}
	if len(all) == 0 {
		return "nothing that the firmware knows of"
	}
	return strings.Join(all, ", ")
}
