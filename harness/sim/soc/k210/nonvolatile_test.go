package k210

import (
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/nor"
	"rigor/harness/sim/soc/soctest"
)

// TestNonvolatile operates on the flash chip's last sector as SPI3 does.
func TestNonvolatile(t *testing.T) {
	const sector = 16<<20 - nor.SectorSize
	write := func(c board.Chip, tr nor.Transaction) {
		c.(*Chip).flashExec(&nor.Transaction{Cmd: nor.WriteEnable})
		c.(*Chip).flashExec(&tr)
	}
	soctest.KeepsItsFlash(t, soctest.FlashPart{
		New: func() board.Chip {
			c := New(Options{Seed: 3})
			if err := c.LoadFlash(0, image(0, programBytes(t, "echo-k210"))); err != nil {
				t.Fatal(err)
			}
			c.Drive(pinBOOT, board.Drive{Kind: board.PullUp}, 0)
			return c
		},
		Boot: 150 * clock.Millisecond,
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
