package patch

import "math/bits"

// The model foretells every bit of a payload from what came before. Five contexts
// look up a probability each, and a mixer weighs them in the logistic domain (M.
// Mahoney, Adaptive Weighing of Context Models for Lossless Data Compression,
// 2005); what the bit turns out to be teaches both. All of it is integer
// arithmetic, the same on board and host.
type model struct {
	slots   [slots]uint16 // upper 12 bits: probability of a 1; lower 4: how often asked, up to 15
	weights [sets][inputs]int32
	flags   uint32 // whether the latest bytes differed from the base's, latest lowest
	same    uint32 // how many have not since the last that did
	diff    uint32 // the latest difference
	last    uint32 // the image's latest bytes, latest lowest
}

// inputs is how many contexts foretell each bit.
const inputs = 5

// Where the tables lie in slots. Contexts that are too many for a table of their
// own share one, which is as large as fits: its collisions cost more than anything
// else, so that contexts are kept few.
const (
	flagSlots   = 0                 // whether a byte differs: two tables of 256
	numberSlots = flagSlots + 2*256 // three kinds of numbers
	sharedSlots = numberSlots + 3*128
	slots       = sharedSlots + 2688
)

// Sets of weights.
const (
	flagSet = 0           // by the byte's place in its word
	diffSet = flagSet + 4 // by the bit's place in its byte
	ownSet  = diffSet + 8
	sets    = ownSet + 8
)

// A bitCoder codes a bit that is 1 with a probability of p/65536. An encoder
// writes and returns bit, a decoder reads one.
type bitCoder interface {
	code(p uint32, bit int) int
}

func (m *model) reset() {
	*m = model{}
	for i := range m.slots {
		m.slots[i] = 1 << 15
	}
	for i := range m.weights {
		for j := range m.weights[i] {
			m.weights[i][j] = 19000 // 0.29
		}
	}
}

// stretch codes the head of a stretch.
func (m *model) stretch(c bitCoder, s Stretch) Stretch {
	step := m.number(c, 0, uint32(s.Step<<1^s.Step>>31))
	return Stretch{
		Step: int32(step>>1) ^ -int32(step&1),
		Like: m.number(c, 1, s.Like),
		Own:  m.number(c, 2, s.Own),
	}
}

// number codes a number below 2^31: how many bits it has, then these without the
// first, of which two are foretold.
func (m *model) number(c bitCoder, kind, v uint32) uint32 {
	at := numberSlots + kind*128
	node := uint32(1)
	for i := 4; i >= 0; i-- {
		node = node<<1 | m.alone(c, at+node, bits.Len32(v)>>i)
	}
	length := node & 31
	if length < 2 {
		return length
	}
	got := uint32(1)
	for i := int(length) - 2; i >= 0; i-- {
		switch bit := int(v>>i) & 1; {
		case got < 2:
			got = got<<1 | m.alone(c, at+32+length, bit)
		case got < 4:
			got = got<<1 | m.alone(c, at+64+2*length+got&1, bit)
		default:
			got = got<<1 | uint32(c.code(1<<15, bit))
		}
	}
	return got
}

// near is a byte of the base that one of the image is compared with, near[1],
// and those before and after it. They tell of what a byte is a part: a branch's
// offset changes more often than its operation.
type near [4]byte

// like codes a byte of the image at place, near which the base is as told.
func (m *model) like(c bitCoder, n near, place uint32, want byte) byte {
	diff := want - n[1]
	if m.differs(c, n, place, diff != 0) {
		diff = m.difference(c, n, place, diff)
	} else {
		diff = 0
	}
	b := n[1] + diff
	m.last = m.last<<8 | uint32(b)
	return b
}

// differs codes whether a byte differs from the base's.
func (m *model) differs(c bitCoder, n near, place uint32, is bool) bool {
	latest := m.flags & 3
	at := [inputs]uint32{
		flagSlots + m.flags&0xFF,
		flagSlots + 256 + min(uint32(bits.Len32(m.same)), 15)<<4 | place&3<<2 | latest,
		shared(context(0, uint32(n[0])), latest),
		shared(context(1, uint32(n[2])), latest),
		shared(context(2, uint32(n[3])), latest),
	}
	bit := 0
	if is {
		bit = 1
	}
	bit = m.mixed(c, &at, flagSet+place&3, bit)
	m.flags = m.flags<<1 | uint32(bit)
	m.same++
	if bit == 1 {
		m.same = 0
	}
	return bit == 1
}

// difference codes one that is not zero.
func (m *model) difference(c bitCoder, n near, place uint32, want byte) byte {
	d := m.byte(c, &[inputs]uint32{
		context(3, place&1),
		context(4, m.diff),
		context(5, uint32(n[2])),
		context(6, uint32(n[3])),
		context(7, m.flags&7),
	}, diffSet, want)
	m.diff = uint32(d)
	return d
}

// own codes a byte of the image's own.
func (m *model) own(c bitCoder, place uint32, want byte) byte {
	b := m.byte(c, &[inputs]uint32{
		context(8, place&1),
		context(9, place&3),
		context(10, m.last&0xFF),
		context(11, m.last&0xC0FF),
		context(12, m.last>>8&0xF0|place&1),
	}, ownSet, want)
	m.last = m.last<<8 | uint32(b)
	return b
}

// byte codes eight bits, each in the contexts and that of those before it.
func (m *model) byte(c bitCoder, contexts *[inputs]uint32, set uint32, want byte) byte {
	node := uint32(1)
	for i := range uint32(8) {
		var at [inputs]uint32
		for j := range at {
			at[j] = shared(contexts[j], node)
		}
		node = node<<1 | uint32(m.mixed(c, &at, set+i, int(want>>(7-i)&1)))
	}
	return byte(node)
}

// context is a number for what is known, of one kind.
func context(kind, known uint32) uint32 {
	return (known*0x9E3779B1 + kind*0x85EBCA6B) * 0x2545F491
}

// shared is the slot for a bit of a byte in a context.
func shared(context, node uint32) uint32 {
	h := context + node*0x9E3779B1
	h = (h ^ h>>15) * 0x2C1B3C6D
	return sharedSlots + uint32(uint64(h)*(slots-sharedSlots)>>32)
}

// mixed codes a bit as the slots foretell it together.
func (m *model) mixed(c bitCoder, at *[inputs]uint32, set uint32, bit int) int {
	w := &m.weights[set]
	var in [inputs]int32
	sum := int32(0)
	for i, s := range at {
		in[i] = logit(m.slots[s] >> 4)
		sum += in[i] * (w[i] >> 4) >> 12
	}
	p := probability(sum)
	bit = c.code(p, bit)
	wrong := int32(bit)<<16 - int32(p)
	for i, s := range at {
		w[i] += (in[i]*(wrong>>3) + 1<<11) >> 12
		m.learn(s, bit)
	}
	return bit
}

// alone codes the lowest bit as one slot foretells it.
func (m *model) alone(c bitCoder, at uint32, bit int) uint32 {
	p := max(uint32(m.slots[at]&^15), 1<<6)
	bit = c.code(p, bit&1)
	m.learn(at, bit)
	return uint32(bit)
}

// learn moves a slot towards what a bit was, fast at first.
func (m *model) learn(at uint32, bit int) {
	p, n := int32(m.slots[at]>>4), m.slots[at]&15
	p += (int32(bit)*4095 - p) * rates[n] >> 16
	m.slots[at] = uint16(p)<<4 | min(n+1, 15)
}

// rates are 1/(n+1.6) in 1/65536, and none below 1/13.6.
var rates = [16]int32{40960, 25206, 18204, 14247, 11703, 9930, 8623, 7620, 6827, 6183, 5650, 5201, 4819, 4819, 4819, 4819}

// logit returns the binary logarithm of p/(1-p) in 1/256, for a p in 1/4096.
func logit(p uint16) int32 {
	return log2(2*uint32(p)+1) - log2(8191-2*uint32(p))
}

// log2 is right to 1 %, and has no steps, for x up to 65535.
func log2(x uint32) int32 {
	n := bits.Len32(x) - 1
	f := x<<(16-n) - 1<<16
	return int32(n)<<8 + int32((f+bulge(f))>>8)
}

// bulge is by how much log2(1+f) is above f, and 2^f below 1+f, about; f is in
// 1/65536 and less than 1.
func bulge(f uint32) uint32 { return f * (65536 - f) >> 16 * 22500 >> 16 }

// probability is the inverse of logit, with 16 bits.
func probability(logit int32) uint32 {
	x := uint32(min(max(logit, -logit), 13<<8))
	f := x & 255 << 8
	odds := (1<<16 + f - bulge(f)) << (x >> 8) // 2^x in 1/65536
	less := 1 << 31 / ((1<<16 + odds) >> 1)
	if logit < 0 {
		return less
	}
	return 1<<16 - less
}
