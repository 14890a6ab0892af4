package riscv

import (
	"encoding/binary"
	"testing"
)

// A program in RAM calls a function behind a cache, and loads from there, again and again, so that blocks
// are linked and lines are recent when that is shut.
func TestShut(t *testing.T) {
	const flash = testRAM + 0x10000
	cells := make([]byte, 0x1000)
	function := func(step int) {
		binary.LittleEndian.PutUint32(cells, addi(10, 10, step))
		binary.LittleEndian.PutUint32(cells[4:], iType(majorJALR, 0, 0, 1, 0))
	}
	function(1)
	cfg := Config{XLEN: 32, Bus: partBus{}, Caches: []CacheConfig{{Size: 1 << 10, Ways: 2, Line: 32, Miss: func(uint64, bool) uint64 { return 10 }}}}
	r := newRig(cfg, jump(1, 0x10000), lw(11, 8, 0), jump(0, -8))
	r.Map([]Region{
		{Name: "ram", Base: testRAM, Data: r.ram, Write: true, Exec: true},
		{Name: "flash", Base: flash, Data: cells, Exec: true, ICache: 1, DCache: 1},
	})
	r.X[8] = flash + 0x800
	run := func(pc uint64) (calls uint64) {
		r.PC, r.Mcause = pc, 0
		before := r.X[10]
		r.Run(r.Cycle + 1000)
		return r.X[10] - before
	}
	trapped := func(what string, pc, cause, tval uint64) {
		t.Helper()
		if n := run(pc); n != 0 || r.Mcause != cause || r.Mtval != tval {
			t.Errorf("%s: %d calls, mcause %d, mtval %#x; want none, %d, %#x", what, n, r.Mcause, r.Mtval, cause, tval)
		}
	}
	open := run(testRAM)
	if open < 50 {
		t.Fatalf("%d calls in 1000 cycles", open)
	}
	r.Shut(true)
	trapped("a call", testRAM, 1, flash)
	trapped("execution that goes on", flash+4, 1, flash+4)
	trapped("a load", testRAM+4, 5, flash+0x800)
	r.Shut(false)
	if n := run(testRAM); n+5 < open || n > open+5 {
		t.Errorf("opened: %d calls, were %d", n, open)
	}
	r.Shut(true)
	function(100)
	r.Invalidate(flash, 4)
	r.Shut(false)
	if n := run(testRAM); n < 95*open || n%100 != 0 {
		t.Errorf("changed while it was shut: %d, want %d calls that add 100", n, open)
	}
}
