package network

import "errors"

// Station is a radio that takes part in a wireless network as a station. Frames
// are Ethernet, from the destination address to the data's end.
type Station interface {
	// Join begins to join; Status tells how it goes. An earlier attempt or network
	// is left. Without a key the network is open.
	Join(ssid, key string) error
	Leave()
	Status() Status
	// Send queues a frame. With ErrFull it may be tried again later.
	Send(frame []byte) error
	// Receive takes the next frame, at most MaxFrame long.
	Receive(buf []byte) (n int, ok bool)
	MAC() MAC
}

// MaxFrame is the longest frame in bytes.
const MaxFrame = headerSize + 1500

// Errors of stations and stacks.
var (
	ErrFull      = errors.New("the radio's queue is full")
	ErrNotJoined = errors.New("not joined to a network")
	ErrNoAddress = errors.New("no address yet")
	ErrTooLong   = errors.New("too long")
	ErrNoRadio   = errors.New("no radio that this program can use")
)

// MAC is a station's hardware address.
type MAC [6]byte

var broadcast = MAC{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}

// Status is how a station stands with its network, and why.
type Status struct {
	State  State
	Reason Reason
}

// State is one of these.
type State uint8

// Off follows Leave, and the end of a network: then there is a reason.
const (
	Off State = iota
	Joining
	Joined
	Refused
)

// Reason is why a station is not joined: 1 to 255 as IEEE 802.11-2020 §9.4.1.7
// numbers them, from 200 on as ESP-IDF's wifi_err_reason_t does.
type Reason uint8

// Those that virtual radios give.
const (
	Leaving          Reason = 3   // the access point goes
	NotMember        Reason = 7   // it does not know the station
	WrongKey         Reason = 15  // the four-way handshake timed out
	BeaconTimeout    Reason = 200 // the access point was not heard any more
	NoAccessPoint    Reason = 201 // nobody has the SSID
	HandshakeTimeout Reason = 204 // it did not answer
)
