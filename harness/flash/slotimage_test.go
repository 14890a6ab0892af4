package flash_test

import (
	"debug/elf"
	"strings"
	"testing"

	"rigor/harness/flash"
)

// The wanted bytes are put together from what SlotImage says.
func TestSlotImage(t *testing.T) {
	code := []byte{0, 0x10, 0, 0x20, 9, 2, 8, 8}
	for _, tt := range []struct {
		chip string
		file []byte
		addr uint32
		want string
	}{
		{"stm32f407", makeELF(elf.EM_ARM, elf.ET_EXEC, 0x0802_0208,
			program{elf.PT_LOAD, 0x0802_0200, 0x0802_0200, code, 8},
			program{elf.PT_LOAD, 0x2000_0000, 0x0802_020C, []byte{7}, 64},
		), 0x0802_0200, string(code) + "\x00\x00\x00\x00\x07\x00\x00\x00"},
		{"k210", makeELF64(0x8010_0000,
			program{elf.PT_LOAD, 0x8010_0000, 0x8010_0000, code, 8},
			program{elf.PT_LOAD, 0x8010_0020, 0x8010_000A, []byte{7, 8}, 64},
		), 0x8010_0000, string(code) + "\x00\x00\x07\x08"},
		{"esp32c3", romProgram, 0, string(hashed(wantROMImage))},
	} {
		s, err := flash.SlotImage(tt.file, partOf(t, tt.chip))
		if err != nil || s.Addr != tt.addr || string(s.Data) != tt.want {
			t.Errorf("%s: %#x: % X, %v; want %#x: % X", tt.chip, s.Addr, s.Data, err, tt.addr, tt.want)
		}
	}
}

func TestSlotImageErrors(t *testing.T) {
	code := []byte{1, 2, 3, 4}
	for _, tt := range []struct {
		name, chip, want string
		file             []byte
	}{
		{"no ELF", "k210", "read ELF", code},
		{"another chip's", "stm32f407", "the stm32f407 takes", k210Program},
		{"linked for the ROM", "k210", "expects both at 0x80100000", k210Program},
		{"entered elsewhere", "k210", "entered at 0x80100004", makeELF64(0x8010_0004, program{elf.PT_LOAD, 0x8010_0000, 0x8010_0000, code, 4})},
		{"empty", "k210", "no data", makeELF64(0x8010_0000)},
		{"far apart", "k210", "too far apart", makeELF64(0x8010_0000,
			program{elf.PT_LOAD, 0x8010_0000, 0x8010_0000, code, 4}, program{elf.PT_LOAD, 0, 0xF000_0000, code, 4})},
	} {
		if _, err := flash.SlotImage(tt.file, partOf(t, tt.chip)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func partOf(t *testing.T, chip string) flash.Part {
	t.Helper()
	p, err := flash.PartOf(chip)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func FuzzSlotImage(f *testing.F) {
	f.Add(makeELF64(0x8010_0000, program{elf.PT_LOAD, 0x8010_0000, 0x8010_0000, []byte{1, 2, 3}, 3}))
	f.Add(k210Program)
	part := k210(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := flash.SlotImage(data, part); err == nil && (s.Addr != part.SlotRAM || len(s.Data)%4 != 0 || len(s.Data) == 0) {
			t.Errorf("%#x and %d bytes", s.Addr, len(s.Data))
		}
	})
}
