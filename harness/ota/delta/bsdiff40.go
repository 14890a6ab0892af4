package delta

import (
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"rigor/firmware/ota/patch"
)

// ErrNotBSDIFF40 is of a file that doesn't begin as a patch of bsdiff 4 does.
var ErrNotBSDIFF40 = errors.New("not a BSDIFF40 patch")

// MaxImage is the largest image that a classic patch may make, in bytes.
const MaxImage = 64 << 20

// ApplyBSDIFF40 makes the image that a patch of bsdiff 4 makes of a base, and tells
// how they are alike as the patch does. The format is bspatch.c's of bsdiff 4.3:
// "BSDIFF40", the lengths of two bzip2 streams and of the image, then three streams,
// of control triples, differences and extra bytes. Unlike bspatch it refuses
// differences to bytes that the base doesn't have.
func ApplyBSDIFF40(file, base []byte) (image []byte, stretches []patch.Stretch, err error) {
	c, err := openClassic(file)
	if err != nil {
		return nil, nil, err
	}
	return c.apply(base)
}

// classic is a patch of bsdiff 4, opened.
type classic struct {
	control, diff, extra io.Reader
	size                 int64
}

func openClassic(file []byte) (*classic, error) {
	const head = 32
	if len(file) < head || string(file[:8]) != "BSDIFF40" {
		return nil, ErrNotBSDIFF40
	}
	control, diff, size := number(file[8:]), number(file[16:]), number(file[24:])
	streams := file[head:]
	left := int64(len(streams))
	if control < 0 || control > left || diff < 0 || diff > left-control {
		return nil, fmt.Errorf("streams of %d and %d bytes in a patch of %d: %w", control, diff, len(file), patch.Malformed)
	}
	if size < 0 || size > MaxImage {
		return nil, fmt.Errorf("an image of %d bytes: %w", size, patch.OutsideTarget)
	}
	open := func(b []byte) io.Reader { return bzip2.NewReader(bytes.NewReader(b)) }
	return &classic{
		control: open(streams[:control]),
		diff:    open(streams[control : control+diff]),
		extra:   open(streams[control+diff:]),
		size:    size,
	}, nil
}

func (c *classic) apply(base []byte) (image []byte, stretches []patch.Stretch, err error) {
	for at, step := int64(0), int64(0); int64(len(image)) < c.size; {
		var t triple
		if err := c.triple(&t); err != nil {
			return nil, nil, err
		}
		if err := t.check(at, int64(len(base)), c.size-int64(len(image))); err != nil {
			return nil, nil, fmt.Errorf("control triple %d at byte %d of the base: %w", t, at, err)
		}
		if image, err = c.stretch(image, base[at:at+t[0]], t[1]); err != nil {
			return nil, nil, err
		}
		if t[0]+t[1] > 0 {
			stretches = append(stretches, patch.Stretch{Step: int32(step), Like: uint32(t[0]), Own: uint32(t[1])})
			step = 0
		}
		at += t[0] + t[2]
		step += t[2]
	}
	return image, stretches, nil
}

// A triple is a stretch's like and own bytes, and the step to the next stretch's.
type triple [3]int64

// check looks at a triple for byte at of a base, while the image lacks room bytes.
// The last one's step may lead anywhere, but no sum must overflow.
func (t triple) check(at, base, room int64) error {
	switch like, own, step := t[0], t[1], t[2]; {
	case like < 0 || own < 0:
		return patch.Malformed
	case like > room || own > room-like:
		return patch.OutsideTarget
	case at < 0 || at > base || like > base-at:
		return patch.OutsideBase
	case step < -math.MaxInt32 || step > math.MaxInt32:
		return patch.OutsideBase
	}
	return nil
}

func (c *classic) triple(t *triple) error {
	var b [24]byte
	if _, err := io.ReadFull(c.control, b[:]); err != nil {
		return fmt.Errorf("read control triple: %w", short(err))
	}
	for i := range t {
		t[i] = number(b[8*i:])
	}
	return nil
}

// stretch appends bytes like those of base, and own ones of the image's.
func (c *classic) stretch(image, base []byte, own int64) ([]byte, error) {
	at := len(image)
	image = append(image, make([]byte, int64(len(base))+own)...)
	like, extra := image[at:at+len(base)], image[at+len(base):]
	if _, err := io.ReadFull(c.diff, like); err != nil {
		return nil, fmt.Errorf("read differences: %w", short(err))
	}
	for i := range like {
		like[i] += base[i]
	}
	if _, err := io.ReadFull(c.extra, extra); err != nil {
		return nil, fmt.Errorf("read extra bytes: %w", short(err))
	}
	return image, nil
}

// short says with the payload's own word that a stream has ended too early.
func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return patch.ShortOutput
	}
	return err
}

// number reads eight bytes, little endian, of which the highest bit is the sign.
func number(b []byte) int64 {
	v := binary.LittleEndian.Uint64(b)
	n := int64(v &^ (1 << 63))
	if v>>63 != 0 {
		return -n
	}
	return n
}
