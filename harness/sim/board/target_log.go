package board

import (
	"slices"

	"rigor/harness/sim/clock"
)

// I2CByte is a byte on the bus and its acknowledge.
type I2CByte struct {
	Value   byte
	Address bool // the byte after a START or repeated START, with the read bit
	Sent    bool // by the target
	Ack     bool // whoever received it acknowledged it
}

// I2CTransaction is what a target took part in, from the first START that
// addressed it to the STOP.
type I2CTransaction struct {
	Start, End clock.Time // of the first address byte's last bit, and of the STOP
	Bytes      []I2CByte
}

// maxLog bounds what a target remembers.
const maxLog = 1 << 16

// Log gives the transactions that ended since the last call, and how many more
// there were than it kept. The log is an instrument, not board: no part of
// snapshots and digests.
func (t *Target) Log() (ended []I2CTransaction, lost int) {
	open := t.log
	if t.Mine && len(open) > 0 {
		ended, t.log = slices.Clone(open[:len(open)-1]), slices.Clone(open[len(open)-1:])
	} else {
		ended, t.log = open, nil
	}
	lost, t.lost = t.lost, 0
	return ended, lost
}

func (t *Target) openLog(at clock.Time) {
	if len(t.log) == maxLog {
		t.log = t.log[1:]
		t.lost++
	}
	t.log = append(t.log, I2CTransaction{Start: at})
}

func (t *Target) note(b I2CByte) {
	if n := len(t.log); n > 0 {
		t.log[n-1].Bytes = append(t.log[n-1].Bytes, b)
	}
}

func (t *Target) closeLog(at clock.Time) {
	if n := len(t.log); n > 0 {
		t.log[n-1].End = at
	}
}
