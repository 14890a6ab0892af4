package armv7m

import "math/bits"

// exec executes block b from entry i up to, but not including, entry n, and
// goes on with the blocks that its branches lead to until there is something
// for the run loop to look at. It returns at an instruction boundary, or false
// where a fault was raised or the simulation stopped instead of the last
// instruction's completion.
//
// Inside, R[15] is scratch, and Cycle and Insns stand for the start of the
// block: the static cost of what was executed is added on the way out, and by
// sync while something outside needs to know it.
func (c *Core) exec(b *block, i, n int) bool {
	c.Cycle -= uint64(b.code[i].pre)
	c.Insns -= uint64(b.code[i].idx)
	c.Pipe = 0
	r := &c.R
	code := b.code[:n]
	var (
		in     *insn
		addr   uint32
		target *link
		refill uint64
	)
	for i < len(code) {
		in = &code[i]
		i++
		switch in.op {
		case opANDi:
			r[in.d&15] = r[in.n&15] & in.imm
		case opANDSi:
			v := r[in.n&15] & in.imm
			c.setNZ(v)
			c.carryOfImm(in)
			r[in.d&15] = v
		case opANDr:
			r[in.d&15] = r[in.n&15] & r[in.m&15]
		case opANDSr:
			v := r[in.n&15] & r[in.m&15]
			c.setNZ(v)
			r[in.d&15] = v
		case opANDx:
			r[in.d&15] = r[in.n&15] & c.shifted(in)
		case opANDSx:
			v := r[in.n&15] & c.shiftedC(in)
			c.setNZ(v)
			r[in.d&15] = v

		case opBICi:
			r[in.d&15] = r[in.n&15] &^ in.imm
		case opBICSi:
			v := r[in.n&15] &^ in.imm
			c.setNZ(v)
			c.carryOfImm(in)
			r[in.d&15] = v
		case opBICr:
			r[in.d&15] = r[in.n&15] &^ r[in.m&15]
		case opBICSr:
			v := r[in.n&15] &^ r[in.m&15]
			c.setNZ(v)
			r[in.d&15] = v
		case opBICx:
			r[in.d&15] = r[in.n&15] &^ c.shifted(in)
		case opBICSx:
			v := r[in.n&15] &^ c.shiftedC(in)
			c.setNZ(v)
			r[in.d&15] = v

		case opORRi:
			r[in.d&15] = r[in.n&15] | in.imm
		case opORRSi:
			v := r[in.n&15] | in.imm
			c.setNZ(v)
			c.carryOfImm(in)
			r[in.d&15] = v
		case opORRr:
			r[in.d&15] = r[in.n&15] | r[in.m&15]
		case opORRSr:
			v := r[in.n&15] | r[in.m&15]
			c.setNZ(v)
			r[in.d&15] = v
		case opORRx:
			r[in.d&15] = r[in.n&15] | c.shifted(in)
		case opORRSx:
			v := r[in.n&15] | c.shiftedC(in)
			c.setNZ(v)
			r[in.d&15] = v

		case opORNi:
			r[in.d&15] = r[in.n&15] | ^in.imm
		case opORNSi:
			v := r[in.n&15] | ^in.imm
			c.setNZ(v)
			c.carryOfImm(in)
			r[in.d&15] = v
		case opORNr:
			r[in.d&15] = r[in.n&15] | ^r[in.m&15]
		case opORNSr:
			v := r[in.n&15] | ^r[in.m&15]
			c.setNZ(v)
			r[in.d&15] = v
		case opORNx:
			r[in.d&15] = r[in.n&15] | ^c.shifted(in)
		case opORNSx:
			v := r[in.n&15] | ^c.shiftedC(in)
			c.setNZ(v)
			r[in.d&15] = v

		case opEORi:
			r[in.d&15] = r[in.n&15] ^ in.imm
		case opEORSi:
			v := r[in.n&15] ^ in.imm
			c.setNZ(v)
			c.carryOfImm(in)
			r[in.d&15] = v
		case opEORr:
			r[in.d&15] = r[in.n&15] ^ r[in.m&15]
		case opEORSr:
			v := r[in.n&15] ^ r[in.m&15]
			c.setNZ(v)
			r[in.d&15] = v
		case opEORx:
			r[in.d&15] = r[in.n&15] ^ c.shifted(in)
		case opEORSx:
			v := r[in.n&15] ^ c.shiftedC(in)
			c.setNZ(v)
			r[in.d&15] = v

		case opMVNi:
			r[in.d&15] = ^in.imm
		case opMVNSi:
			v := ^in.imm
			c.setNZ(v)
			c.carryOfImm(in)
			r[in.d&15] = v
		case opMVNr:
			r[in.d&15] = ^r[in.m&15]
		case opMVNSr:
			v := ^r[in.m&15]
			c.setNZ(v)
			r[in.d&15] = v
		case opMVNx:
			r[in.d&15] = ^c.shifted(in)
		case opMVNSx:
			v := ^c.shiftedC(in)
			c.setNZ(v)
			r[in.d&15] = v

		case opMOVi:
			r[in.d&15] = in.imm
		case opMOVSi:
			v := in.imm
			c.setNZ(v)
			c.carryOfImm(in)
			r[in.d&15] = v
		case opMOVr:
			r[in.d&15] = r[in.m&15]
		case opMOVSr:
			v := r[in.m&15]
			c.setNZ(v)
			r[in.d&15] = v
		case opMOVx:
			r[in.d&15] = c.shifted(in)
		case opMOVSx:
			v := c.shiftedC(in)
			c.setNZ(v)
			r[in.d&15] = v

		case opADDi:
			r[in.d&15] = r[in.n&15] + in.imm
		case opADDSi:
			r[in.d&15] = c.addFlags(r[in.n&15], in.imm, 0)
		case opADDr:
			r[in.d&15] = r[in.n&15] + r[in.m&15]
		case opADDSr:
			r[in.d&15] = c.addFlags(r[in.n&15], r[in.m&15], 0)
		case opADDx:
			r[in.d&15] = r[in.n&15] + c.shifted(in)
		case opADDSx:
			r[in.d&15] = c.addFlags(r[in.n&15], c.shifted(in), 0)

		case opSUBi:
			r[in.d&15] = r[in.n&15] - in.imm
		case opSUBSi:
			r[in.d&15] = c.addFlags(r[in.n&15], ^in.imm, 1)
		case opSUBr:
			r[in.d&15] = r[in.n&15] - r[in.m&15]
		case opSUBSr:
			r[in.d&15] = c.addFlags(r[in.n&15], ^r[in.m&15], 1)
		case opSUBx:
			r[in.d&15] = r[in.n&15] - c.shifted(in)
		case opSUBSx:
			r[in.d&15] = c.addFlags(r[in.n&15], ^c.shifted(in), 1)

		case opADCi:
			r[in.d&15] = r[in.n&15] + in.imm + c.CF
		case opADCSi:
			r[in.d&15] = c.addFlags(r[in.n&15], in.imm, c.CF)
		case opADCr:
			r[in.d&15] = r[in.n&15] + r[in.m&15] + c.CF
		case opADCSr:
			r[in.d&15] = c.addFlags(r[in.n&15], r[in.m&15], c.CF)
		case opADCx:
			r[in.d&15] = r[in.n&15] + c.shifted(in) + c.CF
		case opADCSx:
			r[in.d&15] = c.addFlags(r[in.n&15], c.shifted(in), c.CF)

		case opSBCi:
			r[in.d&15] = r[in.n&15] + ^in.imm + c.CF
		case opSBCSi:
			r[in.d&15] = c.addFlags(r[in.n&15], ^in.imm, c.CF)
		case opSBCr:
			r[in.d&15] = r[in.n&15] + ^r[in.m&15] + c.CF
		case opSBCSr:
			r[in.d&15] = c.addFlags(r[in.n&15], ^r[in.m&15], c.CF)
		case opSBCx:
			r[in.d&15] = r[in.n&15] + ^c.shifted(in) + c.CF
		case opSBCSx:
			r[in.d&15] = c.addFlags(r[in.n&15], ^c.shifted(in), c.CF)

		case opRSBi:
			r[in.d&15] = in.imm - r[in.n&15]
		case opRSBSi:
			r[in.d&15] = c.addFlags(in.imm, ^r[in.n&15], 1)
		case opRSBr:
			r[in.d&15] = r[in.m&15] - r[in.n&15]
		case opRSBSr:
			r[in.d&15] = c.addFlags(r[in.m&15], ^r[in.n&15], 1)
		case opRSBx:
			r[in.d&15] = c.shifted(in) - r[in.n&15]
		case opRSBSx:
			r[in.d&15] = c.addFlags(c.shifted(in), ^r[in.n&15], 1)

		case opTSTi:
			c.setNZ(r[in.n&15] & in.imm)
			c.carryOfImm(in)
		case opTSTr:
			c.setNZ(r[in.n&15] & r[in.m&15])
		case opTSTx:
			c.setNZ(r[in.n&15] & c.shiftedC(in))
		case opTEQi:
			c.setNZ(r[in.n&15] ^ in.imm)
			c.carryOfImm(in)
		case opTEQr:
			c.setNZ(r[in.n&15] ^ r[in.m&15])
		case opTEQx:
			c.setNZ(r[in.n&15] ^ c.shiftedC(in))
		case opCMPi:
			c.addFlags(r[in.n&15], ^in.imm, 1)
		case opCMPr:
			c.addFlags(r[in.n&15], ^r[in.m&15], 1)
		case opCMPx:
			c.addFlags(r[in.n&15], ^c.shifted(in), 1)
		case opCMNi:
			c.addFlags(r[in.n&15], in.imm, 0)
		case opCMNr:
			c.addFlags(r[in.n&15], r[in.m&15], 0)
		case opCMNx:
			c.addFlags(r[in.n&15], c.shifted(in), 0)

		case opLSLi:
			r[in.d&15] = r[in.m&15] << (in.imm & 31)
		case opLSLSi:
			v := r[in.m&15]
			c.CF = v >> (-in.imm & 31) & 1
			v <<= in.imm & 31
			c.setNZ(v)
			r[in.d&15] = v
		case opLSRi:
			r[in.d&15] = r[in.m&15] >> in.imm
		case opLSRSi:
			v := r[in.m&15]
			c.CF = v >> ((in.imm - 1) & 31) & 1
			v >>= in.imm
			c.setNZ(v)
			r[in.d&15] = v
		case opASRi:
			r[in.d&15] = uint32(int32(r[in.m&15]) >> in.imm)
		case opASRSi:
			v := int32(r[in.m&15])
			c.CF = uint32(v>>((in.imm-1)&31)) & 1
			v >>= in.imm
			c.setNZ(uint32(v))
			r[in.d&15] = uint32(v)
		case opLSLr:
			r[in.d&15] = r[in.n&15] << (r[in.m&15] & 0xFF)
		case opLSLSr:
			c.shiftFlags(in, shiftLSL)
		case opLSRr:
			r[in.d&15] = r[in.n&15] >> (r[in.m&15] & 0xFF)
		case opLSRSr:
			c.shiftFlags(in, shiftLSR)
		case opASRr:
			r[in.d&15] = uint32(int32(r[in.n&15]) >> (r[in.m&15] & 0xFF))
		case opASRSr:
			c.shiftFlags(in, shiftASR)
		case opRORr:
			r[in.d&15] = bits.RotateLeft32(r[in.n&15], -int(r[in.m&15]&31))
		case opRORSr:
			c.shiftFlags(in, shiftROR)

		case opMOVT:
			r[in.d&15] = r[in.d&15]&0xFFFF | in.imm<<16
		case opSXTB:
			r[in.d&15] = uint32(int8(r[in.m&15]))
		case opSXTH:
			r[in.d&15] = uint32(int16(r[in.m&15]))
		case opUXTB:
			r[in.d&15] = r[in.m&15] & 0xFF
		case opUXTH:
			r[in.d&15] = r[in.m&15] & 0xFFFF
		case opREV:
			r[in.d&15] = bits.ReverseBytes32(r[in.m&15])
		case opREV16:
			r[in.d&15] = bits.RotateLeft32(bits.ReverseBytes32(r[in.m&15]), 16)
		case opREVSH:
			r[in.d&15] = uint32(int16(bits.ReverseBytes16(uint16(r[in.m&15]))))
		case opRBIT:
			r[in.d&15] = bits.Reverse32(r[in.m&15])
		case opCLZ:
			r[in.d&15] = uint32(bits.LeadingZeros32(r[in.m&15]))
		case opBFI:
			r[in.d&15] = r[in.d&15]&^in.imm | r[in.n&15]<<(in.a&31)&in.imm
		case opBFC:
			r[in.d&15] &^= in.imm
		case opSBFX:
			r[in.d&15] = uint32(int32(r[in.n&15]<<(in.a&31)) >> (in.m & 31))
		case opUBFX:
			r[in.d&15] = r[in.n&15] << (in.a & 31) >> (in.m & 31)

		case opMUL:
			r[in.d&15] = r[in.n&15] * r[in.m&15]
		case opMULS:
			v := r[in.n&15] * r[in.m&15]
			c.setNZ(v)
			r[in.d&15] = v
		case opMLA:
			r[in.d&15] = r[in.n&15]*r[in.m&15] + r[in.a&15]
		case opMLS:
			r[in.d&15] = r[in.a&15] - r[in.n&15]*r[in.m&15]
		case opSMULL:
			c.setLong(in, uint64(int64(int32(r[in.n&15]))*int64(int32(r[in.m&15]))))
		case opUMULL:
			c.setLong(in, uint64(r[in.n&15])*uint64(r[in.m&15]))
		case opSMLAL:
			c.setLong(in, c.long(in)+uint64(int64(int32(r[in.n&15]))*int64(int32(r[in.m&15]))))
		case opUMLAL:
			c.setLong(in, c.long(in)+uint64(r[in.n&15])*uint64(r[in.m&15]))
		case opUDIV:
			n, d := r[in.n&15], r[in.m&15]
			if d == 0 {
				if c.divTrap() {
					return c.fault(b, in, faultDivByZero)
				}
				r[in.d&15] = 0
				continue
			}
			c.Cycle += divideCycles(n, d) - divideLeast
			r[in.d&15] = n / d
		case opSDIV:
			n, d := int32(r[in.n&15]), int32(r[in.m&15])
			if d == 0 {
				if c.divTrap() {
					return c.fault(b, in, faultDivByZero)
				}
				r[in.d&15] = 0
				continue
			}
			c.Cycle += divideCycles(magnitude(n), magnitude(d)) - divideLeast
			r[in.d&15] = uint32(n / d)

		case opLDRi:
			addr = r[in.n&15] + in.imm
			if v, ok := c.word(addr); ok {
				r[in.d&15] = v
				continue
			}
			goto slowLoad
		case opLDRBi:
			addr = r[in.n&15] + in.imm
			if v, ok := c.byte(addr); ok {
				r[in.d&15] = v
				continue
			}
			goto slowLoad
		case opLDRHi:
			addr = r[in.n&15] + in.imm
			if v, ok := c.half(addr); ok {
				r[in.d&15] = v
				continue
			}
			goto slowLoad
		case opLDRSBi:
			addr = r[in.n&15] + in.imm
			if v, ok := c.byte(addr); ok {
				r[in.d&15] = uint32(int8(v))
				continue
			}
			goto slowLoad
		case opLDRSHi:
			addr = r[in.n&15] + in.imm
			if v, ok := c.half(addr); ok {
				r[in.d&15] = uint32(int16(v))
				continue
			}
			goto slowLoad
		case opLDRr:
			addr = r[in.n&15] + r[in.m&15]<<(in.a&3)
			if v, ok := c.word(addr); ok {
				r[in.d&15] = v
				continue
			}
			goto slowLoad
		case opLDRBr:
			addr = r[in.n&15] + r[in.m&15]<<(in.a&3)
			if v, ok := c.byte(addr); ok {
				r[in.d&15] = v
				continue
			}
			goto slowLoad
		case opLDRHr:
			addr = r[in.n&15] + r[in.m&15]<<(in.a&3)
			if v, ok := c.half(addr); ok {
				r[in.d&15] = v
				continue
			}
			goto slowLoad
		case opLDRSBr:
			addr = r[in.n&15] + r[in.m&15]<<(in.a&3)
			if v, ok := c.byte(addr); ok {
				r[in.d&15] = uint32(int8(v))
				continue
			}
			goto slowLoad
		case opLDRSHr:
			addr = r[in.n&15] + r[in.m&15]<<(in.a&3)
			if v, ok := c.half(addr); ok {
				r[in.d&15] = uint32(int16(v))
				continue
			}
			goto slowLoad
		case opLDRl:
			addr = in.imm
			if v, ok := c.word(addr); ok {
				r[in.d&15] = v
				continue
			}
			goto slowLoad
		case opLDRBl, opLDRHl, opLDRSBl, opLDRSHl:
			addr = in.imm
			goto slowLoad
		case opLDRpre, opLDRBpre, opLDRHpre, opLDRSBpre, opLDRSHpre:
			addr = r[in.n&15] + in.imm
			if c.loadIndexed(in, addr, addr) {
				continue
			}
			goto slowLoad
		case opLDRpost, opLDRBpost, opLDRHpost, opLDRSBpost, opLDRSHpost:
			addr = r[in.n&15]
			if c.loadIndexed(in, addr, addr+in.imm) {
				continue
			}
			goto slowLoad
		case opLDRT, opLDRBT, opLDRHT, opLDRSBT, opLDRSHT:
			addr = r[in.n&15] + in.imm
			goto slowLoad

		case opSTRi:
			addr = r[in.n&15] + in.imm
			if c.setWord(addr, r[in.d&15]) {
				continue
			}
			goto slowStore
		case opSTRBi:
			addr = r[in.n&15] + in.imm
			if c.setByte(addr, r[in.d&15]) {
				continue
			}
			goto slowStore
		case opSTRHi:
			addr = r[in.n&15] + in.imm
			if c.setHalf(addr, r[in.d&15]) {
				continue
			}
			goto slowStore
		case opSTRr:
			addr = r[in.n&15] + r[in.m&15]<<(in.a&3)
			if c.setWord(addr, r[in.d&15]) {
				continue
			}
			goto slowStore
		case opSTRBr:
			addr = r[in.n&15] + r[in.m&15]<<(in.a&3)
			if c.setByte(addr, r[in.d&15]) {
				continue
			}
			goto slowStore
		case opSTRHr:
			addr = r[in.n&15] + r[in.m&15]<<(in.a&3)
			if c.setHalf(addr, r[in.d&15]) {
				continue
			}
			goto slowStore
		case opSTRpre, opSTRBpre, opSTRHpre:
			addr = r[in.n&15] + in.imm
			if c.storeIndexed(in, addr, addr) {
				continue
			}
			goto slowStore
		case opSTRpost, opSTRBpost, opSTRHpost:
			addr = r[in.n&15]
			if c.storeIndexed(in, addr, addr+in.imm) {
				continue
			}
			goto slowStore
		case opSTRT, opSTRBT, opSTRHT:
			addr = r[in.n&15] + in.imm
			goto slowStore

		case opLDM:
			if !c.loadMultiple(b, in) {
				return false
			}
			if in.imm>>15 != 0 {
				addr, refill = r[15], refillLoad
				goto interwork
			}
			goto boundary
		case opSTM:
			if !c.storeMultiple(b, in) {
				return false
			}
			goto boundary
		case opLDRD, opSTRD:
			if !c.dual(b, in) {
				return false
			}
			goto boundary
		case opLDREX, opLDREXB, opLDREXH:
			if !c.loadExclusive(b, in) {
				return false
			}
			goto boundary
		case opSTREX, opSTREXB, opSTREXH:
			if !c.storeExclusive(b, in) {
				return false
			}
			goto boundary
		case opCLREX:
			c.ExclusiveValid = false
		case opVLDM, opVSTM:
			if !c.multipleFP(b, in) {
				return false
			}
			goto boundary

		case opB:
			goto taken
		case opBL:
			r[14] = b.after(in) | 1
			goto taken
		case opBEQ:
			if c.ZF == 0 {
				goto taken
			}
		case opBNE:
			if c.ZF != 0 {
				goto taken
			}
		case opBCS:
			if c.CF != 0 {
				goto taken
			}
		case opBCC:
			if c.CF == 0 {
				goto taken
			}
		case opBMI:
			if int32(c.NF) < 0 {
				goto taken
			}
		case opBPL:
			if int32(c.NF) >= 0 {
				goto taken
			}
		case opBVS:
			if int32(c.VF) < 0 {
				goto taken
			}
		case opBVC:
			if int32(c.VF) >= 0 {
				goto taken
			}
		case opBHI:
			if c.CF != 0 && c.ZF != 0 {
				goto taken
			}
		case opBLS:
			if c.CF == 0 || c.ZF == 0 {
				goto taken
			}
		case opBGE:
			if int32(c.NF^c.VF) >= 0 {
				goto taken
			}
		case opBLT:
			if int32(c.NF^c.VF) < 0 {
				goto taken
			}
		case opBGT:
			if c.ZF != 0 && int32(c.NF^c.VF) >= 0 {
				goto taken
			}
		case opBLE:
			if c.ZF == 0 || int32(c.NF^c.VF) < 0 {
				goto taken
			}
		case opCBZ:
			if r[in.n&15] == 0 {
				goto taken
			}
		case opCBNZ:
			if r[in.n&15] != 0 {
				goto taken
			}
		case opBX:
			addr, refill = r[in.m&15], refillRegister
			goto interwork
		case opBLX: // never an exception return (DDI 0403E A2.3.1, BLXWritePC)
			addr, refill = r[in.m&15], refillRegister
			r[14] = b.after(in) | 1
			c.T = addr&1 != 0
			goto indirect
		case opBranch15:
			addr, refill = r[15], refillRegister
			goto indirect
		case opLoad15:
			addr, refill = r[15], refillLoad
			goto interwork
		case opTBB, opTBH:
			offset, ok := c.tableEntry(b, in)
			if !ok {
				return false
			}
			addr, refill = b.after(in)+2*offset, refillLoad
			goto indirect

		case opNOP, opBarrier, opIT:
		case opLine:
			if in.imm != c.Flash.Line {
				if wait := c.fetchLine(in.imm, c.Cycle+uint64(in.pre)); wait != 0 {
					c.Cycle += wait
					goto boundary
				}
			}
		case opWord:
			if in.imm != c.Fetch.Word {
				if wait := c.fetchWord(in.imm, c.Cycle+uint64(in.pre)); wait != 0 {
					c.Cycle += wait
					goto boundary
				}
			}
		case opHold:
			if in.n == 15 || onSystemBus(r[in.n&15]) {
				c.Fetch.Busy += uint64(in.imm)
			}
		case opIf:
			if !c.passes(in.n) {
				c.Cycle -= uint64(int32(in.imm))
				i += int(in.a)
			}
		case opSetSP:
			r[13] = r[15] &^ 3
		case opFP:
			if !c.readyFP(b, in) {
				return false
			}
			goto boundary
		case opMRS:
			r[in.d&15] = c.mrs(uint8(in.imm))
		case opMSR:
			c.msr(uint8(in.imm), in.a, r[in.n&15])
			c.leave = c.leave || c.mpuOn // for the view depends on CONTROL and FAULTMASK
			goto boundary
		case opCPS:
			c.cps(in.a != 0, in.imm&2 != 0, in.imm&1 != 0)
			c.leave = c.leave || c.mpuOn && in.imm&1 != 0
			goto boundary
		case opSEV:
			c.sev()
		case opWFI:
			c.settle(b, i)
			c.wfi()
			return true
		case opWFE:
			c.settle(b, i)
			c.wfe()
			return true
		case opSVC:
			c.settle(b, i)
			c.svc()
			return true
		case opBKPT:
			return c.fault(b, in, faultBreakpoint)
		case opNOCP:
			return c.fault(b, in, faultNoCP)
		case opUndefined, opUnpredictable, opUDF:
			return c.fault(b, in, faultUndefInstr)
		case opEnd:
			c.settle(b, i-1)
			return true
		default:
			if in.op < opFirstFP {
				c.execDSP(in)
			} else {
				c.execFP(in)
			}
		}
		continue

	slowLoad:
		if c.admit(addr) {
			i-- // once more
			continue
		}
		if c.loadFlash(in, addr) {
			goto boundary
		}
		if !c.load(b, in, addr) {
			return false
		}
		goto boundary
	slowStore:
		if c.admit(addr) {
			i--
			continue
		}
		if !c.store(b, in, addr) {
			return false
		}
	boundary: // something outside was involved: it may want the block to end
		if c.mustLeave(b) {
			code = code[:b.next(i-1)]
		}
		continue

	interwork:
		if addr>>28 == 0xF && c.IPSR != 0 {
			c.settle(b, i)
			c.exceptionReturn(addr)
			return true
		}
		c.T = addr&1 != 0
	indirect:
		target = &b.links[len(b.links)-1]
		if target.addr != addr&^1 {
			*target = link{addr: addr &^ 1}
		}
		goto jump
	taken:
		target, refill = &b.links[in.m], refillDirect
	jump:
		to := target.to
		if to == nil || to.world != c.world {
			to = c.find(target.addr, 0)
			target.to = to
			if to != nil && !c.enters(to) {
				code = nil // not at once: instruction by instruction
			}
		}
		c.Cycle += uint64(in.pre) + uint64(in.cost) + refill
		c.Insns += uint64(in.idx) + 1
		c.IT = 0
		if to != nil {
			c.Cycle += to.refill
		}
		if to == nil || len(code) < len(b.code) || c.Cycle+to.worst >= c.limit || !c.T {
			r[15] = target.addr
			return true
		}
		b, code, i = to, to.code, 0
	}
	c.settle(b, i)
	return true
}

// after returns the address behind an instruction.
func (b *block) after(in *insn) uint32 {
	next := b.addr + uint32(in.off) + 2
	if in.wide {
		next += 2
	}
	return next
}

// settle makes the state that of the boundary before entry i.
func (c *Core) settle(b *block, i int) {
	next := &b.code[i]
	c.sync(b, next)
	c.Pipe = next.pipe
}

// sync makes PC, ITSTATE and the counters those of the start of an instruction.
func (c *Core) sync(b *block, in *insn) {
	c.R[15] = b.addr + uint32(in.off)
	c.IT = in.it
	c.Cycle += uint64(in.pre)
	c.Insns += uint64(in.idx)
}

// unsync goes back to the counters of the block's start.
func (c *Core) unsync(in *insn) {
	c.Cycle -= uint64(in.pre)
	c.Insns -= uint64(in.idx)
}

// mustLeave says whether block b may not be executed to its end.
func (c *Core) mustLeave(b *block) bool {
	return c.leave || c.attention || c.stop != nil || c.Cycle+b.worst >= c.limit
}

// fault raises a fault of an instruction in block b.
func (c *Core) fault(b *block, in *insn, k faultKind) bool {
	c.sync(b, in)
	c.raise(k, c.R[15])
	return false
}

// readyFP is what comes before the first floating-point instruction of a block.
func (c *Core) readyFP(b *block, in *insn) bool {
	c.sync(b, in)
	if !c.fpPrepare() {
		return false
	}
	c.unsync(in)
	return true
}

func (c *Core) setNZ(v uint32) { c.NF, c.ZF = v, v }

// carryOfImm sets the carry of a modified immediate that was rotated.
func (c *Core) carryOfImm(in *insn) {
	if in.a != 0 {
		c.CF = in.imm >> 31
	}
}

// addFlags is AddWithCarry() (DDI 0403E A2.2.1) with all four flags.
func (c *Core) addFlags(a, b, carry uint32) uint32 {
	sum, out := bits.Add32(a, b, carry)
	c.NF, c.ZF, c.CF, c.VF = sum, sum, out, (a^sum)&(b^sum)
	return sum
}

// passes is ConditionPassed() (A7.3.1).
func (c *Core) passes(cond uint8) bool {
	var v bool
	switch cond >> 1 {
	case 0:
		v = c.ZF == 0
	case 1:
		v = c.CF != 0
	case 2:
		v = int32(c.NF) < 0
	case 3:
		v = int32(c.VF) < 0
	case 4:
		v = c.CF != 0 && c.ZF != 0
	case 5:
		v = int32(c.NF^c.VF) >= 0
	case 6:
		v = c.ZF != 0 && int32(c.NF^c.VF) >= 0
	default:
		return true
	}
	return v != (cond&1 != 0)
}

// shifted is the second operand of a shifted register.
func (c *Core) shifted(in *insn) uint32 {
	v, n := c.R[in.m&15], in.a&63
	switch in.a >> 6 {
	case shiftLSL:
		return v << n
	case shiftLSR:
		return v >> n
	case shiftASR:
		return uint32(int32(v) >> n)
	}
	if n == 0 { // RRX
		return v>>1 | c.CF<<31
	}
	return bits.RotateLeft32(v, -int(n))
}

// shiftedC is shifted for the logical operations, which take the carry from it.
func (c *Core) shiftedC(in *insn) uint32 {
	v := c.shifted(in)
	if n := in.a & 63; n != 0 {
		c.CF = shiftCarry(c.R[in.m&15], in.a>>6, uint32(n))
	} else if in.a>>6 == shiftRRX {
		c.CF = c.R[in.m&15] & 1
	}
	return v
}

// shiftCarry is the carry out of a shift by n, 1 to 255.
func shiftCarry(v uint32, kind uint8, n uint32) uint32 {
	switch kind {
	case shiftLSL:
		return uint32(uint64(v) << n >> 32 & 1)
	case shiftLSR:
		return v >> (n - 1) & 1
	case shiftASR:
		return uint32(int32(v)>>(n-1)) & 1
	}
	return v >> ((n - 1) & 31) & 1
}

// shiftFlags is a shift by register that sets the flags.
func (c *Core) shiftFlags(in *insn, kind uint8) {
	v, n := c.R[in.n&15], c.R[in.m&15]&0xFF
	if n != 0 {
		c.CF = shiftCarry(v, kind, n)
	}
	switch kind {
	case shiftLSL:
		v <<= n
	case shiftLSR:
		v >>= n
	case shiftASR:
		v = uint32(int32(v) >> n)
	default:
		v = bits.RotateLeft32(v, -int(n&31))
	}
	c.setNZ(v)
	c.R[in.d&15] = v
}

func magnitude(v int32) uint32 {
	if v < 0 {
		return uint32(-v)
	}
	return uint32(v)
}

// long is the 64-bit accumulator of an instruction.
func (c *Core) long(in *insn) uint64 { return uint64(c.R[in.a&15])<<32 | uint64(c.R[in.d&15]) }

func (c *Core) setLong(in *insn, v uint64) {
	c.R[in.d&15], c.R[in.a&15] = uint32(v), uint32(v>>32)
}
