package rig

import (
	"context"
	"errors"
	"fmt"
)

// Class says who is to blame for a failure.
type Class string

const (
	DUT      Class = "dut"      // the board under test: silicon or wiring of the DUT
	Firmware Class = "firmware" // the program on it
	Rig      Class = "rig"      // ports, probes, power: says nothing about the program; may be tried again
	Harness  Class = "harness"  // ourselves, the simulated silicon included
)

// Error is a failure with its class.
type Error struct {
	Class Class
	Board string
	Op    string // what was attempted
	Err   error
}

func (e *Error) Error() string {
	return fmt.Sprintf("board %s: %s: %v [%s]", e.Board, e.Op, e.Err, e.Class)
}

func (e *Error) Unwrap() error { return e.Err }

// MissingError is something that a question needs and the rig does not have: a
// probe, a switch for the supply. The question is skipped, and the reason kept.
type MissingError struct{ What string } // "probe that watches echo"

func (e *MissingError) Error() string { return "the rig has no " + e.What }

// Unwrap lets it pass for what it is to those who know no rigs.
func (e *MissingError) Unwrap() error { return errors.ErrUnsupported }

// ClassOf is the class of an error: that of the outermost Error in it. What
// carries none is the harness's own, but for a run that the user ended.
func ClassOf(err error) Class {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e.Class
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return Rig
	}
	return Harness
}
