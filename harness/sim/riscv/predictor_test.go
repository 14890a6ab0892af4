package riscv

import (
	"math/rand/v2"
	"testing"
)

// misses counts what is predicted wrongly of outcomes of one branch.
func misses(outcomes ...bool) (n int) {
	var p Predictor
	l := link{addr: 0x2000}
	for _, taken := range outcomes {
		if !p.branch(0x1000, &l, taken) {
			n++
		}
	}
	return n
}

func pattern(n int, outcomes ...bool) (all []bool) {
	for range n {
		all = append(all, outcomes...)
	}
	return all
}

// TestBranchPrediction: what is wanted follows from the description of the parts.
func TestBranchPrediction(t *testing.T) {
	for _, tt := range []struct {
		name     string
		outcomes []bool
		from, to int
	}{
		{"never taken", pattern(100, false), 0, 0},
		// Once until the buffer has it, then once for each of 8 histories until it is all ones, and there once more.
		{"always taken", pattern(100, true), 10, 10},
		// Patterns that the history holds are learnt.
		{"alternating", pattern(500, true, false), 1, 20},
		{"two of three", pattern(500, true, true, false), 1, 30},
	} {
		if got := misses(tt.outcomes...); got < tt.from || got > tt.to {
			t.Errorf("%s: %d wrong, want %d to %d", tt.name, got, tt.from, tt.to)
		}
	}
}

// TestTargetBuffer: it holds the last 40, and forgets them in turn.
func TestTargetBuffer(t *testing.T) {
	var p Predictor
	right := func(pc uint64) bool { return p.jump(pc, pc+0x100, new(uint8)) }
	for pc := uint64(0); pc < 40*2; pc += 2 {
		if right(0x1000 + pc) {
			t.Errorf("%#x is known", 0x1000+pc)
		}
	}
	for pc := uint64(0); pc < 40*2; pc += 2 {
		if !right(0x1000 + pc) {
			t.Errorf("%#x is not known", 0x1000+pc)
		}
	}
	if right(0x2000) || right(0x1000) || right(0x1002) || !right(0x1006) || !right(0x2000) {
		t.Error("other entries than the first three were replaced")
	}
	if p.jump(0x2000, 0x5000, new(uint8)) || !p.jump(0x2000, 0x5000, new(uint8)) {
		t.Error("another target isn't learnt")
	}
}

// TestReturnStack: it has two entries.
func TestReturnStack(t *testing.T) {
	var p Predictor
	for _, pc := range []uint64{0x10, 0x20, 0x30} {
		p.ret(pc, 0, new(uint8))
	}
	p.call(0x100)
	p.call(0x200)
	p.call(0x300)
	if !p.ret(0x10, 0x300, new(uint8)) || !p.ret(0x20, 0x200, new(uint8)) || p.ret(0x30, 0x100, new(uint8)) {
		t.Error("not the two latest calls")
	}
}

// TestBuckets: an entry is found if and only if it is in the buffer.
func TestBuckets(t *testing.T) {
	var p Predictor
	rnd, hint := rand.New(rand.NewPCG(1, 1)), uint8(0)
	for range 10_000 {
		p.jump(2*rnd.Uint64N(200), 0, &hint)
		pc := 2 * rnd.Uint64N(200)
		held := false
		for _, e := range p.Targets {
			held = held || e.PC == pc+1
		}
		if found := p.find(pc, &hint) != nil; found != held {
			t.Fatalf("%#x: found %v, held %v", pc, found, held)
		}
	}
}
