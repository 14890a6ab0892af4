//go:build vendortools

package riscv

import (
	"encoding/binary"
	"math/rand/v2"
)

const wordFENCEI = 0x0000100F

// auipc is where it is itself.
func auipc(rd uint32) uint32 { return rd<<7 | majorAUIPC }

// generator makes programs that end, whatever their instructions do: some registers are never
// written, and only these are counters of loops and bases of loads and stores.
type generator struct {
	rnd  *rand.Rand
	cfg  *Config
	d    decoder
	base uint64            // of the frame
	user bool              // programs may be in user mode
	data map[uint32]uint64 // where registers point to, as an offset in the data
	out  []piece
}

// Registers that programs don't write.
const (
	regData  = 2 // in the middle of the data, aligned
	regCount = 4
	regOdd   = 8 // in the data, maybe misaligned
	regFar   = 9 // in the data, aligned, or where nothing is: QEMU rounds addresses that fault
)

const reserved = 1<<regData | 1<<regCount | 1<<regOdd | 1<<regFar

// piece is code that nothing jumps into.
type piece struct {
	code []byte
	jump func(offset int) []byte // the code instead, with a jump to piece to
	to   int
}

// encode returns instructions as they are in memory.
func encode(all ...uint32) (code []byte) {
	for _, w := range all {
		if isWide(w) {
			code = binary.LittleEndian.AppendUint32(code, w)
		} else {
			code = binary.LittleEndian.AppendUint16(code, uint16(w))
		}
	}
	return code
}

func (g *generator) word(w ...uint32) { g.out = append(g.out, piece{code: encode(w...)}) }

func (g *generator) jumping(code func(offset int) []byte) { g.out = append(g.out, piece{jump: code}) }

// bits returns n random bits.
func (g *generator) bits(n uint) uint32 { return g.rnd.Uint32() >> (32 - n) }

func (g *generator) one(in int) bool { return g.rnd.IntN(in) == 0 }

// source is any register, target any that programs may write.
func (g *generator) source() uint32 { return g.bits(5) }

func (g *generator) target() uint32 {
	for {
		if r := g.bits(5); reserved>>r&1 == 0 {
			return r
		}
	}
}

// value is more often than not one at the edge of something.
func (g *generator) value() uint64 {
	v := g.rnd.Uint64()
	switch g.rnd.IntN(8) {
	case 0:
		return uint64(g.rnd.IntN(7)) - 3
	case 1:
		return 1 << (v & 63)
	case 2:
		return 1<<(v&63) - 1
	case 3:
		return ^uint64(0) << (v & 63)
	case 4:
		return 0xFFFFFFFF80000000
	case 5:
		return uint64(int64(int32(v)))
	}
	return v
}

// float is a number of either width, boxed or not, of few exponents.
func (g *generator) float() uint64 {
	sign, fraction := uint64(g.bits(1)), g.rnd.Uint64()
	if g.one(3) {
		fraction = 0
	}
	if g.one(2) {
		exponent := []uint64{0, 1, 126, 127, 128, 150, 254, 255}[g.rnd.IntN(8)]
		box := uint64(boxS)
		if g.one(16) {
			box = g.rnd.Uint64() &^ (1<<32 - 1)
		}
		return box | sign<<31 | exponent<<23 | fraction>>41
	}
	exponent := []uint64{0, 1, 896, 1022, 1023, 1024, 1075, 1150, 2046, 2047}[g.rnd.IntN(10)]
	return sign<<63 | exponent<<52 | fraction>>12
}

// program fills a frame.
func (g *generator) program(f frame, base uint64) {
	g.base = base
	g.start(f)
	var code []byte
	ends := []uint64{0} // of segments
	for n := 1 + g.rnd.IntN(6); n > 0; n-- {
		code = append(code, g.segment()...)
		if len(code)%4 != 0 {
			code = append(code, encode(0x0001)...) // C.NOP
		}
		ends = append(ends, uint64(len(code)))
	}
	g.protect(f, ends)
	f.put(frameX, uint64(len(code)))
	code = append(code, encode(wordECALL)...)
	if len(code) > frameData-frameCode {
		panic("BUG: a program longer than its frame")
	}
	copy(f[frameCode:], code)
}

// start chooses registers and memory.
func (g *generator) start(f frame) {
	g.data = map[uint32]uint64{regData: 0x400, regOdd: g.rnd.Uint64N(0x800), regFar: 0x40 * g.rnd.Uint64N(16)}
	for r := 1; r < 32; r++ {
		f.put(frameX+8*r, g.value()&g.mask())
		f.put(frameF+8*r, g.float())
	}
	for r, off := range g.data {
		f.put(frameX+8*int(r), g.base+frameData+off)
	}
	if g.one(8) {
		f.put(frameX+8*regFar, virtNone)
	}
	f.put(frameX+8*regCount, 0)
	f.put(frameLogEnd, g.base+frameLog)
	status := uint64(mstatusMPIE)
	g.user = !g.one(4)
	if !g.user || g.one(2) {
		status |= mstatusMPP
	}
	if g.cfg.Ext&ExtF != 0 && !g.one(8) {
		status |= uint64(1+g.rnd.IntN(3)) << mstatusFSShift
	}
	f.put(frameStatus, status)
	f.put(frameMie, uint64(g.bits(1))<<3)
	f.put(frameFCSR, uint64(g.rnd.IntN(5))<<5|uint64(g.bits(5)))
	for i := frameData; i < frameSize; i += 16 {
		f.put(i, g.value())
		f.put(i+8, g.float())
	}
}

func (g *generator) mask() uint64 { return ^uint64(0) >> (64 - g.cfg.XLEN) }

// protect chooses PMP: a segment is limited, or two places in the data, and the last entry allows all the rest.
// QEMU doesn't notice an instruction that only ends in a limited region; in machine mode it makes misaligned loads and
// stores that do so fail, which the core makes in two; and it confuses the faults of atomic operations.
func (g *generator) protect(f frame, ends []uint64) {
	allowed := func() uint64 {
		return []uint64{0, pmpR, pmpX, pmpR | pmpX, pmpR | pmpW, pmpR | pmpW | pmpX}[g.rnd.IntN(6)]
	}
	const all = pmpNAPOT | pmpR | pmpW | pmpX
	cfg := uint64(all << 24)
	f.put(framePMPAddr+24, g.mask())
	if i := g.rnd.IntN(2 * len(ends)); i+1 < len(ends) {
		f.put(framePMPAddr+8, (g.base+frameCode+ends[i])>>2)
		f.put(framePMPAddr+16, (g.base+frameCode+ends[i+1])>>2)
		cfg |= (pmpTOR | allowed()) << 16
	} else if f.get(frameStatus)&mstatusMPP == 0 {
		f.put(framePMPAddr, (g.base+frameData+g.data[regData])>>2)
		cfg |= all | g.protectData(f, 1, allowed()) | g.protectData(f, 2, allowed())
	}
	f.put(framePMPCfg, cfg)
}

// protectData sets an entry's address and returns its place in pmpcfg0.
func (g *generator) protectData(f frame, entry int, allowed uint64) uint64 {
	near := g.data[[]uint32{regOdd, regFar}[g.bits(1)]]
	place := (g.base + frameData + near + g.rnd.Uint64N(0x180)) >> 2
	mode := []uint64{0, pmpTOR, pmpNA4, pmpNAPOT}[g.rnd.IntN(4)]
	if g.cfg.XLEN == 64 { // QEMU doesn't notice a region in the middle of an access
		place &^= 1
		mode |= mode >> 1 & pmpTOR
	}
	if mode == pmpNAPOT {
		place |= 1<<g.rnd.IntN(6) - 1
	}
	f.put(framePMPAddr+8*entry, place)
	return (mode | allowed) << (8 * entry)
}

// segment is code that nothing jumps into or out of, once or in a loop.
func (g *generator) segment() []byte {
	g.out = nil
	for n := 3 + g.rnd.IntN(12); n > 0 || len(g.out) == 0; n-- {
		g.emit()
	}
	for i := range g.out {
		g.out[i].to = i + 1 + g.rnd.IntN(min(4, len(g.out)-i))
	}
	body := join(g.out)
	if !g.one(3) {
		return body
	}
	code := append(encode(addi(regCount, 0, 1+g.rnd.IntN(12))), body...)
	return append(code, encode(addi(regCount, regCount, -1), branch(1, regCount, 0, -len(body)-4))...)
}

// join puts pieces in a row. The size of a jump must not depend on its offset.
func join(pieces []piece) (code []byte) {
	at := []int{0}
	for i := range pieces {
		p := &pieces[i]
		if p.jump != nil {
			p.code = p.jump(2)
		}
		at = append(at, at[i]+len(p.code))
	}
	for i, p := range pieces {
		if p.jump != nil {
			p.code = p.jump(at[p.to] - at[i])
		}
		code = append(code, p.code...)
	}
	return code
}

func (g *generator) emit() {
	switch g.rnd.IntN(20) {
	case 0, 1, 2:
		g.raw32()
	case 3, 4, 5, 6:
		g.raw16()
	case 7, 8, 9:
		g.memory()
	case 10, 11:
		g.branch()
	case 12:
		g.leap()
	case 13, 14:
		g.csr()
	case 15:
		g.system()
	case 16:
		g.rewrite()
	case 17:
		g.interrupt()
	default:
		if g.cfg.Ext&ExtF != 0 && !g.one(3) {
			g.floating()
			return
		}
		g.arithmetic()
	}
}

// majors of raw words; those of extensions a core has not are in it too.
var majors = []uint32{
	majorLOAD, majorLOADFP, majorCustom0, majorMISCMEM, majorOPIMM, majorAUIPC, majorOPIMM32, majorSTORE, majorSTOREFP, majorAMO, majorOP, majorLUI, majorOP32,
	majorMADD, majorMSUB, majorNMSUB, majorNMADD, majorOPFP, majorOPFP, majorOPFP, majorAMO, majorLOADFP, majorSTOREFP, majorOP, majorOP32, majorOPIMM,
}

// raw32 is a random word, if it does nothing that programs must not.
func (g *generator) raw32() {
	w := g.rnd.Uint32()&^0x7F | majors[g.rnd.IntN(len(majors))]
	if g.one(8) {
		w = g.rnd.Uint32() | 3
	}
	if g.one(2) { // a base that leads somewhere
		w = w&^(31<<15) | []uint32{regData, regOdd, regFar}[g.rnd.IntN(3)]<<15
	}
	switch w & 0x7F {
	case majorAMO:
		w = w&^(7<<12) | (2+g.bits(1))<<12
	case majorOP, majorOP32:
		w = w&^(0x7F<<25) | []uint32{0, 1, 0x20, g.bits(7)}[g.rnd.IntN(4)]<<25
	case majorOPFP:
		w &^= 2 << 25
	}
	if g.harmless(w) {
		g.word(w)
	}
}

func (g *generator) raw16() {
	w := g.bits(16)
	if !isWide(w) && g.harmless(w) {
		g.word(w)
	}
}

// harmless says whether an instruction leaves the program under control.
func (g *generator) harmless(w uint32) bool {
	in := g.d.decode(0, w)
	off, points := g.data[uint32(in.n)]
	switch {
	case w&0x7F == majorSYSTEM || in.isBranch() || in.op == opJR || in.op == opJALR:
		return false
	case in.op == opIllegal || in.op == opEBREAK:
		return true
	case in.op >= opLB && in.op <= opSD, in.op >= opFLW && in.op <= opFSD, in.op >= opLR && in.op <= opAMO:
		if in.op >= opLR && in.op <= opAMO {
			in.imm = 0
		}
		if in.op == opSC || in.op == opAMO {
			// QEMU takes no exception of an SC that fails, and a load's of an AMO.
			points = in.n == regData
		}
		if !points || off+in.imm > frameSize-frameData-8 || in.n == regFar && in.imm&7 != 0 {
			return false
		}
	}
	return reserved>>in.d&1 == 0
}

func (g *generator) arithmetic() {
	f7 := []uint32{0, 0, 1, 1, 0x20}[g.rnd.IntN(5)]
	f3 := g.bits(3)
	if f7 == 0x20 {
		f3 &= 5
	}
	w := rType(f7, f3, g.target(), g.source(), g.source())
	if g.cfg.XLEN == 64 && g.one(3) {
		w = w&^0x7F | majorOP32
	}
	g.word(w)
}

// fpOps are operations of OP-FP: the upper five bits of funct7, the number of values that funct3 can have, or 0 if
// it is a rounding mode, and rs2 where it is no operand.
var fpOps = []struct {
	funct5, variants uint32
	rs2              []uint32
}{
	{fpADD, 0, nil}, {fpSUB, 0, nil}, {fpMUL, 0, nil}, {fpDIV, 0, nil}, {fpSQRT, 0, []uint32{0}}, {fpSGNJ, 3, nil}, {fpMINX, 2, nil}, {fpCMP, 3, nil},
	{fpCVTFF, 0, []uint32{0, 1}}, {fpToX, 0, []uint32{0, 1, 2, 3}}, {fpFromX, 0, []uint32{0, 1, 2, 3}}, {fpMVtoX, 2, []uint32{0}}, {fpMVtoF, 1, []uint32{0}},
}

// floating is an operation of F or D.
func (g *generator) floating() {
	rm := []uint32{0, 1, 2, 3, 4, 7, 7, 7, 7, g.bits(3)}[g.rnd.IntN(10)]
	w := g.rnd.Uint32()&^(2<<25|7<<12|0x7F) | rm<<12
	if g.one(4) {
		g.word(w | []uint32{majorMADD, majorMSUB, majorNMSUB, majorNMADD}[g.bits(2)])
		return
	}
	op := fpOps[g.rnd.IntN(len(fpOps))]
	w = w&^(31<<27) | op.funct5<<27 | majorOPFP
	if op.variants > 0 {
		w = w&^(7<<12) | g.rnd.Uint32N(op.variants)<<12
	}
	if op.rs2 != nil {
		w = w&^(31<<20) | op.rs2[g.rnd.IntN(len(op.rs2))]<<20
	}
	if op.funct5 == fpCMP || op.funct5 == fpToX || op.funct5 == fpMVtoX {
		w = w&^(31<<7) | g.target()<<7
	}
	g.word(w)
}

// memory is a load or a store, of any kind.
func (g *generator) memory() {
	base := []uint32{regData, regOdd, regFar}[g.rnd.IntN(3)]
	imm := g.rnd.IntN(0x180)
	if base == regFar || !g.one(4) {
		imm &^= 7
	}
	switch kind := g.rnd.IntN(8); {
	case kind == 0 && g.cfg.Ext&ExtA != 0:
		f3 := 2 + g.bits(1)
		g.word(g.atomic(amoLR, f3, 0), nop, g.atomic(amoSC, f3, g.source()))
	case kind == 1 && g.cfg.Ext&ExtA != 0:
		g.word(g.atomic([]uint32{amoADD, amoSWAP, amoXOR, amoOR, amoAND, amoMIN, amoMAX, amoMINU, amoMAXU}[g.rnd.IntN(9)], 2+g.bits(1), g.source()))
	case kind == 2 && g.cfg.Ext&ExtF != 0:
		g.word(iType(majorLOADFP, 2+g.bits(1), g.bits(5), base, imm))
	case kind == 3 && g.cfg.Ext&ExtF != 0:
		g.word(sType(2+g.bits(1), g.bits(5), base, imm) | majorSTOREFP)
	case kind&1 == 0:
		g.word(sType(g.bits(2), g.source(), base, imm))
	default:
		g.word(iType(majorLOAD, g.bits(3), g.target(), base, imm))
	}
}

func (g *generator) atomic(funct5, f3, rs2 uint32) uint32 {
	return funct5<<27 | g.bits(2)<<25 | rs2<<20 | regData<<15 | f3<<12 | g.target()<<7 | majorAMO
}

func (g *generator) branch() {
	f3, a, b := g.bits(3), g.source(), g.source()
	if f3&6 == 2 {
		f3 ^= 2
	}
	compressed := 0xC001 | g.bits(1)<<13 | g.bits(3)<<7 // C.BEQZ, C.BNEZ
	short := g.one(3)
	g.jumping(func(off int) []byte {
		if o := uint32(off); short {
			return encode(compressed | o>>8&1<<12 | o>>3&3<<10 | o>>6&3<<5 | o>>1&3<<3 | o>>5&1<<2)
		}
		return encode(branch(f3, a, b, off))
	})
}

// leap is JAL, C.J, C.JAL, or AUIPC and JALR.
func (g *generator) leap() {
	r, link, odd := g.target(), g.target(), int(g.bits(1)) // JALR ignores bit 0
	if g.one(40) {
		g.word(iType(majorJALR, 0, link, 0, 0x7FF)) // where nothing is
		return
	}
	compressed := 0xA001 - 0x8000*g.bits(1) // C.J, C.JAL
	if g.cfg.XLEN == 64 {
		compressed = 0xA001
	}
	kind := g.rnd.IntN(3)
	g.jumping(func(off int) []byte {
		switch {
		case kind == 0:
			return encode(jump(link, off))
		case kind == 1:
			o := uint32(off)
			return encode(compressed | o>>11&1<<12 | o>>4&1<<11 | o>>8&3<<9 | o>>10&1<<8 | o>>6&1<<7 | o>>7&1<<6 | o>>1&7<<3 | o>>5&1<<2)
		case r == 0:
			return encode(jump(0, off))
		}
		return encode(auipc(r), iType(majorJALR, 0, link, r, off|odd))
	})
}

// Registers that programs read, and those of which they write anything. QEMU keeps bit 0 of mepc: it
// is written only by what returns.
var (
	readCSRs = []uint32{
		csrFFLAGS, csrFRM, csrFCSR, csrMSTATUS, csrMISA, csrMIE, csrMTVEC, csrMSCRATCH, csrMEPC, csrMCAUSE, csrMTVAL, csrMIP, csrPMPCFG0, csrPMPADDR0, csrPMPADDR0 + 7,
		csrMVENDORID, csrMARCHID, csrMIMPID, csrMHARTID, 0x100, 0x141, 0x180, 0x5C0, 0x8FF,
	}
	writtenCSRs = []uint32{csrFFLAGS, csrFRM, csrFCSR, csrMTVAL, csrPMPADDR0 + 5, 0x5C1}
	fixedCSRs   = []uint32{csrMVENDORID, csrMHARTID, 0xCC0}
)

func (g *generator) csr() {
	set := 2 + g.bits(1)
	access := func(n, f3, rs1 uint32) uint32 {
		rd := g.target()
		if (n == csrMSTATUS || n == csrPMPADDR0+5) && g.cfg.XLEN == 64 {
			rd = 0 // QEMU's has SXL, though there is no supervisor mode; and too many bits of an address
		}
		return n<<20 | rs1<<15 | f3<<12 | rd<<7 | majorSYSTEM
	}
	switch g.rnd.IntN(6) {
	case 0: // CSRRS, CSRRC with x0
		g.word(access(readCSRs[g.rnd.IntN(len(readCSRs))], set, 0))
	case 1:
		g.word(access(writtenCSRs[g.rnd.IntN(len(writtenCSRs))], 1+g.bits(2)%3+4*g.bits(1), g.source()))
	case 2: // CSRRW: QEMU lets the others pass if they set or clear nothing
		g.word(access(fixedCSRs[g.rnd.IntN(len(fixedCSRs))], 1+4*g.bits(1), g.source()))
	case 3:
		g.word(access(csrMSTATUS, 4+set, mstatusMIE))
	case 4:
		r := 5 + g.bits(1)
		g.word(lui(r, mstatusFS), access(csrMSTATUS, set, r))
	case 5:
		r := 5 + g.bits(1)
		g.word(lui(r, 0x2000), addi(r, r, mstatusMPP-0x2000), access(csrMSTATUS, set, r))
	}
}

// system is a call, a breakpoint, a return to the next instruction, or a fence.
func (g *generator) system() {
	switch g.rnd.IntN(6) {
	case 0:
		g.word(wordECALL)
	case 1:
		g.word([]uint32{wordEBREAK, 0x9002}[g.bits(1)])
	case 2:
		g.word(wordFENCEI | g.bits(5)<<7)
	case 3:
		g.word(g.bits(12)<<20 | majorMISCMEM)
	case 4:
		if !g.user {
			break
		}
		r := 5 + g.bits(1)
		g.word(auipc(r), addi(r, r, 16), csrw(csrMEPC, r), wordMRET)
	}
}

// rewrite stores an instruction over the last one, with and without a fence.
func (g *generator) rewrite() {
	w := rType(0, g.bits(3), g.target(), g.source(), g.source())
	r, at := 5+g.bits(1), 10+g.bits(2)
	fence := []uint32{wordFENCEI, nop}[g.bits(1)]
	g.word(lui(r, w+0x800), addi(r, r, int(int32(w<<20)>>20)), auipc(at), sw(r, at, 12), fence, nop)
}

// interrupt raises one, and maybe waits for it with interrupts off.
func (g *generator) interrupt() {
	r := 5 + g.bits(1)
	clint := 10 + g.bits(1)
	const (
		set, clear = 8<<15 | 6<<12 | majorSYSTEM, 8<<15 | 7<<12 | majorSYSTEM // by the immediate 8: MIE, MSIE
		setMIE     = csrMSTATUS<<20 | set
		clearMIE   = csrMSTATUS<<20 | clear
		setMSIE    = csrMIE<<20 | set
		clearMSIE  = csrMIE<<20 | clear
	)
	switch g.rnd.IntN(8) {
	case 0:
		g.word(clearMSIE)
	case 1:
		g.word(setMSIE)
	case 2:
		g.word(setMIE)
	case 3:
		if g.user {
			break
		}
		g.word(clearMIE, setMSIE, lui(clint, virtCLINT), addi(r, 0, 1), sw(r, clint, 0), wordWFI)
		return
	}
	// QEMU fetches the next instruction before it sees the interrupt.
	g.word(lui(clint, virtCLINT), addi(r, 0, 1), sw(r, clint, 0), nop)
}
