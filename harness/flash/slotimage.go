package flash

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
)

// SlotImage is what of a program an update system puts into a slot of flash, behind its
// manifest, and what the manifest's digest is of:
//
//   - stm32f407: the bytes from the program's first address, at which they must come to lie;
//   - esp32c3: the ROM's image of it, for any multiple of 64 KB;
//   - k210: the bytes from its first address, to which the boot program copies them from wherever
//     they lie: Part.SlotRAM.
//
// What lies between a program's segments is zero, as objcopy has it, and so is what makes the
// length a multiple of 4. The segment's address is where the processor sees the image; that of an
// esp32c3 is 0.
func SlotImage(file []byte, p Part) (Segment, error) {
	f, err := elf.NewFile(bytes.NewReader(file))
	if err != nil {
		return Segment{}, fmt.Errorf("read ELF image: %w", err)
	}
	defer f.Close()
	s, err := slotImage(f, file, p)
	if err != nil {
		return Segment{}, fmt.Errorf("image for a slot: %w", err)
	}
	return s, nil
}

func slotImage(f *elf.File, file []byte, p Part) (Segment, error) {
	if err := p.checkELF(f); err != nil {
		return Segment{}, err
	}
	if p.ROMImage != nil && p.SlotRAM == 0 {
		m, err := p.ROMImage.of(f, file, p.Memory[0].Addr)
		if err != nil {
			return Segment{}, err
		}
		return m.Segments[0], nil
	}
	s, err := flat(f, file)
	if err != nil {
		return Segment{}, err
	}
	if p.SlotRAM != 0 && (s.Addr != p.SlotRAM || f.Entry != uint64(p.SlotRAM)) {
		return Segment{}, fmt.Errorf("program begins at %#08x and is entered at %#08x, a boot program expects both at %#08x", s.Addr, f.Entry, p.SlotRAM)
	}
	return s, nil
}

// flatMost is more than any slot holds.
const flatMost = 16 << 20

// flat is a program's bytes from its first address on.
func flat(f *elf.File, file []byte) (Segment, error) {
	segments, err := loadSegments(f, len(file))
	if err != nil {
		return Segment{}, err
	}
	m, err := newImage(file, segments, 0)
	if err != nil {
		return Segment{}, err
	}
	first, last := m.Segments[0], m.Segments[len(m.Segments)-1]
	if last.end()-uint64(first.Addr) > flatMost {
		return Segment{}, errors.New("its segments lie too far apart")
	}
	data := make([]byte, (last.end()-uint64(first.Addr)+3)&^3)
	for _, s := range m.Segments {
		copy(data[s.Addr-first.Addr:], s.Data)
	}
	return Segment{first.Addr, data}, nil
}
