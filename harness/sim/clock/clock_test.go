package clock

import (
	"math/rand/v2"
	"testing"
)

func TestTimelineKeepsCyclesExact(t *testing.T) {
	for _, hz := range []uint64{1, 7, 16_000_000, 30_000_000, 168_000_000} {
		tl := NewTimeline(5, 123, hz)
		for _, c := range []uint64{5, 6, 7, 1000, 9_000_000} {
			at := tl.Time(c)
			if got := tl.CycleAt(at); got != c {
				t.Errorf("%d Hz: CycleAt(Time(%d)) = %d", hz, c, got)
			}
			if got := tl.CycleFrom(at); got != c {
				t.Errorf("%d Hz: CycleFrom(Time(%d)) = %d", hz, c, got)
			}
			if c > 5 && tl.CycleAt(at-1) != c-1 {
				t.Errorf("%d Hz: cycle %d begins before its time", hz, c)
			}
		}
	}
}

func TestTimelineRateChange(t *testing.T) {
	tl := NewTimeline(0, 0, 16_000_000)
	tl.SetHz(16_000, 168_000_000)
	if got, want := tl.Time(16_000), Millisecond; got != want {
		t.Errorf("change at %d ps, want %d", got, want)
	}
	if got, want := tl.Time(16_000+168), Millisecond+Microsecond; got != want {
		t.Errorf("168 cycles later: %d ps, want %d", got, want)
	}
}

func TestTimelineSaturates(t *testing.T) {
	tl := NewTimeline(0, 0, 1)
	if got := tl.Time(Never); got != NeverTime {
		t.Errorf("Time(Never) = %d", got)
	}
}

func TestEventsOrder(t *testing.T) {
	var e Events
	e.Reset()
	if c, s := e.Next(); c != Never || s != -1 {
		t.Fatalf("empty: %d, %d", c, s)
	}
	e.Set(3, 100)
	e.Set(1, 100)
	e.Set(2, 50)
	for _, want := range []int{2, 1, 3} {
		c, s := e.Next()
		if s != want {
			t.Fatalf("slot %d at %d comes next, want %d", s, c, want)
		}
		e.Set(s, Never)
	}
	e.Set(4, 10)
	e.Set(5, 20)
	e.Set(4, 30)
	if c, s := e.Next(); c != 20 || s != 5 {
		t.Errorf("after postponing slot 4: %d, %d", c, s)
	}
}

// Whatever is set and cleared, Next is what a search of all slots finds.
func TestEventsFindTheNext(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var e Events
	e.Reset()
	for range 10_000 {
		at := uint64(rnd.IntN(20))
		if at < 5 {
			at = Never
		}
		e.Set(rnd.IntN(MaxSlots), at)
		want, slot := Never, -1
		for i := range MaxSlots {
			if at := e.At(i); at < want {
				want, slot = at, i
			}
		}
		if next, got := e.Next(); next != want || got != slot {
			t.Fatalf("slot %d at %d, want %d at %d", got, next, slot, want)
		}
	}
}
