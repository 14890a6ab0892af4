package flash_test

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"strings"
	"testing"

	"rigor/harness/flash"
)

// section is one that holds bytes.
type section struct {
	addr uint32
	data []byte
}

// makeSections is a RISC-V program that has sections: header, their bytes, their
// headers behind the empty one, with nameless string table.
func makeSections(entry uint32, sections ...section) []byte {
	const headerSize, sectionSize = 52, 40
	body, headers := []byte{}, make([]byte, sectionSize)
	header := func(kind elf.SectionType, flags elf.SectionFlag, addr uint32, data []byte) {
		var b bytes.Buffer
		binary.Write(&b, binary.LittleEndian, elf.Section32{Type: uint32(kind), Flags: uint32(flags), Addr: addr,
			Off: headerSize + uint32(len(body)), Size: uint32(len(data))})
		headers = append(headers, b.Bytes()...)
		body = append(body, data...)
	}
	for _, s := range sections {
		header(elf.SHT_PROGBITS, elf.SHF_ALLOC, s.addr, s.data)
	}
	header(elf.SHT_NOBITS, elf.SHF_ALLOC, 0x3FC8_0000, nil)
	header(elf.SHT_STRTAB, 0, 0, []byte{0})
	var out bytes.Buffer
	h := elf.Header32{Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_RISCV), Version: 1, Entry: entry, Ehsize: headerSize,
		Shoff: headerSize + uint32(len(body)), Shentsize: sectionSize, Shnum: uint16(len(sections) + 3), Shstrndx: uint16(len(sections) + 2)}
	copy(h.Ident[:], "\x7fELF\x01\x01\x01")
	binary.Write(&out, binary.LittleEndian, h)
	return append(append(out.Bytes(), body...), headers...)
}

func esp32c3(t testing.TB) flash.Part {
	p, err := flash.PartOf("esp32c3")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// romProgram has a constant behind header and segment header, data, and code
// behind all of that, as TinyGo links.
var romProgram = makeSections(0x4038_0010,
	section{0x4200_0038, []byte{7, 8}},
	section{0x3C00_0020, []byte{1, 2, 3, 4}},
	section{0x3FC8_0000, []byte{5, 6, 0xA0, 0}},
)

// wantROMImage is put together from the format's description: the checksum is
// 0xEF ^ 1 ^ 2 ^ 3 ^ 4 ^ 5 ^ 6 ^ 0xA0 ^ 7 ^ 8.
var wantROMImage = "\xE9\x03\x02\x2F\x10\x00\x38\x40" + // three segments, DIO, 4 MB at 80 MHz, entry
	"\xEE\x00\x00\x00\x05\x00\x00\x00\x00\xFF\xFF\x00\x00\x00\x00\x01" + // chip 5, any revision, hashed
	"\x20\x00\x00\x3C\x04\x00\x00\x00\x01\x02\x03\x04" +
	"\x00\x00\xC8\x3F\x04\x00\x00\x00\x05\x06\xA0\x00" +
	"\x38\x00\x00\x42\x04\x00\x00\x00\x07\x08\x00\x00" +
	"\x00\x00\x00\x47"

func TestROMImage(t *testing.T) {
	m, err := flash.Read(romProgram, esp32c3(t))
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256([]byte(wantROMImage))
	want := append([]byte(wantROMImage), hash[:]...)
	if len(m.Segments) != 1 || m.Segments[0].Addr != 0 || m.Entry != 0 || m.SHA256 != sha256.Sum256(romProgram) {
		t.Fatalf("image is %+v", m)
	}
	if !bytes.Equal(m.Segments[0].Data, want) {
		t.Errorf("image is\n% X, want\n% X", m.Segments[0].Data, want)
	}
	if again, err := flash.Read(want, esp32c3(t)); err != nil || !bytes.Equal(again.Segments[0].Data, want) {
		t.Errorf("the image as a file: %v", err)
	}
}

func TestROMImageErrors(t *testing.T) {
	hash := sha256.Sum256([]byte(wantROMImage))
	good := wantROMImage + string(hash[:])
	spoil := func(at int, b byte) []byte {
		p := []byte(good)
		p[at] = b
		return p
	}
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"no sections":    {makeSections(0), "0 sections to load"},
		"misplaced code": {makeSections(0, section{0x4200_0024, []byte{1}}), "alike modulo 0x10000"},
		"Cortex-M":       {makeELF(elf.EM_ARM, elf.ET_EXEC, 0), "the esp32c3 takes EM_RISCV"},
		"text":           {[]byte("no image at all: it is a text"), "begins with 0x6e, not 0xe9"},
		"short":          {[]byte(good[:20]), "shorter than a header"},
		"another chip":   {spoil(12, 9), "chip 9, not 5"},
		"checksum":       {spoil(32, 0), "checksum is 0x47"},
		"hash":           {spoil(4, 0), "SHA-256 is not that"},
		"segment size":   {spoil(31, 1), "segment 1 of 3 is of 16777220 bytes"},
		"segments":       {spoil(1, 4), "segment 4 of 4 is of"},
		"no checksum":    {[]byte(good[:60]), "before its checksum"},
		"no hash":        {[]byte(good[:70]), "SHA-256 is not that"},
	} {
		if _, err := flash.Read(c.file, esp32c3(t)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func FuzzROMImage(f *testing.F) {
	f.Add([]byte(wantROMImage))
	f.Add(romProgram)
	part := esp32c3(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := flash.Read(data, part)
		if err != nil || flash.Sniff(data) != flash.ELF {
			return
		}
		if _, err := flash.Read(m.Segments[0].Data, part); err != nil {
			t.Errorf("the image of a program is refused: %v", err)
		}
	})
}
