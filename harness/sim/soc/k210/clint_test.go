package k210

import (
	"testing"

	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

func mustLoad(t *testing.T, d bus.Device, off uint32, width uint8) uint64 {
	t.Helper()
	v, f := d.Load(off, width)
	if f != bus.None {
		t.Fatalf("load at %#x: %v", off, f)
	}
	return v
}

func mustStore(t *testing.T, d bus.Device, off uint32, width uint8, v uint64) {
	t.Helper()
	if f := d.Store(off, width, v); f != bus.None {
		t.Fatalf("store at %#x: %v", off, f)
	}
}

// TestMtime: mtime counts ACLK/50 (SDK clint.h), 7.8 MHz when the ROM hands over, and
// the interrupt comes in the cycle in which it reaches mtimecmp.
func TestMtime(t *testing.T) {
	c := powered(Options{})
	c.romHandOver()
	d := clintDevice{c}
	mustStore(t, d, clMTIME, 8, 0xFFFFFFF0)
	began := c.Clock / mtimeDivision
	mustStore(t, d, clMTIMECMP+8, 4, 0x10) // 0x1_00000010 by halves
	mustStore(t, d, clMTIMECMP+12, 4, 1)
	if c.harts[1].Mip != 0 {
		t.Fatal("interrupt before its time")
	}
	due := (began + 0x20) * mtimeDivision
	c.Run(c.TimeOf(due - 1))
	if got := mustLoad(t, d, clMTIME, 8); c.harts[1].Mip != 0 || got != 0x1_0000000F {
		t.Errorf("mtime %#x, hart 1's mip %#x just before", got, c.harts[1].Mip)
	}
	c.Run(c.TimeOf(due))
	c.Dispatch(c.Clock)
	if c.harts[0].Mip != 0 || c.harts[1].Mip != mipMTIP {
		t.Errorf("mips %#x and %#x, want hart 1's to have MTIP", c.harts[0].Mip, c.harts[1].Mip)
	}
	if got := mustLoad(t, d, clMTIME+4, 4); got != 1 {
		t.Errorf("mtime's upper half is %#x, want 1", got)
	}
	mustStore(t, d, clMTIMECMP+8, 8, clock.Never)
	if c.harts[1].Mip != 0 {
		t.Error("a later mtimecmp leaves MTIP")
	}
}

// TestMSIP: each hart has a word.
func TestMSIP(t *testing.T) {
	c := powered(Options{})
	d := clintDevice{c}
	mustStore(t, d, clMSIP+4, 4, 1)
	if c.harts[0].Mip != 0 || c.harts[1].Mip != mipMSIP {
		t.Errorf("mips %#x and %#x, want hart 1's to have MSIP", c.harts[0].Mip, c.harts[1].Mip)
	}
	if got := mustLoad(t, d, clMSIP, 8); got != 1<<32 {
		t.Errorf("msip reads %#x", got)
	}
	mustStore(t, d, clMSIP+4, 4, 0)
	if c.harts[1].Mip != 0 {
		t.Error("MSIP stays")
	}
	if f := d.Store(0x10, 4, 1); f != bus.None && f != bus.Unmodelled {
		t.Error(f)
	}
}

// TestPLIC follows a source from its level to completion (E31 manual §8.8 to 8.11).
func TestPLIC(t *testing.T) {
	c := powered(Options{})
	d := words{plicDevice{c}}
	const hart1 = 2 // its machine mode's context
	enable := uint32(plENABLE + hart1*0x80)
	threshold := uint32(plCONTEXT + hart1*0x1000)
	mustStore(t, d, 4*irqUARTHS, 4, 5)
	mustStore(t, d, 4*irqWDT0, 4, 5)
	mustStore(t, d, 4*irqRTC, 4, 3)
	mustStore(t, d, enable, 4, 1<<irqWDT0|1<<irqRTC|1)
	mustStore(t, d, enable+4, 4, 1<<(irqUARTHS-32))
	if got := mustLoad(t, d, enable, 4); got&1 != 0 {
		t.Error("source 0 can be enabled")
	}
	meip := func(when string, want bool) {
		t.Helper()
		if got := c.harts[1].Mip == mipMEIP; got != want || c.harts[0].Mip != 0 {
			t.Errorf("%s: hart 1's mip %#x, hart 0's %#x", when, c.harts[1].Mip, c.harts[0].Mip)
		}
	}
	claim := func(want uint64) {
		t.Helper()
		if got := mustLoad(t, d, threshold+4, 4); got != want {
			t.Errorf("claimed %d, want %d", got, want)
		}
	}
	c.setIRQ(irqRTC, true)
	meip("pending", true)
	mustStore(t, d, threshold, 4, 3)
	meip("below the threshold", false)
	mustStore(t, d, threshold, 4, 0)
	c.setIRQ(irqUARTHS, true)
	c.setIRQ(irqWDT0, true)
	claim(irqWDT0) // of equal priority the lower number
	claim(irqUARTHS)
	c.setIRQ(irqUARTHS, false)
	mustStore(t, d, threshold+4, 4, irqUARTHS)
	claim(irqRTC)
	claim(0)
	meip("all claimed", false)
	mustStore(t, d, threshold+4, 4, irqWDT0) // its level is still high
	meip("completed, and asked for again", true)
	claim(irqWDT0)
	c.setIRQ(irqWDT0, false)
	mustStore(t, d, threshold+4, 4, irqWDT0)
	meip("quiet", false)
}
