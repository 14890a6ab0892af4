package armv7m

import (
	"bytes"
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

// guard sets the MPU up as a system with guarded stacks does: flash is read only, RAM
// execute never, and 32 bytes between data and stack are neither read nor written.
func guard(c *Core) {
	setRegion(c, 0, region(0, 28, 6, 0, false))
	setRegion(c, 1, region(0x20000000, 17, 3, 0, true))
	setRegion(c, 2, region(0x20008000, 5, 0, 0, true))
	c.mpuWrite(mpuCTRL, mpuENABLE|mpuPRIVDEFENA)
}

// TestMixGuarded wants the MPU to change neither what the mix computes nor its
// cycles.
func TestMixGuarded(t *testing.T) {
	for _, timing := range []FlashTiming{{}, {Waits: 5, ICache: true, DCache: true}} {
		c, ram := newMix()
		guarded, guardedRAM := newMix()
		guard(guarded)
		c.SetFlashTiming(timing)
		guarded.SetFlashTiming(timing)
		c.Run(400_000)
		guarded.Run(400_000)
		if c.Insns != guarded.Insns || c.Cycle != guarded.Cycle || c.R != guarded.R || !bytes.Equal(ram, guardedRAM) {
			t.Errorf("%+v: %d instructions and %d cycles, not %d and %d", timing, guarded.Insns, guarded.Cycle, c.Insns, c.Cycle)
		}
	}
}

// BenchmarkMIPS reports how many million guest instructions a second of the
// host executes, with the cycle model on.
func BenchmarkMIPS(b *testing.B) {
	for _, bb := range []struct {
		name string
		FlashTiming
		guarded bool
	}{
		{"0WS", FlashTiming{}, false},
		{"0WS+MPU", FlashTiming{}, true},
		{"5WS", FlashTiming{Waits: 5}, false},
		{"5WS+caches", FlashTiming{Waits: 5, ICache: true, DCache: true}, false},
		{"5WS+caches+MPU", FlashTiming{Waits: 5, ICache: true, DCache: true}, true},
		{"5WS+caches+prefetch", FlashTiming{Waits: 5, ICache: true, DCache: true, Prefetch: true}, false},
	} {
		b.Run(bb.name, func(b *testing.B) {
			c, _ := newMix()
			if bb.guarded {
				guard(c)
			}
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
