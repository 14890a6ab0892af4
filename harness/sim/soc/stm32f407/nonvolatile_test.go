package stm32f407

import (
	"encoding/binary"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/soc/soctest"
)

// TestNonvolatile operates on sector 11, far behind the program, with a parallelism of 32
// bits.
func TestNonvolatile(t *testing.T) {
	unlocked := func(bc board.Chip, cr uint32) *Chip {
		c := bc.(*Chip)
		if c.peek(flashCR)&flashLOCK != 0 {
			c.poke(flashKEYR, flashKey1)
			c.poke(flashKEYR, flashKey2)
		}
		c.poke(flashCR, 2<<8|cr)
		return c
	}
	soctest.KeepsItsFlash(t, soctest.FlashPart{
		New: func() board.Chip {
			c := New(Options{Seed: 3})
			loadELF(t, c, "latency-stm32f407-168mhz")
			return c
		},
		InPlace: true,
		Boot:    20 * clock.Millisecond,
		Program: func(bc board.Chip, off uint32, data []byte) {
			c := unlocked(bc, flashPG)
			c.program(flashBase+off, 4, binary.LittleEndian.Uint32(data))
		},
		Erase: func(bc board.Chip) {
			c := unlocked(bc, flashSER|11<<3)
			c.poke(flashCR, 2<<8|flashSER|11<<3|flashSTRT)
		},
		Sector: 0xE0000,
		Size:   128 << 10,
	})
}

// nobody watches without a word.
type nobody struct{}

func (nobody) FlashRead(off, n uint32)  {}
func (nobody) FlashBegin(board.FlashOp) {}
func (nobody) FlashEnd(board.FlashOp)   {}

// BenchmarkWatched is BenchmarkFirmware with a watcher.
func BenchmarkWatched(b *testing.B) {
	c := New(Options{})
	loadELF(b, c, "latency-stm32f407-168mhz")
	c.WatchFlash(nobody{})
	c.SetPower(true)
	c.Run(powerOnReset)
	snap := c.Snapshot()
	var insns uint64
	for b.Loop() {
		c.Restore(snap)
		c.Run(c.Now() + 10*clock.Millisecond)
		insns += c.Stats().Instructions
	}
	b.ReportMetric(float64(insns)/b.Elapsed().Seconds()/1e6, "MIPS")
}
