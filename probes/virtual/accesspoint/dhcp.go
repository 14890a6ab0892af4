package accesspoint

import (
	"net"
	"net/netip"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"rigor/probes"
)

// Ports of RFC 2131 §4.1.
const (
	serverPort = 67
	clientPort = 68
)

// leases are the addresses that stations have been given; they keep them until
// the network starts anew. An address that was ever offered belongs to that
// station: a network of stations under test does not run out of them.
type leases struct {
	of map[[6]byte]netip.Addr
}

func (l leases) given(addr netip.Addr) bool {
	for _, a := range l.of {
		if a == addr {
			return true
		}
	}
	return false
}

// serveAddresses answers what came to the server's port.
func (a *AccessPoint) serveAddresses() {
	a.host.dhcp.drain()
	requests := a.host.dhcp.received
	a.host.dhcp.received = nil
	for _, d := range requests {
		m, err := dhcpv4.FromBytes(d.Payload)
		if err == nil && m.OpCode == dhcpv4.OpcodeBootRequest && len(m.ClientHWAddr) == 6 && a.disturbance.DHCP != probes.DHCPSilent {
			a.answer(m)
		}
	}
}

// answer follows RFC 2131 §4.3.
func (a *AccessPoint) answer(m *dhcpv4.DHCPv4) {
	mac := [6]byte(m.ClientHWAddr)
	mine := m.ServerIdentifier() == nil || m.ServerIdentifier().Equal(a.network.Host.Addr().AsSlice())
	switch m.MessageType() {
	case dhcpv4.MessageTypeDiscover:
		a.reply(m, dhcpv4.MessageTypeOffer, a.addressOf(mac))
	case dhcpv4.MessageTypeRequest:
		if !mine {
			return
		}
		address := a.addressOf(mac)
		if a.disturbance.DHCP == probes.DHCPRefuses || wanted(m) != address {
			a.reply(m, dhcpv4.MessageTypeNak, netip.Addr{})
			return
		}
		a.lease(mac, address)
		a.reply(m, dhcpv4.MessageTypeAck, address)
	case dhcpv4.MessageTypeInform:
		a.reply(m, dhcpv4.MessageTypeAck, netip.IPv4Unspecified())
	}
}

// wanted is the address that a request is for: the option's, or when renewing
// the client's own (RFC 2131 §4.3.2).
func wanted(m *dhcpv4.DHCPv4) netip.Addr {
	ip := m.RequestedIPAddress()
	if ip == nil {
		ip = m.ClientIPAddr
	}
	addr, _ := netip.AddrFromSlice(ip.To4())
	return addr
}

// addressOf is the address for a station: the first after the host's, or as it
// may be, one of a network that is none.
func (a *AccessPoint) addressOf(mac [6]byte) netip.Addr {
	if a.disturbance.DHCP == probes.DHCPStrays {
		return strayHost.Next()
	}
	if addr, ok := a.leases.of[mac]; ok {
		return addr
	}
	addr := a.network.Host.Addr().Next()
	for range a.leases.of {
		addr = addr.Next()
	}
	return addr
}

// strayHost is the router of DHCPStrays (RFC 5737: a network for examples).
var strayHost = netip.MustParseAddr("192.0.2.1")

func (a *AccessPoint) lease(mac [6]byte, addr netip.Addr) {
	if a.disturbance.DHCP != probes.DHCPStrays {
		if a.leases.of == nil {
			a.leases.of = map[[6]byte]netip.Addr{}
		}
		a.leases.of[mac] = addr
	}
	a.events = append(a.events, probes.StationEvent{At: a.date(), MAC: mac, Kind: probes.StationLeased, Address: addr})
}

// reply sends an answer: to the client's address when it has one, else to all.
func (a *AccessPoint) reply(request *dhcpv4.DHCPv4, kind dhcpv4.MessageType, address netip.Addr) {
	host := net.IP(a.network.Host.Addr().AsSlice())
	router := host
	if a.disturbance.DHCP == probes.DHCPStrays {
		router = strayHost.AsSlice()
	}
	with := []dhcpv4.Modifier{dhcpv4.WithReply(request), dhcpv4.WithMessageType(kind), dhcpv4.WithOption(dhcpv4.OptServerIdentifier(host))}
	if kind != dhcpv4.MessageTypeNak {
		with = append(with, dhcpv4.WithYourIP(address.AsSlice()), dhcpv4.WithNetmask(net.CIDRMask(a.network.Host.Bits(), 32)),
			dhcpv4.WithRouter(router), dhcpv4.WithLeaseTime(uint32(a.network.TTL.Seconds())))
	}
	m, err := dhcpv4.New(with...)
	if err != nil {
		panic("BUG: " + err.Error()) // it reads random numbers for an id, which the reply replaces
	}
	bytes := m.ToBytes()
	if a.disturbance.DHCP == probes.DHCPGarbles {
		bytes = bytes[:garbledLength]
	}
	to := header.IPv4Broadcast
	if c, _ := netip.AddrFromSlice(request.ClientIPAddr.To4()); kind != dhcpv4.MessageTypeNak && a.leases.given(c) {
		to = tcpip.AddrFrom4(c.As4())
	}
	a.host.dhcp.write(to, clientPort, bytes)
}

// garbledLength ends a message within its second option, after the fixed part of
// 236 bytes, the cookie and the first option's three.
const garbledLength = 236 + 4 + 3 + 3
