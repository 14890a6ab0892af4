package armv7m

// insn is one decoded instruction: a dense opcode and its operands. What the
// operand fields mean beyond d, n, m (registers) is said at the opcode.
type insn struct {
	op   op
	d    uint8 // destination, or the register transferred
	n    uint8 // first operand, or base
	m    uint8 // second operand, or index
	a    uint8 // a fourth register, a shift (see shift), or a variant
	it   uint8 // ITSTATE before this instruction; 0 outside IT blocks
	idx  uint8 // instructions before this one in its block
	cost uint8 // cycles, but for what only execution can tell
	wide bool  // 32 bits long
	pipe pipe  // what the instruction before left; 0 at a block's start
	imm  uint32
	off  uint16 // of the instruction from its block's start, in bytes
	pre  uint16 // static cycles before this instruction in its block
}

// size is the instruction's length in bytes.
func (in *insn) size() uint32 {
	if in.wide {
		return 4
	}
	return 2
}

// op is an opcode of the executor. The switch over it is dense so that it
// becomes a jump table.
type op uint16

// Suffixes: i immediate operand, r register operand, x shifted register
// operand, S sets flags. The flag-setting opcode follows the other.
const (
	opUndefined     op = iota // must be the zero value
	opUnpredictable           // refused like the former

	opANDi
	opANDSi
	opANDr
	opANDSr
	opANDx
	opANDSx
	opBICi
	opBICSi
	opBICr
	opBICSr
	opBICx
	opBICSx
	opORRi
	opORRSi
	opORRr
	opORRSr
	opORRx
	opORRSx
	opORNi
	opORNSi
	opORNr
	opORNSr
	opORNx
	opORNSx
	opEORi
	opEORSi
	opEORr
	opEORSr
	opEORx
	opEORSx
	opMVNi
	opMVNSi
	opMVNr
	opMVNSr
	opMVNx
	opMVNSx
	opADCi
	opADCSi
	opADCr
	opADCSr
	opADCx
	opADCSx
	opSBCi
	opSBCSi
	opSBCr
	opSBCSr
	opSBCx
	opSBCSx
	opRSBi
	opRSBSi
	opRSBr
	opRSBSr
	opRSBx
	opRSBSx
	// From here to opMOVSx, d may be 13 or 15; see assembler.around.
	opADDi
	opADDSi
	opADDr
	opADDSr
	opADDx
	opADDSx
	opSUBi
	opSUBSi
	opSUBr
	opSUBSr
	opSUBx
	opSUBSx
	opMOVi
	opMOVSi
	opMOVr
	opMOVSr
	opMOVx // the shifts that have no opcode of their own: ROR, RRX
	opMOVSx
	opLSLi // by imm, 1 to 31 (LSR, ASR: to 32)
	opLSLSi
	opLSRi
	opLSRSi
	opASRi
	opASRSi
	opLSLr // n by the low byte of m
	opLSLSr
	opLSRr
	opLSRSr
	opASRr
	opASRSr
	opRORr
	opRORSr
	opTSTi
	opTSTr
	opTSTx
	opTEQi
	opTEQr
	opTEQx
	opCMPi
	opCMPr
	opCMPx
	opCMNi
	opCMNr
	opCMNx
	opMOVT
	opSXTB // of m, not rotated
	opSXTH
	opUXTB
	opUXTH
	opREV
	opREV16
	opREVSH
	opRBIT
	opCLZ
	opBFI  // n into d; imm is the mask in place, a the lsb; BFC: see opBFC
	opBFC  // imm is the mask in place
	opSBFX // a left shift, m right shift
	opUBFX
	opMUL
	opMULS
	opMLA // a is the addend
	opMLS
	opSMULL // a:d, that is RdHi:RdLo
	opUMULL
	opSMLAL
	opUMLAL
	opSDIV
	opUDIV

	// Loads of one register. d may be 13 or 15 for words; see assembler.around.
	opLDRi // [n + imm]
	opLDRBi
	opLDRHi
	opLDRSBi
	opLDRSHi
	opLDRr // [n + m<<a]
	opLDRBr
	opLDRHr
	opLDRSBr
	opLDRSHr
	opLDRl // [imm]: literals
	opLDRBl
	opLDRHl
	opLDRSBl
	opLDRSHl
	opLDRpre // [n + imm]!
	opLDRBpre
	opLDRHpre
	opLDRSBpre
	opLDRSHpre
	opLDRpost // [n], imm
	opLDRBpost
	opLDRHpost
	opLDRSBpost
	opLDRSHpost
	opLDRT // [n + imm], unprivileged
	opLDRBT
	opLDRHT
	opLDRSBT
	opLDRSHT
	opSTRi
	opSTRBi
	opSTRHi
	opSTRr
	opSTRBr
	opSTRHr
	opSTRpre
	opSTRBpre
	opSTRHpre
	opSTRpost
	opSTRBpost
	opSTRHpost
	opSTRT
	opSTRBT
	opSTRHT
	opLDM  // imm is the list, a what to add to n for the lowest address, m the writeback (in bytes, signed)
	opSTM  // as opLDM
	opLDRD // d and a; imm; m is an index mode
	opSTRD
	opLDREX // [n + imm]
	opLDREXB
	opLDREXH
	opSTREX // a to [n + imm], status to d
	opSTREXB
	opSTREXH
	opCLREX

	// Branches. imm is the target, m the block's link.
	opB
	opBEQ // the conditions in order
	opBNE
	opBCS
	opBCC
	opBMI
	opBPL
	opBVS
	opBVC
	opBHI
	opBLS
	opBGE
	opBLT
	opBGT
	opBLE
	opBL
	opCBZ // n
	opCBNZ
	opBX // m
	opBLX
	opTBB // n + m
	opTBH

	opNOP     // and hints that do nothing; a is 1 for unallocated ones
	opBarrier // a is isb, or another
	opIT      // n is the new ITSTATE
	opMRS
	opMSR // n; a mask, imm SYSm
	opCPS // a 1 to enable; imm bit 0 is F, bit 1 is I
	opSVC
	opBKPT
	opWFI
	opWFE
	opSEV
	opUDF  // permanently undefined
	opNOCP // a coprocessor that isn't there; a is its number

	// Not encodings, but parts of a block: see assembler.around.
	opIf       // skips the next a entries unless the condition n holds
	opSetSP    // r13 = r15, which is scratch inside a block
	opBranch15 // to r15, ALU results
	opLoad15   // to r15, loaded: interworking
	opFP       // floating point is about to be used
	opLine     // the instruction has bytes in flash line imm
	opWord     // the instruction ends in word imm of code on the System bus
	opHold     // it accesses data for imm cycles, from base n; 15 is a literal
	opEnd      // goes on at the next address in another block

	opFirstDSP
)

// The less usual data processing; executed by execDSP.
const (
	opQADD op = iota + opFirstDSP // of m and n
	opQDADD
	opQSUB
	opQDSUB
	opSEL
	opPKHBT // n and m shifted; a is a shift
	opPKHTB
	opSSAT // n shifted by a, to imm bits
	opUSAT
	opSSAT16
	opUSAT16
	opSXTAB // n + m rotated right by imm; a is 1 if there is no n
	opSXTAH
	opSXTAB16
	opUXTAB
	opUXTAH
	opUXTAB16
	opParallel // imm is bits 22-20 of the encoding and 6-4: see parallel
	opUSADA8   // a the addend; 15 is none. So for the multiplies that follow
	opSMLAxy   // imm bit 1 is the half of n, bit 0 that of m
	opSMLAW    // imm bit 0 is the half of m
	opSMLAD    // imm bit 0 swaps the halves of m
	opSMLSD
	opSMMLA // imm bit 0 rounds
	opSMMLS
	opSMLALxy // a:d, as opSMLAxy
	opSMLALD
	opSMLSLD
	opUMAAL

	opFirstFP
)

// Floating point; executed by execFP, but for loads and stores. d, n, m are
// numbers of single-precision registers or core registers.
const (
	opVMLA op = iota + opFirstFP
	opVMLS
	opVNMLA
	opVNMLS
	opVMUL
	opVNMUL
	opVADD
	opVSUB
	opVDIV
	opVFMA
	opVFMS
	opVFNMA
	opVFNMS
	opVMOVi
	opVMOV
	opVABS
	opVNEG
	opVSQRT
	opVCVTB       // half to single; imm 1 is the top half
	opVCVTBh      // single to half
	opVCMP        // a 1: signalling
	opVCMPz       // with zero
	opVCVTfromInt // m; imm 1: signed
	opVCVTtoInt   // a 1: round to zero, else as FPSCR says
	opVCVTfromFix // d in place; a fraction bits; imm bit 0 signed, bit 1 32 bits
	opVCVTtoFix
	opVMOVtoS   // s[d] = r[n]
	opVMOVfromS // r[d] = s[n]
	opVMOVto2   // s[d], s[d+1] = r[n], r[m]
	opVMOVfrom2 // r[n], r[m] = s[d], s[d+1]
	opVMSR      // n
	opVMRS      // d; 15 is to the APSR
	opVLDM      // imm>>16 words from s[d]; from n + imm (16 bits, signed); m the writeback in words, signed
	opVSTM
)

// isb is the number of ISB among the barriers.
const isb = 6

// Index modes of opLDRD and opSTRD.
const (
	indexOffset = iota
	indexPre
	indexPost
)

// Shift kinds; insn.a holds kind<<6 | amount, with amount 0 to 32.
const (
	shiftLSL = iota
	shiftLSR
	shiftASR
	shiftROR
	shiftRRX = shiftROR // by 0
)

// decodeImmShift is DecodeImmShift() (DDI 0403E A7.4.2).
func decodeImmShift(kind, imm5 uint32) uint8 {
	if imm5 == 0 && (kind == shiftLSR || kind == shiftASR) {
		imm5 = 32
	}
	return uint8(kind<<6 | imm5)
}

// unpredictable is what becomes of an UNPREDICTABLE encoding, where nothing
// else is said: the fault of an UNDEFINED one.
var unpredictable = insn{op: opUnpredictable}

// bad is BadReg(): SP and PC, which most 32-bit encodings do not take.
func bad(r uint32) bool { return r == 13 || r == 15 }

func field(v uint32, hi, lo uint) uint32 { return v >> lo & (1<<(hi-lo+1) - 1) }

func signExtend(v uint32, n uint) uint32 { return uint32(int32(v<<(32-n)) >> (32 - n)) }

// nextIT is ITAdvance() (A7.3.2).
func nextIT(it uint8) uint8 {
	if it&7 == 0 {
		return 0
	}
	return it&0xE0 | it<<1&0x1F
}

func lastInIT(it uint8) bool { return it&0xF == 8 }

// isWide says whether a halfword begins a 32-bit instruction (A5.1).
func isWide(h uint32) bool { return h >= 0xE800 }

// decode decodes the instruction at pc, of which h2 is used if h1 says so.
// A conditional instruction's condition is not its business.
func decode(pc, h1, h2 uint32, it uint8) insn {
	var in insn
	if isWide(h1) {
		in = decode32(pc, h1, h2)
		in.wide = true
	} else {
		in = decode16(pc, h1, it)
	}
	if it != 0 && !allowedInIT(in, it) {
		in = insn{op: opUnpredictable, wide: in.wide}
	}
	in.it = it
	return in
}

// allowedInIT refuses what is UNPREDICTABLE in an IT block (A7.3.3 and the
// encodings): branches that aren't last, and what is never allowed.
func allowedInIT(in insn, it uint8) bool {
	switch {
	case in.op >= opBEQ && in.op <= opBLE, in.op == opCBZ, in.op == opCBNZ, in.op == opIT, in.op == opCPS:
		return false
	case lastInIT(it):
		return true
	case in.op >= opB && in.op <= opTBH, in.op == opLDM && in.imm>>15 != 0:
		return false
	}
	return !(in.d == 15 && in.writesSPorPC())
}

// writesSPorPC says whether an opcode writes d in a way that allows 13 and 15.
func (in *insn) writesSPorPC() bool {
	switch {
	case in.op >= opADDi && in.op <= opMOVSx:
		return true
	case in.op == opLDRi, in.op == opLDRr, in.op == opLDRl, in.op == opLDRpre, in.op == opLDRpost, in.op == opLDRT:
		return true
	}
	return false
}
