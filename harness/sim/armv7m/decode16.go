package armv7m

import "math/bits"

// decode16 decodes a 16-bit instruction (DDI 0403E A5.2).
func decode16(pc, h uint32, it uint8) insn {
	s := op(1) // set flags, but not in an IT block
	if it != 0 {
		s = 0
	}
	switch {
	case h < 0x4000:
		return decodeShiftAddMove(h, s)
	case h < 0x4400:
		return decodeData16(h, s)
	case h < 0x4800:
		return decodeSpecial16(pc, h)
	case h < 0x5000:
		return insn{op: opLDRl, d: uint8(field(h, 10, 8)), imm: (pc+4)&^3 + h&0xFF<<2}
	case h < 0xA000:
		return decodeLoadStore16(h)
	case h < 0xA800: // ADR
		return insn{op: opMOVi, d: uint8(field(h, 10, 8)), imm: (pc+4)&^3 + h&0xFF<<2}
	case h < 0xB000: // ADD SP
		return insn{op: opADDi, d: uint8(field(h, 10, 8)), n: 13, imm: h & 0xFF << 2}
	case h < 0xC000:
		return decodeMisc16(pc, h)
	case h < 0xD000:
		return decodeMultiple16(h)
	case h < 0xE000:
		return decodeBranch16(pc, h)
	case h < 0xE800:
		return insn{op: opB, imm: pc + 4 + signExtend(h<<1, 12)}
	}
	return insn{}
}

// decodeShiftAddMove is A5.2.1.
func decodeShiftAddMove(h uint32, s op) insn {
	d, n := uint8(h&7), uint8(field(h, 5, 3))
	imm5 := field(h, 10, 6)
	d8, imm8 := uint8(field(h, 10, 8)), h&0xFF
	switch h >> 11 {
	case 0b00000:
		if imm5 == 0 {
			return insn{op: opMOVr + s, d: d, m: n}
		}
		return insn{op: opLSLi + s, d: d, m: n, imm: imm5}
	case 0b00001:
		return insn{op: opLSRi + s, d: d, m: n, imm: (imm5-1)&31 + 1}
	case 0b00010:
		return insn{op: opASRi + s, d: d, m: n, imm: (imm5-1)&31 + 1}
	case 0b00011:
		operation := [4]op{opADDr, opSUBr, opADDi, opSUBi}[field(h, 10, 9)]
		return insn{op: operation + s, d: d, n: n, m: uint8(field(h, 8, 6)), imm: field(h, 8, 6)}
	case 0b00100:
		return insn{op: opMOVi + s, d: d8, imm: imm8}
	case 0b00101:
		return insn{op: opCMPi, n: d8, imm: imm8}
	case 0b00110:
		return insn{op: opADDi + s, d: d8, n: d8, imm: imm8}
	}
	return insn{op: opSUBi + s, d: d8, n: d8, imm: imm8}
}

// decodeData16 is A5.2.2.
func decodeData16(h uint32, s op) insn {
	d, m := uint8(h&7), uint8(field(h, 5, 3))
	in := insn{d: d, n: d, m: m}
	switch field(h, 9, 6) {
	case 0x8:
		in.op = opTSTr
	case 0x9:
		return insn{op: opRSBi + s, d: d, n: m}
	case 0xA:
		in.op = opCMPr
	case 0xB:
		in.op = opCMNr
	default:
		in.op = [16]op{
			opANDr, opEORr, opLSLr, opLSRr, opASRr, opADCr, opSBCr, opRORr,
			0, 0, 0, 0, opORRr, opMUL, opBICr, opMVNr,
		}[field(h, 9, 6)] + s
	}
	return in
}

// decodeSpecial16 is A5.2.3: data processing on high registers, and BX.
func decodeSpecial16(pc, h uint32) insn {
	d, m := uint8(field(h, 7, 7)<<3|h&7), uint8(field(h, 6, 3))
	switch field(h, 9, 7) {
	case 0b110:
		if h&7 == 0 {
			return insn{op: opBX, m: m}
		}
		return unpredictable
	case 0b111:
		if h&7 == 0 && m != 15 {
			return insn{op: opBLX, m: m}
		}
		return unpredictable
	}
	switch field(h, 9, 8) {
	case 0b00:
		return decodeAddHigh(pc, d, m)
	case 0b01:
		switch {
		case d == 15:
			return unpredictable
		case m == 15:
			return insn{op: opCMPi, n: d, imm: pc + 4}
		}
		return insn{op: opCMPr, n: d, m: m}
	}
	if m == 15 {
		return insn{op: opMOVi, d: d, imm: pc + 4}
	}
	return insn{op: opMOVr, d: d, m: m}
}

// decodeAddHigh reads PC as a constant.
func decodeAddHigh(pc uint32, d, m uint8) insn {
	switch {
	case d == 15 && m == 15: // UNPREDICTABLE; the sum is what the adder gives
		return insn{op: opMOVi, d: d, imm: 2 * (pc + 4)}
	case d == 15:
		return insn{op: opADDi, d: d, n: m, imm: pc + 4}
	case m == 15:
		return insn{op: opADDi, d: d, n: d, imm: pc + 4}
	}
	return insn{op: opADDr, d: d, n: d, m: m}
}

// decodeLoadStore16 is A5.2.4.
func decodeLoadStore16(h uint32) insn {
	t, n := uint8(h&7), uint8(field(h, 5, 3))
	imm5 := field(h, 10, 6)
	switch h >> 12 {
	case 5:
		operation := [8]op{opSTRr, opSTRHr, opSTRBr, opLDRSBr, opLDRr, opLDRHr, opLDRBr, opLDRSHr}[field(h, 11, 9)]
		return insn{op: operation, d: t, n: n, m: uint8(field(h, 8, 6))}
	case 9:
		operation := [2]op{opSTRi, opLDRi}[field(h, 11, 11)]
		return insn{op: operation, d: uint8(field(h, 10, 8)), n: 13, imm: h & 0xFF << 2}
	}
	switch h >> 11 {
	case 0b01100:
		return insn{op: opSTRi, d: t, n: n, imm: imm5 << 2}
	case 0b01101:
		return insn{op: opLDRi, d: t, n: n, imm: imm5 << 2}
	case 0b01110:
		return insn{op: opSTRBi, d: t, n: n, imm: imm5}
	case 0b01111:
		return insn{op: opLDRBi, d: t, n: n, imm: imm5}
	case 0b10000:
		return insn{op: opSTRHi, d: t, n: n, imm: imm5 << 1}
	}
	return insn{op: opLDRHi, d: t, n: n, imm: imm5 << 1}
}

// decodeMisc16 is A5.2.5.
func decodeMisc16(pc, h uint32) insn {
	switch {
	case h>>7 == 0xB00>>3:
		return insn{op: opADDi, d: 13, n: 13, imm: h & 0x7F << 2}
	case h>>7 == 0xB08>>3:
		return insn{op: opSUBi, d: 13, n: 13, imm: h & 0x7F << 2}
	case h&0xF500 == 0xB100: // CBZ, CBNZ
		offset := h>>3&0x40 | h>>2&0x3E
		return insn{op: opCBZ + op(field(h, 11, 11)), n: uint8(h & 7), imm: pc + 4 + offset}
	case h>>8 == 0xB2:
		extend := [4]op{opSXTH, opSXTB, opUXTH, opUXTB}[field(h, 7, 6)]
		return insn{op: extend, d: uint8(h & 7), m: uint8(field(h, 5, 3))}
	case h == 0xB400, h == 0xBC00: // nothing to push or pop
		return unpredictable
	case h&0xFE00 == 0xB400: // PUSH
		return storeMultiple(13, h&0xFF|h&0x100<<6, true, true)
	case h&0xFE00 == 0xBC00: // POP
		return loadMultiple(13, h&0xFF|h&0x100<<7, false, true)
	case h&0xFFE8 == 0xB660:
		return insn{op: opCPS, a: uint8(^h >> 4 & 1), imm: h & 3}
	case h>>8 == 0xBA:
		reverse := [4]op{opREV, opREV16, opUndefined, opREVSH}[field(h, 7, 6)]
		return insn{op: reverse, d: uint8(h & 7), m: uint8(field(h, 5, 3))}
	case h>>8 == 0xBE:
		return insn{op: opBKPT, imm: h & 0xFF}
	case h>>8 == 0xBF:
		return decodeIT(h)
	}
	return insn{}
}

// decodeIT is A5.2.5's IT and hints.
func decodeIT(h uint32) insn {
	if h&0xF == 0 {
		return hint(field(h, 7, 4))
	}
	cond, count := field(h, 7, 4), bits.OnesCount32(h&0xF)
	if cond == 15 || cond == 14 && count != 1 {
		return unpredictable
	}
	return insn{op: opIT, n: uint8(h)}
}

// hint decodes a hint's number; those without a meaning are NOPs.
func hint(n uint32) insn {
	switch n {
	case 2:
		return insn{op: opWFE}
	case 3:
		return insn{op: opWFI}
	case 4:
		return insn{op: opSEV}
	}
	return insn{op: opNOP}
}

// decodeMultiple16 is LDM and STM. The base is not written back if it is
// loaded. STM with the base in the list but not first stores an UNKNOWN value
// for it; it is the original one here.
func decodeMultiple16(h uint32) insn {
	n, list := field(h, 10, 8), h&0xFF
	if list == 0 {
		return unpredictable
	}
	if h&0x800 != 0 {
		return loadMultiple(n, list, false, list>>n&1 == 0)
	}
	return storeMultiple(n, list, false, true)
}

// decodeBranch16 is A5.2.6: conditional branches, UDF and SVC.
func decodeBranch16(pc, h uint32) insn {
	switch cond := op(field(h, 11, 8)); cond {
	case 14:
		return insn{op: opUDF}
	case 15:
		return insn{op: opSVC, imm: h & 0xFF}
	default:
		return insn{op: opBEQ + cond, imm: pc + 4 + signExtend(h<<1, 9)}
	}
}

func loadMultiple(n, list uint32, decrement, writeback bool) insn {
	in := storeMultiple(n, list, decrement, writeback)
	in.op = opLDM
	return in
}

func storeMultiple(n, list uint32, decrement, writeback bool) insn {
	size := int8(4 * bits.OnesCount32(list))
	in := insn{op: opSTM, n: uint8(n), imm: list}
	if decrement {
		in.a = uint8(-size)
		size = -size
	}
	if writeback {
		in.m = uint8(size)
	}
	return in
}
