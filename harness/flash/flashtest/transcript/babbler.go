package transcript

import (
	"os"
	"testing"
	"time"

	"rigor/harness/port"
)

// Babbler is a part that says the given bytes, whatever it is asked; a zero
// byte count in between is silence.
type Babbler struct {
	Clock *Clock

	t        testing.TB
	says     []byte
	deadline time.Time
	calls    int
}

var _ port.Port = (*Babbler)(nil)

// Babble begins.
func Babble(t testing.TB, says []byte) *Babbler {
	return &Babbler{Clock: NewClock(), t: t, says: says}
}

// maxCalls is far above what any command needs: the test's notion of a hang.
const maxCalls = 10_000

// Read is what the part says.
func (b *Babbler) Read(p []byte) (int, error) {
	if b.calls++; b.calls > maxCalls {
		b.t.Fatal("the host reads without end")
	}
	n := 0
	if len(b.says) > 0 {
		n = min(int(b.says[0]%8), len(b.says)-1)
		n = copy(p[:min(len(p), n)], b.says[1:])
		b.says = b.says[1+n:]
	}
	if n == 0 {
		b.Clock.now = b.deadline
		return 0, os.ErrDeadlineExceeded
	}
	return n, nil
}

// Write takes anything.
func (b *Babbler) Write(p []byte) (int, error) { return len(p), nil }

// SetReadDeadline refuses what is no deadline.
func (b *Babbler) SetReadDeadline(t time.Time) error {
	if t.IsZero() || t.Before(b.Clock.now) {
		b.t.Fatalf("deadline is %v at %v", t, b.Clock.now)
	}
	b.deadline = t
	return nil
}

// SetMode does nothing.
func (b *Babbler) SetMode(port.Mode) error { return nil }

// SetLines does nothing.
func (b *Babbler) SetLines(port.Lines) error { return nil }

// DiscardInput does nothing.
func (b *Babbler) DiscardInput() error { return nil }

// Close does nothing.
func (b *Babbler) Close() error { return nil }
