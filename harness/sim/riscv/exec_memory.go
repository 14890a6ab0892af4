package riscv

import (
	"encoding/binary"

	"rigor/harness/sim/bus"
)

// accessWidths are the widths of the loads and stores in the order of their
// opcodes.
var accessWidths = [...]uint8{1, 2, 4, 8, 1, 2, 4, 1, 2, 4, 8}

// loadRecent executes a load from a line that was the last used in its set of the data cache. It is false
// if it hasn't.
func (c *Core) loadRecent(in *insn, addr uint64) bool {
	l := c.near.find(addr)
	if l == nil {
		return false
	}
	data := l.data[addr&c.recent.last:]
	var v uint64
	switch in.op {
	case opLB:
		v = uint64(int64(int8(data[0])))
	case opLBU:
		v = uint64(data[0])
	case opLH, opLHU:
		if addr&1 != 0 {
			return false
		}
		v = uint64(binary.LittleEndian.Uint16(data))
		if in.op == opLH {
			v = uint64(int64(int16(v)))
		}
	case opLW, opLWU, opFLW:
		if addr&3 != 0 {
			return false
		}
		v = uint64(binary.LittleEndian.Uint32(data))
		switch in.op {
		case opLW:
			v = uint64(int64(int32(v)))
		case opFLW:
			c.F[in.d&31] = boxS | v
			return true
		}
	default:
		if addr&7 != 0 {
			return false
		}
		v = binary.LittleEndian.Uint64(data)
		if in.op == opFLD {
			c.F[in.d&31] = v
			return true
		}
	}
	c.X[in.d&31] = v
	c.X[0] = 0
	return true
}

// storeRecent is loadRecent for stores.
func (c *Core) storeRecent(in *insn, addr uint64) bool {
	l := c.near.find(addr)
	if l == nil || *l.mark {
		return false
	}
	data, v := l.data[addr&c.recent.last:], c.X[in.m&31]
	switch in.op {
	case opSB:
		data[0] = byte(v)
		return true
	case opSH:
		if addr&1 == 0 {
			binary.LittleEndian.PutUint16(data, uint16(v))
			return true
		}
		return false
	case opFSW, opFSD:
		v = c.F[in.m&31]
	}
	switch {
	case (in.op == opSW || in.op == opFSW) && addr&3 == 0:
		binary.LittleEndian.PutUint32(data, uint32(v))
	case (in.op == opSD || in.op == opFSD) && addr&7 == 0:
		binary.LittleEndian.PutUint64(data, v)
	default:
		return false
	}
	return true
}

// load executes a load that the fast path did not.
func (c *Core) load(b *block, i int, addr uint64) bool {
	in := &b.code[i]
	width := uint8(4)
	switch {
	case in.op == opFLD:
		width = 8
	case in.op != opFLW:
		width = accessWidths[in.op-opLB]
	}
	c.sync(b, i)
	v, ok := c.dataLoad(addr, width)
	if !ok {
		return false
	}
	c.unsync(in, i)
	switch in.op {
	case opLB:
		v = uint64(int64(int8(v)))
	case opLH:
		v = uint64(int64(int16(v)))
	case opLW:
		v = uint64(int64(int32(v)))
	case opFLW:
		c.F[in.d&31] = boxS | v
		return true
	case opFLD:
		c.F[in.d&31] = v
		return true
	}
	c.X[in.d&31] = v
	c.X[0] = 0
	return true
}

// store executes a store that the fast path did not.
func (c *Core) store(b *block, i int, addr uint64) bool {
	in := &b.code[i]
	v := c.X[in.m&31]
	width := uint8(4)
	switch in.op {
	case opFSW:
		v = c.F[in.m&31]
	case opFSD:
		v, width = c.F[in.m&31], 8
	default:
		width = accessWidths[in.op-opLB]
	}
	c.sync(b, i)
	if !c.dataStore(addr, width, v&(^uint64(0)>>(64-8*width))) {
		return false
	}
	c.unsync(in, i)
	return true
}

// dataLoad returns false if it raised an exception or stopped the simulation.
func (c *Core) dataLoad(addr uint64, width uint8) (v uint64, ok bool) {
	if addr&uint64(width-1) != 0 && !c.cfg.Misaligned {
		c.raise(causeLoadMisaligned, addr)
		return 0, false
	}
	if p := c.dataPriv(); c.guarded(p) && !c.permits(addr, uint64(width), pmpR, p) {
		c.raise(causeLoadAccess, addr)
		return 0, false
	}
	if addr&uint64(width-1) == 0 {
		v, f := c.physLoad(addr, width)
		return v, c.completed(f, addr, width, false)
	}
	c.Cycle += uint64(c.cfg.Timing.Misaligned)
	for done := uint8(0); done < width; {
		size := pieceAt(addr, width-done)
		piece, f := c.physLoad(addr, size)
		if !c.completed(f, addr, size, false) {
			return 0, false
		}
		v |= piece << (8 * done)
		addr, done = (addr+uint64(size))&c.mask, done+size
	}
	return v, true
}

func (c *Core) dataStore(addr uint64, width uint8, v uint64) bool {
	if addr&uint64(width-1) != 0 && !c.cfg.Misaligned {
		c.raise(causeStoreMisaligned, addr)
		return false
	}
	if p := c.dataPriv(); c.guarded(p) && !c.permits(addr, uint64(width), pmpW, p) {
		c.raise(causeStoreAccess, addr)
		return false
	}
	if addr&uint64(width-1) == 0 {
		return c.completed(c.physStore(addr, width, v), addr, width, true)
	}
	c.Cycle += uint64(c.cfg.Timing.Misaligned)
	for done := uint8(0); done < width; {
		size := pieceAt(addr, width-done)
		if !c.completed(c.physStore(addr, size, v&(1<<(8*size)-1)), addr, size, true) {
			return false
		}
		v >>= 8 * size
		addr, done = (addr+uint64(size))&c.mask, done+size
	}
	return true
}

// pieceAt returns the widest aligned access at addr of at most rest bytes.
func pieceAt(addr uint64, rest uint8) uint8 {
	size := uint8(4)
	for size > rest || addr&uint64(size-1) != 0 {
		size /= 2
	}
	return size
}

// completed says whether an access was made; if not, it raises the exception or
// stops the simulation.
func (c *Core) completed(f bus.Fault, addr uint64, width uint8, write bool) bool {
	switch f {
	case bus.None:
		return true
	case bus.Unmodelled:
		c.stop = &Stop{Reason: NotModelled, PC: c.PC, Addr: addr, Width: width, Write: write}
		return false
	}
	if write {
		c.raise(causeStoreAccess, addr)
	} else {
		c.raise(causeLoadAccess, addr)
	}
	return false
}

// atomic executes LR, SC and AMO. It returns false if it raised an exception or
// stopped the simulation.
func (c *Core) atomic(b *block, i int) bool {
	in := &b.code[i]
	addr := c.X[in.n&31] & c.mask
	c.sync(b, i)
	if c.cfg.Order != nil {
		c.cfg.Order()
	}
	old, result, ok := uint64(0), uint64(0), true
	if in.op != opSC {
		old, ok = c.atomicLoad(in, addr)
		result = old
	}
	switch {
	case !ok:
	case in.op == opLR:
		c.reserve(addr)
	case in.op == opSC:
		result, ok = c.storeConditional(in, addr)
	default:
		ok = c.atomicStore(in, addr, amo(in.imm, old, c.operand(in)))
	}
	if !ok {
		return false
	}
	c.unsync(in, i)
	if in.d != 0 {
		c.X[in.d&31] = result
	}
	return true
}

// operand is rs2, of words sign-extended.
func (c *Core) operand(in *insn) uint64 {
	if in.a == 4 {
		return uint64(int64(int32(c.X[in.m&31])))
	}
	return c.X[in.m&31]
}

// atomicLoad checks for both accesses: faults of AMOs are those of stores.
func (c *Core) atomicLoad(in *insn, addr uint64) (v uint64, ok bool) {
	cause, need := uint64(causeLoadMisaligned), uint8(pmpR)
	if in.op != opLR {
		cause, need = causeStoreMisaligned, pmpR|pmpW
	}
	if addr&uint64(in.a-1) != 0 {
		c.raise(cause, addr)
		return 0, false
	}
	if p := c.dataPriv(); c.guarded(p) && !c.permits(addr, uint64(in.a), need, p) {
		c.raise(cause+1, addr)
		return 0, false
	}
	v, f := c.physLoad(addr, in.a)
	if in.a == 4 {
		v = uint64(int64(int32(v)))
	}
	return v, c.completed(f, addr, in.a, in.op != opLR)
}

// atomicStore: Order has been called before the load already, and nothing must come between.
func (c *Core) atomicStore(in *insn, addr, v uint64) bool {
	return c.completed(c.storeAfter(nil, addr, in.a, v&(^uint64(0)>>(64-8*in.a))), addr, in.a, true)
}

// storeConditional fails without a reservation of the very address, of which the manual lets an implementation
// make a condition (volume I 8.2; Rocket compares lines), and always ends it.
func (c *Core) storeConditional(in *insn, addr uint64) (failed uint64, ok bool) {
	if addr&uint64(in.a-1) != 0 {
		c.raise(causeStoreMisaligned, addr)
		return 0, false
	}
	if p := c.dataPriv(); c.guarded(p) && !c.permits(addr, uint64(in.a), pmpW, p) {
		c.raise(causeStoreAccess, addr)
		return 0, false
	}
	reserved := c.Reserved && c.Reservation == addr
	c.Reserved = false
	if !reserved {
		return 1, true
	}
	return 0, c.atomicStore(in, addr, c.X[in.m&31])
}

func amo(op, a, b uint64) uint64 {
	switch op {
	case amoSWAP:
		return b
	case amoADD:
		return a + b
	case amoXOR:
		return a ^ b
	case amoOR:
		return a | b
	case amoAND:
		return a & b
	case amoMIN:
		return uint64(min(int64(a), int64(b)))
	case amoMAX:
		return uint64(max(int64(a), int64(b)))
	case amoMINU:
		return min(a, b)
	}
	return max(a, b)
}
