// Package accesspoint is a wireless network in the air of one simulated radio:
// an access point that knows its SSID and key, a server of addresses, and a host
// whose UDP and TCP ports a suite opens.
//
// It is passive and deterministic like all of a virtual rig: nothing moves but
// by calls, each of which first lets happen what was due until its time.
//
// Host and network stack are gVisor's (gvisor.dev/gvisor/pkg/tcpip): ARP, IPv4
// with reassembly, ICMP echo, UDP. Given a clock and a source of random numbers
// it acts within the call that hands it a frame or lets time pass. Its TCP does
// not: segments pass through goroutines of its own, which no one can wait for. In
// its place is that of the firmware (rigor/firmware/network/tcp, above lneto), so
// that it is no second reading of RFC 9293: what both ends get wrong alike is
// not seen here. The server of addresses follows RFC 2131 and codes
// its messages by github.com/insomniacslk/dhcp.
//
// # The air
//
// A frame of n bytes takes Access + n·8/Rate, one at a time in both directions.
// With the default figures a full frame takes 386 us, and UDP that does nothing
// else carries 30.5 Mbit/s of payload; Espressif publishes 30 Mbit/s each way "air
// in lab" for the ESP32-C3 (ESP-IDF Programming Guide, Wi-Fi Performance and
// Power Save). Both directions take turns when both have frames. A frame that
// nobody acknowledges is sent seven times (IEEE 802.11-2020, dot11ShortRetryLimit's default).
// Beacons come each 102.4 ms. Of real air there is no more: no signal strength, no rates
// to choose from, no collisions, no power saving. Who else is on the channel is a
// Disturbance.
package accesspoint

import (
	"time"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/probes"
)

// Options are what does not change. Zero values choose the default.
type Options struct {
	Epoch   time.Time  // the rig's clock at the beginning of the world
	Seed    uint64     // of the host's random numbers
	MAC     [6]byte    // the host's; default 02:52:47:00:00:01
	Channel uint8      // default 6
	Rate    uint64     // of the air, bit/s; default 36 Mbit/s
	Access  clock.Time // what a frame takes besides its bits; default 50 us
}

func withDefaults(o Options) Options {
	if o.MAC == [6]byte{} {
		o.MAC = [6]byte{0x02, 'R', 'G', 0, 0, 1}
	}
	if o.Channel == 0 {
		o.Channel = 6
	}
	if o.Rate == 0 {
		o.Rate = 36_000_000
	}
	if o.Access == 0 {
		o.Access = 50 * clock.Microsecond
	}
	return o
}

// AccessPoint is one, with the air around it.
type AccessPoint struct {
	opt   Options
	world func() clock.Time
	queue
	behind clock.Time // how far the world was put back, see Listen

	wake      func()
	listening bool
	inbox     []board.Message // has come to the station
	medium    medium

	network probes.Network
	onAir   bool
	session int      // how often it has come on the air
	outage  []*event // what is to come of one
	member  [6]byte  // who is joined, if any
	joined  bool
	events  []probes.StationEvent

	host         *host
	leases       leases
	disturbance  probes.Disturbance
	up, down     path
	load         *event
	loadSpec     probes.Load
	transmitting bool // to the station
	waiting      [][]byte
}

var (
	_ board.Air            = air{}
	_ probes.AccessPoint   = (*AccessPoint)(nil)
	_ probes.NetworkFaults = (*AccessPoint)(nil)
)

// New puts an access point into a radio's air; now is the world's time.
func New(r board.Radio, now func() clock.Time, o Options) *AccessPoint {
	a := &AccessPoint{opt: withDefaults(o), world: now, wake: func() {}}
	a.medium.rate, a.medium.access = a.opt.Rate, a.opt.Access
	a.host = newHost(a)
	a.disturb(probes.Disturbance{})
	r.SetAir(air{a})
	return a
}

// enter lets happen what was due until a time of the world. What a core was
// ahead of its events may make that an instruction earlier than a call before.
func (a *AccessPoint) enter(at clock.Time) { a.advance(max(at+a.behind, a.now)) }

// date is the present on the rig's clock.
func (a *AccessPoint) date() time.Time {
	return a.opt.Epoch.Add(time.Duration((a.now - a.behind) / clock.Nanosecond))
}

func (a *AccessPoint) log(kind probes.StationEventKind, mac [6]byte) {
	a.events = append(a.events, probes.StationEvent{At: a.date(), MAC: mac, Kind: kind})
}
