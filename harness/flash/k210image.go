package flash

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// What follows is the image that a K210's boot ROM copies from flash into its RAM, as
// kflash.py 0.8.3 makes it: a byte of flags, the payload's length, the payload, and
// SHA-256 of all before it.

// sram is where the ROM copies the payload to, and starts it, of which 6 MB are not
// the neural network processor's (Kendryte K210 datasheet v1.0, memory map).
var sram = Region{"SRAM", Span{0x8000_0000, 6 << 20}}

const (
	k210HeaderSize = 5
	// Flags: the payload is encrypted by AES; flash is read four bits at a time.
	k210Encrypted, k210Quad = 1 << 0, 1 << 1
)

// k210ImageOf makes the image of a program's segments. What lies between them is zero.
func k210ImageOf(f *elf.File, file []byte, base uint32) (*Image, error) {
	if f.Entry != uint64(sram.Addr) {
		return nil, fmt.Errorf("program begins at %#x, the ROM starts it at %#08x", f.Entry, sram.Addr)
	}
	segments, err := loadSegments(f, len(file))
	if err != nil {
		return nil, err
	}
	m, err := newImage(file, segments, sram.Addr) // which are in order then, and do not overlap
	if err != nil {
		return nil, err
	}
	var payload []byte
	for _, s := range m.Segments {
		if !sram.holds(s) {
			return nil, fmt.Errorf("segment %v lies outside of %v", s.span(), sram)
		}
		payload = append(payload, make([]byte, int(s.Addr-sram.Addr)-len(payload))...)
		payload = append(payload, s.Data...)
	}
	return newImage(file, []Segment{{base, k210Image(payload)}}, base)
}

func k210Image(payload []byte) []byte {
	out := binary.LittleEndian.AppendUint32([]byte{0}, uint32(len(payload)))
	out = append(out, payload...)
	sum := sha256.Sum256(out)
	return append(out, sum[:]...)
}

// k210Raw makes an image of a program as objcopy gives it, from its first address on: that is what
// kflash takes. No program begins with a byte that may be an image's flags, which would be a load or
// one of a few compressed instructions of x0 and fp; and none is all text.
func k210Raw(file []byte) []byte {
	isText := !bytes.ContainsFunc(file, func(r rune) bool { return r == utf8.RuneError || r < ' ' && !unicode.IsSpace(r) })
	if len(file) == 0 || file[0]&^(k210Encrypted|k210Quad) == 0 || isText || len(file) > int(sram.Size) {
		return file
	}
	return k210Image(file)
}

// checkK210Image refuses what the ROM of a K210 would not start. Whether it has the
// key of an encrypted payload, only the part knows.
func checkK210Image(p []byte) error {
	if len(p) < k210HeaderSize+sha256.Size {
		return errors.New("it is shorter than a header and a SHA-256")
	}
	size := binary.LittleEndian.Uint32(p[1:])
	switch {
	case p[0]&^(k210Encrypted|k210Quad) != 0:
		return fmt.Errorf("its flags are %#02x, of which two bits mean something", p[0])
	case size > sram.Size || int(size) > len(p)-k210HeaderSize-sha256.Size:
		return fmt.Errorf("its payload is of %d bytes, and %d are left", size, len(p)-k210HeaderSize-sha256.Size)
	}
	end := k210HeaderSize + int(size)
	if want := sha256.Sum256(p[:end]); !bytes.Equal(p[end:end+len(want)], want[:]) {
		return errors.New("its SHA-256 is not that of what is before it")
	}
	return nil
}
