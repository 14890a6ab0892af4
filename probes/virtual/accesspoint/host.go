package accesspoint

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand"
	randv2 "math/rand/v2"
	"net"
	"net/netip"
	"slices"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/channel"
	"gvisor.dev/gvisor/pkg/tcpip/link/ethernet"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"

	"rigor/harness/sim/board"
	"rigor/probes"
)

// nic is the host's only network interface.
const nic = 1

// host is the computer behind the access point.
type host struct {
	a         *AccessPoint
	stack     *stack.Stack
	link      *channel.Endpoint
	address   tcpip.Address
	sockets   []*socket
	dhcp      *socket
	discard   *socket // what a load is sent from; it swallows what comes (RFC 863)
	listeners []*listener
	random    *randv2.Rand // of TCP's first sequence numbers
}

func newHost(a *AccessPoint) *host {
	h := &host{a: a, random: randv2.New(randv2.NewPCG(a.opt.Seed, 4))}
	tcp := func(*stack.Stack) stack.TransportProtocol { return transport{h} }
	h.stack = stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, arp.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{udp.NewProtocol, icmp.NewProtocol4, tcp},
		Clock:              stackClock{&a.queue},
		RandSource:         rand.NewSource(int64(a.opt.Seed)),
		SecureRNG:          randomBytes(a.opt.Seed),
	})
	h.link = channel.New(queueLength, board.MaxFrame, tcpip.LinkAddress(a.opt.MAC[:]))
	h.link.AddNotify(h)
	must(h.stack.CreateNIC(nic, ethernet.New(h.link)))
	h.stack.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: nic}})
	h.dhcp, h.discard = h.open(serverPort), h.open(probes.DiscardPort)
	h.dhcp.endpoint.SocketOptions().SetBroadcast(true)
	return h
}

// must is for what depends on us alone.
func must(err tcpip.Error) {
	if err != nil {
		panic("BUG: " + err.String())
	}
}

// randomBytes is what the host believes to be secure.
func randomBytes(seed uint64) io.Reader {
	var key [32]byte
	for i := range key {
		key[i] = byte(seed >> (i % 8 * 8))
	}
	return randv2.NewChaCha8(key)
}

func (h *host) setAddress(p netip.Prefix) {
	if h.address != (tcpip.Address{}) {
		must(h.stack.RemoveAddress(nic, h.address))
	}
	h.address = tcpip.AddrFrom4(p.Addr().As4())
	must(h.stack.AddProtocolAddress(nic, tcpip.ProtocolAddress{
		Protocol:          ipv4.ProtocolNumber,
		AddressWithPrefix: tcpip.AddressWithPrefix{Address: h.address, PrefixLen: p.Bits()},
	}, stack.AddressProperties{}))
}

// deliver is a frame from the station. One with an IPv4 source that the station
// was not given is dropped, as access points can (IP source guard); so nobody
// makes the host look for more neighbours than it does at a time.
func (a *AccessPoint) deliver(frame []byte) {
	if a.forged(frame) {
		return
	}
	p := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(bytes.Clone(frame))})
	a.host.link.InjectInbound(0, p)
	p.DecRef()
	for _, s := range slices.Clone(a.host.sockets) {
		s.drain()
	}
	a.serveAddresses()
}

func (a *AccessPoint) forged(frame []byte) bool {
	if len(frame) < header.EthernetMinimumSize+header.IPv4MinimumSize || header.Ethernet(frame).Type() != ipv4.ProtocolNumber {
		return false
	}
	source := netip.AddrFrom4(header.IPv4(frame[header.EthernetMinimumSize:]).SourceAddress().As4())
	return source != netip.IPv4Unspecified() && source != a.leases.of[a.member]
}

// WriteNotify is called for each frame that the host sends.
func (h *host) WriteNotify() {
	p := h.link.Read()
	frame := p.ToBuffer()
	h.a.down.pass(frame.Flatten(), h.a.send)
	frame.Release()
	p.DecRef()
}

// sendLoad sends a datagram to the discard port of whoever has an address.
func (h *host) sendLoad(size int) {
	if to, ok := h.a.leases.of[h.a.member]; ok && h.a.joined {
		h.discard.write(tcpip.AddrFrom4(to.As4()), probes.DiscardPort, make([]byte, size))
	}
}

// socket is an open UDP port.
type socket struct {
	host     *host
	port     uint16
	endpoint tcpip.Endpoint
	received []probes.Datagram
	closed   bool
}

// taken says that a port is open; the host's own count.
func (h *host) taken(port uint16) bool {
	return port == h.dhcp.port || port == h.discard.port ||
		slices.ContainsFunc(h.sockets, func(s *socket) bool { return s.port == port })
}

func (h *host) listen(port uint16) *socket {
	s := h.open(port)
	h.sockets = append(h.sockets, s)
	return s
}

// open opens a port that is free.
func (h *host) open(port uint16) *socket {
	endpoint, err := h.stack.NewEndpoint(udp.ProtocolNumber, ipv4.ProtocolNumber, new(waiter.Queue))
	must(err)
	must(endpoint.Bind(tcpip.FullAddress{NIC: nic, Port: port}))
	return &socket{host: h, port: port, endpoint: endpoint}
}

// drain takes what the endpoint has got.
func (s *socket) drain() {
	for {
		var payload bytes.Buffer
		r, err := s.endpoint.Read(&payload, tcpip.ReadOptions{NeedRemoteAddr: true})
		if err != nil {
			return
		}
		s.received = append(s.received, probes.Datagram{
			At:      s.host.a.date(),
			From:    netip.AddrPortFrom(netip.AddrFrom4(r.RemoteAddr.Addr.As4()), r.RemoteAddr.Port),
			Payload: payload.Bytes(),
		})
	}
}

// write sends a datagram, or does not, as UDP is.
func (s *socket) write(to tcpip.Address, port uint16, payload []byte) tcpip.Error {
	_, err := s.endpoint.Write(bytes.NewReader(payload), tcpip.WriteOptions{
		To: &tcpip.FullAddress{NIC: nic, Addr: to, Port: port},
	})
	return err
}

// Receive gives what has come.
func (s *socket) Receive(ctx context.Context) (d []probes.Datagram, err error) {
	err = s.do(ctx, "receive", nil, func() { d, s.received = s.received, nil })
	return d, err
}

// Send sends a datagram, if anybody has the address. The host must not look for
// neighbours in vain, see deliver.
func (s *socket) Send(ctx context.Context, to netip.AddrPort, payload []byte) error {
	var refusal error
	if !to.Addr().Is4() || len(payload) > probes.MaxDatagram {
		refusal = fmt.Errorf("%d bytes to %v: want an IPv4 address and %d bytes at most", len(payload), to, probes.MaxDatagram)
	}
	var sent tcpip.Error
	err := s.do(ctx, "send", refusal, func() {
		if s.host.a.leases.given(to.Addr()) {
			sent = s.write(tcpip.AddrFrom4(to.Addr().As4()), to.Port(), payload)
		}
	})
	if err == nil && sent != nil {
		err = fmt.Errorf("send from port %d to %v: %v", s.port, to, sent)
	}
	return err
}

// Close closes the port.
func (s *socket) Close() error {
	return s.do(context.Background(), "close", nil, func() {
		s.closed = true
		s.endpoint.Close()
		s.host.sockets = slices.DeleteFunc(s.host.sockets, func(o *socket) bool { return o == s })
	})
}

func (s *socket) do(ctx context.Context, what string, refusal error, f func()) error {
	if s.closed {
		refusal = net.ErrClosed
	}
	return s.host.a.do(ctx, fmt.Sprintf("%s at port %d", what, s.port), refusal, f)
}
