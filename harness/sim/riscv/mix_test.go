package riscv

import (
	_ "embed"
	"encoding/binary"
	"testing"
)

// mix32 and mix64 are ../armv7m/testdata/mix.c, built in this folder by
//
//	riscv64-unknown-elf-gcc -march=rv32imc -mabi=ilp32 -mcmodel=medany -O2 -ffreestanding -fno-builtin -nostdlib \
//	  -T ../armv7m/testdata/mix.ld -o mix.elf ../armv7m/testdata/mix.c -lgcc
//	riscv64-unknown-elf-objcopy -O binary -j .text mix.elf testdata/mix32.bin
//
// and the same with rv64imafdc and lp64d. It begins with an initial stack pointer
// and the address to start at.
var (
	//go:embed testdata/mix32.bin
	mix32 []byte
	//go:embed testdata/mix64.bin
	mix64 []byte
)

// esp32c3 is the configuration of its core.
func esp32c3() Config {
	return Config{
		XLEN: 32, Ext: ExtM | ExtC | ExtU, PMP: 16, Misaligned: true, Vectored31: true,
		Vendor: 0x612, Arch: 0x80000001, Imp: 1, Bus: emptyBus{},
		Caches: []CacheConfig{{Size: 16 << 10, Ways: 8, Line: 32, Miss: func(uint64, bool) uint64 { return 50 }}},
	}
}

// k210 is the configuration of one of its cores, as far as it is known here.
func k210() Config {
	miss := func(uint64, bool) uint64 { return 20 }
	return Config{
		XLEN: 64, Ext: ExtA | ExtC | ExtD | ExtF | ExtM | ExtU, PMP: 8, Bus: emptyBus{}, Timing: K210Timing,
		Caches: []CacheConfig{{Size: 32 << 10, Ways: 8, Line: 64, Miss: miss, Code: true}, {Size: 32 << 10, Ways: 8, Line: 64, Miss: miss}},
	}
}

// newMix makes a core that runs the mix. ram begins with the count of rounds
// and the checksum.
func newMix(cfg Config, cached bool) (c *Core, ram []byte) {
	ram = make([]byte, 128<<10)
	code := mix32
	if cfg.XLEN == 64 {
		code = mix64
	}
	c = New(cfg)
	flash, sram := Region{Name: "flash", Base: 0x08000000, Data: code, Exec: true}, Region{Name: "sram", Base: 0x20000000, Data: ram, Write: true}
	if cached {
		flash.ICache, flash.DCache = 1, 1
		if len(cfg.Caches) == 2 {
			flash.DCache, sram.DCache = 2, 2
		}
	}
	c.Map([]Region{flash, sram})
	c.Reset(loadBytes(code[cfg.XLEN/8:], uint8(cfg.XLEN/8)))
	c.X[regSP] = loadBytes(code, uint8(cfg.XLEN/8))
	return c, ram
}

// TestMix compares with the checksum that the same source prints when compiled
// for the host. Cycles and instructions are golden: they may change only with the
// cycle model.
func TestMix(t *testing.T) {
	for _, tt := range []struct {
		name          string
		cfg           Config
		cached        bool
		insns, cycles uint64
	}{
		{"esp32c3", esp32c3(), false, 268_240, 366_593},
		{"esp32c3 cached", esp32c3(), true, 268_439, 370_724},
		{"k210", k210(), false, 265_068, 363_361},
		{"k210 cached", k210(), true, 265_362, 365_435},
	} {
		c, ram := newMix(tt.cfg, tt.cached)
		for binary.LittleEndian.Uint32(ram) < 3 {
			if stop := c.Run(c.Cycle + 1000); stop.Reason != Deadline {
				t.Fatalf("%s: %+v", tt.name, stop)
			}
		}
		if sum := binary.LittleEndian.Uint32(ram[4:]); sum != 0x72C92D77 {
			t.Errorf("%s: checksum %#x, want 0x72C92D77", tt.name, sum)
		}
		if c.Insns != tt.insns || c.Cycle != tt.cycles {
			t.Errorf("%s: %d instructions, %d cycles", tt.name, c.Insns, c.Cycle)
		}
	}
}

// BenchmarkMIPS reports how many million guest instructions a second of the
// host executes, with the cycle model on.
func BenchmarkMIPS(b *testing.B) {
	for _, bb := range []struct {
		name   string
		cfg    Config
		cached bool
	}{
		{"rv32", esp32c3(), false},
		{"rv32+cache", esp32c3(), true},
		{"rv64", k210(), false},
		{"rv64+caches", k210(), true},
	} {
		b.Run(bb.name, func(b *testing.B) {
			c, _ := newMix(bb.cfg, bb.cached)
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
