package stm32f407

import (
	"math/rand/v2"
	"slices"
	"testing"
)

const (
	loadWord  = 0x680A // LDR r2, [r1]
	storeWord = 0x600A // STR r2, [r1]
	loadMany  = 0xC93C // LDM r1!, {r2-r5}
	stay      = 0xE7FE // B .
	addOne    = 0x3301 // ADDS r3, #1
)

// working is a chip about to execute code with r1 = addr, all clocks on.
func working(t *testing.T, addr uint32, code ...uint16) *Chip {
	t.Helper()
	c := started(t, Options{}, program(append(code, stay)...))
	gates(t, c)
	c.core.R[1], c.core.R[15] = addr, flashBase+8
	c.core.Restore(c.core.Snapshot())
	return c
}

// endsAfter is how many cycles the code takes up to its last instruction.
func endsAfter(t *testing.T, c *Chip, code []uint16) uint64 {
	t.Helper()
	from := c.core.Cycle
	for c.core.R[15] != flashBase+8+2*uint32(len(code)) {
		until(c, c.core.Cycle+1)
		if c.core.Cycle > from+10_000 {
			t.Fatalf("at 0x%08x", c.core.R[15])
		}
	}
	return c.core.Cycle - from
}

// A core that loads or stores a word in every cycle loses one for each beat of
// DMA on the same port, and none for those on another (RM0090 §2.1: SRAM1 ends at
// 112 KB). Two bursts of four words are read and written.
func TestMatrixSRAM(t *testing.T) {
	const sram2 = sramBase + sram1Size
	for _, tt := range []struct {
		name     string
		access   uint16
		at       uint32
		from, to uint32
		want     uint64
	}{
		{"all in SRAM1", loadWord, sramBase + 0x100, sramBase, sramBase + 0x200, 16},
		{"reads in SRAM1", loadWord, sramBase + 0x100, sramBase, sram2, 8},
		{"writes in SRAM1", loadWord, sramBase + 0x100, sram2, sramBase, 8},
		{"all in SRAM2", loadWord, sramBase + 0x100, sram2, sram2 + 0x200, 0},
		{"core in SRAM2", loadWord, sram2 + 0x100, sram2, sramBase, 8},
		{"core in CCM", loadWord, ccmBase, sramBase, sramBase + 0x200, 0},
		{"through the bit-band alias", loadWord, 0x22000000, sramBase, sram2, 8},
		{"stores", storeWord, sramBase + 0x100, sramBase, sramBase + 0x200, 16},
		{"multiple loads", loadMany, sramBase + 0x100, sram2, sramBase, 8},
	} {
		code := slices.Repeat([]uint16{tt.access}, 200)
		alone := endsAfter(t, working(t, tt.at, code...), code)
		c := working(t, tt.at, code...)
		stream(t, dma2(c), 0, tt.from, tt.to, 8, 3, memToMem<<dir|dmaPINC|dmaMINC|sizeWord<<ps|sizeWord<<ms|1<<pb|1<<mb)
		got := endsAfter(t, c, code) - alone
		if c.DMA[1].Streams[0].Cr&dmaEN != 0 {
			t.Fatalf("%s: DMA still at work", tt.name)
		}
		if tt.access == loadMany { // a base register and a word are two of five cycles
			if got == 0 || got > tt.want {
				t.Errorf("%s: %d cycles lost, want 1 to %d", tt.name, got, tt.want)
			}
		} else if got != tt.want {
			t.Errorf("%s: %d cycles lost, want %d", tt.name, got, tt.want)
		}
	}
}

// DMA goes between the words of a multiple load of ten, of which one is loaded
// in each cycle. Its write to SRAM1 comes 6 cycles after the request: see
// TestDMALatency.
func TestMatrixMultiple(t *testing.T) {
	const nop = 0xBF00
	for before := range 12 {
		code := append(slices.Repeat([]uint16{nop}, before), 0xE8B1, 0x1FF8) // LDM.W r1!, {r3-r12}
		alone := endsAfter(t, working(t, sramBase, code...), code)
		c := working(t, sramBase, code...)
		stream(t, dma2(c), 2, usart1DR, sramBase, 1, 0, 4<<chs)
		c.dmaPulse(reqUSART1RX)
		want := uint64(0)
		if before <= 6 {
			want = 1
		}
		if got := endsAfter(t, c, code) - alone; got != want {
			t.Errorf("loaded from cycle %d on: %d cycles lost, want %d", before, got, want)
		}
	}
}

// A core that loads a register of an APB in a row waits for the whole access of
// DMA to another on the same bus, which are two cycles of PCLK (AMBA 3 APB §2),
// and not for one on the other bus.
func TestMatrixAPB(t *testing.T) {
	const tim2, tim8, usart2 = 0x40000024, 0x40010424, 0x40004404
	for _, tt := range []struct {
		name    string
		addr    uint32
		n       int
		periph  uint32
		request request
		want    uint64
	}{
		{"DMA1 on APB1, core too", tim2, 0, usart2, reqUSART2RX, 4},
		{"DMA1 on APB1, core on APB2", tim8, 0, usart2, reqUSART2RX, 0},
		{"DMA2 on APB2, core too", tim8, 1, usart1DR, reqUSART1RX, 4},
		{"DMA2 on APB2, core on APB1", tim2, 1, usart1DR, reqUSART1RX, 0},
		{"DMA2 on APB1 by the matrix, core on APB2", tim8, 1, usart2, reqUSART1RX, 4},
	} {
		code := slices.Repeat([]uint16{loadWord}, 20)
		prepared := func() *Chip {
			c := working(t, tt.addr, code...)
			st(t, c, rcc0+0x08, 4<<10|4<<13) // both at HCLK/2
			c.core.Restore(c.core.Snapshot())
			return c
		}
		alone := endsAfter(t, prepared(), code)
		c := prepared()
		i := []uint32{5, 2}[tt.n]
		stream(t, dmaDevice{c.dmaController(tt.n)}, i, tt.periph, sramBase, 1, 0, 4<<chs)
		from := c.core.Cycle
		until(c, from+20)
		c.dmaPulse(tt.request)
		endsAfter(t, c, code)
		if got := c.core.Cycle - from - alone; got != tt.want {
			t.Errorf("%s: %d cycles lost, want %d", tt.name, got, tt.want)
		}
		if c.DMA[tt.n].Streams[i].Ndtr != 0 {
			t.Errorf("%s: nothing transferred", tt.name)
		}
	}
}

// DMA waits for an access of the core that is under way: a store to APB1 at
// HCLK/16 holds the bus for 2 of its cycles from the next edge of PCLK1.
func TestMatrixDMAWaits(t *testing.T) {
	c := working(t, 0x40000024, storeWord)
	st(t, c, rcc0+0x08, 7<<10)
	until(c, c.core.Cycle/16*16+16+32)
	c.core.R[15] = flashBase + 8
	c.core.Restore(c.core.Snapshot())
	d := dmaDevice{c.dmaController(0)}
	stream(t, d, 5, 0x40004404, sramBase, 1, 0, 4<<chs)
	from := c.core.Cycle
	until(c, from+1) // the store
	edge := (from + 15) / 16 * 16
	if c.Matrix[portAPB1] != edge+32 {
		t.Fatalf("APB1 is free at %d, want %d", c.Matrix[portAPB1], edge+32)
	}
	c.dmaPulse(reqUSART2RX)
	until(c, edge+64-4) // B overshoots by 2 at most
	if d.Streams[5].Ndtr != 1 {
		t.Error("DMA did not wait")
	}
	until(c, edge+64)
	if d.Streams[5].Ndtr != 0 {
		t.Error("DMA waited too long")
	}
}

// Wherever Run stops in between, everything happens at the same cycles: blocks
// executed as a whole are held to single instructions.
func TestMatrixSlices(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 1))
	choice := []uint16{loadWord, storeWord, loadMany, addOne, 0xE8B1, 0x4A01, 0xFB92, 0x3904} // ..., LDR literal, SUBS r1, #4
	for range 40 {
		var code []uint16
		for len(code) < 120 {
			switch h := choice[rnd.IntN(len(choice))]; h {
			case 0xE8B1:
				code = append(code, h, 0x003C) // LDM.W r1!, {r2-r5}
			case 0xFB92:
				code = append(code, h, 0xF4F3) // SDIV r4, r2, r3
			default:
				code = append(code, h)
			}
		}
		code = append(code, 0xE000|uint16(-len(code)-2)&0x7FF) // B to the first
		from, n := sramBase+uint32(rnd.IntN(64))*4, uint32(50+rnd.IntN(50))
		var want [32]byte
		for i, slice := range []uint64{1, 2000, 7, 61} {
			c := working(t, sramBase+0x1000, code...)
			st(t, c, flash0, uint32(len(code)%2*5)|0x700)
			c.core.Restore(c.core.Snapshot())
			begin := c.core.Cycle
			stream(t, dma2(c), 0, from, sramBase+0x1000, n, 3, memToMem<<dir|dmaPINC|sizeWord<<ps|sizeWord<<ms)
			stream(t, dma2(c), 1, from, sramBase+sram1Size, n, 1, memToMem<<dir|dmaMINC|sizeHalf<<ps|sizeByte<<ms)
			for at := begin; at < begin+2000; at += slice {
				until(c, at)
			}
			until(c, begin+2000)
			switch got := c.Digest(); {
			case i == 0:
				want = got
			case got != want:
				t.Fatalf("in slices of %d cycles something else happens than in single cycles", slice)
			}
		}
	}
}
