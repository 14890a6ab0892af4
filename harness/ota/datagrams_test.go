package ota

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"testing"
	"time"

	"rigor/firmware/wire"
	"rigor/probes"
)

// tube is a socket whose datagrams are there from the times that they bear.
type tube struct {
	clock    *tubeClock
	coming   []probes.Datagram
	sent     [][]byte
	sentTo   netip.AddrPort
	breaking error
}

type tubeClock struct{ now time.Time }

func (c *tubeClock) Now() time.Time { return c.now }

func (c *tubeClock) Sleep(_ context.Context, d time.Duration) error {
	c.now = c.now.Add(d)
	return nil
}

func (s *tube) Receive(context.Context) (got []probes.Datagram, err error) {
	for len(s.coming) > 0 && !s.coming[0].At.After(s.clock.now) {
		got, s.coming = append(got, s.coming[0]), s.coming[1:]
	}
	return got, s.breaking
}

func (s *tube) Send(_ context.Context, to netip.AddrPort, payload []byte) error {
	s.sent, s.sentTo = append(s.sent, payload), to
	return s.breaking
}

func (s *tube) Close() error { return nil }

var (
	tubeStart = time.Unix(1000, 0)
	tubeBoard = netip.MustParseAddrPort("192.168.4.2:8032")
)

func tubeFrame(payload string) []byte { return wire.AppendFrame(nil, 'A', []byte(payload)) }

// Only whole frames from the board's port are given, in the order in which they came, and
// a deadline is met to the millisecond.
func TestDatagrams(t *testing.T) {
	at := func(ms int, from string, payload []byte) probes.Datagram {
		return probes.Datagram{At: tubeStart.Add(time.Duration(ms) * time.Millisecond), From: netip.MustParseAddrPort(from), Payload: payload}
	}
	damaged := tubeFrame("damaged")
	damaged[3] ^= 1
	s := &tube{clock: &tubeClock{tubeStart}, coming: []probes.Datagram{
		at(2, "192.168.4.3:8032", tubeFrame("another board")),
		at(2, "192.168.4.2:8033", tubeFrame("another port")),
		at(3, "192.168.4.2:8032", damaged),
		at(3, "192.168.4.2:8032", tubeFrame("cut")[:5]),
		at(3, "192.168.4.2:8032", append(tubeFrame("long"), 'x')),
		at(3, "192.168.4.2:8032", nil),
		at(4, "192.168.4.2:8032", tubeFrame("first")),
		at(4, "192.168.4.2:8032", tubeFrame("second")),
	}}
	l := Datagrams(s, tubeBoard, s.clock)
	deadline := tubeStart.Add(10 * time.Millisecond)
	for _, want := range []string{"first", "second"} {
		f, err := l.Receive(deadline)
		if err != nil || string(f.Payload) != want {
			t.Fatalf("%q, %v; want %q", f.Payload, err, want)
		}
	}
	if got := s.clock.now.Sub(tubeStart); got != 4*time.Millisecond {
		t.Errorf("came after %v, want 4ms", got)
	}
	if _, err := l.Receive(deadline); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v, want a deadline", err)
	}
	if s.clock.now != deadline {
		t.Errorf("waited until %v, want %v", s.clock.now, deadline)
	}
	if err := l.Send(tubeFrame("out")); err != nil || len(s.sent) != 1 || s.sentTo != tubeBoard || string(s.sent[0]) != string(tubeFrame("out")) {
		t.Errorf("sent %q to %v, %v", s.sent, s.sentTo, err)
	}
}

func TestDatagramsFail(t *testing.T) {
	gone := errors.New("gone")
	s := &tube{clock: &tubeClock{tubeStart}, breaking: gone}
	l := Datagrams(s, tubeBoard, s.clock)
	var n *NetworkError
	if err := l.Send(nil); !errors.As(err, &n) || !errors.Is(err, gone) {
		t.Errorf("send: %v", err)
	}
	if _, err := l.Receive(tubeStart.Add(time.Second)); !errors.As(err, &n) || !errors.Is(err, gone) {
		t.Errorf("receive: %v", err)
	}
}
