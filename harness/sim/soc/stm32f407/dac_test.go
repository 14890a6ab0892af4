package stm32f407

import (
	"encoding/binary"
	"slices"
	"testing"

	"rigor/harness/sim/board"
)

const (
	dacCR      = 0x00
	dacSWTRIGR = 0x04
	dacDHR12R1 = 0x08
	dacDHR12RD = 0x20
	dacDHR12LD = 0x24
	dacDHR8RD  = 0x28
	dacDOR1    = 0x2C
	dacSR      = 0x34
)

// synth is an idle chip with PA4 and PA5 in analog mode.
func synth(t *testing.T) (*Chip, dacDevice) {
	t.Helper()
	c := idle(t)
	set(t, gpioDevice{c, 0}, 0, 0x0F00)
	return c, dacDevice{c}
}

// §14.3.3: the nine data registers, and how the values read back.
func TestDACFormats(t *testing.T) {
	for _, tt := range []struct {
		off, v uint32
		dhr    [2]uint32
	}{
		{0x08, 0xFFFFF123, [2]uint32{0x123, 0}},
		{0x0C, 0xFFFF123F, [2]uint32{0x123, 0}},
		{0x10, 0xFFFFFF12, [2]uint32{0x120, 0}},
		{0x14, 0x123, [2]uint32{0, 0x123}},
		{0x18, 0x1230, [2]uint32{0, 0x123}},
		{0x1C, 0x12, [2]uint32{0, 0x120}},
		{dacDHR12RD, 0x0ABC0123, [2]uint32{0x123, 0xABC}},
		{dacDHR12LD, 0xABC01230, [2]uint32{0x123, 0xABC}},
		{dacDHR8RD, 0xAB12, [2]uint32{0x120, 0xAB0}},
	} {
		c, d := synth(t)
		set(t, d, tt.off, tt.v)
		until(c, c.Cycle()+2)
		if got := [2]uint32{get(t, d, dacDOR1), get(t, d, dacDOR1+4)}; got != tt.dhr {
			t.Errorf("%#x to %#x: DOR %#x, want %#x", tt.v, tt.off, got, tt.dhr)
		}
		if got := [2]uint32{get(t, d, dacDHR12RD) & 0xFFF, get(t, d, dacDHR12LD) >> 20}; got != tt.dhr {
			t.Errorf("%#x to %#x: DHR %#x, want %#x", tt.v, tt.off, got, tt.dhr)
		}
	}
}

// §14.3.4 and §14.3.6: DOR follows after one or three clocks of PCLK1, here
// HCLK, and with a trigger only after it.
func TestDACTriggers(t *testing.T) {
	for sel := range uint32(8) {
		c, d := synth(t)
		set(t, d, dacCR, dacEN|dacTEN|sel<<3)
		set(t, d, dacDHR12R1, 0x800)
		until(c, c.Cycle()+10)
		if get(t, d, dacDOR1) != 0 {
			t.Fatalf("TSEL %d: DOR follows without a trigger", sel)
		}
		clocks := uint64(3)
		set(t, d, dacSWTRIGR, 3)
		if sel == dacSoftware {
			clocks = 1
		} else {
			until(c, c.Cycle()+10)
			c.trigger(dacTriggers[sel], false, c.Cycle())
			until(c, c.Cycle()+10)
			c.trigger(dacTriggers[sel], true, c.Cycle())
		}
		until(c, c.Cycle()+clocks-1)
		early := get(t, d, dacDOR1)
		until(c, c.Cycle()+1)
		if got := get(t, d, dacDOR1); early != 0 || got != 0x800 {
			t.Errorf("TSEL %d: DOR %#x after %d clocks, %#x after %d", sel, early, clocks-1, got, clocks)
		}
	}
}

// The pins carry VREF x DOR / 4096 (§14.3.5); channel 4 of an ADC and whoever
// watches see it.
func TestDACVoltage(t *testing.T) {
	c, a := analog(t, Options{})
	d := dacDevice{c}
	for p := range 8 {
		c.Drive(board.Pin(p), board.Drive{}, 0)
	}
	set(t, d, dacCR, dacEN|dacEN<<16)
	for _, dor := range []uint32{0, 1, 0x400, 0x800, 0xFFF} {
		set(t, d, dacDHR12RD, dor|(0xFFF-dor)<<16)
		until(c, c.Cycle()+2)
		if got, want := c.MicroVolts(4), int64(dor)*3_300_000/4096; got != want {
			t.Errorf("DOR1 %d: %d uV on PA4, want %d", dor, got, want)
		}
		if got, want := c.MicroVolts(5), int64(0xFFF-dor)*3_300_000/4096; got != want {
			t.Errorf("DOR2 %d: %d uV on PA5, want %d", 0xFFF-dor, got, want)
		}
		if got, want := c.Level(4), dor >= 0xFFF*7/10; got != want {
			t.Errorf("DOR1 %d: level %v", dor, got)
		}
		sequence(t, a, 4)
		set(t, a, adcCR2, adcADON|adcSWSTART)
		until(c, c.Cycle()+40)
		if got := get(t, a, adcDR); got != dor {
			t.Errorf("DOR1 %d: ADC1 channel 4 reads %d", dor, got)
		}
	}
	set(t, d, dacCR, 0)
	if !c.voltage(4).Floating {
		t.Error("a channel that is off still drives PA4")
	}
}

// outputs lists DOR1 after each of n software triggers.
func outputs(t *testing.T, c *Chip, d dacDevice, n int) (dor []uint32) {
	t.Helper()
	for range n {
		set(t, d, dacSWTRIGR, 1)
		until(c, c.Cycle()+2)
		dor = append(dor, get(t, d, dacDOR1))
	}
	return dor
}

// §14.3.8: with DHR 0 the noise begins 0xAAA, 0xD55; MAMP masks it.
func TestDACNoise(t *testing.T) {
	c, d := synth(t)
	set(t, d, dacCR, dacEN|dacTEN|dacSoftware<<3|1<<6|11<<8)
	if got := outputs(t, c, d, 2); !slices.Equal(got, []uint32{0xAAA, 0xD55}) {
		t.Errorf("%#x", got)
	}
	set(t, d, dacCR, dacEN|dacTEN|dacSoftware<<3)
	set(t, d, dacDHR12R1, 0xFF0)
	set(t, d, dacCR, dacEN|dacTEN|dacSoftware<<3|1<<6|3<<8) // MAMP 3: four bits
	if got := outputs(t, c, d, 2); !slices.Equal(got, []uint32{0xFFA, 0xFF5}) {
		t.Errorf("masked: %#x", got)
	}
}

// §14.3.9: up to the amplitude and down again on top of DHR.
func TestDACTriangle(t *testing.T) {
	c, d := synth(t)
	set(t, d, dacDHR12R1, 0xAB0)
	set(t, d, dacCR, dacEN|dacTEN|dacSoftware<<3|2<<6|1<<8) // amplitude 3
	want := []uint32{0xAB0, 0xAB1, 0xAB2, 0xAB3, 0xAB2, 0xAB1, 0xAB0, 0xAB1}
	if got := outputs(t, c, d, 8); !slices.Equal(got, want) {
		t.Errorf("%#x, want %#x", got, want)
	}
}

// §14.3.7: each hardware trigger asks for the next value; a second one before
// the answer is an underrun, and there are no requests any more.
func TestDACByDMA(t *testing.T) {
	c, d := synth(t)
	for i := range uint16(4) {
		binary.LittleEndian.PutUint16(c.mem.SRAM[2*i:], 0x100*(i+1))
	}
	d1 := dmaDevice{c.dmaController(0)}
	stream(t, d1, 5, 0x40007408, sramBase, 3, 0, toPeripheral<<dir|dmaMINC|sizeHalf<<ps|sizeHalf<<ms|7<<chs)
	set(t, d, dacCR, dacEN|dacTEN|dacDMAEN|dacDMAUDRIE) // TIM6_TRGO
	var dor []uint32
	for range 4 {
		c.trigger(trgTIM6TRGO, true, c.Cycle())
		until(c, c.Cycle()+50)
		dor = append(dor, get(t, d, dacDOR1))
	}
	if !slices.Equal(dor, []uint32{0, 0x100, 0x200, 0x300}) {
		t.Errorf("DOR1 %#x", dor)
	}
	if get(t, d, dacSR) != 0 || pends(c, irqTIM6DAC) {
		t.Error("underrun before its time")
	}
	c.trigger(trgTIM6TRGO, true, c.Cycle())
	if get(t, d, dacSR) != dacDMAUDR || !pends(c, irqTIM6DAC) {
		t.Error("no underrun with the stream at its end")
	}
	set(t, d, dacSR, dacDMAUDR)
	if get(t, d, dacSR) != 0 {
		t.Error("DMAUDR is cleared by writing 1")
	}
}
