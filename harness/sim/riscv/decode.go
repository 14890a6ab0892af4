package riscv

// decoder decodes for a core.
type decoder struct {
	rv32 bool
	ext  Extensions
	rom  bool // the code may call the host
}

func (d *decoder) has(e Extensions) bool { return d.ext&e == e }

func field(v uint32, hi, lo uint) uint32 { return v >> lo & (1<<(hi-lo+1) - 1) }

// signed returns the lower n bits of v, sign-extended.
func signed(v uint32, n uint) uint64 { return uint64(int64(int32(v<<(32-n)) >> (32 - n))) }

// Immediates of the formats (volume I 2.3).
func immI(w uint32) uint64 { return uint64(int64(int32(w) >> 20)) }
func immS(w uint32) uint64 { return uint64(int64(int32(w)>>25<<5)) | uint64(field(w, 11, 7)) }
func immU(w uint32) uint64 { return uint64(int64(int32(w &^ 0xFFF))) }
func immB(w uint32) uint64 {
	return signed(field(w, 31, 31)<<12|field(w, 7, 7)<<11|field(w, 30, 25)<<5|field(w, 11, 8)<<1, 13)
}
func immJ(w uint32) uint64 {
	return signed(field(w, 31, 31)<<20|field(w, 19, 12)<<12|field(w, 20, 20)<<11|field(w, 30, 21)<<1, 21)
}

// isWide says whether a halfword begins a 32-bit instruction. Longer ones
// (volume I 1.5) are not defined by any extension; they are illegal.
func isWide(h uint32) bool { return h&3 == 3 }

// decode decodes the instruction at pc. Branch targets are left to the caller:
// imm is relative to pc. The size of an illegal instruction is that of its
// encoding.
func (d *decoder) decode(pc uint64, w uint32) insn {
	var in insn
	size := uint8(4)
	if isWide(w) {
		in = d.decode32(pc, w)
	} else {
		w, size = w&0xFFFF, 2
		in = d.decode16(w)
	}
	in.size = size
	if in.op == opIllegal {
		in.imm = uint64(w)
	}
	return in
}

// Major opcodes (volume I table 24.1), with the lower two bits.
const (
	majorLOAD    = 0x03
	majorLOADFP  = 0x07
	majorCustom0 = 0x0B
	majorMISCMEM = 0x0F
	majorOPIMM   = 0x13
	majorAUIPC   = 0x17
	majorOPIMM32 = 0x1B
	majorSTORE   = 0x23
	majorSTOREFP = 0x27
	majorAMO     = 0x2F
	majorOP      = 0x33
	majorLUI     = 0x37
	majorOP32    = 0x3B
	majorMADD    = 0x43
	majorMSUB    = 0x47
	majorNMSUB   = 0x4B
	majorNMADD   = 0x4F
	majorOPFP    = 0x53
	majorBRANCH  = 0x63
	majorJALR    = 0x67
	majorJAL     = 0x6F
	majorSYSTEM  = 0x73
)

func (d *decoder) decode32(pc uint64, w uint32) insn {
	rd, rs1, rs2, f3 := uint8(field(w, 11, 7)), uint8(field(w, 19, 15)), uint8(field(w, 24, 20)), field(w, 14, 12)
	switch w & 0x7F {
	case majorLUI:
		return li(rd, immU(w))
	case majorAUIPC:
		return li(rd, d.extend(pc+immU(w)))
	case majorJAL:
		return jal(rd, immJ(w))
	case majorJALR:
		if f3 == 0 {
			return jalr(rd, rs1, immI(w))
		}
	case majorBRANCH:
		if o := branches[f3]; o != opIllegal {
			return insn{op: o, n: rs1, m: rs2, imm: immB(w)}
		}
	case majorLOAD:
		return d.load(f3, rd, rs1, immI(w))
	case majorSTORE:
		return d.store(f3, rs1, rs2, immS(w))
	case majorOPIMM:
		return d.opImm(f3, rd, rs1, w)
	case majorOPIMM32:
		return d.opImm32(f3, rd, rs1, w)
	case majorOP:
		return d.opReg(f3, field(w, 31, 25), rd, rs1, rs2, d.rv32)
	case majorOP32:
		f7 := field(w, 31, 25)
		if product := f7 == 1 && (f3 == 0 || f3 >= 4); !d.rv32 && (product || f7 != 1 && words[f3]) {
			return d.opReg(f3, f7, rd, rs1, rs2, true)
		}
	case majorMISCMEM:
		switch f3 {
		case 0:
			return insn{op: opNOP}
		case 1:
			return insn{op: opFENCEI}
		}
	case majorSYSTEM:
		return system(w, f3, rd, rs1)
	case majorAMO:
		return d.amo(w, f3, rd, rs1, rs2)
	case majorLOADFP, majorSTOREFP, majorMADD, majorMSUB, majorNMSUB, majorNMADD, majorOPFP:
		return d.float(w, f3, rd, rs1, rs2)
	case majorCustom0:
		if d.rom {
			return insn{op: opROM, imm: uint64(w >> 12)}
		}
	}
	return insn{}
}

// extend makes an address a register's value.
func (d *decoder) extend(v uint64) uint64 {
	if d.rv32 {
		return uint64(int64(int32(v)))
	}
	return v
}

// alu is an instruction that does nothing but to write a register.
func alu(in insn) insn {
	if in.d == 0 && in.op != opIllegal {
		return insn{op: opNOP}
	}
	return in
}

func li(rd uint8, v uint64) insn { return alu(insn{op: opLI, d: rd, imm: v}) }

func (d *decoder) addi(rd, rs1 uint8, imm uint64) insn {
	switch {
	case rs1 == 0:
		return li(rd, imm)
	case imm == 0:
		return alu(insn{op: opMV, d: rd, n: rs1})
	case d.rv32:
		return alu(insn{op: opADDIW, d: rd, n: rs1, imm: imm})
	}
	return alu(insn{op: opADDI, d: rd, n: rs1, imm: imm})
}

// jal leaves the offset in imm: the block builder takes it from there.
func jal(rd uint8, offset uint64) insn {
	if rd == 0 {
		return insn{op: opJ, imm: offset}
	}
	return insn{op: opJAL, d: rd, imm: offset}
}

func jalr(rd, rs1 uint8, imm uint64) insn {
	if rd == 0 {
		return insn{op: opJR, n: rs1, imm: imm}
	}
	return insn{op: opJALR, d: rd, n: rs1, imm: imm}
}

var (
	branches = [8]op{0: opBEQ, 1: opBNE, 4: opBLT, 5: opBGE, 6: opBLTU, 7: opBGEU}
	loads    = [8]op{opLB, opLH, opLW, opLD, opLBU, opLHU, opLWU, opIllegal}
	stores   = [8]op{opSB, opSH, opSW, opSD}
	words    = [8]bool{0: true, 1: true, 5: true} // funct3 of OP-32 but for products
)

func (d *decoder) load(f3 uint32, rd, rs1 uint8, imm uint64) insn {
	if d.rv32 && (f3 == 3 || f3 == 6) {
		return insn{}
	}
	return insn{op: loads[f3], d: rd, n: rs1, imm: imm}
}

func (d *decoder) store(f3 uint32, rs1, rs2 uint8, imm uint64) insn {
	if d.rv32 && f3 == 3 {
		return insn{}
	}
	return insn{op: stores[f3], n: rs1, m: rs2, imm: imm}
}

func (d *decoder) opImm(f3 uint32, rd, rs1 uint8, w uint32) insn {
	in := insn{d: rd, n: rs1, imm: immI(w)}
	switch f3 {
	case 0:
		return d.addi(rd, rs1, in.imm)
	case 1, 5:
		return d.shift(f3, rd, rs1, w, d.rv32)
	case 2:
		in.op = opSLTI
	case 3:
		in.op = opSLTIU
	case 4:
		in.op = opXORI
	case 6:
		in.op = opORI
	case 7:
		in.op = opANDI
	}
	return alu(in)
}

// shift is a shift by an immediate, of a word or of all.
func (d *decoder) shift(f3 uint32, rd, rs1 uint8, w uint32, word bool) insn {
	bits := uint(6)
	ops := [3]op{opSLLI, opSRLI, opSRAI}
	if word {
		bits, ops = 5, [3]op{opSLLIW, opSRLIW, opSRAIW}
	}
	in := insn{d: rd, n: rs1, imm: uint64(field(w, 20+bits-1, 20))}
	switch upper := w >> (20 + bits); {
	case f3 == 1 && upper == 0:
		in.op = ops[0]
	case f3 == 5 && upper == 0:
		in.op = ops[1]
	case f3 == 5 && upper == 0x400>>bits:
		in.op = ops[2]
	}
	return alu(in)
}

func (d *decoder) opImm32(f3 uint32, rd, rs1 uint8, w uint32) insn {
	switch {
	case d.rv32:
		return insn{}
	case f3 == 0:
		return alu(insn{op: opADDIW, d: rd, n: rs1, imm: immI(w)})
	case f3 == 1, f3 == 5:
		return d.shift(f3, rd, rs1, w, true)
	}
	return insn{}
}

// The register operations by funct3, of words and of all, for funct7 0, 32 and 1.
var (
	plainOps   = [2][8]op{{opADD, opSLL, opSLT, opSLTU, opXOR, opSRL, opOR, opAND}, {opADDW, opSLLW, opSLT, opSLTU, opXOR, opSRLW, opOR, opAND}}
	variantOps = [2][8]op{{0: opSUB, 5: opSRA}, {0: opSUBW, 5: opSRAW}}
	productOps = [2][8]op{{opMUL, opMULH, opMULHSU, opMULHU, opDIV, opDIVU, opREM, opREMU}, {opMULW, opMULHW, opMULHSUW, opMULHUW, opDIVW, opDIVUW, opREMW, opREMUW}}
)

func (d *decoder) opReg(f3, f7 uint32, rd, rs1, rs2 uint8, word bool) insn {
	k := 0
	if word {
		k = 1
	}
	in := insn{d: rd, n: rs1, m: rs2}
	switch {
	case f7 == 0:
		in.op = plainOps[k][f3]
	case f7 == 0x20:
		in.op = variantOps[k][f3]
	case f7 == 1 && d.has(ExtM):
		in.op = productOps[k][f3]
	}
	return alu(in)
}

// System instructions without operands, as whole words (volume II 3.3).
const (
	wordECALL  = 0x00000073
	wordEBREAK = 0x00100073
	wordMRET   = 0x30200073
	wordWFI    = 0x10500073
)

func system(w, f3 uint32, rd, rs1 uint8) insn {
	switch {
	case f3 == 4:
		return insn{}
	case f3 != 0:
		return insn{op: opCSR, d: rd, n: rs1, a: uint8(f3), imm: uint64(w >> 20)}
	}
	switch w {
	case wordECALL:
		return insn{op: opECALL}
	case wordEBREAK:
		return insn{op: opEBREAK}
	case wordMRET:
		return insn{op: opMRET}
	case wordWFI:
		return insn{op: opWFI}
	}
	return insn{}
}

// Atomic operations by funct5 (volume I 8).
const (
	amoADD  = 0x00
	amoSWAP = 0x01
	amoLR   = 0x02
	amoSC   = 0x03
	amoXOR  = 0x04
	amoOR   = 0x08
	amoAND  = 0x0C
	amoMIN  = 0x10
	amoMAX  = 0x14
	amoMINU = 0x18
	amoMAXU = 0x1C
)

func (d *decoder) amo(w, f3 uint32, rd, rs1, rs2 uint8) insn {
	if !d.has(ExtA) || f3 != 2 && (f3 != 3 || d.rv32) {
		return insn{}
	}
	in := insn{d: rd, n: rs1, m: rs2, a: 1 << f3, imm: uint64(w >> 27)}
	switch in.imm {
	case amoLR:
		if rs2 == 0 {
			in.op = opLR
		}
	case amoSC:
		in.op = opSC
	case amoADD, amoSWAP, amoXOR, amoOR, amoAND, amoMIN, amoMAX, amoMINU, amoMAXU:
		in.op = opAMO
	}
	return in
}
