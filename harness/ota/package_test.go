package ota_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"

	device "rigor/firmware/ota"
	"rigor/harness/flash"
	"rigor/harness/ota"
)

func TestVersion(t *testing.T) {
	for text, want := range map[string]ota.Version{
		"1.4.0": 0x01040000, "v1.4": 0x01040000, "255.255.65535": 0xFFFFFFFF, "0.0.1": 1,
		"": 0, "1": 0, "1.2.3.4": 0, "256.0.0": 0, "1.256.0": 0, "1.0.65536": 0, "1.-1": 0, "1.x": 0, "0.0.0": 0,
	} {
		v, err := ota.ParseVersion(text)
		if v != want || (err == nil) != (want != 0) {
			t.Errorf("%q: %v, %v, want %v", text, v, err, want)
		}
		if again, err := ota.ParseVersion(v.String()); want != 0 && (err != nil || again != v) {
			t.Errorf("%q is written %v", text, v)
		}
	}
}

func TestPackRefuses(t *testing.T) {
	slot0, slot1 := program(t, "stm32f407", 0, v100, 4000), program(t, "stm32f407", 1, v110, 4000)
	for want, c := range map[string]struct {
		p *ota.Program
		o ota.Options
	}{
		"a board has keys 0 to 3":        {slot1, ota.Options{Key: 4}},
		"revoke mask 0x10":               {slot1, ota.Options{Revoke: 0x10}},
		"key 1 cannot revoke itself":     {slot1, ota.Options{Key: 1, Revoke: 2}},
		"the base is for the k210":       {slot1, ota.Options{Base: program(t, "k210", 0, v100, 4000)}},
		"both linked to slot 1":          {slot1, ota.Options{Base: program(t, "stm32f407", 1, v100, 4000)}},
		"boards take newer ones only":    {program(t, "stm32f407", 1, v100, 4000), ota.Options{Base: slot0}},
		"the payload is of 129025 bytes": {slot1, ota.Options{Payload: make([]byte, ota.MaxPayload+1)}},
	} {
		if _, err := ota.Pack(c.p, c.o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestReadProgramRefuses(t *testing.T) {
	for want, c := range map[string]struct {
		chip string
		file []byte
	}{
		"is not known to flash":    {"z80", make([]byte, 16)},
		"5 bytes are no program":   {"k210", make([]byte, 5)},
		"reset vector is 0x080000": {"stm32f407", []byte{0, 0, 2, 0x20, 9, 0, 0, 8, 0, 0xBF, 0, 0xBF}},
		"there is room for":        {"k210", make([]byte, device.K210.Room()+4)},
		"give the ELF file":        {"k210", flash.AppendHex(nil, []flash.Segment{{Data: make([]byte, 64)}})},
		"read ELF image":           {"k210", []byte("\x7fELF")},
	} {
		if _, err := ota.ReadProgram(c.file, c.chip, v100); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	var size *ota.SizeError
	if _, err := ota.ReadProgram(make([]byte, 1<<20+4), "esp32c3", v100); !errors.As(err, &size) || size.Max != int(device.ESP32C3.Room()) {
		t.Errorf("a program that is too large: %v", err)
	}
}

// A package is its own inverse, with the running program where it is a difference.
func TestUnpack(t *testing.T) {
	for _, chip := range chips {
		s := newScene(t, chip)
		for _, p := range []*ota.Package{s.full, s.diff} {
			read, err := ota.ReadPackage(p.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			got, err := ota.Unpack(read, s.old)
			if err != nil || !bytes.Equal(got.Image, s.new.Image) || got.Version != s.new.Version || got.Slot != s.new.Slot {
				t.Errorf("%s: %v, and not what was packed", chip, err)
			}
		}
		if _, err := ota.Unpack(s.diff, nil); err == nil {
			t.Errorf("%s: a difference was unpacked without its base", chip)
		}
	}
}

// Programs of an STM32F407 differ between the slots in all their addresses, which cost
// nothing: the difference between a program and itself for the other slot is small.
func TestDifferenceMovesAddresses(t *testing.T) {
	here, there := program(t, "stm32f407", 0, v100, 40_000), program(t, "stm32f407", 1, v100, 40_000)
	if bytes.Equal(here.Image, there.Image) {
		t.Fatal("the two are alike")
	}
	payload, err := ota.Diff(here, there)
	if err != nil || len(payload) > 100 {
		t.Errorf("%d bytes, %v, want next to nothing", len(payload), err)
	}
}

// What is flashed is what Read finds in the file: boot program, keys, journals to be
// erased, and the first program with its manifest.
func TestFactory(t *testing.T) {
	s := newScene(t, "stm32f407")
	first := pack(t, s.old, ota.Options{})
	part, err := flash.PartOf("stm32f407")
	if err != nil {
		t.Fatal(err)
	}
	m, err := flash.Read(factory(t, "stm32f407", first), part)
	if err != nil {
		t.Fatal(err)
	}
	keys := append(append([]byte(trusted[0]), trusted[1]...), bytes.Repeat([]byte{0xFF}, 64)...)
	want := []flash.Segment{
		{Addr: 0x0800_0000, Data: []byte("boot program")}, {Addr: 0x0800_BC00, Data: keys},
		{Addr: 0x0800_C000, Data: bytes.Repeat([]byte{0xFF}, 256)}, {Addr: 0x0801_0000, Data: bytes.Repeat([]byte{0xFF}, 256)},
		{Addr: 0x0802_0000, Data: first.Manifest[:]}, {Addr: 0x0802_0200, Data: s.old.Image},
	}
	if len(m.Segments) != len(want) {
		t.Fatalf("%d segments, want %d", len(m.Segments), len(want))
	}
	for i, w := range want {
		if g := m.Segments[i]; g.Addr != w.Addr || !bytes.Equal(g.Data, w.Data) {
			t.Errorf("segment %d is at %#x, want %#x, or holds something else", i, g.Addr, w.Addr)
		}
	}
}

func TestFactoryRefuses(t *testing.T) {
	s := newScene(t, "stm32f407")
	good := pack(t, s.old, ota.Options{})
	boot := flash.AppendHex(nil, []flash.Segment{{Addr: 0x0800_0000, Data: []byte("boot")}})
	large := flash.AppendHex(nil, []flash.Segment{{Addr: 0x0800_0000, Data: make([]byte, 0xBC01)}})
	inSlot := flash.AppendHex(nil, []flash.Segment{{Addr: 0x0802_0200, Data: []byte("app")}})
	altered := *good
	altered.Payload = []byte("unknown")
	unsigned, err := ota.Pack(s.old, ota.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]struct {
		boot []byte
		keys []ed25519.PublicKey
		p    *ota.Package
	}{
		"0 public keys":                      {boot, nil, good},
		"5 public keys":                      {boot, make([]ed25519.PublicKey, 5), good},
		"is a difference":                    {boot, trusted, s.diff},
		"linked to slot 1":                   {boot, trusted, s.full},
		"signed with key 1, and there are":   {boot, trusted[:1], pack(t, s.old, ota.Options{Key: 1})},
		"is not of key 0":                    {boot, trusted[1:], good},
		"signature is not of key 0":          {boot, trusted, unsigned},
		"apply the payload":                  {boot, trusted, &altered},
		"the boot program is of 48129 bytes": {large, trusted, good},
		"is it linked for a slot":            {inSlot, trusted, good},
		"read the boot program":              {[]byte("text"), trusted, good},
	} {
		if _, err := ota.Factory(c.boot, c.keys, c.p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
