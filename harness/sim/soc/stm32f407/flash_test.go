package stm32f407

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

const (
	flashStatus  = flash0 + 0x0C
	flashControl = flash0 + 0x10
	flashOptions = flash0 + 0x14

	pg32 = flashPG | 2<<8
)

// inRAM is a chip that runs an endless loop from SRAM, so that flash
// operations do not stall it, with flash unlocked.
func inRAM(t *testing.T) *Chip {
	t.Helper()
	c := started(t, Options{Seed: 3}, endless())
	if err := c.LoadRAM(sramBase, []byte{0xFE, 0xE7}); err != nil {
		t.Fatal(err)
	}
	c.core.R[15] = sramBase
	st(t, c, flash0+4, flashKey1)
	st(t, c, flash0+4, flashKey2)
	if ld(t, c, flashControl)&flashLOCK != 0 {
		t.Fatal("the keys did not unlock")
	}
	return c
}

func store(c *Chip, addr uint32, width uint8, v uint32) bus.Fault {
	return cpuBus{c}.Store(addr, width, v)
}

// RM0090 §3.6.1: any wrong key is a bus error and locks FLASH.CR until the next
// reset.
func TestFlashKeys(t *testing.T) {
	tests := []struct {
		keys     []uint32
		unlocked bool
		wrong    int // the first wrong key
	}{
		{[]uint32{flashKey1, flashKey2}, true, 2},
		{[]uint32{flashKey2, flashKey1}, false, 0},
		{[]uint32{flashKey1, flashKey1, flashKey1, flashKey2}, false, 1},
		{[]uint32{0, flashKey1, flashKey2}, false, 0},
		{[]uint32{flashKey1}, false, 1},
	}
	for _, tt := range tests {
		c := started(t, Options{}, endless())
		for i, k := range tt.keys {
			if f := store(c, flash0+4, 4, k); (f == bus.Error) != (i >= tt.wrong) {
				t.Errorf("keys %x: key %d: %v", tt.keys, i, f)
			}
		}
		if got := ld(t, c, flashControl)&flashLOCK == 0; got != tt.unlocked {
			t.Errorf("keys %x: unlocked %v", tt.keys, got)
		}
		st(t, c, flashControl, flashPG)
		if got := ld(t, c, flashControl)&flashPG != 0; got != tt.unlocked {
			t.Errorf("keys %x: CR written %v", tt.keys, got)
		}
	}
}

// RM0090 §3.6.4 and §3.9.5.
func TestFlashProgramErrors(t *testing.T) {
	const a = flashBase + 0x20000
	tests := []struct {
		name  string
		cr    uint32
		addr  uint32
		width uint8
		want  uint32
	}{
		{"no PG", 2 << 8, a, 4, srPGSERR},
		{"word", pg32, a, 4, srBSY},
		{"half-word at x32", pg32, a, 2, srPGPERR},
		{"half-word at x16", flashPG | 1<<8, a + 2, 2, srBSY},
		{"byte at x8", flashPG, a + 3, 1, srBSY},
		{"word at x8", flashPG, a, 4, srPGPERR},
		{"over a row", pg32, a + 14, 4, srPGAERR},
		{"unaligned in a row", pg32, a + 2, 4, srBSY},
	}
	for _, tt := range tests {
		c := inRAM(t)
		st(t, c, flashControl, tt.cr)
		if f := store(c, tt.addr, tt.width, 0); f != bus.None {
			t.Errorf("%s: %v", tt.name, f)
		}
		if sr := ld(t, c, flashStatus); sr != tt.want {
			t.Errorf("%s: SR %#x, want %#x", tt.name, sr, tt.want)
		}
		st(t, c, flashStatus, srFlags)
		if sr := ld(t, c, flashStatus); sr&srFlags != 0 {
			t.Errorf("%s: SR %#x after clearing", tt.name, sr)
		}
	}
}

// Cells only go from 1 to 0, and the word is there when BSY falls.
func TestFlashProgram(t *testing.T) {
	c := inRAM(t)
	st(t, c, flashControl, pg32|flashEOPIE)
	const a = flashBase + 0x20000
	for _, step := range []struct{ v, want uint32 }{{0xF0F0FFFF, 0xF0F0FFFF}, {0xFFFF00FF, 0xF0F000FF}} {
		if f := store(c, a, 4, step.v); f != bus.None {
			t.Fatal(f)
		}
		run(t, c, programTime-clock.Microsecond)
		if ld(t, c, flashStatus)&srBSY == 0 {
			t.Error("not busy before 16 us (DS8626 table 40)")
		}
		run(t, c, 2*clock.Microsecond)
		if sr := ld(t, c, flashStatus); sr != srEOP {
			t.Errorf("SR %#x at the end, want EOP", sr)
		}
		if !requested(c, irqFLASH) {
			t.Error("no interrupt")
		}
		st(t, c, flashStatus, srEOP)
		if got := binary.LittleEndian.Uint32(c.mem.Flash[0x20000:]); got != step.want {
			t.Errorf("cells %#x, want %#x", got, step.want)
		}
	}
}

// DS8626 §6.3.12, table 40: typical times by sector and parallelism.
func TestFlashEraseTimes(t *testing.T) {
	tests := []struct {
		sector, psize uint32
		want          clock.Time
	}{
		{0, 0, 400 * clock.Millisecond}, {3, 1, 300 * clock.Millisecond}, {1, 2, 250 * clock.Millisecond},
		{4, 0, 1200 * clock.Millisecond}, {4, 1, 700 * clock.Millisecond}, {4, 2, 550 * clock.Millisecond},
		{5, 0, 2 * clock.Second}, {11, 1, 1300 * clock.Millisecond}, {7, 2, clock.Second},
	}
	for _, tt := range tests {
		c := inRAM(t)
		fill(c.mem.Flash, 0)
		st(t, c, flashControl, flashSER|flashSTRT|tt.sector<<3|tt.psize<<8)
		until, busy := c.FlashBusy()
		if d := until - c.Now(); !busy || d != tt.want {
			t.Errorf("sector %d, PSIZE %d: busy %v for %d ps", tt.sector, tt.psize, busy, d)
		}
		c.core.Cycle = c.CycleFrom(until)
		c.Dispatch(c.core.Cycle)
		if sr, cr := ld(t, c, flashStatus), ld(t, c, flashControl); sr != 0 || cr&flashSTRT != 0 {
			t.Errorf("SR %#x, CR %#x at the end", sr, cr)
		}
		off, size := sectorSpan(tt.sector)
		if n := bytes.Count(c.mem.Flash, []byte{0xFF}); n != int(size) || c.mem.Flash[off] != 0xFF || c.mem.Flash[off+size-1] != 0xFF {
			t.Errorf("sector %d: %d bytes erased, want %d", tt.sector, n, size)
		}
		if sectorOf(off) != tt.sector || sectorOf(off+size-1) != tt.sector {
			t.Errorf("sector %d is not where it is", tt.sector)
		}
	}
}

func TestFlashMassErase(t *testing.T) {
	c := inRAM(t)
	fill(c.mem.Flash, 0)
	st(t, c, flashControl, flashMER|flashSTRT|2<<8)
	until, _ := c.FlashBusy()
	if until-c.Now() != 8*clock.Second {
		t.Errorf("takes %d ps", until-c.Now())
	}
	c.core.Cycle = c.CycleFrom(until)
	c.Dispatch(c.core.Cycle)
	if bytes.Count(c.mem.Flash, []byte{0xFF}) != flashSize {
		t.Error("not all erased")
	}
}

// Fetches from flash wait for the operation: RM0090 §3.6.
func TestFlashStall(t *testing.T) {
	c := started(t, Options{}, endless())
	before := c.Stats().Instructions
	run(t, c, 10*clock.Microsecond)
	if c.Stats().Instructions == before {
		t.Fatal("not running")
	}
	st(t, c, flash0+4, flashKey1)
	st(t, c, flash0+4, flashKey2)
	st(t, c, flashControl, pg32)
	if f := store(c, flashBase+0x20000, 4, 0); f != bus.None {
		t.Fatal(f)
	}
	before = c.Stats().Instructions
	run(t, c, programTime-clock.Microsecond)
	if n := c.Stats().Instructions - before; n != 0 {
		t.Errorf("%d instructions fetched from busy flash", n)
	}
	run(t, c, 2*clock.Microsecond)
	if c.Stats().Instructions == before {
		t.Error("still stalled after the operation")
	}
}

// RM0090 §3.7.4: nWRP.
func TestFlashWriteProtection(t *testing.T) {
	c := inRAM(t)
	c.FLASH.Options &^= 1 << (optWRPPos + 5)
	st(t, c, flashControl, pg32|flashERRIE)
	if f := store(c, flashBase+0x20000, 4, 0); f != bus.None {
		t.Fatal(f)
	}
	if sr := ld(t, c, flashStatus); sr != srWRPERR|srOPERR {
		t.Errorf("program: SR %#x", sr)
	}
	for _, cr := range []uint32{flashSER | 5<<3, flashMER} {
		st(t, c, flashStatus, srFlags)
		st(t, c, flashControl, cr|flashSTRT)
		if sr := ld(t, c, flashStatus); sr != srWRPERR {
			t.Errorf("erase with CR %#x: SR %#x", cr, sr)
		}
	}
}

func TestOptionBytes(t *testing.T) {
	c := inRAM(t)
	st(t, c, flashOptions, 0)
	if v := ld(t, c, flashOptions); v != 0x0FFFAAED {
		t.Errorf("OPTCR %#x, written while locked", v)
	}
	st(t, c, flash0+8, optKey1)
	st(t, c, flash0+8, optKey2)
	const protect = 0x0FFE55EC // sector 0 and level 1
	st(t, c, flashOptions, protect)
	if c.FLASH.Options != optionDefault {
		t.Error("programmed without OPTSTRT")
	}
	st(t, c, flashOptions, protect|optSTRT)
	finish(c)
	if c.FLASH.Options != protect || !c.rdpActive() || !c.writeProtected(0) {
		t.Errorf("option bytes %#x, want %#x", c.FLASH.Options, protect)
	}
	fill(c.mem.Flash[:64], 0)
	st(t, c, flashOptions, optionDefault|optSTRT)
	finish(c)
	if c.rdpActive() || c.mem.Flash[0] != 0xFF {
		t.Error("going back to level 0 did not erase flash (RM0090 §3.7.3)")
	}
	st(t, c, flashOptions, 0x0FFFCCEC|optSTRT)
	finish(c)
	st(t, c, flashOptions, optionDefault|optSTRT)
	finish(c)
	if c.rdp() != rdpForever {
		t.Error("level 2 was lifted")
	}
}

// finish lets the operation under way end.
func finish(c *Chip) {
	if until, busy := c.FlashBusy(); busy {
		c.core.Cycle = c.CycleFrom(until)
		c.Dispatch(c.core.Cycle)
	}
}

// RM0090 §3.8: one-time area with a lock byte per block of 32.
func TestOTP(t *testing.T) {
	c := inRAM(t)
	st(t, c, flashControl, flashPG)
	for _, p := range []struct {
		addr uint32
		v    uint32
		want uint32
	}{{otpBase, 0x5A, 0}, {otpBase + 512, 0, 0}, {otpBase + 1, 0, srWRPERR}, {otpBase + 32, 1, 0}} {
		if f := store(c, p.addr, 1, p.v); f != bus.None {
			t.Fatal(f)
		}
		finish(c)
		if sr := ld(t, c, flashStatus); sr != p.want {
			t.Errorf("program 0x%08x: SR %#x, want %#x", p.addr, sr, p.want)
		}
		st(t, c, flashStatus, srFlags)
	}
	if c.mem.OTP[0] != 0x5A || c.mem.OTP[1] != 0xFF || c.mem.OTP[32] != 1 {
		t.Errorf("OTP % x", c.mem.OTP[:34])
	}
}

// A cut leaves part of the bits changed, more the later it comes, and the same
// for the same seed.
func TestFlashCut(t *testing.T) {
	last := -1
	for _, quarter := range []clock.Time{0, 1, 2, 3} {
		var ones [2]int
		for i := range ones {
			c := inRAM(t)
			fill(c.mem.Flash, 0)
			st(t, c, flashControl, flashSER|flashSTRT|5<<3|2<<8)
			c.core.Cycle = c.CycleFrom(c.Now() + quarter*clock.Second/4)
			c.SetPower(false)
			for _, b := range c.mem.Flash {
				ones[i] += bits.OnesCount8(b)
			}
			if bytes.Count(c.mem.Flash[:0x20000], []byte{0}) != 0x20000 {
				t.Error("another sector was hurt")
			}
			if _, busy := c.FlashBusy(); busy {
				t.Error("still busy without power")
			}
		}
		share := ones[0] * 4 / (128 << 10 * 8 / 100) // of a quarter, in percent
		if want := int(quarter) * 100; share < want-4 || share > want+4 {
			t.Errorf("cut at %d/4: %d %% of a quarter's bits are erased, want about %d", quarter, share, want)
		}
		if ones[0] != ones[1] || ones[0] <= last {
			t.Errorf("cut at %d/4: %d and %d bits, before %d", quarter, ones[0], ones[1], last)
		}
		last = ones[0]
	}
}

func TestProgramCut(t *testing.T) {
	c := inRAM(t)
	st(t, c, flashControl, pg32)
	if f := store(c, flashBase+0x20000, 4, 0x0000FFFF); f != bus.None {
		t.Fatal(f)
	}
	run(t, c, programTime/2)
	c.SetReset(true)
	got := binary.LittleEndian.Uint32(c.mem.Flash[0x20000:])
	if got&0xFFFF != 0xFFFF || got>>16 == 0 || got>>16 == 0xFFFF {
		t.Errorf("half programmed word %#08x", got)
	}
	c.SetReset(false)
	run(t, c, resetPulse)
	if !c.Running || ld(t, c, flashStatus) != 0 {
		t.Error("not usable after the reset")
	}
}

// Power may go at any cycle and come back.
func TestPowerCutAnywhere(t *testing.T) {
	c := New(Options{Seed: 1})
	loadELF(t, c, "echo-stm32f407")
	for i := range clock.Time(200) {
		c.SetPower(true)
		if stop := c.Run(c.Now() + i*150*clock.Microsecond); stop.Kind != board.Running {
			t.Fatal(stop)
		}
		c.SetPower(false)
		c.Run(c.Now() + clock.Microsecond)
	}
	if c.Stats().Instructions == 0 {
		t.Error("never ran")
	}
}

// A store while flash is busy waits for its turn (RM0090 §3.6): the second
// word is there 32 us after the first was stored.
func TestFlashBackToBack(t *testing.T) {
	c := inRAM(t)
	st(t, c, flashControl, pg32)
	begin := c.Now()
	for i := range uint32(2) {
		if f := store(c, flashBase+0x20000+4*i, 4, 0); f != bus.None {
			t.Fatal(f)
		}
	}
	if until, _ := c.FlashBusy(); until != begin+2*programTime {
		t.Errorf("busy until %d ps after the first store", until-begin)
	}
	finish(c)
	if !bytes.Equal(c.mem.Flash[0x20000:0x20008], make([]byte, 8)) {
		t.Errorf("cells % x", c.mem.Flash[0x20000:0x20008])
	}
}

func TestFlashRefusals(t *testing.T) {
	c := inRAM(t)
	st(t, c, flashControl, flashSTRT)
	if _, busy := c.FlashBusy(); busy || !warned(c, "nothing to erase") {
		t.Errorf("STRT alone: %q", c.Warnings())
	}
	if f := store(c, flashControl, 4, flashPG|psizeX64<<8); f != bus.Unmodelled {
		t.Errorf("x64: %v", f)
	}
}
