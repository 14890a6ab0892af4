package virtual

import (
	"errors"
	"fmt"
	"os"
	"time"

	"rigor/harness/port"
	"rigor/harness/sim/board"
)

// Patience is how long a Read without a deadline waits for the board, in the
// board's time. Nothing but the Read moves that time, so it would wait for ever.
const Patience = time.Minute

// line is a port.Port on one bridge of a board.
type line struct {
	b        *Board
	bridge   *board.Bridge
	deadline time.Time
	closed   bool
	modem    bool // its lines are wired to reset and boot strap
}

var (
	_ port.Port    = (*line)(nil)
	_ port.Breaker = (*line)(nil)
)

// Read takes what the bridge has received, or lets the board run until there
// is something. A chip that stopped is an error only when all it had sent has
// been read.
func (l *line) Read(p []byte) (int, error) {
	if err := l.open("read"); err != nil || len(p) == 0 {
		return 0, err
	}
	err := l.await()
	n := 0
	for n < len(p) && l.bridge.Buffered() > 0 {
		r, _ := l.bridge.Next()
		p[n] = r.Byte
		n++
	}
	switch {
	case n > 0:
		return n, nil
	case err != nil:
		return 0, err
	}
	return 0, os.ErrDeadlineExceeded
}

// await lets the board run until the bridge has something to give, at most to
// the deadline.
func (l *line) await() error {
	until := l.b.after(Patience)
	if !l.deadline.IsZero() {
		until = span(l.deadline.Sub(Epoch))
	}
	return l.b.advance("read "+l.bridge.Name(), until, func() bool { return l.bridge.Buffered() > 0 })
}

// Write queues all of p; it goes out as the board's time moves.
func (l *line) Write(p []byte) (int, error) {
	if err := l.open("write"); err != nil {
		return 0, err
	}
	l.bridge.Write(p)
	return len(p), nil
}

func (l *line) SetReadDeadline(t time.Time) error {
	l.deadline = t
	return l.open("set the deadline of")
}

func (l *line) SetMode(m port.Mode) error {
	if err := l.open("set the mode of"); err != nil {
		return err
	}
	if m.Baud <= 0 {
		return fmt.Errorf("set %s to %v: no such rate", l.bridge.Name(), m)
	}
	if err := l.drain(); err != nil {
		return err
	}
	return l.bridge.SetMode(board.Mode{Baud: uint64(m.Baud), Parity: board.Parity(m.Parity)})
}

// drain lets the board run until all that was written is on the line.
func (l *line) drain() error {
	sent := func() bool { return l.bridge.Unsent() == 0 }
	if err := l.b.advance("drain "+l.bridge.Name(), l.b.after(Patience), sent); err != nil {
		return err
	}
	if !sent() {
		return fmt.Errorf("drain %s: %d bytes are left after %v", l.bridge.Name(), l.bridge.Unsent(), Patience)
	}
	return nil
}

// SetLines moves reset and boot strap by the circuit of rigs.yaml; without one the
// lines end at the adapter, and are not supported.
func (l *line) SetLines(s port.Lines) error {
	err := l.open("set the lines of")
	if !l.modem {
		return errors.Join(err, errors.ErrUnsupported)
	}
	if err == nil {
		l.bridge.SetLines(s.DTR, s.RTS)
	}
	return err
}

// SetBreak holds the chip's receive pin low once all that was written is on the
// line, or lets it go.
func (l *line) SetBreak(on bool) error {
	if err := l.open("set the break of"); err != nil {
		return err
	}
	if on {
		if err := l.drain(); err != nil {
			return err
		}
	}
	l.bridge.SetBreak(on)
	return nil
}

func (l *line) DiscardInput() error {
	if err := l.open("discard the input of"); err != nil {
		return err
	}
	l.bridge.DiscardInput()
	return nil
}

// Close closes this handle; the bridge stays on the board.
func (l *line) Close() error {
	if err := l.open("close"); err != nil {
		return err
	}
	l.closed = true
	return nil
}

func (l *line) open(what string) error {
	if l.closed {
		return fmt.Errorf("%s %s: %w", what, l.bridge.Name(), os.ErrClosed)
	}
	return nil
}
