package esp32

import (
	"io"
	"os"
	"testing"
	"time"

	"rigor/harness/flash"
	"rigor/harness/flash/slip"
	"rigor/harness/port"
)

// babbler is a part that says the given bytes, whatever it is asked; a zero
// byte count in between is silence.
type babbler struct {
	t        *testing.T
	clock    *rigClock
	says     []byte
	deadline time.Time
	calls    int
}

// maxCalls is far above what any command needs: the test's notion of a hang.
const maxCalls = 10_000

func (b *babbler) Read(p []byte) (int, error) {
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
		b.clock.now = b.deadline
		return 0, os.ErrDeadlineExceeded
	}
	return n, nil
}

func (b *babbler) Write(p []byte) (int, error) { return len(p), nil }

func (b *babbler) SetReadDeadline(t time.Time) error {
	if t.IsZero() || t.Before(b.clock.now) {
		b.t.Fatalf("deadline is %v at %v", t, b.clock.now)
	}
	b.deadline = t
	return nil
}

func (b *babbler) SetMode(port.Mode) error   { return nil }
func (b *babbler) SetLines(port.Lines) error { return nil }
func (b *babbler) DiscardInput() error       { return nil }
func (b *babbler) Close() error              { return nil }

var _ io.ReadWriter = (*babbler)(nil)

// FuzzLoader has a part say anything to every request: no panic, no hang, and
// time moves on by bounded waits only.
func FuzzLoader(f *testing.F) {
	f.Add([]byte{}, byte(0))
	for i := range byte(6) {
		f.Add([]byte("\x07\xC0\x01\x0E\x04\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\xC0"), i)
	}
	f.Fuzz(func(t *testing.T, says []byte, which byte) {
		b := &babbler{t: t, clock: newClock(), says: says}
		if _, err := Connect(ctx, b, b.clock, 460800); err == nil {
			t.Log("connected")
		}
		l := &Loader{port: b, clock: b.clock, mode: port.Mode{Baud: Baud}, size: 4 << 20, in: slip.Decoder{Max: maxPacket}}
		for i := range byte(3) { // errors must leave it able to try again
			_ = anyRequest(l, which+i)
		}
		if limit := time.Unix(0, 0).Add(20 * time.Minute); b.clock.now.After(limit) {
			t.Errorf("waited until %v", b.clock.now)
		}
	})
}

func anyRequest(l *Loader, which byte) error {
	switch which % 6 {
	case 0:
		_, err := l.Identify(ctx)
		return err
	case 1:
		return l.Read(ctx, 1, make([]byte, 300))
	case 2:
		return l.Write(ctx, 1, make([]byte, 300))
	case 3:
		return l.Erase(ctx, flash.Span{Size: 1 << 20})
	case 4:
		_, _, err := l.Digest(ctx, flash.Span{Size: 4096})
		return err
	}
	return l.Run(ctx, 0)
}
