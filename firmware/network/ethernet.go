package network

import "encoding/binary"

// headerSize is Ethernet's: two addresses and a type.
const headerSize = 14

// Types of what is in a frame.
const (
	kindIPv4 = 0x0800
	kindARP  = 0x0806
)

var be = binary.BigEndian

type ethernet struct {
	dst, src MAC
	kind     uint16
}

func parseEthernet(b []byte) (h ethernet, payload []byte, ok bool) {
	if len(b) < headerSize {
		return h, nil, false
	}
	return ethernet{MAC(b[0:6]), MAC(b[6:12]), be.Uint16(b[12:])}, b[headerSize:], true
}

func (h ethernet) put(b []byte) {
	copy(b[0:], h.dst[:])
	copy(b[6:], h.src[:])
	be.PutUint16(b[12:], h.kind)
}
