package riscv

import (
	"encoding/binary"
	"testing"

	"rigor/harness/sim/bus"
)

// Encoders of the formats (volume I 2.2) for the tests' programs.
func iType(major, f3, rd, rs1 uint32, imm int) uint32 {
	return uint32(imm)<<20 | rs1<<15 | f3<<12 | rd<<7 | major
}

func sType(f3, rs2, rs1 uint32, imm int) uint32 {
	return uint32(imm)>>5<<25 | rs2<<20 | rs1<<15 | f3<<12 | uint32(imm)&31<<7 | majorSTORE
}

func rType(f7, f3, rd, rs1, rs2 uint32) uint32 {
	return f7<<25 | rs2<<20 | rs1<<15 | f3<<12 | rd<<7 | majorOP
}

func addi(rd, rs1 uint32, imm int) uint32 { return iType(majorOPIMM, 0, rd, rs1, imm) }
func lui(rd, v uint32) uint32             { return v&^0xFFF | rd<<7 | majorLUI }
func lw(rd, rs1 uint32, imm int) uint32   { return iType(majorLOAD, 2, rd, rs1, imm) }
func sw(rs2, rs1 uint32, imm int) uint32  { return sType(2, rs2, rs1, imm) }
func csrr(rd, n uint32) uint32            { return n<<20 | 2<<12 | rd<<7 | majorSYSTEM }
func csrw(n, rs1 uint32) uint32           { return n<<20 | rs1<<15 | 1<<12 | majorSYSTEM }
func jump(rd uint32, offset int) uint32 {
	imm := uint32(offset)
	return imm>>20&1<<31 | imm>>1&0x3FF<<21 | imm>>11&1<<20 | imm>>12&0xFF<<12 | rd<<7 | majorJAL
}

const (
	nop = 0x00000013

	testRAM  = 0x40380000
	testTrap = testRAM + 0x1000 // where traps lead to: loops at all 32 vectors
)

// rig is a core of the ESP32-C3 with a program at the start of its RAM.
type rig struct {
	*Core
	ram []byte
}

func newRig(cfg Config, program ...uint32) *rig {
	r := &rig{ram: make([]byte, 0x4000)}
	for i, w := range program {
		binary.LittleEndian.PutUint32(r.ram[4*i:], w)
	}
	for n := range 32 {
		binary.LittleEndian.PutUint32(r.ram[testTrap-testRAM+4*n:], branch(0, 0, 0, 0))
	}
	r.Core = New(cfg)
	r.Map([]Region{{Name: "ram", Base: testRAM, Data: r.ram, Write: true, Exec: true}})
	r.Reset(testRAM)
	r.Mtvec = testTrap | 1
	return r
}

// steps executes some instructions one by one.
func (r *rig) steps(t *testing.T, n int) {
	t.Helper()
	for range n {
		if stop := r.Step(); stop.Reason != Deadline {
			t.Fatalf("%+v", stop)
		}
	}
}

func (r *rig) wantTrap(t *testing.T, cause, tval, epc uint64) {
	t.Helper()
	if r.Mcause != cause || r.Mtval != tval || r.Mepc != epc {
		t.Errorf("mcause %#x, mtval %#x, mepc %#x; want %#x, %#x, %#x", r.Mcause, r.Mtval, r.Mepc, cause, tval, epc)
	}
}

// partBus is a device at 0x60000000 that has one register and lacks another.
type partBus struct{}

func (partBus) Load(addr uint64, width uint8) (uint64, bus.Fault) {
	switch addr {
	case 0x60000000:
		return 0x80000001, bus.None
	case 0x60000004:
		return 0, bus.Unmodelled
	}
	return 0, bus.Error
}

func (partBus) Store(addr uint64, width uint8, v uint64) bus.Fault {
	_, f := partBus{}.Load(addr, width)
	return f
}
