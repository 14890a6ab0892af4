package armv7m

import (
	"fmt"

	"rigor/harness/sim/bus"
	"rigor/harness/sim/conform"
)

// Machine is a core with 64 KB of RAM, as package conform runs vectors on it.
type Machine struct {
	// Stepwise executes instruction by instruction instead of in blocks.
	Stepwise bool
	c        *Core
	ram      []byte
}

const machineRAM = 0x20000000

// NewMachine makes a Machine with the identity of a Cortex-M4 r0p1.
func NewMachine() *Machine {
	m := &Machine{ram: make([]byte, 64<<10)}
	m.c = New(Config{CPUID: 0x410FC241, IRQs: 82, PrioBits: 4, RefDiv: 8, Bus: emptyBus{}})
	m.c.Map([]Region{{Name: "ram", Base: machineRAM, Data: m.ram, Write: true}})
	return m
}

// emptyBus is a bus with nothing on it.
type emptyBus struct{}

func (emptyBus) Load(uint32, uint8) (uint32, bus.Fault) { return 0, bus.Error }
func (emptyBus) Store(uint32, uint8, uint32) bus.Fault  { return bus.Error }

// Arch implements conform.Machine.
func (m *Machine) Arch() conform.Arch { return conform.ARMv7EM }

// Reset implements conform.Machine.
func (m *Machine) Reset() {
	m.c.Reset()
	m.c.Sys.CPACR = cpacrFull
	m.c.Control = controlFPCA
}

// SetState implements conform.Machine.
func (m *Machine) SetState(s *conform.State) {
	c := m.c
	for i := range 15 {
		c.R[i] = uint32(s.X[i])
	}
	c.R[15] = uint32(s.PC)
	for i, v := range s.F {
		c.S[i] = uint32(v)
	}
	c.FPSCR = uint32(s.FCSR)
	c.SetXPSR(uint32(s.Status))
}

// State implements conform.Machine.
func (m *Machine) State() (s conform.State) {
	c := m.c
	for i := range 15 {
		s.X[i] = uint64(c.R[i])
	}
	for i, v := range c.S {
		s.F[i] = uint64(v)
	}
	s.PC, s.Status, s.FCSR = uint64(c.R[15]), uint64(c.XPSR()), uint64(c.FPSCR)
	return s
}

// WriteMem implements conform.Machine.
func (m *Machine) WriteMem(addr uint64, p []byte) {
	copy(m.ram[addr-machineRAM:], p)
	m.c.Invalidate(uint32(addr), uint32(len(p)))
}

// ReadMem implements conform.Machine.
func (m *Machine) ReadMem(addr uint64, p []byte) { copy(p, m.ram[addr-machineRAM:]) }

// RunUntil implements conform.Machine.
func (m *Machine) RunUntil(pc uint64, limit int) error {
	if m.Stepwise {
		return m.stepUntil(uint32(pc), limit)
	}
	m.c.SetBreakpoint(uint32(pc), true)
	defer m.c.SetBreakpoint(uint32(pc), false)
	if m.c.R[15] == uint32(pc) {
		return nil
	}
	const most = 20 // cycles of an instruction
	if stop := m.c.Run(m.c.Cycle + uint64(limit)*most); stop.Reason != Breakpoint {
		return fmt.Errorf("stopped at %#x: %v %s, CFSR %#x", stop.PC, stop.Reason, stop.What, m.c.Sys.CFSR)
	}
	return nil
}

func (m *Machine) stepUntil(pc uint32, limit int) error {
	for range limit {
		if m.c.R[15] == pc {
			return nil
		}
		if stop := m.c.Step(); stop.Reason != Deadline || m.c.IPSR != 0 {
			return fmt.Errorf("stopped at %#x: %v %s, CFSR %#x", stop.PC, stop.Reason, stop.What, m.c.Sys.CFSR)
		}
	}
	return fmt.Errorf("at %#x after %d instructions", m.c.R[15], limit)
}

// Valid implements conform.Decoder. Hints that the manual doesn't allocate
// count as unpredictable.
func (m *Machine) Valid(code []byte) (ok, unpredictable bool) {
	h1, h2 := halfword(code), uint32(0)
	if isWide(h1) {
		h2 = halfword(code[2:])
	}
	in := decode(0, h1, h2, 0)
	return in.op > opUnpredictable, in.op == opUnpredictable || in.op == opNOP && in.a != 0
}
