package patch

import (
	"bytes"
	"fmt"
)

// A Stretch is a part of an image, made of bytes that resemble the base's, whose
// differences are told, and then of bytes of its own.
type Stretch struct {
	Step int32  // from the end of the last stretch's Like bytes in the base to the first that is like this one's
	Like uint32 // bytes; less than 2^31, as Own
	Own  uint32 // bytes
}

// maxNumber is where lengths and twice a step must end.
const maxNumber = 1 << 31

// Encode makes a payload: of an image, of the base as Base.Read gives it, and of
// how they are alike.
func Encode(base, image []byte, stretches []Stretch) ([]byte, error) {
	if uint64(len(image)) >= maxNumber || uint64(len(base)) >= maxNumber/2 {
		return nil, fmt.Errorf("encode an image of %d bytes against %d: too large", len(image), len(base))
	}
	e := encoder{bits: rangeEncoder{high: ^uint32(0), payload: []byte{format}}, image: image}
	e.model.reset()
	e.base.open(&Base{Memory: bytesMemory(base), Size: uint32(len(base))})
	at := uint32(0)
	for i, s := range stretches {
		from, err := s.check(at, uint32(len(base)), uint32(len(image))-e.done)
		if err != nil {
			return nil, fmt.Errorf("encode stretch %d: %w", i, err)
		}
		e.stretch(s, base[from:][:s.Like], from)
		at = from + s.Like
	}
	if e.done != uint32(len(image)) {
		return nil, fmt.Errorf("encode %d of %d bytes: %w", e.done, len(image), ShortOutput)
	}
	e.bits.end()
	return e.bits.payload, nil
}

// An encoder does what a decoder does with it.
type encoder struct {
	model model
	bits  rangeEncoder
	base  window
	image []byte
	done  uint32 // of the image's bytes
}

func (e *encoder) stretch(s Stretch, base []byte, from uint32) {
	e.model.stretch(&e.bits, s)
	for len(base) > 0 {
		n := min(block, len(base))
		e.block(base[:n], from)
		base, from = base[n:], from+uint32(n)
	}
	for range s.Own {
		e.model.own(&e.bits, e.done, e.image[e.done])
		e.done++
	}
}

func (e *encoder) block(base []byte, from uint32) {
	image := e.image[e.done:][:len(base)]
	if e.model.isSame(&e.bits, bytes.Equal(base, image)) {
		e.model.copied(image)
		e.done += uint32(len(image))
		return
	}
	for i, b := range image {
		e.model.like(&e.bits, e.base.around(from+uint32(i)), e.done, b)
		e.done++
	}
}

// bytesMemory is a memory on the host.
type bytesMemory []byte

func (b bytesMemory) Read(off uint32, p []byte) { copy(p, b[off:]) }
