// Package sign verifies Ed25519 signatures as RFC 8032 §5.1.7 has it, strictly: S is below the
// group's order, the key decodes by the letter of §5.1.3, and R is compared as bytes.
//
// The arithmetic is filippo.io/edwards25519's, which is that of Go's crypto/ed25519; what
// is here is the little around it, with package sha2 in place of a standard library that brings
// sixty kilobytes along. Unlike crypto/ed25519 it refuses keys whose encoding is not
// canonical, and keys of small order, for which anybody can sign.
//
// Left out: signing, prehashing and contexts.
package sign

import (
	"filippo.io/edwards25519"

	"rigor/firmware/ota/defect"
	"rigor/firmware/ota/sha2"
)

// Lengths in bytes.
const (
	KeySize       = 32
	SignatureSize = 64
)

// Verifier verifies signatures, one at a time. It has the memory for it, so that there
// is little on the stack, and on the heap the library's two tables of 3 KB. The zero value is ready.
type Verifier struct {
	hash   sha2.Hash512
	digest [sha2.Size512]byte
	a, r   edwards25519.Point
	s, k   edwards25519.Scalar
}

// Verify says whether signature is that of the message, which may be in parts, by the
// owner of the public key.
func (v *Verifier) Verify(public, signature []byte, message ...[]byte) bool {
	if len(public) != KeySize || len(signature) != SignatureSize {
		return false
	}
	if !v.setKey(public) || !v.setS(signature[32:]) {
		return false
	}
	v.hash.Reset()
	v.hash.Write(signature[:32])
	v.hash.Write(public)
	for _, p := range message {
		v.hash.Write(p)
	}
	v.hash.Sum(&v.digest)
	v.k.SetUniformBytes(v.digest[:])
	// [S]B = R + [k]A, so R is [k](-A) + [S]B. VarTimeDoubleScalarBaseMult would first make a
	// table of B's multiples, which takes four times as long as the verification.
	v.a.Negate(&v.a)
	v.r.VarTimeMultiScalarMult([]*edwards25519.Scalar{&v.k, &v.s}, []*edwards25519.Point{&v.a, base})
	return string(v.r.Bytes()) == string(signature[:32])
}

// setKey decodes A. The library takes encodings that are not canonical.
func (v *Verifier) setKey(public []byte) bool {
	if _, err := v.a.SetBytes(public); err != nil {
		return false
	}
	v.r.MultByCofactor(&v.a)
	return v.r.Equal(identity) == 0 && canonical(public)
}

// canonical says whether y is below p = 2^255 - 19, which no other y stands for then.
// That x = 0 has no sign needs no look: those points are of small order.
func canonical(public []byte) bool {
	for _, b := range public[1:31] {
		if b != 0xFF {
			return true
		}
	}
	return public[31]|0x80 != 0xFF || public[0] < 0xED
}

var (
	identity = edwards25519.NewIdentityPoint()
	base     = edwards25519.NewGeneratorPoint()
)

func (v *Verifier) setS(s []byte) bool {
	if defect.LongScalar.Planted() {
		clear(v.digest[32:])
		copy(v.digest[:], s)
		_, err := v.s.SetUniformBytes(v.digest[:])
		return err == nil
	}
	_, err := v.s.SetCanonicalBytes(s)
	return err == nil
}
