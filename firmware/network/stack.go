package network

import "time"

// Stack is a station's host: one address on one radio. Use New.
type Stack struct {
	radio   Station
	mac     MAC
	now     time.Duration
	joined  bool
	random  uint32
	id      uint16 // of the last IPv4 packet
	address Addr   // zero: none
	mask    Addr
	router  Addr
	port    uint16 // of the last connection

	in   [MaxFrame]byte // the frame in hand
	out  [MaxFrame]byte // the one being made
	arp  cache
	dhcp client
	udp  [maxHandlers]binding

	stream Stream
}

// framesPerPoll bounds what one Poll takes, so that a flood does not keep the
// program from all else.
const framesPerPoll = 8

// New makes a stack. The seed is for numbers that should differ between boards;
// the radio's address is part of them anyway.
func New(radio Station, seed uint32) *Stack {
	s := &Stack{radio: radio, mac: radio.MAC(), random: seed}
	for _, b := range s.mac {
		s.random = s.random*31 + uint32(b)
	}
	if s.random == 0 {
		s.random = 1
	}
	return s
}

// Join begins to join a network. An address follows by itself.
func (s *Stack) Join(ssid, key string) error {
	s.down()
	return s.radio.Join(ssid, key)
}

// Leave leaves it.
func (s *Stack) Leave() {
	s.down()
	s.radio.Leave()
}

// Link is how the radio stands with its network.
func (s *Stack) Link() Status { return s.radio.Status() }

// Address is the stack's own, zero until it has one.
func (s *Stack) Address() Addr { return s.address }

// Router is the way out of the network, as DHCP told it.
func (s *Stack) Router() Addr { return s.router }

// Poll takes frames that have come and does what is due. now is the time since
// some beginning, and never decreases.
func (s *Stack) Poll(now time.Duration) {
	s.now = now
	if joined := s.radio.Status().State == Joined; joined != s.joined {
		s.down()
		if s.joined = joined; joined {
			s.dhcp.start(s)
		}
	}
	for range framesPerPoll {
		n, ok := s.radio.Receive(s.in[:])
		if !ok {
			break
		}
		s.take(s.in[:n])
	}
	s.dhcp.tick(s)
	s.arp.tick(s)
	s.sendTCP()
}

// down forgets what holds in one network only.
func (s *Stack) down() {
	s.joined = false
	s.arp = cache{}
	s.dhcp = client{}
	s.unbind()
}

// unbind gives up the address, and the connection that is from it.
func (s *Stack) unbind() {
	s.address, s.mask, s.router = Addr{}, Addr{}, Addr{}
	s.stream.Abort()
}

// take handles a frame.
func (s *Stack) take(frame []byte) {
	h, payload, ok := parseEthernet(frame)
	if !ok || h.dst != s.mac && h.dst != broadcast {
		return
	}
	switch h.kind {
	case kindARP:
		s.takeARP(payload)
	case kindIPv4:
		s.takeIPv4(h.src, payload)
	}
}

// rand is George Marsaglia's xorshift (Xorshift RNGs, 2003).
func (s *Stack) rand() uint32 {
	s.random ^= s.random << 13
	s.random ^= s.random >> 17
	s.random ^= s.random << 5
	return s.random
}
