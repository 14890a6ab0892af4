package esp32

import (
	"bytes"
	"compress/zlib"
	"context"
	"fmt"
	"time"

	"rigor/harness/flash"
)

// Wire counts the bytes of data that were sent to be written, deflated as they
// were and without what frames them, as esptool does; the line carries a byte in
// ten bits.
func (l *Loader) Wire() (sent, perSecond uint64) {
	return l.sent, uint64(l.mode.Baud) / bitsPerByte
}

// stream is a write under way. The ROM is sent a block when it has written the one
// before; the flasher some ahead, and is asked in the end what has become of them.
type stream struct {
	l       *Loader
	command Command
	addr    uint32
	data    []byte        // to send
	written int           // bytes in flash at the end
	work    time.Duration // that a block may take

	sent     int // blocks
	answered int // of them
	told     int // of written
	ended    bool
	err      error
}

var _ flash.Stream = (*stream)(nil)

// Stream erases the sectors that data, which begins at one, will be written to,
// and gives its writer. The data is deflated if that makes it less.
func (l *Loader) Stream(ctx context.Context, addr uint32, data []byte) (flash.Stream, error) {
	if addr%sectorSize != 0 {
		return nil, &AddressError{"write", addr, fmt.Sprintf("a sector of %d bytes begins elsewhere", sectorSize)}
	}
	if err := l.within("write", addr, len(data)); err != nil {
		return nil, err
	}
	s := &stream{l: l, command: FlashData, addr: addr, data: pad(data), written: len(data)}
	begin := FlashBegin
	if small := deflate(data); len(small) < len(data) {
		begin, s.command, s.data = FlashDeflBegin, FlashDeflData, small
		s.work = perMB(erasePerMB, uint32(len(data))) // any block may hold nearly all
	}
	size := (uint32(len(data)) + blockSize - 1) &^ (blockSize - 1)
	return s, l.beginFlash(ctx, begin, addr, size, s.blocks())
}

// pad fills the last block with the value of erased flash.
func pad(data []byte) []byte {
	n := -len(data) & (blockSize - 1)
	return append(bytes.Clone(data), bytes.Repeat([]byte{0xFF}, n)...)
}

func deflate(data []byte) []byte {
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, zlib.BestCompression)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	w.Write(data) // to memory: neither fails
	w.Close()
	return out.Bytes()
}

// Next waits until a block is taken, having sent as many as may be under way. After
// an error there is nothing more.
func (s *stream) Next(ctx context.Context) (n int, err error) {
	switch err = ctx.Err(); {
	case s.err != nil:
		return 0, s.err
	case s.answered == s.blocks():
		return 0, s.end(ctx)
	case err == nil:
		err = s.next()
	}
	if err != nil {
		s.err, s.l.behind = err, s.underWay()
		s.l.lost = s.l.lost || s.l.behind > 0
		return 0, err
	}
	return s.progress(), nil
}

func (s *stream) blocks() int { return (len(s.data) + blockSize - 1) / blockSize }

func (s *stream) block(i int) []byte {
	return s.data[i*blockSize : min((i+1)*blockSize, len(s.data))]
}

// underWay is the bytes of the blocks that are sent and not answered, with what
// frames them.
func (s *stream) underWay() int {
	const frame = 64
	n := 0
	for i := s.answered; i < s.sent; i++ {
		n += len(s.block(i)) + frame
	}
	return n
}

// next sends what may be sent, and takes an acknowledgement.
func (s *stream) next() error {
	if s.l.lost {
		return fmt.Errorf("%v: an earlier block's answer is missing", s.command)
	}
	first := s.answered
	fail := func(err error) error { return fmt.Errorf("block %d of the write at %#08x: %w", first, s.addr, err) }
	most := first + 1
	if s.l.flashing {
		most = min(first+ahead, s.blocks())
	}
	for ; s.sent < most; s.sent++ {
		if err := s.l.send(block(s.command, s.sent, s.block(s.sent))); err != nil {
			return fail(err)
		}
	}
	_, err := s.l.answer(s.command, s.l.onLine(s.underWay()+maxPacket)+processing+s.work)
	s.answered++
	if err != nil {
		return fail(err)
	}
	s.l.sent += uint64(len(s.block(first)))
	return nil
}

// end waits until the flasher has written all. The ROM has, and would leave its loader.
func (s *stream) end(ctx context.Context) error {
	if s.ended || !s.l.flashing {
		return nil
	}
	const stay = 1
	if _, err := s.l.do(ctx, s.command+1, words(stay), s.work); err != nil {
		return fmt.Errorf("end of the write at %#08x: %w", s.addr, err)
	}
	s.ended = true
	return nil
}

// progress is what the last block made of all that is written: of deflated
// data a part like its own.
func (s *stream) progress() int {
	now := int(int64(s.written) * int64(s.answered) / int64(s.blocks()))
	n := now - s.told
	s.told = now
	return n
}
