package patch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
	"unsafe"
)

// A board has 8 KB for all that applying a payload needs.
func TestDecoderFits(t *testing.T) {
	if got := unsafe.Sizeof(Decoder{}); got > 8<<10 {
		t.Errorf("a decoder has %d bytes, want at most 8192", got)
	}
}

// sample is a base and an image made of it: bytes of its own in front, the rest
// of the base, of which some bytes differ, then an early part again.
func sample() (base, image []byte, stretches []Stretch) {
	random := rand.New(rand.NewPCG(1, 2))
	base = make([]byte, 5000)
	for i := range base {
		base[i] = byte(random.NormFloat64() * 20)
	}
	image = append([]byte("bytes that the base doesn't have"), base[1000:]...)
	for range 100 {
		image[32+random.IntN(4000)] += 4
	}
	image = append(image, base[10:700]...)
	return base, image, []Stretch{{Own: 32}, {Step: 1000, Like: 4000}, {Step: 10 - 5000, Like: 690}}
}

// sink collects pieces and looks at their sizes.
type sink struct {
	t    *testing.T
	got  []byte
	last int
}

func (s *sink) Write(p []byte) (int, error) {
	if len(p) == 0 || len(p) > Page || s.last%Page != 0 {
		s.t.Errorf("a piece of %d bytes after one of %d", len(p), s.last)
	}
	s.last = len(p)
	s.got = append(s.got, p...)
	return len(p), nil
}

func apply(t *testing.T, d *Decoder, payload, base []byte, size int) ([]byte, error) {
	t.Helper()
	out := sink{t: t}
	err := d.Apply(bytes.NewReader(payload), &Base{Memory: bytesMemory(base), Size: uint32(len(base))}, &out, uint32(size))
	if len(out.got) > size {
		t.Errorf("wrote %d bytes of an image of %d", len(out.got), size)
	}
	return out.got, err
}

func encoded(t *testing.T, base, image []byte, stretches []Stretch) []byte {
	t.Helper()
	payload, err := Encode(base, image, stretches)
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

func TestRoundTrip(t *testing.T) {
	base, image, stretches := sample()
	for _, c := range []struct {
		name        string
		base, image []byte
		stretches   []Stretch
		most        int // bytes of payload
	}{
		{"difference", base, image, stretches, 400},
		{"full image", nil, image, []Stretch{{Own: uint32(len(image))}}, len(image)},
		{"the base itself", base, base, []Stretch{{Like: uint32(len(base))}}, 40},
		{"nothing", base, nil, nil, 5},
		{"one byte", nil, []byte{7}, []Stretch{{Own: 1}}, 10},
		{"one page", nil, image[:Page], []Stretch{{Own: Page}}, Page + 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			payload := encoded(t, c.base, c.image, c.stretches)
			if len(payload) > c.most {
				t.Errorf("a payload of %d bytes, want at most %d", len(payload), c.most)
			}
			var d Decoder
			for range 2 { // a decoder can be used again
				got, err := apply(t, &d, payload, c.base, len(c.image))
				if err != nil || !bytes.Equal(got, c.image) {
					t.Errorf("%d bytes of image, %v; want the %d that were encoded", len(got), err, len(c.image))
				}
			}
		})
	}
}

func TestApplyAllocatesNothing(t *testing.T) {
	base, image, stretches := sample()
	payload := encoded(t, base, image, stretches)
	var d Decoder
	in := bytes.NewReader(payload)
	b := &Base{Memory: bytesMemory(base), Size: uint32(len(base))}
	if n := testing.AllocsPerRun(3, func() {
		in.Reset(payload)
		if err := d.Apply(in, b, io.Discard, uint32(len(image))); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// forge encodes heads of stretches that no encoder would make.
func forge(stretches ...Stretch) []byte {
	var m model
	m.reset()
	r := rangeEncoder{high: ^uint32(0), payload: []byte{format}}
	for _, s := range stretches {
		m.stretch(&r, s)
	}
	r.end()
	return append(r.payload, make([]byte, 4096)...)
}

func TestRefuses(t *testing.T) {
	base, image, stretches := sample()
	payload := encoded(t, base, image, stretches)
	size := len(image)
	const most = 1<<31 - 1
	for _, c := range []struct {
		name    string
		payload []byte
		size    int
		want    error
	}{
		{"no bytes", nil, size, ShortOutput},
		{"no bytes after the first", payload[:1], size, ShortOutput},
		{"one byte too few", payload[:len(payload)-1], size, ShortOutput},
		{"half", payload[:len(payload)/2], size, ShortOutput},
		{"one byte more", append(payload[:len(payload):len(payload)], 0), size, LongOutput},
		{"an image of a byte less", payload, size - 1, OutsideTarget},
		{"an image of a byte more", payload, size + 1, ShortOutput},
		{"no image", payload, 0, LongOutput},
		{"another format", append([]byte{format + 1}, payload[1:]...), size, Malformed},
		{"a stretch of nothing", forge(Stretch{Step: 4}), size, Malformed},
		{"bytes of its own past the end", forge(Stretch{Own: 4723}), size, OutsideTarget},
		{"like bytes past the end", forge(Stretch{Like: 4723}), size, OutsideTarget},
		{"both past the end", forge(Stretch{Like: 1, Own: 4722}), size, OutsideTarget},
		{"the most of its own", forge(Stretch{Own: most}), size, OutsideTarget},
		{"the most of both", forge(Stretch{Like: most, Own: most}), size, OutsideTarget},
		{"a sum of 2^32", forge(Stretch{Like: 1, Own: most}), size, OutsideTarget},
		{"before the base", forge(Stretch{Step: -1, Own: 1}), size, OutsideBase},
		{"far before the base", forge(Stretch{Step: -1 << 30, Like: 1}), size, OutsideBase},
		{"after the base", forge(Stretch{Step: 5001, Own: 1}), size, OutsideBase},
		{"far after the base", forge(Stretch{Step: 1<<30 - 1, Like: 1}), size, OutsideBase},
		{"from the base's end", forge(Stretch{Step: 5000, Like: 1}), size, OutsideBase},
		{"over the base's end", forge(Stretch{Step: 4999, Like: 2}), size, OutsideBase},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d Decoder
			if _, err := apply(t, &d, c.payload, base, c.size); err != c.want {
				t.Errorf("error %v, want %v", err, c.want)
			}
		})
	}
}

func TestFaultsOfOthers(t *testing.T) {
	base, image, stretches := sample()
	payload := encoded(t, base, image, stretches)
	b := &Base{Memory: bytesMemory(base), Size: uint32(len(base))}
	var d Decoder
	if err := d.Apply(iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(payload))), b, io.Discard, uint32(len(image))); err != iotest.ErrTimeout {
		t.Errorf("error %v, want the payload's", err)
	}
	if err := d.Apply(bytes.NewReader(payload), b, full{}, uint32(len(image))); err != errFull {
		t.Errorf("error %v, want the output's", err)
	}
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestEncodeRefuses(t *testing.T) {
	base, image := make([]byte, 10), make([]byte, 10)
	for _, c := range []struct {
		stretches []Stretch
		want      error
	}{
		{nil, ShortOutput},
		{[]Stretch{{Like: 9}}, ShortOutput},
		{[]Stretch{{Like: 11}}, OutsideTarget},
		{[]Stretch{{Own: 5}, {Step: 6, Like: 5}}, OutsideBase},
		{[]Stretch{{Own: 10}, {}}, Malformed},
	} {
		if _, err := Encode(base, image, c.stretches); !errors.Is(err, c.want) {
			t.Errorf("%v: error %v, want %v", c.stretches, err, c.want)
		}
	}
}

// Words are moved if they are in the slot, whole in the base and aligned in it.
func TestBaseIsMoved(t *testing.T) {
	words := []uint32{0x0801FFFF, 0x08020200, 0x0802A5C1, 0x0807FFFF, 0x08080000, 0x08020000}
	want := []uint32{0x0801FFFF, 0x08080200, 0x0808A5C1, 0x080DFFFF, 0x08080000, 0x08080000}
	var flash, moved []byte
	flash = append(flash, "head"...)
	for i := range words {
		flash = binary.LittleEndian.AppendUint32(flash, words[i])
		moved = binary.LittleEndian.AppendUint32(moved, want[i])
	}
	flash, moved = append(flash, 0, 0, 2), append(moved, 0, 0, 2)
	b := Base{Memory: bytesMemory(flash), Start: 4, Size: uint32(len(moved)), Low: 0x08020000, High: 0x08080000, Distance: 0x60000}
	for off := 0; off < len(moved); off += 4 {
		got := make([]byte, len(moved)-off)
		if b.Read(uint32(off), got); !bytes.Equal(got, moved[off:]) {
			t.Errorf("from %d: %x, want %x", off, got, moved[off:])
		}
	}
	b.Low, b.High, b.Distance = 0x08080000, 0x080E0000, -b.Distance
	if b.Read(0, moved); binary.LittleEndian.Uint32(moved[16:]) != 0x08020000 {
		t.Errorf("moved down: %x", moved)
	}
}

// Whatever the payload, the decoder returns and writes no more than the image.
func FuzzApply(f *testing.F) {
	base, image, stretches := sample()
	payload, err := Encode(base, image, stretches)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(payload, uint16(len(image)))
	f.Add(forge(Stretch{Step: 4999, Like: 1, Own: 4000}, Stretch{Step: -5000, Like: 5000}), uint16(9001))
	f.Fuzz(func(t *testing.T, payload []byte, size uint16) {
		var d Decoder
		got, err := apply(t, &d, payload, base, int(size))
		if err == nil && len(got) != int(size) {
			t.Errorf("%d bytes of %d and no error", len(got), size)
		}
	})
}

// What is encoded comes out again, however the image is cut into stretches.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("the base's bytes"), []byte("some of the base's, and some bytes of its own"), []byte{2, 9, 5, 0, 16, 3})
	f.Add([]byte{}, make([]byte, Page+1), []byte{})
	f.Fuzz(func(t *testing.T, base, image, cuts []byte) {
		stretches := cut(len(base), len(image), cuts)
		payload := encoded(t, base, image, stretches)
		var d Decoder
		got, err := apply(t, &d, payload, base, len(image))
		if err != nil || !bytes.Equal(got, image) {
			t.Errorf("%v: %d bytes, %v; want %d", stretches, len(got), err, len(image))
		}
	})
}

// cut makes stretches that fit from any numbers.
func cut(base, image int, cuts []byte) (out []Stretch) {
	at := 0
	for ; image > 0 && len(cuts) >= 3; cuts = cuts[3:] {
		from := min(int(cuts[0]), base)
		s := Stretch{Step: int32(from - at), Like: uint32(min(int(cuts[1]), image, base-from))}
		s.Own = uint32(min(int(cuts[2]), image-int(s.Like)))
		if s.Like+s.Own == 0 {
			continue
		}
		at = from + int(s.Like)
		image -= int(s.Like + s.Own)
		out = append(out, s)
	}
	if image > 0 {
		out = append(out, Stretch{Own: uint32(image)})
	}
	return out
}
