package probestest

import (
	"context"
	"errors"
	"testing"
	"time"

	"rigor/probes"
)

// FaultBench is a fault injector under test, with the probes that show what it
// does.
type FaultBench struct {
	Bench
	Faults probes.FaultInjector
}

// RunFaults tests a fault injector; open gives a fresh bench each time and closes
// it by t.Cleanup.
func RunFaults(t *testing.T, open func(t *testing.T) FaultBench) {
	fresh := func(t *testing.T) *faultBench {
		b := open(t)
		return &faultBench{bench{tester{t}, b.Bench}, b.Faults}
	}
	each(t, fresh, []check[*faultBench]{
		{"unknown lines are refused", (*faultBench).unknown},
		{"a fault that does not exist is refused", (*faultBench).refused},
		{"a stuck line stays whatever is driven", (*faultBench).stuck},
		{"what was driven meanwhile holds after the fault", (*faultBench).restores},
		{"a line that is only watched may be stuck", (*faultBench).watched},
		{"a glitch has its time and width", (*faultBench).glitch},
		{"a glitch comes after its edge, once", (*faultBench).after},
		{"an open line hears nothing", (*faultBench).open},
		{"what is cleared before it began never comes", (*faultBench).early},
		{"a fault replaces another", (*faultBench).replaces},
		{"all faults are cleared at once", (*faultBench).clears},
		{"a cancelled context ends a call unbegun", (*faultBench).cancelled},
	})
}

type faultBench struct {
	bench
	faults probes.FaultInjector
}

func (b *faultBench) inject(l probes.Line, f probes.Fault) {
	b.Helper()
	b.must("inject", b.faults.Inject(b.Context(), l, f))
}

func (b *faultBench) clear(lines ...probes.Line) {
	b.Helper()
	b.must("clear", b.faults.Clear(b.Context(), lines...))
	b.rest()
}

// level is that of a line now.
func (b *faultBench) level(l probes.Line) bool {
	b.Helper()
	return b.stop(b.arm(l), l).Initial[l]
}

func (b *faultBench) want(l probes.Line, high bool) {
	b.Helper()
	if b.level(l) != high {
		b.Errorf("line %s is high: %v", l, !high)
	}
}

func (b *faultBench) unknown() {
	b.bench.unknown(b.faults.Inject(b.Context(), nowhere, probes.Fault{Kind: probes.Open}), nowhere)
	b.bench.unknown(b.faults.Clear(b.Context(), nowhere), nowhere)
	after := probes.Fault{Kind: probes.Open, After: &probes.Event{Line: nowhere}}
	b.bench.unknown(b.faults.Inject(b.Context(), b.Bench.Drive, after), nowhere)
}

func (b *faultBench) refused() {
	b.drive(true)
	if b.faults.Inject(b.Context(), b.Bench.Drive, probes.Fault{}) == nil {
		b.Error("no error")
	}
	b.want(b.Bench.Drive, true)
}

func (b *faultBench) stuck() {
	for kind, high := range map[probes.FaultKind]bool{probes.StuckLow: false, probes.StuckHigh: true} {
		b.drive(!high)
		b.inject(b.Bench.Drive, probes.Fault{Kind: kind})
		b.rest()
		b.want(b.Bench.Drive, high)
		b.want(b.Follow, high)
		r := b.arm(b.Bench.Drive)
		b.drive(high)
		b.drive(!high)
		if c := b.stop(r, b.Bench.Drive); len(c.Edges) != 0 {
			b.Errorf("%v: edges %v", kind, c.Edges)
		}
		b.clear()
	}
}

func (b *faultBench) restores() {
	b.drive(false)
	b.inject(b.Bench.Drive, probes.Fault{Kind: probes.StuckLow})
	b.drive(true)
	b.want(b.Bench.Drive, false)
	b.clear(b.Bench.Drive)
	b.want(b.Bench.Drive, true)
	b.want(b.Follow, true)
}

func (b *faultBench) watched() {
	b.drive(true)
	b.inject(b.Follow, probes.Fault{Kind: probes.StuckLow})
	b.rest()
	b.want(b.Follow, false)
	b.clear(b.Follow)
	b.want(b.Follow, true)
}

// pulse checks that the edges from the nth on are a pulse at a time.
func (b *faultBench) pulse(c probes.Capture, n int, at, width time.Duration) {
	b.Helper()
	if len(c.Edges) != n+2 {
		b.Fatalf("edges %v, want %d and a pulse", c.Edges, n)
	}
	rise, fall := c.Edges[n], c.Edges[n+1]
	allowed := c.Resolution + b.ticks(c, b.Slack)
	if off := rise.At - b.ticks(c, at); off < -allowed || off > allowed || !rise.High {
		b.Errorf("it begins %d ticks from %v, allowed are %d", off, at, allowed)
	}
	if off := fall.At - rise.At - b.ticks(c, width); off < -allowed || off > allowed || fall.High {
		b.Errorf("it is %d ticks longer than %v, allowed are %d", off, width, allowed)
	}
}

func (b *faultBench) glitch() {
	b.drive(false)
	r := b.arm(b.Bench.Drive)
	delay, width := b.pause(), b.pause()/4
	b.inject(b.Bench.Drive, probes.Fault{Kind: probes.StuckHigh, Delay: delay, Width: width})
	b.rest()
	b.rest()
	b.pulse(b.stop(r, b.Bench.Drive), 0, delay, width)
}

func (b *faultBench) after() {
	b.drive(false)
	r := b.arm(b.Bench.Drive)
	delay, width := b.pause()/4, b.pause()/8
	b.inject(b.Bench.Drive, probes.Fault{
		Kind: probes.StuckHigh, After: &probes.Event{Line: b.Bench.Drive}, Delay: delay, Width: width,
	})
	b.rest()
	b.drive(true)
	began := 2 * b.pause()
	b.drive(false)
	b.rest()
	b.pulse(b.stop(r, b.Bench.Drive), 2, began+delay, width)
}

func (b *faultBench) open() {
	b.drive(false)
	b.inject(b.Bench.Drive, probes.Fault{Kind: probes.Open})
	b.rest()
	r := b.arm(b.Bench.Drive)
	for i := range 5 {
		b.drive(i%2 == 0)
	}
	if c := b.stop(r, b.Bench.Drive); len(c.Edges) != 0 {
		b.Errorf("edges %v", c.Edges)
	}
	b.clear()
	b.want(b.Bench.Drive, true)
}

func (b *faultBench) early() {
	b.drive(false)
	r := b.arm(b.Bench.Drive)
	b.inject(b.Bench.Drive, probes.Fault{Kind: probes.StuckHigh, Delay: 2 * b.pause()})
	b.rest()
	b.clear(b.Bench.Drive)
	b.rest()
	if c := b.stop(r, b.Bench.Drive); len(c.Edges) != 0 {
		b.Errorf("edges %v", c.Edges)
	}
	b.inject(b.Bench.Drive, probes.Fault{Kind: probes.StuckLow, After: &probes.Event{Line: b.Bench.Drive, High: true}})
	b.clear(b.Bench.Drive)
	b.drive(true)
	b.want(b.Bench.Drive, true)
}

func (b *faultBench) replaces() {
	b.drive(false)
	b.inject(b.Bench.Drive, probes.Fault{Kind: probes.StuckHigh})
	b.inject(b.Bench.Drive, probes.Fault{Kind: probes.StuckLow})
	b.rest()
	b.want(b.Bench.Drive, false)
	b.clear(b.Bench.Drive)
	b.drive(true)
	b.want(b.Bench.Drive, true)
}

func (b *faultBench) clears() {
	b.drive(true)
	b.inject(b.Bench.Drive, probes.Fault{Kind: probes.StuckLow})
	b.inject(b.Follow, probes.Fault{Kind: probes.StuckLow})
	b.clear()
	b.want(b.Bench.Drive, true)
	b.want(b.Follow, true)
}

func (b *faultBench) cancelled() {
	b.drive(true)
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	if err := b.faults.Inject(ctx, b.Bench.Drive, probes.Fault{Kind: probes.StuckLow}); !errors.Is(err, context.Canceled) {
		b.Errorf("inject says %v, want %v", err, context.Canceled)
	}
	b.want(b.Bench.Drive, true)
	b.inject(b.Bench.Drive, probes.Fault{Kind: probes.StuckLow})
	if err := b.faults.Clear(ctx); !errors.Is(err, context.Canceled) {
		b.Errorf("clear says %v, want %v", err, context.Canceled)
	}
	b.want(b.Bench.Drive, false)
}
