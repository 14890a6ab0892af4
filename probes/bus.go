package probes

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rigor/harness/timebase"
)

// BusTarget is a sensor of the air on the board's I2C bus whose surroundings and
// behaviour are the test's choice: a simulated BME280, or an instrument that plays
// one.
type BusTarget interface {
	// SetEnvironment changes the air at the sensor from now on: what it converts
	// afterwards. One that Check refuses is an error and changes nothing.
	SetEnvironment(ctx context.Context, e Environment) error
	// Misbehave arms a misbehaviour beside those that are armed; of several that
	// concern the same byte the first acts. One that Check refuses is an error.
	Misbehave(ctx context.Context, m Misbehaviour) error
	// Clear ends all misbehaviour, armed and under way.
	Clear(ctx context.Context) error
	// Log gives the transactions that ended since the last call.
	Log(ctx context.Context) (BusLog, error)
}

// Environment is the air, in thousandths of °C, Pa and %RH.
type Environment struct {
	MilliCelsius int64
	MilliPascals int64
	MilliRH      int64
}

// Check refuses air that a BME280 is not made for (BST-BME280-DS002 §1: -40 to 85
// °C, 300 to 1100 hPa, 0 to 100 %RH).
func (e Environment) Check() error {
	within := func(what string, v, least, most int64) error {
		if v < least || v > most {
			return fmt.Errorf("%s of %d thousandths: want %d to %d", what, v, least, most)
		}
		return nil
	}
	return errors.Join(within("temperature", e.MilliCelsius, -40_000, 85_000),
		within("pressure", e.MilliPascals, 30_000_000, 110_000_000),
		within("humidity", e.MilliRH, 0, 100_000))
}

// Misbehaviour is what a bus target does wrong.
type Misbehaviour struct {
	Kind MisbehaviourKind
	// Byte is the one of a transaction that NACKData, Stretch and BitError concern:
	// 0 is the address byte, EveryByte all. Bytes after a repeated START count on.
	Byte int
	Mask byte // BitError: the bits that are inverted
	// Register and Value, of WrongValue: what reads wrong, and as what.
	Register uint8
	Value    byte
	// For is how long Stretch holds SCL, or StuckSDA SDA; 0: until cleared.
	For time.Duration
	// Clocks of SCL free a StuckSDA, as they end a byte that a target is lost in; 0:
	// they do not.
	Clocks int
	// Transactions is in how many of the target's own it happens; 0: until cleared.
	// StuckSDA does not count them.
	Transactions int
}

// EveryByte as a Misbehaviour's Byte stands for all of a transaction's bytes.
const EveryByte = -1

// MisbehaviourKind says what goes wrong.
type MisbehaviourKind uint8

// The kinds.
const (
	NACKAddress MisbehaviourKind = iota + 1 // it hears its address and does not acknowledge
	NACKData                                // it does not acknowledge a byte that it received
	Stretch                                 // it holds SCL low after a byte
	StuckSDA                                // it holds SDA low, from now on
	WrongValue                              // a register reads as something else, such as the chip's id
	BitError                                // bits of a byte are inverted on their way in or out
	Absent                                  // it is off the bus
)

func (k MisbehaviourKind) String() string {
	names := [...]string{"no misbehaviour", "NACK of the address", "NACK of data", "clock stretching",
		"stuck SDA", "wrong value", "bit error", "absent"}
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("misbehaviour %d", uint8(k))
}

// Check refuses a misbehaviour that does not exist.
func (m Misbehaviour) Check() error {
	switch {
	case m.Kind < NACKAddress || m.Kind > Absent:
		return fmt.Errorf("%v: want one of those from %v to %v", m.Kind, NACKAddress, Absent)
	case m.Byte < EveryByte || m.Clocks < 0 || m.Transactions < 0:
		return fmt.Errorf("%v of byte %d, %d clocks, %d transactions: want none below 0", m.Kind, m.Byte, m.Clocks, m.Transactions)
	case m.Kind == BitError && m.Mask == 0:
		return fmt.Errorf("%v of no bits", m.Kind)
	}
	if err := checkDuration(m.For); err != nil {
		return fmt.Errorf("%v: %w", m.Kind, err)
	}
	return nil
}

// BusLog is what a target took part in.
type BusLog struct {
	Rate         timebase.Rate
	Transactions []BusTransaction // in order of time
	Lost         int              // transactions that the target could not keep
}

// BusTransaction is one from the START that addressed the target to the STOP, on
// the target's clock.
type BusTransaction struct {
	Start, End timebase.Ticks
	Bytes      []BusByte
}

// BusByte is a byte on the bus and its acknowledge.
type BusByte struct {
	Value   byte
	Address bool // it follows a START or repeated START
	Sent    bool // by the target
	Ack     bool // whoever received it acknowledged it
}
