package riscv

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// The tests of this file have a hart store at random times to what another one waits for in a loop. It is run by turns as a chip
// does it that gives no turns to who waits, and instruction by instruction in the order of time.

// Encoders of RV64.
func ld(rd, rs1 uint32, imm int) uint32  { return iType(majorLOAD, 3, rd, rs1, imm) }
func sd(rs2, rs1 uint32, imm int) uint32 { return sType(3, rs2, rs1, imm) }
func lbu(rd, rs1 uint32, imm int) uint32 { return iType(majorLOAD, 4, rd, rs1, imm) }
func ret() uint32                        { return iType(majorJALR, 0, 0, 1, 0) }

const fence = 0x0FF0000F

// spinners are programs that wait until the word at x8 is another than x6, and say how to go on where it is read into x5. Behind x18
// is the same memory.
var spinners = []struct {
	name string
	loop []uint32
}{
	{"a word", []uint32{lw(5, 8, 0), branch(0, 5, 6, -4)}},
	{"a byte and a word elsewhere", []uint32{lbu(7, 8, 200), lw(5, 8, 0), branch(1, 7, 0, 8), branch(0, 5, 6, -12)}},
	{"through an uncached mirror", []uint32{lw(5, 18, 0), fence, branch(0, 5, 6, -8)}},
	{"by a call", []uint32{jump(1, 16), branch(0, 5, 6, -4), jump(0, 20), nop, csrr(7, csrMHARTID), ld(5, 8, 0), ret()}},
	{"counting in vain", []uint32{addi(7, 7, 1), lw(5, 8, 0), addi(7, 7, -1), branch(0, 5, 6, -12)}},
}

// spinner takes down the cycle of each change at x9, and answers with what it has seen, after x14 turns.
func spinner(loop []uint32) []uint32 {
	tail := []uint32{
		csrr(7, csrMCYCLE), sd(7, 9, 0), addi(9, 9, 8), addi(6, 5, 0),
		addi(7, 14, 0), branch(0, 7, 0, 12), addi(7, 7, -1), branch(1, 7, 0, -4),
		sw(5, 8, 128),
	}
	return append(append(append([]uint32{}, loop...), tail...), jump(0, -4*(len(loop)+len(tail))))
}

// storer counts up the word at x8 after each of the delays at x9; before that it stores next to it. If it waits for answers, it
// takes down when each came.
func storer(waits bool) []uint32 {
	look, answered := uint32(nop), uint32(nop)
	if waits {
		look, answered = lw(7, 8, 128), branch(1, 7, 5, -4)
	}
	return []uint32{
		lw(10, 9, 0),
		addi(9, 9, 4),
		addi(10, 10, -1), branch(1, 10, 0, -4),
		sw(10, 8, 12),
		addi(5, 5, 1),
		sw(5, 11, 0),
		look, answered,
		csrr(12, csrMCYCLE), sd(12, 13, 0), addi(13, 13, 8),
		jump(0, -48),
	}
}

// turns is a pair that is run by turns of a quantum, but with none for who waits.
type turns struct {
	pair
	quantum uint64
	nested  bool
}

func newTurns(noSkip bool, quantum, pause uint64, loop, delays []uint32) *turns {
	t := &turns{quantum: quantum}
	ram := make([]byte, 0x8000)
	for i, program := range [][]uint32{storer(pause > 0), spinner(loop)} {
		for k, w := range program {
			binary.LittleEndian.PutUint32(ram[0x400*i+4*k:], w)
		}
		cfg := k210()
		cfg.HartID, cfg.NoSkip = uint64(i), noSkip
		cfg.Order = func() { t.catchUp(1-i, t.pair[i].c.Cycle) }
		t.pair[i] = &differ{c: New(cfg), ram: ram}
	}
	for i, d := range delays {
		binary.LittleEndian.PutUint32(ram[0x4000+4*i:], d)
	}
	Share(t.pair[0].c, t.pair[1].c)
	for i, d := range t.pair {
		d.c.Map([]Region{
			{Name: "ram", Base: testRAM, Data: ram, Write: true, Exec: true, ICache: 1, DCache: 2},
			{Name: "mirror", Base: testMirror, Data: ram, Write: true, Wait: 16},
		})
		d.c.Reset(testRAM + 0x400*uint64(i))
		d.c.X[8], d.c.X[9], d.c.X[18] = testRAM+0x1000, testRAM+0x4000-0x2000*uint64(i), testMirror+0x1000
		d.c.X[11], d.c.X[13], d.c.X[14] = testRAM+0x1000, testRAM+0x3000, pause
	}
	return t
}

// catchUp runs a hart up to a cycle while the other one is being run.
func (t *turns) catchUp(n int, cycle uint64) {
	if !t.nested && t.pair[n].c.Cycle < cycle {
		t.nested = true
		t.pair[n].c.Run(cycle)
		t.nested = false
	}
}

func (t *turns) run(goal uint64) {
	a, b := t.pair[0].c, t.pair[1].c
	for min(a.Cycle, b.Cycle) < goal {
		h, other := a, b
		if b.Cycle < a.Cycle {
			h, other = b, a
		}
		switch {
		case other.Waiting() || other.Cycle >= goal:
			h.Run(goal)
		case h.Waiting():
			other.Run(goal)
		default:
			h.Run(min(goal, other.Cycle+t.quantum))
		}
	}
}

// inOrder executes by single instructions, that which begins first; of two, a store, which takes effect
// when it has what it stores.
func (t *turns) inOrder(goal uint64) {
	for {
		n := 0
		if key := [2]uint64{t.key(0), t.key(1)}; key[1] < key[0] {
			n = 1
		}
		c := t.pair[n].c
		if c.Cycle >= goal {
			if n = 1 - n; t.pair[n].c.Cycle >= goal {
				return
			}
			c = t.pair[n].c
		}
		c.Run(c.Cycle + 1)
	}
}

func (t *turns) key(n int) uint64 {
	c := t.pair[n].c
	in := &c.find(c.PC, c.Pipe).code[0]
	if in.op >= opSB && in.op <= opSD {
		return 2 * (c.Cycle + uint64(in.stall))
	}
	return 2*c.Cycle + 1
}

// randomDelays are in turns of a loop of about 3 cycles.
func randomDelays(rnd *rand.Rand, least, most uint32) []uint32 {
	d := make([]uint32, 1000)
	for i := range d {
		d[i] = least + rnd.Uint32N(most-least)
	}
	return d
}

// TestWaitingEqualsExecuting: a hart that waits sees each store in the very order of time. There is time for
// it to be seen to wait before each.
func TestWaitingEqualsExecuting(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	for _, s := range spinners {
		for _, pause := range []uint64{0, shared} {
			delays := randomDelays(rnd, shared, 2*shared)
			a, b := newTurns(false, 64, pause, s.loop, delays), newTurns(true, 1, pause, s.loop, delays)
			for until := uint64(0); until < 600_000; {
				until += rnd.Uint64N(20_000)
				a.run(until)
				b.inOrder(until)
				if !a.equals(b.pair) {
					t.Fatalf("%s, answered after %d: to %d\n%s\n%s\nin order\n%s\n%s", s.name, pause, until, a.pair[0], a.pair[1], b.pair[0], b.pair[1])
				}
			}
			c := a.pair[1].c
			t.Logf("%s, answered after %d: %d changes, %d %% skipped", s.name, pause, c.X[5], c.Skipped()*100/c.Insns)
			if c.X[5] < 7 || c.Skipped()*3 < c.Insns {
				t.Errorf("%s, answered after %d: %d of %d instructions skipped at %d changes", s.name, pause, c.Skipped(), c.Insns, c.X[5])
			}
		}
	}
}

// TestSpinsByTurns: where each hart gets its turns, of any length, as if it did not wait, nothing is different at all.
func TestSpinsByTurns(t *testing.T) {
	rnd := rand.New(rand.NewPCG(8, 8))
	for _, s := range spinners {
		for _, quantum := range []uint64{1, 7, 64, 1000} {
			delays := randomDelays(rnd, 1, 3000)
			a, b := newTurns(false, 0, 1, s.loop, delays), newTurns(true, 0, 1, s.loop, delays)
			for until := uint64(0); until < 60_000; until += quantum {
				for n := range a.pair {
					a.pair[n].c.Run(until)
					b.pair[n].c.Run(until)
				}
				if !a.equals(b.pair) {
					t.Fatalf("%s, by %d: to %d\n%s\n%s\nexecuted\n%s\n%s", s.name, quantum, until, a.pair[0], a.pair[1], b.pair[0], b.pair[1])
				}
			}
		}
	}
}

// TestWhatEndsWaiting has something happen while hart 1 waits.
func TestWhatEndsWaiting(t *testing.T) {
	for _, tt := range []struct {
		name   string
		happen func(a, b *Core)
		waits  bool
	}{
		{"nothing", func(a, b *Core) {}, true},
		{"a store to it", func(a, b *Core) { a.physStore(testRAM+0x1000, 4, 1) }, false},
		{"one of a byte, through a mirror", func(a, b *Core) { a.physStore(testMirror+0x1003, 1, 1) }, false},
		{"one next to it", func(a, b *Core) { a.physStore(testRAM+0x1004, 4, 1) }, true},
		{"one to the loop's code", func(a, b *Core) { a.physStore(testRAM+0x404, 4, uint64(branch(0, 0, 0, -4))) }, false},
		{"one behind it", func(a, b *Core) { a.physStore(testRAM+0x408, 4, nop) }, true},
		{"DMA", func(a, b *Core) { a.Invalidate(testRAM+0xF00, 0x200) }, false},
		{"DMA elsewhere", func(a, b *Core) { a.Invalidate(testRAM+0xF00, 0x100) }, true},
		{"an interrupt", func(a, b *Core) { b.SetIP(1<<7, true) }, false},
		{"one that is masked", func(a, b *Core) { b.SetIP(1<<11, true) }, true},
		{"a snapshot", func(a, b *Core) { b.Snapshot() }, false},
		{"a reset", func(a, b *Core) { b.Reset(testRAM) }, false},
		{"a trace", func(a, b *Core) { b.SetTrace(func(uint64) {}) }, false},
		{"a breakpoint", func(a, b *Core) { b.SetBreakpoint(testRAM, true) }, false},
		{"empty caches", func(a, b *Core) { b.InvalidateCache(1) }, false},
		{"a step", func(a, b *Core) { b.Step() }, false},
		{"a stall", func(a, b *Core) { b.Stall(b.Cycle + 10) }, false},
		{"code dropped, then a store", func(a, b *Core) { a.drop(); a.physStore(testRAM+0x1000, 4, 1) }, false},
	} {
		p := newTurns(false, 64, 0, spinners[0].loop, nil)
		a, b := p.pair[0].c, p.pair[1].c
		b.Mstatus |= mstatusMIE
		b.Mie = 1 << 7
		b.Run(10_000)
		if !b.Waiting() {
			t.Fatal("it doesn't wait")
		}
		tt.happen(a, b)
		if got := b.Waiting(); got != tt.waits {
			t.Errorf("%s: waiting %v, want %v", tt.name, got, tt.waits)
		}
	}
}

// TestNoWaiting: what is not waiting for somebody else.
func TestNoWaiting(t *testing.T) {
	for name, loop := range map[string][]uint32{
		"counts":              {addi(5, 5, 1), jump(0, -4)},
		"stores":              {sw(5, 8, 0), jump(0, -4)},
		"looks at the clock":  {csrr(5, csrMCYCLE), jump(0, -4)},
		"atomic":              {amoOp(amoADD, 5, 8, 0), jump(0, -4)},
		"asks a device":       {lw(5, 0, 0), jump(0, -4)},
		"is 100 instructions": append(make100(), jump(0, -400)),
		"empties the caches":  {lw(5, 8, 0), iType(majorMISCMEM, 1, 0, 0, 0), jump(0, -8)},
	} {
		p := newTurns(false, 64, 0, loop, nil)
		b := p.pair[1].c
		b.Run(100_000)
		if b.Waiting() {
			t.Errorf("%s: it waits", name)
		}
	}
}

func make100() []uint32 {
	code := make([]uint32, 100)
	for i := range code {
		code[i] = nop
	}
	return code
}

// BenchmarkSpin reports how many million cycles a second pass while a hart executes and the other one waits for
// it, and by how much that is slower than the one alone.
func BenchmarkSpin(b *testing.B) {
	for name, noSkip := range map[string]bool{"waiting": false, "executed": true} {
		b.Run(name, func(b *testing.B) {
			p := newTurns(noSkip, 64, 0, spinners[0].loop, []uint32{1 << 31})
			for b.Loop() {
				p.run(p.pair[0].c.Cycle + 100_000)
			}
			b.ReportMetric(float64(p.pair[0].c.Cycle)/b.Elapsed().Seconds()/1e6, "Mcycles/s")
		})
	}
}
