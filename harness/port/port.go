// Package port is the contract of a serial line to a board, with the two modem
// lines that serve as reset and boot straps. Backends: serialport (a device of
// the host), and the console of a virtual board.
package port

import (
	"fmt"
	"io"
	"time"
)

// Parity of a frame.
type Parity uint8

const (
	ParityNone Parity = iota
	ParityEven
	ParityOdd
)

// Mode is the line's setting: 8 data bits and 1 stop bit always.
type Mode struct {
	Baud   int
	Parity Parity
}

func (m Mode) String() string {
	return fmt.Sprintf("%d 8%c1", m.Baud, "NEO"[m.Parity])
}

// Lines are the two outputs of the adapter; true is asserted (low on the pin
// of a usual adapter).
type Lines struct{ DTR, RTS bool }

// Port is a serial line. Read returns what has come, waiting for the first byte,
// and os.ErrDeadlineExceeded past its deadline on the rig's clock, never 0, nil
// (but for an empty p); Write takes all of p or returns an error. A Port is for
// one goroutine, but Close may come from another and ends a Read. After Close
// all calls return os.ErrClosed. porttest.Run tests all of this.
type Port interface {
	io.ReadWriteCloser
	// SetReadDeadline bounds later Reads; the zero time means none.
	SetReadDeadline(t time.Time) error
	// SetMode takes effect for what is written and received from then on.
	SetMode(m Mode) error
	// SetLines sets both lines at once: they are reset and boot straps. A port
	// that has none returns an error that is errors.ErrUnsupported.
	SetLines(l Lines) error
	// DiscardInput drops what has been received and not read.
	DiscardInput() error
}

// Breaker is a port that can send a break: the line held low for longer than a
// frame, which the other end's UART takes for a frame without a stop bit.
type Breaker interface {
	// SetBreak begins a break after what was written before, or ends it. A line
	// that carries none returns an error that is errors.ErrUnsupported.
	SetBreak(on bool) error
}
