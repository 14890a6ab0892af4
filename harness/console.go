package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"rigor/firmware/wire"
	"rigor/harness/port"
	"rigor/harness/timebase"
)

// Console is the host's end of the conversation that firmware/wire defines.
type Console struct {
	port    port.Port
	clock   timebase.Clock
	log     io.Writer // receives every byte that the board sends
	decoder wire.Decoder
	buf     [256]byte
	pending []byte // of buf, not decoded yet
	loose   int    // bytes since the last undamaged frame
	greeted bool
	before  int // frames that were damaged before the greeting
}

// NewConsole speaks over p; log gets a copy of every byte received.
func NewConsole(p port.Port, c timebase.Clock, log io.Writer) *Console {
	return &Console{port: p, clock: c, log: log}
}

// Report is a run's result as the firmware tells it.
type Report struct {
	Values   []uint32 // ticks of the firmware's counter
	Overhead uint32   // of them, what an empty interval takes
}

// SilentError is a firmware that did not say in time what it had to.
type SilentError struct {
	Want    string
	After   time.Duration
	Dropped int // damaged frames on the way
	Loose   int // bytes after the last undamaged frame
}

func (e *SilentError) Error() string {
	s := fmt.Sprintf("no %s from the firmware within %v", e.Want, e.After)
	switch {
	case e.Dropped > 0:
		s += fmt.Sprintf("; %d frames came damaged", e.Dropped)
	case e.Loose > 0:
		s += fmt.Sprintf("; %d bytes came that are no whole frame, see the console's log", e.Loose)
	}
	return s
}

// PortError is a line that failed, which says nothing of the firmware.
type PortError struct {
	Op  string
	Err error
}

func (e *PortError) Error() string { return fmt.Sprintf("%s the console: %v", e.Op, e.Err) }

func (e *PortError) Unwrap() error { return e.Err }

// StatusError is a command that the firmware refused.
type StatusError struct {
	Command string
	Status  wire.Status
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("the firmware refused %q: status %d %s", e.Command, e.Status.Code, e.Status.Text)
}

// Hello waits for the greeting that a program sends after a reset.
func (c *Console) Hello(ctx context.Context, patience time.Duration) (wire.Hello, error) {
	f, err := c.next(ctx, "greeting", patience, wire.TypeHello)
	if err != nil {
		return wire.Hello{}, err
	}
	h, err := wire.ParseHello(f.Payload)
	if err != nil {
		return h, fmt.Errorf("read the greeting: %w", err)
	}
	c.greeted, c.before = true, c.decoder.Dropped()
	return h, nil
}

// Damaged counts the frames that came damaged from a program that had been
// understood, so that it is the line's doing and not its baud rate.
func (c *Console) Damaged() int {
	if !c.greeted {
		return 0
	}
	return c.decoder.Dropped() - c.before
}

// Start sends a command and waits until the firmware has accepted it. From then
// on the stimulus may come.
func (c *Console) Start(ctx context.Context, cmd wire.Command, patience time.Duration) error {
	if err := c.send(wire.AppendCommand(nil, cmd)); err != nil {
		return fmt.Errorf("send command %q: %w", cmd.Name, err)
	}
	f, err := c.next(ctx, fmt.Sprintf("answer to %q", cmd.Name), patience, wire.TypeStatus)
	if err != nil {
		return err
	}
	s, err := wire.ParseStatus(f.Payload)
	if err != nil {
		return fmt.Errorf("read the answer to %q: %w", cmd.Name, err)
	}
	if s.Code != wire.StatusOK {
		return &StatusError{cmd.Name, s}
	}
	return nil
}

// Collect takes the samples of the run that Start began, until its Done. A gap,
// a sample of another run or a wrong count is an error: nothing is made up.
func (c *Console) Collect(ctx context.Context, cmd wire.Command, patience time.Duration) (Report, error) {
	var r Report
	for {
		want := fmt.Sprintf("sample %d of %q", len(r.Values), cmd.Name)
		f, err := c.next(ctx, want, patience, wire.TypeSamples, wire.TypeDone, wire.TypeStatus)
		if err != nil {
			return r, err
		}
		done, err := r.take(f, cmd)
		if done || err != nil {
			return r, err
		}
	}
}

// take adds one frame to the report.
func (r *Report) take(f wire.Frame, cmd wire.Command) (done bool, err error) {
	switch f.Type {
	case wire.TypeSamples:
		s, err := wire.ParseSamples(f.Payload)
		if err != nil {
			return false, fmt.Errorf("read samples of %q: %w", cmd.Name, err)
		}
		if s.Name != cmd.Name || uint64(s.Index) != uint64(len(r.Values)) {
			return false, fmt.Errorf("read samples of %q: got %q from %d on, want them from %d on; a frame was lost",
				cmd.Name, s.Name, s.Index, len(r.Values))
		}
		r.Values = append(r.Values, s.Values...)
	case wire.TypeDone:
		d, err := wire.ParseDone(f.Payload)
		if err != nil {
			return false, fmt.Errorf("read the end of %q: %w", cmd.Name, err)
		}
		if d.Name != cmd.Name || d.Count != cmd.Count || len(r.Values) != int(d.Count) {
			return false, fmt.Errorf("end of %q: the firmware sent %d samples of %q, %d arrived, %d were asked for",
				cmd.Name, d.Count, d.Name, len(r.Values), cmd.Count)
		}
		r.Overhead = d.Overhead
		return true, nil
	case wire.TypeStatus:
		s, err := wire.ParseStatus(f.Payload)
		return false, errors.Join(&StatusError{cmd.Name, s}, err)
	}
	return false, nil
}

// next is the next undamaged frame of one of the types; others are skipped and
// buy no time.
func (c *Console) next(ctx context.Context, want string, patience time.Duration, types ...wire.Type) (wire.Frame, error) {
	deadline := c.clock.Now().Add(patience)
	if err := c.port.SetReadDeadline(deadline); err != nil {
		return wire.Frame{}, &PortError{"set the deadline of", err}
	}
	for {
		if f, ok := c.decode(); ok {
			if slices.Contains(types, f.Type) {
				return f, nil
			}
			continue
		}
		if err := ctx.Err(); err != nil {
			return wire.Frame{}, fmt.Errorf("wait for %s: %w", want, err)
		}
		err := c.read(c.buf[:])
		if errors.Is(err, os.ErrDeadlineExceeded) || err == nil && c.clock.Now().After(deadline) {
			return wire.Frame{}, &SilentError{want, patience, c.decoder.Dropped(), c.loose}
		}
		if err != nil {
			return wire.Frame{}, fmt.Errorf("wait for %s: %w", want, err)
		}
	}
}

// read waits for bytes and leaves them in pending.
func (c *Console) read(p []byte) error {
	n, err := c.port.Read(p)
	c.pending = p[:n]
	c.log.Write(c.pending) // a log that is full must not end the run
	switch {
	case n > 0:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return err
	}
	return &PortError{"read", err}
}

// decode goes through what was read up to the end of a frame.
func (c *Console) decode() (wire.Frame, bool) {
	for i, b := range c.pending {
		c.loose++
		if f, ok := c.decoder.Feed(b); ok {
			c.pending, c.loose = c.pending[i+1:], 0
			return f, true
		}
	}
	c.pending = nil
	return wire.Frame{}, false
}

// Exchange sends data and waits for as many bytes in return, without frames.
func (c *Console) Exchange(ctx context.Context, data []byte, patience time.Duration) ([]byte, error) {
	if err := c.send(data); err != nil {
		return nil, err
	}
	if err := c.port.SetReadDeadline(c.clock.Now().Add(patience)); err != nil {
		return nil, &PortError{"set the deadline of", err}
	}
	back := make([]byte, 0, len(data))
	for {
		n := min(len(data)-len(back), len(c.pending))
		back, c.pending = append(back, c.pending[:n]...), c.pending[n:]
		if len(back) == len(data) {
			return back, nil
		}
		if err := ctx.Err(); err != nil {
			return back, err
		}
		if err := c.read(c.buf[:]); err != nil {
			return back, fmt.Errorf("wait for byte %d of %d: %w", len(back)+1, len(data), err)
		}
	}
}

func (c *Console) send(p []byte) error {
	if _, err := c.port.Write(p); err != nil {
		return &PortError{"write to", err}
	}
	return nil
}
