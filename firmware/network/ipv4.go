package network

// Addr is an IPv4 address.
type Addr [4]byte

var everybody = Addr{255, 255, 255, 255}

// String is the usual notation.
func (a Addr) String() string {
	var buf [15]byte
	b := buf[:0]
	for i, n := range a {
		if i > 0 {
			b = append(b, '.')
		}
		if n >= 100 {
			b = append(b, '0'+n/100)
		}
		if n >= 10 {
			b = append(b, '0'+n/10%10)
		}
		b = append(b, '0'+n%10)
	}
	return string(b)
}

func (a Addr) and(mask Addr) Addr {
	for i := range a {
		a[i] &= mask[i]
	}
	return a
}

// IPv4, RFC 791.
const (
	ipv4Size  = 20
	protoICMP = 1
	protoTCP  = 6
	protoUDP  = 17
	ttl       = 64 // RFC 1700
)

type ipv4 struct {
	proto    uint8
	src, dst Addr
}

// parseIPv4 refuses fragments.
func parseIPv4(b []byte) (h ipv4, payload []byte, ok bool) {
	if len(b) < ipv4Size || b[0]>>4 != 4 {
		return h, nil, false
	}
	size, total := int(b[0]&0xF)*4, int(be.Uint16(b[2:]))
	if size < ipv4Size || total < size || total > len(b) || sum(0, b[:size]) != 0xFFFF {
		return h, nil, false
	}
	if be.Uint16(b[6:])&0x3FFF != 0 { // more fragments, or not the first
		return h, nil, false
	}
	return ipv4{b[9], Addr(b[12:16]), Addr(b[16:20])}, b[size:total], true
}

// put writes the header of a packet with n bytes of payload.
func (h ipv4) put(b []byte, id uint16, n int) {
	b[0], b[1] = 0x45, 0
	be.PutUint16(b[2:], uint16(ipv4Size+n))
	be.PutUint16(b[4:], id)
	be.PutUint16(b[6:], 0x4000) // don't fragment
	b[8], b[9] = ttl, h.proto
	be.PutUint16(b[10:], 0)
	copy(b[12:], h.src[:])
	copy(b[16:], h.dst[:])
	be.PutUint16(b[10:], ^sum(0, b[:ipv4Size]))
}

// sum is RFC 1071's, of what was summed before and of b.
func sum(start uint16, b []byte) uint16 {
	acc := uint32(start)
	for ; len(b) >= 2; b = b[2:] {
		acc += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		acc += uint32(b[0]) << 8
	}
	acc = acc&0xFFFF + acc>>16
	return uint16(acc + acc>>16)
}

// pseudo begins the sum of a UDP datagram or a TCP segment of n bytes (RFC 768, RFC
// 9293 §3.1).
func (h ipv4) pseudo(n int) uint16 {
	var b [12]byte
	copy(b[0:], h.src[:])
	copy(b[4:], h.dst[:])
	b[9] = h.proto
	be.PutUint16(b[10:], uint16(n))
	return sum(0, b[:])
}

// takeIPv4 handles a packet. Before there is an address, packets for any are
// taken: DHCP's answers come to the one that is offered (RFC 2131 §4.1).
func (s *Stack) takeIPv4(from MAC, b []byte) {
	h, payload, ok := parseIPv4(b)
	if !ok || s.address != (Addr{}) && h.dst != s.address && !s.toAll(h.dst) {
		return
	}
	switch {
	case h.proto == protoUDP:
		s.takeUDP(h, payload)
	case h.proto == protoTCP && h.dst == s.address:
		s.takeTCP(h, payload)
	case h.proto == protoICMP && h.dst == s.address:
		s.takeICMP(from, h, payload)
	}
}

// toAll reports a broadcast address.
func (s *Stack) toAll(a Addr) bool {
	if a == everybody {
		return true
	}
	for i := range a {
		if a[i]|s.mask[i] != 0xFF || a[i]&s.mask[i] != s.address[i]&s.mask[i] {
			return false
		}
	}
	return s.address != (Addr{})
}

// sendIPv4 sends the payload of n bytes that lies in s.out behind both headers.
func (s *Stack) sendIPv4(h ipv4, n int) error {
	s.id++
	h.put(s.out[headerSize:], s.id, n)
	n += headerSize + ipv4Size
	e := ethernet{broadcast, s.mac, kindIPv4}
	if !s.toAll(h.dst) {
		hop := h.dst
		if s.router != (Addr{}) && hop.and(s.mask) != s.address.and(s.mask) {
			hop = s.router
		}
		mac, ok := s.arp.find(hop, s.now)
		if !ok {
			e.put(s.out[:])
			s.hold(n, hop)
			return nil
		}
		e.dst = mac
	}
	e.put(s.out[:])
	return s.radio.Send(s.out[:n])
}
