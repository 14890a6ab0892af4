package board

import "rigor/harness/sim/clock"

// Radio is what a chip with a wireless MAC has besides: an antenna.
type Radio interface {
	// SetAir connects the antenna; nil takes it off. Like a source of voltage the
	// air is outside the chip: no part of a snapshot or a digest.
	SetAir(Air)
}

// Air is the medium between one station and whoever is at its other end, an
// access point. It is passive, and knows time by what it is told: times of calls
// do not decrease, but for those after a chip was restored to an earlier one.
type Air interface {
	// Attach is called once; the air calls wake when Next has become earlier by
	// something else than the station's calls.
	Attach(wake func())
	// Listen says from when on the station hears, or does not: whatever is sent to
	// a deaf one is lost.
	Listen(on bool, at clock.Time)
	// Send puts a message on the air. The sender is busy until end; heard says
	// that it was acknowledged by then. The message's bytes are not kept.
	Send(m Message, at clock.Time) (end clock.Time, heard bool)
	// Next is when to call Receive at the latest; NeverTime: not before the next
	// Send or wake.
	Next() clock.Time
	// Receive takes the first message that has come by then.
	Receive(at clock.Time) (Message, bool)
}

// MaxFrame is the longest Ethernet frame without its check sequence (IEEE 802.3
// §3.2.7: 1500 bytes of data).
const MaxFrame = 14 + 1500

// Message is what goes over the air: of IEEE 802.11 no more than who talks to
// whom about what.
type Message struct {
	Kind    MessageKind
	Station [6]byte // its MAC address, when it sends
	SSID    string  // Probe, Join, Beacon
	Key     string  // Join
	Channel uint8   // Probe
	Reason  Reason  // PutOff
	Frame   []byte  // Data: Ethernet, from the destination address to the data's end
}

// MessageKind says what a message is for.
type MessageKind uint8

// Messages of a station and of an access point.
const (
	Probe  MessageKind = iota + 1 // station: who has this SSID on this channel?
	Join                          // station: let me in
	Leave                         // station: I am gone
	Here                          // access point: answers Probe
	Admit                         // access point: answers Join
	PutOff                        // access point: refuses Join, or ends what was
	Beacon                        // access point: still there
	Data
)

// Reason is why a station is not joined: 1 to 255 as IEEE 802.11-2020 §9.4.1.7
// numbers them, from 200 on as ESP-IDF's wifi_err_reason_t does.
type Reason uint8

// Those that occur.
const (
	ReasonLeaving          Reason = 3   // the access point goes
	ReasonNotJoined        Reason = 7   // data of a station that is not joined
	ReasonHandshake        Reason = 15  // four-way handshake timed out: the keys differ
	ReasonBeaconTimeout    Reason = 200 // the access point was not heard any more
	ReasonNoAccessPoint    Reason = 201 // no channel has the SSID
	ReasonHandshakeTimeout Reason = 204 // it did not answer
)
