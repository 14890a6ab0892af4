package ota

import (
	"io"

	"rigor/firmware/wire/ota"
)

// Pieces of a payload lie one after another in the staging area, each followed by the CRC-32
// of its bytes and its index. That word is written last and read first: where it is blank
// the piece is missing.

// pieceChecksum is never blank.
func pieceChecksum(p []byte, index uint32) uint32 {
	if crc := checksum(p, index); crc != blank {
		return crc
	}
	return 0
}

// pieces is how many pieces a payload has.
func pieces(size uint32) uint32 { return (size + ota.PieceSize - 1) / ota.PieceSize }

// stage is the staging area of one payload.
type stage struct {
	*Device
	size    uint32 // of the payload
	count   uint32 // of its pieces
	left    uint32 // pieces that are missing
	missing [ota.MaxPieces / 8]byte
	at      uint32 // of the next byte that Read gives
}

func (s *stage) offset(index uint32) uint32 { return s.Layout.Staging.Off + index*pageSize }

// open looks for the pieces of a payload that are there.
func (s *stage) open(size uint32) {
	s.size, s.count, s.left = size, pieces(size), 0
	clear(s.missing[:])
	for k := range s.count {
		if !s.holds(k) {
			s.missing[k/8] |= 1 << (k % 8)
			s.left++
		}
		s.yield()
	}
}

// erase erases what the payload's pieces take.
func (s *stage) erase(size uint32) Refusal {
	a := s.Layout.Staging
	return s.eraseArea(a.Off, pieces(size)*pageSize, a.Sector)
}

// eraseArea erases the sectors of which at least a part is meant.
func (d *Device) eraseArea(off, size, sector uint32) Refusal {
	for end := off + size; off < end; off += sector {
		if d.Flash.Erase(off, sector) != nil {
			return flashFault
		}
		d.yield()
	}
	return ok
}

// holds says whether a piece is there. It leaves it in page.
func (s *stage) holds(index uint32) bool {
	at := s.offset(index)
	s.Flash.Read(at+ota.PieceSize, s.page[:4])
	crc := le.Uint32(s.page[:])
	if crc == blank {
		return false
	}
	s.Flash.Read(at, s.page[:ota.PieceSize])
	return crc == pieceChecksum(s.page[:ota.PieceSize], index)
}

func (s *stage) isMissing(index uint32) bool { return s.missing[index/8]&(1<<(index%8)) != 0 }

// put writes a piece and says whether it can be read.
func (s *stage) put(index uint32, data []byte) bool {
	copy(s.page[:], data)
	le.PutUint32(s.page[ota.PieceSize:], pieceChecksum(data, index))
	if s.Flash.Program(s.offset(index), s.page[:]) != nil || !s.holds(index) {
		return false
	}
	s.missing[index/8] &^= 1 << (index % 8)
	s.left--
	return true
}

// name lists the first missing pieces.
func (s *stage) name(first *[ota.MaxFirst]uint16) {
	n := 0
	for k := uint32(0); k < s.count && n < len(first); k++ {
		if s.isMissing(k) {
			first[n] = uint16(k)
			n++
		}
	}
}

// sound says whether the payload has the digest, reading all of it again: what was there when it was
// looked at last may have been read right by chance.
func (s *stage) sound(digest []byte) bool {
	s.hash.Reset()
	for k := range s.count {
		if !s.holds(k) {
			return false
		}
		s.hash.Write(s.page[:min(s.size-k*ota.PieceSize, ota.PieceSize)])
		s.yield()
	}
	s.hash.Sum(&s.sum)
	return string(s.sum[:]) == string(digest)
}

// Read reads the payload.
func (s *stage) Read(p []byte) (int, error) {
	if s.at == s.size {
		return 0, io.EOF
	}
	in := s.at % ota.PieceSize
	n := min(uint32(len(p)), s.size-s.at, ota.PieceSize-in)
	s.Flash.Read(s.offset(s.at/ota.PieceSize)+in, p[:n])
	s.at += n
	return int(n), nil
}
