package armv7m

import "testing"

func TestStackBanking(t *testing.T) {
	c := newSystem(t)
	c.msr(sysmCONTROL, 0, controlSPSEL)
	if c.R[13] != testPSP || c.MSP() != testMSP || c.PSP() != testPSP {
		t.Errorf("Thread on PSP: sp %#x MSP %#x PSP %#x", c.R[13], c.MSP(), c.PSP())
	}
	c.msr(sysmPSP, 0, 0x20003003)
	c.msr(sysmMSP, 0, 0x20004000)
	if c.R[13] != 0x20003000 || c.MSP() != 0x20004000 {
		t.Errorf("after MSR: sp %#x MSP %#x", c.R[13], c.MSP())
	}
	c.SetIRQ(4, true)
	c.service()
	if c.R[13] != 0x20004000 || c.PSP() != 0x20003000-0x20 || c.mrs(sysmCONTROL) != 0 {
		t.Errorf("Handler: sp %#x PSP %#x CONTROL %#x", c.R[13], c.PSP(), c.mrs(sysmCONTROL))
	}
	c.msr(sysmCONTROL, 0, controlSPSEL)
	if c.R[13] != 0x20004000 || c.mrs(sysmCONTROL) != 0 {
		t.Error("Handler mode changed its stack")
	}
}

func TestMRS(t *testing.T) { // DDI 0403E B5.2.2
	tests := []struct {
		sysm             uint8
		privileged, user uint32
	}{
		{0, 0xA80F0000, 0xA80F0000}, {1, 0xA80F0000, 0xA80F0000}, {3, 0xA80F0000, 0xA80F0000},
		{5, 0, 0}, {6, 0, 0}, {7, 0, 0},
		{sysmMSP, testMSP, 0}, {sysmPSP, testPSP, 0}, {sysmPRIMASK, 1, 0}, {sysmBASEPRI, 0x30, 0},
		{sysmBASEPRIMAX, 0x30, 0}, {sysmFAULTMASK, 1, 0}, {sysmCONTROL, 0, 1}, {99, 0, 0},
	}
	for _, tt := range tests {
		c := newSystem(t)
		c.SetXPSR(0xA80F0000 | 1<<24)
		c.Primask, c.Faultmask, c.Basepri = true, true, 0x30
		if got := c.mrs(tt.sysm); got != tt.privileged {
			t.Errorf("MRS %d = %#x, want %#x", tt.sysm, got, tt.privileged)
		}
		c.Control |= controlNPRIV
		if got := c.mrs(tt.sysm); got != tt.user {
			t.Errorf("unprivileged MRS %d = %#x, want %#x", tt.sysm, got, tt.user)
		}
	}
	c := newSystem(t)
	c.SetIRQ(4, true)
	c.service()
	if got := c.mrs(5); got != 20 {
		t.Errorf("IPSR in a handler = %d, want 20", got)
	}
}

func TestMSRFlags(t *testing.T) {
	for _, tt := range []struct {
		sysm, mask uint8
		want       uint32
	}{{0, 2, 0xF8000000}, {0, 1, 0x000F0000}, {3, 3, 0xF80F0000}, {5, 3, 0}, {6, 3, 0}} {
		c := newSystem(t)
		c.msr(tt.sysm, tt.mask, 0xFFFFFFFF)
		if got := c.XPSR() &^ (1 << 24); got != tt.want {
			t.Errorf("MSR %d, mask %d: flags %#x, want %#x", tt.sysm, tt.mask, got, tt.want)
		}
	}
}

func TestFaultmaskOnlyBelowHardFault(t *testing.T) {
	c := newSystem(t)
	c.SetNMI()
	c.service()
	c.cps(false, false, true)
	if c.Faultmask {
		t.Error("CPSID f in NMI set FAULTMASK")
	}
	c.msr(sysmFAULTMASK, 0, 1)
	if c.Faultmask {
		t.Error("MSR in NMI set FAULTMASK")
	}
}
