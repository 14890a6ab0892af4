package virtual

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"rigor/harness/rig"
	"rigor/probes"
)

// TestProfile: all of the time has its cycles in it, asleep or not.
func TestProfile(t *testing.T) {
	for _, name := range []string{"f407", "c3", "k210"} {
		s := open(t, configOf(t, name))
		b := s.Board.(*Board)
		p, err := b.Profile(t.Context(), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		before := b.sim.Chip().Stats()
		if err := s.Clock().Sleep(t.Context(), time.Millisecond); err != nil {
			t.Fatal(err)
		}
		after := b.sim.Chip().Stats()
		seen := p.Stop()
		cycles := seen.Cores[0].Exceptions + seen.Cores[0].Slept
		for _, c := range seen.Cores[0].At {
			cycles += c.Cycles
		}
		if want := after.Cycles - before.Cycles; cycles != want {
			t.Errorf("%s: the profile has %d cycles of %d", name, cycles, want)
		}
	}
}

func TestProfileRefuses(t *testing.T) {
	s := open(t, configOf(t, "f407"))
	b := s.Board.(rig.Profiler)
	if _, err := b.Profile(t.Context(), []probes.Line{"nowhere"}, nil); err == nil || !strings.Contains(err.Error(), "no line nowhere") {
		t.Errorf("of a line that is not there: %v", err)
	}
	p, err := b.Profile(t.Context(), []probes.Line{"mark-start"}, []probes.Line{"mark-end"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Profile(t.Context(), nil, nil); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("a second one: %v", err)
	}
	p.Stop()
	if p, err = b.Profile(t.Context(), nil, nil); err != nil {
		t.Errorf("after the first: %v", err)
	}
	p.Stop()
	s.Board.Close()
	if _, err := b.Profile(t.Context(), nil, nil); !errors.Is(err, os.ErrClosed) {
		t.Errorf("of a closed board: %v", err)
	}
}
