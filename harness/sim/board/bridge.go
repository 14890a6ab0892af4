package board

import (
	"fmt"
	"math/bits"
	"slices"

	"rigor/harness/sim/clock"
)

// Strap is what a bridge's modem line is wired to.
type Strap uint8

const (
	StrapNone  Strap = iota
	StrapReset       // asserted holds the reset pin low
	StrapBoot        // asserted straps the boot pin for the boot loader
)

// BridgeWiring puts a USB-UART adapter on two pins of the chip.
type BridgeWiring struct {
	Name     string
	TX, RX   string // the chip's transmit and receive pin
	DTR, RTS Strap
	Invert   bool // the straps act while the lines are not asserted
	// Cross says that a strap acts only while the other line does not, as with
	// the two transistors between the lines on ESP32 boards: both lines together
	// do nothing.
	Cross bool
}

// Parity of a frame.
type Parity uint8

const (
	ParityNone Parity = iota
	ParityEven
	ParityOdd
)

// Mode is a serial line's setting: 8 data bits and 1 stop bit always.
type Mode struct {
	Baud   uint64
	Parity Parity
}

// Received is one frame that a bridge took from the chip.
type Received struct {
	Byte    byte
	At      clock.Time // the middle of the stop bit
	Framing bool       // the stop bit was low
	Parity  bool       // the parity bit was wrong
	Break   bool       // the line was low for the whole frame
}

// Bridge is a USB-UART adapter as a bit-level soft UART. It sends exact
// waveforms, samples the chip's transmit pin in the middle of each bit counted
// from the start edge, and is full duplex. What a wrong rate does follows from
// the sampling alone.
type Bridge struct {
	board *Board
	name  string
	txPin Pin // the chip's RX
	dtr   Strap
	rts   Strap
	inv   bool
	cross bool
	bridgeState
}

// bridgeState is what a bridge remembers, as plain data.
type bridgeState struct {
	mode     Mode
	dtrOn    bool
	rtsOn    bool
	tx       sender
	rx       receiver
	received []Received
}

func (s bridgeState) clone() bridgeState {
	s.tx.queue = slices.Clone(s.tx.queue)
	s.received = slices.Clone(s.received)
	return s
}

// DefaultMode is a bridge's mode after New: what most consoles use.
var DefaultMode = Mode{Baud: 115200}

func (b *Board) addBridge(w BridgeWiring) error {
	out, err := b.chip.PinByName(w.TX)
	if err != nil {
		return err
	}
	in, err := b.chip.PinByName(w.RX)
	if err != nil {
		return err
	}
	t := b.tap(out)
	if t.bridge != nil {
		return fmt.Errorf("pin %s is bridge %q's already", w.TX, t.bridge.name)
	}
	br := &Bridge{board: b, name: w.Name, txPin: in, dtr: w.DTR, rts: w.RTS, inv: w.Invert, cross: w.Cross}
	br.mode = DefaultMode
	t.bridge = br
	b.bridges = append(b.bridges, br)
	b.apply(out, Drive{Kind: PullUp}, b.Now())
	b.apply(in, Drive{Kind: DriveHigh}, b.Now())
	br.rx.level = b.chip.Level(out)
	return nil
}

// Name is the wiring's.
func (br *Bridge) Name() string { return br.name }

// Mode is the present setting.
func (br *Bridge) Mode() Mode { return br.mode }

// SetMode changes rate and parity. Frames in progress end in the old mode.
func (br *Bridge) SetMode(m Mode) error {
	if m.Baud == 0 || m.Baud > 100_000_000 || m.Parity > ParityOdd {
		return fmt.Errorf("set bridge %s to %d baud, parity %d: no such mode", br.name, m.Baud, m.Parity)
	}
	br.mode = m
	return nil
}

// SetLines asserts or releases the modem lines, both at once.
func (br *Bridge) SetLines(dtr, rts bool) {
	br.dtrOn, br.rtsOn = dtr, rts
	br.board.applyStraps()
}

// holds reports whether a modem line applies the strap.
func (br *Bridge) holds(s Strap) bool {
	dtr, rts := br.dtrOn != br.inv, br.rtsOn != br.inv
	if br.cross && dtr && rts {
		return false
	}
	return br.dtr == s && dtr || br.rts == s && rts
}

// Write queues bytes; the first goes out now if the line is idle.
func (br *Bridge) Write(p []byte) {
	br.tx.queue = append(br.tx.queue, p...)
	if br.tx.bits == 0 && len(p) > 0 {
		br.load(br.board.Now())
	}
}

// Unsent is how many bytes are not wholly on the line yet.
func (br *Bridge) Unsent() int {
	n := len(br.tx.queue)
	if br.tx.bits > 0 {
		n++
	}
	return n
}

// DiscardOutput drops what was written and is not on the line yet.
func (br *Bridge) DiscardOutput() { br.tx.queue = nil }

// SetBreak holds the line low, or releases it.
func (br *Bridge) SetBreak(on bool) {
	br.tx.brk = on
	br.drive(br.board.Now())
}

// Buffered is how many frames Next has to give.
func (br *Bridge) Buffered() int { return len(br.received) }

// Next takes the oldest received frame.
func (br *Bridge) Next() (Received, bool) {
	if len(br.received) == 0 {
		return Received{}, false
	}
	r := br.received[0]
	br.received = br.received[1:]
	return r, true
}

// DiscardInput drops what was received.
func (br *Bridge) DiscardInput() { br.received = nil }

// sender is the transmit half: the frame on the line and what waits.
type sender struct {
	queue []byte
	mode  Mode
	line  clock.Timeline // counts bits since the line was idle, so that no rounding adds up
	first uint64         // the frame's first bit on that line
	frame uint64         // the frame's levels, first bit lowest
	bits  uint64         // how many; 0 when idle
	bit   uint64         // the one on the line now
	brk   bool
}

// next is when the level changes or the frame ends.
func (s *sender) next() clock.Time {
	if s.bits == 0 {
		return clock.NeverTime
	}
	return s.line.Time(s.first + s.change())
}

func (s *sender) change() uint64 {
	j := s.bit + 1
	for j < s.bits && (s.frame>>j^s.frame>>s.bit)&1 == 0 {
		j++
	}
	return j
}

// send moves the line on to the next change.
func (br *Bridge) send(at clock.Time) {
	s := &br.tx
	if s.bit = s.change(); s.bit < s.bits {
		br.drive(at)
		return
	}
	s.first += s.bits
	s.bits = 0
	if len(s.queue) > 0 {
		br.load(at)
	}
}

// load begins the next frame. The bit clock goes on from the last frame when
// that ended just now in the same mode.
func (br *Bridge) load(at clock.Time) {
	s := &br.tx
	if s.mode != br.mode || s.line.Time(s.first) != at {
		s.mode, s.line, s.first = br.mode, clock.NewTimeline(0, at, br.mode.Baud), 0
	}
	s.frame, s.bits = frame(s.queue[0], s.mode.Parity)
	s.queue, s.bit = s.queue[1:], 0
	br.drive(at)
}

func (br *Bridge) drive(at clock.Time) {
	s := &br.tx
	high := !s.brk && (s.bits == 0 || s.frame>>s.bit&1 != 0)
	br.board.apply(br.txPin, level(high), at)
}

// frame lays a byte out as levels: start bit, data, parity, stop bit.
func frame(b byte, p Parity) (levels, n uint64) {
	levels, n = uint64(b)<<1, 9
	if p != ParityNone {
		levels |= parityBit(b, p) << n
		n++
	}
	return levels | 1<<n, n + 1
}

func parityBit(b byte, p Parity) uint64 {
	odd := uint64(bits.OnesCount8(b) & 1)
	if p == ParityOdd {
		return odd ^ 1
	}
	return odd
}

// receiver is the receive half: it samples the line in the middle of each bit.
type receiver struct {
	mode     Mode
	line     clock.Timeline // half bits since the start edge
	level    bool
	busy     bool
	waitHigh bool // after a low stop bit, until the line is idle again
	sample   uint64
	frame    uint64
}

func frameBits(m Mode) uint64 {
	if m.Parity == ParityNone {
		return 10
	}
	return 11
}

// frameTime is from a start edge to the middle of the stop bit.
func (m Mode) frameTime() clock.Time {
	line := clock.NewTimeline(0, 0, 2*m.Baud)
	return line.Time(2*frameBits(m) - 1)
}

// next is when the frame in progress is complete: the middle of the stop bit.
func (r *receiver) next() clock.Time {
	if !r.busy {
		return clock.NeverTime
	}
	return r.line.Time(2*frameBits(r.mode) - 1)
}

// edge takes the samples due before a change of level, then the change.
func (br *Bridge) edge(high bool, at clock.Time) {
	r := &br.rx
	if end := r.next(); end < at {
		br.receive(end)
	}
	r.take(at)
	r.level = high
	if high {
		r.waitHigh = false
		return
	}
	if !r.busy && !r.waitHigh {
		*r = receiver{mode: br.mode, line: clock.NewTimeline(0, at, 2*br.mode.Baud), busy: true}
	}
}

// take samples all bits whose middle lies before the given time. The stop bit
// is left to receive.
func (r *receiver) take(until clock.Time) {
	for r.busy && r.sample < frameBits(r.mode)-1 && r.line.Time(2*r.sample+1) < until {
		if r.level {
			r.frame |= 1 << r.sample
		}
		if r.sample == 0 && r.level {
			r.busy = false // too short for a start bit
		}
		r.sample++
	}
}

// receive ends the frame in the middle of its stop bit.
func (br *Bridge) receive(at clock.Time) {
	r := &br.rx
	r.take(at)
	if !r.busy {
		return
	}
	r.busy = false
	got := Received{Byte: byte(r.frame >> 1), At: at, Framing: !r.level}
	if r.mode.Parity != ParityNone {
		got.Parity = r.frame>>9&1 != parityBit(got.Byte, r.mode.Parity)
	}
	got.Break = got.Framing && r.frame == 0
	r.waitHigh = got.Framing
	br.received = append(br.received, got)
}
