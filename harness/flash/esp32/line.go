package esp32

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"rigor/harness/flash/slip"
)

const (
	bitsPerByte = 10 // start, 8 data, stop
	// processing bounds the loader's own work on a request, and the host's adapter
	// and scheduler, which nothing bounds: as much as Espressif's clients allow.
	processing = 3 * time.Second
	syncWait   = 100 * time.Millisecond
	syncTries  = 10
	// syncReplies is how many times the loader answers one SYNC.
	syncReplies = 8
	// settle is what esptool waits after a change of rate; it is longer, too, than
	// what an adapter may hold back a received byte for (16 ms for FTDI's).
	settle = 50 * time.Millisecond
	// statusSize is that of the ROM. Programs in RAM have 2 bytes.
	statusSize = 4
	headerSize = 8
	// maxPacket is more than any answer has.
	maxPacket = 64 + flasherReadSize
)

// syncPacket has a pattern that the chip measures the rate by.
var syncPacket = append([]byte{0x07, 0x07, 0x12, 0x20}, bytes.Repeat([]byte{0x55}, 32)...)

// reply is a loader's answer without its status.
type reply struct {
	value uint32
	data  []byte
}

// onLine is the time n bytes take.
func (l *Loader) onLine(n int) time.Duration {
	return time.Duration(n) * bitsPerByte * time.Second / time.Duration(l.mode.Baud)
}

// sync repeats SYNC until the loader answers, and takes the answers to it.
func (l *Loader) sync(ctx context.Context) error {
	var heard []byte
	for range syncTries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := l.send(request(Sync, syncPacket)); err != nil {
			return fmt.Errorf("synchronise: %w", err)
		}
		_, err := l.answer(Sync, syncWait+l.onLine(100))
		if err == nil {
			l.lost = false
			return l.restOfSync()
		}
		if timeout := (*TimeoutError)(nil); !errors.As(err, &timeout) {
			return err
		}
		heard = append(heard, l.in.Text()...)
	}
	return &SyncError{Tries: syncTries, Mode: l.mode, Boot: string(bootLine.Find(heard))}
}

// restOfSync takes the other answers to a SYNC. A loader that gives fewer costs
// some time.
func (l *Loader) restOfSync() error {
	for range syncReplies - 1 {
		_, err := l.answer(Sync, settle)
		if timeout := (*TimeoutError)(nil); errors.As(err, &timeout) {
			l.lost = false
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// drain drops what the loader may still have to say, to what it has still to be told, too.
func (l *Loader) drain(ctx context.Context) error {
	if err := l.clock.Sleep(ctx, settle+l.onLine(l.behind)); err != nil {
		return err
	}
	l.behind = 0
	return l.discard()
}

func (l *Loader) discard() error {
	l.in = newReader()
	return l.port.DiscardInput()
}

// begin is the start of every request.
func (l *Loader) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !l.lost {
		return nil
	}
	if err := l.drain(ctx); err != nil {
		return err
	}
	return l.sync(ctx)
}

// do sends a request and awaits its answer, which may take some work beyond the
// usual.
func (l *Loader) do(ctx context.Context, c Command, data []byte, work time.Duration) (reply, error) {
	if err := l.begin(ctx); err != nil {
		return reply{}, fmt.Errorf("%v: %w", c, err)
	}
	return l.exchange(c, request(c, data), work)
}

// exchange sends a packet and awaits its answer.
func (l *Loader) exchange(c Command, packet []byte, work time.Duration) (reply, error) {
	if err := l.send(packet); err != nil {
		return reply{}, fmt.Errorf("%v: %w", c, err)
	}
	return l.answer(c, l.onLine(len(packet)+maxPacket)+processing+work)
}

// request is a packet to the loader: direction, command, length, checksum, data.
// Only packets that carry data to write have a checksum.
func request(c Command, data []byte) []byte {
	p := binary.LittleEndian.AppendUint16([]byte{0x00, byte(c)}, uint16(len(data)))
	return append(append(p, 0, 0, 0, 0), data...)
}

// block is a packet with data to write: length, sequence number, two zeros, data.
func block(c Command, seq int, data []byte) []byte {
	p := request(c, append(words(uint32(len(data)), uint32(seq), 0, 0), data...))
	sum := byte(0xEF)
	for _, b := range data {
		sum ^= b
	}
	p[4] = sum
	return p
}

func (l *Loader) send(packet []byte) error {
	if _, err := l.port.Write(slip.Frame(packet)); err != nil {
		l.lost = true
		return fmt.Errorf("send to the boot loader: %w", err)
	}
	return nil
}

// answer awaits the answer to a command; other packets are late ones to
// earlier requests, or text.
func (l *Loader) answer(c Command, after time.Duration) (reply, error) {
	if err := l.port.SetReadDeadline(l.clock.Now().Add(after)); err != nil {
		l.lost = true
		return reply{}, fmt.Errorf("%v: %w", c, err)
	}
	for {
		p, err := l.in.Next(l.port)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			l.lost = true
			return reply{}, &TimeoutError{c, after}
		case err != nil:
			l.lost = true
			return reply{}, fmt.Errorf("%v: read the boot loader's answer: %w", c, err)
		case len(p) >= headerSize && p[0] == 0x01 && p[1] == byte(c):
			return parse(c, p)
		}
	}
}

// parse takes a packet apart: direction, command, length, value, data, status.
func parse(c Command, p []byte) (reply, error) {
	n := int(binary.LittleEndian.Uint16(p[2:]))
	body := p[headerSize:]
	switch {
	case n != len(body):
		return reply{}, &ReplyError{c, fmt.Sprintf("says it has %d bytes and has %d", n, len(body))}
	case n < statusSize:
		return reply{}, &ReplyError{c, fmt.Sprintf("has %d bytes, of which the status takes %d: a program in RAM answers, not the ROM", n, statusSize)}
	}
	data, status := body[:n-statusSize], body[n-statusSize:]
	if status[0] != 0 {
		return reply{}, &StatusError{c, Code(status[1])}
	}
	return reply{binary.LittleEndian.Uint32(p[4:]), data}, nil
}

func newReader() slip.Reader { return slip.Reader{Decoder: slip.Decoder{Max: maxPacket}} }
