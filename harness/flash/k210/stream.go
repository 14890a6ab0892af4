package k210

import (
	"context"
	"fmt"

	"rigor/harness/flash"
)

// ahead is how many blocks may be under way to the flasher: it acknowledges each before
// it is written, and has room for so many meanwhile, were each byte an escape.
const ahead = 16

// stream is a write under way. What goes wrong with a block is told in the answers to
// later ones, and in the end.
type stream struct {
	l    *Loader
	addr uint32
	data []byte

	sent     int    // blocks
	answered int    // of them
	first    uint16 // number of the first that is not answered
	ended    bool
	err      error
}

var _ flash.Stream = (*stream)(nil)

// Stream erases the sectors that data, which begins at one, will be written to, and
// gives its writer.
func (l *Loader) Stream(ctx context.Context, addr uint32, data []byte) (flash.Stream, error) {
	if addr%sectorSize != 0 {
		return nil, &AddressError{"write", addr, fmt.Sprintf("a sector of %d bytes begins elsewhere", sectorSize)}
	}
	if err := l.Erase(ctx, flash.Span{Addr: addr, Size: uint32(len(data))}); err != nil {
		return nil, err
	}
	return &stream{l: l, addr: addr, data: data}, nil
}

// Next waits until a block is taken, having sent as many as may be under way. After an
// error there is nothing more.
func (s *stream) Next(ctx context.Context) (n int, err error) {
	switch {
	case s.err != nil:
		return 0, s.err
	case s.answered == s.blocks():
		err = s.end(ctx)
	default:
		n, err = s.next(ctx)
	}
	if err != nil {
		s.err, s.l.spoilt, s.l.behind = err, true, s.underWay()
	}
	return n, err
}

func (s *stream) blocks() int { return (len(s.data) + writeSize - 1) / writeSize }

func (s *stream) block(i int) []byte {
	return s.data[i*writeSize : min((i+1)*writeSize, len(s.data))]
}

// underWay is the bytes of the blocks that are sent and not answered, were each byte an
// escape.
func (s *stream) underWay() int { return (s.sent - s.answered) * 2 * (requestSize + writeSize) }

// next sends what may be sent, and takes an acknowledgement.
func (s *stream) next(ctx context.Context) (n int, err error) {
	if s.sent == 0 {
		err = s.l.begin(ctx)
	} else {
		err = ctx.Err()
	}
	if err == nil {
		err = s.sendAhead()
	}
	if err == nil {
		_, err = s.l.answer(FlashWrite, s.first, s.l.onLine(s.underWay()+maxPacket)+processing)
	}
	if err != nil {
		return 0, fmt.Errorf("block %d of the write at %#08x: %w", s.answered, s.addr, err)
	}
	n = len(s.block(s.answered))
	s.answered++
	s.first = following(s.first)
	return n, nil
}

func (s *stream) sendAhead() error {
	for ; s.sent < min(s.answered+ahead, s.blocks()); s.sent++ {
		data := s.block(s.sent)
		number, err := s.l.ask(FlashWrite, s.addr+uint32(s.sent*writeSize), uint32(len(data)), data)
		if err != nil {
			return err
		}
		if s.sent == 0 {
			s.first = number
		}
	}
	return nil
}

// end waits until all is written.
func (s *stream) end(ctx context.Context) error {
	if s.ended {
		return nil
	}
	if _, err := s.l.do(ctx, FlashFlush, 0, 0, nil, flushWork); err != nil {
		return fmt.Errorf("end of the write at %#08x: %w", s.addr, err)
	}
	s.ended = true
	return nil
}
