package armv7m

import "rigor/harness/sim/softfloat"

// execFP executes the data processing and transfers of FPv4-SP (DDI 0403E A7,
// "V..."); loads and stores are with the others. The unit has been readied.
func (c *Core) execFP(in *insn) {
	s := &c.S
	n, m, d := s[in.n&31], s[in.m&31], &s[in.d&31]
	switch in.op {
	case opVMOVi:
		*d = in.imm
	case opVMOV:
		*d = m
	case opVABS:
		*d = m &^ signBit
	case opVNEG:
		*d = m ^ signBit
	case opVMOVtoS:
		*d = c.R[in.n&15]
	case opVMOVfromS:
		c.R[in.d&15] = n
	case opVMOVto2:
		s[in.d&31], s[(in.d+1)&31] = c.R[in.n&15], c.R[in.m&15]
	case opVMOVfrom2:
		c.R[in.n&15], c.R[in.m&15] = s[in.d&31], s[(in.d+1)&31]
	case opVMSR:
		c.FPSCR = c.R[in.n&15] & fpscrMask
	case opVMRS:
		c.readFPSCR(in.d)
	default:
		e := softfloat.ArmEnv(c.FPSCR)
		c.arithmeticFP(&e, in, d, n, m)
		c.FPSCR |= e.Flags.FPSCR()
	}
}

const (
	signBit = 1 << 31
	// fpscrMask are the bits that exist: NZCV, AHP, DN, FZ, RMode and the
	// cumulative exceptions (B1.4.5).
	fpscrMask = 0xF7C0009F
)

// readFPSCR is VMRS; register 15 stands for the APSR's flags.
func (c *Core) readFPSCR(t uint8) {
	if t != 15 {
		c.R[t&15] = c.FPSCR
		return
	}
	c.setFlags(c.FPSCR)
}

func (c *Core) arithmeticFP(e *softfloat.Env, in *insn, d *uint32, n, m uint32) {
	switch in.op {
	case opVADD:
		*d = e.Add32(n, m)
	case opVSUB:
		*d = e.Sub32(n, m)
	case opVMUL:
		*d = e.Mul32(n, m)
	case opVNMUL:
		*d = e.Mul32(n, m) ^ signBit
	case opVDIV:
		*d = e.Div32(n, m)
	case opVSQRT:
		*d = e.Sqrt32(m)
	case opVMLA: // two roundings, unlike VFMA
		*d = e.Add32(*d, e.Mul32(n, m))
	case opVMLS:
		*d = e.Add32(*d, e.Mul32(n, m)^signBit)
	case opVNMLA:
		*d = e.Add32(*d^signBit, e.Mul32(n, m)^signBit)
	case opVNMLS:
		*d = e.Add32(*d^signBit, e.Mul32(n, m))
	case opVFMA:
		*d = e.MulAdd32(n, m, *d)
	case opVFMS:
		*d = e.MulAdd32(n^signBit, m, *d)
	case opVFNMA:
		*d = e.MulAdd32(n^signBit, m, *d^signBit)
	case opVFNMS:
		*d = e.MulAdd32(n, m, *d^signBit)
	case opVCMP:
		c.setCompared(e.Compare32(*d, m, in.a != 0))
	case opVCMPz:
		c.setCompared(e.Compare32(*d, 0, in.a != 0))
	default:
		c.convertFP(e, in, d, m)
	}
}

func (c *Core) setCompared(r softfloat.Relation) { c.FPSCR = c.FPSCR&0x0FFFFFFF | uint32(r)<<28 }

func (c *Core) convertFP(e *softfloat.Env, in *insn, d *uint32, m uint32) {
	signed := in.imm&1 != 0
	switch in.op {
	case opVCVTB:
		*d = e.F16ToF32(uint16(m >> (16 * in.imm)))
	case opVCVTBh:
		shift := 16 * in.imm
		*d = *d&^(0xFFFF<<shift) | uint32(e.F32ToF16(m))<<shift
	case opVCVTfromInt:
		*d = e.FixedToF32(uint64(m), softfloat.Fixed{Bits: 32, Signed: signed}, e.Rounding)
	case opVCVTtoInt:
		rounding := e.Rounding
		if in.a != 0 {
			rounding = softfloat.ToZero
		}
		*d = uint32(e.F32ToFixed(m, softfloat.Fixed{Bits: 32, Signed: signed}, rounding))
	case opVCVTfromFix: // rounds to nearest whatever FPSCR says
		*d = e.FixedToF32(uint64(*d), fixedFormat(in), softfloat.NearestEven)
	case opVCVTtoFix:
		*d = uint32(e.F32ToFixed(*d, fixedFormat(in), softfloat.ToZero))
	}
}

func fixedFormat(in *insn) softfloat.Fixed {
	return softfloat.Fixed{Bits: uint8(16 + in.imm&2<<3), Frac: in.a, Signed: in.imm&1 != 0}
}
