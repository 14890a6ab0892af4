package pad

import (
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/soc/agenda"
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
		"converter":               {Pin{Driver: Analog, Held: 1_000_000, Up: true, Outside: board.PullDown}, Voltage{MicroVolts: 1_000_000}},
		"fight of a converter":    {Pin{Driver: Analog, Held: 1_000_000, Outside: board.DriveVoltage}, Voltage{MicroVolts: 1_000_000, Fight: true}},
		"short of a converter":    {Pin{Driver: Analog, Held: 1_000_000, Outside: board.ShortLow}, Voltage{}},
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

// host is a chip of whose core nothing is known but its cycle.
type host struct{ cycle uint64 }

func (h *host) Cycle() uint64    { return h.cycle }
func (h *host) Shorten(uint64)   {}
func (h *host) Fire(int, uint64) {}

func TestSourcesAreInOrderOfPins(t *testing.T) {
	var s Sources
	constant := func(uv int64) func(clock.Time) int64 { return func(clock.Time) int64 { return uv } }
	for _, p := range []int{7, 3, 5, 3} {
		s.Connect(p, constant(int64(p)))
	}
	s.Connect(5, nil)
	if len(s) != 2 || s[0].Pin != 3 || s[1].Pin != 7 {
		t.Fatalf("sources %v, want those of pins 3 and 7", s)
	}
	if s.At(5) != nil || s.At(7).MicroVolts(0) != 7 {
		t.Errorf("at pin 5 %v, at pin 7 %v", s.At(5), s.At(7))
	}
	s.SetReach(3, func(clock.Time, clock.Time, int64, bool) (clock.Time, bool) { return 0, true })
	s.Connect(3, constant(0))
	if s.At(3).Reach != nil {
		t.Error("another source has its forerunner's reach")
	}
}

// A source that rises by 1 uV a picosecond from 0, at a chip of 1 GHz at cycle 10.
func TestAwait(t *testing.T) {
	ramp := func(from, to clock.Time, uv int64, rising bool) (clock.Time, bool) {
		at := max(clock.Time(uv), from)
		return at, rising && at <= to
	}
	const ahead = 10 + uint64(lookAhead/clock.Nanosecond)
	for name, c := range map[string]struct {
		in    Input
		reach board.Reach
		want  uint64
	}{
		"rises":              {Input{Heeded: true}, ramp, 2000}, // 2 V after 2 us
		"does not fall":      {Input{Heeded: true, High: true}, ramp, ahead},
		"driven by the chip": {Input{Heeded: true, Driven: true}, ramp, ahead},
		"nobody looks":       {Input{}, ramp, clock.Never},
		"makes no edges":     {Input{Heeded: true}, nil, clock.Never},
	} {
		var a agenda.Agenda
		a.Init(&host{cycle: 10}, 1e9)
		var s Sources
		s.Connect(4, func(at clock.Time) int64 { return int64(at) })
		s.SetReach(4, c.reach)
		s.Await(&a, 0, rails, func(int) Input { return c.in })
		if got := a.Events.At(0); got != c.want {
			t.Errorf("%s: looks again at cycle %d, want %d", name, got, c.want)
		}
	}
}
