package riscv

import (
	"encoding/binary"
	"testing"

	"rigor/harness/sim/conform"
)

// Reset values and writable bits as the TRM's registers of chapter 1 have them.
func TestRegistersOfTheESP32C3(t *testing.T) {
	for _, tt := range []struct {
		n           uint32
		reset, ones uint64
	}{
		{csrMSTATUS, 0, 0x00201888},
		{csrMISA, 0x40101104, 0x40101104},
		{csrMTVEC, 1, 0xFFFFFF01},
		{csrMSCRATCH, 0, 0xFFFFFFFF},
		{csrMEPC, 0, 0xFFFFFFFE},
		{csrMCAUSE, 0, 0x8000001F},
		{csrMTVAL, 0, 0xFFFFFFFF},
		{csrPMPCFG0, 0, 0x9F9F9F9F},
		{csrPMPADDR0, 0, 0xFFFFFFFF},
		{csrMPCER, 0, 0x7FF},
	} {
		r := newRig(esp32c3(), csrr(1, tt.n), csrw(tt.n, 2), csrr(3, tt.n))
		r.Mtvec = 1
		r.X[2] = ^uint64(0)
		r.steps(t, 3)
		if got, ones := r.X[1]&r.mask, r.X[3]&r.mask; got != tt.reset || ones != tt.ones {
			t.Errorf("%#x: %#x, and %#x when written with ones; want %#x, %#x", tt.n, got, ones, tt.reset, tt.ones)
		}
	}
	r := newRig(esp32c3(), csrr(1, csrMVENDORID), csrr(2, csrMARCHID), csrr(3, csrMIMPID), csrr(4, csrMHARTID))
	r.steps(t, 4)
	if r.X[1] != 0x612 || r.X[2]&r.mask != 0x80000001 || r.X[3] != 1 || r.X[4] != 0 {
		t.Errorf("identity %#x", r.X[1:5])
	}
}

func TestPerformanceCounter(t *testing.T) {
	program := []uint32{
		csrw(csrMPCCR, 0), csrw(csrMPCER, 1), csrw(csrMPCMR, 2), // enabled
		csrr(3, csrMPCCR), nop, nop, rType(1, 4, 5, 1, 1), csrr(4, csrMPCCR), // a division
	}
	for _, tt := range []struct{ event, want uint64 }{{perfCycle, 3 + 34}, {perfInst, 4}} {
		r := newRig(esp32c3(), program...)
		r.X[1], r.X[2] = tt.event, perfEnable
		r.steps(t, len(program))
		if got := r.X[4] - r.X[3]; got != tt.want {
			t.Errorf("event %d: %d counted, want %d", tt.event, got, tt.want)
		}
	}
	r := newRig(esp32c3(), csrw(csrMPCER, 1), csrw(csrMPCMR, 2))
	r.X[1], r.X[2] = 4, perfEnable
	if stop := r.Run(100); stop.Reason != NotModelled {
		t.Errorf("counting hazards: %+v", stop)
	}
	// MPCMR's COUNT_SAT.
	r = newRig(esp32c3(), nop)
	r.Perf = PerfCounter{Mpcer: perfCycle, Mpcmr: perfEnable | perfSaturate, Base: 1<<32 - 10}
	r.Cycle = 5
	before := r.mpccr()
	r.Cycle = 50
	if after := r.mpccr(); before != 1<<32-5 || after != 1<<32-1 {
		t.Errorf("saturating: %#x, %#x", before, after)
	}
}

// custom is a register of the implementer's, 0x803 as on the ESP32-C3.
type custom struct{ v uint64 }

func (x *custom) ReadCSR(n uint16) (uint64, bool) { return x.v, n == 0x803 }
func (x *custom) WriteCSR(n uint16, v uint64) bool {
	x.v = v
	return n == 0x803
}

func TestCustomRegisters(t *testing.T) {
	cfg := esp32c3()
	x := &custom{}
	cfg.CSR = x
	r := newRig(cfg, 0x803<<20|5<<15|6<<12|1<<7|majorSYSTEM, csrr(2, 0x803), csrr(3, 0x804)) // csrrsi x1, 0x803, 5
	r.steps(t, 2)
	if x.v != 5 || r.X[1] != 0 || r.X[2] != 5 {
		t.Errorf("register %d, read %d and %d", x.v, r.X[1], r.X[2])
	}
	r.steps(t, 1)
	r.wantTrap(t, causeIllegal, uint64(csrr(3, 0x804)), testRAM+8)
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{0x13, 0, 0, 0}, true)
	f.Add([]byte{0x82, 0x80, 0, 0}, false)
	f.Fuzz(func(t *testing.T, code []byte, rv64 bool) {
		if len(code) < 4 {
			return
		}
		arch := conform.RV32IMC
		if rv64 {
			arch = conform.RV64GC
		}
		m := NewMachine(arch)
		ok, _ := m.Valid(code)
		m.Reset()
		m.WriteMem(machineRAM, code[:4])
		m.c.Mtvec = machineRAM + 0x1000
		m.c.Step()
		if illegal := m.c.Mcause == causeIllegal; illegal && ok && m.c.Mtval&0x7F != majorSYSTEM && m.c.Mtval&0x7F != majorOPFP && m.c.Mtval&0x73 != 0x43 {
			t.Errorf("% x decodes and is illegal", code[:4])
		} else if !illegal && !ok {
			t.Errorf("% x doesn't decode and isn't illegal", code[:4])
		}
	})
}

// Reset values and writable bits as version 1.9.1 of the privileged architecture has them, 3.1.
func TestRegistersOfVersion191(t *testing.T) {
	cfg := k210()
	cfg.PMP, cfg.Privileged191 = 0, true
	for _, tt := range []struct {
		n           uint32
		reset, ones uint64
	}{
		{csrMSTATUS, 0, 1<<63 | 0x27888},
		{csrMTVEC, 0, ^uint64(3)},
		{csrMUCOUNTEREN, 0, 7},
		{csrMTVAL, 0, ^uint64(0)},
		{csrMEPC, 0, ^uint64(1)},
	} {
		r := newRig(cfg, csrr(1, tt.n), csrw(tt.n, 2), csrr(3, tt.n))
		r.Mtvec = 0
		r.X[2] = ^uint64(0)
		r.steps(t, 3)
		if r.X[1] != tt.reset || r.X[3] != tt.ones {
			t.Errorf("%#x: %#x, and %#x when written with ones; want %#x, %#x", tt.n, r.X[1], r.X[3], tt.reset, tt.ones)
		}
	}
	for _, n := range []uint32{csrMCOUNTEREN, csrPMPCFG0, csrPMPADDR0} {
		r := newRig(cfg, csrr(1, n))
		r.Mtval = 5
		r.steps(t, 1)
		r.wantTrap(t, causeIllegal, 5, testRAM) // mbadaddr is not written
	}
	r := newRig(cfg, lw(1, 2, 0))
	r.Mtval, r.X[2] = 5, 0x123
	r.steps(t, 1)
	r.wantTrap(t, causeLoadMisaligned, 0x123, testRAM)
}

// TestInterruptEnableOfVersion191: a trap from user mode saves that mode's enable, which is 0, and MRET to it leaves
// that of machine mode alone.
func TestInterruptEnableOfVersion191(t *testing.T) {
	for _, tt := range []struct {
		old           bool
		trap, machine uint64 // mstatus in the trap, and after MRET to user mode
	}{{false, mstatusMPIE, mstatusMPIE | mstatusMIE}, {true, 0, mstatusMPIE}} {
		cfg := k210()
		cfg.PMP, cfg.Privileged191 = 0, tt.old
		r := newRig(cfg, wordECALL)
		r.Priv, r.Mstatus = UserMode, mstatusMIE
		r.Mtvec = testTrap
		binary.LittleEndian.PutUint32(r.ram[testTrap-testRAM:], wordMRET)
		r.steps(t, 1)
		if r.Mstatus != tt.trap {
			t.Errorf("1.9.1 %v: mstatus %#x in the trap, want %#x", tt.old, r.Mstatus, tt.trap)
		}
		r.steps(t, 1)
		if r.Mstatus != tt.machine || r.Priv != UserMode {
			t.Errorf("1.9.1 %v: mstatus %#x after it, want %#x", tt.old, r.Mstatus, tt.machine)
		}
	}
}
