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

// makeELF64 is makeELF for RISC-V of 64 bits.
func makeELF64(entry uint64, programs ...program) []byte {
	const header, entrySize = 64, 56 // ELF-64 object file format 1.5
	var b bytes.Buffer
	h := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_RISCV), Version: 1, Entry: entry, Phoff: header,
		Ehsize: header, Phentsize: entrySize, Phnum: uint16(len(programs)), Shentsize: 64}
	copy(h.Ident[:], "\x7fELF\x02\x01\x01")
	binary.Write(&b, binary.LittleEndian, h)
	off := uint64(header + entrySize*len(programs))
	for _, p := range programs {
		binary.Write(&b, binary.LittleEndian, elf.Prog64{Type: uint32(p.kind), Off: off, Vaddr: uint64(p.vaddr), Paddr: uint64(p.paddr),
			Filesz: uint64(len(p.data)), Memsz: uint64(p.memSize)})
		off += uint64(len(p.data))
	}
	for _, p := range programs {
		b.Write(p.data)
	}
	return b.Bytes()
}

func k210(t testing.TB) flash.Part {
	p, err := flash.PartOf("k210")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// k210Program has code, data behind a gap that the linker left, and no bytes of .bss.
var k210Program = makeELF64(0x8000_0000,
	program{elf.PT_LOAD, 0x8000_0000, 0x8000_0000, []byte{0x6F, 0, 0, 0, 0x13}, 5},
	program{elf.PT_LOAD, 0x8000_1000, 0x8000_0008, []byte{7, 8}, 64},
	program{elf.PT_LOAD, 0x8000_2000, 0x8000_2000, nil, 4096},
)

// wantK210Image is put together from the format's description.
const wantK210Image = "\x00\x0A\x00\x00\x00" + "\x6F\x00\x00\x00\x13\x00\x00\x00\x07\x08"

func hashed(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return append([]byte(s), sum[:]...)
}

func TestK210Image(t *testing.T) {
	m, err := flash.Read(k210Program, k210(t))
	if err != nil {
		t.Fatal(err)
	}
	want := hashed(wantK210Image)
	if len(m.Segments) != 1 || m.Segments[0].Addr != 0 || m.Entry != 0 || m.SHA256 != sha256.Sum256(k210Program) {
		t.Fatalf("image is %+v", m)
	}
	if !bytes.Equal(m.Segments[0].Data, want) {
		t.Errorf("image is\n% X, want\n% X", m.Segments[0].Data, want)
	}
	for name, file := range map[string][]byte{
		"the image as a file":    want,
		"read from erased flash": append(bytes.Clone(want), 0xFF, 0xFF),
		"read by four bits":      hashed("\x02\x01\x00\x00\x00\x6F"),
		"encrypted":              hashed("\x01\x01\x00\x00\x00\x6F"),
	} {
		if again, err := flash.Read(file, k210(t)); err != nil || !bytes.Equal(again.Segments[0].Data, file) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A bare program, as kflash takes it, becomes what kflash makes of it.
func TestK210Raw(t *testing.T) {
	file := []byte("\x6F\x00\x00\x01\xFF")
	m, err := flash.Read(file, k210(t))
	if err != nil {
		t.Fatal(err)
	}
	if want := hashed("\x00\x05\x00\x00\x00" + string(file)); !bytes.Equal(m.Segments[0].Data, want) || m.SHA256 != sha256.Sum256(file) {
		t.Errorf("image is\n% X, want\n% X", m.Segments[0].Data, want)
	}
}

func TestK210ImageErrors(t *testing.T) {
	code := program{elf.PT_LOAD, 0x8000_0000, 0x8000_0000, []byte{1, 2, 3}, 3}
	at := func(addr uint32) program { return program{elf.PT_LOAD, addr, addr, []byte{1}, 1} }
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"no segments":   {makeELF64(0x8000_0000), "image holds no data"},
		"another entry": {makeELF64(0x8000_0004, code), "begins at 0x80000004, the ROM starts it at 0x80000000"},
		"in AI RAM":     {makeELF64(0x8000_0000, code, at(0x8060_0000)), "outside of SRAM 0x80000000-0x805fffff"},
		"in flash":      {makeELF64(0x8000_0000, code, at(0)), "outside of SRAM"},
		"overlap":       {makeELF64(0x8000_0000, code, at(0x8000_0002)), "overlap"},
		"32 bits":       {makeELF(elf.EM_RISCV, elf.ET_EXEC, 0x8000_0000), "the k210 takes EM_RISCV (ELFCLASS64)"},
		"short":         {hashed("\x00\x00\x00\x00"), "shorter than a header"},
		"text":          {[]byte("no image at all: it is a text of some length"), "flags are 0x6e"},
		"bare program":  {append([]byte{0}, bytes.Repeat([]byte{0x13}, 64)...), "payload is of 320017171 bytes"},
		"cut short":     {hashed(wantK210Image)[:46], "payload is of 10 bytes, and 9 are left"},
		"hash":          {append([]byte(wantK210Image), make([]byte, 32)...), "SHA-256 is not that"},
	} {
		if _, err := flash.Read(c.file, k210(t)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func FuzzK210Image(f *testing.F) {
	f.Add(hashed(wantK210Image))
	f.Add(k210Program)
	part := k210(f)
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
