package k210

import (
	"crypto/aes"
	"encoding/binary"

	"rigor/harness/sim/clock"
)

// AES accelerator (SDK aes.h, aes.c): ECB, CBC and GCM with keys of 128, 192 and 256 bits, both
// ways. Words hold bytes in the order of memory, but key, initial vector and tag are filled
// from their ends. The output goes to a hart or, with DMA_SEL, to the DMAC. With GCM it waits for
// a tag to compare in the end, and has finished then.
//
// Time is concluded [A] from the rate that has been measured through it, 6.25 MB/s with 128 bits
// (k210-sdk-stuff, rust/cryptest): fifty cycles of APB1 a round. The SDK writes 80 bytes
// before it reads; the depth of the FIFOs is assumed to be that, each way. Orders of bytes
// other than the SDK's are left out, as are vectors of GCM other than 96 bits.
type aesState struct {
	KEY     [8]uint32
	IV      [4]uint32
	MODE    uint32
	DECRYPT bool
	ENDIAN  uint32
	DMA     bool
	AAD_NUM uint32 // bytes - 1
	PC_NUM  uint32
	EN      bool

	In, Out  aesFIFO
	Busy     bool // a block is being worked on
	Block    [aes.BlockSize]byte
	AAD      bool     // which is one of additional data
	Size     uint8    // bytes of it
	AADWords uint64   // that are to come
	AADLeft  uint64   // bytes that have not been begun with
	TextLeft uint64   // and of the text
	Chain    [16]byte // CBC
	Counter  uint32   // GCM's
	Hash     ghash
	TagIn    [4]uint32
	TagGot   uint8 // which words were written
	TagOut   [4]uint32
	Tag      uint32 // TAG_CHK
	Sums     bool   // TagOut is computed: TAG_IN_FLAG
	FINISH   bool
}

// aesFIFO holds words on their way in or out.
type aesFIFO struct {
	Data [aesDepth]uint32
	Len  uint8
}

const (
	aesDepth     = 20
	aesRoundTime = 50 // cycles of APB1

	aeKEY      = 0x00
	aeENCRYPT  = 0x10
	aeMODE     = 0x14
	aeIV       = 0x18
	aeENDIAN   = 0x28
	aeFINISH   = 0x2C
	aeDMA_SEL  = 0x30
	aeAAD_NUM  = 0x34
	aePC_NUM   = 0x3C
	aeTEXT     = 0x40
	aeAAD      = 0x44
	aeTAG_CHK  = 0x48
	aeIN_FLAG  = 0x4C
	aeTAG_IN   = 0x50
	aeOUT      = 0x60
	aeEN       = 0x64
	aeOUT_FLAG = 0x68
	aeTAG_FLAG = 0x6C
	aeTAG_CLR  = 0x70
	aeTAG_OUT  = 0x74
	aeKEY_EXT  = 0x84
	aeEnd      = 0x94

	aesECB = 0
	aesCBC = 1
	aesGCM = 2

	tagWrong = 1
	tagRight = 2

	dmaAES = 20
)

func (f *aesFIFO) put(v uint32) {
	f.Data[f.Len] = v
	f.Len++
}

func (f *aesFIFO) get() uint32 {
	v := f.Data[0]
	copy(f.Data[:], f.Data[1:])
	f.Len--
	return v
}

func (s *aesState) cipher() uint32 { return s.MODE & 7 }

// keyWords are 4, 6 or 8.
func (s *aesState) keyWords() int { return 4 + 2*int(s.MODE>>3&3) }

func (c *Chip) aesReset() {
	c.AES = aesState{}
	c.ScheduleAt(slotAES, clock.NeverTime)
	c.aesUpdate()
}

// aesUpdate brings the request for DMA up to date: there is a block, or what is left of the text.
func (c *Chip) aesUpdate() {
	s := &c.AES
	rest := s.TextLeft == 0 && !s.Busy && s.Out.Len > 0
	c.setDMA(dmaAES, s.DMA && (s.Out.Len >= aes.BlockSize/4 || rest))
}

// block encrypts or decrypts one by the key.
func (s *aesState) block(dst, src []byte, decrypt bool) {
	n := s.keyWords()
	key := make([]byte, 0, 32)
	for i := range n {
		key = binary.LittleEndian.AppendUint32(key, s.KEY[n-1-i])
	}
	b, err := aes.NewCipher(key)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	if decrypt {
		b.Decrypt(dst, src)
	} else {
		b.Encrypt(dst, src)
	}
}

// lacks says what of the setting is left out.
func (s *aesState) lacks() string {
	switch {
	case s.MODE>>3&3 == 3 || s.cipher() > aesGCM:
		return "AES.MODE_CTL: a mode that is reserved"
	case s.MODE>>5&63 != 0 || s.ENDIAN&1 == 0:
		return "AES: big endian"
	}
	return ""
}

// aesStart begins with a message.
func (c *Chip) aesStart() {
	s := &c.AES
	s.EN, s.FINISH = true, false
	s.In, s.Out = aesFIFO{}, aesFIFO{}
	s.AADWords, s.AADLeft, s.TextLeft = 0, 0, uint64(s.PC_NUM)+1
	s.Tag, s.TagGot, s.Sums = 0, 0, false
	s.Counter = 1
	for i := range s.IV {
		binary.LittleEndian.PutUint32(s.Chain[4*i:], s.IV[3-i])
	}
	if s.cipher() == aesGCM {
		s.AADLeft = uint64(s.AAD_NUM + 1) // of none it is -1
		s.AADWords = (s.AADLeft + 3) / 4
		var zero, h [16]byte
		s.block(h[:], zero[:], false)
		s.Hash = newGHASH(h)
	}
	c.aesUpdate()
}

// aesTake takes a word of input.
func (c *Chip) aesTake(v uint32, aad bool) {
	s := &c.AES
	if !s.EN || s.In.Len == aesDepth || aad != (s.AADWords > 0) {
		c.warn("AES took no word of input: it was not the time for one")
		return
	}
	if aad {
		s.AADWords--
	}
	s.In.put(v)
	c.aesNext()
}

// aesNext begins with a block if all of it is there, and there is room for what comes out.
func (c *Chip) aesNext() {
	s := &c.AES
	left := s.TextLeft
	if s.AADLeft > 0 {
		left = s.AADLeft
	}
	size := min(left, aes.BlockSize)
	words := uint8(size+3) / 4
	if s.Busy || size == 0 || s.In.Len < words || s.AADLeft == 0 && s.Out.Len+words > aesDepth {
		return
	}
	s.Block = [aes.BlockSize]byte{}
	for i := range words {
		binary.LittleEndian.PutUint32(s.Block[4*i:], s.In.get())
	}
	s.Busy, s.AAD, s.Size = true, s.AADLeft > 0, uint8(size)
	if s.AAD {
		s.AADLeft -= size
	} else {
		s.TextLeft -= size
	}
	c.Schedule(slotAES, c.Cycle()+uint64(6+s.keyWords())*aesRoundTime*c.SYSCTL.apbDivision(1))
}

// aesEvent is the end of a block.
func (c *Chip) aesEvent() {
	s := &c.AES
	s.Busy = false
	for i := s.Size; i < aes.BlockSize; i++ { // what fills the last word does not count
		s.Block[i] = 0
	}
	if s.AAD {
		s.Hash.add(s.Block)
		s.Hash.AAD += uint64(s.Size)
	} else {
		s.crypt()
		for i := range (s.Size + 3) / 4 {
			s.Out.put(binary.LittleEndian.Uint32(s.Block[4*i:]))
		}
	}
	if s.AADLeft+s.TextLeft == 0 {
		s.end()
	}
	c.aesNext()
	c.aesUpdate()
}

// crypt makes the block what comes out.
func (s *aesState) crypt() {
	in := s.Block
	switch s.cipher() {
	case aesECB:
		s.block(s.Block[:], in[:], s.DECRYPT)
	case aesCBC:
		if s.DECRYPT {
			s.block(s.Block[:], in[:], true)
			xor(&s.Block, s.Chain)
			s.Chain = in
		} else {
			xor(&s.Block, s.Chain)
			s.block(s.Block[:], s.Block[:], false)
			s.Chain = s.Block
		}
	case aesGCM:
		s.Counter++
		xor(&s.Block, s.keyStream(s.Counter))
		clear(s.Block[s.Size:])
		if s.DECRYPT {
			s.Hash.add(in)
		} else {
			s.Hash.add(s.Block)
		}
		s.Hash.Text += uint64(s.Size)
	}
}

// keyStream is a block of GCM's counter mode (NIST SP 800-38D §7.1), with a vector of 96 bits.
func (s *aesState) keyStream(counter uint32) (out [16]byte) {
	var in [16]byte
	for i := range 3 {
		binary.LittleEndian.PutUint32(in[4*i:], s.IV[2-i])
	}
	binary.BigEndian.PutUint32(in[12:], counter)
	s.block(out[:], in[:], false)
	return out
}

// end is the end of the text.
func (s *aesState) end() {
	if s.cipher() != aesGCM {
		s.FINISH = true
		return
	}
	tag := s.Hash.sum()
	xor(&tag, s.keyStream(1))
	for i := range s.TagOut {
		s.TagOut[3-i] = binary.BigEndian.Uint32(tag[4*i:])
	}
	s.Sums = true
}

// aesTag takes a word of the tag to compare.
func (s *aesState) aesTag(n, v uint32) {
	s.TagIn[n] = v
	s.TagGot |= 1 << n
	if !s.Sums || s.TagGot != 15 {
		return
	}
	s.Tag, s.FINISH = tagWrong, true
	if s.TagIn == s.TagOut {
		s.Tag = tagRight
	}
}

func xor(p *[16]byte, q [16]byte) {
	for i := range p {
		p[i] ^= q[i]
	}
}

// ghash is GCM's sum (NIST SP 800-38D §6.4). Elements of its field have their first bit
// highest.
type ghash struct {
	H, Sum    [2]uint64
	AAD, Text uint64 // bytes
}

func newGHASH(h [16]byte) ghash {
	return ghash{H: [2]uint64{binary.BigEndian.Uint64(h[:]), binary.BigEndian.Uint64(h[8:])}}
}

// add is a block: the sum becomes (sum + block) * H.
func (g *ghash) add(block [16]byte) {
	x := [2]uint64{g.Sum[0] ^ binary.BigEndian.Uint64(block[:]), g.Sum[1] ^ binary.BigEndian.Uint64(block[8:])}
	v := g.H
	g.Sum = [2]uint64{}
	for i := range 128 {
		if x[i/64]>>(63-i%64)&1 != 0 {
			g.Sum[0] ^= v[0]
			g.Sum[1] ^= v[1]
		}
		carry := v[1] & 1
		v[1] = v[1]>>1 | v[0]<<63
		v[0] = v[0]>>1 ^ carry*0xE1<<56
	}
}

// sum ends with the lengths.
func (g *ghash) sum() (s [16]byte) {
	var lengths [16]byte
	binary.BigEndian.PutUint64(lengths[:], g.AAD*8)
	binary.BigEndian.PutUint64(lengths[8:], g.Text*8)
	g.add(lengths)
	binary.BigEndian.PutUint64(s[:], g.Sum[0])
	binary.BigEndian.PutUint64(s[8:], g.Sum[1])
	return s
}
