package probestest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"rigor/harness/timebase"
	"rigor/probes"
)

// AnalogBench is a source of voltages and a meter under test.
type AnalogBench struct {
	Source probes.AnalogSource
	Meter  probes.Voltmeter
	Clock  timebase.Clock
	// Line is one that the source owns and the meter reads too, Watched one that
	// the meter only reads.
	Line, Watched probes.Line
	// Accuracy is by how much source and meter together may be off.
	Accuracy probes.MicroVolts
	// Slack is by how much the clock may be off when it says when a waveform
	// began or was read.
	Slack time.Duration
}

// RunAnalog tests an analog source and a voltmeter; open gives a fresh bench each
// time and closes it by t.Cleanup.
func RunAnalog(t *testing.T, open func(t *testing.T) AnalogBench) {
	fresh := func(t *testing.T) *analogBench { return &analogBench{tester{t}, open(t)} }
	each(t, fresh, []check[*analogBench]{
		{"a source starts at 0 V", (*analogBench).start},
		{"unknown lines are refused", (*analogBench).unknown},
		{"a line that is only measured cannot be set", (*analogBench).watched},
		{"a waveform that does not exist is refused and changes nothing", (*analogBench).refused},
		{"waveforms are followed", (*analogBench).follows},
		{"a waveform replaces another and begins anew", (*analogBench).replaces},
		{"a cancelled context ends a call unbegun", (*analogBench).cancelled},
	})
}

type analogBench struct {
	tester
	AnalogBench
}

func (b *analogBench) set(w probes.Waveform) {
	b.Helper()
	b.must("set", b.Source.Set(b.Context(), b.Line, w))
}

// reads checks the voltage against what the waveform has within the clock's
// slack of a time.
func (b *analogBench) reads(w probes.Waveform, at time.Duration) {
	b.Helper()
	got, err := b.Meter.Voltage(b.Context(), b.Line)
	if err != nil {
		b.Fatalf("measure: %v", err)
	}
	var may []probes.MicroVolts
	for i := range 11 {
		ps := (at-b.Slack).Nanoseconds()*1000 + int64(i)*b.Slack.Nanoseconds()*200
		may = append(may, w.At(max(ps, 0)))
	}
	if lo, hi := slices.Min(may)-b.Accuracy, slices.Max(may)+b.Accuracy; got < lo || got > hi {
		b.Errorf("%T reads %d uV after %v, want %d to %d", w, got, at, lo, hi)
	}
}

func (b *analogBench) start() { b.reads(probes.Constant(0), 0) }

func (b *analogBench) unknown() {
	_, err := b.Meter.Voltage(b.Context(), nowhere)
	for _, err := range []error{err, b.Source.Set(b.Context(), nowhere, probes.Constant(0))} {
		var u *probes.UnknownLineError
		if !errors.As(err, &u) || u.Line != nowhere || !slices.Contains(u.Have, b.Line) {
			b.Errorf("got %v, want a *probes.UnknownLineError that names %s", err, b.Line)
		}
	}
}

func (b *analogBench) watched() {
	var u *probes.UnknownLineError
	if err := b.Source.Set(b.Context(), b.Watched, probes.Constant(0)); !errors.As(err, &u) {
		b.Errorf("got %v, want a *probes.UnknownLineError", err)
	}
	if _, err := b.Meter.Voltage(b.Context(), b.Watched); err != nil {
		b.Errorf("it is not measured: %v", err)
	}
}

func (b *analogBench) refused() {
	b.set(probes.Constant(probes.Volt))
	if b.Source.Set(b.Context(), b.Line, probes.Samples{}) == nil {
		b.Error("no error")
	}
	b.reads(probes.Constant(probes.Volt), 0)
}

func (b *analogBench) follows() {
	const ms = time.Millisecond
	for _, w := range []probes.Waveform{
		probes.Constant(1_234_567),
		probes.Ramp{From: 3 * probes.Volt, To: 0, Over: 10 * ms},
		probes.Step{From: 0, To: 2 * probes.Volt, Delay: 5 * ms, Edge: 4 * ms},
		probes.Sine{Offset: 1500 * probes.MilliVolt, Amplitude: probes.Volt, MicroHz: 30_000_000},
		probes.Samples{Rate: 500, Values: []probes.MicroVolts{0, probes.Volt, 3 * probes.Volt}, Linear: true, Repeat: true},
		probes.Noise{Of: probes.Constant(probes.Volt), RMS: 0},
	} {
		b.set(w)
		began := b.Clock.Now()
		for i := range 8 {
			b.must("sleep", b.Clock.Sleep(b.Context(), ms+time.Duration(i)*123*time.Microsecond))
			b.reads(w, b.Clock.Now().Sub(began))
		}
	}
}

func (b *analogBench) replaces() {
	up := probes.Ramp{From: 0, To: 3 * probes.Volt, Over: 3 * time.Second}
	for range 2 {
		b.set(up)
		b.reads(up, 0)
		b.must("sleep", b.Clock.Sleep(b.Context(), time.Second))
		b.reads(up, time.Second)
	}
}

func (b *analogBench) cancelled() {
	b.set(probes.Constant(probes.Volt))
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	if err := b.Source.Set(ctx, b.Line, probes.Constant(0)); !errors.Is(err, context.Canceled) {
		b.Errorf("set says %v, want %v", err, context.Canceled)
	}
	if _, err := b.Meter.Voltage(ctx, b.Line); !errors.Is(err, context.Canceled) {
		b.Errorf("measure says %v, want %v", err, context.Canceled)
	}
	b.reads(probes.Constant(probes.Volt), 0)
}
