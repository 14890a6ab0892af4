package k210

import (
	"bytes"
	"testing"

	"rigor/firmware/wire"
	"rigor/harness/sim/clock"
)

// TestCopiesOfRAM: a page that has a copy is as that, whatever harts, DMA and the ROM stored.
func TestCopiesOfRAM(t *testing.T) {
	r, _ := boots(t, "audio")
	c := r.chip
	check := func(when string) (copies int) {
		for i, p := range c.copies {
			if p == nil {
				continue
			}
			copies++
			if !bytes.Equal(p[:], c.ram[i*ramPageSize:][:ramPageSize]) {
				t.Fatalf("%s: page %d is not what its copy is", when, i)
			}
		}
		return copies
	}
	pages := len(c.copies)
	first, was := r.Snapshot(), bytes.Clone(c.ram)
	if n := check("after a snapshot"); n != pages {
		t.Errorf("%d pages of %d have a copy", n, pages)
	}
	r.Console.Write(wire.AppendCommand(nil, wire.Command{Name: "spectrum", Count: 4}))
	for range 50 {
		r.wait(clock.Millisecond)
		check("while it runs")
	}
	if n := check("at the end"); n == pages {
		t.Error("a program that ran has stored nothing")
	}
	r.Snapshot()
	r.Restore(first)
	if !bytes.Equal(c.ram, was) {
		t.Error("RAM is not what it was")
	}
	check("after Restore")
	r.SetPower(false)
	r.SetPower(true)
	check("after power-on")
	r.Hello()
	check("after boot")
}

func BenchmarkSnapshot(b *testing.B) {
	c := New(Options{})
	c.SetPower(true)
	c.Run(clock.Millisecond)
	for b.Loop() {
		c.LoadRAM(ramBase, []byte{1})
		c.Restore(c.Snapshot())
	}
}

func BenchmarkPowerOn(b *testing.B) {
	c := New(Options{})
	off := c.Snapshot()
	for b.Loop() {
		c.Restore(off)
		c.SetPower(true)
	}
}
