package esp32

import (
	"testing"
	"time"

	"rigor/harness/flash"
	"rigor/harness/flash/flashtest/transcript"
	"rigor/harness/port"
)

// FuzzLoader has a part say anything to every request: no panic, no hang, and
// time moves on by bounded waits only.
func FuzzLoader(f *testing.F) {
	f.Add([]byte{}, byte(0))
	for i := range byte(6) {
		f.Add([]byte("\x07\xC0\x01\x0E\x04\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\xC0"), i)
	}
	f.Fuzz(func(t *testing.T, says []byte, which byte) {
		b := transcript.Babble(t, says)
		if _, err := Connect(ctx, b, b.Clock, 460800); err == nil {
			t.Log("connected")
		}
		l := &Loader{port: b, clock: b.Clock, mode: port.Mode{Baud: Baud}, size: 4 << 20, in: newReader()}
		for i := range byte(3) { // errors must leave it able to try again
			_ = anyRequest(l, which+i)
		}
		if limit := time.Unix(0, 0).Add(20 * time.Minute); b.Clock.Now().After(limit) {
			t.Errorf("waited until %v", b.Clock.Now())
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
