package esp32c3

import (
	"strings"
	"testing"

	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

const spi1Base = 0x60002000

// spiRun starts what CMD's bits ask for and returns how long CMD reads as set.
func (c *caller) spiRun(bits uint32) clock.Time {
	c.t.Helper()
	start := c.Time()
	c.poke(spi1Base+spiCMD, bits)
	for c.peek(spi1Base+spiCMD) != 0 {
		if stop := c.Run(c.Now() + 10*clock.Nanosecond); stop.Err() != nil {
			c.t.Fatal(stop.Err())
		}
	}
	return c.Time() - start
}

// The old commands, as flashers use them: each bit sends one opcode (the names of
// the bits in soc/spi_mem_reg.h).
func TestSPICommands(t *testing.T) {
	c := newCaller(t)
	set := func(off, v uint32) { c.poke(spi1Base+off, v) }
	get := func(off uint32) uint32 { return c.peek(spi1Base + off) }
	c.spiRun(spiRDID)
	if got := get(spiW0); got&0xFFFFFF != 0x1640EF {
		t.Errorf("RDID: 0x%x", got)
	}
	c.spiRun(spiWREN)
	c.spiRun(spiRDSR)
	if got := get(spiRD_STATUS); got != 2 {
		t.Errorf("RDSR after WREN: 0x%x", got)
	}
	set(spiADDR, 8<<24|0x1234)
	set(spiW0, 0x44332211)
	set(spiW0+4, 0x88776655)
	c.spiRun(spiPP)
	c.spiRun(spiRDSR)
	if got := get(spiRD_STATUS); got != 3 {
		t.Errorf("RDSR while it programs: 0x%x", got)
	}
	c.Run(c.Now() + clock.Millisecond)
	set(spiW0, 0)
	c.spiRun(spiREAD)
	if get(spiW0) != 0x44332211 || get(spiW0+4) != 0x88776655 {
		t.Errorf("READ: %08x %08x", get(spiW0), get(spiW0+4))
	}
	c.spiRun(spiWREN)
	set(spiADDR, 0x1000)
	c.spiRun(spiSE)
	if until, busy := c.nor.Busy(c.Now()); !busy || until-c.Now() > 45*clock.Millisecond {
		t.Error("SE does not begin an erase of 45 ms")
	}
	c.Run(c.Now() + 50*clock.Millisecond)
	if c.nor.Data()[0x1234] != 0xFF {
		t.Error("not erased")
	}
}

// The phases of a transaction, and the clocks that they take: CLOCK divides the
// module's clock, APB here.
func TestSPITransactions(t *testing.T) {
	c := newCaller(t)
	if err := c.LoadFlash(0x20, []byte{1, 2, 3, 4, 5, 6, 7, 8}); err != nil {
		t.Fatal(err)
	}
	set := func(off, v uint32) { c.poke(spi1Base+off, v) }
	tests := []struct {
		name   string
		ctrl   uint32
		cmd    uint32
		dummy  uint32
		clocks clock.Time
	}{
		{"read", 0, 0x03, 0, 8 + 24 + 64},
		{"fast", ctrlFASTRD, 0x0B, 8, 8 + 24 + 8 + 64},
		{"dual io", ctrlFASTRD | ctrlDIO, 0xBB, 4, 8 + 12 + 4 + 32},
		{"quad io", ctrlFASTRD | ctrlQIO, 0xEB, 6, 8 + 6 + 6 + 16},
	}
	for _, test := range tests {
		for _, div := range []uint32{1, 4} {
			clk := uint32(1 << 31)
			if div > 1 {
				clk = (div - 1) << 16
			}
			set(spiCLOCK, clk)
			set(spiCTRL, test.ctrl)
			set(spiUSER, userCOMMAND|userADDR|userMISO|oneIf(test.dummy > 0)<<29)
			set(spiUSER1, 23<<26|(test.dummy-1)&0x3F)
			set(spiUSER2, 7<<28|test.cmd)
			set(spiADDR, 0x20)
			set(spiMISO_DLEN, 63)
			set(spiW0, 0)
			d := c.spiRun(spiUSR)
			if got := c.peek(spi1Base + spiW0); got != 0x04030201 {
				t.Errorf("%s: 0x%08x", test.name, got)
			}
			want := (test.clocks + spiOverhead) * c.apbPeriod() * clock.Time(div)
			if d < want || d > want+50*clock.Nanosecond {
				t.Errorf("%s / %d: %d ps, want %d", test.name, div, d, want)
			}
		}
	}
}

// A cache line of DIO at 80 MHz is 8+12+4+128 clocks; QIO at 40 MHz twice 8+6+6+64.
func TestFlashLineTime(t *testing.T) {
	c := newCaller(t)
	c.poke(0x600C0058, selPLL<<sysSOC_CLK_SEL)
	tests := []struct {
		mode byte
		div  uint32
		want clock.Time
	}{{2, 1, (152 + spiOverhead) * 12500}, {0, 2, (84 + spiOverhead) * 25000}}
	for _, test := range tests {
		c.bootSPI(test.mode, test.div)
		if got := c.flashLineTime(); got != test.want {
			t.Errorf("mode %d, divided by %d: %d ps, want %d", test.mode, test.div, got, test.want)
		}
	}
}

func TestSPILacks(t *testing.T) {
	c := newCaller(t)
	tests := []struct {
		name string
		off  uint32
		v    uint32
		want string
	}{
		{"interrupts", spiINT_ENA, 1, "SPI1.INT_ENA"},
		{"suspension", spiSUS_CTRL, 1 << 5, "SPI1.FLASH_SUS_CTRL"},
		{"high performance", spiCMD, spiHPM, "SPI1.CMD"},
	}
	for _, test := range tests {
		if f := (spiDevice{c.Chip, 1}).Store(test.off, 4, uint64(test.v)); f != bus.Unmodelled || !strings.Contains(c.lacking, test.want) {
			t.Errorf("%s: %v, %q", test.name, f, c.lacking)
		}
	}
}

// An operation of the flash chip goes on through a reset of the part.
func TestFlashKeepsErasing(t *testing.T) {
	c := newCaller(t)
	if err := c.LoadFlash(0, make([]byte, 0x1000)); err != nil {
		t.Fatal(err)
	}
	c.spiRun(spiWREN)
	c.poke(spi1Base+spiADDR, 0)
	c.spiRun(spiSE)
	c.resetSoon(resetSoftware)
	c.Run(c.Now() + 50*clock.Millisecond)
	if c.nor.Data()[0] != 0xFF {
		t.Error("the reset stopped the erase")
	}
}

// Registers that polling sees are foreseen by their values.
func TestSPIForeseen(t *testing.T) {
	c := newCaller(t)
	c.poke(spi1Base+spiCMD, spiRDID)
	least, most, ok := (spiDevice{c.Chip, 1}).foreseeLoad(spiCMD, 0)
	if !ok || least != most || least != spiRDID {
		t.Errorf("CMD: %x %x %v", least, most, ok)
	}
}
