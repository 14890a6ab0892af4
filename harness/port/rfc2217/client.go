package rfc2217

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"rigor/harness/port"
	"rigor/harness/timebase"
)

// RefusedError is a server that ended the connection, or would not do what a
// serial line needs, when it was opened.
type RefusedError struct{ Said string }

func (e *RefusedError) Error() string { return e.Said }

type client struct {
	addr     string
	conn     net.Conn
	clock    timebase.Clock
	decoder  decoder
	options  options
	pending  []byte  // data not read yet
	answers  []event // settings that the server told
	paused   bool    // the server takes no data for now
	deadline time.Time
	closed   atomic.Bool
	buf      [4096]byte
}

var (
	_ port.Port    = (*client)(nil)
	_ port.Breaker = (*client)(nil)
)

// Dial opens the line that the server at addr, host:port, gives out, and sets
// the mode. The clock must be the host's, by which a connection's deadlines go.
func Dial(ctx context.Context, addr string, m port.Mode, clock timebase.Clock) (port.Port, error) {
	dialer := net.Dialer{Timeout: answerWait}
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("open rfc2217 port %s: %w", addr, err)
	}
	c := &client{addr: addr, conn: conn, clock: clock}
	err = c.handshake()
	if err == nil {
		err = c.configure()
	}
	if err == nil {
		err = c.SetMode(m)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("open rfc2217 port %s: %w", addr, err)
	}
	return c, nil
}

// handshake agrees on the options.
func (c *client) handshake() error {
	hello := c.options.ask(nil, optBinary, true, true)
	hello = c.options.ask(hello, optGoAhead, true, true)
	if err := c.send(c.options.ask(hello, optComPort, true, false)); err != nil {
		return err
	}
	until := c.clock.Now().Add(answerWait)
	needed := []*struct{ on, asked bool }{
		&c.options.ours[optComPort], &c.options.ours[optBinary], &c.options.theirs[optBinary],
	}
	for _, o := range needed {
		for o.asked {
			if err := c.fill(until); err != nil {
				return c.refusal(err)
			}
		}
		if !o.on {
			return &RefusedError{"the server there refuses the COM port option or binary transmission: it is no RFC 2217 server"}
		}
	}
	return nil
}

// refusal explains a handshake that found no end.
func (c *client) refusal(err error) error {
	said := strings.TrimSpace(string(c.pending))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &RefusedError{fmt.Sprintf("the server there does not answer within %v: it is no RFC 2217 server", answerWait)}
	case said != "":
		return &RefusedError{fmt.Sprintf("the server says %q", said)}
	case errors.Is(err, io.EOF):
		return &RefusedError{"the server closed the connection: it may be in use"}
	}
	return err
}

// configure sets what never changes: frames of 8 bits and one stop bit, no flow
// control. That nothing be told unasked is not asked for: ser2net does not
// acknowledge the masks.
func (c *client) configure() error {
	for _, s := range []struct {
		name           string
		command, value byte
	}{
		{"8 data bits", cmdDataSize, eightBits}, {"1 stop bit", cmdStopSize, oneStop}, {"no flow control", cmdControl, noFlow},
	} {
		got, err := c.set(s.command, func(v []byte) bool { return s.command != cmdControl || isFlow(v) }, s.value)
		if err != nil {
			return fmt.Errorf("ask for %s: %w", s.name, err)
		}
		if !slices.Equal(got, []byte{s.value}) {
			return &RefusedError{fmt.Sprintf("the server refuses %s: it says % x", s.name, got)}
		}
	}
	return nil
}

// isFlow reports an answer that is about what the server sends to the line.
func isFlow(value []byte) bool {
	return len(value) == 1 && slices.Contains([]byte{noFlow, xonFlow, rtsFlow, dcdFlow, dsrFlow}, value[0])
}

// set sends a command and waits for the answer to it that is wanted.
func (c *client) set(command byte, wanted func(value []byte) bool, value ...byte) ([]byte, error) {
	c.answers = nil
	if err := c.send(appendSetting(nil, command, value...)); err != nil {
		return nil, err
	}
	return c.await(command, wanted)
}

func (c *client) await(command byte, wanted func(value []byte) bool) ([]byte, error) {
	until := c.clock.Now().Add(answerWait)
	for {
		for i, a := range c.answers {
			if a.b == command+fromServer && wanted(a.value) {
				c.answers = slices.Delete(c.answers, i, i+1)
				return a.value, nil
			}
		}
		err := c.fill(until)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, fmt.Errorf("the server does not acknowledge within %v", answerWait)
		}
		if err != nil {
			return nil, err
		}
	}
}

// fill takes what the connection has to give, waiting for it until the deadline.
func (c *client) fill(until time.Time) error {
	if err := c.conn.SetReadDeadline(until); err != nil {
		return err
	}
	n, err := c.conn.Read(c.buf[:])
	var reply []byte
	for _, b := range c.buf[:n] {
		switch e := c.decoder.feed(b); e.kind {
		case data:
			c.pending = append(c.pending, e.b)
		case negotiate:
			reply = c.options.take(reply, e.b, e.opt)
		case setting:
			c.told(e)
		}
	}
	if n > 0 && len(reply) > 0 {
		return c.send(reply)
	}
	if n > 0 {
		return nil
	}
	return err
}

// told takes what the server says of the line.
func (c *client) told(e event) {
	switch e.b {
	case cmdPurge + fromServer:
		c.pending = nil // what follows is new
	case cmdSuspend + fromServer, cmdResume + fromServer:
		c.paused = e.b == cmdSuspend+fromServer
	}
	c.answers = append(c.answers, e)
}

func (c *client) send(p []byte) error {
	if err := c.conn.SetWriteDeadline(c.clock.Now().Add(stuckAfter)); err != nil {
		return err
	}
	_, err := c.conn.Write(p)
	return err
}

// wrap says what was attempted, and names a connection that ended.
func (c *client) wrap(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case c.closed.Load():
		err = os.ErrClosed
	case errors.Is(err, io.EOF):
		err = fmt.Errorf("the server closed the connection: %w", err)
	}
	return fmt.Errorf("%s rfc2217 port %s: %w", what, c.addr, err)
}

// do runs a call of an open port.
func (c *client) do(what string, f func() error) error {
	if c.closed.Load() {
		return c.wrap(what, os.ErrClosed)
	}
	return c.wrap(what, f())
}

func (c *client) Read(p []byte) (n int, err error) {
	err = c.do("read", func() error {
		for len(p) > 0 && len(c.pending) == 0 {
			if err := c.fill(c.deadline); err != nil {
				return err
			}
		}
		n = copy(p, c.pending)
		c.pending = c.pending[n:]
		return nil
	})
	return n, err
}

func (c *client) Write(p []byte) (int, error) {
	err := c.do("write", func() error {
		if len(p) == 0 {
			return nil
		}
		if err := c.resumed(); err != nil {
			return err
		}
		return c.send(escape(p))
	})
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// resumed waits until the server takes data, as far as it has told otherwise.
func (c *client) resumed() error {
	until := c.clock.Now().Add(stuckAfter)
	for c.paused {
		err := c.fill(until)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return fmt.Errorf("the server suspended the data %v ago and does not resume", stuckAfter)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *client) SetReadDeadline(t time.Time) error {
	return c.do("set the read deadline of", func() error { c.deadline = t; return nil })
}

func (c *client) SetMode(m port.Mode) error {
	return c.do(fmt.Sprintf("set %d baud on", m.Baud), func() error {
		if m.Baud <= 0 || int(m.Parity) >= len(parities) {
			return errors.New("no such mode")
		}
		got, err := c.set(cmdBaudRate, func(v []byte) bool { return len(v) == 4 }, binary.BigEndian.AppendUint32(nil, uint32(m.Baud))...)
		if err != nil {
			return err
		}
		if rate := binary.BigEndian.Uint32(got); rate != uint32(m.Baud) {
			return fmt.Errorf("the server's line stays at %d baud", rate)
		}
		return c.setParity(m.Parity)
	})
}

func (c *client) setParity(p port.Parity) error {
	got, err := c.set(cmdParity, func(v []byte) bool { return len(v) == 1 }, parities[p])
	if err == nil && got[0] != parities[p] {
		err = fmt.Errorf("the server's line keeps parity %d (RFC 2217's number), not %d", got[0], parities[p])
	}
	return err
}

// SetLines sends both lines in one segment, which this package's server takes as
// one change. Others make two of it, DTR first.
func (c *client) SetLines(l port.Lines) error {
	return c.do("set the lines of", func() error {
		dtr, rts := byte(dtrOff), byte(rtsOff)
		if l.DTR {
			dtr = dtrOn
		}
		if l.RTS {
			rts = rtsOn
		}
		c.answers = nil
		if err := c.send(appendSetting(appendSetting(nil, cmdControl, dtr), cmdControl, rts)); err != nil {
			return err
		}
		if err := c.lineIs("DTR", dtr, dtrOn, dtrOff); err != nil {
			return err
		}
		return c.lineIs("RTS", rts, rtsOn, rtsOff)
	})
}

// lineIs waits for the acknowledgement of a line's state.
func (c *client) lineIs(name string, want byte, states ...byte) error {
	got, err := c.await(cmdControl, func(v []byte) bool { return len(v) == 1 && slices.Contains(states, v[0]) })
	if err == nil && got[0] != want {
		err = fmt.Errorf("the server does not move %s: %w", name, errors.ErrUnsupported)
	}
	return err
}

// SetBreak begins or ends a break. RFC 2217 does not say whether that waits for
// what was written; this package's server does.
func (c *client) SetBreak(on bool) error {
	return c.do("set the break of", func() error {
		want := byte(breakOff)
		if on {
			want = breakOn
		}
		got, err := c.set(cmdControl, func(v []byte) bool { return len(v) == 1 && (v[0] == breakOn || v[0] == breakOff) }, want)
		if err == nil && got[0] != want {
			err = fmt.Errorf("the server sends no break: %w", errors.ErrUnsupported)
		}
		return err
	})
}

func (c *client) DiscardInput() error {
	return c.do("discard the input of", func() error {
		_, err := c.set(cmdPurge, func([]byte) bool { return true }, purgeInput)
		return err
	})
}

func (c *client) Close() error {
	if c.closed.Swap(true) {
		return c.wrap("close", os.ErrClosed)
	}
	if err := c.conn.Close(); err != nil {
		return fmt.Errorf("close rfc2217 port %s: %w", c.addr, err)
	}
	return nil
}
