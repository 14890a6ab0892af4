package esp32c3

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"hash"
)

// The ROM's hashes, SHA-1, SHA-224 and SHA-256 (ESP-IDF, rom/sha.h). The part's
// use its accelerator, which is not modelled otherwise; their context is laid out
// as there: flags, kind, 16 words of state, 128 bytes of block, four words that count bits.

const (
	shaKind   = 4
	shaState  = 8
	shaBlock  = shaState + 64
	shaBits   = shaBlock + 128
	shaLength = shaBits + 16

	romSHACost = 4 // cycles for a byte [A]
)

// shaKinds are Go's hashes by the ROM's numbers, with what their marshalled state begins with
// and the words that it has.
var shaKinds = [...]struct {
	new   func() hash.Hash
	magic string
	words int
}{
	{sha1.New, "sha\x01", 5},
	{sha256.New224, "sha\x02", 8},
	{sha256.New, "sha\x03", 8},
}

var romSHA = map[string]romFunc{
	"ets_sha_enable":  effect(10, func(*Chip) {}),
	"ets_sha_disable": effect(10, func(*Chip) {}),
	"ets_sha_init":    value(60, romSHAInit),
	"ets_sha_starts": value(60, func(c *Chip) uint32 {
		c.putSHA(c.arg(0), c.newSHA(c.arg(0)))
		return 0
	}),
	"ets_sha_update": value(60, romSHAUpdate),
	"ets_sha_finish": value(200, romSHAFinish),
	"ets_sha_clone": value(60, func(c *Chip) uint32 {
		c.romPut(c.arg(0), append([]byte(nil), c.romBytes(c.arg(1), shaLength)...))
		return 0
	}),
}

func romSHAInit(c *Chip) uint32 {
	kind := c.arg(1)
	if kind >= uint32(len(shaKinds)) {
		return 1
	}
	c.romPut(c.arg(0), make([]byte, shaLength))
	c.romPut32(c.arg(0)+shaKind, kind)
	c.putSHA(c.arg(0), shaKinds[kind].new())
	return 0
}

func romSHAUpdate(c *Chip) uint32 {
	h := c.getSHA(c.arg(0))
	h.Write(c.romBytes(c.arg(1), c.arg(2)))
	c.putSHA(c.arg(0), h)
	c.romTake(uint64(c.arg(2)) * romSHACost)
	return 0
}

func romSHAFinish(c *Chip) uint32 {
	c.romPut(c.arg(1), c.getSHA(c.arg(0)).Sum(nil))
	return 0
}

// shaKindAt is the kind of a context's hash.
func (c *Chip) shaKindAt(at uint32) int {
	return int(min(c.romGet32(at+shaKind), uint32(len(shaKinds)-1)))
}

func (c *Chip) newSHA(at uint32) hash.Hash { return shaKinds[c.shaKindAt(at)].new() }

// putSHA writes the state that Go's hash marshals: magic, words, block, length.
func (c *Chip) putSHA(at uint32, h hash.Hash) {
	s, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		panic("BUG: " + err.Error())
	}
	words := shaKinds[c.shaKindAt(at)].words
	for i := range words {
		c.romPut32(at+shaState+4*uint32(i), binary.BigEndian.Uint32(s[4+4*i:]))
	}
	c.romPut(at+shaBlock, s[4+4*words:4+4*words+64])
	bits := binary.BigEndian.Uint64(s[4+4*words+64:]) * 8
	c.romPut32(at+shaBits, uint32(bits))
	c.romPut32(at+shaBits+4, uint32(bits>>32))
}

func (c *Chip) getSHA(at uint32) hash.Hash {
	kind := shaKinds[c.shaKindAt(at)]
	s := []byte(kind.magic)
	for i := range kind.words {
		s = binary.BigEndian.AppendUint32(s, c.romGet32(at+shaState+4*uint32(i)))
	}
	s = append(s, c.romBytes(at+shaBlock, 64)...)
	bits := uint64(c.romGet32(at+shaBits)) | uint64(c.romGet32(at+shaBits+4))<<32
	s = binary.BigEndian.AppendUint64(s, bits/8)
	h := kind.new()
	if err := h.(encoding.BinaryUnmarshaler).UnmarshalBinary(s); err != nil {
		panic("BUG: " + err.Error())
	}
	return h
}
