package probes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"
)

// AccessPoint is a wireless network that the board may join, and the host behind
// it. It begins off the air.
type AccessPoint interface {
	// Start puts a network on the air, in place of an earlier one and of its
	// members. One that Check refuses is an error and changes nothing.
	Start(ctx context.Context, n Network) error
	// Stop takes it off the air, as if the power failed.
	Stop(ctx context.Context) error
	// Events gives what stations did since the last call, oldest first.
	Events(ctx context.Context) ([]StationEvent, error)
	// Listen opens a UDP port of the host; one that is open is an error.
	Listen(ctx context.Context, port uint16) (Socket, error)
	// Serve opens a TCP port of the host, whose connections are the service's until
	// it is closed; one that is open is an error.
	Serve(ctx context.Context, port uint16, s Service) (io.Closer, error)
}

// Service is who answers at a TCP port of the host. On a virtual rig the rig's time
// stands still while a method runs: a service outside the rig, such as a broker in
// this process, is waited for, and what a run gives does not hang on the host's speed.
// On a bench it is a host of the lab's network that listens at the port and passes the
// bytes on as they come; there the service's own time is part of what is measured.
type Service interface {
	// Open begins a connection.
	Open(from netip.AddrPort) Connection
}

// Connection is a service's end of one. Its methods are called one after another.
type Connection interface {
	// Take gets what came, when, and gives what is to be sent back. An error ends the
	// connection.
	Take(at time.Time, data []byte) (answer []byte, err error)
	// Close follows the connection's end.
	Close() error
}

// Socket is an open UDP port of the host. It outlives the network on the air.
type Socket interface {
	// Receive gives what came since the last call, oldest first.
	Receive(ctx context.Context) ([]Datagram, error)
	// Send passes a datagram on to the network; whether it comes there is not
	// known.
	Send(ctx context.Context, to netip.AddrPort, payload []byte) error
	Close() error
}

// Datagram is one that a socket received.
type Datagram struct {
	At      time.Time // on the rig's clock
	From    netip.AddrPort
	Payload []byte
}

// MaxDatagram is the longest payload that fits a frame (1500 bytes less the
// headers of IPv4 and UDP).
const MaxDatagram = 1500 - 20 - 8

// Network is what an access point offers.
type Network struct {
	SSID string
	Key  string        // of WPA2; empty: open to all
	Host netip.Prefix  // the host's address and how long its network's prefix is; stations get those that follow
	TTL  time.Duration // of a lease, in whole seconds
}

// Check refuses what no access point can offer.
func (n Network) Check() error {
	switch {
	case len(n.SSID) == 0 || len(n.SSID) > 32:
		return fmt.Errorf("an SSID of %d bytes: want 1 to 32", len(n.SSID))
	case n.Key != "" && (len(n.Key) < 8 || len(n.Key) > 63):
		return fmt.Errorf("a key of %d bytes: want 8 to 63", len(n.Key))
	case !n.Host.IsValid() || !n.Host.Addr().Is4() || n.Host.Bits() < 8 || n.Host.Bits() > 28:
		return fmt.Errorf("host %v: want an IPv4 address and a prefix of 8 to 28 bits", n.Host)
	case n.TTL < time.Second || n.TTL > maxDuration*365 || n.TTL%time.Second != 0:
		return fmt.Errorf("leases of %v: want whole seconds, from one to a year", n.TTL)
	}
	return nil
}

// StationEvent is what became of a station.
type StationEvent struct {
	At      time.Time // on the rig's clock
	MAC     [6]byte
	Kind    StationEventKind
	Address netip.Addr // of a lease
}

// StationEventKind is one of these.
type StationEventKind uint8

const (
	StationJoined   StationEventKind = iota + 1
	StationRejected                  // its key was wrong
	StationLeft                      // by itself
	StationPutOff                    // by the access point
	StationLeased                    // it has an address; renewals count
)

func (k StationEventKind) String() string {
	switch k {
	case StationJoined:
		return "joined"
	case StationRejected:
		return "rejected"
	case StationLeft:
		return "left"
	case StationPutOff:
		return "put off"
	case StationLeased:
		return "leased"
	}
	return fmt.Sprintf("station event %d", uint8(k))
}

// NetworkFaults spoils a wireless network on purpose.
type NetworkFaults interface {
	// Disturb applies from now on, in place of an earlier disturbance; the zero
	// value ends it. One that Check refuses is an error and changes nothing.
	Disturb(ctx context.Context, d Disturbance) error
	// DropOut takes the network off the air for a while, in place of an earlier
	// one that is not over. Start ends it, too.
	DropOut(ctx context.Context, o Outage) error
	// Load lets the host send to all stations that have an address, in place of an
	// earlier load; the zero value ends it.
	Load(ctx context.Context, l Load) error
}

// PPM is a share in millionths.
type PPM uint32

// All is the whole.
const All PPM = 1_000_000

// Disturbance is what goes wrong between air and host, each way, and who else
// is on the air. Chance is decided by Seed.
type Disturbance struct {
	Loss      PPM           // of frames
	Duplicate PPM           // come twice
	Reorder   PPM           // are overtaken by those of the next 10 ms
	Delay     time.Duration // of each
	Jitter    time.Duration // up to so much more, evenly; order is kept
	Busy      PPM           // how much of its time others use the channel
	DHCP      DHCPFault
	Seed      uint64
}

// DHCPFault is how the server of addresses misbehaves.
type DHCPFault uint8

const (
	DHCPWorks   DHCPFault = iota
	DHCPSilent            // answers nothing
	DHCPRefuses           // offers, and then refuses each request
	DHCPGarbles           // its options break off in the middle
	DHCPStrays            // gives addresses of a network that is not the host's
	dhcpFaults
)

// Check refuses what does not exist.
func (d Disturbance) Check() error {
	for _, p := range []PPM{d.Loss, d.Duplicate, d.Reorder} {
		if p > All {
			return fmt.Errorf("%d millionths of frames: want %d at most", p, All)
		}
	}
	if d.Busy > All*9/10 {
		return fmt.Errorf("a channel busy for %d millionths: want nine tenths at most", d.Busy)
	}
	if d.DHCP >= dhcpFaults {
		return fmt.Errorf("DHCP fault %d: want one of %d", d.DHCP, dhcpFaults)
	}
	return errors.Join(checkDuration(d.Delay), checkDuration(d.Jitter))
}

// Outage is a time without the network. Afterwards it has no members.
type Outage struct {
	After  time.Duration // from now until it begins
	For    time.Duration // how long it lasts; 0: until Start
	Deauth bool          // stations are told; else they have to find out
}

// Check refuses what cannot be.
func (o Outage) Check() error { return errors.Join(checkDuration(o.After), checkDuration(o.For)) }

// Load is datagrams to the discard port (RFC 863), one each Every.
type Load struct {
	Every time.Duration // from a microsecond; 0: no load
	Size  int           // of the payload in bytes
}

// DiscardPort is where a Load's datagrams go.
const DiscardPort = 9

// Check refuses what cannot be sent.
func (l Load) Check() error {
	switch {
	case l == Load{}:
		return nil
	case l.Every < time.Microsecond || l.Size < 0 || l.Size > MaxDatagram:
		return fmt.Errorf("%d bytes each %v: want up to %d, each microsecond at most", l.Size, l.Every, MaxDatagram)
	}
	return checkDuration(l.Every)
}
