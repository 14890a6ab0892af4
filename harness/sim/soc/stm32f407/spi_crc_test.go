package stm32f407

import (
	"fmt"
	"slices"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

const master = spiMSTR | spiSSM | spiSSI | spiSPE

// looped is a chip whose SPI1 hears itself.
func looped(t *testing.T) *Chip {
	t.Helper()
	c := idle(t)
	for _, p := range []board.Pin{gpA + 4, gpA + 5, gpA + 6, gpA + 7} {
		alternate(c, p, 5)
	}
	wirePins(c, map[board.Pin]board.Pin{gpA + 7: gpA + 6})
	return c
}

// paired is a chip whose SPI1 is wired to its SPI2.
func paired(t *testing.T, wires map[board.Pin]board.Pin) *Chip {
	t.Helper()
	c := idle(t)
	for _, p := range []board.Pin{gpA + 4, gpA + 5, gpA + 6, gpA + 7, gpB + 12, gpB + 13, gpB + 14, gpB + 15} {
		alternate(c, p, 5)
	}
	for _, p := range []board.Pin{gpB + 12, gpB + 13} {
		c.Drive(p, levelOf(false), 0)
	}
	wirePins(c, wires)
	return c
}

// §28.3.6. The check value of CRC-8 with polynomial 0x07 is 0xF4, of "123456789";
// that of "12345678" with 0x1021 (XMODEM's, of Python's binascii.crc_hqx) 0x9015.
func TestSPICRC(t *testing.T) {
	for _, tt := range []struct {
		dff, poly uint32
		data      []uint32
		want      uint32
	}{
		{0, 7, []uint32{'1', '2', '3', '4', '5', '6', '7', '8', '9'}, 0xF4},
		{spiDFF, 0x1021, []uint32{0x3132, 0x3334, 0x3536, 0x3738}, 0x9015},
	} {
		for _, disturbed := range []bool{false, true} {
			c := looped(t)
			st(t, c, spi1+4, spiERRIE)
			st(t, c, spi1+0x10, tt.poly)
			cr1 := tt.dff | master | spiCRCEN
			st(t, c, spi1, cr1)
			last := len(tt.data) - 1
			if got := exchange(t, c, spi1, tt.data[:last]...); !slices.Equal(got, tt.data[:last]) {
				t.Fatalf("%#x", got)
			}
			st(t, c, spi1+0xC, tt.data[last])
			st(t, c, spi1, cr1|spiCRCNEXT)
			frame := 2 * uint64(8+tt.dff/spiDFF*8)
			until(c, c.Cycle()+frame)
			if got := ld(t, c, spi1+0xC); got != tt.data[last] {
				t.Errorf("last data %#x", got)
			}
			if disturbed {
				c.Drive(gpA+6, levelOf(tt.want&1 == 0), c.Now())
				c.Watch(nil)
			}
			until(c, c.Cycle()+frame+8)
			sr := ld(t, c, spi1+8)
			if (sr&spiCRCERR != 0) != disturbed || sr&spiRXNE == 0 || sr&spiBSY != 0 || requested(c, 35) != disturbed {
				t.Errorf("polynomial %#x, disturbed %v: SR %#x", tt.poly, disturbed, sr)
			}
			if got := ld(t, c, spi1+0xC); !disturbed && got != tt.want {
				t.Errorf("polynomial %#x: CRC on the line %#x, want %#x", tt.poly, got, tt.want)
			}
			if rx, tx := ld(t, c, spi1+0x14), ld(t, c, spi1+0x18); rx != tt.want || tx != tt.want {
				t.Errorf("polynomial %#x: RXCRCR %#x, TXCRCR %#x, want %#x", tt.poly, rx, tx, tt.want)
			}
			st(t, c, spi1+8, ^uint32(spiCRCERR))
			if sr := ld(t, c, spi1+8); sr&spiCRCERR != 0 {
				t.Errorf("SR %#x: CRCERR was cleared", sr)
			}
			st(t, c, spi1, tt.dff)
			st(t, c, spi1, cr1)
			if rx, tx := ld(t, c, spi1+0x14), ld(t, c, spi1+0x18); rx|tx != 0 {
				t.Errorf("RXCRCR %#x, TXCRCR %#x after CRCEN", rx, tx)
			}
		}
	}
}

// §28.3.9: by DMA the CRC follows the last data by itself, and stays in DR. SPI2, a
// slave that only listens, compares it as SPI1 does.
func TestSPICRCByDMA(t *testing.T) {
	c := paired(t, map[board.Pin]board.Pin{gpA + 5: gpB + 13, gpA + 7: gpB + 15})
	copy(c.mem.SRAM, "123456789")
	for _, base := range []uint32{spi1, spi2} {
		st(t, c, base+4, spiTXDMAEN|spiRXDMAEN)
	}
	st(t, c, spi2, spiSSM|spiRXONLY|spiCRCEN|spiSPE)
	stream(t, dmaDevice{c.dmaController(0)}, 3, spi2+0xC, sramBase+32, 9, 0, dmaMINC)
	stream(t, dma2(c), 3, spi1+0xC, sramBase, 9, 0, toPeripheral<<dir|dmaMINC|3<<chs)
	st(t, c, spi1, master|spiCRCEN|3<<3)
	until(c, c.Cycle()+10*8*16+100)
	if got := string(c.mem.SRAM[32:42]); got[:9] != "123456789" || got[9] == 0xF4 {
		t.Errorf("received %q", got)
	}
	for _, base := range []uint32{spi1, spi2} {
		if sr := ld(t, c, base+8); base == spi2 && sr&(spiCRCERR|spiRXNE|spiBSY) != spiRXNE {
			t.Errorf("SR %#x", sr)
		}
	}
	if got, rx := ld(t, c, spi2+0xC), ld(t, c, spi2+0x14); got != 0xF4 || rx != 0xF4 {
		t.Errorf("CRC %#x, RXCRCR %#x", got, rx)
	}
}

// §28.3.4: on one line, MOSI of a master and MISO of a slave, in either direction;
// who sends receives nothing.
func TestSPIBidirectional(t *testing.T) {
	const talk, listen = spiBIDIMODE | spiBIDIOE, spiBIDIMODE
	c := paired(t, map[board.Pin]board.Pin{gpA + 5: gpB + 13, gpA + 7: gpB + 14})
	st(t, c, spi2, listen|spiSSM|spiSPE)
	st(t, c, spi1, talk|master|1<<3)
	st(t, c, spi1+0xC, 0xA6)
	until(c, c.Cycle()+50)
	if a, b := ld(t, c, spi1+8), ld(t, c, spi2+0xC); a != spiTXE || b != 0xA6 {
		t.Errorf("master to slave: SR %#x, received %#x", a, b)
	}

	c = paired(t, map[board.Pin]board.Pin{gpA + 5: gpB + 13, gpB + 14: gpA + 7})
	st(t, c, spi2+0xC, 0x93)
	st(t, c, spi2, talk|spiSSM|spiSPE)
	st(t, c, spi1, listen|master|1<<3) // clocks until it is switched off
	until(c, c.Cycle()+8*4)
	st(t, c, spi1, 0)
	if a, b := ld(t, c, spi1+0xC), ld(t, c, spi2+8); a != 0x93 || b != spiTXE {
		t.Errorf("slave to master: received %#x, SR %#x", a, b)
	}
}

// §28.3.1, figures 249 and 250: NSS is high for the period before the first bit,
// data changes with rising edges, and of two frames without a gap the second's
// pulse is the first one's last bit.
func TestSPITITiming(t *testing.T) {
	c := looped(t)
	seen := map[board.Pin][]uint64{}
	st(t, c, spi1+4, spiFRF)
	st(t, c, spi1, master|spiCPOL|1<<3) // CPOL is of no consequence
	begin := c.Cycle() + 1
	c.Watch(func(p board.Pin, high bool, at clock.Time) {
		seen[p] = append(seen[p], c.Timeline.CycleAt(at)-begin)
	})
	st(t, c, spi1+0xC, 0x81)
	until(c, begin+10)
	st(t, c, spi1+0xC, 0x00)
	until(c, begin+100)
	if got, want := fmt.Sprint(seen[gpA+4]), "[0 4 32 36]"; got != want {
		t.Errorf("NSS changes at %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(seen[gpA+7]), "[4 8 32 36]"; got != want {
		t.Errorf("MOSI changes at %s, want %s", got, want)
	}
	var clocks []uint64
	for i := range uint64(2 * 17) {
		clocks = append(clocks, 2*i)
	}
	if !slices.Equal(seen[gpA+5], clocks) {
		t.Errorf("SCK changes at %d, want %d", seen[gpA+5], clocks)
	}
}

// Master and slave understand each other; the slave lets MISO go half a period and
// 4 PCLK after its last sample. A pulse of NSS within a frame is its FRE.
func TestSPITIFrames(t *testing.T) {
	c := paired(t, map[board.Pin]board.Pin{gpA + 4: gpB + 12, gpA + 5: gpB + 13, gpA + 7: gpB + 15, gpB + 14: gpA + 6})
	for _, base := range []uint32{spi1, spi2} {
		st(t, c, base+4, spiFRF|spiERRIE)
	}
	st(t, c, spi2, spiSPE|1<<3)
	st(t, c, spi2+0xC, 0x3C)
	st(t, c, spi1, spiMSTR|spiSPE|1<<3)
	for i, want := range []uint32{0x3C, 0x81, 0x7E} {
		if got := exchange(t, c, spi1, 0xA0+uint32(i)); got[0] != want {
			t.Errorf("master got %#x, want %#x", got[0], want)
		}
		sampled := c.Cycle()
		if got := ld(t, c, spi2+0xC); got != 0xA0+uint32(i) {
			t.Errorf("slave got %#x, want %#x", got, 0xA0+i)
		}
		until(c, sampled+5)
		held := c.Pins.AFDriven[sigSPI2MISO]
		until(c, sampled+6)
		if free := !c.Pins.AFDriven[sigSPI2MISO]; !held || !free {
			t.Errorf("MISO driven %v, and then free %v", held, free)
		}
		st(t, c, spi2+0xC, []uint32{0x81, 0x7E, 0}[i])
	}
	st(t, c, spi1+0xC, 0x55)
	until(c, c.Cycle()+4*4)
	c.Watch(nil)
	c.Drive(gpB+12, levelOf(true), c.Now())
	c.Drive(gpB+13, levelOf(true), c.Now())
	c.Drive(gpB+13, levelOf(false), c.Now())
	if !requested(c, 36) {
		t.Error("no interrupt of a frame error")
	}
	if a, b := ld(t, c, spi2+8), ld(t, c, spi2+8); a&spiFRE == 0 || b&spiFRE != 0 {
		t.Errorf("SR %#x, then %#x", a, b)
	}
}
