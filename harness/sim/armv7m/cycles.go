package armv7m

import "math/bits"

// This file is the core's cycle model for memory without wait states. What code
// in SRAM costs beyond it is in fetch.go. Its sources, by the marks used below:
//
//	[T] Cortex-M4 TRM (Arm DDI 0439D) table 3-1, processor instructions, and
//	    table 7-1, floating-point instructions.
//	[P] the same, section 3.3.3, load/store timings: how instructions pair.
//	[K] kernels of 16 instructions and SUBS, BNE, timed on a Cortex-M3 at 0
//	    wait states by DWT; TestKernels reproduces all of them, and
//	    TestKernelsInSRAM the two that were executed from there: ADDS 20 and LDR
//	    29, which are 19 and 20 from flash.
//	[J] pipeline measurements on an STM32F407 rev Y, published by jnk0le.
//	[C] measurements by DWT of how instructions are aligned, published at
//	    compendium.i-0.nl, of a part not named. They make a round of Embench's
//	    crc32 take 23 cycles, as published of an STM32F407, where there were 22.
//	[A] our assumption, not measured.
//
// What the model leaves out: loads that pipeline only within one memory block
// and 32-bit loads that don't when misaligned [J]; NOPs swallowed by stores
// with a register offset [J]; contention of literal loads with the fetch unit
// [P], for which a kernel of 16 loads from flash took 26 cycles and takes 20
// here [K].

// Costs of branches that are taken, beside the instruction's own cycle: P of
// [T], the refill of the pipeline, 1 to 3.
const (
	refillDirect   = 1 // target known early: B, BL, CBZ [K]
	refillRegister = 2 // BX, BLX, writes to PC [A]: known when executed
	refillLoad     = 3 // LDR, LDM and TBB [P]: blocking
	// misalignedRefill is what a 32-bit instruction at the target costs if it
	// straddles two words, for it takes two fetches [T says that P depends on
	// it, C how much].
	misalignedRefill = 1
	worstRefill      = refillLoad + misalignedRefill + systemRefill + systemFetch - 1
)

const (
	skipCost       = 1  // an instruction whose condition fails
	multipleCost   = 1  // LDM, STM: and one a register [T, K]
	barrierCost    = 1  // DSB, DMB with nothing to wait for [T: 1+B]
	isbCost        = 4  // 1 and a refill that isn't speculated [A]
	tableCost      = 3  // TBB: two for the load, one for the sum [P]
	multiplyAddFP  = 3  // VMLA, VFMA and their family [T]
	divideFP       = 14 // VDIV, VSQRT [T]
	divideMost     = 12 // SDIV, UDIV [T, K]
	divideLeast    = 2  // [T]
	unalignedHalf  = 1  // a halfword in two bytes, a word in two halfwords [P]
	unalignedWord  = 2  // a word in three pieces [P]
	coreTransferFP = 2  // VMOV of two registers [T]
	apartCost      = 1  // the third in a row of 32-bit instructions that straddle words [C]
)

// targetRefill is what a taken branch costs in addition because of its target.
func targetRefill(in *insn, pc uint32) (cycles uint64) {
	straddles := in.wide && pc&2 != 0
	if straddles {
		cycles += misalignedRefill
	}
	if onSystemBus(pc) {
		cycles += systemRefill
		if straddles {
			cycles += systemFetch - 1 // the second word isn't back to back either
		}
	}
	return cycles
}

// staticCost returns the cycles of an instruction by itself, with every branch
// not taken and every divide at its least.
func staticCost(in *insn) uint8 {
	switch op := in.op; {
	case op >= opLDRi && op <= opLDRSHT:
		return 2
	case op == opSTRr, op == opSTRBr, op == opSTRHr:
		return 2
	case op == opLDM, op == opSTM:
		return uint8(multipleCost + bits.OnesCount32(in.imm))
	case op == opVLDM, op == opVSTM:
		return uint8(multipleCost + in.imm>>16)
	case op == opLDRD, op == opSTRD:
		return multipleCost + 2
	case op >= opLDREX && op <= opSTREXH:
		return 2
	case op == opTBB, op == opTBH:
		return tableCost
	case op == opSDIV, op == opUDIV:
		return divideLeast
	case op == opBarrier:
		if in.a == isb {
			return isbCost
		}
		return barrierCost
	case op >= opVMLA && op <= opVNMLS, op >= opVFMA && op <= opVFNMS:
		return multiplyAddFP
	case op == opVDIV, op == opVSQRT:
		return divideFP
	case op == opVMOVto2, op == opVMOVfrom2:
		return coreTransferFP
	}
	return 1
}

// worstDynamic is the most that execution adds to staticCost, but for taken
// branches and the data accesses after which exec looks at the limit again.
func worstDynamic(in *insn) uint64 {
	if in.op == opSDIV || in.op == opUDIV {
		return divideMost - divideLeast
	}
	return 0
}

// divideCycles returns the cycles of n / d. Arm says no more than 2 to 12 with
// early termination on the operands' leading zeros [T]; 3 and 12 were measured
// for quotients of one and of 32 bits [K]. The line in between is an
// interpolation [A], right at both ends; a quotient of 0 takes 2.
func divideCycles(n, d uint32) uint64 {
	if d == 0 || n < d {
		return divideLeast
	}
	quotient := uint64(bits.LeadingZeros32(d) - bits.LeadingZeros32(n)) // bits, less one
	return 3 + quotient*3/10
}

// pipe is what an instruction means for the cost of the next one. It holds a
// kind and two registers; noRegister is none.
type pipe uint16

const (
	pipeResult pipe = iota + 1 // registers written late in the pipeline
	pipeLoad                   // register loaded, and base written back
	pipeStore
	pipeFP // single-precision register written

	pipeNarrow pipe = 1 << 15 // it was 16 bits long

	// pipeApart and twice pipeApart2 are how many of the last instructions
	// in a row were 32 bits long and straddled words, up to 3.
	pipeApart  pipe = 1 << 3
	pipeApart2 pipe = 1 << 14
	noRegister      = 31
)

func makePipe(kind pipe, a, b uint8) pipe { return kind | pipe(a)<<4 | pipe(b)<<9 }

func (p pipe) kind() pipe { return p & 7 }

func (p pipe) writes(r uint8) bool {
	return r != noRegister && (uint8(p>>4)&31 == r || uint8(p>>9)&31 == r)
}

// pipeAfter returns what an instruction at pc leaves for the next one.
func pipeAfter(in *insn, pc uint32, before pipe) pipe {
	p := pipeOf(in)
	if !in.wide {
		return p | pipeNarrow
	}
	if pc&2 != 0 {
		p = p.withApart(min(before.apart()+1, 3))
	}
	return p
}

func (p pipe) apart() (n int) {
	if p&pipeApart != 0 {
		n = 1
	}
	if p&pipeApart2 != 0 {
		n += 2
	}
	return n
}

func (p pipe) withApart(n int) pipe {
	p &^= pipeApart | pipeApart2
	if n&1 != 0 {
		p |= pipeApart
	}
	if n&2 != 0 {
		p |= pipeApart2
	}
	return p
}

// behind is p, left by an instruction at the start of a block, with what the one before
// had left.
func (p pipe) behind(before pipe) pipe {
	if p.apart() == 0 {
		return p
	}
	return p.withApart(min(before.apart()+1, 3))
}

func pipeOf(in *insn) pipe {
	switch op := in.op; {
	case op >= opSMULL && op <= opUMLAL, op >= opSMLALxy && op <= opUMAAL:
		return makePipe(pipeResult, in.d, in.a)
	case op >= opANDi && op <= opRORSr, op >= opMOVT && op <= opUDIV, op >= opQADD && op < opFirstFP, op == opMRS:
		return makePipe(pipeResult, in.d, noRegister)
	case op >= opLDRpre && op <= opLDRSHpost:
		return makePipe(pipeLoad, in.d, in.n)
	case op >= opLDRi && op <= opLDRSHT, op >= opLDREX && op <= opSTREXH:
		return makePipe(pipeLoad, in.d, noRegister)
	case op >= opSTRi && op <= opSTRHT:
		return pipeStore
	case op >= opVMLA && op <= opVMOV && op != opVMOVi && op != opVMOV, op >= opVSQRT && op <= opVCVTtoFix && op != opVCMP && op != opVCMPz:
		return makePipe(pipeFP, in.d, noRegister)
	}
	return 0
}

// adjust returns the cycles that the instructions before add to staticCost.
func (p pipe) adjust(in *insn, pc uint32) int {
	n := p.pair(in)
	if p.apart() == 2 && in.wide && pc&2 != 0 {
		n += apartCost
	}
	return n
}

// pair is the part of adjust that the very last instruction decides.
func (p pipe) pair(in *insn) int {
	if in.op == opIT && p&pipeNarrow != 0 {
		return -1 // folded [T]
	}
	base, index, access := in.address()
	dependent := access && (p.writes(base) || p.writes(index))
	switch p.kind() {
	case pipeResult:
		if dependent {
			return 1 // the address is needed a cycle early [P, J]
		}
	case pipeLoad:
		return afterLoad(in, dependent)
	case pipeStore:
		if in.op >= opLDRi && in.op <= opLDRSHT {
			return 1 // [J]
		}
	case pipeFP:
		if in.readsFP(p) {
			return 1 // [T]
		}
	}
	return 0
}

// afterLoad is what a load saves its successor.
func afterLoad(in *insn, dependent bool) int {
	switch op := in.op; {
	case op == opNOP:
		return -1 // swallowed [J]
	case dependent:
		return 0
	case op >= opLDRi && op <= opLDRSHT, op >= opLDREX && op <= opSTREXH:
		return -1 // N loads take N + 1 [P, K]
	case op >= opSTRi && op <= opSTRHT:
		return -1 // [P, J]; an immediate offset hides all of it
	}
	return 0
}

// address returns the core registers that make up an instruction's address.
func (in *insn) address() (base, index uint8, access bool) {
	switch op := in.op; {
	case op >= opLDRr && op <= opLDRSHr, op >= opSTRr && op <= opSTRHr, op == opTBB, op == opTBH:
		return in.n, in.m, true
	case op >= opLDRl && op <= opLDRSHl:
		return noRegister, noRegister, true
	case op >= opLDRi && op <= opSTREXH, op == opVLDM, op == opVSTM:
		return in.n, noRegister, true
	}
	return noRegister, noRegister, false
}

// readsFP says whether the instruction needs the register of p as soon as it
// starts; a multiply-add needs its addend a cycle later [T].
func (in *insn) readsFP(p pipe) bool {
	switch op := in.op; {
	case op == opVMOVfromS:
		return p.writes(in.n)
	case op == opVMOVfrom2:
		return p.writes(in.d) || p.writes(in.d+1)
	case op == opVSTM:
		first := uint8(p>>4) & 31
		return first >= in.d && uint32(first) < uint32(in.d)+in.imm>>16
	case op == opVCMP:
		return p.writes(in.d) || p.writes(in.m)
	case op == opVCMPz, op == opVCVTfromFix, op == opVCVTtoFix:
		return p.writes(in.d)
	case op >= opVMLA && op <= opVFNMS:
		return p.writes(in.n) || p.writes(in.m)
	case op >= opVMOV && op <= opVCVTtoInt:
		return p.writes(in.m)
	}
	return false
}
