package stm32

import (
	"testing"
	"time"

	"rigor/harness/flash"
	"rigor/harness/flash/flashtest/transcript"
)

// FuzzLoader has a part say anything to every command: no panic, no hang, and
// time moves on by bounded waits only.
func FuzzLoader(f *testing.F) {
	ok := []byte{1, 0x79, 1, 0x79, 1, 1, 2, 0x31, 0x11, 1, 0x79}
	f.Add([]byte{}, byte(0))
	for i := range byte(9) {
		f.Add(append(ok[:len(ok):len(ok)], 1, 0x79, 1, 0x79, 1, 0x1F, 7, 1, 2, 3, 4, 5, 6, 7), i)
	}
	f.Fuzz(func(t *testing.T, says []byte, which byte) {
		b := transcript.Babble(t, says)
		l, err := Connect(ctx, b, b.Clock, Baud)
		if err != nil {
			return
		}
		l.commands = []byte{0x00, 0x01, 0x02, 0x11, 0x21, 0x31, 0x44, 0x63, 0x73, 0x82, 0x92}
		for i := range byte(3) { // errors must leave it able to try again
			_ = anyCommand(l, which+i)
		}
		if limit := time.Unix(0, 0).Add(20 * time.Minute); b.Clock.Now().After(limit) {
			t.Errorf("waited until %v", b.Clock.Now())
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
