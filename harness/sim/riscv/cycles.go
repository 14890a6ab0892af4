package riscv

// Timing is what instructions cost, in cycles, where memory doesn't make them wait.
// All instructions that it doesn't name take one.
type Timing struct {
	Taken    uint8 // a conditional branch that is taken
	Jump     uint8 // JAL
	Indirect uint8 // JALR
	LoadUse  uint8 // more, where the next instruction needs what was loaded
	Multiply uint8
	High     uint8 // MULH and its kin
	Divide   uint8
	// Misaligned is more, of a load or store that isn't aligned.
	Misaligned uint8
	Trap       uint8 // entry to a trap, beyond the instruction that it precedes or interrupts
	Return     uint8 // MRET
	// Latency passes before the core sees an interrupt.
	Latency uint8
}

// ESP32C3Timing is the default. Sources:
//
//	[T] ESP32-C3 TRM, chapter 1: four stages, in order, scalar; memory and cache without
//	    wait cycles. 1.5.3.1: the interrupt controller takes 4 cycles.
//	[R] RIOT's calibrated loop of ADDI, BNEZ: 4 cycles.
//	[W] issue 4206 of WLED, operations a second in loops at 160 MHz: 127.08 M additions,
//	    120.74 M multiplications, 4.63 M divisions, 36.82 M 64-bit additions (4
//	    instructions). So an addition takes 1 cycle and the loop a quarter of one
//	    each; a multiplication 1, a division 34.
//	[A] our assumption, not measured.
//
// CoreMark, built by GCC 12.2 -O3 for rv32imc and executed from internal RAM, takes 382,574
// cycles an iteration in this model. Espressif publishes 409.25 iterations a second at 160 MHz, which
// are 390,957: the model is 2.1 % too fast. The difference would go away if MUL took 2 cycles, or
// JAL 3; nothing published says which, so neither is assumed.
var ESP32C3Timing = Timing{
	Taken:      3,  // [R]
	Jump:       2,  // [A]
	Indirect:   3,  // [A]
	LoadUse:    1,  // [A]
	Multiply:   1,  // [W]
	High:       1,  // [A]
	Divide:     34, // [W]
	Misaligned: 1,  // [A]
	Trap:       3,  // [A] the refill of a taken branch, and one
	Return:     3,  // [A]
	Latency:    4,  // [T]
}

// staticCost returns the cycles of an instruction, with no branch taken.
func (t *Timing) staticCost(in *insn) uint8 {
	switch op := in.op; {
	case op == opMUL, op == opMULW:
		return t.Multiply
	case op >= opMULH && op <= opMULHU, op >= opMULHW && op <= opMULHUW:
		return t.High
	case op >= opDIV && op <= opREMU, op >= opDIVW && op <= opREMUW:
		return t.Divide
	}
	return 1
}

// takenCost returns the cycles of a branch that is taken, and of what always
// goes somewhere else.
func (t *Timing) takenCost(in *insn) uint8 {
	switch op := in.op; {
	case op >= opBEQ && op <= opBGEU:
		return t.Taken
	case op == opJ, op == opJAL:
		return t.Jump
	case op == opJR, op == opJALR:
		return t.Indirect
	case op == opMRET:
		return t.Return
	}
	return 1
}

// worst is more than what any instruction adds to its block behind staticCost, but
// for the data accesses after which exec looks at the limit again.
func (t *Timing) worst() uint64 { return uint64(max(t.Taken, t.Jump, t.Indirect)) }
