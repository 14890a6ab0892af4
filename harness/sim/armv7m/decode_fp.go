package armv7m

// decodeCoprocessor is DDI 0403E A5.3.18: coprocessors 10 and 11 are the
// floating-point unit, all others are absent.
func decodeCoprocessor(h1, h2 uint32) insn {
	coproc := field(h2, 11, 8)
	if h1&0xEC00 != 0xEC00 {
		return insn{}
	}
	if coproc&^1 != 10 {
		return decodeAbsent(h1, coproc)
	}
	in := decodeFP(h1, h2)
	if in.op <= opUnpredictable {
		in.a = 1 // after the coprocessor check, see insn.isFP
	}
	return in
}

// decodeAbsent is an access to a coprocessor that isn't there, as far as the
// encoding is a coprocessor's.
func decodeAbsent(h1, coproc uint32) insn {
	if h1&0xEF00 == 0xEF00 || h1&0xEFE0 == 0xEC00 {
		return insn{}
	}
	return insn{op: opNOCP, a: uint8(coproc)}
}

// decodeFP is A6.4 to A6.7 and chapter A6's encoding tables. Everything
// double-precision but moves, loads and stores is UNDEFINED on FPv4-SP.
func decodeFP(h1, h2 uint32) insn {
	switch {
	case h1&0x1000 != 0:
		return insn{}
	case h1&0xFF00 == 0xEE00 && h2&0x10 == 0:
		if h2&0x100 != 0 {
			return insn{}
		}
		return decodeFPData(h1, h2)
	case h1&0xFF00 == 0xEE00:
		return decodeFPTransfer(h1, h2)
	case h1&0xFFE0 == 0xEC40:
		return decodeFPTransfer2(h1, h2)
	case h1&0xFE00 == 0xEC00:
		return decodeFPLoadStore(h1, h2)
	}
	return insn{}
}

// fpRegs returns the numbers of the single-precision registers d, n and m.
func fpRegs(h1, h2 uint32) (d, n, m uint8) {
	d = uint8(field(h2, 15, 12)<<1 | field(h1, 6, 6))
	n = uint8(h1&0xF<<1 | field(h2, 7, 7))
	m = uint8(h2&0xF<<1 | field(h2, 5, 5))
	return d, n, m
}

// decodeFPData is A6.4.
func decodeFPData(h1, h2 uint32) insn {
	d, n, m := fpRegs(h1, h2)
	in := insn{d: d, n: n, m: m}
	second := op(field(h2, 6, 6))
	switch h1 & 0xB0 {
	case 0x00:
		in.op = opVMLA + second
	case 0x10:
		in.op = opVNMLS - second
	case 0x20:
		in.op = opVMUL + second
	case 0x30:
		in.op = opVADD + second
	case 0x80:
		in.op = pick(second == 0, opVDIV, opUndefined)
	case 0x90:
		in.op = opVFNMS - second
	case 0xA0:
		in.op = opVFMA + second
	default:
		return decodeFPOther(in, h1, h2)
	}
	return in
}

// decodeFPOther is the second table of A6.4.
func decodeFPOther(in insn, h1, h2 uint32) insn {
	opc2, top := h1&0xF, field(h2, 7, 7)
	if h2&0x40 == 0 {
		if h2&0xA0 != 0 {
			return unpredictable
		}
		return insn{op: opVMOVi, d: in.d, imm: expandFPImm(opc2<<4 | h2&0xF)}
	}
	switch opc2 {
	case 0:
		in.op = pick(top == 0, opVMOV, opVABS)
	case 1:
		in.op = pick(top == 0, opVNEG, opVSQRT)
	case 2, 3:
		in.op, in.imm = pick(opc2 == 2, opVCVTB, opVCVTBh), top
	case 4:
		in.op, in.a = opVCMP, uint8(top)
	case 5:
		if h2&0x2F != 0 {
			return unpredictable
		}
		in.op, in.a = opVCMPz, uint8(top)
	case 8:
		in.op, in.imm = opVCVTfromInt, top
	case 12, 13:
		in.op, in.imm, in.a = opVCVTtoInt, opc2&1, uint8(top)
	case 10, 11, 14, 15:
		return decodeFPFixed(in, opc2, h2)
	}
	return in
}

func decodeFPFixed(in insn, opc2, h2 uint32) insn {
	size := 16 + 16*field(h2, 7, 7)
	fraction := size - (h2&0xF<<1 | field(h2, 5, 5))
	if int32(fraction) < 0 {
		return unpredictable
	}
	in.op = pick(opc2 < 12, opVCVTfromFix, opVCVTtoFix)
	in.a, in.imm = uint8(fraction), ^opc2&1|field(h2, 7, 7)<<1
	return in
}

// expandFPImm is VFPExpandImm() (A6.4.1).
func expandFPImm(imm8 uint32) uint32 {
	exponent := uint32(0x40000000)
	if imm8&0x40 != 0 {
		exponent = 0x3E000000
	}
	return imm8&0x80<<24 | exponent | imm8&0x3F<<19
}

// decodeFPTransfer is A6.6: between a core register and one of the unit's.
func decodeFPTransfer(h1, h2 uint32) insn {
	_, n, _ := fpRegs(h1, h2)
	t, load := uint8(field(h2, 15, 12)), h1&0x10 != 0
	double := h2&0x100 != 0
	switch {
	case !double && h1&0xE0 == 0xE0:
		return decodeFPStatus(h1, h2, t)
	case !double && h1&0xE0 != 0, double && (h1&0xC0 != 0 || h2&0x60 != 0):
		return insn{}
	case double: // a half of Dd
		n = uint8((field(h2, 7, 7)<<4|h1&0xF)<<1 | field(h1, 5, 5))
	}
	switch {
	case n >= 32:
		return insn{}
	case bad(uint32(t)), h2&0xF != 0, !double && h2&0x60 != 0:
		return unpredictable
	case load:
		return insn{op: opVMOVfromS, d: t, n: n}
	}
	return insn{op: opVMOVtoS, d: n, n: t}
}

// decodeFPStatus is VMSR and VMRS. FPSCR is the only register.
func decodeFPStatus(h1, h2 uint32, t uint8) insn {
	load := h1&0x10 != 0
	switch {
	case h1&0xF != 1, h2&0xEF != 0, t == 13, t == 15 && !load:
		return unpredictable
	case load:
		return insn{op: opVMRS, d: t}
	}
	return insn{op: opVMSR, n: t}
}

// decodeFPTransfer2 is A6.7: two core registers and two single-precision
// registers, or one double-precision register.
func decodeFPTransfer2(h1, h2 uint32) insn {
	t, t2 := field(h2, 15, 12), h1&0xF
	s := h2&0xF<<1 | field(h2, 5, 5)
	load := h1&0x10 != 0
	if h2&0x100 != 0 {
		s = (field(h2, 5, 5)<<4 | h2&0xF) << 1
	}
	switch {
	case h2&0xD0 != 0x10:
		return insn{}
	case bad(t), bad(t2), s > 30, load && t == t2:
		return unpredictable
	}
	return insn{op: pick(load, opVMOVfrom2, opVMOVto2), d: uint8(s), n: uint8(t), m: uint8(t2)}
}

// decodeFPLoadStore is A6.5. VLDR and VSTR are multiples of one register. An
// odd count of words with double registers (FLDMX, FSTMX) moves the address
// by it, and one word less.
func decodeFPLoadStore(h1, h2 uint32) insn {
	first, _, _ := fpRegs(h1, h2)
	n, imm8 := h1&0xF, h2&0xFF
	single, load := h2&0x100 == 0, h1&0x10 != 0
	if !single {
		first = uint8((field(h1, 6, 6)<<4 | field(h2, 15, 12)) << 1)
	}
	in := insn{op: pick(load, opVLDM, opVSTM), d: first, n: uint8(n)}
	up, writeback := h1&0x80 != 0, h1&0x20 != 0
	words := imm8
	if h1&0x120 == 0x100 { // VLDR, VSTR
		words = 1
		if !single {
			words = 2
		}
	} else if !single {
		words &^= 1
	}
	switch h1 & 0x1A0 {
	case 0x100, 0x180: // VLDR, VSTR
		if n == 15 && !load {
			return unpredictable
		}
		in.imm = imm8 << 2
		if !up {
			in.imm = -in.imm & 0xFFFF
		}
	case 0x080: // IA
	case 0x0A0: // IA, writeback
		in.m = uint8(imm8)
	case 0x120: // DB, writeback
		in.m, in.imm = uint8(-imm8), -imm8<<2&0xFFFF
	default:
		return insn{}
	}
	if words == 0 || uint32(first)+words > 32 || n == 15 && writeback {
		return unpredictable
	}
	in.imm |= words << 16
	return in
}
