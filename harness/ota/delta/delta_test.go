package delta

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	"rigor/firmware/ota/patch"
)

// memory is a base on the host.
type memory []byte

func (m memory) Read(off uint32, p []byte) { copy(p, m[off:]) }

// applied is what a board makes of a payload.
func applied(t *testing.T, payload, base []byte, size int) []byte {
	t.Helper()
	var d patch.Decoder
	var out bytes.Buffer
	if err := d.Apply(bytes.NewReader(payload), &patch.Base{Memory: memory(base), Size: uint32(len(base))}, &out, uint32(size)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// program is something like a program: few values, and repetitions.
func program(seed uint64, size int) []byte {
	random := rand.New(rand.NewPCG(seed, 0))
	p := make([]byte, size)
	for i := range p {
		p[i] = byte(random.IntN(256) & random.IntN(256))
	}
	for range size / 100 {
		copy(p[random.IntN(size):], p[random.IntN(size):][:random.IntN(min(size/10, 30))])
	}
	return p
}

func TestPayload(t *testing.T) {
	base := program(1, 50000)
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	moved := bytes.Clone(base)
	for i := 0; i < len(moved); i += 20 {
		moved[i] += 8
	}
	for _, c := range []struct {
		name        string
		base, image []byte
		most        int // bytes of payload
	}{
		{"the same", base, base, 40},
		{"nothing of nothing", nil, nil, 5},
		{"nothing of something", base, nil, 5},
		{"one byte changed", base, join(base[:20000], []byte{base[20000] + 1}, base[20001:]), 60},
		{"bytes put in", base, join(base[:20000], program(2, 100), base[20000:]), 200},
		{"bytes taken out", base, join(base[:20000], base[20100:]), 60},
		{"parts exchanged", base, join(base[30000:], base[:30000]), 60},
		{"every twentieth byte changed", base, moved, 2700},
		{"the end alone", base, base[49990:], 20},
		{"less than a match", base, []byte{1, 2, 3}, 15},
		{"nothing in common", bytes.Repeat([]byte{0xFF}, 3000), program(3, 3000), 3000},
		{"a full image", nil, base, 46000},
	} {
		t.Run(c.name, func(t *testing.T) {
			payload, err := Payload(c.base, c.image)
			if err != nil {
				t.Fatal(err)
			}
			if len(payload) > c.most {
				t.Errorf("a payload of %d bytes, want at most %d", len(payload), c.most)
			}
			if got := applied(t, payload, c.base, len(c.image)); !bytes.Equal(got, c.image) {
				t.Errorf("another image, of %d bytes", len(got))
			}
		})
	}
}

// What the search finds covers the image and can be applied, whatever it searches.
func FuzzPayload(f *testing.F) {
	f.Add([]byte("the quick brown fox jumps"), []byte("a quick brown dog jumps over"))
	f.Add([]byte{}, []byte{1})
	f.Add(bytes.Repeat([]byte{0}, 100), bytes.Repeat([]byte{0}, 90))
	f.Fuzz(func(t *testing.T, base, image []byte) {
		payload, err := Payload(base, image)
		if err != nil {
			t.Fatal(err)
		}
		if got := applied(t, payload, base, len(image)); !bytes.Equal(got, image) {
			t.Errorf("%x, want %x", got, image)
		}
	})
}

func BenchmarkPayload(b *testing.B) {
	base := program(1, 200000)
	image := append(program(2, 1000), base...)
	for b.Loop() {
		if _, err := Payload(base, image); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	image := program(1, 200000)
	payload, err := Payload(nil, image)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(image)))
	var d patch.Decoder
	for b.Loop() {
		if err := d.Apply(bytes.NewReader(payload), &patch.Base{}, io.Discard, uint32(len(image))); err != nil {
			b.Fatal(err)
		}
	}
}
