package stm32f407

import (
	"fmt"
	"slices"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

const (
	spi1 = 0x40013000
	spi2 = 0x40003800
	gpA  = 0
	gpB  = 16
)

// wirePins connects pins of an idle chip: what happens at one is driven onto the
// other.
func wirePins(c *Chip, to map[board.Pin]board.Pin) {
	c.Watch(func(p board.Pin, high bool, at clock.Time) {
		if q, ok := to[p]; ok {
			c.Drive(q, levelOf(high), at)
		}
	})
}

func levelOf(high bool) board.Drive {
	if high {
		return board.Drive{Kind: board.DriveHigh}
	}
	return board.Drive{Kind: board.DriveLow}
}

// exchange sends as a program does that polls, and returns what came back.
func exchange(t *testing.T, c *Chip, base uint32, data ...uint32) (got []uint32) {
	t.Helper()
	for _, d := range data {
		st(t, c, base+0xC, d)
		for range 20_000 {
			if ld(t, c, base+8)&spiRXNE != 0 {
				break
			}
			until(c, c.Cycle()+1)
		}
		got = append(got, ld(t, c, base+0xC))
	}
	return got
}

// A wire from MOSI to MISO brings every frame back, in all modes (RM0090
// §28.3.1), bit orders and rates.
func TestSPILoopback(t *testing.T) {
	for mode := range uint32(4) {
		for _, extra := range []uint32{0, spiLSBFIRST, spiDFF, spiDFF | spiLSBFIRST, 7 << 3} {
			c := idle(t)
			for _, p := range []board.Pin{gpA + 5, gpA + 6, gpA + 7} {
				alternate(c, p, 5)
			}
			wirePins(c, map[board.Pin]board.Pin{gpA + 7: gpA + 6})
			st(t, c, spi1, mode|extra|spiMSTR|spiSSM|spiSSI|spiSPE)
			data := []uint32{0x00, 0xFF, 0xA5, 0x01, 0x80}
			if extra&spiDFF != 0 {
				data = append(data, 0x8001, 0xFF00, 0x1234)
			}
			if got := exchange(t, c, spi1, data...); !slices.Equal(got, data) {
				t.Errorf("mode %d, CR1 %#x: %#x, want %#x", mode, extra, got, data)
			}
			until(c, c.Cycle()+2*128)
			if sr := ld(t, c, spi1+8); sr != spiTXE {
				t.Errorf("SR %#x at rest", sr)
			}
		}
	}
}

// SPI1 is the master of SPI2 on the same chip; both send at once.
func TestSPIMasterAndSlave(t *testing.T) {
	for mode := range uint32(4) {
		for _, hard := range []bool{false, true} {
			c := idle(t)
			for _, p := range []board.Pin{gpA + 4, gpA + 5, gpA + 6, gpA + 7, gpB + 12, gpB + 13, gpB + 14, gpB + 15} {
				alternate(c, p, 5)
			}
			c.Drive(gpB+12, levelOf(true), 0)
			c.Drive(gpB+13, levelOf(mode&2 != 0), 0)
			wirePins(c, map[board.Pin]board.Pin{gpA + 4: gpB + 12, gpA + 5: gpB + 13, gpA + 7: gpB + 15, gpB + 14: gpA + 6})
			c.Drive(gpA+4, board.Drive{Kind: board.PullUp}, 0)
			slave, master := mode|spiSPE, mode|spiSPE|spiMSTR|1<<3
			if hard {
				st(t, c, spi1+4, spiSSOE)
			} else {
				slave |= spiSSM
				master |= spiSSM | spiSSI
			}
			st(t, c, spi2, slave)
			st(t, c, spi2+0xC, 0x3C)
			st(t, c, spi1, master)
			for i, want := range []uint32{0x3C, 0x81, 0x7E} {
				if got := exchange(t, c, spi1, 0xA0+uint32(i)); got[0] != want {
					t.Errorf("mode %d, NSS by hardware %v: master got %#x, want %#x", mode, hard, got[0], want)
				}
				if got := ld(t, c, spi2+0xC); got != 0xA0+uint32(i) {
					t.Errorf("mode %d, NSS by hardware %v: slave got %#x, want %#x", mode, hard, got, 0xA0+i)
				}
				st(t, c, spi2+0xC, []uint32{0x81, 0x7E, 0}[i])
				until(c, c.Cycle()+8)
			}
		}
	}
}

// Figure 248, by the cycle: BR 1 divides by 4; data changes half a period ahead
// of the edge that samples it.
func TestSPITiming(t *testing.T) {
	for _, e := range []struct {
		mode     uint32
		sck, sdo []uint64 // changes, in cycles from the frame's beginning
	}{
		{0, []uint64{2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32}, []uint64{0, 4, 28}},
		{1, []uint64{0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30}, []uint64{0, 4, 28}},
	} {
		c := idle(t)
		alternate(c, gpA+5, 5)
		alternate(c, gpA+7, 5)
		st(t, c, spi1, e.mode|spiMSTR|spiSSM|spiSSI|spiSPE|1<<3)
		seen := map[board.Pin][]uint64{}
		begin := c.Cycle() + 1 // the next PCLK
		c.Watch(func(p board.Pin, _ bool, at clock.Time) {
			seen[p] = append(seen[p], c.Timeline.CycleAt(at)-begin)
		})
		st(t, c, spi1+0xC, 0x81)
		until(c, begin+31)
		if sr := ld(t, c, spi1+8); sr != spiTXE|spiRXNE|spiBSY {
			t.Errorf("SR %#x in the last half period", sr)
		}
		until(c, begin+100)
		if sr := ld(t, c, spi1+8); sr != spiTXE|spiRXNE {
			t.Errorf("SR %#x after the frame", sr)
		}
		if got, want := fmt.Sprint(seen[gpA+5], seen[gpA+7]), fmt.Sprint(e.sck, e.sdo); got != want {
			t.Errorf("mode %d: edges at %s, want %s", e.mode, got, want)
		}
	}
}

// RM0090 §28.3.10.
func TestSPIErrors(t *testing.T) {
	c := idle(t)
	st(t, c, spi1+4, spiERRIE)
	st(t, c, spi1, spiMSTR|spiSSM|spiSSI|spiSPE)
	for _, d := range []uint32{1, 2} {
		st(t, c, spi1+0xC, d)
		until(c, c.Cycle()+100)
	}
	if sr := ld(t, c, spi1+8); sr&spiOVR == 0 || !requested(c, 35) {
		t.Errorf("SR %#x after two frames unread", sr)
	}
	ld(t, c, spi1+0xC)
	ld(t, c, spi1+8)
	if sr := ld(t, c, spi1+8); sr&(spiOVR|spiRXNE) != 0 || requested(c, 35) {
		t.Errorf("SR %#x after DR and SR were read", sr)
	}
	st(t, c, spi1, spiMSTR|spiSSM|spiSPE)
	if cr1, sr := ld(t, c, spi1), ld(t, c, spi1+8); cr1&(spiMSTR|spiSPE) != 0 || sr&spiMODF == 0 || !requested(c, 35) {
		t.Errorf("CR1 %#x, SR %#x of a master that is selected", cr1, sr)
	}
	st(t, c, spi1, spiMSTR|spiSSM|spiSSI|spiSPE)
	if cr1, sr := ld(t, c, spi1), ld(t, c, spi1+8); cr1&(spiMSTR|spiSPE) != spiMSTR|spiSPE || sr&spiMODF != 0 {
		t.Errorf("CR1 %#x, SR %#x after the clearing sequence", cr1, sr)
	}
}

func TestSPIReceivesOnly(t *testing.T) {
	c := idle(t)
	alternate(c, gpA+6, 5)
	c.Drive(gpA+6, levelOf(true), 0)
	st(t, c, spi1, spiMSTR|spiSSM|spiSSI|spiSPE|spiRXONLY)
	for range 3 {
		until(c, c.Cycle()+16)
		if v := ld(t, c, spi1+0xC); v != 0xFF {
			t.Errorf("received %#x", v)
		}
	}
}

func TestSPILacks(t *testing.T) {
	c := idle(t)
	for name, w := range map[string][2]uint32{
		"SPI1.I2SPR.I2SDIV": {0x20, 4}, "SPI1.I2SCFGR.I2SMOD": {0x1C, 1 << 11},
	} {
		c.lacking = ""
		(cpuBus{c}).Store(spi1+w[0], 4, w[1])
		if c.lacking != name {
			t.Errorf("%q, want %q", c.lacking, name)
		}
	}
}

// DMA2's streams 3 and 0 on channel 3 (RM0090 §10.3.3, table 44) keep SPI1
// going: four frames without a gap.
func TestSPIByDMA(t *testing.T) {
	c := idle(t)
	for _, p := range []board.Pin{gpA + 5, gpA + 6, gpA + 7} {
		alternate(c, p, 5)
	}
	wirePins(c, map[board.Pin]board.Pin{gpA + 7: gpA + 6})
	const ram, dma2 = 0x20000000, 0x40026400
	copy(c.mem.SRAM, "\x12\x34\x56\x78")
	stream := func(s, dir, addr uint32) {
		base := dma2 + 0x10 + 0x18*s
		st(t, c, base+4, 4)
		st(t, c, base+8, spi1+0xC)
		st(t, c, base+0xC, addr)
		st(t, c, base, 3<<25|1<<10|dir<<6|1)
	}
	stream(0, 0, ram+16)
	stream(3, 1, ram)
	st(t, c, spi1+4, spiTXDMAEN|spiRXDMAEN)
	begin := c.Cycle()
	st(t, c, spi1, spiMSTR|spiSSM|spiSSI|spiSPE|1<<3)
	for ld(t, c, spi1+8)&spiBSY == 0 && c.Cycle() < begin+100 {
		until(c, c.Cycle()+1)
	}
	first := c.Cycle()
	until(c, first+4*32-1)
	if ld(t, c, spi1+8)&spiBSY == 0 {
		t.Error("ended early")
	}
	until(c, first+4*32+20)
	if got := string(c.mem.SRAM[16:20]); got != "\x12\x34\x56\x78" {
		t.Errorf("received % x", got)
	}
	if ld(t, c, spi1+8)&spiBSY != 0 {
		t.Error("still busy after four frames")
	}
}
