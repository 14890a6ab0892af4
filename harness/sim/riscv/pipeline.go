package riscv

// Pipeline is the registers whose values are late: up to four, the latest first. Each has 16 bits: its number in the lower 8, and
// in the upper ones how many cycles an instruction that needs it has to wait, if it is the next one.
//
// It depends on nothing but the instructions executed since the last jump, so it is known when code is
// decoded: see block.entry.
type Pipeline uint64

// secondWord stands among registers for the second word of an instruction that straddles two words. x0, of which it has
// the number, is never late.
const secondWord = 0

// wait is how long an instruction that uses a set of registers has to wait.
func (p Pipeline) wait(uses uint64) (cycles uint8) {
	for ; p != 0; p >>= 16 {
		if uses>>(p&0x3F)&1 != 0 {
			cycles = max(cycles, uint8(p>>8))
		}
	}
	return cycles
}

// after is what remains after some cycles.
func (p Pipeline) after(cycles uint8) (q Pipeline) {
	for shift := uint(0); p != 0; p >>= 16 {
		if left := uint8(p >> 8); left > cycles {
			q |= (p&0xFF | Pipeline(left-cycles)<<8) << shift
			shift += 16
		}
	}
	return q
}

// with adds a register that is late; the oldest of five is forgotten.
func (p Pipeline) with(register, cycles uint8) Pipeline {
	if cycles == 0 {
		return p
	}
	return p<<16 | Pipeline(cycles)<<8 | Pipeline(register)
}
