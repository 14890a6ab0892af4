package virtual

import (
	"testing"
	"time"

	"rigor/harness/flash/stm32"
	"rigor/harness/port"
	"rigor/harness/rig"
)

// step moves lines, then waits.
type step struct {
	dtr, rts bool
	wait     time.Duration
}

// inLoader reports whether the boot loader answers after the steps.
func inLoader(t *testing.T, reset rig.ResetConfig, steps []step) bool {
	t.Helper()
	c := *config(t)
	c.Reset = &reset
	s := open(t, &c)
	for _, at := range append(steps, step{steps[len(steps)-1].dtr, steps[len(steps)-1].rts, stm32.Startup}) {
		if err := s.Console().SetLines(port.Lines{DTR: at.dtr, RTS: at.rts}); err != nil {
			t.Fatal(err)
		}
		s.Clock().Sleep(t.Context(), at.wait) // empty flash locks the core up until the reset
	}
	b := s.Board.(*Board)
	_, err := stm32.Connect(t.Context(), b.loader, b.Clock(), c.Loader.Baud)
	return err == nil
}

// The circuit of rigs.yaml decides what lines do. Steps are esptool's Classic, one
// line at a time, and kflash's for the boards dan and kd233; reset must rise later
// than a slow client moves the second line.
func TestLines(t *testing.T) {
	const ms = time.Millisecond
	classic := []step{{false, false, 50 * ms}, {false, true, 150 * ms}, {true, true, 50 * ms}, {true, false, 50 * ms}, {false, false, 0}}
	dan := []step{{false, false, 100 * ms}, {false, true, 100 * ms}, {true, false, 100 * ms}}
	kd233 := []step{{false, false, 100 * ms}, {true, false, 100 * ms}, {false, true, 100 * ms}}
	both := []step{{true, true, 100 * ms}, {false, true, 100 * ms}}
	crossed := rig.ResetConfig{Circuit: rig.ESP32, DTR: rig.BOOT0, RTS: rig.NRST}
	slow, quick := crossed, crossed
	slow.Rise, quick.Rise = 60*ms, 5*ms
	for name, c := range map[string]struct {
		reset rig.ResetConfig
		steps []step
		want  bool
	}{
		"esp32, classic":             {slow, classic, true},
		"esp32, reset rises early":   {quick, classic, false},
		"esp32, both lines together": {quick, both, false},
		"k210, dan":                  {rig.ResetConfig{Circuit: rig.K210, DTR: rig.BOOT0, RTS: rig.NRST}, dan, true},
		"k210, kd233":                {rig.ResetConfig{Circuit: rig.K210, DTR: rig.NRST, RTS: rig.BOOT0}, kd233, true},
		"k210, the wrong board":      {rig.ResetConfig{Circuit: rig.K210, DTR: rig.BOOT0, RTS: rig.NRST}, kd233, false},
		"direct":                     {rig.ResetConfig{Circuit: rig.Direct, DTR: rig.NRST, RTS: rig.BOOT0}, both, true},
		"direct, inverted": {rig.ResetConfig{Circuit: rig.Direct, DTR: rig.NRST, RTS: rig.BOOT0, Invert: true},
			[]step{{false, false, 100 * ms}, {true, false, 100 * ms}}, true},
	} {
		if got := inLoader(t, c.reset, c.steps); got != c.want {
			t.Errorf("%s: in the boot loader %v, want %v", name, got, c.want)
		}
	}
}

// A board's Reset works whatever the circuit, and waits until reset has risen.
func TestResetWithCircuit(t *testing.T) {
	c := *config(t)
	c.Reset = &rig.ResetConfig{Circuit: rig.ESP32, DTR: rig.BOOT0, RTS: rig.NRST, Rise: 60 * time.Millisecond}
	s := open(t, &c)
	before := s.Clock().Now()
	if err := s.Reset(t.Context(), rig.BootLoader); err != nil {
		t.Fatal(err)
	}
	if took, want := s.Clock().Now().Sub(before), resetPulse+c.Reset.Rise; took < want {
		t.Errorf("reset took %v, want %v", took, want)
	}
	if _, err := s.Loader(t.Context()); err != nil {
		t.Error(err)
	}
}
