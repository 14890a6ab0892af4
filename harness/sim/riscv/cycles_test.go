package riscv

import (
	"encoding/binary"
	"testing"
)

// kernel executes a body a thousand times and returns the cycles of a turn, with ADDI and BNE behind it.
func kernel(t *testing.T, cfg Config, body []uint32) uint64 {
	t.Helper()
	const turns = 1000
	program := append(body, addi(10, 10, -1), branch(1, 10, 0, -4*(len(body)+1)), branch(0, 0, 0, 0))
	cfg.NoSkip = true
	r := newRig(cfg, program...)
	r.Mstatus |= mstatusFS
	r.X[2], r.X[10] = testRAM+0x800, turns
	end := uint64(testRAM + 4*(len(program)-1))
	r.SetBreakpoint(end, true)
	if stop := r.Run(1_000_000); stop.PC != end {
		t.Fatalf("%+v", stop)
	}
	return (r.Cycle + turns/2) / turns
}

func repeat(n int, w ...uint32) (all []uint32) {
	for range n {
		all = append(all, w...)
	}
	return all
}

// TestKernels: the figures are those that cycles.go cites; where it says that
// one is assumed, so is what is wanted here.
func TestKernels(t *testing.T) {
	for _, tt := range []struct {
		name string
		body []uint32
		want uint64 // a turn, with ADDI and BNE
	}{
		{"empty loop", nil, 4},
		{"ADD", repeat(16, rType(0, 0, 5, 6, 7)), 16 + 4},
		{"MUL", repeat(16, rType(1, 0, 5, 6, 7)), 16 + 4},
		{"DIV", repeat(16, rType(1, 4, 5, 6, 7)), 16*34 + 4},
		{"LW, independent", repeat(8, lw(5, 2, 0), lw(6, 2, 4)), 16 + 4},
		{"LW, used at once", repeat(8, lw(5, 2, 0), addi(6, 5, 1)), 16 + 8 + 4},
		{"SW", repeat(16, sw(5, 2, 0)), 16 + 4},
		{"J", repeat(16, jump(0, 4)), 32 + 4},
		{"BNE, not taken", repeat(16, branch(1, 0, 0, 8)), 16 + 4},
		{"misaligned LW", repeat(8, lw(5, 2, 1), nop), 16 + 8 + 4},
	} {
		if got := kernel(t, esp32c3(), tt.body); got != tt.want {
			t.Errorf("%s: %d cycles a turn, want %d", tt.name, got, tt.want)
		}
	}
}

// TestK210Kernels: likewise, by the sources of K210Timing.
func TestK210Kernels(t *testing.T) {
	lh := func(rd, rs1 uint32, imm int) uint32 { return iType(majorLOAD, 1, rd, rs1, imm) }
	fp := func(f7, rd, rs1, rs2 uint32) uint32 { return f7<<25 | rs2<<20 | rs1<<15 | rd<<7 | majorOPFP }
	mul, div, fldD := rType(1, 0, 5, 6, 7), rType(1, 5, 5, 6, 7), iType(majorLOADFP, 3, 1, 2, 0)
	use := addi(8, 5, 1)
	for _, tt := range []struct {
		name string
		body []uint32
		want uint64 // a turn, with ADDI and BNE
	}{
		{"empty loop, predicted", nil, 2},
		{"J, predicted", repeat(16, jump(0, 4)), 16 + 2},
		{"BNE, not taken", repeat(16, branch(1, 0, 0, 8)), 16 + 2},
		{"LW, used at once", []uint32{lw(5, 2, 0), use}, 2 + 1 + 2},
		{"LW, used later", []uint32{lw(5, 2, 0), nop, use}, 3 + 2},
		{"LH, used at once", []uint32{lh(5, 2, 0), use}, 2 + 2 + 2},
		{"LH, used later", []uint32{lh(5, 2, 0), nop, use}, 3 + 1 + 2},
		{"LH, used twice", []uint32{lh(5, 2, 0), use, use}, 3 + 2 + 2},
		{"MUL by 8 bits, used", []uint32{addi(6, 0, 255), mul, use}, 3 + 4 + 2},
		{"MUL by 9 bits, used", []uint32{addi(6, 0, 256), mul, use}, 3 + 5 + 2},
		{"MUL by 64 bits, used", []uint32{addi(6, 0, -1), mul, use}, 3 + 10 + 2},
		{"MUL by 8 bits, not used", []uint32{addi(6, 0, 255), mul}, 2 + 2},
		{"DIVU, quotient 0", []uint32{addi(6, 0, 1), addi(7, 0, 2), div}, 3 + 5 + 2},
		{"DIVU, quotient of 5 bits", []uint32{addi(6, 0, 16), addi(7, 0, 1), div}, 3 + 9 + 2},
		{"DIVU by 0", []uint32{addi(6, 0, 1), addi(7, 0, 0), div}, 3 + 67 + 2},
		{"FLD, used at once", []uint32{fldD, fp(1, 2, 1, 1)}, 2 + 3 + 2},
		{"FADD.D, used at once", []uint32{fp(1, 1, 2, 3), fp(1, 2, 1, 1)}, 2 + 5 + 2},
		{"FADD.S, used at once", []uint32{fp(0, 1, 2, 3), fp(0, 2, 1, 1)}, 2 + 3 + 2},
		{"FADD.D, independent", repeat(4, fp(1, 1, 2, 3), fp(1, 4, 2, 3)), 8 + 2},
		{"FDIV.D", []uint32{fp(0x0D, 1, 2, 3)}, 22 + 2},
		{"CSRR, used at once", []uint32{csrr(5, csrMSCRATCH), use}, 2 + 2 + 2},
		{"CSRW mtvec", []uint32{csrr(5, csrMTVEC), nop, nop, csrw(csrMTVEC, 5)}, 4 + 3 + 2},
		{"CSRW mscratch", []uint32{csrw(csrMSCRATCH, 5)}, 1 + 2},
	} {
		if got := kernel(t, k210(), tt.body); got != tt.want {
			t.Errorf("%s: %d cycles a turn, want %d", tt.name, got, tt.want)
		}
	}
}

// TestDivideSteps: 2 cycles around 3 and those of the quotient's bits, and one each for operands that are negative, a negative
// result and a remainder.
func TestDivideSteps(t *testing.T) {
	for _, tt := range []struct {
		op   op
		a, b uint64
		want uint64
	}{
		{opDIVU, 0, 1, 5},
		{opDIVU, ^uint64(0), 1, 67},      // begins with bit 63
		{opDIVU, ^uint64(0) >> 1, 1, 67}, // begins with bit 62
		{opREMU, 7, 7, 6},                // and moves the remainder
		{opDIV, ^uint64(6), 2, 8},        // -7: made positive, and the result negative
		{opDIV, ^uint64(6), ^uint64(1), 7},
		{opREM, ^uint64(6), ^uint64(1), 9},
		{opREM, 7, ^uint64(1), 8},
		{opDIV, ^uint64(6), 0, 68},
		{opDIVUW, 1<<32 + 5, 5, 5}, // of 5
		{opDIVW, 1 << 31, 1, 38},
	} {
		if got := iterations(tt.op, tt.a, tt.b); got != tt.want {
			t.Errorf("%d of %#x and %#x: %d, want %d", tt.op, tt.a, tt.b, got, tt.want)
		}
	}
}

func TestCache(t *testing.T) {
	var missed []uint64
	cfg := esp32c3()
	cfg.Caches = []CacheConfig{{Size: 128, Ways: 2, Line: 32, Miss: func(addr uint64, _ bool) uint64 {
		missed = append(missed, addr)
		return 10
	}}}
	c := New(cfg)
	data := make([]byte, 4096)
	c.Map([]Region{{Name: "flash", Base: 0x3C000000, Data: data, DCache: 1}})
	want := func(what string, n int, offsets ...uint64) {
		t.Helper()
		missed = nil
		before := c.Cycle
		for _, off := range offsets {
			c.physLoad(0x3C000000+off, 4)
		}
		if len(missed) != n || c.Cycle-before != uint64(10*n) {
			t.Errorf("%s: missed %x in %d cycles, want %d", what, missed, c.Cycle-before, n)
		}
	}
	want("cold", 2, 0, 4, 28, 32)
	want("two ways", 1, 64, 0, 64, 0)
	want("the one used longest ago goes", 2, 128, 0, 64, 0)
	c.InvalidateCacheRange(0, 0x3C000000, 1)
	want("one line dropped", 1, 0, 64, 32)
	c.InvalidateCache(0)
	want("emptied", 3, 0, 32, 64)
}

// TestFenceI has a loop fetch its line anew each time.
func TestFenceI(t *testing.T) {
	for _, tt := range []struct {
		code bool
		want int // misses: the first fetch, and that behind each of 100 FENCE.I
	}{{false, 1}, {true, 101}} {
		misses := 0
		cfg := k210()
		cfg.Caches = []CacheConfig{{Size: 32 << 10, Ways: 8, Line: 64, Code: tt.code, Miss: func(uint64, bool) uint64 { misses++; return 20 }}}
		ram := make([]byte, 0x1000)
		for i, w := range []uint32{addi(5, 5, 1), 0x0000100F, branch(1, 5, 6, -8), jump(0, 0)} {
			binary.LittleEndian.PutUint32(ram[4*i:], w)
		}
		c := New(cfg)
		c.Map([]Region{{Name: "ram", Base: testRAM, Data: ram, Exec: true, ICache: 1}})
		c.Reset(testRAM)
		c.X[6] = 100
		c.SetBreakpoint(testRAM+12, true)
		if stop := c.Run(100_000); stop.Reason != Breakpoint || misses != tt.want {
			t.Errorf("emptied by FENCE.I: %v; %d misses, want %d (%v)", tt.code, misses, tt.want, stop.Reason)
		}
	}
}

// TestRecentLines: what makes the lines that were last used no longer be accessed without ado. Each case begins when LW and SW
// have used the line at data.
func TestRecentLines(t *testing.T) {
	const code, data = testRAM, testRAM + 0x800
	for _, tt := range []struct {
		name   string
		change func(c *Core)
		then   uint32 // the instruction executed next
		cycles uint64
		trap   bool
	}{
		{"nothing", func(*Core) {}, lw(5, 8, 4), 1, false},
		{"another line of the set", func(c *Core) { c.physLoad(data+0x1000, 4) }, lw(5, 8, 4), 1, false},
		{"as many of the set as ways", func(c *Core) { c.physLoad(data+0x1000, 4); c.physLoad(data+0x2000, 4) }, lw(5, 8, 4), 21, false},
		{"the cache emptied", func(c *Core) { c.InvalidateCache(1) }, lw(5, 8, 4), 21, false},
		{"the line dropped", func(c *Core) { c.InvalidateCacheRange(1, data, 4) }, sw(5, 8, 4), 21, false},
		{"another dropped", func(c *Core) { c.InvalidateCacheRange(1, data+64, 4) }, sw(5, 8, 4), 1, false},
		{"an older state", func(c *Core) { s := c.Snapshot(); s.Caches[1] = CacheState{}; c.Restore(s) }, lw(5, 8, 4), 21, false},
		{"user mode", func(c *Core) { c.Priv = UserMode }, lw(5, 8, 4), 0, true},
		{"misaligned", func(*Core) {}, lw(5, 8, 2), 0, true},
	} {
		cfg := k210()
		cfg.Caches[1].Ways, cfg.Caches[1].Size = 2, 8<<10
		ram := make([]byte, 0x4000)
		for i, w := range []uint32{lw(5, 8, 0), sw(5, 8, 0), tt.then} {
			binary.LittleEndian.PutUint32(ram[4*i:], w)
		}
		c := New(cfg)
		c.Map([]Region{{Name: "ram", Base: testRAM, Data: ram, Write: true, Exec: true, DCache: 2}})
		c.Reset(code)
		c.PMPAddr[0], c.PMPCfg[0] = (data-1)>>2, pmpTOR|pmpX // a user has code only
		c.refreshPMP()
		c.X[8] = data
		c.Step()
		c.Step()
		tt.change(c)
		before := c.Cycle
		c.Step()
		if trapped := c.Mcause != 0; trapped != tt.trap || !trapped && c.Cycle-before != tt.cycles {
			t.Errorf("%s: %d cycles, trapped: %v; want %d, %v", tt.name, c.Cycle-before, trapped, tt.cycles, tt.trap)
		}
	}
}

// TestRecentLineOfCode stores to code through a line that was recent before the code was decoded.
func TestRecentLineOfCode(t *testing.T) {
	program := []uint32{
		sw(0, 8, 0x20), // makes the line at 0x800 recent
		jump(1, 0x800-4),
		sw(9, 8, 0), // ADDI x10, x10, 2 in the place of ADDI x10, x10, 1
		jump(1, 0x800-12),
		jump(0, 0),
	}
	ram := make([]byte, 0x4000)
	for i, w := range program {
		binary.LittleEndian.PutUint32(ram[4*i:], w)
	}
	binary.LittleEndian.PutUint32(ram[0x800:], addi(10, 10, 1))
	binary.LittleEndian.PutUint32(ram[0x804:], iType(majorJALR, 0, 0, 1, 0))
	c := New(k210())
	c.Map([]Region{{Name: "ram", Base: testRAM, Data: ram, Write: true, Exec: true, DCache: 2}})
	c.Reset(testRAM)
	c.X[8], c.X[9] = testRAM+0x800, uint64(addi(10, 10, 2))
	c.Run(200)
	if c.X[10] != 3 {
		t.Errorf("x10 is %d, want 1 + 2", c.X[10])
	}
}
