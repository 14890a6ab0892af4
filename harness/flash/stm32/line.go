package stm32

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"
)

// Bytes of AN3155 §1 and §3.
const (
	syncByte = 0x7F
	ackByte  = 0x79
	nackByte = 0x1F
)

const (
	bitsPerByte = 11 // start, 8 data, parity, stop
	// processing bounds the loader's own work on what it received, which AN2606
	// puts below a millisecond, and the host's adapter and scheduler, which
	// nothing bounds. Other clients allow 500 ms, which a busy host was seen to
	// exceed; waiting longer costs time only where there is no answer at all.
	processing = 2 * time.Second
	syncWait   = 250 * time.Millisecond
	syncTries  = 4
	// resyncTries finds a loader that wants a few bytes of a command yet.
	resyncTries = 12
	// settle is longer than what an adapter may hold back a received byte for
	// (16 ms for FTDI's).
	settle = 50 * time.Millisecond
)

// step is a point of a command at which the loader answers.
type step struct {
	command Command
	stage   Stage
	addr    uint32
}

// onLine is the time n bytes take.
func (l *Loader) onLine(n int) time.Duration {
	return time.Duration(n) * bitsPerByte * time.Second / time.Duration(l.mode.Baud)
}

// answer is how long to wait for an answer when n bytes travel until it is there.
func (l *Loader) answer(n int) time.Duration { return l.onLine(n) + processing }

// sync lets a loader fresh from reset measure the rate by 0x7F (AN3155 §1). One
// that had done so takes it for a command's first byte, and a second one for its
// complement, and says NACK: that is in sync as well. An ACK to a later try may be
// that to an earlier one, with a command half told since.
func (l *Loader) sync(ctx context.Context) error {
	if err := l.port.DiscardInput(); err != nil {
		return fmt.Errorf("synchronise: %w", err)
	}
	for i := range syncTries {
		b, err := l.probe(ctx)
		switch {
		case err != nil:
			return err
		case b == ackByte && i > 0:
			return l.resync(ctx)
		case b == ackByte || b == nackByte:
			l.lost = false
			return nil
		}
	}
	return &SyncError{Tries: syncTries, Mode: l.mode}
}

// resync finds the way out of a command that went wrong in its middle: any
// number of 0x7F ends it. Only NACK is proof, for an ACK may be a late answer.
func (l *Loader) resync(ctx context.Context) error {
	if err := l.drain(ctx); err != nil {
		return err
	}
	for range resyncTries {
		b, err := l.probe(ctx)
		if err != nil {
			return err
		}
		if b == nackByte {
			l.lost = false
			return l.drain(ctx)
		}
	}
	return &SyncError{Tries: resyncTries, Mode: l.mode}
}

// probe sends 0x7F and gives the loader's answer, 0 for none.
func (l *Loader) probe(ctx context.Context) (byte, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := l.send([]byte{syncByte}); err != nil {
		return 0, fmt.Errorf("synchronise: %w", err)
	}
	var b [1]byte
	err := l.recv(b[:], "synchronise", syncWait+l.onLine(2))
	if timeout := (*TimeoutError)(nil); errors.As(err, &timeout) {
		return 0, nil
	}
	return b[0], err
}

// drain drops what the loader may still have to say.
func (l *Loader) drain(ctx context.Context) error {
	if err := l.clock.Sleep(ctx, settle); err != nil {
		return err
	}
	return l.port.DiscardInput()
}

// begin is the start of every command.
func (l *Loader) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if l.lost {
		return l.resync(ctx)
	}
	return nil
}

// command sends a command's code and complement and awaits ACK (AN3155 §3). The
// address is for the error only.
func (l *Loader) command(ctx context.Context, c Command, addr uint32) error {
	if err := l.begin(ctx); err != nil {
		return fmt.Errorf("%v: %w", c, err)
	}
	if c != Get && !l.supports(c) {
		return &UnsupportedError{c}
	}
	if err := l.request([]byte{byte(c), ^byte(c)}, step{c, StageCommand, addr}, 0); err != nil {
		return l.afterRefusal(ctx, c, err)
	}
	return nil
}

// afterRefusal drops the second NACK that versions 3.1 and 9.0 send for Read and
// Write Memory of a protected part (AN2606, known limitations).
func (l *Loader) afterRefusal(ctx context.Context, c Command, err error) error {
	if nack := (*NACKError)(nil); errors.As(err, &nack) && (c == ReadMemory || c == WriteMemory) {
		return errors.Join(err, l.drain(ctx))
	}
	return err
}

// address sends an address with its checksum.
func (l *Loader) address(c Command, addr uint32) error {
	p := binary.BigEndian.AppendUint32(nil, addr)
	return l.request(append(p, xor(p)), step{c, StageAddress, addr}, 0)
}

// request sends a part of a command in one piece and awaits ACK, which may take
// the given time beyond the usual.
func (l *Loader) request(p []byte, s step, work time.Duration) error {
	if err := l.send(p); err != nil {
		return fmt.Errorf("%v: %w", s, err)
	}
	return l.ack(s, l.answer(len(p)+1)+work)
}

func (l *Loader) send(p []byte) error {
	if _, err := l.port.Write(p); err != nil {
		l.lost = true
		return fmt.Errorf("send to the boot loader: %w", err)
	}
	return nil
}

func (l *Loader) ack(s step, after time.Duration) error {
	var b [1]byte
	if err := l.recv(b[:], s.String(), after); err != nil {
		return err
	}
	switch b[0] {
	case ackByte:
		return nil
	case nackByte:
		return &NACKError{s.command, s.stage, s.addr}
	}
	l.lost = true
	return &UnexpectedError{s.String(), b[0]}
}

// recv fills p or gives a *TimeoutError.
func (l *Loader) recv(p []byte, op string, after time.Duration) error {
	if err := l.port.SetReadDeadline(l.clock.Now().Add(after)); err != nil {
		l.lost = true
		return fmt.Errorf("%s: %w", op, err)
	}
	for n := 0; n < len(p); {
		k, err := l.port.Read(p[n:])
		n += k
		if err == nil || n == len(p) {
			continue
		}
		l.lost = true
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return &TimeoutError{Op: op, After: after, Got: n, Want: len(p)}
		}
		return fmt.Errorf("%s: read the boot loader's answer: %w", op, err)
	}
	return nil
}

// xor is the checksum of AN3155 §3.
func xor(p []byte) byte {
	var x byte
	for _, b := range p {
		x ^= b
	}
	return x
}
