package armv7m

import (
	"testing"

	"rigor/harness/sim/bus"
)

// region returns RBAR and RASR values.
func region(base uint32, sizeLog2, ap uint32, srd uint32, xn bool) MPURegion {
	return MPURegion{RBAR: base, RASR: 1 | (sizeLog2-1)<<1 | srd<<8 | ap<<24 | bit(xn)*rasrXN}
}

func mpuCore(t testing.TB, ctrl uint32, regions ...MPURegion) *Core {
	c := newSystem(t)
	for i, r := range regions {
		storeOK(t, c, scsBase+mpuRNR, uint32(i))
		storeOK(t, c, scsBase+mpuRBAR, r.RBAR)
		storeOK(t, c, scsBase+mpuRASR, r.RASR)
	}
	storeOK(t, c, scsBase+mpuCTRL, ctrl)
	return c
}

func TestMPUPermissions(t *testing.T) { // DDI 0403E table B3-15
	tests := []struct {
		ap         uint32
		privileged string
		user       string
	}{
		{0, "", ""}, {1, "rw", ""}, {2, "rw", "r"}, {3, "rw", "rw"}, {5, "r", ""}, {6, "r", "r"}, {7, "r", "r"},
	}
	for _, tt := range tests {
		for _, xn := range []bool{false, true} {
			c := mpuCore(t, mpuENABLE, region(testRAM, 10, tt.ap, 0, xn))
			for _, privileged := range []bool{true, false} {
				may := tt.user
				if privileged {
					may = tt.privileged
				}
				want := [3]bool{may != "", may == "rw", may != "" && !xn}
				for a, w := range want {
					if got := c.mpuAllowsAs(testRAM+0x3FC, access(a), privileged); got != w {
						t.Errorf("AP %d XN %v privileged %v access %d: %v, want %v", tt.ap, xn, privileged, a, got, w)
					}
				}
			}
		}
	}
}

func TestMPURegions(t *testing.T) {
	c := mpuCore(t, mpuENABLE,
		region(testRAM, 16, 3, 0, false),
		region(testRAM+0x1000, 12, 5, 0b1000_0001, false), // 512-byte subregions, first and last off
		region(testRAM+0x1800, 5, 3, 0xFF, false),         // 32 bytes: SRD does not apply
		region(0, 32, 6, 0b1111_1110, false),              // the first 512 MB
	)
	tests := []struct {
		addr  uint32
		write bool
	}{
		{testRAM, true}, {testRAM + 0xFFFC, true},
		{testRAM + 0x1000, true}, {testRAM + 0x11FC, true}, // hidden subregion: region 0 shows
		{testRAM + 0x1200, false}, {testRAM + 0x1DFC, false},
		{testRAM + 0x1E00, true},
		{testRAM + 0x1800, true}, {testRAM + 0x181C, true}, {testRAM + 0x1820, false},
		{0x1FFFFFFC, false},
	}
	for _, tt := range tests {
		if got := c.mpuAllows(tt.addr, write); got != tt.write {
			t.Errorf("write at %#x: %v, want %v", tt.addr, got, tt.write)
		}
		if !c.mpuAllows(tt.addr, read) {
			t.Errorf("read at %#x refused", tt.addr)
		}
	}
	if c.mpuAllows(testRAM+0x10000, read) {
		t.Error("read outside of all regions allowed")
	}
}

func TestDefaultMap(t *testing.T) { // DDI 0403E table B3-1
	tests := []struct {
		addr  uint32
		fetch bool
	}{
		{0, true}, {0x1FFFFFFE, true}, {0x20000000, true}, {0x3FFFFFFE, true},
		{0x40000000, false}, {0x5FFFFFFE, false}, {0x60000000, true}, {0x9FFFFFFE, true},
		{0xA0000000, false}, {0xDFFFFFFE, false}, {0xE0000000, false}, {0xE0100000, false}, {0xFFFFFFFE, false},
	}
	off := mpuCore(t, 0)
	background := mpuCore(t, mpuENABLE|mpuPRIVDEFENA)
	for _, tt := range tests {
		if got := off.mpuAllows(tt.addr, fetch); got != tt.fetch {
			t.Errorf("MPU off: fetch at %#x: %v", tt.addr, got)
		}
		if got := background.mpuAllows(tt.addr, fetch); got != tt.fetch {
			t.Errorf("PRIVDEFENA: fetch at %#x: %v", tt.addr, got)
		}
		if !background.mpuAllows(tt.addr, write) {
			t.Errorf("PRIVDEFENA: write at %#x refused", tt.addr)
		}
		if tt.addr>>20 != 0xE00 && background.mpuAllowsAs(tt.addr, read, false) {
			t.Errorf("PRIVDEFENA: unprivileged read at %#x allowed", tt.addr)
		}
	}
}

func TestMPUInFaultHandlers(t *testing.T) { // HFNMIENA, B3.5.3
	for _, tt := range []struct {
		ctrl uint32
		mask bool
		want bool
	}{{mpuENABLE, false, false}, {mpuENABLE, true, true}, {mpuENABLE | mpuHFNMIENA, true, false}} {
		c := mpuCore(t, tt.ctrl)
		c.cps(!tt.mask, false, true)
		if got := c.mpuAllows(testRAM, read); got != tt.want {
			t.Errorf("CTRL %d FAULTMASK %v: %v, want %v", tt.ctrl, tt.mask, got, tt.want)
		}
	}
}

func TestMPURegisters(t *testing.T) {
	c := newSystem(t)
	storeOK(t, c, scsBase+mpuRBAR, 0x20000000|rbarVALID|3)
	storeOK(t, c, scsBase+mpuRASR, 0xFFFFFFFF)
	storeOK(t, c, scsBase+mpuRBAR+8, 0x30000000|rbarVALID|5)
	if n := loadOK(t, c, scsBase+mpuRNR); n != 5 {
		t.Errorf("RNR = %d, want 5", n)
	}
	storeOK(t, c, scsBase+mpuRNR, 3)
	if b, a := loadOK(t, c, scsBase+mpuRBAR), loadOK(t, c, scsBase+mpuRASR); b != 0x20000003 || a != 0x173FFF3F {
		t.Errorf("RBAR %#x RASR %#x, want 0x20000003 0x173fff3f", b, a)
	}
	if f := c.ppbStore(scsBase+mpuRNR, 4, 8); f != bus.Unmodelled {
		t.Errorf("RNR = 8: %v, want it refused", f)
	}
}

func TestMPUStackingFaults(t *testing.T) {
	c := mpuCore(t, mpuENABLE|mpuPRIVDEFENA, region(testRAM, 12, 5, 0, false)) // the main stack is read only
	c.setSHCSR(1 << 16)
	c.SetIRQ(4, true)
	setPriority(t, c, 20, 0x80)
	c.service()
	if c.IPSR != excMemManage || c.Sys.CFSR != 1<<4 || !c.Sys.Pending.has(20) {
		t.Errorf("exception %d, CFSR %#x: want MemManage with MSTKERR", c.IPSR, c.Sys.CFSR)
	}

	c = newSystem(t)
	leaveWith(c, func() {
		storeOK(t, c, scsBase+scbSHCSR, 1<<16)
		storeOK(t, c, scsBase+mpuRASR, region(0, 12, 0, 0, false).RASR)
		storeOK(t, c, scsBase+mpuRBAR, testRAM)
		storeOK(t, c, scsBase+mpuCTRL, mpuENABLE|mpuPRIVDEFENA)
	})
	c.service()
	if c.IPSR != excMemManage || c.Sys.CFSR != 1<<3 {
		t.Errorf("exception %d, CFSR %#x: want MemManage with MUNSTKERR", c.IPSR, c.Sys.CFSR)
	}
}

// TestUnprivilegedUnstacking: a frame that only privileged code may read
// cannot be unstacked for a thread that is not.
func TestUnprivilegedUnstacking(t *testing.T) {
	c := newSystem(t)
	c.setSHCSR(1 << 16)
	leaveWith(c, func() {
		storeOK(t, c, scsBase+mpuRASR, region(0, 12, 1, 0, false).RASR)
		storeOK(t, c, scsBase+mpuRBAR, testRAM)
		storeOK(t, c, scsBase+mpuCTRL, mpuENABLE|mpuPRIVDEFENA)
		c.msr(sysmCONTROL, 0, controlNPRIV)
	})
	c.service()
	if c.IPSR != excMemManage || c.Sys.CFSR != 1<<3 {
		t.Errorf("exception %d, CFSR %#x: want MemManage with MUNSTKERR", c.IPSR, c.Sys.CFSR)
	}
}
