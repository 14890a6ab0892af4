package riscv

import "testing"

// The causes are those of the TRM's register mcause, which are those of volume II table 3.6.
func TestExceptions(t *testing.T) {
	for _, tt := range []struct {
		name        string
		program     []uint32
		cause, tval uint64
		epc         uint64 // from the start
	}{
		{"illegal", []uint32{nop, 0}, causeIllegal, 0, 4},
		{"illegal word", []uint32{0xFFFFFFFF}, causeIllegal, 0xFFFFFFFF, 0},
		{"no such register", []uint32{csrr(1, 0x123)}, causeIllegal, uint64(csrr(1, 0x123)), 0},
		{"mcycle is not there", []uint32{csrr(1, csrMCYCLE)}, causeIllegal, uint64(csrr(1, csrMCYCLE)), 0},
		{"write to a read-only register", []uint32{csrw(csrMHARTID, 1)}, causeIllegal, uint64(csrw(csrMHARTID, 1)), 0},
		{"RV64 only", []uint32{iType(majorOPIMM32, 0, 1, 1, 1)}, causeIllegal, uint64(iType(majorOPIMM32, 0, 1, 1, 1)), 0},
		{"ebreak", []uint32{wordEBREAK}, causeBreakpoint, 0, 0},
		{"ecall", []uint32{nop, wordECALL}, causeECallM, 0, 4},
		{"load", []uint32{lui(1, 0x70000000), lw(2, 1, 8)}, causeLoadAccess, 0x70000008, 4},
		{"store", []uint32{lui(1, 0x70000000), sw(2, 1, 8)}, causeStoreAccess, 0x70000008, 4},
		{"fetch", []uint32{lui(1, 0x70000000), iType(majorJALR, 0, 0, 1, 0)}, causeFetchAccess, 0x70000000, 0x70000000 - testRAM},
	} {
		cfg := esp32c3()
		cfg.Bus = partBus{}
		r := newRig(cfg, tt.program...)
		r.Run(50)
		if r.PC != testTrap {
			t.Errorf("%s: at %#x", tt.name, r.PC)
		}
		r.wantTrap(t, tt.cause, tt.tval, testRAM+tt.epc)
	}
}

func TestModesOfATrap(t *testing.T) {
	r := newRig(esp32c3(), csrw(csrMEPC, 1), csrw(csrMSTATUS, 2), wordMRET, nop)
	r.X[1], r.X[2] = testRAM+12, mstatusMPIE // to user mode
	r.steps(t, 3)
	if r.Priv != UserMode || r.Mstatus != mstatusMPIE|mstatusMIE {
		t.Fatalf("after mret: privilege %d, mstatus %#x", r.Priv, r.Mstatus)
	}
	// Without an entry of PMP that permits it, the user may not even fetch.
	r.steps(t, 1)
	r.wantTrap(t, causeFetchAccess, testRAM+12, testRAM+12)
	if r.Priv != MachineMode || r.Mstatus != mstatusMPIE {
		t.Errorf("in the trap: privilege %d, mstatus %#x", r.Priv, r.Mstatus)
	}
}

// everything opens all memory to the user.
func everything(c *Core) {
	c.PMPAddr[15], c.PMPCfg[15] = 1<<32-1, pmpNAPOT|pmpR|pmpW|pmpX
	c.refreshDerived()
}

func TestUserMode(t *testing.T) {
	for _, tt := range []struct {
		name  string
		word  uint32
		tw    uint64
		cause uint64
	}{
		{"ecall", wordECALL, 0, causeECallU},
		{"mret", wordMRET, 0, causeIllegal},
		{"machine register", csrr(1, csrMSTATUS), 0, causeIllegal},
		{"wfi", wordWFI, mstatusTW, causeIllegal},
	} {
		r := newRig(esp32c3(), tt.word)
		everything(r.Core)
		r.Priv, r.Mstatus = UserMode, tt.tw
		r.steps(t, 1)
		if r.Mcause != tt.cause || r.Priv != MachineMode {
			t.Errorf("%s: mcause %d, privilege %d", tt.name, r.Mcause, r.Priv)
		}
	}
}

// TRM 1.5.3.1: the interrupt controller takes 4 cycles.
func TestInterruptLatency(t *testing.T) {
	r := newRig(esp32c3(), nop, nop, nop, nop, nop, nop, nop, nop)
	r.Mstatus = mstatusMIE
	r.Run(2)
	r.SetInterrupt(17)
	r.Run(r.Cycle + 5)
	r.wantTrap(t, 1<<31|17, 0, testRAM+4*6)
	if r.PC != testTrap+4*17 {
		t.Errorf("at %#x", r.PC)
	}
}

func TestInterruptsMasked(t *testing.T) {
	r := newRig(esp32c3(), csrw(csrMSTATUS, 1), nop, nop)
	r.X[1] = mstatusMIE
	r.SetInterrupt(1)
	r.Cycle = 10
	r.steps(t, 1)
	if r.Mcause != 0 {
		t.Error("taken while mstatus.MIE is clear")
	}
	r.steps(t, 1)
	r.wantTrap(t, 1<<31|1, 0, testRAM+4)
	r.SetInterrupt(0)
	r.Mstatus = mstatusMIE
	r.Run(100)
	if r.Mepc != testRAM+4 {
		t.Error("taken after it was withdrawn")
	}
}

func TestWFI(t *testing.T) {
	r := newRig(esp32c3(), wordWFI, nop, branch(0, 0, 0, 0))
	if stop := r.Run(1000); stop.Reason != Asleep || r.Cycle != 1000 || r.Slept != 999 || r.Insns != 1 {
		t.Fatalf("%+v, cycle %d, slept %d, %d instructions", stop, r.Cycle, r.Slept, r.Insns)
	}
	// An interrupt wakes the core even where it isn't taken (volume II 3.3.3).
	r.SetInterrupt(3)
	if stop := r.Run(1010); stop.Reason != Deadline || r.Slept != 999+4 || r.PC != testRAM+8 || r.Mcause != 0 {
		t.Errorf("%+v, slept %d, mcause %#x", stop, r.Slept, r.Mcause)
	}
}

func TestStandardInterrupts(t *testing.T) {
	cfg := esp32c3()
	cfg.Vectored31 = false
	for _, tt := range []struct {
		mtvec, pending, cause, pc uint64
	}{
		{testTrap, 1 << 7, 7, testTrap},
		{testTrap | 1, 1 << 7, 7, testTrap + 28},
		{testTrap | 1, 1<<7 | 1<<3, 3, testTrap + 12},
		{testTrap | 1, 1<<7 | 1<<3 | 1<<11, 11, testTrap + 44},
	} {
		r := newRig(cfg, nop)
		r.Mtvec, r.Mstatus, r.Mie = tt.mtvec, mstatusMIE, 1<<7|1<<3|1<<11
		r.SetIP(tt.pending, true)
		r.Step()
		if r.Mcause != 1<<31|tt.cause || r.PC != tt.pc {
			t.Errorf("%+v: mcause %#x, at %#x", tt, r.Mcause, r.PC)
		}
	}
}

func TestNotModelled(t *testing.T) {
	cfg := esp32c3()
	cfg.Bus = partBus{}
	r := newRig(cfg, lui(1, 0x60000000), lw(2, 1, 0), lw(3, 1, 4))
	want := Stop{Reason: NotModelled, PC: testRAM + 8, Addr: 0x60000004, Width: 4}
	if stop := r.Run(100); stop != want || r.X[2] != 0xFFFFFFFF80000001 {
		t.Errorf("%+v, x2 %#x", stop, r.X[2])
	}
	r = newRig(cfg, csrr(1, 0x7A1))
	if stop := r.Run(100); stop.Reason != NotModelled || stop.What != "CSR tdata1 (0x7a1)" {
		t.Errorf("%+v", stop)
	}
}

func TestROMCalls(t *testing.T) {
	cfg := esp32c3()
	var r *rig
	waits := 0
	cfg.ROM = func(index uint32) {
		if index == 5 && waits < 3 { // waits with time passing, then with none, then in Stall
			waits++
			switch waits {
			case 1:
				r.Cycle += 10
			case 3:
				r.Stall(r.Cycle + 100)
			}
			return
		}
		r.X[10] = uint64(index)
		r.PC = r.X[1]
	}
	r = newRig(cfg, jump(1, 8), branch(0, 0, 0, 0), ROMCall(5))
	r.windows[0].ROM = true
	r.drop()
	r.Run(300)
	if r.X[10] != 5 || r.PC != testRAM+4 || waits != 3 {
		t.Errorf("a0 %d, at %#x, %d waits", r.X[10], r.PC, waits)
	}
	r = newRig(cfg, ROMCall(5))
	r.steps(t, 1)
	r.wantTrap(t, causeIllegal, uint64(ROMCall(5)), testRAM)
}

func TestMisaligned(t *testing.T) {
	program := []uint32{sw(1, 2, 1), lw(3, 2, 1), iType(majorLOAD, 1, 4, 2, 3)}
	r := newRig(esp32c3(), program...)
	r.X[1], r.X[2] = 0xFFFFFFFF89ABCDEF, testRAM+0x100
	r.steps(t, 3)
	if r.X[3] != r.X[1] || r.X[4] != 0xFFFFFFFFFFFF89AB {
		t.Errorf("loaded %#x and %#x", r.X[3], r.X[4])
	}
	cfg := esp32c3()
	cfg.Misaligned = false
	r = newRig(cfg, program...)
	r.X[2] = testRAM + 0x100
	r.steps(t, 1)
	r.wantTrap(t, causeStoreMisaligned, testRAM+0x101, testRAM)
}

// A store changes code that has been executed, the next instruction included.
func TestSelfModifying(t *testing.T) {
	r := newRig(esp32c3(), addi(3, 3, 1), sw(1, 2, 8), nop, branch(4, 3, 4, -12))
	r.X[1], r.X[2], r.X[4] = uint64(addi(5, 5, 7)), testRAM, 10
	r.Run(200)
	if r.X[5] != 70 {
		t.Errorf("x5 %d, want 70", r.X[5])
	}
}
