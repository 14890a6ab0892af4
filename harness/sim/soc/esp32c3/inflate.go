package esp32c3

// Inflating zlib streams (RFC 1950, RFC 1951) in steps, for the loader and for the
// ROM's tinfl_decompress. A step stops where input or room for output ends; the
// state is plain data and of a fixed size, for it lies in the program's memory
// between two calls.
type inflater struct {
	State  inflateState
	Zlib   bool // with header and Adler-32
	Final  bool // the last block
	Hold   uint64
	Bits   uint32 // in Hold
	Lens   [320]uint8
	Codes  [3]uint16 // counts of literal, distance and length codes
	Index  uint16
	Lit    huffman
	Dist   huffman
	Copy   uint32 // bytes still to copy
	Back   uint32 // from so far back
	Made   uint32 // bytes so far
	A, B   uint32 // Adler-32
	Wanted uint32 // Adler-32 of the stream
}

// huffman is a canonical code: how many codes of each length, and the symbols in
// their order.
type huffman struct {
	Count  [16]uint16
	Symbol [288]uint16
}

type inflateState uint8

const (
	inflateHeader inflateState = iota
	inflateBlock
	inflateStoredSize
	inflateStored
	inflateCounts
	inflateCodeLens
	inflateLens
	inflateSymbol
	inflateCopy
	inflateAdler
	inflateDone
	inflateFailed
)

// inflateStatus is how a step ended, in miniz's numbers.
type inflateStatus int32

const (
	inflateBadSum    inflateStatus = -2
	inflateBad       inflateStatus = -1
	inflateEnd       inflateStatus = 0
	inflateMoreInput inflateStatus = 1
	inflateMoreRoom  inflateStatus = 2
)

func newInflater(zlib bool) inflater {
	z := inflater{Zlib: zlib, A: 1}
	if !zlib {
		z.State = inflateBlock
	}
	return z
}

// run inflates into out from next on; bytes before are looked back at, round the
// end of out if wrap is set.
func (z *inflater) run(in, out []byte, next int, wrap bool) (used, made int, st inflateStatus) {
	for {
		for z.Bits <= 56 && used < len(in) {
			z.Hold |= uint64(in[used]) << z.Bits
			z.Bits += 8
			used++
		}
		switch {
		case z.State == inflateDone:
			return z.giveBack(used), made, inflateEnd
		case (z.State == inflateStored || z.State == inflateSymbol || z.State == inflateCopy) && next+made == len(out):
			if z.State != inflateSymbol || !z.ended() {
				return z.giveBack(used), made, inflateMoreRoom
			}
		}
		hold, bits := z.Hold, z.Bits
		switch z.step(out, next+made, wrap) {
		case stepByte:
			z.sum(out[next+made])
			made++
		case stepStarved:
			z.Hold, z.Bits = hold, bits
			if used == len(in) {
				return used, made, inflateMoreInput
			}
			z.State = inflateFailed
			return used, made, inflateBad
		case stepFailed:
			z.State = inflateFailed
			return used, made, inflateBad
		case stepBadSum:
			z.State = inflateFailed
			return used, made, inflateBadSum
		}
	}
}

// giveBack returns whole bytes that were taken too far.
func (z *inflater) giveBack(used int) int {
	n := min(used, int(z.Bits/8))
	z.Bits -= uint32(8 * n)
	z.Hold &= 1<<z.Bits - 1
	return used - n
}

// ended tells whether the next symbol ends the block, which needs no room.
func (z *inflater) ended() bool {
	probe := *z
	s, ok := probe.symbol(&probe.Lit)
	return ok && s == 256
}

// stepResult is what a step did.
type stepResult uint8

const (
	stepOn      stepResult = iota
	stepByte               // out[at] was made
	stepStarved            // it needs more input
	stepFailed
	stepBadSum
)

// take takes n bits.
func (z *inflater) take(n uint32) (v uint32, ok bool) {
	if z.Bits < n {
		return 0, false
	}
	v = uint32(z.Hold & (1<<n - 1))
	z.Hold >>= n
	z.Bits -= n
	return v, true
}

// symbol decodes a symbol; 0xFFFF is none of the code's.
func (z *inflater) symbol(h *huffman) (uint16, bool) {
	code, first, index := 0, 0, 0
	for n := 1; n < 16; n++ {
		bit, ok := z.take(1)
		if !ok {
			return 0, false
		}
		code |= int(bit)
		count := int(h.Count[n])
		if code-count < first {
			return h.Symbol[index+code-first], true
		}
		index += count
		first = (first + count) << 1
		code <<= 1
	}
	return 0xFFFF, true
}

// build makes a code from its symbols' lengths, and says whether it is no more
// than complete.
func (h *huffman) build(lens []uint8) bool {
	*h = huffman{}
	for _, n := range lens {
		h.Count[n]++
	}
	h.Count[0] = 0
	left := 1
	var offset [17]uint16
	for n := 1; n < 16; n++ {
		left = left<<1 - int(h.Count[n])
		if left < 0 {
			return false
		}
		offset[n+1] = offset[n] + h.Count[n]
	}
	for symbol, n := range lens {
		if n != 0 {
			h.Symbol[offset[n]] = uint16(symbol)
			offset[n]++
		}
	}
	return true
}

// sum adds a byte to the Adler-32.
func (z *inflater) sum(b byte) {
	z.A = (z.A + uint32(b)) % 65521
	z.B = (z.B + z.A) % 65521
	z.Made++
}

func (z *inflater) step(out []byte, at int, wrap bool) stepResult {
	switch z.State {
	case inflateHeader:
		return z.header()
	case inflateBlock:
		return z.block()
	case inflateStoredSize:
		return z.storedSize()
	case inflateStored:
		return z.stored(out, at)
	case inflateCounts:
		return z.counts()
	case inflateCodeLens:
		return z.codeLens()
	case inflateLens:
		return z.lens()
	case inflateSymbol:
		return z.literal(out, at)
	case inflateCopy:
		return z.copy(out, at, wrap)
	case inflateAdler:
		return z.adler()
	}
	return stepFailed
}

func (z *inflater) header() stepResult {
	v, ok := z.take(16)
	switch cmf, flg := v&0xFF, v>>8; {
	case !ok:
		return stepStarved
	case cmf&15 != 8 || (cmf<<8|flg)%31 != 0 || flg&0x20 != 0:
		return stepFailed
	}
	z.State = inflateBlock
	return stepOn
}

// block is RFC 1951 §3.2.3.
func (z *inflater) block() stepResult {
	if z.Final {
		z.take(z.Bits % 8)
		z.State = inflateDone
		if z.Zlib {
			z.State = inflateAdler
		}
		return stepOn
	}
	v, ok := z.take(3)
	if !ok {
		return stepStarved
	}
	z.Final = v&1 != 0
	switch v >> 1 {
	case 0:
		z.take(z.Bits % 8)
		z.State = inflateStoredSize
	case 1:
		z.fixed()
	case 2:
		z.State = inflateCounts
	default:
		return stepFailed
	}
	return stepOn
}

// fixed is §3.2.6.
func (z *inflater) fixed() {
	var lens [288]uint8
	for i := range lens {
		switch {
		case i < 144:
			lens[i] = 8
		case i < 256:
			lens[i] = 9
		case i < 280:
			lens[i] = 7
		default:
			lens[i] = 8
		}
	}
	z.Lit.build(lens[:])
	for i := range 30 {
		lens[i] = 5
	}
	z.Dist.build(lens[:30])
	z.State = inflateSymbol
}

func (z *inflater) storedSize() stepResult {
	v, ok := z.take(32)
	switch {
	case !ok:
		return stepStarved
	case v&0xFFFF != ^v>>16:
		return stepFailed
	}
	z.Copy, z.State = v&0xFFFF, inflateStored
	if z.Copy == 0 {
		z.State = inflateBlock
	}
	return stepOn
}

func (z *inflater) stored(out []byte, at int) stepResult {
	v, ok := z.take(8)
	if !ok {
		return stepStarved
	}
	out[at] = byte(v)
	if z.Copy--; z.Copy == 0 {
		z.State = inflateBlock
	}
	return stepByte
}

// counts is the beginning of §3.2.7.
func (z *inflater) counts() stepResult {
	v, ok := z.take(14)
	if !ok {
		return stepStarved
	}
	z.Codes = [3]uint16{uint16(v&31) + 257, uint16(v>>5&31) + 1, uint16(v>>10) + 4}
	if z.Codes[0] > 286 || z.Codes[1] > 30 {
		return stepFailed
	}
	z.Lens, z.Index, z.State = [320]uint8{}, 0, inflateCodeLens
	return stepOn
}

var inflateOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

func (z *inflater) codeLens() stepResult {
	if z.Index < z.Codes[2] {
		v, ok := z.take(3)
		if !ok {
			return stepStarved
		}
		z.Lens[inflateOrder[z.Index]] = uint8(v)
		z.Index++
		return stepOn
	}
	if !z.Lit.build(z.Lens[:19]) {
		return stepFailed
	}
	z.Lens, z.Index, z.State = [320]uint8{}, 0, inflateLens
	return stepOn
}

// lens reads the lengths of the literal and distance codes, run by run.
func (z *inflater) lens() stepResult {
	total := z.Codes[0] + z.Codes[1]
	if z.Index == total {
		lit := z.Codes[0]
		if z.Lens[256] == 0 || !z.Lit.build(z.Lens[:lit]) || !z.Dist.build(z.Lens[lit:total]) {
			return stepFailed
		}
		z.State = inflateSymbol
		return stepOn
	}
	s, ok := z.symbol(&z.Lit)
	if !ok {
		return stepStarved
	}
	n, v, more, base := uint16(1), uint8(s), uint32(0), uint16(0)
	switch {
	case s == 16 && z.Index > 0:
		v, more, base = z.Lens[z.Index-1], 2, 3
	case s == 17:
		v, more, base = 0, 3, 3
	case s == 18:
		v, more, base = 0, 7, 11
	case s >= 16:
		return stepFailed
	}
	if more > 0 {
		extra, ok := z.take(more)
		if !ok {
			return stepStarved
		}
		n = base + uint16(extra)
	}
	if z.Index+n > total {
		return stepFailed
	}
	for range n {
		z.Lens[z.Index] = v
		z.Index++
	}
	return stepOn
}

// Lengths and distances, §3.2.5.
var (
	lengthBase  = [29]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthExtra = [29]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distBase    = [30]uint16{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073,
		4097, 6145, 8193, 12289, 16385, 24577}
	distExtra = [30]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
)

func (z *inflater) literal(out []byte, at int) stepResult {
	s, ok := z.symbol(&z.Lit)
	switch {
	case !ok:
		return stepStarved
	case s < 256:
		out[at] = byte(s)
		return stepByte
	case s == 256:
		z.State = inflateBlock
		return stepOn
	case s > 285:
		return stepFailed
	}
	extra, ok := z.take(uint32(lengthExtra[s-257]))
	if !ok {
		return stepStarved
	}
	z.Copy = uint32(lengthBase[s-257]) + extra
	d, ok := z.symbol(&z.Dist)
	switch {
	case !ok:
		return stepStarved
	case d > 29:
		return stepFailed
	}
	extra, ok = z.take(uint32(distExtra[d]))
	if !ok {
		return stepStarved
	}
	z.Back, z.State = uint32(distBase[d])+extra, inflateCopy
	if z.Back > z.Made {
		return stepFailed
	}
	return stepOn
}

func (z *inflater) copy(out []byte, at int, wrap bool) stepResult {
	from := at - int(z.Back)
	if from < 0 && wrap {
		from += len(out)
	}
	if from < 0 {
		return stepFailed
	}
	out[at] = out[from]
	if z.Copy--; z.Copy == 0 {
		z.State = inflateSymbol
	}
	return stepByte
}

func (z *inflater) adler() stepResult {
	v, ok := z.take(32)
	if !ok {
		return stepStarved
	}
	if z.Wanted = v>>24 | v>>8&0xFF00 | v<<8&0xFF0000 | v<<24; z.Wanted != z.B<<16|z.A {
		return stepBadSum
	}
	z.State = inflateDone
	return stepOn
}
