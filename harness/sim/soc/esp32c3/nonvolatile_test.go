package esp32c3

import (
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/nor"
	"rigor/harness/sim/soc/soctest"
)

// TestNonvolatile operates on the flash chip's last sector as SPI1 does.
func TestNonvolatile(t *testing.T) {
	const sector = 4<<20 - nor.SectorSize
	write := func(c board.Chip, tr nor.Transaction) {
		c.(*Chip).flashSend(nor.Transaction{Cmd: nor.WriteEnable})
		c.(*Chip).flashSend(tr)
	}
	soctest.KeepsItsFlash(t, soctest.FlashPart{
		New: func() board.Chip {
			c := New(Options{Seed: 3})
			if err := c.LoadFlash(0, flashImage(t, "latency-esp32c3")); err != nil {
				t.Fatal(err)
			}
			return c
		},
		InPlace: true,
		Boot:    200 * clock.Millisecond,
		Program: func(c board.Chip, off uint32, data []byte) {
			write(c, nor.Transaction{Cmd: nor.PageProgram, Addr: off, AddrBits: 24, Out: data})
		},
		Erase: func(c board.Chip) {
			write(c, nor.Transaction{Cmd: nor.SectorErase, Addr: sector, AddrBits: 24})
		},
		Sector: sector,
		Size:   nor.SectorSize,
	})
}
