package board

import (
	"slices"
	"testing"

	"rigor/harness/sim/clock"
)

const us = clock.Microsecond

// inject puts a fault on a pin.
func inject(t *testing.T, b *Board, p Pin, f Fault) {
	t.Helper()
	if err := b.Inject(p, f); err != nil {
		t.Fatal(err)
	}
}

// edgesOf records a pin while f acts.
func edgesOf(b *Board, p Pin, f func()) (edges []Edge) {
	r := b.Record(p)
	f()
	r.Stop()
	for _, e := range r.Edges() {
		edges = append(edges, Edge{e.At - r.Start(), p, e.High})
	}
	return edges
}

func TestStuckUntilCleared(t *testing.T) {
	b, f, _ := wired(t)
	b.Drive(other, level(true))
	inject(t, b, other, Fault{Kind: StuckLow})
	if f.level[other] {
		t.Error("the line is not stuck low")
	}
	if b.Drive(other, level(true)); f.level[other] {
		t.Error("the driver won against a short")
	}
	if b.ClearFault(other); !f.level[other] {
		t.Error("what was driven meanwhile does not hold after the fault")
	}
	inject(t, b, other, Fault{Kind: StuckHigh})
	b.Drive(other, level(false))
	if !f.level[other] {
		t.Error("the line is not stuck high")
	}
	inject(t, b, other, Fault{Kind: StuckLow}) // in place of the other
	if f.level[other] {
		t.Error("the new fault did not replace the old one")
	}
	if b.ClearFault(other); f.level[other] {
		t.Error("the first fault came back")
	}
}

func TestGlitch(t *testing.T) {
	b, _, _ := wired(t)
	got := edgesOf(b, other, func() {
		inject(t, b, other, Fault{Kind: StuckHigh, Delay: 3 * us, Width: 100 * clock.Nanosecond})
		b.Advance(b.Now() + 10*us)
	})
	want := []Edge{{3 * us, other, true}, {3*us + 100*clock.Nanosecond, other, false}}
	if !slices.Equal(got, want) {
		t.Errorf("edges %v, want %v", got, want)
	}
	if len(b.state.Faults) != 0 {
		t.Errorf("left over: %+v", b.state.Faults)
	}
}

// The chip raises TX at 200 us; the chip's overshoot of 30 ns is its instruction.
func TestGlitchAfterAnEdge(t *testing.T) {
	for delay, want := range map[clock.Time]clock.Time{us: us, 50 * clock.Nanosecond: 50 * clock.Nanosecond, 0: 0} {
		b, f, _ := wired(t)
		f.level[tx] = false
		f.script = []Edge{{150 * us, other, true}, {160 * us, other, false}, {200 * us, tx, true}}
		inject(t, b, other, Fault{Kind: StuckHigh, After: &Trigger{tx, true}, Delay: delay, Width: us})
		got := edgesOf(b, other, func() { b.Advance(300 * us) })
		if len(got) != 4 || got[2].At != 200*us+want || got[3].At != got[2].At+us {
			t.Errorf("delay %d ps: edges %v, want two of the chip's and a glitch from %d ps", delay, got, 200*us+want)
		}
	}
}

// A cut line lets the bridge hear nothing, and the chip nothing of the bridge;
// the recorder still sees the chip.
func TestOpenLine(t *testing.T) {
	b, f, br := wired(t)
	f.script = script(100*us, 115200, ParityNone, 'a')
	inject(t, b, tx, Fault{Kind: Open, Width: 250 * us})
	if got := edgesOf(b, tx, func() { b.Advance(240 * us) }); len(got) == 0 {
		t.Error("the recorder was cut off as well")
	}
	f.script = script(300*us, 115200, ParityNone, 'b')
	b.Advance(500 * us)
	if got, bad := bytesOf(br); string(got) != "b" || bad != 0 {
		t.Errorf("got %q, %d bad, want what came after the cut", got, bad)
	}
	inject(t, b, rx, Fault{Kind: Open})
	got := edgesOf(b, rx, func() {
		br.Write([]byte("c"))
		b.Advance(700 * us)
	})
	if len(got) != 0 {
		t.Errorf("the chip saw %v of a cut line", got)
	}
}

// A cut in the middle of a byte makes a wrong byte, or none, but never a stuck
// receiver: the line is idle then.
func TestCutInTheMiddle(t *testing.T) {
	b, f, br := wired(t)
	f.script = append(script(100*us, 115200, ParityNone, 0), script(400*us, 115200, ParityNone, 'x')...)
	inject(t, b, tx, Fault{Kind: Open, Delay: 140 * us, Width: 100 * us})
	b.Advance(600 * us)
	// Cut in the fifth bit of 8.7 us: four zeros were heard, the rest is high.
	if got, bad := bytesOf(br); string(got) != "\xf0x" || bad != 0 {
		t.Errorf("got %q, %d bad", got, bad)
	}
}

func TestSnapshotHoldsFaults(t *testing.T) {
	b, _, _ := wired(t)
	b.Drive(other, level(false))
	inject(t, b, other, Fault{Kind: StuckHigh, Delay: 5 * us, Width: us})
	s, digest := b.Snapshot(), b.Digest()
	first := edgesOf(b, other, func() { b.Advance(10 * us) })
	b.ClearFault(other)
	if b.Digest() == digest {
		t.Error("the digest does not know of the fault")
	}
	b.Restore(s)
	if b.Digest() != digest {
		t.Error("restored, it has another digest")
	}
	if again := edgesOf(b, other, func() { b.Advance(10 * us) }); len(first) != 2 || !slices.Equal(first, again) {
		t.Errorf("edges %v, again %v", first, again)
	}
}

func TestNoSuchFault(t *testing.T) {
	b, _, _ := wired(t)
	for _, f := range []Fault{{Kind: Open + 1}, {Delay: -1}, {Width: -1}} {
		if b.Inject(other, f) == nil {
			t.Errorf("%+v is accepted", f)
		}
	}
}
