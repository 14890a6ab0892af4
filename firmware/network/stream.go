//go:build !notcp

package network

import "rigor/firmware/network/tcp"

// Stream is a stack's one TCP connection. Ports apart, its methods are those of
// package tcp; what is written leaves with the next Poll.
type Stream struct {
	tcp.Conn
	peer Addr
}

// segmentsPerPoll bounds the segments that one Poll sends.
const segmentsPerPoll = 4

// tcpCheck is where the checksum is in a segment.
const tcpCheck = 16

// Dial begins the connection to a host's port, in place of an earlier one, from
// another port than that.
func (s *Stack) Dial(to Endpoint) (*Stream, error) {
	switch {
	case !s.joined:
		return nil, ErrNotJoined
	case s.address == Addr{}:
		return nil, ErrNoAddress
	}
	s.stream.peer = to.Addr
	s.port = max(s.port+1, firstPort)
	return &s.stream, s.stream.Open(s.now, s.port, to.Port, s.rand())
}

// firstPort is the first that nobody has to ask for (RFC 6335 §6).
const firstPort = 49152

// takeTCP hands a segment on. One of another connection is not answered.
func (s *Stack) takeTCP(h ipv4, b []byte) {
	if h.src != s.stream.peer || sum(h.pseudo(len(b)), b) != 0xFFFF {
		return
	}
	s.stream.Take(s.now, b)
}

// sendTCP sends what is due.
func (s *Stack) sendTCP() {
	b := s.out[headerSize+ipv4Size:]
	for range segmentsPerPoll {
		n := s.stream.Make(s.now, b)
		if n == 0 {
			return
		}
		h := ipv4{protoTCP, s.address, s.stream.peer}
		be.PutUint16(b[tcpCheck:], 0)
		be.PutUint16(b[tcpCheck:], ^sum(h.pseudo(n), b[:n]))
		s.sendIPv4(h, n) // what does not get through is repeated
	}
}
