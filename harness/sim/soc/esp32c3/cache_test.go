package esp32c3

import (
	"testing"

	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// The MMU maps pages of 64 KB, the same on both buses; a flash chip of 4 MB comes
// round to its start.
func TestMMU(t *testing.T) {
	c := started(t, Options{}, endless())
	for page := range 64 {
		if err := c.LoadFlash(uint32(page)*mmuPage, []byte{byte(page), 0xA5}); err != nil {
			t.Fatal(err)
		}
	}
	for entry, page := range []uint32{3, 4, 5, 0, 63, 64, 66, mmuInvalid, 7} {
		st(t, c, mmu0+4*uint32(entry), page)
	}
	look := func(addr uint32) int {
		if m, err := c.ReadMemory(addr, 2); err == nil && m[1] == 0xA5 {
			return int(m[0])
		}
		return -1
	}
	if got := look(iromBase); got != -1 {
		t.Errorf("page 0 shows %d with the cache off", got)
	}
	st(t, c, extmem0+extCTRL, 1)
	if got := look(iromBase); got != -1 {
		t.Errorf("page 0 shows %d with the buses shut", got)
	}
	st(t, c, extmem0+extCTRL1, 0)
	for entry, want := range []int{3, 4, 5, 0, 63, 0, 2, -1, 7, -1} {
		for _, base := range []uint32{iromBase, dromBase} {
			if got := look(base + uint32(entry)*mmuPage); got != want {
				t.Errorf("0x%08x shows page %d, want %d", base+uint32(entry)*mmuPage, got, want)
			}
		}
	}
	if got := ld(t, c, mmu0+4*4); got != 63 {
		t.Errorf("entry 4 reads %d, want 63", got)
	}
	if _, f := (cpuBus{c}).Load(dromBase+7*mmuPage+8, 4); f != bus.Error {
		t.Errorf("an invalid page: %v, want a bus error", f)
	}
	if st, va := *c.EXTMEM.reg(extILG_ST), *c.EXTMEM.reg(extMMU_VADDR); st != ilgMMUEntry || va != dromBase+7*mmuPage+8 {
		t.Errorf("CACHE_ILG_INT_ST %#x, fault at %#x", st, va)
	}
}

// Code in flash costs its lines: a line of 32 bytes once, as long as SPI0 needs
// for it, then nothing.
func TestCacheMisses(t *testing.T) {
	c := started(t, Options{}, endless())
	var loop []uint32
	for range 15 {
		loop = append(loop, addi(1, 1, 1))
	}
	loop = append(loop, jal(0, -60)) // two lines
	if err := c.LoadFlash(0, code(loop...)); err != nil {
		t.Fatal(err)
	}
	c.mmuSet(0, 0)
	*c.EXTMEM.reg(extCTRL1) = 0
	c.cacheEnable(true)
	fast(t, c)
	c.startCore(iromBase)
	line := uint64(c.flashLineTime() / (clock.Second / 160_000_000))
	round := func() uint64 {
		before := c.core.Cycle
		for range 16 {
			c.core.Step()
		}
		return c.core.Cycle - before
	}
	cold, warm := round(), round()
	if got := cold - warm; got < 2*line || got > 2*line+4 {
		t.Errorf("two lines cost %d cycles, want twice %d", got, line)
	}
	if warm > 20 {
		t.Errorf("a round of 16 instructions takes %d cycles with a warm cache", warm)
	}
	if round() != warm {
		t.Error("a warm round takes another time than the one before")
	}
	c.cacheInvalidateAll()
	if got := round(); got != cold {
		t.Errorf("a round takes %d behind an invalidation, want %d as at first", got, cold)
	}
}

func TestCacheRegisters(t *testing.T) {
	c := started(t, Options{}, endless())
	tests := []struct{ off, write, want uint32 }{
		{extSYNC_CTRL, 1, 1 << 1},
		{extLOCK_CTRL, 1, 1 | 1<<2},
		{extPRELOAD, 1, 1 << 1},
		{extAUTOLOAD, 1 << 2, 1<<2 | 1<<3},
		{extFREEZE, 1, 1 | 1<<2},
		{extFREEZE, 0, 0},
		{extSTATE, 0, 1},
	}
	for _, tt := range tests {
		st(t, c, extmem0+tt.off, tt.write)
		if got := ld(t, c, extmem0+tt.off); got != tt.want {
			t.Errorf("%s, %#x written, reads %#x, want %#x", RegisterName(extmem0+tt.off), tt.write, got, tt.want)
		}
	}
}
