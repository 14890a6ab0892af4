// Package slip frames packets for a serial line as RFC 1055 does, which boot loaders
// of several makers have in common.
package slip

import (
	"bytes"
	"io"
)

const (
	end    = 0xC0
	esc    = 0xDB
	escEnd = 0xDC
	escEsc = 0xDD
)

// Frame puts a packet between two ENDs.
func Frame(packet []byte) []byte {
	out := append(make([]byte, 0, len(packet)+len(packet)/64+2), end)
	for _, b := range packet {
		switch b {
		case end:
			out = append(out, esc, escEnd)
		case esc:
			out = append(out, esc, escEsc)
		default:
			out = append(out, b)
		}
	}
	return append(out, end)
}

// Decoder takes packets out of what comes over a line. Any END both ends and begins
// a frame, so that what is not framed, as a ROM's own text, costs no frame after it;
// such text comes out as a packet that is none.
type Decoder struct {
	Max int // bytes of a packet; what is longer is dropped

	packet []byte
	escape bool
	bad    bool // the frame holds what no frame can, or too much
}

// Take gives the packet that a byte completes.
func (d *Decoder) Take(b byte) (packet []byte, ok bool) {
	switch {
	case b == end:
		packet, ok = d.packet, len(d.packet) > 0 && !d.bad && !d.escape
		*d = Decoder{Max: d.Max}
		return packet, ok
	case d.escape:
		d.escape = false
		d.unescape(b)
	case b == esc:
		d.escape = true
	default:
		d.add(b)
	}
	return nil, false
}

func (d *Decoder) unescape(b byte) {
	switch b {
	case escEnd:
		d.add(end)
	case escEsc:
		d.add(esc)
	default:
		d.bad = true
	}
}

func (d *Decoder) add(b byte) {
	if len(d.packet) == d.Max {
		d.bad = true
		return
	}
	d.packet = append(d.packet, b)
}

// Text is what has come since the last END.
func (d *Decoder) Text() []byte { return bytes.Clone(d.packet) }

// Reader takes packets out of what it reads from a line.
type Reader struct {
	Decoder
	unread []byte // of what was read
}

// Next gives the next packet. An error of the line drops what is unread, but not
// what the Decoder has of a packet.
func (r *Reader) Next(line io.Reader) ([]byte, error) {
	for {
		for i, b := range r.unread {
			if p, ok := r.Take(b); ok {
				r.unread = r.unread[i+1:]
				return p, nil
			}
		}
		var buf [256]byte
		n, err := line.Read(buf[:])
		if err != nil {
			r.unread = nil
			return nil, err
		}
		r.unread = buf[:n]
	}
}
