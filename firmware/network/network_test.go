package network

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"time"
)

// wire is a radio whose other end is the test.
type wire struct {
	status Status
	in     [][]byte
	out    [][]byte
	full   bool
}

var own, peer = MAC{2, 0, 0, 0, 0, 1}, MAC{2, 0, 0, 0, 0, 9}

func (w *wire) Join(string, string) error { w.status = Status{State: Joined}; return nil }
func (w *wire) Leave()                    { w.status = Status{} }
func (w *wire) Status() Status            { return w.status }
func (w *wire) MAC() MAC                  { return own }

func (w *wire) Send(f []byte) error {
	if w.full {
		return ErrFull
	}
	w.out = append(w.out, bytes.Clone(f))
	return nil
}

func (w *wire) Receive(buf []byte) (int, bool) {
	if len(w.in) == 0 {
		return 0, false
	}
	n := copy(buf, w.in[0])
	w.in = w.in[1:]
	return n, true
}

// sent takes the one frame that was sent.
func (w *wire) sent(t *testing.T) []byte {
	t.Helper()
	if len(w.out) != 1 {
		t.Fatalf("%d frames sent, want 1", len(w.out))
	}
	f := w.out[0]
	w.out = nil
	return f
}

// unhex reads a frame as a dump has it.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// joined is a stack with an address, 192.168.4.2/24, and router 192.168.4.1.
func joined() (*Stack, *wire) {
	w := &wire{}
	s := New(w, 1)
	s.Join("", "")
	s.joined = true
	s.address, s.mask, s.router = Addr{192, 168, 4, 2}, Addr{255, 255, 255, 0}, Addr{192, 168, 4, 1}
	return s, w
}

func (s *Stack) feed(w *wire, now time.Duration, frames ...[]byte) {
	w.in = append(w.in, frames...)
	s.Poll(now)
}

// Frames below were made by hand from the RFCs' figures; their checksums were
// computed apart from the code under test, with three lines of
// Python.
const (
	arpAsk    = "ffffffffffff 020000000009 0806 0001 0800 06 04 0001 020000000009 c0a80401 000000000000 c0a80402"
	arpAnswer = "020000000009 020000000001 0806 0001 0800 06 04 0002 020000000001 c0a80402 020000000009 c0a80401"
	arpTold   = "020000000001 020000000009 0806 0001 0800 06 04 0002 020000000009 c0a80401 020000000001 c0a80402"
	ping      = "020000000001 020000000009 0800 45 00 0024 1234 0000 40 01 df51 c0a80401 c0a80402 08 00 5558 1111 0001 6162 6364 6566 6768"
)

func TestARP(t *testing.T) {
	s, w := joined()
	s.feed(w, 0, unhex(t, arpAsk))
	if got, want := w.sent(t), unhex(t, arpAnswer); !bytes.Equal(got, want) {
		t.Errorf("answered\n%x, want\n%x", got, want)
	}
	other := unhex(t, arpAsk)
	other[41] = 77
	s.feed(w, 0, other)
	if len(w.out) != 0 {
		t.Error("it answers for another")
	}
}

// A datagram waits for its neighbour, which is asked three times, a second apart.
func TestNeighbour(t *testing.T) {
	s, w := joined()
	to := Endpoint{Addr{192, 168, 4, 1}, 5000}
	if err := s.Send(4000, to, []byte("hi")); err != nil {
		t.Fatal(err)
	}
	if f := w.sent(t); !bytes.Equal(f[:6], broadcast[:]) || be.Uint16(f[12:]) != kindARP || Addr(f[38:42]) != to.Addr {
		t.Fatalf("%x is no question for %v", f, to.Addr)
	}
	for i := range 10 {
		s.Poll(time.Duration(i) * 500 * time.Millisecond)
	}
	if len(w.out) != 2 {
		t.Errorf("asked %d times more, want 2", len(w.out))
	}
	w.out = nil
	s.Send(4000, to, []byte("again"))
	w.sent(t)
	s.feed(w, 5*time.Second, unhex(t, arpTold))
	f := w.sent(t)
	if MAC(f[:6]) != peer || string(f[udpStart:]) != "again" {
		t.Errorf("then sent %x", f)
	}
	s.Send(4000, to, []byte("known"))
	if f := w.sent(t); MAC(f[:6]) != peer || string(f[udpStart:]) != "known" {
		t.Errorf("then sent %x", f)
	}
	s.Poll(70 * time.Second)
	s.Send(4000, to, nil)
	if f := w.sent(t); be.Uint16(f[12:]) != kindARP {
		t.Errorf("after more than a minute it still knows: %x", f)
	}
}

// What is beyond the network goes to the router, what is for all to all.
func TestNextHop(t *testing.T) {
	for _, c := range []struct {
		to, asks Addr // zero: nobody, it goes to all
	}{
		{Addr{192, 168, 4, 77}, Addr{192, 168, 4, 77}},
		{Addr{8, 8, 8, 8}, Addr{192, 168, 4, 1}},
		{Addr{192, 168, 4, 255}, Addr{}},
		{Addr{255, 255, 255, 255}, Addr{}},
		{Addr{192, 168, 5, 255}, Addr{192, 168, 4, 1}},
	} {
		s, w := joined()
		if err := s.Send(1, Endpoint{c.to, 2}, nil); err != nil {
			t.Fatal(err)
		}
		f := w.sent(t)
		if MAC(f[:6]) != broadcast {
			t.Errorf("%v: sent to %x", c.to, f[:6])
		}
		if kind := be.Uint16(f[12:]); c.asks == (Addr{}) && kind != kindIPv4 || c.asks != (Addr{}) && (kind != kindARP || Addr(f[38:42]) != c.asks) {
			t.Errorf("%v: sent %x, want a question for %v", c.to, f, c.asks)
		}
	}
}

func TestPing(t *testing.T) {
	s, w := joined()
	s.feed(w, 0, unhex(t, ping))
	f := w.sent(t)
	h, payload, ok := parseIPv4(f[headerSize:])
	if !ok || h.src != s.address || h.dst != (Addr{192, 168, 4, 1}) || MAC(f[:6]) != peer {
		t.Fatalf("answered %x", f)
	}
	// The checksum grows by what the type lost: 0x0800.
	if want := unhex(t, "00 00 5d58 1111 0001 6162 6364 6566 6768"); !bytes.Equal(payload, want) {
		t.Errorf("answered %x, want %x", payload, want)
	}
	for _, at := range []int{14, 24, 36, 48} { // version, IPv4's checksum, ICMP's, data
		bad := unhex(t, ping)
		bad[at] ^= 0x10
		s.feed(w, 0, bad)
		if len(w.out) != 0 {
			t.Errorf("it answers though byte %d is wrong", at)
			w.out = nil
		}
	}
}

// Datagrams of all lengths come back as they went, through two stacks.
func TestDatagrams(t *testing.T) {
	a, wa := joined()
	b, wb := joined()
	b.address = Addr{192, 168, 4, 3}
	a.arp.learn(b.address, own, 0, true)
	var got []byte
	var from Endpoint
	if !b.Handle(7, func(f Endpoint, p []byte) { from, got = f, bytes.Clone(p) }) {
		t.Fatal("no room for a handler")
	}
	for n := range MaxDatagram + 1 {
		payload := bytes.Repeat([]byte{byte(n)}, n)
		if err := a.Send(1234, Endpoint{b.address, 7}, payload); err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		got = nil
		b.feed(wb, 0, wa.sent(t))
		if !bytes.Equal(got, payload) || from != (Endpoint{a.address, 1234}) {
			t.Fatalf("%d bytes: got %d from %v", n, len(got), from)
		}
	}
	if err := a.Send(1, Endpoint{}, make([]byte, MaxDatagram+1)); err != ErrTooLong {
		t.Errorf("%v, want %v", err, ErrTooLong)
	}
}

func TestHandlers(t *testing.T) {
	s, _ := joined()
	for port := range uint16(maxHandlers) {
		if !s.Handle(port, func(Endpoint, []byte) {}) {
			t.Errorf("no room for port %d", port)
		}
	}
	if s.Handle(100, func(Endpoint, []byte) {}) {
		t.Error("room for one more")
	}
	if !s.Handle(2, nil) || !s.Handle(100, func(Endpoint, []byte) {}) {
		t.Error("no room after one has ended")
	}
}

func TestSendErrors(t *testing.T) {
	w := &wire{}
	s := New(w, 1)
	if err := s.Send(1, Endpoint{}, nil); err != ErrNotJoined {
		t.Errorf("%v, want %v", err, ErrNotJoined)
	}
	s.Join("", "")
	s.Poll(0)
	if err := s.Send(1, Endpoint{}, nil); err != ErrNoAddress {
		t.Errorf("%v, want %v", err, ErrNoAddress)
	}
	s, w = joined()
	w.full = true
	if err := s.Send(1, Endpoint{everybody, 1}, nil); err != ErrFull {
		t.Errorf("%v, want %v", err, ErrFull)
	}
}

func TestAddrString(t *testing.T) {
	for want, a := range map[string]Addr{"0.0.0.0": {}, "192.168.4.10": {192, 168, 4, 10}, "255.100.99.9": {255, 100, 99, 9}} {
		if got := a.String(); got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
}

// RFC 1071 §3's example: 00 01 f2 03 f4 f5 f6 f7 sum to ddf2.
func TestSum(t *testing.T) {
	b := unhex(t, "0001 f203 f4f5 f6f7")
	if got := sum(0, b); got != 0xDDF2 {
		t.Errorf("%#04x, want 0xddf2", got)
	}
	if got := sum(sum(0, b[:2]), b[2:]); got != 0xDDF2 {
		t.Errorf("in two parts %#04x, want 0xddf2", got)
	}
	if got := sum(0, b[:7]); got != sum(0, append(b[:7:7], 0)) {
		t.Error("an odd byte does not count as if followed by zero")
	}
}

// Once made, a stack allocates nothing.
func TestNoAllocations(t *testing.T) {
	s, _ := joined()
	q := &quiet{wire: wire{status: Status{State: Joined}}, frames: [][]byte{unhex(t, arpAsk), unhex(t, arpTold), unhex(t, ping)}}
	s.radio = q
	payload := make([]byte, 100)
	if n := testing.AllocsPerRun(100, func() {
		q.next = 0
		s.Poll(s.now + time.Millisecond)
		s.Send(1, Endpoint{Addr{192, 168, 4, 1}, 5000}, payload)
		s.Send(1, Endpoint{Addr{192, 168, 4, 9}, 5000}, payload)
		s.dhcp.state = dhcpInit
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// quiet is a radio that allocates nothing itself.
type quiet struct {
	wire
	frames [][]byte
	next   int
}

func (q *quiet) Send([]byte) error { return nil }

func (q *quiet) Receive(buf []byte) (n int, ok bool) {
	if q.next == len(q.frames) {
		return 0, false
	}
	n = copy(buf, q.frames[q.next])
	q.next++
	return n, true
}
