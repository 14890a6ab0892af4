package hardware

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"rigor/harness/port"
	"rigor/harness/rig"
	"rigor/harness/timebase"
)

// line is a port that is opened again, with its mode and lines, when it has
// vanished and come back.
type line struct {
	board, role string
	at          rig.PortConfig
	clock       timebase.Clock
	open        func(rig.PortConfig, port.Mode, timebase.Clock) (port.Port, error)

	mu       sync.Mutex // of what follows, for Close alone may come from elsewhere
	port     port.Port  // nil: not open
	lost     bool       // it was open
	missed   bool       // it did not come back in time: later calls look once
	closed   bool
	mode     port.Mode
	lines    *port.Lines // nil: never set
	deadline time.Time
}

var (
	_ port.Port    = (*line)(nil)
	_ port.Breaker = (*line)(nil)
)

// connect opens the port as it was last set.
func (l *line) connect() error {
	p, err := l.open(l.at, l.mode, l.clock)
	if err != nil {
		return err
	}
	if l.lines != nil {
		err = p.SetLines(*l.lines)
	}
	if err = errors.Join(err, p.SetReadDeadline(l.deadline)); err != nil {
		return errors.Join(err, p.Close())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return errors.Join(os.ErrClosed, p.Close())
	}
	l.port, l.lost, l.missed = p, false, false
	return nil
}

func (l *line) connected() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.port != nil
}

// current is the open port; one that vanished is waited for.
func (l *line) current() (port.Port, error) {
	l.mu.Lock()
	p, closed, lost := l.port, l.closed, l.lost
	l.mu.Unlock()
	switch {
	case closed || p == nil && !lost:
		return nil, os.ErrClosed
	case p != nil:
		return p, nil
	}
	until := l.clock.Now().Add(comeback)
	for {
		err := l.connect()
		if err == nil {
			return l.port, nil
		}
		if l.missed || !l.clock.Now().Before(until) || errors.Is(err, os.ErrClosed) {
			l.missed = true
			return nil, fmt.Errorf("the port vanished and did not come back within %v: %w", comeback, err)
		}
		if err := l.clock.Sleep(context.Background(), lookAgain); err != nil {
			return nil, err
		}
	}
}

// do runs a call on the port. What goes wrong with the port is the rig's fault,
// and lets the next call open it again.
func (l *line) do(op string, f func(port.Port) error) error {
	p, err := l.current()
	if err == nil {
		if err = f(p); err == nil || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, errors.ErrUnsupported) {
			return err
		}
		l.drop(p)
	}
	l.mu.Lock()
	closed := l.closed
	l.mu.Unlock()
	if closed {
		return fmt.Errorf("%s the %s: %w", op, l.role, os.ErrClosed)
	}
	return &rig.Error{Class: rig.Rig, Board: l.board, Op: fmt.Sprintf("%s the %s at %v", op, l.role, l.at), Err: err}
}

// drop gives up a port that failed.
func (l *line) drop(p port.Port) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.port == p {
		l.port, l.lost = nil, true
		p.Close()
	}
}

func (l *line) Read(p []byte) (n int, err error) {
	err = l.do("read", func(q port.Port) error {
		n, err = q.Read(p)
		return err
	})
	return n, err
}

func (l *line) Write(p []byte) (n int, err error) {
	err = l.do("write to", func(q port.Port) error {
		n, err = q.Write(p)
		return err
	})
	return n, err
}

func (l *line) SetReadDeadline(t time.Time) error {
	l.deadline = t
	return l.do("set the deadline of", func(q port.Port) error { return q.SetReadDeadline(t) })
}

func (l *line) SetMode(m port.Mode) error {
	if m.Baud <= 0 || m.Parity > port.ParityOdd {
		return fmt.Errorf("set the mode of the %s: %d baud, parity %d: no such mode", l.role, m.Baud, m.Parity)
	}
	l.mode = m
	return l.do("set the mode of", func(q port.Port) error { return q.SetMode(m) })
}

func (l *line) SetLines(s port.Lines) error {
	l.lines = &s
	err := l.do("set the lines of", func(q port.Port) error { return q.SetLines(s) })
	if errors.Is(err, errors.ErrUnsupported) {
		l.lines = nil
	}
	return err
}

// SetBreak is that of the port. A port that comes back has none.
func (l *line) SetBreak(on bool) error {
	return l.do("set the break of", func(q port.Port) error {
		if b, ok := q.(port.Breaker); ok {
			return b.SetBreak(on)
		}
		return fmt.Errorf("the port sends no break: %w", errors.ErrUnsupported)
	})
}

func (l *line) DiscardInput() error {
	return l.do("discard the input of", func(q port.Port) error { return q.DiscardInput() })
}

// Close closes the port, if it is open.
func (l *line) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return fmt.Errorf("close the %s: %w", l.role, os.ErrClosed)
	}
	l.closed = true
	if l.port == nil {
		return nil
	}
	return l.port.Close()
}
