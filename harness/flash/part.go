package flash

import (
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Region is a named range of a part's memory that an image may occupy.
type Region struct {
	Name string
	Span
}

func (r Region) String() string {
	return fmt.Sprintf("%s %#08x-%#08x", r.Name, r.Addr, r.Addr+(r.Size-1))
}

// Part says what an image for a chip must look like.
type Part struct {
	Chip    string // stm32f407, esp32c3 or k210
	Machine elf.Machine
	Class   elf.Class
	// Memory is what can be programmed; a raw binary goes to the first region.
	Memory []Region
	// Vectors says that a program starts through a vector table at the
	// beginning of the image, so that Image.Entry is the table's address.
	Vectors bool
	// ROMImage is the format of the image that the first region begins with and the
	// chip's ROM loads; a program is made one. Nil: there is none.
	ROMImage *ROMFormat
	// SlotRAM is where in memory a boot program puts the image of a slot and enters
	// it, see SlotImage. 0: it runs from flash.
	SlotRAM uint32
}

// ROMFormat is how a chip's ROM wants a program in flash.
type ROMFormat struct {
	of    func(f *elf.File, file []byte, base uint32) (*Image, error)
	check func(image []byte) error
	// raw makes an image of what the chip's tools take for a program without one, and leaves
	// other files alone. Nil: they take images.
	raw func(file []byte) []byte
}

var parts = map[string]Part{
	// RM0090 rev 19 §3.3, table 5: the 1 MB part (xG).
	"stm32f407": {
		Chip:    "stm32f407",
		Machine: elf.EM_ARM,
		Class:   elf.ELFCLASS32,
		Memory:  []Region{{"flash", Span{0x0800_0000, 1 << 20}}},
		Vectors: true,
	},
	// Addresses are those in the flash chip; 16 MB is the largest that maps
	// (ESP32-C3 datasheet §3.1.3). Which is fitted, the loader finds out.
	"esp32c3": {
		Chip:     "esp32c3",
		Machine:  elf.EM_RISCV,
		Class:    elf.ELFCLASS32,
		Memory:   []Region{{"flash", Span{0, 16 << 20}}},
		ROMImage: &ROMFormat{of: romImageOf, check: checkROMImage},
	},
	// Addresses are those in the flash chip, too; which is fitted, the flasher finds out.
	"k210": {
		Chip:     "k210",
		Machine:  elf.EM_RISCV,
		Class:    elf.ELFCLASS64,
		Memory:   []Region{{"flash", Span{0, 16 << 20}}},
		ROMImage: &ROMFormat{k210ImageOf, checkK210Image, k210Raw},
		SlotRAM:  0x8010_0000,
	},
}

// PartOf gives the part of a chip's name.
func PartOf(chip string) (Part, error) {
	if p, ok := parts[chip]; ok {
		return p, nil
	}
	known := strings.Join(slices.Sorted(maps.Keys(parts)), ", ")
	return Part{}, fmt.Errorf("chip %q is not known to flash (known: %s)", chip, known)
}

// Check returns a *RangeError for the first segment that does not lie wholly in
// one of the part's regions.
func (p Part) Check(m *Image) error {
	for _, s := range m.Segments {
		if !slices.ContainsFunc(p.Memory, func(r Region) bool { return r.holds(s) }) {
			return &RangeError{Part: p, Segment: s.span()}
		}
	}
	return nil
}

// readRaw reads a raw file.
func (p Part) readRaw(file []byte) (*Image, error) {
	data := file
	if p.ROMImage != nil && p.ROMImage.raw != nil {
		data = p.ROMImage.raw(file)
	}
	m, err := ReadBin(data, p.Memory[0].Addr)
	if err == nil {
		m.SHA256 = sha256.Sum256(file)
	}
	return m, err
}

// checkRaw refuses a raw file that cannot be a program.
func (p Part) checkRaw(m *Image) error {
	switch {
	case p.Vectors:
		return p.checkVectors(m.Segments[0])
	case p.ROMImage != nil:
		if err := p.ROMImage.check(m.Segments[0].Data); err != nil {
			return fmt.Errorf("the file is neither ELF nor Intel hex, and as a raw binary it is no image for the %s's ROM: %w", p.Chip, err)
		}
	}
	return nil
}

// checkVectors: the reset vector of a Cortex-M points into its program, with the
// Thumb bit set (DDI0403E B1.5.3).
func (p Part) checkVectors(s Segment) error {
	if len(s.Data) < 8 {
		return fmt.Errorf("%d bytes are no program for the %s: a vector table takes 8 at least", len(s.Data), p.Chip)
	}
	reset := binary.LittleEndian.Uint32(s.Data[4:])
	if entry := uint64(reset &^ 1); reset&1 == 0 || entry < uint64(s.Addr) || entry >= s.end() {
		return fmt.Errorf("the file is neither ELF nor Intel hex, and as a raw binary for %#08x it is no program for the %s: "+
			"its reset vector is %#08x", s.Addr, p.Chip, reset)
	}
	return nil
}

func (r Region) holds(s Segment) bool {
	return s.Addr >= r.Addr && s.end() <= uint64(r.Addr)+uint64(r.Size)
}

// RangeError is an image that does not fit the part's memory.
type RangeError struct {
	Part    Part
	Segment Span
}

func (e *RangeError) Error() string {
	var memory []string
	for _, r := range e.Part.Memory {
		memory = append(memory, r.String())
	}
	return fmt.Sprintf("segment %v lies outside the %s's memory (%s)",
		e.Segment, e.Part.Chip, strings.Join(memory, ", "))
}
