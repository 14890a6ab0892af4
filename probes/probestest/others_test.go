package probestest

import (
	"context"
	"slices"
	"testing"
	"time"

	"rigor/probes"
)

// supply is a source and a voltmeter in memory.
type supply struct {
	instrument
	wave  probes.Waveform
	began time.Duration
}

const (
	volts  probes.Line = "volts"
	volts2 probes.Line = "volts2"
)

func (s *supply) check(ctx context.Context, l probes.Line, have ...probes.Line) error {
	if err := ctx.Err(); err != nil && !s.has("acts when cancelled") {
		return err
	}
	if !slices.Contains(have, l) {
		return s.unknown(l, have...)
	}
	return nil
}

func (s *supply) Set(ctx context.Context, l probes.Line, w probes.Waveform) error {
	have := []probes.Line{volts}
	if s.has("sets what it measures") {
		have = append(have, volts2)
	}
	if err := s.check(ctx, l, have...); err != nil {
		return err
	}
	if s.has("sets before it checks") {
		s.wave = probes.Constant(0)
	}
	if err := w.Check(); err != nil {
		return err
	}
	s.wave = w
	if !s.has("never begins anew") {
		s.began = s.now
	}
	return nil
}

func (s *supply) Voltage(ctx context.Context, l probes.Line) (probes.MicroVolts, error) {
	if err := s.check(ctx, l, volts, volts2); err != nil {
		return 0, err
	}
	switch at := int64(s.now-s.began) * 1000; {
	case s.wave == nil && s.has("starts at the top"):
		return 3 * probes.Volt, nil
	case s.wave == nil:
		return 0, nil
	case s.has("late"):
		return s.wave.At(max(at-10_000_000, 0)), nil
	case s.has("coarse"):
		return s.wave.At(at) / 1000 * 1000, nil
	default:
		return s.wave.At(at), nil
	}
}

func runAnalog(t *testing.T, defect string) {
	RunAnalog(t, func(t *testing.T) AnalogBench {
		s := &supply{instrument: instrument{defect: defect}}
		return AnalogBench{Source: s, Meter: s, Clock: s, Line: volts, Watched: volts2, Slack: time.Nanosecond}
	})
}

// breaker is an instrument whose line "in" can be broken; "out" is then broken
// too. Its time moves from event to event.
type breaker struct {
	instrument
	driven bool
	fault  *probes.Fault
	from   time.Duration
	begun  bool
}

func (b *breaker) Drive(ctx context.Context, l probes.Line, high bool) error {
	if l == in && ctx.Err() == nil {
		b.driven = high
	}
	if b.begun && l == in && !b.has("the driver wins") {
		return ctx.Err()
	}
	was := b.level
	if err := b.instrument.Drive(ctx, l, high); err != nil {
		return err
	}
	b.edge(was)
	return nil
}

// edge starts a fault that waits for a change from a level.
func (b *breaker) edge(was bool) {
	if f := b.fault; f != nil && f.After != nil && b.level != was && (b.level == f.After.High || b.has("any edge")) {
		b.from = b.now + f.Delay
		f.After = nil
	}
}

func (b *breaker) Sleep(ctx context.Context, d time.Duration) error {
	for end := b.now + d; ; {
		next, act := b.event()
		if act == nil || next > end {
			return b.instrument.Sleep(ctx, end-b.now)
		}
		b.now = max(b.now, next)
		act()
	}
}

func (b *breaker) event() (time.Duration, func()) {
	f := b.fault
	switch {
	case f == nil || f.After != nil:
	case !b.begun:
		return b.from, b.begin
	case f.Width > 0 && b.has("too wide"):
		return b.from + f.Width + time.Microsecond, b.end
	case f.Width > 0:
		return b.from + f.Width, b.end
	}
	return 0, nil
}

func (b *breaker) begin() {
	b.begun = true
	if b.fault.Kind != probes.Open {
		b.apply(b.fault.Kind == probes.StuckHigh)
	}
}

func (b *breaker) end() {
	begun := b.begun
	b.fault, b.begun = nil, false
	if begun && !b.has("forgets the driver") {
		b.apply(b.driven)
	}
}

func (b *breaker) apply(high bool) { b.instrument.Drive(context.Background(), in, high) }

func (b *breaker) Inject(ctx context.Context, l probes.Line, f probes.Fault) error {
	if err := ctx.Err(); err != nil && !b.has("injects when cancelled") {
		return err
	}
	for _, l := range []probes.Line{l, after(f, in)} {
		if l != in && l != out && !b.has("breaks any line") {
			return b.unknown(l, in, out)
		}
	}
	if err := f.Check(); err != nil && !b.has("injects nothing") {
		return err
	}
	if b.fault != nil && !b.has("keeps the first") {
		b.end()
	}
	if b.fault == nil {
		b.fault, b.from = &f, b.now+f.Delay
		b.Sleep(ctx, 0)
	}
	return nil
}

func after(f probes.Fault, none probes.Line) probes.Line {
	if f.After == nil {
		return none
	}
	return f.After.Line
}

func (b *breaker) Clear(ctx context.Context, lines ...probes.Line) error {
	if err := ctx.Err(); err != nil && !b.has("clears when cancelled") {
		return err
	}
	for _, l := range lines {
		if l != in && l != out {
			return b.unknown(l, in, out)
		}
	}
	if b.fault == nil || b.has("never clears") && len(lines) == 0 || b.has("clears what began") && !b.begun {
		return nil
	}
	b.end()
	return nil
}

func runFaults(t *testing.T, defect string) {
	RunFaults(t, func(t *testing.T) FaultBench {
		b := &breaker{instrument: instrument{defect: defect}}
		return FaultBench{Faults: b, Bench: Bench{
			Capturer: b, Driver: b, Clock: b, Drive: in, Follow: out, Delay: delay, Slack: time.Nanosecond,
		}}
	})
}

func TestGoodSourceAndFaults(t *testing.T) {
	runAnalog(t, "")
	runFaults(t, "")
}

func TestAnalogDefectsAreFound(t *testing.T) {
	findsDefects(t, runAnalog, map[string]string{
		"untyped unknown line":  "unknown_lines",
		"acts when cancelled":   "a_cancelled_context",
		"sets what it measures": "a_line_that_is_only_measured",
		"sets before it checks": "a_waveform_that_does_not_exist",
		"never begins anew":     "a_waveform_replaces",
		"starts at the top":     "a_source_starts",
		"late":                  "waveforms_are_followed",
		"coarse":                "waveforms_are_followed",
	})
}

func TestFaultDefectsAreFound(t *testing.T) {
	findsDefects(t, runFaults, map[string]string{
		"untyped unknown line":   "unknown_lines",
		"breaks any line":        "unknown_lines",
		"injects nothing":        "a_fault_that_does_not_exist",
		"injects when cancelled": "a_cancelled_context",
		"clears when cancelled":  "a_cancelled_context",
		"the driver wins":        "a_stuck_line",
		"forgets the driver":     "what_was_driven_meanwhile",
		"too wide":               "a_glitch_has",
		"any edge":               "a_glitch_comes",
		"keeps the first":        "a_fault_replaces",
		"never clears":           "all_faults",
		"clears what began":      "what_is_cleared",
	})
}
