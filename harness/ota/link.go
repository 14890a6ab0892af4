package ota

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"rigor/firmware/wire"
	"rigor/harness/port"
	"rigor/harness/timebase"
)

// Link carries frames of firmware/wire to a device and back. It may lose, repeat
// and reorder them; one that it gives is undamaged.
type Link interface {
	// Send sends one encoded frame.
	Send(frame []byte) error
	// Receive gives the next frame, whose payload is valid until the next call,
	// and os.ErrDeadlineExceeded past the deadline.
	Receive(deadline time.Time) (wire.Frame, error)
}

// PortError is a line that failed, which says nothing of the device.
type PortError struct {
	Op  string
	Err error
}

func (e *PortError) Error() string { return fmt.Sprintf("%s the console: %v", e.Op, e.Err) }

func (e *PortError) Unwrap() error { return e.Err }

// console is a Link over a serial line.
type console struct {
	port    port.Port
	clock   timebase.Clock
	log     io.Writer
	decoder wire.Decoder
	buf     [256]byte
	pending []byte // of buf, not decoded yet
}

// Serial is a link over a serial line. log gets a copy of every byte received; nil:
// there is none.
func Serial(p port.Port, c timebase.Clock, log io.Writer) Link {
	if log == nil {
		log = io.Discard
	}
	return &console{port: p, clock: c, log: log}
}

func (c *console) Send(frame []byte) error {
	if _, err := c.port.Write(frame); err != nil {
		return &PortError{"write to", err}
	}
	return nil
}

func (c *console) Receive(deadline time.Time) (wire.Frame, error) {
	if err := c.port.SetReadDeadline(deadline); err != nil {
		return wire.Frame{}, &PortError{"set the deadline of", err}
	}
	for {
		if f, ok := c.decode(); ok {
			return f, nil
		}
		if c.clock.Now().After(deadline) { // noise without end must not hold us
			return wire.Frame{}, os.ErrDeadlineExceeded
		}
		n, err := c.port.Read(c.buf[:])
		c.pending = c.buf[:n]
		c.log.Write(c.pending) // a log that is full must not end the update
		switch {
		case n > 0:
		case errors.Is(err, os.ErrDeadlineExceeded):
			return wire.Frame{}, err
		default:
			return wire.Frame{}, &PortError{"read", err}
		}
	}
}

// decode goes through what was read up to the end of a frame.
func (c *console) decode() (wire.Frame, bool) {
	for i, b := range c.pending {
		if f, ok := c.decoder.Feed(b); ok {
			c.pending = c.pending[i+1:]
			return f, true
		}
	}
	c.pending = nil
	return wire.Frame{}, false
}
