package armv7m

import (
	_ "embed"
	"encoding/binary"
	"testing"
)

// mixBin is testdata/mix.c, built as its head says.
//
//go:embed testdata/mix.bin
var mixBin []byte

// newMix makes a core that runs the mix from flash. ram begins with the count
// of rounds and the checksum.
func newMix() (c *Core, ram []byte) {
	ram = make([]byte, 128<<10)
	c = New(Config{CPUID: 0x410FC241, IRQs: 82, PrioBits: 4, RefDiv: 8, Bus: emptyBus{}})
	c.Map([]Region{
		{Name: "boot", Base: 0, Data: mixBin, Flash: true},
		{Name: "flash", Base: 0x08000000, Data: mixBin, Flash: true},
		{Name: "sram", Base: 0x20000000, Data: ram, Write: true},
	})
	c.Reset()
	return c, ram
}

// TestMix compares with the checksum that the same source prints when compiled
// for the host. Cycles and instructions are golden: they may change only with the
// cycle model.
func TestMix(t *testing.T) {
	c, ram := newMix()
	for binary.LittleEndian.Uint32(ram) < 3 {
		if stop := c.Run(c.Cycle + 1000); stop.Reason != Deadline {
			t.Fatalf("%+v", stop)
		}
	}
	if sum := binary.LittleEndian.Uint32(ram[4:]); sum != 0x72C92D77 {
		t.Errorf("checksum %#x, want 0x72C92D77", sum)
	}
	if c.Insns != 382_736 || c.Cycle != 451_135 {
		t.Errorf("%d instructions, %d cycles", c.Insns, c.Cycle)
	}
}

// BenchmarkMIPS reports how many million guest instructions a second of the
// host executes, with the cycle model on.
func BenchmarkMIPS(b *testing.B) {
	for _, bb := range []struct {
		name string
		FlashTiming
	}{
		{"0WS", FlashTiming{}},
		{"5WS", FlashTiming{Waits: 5}},
		{"5WS+caches", FlashTiming{Waits: 5, ICache: true, DCache: true}},
		{"5WS+caches+prefetch", FlashTiming{Waits: 5, ICache: true, DCache: true, Prefetch: true}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			c, _ := newMix()
			c.SetFlashTiming(bb.FlashTiming)
			const cycles = 100_000
			for b.Loop() {
				c.Run(c.Cycle + cycles)
			}
			seconds := b.Elapsed().Seconds()
			b.ReportMetric(float64(c.Insns)/seconds/1e6, "MIPS")
			b.ReportMetric(float64(c.Cycle)/float64(c.Insns), "cycles/insn")
		})
	}
}
