package ota_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	device "rigor/firmware/ota"
	wireota "rigor/firmware/wire/ota"
	"rigor/harness/ota"
)

var update = flag.Bool("update", false, "write the golden files")

// printed is a report of either kind.
type printed interface{ WriteText(w io.Writer) error }

// golden compares what is printed with files of testdata, as text and as JSON.
func golden(t *testing.T, name string, v printed) {
	t.Helper()
	var text bytes.Buffer
	if err := v.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	same(t, name+".txt", text.Bytes())
	object, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	same(t, name+".json", append(object, '\n'))
}

func same(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}

// difference is a package whose payload no encoder made, so that only it decides on digests.
func difference(t *testing.T) (p *ota.Package, base *ota.Program) {
	t.Helper()
	base = program(t, "stm32f407", 0, v100, 4000)
	return pack(t, program(t, "stm32f407", 1, v110, 4400), ota.Options{
		Base: base, Counter: 7, Revoke: 0b1010, Payload: []byte("no payload at all"),
	}), base
}

func TestInspectGolden(t *testing.T) {
	p, base := difference(t)
	r, err := ota.Inspect(p, nil, nil)
	if err != nil || !r.OK() {
		t.Fatalf("%+v, %v", r, err)
	}
	golden(t, "unchecked", r)
	if r, err = ota.Inspect(p, trusted, base); err != nil || r.OK() {
		t.Fatalf("%+v, %v", r, err)
	}
	golden(t, "bad-payload", r)
}

func TestInspectFinds(t *testing.T) {
	s := newScene(t, "stm32f407")
	strangers := []ed25519.PublicKey{public(stranger)}
	unsigned, cut, altered := *s.full, *s.full, *s.full
	clear(unsigned.Manifest[device.ManifestSize-ed25519.SignatureSize:])
	cut.Payload = cut.Payload[:100]
	altered.Manifest[81] ^= 1 // the target's digest
	other := program(t, "stm32f407", 0, v100, 8000)
	for name, c := range map[string]struct {
		p    *ota.Package
		keys []ed25519.PublicKey
		base *ota.Program
		want [4]ota.Finding // base, image, payload, signature
	}{
		"full":           {s.full, trusted, nil, [4]ota.Finding{"", ota.Good, ota.Good, ota.Good}},
		"difference":     {s.diff, trusted[:1], s.old, [4]ota.Finding{ota.Good, ota.Good, ota.Good, ota.Good}},
		"without a base": {s.diff, nil, nil, [4]ota.Finding{ota.Unchecked, ota.Unchecked, ota.Good, ota.Unchecked}},
		"other base":     {s.diff, trusted, other, [4]ota.Finding{ota.Bad, ota.Unchecked, ota.Good, ota.Good}},
		"other key":      {s.full, strangers, nil, [4]ota.Finding{"", ota.Good, ota.Good, ota.Bad}},
		"unsigned":       {&unsigned, trusted, nil, [4]ota.Finding{"", ota.Good, ota.Good, ota.Missing}},
		"cut short":      {&cut, trusted, nil, [4]ota.Finding{"", ota.Bad, ota.Bad, ota.Good}},
		"altered":        {&altered, trusted, nil, [4]ota.Finding{"", ota.Bad, ota.Good, ota.Bad}},
	} {
		r, err := ota.Inspect(c.p, c.keys, c.base)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := [4]ota.Finding{r.Base, r.Image, r.Payload, r.Signature}; got != c.want {
			t.Errorf("%s: base, image, payload and signature are %q, want %q", name, got, c.want)
		}
		switch alike := r.Like > r.ImageSize/2 && r.Like <= r.ImageSize; {
		case r.Image != ota.Good:
		case c.p == s.diff && !alike || c.p == s.full && (r.Stretches != 1 || r.Like != 0):
			t.Errorf("%s: %d stretches, %d of %d bytes like the base's", name, r.Stretches, r.Like, r.ImageSize)
		}
	}
}

// flashed is a flash with a signed image in each slot, made without an encoder.
func flashed(t *testing.T, chip string) (ota.Memory, *device.Layout) {
	t.Helper()
	l := device.LayoutOf(chip)
	f := ota.Memory(bytes.Repeat([]byte{0xFF}, int(l.Slots[1].End())))
	for i, k := range trusted {
		copy(f[l.Keys.Off+32*uint32(i):], k)
	}
	for slot, v := range []ota.Version{v100, v110} {
		image := program(t, chip, slot, v, 4000)
		p := pack(t, image, ota.Options{Payload: []byte("unknown")})
		copy(f[l.Slots[slot].Off:], p.Manifest[:])
		copy(f[l.Image(slot):], image.Image)
	}
	return f, l
}

func TestInspectFlashGolden(t *testing.T) {
	f, l := flashed(t, "stm32f407")
	inspect := func(name string) *ota.Dump {
		t.Helper()
		before := bytes.Clone(f)
		d, err := ota.InspectFlash(f, "stm32f407")
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(f, before) {
			t.Error("the flash was changed by looking at it")
		}
		golden(t, name, d)
		return d
	}
	if d := inspect("flash-new"); d.Boot.Why != wireota.Confirmed || d.Boot.Slot != 0 {
		t.Errorf("a new board boots %+v", d.Boot)
	}
	var p ota.Package
	copy(p.Manifest[:], f[l.Slots[1].Off:])
	j := device.Journal{Flash: f, Layout: l}
	j.Read()
	if r := j.Append(device.Entry{Target: 1, Base: 0, RevokedAfter: 2, FloorAfter: 7, Update: p.ID()}); r != wireota.OK {
		t.Fatal(r)
	}
	for _, m := range []device.Mark{device.Erased, device.Switch, device.Attempt1} {
		if r := j.Set(m); r != wireota.OK {
			t.Fatal(r)
		}
	}
	if d := inspect("flash-trial"); d.Boot.Why != wireota.Trial || d.Boot.Attempt != 2 {
		t.Errorf("a board on trial boots %+v", d.Boot)
	}
	f[l.Image(0)+100] ^= 1
	f[l.Image(1)+100] ^= 1
	if d := inspect("flash-broken"); d.Boot.Why != wireota.None {
		t.Errorf("a board with two broken images boots %+v", d.Boot)
	}
}

func TestInspectFlashRefuses(t *testing.T) {
	for chip, size := range map[string]int{"z80": 1 << 20, "stm32f407": 0x10000} {
		if _, err := ota.InspectFlash(make([]byte, size), chip); err == nil {
			t.Errorf("%d bytes are a %s's flash", size, chip)
		}
	}
}

// Whatever flash holds, looking at it ends.
func FuzzInspectFlash(f *testing.F) {
	l := device.LayoutOf("k210")
	f.Add([]byte("RIGO"), uint32(l.Slots[0].Off))
	f.Add(make([]byte, 64), uint32(l.Journal[0].Off))
	f.Fuzz(func(t *testing.T, data []byte, at uint32) {
		content := bytes.Repeat([]byte{0xFF}, int(l.Slots[1].End()))
		copy(content[int(at)%len(content):], data)
		if _, err := ota.InspectFlash(content, "k210"); err != nil {
			t.Error(err)
		}
	})
}

func FuzzReadPackage(f *testing.F) {
	f.Add(make([]byte, device.ManifestSize))
	s := newScene(f, "stm32f407")
	f.Add(s.full.Bytes())
	f.Fuzz(func(t *testing.T, file []byte) {
		p, err := ota.ReadPackage(file)
		if err != nil {
			return
		}
		if !bytes.Equal(p.Bytes(), file) {
			t.Error("a package that is read and written differs")
		}
		ota.Inspect(p, trusted, s.old)
	})
}
