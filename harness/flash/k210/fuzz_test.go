package k210

import (
	"testing"
	"time"

	"rigor/harness/flash"
	"rigor/harness/flash/flashtest/transcript"
	"rigor/harness/port"
)

// FuzzLoader has a part say anything to every request: no panic, no hang, and time moves
// on by bounded waits only.
func FuzzLoader(f *testing.F) {
	f.Add([]byte{}, byte(0))
	for i := range byte(6) {
		f.Add([]byte("\x04\xC0\xC2\xE0\xC0\x04\xC0\xC3\xE0\xC0\x07\xC0\xD2\xE0\x00\x00RI"+"\x07G1\xEF\x40\x18\x00\x00\x07\x00\x00\x00\x00\x00\x00\xC0"), i)
		f.Add([]byte("\x06\xC0\xD8\xE0\x01\x00\xC0\x06\xC0\xD4\xE5\x01\x00\xC0\x06\xC0\xD9\xE0\x02\x00\xC0"), i)
	}
	f.Fuzz(func(t *testing.T, says []byte, which byte) {
		b := transcript.Babble(t, says)
		l, err := Connect(ctx, b, b.Clock, 1_500_000)
		if err != nil {
			l = &Loader{port: b, clock: b.Clock, mode: port.Mode{Baud: Baud}, in: newReader(), flashing: true, size: 16 << 20}
		}
		l.Flasher = flasher()
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
		return l.Erase(ctx, flash.Span{Size: 1 << 17})
	case 4:
		_, _, err := l.Digest(ctx, flash.Span{Size: 4096})
		return err
	}
	return l.Run(ctx, 0)
}
