package riscv

import "testing"

func TestPMP(t *testing.T) {
	const rwx = pmpR | pmpW | pmpX
	type entry struct {
		cfg  uint8
		addr uint64 // in bytes, with the size for NAPOT
	}
	napot := func(base, size uint64) uint64 { return base | (size/2 - 1) }
	for _, tt := range []struct {
		name    string
		entries []entry
		addr    uint64
		width   uint64
		need    uint8
		priv    uint8
		want    bool
	}{
		{"user without entries", nil, 0x1000, 4, pmpR, UserMode, false},
		{"machine without entries", nil, 0x1000, 4, pmpR, MachineMode, true},
		{"NAPOT inside", []entry{{pmpNAPOT | pmpR, napot(0x1000, 64)}}, 0x103C, 4, pmpR, UserMode, true},
		{"NAPOT behind", []entry{{pmpNAPOT | pmpR, napot(0x1000, 64)}}, 0x1040, 4, pmpR, UserMode, false},
		{"NAPOT write", []entry{{pmpNAPOT | pmpR, napot(0x1000, 64)}}, 0x103C, 4, pmpW, UserMode, false},
		{"NAPOT of 8", []entry{{pmpNAPOT | pmpR, napot(0x1008, 8)}}, 0x100C, 4, pmpR, UserMode, true},
		{"NA4", []entry{{pmpNA4 | pmpR, 0x1000}}, 0x1000, 4, pmpR, UserMode, true},
		{"NA4 straddled", []entry{{pmpNA4 | rwx, 0x1000}, {pmpNAPOT | rwx, napot(0, 1<<20)}}, 0x1002, 4, pmpR, UserMode, false},
		{"TOR from 0", []entry{{pmpTOR | pmpX, 0x1000}}, 0xFFC, 4, pmpX, UserMode, true},
		{"TOR top", []entry{{pmpTOR | pmpX, 0x1000}}, 0x1000, 4, pmpX, UserMode, false},
		{"TOR from the entry before", []entry{{0, 0x1000}, {pmpTOR | pmpR, 0x2000}}, 0xFFC, 4, pmpR, UserMode, false},
		{"the first that matches decides", []entry{{pmpNA4, 0x1000}, {pmpNAPOT | rwx, napot(0, 1<<20)}}, 0x1000, 4, pmpR, UserMode, false},
		{"machine isn't bound", []entry{{pmpNA4, 0x1000}}, 0x1000, 4, pmpR, MachineMode, true},
		{"but by a lock", []entry{{pmpNA4 | pmpL, 0x1000}}, 0x1000, 4, pmpR, MachineMode, false},
	} {
		c := New(esp32c3())
		for i, e := range tt.entries {
			c.writePMPAddr(i, e.addr>>2)
			c.PMPCfg[i] = e.cfg
		}
		c.refreshPMP()
		if got := !c.guarded(tt.priv) || c.permits(tt.addr, tt.width, tt.need, tt.priv); got != tt.want {
			t.Errorf("%s: permitted %v", tt.name, got)
		}
	}
}

func TestPMPLock(t *testing.T) {
	c := New(esp32c3())
	c.writePMPAddr(1, 100)
	c.writePMPCfg(0, uint64(pmpL|pmpTOR|pmpR)<<8)
	c.writePMPAddr(0, 7) // the bottom of a locked range
	c.writePMPAddr(1, 8)
	c.writePMPCfg(0, uint64(pmpNA4)<<8|pmpNA4|pmpW)
	if c.PMPAddr[0] != 0 || c.PMPAddr[1] != 100 || c.PMPCfg[1] != pmpL|pmpTOR|pmpR {
		t.Errorf("locked, but addresses %v, configuration %#x", c.PMPAddr[:2], c.PMPCfg[1])
	}
	if c.PMPCfg[0] != pmpNA4 {
		t.Errorf("W without R is reserved, got %#x", c.PMPCfg[0])
	}
}

func TestUserFaults(t *testing.T) {
	r := newRig(esp32c3(), lw(1, 2, 0), sw(1, 2, 0))
	r.X[2] = testRAM + 0x100
	for i, e := range []pmpEntry{{testRAM + 0x100, 0, pmpNA4 | pmpR}, {testRAM>>2<<2 | 0x7FFF, 0, pmpNAPOT | pmpX}} {
		r.PMPAddr[i], r.PMPCfg[i] = e.first>>2, e.cfg
	}
	r.Priv = UserMode
	r.refreshDerived()
	r.steps(t, 2)
	r.wantTrap(t, causeStoreAccess, testRAM+0x100, testRAM+4)
}

// TestUserFetch: an instruction of which only the second half may not be fetched has not begun, and mtval is
// that half's address.
func TestUserFetch(t *testing.T) {
	for _, tt := range []struct{ denied, tval uint64 }{{testRAM, testRAM + 2}, {testRAM + 4, testRAM + 4}} {
		r := newRig(esp32c3(), addi(1, 0, 1)<<16|0x0001, addi(1, 0, 1)>>16|0x0001<<16) // C.NOP, ADDI, C.NOP
		for i, e := range []pmpEntry{{tt.denied, 0, pmpNA4 | pmpR}, {testRAM>>2<<2 | 0x7FFF, 0, pmpNAPOT | pmpX}} {
			r.PMPAddr[i], r.PMPCfg[i] = e.first>>2, e.cfg
		}
		r.PC, r.Priv = testRAM+2, UserMode
		r.refreshDerived()
		r.steps(t, 1)
		r.wantTrap(t, causeFetchAccess, tt.tval, testRAM+2)
		if r.X[1] != 0 {
			t.Error("the instruction was executed")
		}
	}
}
