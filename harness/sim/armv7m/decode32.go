package armv7m

import "math/bits"

// decode32 decodes a 32-bit instruction (DDI 0403E A5.3).
func decode32(pc, h1, h2 uint32) insn {
	switch {
	case h1 < 0xF000:
		switch {
		case h1&0xFE40 == 0xE800:
			return decodeMultiple32(h1, h2)
		case h1&0xFE40 == 0xE840:
			return decodeDualExclusive(h1, h2)
		case h1&0xFE00 == 0xEA00:
			return decodeShifted(h1, h2)
		}
		return decodeCoprocessor(h1, h2)
	case h1 < 0xF800:
		switch {
		case h2&0x8000 != 0:
			return decodeBranchMisc(pc, h1, h2)
		case h1&0x200 == 0:
			return decodeModifiedImm(h1, h2)
		}
		return decodePlainImm(pc, h1, h2)
	}
	switch {
	case h1&0xFF10 == 0xF800:
		return decodeStore(h1, h2)
	case h1&0xFE10 == 0xF810:
		return decodeLoad(pc, h1, h2)
	case h1&0xFF00 == 0xFA00:
		return decodeDataReg(h1, h2)
	case h1&0xFF80 == 0xFB00:
		return decodeMultiply(h1, h2)
	case h1&0xFF80 == 0xFB80:
		return decodeLongMultiply(h1, h2)
	}
	return decodeCoprocessor(h1, h2)
}

// decodeMultiple32 is A5.3.5. One register in the list is UNPREDICTABLE but
// works as expected.
func decodeMultiple32(h1, h2 uint32) insn {
	n, list := h1&0xF, h2
	decrement, writeback := h1&0x180 == 0x100, h1&0x20 != 0
	load := h1&0x10 != 0
	switch {
	case h1&0x180 == 0 || h1&0x180 == 0x180:
		return insn{}
	case n == 15, list == 0, list&0x2000 != 0, writeback && list>>n&1 != 0,
		load && list>>14 == 3, !load && list>>15 != 0:
		return unpredictable
	case load:
		return loadMultiple(n, list, decrement, writeback)
	}
	return storeMultiple(n, list, decrement, writeback)
}

// decodeDualExclusive is A5.3.6.
func decodeDualExclusive(h1, h2 uint32) insn {
	if h1&0x120 != 0 {
		return decodeDual(h1, h2)
	}
	n, t := uint8(h1&0xF), uint8(field(h2, 15, 12))
	d := uint8(field(h2, 11, 8))
	switch h1 & 0xFFF0 {
	case 0xE840:
		if bad(uint32(d)) || bad(uint32(t)) || n == 15 || d == n || d == t {
			return unpredictable
		}
		return insn{op: opSTREX, d: d, n: n, a: t, imm: h2 & 0xFF << 2}
	case 0xE850:
		if bad(uint32(t)) || n == 15 || d != 15 {
			return unpredictable
		}
		return insn{op: opLDREX, d: t, n: n, imm: h2 & 0xFF << 2}
	case 0xE8C0:
		return decodeStoreExclusive(h2, n, t)
	case 0xE8D0:
		return decodeLoadExclusive(h2, n, t)
	}
	return insn{}
}

func decodeStoreExclusive(h2 uint32, n, t uint8) insn {
	d, size := uint8(h2&0xF), field(h2, 7, 4)
	switch {
	case size != 4 && size != 5:
		return insn{}
	case h2&0xF00 != 0xF00, bad(uint32(d)), bad(uint32(t)), n == 15, d == n, d == t:
		return unpredictable
	}
	return insn{op: pick(size == 4, opSTREXB, opSTREXH), d: d, n: n, a: t}
}

// decodeLoadExclusive has TBB and TBH, too.
func decodeLoadExclusive(h2 uint32, n, t uint8) insn {
	switch size := field(h2, 7, 4); size {
	case 0, 1:
		if h2&0xFF00 != 0xF000 || n == 13 || bad(h2&0xF) {
			return unpredictable
		}
		return insn{op: opTBB + op(size), n: n, m: uint8(h2 & 0xF)}
	case 4, 5:
		if h2&0xF0F != 0xF0F || bad(uint32(t)) || n == 15 {
			return unpredictable
		}
		return insn{op: pick(size == 4, opLDREXB, opLDREXH), d: t, n: n}
	}
	return insn{}
}

func decodeDual(h1, h2 uint32) insn {
	n, t, t2 := h1&0xF, field(h2, 15, 12), field(h2, 11, 8)
	load, writeback := h1&0x10 != 0, h1&0x20 != 0
	offset := h2 & 0xFF << 2
	if h1&0x80 == 0 {
		offset = -offset
	}
	in := insn{op: opSTRD, d: uint8(t), n: uint8(n), a: uint8(t2), imm: offset}
	switch {
	case bad(t), bad(t2), writeback && (n == t || n == t2 || n == 15), load && t == t2, !load && n == 15:
		return unpredictable
	}
	if load {
		in.op = opLDRD
	}
	switch {
	case writeback && h1&0x100 != 0:
		in.m = indexPre
	case writeback:
		in.m = indexPost
	}
	return in
}

// aluOps maps the operation field of A5.3.1 and A5.3.11 to the first opcode of
// its family.
var aluOps = [16]op{
	0: opANDi, 1: opBICi, 2: opORRi, 3: opORNi, 4: opEORi,
	8: opADDi, 10: opADCi, 11: opSBCi, 13: opSUBi, 14: opRSBi,
}

// testOps holds the comparisons that an operation becomes with Rd = 15 and S.
var testOps = [16]op{0: opTSTi, 4: opTEQi, 8: opCMNi, 13: opCMPi}

// Operand kinds, as offsets in an opcode family.
const (
	kindImm = iota
	kindReg
	kindShifted
)

// dataProcessing picks the opcode for an operation with the S bit and registers
// d and n; kind is that of the second operand.
func dataProcessing(operation, s, d, n uint32, kind op) insn {
	in := insn{d: uint8(d), n: uint8(n)}
	family := aluOps[operation]
	test := testOps[operation]
	switch {
	case family == opUndefined:
		return insn{}
	case test != 0 && d == 15 && s == 1:
		if n == 15 || n == 13 && (operation == 0 || operation == 4) {
			return unpredictable
		}
		in.op = test + kind
		return in
	case operation == 2 && n == 15:
		family = opMOVi
	case operation == 3 && n == 15:
		family = opMVNi
	case !registersAllowed(operation, d, n):
		return unpredictable
	}
	in.op = family + 2*kind + op(s)
	return in
}

// registersAllowed holds the rules on SP and PC of the encodings with three
// registers: only ADD and SUB know SP.
func registersAllowed(operation, d, n uint32) bool {
	if operation == 8 || operation == 13 {
		return n != 15 && d != 15 && (d != 13 || n == 13)
	}
	return !bad(d) && !bad(n)
}

// decodeShifted is A5.3.11, data processing with a shifted register.
func decodeShifted(h1, h2 uint32) insn {
	operation, s := field(h1, 8, 5), field(h1, 4, 4)
	n, d, m := h1&0xF, field(h2, 11, 8), h2&0xF
	amount, kind := field(h2, 14, 12)<<2|field(h2, 7, 6), field(h2, 5, 4)
	shift := decodeImmShift(kind, amount)
	if operation == 6 {
		return decodePack(s, n, d, m, kind, shift)
	}
	plain := kind == shiftLSL && amount == 0
	in := dataProcessing(operation, s, d, n, kindShifted)
	in.m, in.a = uint8(m), shift
	if in.op <= opUnpredictable {
		return insn{op: in.op}
	}
	if h2&0x8000 != 0 {
		return unpredictable
	}
	if in.op == opMOVx || in.op == opMOVSx {
		return decodeMove(in, s, plain, kind, amount)
	}
	switch {
	case bad(m), d == 13 && (kind != shiftLSL || amount > 3),
		(in.op == opMVNx || in.op == opMVNSx) && bad(d):
		return unpredictable
	case plain && in.op >= opTSTi && in.op <= opCMNx:
		in.op-- // the register form
	case plain:
		in.op -= 2
	}
	return in
}

func decodePack(s, n, d, m, kind uint32, shift uint8) insn {
	switch {
	case s != 0, kind&1 != 0:
		return insn{}
	case bad(d), bad(n), bad(m):
		return unpredictable
	case kind == shiftASR:
		return insn{op: opPKHTB, d: uint8(d), n: uint8(n), m: uint8(m), a: shift}
	}
	return insn{op: opPKHBT, d: uint8(d), n: uint8(n), m: uint8(m), a: shift}
}

// decodeMove splits MOV from the shifts by an immediate.
func decodeMove(in insn, s uint32, plain bool, kind, amount uint32) insn {
	d, m := uint32(in.d), uint32(in.m)
	if plain {
		in.op = opMOVr + op(s)
		if s != 0 && (bad(d) || bad(m)) || d == 15 || m == 15 || d == 13 && m == 13 {
			return unpredictable
		}
		return in
	}
	if bad(d) || bad(m) {
		return unpredictable
	}
	if kind != shiftROR {
		in.op = [3]op{opLSLi, opLSRi, opASRi}[kind] + op(s)
		in.imm = uint32(in.a & 63)
	}
	return in
}

// expandImm is ThumbExpandImm_C() (A5.3.2); rotated says that the carry
// becomes bit 31. The UNPREDICTABLE replications of 0 give 0.
func expandImm(h1, h2 uint32) (imm uint32, rotated bool) {
	v, b := field(h1, 10, 10)<<11|field(h2, 14, 12)<<8|h2&0xFF, h2&0xFF
	switch v >> 8 {
	case 0:
		return b, false
	case 1:
		return b<<16 | b, false
	case 2:
		return b<<24 | b<<8, false
	case 3:
		return b<<24 | b<<16 | b<<8 | b, false
	}
	return bits.RotateLeft32(b|0x80, -int(v>>7)), true
}

// decodeModifiedImm is A5.3.1. a is 1 if a logical operation sets the carry
// to bit 31 of the immediate.
func decodeModifiedImm(h1, h2 uint32) insn {
	s, d := field(h1, 4, 4), field(h2, 11, 8)
	in := dataProcessing(field(h1, 8, 5), s, d, h1&0xF, kindImm)
	if in.op >= opMOVi && in.op <= opMOVSi && bad(d) || in.op >= opMVNi && in.op <= opMVNSi && bad(d) {
		return unpredictable
	}
	var rotated bool
	if in.imm, rotated = expandImm(h1, h2); rotated {
		in.a = 1
	}
	return in
}

// decodePlainImm is A5.3.3.
func decodePlainImm(pc, h1, h2 uint32) insn {
	d, n := field(h2, 11, 8), h1&0xF
	imm12 := field(h1, 10, 10)<<11 | field(h2, 14, 12)<<8 | h2&0xFF
	in := insn{d: uint8(d), n: uint8(n), imm: imm12}
	operation := field(h1, 8, 4)
	switch {
	case operation&1 != 0, operation == 2, operation == 6, operation == 8, operation == 14, operation == 30:
		return insn{}
	case d == 15, d == 13 && (n != 13 || operation != 0 && operation != 10):
		return unpredictable
	}
	switch operation {
	case 0, 10:
		return addSubWide(in, pc, operation == 10)
	case 4:
		return insn{op: opMOVi, d: in.d, imm: n<<12 | imm12}
	case 12:
		return insn{op: opMOVT, d: in.d, imm: n<<12 | imm12}
	}
	if n == 13 || n == 15 && operation != 22 || h1&0x400 != 0 || h2&0x20 != 0 {
		return unpredictable
	}
	return decodeSaturateBitfield(in, operation, field(h2, 14, 12)<<2|field(h2, 7, 6), h2&0x1F)
}

func addSubWide(in insn, pc uint32, sub bool) insn {
	base := (pc + 4) &^ 3
	switch {
	case in.n == 15 && sub:
		return insn{op: opMOVi, d: in.d, imm: base - in.imm}
	case in.n == 15:
		return insn{op: opMOVi, d: in.d, imm: base + in.imm}
	case sub:
		in.op = opSUBi
	default:
		in.op = opADDi
	}
	return in
}

func decodeSaturateBitfield(in insn, operation, shift, width uint32) insn {
	in.imm = width
	switch operation {
	case 16, 18, 24, 26: // SSAT, USAT; with a shift of ASR #0: the 16-bit ones
		signed := operation < 20
		if signed {
			in.imm++
		}
		if operation&2 == 0 || shift != 0 {
			in.a = decodeImmShift(operation&2, shift)
			in.op = pick(signed, opSSAT, opUSAT)
		} else if in.op = pick(signed, opSSAT16, opUSAT16); width > 15 {
			return unpredictable
		}
	case 20, 28: // SBFX, UBFX: width is one less than the field's
		if shift+width > 31 {
			return unpredictable
		}
		in.a, in.m = uint8(31-width-shift), uint8(31-width)
		in.op = pick(operation == 20, opSBFX, opUBFX)
	case 22: // BFI, BFC: width is the msb
		if width < shift {
			return unpredictable
		}
		in.op = pick(in.n == 15, opBFC, opBFI)
		in.a, in.imm = uint8(shift), (2<<(width-shift)-1)<<shift
	}
	return in
}

func pick(first bool, a, b op) op {
	if first {
		return a
	}
	return b
}

// decodeBranchMisc is A5.3.4.
func decodeBranchMisc(pc, h1, h2 uint32) insn {
	s, j1, j2 := field(h1, 10, 10), field(h2, 13, 13), field(h2, 11, 11)
	if h2&0x1000 != 0 { // B, BL
		i1, i2 := ^(j1^s)&1, ^(j2^s)&1
		offset := signExtend(s<<24|i1<<23|i2<<22|h1&0x3FF<<12|h2&0x7FF<<1, 25)
		return insn{op: pick(h2&0x4000 != 0, opBL, opB), imm: pc + 4 + offset}
	}
	switch {
	case h1&0xFFF0 == 0xF7F0 && h2&0xF000 == 0xA000:
		return insn{op: opUDF}
	case h2&0x4000 != 0:
		return insn{}
	case field(h1, 9, 7) != 7:
		offset := signExtend(s<<20|j2<<19|j1<<18|h1&0x3F<<12|h2&0x7FF<<1, 21)
		return insn{op: opBEQ + op(field(h1, 9, 6)), imm: pc + 4 + offset}
	}
	return decodeSystem(h1, h2)
}

// decodeSystem is the rest of A5.3.4: special registers, hints and barriers.
func decodeSystem(h1, h2 uint32) insn {
	switch {
	case h1&0xFFF0 == 0xF380 && h2&0xF300 == 0x8000:
		n := h1 & 0xF
		if bad(n) || h2&0xC00 == 0 || !isSpecial(h2&0xFF) {
			return unpredictable
		}
		return insn{op: opMSR, n: uint8(n), a: uint8(field(h2, 11, 10)), imm: h2 & 0xFF}
	case h1 == 0xF3EF && h2&0xF000 == 0x8000:
		d := field(h2, 11, 8)
		if bad(d) || !isSpecial(h2&0xFF) {
			return unpredictable
		}
		return insn{op: opMRS, d: uint8(d), imm: h2 & 0xFF}
	case h1 == 0xF3AF && h2&0xFF00 == 0x8000:
		if h2&0xF0 == 0 {
			return hint(h2 & 0xF)
		}
		return insn{op: opNOP}
	case h1 == 0xF3BF && h2&0xFF00 == 0x8F00:
		switch field(h2, 7, 4) {
		case 2:
			return insn{op: opCLREX}
		case 4, 5, 6:
			return insn{op: opBarrier, a: uint8(field(h2, 7, 4))}
		}
	}
	return insn{}
}

// isSpecial says whether a SYSm names a special register (B5.2.2).
func isSpecial(sysm uint32) bool {
	return sysm <= sysmPSP && sysm != 4 || sysm >= sysmPRIMASK && sysm <= sysmCONTROL
}

// decodeStore is A5.3.10.
func decodeStore(h1, h2 uint32) insn {
	n, t, size := h1&0xF, field(h2, 15, 12), field(h1, 6, 5)
	if size == 3 || n == 15 {
		return insn{}
	}
	width := [3]op{1, 2, 0}[size] // word, byte, halfword in opcode order
	in := insn{d: uint8(t), n: uint8(n)}
	in = addressing(in, h1, h2, addressModes{opSTRi, opSTRr, opSTRpre, opSTRpost, opSTRT}, width)
	if in.op != opUndefined && (t == 15 || size != 2 && t == 13) {
		return unpredictable
	}
	return in
}

// addressModes are the first opcodes of the families of A5.3.7 to A5.3.10.
type addressModes struct{ offset, register, pre, post, unprivileged op }

func addressing(in insn, h1, h2 uint32, modes addressModes, width op) insn {
	if h1&0x80 != 0 {
		in.op, in.imm = modes.offset+width, h2&0xFFF
		return in
	}
	if h2&0x800 == 0 {
		if h2&0x7C0 != 0 {
			return insn{}
		}
		if bad(h2 & 0xF) {
			return unpredictable
		}
		in.op, in.m, in.a = modes.register+width, uint8(h2&0xF), uint8(field(h2, 5, 4))
		return in
	}
	in.imm = h2 & 0xFF
	if h2&0x200 == 0 {
		in.imm = -in.imm
	}
	switch field(h2, 10, 8) { // P, U, W
	case 0b110:
		in.op = modes.unprivileged + width
		if bad(uint32(in.d)) {
			return unpredictable
		}
		return in
	case 0b100:
		in.op = modes.offset + width
		return in
	case 0b101, 0b111:
		in.op = modes.pre + width
	case 0b001, 0b011:
		in.op = modes.post + width
	default:
		return insn{}
	}
	if in.n == in.d {
		return unpredictable
	}
	return in
}

// decodeLoad is A5.3.7 to A5.3.9, with the memory hints that share the space.
func decodeLoad(pc, h1, h2 uint32) insn {
	n, t := h1&0xF, field(h2, 15, 12)
	size, signed := field(h1, 6, 5), field(h1, 8, 8)
	if size == 3 || size == 2 && signed == 1 {
		return insn{}
	}
	width := [2][3]op{{1, 2, 0}, {3, 4, 0}}[signed][size]
	in := insn{d: uint8(t), n: uint8(n)}
	if n == 15 {
		in.op, in.imm = opLDRl+width, (pc+4)&^3+h2&0xFFF
		if h1&0x80 == 0 {
			in.imm = (pc+4)&^3 - h2&0xFFF
		}
	} else {
		in = addressing(in, h1, h2, addressModes{opLDRi, opLDRr, opLDRpre, opLDRpost, opLDRT}, width)
	}
	switch {
	case in.op <= opUnpredictable || size == 2:
		return in
	case t == 13:
		return unpredictable
	case t == 15:
		return memoryHint(in)
	}
	return in
}

// memoryHint is a load of a byte or halfword to PC: PLD, PLI or a hint
// without a meaning. The indexed forms are UNPREDICTABLE.
func memoryHint(in insn) insn {
	if in.op >= opLDRpre {
		return unpredictable
	}
	hint := insn{op: opNOP}
	if _, width, _ := in.loadShape(); width == 2 {
		hint.a = 1
	}
	return hint
}

// decodeDataReg is A5.3.12, with A5.3.13 to A5.3.15.
func decodeDataReg(h1, h2 uint32) insn {
	n, d, m := h1&0xF, field(h2, 11, 8), h2&0xF
	op1, op2 := field(h1, 7, 4), field(h2, 7, 4)
	in := insn{d: uint8(d), n: uint8(n), m: uint8(m)}
	switch {
	case h2>>12 != 15:
		return insn{}
	case op1 < 8 && op2 == 0:
		in.op = [4]op{opLSLr, opLSRr, opASRr, opRORr}[op1>>1] + op(op1&1)
	case op1 < 8 && op2 >= 8:
		in = decodeExtend(in, op1, h2)
	case op1 >= 8 && op2 < 8:
		if op1&7 != 3 && op1&7 != 7 && op2&3 != 3 {
			in.op, in.imm = opParallel, op1&7<<3|op2
		}
	case op1 >= 8 && op1 < 12 && op2 < 12:
		in = decodeMiscData(in, op1&3, op2&3)
	}
	if in.op != opUndefined && (bad(d) || bad(m) || bad(uint32(in.n))) {
		return unpredictable
	}
	return in
}

// decodeExtend is A5.3.12's extensions; without an addend, a is 1.
func decodeExtend(in insn, op1, h2 uint32) insn {
	if op1 > 5 {
		return insn{}
	}
	if h2&0x40 != 0 {
		return unpredictable
	}
	in.op = [6]op{opSXTAH, opUXTAH, opSXTAB16, opUXTAB16, opSXTAB, opUXTAB}[op1]
	in.imm = field(h2, 5, 4) * 8
	if in.n == 15 {
		in.a, in.n = 1, 0
		if plain := [6]op{opSXTH, opUXTH, 0, 0, opSXTB, opUXTB}[op1]; in.imm == 0 && plain != 0 {
			in.op = plain
		}
	}
	return in
}

// decodeMiscData is A5.3.15. Those with one operand give it twice.
func decodeMiscData(in insn, op1, op2 uint32) insn {
	in.op = [4][4]op{
		{opQADD, opQDADD, opQSUB, opQDSUB},
		{opREV, opREV16, opRBIT, opREVSH},
		{opSEL},
		{opCLZ},
	}[op1][op2]
	if op1&1 != 0 && in.op != opUndefined && in.n != in.m {
		return unpredictable
	}
	return in
}

// decodeMultiply is A5.3.16.
func decodeMultiply(h1, h2 uint32) insn {
	n, a, d, m := h1&0xF, field(h2, 15, 12), field(h2, 11, 8), h2&0xF
	op1, op2 := field(h1, 6, 4), field(h2, 5, 4)
	if h2&0xC0 != 0 {
		return insn{}
	}
	in := insn{d: uint8(d), n: uint8(n), m: uint8(m), a: uint8(a), imm: op2}
	switch {
	case op1 == 0 && op2 == 0:
		in.op = pick(a == 15, opMUL, opMLA)
	case op1 == 0 && op2 == 1:
		in.op = opMLS
	case op1 == 1, op1 > 1 && op1 < 7 && op2 < 2, op1 == 7 && op2 == 0:
		in.op = [8]op{0, opSMLAxy, opSMLAD, opSMLAW, opSMLSD, opSMMLA, opSMMLS, opUSADA8}[op1]
	default:
		return insn{}
	}
	if bad(n) || bad(d) || bad(m) || a == 13 || a == 15 && (in.op == opMLS || in.op == opSMMLS) {
		return unpredictable
	}
	return in
}

// decodeLongMultiply is A5.3.17.
func decodeLongMultiply(h1, h2 uint32) insn {
	n, lo, hi, m := h1&0xF, field(h2, 15, 12), field(h2, 11, 8), h2&0xF
	op1, op2 := field(h1, 6, 4), field(h2, 7, 4)
	in := insn{d: uint8(lo), n: uint8(n), m: uint8(m), a: uint8(hi), imm: op2 & 3}
	switch {
	case op2 == 15 && (op1 == 1 || op1 == 3):
		in.d, in.op = in.a, pick(op1 == 1, opSDIV, opUDIV)
		if lo != 15 || bad(n) || bad(hi) || bad(m) {
			return unpredictable
		}
		return in
	case op2 == 0:
		in.op = [8]op{0: opSMULL, 2: opUMULL, 4: opSMLAL, 6: opUMLAL}[op1]
	case op1 == 4 && op2>>2 == 2:
		in.op = opSMLALxy
	case op1 == 4 && op2>>1 == 6:
		in.op, in.imm = opSMLALD, op2&1
	case op1 == 5 && op2>>1 == 6:
		in.op, in.imm = opSMLSLD, op2&1
	case op1 == 6 && op2 == 6:
		in.op = opUMAAL
	}
	if in.op != opUndefined && (bad(n) || bad(lo) || bad(hi) || bad(m) || lo == hi) {
		return unpredictable
	}
	return in
}
