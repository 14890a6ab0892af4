// Package sha2 is SHA-256 and SHA-512 (FIPS 180-4) for small processors: they stream, they
// don't allocate, and they take 1.5 KB of flash each under TinyGo, where the standard library's take 64.
//
// The message schedule is kept in sixteen words and made along with the rounds, of which eight
// stand one after another, so that the eight working variables change their names and not their
// places.
//
// Left out: SHA-224, SHA-384 and SHA-512/t, state that can be saved, and messages of 2^61
// bytes and more.
package sha2

import (
	"encoding/binary"
	"math/bits"
)

// Lengths of digests in bytes.
const (
	Size256 = 32
	Size512 = 64
)

const block256 = 64

// Hash256 computes a SHA-256. Reset comes first.
type Hash256 struct {
	h     [8]uint32
	w     [16]uint32
	block [block256]byte
	n     int // bytes of block
	size  uint64
}

// FIPS 180-4 §5.3.3.
var start256 = [8]uint32{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}

// FIPS 180-4 §4.2.2.
var k256 = [64]uint32{
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}

// Reset begins a message.
func (s *Hash256) Reset() { s.h, s.n, s.size = start256, 0, 0 }

// Write adds to the message.
func (s *Hash256) Write(p []byte) {
	s.size += uint64(len(p))
	for len(p) > 0 {
		n := copy(s.block[s.n:], p)
		s.n, p = s.n+n, p[n:]
		if s.n == block256 {
			s.compress()
			s.n = 0
		}
	}
}

// Sum ends the message and writes its digest.
func (s *Hash256) Sum(sum *[Size256]byte) {
	s.block[s.n] = 0x80
	clear(s.block[s.n+1:])
	if s.n >= block256-8 {
		s.compress()
		clear(s.block[:])
	}
	binary.BigEndian.PutUint64(s.block[block256-8:], s.size*8)
	s.compress()
	for i, v := range s.h {
		binary.BigEndian.PutUint32(sum[4*i:], v)
	}
}

// compress takes the block into the state: FIPS 180-4 §6.2.2.
func (s *Hash256) compress() {
	w := &s.w
	for i := range w {
		w[i] = binary.BigEndian.Uint32(s.block[4*i:])
	}
	v := s.h
	a, b, c, d, e, f, g, h := v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]
	for t := 0; ; t += 8 {
		k := (*[8]uint32)(k256[t : t+8])
		x := (*[8]uint32)(w[t&8 : t&8+8])

		h += sum1(e) + (g ^ e&(f^g)) + k[0] + x[0]
		d, h = d+h, h+sum0(a)+(a&b|c&(a|b))
		g += sum1(d) + (f ^ d&(e^f)) + k[1] + x[1]
		c, g = c+g, g+sum0(h)+(h&a|b&(h|a))
		f += sum1(c) + (e ^ c&(d^e)) + k[2] + x[2]
		b, f = b+f, f+sum0(g)+(g&h|a&(g|h))
		e += sum1(b) + (d ^ b&(c^d)) + k[3] + x[3]
		a, e = a+e, e+sum0(f)+(f&g|h&(f|g))
		d += sum1(a) + (c ^ a&(b^c)) + k[4] + x[4]
		h, d = h+d, d+sum0(e)+(e&f|g&(e|f))
		c += sum1(h) + (b ^ h&(a^b)) + k[5] + x[5]
		g, c = g+c, c+sum0(d)+(d&e|f&(d|e))
		b += sum1(g) + (a ^ g&(h^a)) + k[6] + x[6]
		f, b = f+b, b+sum0(c)+(c&d|e&(c|d))
		a += sum1(f) + (h ^ f&(g^h)) + k[7] + x[7]
		e, a = e+a, a+sum0(b)+(b&c|d&(b|c))

		if t == 56 {
			break
		}
		if t&8 != 0 {
			expand256(w)
		}
	}
	s.h = [8]uint32{v[0] + a, v[1] + b, v[2] + c, v[3] + d, v[4] + e, v[5] + f, v[6] + g, v[7] + h}
}

// expand256 makes the next sixteen words of the schedule of the last.
func expand256(w *[16]uint32) {
	for t := range 16 {
		x, y := w[(t+1)&15], w[(t+14)&15]
		w[t] += (bits.RotateLeft32(x, -7) ^ bits.RotateLeft32(x, -18) ^ x>>3) + w[(t+9)&15] +
			(bits.RotateLeft32(y, -17) ^ bits.RotateLeft32(y, -19) ^ y>>10)
	}
}

func sum0(x uint32) uint32 {
	return bits.RotateLeft32(x, -2) ^ bits.RotateLeft32(x, -13) ^ bits.RotateLeft32(x, -22)
}

func sum1(x uint32) uint32 {
	return bits.RotateLeft32(x, -6) ^ bits.RotateLeft32(x, -11) ^ bits.RotateLeft32(x, -25)
}
