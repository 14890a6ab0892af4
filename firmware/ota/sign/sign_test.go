package sign

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"math/big"
	"slices"
	"testing"
)

func verify(public, signature []byte, message ...[]byte) bool {
	var v Verifier
	return v.Verify(public, signature, message...)
}

func TestVectors(t *testing.T) {
	for _, v := range Vectors {
		for cut := range len(v.Message) + 1 {
			if !verify([]byte(v.Public), []byte(v.Signature), []byte(v.Message[:cut]), []byte(v.Message[cut:])) {
				t.Errorf("%s, message in two parts cut at %d: refused", v.Name, cut)
			}
		}
		for bit := range 8 * SignatureSize {
			bad := []byte(v.Signature)
			bad[bit/8] ^= 1 << (bit % 8)
			if verify([]byte(v.Public), bad, []byte(v.Message)) {
				t.Errorf("%s with bit %d of the signature flipped: taken", v.Name, bit)
			}
		}
	}
}

// key returns a key pair of a fixed seed.
func key(seed byte) (ed25519.PublicKey, ed25519.PrivateKey) {
	k := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	return k.Public().(ed25519.PublicKey), k
}

// order is L of RFC 8032 §5.1.
var order, _ = new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)

// plusOrder adds L to the S of a signature: the same residue, another number.
func plusOrder(signature []byte) []byte {
	le := slices.Clone(signature[32:])
	slices.Reverse(le)
	s := new(big.Int).Add(new(big.Int).SetBytes(le), order).FillBytes(make([]byte, 32))
	slices.Reverse(s)
	return append(slices.Clone(signature[:32]), s...)
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRefuses(t *testing.T) {
	public, private := key(1)
	other, _ := key(2)
	message := []byte("message")
	good := ed25519.Sign(private, message)
	if !verify(public, good, message) {
		t.Fatal("a good signature is refused")
	}
	zeroS := make([]byte, SignatureSize)
	zeroS[0] = 1 // R is the identity, S is 0: good for a key that is the identity, whatever the message
	for _, tt := range []struct {
		name              string
		public, signature []byte
	}{
		{"another key", other, good},
		{"S + L", public, plusOrder(good)},
		{"no signature", public, nil},
		{"short signature", public, good[:63]},
		{"long signature", public, append(slices.Clone(good), 0)},
		{"short key", public[:31], good},
		{"long key", append(slices.Clone(public), 0), good},
		{"blank key", bytes.Repeat([]byte{0xFF}, 32), good},
		{"zero signature", public, make([]byte, 64)},
		{"identity as a key", append([]byte{1}, make([]byte, 31)...), zeroS},
		// y = p + 1 stands for the identity; §5.1.3 step 1 has decoding fail.
		{"identity, not canonical", unhex(t, "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"), zeroS},
		// y = 2 is on no point: (y^2-1)/(dy^2+1) is no square.
		{"no point", append([]byte{2}, make([]byte, 31)...), good},
	} {
		if verify(tt.public, tt.signature, message) {
			t.Errorf("%s: taken", tt.name)
		}
	}
	if verify(public, good, message, []byte("more")) {
		t.Error("a longer message is taken")
	}
}

// All y from p on are refused, and none below.
func TestCanonical(t *testing.T) {
	y := bytes.Repeat([]byte{0xFF}, 32)
	for _, sign := range []byte{0, 0x80} {
		y[31] = 0x7F | sign
		for low := range 256 {
			y[0] = byte(low)
			if got, want := canonical(y), low < 0xED; got != want {
				t.Errorf("%x: %v, want %v", y, got, want)
			}
		}
		y[0] = 0xFF
		for i := 1; i < 32; i++ {
			y[i] ^= 1
			if !canonical(y) {
				t.Errorf("%x: not canonical", y)
			}
			y[i] ^= 1
		}
	}
}

// The eight points of small order, five of whose encodings are canonical with either sign:
// y = 1, -1, 0 and the two of order 8 (those of the libsodium project's blocklist).
func TestSmallOrderKeys(t *testing.T) {
	zeroS := append(append([]byte{1}, make([]byte, 31)...), make([]byte, 32)...)
	for _, y := range []string{
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	} {
		for _, sign := range []byte{0, 0x80} {
			public := unhex(t, y)
			public[31] |= sign
			for m := range 32 { // one in eight messages has a k that is a multiple of 8
				if verify(public, zeroS, []byte{byte(m)}) {
					t.Errorf("key %x: a signature that anybody can make is taken", public)
				}
			}
		}
	}
}

// The library allocates the two points' multiples and the two scalars' digits, 3 KB, and
// nothing else: their number does not grow.
func TestAllocations(t *testing.T) {
	public, private := key(1)
	message := []byte("message")
	good := ed25519.Sign(private, message)
	var v Verifier
	if n := testing.AllocsPerRun(10, func() { v.Verify(public, good, message) }); n != 2 {
		t.Errorf("%v allocations, want 2", n)
	}
}

// What is taken here is taken by crypto/ed25519; what that takes is taken here, for keys
// that were made as they should be.
func FuzzAgainstStandardLibrary(f *testing.F) {
	f.Add(byte(1), []byte("message"), uint16(0), byte(0))
	f.Add(byte(7), []byte{}, uint16(63), byte(0x80))
	f.Fuzz(func(t *testing.T, seed byte, message []byte, at uint16, flip byte) {
		public, private := key(seed)
		signature := ed25519.Sign(private, message)
		signature[at%64] ^= flip
		if got, want := verify(public, signature, message), ed25519.Verify(public, message, signature); got != want {
			t.Errorf("%v, crypto/ed25519 says %v", got, want)
		}
		bent := slices.Clone(public)
		bent[at%32] ^= flip
		if verify(bent, signature, message) && !ed25519.Verify(bent, message, signature) {
			t.Error("taken, unlike by crypto/ed25519")
		}
	})
}
