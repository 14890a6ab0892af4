//go:build !tinygo

package patch

import "io"

// Stretches lists what a payload is made of, by applying it like [Decoder.Apply]. On an
// error it gives those up to there.
func Stretches(payload io.Reader, base *Base, size uint32) (all []Stretch, err error) {
	var d Decoder
	d.model.reset()
	d.base.open(base)
	d.out = io.Discard
	if d.bits.open(payload) != format {
		return nil, d.bits.fault(Malformed)
	}
	d.bits.start()
	at := uint32(0)
	for done := uint32(0); done < size; {
		s := d.model.stretch(&d.bits, Stretch{})
		from, err := s.check(at, base.Size, size-done)
		if err != nil {
			return all, d.bits.fault(err)
		}
		if err := d.stretch(s, from, done); err != nil {
			return all, err
		}
		all = append(all, s)
		at = from + s.Like
		done += s.Like + s.Own
	}
	return all, d.bits.end()
}

// Forge encodes stretches that no encoder would make, without their bytes, and zeros in
// place of those: for tests of what must refuse them.
func Forge(stretches ...Stretch) []byte {
	var m model
	m.reset()
	r := rangeEncoder{high: ^uint32(0), payload: []byte{format}}
	for _, s := range stretches {
		m.stretch(&r, s)
	}
	r.end()
	return append(r.payload, make([]byte, 4096)...)
}
