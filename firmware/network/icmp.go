package network

// ICMP echo, RFC 792.
const (
	echoReply   = 0
	echoRequest = 8
	echoSize    = 8
)

// takeICMP answers an echo to where it came from, as it came.
func (s *Stack) takeICMP(from MAC, h ipv4, b []byte) {
	if len(b) < echoSize || b[0] != echoRequest || b[1] != 0 || sum(0, b) != 0xFFFF {
		return
	}
	reply := s.out[headerSize+ipv4Size:]
	n := copy(reply, b)
	reply[0] = echoReply
	be.PutUint16(reply[2:], 0)
	be.PutUint16(reply[2:], ^sum(0, reply[:n]))
	s.id++
	ipv4{protoICMP, s.address, h.src}.put(s.out[headerSize:], s.id, n)
	ethernet{from, s.mac, kindIPv4}.put(s.out[:])
	s.radio.Send(s.out[:headerSize+ipv4Size+n])
}
