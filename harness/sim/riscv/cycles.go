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
// The model against what was measured: [R] 4 cycles, which are exact by construction. [W] 128.0 M additions,
// 0.7 % too many, multiplications 6 %, divisions 0.9 % and 64-bit additions 2.3 %. Of 64-bit multiplications, which
// are MULHU, three MUL and two ADD if no more, [W] counts 15.50 M and the model 25.6 M: MULH may well take 5
// cycles, which nothing published says.
//
// CoreMark, built by GCC 12.2.0 with -O3 -fjump-tables -ftree-switch-conversion for rv32imc, executed from internal
// RAM of the simulated chip and validated by its own checks, takes 14.345 s at 160 MHz for 6000 iterations, 382,543
// cycles each. Espressif publishes 14.661 s for as many, which are 409.25 a second and 390,957 cycles each, with the
// same version and flags: the model is 2.2 % too fast. It would be right within 0.4 % if MUL took 2 cycles, or JAL 3;
// nothing published says which, so neither is assumed.
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
