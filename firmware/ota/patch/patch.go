// Package patch applies an update's payload: it makes the new image out of the
// running one and of what the payload says about their differences.
//
// It is of bsdiff's family (C. Percival, Naive Differences of Executable Code,
// 2003): the new image is a sequence of stretches, each of them bytes that
// resemble the base's with the differences added, then bytes of its own, then a
// step in the base. Unlike bsdiff's three bzip2 streams, they lie one after
// another in one stream, and are compressed by a range coder with a model made
// for them, so that the decoder needs one pass and a few kilobytes. An image
// without base is one stretch of bytes of its own.
//
// It runs on the boards, where it neither allocates nor trusts the payload, and
// on the host, where the same model compresses.
package patch

import "encoding/binary"

// Page is the size of the pieces in which an image is written, in bytes; only
// the last may be shorter.
const Page = 256

// An Error is what is wrong with a payload.
type Error uint8

const (
	Malformed     Error = iota + 1 // not of this format, or not what an encoder makes
	OutsideBase                    // takes bytes that the base doesn't have
	OutsideTarget                  // goes on past the image's size
	ShortOutput                    // ends before the image does
	LongOutput                     // goes on after the image's end
)

func (e Error) Error() string {
	switch e {
	case Malformed:
		return "malformed payload"
	case OutsideBase:
		return "payload takes bytes from outside of its base"
	case OutsideTarget:
		return "payload writes past the image's size"
	case ShortOutput:
		return "payload ends before the image"
	case LongOutput:
		return "payload goes on after the image"
	}
	return "unknown fault of a payload"
}

// Memory is where a base lies, the flash of a chip as a rule.
type Memory interface {
	// Read fills p with what lies off bytes from the memory's start.
	Read(off uint32, p []byte)
}

// A Base is the image that differences are against. The zero value is none.
//
// An image that runs where it lies is linked once for each slot, and its words
// that point into the slot differ between the two all over. They are moved
// before the comparison, on the host and here alike: Distance is added to each
// word, little endian at a multiple of four bytes from the image's start, that is
// in [Low, High). A number that looks like an address is moved too; it costs a
// few bytes, and nothing else, since the payload is made against what Read gives.
type Base struct {
	Memory    Memory
	Start     uint32 // the image's first byte in Memory
	Size      uint32 // bytes
	Low, High uint32 // the slot's addresses as the processor sees them
	Distance  uint32 // from them to the other slot's, modulo 2^32; 0: no word is moved
}

// Read fills p with the base's bytes from off on, which is a multiple of four,
// its words moved. All of them lie in the base.
func (b *Base) Read(off uint32, p []byte) {
	b.Memory.Read(b.Start+off, p)
	if b.Distance == 0 {
		return
	}
	for ; len(p) >= 4; p = p[4:] {
		w := binary.LittleEndian.Uint32(p)
		if w >= b.Low && w < b.High {
			binary.LittleEndian.PutUint32(p, w+b.Distance)
		}
	}
}
