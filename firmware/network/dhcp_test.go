package network

import (
	"bytes"
	"testing"
	"time"
)

// dhcpMessage is what a server says, with these options.
func dhcpMessage(id uint32, your Addr, options ...byte) []byte {
	b := make([]byte, dhcpFixed+4, dhcpMinimum)
	b[0], b[1], b[2] = 2, 1, 6
	be.PutUint32(b[4:], id)
	copy(b[16:], your[:])
	copy(b[28:], own[:])
	be.PutUint32(b[dhcpFixed:], dhcpCookie)
	return append(b, options...)
}

func TestParseDHCP(t *testing.T) {
	mine := Addr{10, 0, 0, 2}
	full := []byte{53, 1, 5, 0, 0, 1, 4, 255, 0, 0, 0, 3, 8, 10, 0, 0, 1, 10, 0, 0, 3, 51, 4, 0, 0, 14, 16, 54, 4, 10, 0, 0, 1, 58, 4, 0, 0, 1, 0, 59, 4, 0, 0, 2, 0, 99, 2, 1, 2, 255, 9, 9}
	want := dhcpReply{
		id: 7, mac: own, kind: ack, address: mine, server: Addr{10, 0, 0, 1}, mask: Addr{255}, router: Addr{10, 0, 0, 1},
		lease: 3600, renew: 256, rebind: 512,
	}
	if r, ok := parseDHCP(dhcpMessage(7, mine, full...)); !ok || r != want {
		t.Errorf("%v %+v, want %+v", ok, r, want)
	}
	whole := dhcpMessage(7, mine, full...)
	for n := range len(whole) - 2 { // what follows the end is padding
		if r, ok := parseDHCP(whole[:n]); ok {
			t.Fatalf("the first %d bytes are %+v", n, r)
		}
	}
	for at, v := range map[int]byte{0: 1, 1: 6, 2: 16, dhcpFixed: 0} {
		b := dhcpMessage(7, mine, full...)
		b[at] = v
		if r, ok := parseDHCP(b); ok {
			t.Errorf("with byte %d of %d: %+v", at, v, r)
		}
	}
	if _, ok := parseDHCP(dhcpMessage(7, mine, 255)); ok {
		t.Error("a message without a type is one")
	}
}

// script plays a server: it hands the stack a message and gives the client's
// next one.
type script struct {
	*testing.T
	s   *Stack
	w   *wire
	now time.Duration
}

func begin(t *testing.T) *script {
	w := &wire{}
	s := New(w, 1)
	s.Join("", "")
	p := &script{T: t, s: s, w: w}
	s.Poll(0)
	return p
}

// wait polls each 10 ms until the client says something, and gives type,
// destination and message.
func (p *script) wait(most time.Duration) (kind byte, to Addr, message []byte) {
	p.Helper()
	for end := p.now + most; len(p.w.out) == 0; p.now += 10 * time.Millisecond {
		if p.now > end {
			p.Fatalf("nothing is sent in %v", most)
		}
		p.s.Poll(p.now)
	}
	f := p.w.sent(p.T)
	h, packet, ok := parseIPv4(f[headerSize:])
	u, message, ok2 := parseUDP(h, packet)
	if !ok || !ok2 || u != (udp{dhcpClientPort, dhcpServerPort}) || len(message) < dhcpMinimum || message[dhcpFixed+4] != optType {
		p.Fatalf("sent %x", f)
	}
	return message[dhcpFixed+6], h.dst, message
}

// say answers from the server at 10.0.0.1.
func (p *script) say(to []byte, kind byte, options ...byte) {
	b := dhcpMessage(be.Uint32(to[4:]), Addr{10, 0, 0, 2}, append([]byte{53, 1, kind, 54, 4, 10, 0, 0, 1}, append(options, 255)...)...)
	f := make([]byte, udpStart+len(b))
	copy(f[udpStart:], b)
	u := f[headerSize+ipv4Size:]
	be.PutUint16(u, dhcpServerPort)
	be.PutUint16(u[2:], dhcpClientPort)
	be.PutUint16(u[4:], uint16(len(u)))
	ipv4{protoUDP, Addr{10, 0, 0, 1}, everybody}.put(f[headerSize:], 1, len(u))
	ethernet{broadcast, peer, kindIPv4}.put(f)
	p.s.feed(p.w, p.now, f)
}

// lease gets a lease of an hour.
func (p *script) lease() {
	p.Helper()
	_, _, m := p.wait(0)
	p.say(m, offer, 51, 4, 0, 0, 14, 16)
	_, _, m = p.wait(0)
	p.say(m, ack, 51, 4, 0, 0, 14, 16, 1, 4, 255, 255, 255, 0, 3, 4, 10, 0, 0, 1)
	if p.s.Address() != (Addr{10, 0, 0, 2}) || p.s.Router() != (Addr{10, 0, 0, 1}) {
		p.Fatalf("address %v, router %v", p.s.Address(), p.s.Router())
	}
}

func TestLease(t *testing.T) {
	p := begin(t)
	kind, to, m := p.wait(0)
	if kind != discover || to != everybody || !bytes.Equal(m[28:34], own[:]) {
		t.Fatalf("first says %d to %v: %x", kind, to, m)
	}
	p.say(m, offer, 51, 4, 0, 0, 14, 16)
	kind, to, m = p.wait(0)
	want := []byte{53, 1, request, 50, 4, 10, 0, 0, 2, 54, 4, 10, 0, 0, 1}
	if kind != request || to != everybody || !bytes.Equal(m[dhcpFixed+4:][:len(want)], want) {
		t.Fatalf("then says %d to %v: %x", kind, to, m[dhcpFixed:])
	}
	p.say(m, ack, 51, 4, 0, 0, 14, 16)
	if p.s.Address() != (Addr{10, 0, 0, 2}) {
		t.Errorf("address %v", p.s.Address())
	}
}

// RFC 2131 §4.1: 4, 8, 16, 32, 64, 64 s, each a second more or less.
func TestRetransmission(t *testing.T) {
	p := begin(t)
	p.wait(0)
	for _, s := range []time.Duration{4, 8, 16, 32, 64, 64} {
		from := p.now
		if kind, _, _ := p.wait(70 * time.Second); kind != discover {
			t.Fatalf("says %d", kind)
		}
		if d := p.now - from; d < (s-1)*time.Second || d > (s+1)*time.Second+20*time.Millisecond {
			t.Errorf("again after %v, want %d s and one more or less", d, s)
		}
	}
}

// A request that nobody answers is given up for a new beginning.
func TestRequestUnanswered(t *testing.T) {
	p := begin(t)
	_, _, m := p.wait(0)
	p.say(m, offer)
	for range maxRequests {
		if kind, _, _ := p.wait(70 * time.Second); kind != request {
			t.Fatalf("says %d, want a request", kind)
		}
	}
	if kind, _, _ := p.wait(70 * time.Second); kind != discover {
		t.Errorf("says %d, want a new beginning", kind)
	}
}

// RFC 2131 §4.4.5: at half of the lease its server is asked, at seven eighths
// everybody; in the end the address is given up.
func TestLeaseEnds(t *testing.T) {
	p := begin(t)
	p.lease()
	p.s.arp.learn(Addr{10, 0, 0, 1}, peer, 3600*time.Second, true)
	for _, c := range []struct {
		at time.Duration
		to Addr
	}{
		{1800, Addr{10, 0, 0, 1}}, {2475, Addr{10, 0, 0, 1}}, {2812, Addr{10, 0, 0, 1}}, {2981, Addr{10, 0, 0, 1}},
		{3065, Addr{10, 0, 0, 1}}, {3125, Addr{10, 0, 0, 1}}, {3150, everybody}, {3375, everybody}, {3487, everybody}, {3547, everybody},
	} {
		kind, to, m := p.wait(2000 * time.Second)
		if kind != request || to != c.to || Addr(m[12:16]) != (Addr{10, 0, 0, 2}) {
			t.Errorf("says %d to %v for %v", kind, to, Addr(m[12:16]))
		}
		if d := p.now - c.at*time.Second; d < 0 || d > 2*time.Second {
			t.Errorf("at %v, want %d s", p.now, c.at)
		}
	}
	kind, _, m := p.wait(100 * time.Second)
	if kind != discover || p.now < 3600*time.Second || p.s.Address() != (Addr{}) || Addr(m[12:16]) != (Addr{}) {
		t.Errorf("at %v says %d, with address %v", p.now, kind, p.s.Address())
	}
}

func TestLeaseRenewed(t *testing.T) {
	p := begin(t)
	p.lease()
	for range 3 {
		p.s.arp.learn(Addr{10, 0, 0, 1}, peer, p.now+1800*time.Second, true)
		from := p.now
		kind, _, m := p.wait(2000 * time.Second)
		if d := p.now - from; kind != request || d < 1799*time.Second || d > 1801*time.Second {
			t.Errorf("says %d after %v", kind, d)
		}
		p.say(m, ack, 51, 4, 0, 0, 14, 16)
	}
	p.s.arp.learn(Addr{10, 0, 0, 1}, peer, p.now+1800*time.Second, true)
	_, _, m := p.wait(2000 * time.Second)
	p.say(m, nak)
	if p.s.Address() != (Addr{}) {
		t.Errorf("refused, it has %v", p.s.Address())
	}
	if kind, _, _ := p.wait(10 * time.Second); kind != discover {
		t.Errorf("says %d, want a new beginning", kind)
	}
}

// Answers that are not the client's do nothing.
func TestStrayAnswers(t *testing.T) {
	p := begin(t)
	_, _, m := p.wait(0)
	p.say(m, ack, 51, 4, 0, 0, 14, 16)
	other := bytes.Clone(m)
	other[4]++
	p.say(other, offer)
	if len(p.w.out) != 0 || p.s.Address() != (Addr{}) {
		t.Error("it takes an answer to another question")
	}
}

// A lease without an end is not renewed.
func TestInfiniteLease(t *testing.T) {
	p := begin(t)
	_, _, m := p.wait(0)
	p.say(m, offer)
	_, _, m = p.wait(0)
	p.say(m, ack, 51, 4, 255, 255, 255, 255)
	p.s.Poll(1 << 62)
	if p.s.Address() != (Addr{10, 0, 0, 2}) || len(p.w.out) != 0 {
		t.Errorf("address %v, %d frames sent", p.s.Address(), len(p.w.out))
	}
}
