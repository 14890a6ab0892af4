package riscv

import "testing"

// TestKernels: the figures are those that cycles.go cites; where it says that
// one is assumed, so is what is wanted here.
func TestKernels(t *testing.T) {
	sixteen := func(w ...uint32) (all []uint32) {
		for i := range 16 {
			all = append(all, w[i%len(w)])
		}
		return all
	}
	for _, tt := range []struct {
		name string
		body []uint32
		want uint64 // a turn, with ADDI and BNE
	}{
		{"empty loop", nil, 4},
		{"ADD", sixteen(rType(0, 0, 5, 6, 7)), 16 + 4},
		{"MUL", sixteen(rType(1, 0, 5, 6, 7)), 16 + 4},
		{"DIV", sixteen(rType(1, 4, 5, 6, 7)), 16*34 + 4},
		{"LW, independent", sixteen(lw(5, 2, 0), lw(6, 2, 4)), 16 + 4},
		{"LW, used at once", sixteen(lw(5, 2, 0), addi(6, 5, 1)), 16 + 8 + 4},
		{"SW", sixteen(sw(5, 2, 0)), 16 + 4},
		{"J", sixteen(jump(0, 4)), 32 + 4},
		{"BNE, not taken", sixteen(branch(1, 0, 0, 8)), 16 + 4},
		{"misaligned LW", sixteen(lw(5, 2, 1), nop), 16 + 8 + 4},
	} {
		program := append(tt.body, addi(10, 10, -1), branch(1, 10, 0, -4*(len(tt.body)+1)), branch(0, 0, 0, 0))
		cfg := esp32c3()
		cfg.NoSkip = true
		r := newRig(cfg, program...)
		r.X[2], r.X[10] = testRAM+0x200, 1000
		end := uint64(testRAM + 4*(len(program)-1))
		r.SetBreakpoint(end, true)
		if stop := r.Run(1_000_000); stop.PC != end {
			t.Fatalf("%s: %+v", tt.name, stop)
		}
		if got := (r.Cycle + 2) / 1000; got != tt.want { // the last BNE is not taken
			t.Errorf("%s: %d cycles a turn, want %d", tt.name, got, tt.want)
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
