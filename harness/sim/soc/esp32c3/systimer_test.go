package esp32c3

import (
	"testing"

	"rigor/harness/sim/clock"
)

// Steps are two and three periods of the crystal by turns
// (TRM System Timer): 16 MHz on average.
func TestSystimerSteps(t *testing.T) {
	for n, want := range []clock.Time{0, 75, 125, 200, 250, 325} {
		at := want * clock.Nanosecond
		if got := stepTime(uint64(n)); got != at {
			t.Errorf("step %d begins at %d ps, want %d", n, got, at)
		}
		if stepAt(at) != uint64(n) || n > 0 && stepAt(at-1) != uint64(n-1) {
			t.Errorf("at %d ps it is step %d, before it %d", at, stepAt(at), stepAt(at-1))
		}
	}
	if got := stepAt(clock.Second); got != 16_000_000 {
		t.Errorf("%d steps a second, want 16 million", got)
	}
}

func TestSystimerCounters(t *testing.T) {
	c := started(t, Options{}, endless())
	read := func(unit uint32) uint64 {
		st(t, c, st0+4+4*unit, stUPDATE)
		if ld(t, c, st0+4+4*unit)&stVALID == 0 {
			t.Error("a value is not valid")
		}
		return uint64(ld(t, c, st0+0x40+8*unit))<<32 | uint64(ld(t, c, st0+0x44+8*unit))
	}
	first := read(0)
	run(t, c, clock.Millisecond)
	if got := read(0) - first; got < 16_000 || got > 16_100 {
		t.Errorf("counter 0 went on by %d in a millisecond, want 16000", got)
	}
	if got := read(1); got != 0 {
		t.Errorf("counter 1 is at %d, want 0: it does not work yet", got)
	}
	st(t, c, st0+0x14, 0xFFFFF) // UNIT1_LOAD
	st(t, c, st0+0x18, 0xFFFFFF00)
	st(t, c, st0+0x60, 1)
	if got := read(1); got != 0xFFFFFFFFFFF00 {
		t.Errorf("counter 1 is at %#x, want what was loaded", got)
	}
	st(t, c, st0, ld(t, c, st0)|1<<29)
	run(t, c, clock.Millisecond)
	if got := read(1); got < 16000-256 || got > 16100-256 {
		t.Errorf("counter 1 is at %d, want past 52 bits", got)
	}
}

// Comparators: a target ahead, one that has been passed, a period.
func TestSystimerAlarms(t *testing.T) {
	c := started(t, Options{}, endless())
	c.systimerSet(0, 1000)
	st(t, c, st0+0x64, 7)
	st(t, c, st0+0x20, 17_000) // target 0, 1 ms ahead
	st(t, c, st0+0x28, 500)    // target 1 has been passed
	st(t, c, st0+0x3C, stPERIOD_MODE|3200)
	for n := range uint32(3) {
		st(t, c, st0+0x50+4*n, 1)
	}
	st(t, c, st0, ld(t, c, st0)|7<<22)
	run(t, c, clock.Microsecond)
	if got := ld(t, c, st0+0x70); got != 2 {
		t.Errorf("INT_ST %#b at once, want comparator 1's", got)
	}
	st(t, c, st0+0x6C, 7)
	periods := 0
	for range 100 {
		run(t, c, 10*clock.Microsecond)
		if ld(t, c, st0+0x70)&4 != 0 {
			periods++
			st(t, c, st0+0x6C, 4)
		}
	}
	if periods != 5 {
		t.Errorf("%d periods of 200 us in 1 ms, want 5", periods)
	}
	if got := ld(t, c, st0+0x70); got != 1 || c.Matrix.Levels>>37&7 != 1 {
		t.Errorf("INT_ST %#b, want comparator 0's", got)
	}
}
