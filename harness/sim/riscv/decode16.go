package riscv

// creg is a register of the three-bit fields (volume I 16.2).
func creg(v uint32) uint8 { return uint8(v&7) + 8 }

const (
	regRA = 1
	regSP = 2
)

// decode16 decodes a compressed instruction (volume I 16).
func (d *decoder) decode16(h uint32) insn {
	if !d.has(ExtC) || h == 0 {
		return insn{}
	}
	switch h & 3 {
	case 0:
		return d.quadrant0(h)
	case 1:
		return d.quadrant1(h)
	}
	return d.quadrant2(h)
}

// offsetW and offsetD are the offsets of quadrant 0.
func offsetW(h uint32) uint64 {
	return uint64(field(h, 12, 10)<<3 | field(h, 6, 6)<<2 | field(h, 5, 5)<<6)
}
func offsetD(h uint32) uint64 { return uint64(field(h, 12, 10)<<3 | field(h, 6, 5)<<6) }

func (d *decoder) quadrant0(h uint32) insn {
	r1, r2 := creg(h>>7), creg(h>>2)
	switch f3 := field(h, 15, 13); f3 {
	case 0: // C.ADDI4SPN
		imm := field(h, 12, 11)<<4 | field(h, 10, 7)<<6 | field(h, 6, 6)<<2 | field(h, 5, 5)<<3
		if imm != 0 {
			return d.addi(r2, regSP, uint64(imm))
		}
	case 2:
		return insn{op: opLW, d: r2, n: r1, imm: offsetW(h)}
	case 6:
		return insn{op: opSW, n: r1, m: r2, imm: offsetW(h)}
	case 1:
		return d.floatIf(ExtD, insn{op: opFLD, d: r2, n: r1, imm: offsetD(h)})
	case 5:
		return d.floatIf(ExtD, insn{op: opFSD, n: r1, m: r2, imm: offsetD(h)})
	case 3:
		if d.rv32 {
			return d.floatIf(ExtF, insn{op: opFLW, d: r2, n: r1, imm: offsetW(h)})
		}
		return insn{op: opLD, d: r2, n: r1, imm: offsetD(h)}
	case 7:
		if d.rv32 {
			return d.floatIf(ExtF, insn{op: opFSW, n: r1, m: r2, imm: offsetW(h)})
		}
		return insn{op: opSD, n: r1, m: r2, imm: offsetD(h)}
	}
	return insn{}
}

func (d *decoder) floatIf(e Extensions, in insn) insn {
	if !d.has(e) {
		return insn{}
	}
	return in
}

// imm6 is the immediate of most of quadrants 1 and 2.
func imm6(h uint32) uint32 { return field(h, 12, 12)<<5 | field(h, 6, 2) }

func (d *decoder) quadrant1(h uint32) insn {
	rd, imm := uint8(field(h, 11, 7)), signed(imm6(h), 6)
	switch field(h, 15, 13) {
	case 0: // C.ADDI, C.NOP
		return d.addi(rd, rd, imm)
	case 1:
		if d.rv32 {
			return insn{op: opJAL, d: regRA, imm: immCJ(h)}
		}
		if rd != 0 {
			return alu(insn{op: opADDIW, d: rd, n: rd, imm: imm})
		}
	case 2:
		return li(rd, imm)
	case 3:
		return d.luiOrSP(h, rd)
	case 4:
		return d.arithmetic(h)
	case 5:
		return insn{op: opJ, imm: immCJ(h)}
	case 6:
		return insn{op: opBEQ, n: creg(h >> 7), imm: immCB(h)}
	case 7:
		return insn{op: opBNE, n: creg(h >> 7), imm: immCB(h)}
	}
	return insn{}
}

func immCJ(h uint32) uint64 {
	return signed(field(h, 12, 12)<<11|field(h, 11, 11)<<4|field(h, 10, 9)<<8|field(h, 8, 8)<<10|
		field(h, 7, 7)<<6|field(h, 6, 6)<<7|field(h, 5, 3)<<1|field(h, 2, 2)<<5, 12)
}

func immCB(h uint32) uint64 {
	return signed(field(h, 12, 12)<<8|field(h, 11, 10)<<3|field(h, 6, 5)<<6|field(h, 4, 3)<<1|field(h, 2, 2)<<5, 9)
}

// luiOrSP is C.LUI and C.ADDI16SP.
func (d *decoder) luiOrSP(h uint32, rd uint8) insn {
	if imm6(h) == 0 {
		return insn{}
	}
	if rd != regSP {
		return li(rd, signed(imm6(h), 6)<<12)
	}
	imm := field(h, 12, 12)<<9 | field(h, 6, 6)<<4 | field(h, 5, 5)<<6 | field(h, 4, 3)<<7 | field(h, 2, 2)<<5
	return d.addi(regSP, regSP, signed(imm, 10))
}

func (d *decoder) arithmetic(h uint32) insn {
	rd, rs2 := creg(h>>7), creg(h>>2)
	switch field(h, 11, 10) {
	case 0:
		return d.shiftC(opSRLI, opSRLIW, rd, imm6(h))
	case 1:
		return d.shiftC(opSRAI, opSRAIW, rd, imm6(h))
	case 2:
		return insn{op: opANDI, d: rd, n: rd, imm: signed(imm6(h), 6)}
	}
	in := insn{d: rd, n: rd, m: rs2}
	switch field(h, 12, 12)<<2 | field(h, 6, 5) {
	case 0:
		in.op = d.pick(opSUB, opSUBW)
	case 1:
		in.op = opXOR
	case 2:
		in.op = opOR
	case 3:
		in.op = opAND
	case 4:
		in.op = opSUBW
	case 5:
		in.op = opADDW
	}
	if d.rv32 && h>>12&1 != 0 {
		return insn{}
	}
	return in
}

// pick returns the opcode for this core's registers.
func (d *decoder) pick(all, word op) op {
	if d.rv32 {
		return word
	}
	return all
}

// shiftC refuses shifts of 32-bit registers by 32 and more, which are for custom
// extensions. Shifts by 0 are hints.
func (d *decoder) shiftC(all, word op, rd uint8, by uint32) insn {
	if d.rv32 && by >= 32 {
		return insn{}
	}
	return alu(insn{op: d.pick(all, word), d: rd, n: rd, imm: uint64(by)})
}

// spW and spD are the offsets of loads and stores relative to the stack pointer.
func loadSPW(h uint32) uint64 {
	return uint64(field(h, 12, 12)<<5 | field(h, 6, 4)<<2 | field(h, 3, 2)<<6)
}
func loadSPD(h uint32) uint64 {
	return uint64(field(h, 12, 12)<<5 | field(h, 6, 5)<<3 | field(h, 4, 2)<<6)
}
func storeSPW(h uint32) uint64 { return uint64(field(h, 12, 9)<<2 | field(h, 8, 7)<<6) }
func storeSPD(h uint32) uint64 { return uint64(field(h, 12, 10)<<3 | field(h, 9, 7)<<6) }

func (d *decoder) quadrant2(h uint32) insn {
	rd, rs2 := uint8(field(h, 11, 7)), uint8(field(h, 6, 2))
	switch field(h, 15, 13) {
	case 0:
		return d.shiftC(opSLLI, opSLLIW, rd, imm6(h))
	case 1:
		return d.floatIf(ExtD, insn{op: opFLD, d: rd, n: regSP, imm: loadSPD(h)})
	case 2:
		if rd != 0 {
			return insn{op: opLW, d: rd, n: regSP, imm: loadSPW(h)}
		}
	case 3:
		if d.rv32 {
			return d.floatIf(ExtF, insn{op: opFLW, d: rd, n: regSP, imm: loadSPW(h)})
		}
		if rd != 0 {
			return insn{op: opLD, d: rd, n: regSP, imm: loadSPD(h)}
		}
	case 4:
		return d.moveOrJump(h, rd, rs2)
	case 5:
		return d.floatIf(ExtD, insn{op: opFSD, n: regSP, m: rs2, imm: storeSPD(h)})
	case 6:
		return insn{op: opSW, n: regSP, m: rs2, imm: storeSPW(h)}
	case 7:
		if d.rv32 {
			return d.floatIf(ExtF, insn{op: opFSW, n: regSP, m: rs2, imm: storeSPW(h)})
		}
		return insn{op: opSD, n: regSP, m: rs2, imm: storeSPD(h)}
	}
	return insn{}
}

func (d *decoder) moveOrJump(h uint32, rd, rs2 uint8) insn {
	add := h>>12&1 != 0
	switch {
	case rs2 != 0 && add:
		return alu(insn{op: d.pick(opADD, opADDW), d: rd, n: rd, m: rs2})
	case rs2 != 0:
		return alu(insn{op: opMV, d: rd, n: rs2})
	case rd == 0 && add:
		return insn{op: opEBREAK}
	case rd == 0:
		return insn{}
	case add:
		return insn{op: opJALR, d: regRA, n: rd}
	}
	return insn{op: opJR, n: rd}
}
