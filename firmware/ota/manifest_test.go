package ota

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"testing"
)

func sample() Manifest {
	m := Manifest{Kind: Difference, Slot: 1, Version: 0x01020003, BaseVersion: 0x01020002, Counter: 7, Key: 2, Revoke: 1,
		ImageSize: 0x11111, PayloadSize: 0x2222, BaseSize: 0x10101}
	m.SetChip("stm32f407")
	for i := range m.BaseDigest {
		m.BaseDigest[i], m.TargetDigest[i], m.PayloadDigest[i] = 0xB0, 0xC0, 0xD0
	}
	for i := range m.Signature {
		m.Signature[i] = 0xE0
	}
	return m
}

// Boards in the field read this. If it fails, the format has changed: it needs another number.
func TestManifestLayout(t *testing.T) {
	m := sample()
	var raw [ManifestSize]byte
	m.Encode(raw[:])
	var want []byte
	want = append(want, "RIGO\x01\x00\x01\x01stm32f407\x00\x00\x00"...)
	for _, v := range []uint32{0x01020003, 0x01020002, 7, 0x0102, 0x11111, 0x2222, 0x10101} {
		want = binary.LittleEndian.AppendUint32(want, v)
	}
	for _, part := range []struct {
		b byte
		n int
	}{{0xB0, 32}, {0xC0, 32}, {0xD0, 32}, {0, 48}, {0xE0, 64}} {
		want = append(want, bytes.Repeat([]byte{part.b}, part.n)...)
	}
	if !bytes.Equal(raw[:], want) {
		t.Errorf("%x, want %x", raw, want)
	}
	if sum := sha256.Sum256(want); ID(raw[:]) != binary.LittleEndian.Uint32(sum[:]) {
		t.Errorf("id %08x, want the first bytes of %x", ID(raw[:]), sum)
	}
	if got := Signed(raw[:]); !bytes.Equal(got, want[:192]) {
		t.Errorf("%d bytes are signed, want 192", len(got))
	}
}

func TestManifestRefused(t *testing.T) {
	var good [ManifestSize]byte
	m := sample()
	m.Encode(good[:])
	if !m.Decode(good[:]) || m != sample() {
		t.Fatalf("%+v, want %+v", m, sample())
	}
	for name, bend := range map[string]func(p []byte) []byte{
		"short":        func(p []byte) []byte { return p[:255] },
		"long":         func(p []byte) []byte { return append(p, 0) },
		"magic":        func(p []byte) []byte { p[0] = 'r'; return p },
		"format":       func(p []byte) []byte { p[5] = 1; return p },
		"kind":         func(p []byte) []byte { p[6] = 2; return p },
		"slot":         func(p []byte) []byte { p[7] = 2; return p },
		"own key":      func(p []byte) []byte { p[33] = 1 << 2; return p },
		"not zero 34":  func(p []byte) []byte { p[35] = 1; return p },
		"not zero 144": func(p []byte) []byte { p[191] = 1; return p },
		"blank":        func([]byte) []byte { return bytes.Repeat([]byte{0xFF}, ManifestSize) },
	} {
		if m.Decode(bend(bytes.Clone(good[:]))) {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestIsFor(t *testing.T) {
	var m Manifest
	m.SetChip("k210")
	for chip, want := range map[string]bool{"k210": true, "k21": false, "k2100": false, "": false, "k210\x00\x00\x00\x00\x00\x00\x00\x00\x00": false} {
		if got := m.IsFor(chip); got != want {
			t.Errorf("k210 is for %q: %v", chip, got)
		}
	}
}

// A manifest has one form: what is decoded is encoded as it was.
func FuzzManifest(f *testing.F) {
	m := sample()
	raw := make([]byte, ManifestSize)
	m.Encode(raw)
	f.Add(raw)
	f.Fuzz(func(t *testing.T, p []byte) {
		var m Manifest
		if !m.Decode(p) {
			return
		}
		var again [ManifestSize]byte
		if m.Encode(again[:]); !bytes.Equal(again[:], p) {
			t.Errorf("%x becomes %x", p, again)
		}
	})
}

// Areas follow one another, lie on sectors, and hold what they are for.
func TestLayouts(t *testing.T) {
	for _, chip := range []string{"stm32f407", "esp32c3", "k210"} {
		l := LayoutOf(chip)
		end := uint32(0)
		order := []Area{l.Boot, l.Keys, l.Journal[0], l.Journal[1]}
		if l.Staging.Off < l.Slots[0].Off {
			order = append(order, l.Staging, l.Slots[0], l.Slots[1])
		} else {
			order = append(order, l.Slots[0], l.Slots[1], l.Staging)
		}
		for i, a := range order {
			if a.Off < end || i > 1 && (a.Off%a.Sector != 0 || i > 3 && a.Size%a.Sector != 0) {
				t.Errorf("%s: area %d at %#x, the one before ends at %#x", chip, i, a.Off, end)
			}
			end = a.End()
		}
		if l.MaxPayload() != 512*252 {
			t.Errorf("%s: payloads of %d bytes", chip, l.MaxPayload())
		}
		if l.Keys.Size < MaxKeys*32 || l.Gap < ManifestSize || l.Image(0)%512 != 0 {
			t.Errorf("%s: %+v", chip, l)
		}
	}
	if LayoutOf("stm32f4") != nil {
		t.Error("a chip that there isn't has a layout")
	}
}
