package riscv

// Widths of OP-FP's fmt field.
const (
	fmtS = 0
	fmtD = 1
)

// Operations of OP-FP by the upper five bits of funct7 (volume I 11 and 12).
const (
	fpADD   = 0x00
	fpSUB   = 0x01
	fpMUL   = 0x02
	fpDIV   = 0x03
	fpSGNJ  = 0x04
	fpMINX  = 0x05 // FMIN, FMAX
	fpCVTFF = 0x08
	fpSQRT  = 0x0B
	fpCMP   = 0x14
	fpToX   = 0x18 // FCVT.int.fmt
	fpFromX = 0x1A
	fpMVtoX = 0x1C // FMV.X.fmt, FCLASS
	fpMVtoF = 0x1E
)

// float decodes all of F and D.
func (d *decoder) float(w, f3 uint32, rd, rs1, rs2 uint8) insn {
	if !d.has(ExtF) {
		return insn{}
	}
	switch w & 0x7F {
	case majorLOADFP:
		switch {
		case f3 == 2:
			return insn{op: opFLW, d: rd, n: rs1, imm: immI(w)}
		case f3 == 3 && d.has(ExtD):
			return insn{op: opFLD, d: rd, n: rs1, imm: immI(w)}
		}
		return insn{}
	case majorSTOREFP:
		switch {
		case f3 == 2:
			return insn{op: opFSW, n: rs1, m: rs2, imm: immS(w)}
		case f3 == 3 && d.has(ExtD):
			return insn{op: opFSD, n: rs1, m: rs2, imm: immS(w)}
		}
		return insn{}
	}
	format := field(w, 26, 25)
	if format > fmtD || format == fmtD && !d.has(ExtD) {
		return insn{}
	}
	if w&0x7F == majorOPFP && !d.validFP(w, f3, uint32(rs2), format) || w&0x7F != majorOPFP && !validRounding(f3) {
		return insn{}
	}
	return insn{op: opFP, d: rd, n: rs1, m: rs2, imm: uint64(w)}
}

func validRounding(rm uint32) bool { return rm <= 4 || rm == 7 }

func (d *decoder) validFP(w, f3, rs2, format uint32) bool {
	switch field(w, 31, 27) {
	case fpADD, fpSUB, fpMUL, fpDIV:
		return validRounding(f3)
	case fpSQRT:
		return rs2 == 0 && validRounding(f3)
	case fpSGNJ, fpCMP:
		return f3 <= 2
	case fpMINX:
		return f3 <= 1
	case fpCVTFF:
		return d.has(ExtD) && rs2 == 1-format && validRounding(f3)
	case fpToX, fpFromX:
		return (rs2 <= 1 || rs2 <= 3 && !d.rv32) && validRounding(f3)
	case fpMVtoX:
		return rs2 == 0 && (f3 == 1 || f3 == 0 && (format == fmtS || !d.rv32))
	case fpMVtoF:
		return rs2 == 0 && f3 == 0 && (format == fmtS || !d.rv32)
	}
	return false
}

// fpUses is uses for opFP.
func fpUses(w uint32) uint64 {
	rs1, rs2, rs3 := field(w, 19, 15), field(w, 24, 20), field(w, 31, 27)
	if w&0x7F != majorOPFP {
		return 1<<(firstF+rs1) | 1<<(firstF+rs2) | 1<<(firstF+rs3)
	}
	switch field(w, 31, 27) {
	case fpFromX, fpMVtoF:
		return 1 << rs1
	case fpSQRT, fpCVTFF, fpToX, fpMVtoX:
		return 1 << (firstF + rs1)
	}
	return 1<<(firstF+rs1) | 1<<(firstF+rs2)
}
