package ota

import (
	"math/rand/v2"

	"rigor/harness/port"
)

// Losses says what becomes of frames on a bad line, each in a thousandth of them.
type Losses struct {
	Dropped  int
	Repeated int
	Delayed  int // comes after the frame that follows it
	Damaged  int // one of its bits is wrong
}

// Lossy is a port that treats frames badly, in both directions. What becomes of which,
// its seed decides. A Write is taken for a frame; of what is read, a frame is
// what ends with a zero, as in firmware/wire.
type Lossy struct {
	port.Port
	sent, received mangler
	partial        []byte // of the frame that is being read
	ready          []byte // to be read by the caller
}

// NewLossy makes a bad line of a good one.
func NewLossy(p port.Port, seed uint64, l Losses) *Lossy {
	return &Lossy{Port: p, sent: newMangler(seed, 0, l), received: newMangler(seed, 1, l)}
}

// Write sends what the line leaves of a frame.
func (l *Lossy) Write(frame []byte) (int, error) {
	out := l.sent.mangle(frame)
	if len(out) == 0 {
		return len(frame), nil
	}
	if _, err := l.Port.Write(out); err != nil {
		return 0, err
	}
	return len(frame), nil
}

// Read gives what the line leaves of whole frames.
func (l *Lossy) Read(p []byte) (int, error) {
	var buf [256]byte
	for len(l.ready) == 0 && len(p) > 0 {
		n, err := l.Port.Read(buf[:])
		if err != nil {
			return 0, err
		}
		for _, b := range buf[:n] {
			l.take(b)
		}
	}
	n := copy(p, l.ready)
	l.ready = l.ready[n:]
	return n, nil
}

func (l *Lossy) take(b byte) {
	l.partial = append(l.partial, b)
	if b == 0 && len(l.partial) > 1 {
		l.ready = append(l.ready, l.received.mangle(l.partial)...)
		l.partial = nil
	}
}

// DiscardInput drops what waits here, too.
func (l *Lossy) DiscardInput() error {
	l.ready, l.partial = nil, nil
	return l.Port.DiscardInput()
}

// mangler is one direction of a bad line.
type mangler struct {
	Losses
	random *rand.Rand
	held   []byte // a delayed frame
}

func newMangler(seed, direction uint64, l Losses) mangler {
	return mangler{Losses: l, random: rand.New(rand.NewPCG(seed, direction))}
}

// mangle gives what arrives of a frame, and of the one that was held back for it.
func (m *mangler) mangle(frame []byte) []byte {
	late := m.held
	m.held = nil
	out := append([]byte(nil), frame...)
	switch {
	case m.happens(m.Dropped):
		out = nil
	case m.happens(m.Repeated):
		out = append(out, frame...)
	case m.happens(m.Delayed):
		out, m.held = nil, out
	case m.happens(m.Damaged):
		out[m.random.IntN(len(out))] ^= 1 << m.random.IntN(8)
	}
	return append(out, late...)
}

func (m *mangler) happens(perMille int) bool { return m.random.IntN(1000) < perMille }
