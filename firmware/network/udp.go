package network

// UDP, RFC 768.
const (
	udpSize     = 8
	udpStart    = headerSize + ipv4Size + udpSize // of the payload in a frame
	maxHandlers = 4
)

// MaxDatagram is the longest payload in bytes.
const MaxDatagram = MaxFrame - udpStart

// Endpoint is a port of a host.
type Endpoint struct {
	Addr Addr
	Port uint16
}

// Handler gets a datagram. The payload is valid during the call.
type Handler func(from Endpoint, payload []byte)

type binding struct {
	port   uint16
	handle Handler
}

// Handle lets f have what comes to a port, in place of an earlier one; nil ends
// that. It reports whether there was room: for four ports.
func (s *Stack) Handle(port uint16, f Handler) bool {
	free := -1
	for i := range s.udp {
		switch b := &s.udp[i]; {
		case b.handle != nil && b.port == port:
			b.handle = f
			return true
		case b.handle == nil:
			free = i
		}
	}
	if free >= 0 {
		s.udp[free] = binding{port, f}
	}
	return free >= 0
}

// Send sends a datagram from a port. Without an error it was sent, or waits
// until the neighbour is known; only one does at a time.
func (s *Stack) Send(port uint16, to Endpoint, payload []byte) error {
	switch {
	case !s.joined:
		return ErrNotJoined
	case s.address == Addr{}:
		return ErrNoAddress
	case len(payload) > MaxDatagram:
		return ErrTooLong
	}
	return s.sendUDP(port, to, copy(s.out[udpStart:], payload))
}

// sendUDP sends the payload of n bytes that lies in s.out.
func (s *Stack) sendUDP(port uint16, to Endpoint, n int) error {
	n += udpSize
	h := ipv4{protoUDP, s.address, to.Addr}
	b := s.out[headerSize+ipv4Size:][:n]
	be.PutUint16(b[0:], port)
	be.PutUint16(b[2:], to.Port)
	be.PutUint16(b[4:], uint16(n))
	be.PutUint16(b[6:], 0)
	check := ^sum(h.pseudo(n), b)
	if check == 0 {
		check = 0xFFFF
	}
	be.PutUint16(b[6:], check)
	return s.sendIPv4(h, n)
}

type udp struct{ src, dst uint16 }

func parseUDP(h ipv4, b []byte) (u udp, payload []byte, ok bool) {
	if len(b) < udpSize {
		return u, nil, false
	}
	n := int(be.Uint16(b[4:]))
	if n < udpSize || n > len(b) {
		return u, nil, false
	}
	if be.Uint16(b[6:]) != 0 && sum(h.pseudo(n), b[:n]) != 0xFFFF {
		return u, nil, false
	}
	return udp{be.Uint16(b), be.Uint16(b[2:])}, b[udpSize:n], true
}

func (s *Stack) takeUDP(h ipv4, b []byte) {
	u, payload, ok := parseUDP(h, b)
	if !ok {
		return
	}
	if u.dst == dhcpClientPort {
		s.dhcp.take(s, payload)
		return
	}
	if s.address == (Addr{}) {
		return
	}
	for i := range s.udp {
		if b := &s.udp[i]; b.handle != nil && b.port == u.dst {
			b.handle(Endpoint{h.src, u.src}, payload)
			return
		}
	}
}
