package esp32

import "bytes"

// Bytes of SLIP (RFC 1055), which the protocol frames its packets by.
const (
	slipEnd    = 0xC0
	slipEsc    = 0xDB
	slipEscEnd = 0xDC
	slipEscEsc = 0xDD
)

// frame puts a packet between two ENDs.
func frame(packet []byte) []byte {
	out := append(make([]byte, 0, len(packet)+len(packet)/64+2), slipEnd)
	for _, b := range packet {
		switch b {
		case slipEnd:
			out = append(out, slipEsc, slipEscEnd)
		case slipEsc:
			out = append(out, slipEsc, slipEscEsc)
		default:
			out = append(out, b)
		}
	}
	return append(out, slipEnd)
}

// maxPacket is more than any answer has.
const maxPacket = 64 + flasherReadSize

// frames takes packets out of what comes over a line. Any END both ends and
// begins a frame, so that what is not framed, as the ROM's own text, costs no
// frame after it; such text comes out as a packet that is none.
type frames struct {
	packet []byte
	escape bool
	bad    bool // the frame holds what no frame can, or too much
}

// take gives the packet that a byte completes.
func (f *frames) take(b byte) (packet []byte, ok bool) {
	switch {
	case b == slipEnd:
		packet, ok = f.packet, len(f.packet) > 0 && !f.bad && !f.escape
		*f = frames{}
		return packet, ok
	case f.escape:
		f.escape = false
		f.unescape(b)
	case b == slipEsc:
		f.escape = true
	default:
		f.add(b)
	}
	return nil, false
}

func (f *frames) unescape(b byte) {
	switch b {
	case slipEscEnd:
		f.add(slipEnd)
	case slipEscEsc:
		f.add(slipEsc)
	default:
		f.bad = true
	}
}

func (f *frames) add(b byte) {
	if len(f.packet) == maxPacket {
		f.bad = true
		return
	}
	f.packet = append(f.packet, b)
}

// text is what has come since the last END.
func (f *frames) text() []byte { return bytes.Clone(f.packet) }
