package flash_test

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"rigor/harness/flash"
)

// rec makes a record; its checksum is the two's complement of the bytes' sum, as
// the format's specification has it.
func rec(kind byte, offset uint16, data ...byte) string {
	p := append([]byte{byte(len(data)), byte(offset >> 8), byte(offset), kind}, data...)
	var sum byte
	for _, b := range p {
		sum += b
	}
	return fmt.Sprintf(":%X\n", append(p, -sum))
}

var hexEnd = rec(1, 0)

func TestReadHex(t *testing.T) {
	seg := func(addr uint32, data ...byte) flash.Segment { return flash.Segment{Addr: addr, Data: data} }
	for name, c := range map[string]struct {
		text  string
		entry uint32
		want  []flash.Segment
	}{
		// The example record of Intel's specification, appendix: sum 0x40.
		"given record": {":10010000214601360121470136007EFE09D2190140\n:00000001FF\n", 0x100,
			[]flash.Segment{seg(0x100, 0x21, 0x46, 0x01, 0x36, 0x01, 0x21, 0x47, 0x01, 0x36, 0x00, 0x7E, 0xFE, 0x09, 0xD2, 0x19, 0x01)}},
		"linear base": {rec(4, 0, 0x08, 0x00) + rec(0, 0x10, 1, 2) + hexEnd, 0x0800_0010, []flash.Segment{seg(0x0800_0010, 1, 2)}},
		"linear runs on": {rec(4, 0, 0x08, 0x00) + rec(0, 0xFFFF, 1, 2) + hexEnd, 0x0800_FFFF,
			[]flash.Segment{seg(0x0800_FFFF, 1, 2)}},
		"segment base":   {rec(2, 0, 0x12, 0x34) + rec(0, 1, 7) + hexEnd, 0x12341, []flash.Segment{seg(0x12341, 7)}},
		"segment wraps":  {rec(2, 0, 0x10, 0x00) + rec(0, 0xFFFF, 1, 2) + hexEnd, 0x10000, []flash.Segment{seg(0x10000, 2), seg(0x1FFFF, 1)}},
		"start linear":   {rec(5, 0, 0x08, 0, 1, 0x99) + rec(0, 0, 1) + hexEnd, 0x0800_0199, []flash.Segment{seg(0, 1)}},
		"start segment":  {rec(3, 0, 0x10, 0, 0, 4) + rec(0, 0, 1) + hexEnd, 0x10004, []flash.Segment{seg(0, 1)}},
		"out of order":   {rec(0, 4, 5) + rec(0, 0, 1, 2, 3, 4) + hexEnd, 0, []flash.Segment{seg(0, 1, 2, 3, 4, 5)}},
		"gap":            {rec(0, 0, 1) + rec(0, 2, 3) + hexEnd, 0, []flash.Segment{seg(0, 1), seg(2, 3)}},
		"crlf and blank": {strings.ReplaceAll(rec(0, 0, 1)+"\n"+hexEnd, "\n", "\r\n"), 0, []flash.Segment{seg(0, 1)}},
		"lower case":     {strings.ToLower(rec(0, 0, 0xAB)) + hexEnd, 0, []flash.Segment{seg(0, 0xAB)}},
		"no last newline": {strings.TrimSpace(rec(0, 0, 1) + hexEnd), 0,
			[]flash.Segment{seg(0, 1)}},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := flash.ReadHex([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if m.Entry != c.entry || !reflect.DeepEqual(m.Segments, c.want) {
				t.Errorf("entry %#x, segments %v, want %#x, %v", m.Entry, m.Segments, c.entry, c.want)
			}
			if m.SHA256 != sha256.Sum256([]byte(c.text)) {
				t.Error("digest is not the file's")
			}
		})
	}
}

// A record carries 32 bytes at most and does not cross 64 KB, where the base changes.
func TestAppendHex(t *testing.T) {
	want := []flash.Segment{{Addr: 0x0800_0000, Data: rawProgram}, {Addr: 0x0800_FFF0, Data: bytes.Repeat([]byte{0xA5}, 40)}}
	text := flash.AppendHex(nil, want)
	if lines := bytes.Count(text, []byte("\n")); lines != 7 { // three bases, one record and two, the end
		t.Errorf("%d records:\n%s", lines, text)
	}
	m, err := flash.Read(text, stm32f407(t))
	if err != nil || !reflect.DeepEqual(m.Segments, want) {
		t.Errorf("got %+v, %v", m, err)
	}
}

func TestReadHexErrors(t *testing.T) {
	good := rec(0, 0, 1, 2)
	for name, c := range map[string]struct {
		text string
		want string
	}{
		"checksum":      {good + ":0100000001FD\n", "line 2: checksum is 0xfd, want 0xfe"},
		"length":        {":0200000001FD\n", "line 1: record has 6 bytes, its length field says 7"},
		"short":         {":00\n", "line 1: record of 1 bytes is shorter than any"},
		"no colon":      {good + "hello\n", "line 2: record does not begin with a colon"},
		"odd digits":    {":0000000\n", "line 1: encoding/hex: odd length hex string"},
		"bad digit":     {":0G\n", "line 1: encoding/hex: invalid byte"},
		"unknown type":  {rec(6, 0), "line 1: record type 06 is not one of 00 to 05"},
		"base length":   {rec(4, 0, 1), "line 1: record of type 04 carries 1 bytes, want 2"},
		"end length":    {rec(1, 0, 1), "line 1: record of type 01 carries 1 bytes, want 0"},
		"start length":  {rec(5, 0, 1), "line 1: record of type 05 carries 1 bytes, want 4"},
		"cut short":     {good, "line 1: file ends without an end record"},
		"after the end": {hexEnd + good, "line 2: record after the end record"},
		"no data":       {hexEnd, "image holds no data"},
		"overlap":       {good + rec(0, 1, 9) + hexEnd, "segments 0x00000000-0x00000001 and 0x00000001-0x00000001 overlap"},
		"past the end":  {rec(4, 0, 0xFF, 0xFF) + rec(0, 0xFFFF, 1, 2) + hexEnd, "line 2: data at 0xffffffff passes the end of memory"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := flash.ReadHex([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// program is a program header for makeELF.
type program struct {
	kind         elf.ProgType
	vaddr, paddr uint32
	data         []byte
	memSize      uint32
}

const elfHeader, elfProgram = 52, 32 // sizes, ELF specification 1.2

func makeELF(machine elf.Machine, kind elf.Type, entry uint32, programs ...program) []byte {
	var b bytes.Buffer
	b.WriteString("\x7fELF\x01\x01\x01" + strings.Repeat("\x00", 9))
	put := func(v ...any) {
		for _, v := range v {
			_ = binary.Write(&b, binary.LittleEndian, v) // a Buffer takes all
		}
	}
	put(uint16(kind), uint16(machine), uint32(1), entry, uint32(elfHeader), uint32(0), uint32(0),
		uint16(elfHeader), uint16(elfProgram), uint16(len(programs)), uint16(40), uint16(0), uint16(0))
	off := uint32(elfHeader + elfProgram*len(programs))
	for _, p := range programs {
		put(uint32(p.kind), off, p.vaddr, p.paddr, uint32(len(p.data)), p.memSize, uint32(5), uint32(1))
		off += uint32(len(p.data))
	}
	for _, p := range programs {
		b.Write(p.data)
	}
	return b.Bytes()
}

func stm32f407(t testing.TB) flash.Part {
	p, err := flash.PartOf("stm32f407")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestReadELF has the usual program: code in flash, .data that lies in flash and
// runs in RAM, .bss that lies nowhere.
func TestReadELF(t *testing.T) {
	file := makeELF(elf.EM_ARM, elf.ET_EXEC, 0x0800_0101,
		program{elf.PT_LOAD, 0x2000_0000, 0x0800_0200, []byte{4, 5}, 2},
		program{elf.PT_LOAD, 0x0800_0000, 0x0800_0000, []byte{1, 2, 3}, 3},
		program{elf.PT_LOAD, 0x2000_1000, 0x2000_1000, nil, 4096},
		program{elf.PT_NOTE, 0, 0, []byte{9}, 1})
	m, err := flash.Read(file, stm32f407(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []flash.Segment{{Addr: 0x0800_0000, Data: []byte{1, 2, 3}}, {Addr: 0x0800_0200, Data: []byte{4, 5}}}
	if !reflect.DeepEqual(m.Segments, want) {
		t.Errorf("segments are %v, want %v", m.Segments, want)
	}
	if m.Entry != 0x0800_0000 {
		t.Errorf("entry is %#x, want the vector table's address", m.Entry)
	}
}

func TestReadELFErrors(t *testing.T) {
	part := stm32f407(t)
	load := program{elf.PT_LOAD, 0x0800_0000, 0x0800_0000, []byte{1, 2, 3}, 3}
	good := makeELF(elf.EM_ARM, elf.ET_EXEC, 0, load)
	huge := bytes.Clone(good)
	binary.LittleEndian.PutUint32(huge[elfHeader+16:], 1<<31) // p_filesz
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"machine":   {makeELF(elf.EM_RISCV, elf.ET_EXEC, 0, load), "image is for EM_RISCV (ELFCLASS32), the stm32f407 takes EM_ARM"},
		"object":    {makeELF(elf.EM_ARM, elf.ET_REL, 0, load), "file is ET_REL"},
		"empty":     {makeELF(elf.EM_ARM, elf.ET_EXEC, 0), "image holds no data"},
		"cut short": {good[:elfHeader-2], "read ELF image"},
		"no data":   {good[:len(good)-1], "reaches past the end of the file"},
		"huge":      {huge, "reaches past the end of the file"},
		"overlap":   {makeELF(elf.EM_ARM, elf.ET_EXEC, 0, load, load), "overlap"},
		"in RAM": {makeELF(elf.EM_ARM, elf.ET_EXEC, 0, program{elf.PT_LOAD, 0, 0x2000_0000, []byte{1}, 1}),
			"outside the stm32f407's memory"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := flash.Read(c.file, part); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestSniff(t *testing.T) {
	for data, want := range map[string]flash.Format{
		"\x7fELF\x01": flash.ELF, "\x7fEL": flash.Bin, "": flash.Bin,
		rec(0, 0, 1): flash.Hex, "\r\n" + hexEnd: flash.Hex,
		":hello\n":                         flash.Bin,
		"\x00\x00\x02\x20\x01\x01\x00\x08": flash.Bin,
	} {
		if got := flash.Sniff([]byte(data)); got != want {
			t.Errorf("%q is %v, want %v", data, got, want)
		}
	}
}

// rawProgram is the least that begins like a program: stack, reset vector, code.
var rawProgram = []byte{0, 0, 2, 0x20, 9, 0, 0, 8, 0, 0xBF}

func TestReadBin(t *testing.T) {
	m, err := flash.Read(rawProgram, stm32f407(t))
	want := []flash.Segment{{Addr: 0x0800_0000, Data: rawProgram}}
	if err != nil || m.Entry != 0x0800_0000 || !reflect.DeepEqual(m.Segments, want) {
		t.Errorf("got %+v, %v", m, err)
	}
	if _, err := flash.ReadBin(nil, 0); err == nil {
		t.Error("an empty file is an image")
	}
	if _, err := flash.ReadBin(make([]byte, 2), 1<<32-1); err == nil {
		t.Error("an image may pass the end of memory")
	}
	if e := (*flash.RangeError)(nil); !errors.As(second(flash.Read(make([]byte, 1<<20+1), stm32f407(t))), &e) {
		t.Error("an image may be larger than the flash")
	}
}

func TestReadRefusesWhatIsNoProgram(t *testing.T) {
	for name, c := range map[string]struct{ file, want string }{
		"short":     {"\x00\x00\x02\x20\x01\x00\x00", "7 bytes are no program for the stm32f407"},
		"text":      {"# Rigor\nmeasures", "its reset vector is 0x0a726f67"},
		"outside":   {"\x00\x00\x02\x20\x0b\x00\x00\x08\x00\xbf", "its reset vector is 0x0800000b"},
		"not Thumb": {"\x00\x00\x02\x20\x08\x00\x00\x08\x00\xbf", "its reset vector is 0x08000008"},
	} {
		if _, err := flash.Read([]byte(c.file), stm32f407(t)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func second(_ *flash.Image, err error) error { return err }

// checkImage is what holds of every image: sorted, no overlaps, in 32 bits.
func checkImage(t *testing.T, m *flash.Image) {
	if len(m.Segments) == 0 || m.Size() == 0 {
		t.Fatal("image without data")
	}
	next := uint64(0)
	for i, s := range m.Segments {
		if len(s.Data) == 0 || (i > 0 && uint64(s.Addr) <= next) {
			t.Fatalf("segment %d at %#x of %d bytes, the last ended at %#x", i, s.Addr, len(s.Data), next)
		}
		next = uint64(s.Addr) + uint64(len(s.Data))
	}
	if next > 1<<32 {
		t.Fatalf("image ends at %#x", next)
	}
}

func FuzzReadHex(f *testing.F) {
	f.Add([]byte(rec(4, 0, 8, 0) + rec(0, 0xFFF0, 1, 2, 3) + rec(5, 0, 1, 2, 3, 4) + hexEnd))
	f.Add([]byte(rec(2, 0, 0xFF, 0xFF) + rec(0, 0xFFFF, 1, 2, 3) + rec(3, 0, 1, 2, 3, 4) + hexEnd))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := flash.ReadHex(data)
		if err != nil {
			return
		}
		checkImage(t, m)
		if again, err := flash.ReadHex(flash.AppendHex(nil, m.Segments)); err != nil || !reflect.DeepEqual(again.Segments, m.Segments) {
			t.Errorf("written and read again: %v, %v, want %v", again, err, m.Segments)
		}
	})
}

func FuzzReadELF(f *testing.F) {
	f.Add(makeELF(elf.EM_ARM, elf.ET_EXEC, 0x0800_0101, program{elf.PT_LOAD, 0, 0x0800_0000, []byte{1, 2, 3}, 3}))
	f.Add(makeELF(elf.EM_ARM, elf.ET_EXEC, 0, program{elf.PT_LOAD, 0, 1<<32 - 1, []byte{1}, 1}))
	part := stm32f407(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if m, err := flash.ReadELF(data, part); err == nil {
			checkImage(t, m)
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(rec(4, 0, 8, 0) + rec(0, 0, 1) + hexEnd))
	f.Add([]byte("\x7fELF"))
	f.Add(rawProgram)
	part := stm32f407(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if m, err := flash.Read(data, part); err == nil {
			checkImage(t, m)
		}
	})
}
