package network

import "time"

// DHCP, RFC 2131 and the options of RFC 2132.
const (
	dhcpServerPort = 67
	dhcpClientPort = 68
	dhcpFixed      = 236 // bytes before the options
	dhcpMinimum    = 300 // RFC 1542 §2.1
	dhcpCookie     = 0x63825363
)

// Message types.
const (
	discover = 1 + iota
	offer
	request
	decline
	ack
	nak
)

// Options.
const (
	optPad        = 0
	optMask       = 1
	optRouter     = 3
	optRequested  = 50
	optLease      = 51
	optType       = 53
	optServer     = 54
	optParameters = 55
	optRenewal    = 58
	optRebinding  = 59
	optEnd        = 255
)

// dhcpReply is what a server says. Seconds are as in the options; 0: not said.
type dhcpReply struct {
	id                   uint32
	mac                  MAC
	kind                 uint8
	address              Addr
	server, mask, router Addr
	lease, renew, rebind uint32
}

// parseDHCP refuses what is no whole answer of a server.
func parseDHCP(b []byte) (r dhcpReply, ok bool) {
	if len(b) < dhcpFixed+4 || b[0] != 2 || b[1] != 1 || b[2] != 6 || be.Uint32(b[dhcpFixed:]) != dhcpCookie {
		return r, false
	}
	r.id, r.address, r.mac = be.Uint32(b[4:]), Addr(b[16:20]), MAC(b[28:34])
	for b = b[dhcpFixed+4:]; len(b) > 0 && b[0] != optEnd; {
		if b[0] == optPad {
			b = b[1:]
			continue
		}
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			return r, false
		}
		r.option(b[0], b[2:2+int(b[1])])
		b = b[2+int(b[1]):]
	}
	return r, len(b) > 0 && r.kind != 0
}

func (r *dhcpReply) option(code byte, b []byte) {
	if code == optType && len(b) == 1 {
		r.kind = b[0]
	}
	if len(b) < 4 {
		return
	}
	switch code {
	case optMask:
		r.mask = Addr(b[:4])
	case optRouter:
		r.router = Addr(b[:4])
	case optServer:
		r.server = Addr(b[:4])
	case optLease:
		r.lease = be.Uint32(b)
	case optRenewal:
		r.renew = be.Uint32(b)
	case optRebinding:
		r.rebind = be.Uint32(b)
	}
}

// States of a client, RFC 2131 figure 5. Init is the pause before a new
// beginning.
type dhcpState uint8

const (
	dhcpOff dhcpState = iota
	dhcpInit
	dhcpSelecting
	dhcpRequesting
	dhcpBound
	dhcpRenewing
	dhcpRebinding
)

// client is the DHCP client.
type client struct {
	state   dhcpState
	id      uint32
	began   time.Duration
	tries   uint8
	next    time.Duration // when to do something
	address Addr          // offered, or leased
	server  Addr

	renewAt, rebindAt, endAt time.Duration
}

// infinite is a lease that never ends (RFC 2131 §3.3).
const infinite = 0xFFFFFFFF

const (
	firstWait   = 4 * time.Second // RFC 2131 §4.1: doubled each time, ± a second
	maxDoubling = 4               // up to 64 s
	maxRequests = 4               // then anew, §3.1 number 5
	minRenew    = time.Minute     // §4.4.5
)

// start begins anew.
func (c *client) start(s *Stack) {
	*c = client{state: dhcpSelecting, id: s.rand(), began: s.now, tries: c.tries} // the waits go on to grow
	c.send(s, discover)
}

// tick does what is due.
func (c *client) tick(s *Stack) {
	if c.state == dhcpOff || s.now < c.next {
		return
	}
	switch c.state {
	case dhcpInit, dhcpSelecting:
		c.start(s)
	case dhcpRequesting:
		if c.tries >= maxRequests {
			c.tries = 0
			c.start(s)
			return
		}
		c.send(s, request)
	default:
		c.renew(s)
	}
}

// send sends a message and waits for its answer.
func (c *client) send(s *Stack, kind uint8) {
	wait := firstWait << min(c.tries, maxDoubling)
	wait += time.Duration(s.rand()%2001)*time.Millisecond - time.Second
	c.tries++
	c.next = s.now + wait
	c.transmit(s, kind, everybody)
}

// renew is what becomes of a lease in time: its server is asked, then every
// one, each time after half of what remains, then it ends.
func (c *client) renew(s *Stack) {
	to, until := c.server, c.rebindAt
	switch {
	case s.now >= c.endAt:
		s.unbind()
		c.tries = 0
		c.start(s)
		return
	case s.now >= c.rebindAt:
		c.state, to, until = dhcpRebinding, everybody, c.endAt
	default:
		c.state = dhcpRenewing
	}
	c.next = min(s.now+max((until-s.now)/2, minRenew), until)
	c.transmit(s, request, to)
}

// transmit makes the message and sends it. What does not go out is sent again.
func (c *client) transmit(s *Stack, kind uint8, to Addr) {
	b := s.out[udpStart:]
	clear(b[:dhcpMinimum])
	b[0], b[1], b[2] = 1, 1, 6 // a request, by Ethernet
	be.PutUint32(b[4:], c.id)
	be.PutUint16(b[8:], uint16((s.now-c.began)/time.Second))
	copy(b[12:], s.address[:])
	copy(b[28:], s.mac[:])
	be.PutUint32(b[dhcpFixed:], dhcpCookie)
	o := append(b[:dhcpFixed+4], optType, 1, kind)
	if c.state == dhcpRequesting {
		o = append(o, optRequested, 4, c.address[0], c.address[1], c.address[2], c.address[3])
		o = append(o, optServer, 4, c.server[0], c.server[1], c.server[2], c.server[3])
	}
	o = append(o, optParameters, 4, optMask, optRouter, optRenewal, optRebinding, optEnd)
	s.sendUDP(dhcpClientPort, Endpoint{to, dhcpServerPort}, max(len(o), dhcpMinimum))
}

// take handles an answer. Those to others and to earlier questions are none.
func (c *client) take(s *Stack, b []byte) {
	r, ok := parseDHCP(b)
	if !ok || r.id != c.id || r.mac != s.mac {
		return
	}
	switch {
	case c.state == dhcpSelecting && r.kind == offer && r.address != Addr{} && r.server != Addr{}:
		c.state, c.tries = dhcpRequesting, 0
		c.address, c.server = r.address, r.server
		c.send(s, request)
	case c.state != dhcpRequesting && c.state != dhcpRenewing && c.state != dhcpRebinding:
	case r.kind == nak:
		s.unbind()
		c.state, c.next = dhcpInit, s.now+firstWait
	case r.kind == ack && r.address == c.address && r.lease != 0:
		c.bind(s, r)
	}
}

// bind begins a lease, or has it again. The times of renewal are the server's,
// if they make sense, or half and seven eighths (RFC 2131 §4.4.5).
func (c *client) bind(s *Stack, r dhcpReply) {
	s.address, s.router = r.address, r.router
	if s.mask = r.mask; r.mask == (Addr{}) {
		s.mask = everybody
	}
	if r.server != (Addr{}) {
		c.server = r.server
	}
	c.state, c.tries = dhcpBound, 0
	lease := time.Duration(r.lease) * time.Second
	c.renewAt, c.rebindAt, c.endAt = s.now+lease/2, s.now+lease/8*7, s.now+lease
	if 0 < r.renew && r.renew < r.rebind && r.rebind < r.lease {
		c.renewAt = s.now + time.Duration(r.renew)*time.Second
		c.rebindAt = s.now + time.Duration(r.rebind)*time.Second
	}
	if c.next = c.renewAt; r.lease == infinite {
		c.next = 1<<63 - 1
	}
}
