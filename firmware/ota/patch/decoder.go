package patch

import "io"

// format is a payload's first byte.
const format = 1

// A Decoder applies payloads, one at a time. It has all the memory that it ever
// needs in itself and can be used again; the zero value is ready.
type Decoder struct {
	model  model
	bits   rangeDecoder
	base   window
	page   [Page]byte
	out    io.Writer
	filled int // bytes of page
}

// Apply makes an image of size bytes from a payload and its base. It reads the
// payload to its end and hands the image to out, a page at a time. Whatever the
// payload says, it reads nothing outside of the base and writes no more than size
// bytes. A fault of payload or out comes back as it is, one of what the payload
// says is an Error.
func (d *Decoder) Apply(payload io.Reader, base *Base, out io.Writer, size uint32) error {
	d.model.reset()
	d.base.open(base)
	d.out, d.filled = out, 0
	if d.bits.open(payload) != format {
		return d.bits.fault(Malformed)
	}
	d.bits.start()
	at := uint32(0)
	for done := uint32(0); done < size; {
		s := d.model.stretch(&d.bits, Stretch{})
		from, err := s.check(at, base.Size, size-done)
		if err != nil {
			return d.bits.fault(err)
		}
		if err := d.stretch(s, from, done); err != nil {
			return err
		}
		at = from + s.Like
		done += s.Like + s.Own
	}
	if err := d.flush(); err != nil {
		return err
	}
	return d.bits.end()
}

// check says where in the base a stretch begins that comes after byte at of it,
// while the image lacks room bytes. Its numbers are below 2^31.
func (s Stretch) check(at, baseSize, room uint32) (from uint32, err error) {
	start := int64(at) + int64(s.Step)
	switch {
	case s.Like == 0 && s.Own == 0:
		return 0, Malformed
	case s.Like > room || s.Own > room-s.Like:
		return 0, OutsideTarget
	case start < 0 || start > int64(baseSize) || s.Like > baseSize-uint32(start):
		return 0, OutsideBase
	}
	return uint32(start), nil
}

// stretch makes the image's bytes from done on.
func (d *Decoder) stretch(s Stretch, from, done uint32) error {
	for i := uint32(0); i < s.Like; i += block {
		n := min(block, s.Like-i)
		if err := d.block(n, from+i, done+i); err != nil {
			return err
		}
	}
	for i := range s.Own {
		if err := d.put(d.model.own(&d.bits, done+s.Like+i, 0)); err != nil {
			return err
		}
	}
	return nil
}

// block makes n of a stretch's bytes that are like the base's.
func (d *Decoder) block(n, from, done uint32) error {
	if d.model.isSame(&d.bits, false) {
		return d.copy(n, from)
	}
	for i := range n {
		if err := d.put(d.model.like(&d.bits, d.base.around(from+i), done+i, 0)); err != nil {
			return err
		}
	}
	return nil
}

// copy makes n bytes that are the base's.
func (d *Decoder) copy(n, from uint32) error {
	for n > 0 {
		p := d.base.from(from)
		p = p[:copy(d.page[d.filled:], p[:min(n, uint32(len(p)))])]
		d.model.copied(p)
		from += uint32(len(p))
		n -= uint32(len(p))
		if d.filled += len(p); d.filled == len(d.page) {
			if err := d.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *Decoder) put(b byte) error {
	d.page[d.filled] = b
	d.filled++
	if d.filled < len(d.page) {
		return nil
	}
	return d.flush()
}

// flush writes the page, unless some of it was made of what the payload lacks.
func (d *Decoder) flush() error {
	if d.bits.err != nil || d.filled == 0 {
		return d.bits.err
	}
	n := d.filled
	d.filled = 0
	_, err := d.out.Write(d.page[:n])
	return err
}

// A window is the part of a base that is looked at.
type window struct {
	base   *Base
	start  uint32
	filled uint32
	bytes  [128]byte
	next   uint32 // the place after that which was asked for last
	near   near   // and what was around it
}

func (w *window) open(b *Base) {
	w.base, w.start, w.filled = b, 0, 0
	w.next = ^uint32(0)
}

// around returns the base's bytes before, at, and twice after a place. Outside of
// the base there are zeros.
func (w *window) around(at uint32) near {
	if at == w.next {
		w.near = near{w.near[1], w.near[2], w.near[3], w.at(at + 2)}
	} else {
		w.near = near{w.at(at - 1), w.at(at), w.at(at + 1), w.at(at + 2)}
	}
	w.next = at + 1
	return w.near
}

func (w *window) at(at uint32) byte {
	if at >= w.base.Size {
		return 0
	}
	return w.from(at)[0]
}

// from returns some of the base's bytes from a place in it on, at least one.
func (w *window) from(at uint32) []byte {
	if at-w.start >= w.filled {
		w.start = at &^ 3
		w.filled = min(w.base.Size-w.start, uint32(len(w.bytes)))
		w.base.Read(w.start, w.bytes[:w.filled])
	}
	return w.bytes[at-w.start : w.filled]
}
