package network

import (
	"errors"
	"testing"
	"time"

	"rigor/firmware/network/tcp"
)

// far is a host's end of a connection, behind IPv4 of its own.
type far struct {
	tcp.Conn
	*testing.T
	addr Addr
}

// packet puts a segment of n bytes, behind room for the headers, into a frame.
func (f *far) packet(b []byte, n int) []byte {
	h := ipv4{protoTCP, f.addr, Addr{192, 168, 4, 2}}
	segment := b[headerSize+ipv4Size:][:n]
	be.PutUint16(segment[tcpCheck:], 0)
	be.PutUint16(segment[tcpCheck:], ^sum(h.pseudo(n), segment))
	h.put(b[headerSize:], 1, n)
	ethernet{own, peer, kindIPv4}.put(b)
	return b[:headerSize+ipv4Size+n]
}

// answer hands over what the stack sent, and gives the frames that answer.
func (f *far) answer(now time.Duration, w *wire) (frames [][]byte) {
	f.Helper()
	for _, frame := range w.out {
		h, segment, ok := parseIPv4(frame[headerSize:])
		if !ok || h.proto != protoTCP || h.dst != f.addr || sum(h.pseudo(len(segment)), segment) != 0xFFFF {
			f.Fatalf("sent %x", frame)
		}
		f.Take(now, segment)
	}
	w.out = nil
	for {
		b := make([]byte, MaxFrame)
		n := f.Make(now, b[headerSize+ipv4Size:])
		if n == 0 {
			return frames
		}
		frames = append(frames, f.packet(b, n))
	}
}

func dialled(t *testing.T) (*Stack, *wire, *Stream, *far) {
	s, w := joined()
	f := &far{T: t, addr: s.router}
	s.arp.learn(s.router, peer, 0, true)
	f.Listen(0, 1883, 1)
	stream, err := s.Dial(Endpoint{s.router, 1883})
	if err != nil {
		t.Fatal(err)
	}
	return s, w, stream, f
}

// A stack and a host talk, and neither takes what is damaged or a stranger's.
func TestStream(t *testing.T) {
	s, w, stream, f := dialled(t)
	now := time.Duration(0)
	exchange := func(spoil func([]byte)) {
		s.Poll(now)
		for _, frame := range f.answer(now, w) {
			spoil(frame)
			s.feed(w, now, frame)
		}
		now += 10 * time.Millisecond
	}
	damaged := func(frame []byte) { frame[len(frame)-1] ^= 1 }
	exchange(damaged)
	exchange(func([]byte) {})
	if stream.State() != tcp.Opening {
		t.Fatalf("state %d by a damaged segment", stream.State())
	}
	for range 120 { // the host repeats after a second
		exchange(func([]byte) {})
	}
	if stream.State() != tcp.Open || f.State() != tcp.Open {
		t.Fatalf("states %d and %d, want both open", stream.State(), f.State())
	}
	for range 50 {
		stream.Write([]byte("to and "))
		f.Write([]byte("fro "))
		exchange(func([]byte) {})
		exchange(func([]byte) {})
	}
	var buf [tcp.BufferSize]byte
	if n := f.Read(buf[:]); n != 350 {
		t.Errorf("the host reads %d bytes, want 350", n)
	}
	if n := stream.Read(buf[:]); n != 200 {
		t.Errorf("the stack reads %d bytes, want 200", n)
	}
	f.addr = Addr{192, 168, 4, 9} // a stranger
	f.Write([]byte("x"))
	b := make([]byte, MaxFrame)
	s.feed(w, now, f.packet(b, f.Make(now, b[headerSize+ipv4Size:])))
	if n := stream.Read(buf[:]); n != 0 {
		t.Error("the stack takes a stranger's segment")
	}
}

func TestDialNeedsAddress(t *testing.T) {
	s, _, stream, _ := dialled(t)
	s.unbind()
	if stream.State() != tcp.Closed {
		t.Errorf("without an address the connection is in state %d", stream.State())
	}
	if _, err := s.Dial(Endpoint{}); !errors.Is(err, ErrNoAddress) {
		t.Errorf("error %v, want %v", err, ErrNoAddress)
	}
	s.down()
	if _, err := s.Dial(Endpoint{}); !errors.Is(err, ErrNotJoined) {
		t.Errorf("error %v, want %v", err, ErrNotJoined)
	}
}
