// Package probes is the contract of the instruments around a board: what
// watches its pins and what drives them. Adapters have a folder each; every one
// passes probestest.
package probes

import (
	"context"
	"fmt"

	"rigor/harness/timebase"
)

// Line names a wire of the rig as rigs.yaml does: "marker0", "stimulus".
type Line string

// Edge is one change of a line. At counts periods of the capture's Rate since
// it began.
type Edge struct {
	At   timebase.Ticks
	Line Line
	High bool
}

// CaptureSpec says what to watch.
type CaptureSpec struct{ Lines []Line }

// Capture is what a recording saw. Edges are in order of time; edges at the
// same tick are in the order of the spec's lines. Initial holds the level of
// every line at the beginning.
type Capture struct {
	Rate       timebase.Rate
	Resolution timebase.Ticks // an edge's time is known to within this many ticks
	Initial    map[Line]bool
	Edges      []Edge
	Length     timebase.Ticks // how long the recording ran
	Lost       int            // edges the instrument knows it missed
}

// Capturer records edges.
type Capturer interface {
	// Arm returns once recording began. A spec that names no line, an unknown one
	// (*UnknownLineError) or one twice is an error, and so may be a second
	// recording at once.
	Arm(ctx context.Context, s CaptureSpec) (Recording, error)
}

// Recording is a capture in progress.
type Recording interface {
	// Stop ends it, once.
	Stop(ctx context.Context) (Capture, error)
}

// Driver sets the level of a line that it owns; any other is an
// *UnknownLineError.
type Driver interface {
	Drive(ctx context.Context, l Line, high bool) error
}

// UnknownLineError is a request for a line that the rig does not wire.
type UnknownLineError struct {
	Line Line
	Have []Line
}

func (e *UnknownLineError) Error() string {
	return fmt.Sprintf("no line %q is wired to this probe; it has %v", e.Line, e.Have)
}
