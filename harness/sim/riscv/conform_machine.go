package riscv

import (
	"fmt"

	"rigor/harness/sim/bus"
	"rigor/harness/sim/conform"
)

// Machine is a core with 64 KB of RAM, as package conform runs vectors on it.
type Machine struct {
	// Stepwise executes instruction by instruction instead of in blocks.
	Stepwise bool
	arch     conform.Arch
	c        *Core
	ram      []byte
}

const machineRAM = 0x80000000

// NewMachine makes a Machine for RV32IMC or RV64GC: like the core of the ESP32-C3 or those
// of the K210, but with standard counters.
func NewMachine(arch conform.Arch) *Machine {
	cfg := Config{XLEN: 32, Ext: ExtM | ExtC | ExtU, PMP: 16, Misaligned: true, Bus: emptyBus{}}
	if arch == conform.RV64GC {
		cfg.XLEN, cfg.Ext = 64, cfg.Ext|ExtA|ExtF|ExtD
	}
	m := &Machine{arch: arch, ram: make([]byte, 64<<10), c: New(cfg)}
	m.c.Map([]Region{{Name: "ram", Base: machineRAM, Data: m.ram, Write: true, Exec: true}})
	return m
}

// emptyBus is a bus with nothing on it.
type emptyBus struct{}

func (emptyBus) Load(uint64, uint8) (uint64, bus.Fault) { return 0, bus.Error }
func (emptyBus) Store(uint64, uint8, uint64) bus.Fault  { return bus.Error }

// Arch implements conform.Machine.
func (m *Machine) Arch() conform.Arch { return m.arch }

// Reset implements conform.Machine.
func (m *Machine) Reset() {
	m.c.Reset(machineRAM)
	m.c.Mstatus = mstatusFS
}

// SetState implements conform.Machine.
func (m *Machine) SetState(s *conform.State) {
	c := m.c
	for i, v := range s.X {
		c.X[i] = c.extend(v)
	}
	c.PC, c.F, c.FCSR = s.PC, s.F, uint32(s.FCSR)
}

// State implements conform.Machine.
func (m *Machine) State() (s conform.State) {
	c := m.c
	for i, v := range c.X {
		s.X[i] = v & c.mask
	}
	s.PC, s.F, s.FCSR = c.PC, c.F, uint64(c.FCSR)
	return s
}

// WriteMem implements conform.Machine.
func (m *Machine) WriteMem(addr uint64, p []byte) {
	copy(m.ram[addr-machineRAM:], p)
	m.c.Invalidate(addr, uint64(len(p)))
}

// ReadMem implements conform.Machine.
func (m *Machine) ReadMem(addr uint64, p []byte) { copy(p, m.ram[addr-machineRAM:]) }

// RunUntil implements conform.Machine.
func (m *Machine) RunUntil(pc uint64, limit int) error {
	if m.Stepwise {
		return m.stepUntil(pc, limit)
	}
	m.c.SetBreakpoint(pc, true)
	defer m.c.SetBreakpoint(pc, false)
	if m.c.PC == pc {
		return nil
	}
	const most = 40 // cycles of an instruction
	if stop := m.c.Run(m.c.Cycle + uint64(limit)*most); stop.Reason != Breakpoint {
		return m.stopped(stop)
	}
	return nil
}

func (m *Machine) stopped(stop Stop) error {
	return fmt.Errorf("stopped at %#x: %v %s, mcause %d, mepc %#x", stop.PC, stop.Reason, stop.What, m.c.Mcause, m.c.Mepc)
}

func (m *Machine) stepUntil(pc uint64, limit int) error {
	for range limit {
		if m.c.PC == pc {
			return nil
		}
		if stop := m.c.Step(); stop.Reason != Deadline || m.c.Mepc != 0 {
			return m.stopped(stop)
		}
	}
	return fmt.Errorf("at %#x after %d instructions", m.c.PC, limit)
}

// Valid implements conform.Decoder. What the manual reserves counts as unpredictable:
// fields of fences that implementations are to ignore (volume I 2.7), shifts of 32-bit
// registers by more and C.LUI of 0.
func (m *Machine) Valid(code []byte) (ok, unpredictable bool) {
	w, _ := instruction(code)
	d := decoder{rv32: m.c.cfg.XLEN == 32, ext: m.c.cfg.Ext}
	var reserved bool
	switch {
	case w&0x7F == majorMISCMEM:
		reserved = field(w, 14, 12) <= 1
	case w&0x7F == majorOPIMM:
		reserved = d.rv32 && field(w, 13, 12) == 1 && field(w, 25, 25) == 1
	case w&0xE003 == 0x6001: // C.LUI, C.ADDI16SP
		reserved = imm6(w) == 0
	case w&0xE003 == 0x0002, w&0xE803 == 0x8001: // C.SLLI; C.SRLI, C.SRAI
		reserved = d.rv32 && imm6(w) >= 32
	}
	return d.decode(0, w).op != opIllegal, reserved
}
