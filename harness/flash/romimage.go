package flash

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// What follows is Espressif's "Firmware Image Format" (esptool documentation 5.x,
// ESP32-C3 pages): header, extended header, segments with their addresses in
// memory, a checksum that ends 16 bytes, and SHA-256 of all before it.

// romHeader is the header and the extended one.
type romHeader struct {
	Magic       byte
	Segments    byte
	SPIMode     byte
	SizeFreq    byte // flash size in the high nibble, its clock in the low one
	Entry       uint32
	WPPin       byte
	DriveSelect [3]byte
	ChipID      uint16
	MinRev      byte
	MinRevFull  uint16
	MaxRevFull  uint16
	_           [4]byte
	Hashed      byte
}

const (
	romMagic      = 0xE9
	romHeaderSize = 24
	romChipID     = 5    // ESP32-C3
	romDIO        = 2    // dual I/O
	romFreqSize   = 0x2F // 4 MB at 80 MHz, as on Espressif's module with 4 MB
	romNoWPPin    = 0xEE
	romMaxRev     = 0xFFFF // any
	// romMaxSegments is what the ROM takes.
	romMaxSegments = 16
	// mappedPage is the unit in which flash is mapped into memory.
	mappedPage = 64 << 10
)

// mapped are the addresses at which flash is seen, and not copied to by the ROM:
// for data and for instructions (TRM table "Address mapping").
var mapped = []Region{
	{"DROM", Span{0x3C00_0000, 8 << 20}},
	{"IROM", Span{0x4200_0000, 8 << 20}},
}

// romImageOf makes the image of the sections that hold bytes, by address. Those
// that are linked to where flash is mapped must come to lie there: such a program
// maps its flash itself, page by page.
func romImageOf(f *elf.File, file []byte, base uint32) (*Image, error) {
	sections, err := loadedSections(f, len(file))
	if err != nil {
		return nil, err
	}
	if len(sections) == 0 || len(sections) > romMaxSegments {
		return nil, fmt.Errorf("program has %d sections to load, want 1 to %d", len(sections), romMaxSegments)
	}
	h := romHeader{
		Magic: romMagic, Segments: byte(len(sections)), SPIMode: romDIO, SizeFreq: romFreqSize, Entry: uint32(f.Entry),
		WPPin: romNoWPPin, ChipID: romChipID, MaxRevFull: romMaxRev, Hashed: 1,
	}
	var out bytes.Buffer
	binary.Write(&out, binary.LittleEndian, h)
	sum := byte(0xEF)
	for _, s := range sections {
		binary.Write(&out, binary.LittleEndian, []uint32{s.Addr, uint32(len(s.Data))})
		if at := uint32(out.Len()); isMapped(s) && (s.Addr-at)%mappedPage != 0 {
			return nil, fmt.Errorf("section at %#08x comes to lie at %#x in flash: the two must be alike modulo %#x", s.Addr, at, mappedPage)
		}
		out.Write(s.Data)
		sum ^= xor(s.Data)
	}
	out.Write(make([]byte, 15-out.Len()%16))
	out.WriteByte(sum)
	hash := sha256.Sum256(out.Bytes())
	out.Write(hash[:])
	return newImage(file, []Segment{{base, out.Bytes()}}, base)
}

// loadedSections are those with bytes, filled up to whole words.
func loadedSections(f *elf.File, fileSize int) ([]Segment, error) {
	var out []Segment
	for _, s := range f.Sections {
		if s.Type != elf.SHT_PROGBITS || s.Flags&elf.SHF_ALLOC == 0 || s.Size == 0 {
			continue
		}
		if s.Size > uint64(fileSize) || s.Addr > 1<<32-1 {
			return nil, fmt.Errorf("section %s at %#x of %d bytes is not in the file", s.Name, s.Addr, s.Size)
		}
		data, err := s.Data()
		if err != nil {
			return nil, fmt.Errorf("section %s: %w", s.Name, err)
		}
		out = append(out, Segment{uint32(s.Addr), append(data, make([]byte, -len(data)&3)...)})
	}
	slices.SortStableFunc(out, func(a, b Segment) int { return cmp.Compare(a.Addr, b.Addr) })
	return out, nil
}

func isMapped(s Segment) bool {
	return slices.ContainsFunc(mapped, func(r Region) bool { return r.holds(s) })
}

func xor(p []byte) byte {
	var x byte
	for _, b := range p {
		x ^= b
	}
	return x
}

// checkROMImage refuses what the ROM of an ESP32-C3 would not start.
func checkROMImage(p []byte) error {
	var h romHeader
	if err := binary.Read(bytes.NewReader(p), binary.LittleEndian, &h); err != nil {
		return errors.New("it is shorter than a header")
	}
	switch {
	case h.Magic != romMagic:
		return fmt.Errorf("it begins with %#02x, not %#02x", h.Magic, romMagic)
	case h.ChipID != romChipID:
		return fmt.Errorf("it is for Espressif's chip %d, not %d", h.ChipID, romChipID)
	}
	end, sum, err := romSegments(p, int(h.Segments))
	if err != nil {
		return err
	}
	if p[end-1] != sum {
		return fmt.Errorf("its checksum is %#02x, its segments' %#02x", p[end-1], sum)
	}
	if h.Hashed == 0 {
		return nil
	}
	if want := sha256.Sum256(p[:end]); len(p) < end+len(want) || !bytes.Equal(p[end:end+len(want)], want[:]) {
		return errors.New("its SHA-256 is not that of what is before it")
	}
	return nil
}

// romSegments gives the end of the image without its hash, and the checksum.
func romSegments(p []byte, n int) (end int, sum byte, err error) {
	at, sum := romHeaderSize, byte(0xEF)
	for i := range n {
		if len(p)-at < 8 {
			return 0, 0, fmt.Errorf("it ends before segment %d of %d", i+1, n)
		}
		size := binary.LittleEndian.Uint32(p[at+4:])
		at += 8
		if uint64(size) > uint64(len(p)-at) {
			return 0, 0, fmt.Errorf("its segment %d of %d is of %d bytes, and %d are left", i+1, n, size, len(p)-at)
		}
		sum ^= xor(p[at : at+int(size)])
		at += int(size)
	}
	if end = at&^15 + 16; end > len(p) {
		return 0, 0, errors.New("it ends before its checksum")
	}
	return end, sum, nil
}
