package network

import (
	"testing"
	"time"
)

// FuzzFrame gives a stack frames of any kind, with an address and without: it
// must neither panic nor send what is no frame.
func FuzzFrame(f *testing.F) {
	for _, s := range []string{arpAsk, arpTold, ping} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		s, w := joined()
		s.Handle(7, func(Endpoint, []byte) {})
		s.Dial(Endpoint{s.router, 1883})
		s.feed(w, 0, frame)
		s.unbind()
		s.feed(w, 0, frame)
		for _, out := range w.out {
			if len(out) < headerSize || len(out) > MaxFrame || MAC(out[6:12]) != own {
				t.Errorf("sent %x", out)
			}
		}
	})
}

func FuzzIPv4(f *testing.F) {
	f.Add(unhex(f, ping)[headerSize:])
	f.Fuzz(func(t *testing.T, b []byte) {
		h, payload, ok := parseIPv4(b)
		if !ok {
			return
		}
		if len(payload) > len(b)-ipv4Size {
			t.Errorf("%d bytes of payload in %d", len(payload), len(b))
		}
		parseUDP(h, payload)
	})
}

// FuzzTCP gives a stack that dials segments whose checksum is right.
func FuzzTCP(f *testing.F) {
	f.Add([]byte("\x07\x5B\xC0\x00\x00\x00\x00\x01\xFF\xFF\xFF\xF1\x50\x12\x08\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, segment []byte) {
		if len(segment) < tcpCheck+2 || len(segment) > MaxFrame-headerSize-ipv4Size {
			return
		}
		s, w, _, peer := dialled(t)
		b := make([]byte, MaxFrame)
		n := copy(b[headerSize+ipv4Size:], segment)
		s.feed(w, 0, peer.packet(b, n))
		s.feed(w, time.Second, peer.packet(b, n))
		if len(w.out) > 2*segmentsPerPoll {
			t.Errorf("%d segments answer two", len(w.out))
		}
	})
}

func FuzzUDP(f *testing.F) {
	f.Add([]byte{0, 1, 0, 2, 0, 9, 0, 0, 5})
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, payload, ok := parseUDP(ipv4{}, b); ok && len(payload) > len(b)-udpSize {
			t.Errorf("%d bytes of payload in %d", len(payload), len(b))
		}
	})
}

func FuzzARP(f *testing.F) {
	f.Add(unhex(f, arpAsk)[headerSize:])
	f.Fuzz(func(t *testing.T, b []byte) {
		p, ok := parseARP(b)
		if !ok {
			return
		}
		var out [arpSize]byte
		p.put(out[:])
		if string(out[:]) != string(b[:arpSize]) {
			t.Errorf("%x comes back as %x", b[:arpSize], out)
		}
	})
}

func FuzzDHCP(f *testing.F) {
	f.Add(dhcpMessage(1, Addr{10, 0, 0, 2}, 53, 1, 5, 0, 51, 4, 0, 0, 1, 0, 255))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, ok := parseDHCP(b); ok && (r.kind == 0 || len(b) < dhcpFixed+5) {
			t.Errorf("%d bytes are %+v", len(b), r)
		}
	})
}
