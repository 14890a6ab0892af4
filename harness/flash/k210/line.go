package k210

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"time"

	"rigor/harness/flash/slip"
)

const (
	bitsPerByte = 10 // start, 8 data, stop
	// processing bounds the loader's own work on a request, and the host's adapter and
	// scheduler, which nothing bounds: what kflash allows.
	processing = 3 * time.Second
	greetWait  = 200 * time.Millisecond
	greetTries = 10
	// settle is longer than what an adapter may hold back a received byte for (16 ms
	// for FTDI's), and as long as kflash waits for a change of rate.
	settle = 50 * time.Millisecond

	requestSize = 16 // of a request without data
	romReply    = 2  // of the ROM: operation and reason
	replySize   = 4  // of the flasher: the request's number behind them
	maxPacket   = replySize + readSize
)

// request is a packet: operation, number, checksum of what follows, address, length,
// data. The ROM takes no notice of a number.
func request(op Op, number uint16, addr, length uint32, data []byte) []byte {
	body := append(words(addr, length), data...)
	p := binary.LittleEndian.AppendUint16([]byte{byte(op), 0}, number)
	return append(append(p, words(crc32.ChecksumIEEE(body))...), body...)
}

// greeting is shorter, and has no checksum.
func greeting(op Op, number uint16) []byte {
	const size = 13
	p := binary.LittleEndian.AppendUint16([]byte{byte(op), 0}, number)
	return append(p, make([]byte, size-len(p))...)
}

// onLine is the time n bytes take.
func (l *Loader) onLine(n int) time.Duration {
	return time.Duration(n) * bitsPerByte * time.Second / time.Duration(l.mode.Baud)
}

func (l *Loader) send(packet []byte) error {
	if _, err := l.port.Write(slip.Frame(packet)); err != nil {
		return fmt.Errorf("send to the boot loader: %w", err)
	}
	return nil
}

// rom sends a request to the ROM and awaits its answer.
func (l *Loader) rom(op Op, addr, length uint32, data []byte) error {
	p := request(op, 0, addr, length, data)
	err := l.send(p)
	if err == nil {
		_, err = l.answer(op, 0, l.onLine(len(p)+maxPacket)+processing)
	}
	return err
}

// do sends a request to the flasher and awaits its answer, which may take some work
// beyond the usual.
func (l *Loader) do(ctx context.Context, op Op, addr, length uint32, data []byte, work time.Duration) ([]byte, error) {
	if err := l.begin(ctx); err != nil {
		return nil, fmt.Errorf("%v: %w", op, err)
	}
	return l.exchange(op, addr, length, data, work)
}

func (l *Loader) exchange(op Op, addr, length uint32, data []byte, work time.Duration) ([]byte, error) {
	number, err := l.ask(op, addr, length, data)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", op, err)
	}
	return l.answer(op, number, l.onLine(requestSize+len(data)+maxPacket)+processing+work)
}

// ask sends a request to the flasher. Numbers begin with 1: nothing is answered by 0
// that was asked.
func (l *Loader) ask(op Op, addr, length uint32, data []byte) (number uint16, err error) {
	l.number = following(l.number)
	return l.number, l.send(request(op, l.number, addr, length, data))
}

// begin is the start of every command to the flasher.
func (l *Loader) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !l.spoilt {
		return nil
	}
	if err := l.drain(ctx); err != nil {
		return err
	}
	_, err := l.exchange(FlashFlush, 0, 0, nil, flushWork)
	if refused := (*ReasonError)(nil); err == nil || errors.As(err, &refused) { // for what is known already
		l.spoilt = false
		return nil
	}
	return err
}

// drain drops what the loader may still have to say, to what it has still to be told, too.
func (l *Loader) drain(ctx context.Context) error {
	if err := l.clock.Sleep(ctx, settle+l.onLine(l.behind)); err != nil {
		return err
	}
	l.behind, l.in = 0, newReader()
	return l.port.DiscardInput()
}

// answer awaits the answer to a request, and gives its data. Other packets are late
// answers to earlier ones.
func (l *Loader) answer(op Op, number uint16, after time.Duration) ([]byte, error) {
	if err := l.port.SetReadDeadline(l.clock.Now().Add(after)); err != nil {
		return nil, fmt.Errorf("%v: %w", op, err)
	}
	for {
		p, err := l.in.Next(l.port)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, &TimeoutError{op, after}
		case err != nil:
			return nil, fmt.Errorf("%v: read the boot loader's answer: %w", op, err)
		case l.answers(p, op, number):
			return parse(op, p)
		}
	}
}

// answers reports whether a packet is the answer to a request. The ROM repeats no
// number.
func (l *Loader) answers(p []byte, op Op, number uint16) bool {
	if len(p) < romReply || p[0] != byte(op) {
		return false
	}
	return op < FlashGreet || len(p) >= replySize && binary.LittleEndian.Uint16(p[2:]) == number
}

// parse takes an answer apart: operation, reason, number, data.
func parse(op Op, p []byte) ([]byte, error) {
	if r := Reason(p[1]); r != OK {
		return nil, &ReasonError{op, r}
	}
	if len(p) < replySize {
		return nil, nil
	}
	return p[replySize:], nil
}

func following(number uint16) uint16 { return max(number+1, 1) }

func newReader() slip.Reader { return slip.Reader{Decoder: slip.Decoder{Max: maxPacket}} }
