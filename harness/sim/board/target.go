package board

import (
	"fmt"
	"slices"

	"rigor/harness/sim/clock"
)

// I2CDevice is the chip behind an I2C target's bus interface. It has no clock
// of its own: every call says when on the bus it happens.
type I2CDevice interface {
	Address() uint8 // its own, of 7 bits
	// Start is a START or repeated START that addresses it.
	Start(read bool, at clock.Time) (ack bool)
	Write(v byte, at clock.Time) (ack bool)
	// Read gives the next byte and the register that it is of.
	Read(at clock.Time) (register int, v byte)
	Stop(at clock.Time)
	Power(on bool, at clock.Time)
	// Snapshot and Restore copy it, as plain data.
	Snapshot() any
	Restore(snapshot any)
}

// TargetWiring puts an I2C target on two pins of the chip, with a pull-up
// resistor at each.
type TargetWiring struct {
	Name     string
	SDA, SCL string
	Device   I2CDevice
}

// Times of a target on the bus (BST-BME280-DS002 §6.4.2, table 33 and what
// follows it; UM10204 §3.1.9). A line rises for as long after all have let go of
// it; that a resistor does it is not seen at the pins, so whoever pulls a line
// pulls it for so much longer.
const (
	i2cOutputDelay = 140 * clock.Nanosecond // from SCL's fall to SDA
	i2cRise        = 225 * clock.Nanosecond / 2
	i2cFastest     = clock.Microsecond // period of SCL below which a target may answer late
)

// Target is an I2C target as a chip's pins see it: bit by bit, open drain. It
// follows the bus from START to STOP, stretches the clock when told to, and
// misbehaves on request. General call, 10-bit addresses and the high-speed mode
// are nothing to it.
type Target struct {
	board    *Board
	name     string
	sda, scl Pin
	device   I2CDevice
	log      []I2CTransaction
	lost     int
	targetState
}

// targetState is what a target remembers, as plain data.
type targetState struct {
	SDA, SCL targetLine
	Powered  bool
	Phase    targetPhase
	Bit      int // clocks of the present byte so far; the ninth is the acknowledge
	Shift    byte
	Bytes    int  // of the transaction so far
	Mine     bool // the transaction addressed this target
	Read     bool // and asked it to send
	Ack      bool
	Held     clock.Time // until when it stretches SCL
	Armed    []misbehaviour
}

// targetLine is a line as the target sees it, and what it does to it.
type targetLine struct {
	High bool       // its level
	Low  bool       // the target pulls it down
	Next bool       // what Low is going to be
	At   clock.Time // and when; NeverTime: it stays
}

// targetPhase is what the present byte is to a target.
type targetPhase uint8

const (
	targetIdle targetPhase = iota // nothing, until the next START
	targetAddress
	targetReceive
	targetSend
)

func (b *Board) addTarget(w TargetWiring) error {
	t := &Target{board: b, name: w.Name, device: w.Device}
	var err error
	if t.sda, err = b.chip.PinByName(w.SDA); err != nil {
		return err
	}
	if t.scl, err = b.chip.PinByName(w.SCL); err != nil {
		return err
	}
	if t.sda == t.scl {
		return fmt.Errorf("SDA and SCL are both %s", w.SDA)
	}
	t.targetState = targetState{SDA: targetLine{At: clock.NeverTime}, SCL: targetLine{At: clock.NeverTime}}
	b.targets = append(b.targets, t)
	for _, p := range []Pin{t.sda, t.scl} {
		b.apply(p, Drive{Kind: PullUp}, b.Now())
	}
	t.SDA.High, t.SCL.High = b.chip.Level(t.sda), b.chip.Level(t.scl)
	return nil
}

// Target finds an I2C target by its wiring's name, or nil.
func (b *Board) Target(name string) *Target {
	for _, t := range b.targets {
		if t.name == name {
			return t
		}
	}
	return nil
}

// Name is the wiring's.
func (t *Target) Name() string { return t.name }

// power switches the device on or off; without supply it lets go of the bus.
func (t *Target) power(on bool, at clock.Time) {
	if on == t.Powered {
		return
	}
	t.Powered, t.Phase, t.Mine = on, targetIdle, false
	t.device.Power(on, at)
	for _, l := range []*targetLine{&t.SDA, &t.SCL} {
		l.Next, l.At = false, at
	}
	t.board.settle()
}

// next is when the target changes a line, or stops misbehaving.
func (t *Target) next() clock.Time {
	at := min(t.SDA.At, t.SCL.At)
	for _, m := range t.Armed {
		at = min(at, m.Until)
	}
	return at
}

// look is until when the chip may run before the target has to see what it did:
// the clocks that are left until it has to answer, were they the fastest.
func (t *Target) look(now clock.Time) clock.Time {
	clocks := 8
	switch m := t.find(StuckSDA); {
	case !t.Powered:
		return t.next()
	case t.Phase == targetSend || m != nil && m.Clocks > 0:
		clocks = 0
	case t.Phase != targetIdle:
		clocks = max(8-t.Bit, 0)
	}
	return min(t.next(), later(now, i2cOutputDelay+clock.Time(clocks)*i2cFastest))
}

// turn does what is due.
func (t *Target) turn(at clock.Time) {
	if t.SDA.At <= at {
		t.SDA.Low, t.SDA.At = t.SDA.Next, clock.NeverTime
	}
	if t.SCL.At <= at {
		t.SCL.Low, t.SCL.At = t.SCL.Next, clock.NeverTime
		if t.SCL.Low {
			t.SCL.Next, t.SCL.At = false, t.Held
		}
	}
	t.expire(at)
	t.board.pullBus(t.sda, at)
	t.board.pullBus(t.scl, at)
}

// pull lets the target hold a line low, or let go of it.
func (t *Target) pull(l *targetLine, low bool, at clock.Time) {
	switch {
	case low == l.Low:
		l.At = clock.NeverTime
		return
	case !low:
		at = later(at, i2cRise)
	}
	l.Next, l.At = low, at
}

// pullBus puts on a pin what all targets there do to it.
func (b *Board) pullBus(p Pin, at clock.Time) {
	d := Drive{Kind: PullUp}
	for _, t := range b.targets {
		if t.sda == p && (t.SDA.Low || t.find(StuckSDA) != nil) || t.scl == p && t.SCL.Low {
			d.Kind = DriveLow
		}
	}
	if b.state.Applied[p] != d {
		b.apply(p, d, at)
	}
}

// tellTargets tells those at a pin of its level.
func (b *Board) tellTargets(p Pin, high bool, at clock.Time) {
	for _, t := range b.targets {
		t.edge(p, high, at)
	}
}

// edge takes a change of a pin.
func (t *Target) edge(p Pin, high bool, at clock.Time) {
	switch {
	case p == t.sda && t.SDA.High != high:
		t.SDA.High = high
		if t.SCL.High && t.Powered {
			t.condition(high, at)
		}
	case p == t.scl && t.SCL.High != high:
		t.SCL.High = high
		if t.Powered {
			t.clocked(high, at)
		}
	}
}

// condition is START, or with SDA rising STOP (UM10204 §3.1.4).
func (t *Target) condition(stop bool, at clock.Time) {
	t.pull(&t.SDA, false, at)
	t.Bit, t.Shift = 0, 0
	if !stop {
		t.Phase = targetAddress
		return
	}
	t.Phase = targetIdle
	if t.Mine {
		t.device.Stop(at)
		t.closeLog(at)
		t.disarm()
	}
	t.Mine, t.Bytes = false, 0
}

// clocked is an edge of SCL.
func (t *Target) clocked(high bool, at clock.Time) {
	if !high {
		t.loosen(at)
	}
	switch {
	case t.Phase == targetIdle:
	case high:
		t.sample()
	case t.Phase == targetSend:
		t.send(at)
	default:
		t.receive(at)
	}
}

// sample takes SDA while SCL is high.
func (t *Target) sample() {
	t.Bit++
	switch {
	case t.Bit <= 8 && t.Phase != targetSend:
		t.Shift <<= 1
		if t.SDA.High {
			t.Shift |= 1
		}
	case t.Bit == 9 && t.Phase == targetSend:
		t.Ack = !t.SDA.High
	}
}

// receive is SCL's fall within a byte that the controller sends.
func (t *Target) receive(at clock.Time) {
	switch t.Bit {
	case 8:
		t.Ack = t.take(at)
		t.pull(&t.SDA, t.Ack, at+i2cOutputDelay)
	case 9:
		t.pull(&t.SDA, false, at+i2cOutputDelay)
		t.endByte(at, t.Read)
	}
}

// endByte follows the acknowledge: the target goes on if it has been given, to
// send or to receive.
func (t *Target) endByte(at clock.Time, send bool) {
	t.stretch(at)
	t.Bytes++
	t.Bit, t.Shift = 0, 0
	switch {
	case !t.Ack:
		t.Phase = targetIdle
	case send:
		t.Phase = targetSend
		t.load(at)
	default:
		t.Phase = targetReceive
	}
}

// take decides what becomes of a whole byte.
func (t *Target) take(at clock.Time) (ack bool) {
	v := t.Shift
	if t.Phase == targetAddress {
		return t.addressed(v, at)
	}
	ack = t.find(NACKData) == nil && t.device.Write(v^t.wrongBits(), at)
	t.note(I2CByte{Value: v, Ack: ack})
	return ack
}

// addressed decides on an address byte. A transaction is the target's from the
// first that is its own, whether it answers or not.
func (t *Target) addressed(v byte, at clock.Time) (ack bool) {
	if v>>1 != t.device.Address() {
		return false
	}
	if !t.Mine {
		t.Mine, t.Bytes = true, 0
		t.openLog(at)
	}
	t.Read = v&1 != 0
	deaf := t.find(NACKAddress) != nil || t.find(Absent) != nil || t.wrongBits() != 0
	ack = !deaf && t.device.Start(t.Read, at)
	t.note(I2CByte{Value: v, Address: true, Ack: ack})
	return ack
}

// load begins to send a byte.
func (t *Target) load(at clock.Time) {
	register, v := t.device.Read(at)
	if m := t.find(WrongValue); m != nil && m.Register == register {
		v = m.Value
	}
	t.Shift = v ^ t.wrongBits()
	t.put(at)
}

// put puts the present bit on SDA.
func (t *Target) put(at clock.Time) {
	t.pull(&t.SDA, t.Shift>>(7-t.Bit)&1 == 0, at+i2cOutputDelay)
}

// send is SCL's fall within a byte that the target sends.
func (t *Target) send(at clock.Time) {
	switch {
	case t.Bit < 8:
		t.put(at)
	case t.Bit == 8:
		t.pull(&t.SDA, false, at+i2cOutputDelay)
	default:
		t.note(I2CByte{Value: t.Shift, Sent: true, Ack: t.Ack})
		t.endByte(at, true)
	}
}

func (s targetState) clone() targetState {
	s.Armed = slices.Clone(s.Armed)
	return s
}
