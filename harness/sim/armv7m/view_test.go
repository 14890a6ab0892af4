package armv7m

import (
	"math/rand/v2"
	"testing"
)

// TestSpans holds the spans that random regions leave to the MPU's answer for
// each 32 bytes of them, which no region divides.
func TestSpans(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	admitted := 0
	for range 300 {
		c, _ := newMix()
		for i := range c.Sys.MPU.Regions {
			base := []uint32{0, 0x08000000, 0x20000000}[rnd.IntN(3)] + rnd.Uint32N(1<<17)
			r := region(base, 5+rnd.Uint32N(28), rnd.Uint32N(8), 0, false)
			if rnd.IntN(2) == 0 {
				r.RASR |= rnd.Uint32N(256) << 8
			}
			r.RBAR &^= 0x1F
			c.Sys.MPU.Regions[i] = r
		}
		c.mpuWrite(mpuCTRL, mpuENABLE|rnd.Uint32N(2)*mpuPRIVDEFENA)
		c.Control = rnd.Uint32N(2) * controlNPRIV
		c.selectTables()
		for range 50 {
			addr := []uint32{0, 0x08000000, 0x20000000}[rnd.IntN(3)] + rnd.Uint32N(1<<17)
			c.admit(addr)
			s := c.fast.loads[addr>>windowBits]
			if !s.holds(addr) {
				continue
			}
			admitted++
			for at := s.base; at-s.base < uint32(len(s.data)); at += 32 {
				if !c.mpuAllows(at, read) || s.write && !c.mpuAllows(at, write) {
					t.Fatalf("span %#x+%#x, write %v, of %x: not at %#x", s.base, len(s.data), s.write, c.Sys.MPU.Regions, at)
				}
			}
			if w := c.windowAt(addr); &s.data[0] != &w.data[s.base-w.base] || &s.marks[0] != &w.marks[(s.base-w.base)>>pageBits] {
				t.Fatalf("span %#x shows other memory", s.base)
			}
		}
	}
	if admitted < 1000 {
		t.Errorf("only %d addresses were admitted", admitted)
	}
}

// TestViewFollows changes what is permitted between two executions of the same
// code, and wants the second one to fault.
func TestViewFollows(t *testing.T) {
	const data, code = machineRAM + 0x4000, machineRAM
	ldr := []uint16{0x6811, 0xE7FD} // LDR r1, [r2]; B back
	str := []uint16{0x6011, 0xE7FD}
	tests := []struct {
		name   string
		code   []uint16
		change func(*Core)
		fault  bool
	}{
		{"nothing", ldr, func(*Core) {}, false},
		{"no access", ldr, func(c *Core) { setRegion(c, 1, region(data, 8, 0, 0, false)) }, true},
		{"read only, load", ldr, func(c *Core) { setRegion(c, 1, region(data, 8, 6, 0, false)) }, false},
		{"read only, store", str, func(c *Core) { setRegion(c, 1, region(data, 8, 6, 0, false)) }, true},
		{"subregion off", ldr, func(c *Core) { setRegion(c, 1, region(data, 11, 0, 1, false)) }, false},
		{"privileged only", ldr, func(c *Core) { setRegion(c, 1, region(data, 8, 1, 0, false)) }, false},
		{"privileged only, unprivileged", ldr, func(c *Core) {
			setRegion(c, 1, region(data, 8, 1, 0, false))
			c.setControl(controlNPRIV)
		}, true},
		{"unprivileged", ldr, func(c *Core) { c.setControl(controlNPRIV) }, false},
		{"execute never", ldr, func(c *Core) { setRegion(c, 1, region(code, 8, 3, 0, true)) }, true},
		{"execute never, off by FAULTMASK", ldr, func(c *Core) {
			setRegion(c, 1, region(code, 8, 3, 0, true))
			c.setFaultmask(true)
		}, false},
	}
	for _, tt := range tests {
		c := program(machineRAM, tt.code...)
		c.R[2] = data
		setRegion(c, 0, region(machineRAM, 16, 3, 0, false))
		c.setSHCSR(1 << 16)
		c.mpuWrite(mpuCTRL, mpuENABLE)
		c.Run(c.Cycle + 100)
		if c.Sys.CFSR != 0 {
			t.Fatalf("%s: CFSR %#x at first", tt.name, c.Sys.CFSR)
		}
		tt.change(c)
		c.Run(c.Cycle + 100)
		if got := c.Sys.CFSR != 0; got != tt.fault {
			t.Errorf("%s: CFSR %#x", tt.name, c.Sys.CFSR)
		}
	}
}

func setRegion(c *Core, n uint32, r MPURegion) {
	c.mpuWrite(mpuRBAR, r.RBAR|rbarVALID|n)
	c.mpuWrite(mpuRASR, r.RASR)
}
