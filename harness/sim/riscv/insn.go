package riscv

// insn is one decoded instruction: a dense opcode and its operands. What the
// operand fields mean beyond d, n, m (registers) is said at the opcode.
type insn struct {
	imm  uint64
	op   op
	pre  uint16 // static cycles before this instruction in its block
	off  uint16 // of the instruction from its block's start, in bytes
	d    uint8  // destination; never 0 where nothing but the register is written
	n    uint8  // first operand, or base
	m    uint8  // second operand, or the register stored
	a    uint8  // a variant; in a branch, the block's link
	size uint8  // in bytes
	cost uint8  // cycles; of a branch that is taken
	// stall is the cycles that the instruction waits for what others load or compute; they are in pre.
	stall uint8
	extra uint8 // the most that execution adds to the cycles
}

// op is an opcode of the executor. The switch over it is dense so that it
// becomes a jump table.
type op uint16

// A 32-bit core has the opcodes that end in W for words, and no others where
// there are both.
const (
	opIllegal op = iota // must be the zero value; imm is the encoding

	opNOP // and hints, FENCE
	opLI  // imm: LUI, AUIPC, and ADDI from x0
	opMV
	opADDI
	opADDIW
	opSLTI
	opSLTIU
	opXORI
	opORI
	opANDI
	opSLLI
	opSRLI
	opSRAI
	opSLLIW
	opSRLIW
	opSRAIW
	opADD
	opADDW
	opSUB
	opSUBW
	opSLL
	opSLLW
	opSLT
	opSLTU
	opXOR
	opSRL
	opSRLW
	opSRA
	opSRAW
	opOR
	opAND

	opMUL
	opMULH
	opMULHSU
	opMULHU
	opDIV
	opDIVU
	opREM
	opREMU
	opMULW
	opMULHW // the upper half of a word's product, which only a 32-bit core has
	opMULHSUW
	opMULHUW
	opDIVW
	opDIVUW
	opREMW
	opREMUW

	opLB
	opLH
	opLW
	opLD
	opLBU
	opLHU
	opLWU
	opSB
	opSH
	opSW
	opSD

	opBEQ
	opBNE
	opBLT
	opBGE
	opBLTU
	opBGEU
	opJ
	opJAL // imm is what it links
	opJR
	opJALR // imm is the offset

	opFENCEI
	opECALL
	opEBREAK
	opMRET
	opWFI
	opCSR // imm is the number, a funct3; n the register or the immediate
	opROM // imm is the index

	opLR // a is the width; so in the next two
	opSC
	opAMO // imm is funct5

	opFLW
	opFLD
	opFSW
	opFSD
	opFP // imm is the encoding

	opEnd // not an instruction: goes on at the next address in another block
)

// isBranch says whether an instruction has a link of its own.
func (in *insn) isBranch() bool { return in.op >= opBEQ && in.op <= opJAL }

func (in *insn) isLoad() bool {
	return in.op >= opLB && in.op <= opLWU || in.op == opFLW || in.op == opFLD
}

// ends says whether execution never goes on behind the instruction within its
// block.
func (in *insn) ends() bool {
	switch {
	case in.op >= opJ && in.op <= opJALR, in.op >= opFENCEI && in.op <= opROM && in.op != opCSR, in.op == opIllegal:
		return true
	}
	return false
}

// Floating-point registers follow the integer ones where both are numbered.
const firstF = 32

// uses returns the set of registers that an instruction needs when it is executed; x0
// isn't one.
func (in *insn) uses() (set uint64) {
	switch op := in.op; {
	case op <= opLI, op >= opJ && op <= opJAL, op >= opFENCEI && op <= opWFI, op == opROM, op == opEnd:
	case op == opMV, op >= opADDI && op <= opSRAIW, op >= opLB && op <= opLWU, op == opJR, op == opJALR, op == opLR, op == opFLW, op == opFLD:
		set = 1 << in.n
	case op == opCSR:
		if in.a < 4 {
			set = 1 << in.n
		}
	case op == opFSW, op == opFSD:
		set = 1<<in.n | 1<<(firstF+in.m)
	case op == opFP:
		set = fpUses(uint32(in.imm))
	default:
		set = 1<<in.n | 1<<in.m
	}
	return set &^ 1
}
