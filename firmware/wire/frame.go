package wire

// An encoder appends one frame to buf, stuffing as it goes: code is the
// position of the current COBS block's length byte.
type encoder struct {
	buf  []byte
	code int
	crc  uint16
}

// maxBlock is the COBS length byte of a block of 254 bytes without a zero behind it.
const maxBlock = 0xFF

func begin(dst []byte, t Type) encoder {
	e := encoder{buf: append(dst, 0, 0), code: len(dst) + 1, crc: crcStart}
	e.u8(byte(t))
	return e
}

// end appends the checksum and the closing zero.
func (e *encoder) end() []byte {
	crc := e.crc
	e.stuff(byte(crc >> 8))
	e.stuff(byte(crc))
	e.closeBlock()
	return append(e.buf, 0)
}

func (e *encoder) u8(b byte) {
	e.crc = crcUpdate(e.crc, b)
	e.stuff(b)
}

func (e *encoder) stuff(b byte) {
	if len(e.buf)-e.code == maxBlock {
		e.openBlock()
	}
	if b == 0 {
		e.openBlock()
		return
	}
	e.buf = append(e.buf, b)
}

func (e *encoder) openBlock() {
	e.closeBlock()
	e.code = len(e.buf)
	e.buf = append(e.buf, 0)
}

func (e *encoder) closeBlock() { e.buf[e.code] = byte(len(e.buf) - e.code) }

func (e *encoder) u32(v uint32) {
	e.u8(byte(v))
	e.u8(byte(v >> 8))
	e.u8(byte(v >> 16))
	e.u8(byte(v >> 24))
}

// str appends a short string, cut to 255 bytes.
func (e *encoder) str(s string) {
	s = s[:min(len(s), 255)]
	e.u8(byte(len(s)))
	e.text(s)
}

func (e *encoder) text(s string) {
	for i := 0; i < len(s); i++ {
		e.u8(s[i])
	}
}

// AppendFrame appends a frame with the given payload to dst. It allocates only
// if dst lacks room; a frame is at most [MaxFrame] bytes long. A payload longer
// than [MaxPayload] is the caller's defect: no [Decoder] accepts it.
func AppendFrame(dst []byte, t Type, payload []byte) []byte {
	e := begin(dst, t)
	for _, b := range payload {
		e.u8(b)
	}
	return e.end()
}

// body is the longest type, payload and checksum.
const body = 1 + MaxPayload + 2

// MaxFrame is the longest frame on the line in bytes, both zeros included.
const MaxFrame = 1 + body + 1 + body/254 + 1

// A Decoder finds frames in a stream of bytes. Its zero value is ready to use.
// It holds its own buffer and never allocates.
type Decoder struct {
	buf     [MaxFrame]byte
	n       int  // bytes since the last zero
	long    bool // more of them than any frame has
	dropped int
}

// Feed takes one byte from the line. If that completes an undamaged frame, Feed
// returns it and true; the payload is valid until the next call.
func (d *Decoder) Feed(b byte) (Frame, bool) {
	switch {
	case b == 0:
		return d.finish()
	case d.n == len(d.buf):
		d.long = true
	default:
		d.buf[d.n] = b
		d.n++
	}
	return Frame{}, false
}

// Dropped counts what stood between two zeros and was no undamaged frame: lost
// bytes, bit errors, noise before the first frame.
func (d *Decoder) Dropped() int { return d.dropped }

// finish judges what came since the last zero. Two zeros in a row are the end
// of one frame and the start of the next.
func (d *Decoder) finish() (Frame, bool) {
	raw, long := d.buf[:d.n], d.long
	d.n, d.long = 0, false
	if len(raw) == 0 {
		return Frame{}, false
	}
	f, ok := open(raw)
	if long || !ok {
		d.dropped++
		return Frame{}, false
	}
	return f, true
}

// open removes the stuffing and checks the checksum, in place.
func open(raw []byte) (Frame, bool) {
	p, ok := unstuff(raw)
	if !ok || len(p) < 3 || len(p) > body || checksum(p) != 0 {
		return Frame{}, false
	}
	return Frame{Type: Type(p[0]), Payload: p[1 : len(p)-2]}, true
}

// unstuff decodes COBS in place: the text never gets longer.
func unstuff(raw []byte) ([]byte, bool) {
	out := raw[:0]
	for len(raw) > 0 {
		code := int(raw[0])
		if code > len(raw) {
			return nil, false
		}
		out = append(out, raw[1:code]...)
		raw = raw[code:]
		if code < maxBlock && len(raw) > 0 {
			out = append(out, 0)
		}
	}
	return out, true
}
