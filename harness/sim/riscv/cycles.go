package riscv

import "math/bits"

// Timing is what instructions cost, in cycles, where memory doesn't make them wait.
// All instructions that it doesn't name take one.
//
// What is late is had by the next instruction only after so many cycles more, and by later
// ones that much sooner.
type Timing struct {
	Taken    uint8 // a conditional branch that is taken
	Jump     uint8 // JAL
	Indirect uint8 // JALR
	// Mispredict is more, of a branch or jump that Predictor gets wrong; 0 is no prediction.
	Mispredict uint8
	Straddle   uint8 // late: the second half of an instruction that is jumped to and isn't aligned

	LoadUse uint8 // late: what is loaded
	Narrow  uint8 // later than that: bytes, halfwords and what SC returns

	Multiply    uint8
	High        uint8 // MULH and its kin
	MultiplyUse uint8 // late: products
	Divide      uint8
	// Iterates adds to products and quotients what iterations takes.
	Iterates bool

	// Misaligned is more, of a load or store that isn't aligned.
	Misaligned uint8
	Trap       uint8 // entry to a trap, beyond the instruction that it precedes or interrupts
	Return     uint8 // MRET
	Flush      uint8 // more, of FENCE.I and of writing to a CSR that instructions behind it depend on
	CSRUse     uint8 // late: what is read from a CSR
	// Latency passes before the core sees an interrupt.
	Latency uint8

	FloatLoad   uint8 // late: FLW, FLD
	FloatUse    uint8 // late: what is computed, but for
	DoubleUse   uint8 // late: sums and products of doubles
	FloatToX    uint8 // late: what goes to an integer register
	FloatDivide uint8 // more
	FloatRoot   uint8 // more
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

// K210Timing is that of the K210's cores. They are Rocket cores: five stages, in order. Those that have, as they do, version 1.9.1 of
// the privileged architecture are in rocket-chip until March 2017. Sources:
//
//	[B] rocket-chip 9bfcb40 of February 2017 in the configuration WithNBigCores: Rocket.scala, Multiplier.scala, BTB.scala,
//	    Frontend.scala, tile/FPU.scala. What the K210's makers have changed isn't published.
//	[H] berkeley-hardfloat, doc/divSqrtRecodedFloat64_mulAddZ31.txt: 19 cycles or less to divide, 27 for a root.
//	[A] our assumption.
//
// CoreMark has been published for the K210 with 697.79 iterations a second at 400 MHz, 1.74/MHz, by GCC 8.2.0 (issue 1 of
// PaulStoffregen/CoreMark). Its flags are those of Maixduino 0.3.11: -Os -march=rv64imafc -mabi=lp64f --no-relax. The clock isn't known
// better than by 3 %, for 26 MHz doesn't give 800 for the PLL: 390 MHz would be 1.79/MHz, and 403, 1.73. The same
// source and flags with GCC 12.2.0, executed from memory behind caches that miss in 40 cycles, and validated by its own checks, take
// 503,159 cycles an iteration here, 1.99/MHz: the model is 14 % too fast, together with the compiler. What a compiler may change is as much:
// -fno-jump-tables alone makes it 1.85, -fno-inline 1.87, -O2 2.14. Of the SiFive U54, a Rocket core of a year later with better
// prediction, 2.69/MHz are published by GCC 8.2.1 with all flags (benchmark-coremark 287f632); by the same flags the
// model gets 2.43, 10 % less. Nothing is published that tells the core's part from the compiler's, so nothing has been fitted.
//
// Of the caches, 32 KiB each in lines of 64 bytes, 8 ways are [A]: as many as lines take that are indexed within a page of 4 KiB. Rocket
// replaces at random, the model what was used longest ago.
//
// What isn't in the model: loads right behind stores to the same word, which are replayed; the one port
// through which products and what was missed in the cache are written; multiplications in a row, which wait for the
// multiplier; waits of AMO and FENCE for memory; the interlock of a register that is written twice. A value that is late is not
// waited for behind a jump. Quotients and roots are waited for at once.
var K210Timing = Timing{
	Taken:      1, // [B] predicted by the buffer, which is looked up in the first of the two cycles of a fetch
	Jump:       1, // [B]
	Indirect:   1, // [B]
	Mispredict: 3, // [B] branches are resolved in the memory stage: fetches take two cycles from there
	Straddle:   1, // [B] a word is fetched each cycle

	LoadUse:     1, // [B] bypassed from the memory stage
	Narrow:      1, // [B] not bypassed (fastLoadByte)
	Multiply:    1,
	High:        1,
	MultiplyUse: 4, // [B] two iterations at least, see iterations
	Divide:      1,
	Iterates:    true,

	Trap:   5, // [B] taken in the write-back stage
	Return: 5, // [B]
	Flush:  3, // [B] from the memory stage
	CSRUse: 2, // [B] not bypassed

	FloatLoad:   3,  // [B] no bypasses: read when it has been written
	FloatUse:    3,  // [B]
	DoubleUse:   5,  // [B] dfmaLatency is 4: the scoreboard takes one more cycle each to set and clear
	FloatToX:    2,  // [B]
	FloatDivide: 21, // [B] [H] and the stages before and behind
	FloatRoot:   29, // [B] [H]
}

// iterations is the cycles that a product or quotient takes beyond Timing. Rocket's multiplier takes 8 bits a cycle of its first
// operand and ends when the rest of them are 0; its divider finds one bit of the quotient a cycle, beginning with the first
// that can be 1 (Multiplier.scala with mulUnroll 8, mulEarlyOut and divEarlyOut).
func iterations(o op, a, b uint64) uint64 {
	switch o {
	case opMUL:
		return multiplySteps(bits.Len64(a)) - 2
	case opMULW: // [A] the upper half counts as 0
		return multiplySteps(bits.Len32(uint32(a))) - 2
	case opMULHU:
		return 7
	case opMULH, opMULHSU:
		return 7 + a>>63
	case opDIVW, opREMW:
		a, b = uint64(int64(int32(a))), uint64(int64(int32(b)))
	case opDIVUW, opREMUW:
		a, b = uint64(uint32(a)), uint64(uint32(b))
	}
	return divideSteps(o, a, b)
}

// multiplySteps is the iterations for the significant bits of an operand, with that which finds the rest 0.
func multiplySteps(width int) uint64 { return min(max(uint64(width+7)/8, 1)+1, 8) }

func divideSteps(o op, a, b uint64) (cycles uint64) {
	remainder := o == opREM || o == opREMU || o == opREMW || o == opREMUW
	if o == opDIV || o == opREM || o == opDIVW || o == opREMW {
		negative := int64(a) < 0
		if int64(a) < 0 || int64(b) < 0 { // operands are made positive, and the result negative
			cycles++
			if !remainder {
				negative = b != 0 && negative != (int64(b) < 0)
			}
			cycles += truth(negative)
		}
		a, b = magnitude(a), magnitude(b)
	}
	cycles += 2 + truth(remainder)
	switch x, y := bits.Len64(a), bits.Len64(b); {
	case b == 0 || x-y == 63:
		return cycles + 65
	case x < y:
		return cycles + 3
	default:
		return cycles + 3 + uint64(x-y)
	}
}

func magnitude(v uint64) uint64 {
	if int64(v) < 0 {
		return -v
	}
	return v
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
	case op == opFENCEI, op == opCSR && in.flushes():
		return 1 + t.Flush
	case op == opFP:
		return 1 + t.floatCost(uint32(in.imm))
	}
	return 1
}

// flushes says whether an instruction writes to a CSR that those behind it may depend on. The others are Rocket's safe_csrs.
func (in *insn) flushes() bool {
	if in.a&3 != 1 && in.n == 0 {
		return false
	}
	switch uint16(in.imm) {
	case csrMSCRATCH, csrMEPC, csrMCAUSE, csrMTVAL:
		return false
	}
	return true
}

func (t *Timing) floatCost(w uint32) uint8 {
	if w&0x7F == majorOPFP {
		switch field(w, 31, 27) {
		case fpDIV:
			return t.FloatDivide
		case fpSQRT:
			return t.FloatRoot
		}
	}
	return 0
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

// late returns the register, if any, whose value an instruction has late, and by how much.
func (t *Timing) late(in *insn) (register, cycles uint8) {
	switch op := in.op; {
	case op == opFLW, op == opFLD:
		return firstF + in.d, t.FloatLoad
	case op == opFP:
		return t.floatLate(in)
	case in.d == 0:
		return 0, 0
	case op == opLW, op == opLD, op == opLWU, op == opLR, op == opAMO:
		return in.d, t.LoadUse
	case in.isLoad(), op == opSC:
		return in.d, t.LoadUse + t.Narrow
	case op >= opMUL && op <= opMULHU, op >= opMULW && op <= opMULHUW:
		return in.d, t.MultiplyUse
	case op == opCSR:
		return in.d, t.CSRUse
	}
	return 0, 0
}

func (t *Timing) floatLate(in *insn) (register, cycles uint8) {
	w := uint32(in.imm)
	operation := field(w, 31, 27)
	fused := w&0x7F != majorOPFP
	switch {
	case !fused && (operation == fpDIV || operation == fpSQRT):
		return 0, 0
	case !fused && (operation == fpCMP || operation == fpToX || operation == fpMVtoX):
		if in.d == 0 {
			return 0, 0
		}
		return in.d, t.FloatToX
	case field(w, 26, 25) == fmtD && (fused || operation <= fpMUL):
		return firstF + in.d, t.DoubleUse
	}
	return firstF + in.d, t.FloatUse
}

// jumped is the state of the pipeline behind a jump to an address.
func (t *Timing) jumped(to uint64) (p Pipeline) {
	if to&2 != 0 {
		return p.with(secondWord, t.Straddle)
	}
	return p
}

// extra is the most that execution adds to an instruction's static cost.
func (t *Timing) extra(in *insn) uint8 {
	switch op := in.op; {
	case op >= opBEQ && op <= opJALR:
		return t.Mispredict
	case t.Iterates && (op >= opMUL && op <= opMULHU || op >= opMULW && op <= opMULHUW):
		return 8
	case t.Iterates && op >= opDIV && op <= opREMUW:
		return 70
	}
	return 0
}

// worst is more than what jumps add to their block behind staticCost, but
// for the data accesses after which exec looks at the limit again.
func (t *Timing) worst() uint64 { return uint64(max(t.Taken, t.Jump, t.Indirect)) }
