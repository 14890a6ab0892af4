package stm32

import (
	"io"
	"os"
	"testing"
	"time"

	"rigor/harness/flash"
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

// FuzzLoader has a part say anything to every command: no panic, no hang, and
// time moves on by bounded waits only.
func FuzzLoader(f *testing.F) {
	ok := []byte{1, 0x79, 1, 0x79, 1, 1, 2, 0x31, 0x11, 1, 0x79}
	f.Add([]byte{}, byte(0))
	for i := range byte(9) {
		f.Add(append(ok[:len(ok):len(ok)], 1, 0x79, 1, 0x79, 1, 0x1F, 7, 1, 2, 3, 4, 5, 6, 7), i)
	}
	f.Fuzz(func(t *testing.T, says []byte, which byte) {
		b := &babbler{t: t, clock: newClock(), says: says}
		l, err := Connect(ctx, b, b.clock, Baud)
		if err != nil {
			return
		}
		l.commands = []byte{0x00, 0x01, 0x02, 0x11, 0x21, 0x31, 0x44, 0x63, 0x73, 0x82, 0x92}
		for i := range byte(3) { // errors must leave it able to try again
			_ = anyCommand(l, which+i)
		}
		if limit := time.Unix(0, 0).Add(20 * time.Minute); b.clock.now.After(limit) {
			t.Errorf("waited until %v", b.clock.now)
		}
	})
}

func anyCommand(l *Loader, which byte) error {
	switch which % 9 {
	case 0:
		_, err := l.Identify(ctx)
		return err
	case 1:
		return version(l)
	case 2:
		return l.Read(ctx, 0x0800_0001, make([]byte, 300))
	case 3:
		return l.Write(ctx, 0x0800_0001, make([]byte, 300))
	case 4:
		return l.Erase(ctx, flash.Span{Addr: 0x0800_0000, Size: 1 << 20})
	case 5:
		return l.MassErase(ctx)
	case 6:
		return run(l)
	case 7:
		return l.ReadoutUnprotect(ctx)
	}
	return l.WriteProtect(ctx, []byte{1})
}
