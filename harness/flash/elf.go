package flash

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
)

// MachineError is an ELF file for another kind of processor.
type MachineError struct {
	Chip      string
	Got, Want elf.Machine
	GotClass  elf.Class
	WantClass elf.Class
}

func (e *MachineError) Error() string {
	return fmt.Sprintf("image is for %v (%v), the %s takes %v (%v)", e.Got, e.GotClass, e.Chip, e.Want, e.WantClass)
}

// ReadELF takes the loadable program headers of an executable by their physical
// addresses, which is where a loader puts them, or makes of its sections the image
// that the part's ROM wants. Bytes that exist in memory only (.bss) are not part of
// it.
func ReadELF(data []byte, p Part) (*Image, error) {
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read ELF image: %w", err)
	}
	defer f.Close()
	m, err := fromELF(f, data, p)
	if err != nil {
		return nil, fmt.Errorf("read ELF image: %w", err)
	}
	return m, nil
}

func fromELF(f *elf.File, data []byte, p Part) (*Image, error) {
	if err := p.checkELF(f); err != nil {
		return nil, err
	}
	if p.ROMImage != nil {
		return p.ROMImage.of(f, data, p.Memory[0].Addr)
	}
	segments, err := loadSegments(f, len(data))
	if err != nil {
		return nil, err
	}
	return newImage(data, segments, uint32(f.Entry))
}

// checkELF refuses what is no linked program for the part.
func (p Part) checkELF(f *elf.File) error {
	if f.Machine != p.Machine || f.Class != p.Class {
		return &MachineError{p.Chip, f.Machine, p.Machine, f.Class, p.Class}
	}
	if f.Type != elf.ET_EXEC {
		return fmt.Errorf("file is %v, want a linked program (%v)", f.Type, elf.ET_EXEC)
	}
	if f.Entry > 1<<32-1 {
		return fmt.Errorf("entry %#x does not fit 32 bits", f.Entry)
	}
	return nil
}

// loadSegments reads the bytes of all loadable headers.
func loadSegments(f *elf.File, fileSize int) ([]Segment, error) {
	var segments []Segment
	for _, h := range f.Progs {
		if h.Type != elf.PT_LOAD || h.Filesz == 0 {
			continue
		}
		s, err := segmentOf(h, fileSize)
		if err != nil {
			return nil, err
		}
		segments = append(segments, s)
	}
	return segments, nil
}

// segmentOf reads a header's bytes. Its size is checked against the file's
// first, since the header of a damaged file may ask for any amount.
func segmentOf(h *elf.Prog, fileSize int) (Segment, error) {
	if h.Filesz > uint64(fileSize) || h.Off > uint64(fileSize)-h.Filesz {
		return Segment{}, fmt.Errorf("program header at %#x reaches past the end of the file", h.Paddr)
	}
	if h.Paddr > 1<<32-1 || h.Paddr+h.Filesz > 1<<32 {
		return Segment{}, fmt.Errorf("program header at %#x passes the end of memory", h.Paddr)
	}
	s := Segment{uint32(h.Paddr), make([]byte, h.Filesz)}
	if _, err := io.ReadFull(h.Open(), s.Data); err != nil {
		return Segment{}, fmt.Errorf("program header at %#x: %w", h.Paddr, err)
	}
	return s, nil
}
