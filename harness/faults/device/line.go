package device

import (
	"context"
	"errors"
	"os"
	"time"

	"rigor/harness/port"
	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/harness/timebase"
	"rigor/harness/virtual"
)

// line is a board's console and clock, whose time moves past the moment of a reset
// that is to come only after that.
type line struct {
	port.Port
	board    timebase.Clock
	chip     board.Nonvolatile
	deadline time.Time
	resetAt  clock.Time
	kind     board.ResetKind
}

func newLine(b *virtual.Board, chip board.Nonvolatile) *line {
	return &line{Port: b.Console(), board: b.Clock(), chip: chip, resetAt: clock.NeverTime}
}

// time is a time of the board.
func (l *line) time(at clock.Time) time.Time {
	return virtual.Epoch.Add(time.Duration(at / clock.Nanosecond))
}

func (l *line) SetReadDeadline(t time.Time) error {
	l.deadline = t
	return nil
}

// Read gives what comes until the deadline, before or after the reset.
func (l *line) Read(p []byte) (int, error) {
	for {
		until := l.deadline
		if l.resetAt != clock.NeverTime && l.time(l.resetAt).Before(until) {
			until = l.time(l.resetAt)
		}
		if err := l.Port.SetReadDeadline(until); err != nil {
			return 0, err
		}
		n, err := l.Port.Read(p)
		if !errors.Is(err, os.ErrDeadlineExceeded) || until.Equal(l.deadline) {
			return n, err
		}
		l.resetAt = clock.NeverTime
		l.chip.ResetBy(l.kind)
	}
}

// Now is the board's time.
func (l *line) Now() time.Time { return l.board.Now() }

// Sleep is not needed by a client of a serial line.
func (l *line) Sleep(ctx context.Context, d time.Duration) error { return l.board.Sleep(ctx, d) }
