package ota

import (
	"context"
	"net/netip"
	"os"
	"time"

	"rigor/firmware/wire"
	"rigor/harness/timebase"
	"rigor/probes"
)

// lookEvery is how often a socket, which does not tell when something comes, is looked at.
const lookEvery = time.Millisecond

// datagrams is a Link over UDP, each frame a datagram of its own.
type datagrams struct {
	socket  probes.Socket
	to      netip.AddrPort
	clock   timebase.Clock
	waiting [][]byte
}

// Datagrams is a link over UDP to the board at an address. What comes from elsewhere
// is dropped, and so is what is no whole frame.
func Datagrams(s probes.Socket, to netip.AddrPort, c timebase.Clock) Link {
	return &datagrams{socket: s, to: to, clock: c}
}

func (d *datagrams) Send(frame []byte) error {
	if err := d.socket.Send(context.Background(), d.to, frame); err != nil {
		return &NetworkError{"send to", d.to, err}
	}
	return nil
}

func (d *datagrams) Receive(deadline time.Time) (wire.Frame, error) {
	for {
		if f, ok := d.next(); ok {
			return f, nil
		}
		left := deadline.Sub(d.clock.Now())
		if left <= 0 {
			return wire.Frame{}, os.ErrDeadlineExceeded
		}
		if err := d.clock.Sleep(context.Background(), min(left, lookEvery)); err != nil {
			return wire.Frame{}, &NetworkError{"wait for", d.to, err}
		}
		if err := d.look(); err != nil {
			return wire.Frame{}, &NetworkError{"receive from", d.to, err}
		}
	}
}

// next decodes what has come.
func (d *datagrams) next() (wire.Frame, bool) {
	for len(d.waiting) > 0 {
		p := d.waiting[0]
		d.waiting = d.waiting[1:]
		var decoder wire.Decoder
		for i, b := range p {
			if f, ok := decoder.Feed(b); ok && i == len(p)-1 {
				return f, true
			}
		}
	}
	return wire.Frame{}, false
}

func (d *datagrams) look() error {
	all, err := d.socket.Receive(context.Background())
	for _, g := range all {
		if g.From == d.to {
			d.waiting = append(d.waiting, g.Payload)
		}
	}
	return err
}

// NetworkError is a network that failed, which says nothing of the device.
type NetworkError struct {
	Op  string
	To  netip.AddrPort
	Err error
}

func (e *NetworkError) Error() string { return e.Op + " " + e.To.String() + ": " + e.Err.Error() }

func (e *NetworkError) Unwrap() error { return e.Err }
