package patch

import "math/bits"

// The model foretells every bit of a payload from what came before. Four contexts
// look up a probability each, and a mixer weighs them in the logistic domain (M.
// Mahoney, Adaptive Weighing of Context Models for Lossless Data Compression,
// 2005); what the bit turns out to be teaches both. All of it is integer
// arithmetic, the same on board and host.
type model struct {
	weights [sets][inputs]int32 // in 1/65536
	flags   uint32              // whether the latest bytes differed from the base's, latest lowest
	blocks  uint32              // whether the latest blocks were the same as the base's
	last    uint32              // the image's latest bytes, latest lowest

	differed [256]slot
	same     [64]slot
	numbers  [3][128]slot
	shared   [2880]slot
}

// A slot is the probability of a 1 in its upper 12 bits, and in the lower 4 how
// often it was asked for, up to 15.
type slot uint16

// inputs is how many contexts foretell each bit.
const inputs = 4

// Sets of weights.
const (
	flagSet       = 0                 // by the byte's place in its word
	differenceSet = flagSet + 4       // by the bit's place in its byte
	ownSet        = differenceSet + 8 // the same
	sets          = ownSet + 8
)

// A bitCoder codes a bit that is 1 with a probability of p/65536. An encoder
// writes and returns bit, a decoder reads one.
type bitCoder interface {
	code(p uint32, bit int) int
}

func (m *model) reset() {
	*m = model{}
	for i := range m.weights {
		m.weights[i] = [inputs]int32{19000, 19000, 19000, 19000}
	}
	even(m.differed[:])
	even(m.same[:])
	for i := range m.numbers {
		even(m.numbers[i][:])
	}
	even(m.shared[:])
}

// even makes a 1 as likely as a 0.
func even(slots []slot) {
	for i := range slots {
		slots[i] = 1 << 15
	}
}

// stretch codes the head of a stretch.
func (m *model) stretch(c bitCoder, s Stretch) Stretch {
	step := number(c, &m.numbers[0], uint32(s.Step<<1^s.Step>>31))
	return Stretch{
		Step: int32(step>>1) ^ -int32(step&1),
		Like: number(c, &m.numbers[1], s.Like),
		Own:  number(c, &m.numbers[2], s.Own),
	}
}

// number codes a number below 2^31: how many bits it has, then these without the
// first, of which two are foretold.
func number(c bitCoder, slots *[128]slot, v uint32) uint32 {
	node := uint32(1)
	for i := 4; i >= 0; i-- {
		node = node<<1 | slots[node].code(c, bits.Len32(v)>>i&1)
	}
	length := node & 31
	if length < 2 {
		return length
	}
	got := uint32(1)
	for i := int(length) - 2; i >= 0; i-- {
		switch bit := int(v>>i) & 1; {
		case got < 2:
			got = got<<1 | slots[32+length].code(c, bit)
		case got < 4:
			got = got<<1 | slots[64+2*length+got&1].code(c, bit)
		default:
			got = got<<1 | uint32(c.code(1<<15, bit))
		}
	}
	return got
}

// block is how many of a stretch's bytes are told at once to be the same as the
// base's. Most are, and a board is done with them fast.
const block = 16

// isSame codes whether a block is.
func (m *model) isSame(c bitCoder, is bool) bool {
	same := m.same[m.blocks&0x3F].code(c, bit(is))
	m.blocks = m.blocks<<1 | same
	return same == 1
}

// copied takes note of the bytes of a block that is the same.
func (m *model) copied(p []byte) {
	m.flags = 0
	for _, b := range p {
		m.last = m.last<<8 | uint32(b)
	}
}

// near is a byte of the base that one of the image is compared with, near[1],
// and those before and after it. They tell of what a byte is a part: a branch's
// offset changes more often than its operation.
type near [4]byte

// like codes a byte of the image at place, near which the base is as told.
func (m *model) like(c bitCoder, n near, place uint32, want byte) byte {
	difference := want - n[1]
	if m.differs(c, n, place, difference != 0) {
		difference = m.difference(c, n, place, difference)
	} else {
		difference = 0
	}
	b := n[1] + difference
	m.last = m.last<<8 | uint32(b)
	return b
}

// differs codes whether a byte differs from the base's.
func (m *model) differs(c bitCoder, n near, place uint32, is bool) bool {
	latest := m.flags & 3
	at := [inputs]*slot{
		&m.differed[m.flags&0xFF],
		m.slot(context(0, uint32(n[0])), latest),
		m.slot(context(1, uint32(n[2])), latest),
		m.slot(context(2, uint32(n[3])), latest),
	}
	differs := m.mixed(c, &at, flagSet+place&3, bit(is))
	m.flags = m.flags<<1 | uint32(differs)
	return differs == 1
}

// difference codes one that is not zero.
func (m *model) difference(c bitCoder, n near, place uint32, want byte) byte {
	return m.byte(c, &[inputs]uint32{
		context(3, place&1),
		context(4, uint32(n[2])),
		context(5, uint32(n[3])),
		context(6, m.flags&7),
	}, differenceSet, want)
}

// own codes a byte of the image's own.
func (m *model) own(c bitCoder, place uint32, want byte) byte {
	b := m.byte(c, &[inputs]uint32{
		context(7, place&1),
		context(8, place&3),
		context(9, m.last&0xC0FF),
		context(10, m.last>>8&0xF0|place&1),
	}, ownSet, want)
	m.last = m.last<<8 | uint32(b)
	return b
}

// byte codes eight bits, each in the contexts and that of those before it.
func (m *model) byte(c bitCoder, contexts *[inputs]uint32, set uint32, want byte) byte {
	node := uint32(1)
	for i := range uint32(8) {
		var at [inputs]*slot
		for j, context := range contexts {
			at[j] = m.slot(context, node)
		}
		node = node<<1 | uint32(m.mixed(c, &at, set+i, int(want>>(7-i)&1)))
	}
	return byte(node)
}

// context is a number for what is known, of one kind.
func context(kind, known uint32) uint32 {
	h := (known<<4 + kind) * 0x2C1B3C6D
	return (h ^ h>>15) * 0x297A2D39
}

// slot is that for a bit of a byte in a context. All have one table, which is as
// large as fits. What collides in it costs more than long contexts would gain, so
// that they are kept short.
func (m *model) slot(context, node uint32) *slot {
	h := context ^ node*0x9E3779B1
	return &m.shared[uint64(h)*uint64(len(m.shared))>>32]
}

// mixed codes a bit as the slots foretell it together.
func (m *model) mixed(c bitCoder, at *[inputs]*slot, set uint32, bit int) int {
	w := &m.weights[set]
	var in [inputs]int32
	sum := int32(0)
	for i, s := range at {
		in[i] = int32(logits[*s>>9])
		sum += in[i] * w[i]
	}
	p := probability(sum >> 12)
	bit = c.code(p, bit)
	wrong := (int32(bit)<<16 - int32(p)) >> 3
	for i, s := range at {
		w[i] += (in[i]*wrong + 1<<6) >> 7
		s.learn(bit)
	}
	return bit
}

// code codes a bit as the slot alone foretells it.
func (s *slot) code(c bitCoder, bit int) uint32 {
	bit = c.code(max(uint32(*s&^15), 1<<6), bit)
	s.learn(bit)
	return uint32(bit)
}

// learn moves a slot towards what a bit was, fast at first.
func (s *slot) learn(bit int) {
	p, n := int32(*s>>4), *s&15
	p += (int32(bit)*4095 - p) * int32(rates[n]) >> 8
	*s = slot(p)<<4 | min(n+1, 15)
}

func bit(is bool) int {
	if is {
		return 1
	}
	return 0
}

// rates are 1/(n+1.6) in 1/256, and none below 1/11.6.
var rates = [16]uint8{160, 98, 71, 56, 46, 39, 34, 30, 27, 24, 22, 22, 22, 22, 22, 22}

// probability is 65536/(1+2^-x) for an x in 1/256.
func probability(x int32) uint32 {
	u := uint32(min(max(x, -x), 13<<8))
	f := u & 255 << 8
	odds := (1<<16 + f - bulge(f)) << (u >> 8) // 2^|x| in 1/65536
	less := 1 << 31 / ((1<<16 + odds) >> 1)
	if x < 0 {
		return less
	}
	return 1<<16 - less
}

// bulge is by how much 2^f is below 1+f, about; f is in 1/65536 and less than 1.
func bulge(f uint32) uint32 { return f * (1<<16 - f) >> 16 * 22500 >> 16 }

// logits are log2(p/(1-p)) in 1/16, rounded towards 0, for p = (i+1/2)/128.
var logits = [128]int8{
	-127, -102, -90, -82, -76, -71, -67, -64, -61, -58, -55, -53, -51, -49, -47, -45,
	-44, -42, -41, -39, -38, -36, -35, -34, -33, -32, -30, -29, -28, -27, -26, -25,
	-24, -23, -23, -22, -21, -20, -19, -18, -17, -16, -16, -15, -14, -13, -12, -12,
	-11, -10, -9, -9, -8, -7, -6, -6, -5, -4, -3, -3, -2, -1, -1, 0,
	0, 1, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9, 9, 10, 11,
	12, 12, 13, 14, 15, 16, 16, 17, 18, 19, 20, 21, 22, 23, 23, 24,
	25, 26, 27, 28, 29, 30, 32, 33, 34, 35, 36, 38, 39, 41, 42, 44,
	45, 47, 49, 51, 53, 55, 58, 61, 64, 67, 71, 76, 82, 90, 102, 127,
}
