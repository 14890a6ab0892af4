package network

import "time"

// ARP, RFC 826, for Ethernet and IPv4.
const (
	arpSize    = 28
	arpRequest = 1
	arpReply   = 2
)

type arp struct {
	op                   uint16
	sender, target       MAC
	senderAddr, targetAt Addr
}

func parseARP(b []byte) (p arp, ok bool) {
	if len(b) < arpSize || be.Uint16(b) != 1 || be.Uint16(b[2:]) != kindIPv4 || b[4] != 6 || b[5] != 4 {
		return p, false
	}
	return arp{be.Uint16(b[6:]), MAC(b[8:14]), MAC(b[18:24]), Addr(b[14:18]), Addr(b[24:28])}, true
}

func (p arp) put(b []byte) {
	be.PutUint16(b[0:], 1)
	be.PutUint16(b[2:], kindIPv4)
	b[4], b[5] = 6, 4
	be.PutUint16(b[6:], p.op)
	copy(b[8:], p.sender[:])
	copy(b[14:], p.senderAddr[:])
	copy(b[18:], p.target[:])
	copy(b[24:], p.targetAt[:])
}

const (
	neighbours = 8
	arpTimeout = time.Minute // RFC 1122 §2.3.2.1
	askAgain   = time.Second // not more often, ibid.
	maxAsked   = 3
)

// cache is the neighbours whose hardware address is known, and one packet that
// waits for an unknown one (RFC 1122 §2.3.2.2: the latest).
type cache struct {
	known [neighbours]neighbour
	held  [MaxFrame]byte
	n     int // of held; 0: none
	to    Addr
	asked int
	next  time.Duration // when to ask again
}

type neighbour struct {
	addr  Addr
	mac   MAC
	until time.Duration
}

func (c *cache) find(addr Addr, now time.Duration) (MAC, bool) {
	for i := range c.known {
		if n := &c.known[i]; n.addr == addr && now < n.until {
			return n.mac, true
		}
	}
	return MAC{}, false
}

// learn notes a neighbour: in its place, or with add in that of the one that
// ends first.
func (c *cache) learn(addr Addr, mac MAC, now time.Duration, add bool) {
	at := &c.known[0]
	for i := range c.known {
		n := &c.known[i]
		if n.addr == addr {
			at, add = n, true
			break
		}
		if n.until < at.until {
			at = n
		}
	}
	if add {
		*at = neighbour{addr, mac, now + arpTimeout}
	}
}

// takeARP follows RFC 826's "packet reception".
func (s *Stack) takeARP(b []byte) {
	p, ok := parseARP(b)
	if !ok || p.senderAddr == (Addr{}) || s.address == (Addr{}) {
		return
	}
	forMe := p.targetAt == s.address
	s.arp.learn(p.senderAddr, p.sender, s.now, forMe)
	if forMe && p.op == arpRequest {
		s.sendARP(arp{arpReply, s.mac, p.sender, s.address, p.senderAddr}, p.sender)
	}
	if s.arp.n > 0 && s.arp.to == p.senderAddr {
		s.release(p.sender)
	}
}

// hold keeps the packet in s.out, of n bytes, until its neighbour is known.
func (s *Stack) hold(n int, to Addr) {
	c := &s.arp
	copy(c.held[:n], s.out[:n])
	if c.n == 0 || c.to != to {
		c.asked, c.next = 0, s.now
	}
	c.n, c.to = n, to
	c.tick(s)
}

func (s *Stack) release(mac MAC) {
	copy(s.arp.held[:], mac[:])
	s.radio.Send(s.arp.held[:s.arp.n])
	s.arp.n = 0
}

// tick asks for the neighbour that a packet waits for, and gives up in the end.
func (c *cache) tick(s *Stack) {
	if c.n == 0 || s.now < c.next {
		return
	}
	if c.asked == maxAsked {
		c.n = 0
		return
	}
	c.asked++
	c.next = s.now + askAgain
	s.sendARP(arp{op: arpRequest, sender: s.mac, senderAddr: s.address, targetAt: c.to}, broadcast)
}

func (s *Stack) sendARP(p arp, dst MAC) {
	ethernet{dst, s.mac, kindARP}.put(s.out[:])
	p.put(s.out[headerSize:])
	s.radio.Send(s.out[:headerSize+arpSize])
}
