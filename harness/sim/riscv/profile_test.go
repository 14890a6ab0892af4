package riscv

import (
	"encoding/hex"
	"math/rand/v2"
	"reflect"
	"testing"

	"rigor/harness/sim/profile"
)

// counting has a core count from now on.
func counting(c *Core) *profile.Counter {
	p := &profile.Counter{}
	c.SetProfile(p)
	p.Open(true)
	return p
}

// sums are all cycles and instructions of a profile.
func sums(c profile.Counts) (s profile.State) {
	for _, k := range c.At {
		s.Cycle += k.Cycles
		s.Insns += k.Instructions
	}
	s.Cycle += c.Exceptions + c.Slept
	s.Slept = c.Slept
	return s
}

// TestProfileOfLoops: a profile changes nothing, accounts for every cycle and instruction, and is the same
// whether loops that wait are skipped or executed.
func TestProfileOfLoops(t *testing.T) {
	for n, l := range loops {
		code, err := hex.DecodeString(l.code)
		if err != nil {
			t.Fatal(err)
		}
		seed := uint64(n)
		plain, skipping, executing := newPollee(t, code, seed, false), newPollee(t, code, seed, false), newPollee(t, code, seed, true)
		a, b := counting(skipping.c), counting(executing.c)
		rnd := rand.New(rand.NewPCG(seed, 5))
		for until := uint64(0); until < 500_000; {
			until += rnd.Uint64N(60_000)
			what := rnd.Uint64()
			for _, d := range []*pollee{plain, skipping, executing} {
				d.c.Run(until)
				d.event(what)
			}
			if plain.c.State != skipping.c.State {
				t.Fatalf("%s: with a profile it went otherwise", l.name)
			}
		}
		if plain.c.Skipped() != skipping.c.Skipped() {
			t.Errorf("%s: %d instructions skipped, %d with a profile", l.name, plain.c.Skipped(), skipping.c.Skipped())
		}
		got, want := a.Counts(), b.Counts()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: skipped %+v\nexecuted %+v", l.name, got, want)
		}
		if s := sums(got); s != skipping.c.progress() {
			t.Errorf("%s: the profile adds up to %+v, the core to %+v", l.name, s, skipping.c.progress())
		}
	}
}

// TestProfileOfHarts does so with one that waits for the other's stores.
func TestProfileOfHarts(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 9))
	for _, s := range spinners {
		delays := randomDelays(rnd, shared, 2*shared)
		plain, skipping, executing := newTurns(false, 64, 0, s.loop, delays), newTurns(false, 64, 0, s.loop, delays), newTurns(true, 1, 0, s.loop, delays)
		var a, b [2]*profile.Counter
		for n := range a {
			a[n], b[n] = counting(skipping.pair[n].c), counting(executing.pair[n].c)
		}
		for until := uint64(0); until < 400_000; {
			until += rnd.Uint64N(20_000)
			plain.run(until)
			skipping.run(until)
			executing.inOrder(until)
			if !plain.equals(skipping.pair) {
				t.Fatalf("%s: with a profile it went otherwise", s.name)
			}
		}
		for n := range a {
			if got, want := a[n].Counts(), b[n].Counts(); !reflect.DeepEqual(got, want) {
				t.Errorf("%s, hart %d: skipped %+v\nexecuted %+v", s.name, n, got, want)
			}
		}
	}
}

// TestProfileEnds: without a profile nothing more is told.
func TestProfileEnds(t *testing.T) {
	code, err := hex.DecodeString(loops[0].code)
	if err != nil {
		t.Fatal(err)
	}
	d := newPollee(t, code, 1, true)
	p := counting(d.c)
	d.c.Run(1000)
	p.Open(false)
	before := p.Counts()
	d.c.Run(2000)
	if got := p.Counts(); !reflect.DeepEqual(got, before) {
		t.Error("one that is shut counts")
	}
	d.c.SetProfile(nil)
	if d.c.Run(3000); d.c.stepping {
		t.Error("the core goes on to execute by steps")
	}
}
