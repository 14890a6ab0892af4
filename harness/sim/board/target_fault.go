package board

import (
	"fmt"
	"slices"

	"rigor/harness/sim/clock"
)

// Misbehaviour is what an I2C target does wrong.
type Misbehaviour struct {
	Kind MisbehaviourKind
	// Byte is the one of a transaction that it concerns: 0 is the address byte;
	// EveryByte all of them. Address bytes after repeated STARTs count too.
	Byte int
	Mask byte // BitError: the bits that are wrong
	// Register and Value, of WrongValue: what reads wrong, and as what.
	Register int
	Value    byte
	// For is how long SCL is stretched, or SDA stuck; 0: until it is cleared.
	For clock.Time
	// Clocks frees an SDA that is stuck after so many falls of SCL; 0: they don't.
	Clocks int
	// Transactions is in how many it happens; 0: until it is cleared. An SDA that
	// is stuck does not count them.
	Transactions int
}

// EveryByte as a Misbehaviour's Byte stands for all of a transaction's bytes.
const EveryByte = -1

// MisbehaviourKind says what goes wrong.
type MisbehaviourKind uint8

const (
	NACKAddress MisbehaviourKind = iota // it is there and does not acknowledge
	NACKData                            // it does not acknowledge a byte that it received
	Stretch                             // it holds SCL low after a byte
	StuckSDA                            // it holds SDA low, from now on
	WrongValue                          // a register reads as something else
	BitError                            // bits of a byte are inverted, on their way in or out
	Absent                              // it is off the bus
)

// misbehaviour is a Misbehaviour and what is left of it, as plain data.
type misbehaviour struct {
	Misbehaviour
	Until clock.Time // when an SDA that is stuck comes free; NeverTime: not by itself
}

// Misbehave arms a misbehaviour beside those that are armed already; of several
// that concern the same byte the first acts.
func (t *Target) Misbehave(m Misbehaviour) error {
	if m.Kind > Absent || m.Byte < EveryByte || m.For < 0 || m.Clocks < 0 || m.Transactions < 0 {
		return fmt.Errorf("let target %s misbehave: %+v is nothing that it can do", t.name, m)
	}
	armed := misbehaviour{Misbehaviour: m, Until: clock.NeverTime}
	if m.Kind == StuckSDA && m.For > 0 {
		armed.Until = later(t.board.Now(), m.For)
	}
	t.Armed = append(t.Armed, armed)
	t.board.pullBus(t.sda, t.board.Now())
	return nil
}

// Behave ends all misbehaviour. What the target pulls low for it comes free.
func (t *Target) Behave() {
	now := t.board.Now()
	t.Armed = nil
	t.SCL.Next, t.SCL.At = false, now
	t.turn(now)
}

// find is the first armed misbehaviour of a kind that concerns the present byte,
// or nil.
func (t *Target) find(k MisbehaviourKind) *misbehaviour {
	for i := range t.Armed {
		m := &t.Armed[i]
		byByte := k == NACKData || k == Stretch || k == BitError
		if m.Kind == k && (!byByte || m.Byte == EveryByte || m.Byte == t.Bytes) {
			return m
		}
	}
	return nil
}

// wrongBits are those of the present byte that are inverted.
func (t *Target) wrongBits() byte {
	if m := t.find(BitError); m != nil {
		return m.Mask
	}
	return 0
}

// stretch holds SCL low after a byte, from before the controller lets go of it.
func (t *Target) stretch(at clock.Time) {
	m := t.find(Stretch)
	if m == nil || !t.Mine {
		return
	}
	t.Held = clock.NeverTime
	if m.For > 0 {
		t.Held = later(at, m.For)
	}
	t.SCL.Next, t.SCL.At = true, at+i2cOutputDelay
}

// loosen counts a clock of SCL for an SDA that is stuck.
func (t *Target) loosen(at clock.Time) {
	for i := range t.Armed {
		m := &t.Armed[i]
		if m.Kind != StuckSDA || m.Clocks == 0 || m.Until != clock.NeverTime {
			continue
		}
		if m.Clocks--; m.Clocks == 0 {
			m.Until = at + i2cOutputDelay + i2cRise
		}
	}
}

// expire removes what has come to its end.
func (t *Target) expire(at clock.Time) {
	t.Armed = slices.DeleteFunc(t.Armed, func(m misbehaviour) bool { return m.Until <= at })
	t.tidy()
}

// disarm counts a transaction that has ended.
func (t *Target) disarm() {
	t.Armed = slices.DeleteFunc(t.Armed, func(m misbehaviour) bool { return m.Transactions == 1 && m.Kind != StuckSDA })
	for i := range t.Armed {
		if m := &t.Armed[i]; m.Transactions > 0 {
			m.Transactions--
		}
	}
	t.tidy()
}

// tidy keeps equal states equal in print.
func (t *Target) tidy() {
	if len(t.Armed) == 0 {
		t.Armed = nil
	}
}
