package flash

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
)

// Segment is a run of bytes at an address of the target.
type Segment struct {
	Addr uint32
	Data []byte
}

// end is one past the segment's last byte; it may be 1 << 32.
func (s Segment) end() uint64 { return uint64(s.Addr) + uint64(len(s.Data)) }

func (s Segment) span() Span { return Span{s.Addr, uint32(len(s.Data))} }

func (s Span) String() string {
	if s.Size == 0 {
		return fmt.Sprintf("%#08x (empty)", s.Addr)
	}
	return fmt.Sprintf("%#08x-%#08x", s.Addr, uint64(s.Addr)+uint64(s.Size)-1)
}

// Image is a program as it lies in the target's memory.
type Image struct {
	Segments []Segment // by address; none empty, none overlapping or touching
	Entry    uint32    // what Loader.Run takes
	SHA256   [32]byte  // of the file the image was read from
}

// Size is the number of bytes in all segments.
func (m *Image) Size() int {
	n := 0
	for _, s := range m.Segments {
		n += len(s.Data)
	}
	return n
}

// Format is an image file's format.
type Format uint8

const (
	Bin Format = iota // raw bytes
	Hex               // Intel hex
	ELF
)

func (f Format) String() string { return [...]string{"bin", "hex", "elf"}[f] }

// Sniff tells the format by content: ELF by its magic, Intel hex if the first
// line is a whole record; all else is raw.
func Sniff(data []byte) Format {
	if bytes.HasPrefix(data, []byte("\x7fELF")) {
		return ELF
	}
	line, _, _ := bytes.Cut(bytes.TrimLeft(data, "\r\n\t "), []byte("\n"))
	if _, err := parseRecord(bytes.TrimSpace(line)); err == nil {
		return Hex
	}
	return Bin
}

// Read reads an image for a part, in any format; a raw binary goes to the
// beginning of the part's first region. Since any file may be one, it must
// begin like a program of the part.
func Read(data []byte, p Part) (*Image, error) {
	var m *Image
	var err error
	switch f := Sniff(data); f {
	case ELF:
		m, err = ReadELF(data, p)
	case Hex:
		m, err = ReadHex(data)
	default:
		m, err = p.readRaw(data)
	}
	if err != nil {
		return nil, err
	}
	if p.Vectors || p.ROMImage != nil {
		m.Entry = m.Segments[0].Addr
	}
	if err := p.Check(m); err != nil || Sniff(data) != Bin {
		return m, err
	}
	return m, p.checkRaw(m)
}

// ReadBin makes an image of raw bytes at an address.
func ReadBin(data []byte, base uint32) (*Image, error) {
	m, err := newImage(data, []Segment{{base, bytes.Clone(data)}}, base)
	if err != nil {
		return nil, fmt.Errorf("read binary image: %w", err)
	}
	return m, nil
}

// newImage sorts the segments, refuses overlaps and joins what touches.
func newImage(file []byte, segments []Segment, entry uint32) (*Image, error) {
	segments = slices.DeleteFunc(segments, func(s Segment) bool { return len(s.Data) == 0 })
	if len(segments) == 0 {
		return nil, errors.New("image holds no data")
	}
	slices.SortStableFunc(segments, func(a, b Segment) int { return cmp.Compare(a.Addr, b.Addr) })
	joined := segments[:1]
	for _, s := range segments {
		if s.end() > 1<<32 {
			return nil, fmt.Errorf("segment at %#08x of %d bytes passes the end of memory", s.Addr, len(s.Data))
		}
	}
	for _, s := range segments[1:] {
		last := &joined[len(joined)-1]
		switch {
		case uint64(s.Addr) < last.end():
			return nil, &OverlapError{last.span(), s.span()}
		case uint64(s.Addr) == last.end():
			last.Data = append(last.Data, s.Data...)
		default:
			joined = append(joined, s)
		}
	}
	return &Image{Segments: joined, Entry: entry, SHA256: sha256.Sum256(file)}, nil
}

// OverlapError is an image that gives some address two values.
type OverlapError struct{ A, B Span }

func (e *OverlapError) Error() string { return fmt.Sprintf("segments %v and %v overlap", e.A, e.B) }
