package pad

import (
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

var rails = Rails{Supply: 3_300_000, Low: 800_000, High: 2_000_000}

func TestResolve(t *testing.T) {
	up := Voltage{MicroVolts: rails.Supply}
	for name, c := range map[string]struct {
		pin  Pin
		want Voltage
	}{
		"nothing":                 {Pin{}, Voltage{Floating: true}},
		"driven high":             {Pin{Driver: High}, up},
		"driven low":              {Pin{Driver: Low}, Voltage{}},
		"outside":                 {Pin{Outside: board.DriveHigh}, up},
		"outside agrees":          {Pin{Driver: High, Outside: board.DriveHigh}, up},
		"fight for high":          {Pin{Driver: Low, Outside: board.DriveHigh}, Voltage{Fight: true}},
		"fight for low":           {Pin{Driver: High, Outside: board.DriveLow}, Voltage{MicroVolts: rails.Supply, Fight: true}},
		"fight with a voltage":    {Pin{Driver: High, Outside: board.DriveVoltage, Applied: 100}, Voltage{MicroVolts: rails.Supply, Fight: true}},
		"no fight with a voltage": {Pin{Driver: High, Outside: board.DriveVoltage, Applied: 1_500_000}, up},
		"voltage":                 {Pin{Outside: board.DriveVoltage, Applied: 1_234_567}, Voltage{MicroVolts: 1_234_567}},
		"short wins":              {Pin{Driver: High, Outside: board.ShortLow}, Voltage{Fight: true}},
		"short agrees":            {Pin{Driver: High, Outside: board.ShortHigh}, up},
		"driver over resistor":    {Pin{Driver: Low, Outside: board.PullUp}, Voltage{}},
		"outside's resistor wins": {Pin{Down: true, Outside: board.PullUp}, up},
		"own resistor":            {Pin{Up: true}, up},
		"own resistors":           {Pin{Up: true, Down: true}, Voltage{MicroVolts: rails.Supply / 2}},
	} {
		if got := rails.Resolve(c.pin); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestLevelHasHysteresis(t *testing.T) {
	for _, c := range []struct {
		v         Voltage
		was, want bool
	}{
		{Voltage{Floating: true}, true, true},
		{Voltage{Floating: true}, false, false},
		{Voltage{MicroVolts: 800_000}, true, false},
		{Voltage{MicroVolts: 800_001}, true, true},
		{Voltage{MicroVolts: 1_999_999}, false, false},
		{Voltage{MicroVolts: 2_000_000}, false, true},
	} {
		if got := rails.Level(c.v, c.was); got != c.want {
			t.Errorf("%+v from %v: %v", c.v, c.was, got)
		}
	}
}

func TestSources(t *testing.T) {
	var s Sources
	for _, p := range []int{7, 3} {
		s.Connect(p, func(at clock.Time) int64 { return int64(at) })
	}
	s.SetReach(7, func(from, to clock.Time, uv int64, rising bool) (clock.Time, bool) {
		return clock.Time(uv), rising && clock.Time(uv) <= to
	})
	if p := s.Pins(); len(p) != 2 || p[0] != 3 || p[1] != 7 {
		t.Errorf("pins %v", p)
	}
	if got := s.Crosses(7, rails, false, 0, 3_000_000); got != 2_000_000 {
		t.Errorf("rises at %d", got)
	}
	if got := s.Crosses(7, rails, true, 0, 3_000_000); got != 3_000_000 {
		t.Errorf("does not fall, but at %d", got)
	}
	s.Connect(7, nil)
	if p := s.Pins(); len(p) != 1 {
		t.Errorf("pins %v after taking one off", p)
	}
}
