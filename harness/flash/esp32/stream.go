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

// stream is a write under way.
type stream struct {
	l       *Loader
	command Command
	addr    uint32
	data    []byte // to send
	sent    int    // of data
	seq     int
	written int           // bytes in flash at the end
	told    int           // of written
	work    time.Duration // that a block may take
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
	blocks := (len(s.data) + blockSize - 1) / blockSize
	return s, l.beginFlash(ctx, begin, addr, size, blocks)
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

func (s *stream) done() bool { return s.sent == len(s.data) }

// Next sends a block and waits until the loader has written what is in it.
func (s *stream) Next(ctx context.Context) (n int, err error) {
	if s.done() {
		return 0, nil
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	data := s.data[s.sent:min(s.sent+blockSize, len(s.data))]
	if s.l.lost {
		return 0, fmt.Errorf("%v: an earlier block's answer is missing", s.command)
	}
	if _, err := s.l.exchange(s.command, block(s.command, s.seq, data), s.work); err != nil {
		return 0, fmt.Errorf("block %d of the write at %#08x: %w", s.seq, s.addr, err)
	}
	s.sent += len(data)
	s.seq++
	s.l.sent += uint64(len(data))
	return s.progress(), nil
}

// progress is what the last block made of all that is written: of deflated
// data a part like its own.
func (s *stream) progress() int {
	now := int(int64(s.written) * int64(s.sent) / int64(len(s.data)))
	n := now - s.told
	s.told = now
	return n
}
