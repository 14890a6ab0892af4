// Package probes is the contract of the instruments around a board: what
// watches its pins and what drives them. Adapters have a folder each; every one
// passes probestest.
package probes

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

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

// CaptureSpec says what to watch, and which part of it to keep.
type CaptureSpec struct {
	Lines   []Line
	Trigger *Trigger // nil: keep everything
}

// Trigger keeps what lies around the first edge of its kind; where none comes,
// nothing is kept.
type Trigger struct {
	Line    Line          // one of the spec's
	High    bool          // the edge rises
	Holdoff time.Duration // edges earlier than this do not trigger
	Before  time.Duration // how much to keep before the edge
	After   time.Duration // and after it
}

// Capture is what a recording saw. Edges are in order of time; edges at the
// same tick are in the order of the spec's lines. Initial holds the level of
// every line before the first of them.
type Capture struct {
	Rate        timebase.Rate
	Resolution  timebase.Ticks // an edge's time is known to within this many ticks
	Initial     map[Line]bool
	Edges       []Edge
	Length      timebase.Ticks // how long the recording ran
	Lost        int            // edges the instrument knows it missed
	Triggered   bool           // the trigger's edge came
	TriggeredAt timebase.Ticks // and when
}

// Capturer records edges.
type Capturer interface {
	// Arm returns once recording began. A spec that names no line, an unknown one
	// (*UnknownLineError) or one twice is an error, as is a trigger on a line
	// beside these, and so may be a second recording at once.
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

// Check refuses what no capturer may accept, but for lines that are unknown.
func (s CaptureSpec) Check() error {
	if len(s.Lines) == 0 {
		return errors.New("no lines to watch")
	}
	for i, l := range s.Lines {
		if slices.Contains(s.Lines[:i], l) {
			return fmt.Errorf("line %q is named twice", l)
		}
	}
	t := s.Trigger
	switch {
	case t == nil:
	case !slices.Contains(s.Lines, t.Line):
		return fmt.Errorf("the trigger's line %q is none of those watched, %v", t.Line, s.Lines)
	case t.Holdoff < 0 || t.Before < 0 || t.After < 0:
		return fmt.Errorf("a trigger with times below zero: %+v", *t)
	}
	return nil
}

// Cut keeps what the trigger asks for, of a capture that holds everything; nil
// keeps all. It is for instruments that cannot trigger by themselves.
func (t *Trigger) Cut(c Capture) Capture {
	if t == nil {
		return c
	}
	ticks := func(d time.Duration) timebase.Ticks { return timebase.Ticks(d).Convert(1e9, c.Rate) }
	i := slices.IndexFunc(c.Edges, func(e Edge) bool {
		return e.Line == t.Line && e.High == t.High && e.At >= ticks(t.Holdoff)
	})
	all := c.Edges
	c.Edges = nil
	if i < 0 {
		return c
	}
	c.Triggered, c.TriggeredAt = true, all[i].At
	c.Length = min(c.Length, c.TriggeredAt+ticks(t.After))
	c.Initial = maps.Clone(c.Initial)
	for _, e := range all {
		switch {
		case e.At < c.TriggeredAt-ticks(t.Before):
			c.Initial[e.Line] = e.High
		case e.At <= c.Length:
			c.Edges = append(c.Edges, e)
		}
	}
	return c
}

// UnknownLineError is a request for a line that the rig does not wire.
type UnknownLineError struct {
	Line Line
	Have []Line
}

func (e *UnknownLineError) Error() string {
	return fmt.Sprintf("no line %q is wired to this probe; it has %v", e.Line, e.Have)
}
