package virtual

import (
	"testing"
	"time"

	"rigor/harness/flash"
	"rigor/harness/rig"
)

// A cut comes at its time, however long the call that lets time pass.
func TestPowerIsCutInTime(t *testing.T) {
	s := load(t, blank(t), echoImage)
	b := s.Board.(*Board)
	if err := b.CutPower(t.Context(), 3*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		sleep time.Duration
		want  bool
	}{{2999 * time.Microsecond, true}, {10 * time.Millisecond, false}} {
		if err := s.Clock().Sleep(t.Context(), c.sleep); err != nil {
			t.Fatal(err)
		}
		if got := b.Sim().Powered(); got != c.want {
			t.Errorf("after %v more the power is %v", c.sleep, got)
		}
	}
}

func TestPowerUndoesACut(t *testing.T) {
	s := load(t, blank(t), echoImage)
	b := s.Board.(*Board)
	if err := b.CutPower(t.Context(), time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if err := s.Power(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if err := s.Clock().Sleep(t.Context(), 2*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if !b.Sim().Powered() {
		t.Error("the power was cut all the same")
	}
}

// An erase that loses its power leaves neither the old content nor a blank
// sector for certain; the loader, in ROM, must come up again.
func TestCutInAnErase(t *testing.T) {
	s := blank(t)
	b := s.Board.(*Board)
	l, err := s.Loader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.CutPower(t.Context(), 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if err := l.Erase(t.Context(), flash.Span{Addr: 0x0800_0000, Size: 16 << 10}); err == nil {
		t.Error("the erase came to its end without power")
	}
	if err := s.Power(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Loader(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLoaderAtOtherRates(t *testing.T) {
	s := blank(t)
	for _, baud := range []int{9600, 57600} {
		l, err := s.Board.(rig.RatedLoader).LoaderAt(t.Context(), baud)
		if err != nil {
			t.Fatal(err)
		}
		if id, err := l.Identify(t.Context()); err != nil || id.Chip != "stm32f407" {
			t.Errorf("at %d baud: %v %v", baud, id, err)
		}
	}
}
