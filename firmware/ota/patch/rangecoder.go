package patch

import "io"

// The range coder is the carryless one of M. Mahoney's paq family: low and high
// bound what the rest of the payload can be, and each bit takes its share of what
// is between them. 32 bits of them are known at any time.

// A rangeDecoder reads bits.
type rangeDecoder struct {
	low, high, value uint32
	payload          io.Reader
	err              error // why there were no more bytes
	next, filled     int
	buffer           [64]byte
}

// open returns the payload's first byte.
func (r *rangeDecoder) open(payload io.Reader) byte {
	r.payload, r.err, r.next, r.filled = payload, nil, 0, 0
	return r.byte()
}

func (r *rangeDecoder) start() {
	r.low, r.high = 0, ^uint32(0)
	for range 4 {
		r.value = r.value<<8 | uint32(r.byte())
	}
}

func (r *rangeDecoder) code(p uint32, _ int) int {
	mid := r.low + uint32(uint64(r.high-r.low)*uint64(p)>>16)
	bit := 0
	if r.value <= mid {
		bit, r.high = 1, mid
	} else {
		r.low = mid + 1
	}
	for (r.low^r.high)>>24 == 0 {
		r.low <<= 8
		r.high = r.high<<8 | 0xFF
		r.value = r.value<<8 | uint32(r.byte())
	}
	return bit
}

// byte returns the payload's next byte, and zeros after its end.
func (r *rangeDecoder) byte() byte {
	if r.next == r.filled {
		r.fill()
	}
	if r.err != nil {
		return 0
	}
	r.next++
	return r.buffer[r.next-1]
}

func (r *rangeDecoder) fill() {
	if r.err != nil {
		return
	}
	r.next, r.filled = 0, 0
	n, err := io.ReadAtLeast(r.payload, r.buffer[:], 1)
	r.filled = n
	if err == io.EOF {
		err = ShortOutput
	}
	r.err = err
}

// fault is what ended a payload, or else what is wrong with it.
func (r *rangeDecoder) fault(err error) error {
	if r.err != nil {
		return r.err
	}
	return err
}

// end looks whether the payload has ended too, as the encoder ends it.
func (r *rangeDecoder) end() error {
	if r.err != nil {
		return r.err
	}
	if r.byte(); r.err == nil {
		return LongOutput
	}
	if r.err == ShortOutput {
		return nil
	}
	return r.err
}

// A rangeEncoder writes what a rangeDecoder reads.
type rangeEncoder struct {
	low, high uint32
	payload   []byte
}

func (r *rangeEncoder) code(p uint32, bit int) int {
	mid := r.low + uint32(uint64(r.high-r.low)*uint64(p)>>16)
	if bit == 1 {
		r.high = mid
	} else {
		r.low = mid + 1
	}
	for (r.low^r.high)>>24 == 0 {
		r.payload = append(r.payload, byte(r.low>>24))
		r.low <<= 8
		r.high = r.high<<8 | 0xFF
	}
	return bit
}

// end writes as many bytes as a decoder holds.
func (r *rangeEncoder) end() {
	for i := range 4 {
		r.payload = append(r.payload, byte(r.high>>(24-8*i)))
	}
}
