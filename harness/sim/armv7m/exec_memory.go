package armv7m

import (
	"encoding/binary"
	"math/bits"

	"rigor/harness/sim/bus"
)

// Forms of the single loads and stores, in the order of their opcodes, and
// what varies within one.
const (
	formOffset = iota
	formRegister
	formLiteral // loads only
	formPre
	formPost
	formUnprivileged
)

var (
	loadWidths  = [...]uint8{4, 1, 2, 1, 2} // the last two are signed
	storeWidths = [...]uint8{4, 1, 2}
)

func (in *insn) loadShape() (form op, width uint8, signed bool) {
	k := (in.op - opLDRi) % 5
	return (in.op - opLDRi) / 5, loadWidths[k], k >= 3
}

func (in *insn) storeShape() (form op, width uint8) {
	form = (in.op - opSTRi) / 3
	if form >= formLiteral {
		form++
	}
	return form, storeWidths[(in.op-opSTRi)%3]
}

func extend(v uint32, width uint8, signed bool) uint32 {
	switch {
	case !signed:
		return v
	case width == 1:
		return uint32(int8(v))
	}
	return uint32(int16(v))
}

// writeBack updates the base register; SP stays aligned.
func (c *Core) writeBack(n uint8, v uint32) {
	if n == 13 {
		v &^= 3
	}
	c.R[n&15] = v
}

// loadIndexed is the fast path of loads with writeback.
func (c *Core) loadIndexed(in *insn, addr, base uint32) bool {
	_, width, signed := in.loadShape()
	var v uint32
	var ok bool
	switch width {
	case 4:
		v, ok = c.word(addr)
	case 2:
		v, ok = c.half(addr)
	default:
		v, ok = c.byte(addr)
	}
	if ok {
		c.writeBack(in.n, base)
		c.R[in.d&15] = extend(v, width, signed)
	}
	return ok
}

func (c *Core) storeIndexed(in *insn, addr, base uint32) (ok bool) {
	switch _, width := in.storeShape(); width {
	case 4:
		ok = c.setWord(addr, c.R[in.d&15])
	case 2:
		ok = c.setHalf(addr, c.R[in.d&15])
	default:
		ok = c.setByte(addr, c.R[in.d&15])
	}
	if ok {
		c.writeBack(in.n, base)
	}
	return ok
}

// load executes a single load that the fast path did not.
func (c *Core) load(b *block, in *insn, addr uint32) bool {
	form, width, signed := in.loadShape()
	c.sync(b, in)
	v, ok := c.dataLoad(addr, width, form != formUnprivileged && c.privileged())
	if !ok {
		return false
	}
	c.unsync(in)
	switch form {
	case formPre:
		c.writeBack(in.n, addr)
	case formPost:
		c.writeBack(in.n, addr+in.imm)
	}
	c.R[in.d&15] = extend(v, width, signed)
	return true
}

// store executes a single store that the fast path did not.
func (c *Core) store(b *block, in *insn, addr uint32) bool {
	form, width := in.storeShape()
	c.sync(b, in)
	if !c.dataStore(addr, width, c.R[in.d&15], form != formUnprivileged && c.privileged()) {
		return false
	}
	c.unsync(in)
	switch form {
	case formPre:
		c.writeBack(in.n, addr)
	case formPost:
		c.writeBack(in.n, addr+in.imm)
	}
	return true
}

// dataLoad is MemU_with_priv[] (DDI 0403E B2.3.5): unaligned accesses trap or
// are made in aligned pieces, as the part makes them. It returns false if it
// raised a fault or stopped the simulation.
func (c *Core) dataLoad(addr uint32, width uint8, privileged bool) (v uint32, ok bool) {
	if addr&uint32(width-1) == 0 {
		return c.alignedLoad(addr, width, privileged)
	}
	if !c.mayBeUnaligned(addr, width) {
		return 0, false
	}
	for done := uint8(0); done < width; {
		size := pieceAt(addr, width-done)
		piece, ok := c.alignedLoad(addr, size, privileged)
		if !ok {
			return 0, false
		}
		v |= piece << (8 * done)
		addr, done = addr+uint32(size), done+size
	}
	return v, true
}

func (c *Core) dataStore(addr uint32, width uint8, v uint32, privileged bool) bool {
	if addr&uint32(width-1) == 0 {
		return c.alignedStore(addr, width, v, privileged)
	}
	if !c.mayBeUnaligned(addr, width) {
		return false
	}
	for done := uint8(0); done < width; {
		size := pieceAt(addr, width-done)
		if !c.alignedStore(addr, size, v, privileged) {
			return false
		}
		v >>= 8 * size
		addr, done = addr+uint32(size), done+size
	}
	return true
}

// mayBeUnaligned traps an unaligned access if CCR.UNALIGN_TRP asks for it, and
// charges it otherwise.
func (c *Core) mayBeUnaligned(addr uint32, width uint8) bool {
	switch {
	case c.unalignedTrap():
		c.raise(faultUnaligned, addr)
		return false
	case addr&1 != 0 && width == 4:
		c.Cycle += unalignedWord
	default:
		c.Cycle += unalignedHalf
	}
	return true
}

// pieceAt returns the widest aligned access at addr of at most rest bytes.
func pieceAt(addr uint32, rest uint8) uint8 {
	if addr&1 != 0 || rest == 1 {
		return 1
	}
	return 2
}

// alignedLoad is MemA_with_priv[] (B2.3.4). It also returns false if the load
// is Held.
func (c *Core) alignedLoad(addr uint32, width uint8, privileged bool) (v uint32, ok bool) {
	if c.mpuOn && !c.mpuAllowsAs(addr, read, privileged) {
		c.raise(faultMPUData, addr)
		return 0, false
	}
	w := c.windowAt(addr)
	if w != nil && !w.write && c.stalls() {
		c.Held = true
		return 0, false
	}
	c.arbitrate(addr, width)
	if w != nil {
		c.Cycle += c.dataWait(w, addr)
	}
	f := bus.Error
	if privileged || !isPPB(addr) || !c.privileged() {
		v, f = c.physLoad(addr, width)
	}
	return v, c.completed(f, addr, width, false)
}

func (c *Core) alignedStore(addr uint32, width uint8, v uint32, privileged bool) bool {
	if c.mpuOn && !c.mpuAllowsAs(addr, write, privileged) {
		c.raise(faultMPUData, addr)
		return false
	}
	c.arbitrate(addr, width)
	f := bus.Error
	if privileged || !isPPB(addr) || !c.privileged() {
		f = c.physStore(addr, width, v&(1<<(8*uint(width))-1))
	}
	return c.completed(f, addr, width, true)
}

// completed acts on the outcome of an access. Bus faults are always precise:
// the model has no write buffer to detach them.
func (c *Core) completed(f bus.Fault, addr uint32, width uint8, write bool) bool {
	switch f {
	case bus.Error:
		if c.busFaultIgnored() {
			return true
		}
		c.raise(faultPreciseData, addr)
		return false
	case bus.Unmodelled:
		c.stop = &Stop{Reason: NotModelled, PC: c.R[15], Addr: addr, Width: width, Write: write, What: accessName(addr)}
		c.Fetch = systemCode{}
		return false
	}
	return true
}

func accessName(addr uint32) string {
	if isPPB(addr) {
		return PPBName(addr)
	}
	return "memory access"
}

// fastWords returns the memory of n words at addr if no check is needed.
func fastWords(t *windowTable, addr uint32, n int) []byte {
	w := t[addr>>windowBits]
	off := uint64(addr - w.base)
	if addr&3 != 0 || off+4*uint64(n) > uint64(len(w.data)) {
		return nil
	}
	return w.data[off : off+4*uint64(n)]
}

// loadMultiple executes LDM. Registers change only when all loads have
// succeeded, so that the instruction can be restarted after a fault. A loaded
// PC is left in R[15]. Interrupts wait for its end: the model neither abandons
// nor continues it (EPSR.ICI stays 0).
func (c *Core) loadMultiple(b *block, in *insn) bool {
	base := c.R[in.n&15]
	var v [16]uint32
	n := bits.OnesCount32(in.imm)
	if !c.loadWords(b, in, base+uint32(int8(in.a)), v[:n]) {
		return false
	}
	if in.m != 0 {
		c.R[in.n&15] = base + uint32(int8(in.m))
	}
	k := 0
	for list := in.imm & 0xFFFF; list != 0; list &= list - 1 {
		c.R[bits.TrailingZeros32(list)&15] = v[k&15]
		k++
	}
	return true
}

// storeMultiple executes STM; a fault leaves the base as it was.
func (c *Core) storeMultiple(b *block, in *insn) bool {
	base := c.R[in.n&15]
	var v [16]uint32
	k := 0
	for list := in.imm & 0xFFFF; list != 0; list &= list - 1 {
		v[k&15] = c.R[bits.TrailingZeros32(list)&15]
		k++
	}
	if !c.storeWords(b, in, base+uint32(int8(in.a)), v[:k]) {
		return false
	}
	if in.m != 0 {
		c.R[in.n&15] = base + uint32(int8(in.m))
	}
	return true
}

// dual executes LDRD and STRD.
func (c *Core) dual(b *block, in *insn) bool {
	base := c.R[in.n&15]
	addr := base + in.imm
	if in.m == indexPost {
		addr = base
	}
	if in.op == opLDRD {
		var v [2]uint32
		if !c.loadWords(b, in, addr, v[:]) {
			return false
		}
		c.R[in.d&15], c.R[in.a&15] = v[0], v[1]
	} else {
		v := [2]uint32{c.R[in.d&15], c.R[in.a&15]}
		if !c.storeWords(b, in, addr, v[:]) {
			return false
		}
	}
	if in.m != indexOffset {
		c.writeBack(in.n, base+in.imm)
	}
	return true
}

// multipleFP executes VLDM, VSTM, VLDR and VSTR.
func (c *Core) multipleFP(b *block, in *insn) bool {
	base := c.R[in.n&15]
	addr := base + uint32(int16(in.imm))
	s := c.S[in.d&31:]
	s = s[:in.imm>>16]
	if in.op == opVLDM {
		var v [32]uint32
		if !c.loadWords(b, in, addr, v[:len(s)]) {
			return false
		}
		copy(s, v[:])
	} else if !c.storeWords(b, in, addr, s) {
		return false
	}
	if in.m != 0 {
		c.R[in.n&15] = base + uint32(int32(int8(in.m))*4)
	}
	return true
}

// loadWords loads consecutive words, a cycle apart behind the first. The
// address must be aligned whatever CCR says.
func (c *Core) loadWords(b *block, in *insn, addr uint32, v []uint32) bool {
	mem := fastWords(c.fast.loads, addr, len(v))
	if mem == nil && c.admit(addr) {
		mem = fastWords(c.fast.loads, addr, len(v))
	}
	if mem != nil {
		for i := range v {
			v[i] = binary.LittleEndian.Uint32(mem[4*i:])
		}
		return true
	}
	c.sync(b, in)
	if !c.wordAligned(addr, 4) {
		return false
	}
	for i := range v {
		w, ok := c.alignedLoad(addr+4*uint32(i), 4, c.privileged())
		if !ok {
			return false
		}
		v[i] = w
		c.Cycle++
	}
	c.Cycle -= uint64(len(v)) // they are in the static cost
	c.unsync(in)
	return true
}

func (c *Core) storeWords(b *block, in *insn, addr uint32, v []uint32) bool {
	if c.storeWordsFast(addr, v) || c.admit(addr) && c.storeWordsFast(addr, v) {
		return true
	}
	c.sync(b, in)
	if !c.wordAligned(addr, 4) {
		return false
	}
	for i, w := range v {
		if !c.alignedStore(addr+4*uint32(i), 4, w, c.privileged()) {
			return false
		}
		c.Cycle++
	}
	c.Cycle -= uint64(len(v))
	c.unsync(in)
	return true
}

func (c *Core) storeWordsFast(addr uint32, v []uint32) bool {
	mem := fastWords(c.fast.stores, addr, len(v))
	if mem == nil {
		return false
	}
	w := c.fast.stores[addr>>windowBits]
	first := (addr - w.base) >> pageBits
	last := (addr - w.base + uint32(len(mem)) - 1) >> pageBits
	if w.marks[first] || w.marks[last] {
		return false
	}
	for i, x := range v {
		binary.LittleEndian.PutUint32(mem[4*i:], x)
	}
	return true
}

// wordAligned raises a fault if addr is not aligned.
func (c *Core) wordAligned(addr uint32, width uint8) bool {
	if addr&uint32(width-1) == 0 {
		return true
	}
	c.raise(faultUnaligned, addr)
	return false
}

var exclusiveWidths = [...]uint8{4, 1, 2}

// loadExclusive executes LDREX and its kin.
func (c *Core) loadExclusive(b *block, in *insn) bool {
	width := exclusiveWidths[in.op-opLDREX]
	addr := c.R[in.n&15] + in.imm
	c.sync(b, in)
	if !c.wordAligned(addr, width) {
		return false
	}
	v, ok := c.alignedLoad(addr, width, c.privileged())
	if !ok {
		return false
	}
	c.unsync(in)
	c.ExclusiveValid = true
	c.R[in.d&15] = v
	return true
}

// storeExclusive executes STREX and its kin.
func (c *Core) storeExclusive(b *block, in *insn) bool {
	width := exclusiveWidths[in.op-opSTREX]
	addr := c.R[in.n&15] + in.imm
	c.sync(b, in)
	if !c.wordAligned(addr, width) {
		return false
	}
	status := uint32(1)
	if c.ExclusiveValid {
		if !c.alignedStore(addr, width, c.R[in.a&15], c.privileged()) {
			return false
		}
		status = 0
	}
	c.unsync(in)
	c.ExclusiveValid = false
	c.R[in.d&15] = status
	return true
}

// tableEntry loads the offset of TBB and TBH.
func (c *Core) tableEntry(b *block, in *insn) (v uint32, ok bool) {
	addr, width := c.R[in.n&15]+c.R[in.m&15], uint8(1)
	if in.op == opTBH {
		addr, width = addr+c.R[in.m&15], 2
	}
	c.sync(b, in)
	if v, ok = c.dataLoad(addr, width, c.privileged()); ok {
		c.unsync(in)
	}
	return v, ok
}
