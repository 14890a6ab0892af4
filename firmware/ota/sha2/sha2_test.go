package sha2

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"testing"
)

func digest256(parts ...[]byte) (sum [Size256]byte) {
	var h Hash256
	h.Reset()
	for _, p := range parts {
		h.Write(p)
	}
	h.Sum(&sum)
	return sum
}

func digest512(parts ...[]byte) (sum [Size512]byte) {
	var h Hash512
	h.Reset()
	for _, p := range parts {
		h.Write(p)
	}
	h.Sum(&sum)
	return sum
}

// The examples of NIST's "Examples with Intermediate Values" for SHA-256 and SHA-512 (one
// block, two blocks), and the empty messages of its SHAVS short message vectors (Len = 0).
func TestNIST(t *testing.T) {
	const two256 = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
	const two512 = "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"
	for _, tt := range []struct{ message, sum256, sum512 string }{
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
			"cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
			"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
		{two256, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1", ""},
		{two512, "", "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909"},
	} {
		if got := digest256([]byte(tt.message)); tt.sum256 != "" && hex.EncodeToString(got[:]) != tt.sum256 {
			t.Errorf("SHA-256(%q) = %x, want %s", tt.message, got, tt.sum256)
		}
		if got := digest512([]byte(tt.message)); tt.sum512 != "" && hex.EncodeToString(got[:]) != tt.sum512 {
			t.Errorf("SHA-512(%q) = %x, want %s", tt.message, got, tt.sum512)
		}
	}
}

// Every length around the blocks' borders, cut in two in every way that matters.
func TestLengths(t *testing.T) {
	p := make([]byte, 3*block512+1)
	for i := range p {
		p[i] = byte(i*7 + i>>6)
	}
	for n := range p {
		for _, cut := range []int{0, n / 3, n} {
			if got, want := digest256(p[:cut], p[cut:n]), sha256.Sum256(p[:n]); got != want {
				t.Errorf("SHA-256 of %d bytes cut at %d: %x, want %x", n, cut, got, want)
			}
			if got, want := digest512(p[:cut], p[cut:n]), sha512.Sum512(p[:n]); got != want {
				t.Errorf("SHA-512 of %d bytes cut at %d: %x, want %x", n, cut, got, want)
			}
		}
	}
}

func TestResetForgets(t *testing.T) {
	var h Hash256
	var first, second [Size256]byte
	for _, sum := range []*[Size256]byte{&first, &second} {
		h.Reset()
		h.Write(bytes.Repeat([]byte{1}, 100))
		h.Sum(sum)
	}
	if first != second {
		t.Errorf("%x, then %x", first, second)
	}
}

func TestNoAllocation(t *testing.T) {
	var h256 Hash256
	var h512 Hash512
	var sum256 [Size256]byte
	var sum512 [Size512]byte
	p := make([]byte, 300)
	if n := testing.AllocsPerRun(10, func() {
		h256.Reset()
		h256.Write(p)
		h256.Sum(&sum256)
		h512.Reset()
		h512.Write(p)
		h512.Sum(&sum512)
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func FuzzAgainstStandardLibrary(f *testing.F) {
	f.Add([]byte("abc"), uint16(1))
	f.Add(make([]byte, 200), uint16(64))
	f.Fuzz(func(t *testing.T, p []byte, at uint16) {
		cut := min(int(at), len(p))
		if got, want := digest256(p[:cut], p[cut:]), sha256.Sum256(p); got != want {
			t.Errorf("SHA-256: %x, want %x", got, want)
		}
		if got, want := digest512(p[:cut], p[cut:]), sha512.Sum512(p); got != want {
			t.Errorf("SHA-512: %x, want %x", got, want)
		}
	})
}
