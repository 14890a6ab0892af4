package conform

import (
	"encoding/binary"
	"fmt"
)

// fake is a machine with three instructions: NOP, MOVS rd, #imm8 and STR rt, [rn]. It has the faults that the
// tests ask for.
type fake struct {
	s     State
	ram   [ramSize]byte
	stray bool // every store also changes a byte elsewhere
}

func (f *fake) Arch() Arch                     { return ARMv7EM }
func (f *fake) Reset()                         { f.s = State{} }
func (f *fake) SetState(s *State)              { f.s = *s }
func (f *fake) State() State                   { return f.s }
func (f *fake) WriteMem(addr uint64, p []byte) { copy(f.ram[addr-0x20000000:], p) }
func (f *fake) ReadMem(addr uint64, p []byte)  { copy(p, f.ram[addr-0x20000000:]) }

func (f *fake) RunUntil(pc uint64, limit int) error {
	for n := 0; f.s.PC != pc; n++ {
		if n == limit {
			return fmt.Errorf("%d instructions run", limit)
		}
		if err := f.step(); err != nil {
			return err
		}
	}
	return nil
}

func (f *fake) step() error {
	insn := binary.LittleEndian.Uint16(f.ram[f.s.PC-0x20000000:])
	switch {
	case insn == 0xBF00:
	case insn>>11 == 0b00100:
		f.s.X[insn>>8&7] = uint64(insn & 0xFF)
	case insn>>6 == 0b0110000000:
		at := f.s.X[insn>>3&7] - 0x20000000
		binary.LittleEndian.PutUint32(f.ram[at:], uint32(f.s.X[insn&7]))
		if f.stray {
			f.ram[at+100]++
		}
	default:
		return fmt.Errorf("undefined instruction %04x at %#x", insn, f.s.PC)
	}
	f.s.PC += 2
	return nil
}

// Valid knows NOP and finds every other hint unpredictable.
func (f *fake) Valid(code []byte) (ok, unpredictable bool) {
	return code[0] == 0 && code[1] == 0xBF, code[1] == 0xBF && code[0] != 0
}
