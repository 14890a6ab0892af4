package accesspoint

import (
	"bytes"
	"math/rand/v2"
	"slices"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/probes"
)

// medium is the air: one frame at a time.
type medium struct {
	rate   uint64
	access clock.Time
	free   clock.Time // when the frame on it has passed
	busy   probes.PPM
	chance *rand.Rand
}

const (
	tries          = 7   // of a frame
	managementSize = 100 // bytes of a frame without data, roughly
	foreignSize    = board.MaxFrame
	beaconInterval = 102_400 * clock.Microsecond
	queueLength    = 64 // frames that wait for the air; more are lost
)

// What joining takes besides its frames: authentication, association and the
// four-way handshake, about what a sniffer sees; and how long an authenticator
// tries when the station's answers do not fit: four messages, 100 ms for the
// first and 1 s for each other, as hostapd does.
const (
	joinTime   = 30 * clock.Millisecond
	refuseTime = 3100 * clock.Millisecond
)

func (m *medium) frameTime(size int) clock.Time {
	return m.access + clock.Time(uint64(size)*8*uint64(clock.Second)/m.rate)
}

// occupy takes the air for a frame, after what is on it and what others put
// there, and gives the end.
func (m *medium) occupy(at clock.Time, size int) clock.Time {
	start := max(at, m.free)
	for m.busy > 0 && m.chance.Uint32N(uint32(probes.All)) < uint32(m.busy) {
		start += m.frameTime(foreignSize)
	}
	m.free = start + m.frameTime(size)
	return m.free
}

// air is the access point as the station's radio knows it.
type air struct{ *AccessPoint }

// Attach keeps whom to tell.
func (a air) Attach(wake func()) { a.wake = wake }

// Listen says whether the station hears. It is also the first call after a chip
// was put back to an earlier time: the access point, which was not, goes on.
func (a air) Listen(on bool, at clock.Time) {
	a.behind = max(a.behind, a.now-at)
	a.enter(at)
	if a.listening = on; !on {
		a.inbox = nil
	}
}

// Next is when something may come.
func (a air) Next() clock.Time {
	if len(a.inbox) > 0 {
		return a.now - a.behind
	}
	due := a.due()
	if due == clock.NeverTime {
		return due
	}
	return due - a.behind
}

// Receive takes what has come.
func (a air) Receive(at clock.Time) (board.Message, bool) {
	a.enter(at)
	if len(a.inbox) == 0 {
		return board.Message{}, false
	}
	m := a.inbox[0]
	a.inbox = slices.Delete(a.inbox, 0, 1)
	return m, true
}

// Send takes a message of the station. Without a network on the air it is sent
// again and again; a search for one expects no answer.
func (a air) Send(m board.Message, at clock.Time) (end clock.Time, heard bool) {
	a.enter(at)
	size := managementSize
	if m.Kind == board.Data {
		size = len(m.Frame)
	}
	end = a.medium.occupy(a.now, size)
	heard = a.onAir
	for i := 1; i < tries && !heard && m.Kind != board.Probe; i++ {
		end = a.medium.occupy(end, size)
	}
	if heard {
		m.Frame = bytes.Clone(m.Frame)
		a.at(end, func() { a.hear(m) })
	}
	return end - a.behind, heard
}

// hear is a message that has come to the access point.
func (a *AccessPoint) hear(m board.Message) {
	if !a.onAir {
		return
	}
	switch m.Kind {
	case board.Probe:
		if m.SSID == a.network.SSID && m.Channel == a.opt.Channel {
			a.tell(board.Message{Kind: board.Here})
		}
	case board.Join:
		a.admit(m)
	case board.Leave:
		a.leave(m.Station, probes.StationLeft)
	case board.Data:
		if !a.joined || m.Station != a.member {
			a.tell(board.Message{Kind: board.PutOff, Reason: board.ReasonNotJoined})
			return
		}
		a.up.pass(m.Frame, a.deliver)
	}
}

// admit lets a station in that knows SSID and key.
func (a *AccessPoint) admit(m board.Message) {
	if m.SSID != a.network.SSID {
		return
	}
	if m.Key != a.network.Key {
		a.later(refuseTime, func() {
			a.log(probes.StationRejected, m.Station)
			a.tell(board.Message{Kind: board.PutOff, Reason: board.ReasonHandshake})
		})
		return
	}
	a.later(joinTime, func() {
		a.member, a.joined = m.Station, true
		a.log(probes.StationJoined, m.Station)
		a.tell(board.Message{Kind: board.Admit})
	})
}

func (a *AccessPoint) leave(station [6]byte, how probes.StationEventKind) {
	if a.joined && station == a.member {
		a.joined = false
		a.log(how, station)
	}
}

// tell sends the station a message without data.
func (a *AccessPoint) tell(m board.Message) {
	a.at(a.medium.occupy(a.now, managementSize), func() { a.come(m) })
}

// come is a message's end: the station has it, if it listens.
func (a *AccessPoint) come(m board.Message) {
	if a.listening {
		a.inbox = append(a.inbox, m)
	}
}

// beacon comes for as long as the network is on the air.
func (a *AccessPoint) beacon() {
	a.tell(board.Message{Kind: board.Beacon, SSID: a.network.SSID})
	a.later(beaconInterval, a.beacon)
}

// later is after, unless the network has left the air meanwhile.
func (a *AccessPoint) later(d clock.Time, f func()) {
	session := a.session
	a.after(d, func() {
		if a.onAir && session == a.session {
			f()
		}
	})
}

// send passes a frame of the host on to the station: it waits for its turn.
func (a *AccessPoint) send(frame []byte) {
	if !a.onAir || !a.joined || len(a.waiting) >= queueLength {
		return
	}
	a.waiting = append(a.waiting, frame)
	if !a.transmitting {
		a.transmit()
	}
}

func (a *AccessPoint) transmit() {
	a.transmitting = len(a.waiting) > 0
	if !a.transmitting {
		return
	}
	frame := a.waiting[0]
	a.waiting = slices.Delete(a.waiting, 0, 1)
	a.at(a.medium.occupy(a.now, len(frame)), func() {
		if a.onAir && a.joined {
			a.come(board.Message{Kind: board.Data, Frame: frame})
		}
		a.transmit()
	})
}
