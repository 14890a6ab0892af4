package accesspoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/waiter"

	"rigor/firmware/network/tcp"
	"rigor/harness/sim/clock"
	"rigor/probes"
)

// maxSegment is the longest that fits a frame.
const maxSegment = 1500 - header.IPv4MinimumSize

// listener is an open TCP port with its connections.
type listener struct {
	host    *host
	port    uint16
	service probes.Service
	conns   []*connection
}

// Serve opens a TCP port of the host.
func (a *AccessPoint) Serve(ctx context.Context, port uint16, s probes.Service) (io.Closer, error) {
	var refusal error
	if port == 0 || slices.ContainsFunc(a.host.listeners, func(l *listener) bool { return l.port == port }) {
		refusal = errors.New("it is zero, or open already")
	}
	l := &listener{host: a.host, port: port, service: s}
	err := a.do(ctx, fmt.Sprintf("serve port %d", port), refusal, func() { a.host.listeners = append(a.host.listeners, l) })
	return l, err
}

// Close closes the port and its connections, without a word to their peers.
func (l *listener) Close() error {
	var errs []error
	err := l.host.a.do(context.Background(), fmt.Sprintf("close port %d", l.port), nil, func() {
		l.host.listeners = slices.DeleteFunc(l.host.listeners, func(o *listener) bool { return o == l })
		for _, c := range slices.Clone(l.conns) {
			c.Abort()
			errs = append(errs, c.end())
		}
	})
	return errors.Join(append(errs, err)...)
}

// takeSegment is a TCP segment for the host from a station.
func (h *host) takeSegment(from netip.Addr, b tcp.Segment) {
	remote, local := b.Ports()
	peer := netip.AddrPortFrom(from, remote)
	i := slices.IndexFunc(h.listeners, func(l *listener) bool { return l.port == local })
	if i >= 0 {
		if c := h.listeners[i].connection(peer, b.Opens()); c != nil {
			c.take(b)
			return
		}
	}
	var reset [tcp.HeaderSize]byte
	h.sendSegment(peer.Addr(), reset[:b.Refuse(reset[:])])
}

// connection is that with a peer, a new one for its first segment.
func (l *listener) connection(peer netip.AddrPort, opens bool) *connection {
	i := slices.IndexFunc(l.conns, func(c *connection) bool { return c.peer == peer })
	switch {
	case i >= 0:
		return l.conns[i]
	case !opens:
		return nil
	}
	h := l.host
	c := &connection{of: l, peer: peer}
	if err := c.Listen(h.time(), l.port, h.random.Uint32()); err != nil {
		panic("BUG: " + err.Error())
	}
	l.conns = append(l.conns, c)
	return c
}

// connection is one of a port. What comes goes to the service at once, and what that
// answers back.
type connection struct {
	tcp.Conn
	of      *listener
	peer    netip.AddrPort
	service probes.Connection // nil: not open yet
	answer  []byte            // there was no room for
	timer   *event
}

func (c *connection) take(b tcp.Segment) {
	c.Take(c.of.host.time(), b)
	if c.service == nil && c.State() == tcp.Open {
		c.service = c.of.service.Open(c.peer)
	}
	for c.service != nil && c.Buffered() > 0 {
		buf := make([]byte, c.Buffered())
		answer, err := c.service.Take(c.of.host.a.date(), buf[:c.Read(buf)])
		if err != nil {
			c.Abort()
		}
		c.answer = append(c.answer, answer...)
	}
	c.move()
}

// move sends what is due, and comes back when more is.
func (c *connection) move() {
	h := c.of.host
	if n := min(len(c.answer), c.Free()); n > 0 && c.Write(c.answer[:n]) == nil {
		c.answer = c.answer[n:]
	}
	var b [maxSegment]byte
	for range maxSegments {
		n := c.Make(h.time(), b[:])
		h.sendSegment(c.peer.Addr(), b[:n])
		if n == 0 {
			break
		}
	}
	h.a.cancel(c.timer)
	if c.State() == tcp.Closed {
		c.end()
		return
	}
	if at, ok := c.Due(); ok {
		c.timer = h.a.at(clock.Time(at)*clock.Nanosecond, c.move)
	}
}

// maxSegments bounds what is sent at one time.
const maxSegments = 16

// end forgets a connection that is closed.
func (c *connection) end() error {
	c.of.host.a.cancel(c.timer)
	c.of.conns = slices.DeleteFunc(c.of.conns, func(o *connection) bool { return o == c })
	if c.service == nil {
		return nil
	}
	return c.service.Close()
}

// time is the present as package tcp counts it.
func (h *host) time() time.Duration { return time.Duration(h.a.now / clock.Nanosecond) }

// sendSegment sends a segment to a station, with its checksum. None is empty.
func (h *host) sendSegment(to netip.Addr, b []byte) {
	if len(b) == 0 || !h.a.leases.given(to) { // see deliver
		return
	}
	addr := tcpip.AddrFrom4(to.As4())
	sum := header.PseudoHeaderChecksum(header.TCPProtocolNumber, h.address, addr, uint16(len(b)))
	header.TCP(b).SetChecksum(0)
	header.TCP(b).SetChecksum(^checksum.Checksum(b, sum))
	route, err := h.stack.FindRoute(nic, h.address, addr, ipv4.ProtocolNumber, false)
	if err != nil {
		return // the host has no address yet
	}
	defer route.Release()
	p := stack.NewPacketBuffer(stack.PacketBufferOptions{ReserveHeaderBytes: int(route.MaxHeaderLength()), Payload: buffer.MakeWithData(slices.Clone(b))})
	defer p.DecRef()
	route.WritePacket(stack.NetworkHeaderParams{Protocol: header.TCPProtocolNumber, TTL: ttl}, p) // what does not get through is repeated
}

const ttl = 64 // RFC 1700

// transport is TCP as gVisor's stack knows it: no endpoint of its own, all segments
// are for the host's ports.
type transport struct{ host *host }

func (t transport) Number() tcpip.TransportProtocolNumber { return header.TCPProtocolNumber }
func (t transport) MinimumPacketSize() int                { return header.TCPMinimumSize }

func (t transport) ParsePorts(b []byte) (src, dst uint16, err tcpip.Error) {
	src, dst = tcp.Segment(b).Ports()
	return src, dst, nil
}

// Parse leaves the segment whole.
func (t transport) Parse(p *stack.PacketBuffer) bool {
	_, ok := p.TransportHeader().Consume(header.TCPMinimumSize)
	return ok
}

func (t transport) HandleUnknownDestinationPacket(id stack.TransportEndpointID, p *stack.PacketBuffer) stack.UnknownDestinationPacketDisposition {
	data := p.Data().AsRange().ToSlice()
	b := append(slices.Clone(p.TransportHeader().Slice()), data...)
	sum := header.PseudoHeaderChecksum(header.TCPProtocolNumber, id.RemoteAddress, id.LocalAddress, uint16(len(b)))
	if checksum.Checksum(b, sum) != 0xFFFF {
		return stack.UnknownDestinationPacketMalformed
	}
	t.host.takeSegment(netip.AddrFrom4(id.RemoteAddress.As4()), b)
	return stack.UnknownDestinationPacketHandled
}

func (t transport) NewEndpoint(tcpip.NetworkProtocolNumber, *waiter.Queue) (tcpip.Endpoint, tcpip.Error) {
	return nil, &tcpip.ErrNotSupported{}
}

func (t transport) NewRawEndpoint(tcpip.NetworkProtocolNumber, *waiter.Queue) (tcpip.Endpoint, tcpip.Error) {
	return nil, &tcpip.ErrNotSupported{}
}

func (t transport) SetOption(tcpip.SettableTransportProtocolOption) tcpip.Error {
	return &tcpip.ErrUnknownProtocolOption{}
}

func (t transport) Option(tcpip.GettableTransportProtocolOption) tcpip.Error {
	return &tcpip.ErrUnknownProtocolOption{}
}

// There are no goroutines to look after.
func (t transport) Close()   {}
func (t transport) Wait()    {}
func (t transport) Pause()   {}
func (t transport) Resume()  {}
func (t transport) Restore() {}
