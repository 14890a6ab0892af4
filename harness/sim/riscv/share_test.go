package riscv

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"rigor/harness/sim/conform"
)

// The tests of this file run two cores that share memory, by turns, as a chip does: each for a quantum, and before
// one accesses a device or is about to execute an atomic instruction, the other up to the same cycle.

const quantum = 64

// catchUp brings the other hart to this one's cycle, unless it is that which waits for this one.
func (d *differ) catchUp() {
	if d.other != nil && !d.other.running {
		d.other.run(d.c.Cycle)
	}
}

func (d *differ) run(until uint64) Stop {
	d.running = true
	defer func() { d.running = false }()
	d.asked = never
	return d.c.Run(until)
}

// pair is two harts of the same program, which start at different places in it, with different registers.
type pair [2]*differ

func newPair(t testing.TB, cfg Config, code []byte, seed uint64) pair {
	p := pair{newDiffer(t, cfg, code, 2*seed), newDiffer(t, cfg, code, 2*seed+1)}
	Share(p[0].c, p[1].c)
	p[1].ram = p[0].ram
	for i, d := range p {
		d.other = p[1-i]
		d.mapMemory(code)
	}
	return p
}

// run runs both harts up to a cycle and says whether both may go on.
func (p pair) run(until uint64) bool {
	for cycle := uint64(0); cycle < until; {
		cycle = min(cycle+quantum, until)
		for _, d := range p {
			if d.run(cycle).Reason > Asleep {
				return false
			}
		}
	}
	return true
}

func (p pair) equals(q pair) bool {
	for i := range p {
		if p[i].c.State != q[i].c.State || !bytes.Equal(p[i].log.Bytes(), q[i].log.Bytes()) {
			return false
		}
	}
	return bytes.Equal(p[0].ram, q[0].ram)
}

// TestTwoHarts wants the same of two harts in blocks and by single steps: both write to each other's code.
func TestTwoHarts(t *testing.T) {
	var pool [][]byte
	for _, p := range programs(t, conform.RV64GC) {
		pool = append(pool, p.Code.Bytes)
	}
	rnd := rand.New(rand.NewPCG(5, 5))
	var insns uint64
	for seed := range uint64(150) {
		code := randomCode(rnd, pool)
		blocks, steps := newPair(t, k210(), code, seed), newPair(t, k210(), code, seed)
		for _, d := range steps {
			d.c.SetTrace(d.forget)
		}
		for until := uint64(500); until <= 3000; until += 500 {
			a, b := blocks.run(until), steps.run(until)
			if a != b || !blocks.equals(steps) {
				t.Fatalf("seed %d, code %x: to cycle %d\nblocks %s\n%s\nsteps  %s\n%s", seed, code, until, blocks[0], blocks[1], steps[0], steps[1])
			}
			if !a {
				break
			}
		}
		insns += blocks[0].c.Insns + blocks[1].c.Insns
	}
	t.Logf("%d instructions", insns)
}

// Encoders of RV64A (volume I 8).
func amoOp(funct5, rd, rs1, rs2 uint32) uint32 {
	return funct5<<27 | rs2<<20 | rs1<<15 | 2<<12 | rd<<7 | majorAMO
}

// together makes two harts with a program each in one memory; x8 leads to data behind both.
func together(programs ...[]uint32) (p pair) {
	ram := make([]byte, 0x1000)
	for i, program := range programs {
		for k, w := range program {
			binary.LittleEndian.PutUint32(ram[0x400*i+4*k:], w)
		}
		d := &differ{ram: ram}
		cfg := k210()
		cfg.Order = d.catchUp
		d.c = New(cfg)
		p[i] = d
	}
	Share(p[0].c, p[1].c)
	for i, d := range p {
		d.other = p[1-i]
		d.c.Map([]Region{
			{Name: "ram", Base: testRAM, Data: ram, Write: true, Exec: true},
			{Name: "mirror", Base: testMirror, Data: ram, Write: true},
		})
		d.c.Reset(testRAM + 0x400*uint64(i))
		d.c.X[8], d.c.X[9], d.c.X[18] = testRAM+0x800, testRAM, testMirror+0x800
	}
	return p
}

const testMirror = 0x10000000

// TestReservationAcrossHarts: both harts count in a word by LR and SC, 1000 times each; and in another that
// a lock guards.
func TestReservationAcrossHarts(t *testing.T) {
	const turns = 1000
	count := []uint32{
		addi(10, 0, turns),
		amoOp(amoLR, 5, 8, 0),
		addi(5, 5, 1),
		amoOp(amoSC, 6, 8, 5),
		branch(1, 6, 0, -12),
		addi(10, 10, -1),
		branch(1, 10, 0, -20),
		jump(0, 0),
	}
	lock := []uint32{
		addi(10, 0, turns), addi(7, 0, 1), addi(11, 8, 64),
		amoOp(amoLR, 5, 11, 0),
		branch(1, 5, 0, -4),
		amoOp(amoSC, 6, 11, 7),
		branch(1, 6, 0, -12),
		lw(5, 8, 0), addi(5, 5, 1), sw(5, 8, 0),
		amoOp(amoSWAP, 0, 11, 0),
		addi(10, 10, -1),
		branch(1, 10, 0, -36),
		jump(0, 0),
	}
	for name, program := range map[string][]uint32{"count": count, "lock": lock} {
		p := together(program, program)
		p[1].c.Cycle = 5 // not in step
		p.run(200_000)
		if got := binary.LittleEndian.Uint32(p[0].ram[0x800:]); got != 2*turns {
			t.Errorf("%s: %d, want %d", name, got, 2*turns)
		}
	}
}

// TestWhatBreaksReservations has a hart execute LR, then something happen, then SC.
func TestWhatBreaksReservations(t *testing.T) {
	for _, tt := range []struct {
		name   string
		happen func(own, other *Core)
		fails  uint64
	}{
		{"nothing", func(own, other *Core) {}, 0},
		{"a store of the other in the line", func(own, other *Core) { other.physStore(testRAM+0x800+63, 1, 1) }, 1},
		{"one through a mirror", func(own, other *Core) { other.physStore(testMirror+0x800, 4, 1) }, 1},
		{"one in the next line", func(own, other *Core) { other.physStore(testRAM+0x800+64, 4, 1) }, 0},
		{"a store of its own", func(own, other *Core) { own.physStore(testRAM+0x804, 4, 1) }, 0},
		{"a store of its own, then one of the other", func(own, other *Core) {
			own.physStore(testRAM+0x804, 4, 1)
			other.physStore(testRAM+0x804, 4, 1)
		}, 1},
		{"DMA", func(own, other *Core) { other.Invalidate(testRAM+0x700, 0x101) }, 1},
		{"DMA next to it", func(own, other *Core) { own.Invalidate(testRAM+0x700, 0x100) }, 0},
		{"a snapshot restored, then a store", func(own, other *Core) {
			own.Restore(own.Snapshot())
			other.physStore(testRAM+0x800, 4, 1)
		}, 1},
		{"code decoded there and dropped, then a store", func(own, other *Core) {
			other.find(testRAM+0x880, 0)
			other.drop()
			other.physStore(testRAM+0x800, 4, 1)
		}, 1},
	} {
		p := together([]uint32{amoOp(amoLR, 5, 8, 0), amoOp(amoSC, 6, 8, 5)}, nil)
		p[0].c.Step()
		tt.happen(p[0].c, p[1].c)
		p[0].c.Step()
		if got := p[0].c.X[6]; got != tt.fails {
			t.Errorf("%s: SC returns %d, want %d", tt.name, got, tt.fails)
		}
	}
}

// TestOrder: the hook sees the state before each atomic instruction.
func TestOrder(t *testing.T) {
	program := []uint32{nop, amoOp(amoLR, 5, 8, 0), nop, amoOp(amoSC, 6, 8, 5), amoOp(amoADD, 7, 8, 8), nop, branch(0, 0, 0, 0)}
	p := together(program, nil)
	c := p[0].c
	type moment struct{ pc, cycle, insns uint64 }
	var got []moment
	c.cfg.Order = func() { got = append(got, moment{c.PC - testRAM, c.Cycle, c.Insns}) }
	c.Run(100)
	want := []moment{{4, 1, 1}, {12, 3, 3}, {16, 4, 4}}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestCodeOfTheOtherHart has a hart in a loop that the other one opens.
func TestCodeOfTheOtherHart(t *testing.T) {
	loop := []uint32{addi(10, 10, 1), jump(0, -4), addi(11, 0, 1), jump(0, 0)}
	open := []uint32{addi(10, 0, 200), addi(10, 10, -1), branch(1, 10, 0, -4), lui(5, 0), addi(5, 5, nop), sw(5, 9, 4), jump(0, 0)}
	p := together(loop, open)
	p.run(3000)
	if c := p[0].c; c.X[11] != 1 || c.X[10] < 100 {
		t.Errorf("after %d turns the loop has been left: %v", c.X[10], c.X[11] == 1)
	}
}

// BenchmarkTwoHarts reports how many million instructions a second two harts execute by turns.
func BenchmarkTwoHarts(b *testing.B) {
	x, _ := newMix(k210(), true)
	y, _ := newMix(k210(), true)
	for b.Loop() {
		for end := x.Cycle + 100_000; x.Cycle < end; {
			until := x.Cycle + quantum
			x.Run(until)
			y.Run(until)
		}
	}
	b.ReportMetric(float64(x.Insns+y.Insns)/b.Elapsed().Seconds()/1e6, "MIPS")
}
