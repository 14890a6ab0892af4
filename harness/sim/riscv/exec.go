package riscv

// exec executes block b from entry i up to, but not including, entry n, and
// goes on with the blocks that it leads to until there is something
// for the run loop to look at. It returns at an instruction boundary, or false
// where an exception was raised or the simulation stopped instead of the last
// instruction's completion.
//
// Inside, PC is not kept, and Cycle and Insns stand for the start of the
// block: the static cost of what was executed is added on the way out, and by
// sync while something outside needs to know it.
func (c *Core) exec(b *block, i, n int) bool {
	c.Cycle -= uint64(b.code[i].pre)
	c.Insns -= uint64(i)
	c.Pipe = 0
	r, mask := &c.X, c.mask
	code := b.code[:n]
	var (
		in     *insn
		addr   uint64
		target *link
	)
	for i < len(code) {
		in = &code[i]
		i++
		switch in.op {
		case opNOP:
		case opLI:
			r[in.d&31] = in.imm
		case opMV:
			r[in.d&31] = r[in.n&31]
		case opADDI:
			r[in.d&31] = r[in.n&31] + in.imm
		case opADDIW:
			r[in.d&31] = uint64(int64(int32(r[in.n&31] + in.imm)))
		case opSLTI:
			r[in.d&31] = truth(int64(r[in.n&31]) < int64(in.imm))
		case opSLTIU:
			r[in.d&31] = truth(r[in.n&31] < in.imm)
		case opXORI:
			r[in.d&31] = r[in.n&31] ^ in.imm
		case opORI:
			r[in.d&31] = r[in.n&31] | in.imm
		case opANDI:
			r[in.d&31] = r[in.n&31] & in.imm
		case opSLLI:
			r[in.d&31] = r[in.n&31] << (in.imm & 63)
		case opSRLI:
			r[in.d&31] = r[in.n&31] >> (in.imm & 63)
		case opSRAI:
			r[in.d&31] = uint64(int64(r[in.n&31]) >> (in.imm & 63))
		case opSLLIW:
			r[in.d&31] = uint64(int64(int32(r[in.n&31] << (in.imm & 31))))
		case opSRLIW:
			r[in.d&31] = uint64(int64(int32(uint32(r[in.n&31]) >> (in.imm & 31))))
		case opSRAIW:
			r[in.d&31] = uint64(int64(int32(r[in.n&31]) >> (in.imm & 31)))
		case opADD:
			r[in.d&31] = r[in.n&31] + r[in.m&31]
		case opADDW:
			r[in.d&31] = uint64(int64(int32(r[in.n&31] + r[in.m&31])))
		case opSUB:
			r[in.d&31] = r[in.n&31] - r[in.m&31]
		case opSUBW:
			r[in.d&31] = uint64(int64(int32(r[in.n&31] - r[in.m&31])))
		case opSLL:
			r[in.d&31] = r[in.n&31] << (r[in.m&31] & 63)
		case opSLLW:
			r[in.d&31] = uint64(int64(int32(r[in.n&31] << (r[in.m&31] & 31))))
		case opSLT:
			r[in.d&31] = truth(int64(r[in.n&31]) < int64(r[in.m&31]))
		case opSLTU:
			r[in.d&31] = truth(r[in.n&31] < r[in.m&31])
		case opXOR:
			r[in.d&31] = r[in.n&31] ^ r[in.m&31]
		case opSRL:
			r[in.d&31] = r[in.n&31] >> (r[in.m&31] & 63)
		case opSRLW:
			r[in.d&31] = uint64(int64(int32(uint32(r[in.n&31]) >> (r[in.m&31] & 31))))
		case opSRA:
			r[in.d&31] = uint64(int64(r[in.n&31]) >> (r[in.m&31] & 63))
		case opSRAW:
			r[in.d&31] = uint64(int64(int32(r[in.n&31]) >> (r[in.m&31] & 31)))
		case opOR:
			r[in.d&31] = r[in.n&31] | r[in.m&31]
		case opAND:
			r[in.d&31] = r[in.n&31] & r[in.m&31]
		case opMUL:
			if c.iterates {
				c.Cycle += iterations(opMUL, r[in.n&31], 0)
			}
			r[in.d&31] = r[in.n&31] * r[in.m&31]
		case opMULW:
			if c.iterates {
				c.Cycle += iterations(opMULW, r[in.n&31], 0)
			}
			r[in.d&31] = uint64(int64(int32(r[in.n&31] * r[in.m&31])))
		case opMULHW:
			r[in.d&31] = uint64(int64(r[in.n&31]) * int64(r[in.m&31]) >> 32)
		case opMULHUW:
			r[in.d&31] = uint64(int64(int32(uint64(uint32(r[in.n&31])) * uint64(uint32(r[in.m&31])) >> 32)))
		case opMULH, opMULHSU, opMULHU, opMULHSUW, opDIV, opDIVU, opREM, opREMU, opDIVW, opDIVUW, opREMW, opREMUW:
			if c.iterates {
				c.Cycle += iterations(in.op, r[in.n&31], r[in.m&31])
			}
			r[in.d&31] = product(in.op, r[in.n&31], r[in.m&31])

		case opLB:
			addr = (r[in.n&31] + in.imm) & mask
			v, ok := c.byte(addr)
			if !ok {
				goto slowLoad
			}
			r[in.d&31] = uint64(int64(int8(v)))
			r[0] = 0
		case opLH:
			addr = (r[in.n&31] + in.imm) & mask
			v, ok := c.half(addr)
			if !ok {
				goto slowLoad
			}
			r[in.d&31] = uint64(int64(int16(v)))
			r[0] = 0
		case opLW:
			addr = (r[in.n&31] + in.imm) & mask
			v, ok := c.word(addr)
			if !ok {
				goto slowLoad
			}
			r[in.d&31] = uint64(int64(int32(v)))
			r[0] = 0
		case opLD:
			addr = (r[in.n&31] + in.imm) & mask
			v, ok := c.double(addr)
			if !ok {
				goto slowLoad
			}
			r[in.d&31] = v
			r[0] = 0
		case opLBU:
			addr = (r[in.n&31] + in.imm) & mask
			v, ok := c.byte(addr)
			if !ok {
				goto slowLoad
			}
			r[in.d&31] = uint64(v)
			r[0] = 0
		case opLHU:
			addr = (r[in.n&31] + in.imm) & mask
			v, ok := c.half(addr)
			if !ok {
				goto slowLoad
			}
			r[in.d&31] = uint64(v)
			r[0] = 0
		case opLWU:
			addr = (r[in.n&31] + in.imm) & mask
			v, ok := c.word(addr)
			if !ok {
				goto slowLoad
			}
			r[in.d&31] = uint64(v)
			r[0] = 0
		case opSB:
			addr = (r[in.n&31] + in.imm) & mask
			if !c.setByte(addr, byte(r[in.m&31])) {
				goto slowStore
			}
		case opSH:
			addr = (r[in.n&31] + in.imm) & mask
			if !c.setHalf(addr, uint16(r[in.m&31])) {
				goto slowStore
			}
		case opSW:
			addr = (r[in.n&31] + in.imm) & mask
			if !c.setWord(addr, uint32(r[in.m&31])) {
				goto slowStore
			}
		case opSD:
			addr = (r[in.n&31] + in.imm) & mask
			if !c.setDouble(addr, r[in.m&31]) {
				goto slowStore
			}

		case opBEQ:
			if r[in.n&31] == r[in.m&31] {
				goto taken
			}
			goto notTaken
		case opBNE:
			if r[in.n&31] != r[in.m&31] {
				goto taken
			}
			goto notTaken
		case opBLT:
			if int64(r[in.n&31]) < int64(r[in.m&31]) {
				goto taken
			}
			goto notTaken
		case opBGE:
			if int64(r[in.n&31]) >= int64(r[in.m&31]) {
				goto taken
			}
			goto notTaken
		case opBLTU:
			if r[in.n&31] < r[in.m&31] {
				goto taken
			}
			goto notTaken
		case opBGEU:
			if r[in.n&31] >= r[in.m&31] {
				goto taken
			}
			goto notTaken
		case opJ:
			goto always
		case opJAL:
			r[in.d&31] = in.imm
			goto always
		case opJR:
			addr = (r[in.n&31] + in.imm) & c.pcMask
			goto indirect
		case opJALR:
			addr = (r[in.n&31] + in.imm) & c.pcMask
			r[in.d&31] = c.extend(b.addr + uint64(in.off) + uint64(in.size))
			goto indirect
		case opEnd:
			target = &b.links[in.a]
			goto next

		case opFLW:
			addr = (r[in.n&31] + in.imm) & mask
			if !c.floatOn(b, i-1) {
				return false
			}
			if v, ok := c.word(addr); ok {
				c.F[in.d&31] = boxS | uint64(v)
				continue
			}
			goto slowLoad
		case opFLD:
			addr = (r[in.n&31] + in.imm) & mask
			if !c.floatOn(b, i-1) {
				return false
			}
			if v, ok := c.double(addr); ok {
				c.F[in.d&31] = v
				continue
			}
			goto slowLoad
		case opFSW:
			addr = (r[in.n&31] + in.imm) & mask
			if !c.floatOn(b, i-1) {
				return false
			}
			if !c.setWord(addr, uint32(c.F[in.m&31])) {
				goto slowStore
			}
		case opFSD:
			addr = (r[in.n&31] + in.imm) & mask
			if !c.floatOn(b, i-1) {
				return false
			}
			if !c.setDouble(addr, c.F[in.m&31]) {
				goto slowStore
			}
		case opFP:
			if !c.floatOn(b, i-1) || !c.execFP(b, i-1) {
				return false
			}

		case opLR, opSC, opAMO:
			if !c.atomic(b, i-1) {
				return false
			}
			goto boundary
		case opCSR:
			if !c.execCSR(b, i-1) {
				return false
			}
			goto boundary
		case opFENCEI:
			c.settle(b, i)
			c.emptyCode()
			return true
		default:
			return c.system(b, i-1)
		}
		continue

	slowLoad:
		if c.loadRecent(in, addr) {
			continue
		}
		if !c.load(b, i-1, addr) {
			return false
		}
		goto boundary
	slowStore:
		if c.storeRecent(in, addr) {
			continue
		}
		if !c.store(b, i-1, addr) {
			return false
		}
	boundary: // something outside was involved: it may want the block to end
		if c.mustLeave(b) {
			code = code[:i]
		}
		continue

	notTaken:
		if c.predicts && !c.Predictor.branch(b.addr+uint64(in.off), &b.links[in.a], false) {
			c.Cycle += uint64(c.cfg.Timing.Mispredict)
		}
		continue

	indirect:
		target = &b.links[len(b.links)-1]
		if target.addr != addr {
			*target = link{addr: addr, pipe: c.cfg.Timing.jumped(addr)}
		}
		goto jump
	taken:
		target = &b.links[in.a]
		if c.predicts && !c.Predictor.branch(b.addr+uint64(in.off), target, true) {
			c.Cycle += uint64(c.cfg.Timing.Mispredict)
		}
		goto next
	always:
		target = &b.links[in.a]
	jump:
		if c.predicts && !c.Predictor.always(b.addr+uint64(in.off), in, target) {
			c.Cycle += uint64(c.cfg.Timing.Mispredict)
		}
	next:
		to := target.to
		if to == nil || to.world != c.world {
			to = c.find(target.addr, target.pipe)
			target.to = to
			if to != nil && !c.enters(to) {
				code = nil // not at once: instruction by instruction
			}
		}
		c.Cycle += uint64(in.pre) + uint64(in.cost)
		c.Insns += uint64(i)
		if in.op == opEnd {
			c.Insns--
		}
		if to == nil || len(code) < len(b.code) || c.Cycle+to.worst >= c.limit {
			c.PC, c.Pipe = target.addr, target.pipe
			return true
		}
		b, code, i = to, to.code, 0
		switch b.line {
		case 0, c.FetchLine:
		case *b.tag:
			c.FetchLine = b.line
		default:
			c.PC = b.addr
			c.Cycle += c.fetchLine(b)
			if c.mustLeave(b) {
				code = code[:1]
			}
		}
	}
	c.settle(b, i)
	return true
}

func truth(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// settle makes the state that of the boundary before entry i.
func (c *Core) settle(b *block, i int) {
	c.sync(b, i)
	c.Pipe = b.pipes[i]
	c.Cycle -= uint64(b.code[i].stall)
}

// sync makes PC and the counters those of the start of an instruction, once it waits for
// nothing.
func (c *Core) sync(b *block, i int) {
	in := &b.code[i]
	c.PC = (b.addr + uint64(in.off)) & c.pcMask
	c.Cycle += uint64(in.pre)
	c.Insns += uint64(i)
}

// unsync goes back to the counters of the block's start.
func (c *Core) unsync(in *insn, i int) {
	c.Cycle -= uint64(in.pre)
	c.Insns -= uint64(i)
}

// mustLeave says whether block b may not be executed to its end.
func (c *Core) mustLeave(b *block) bool {
	return c.leave || c.attention || c.stop != nil || c.Cycle+b.worst >= c.limit
}

// illegal raises the exception of an instruction that may not be executed. It
// returns false.
func (c *Core) illegal(b *block, i int) bool {
	c.sync(b, i)
	c.raise(causeIllegal, c.encoding(b, i))
	return false
}

// encoding reads an instruction of a block again.
func (c *Core) encoding(b *block, i int) (w uint64) {
	in := &b.code[i]
	for k := uint64(0); k < uint64(in.size); k += 2 {
		addr := b.addr + uint64(in.off) + k
		v := uint64(0)
		if b.window != nil {
			v = loadBytes(b.window.Data[addr-b.window.Base:], 2)
		} else {
			v, _ = c.physLoad(addr, 2)
		}
		w |= v << (8 * k)
	}
	return w
}

func (c *Core) execCSR(b *block, i int) bool {
	in := &b.code[i]
	c.sync(b, i)
	outcome := c.csr(in)
	c.unsync(in, i)
	switch outcome {
	case csrIllegal:
		return c.illegal(b, i)
	case csrUnmodelled:
		c.sync(b, i)
		return false
	}
	return true
}

// system executes what ends a block otherwise than by a jump.
func (c *Core) system(b *block, i int) bool {
	in := &b.code[i]
	switch {
	case in.op == opIllegal,
		in.op == opMRET && c.Priv != MachineMode,
		in.op == opWFI && c.Priv != MachineMode && c.Mstatus&mstatusTW != 0:
		return c.illegal(b, i)
	case in.op == opECALL:
		c.sync(b, i)
		cause := uint64(causeECallU)
		if c.Priv == MachineMode {
			cause = causeECallM
		}
		c.raise(cause, 0)
		return false
	case in.op == opEBREAK:
		c.sync(b, i)
		c.raise(causeBreakpoint, 0)
		return false
	case in.op == opROM:
		c.callROM(b, i)
		return true
	}
	c.settle(b, i+1)
	if in.op == opMRET {
		c.Cycle += uint64(in.cost) - 1
		c.mret()
	} else {
		c.wfi()
	}
	return true
}

// callROM lets the host do what code in ROM would. A call that leaves everything
// as it is takes a cycle, lest it be made for ever.
func (c *Core) callROM(b *block, i int) {
	c.sync(b, i)
	c.Insns++
	c.leave = true
	pc, cycle := c.PC, c.Cycle
	c.cfg.ROM(uint32(b.code[i].imm))
	c.X[0] = 0
	c.PC &= c.pcMask
	if c.PC == pc && c.Cycle == cycle && c.StallUntil <= cycle {
		c.Cycle++
	}
	c.updatePending()
}
