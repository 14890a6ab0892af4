package probes

import (
	"context"
	"fmt"
	"time"
)

// FaultInjector breaks wires on purpose. It knows every line of the rig, those
// that carry a serial port too, and works at the chip's pin: all that hang on
// the pin see what it does.
type FaultInjector interface {
	// Inject puts a fault on a line, in place of an earlier one there. A fault
	// that Check refuses, or one of an unknown line (*UnknownLineError), is an
	// error and changes nothing.
	Inject(ctx context.Context, l Line, f Fault) error
	// Clear ends the faults of some lines, begun or still to come; without lines
	// all of them. What was applied to the lines meanwhile holds from then on.
	Clear(ctx context.Context, lines ...Line) error
}

// Fault is one disturbance of a line. A glitch is a line stuck for a short time.
type Fault struct {
	Kind  FaultKind
	After *Event        // what it waits for: the next edge of its kind; nil: it does not
	Delay time.Duration // from then, or from the call, until it begins
	Width time.Duration // how long it lasts; 0: until it is cleared
}

// Event is an edge of a line.
type Event struct {
	Line Line
	High bool // it rises
}

// FaultKind says what is wrong with a line.
type FaultKind uint8

// The kinds.
const (
	StuckLow  FaultKind = iota + 1 // shorted to ground, whoever drives it
	StuckHigh                      // shorted to the supply
	Open                           // cut off from all but the chip and the capturer: what a driver or a serial port does is lost
)

func (k FaultKind) String() string {
	switch k {
	case StuckLow:
		return "stuck low"
	case StuckHigh:
		return "stuck high"
	case Open:
		return "open"
	}
	return fmt.Sprintf("fault %d", uint8(k))
}

// Check refuses a fault that does not exist.
func (f Fault) Check() error {
	if f.Kind < StuckLow || f.Kind > Open {
		return fmt.Errorf("%v: want stuck low, stuck high or open", f.Kind)
	}
	for _, d := range []time.Duration{f.Delay, f.Width} {
		if err := checkDuration(d); err != nil {
			return fmt.Errorf("%v: %w", f.Kind, err)
		}
	}
	return nil
}
