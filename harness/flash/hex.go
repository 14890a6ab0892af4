package flash

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
)

// Record types of Intel's "Hexadecimal Object File Format Specification",
// revision A, 1988.
const (
	recData         = 0x00
	recEOF          = 0x01
	recSegmentBase  = 0x02 // extended segment address
	recStartSegment = 0x03
	recLinearBase   = 0x04 // extended linear address
	recStartLinear  = 0x05
	recordOverhead  = 5 // length, offset (2), type, checksum
	segmentWrap     = 1 << 16
	paragraph       = 16
)

// record is one line of an Intel hex file.
type record struct {
	offset uint16
	kind   byte
	data   []byte
}

func parseRecord(line []byte) (record, error) {
	if len(line) == 0 || line[0] != ':' {
		return record{}, errors.New("record does not begin with a colon")
	}
	raw := make([]byte, hex.DecodedLen(len(line)-1))
	if _, err := hex.Decode(raw, line[1:]); err != nil {
		return record{}, err
	}
	if len(raw) < recordOverhead {
		return record{}, fmt.Errorf("record of %d bytes is shorter than any", len(raw))
	}
	if want := int(raw[0]) + recordOverhead; len(raw) != want {
		return record{}, fmt.Errorf("record has %d bytes, its length field says %d", len(raw), want)
	}
	var sum byte
	for _, b := range raw {
		sum += b
	}
	if last := raw[len(raw)-1]; sum != 0 {
		return record{}, fmt.Errorf("checksum is %#02x, want %#02x", last, last-sum)
	}
	return record{binary.BigEndian.Uint16(raw[1:]), raw[3], raw[4 : len(raw)-1]}, nil
}

// HexError is a bad line of an Intel hex file.
type HexError struct {
	Line int
	Err  error
}

func (e *HexError) Error() string { return fmt.Sprintf("read hex image: line %d: %v", e.Line, e.Err) }
func (e *HexError) Unwrap() error { return e.Err }

// hexReader is the state that records change for those that follow.
type hexReader struct {
	base      uint32
	segmented bool // base came from a segment record: offsets wrap at 64 KB
	segments  []Segment
	entry     uint32
	hasEntry  bool
	ended     bool
}

// ReadHex reads an Intel hex image with any of the record types 00 to 05.
// Errors in the text are *HexError. Without a start record the entry is the
// lowest address.
func ReadHex(data []byte) (*Image, error) {
	var r hexReader
	n := 0
	for line := range bytes.Lines(data) {
		n++
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if err := r.line(line); err != nil {
			return nil, &HexError{n, err}
		}
	}
	if !r.ended {
		return nil, &HexError{n, errors.New("file ends without an end record: it was cut short")}
	}
	m, err := newImage(data, r.segments, r.entry)
	if err != nil {
		return nil, fmt.Errorf("read hex image: %w", err)
	}
	if !r.hasEntry {
		m.Entry = m.Segments[0].Addr
	}
	return m, nil
}

func (r *hexReader) line(line []byte) error {
	rec, err := parseRecord(line)
	if err != nil {
		return err
	}
	if r.ended {
		return errors.New("record after the end record")
	}
	if want := payloadOf(rec.kind); want >= 0 && len(rec.data) != want {
		return fmt.Errorf("record of type %02x carries %d bytes, want %d", rec.kind, len(rec.data), want)
	}
	return r.apply(rec)
}

// payloadOf is the length a record type demands; -1 means any.
func payloadOf(kind byte) int {
	switch kind {
	case recEOF:
		return 0
	case recSegmentBase, recLinearBase:
		return 2
	case recStartSegment, recStartLinear:
		return 4
	}
	return -1
}

func (r *hexReader) apply(rec record) error {
	switch rec.kind {
	case recData:
		return r.data(rec)
	case recEOF:
		r.ended = true
	case recSegmentBase:
		r.base, r.segmented = paragraph*uint32(binary.BigEndian.Uint16(rec.data)), true
	case recLinearBase:
		r.base, r.segmented = uint32(binary.BigEndian.Uint16(rec.data))<<16, false
	case recStartSegment: // CS:IP
		cs, ip := binary.BigEndian.Uint16(rec.data), binary.BigEndian.Uint16(rec.data[2:])
		r.entry, r.hasEntry = paragraph*uint32(cs)+uint32(ip), true
	case recStartLinear:
		r.entry, r.hasEntry = binary.BigEndian.Uint32(rec.data), true
	default:
		return fmt.Errorf("record type %02x is not one of 00 to 05", rec.kind)
	}
	return nil
}

// data places a record's bytes. With a linear base the address runs on past
// 64 KB; with a segment base the offset wraps inside the segment.
func (r *hexReader) data(rec record) error {
	addr := r.base + uint32(rec.offset)
	room := segmentWrap - int(rec.offset)
	if r.segmented && len(rec.data) > room {
		r.add(addr, rec.data[:room])
		r.add(r.base, rec.data[room:])
		return nil
	}
	if uint64(addr)+uint64(len(rec.data)) > 1<<32 {
		return fmt.Errorf("data at %#08x passes the end of memory", addr)
	}
	r.add(addr, rec.data)
	return nil
}

// add extends the last segment where it can: files are mostly in order.
func (r *hexReader) add(addr uint32, p []byte) {
	if n := len(r.segments); n > 0 && r.segments[n-1].end() == uint64(addr) {
		r.segments[n-1].Data = append(r.segments[n-1].Data, p...)
		return
	}
	r.segments = append(r.segments, Segment{addr, bytes.Clone(p)})
}

// hexLine is how many bytes a record of AppendHex carries.
const hexLine = 32

// AppendHex appends the segments as Intel hex that ReadHex reads: records of linear
// addresses, in the order given.
func AppendHex(dst []byte, segments []Segment) []byte {
	for _, s := range segments {
		dst = appendBase(dst, s.Addr)
		for addr, rest := s.Addr, s.Data; len(rest) > 0; {
			if addr != s.Addr && addr%segmentWrap == 0 {
				dst = appendBase(dst, addr)
			}
			n := min(len(rest), int(hexLine-addr%hexLine)) // so that none crosses 64 KB
			dst = appendRecord(dst, record{uint16(addr), recData, rest[:n]})
			addr, rest = addr+uint32(n), rest[n:]
		}
	}
	return appendRecord(dst, record{kind: recEOF})
}

func appendBase(dst []byte, addr uint32) []byte {
	return appendRecord(dst, record{kind: recLinearBase, data: []byte{byte(addr >> 24), byte(addr >> 16)}})
}

func appendRecord(dst []byte, r record) []byte {
	raw := append([]byte{byte(len(r.data)), byte(r.offset >> 8), byte(r.offset), r.kind}, r.data...)
	var sum byte
	for _, b := range raw {
		sum -= b
	}
	return fmt.Appendf(dst, ":%X\n", append(raw, sum))
}
