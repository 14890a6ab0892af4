package patch

import "fmt"

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
	var m model
	m.reset()
	r := rangeEncoder{high: ^uint32(0), payload: []byte{format}}
	w := window{}
	w.open(&Base{Memory: bytesMemory(base), Size: uint32(len(base))})
	at, done := uint32(0), uint32(0)
	for i, s := range stretches {
		from, err := s.check(at, uint32(len(base)), uint32(len(image))-done)
		if err != nil {
			return nil, fmt.Errorf("encode stretch %d: %w", i, err)
		}
		m.stretch(&r, s)
		for i := range s.Like {
			m.like(&r, w.around(from+i), done, image[done])
			done++
		}
		for range s.Own {
			m.own(&r, done, image[done])
			done++
		}
		at = from + s.Like
	}
	if done != uint32(len(image)) {
		return nil, fmt.Errorf("encode %d of %d bytes: %w", done, len(image), ShortOutput)
	}
	r.end()
	return r.payload, nil
}

// bytesMemory is a memory on the host.
type bytesMemory []byte

func (b bytesMemory) Read(off uint32, p []byte) { copy(p, b[off:]) }
