package probes

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"rigor/harness/timebase"
)

// whole is a capture at 1 MHz of two lines that toggle in turn, every 10 us
// from tick 10 on: a rises at 10, b at 20, a falls at 30, b at 40, and so on.
func whole() Capture {
	c := Capture{Rate: 1e6, Resolution: 1, Initial: map[Line]bool{"a": false, "b": false}, Length: 1000}
	for i := range timebase.Ticks(20) {
		c.Edges = append(c.Edges, Edge{At: 10 + 10*i, Line: []Line{"a", "b"}[i%2], High: i%4 < 2})
	}
	return c
}

func TestTriggerCuts(t *testing.T) {
	us := time.Microsecond
	for _, tt := range []struct {
		name    string
		t       *Trigger
		at      timebase.Ticks // -1: it does not trigger
		edges   []timebase.Ticks
		initial map[Line]bool
		length  timebase.Ticks
	}{
		{"first edge", &Trigger{Line: "a", High: true, After: 20 * us}, 10, []timebase.Ticks{10, 20, 30}, map[Line]bool{"a": false, "b": false}, 30},
		{"held off", &Trigger{Line: "a", High: true, Holdoff: 11 * us}, 50, []timebase.Ticks{50}, map[Line]bool{"a": false, "b": false}, 50},
		{"before it", &Trigger{Line: "b", Before: 15 * us, After: us}, 40, []timebase.Ticks{30, 40}, map[Line]bool{"a": true, "b": true}, 41},
		{"longer than all", &Trigger{Line: "b", Holdoff: 195 * us, Before: time.Second, After: time.Second}, 200, all(), map[Line]bool{"a": false, "b": false}, 1000},
		{"never", &Trigger{Line: "b", High: true, Holdoff: time.Second}, -1, nil, map[Line]bool{"a": false, "b": false}, 1000},
	} {
		before := whole()
		c := tt.t.Cut(before)
		var at []timebase.Ticks
		for _, e := range c.Edges {
			at = append(at, e.At)
		}
		if c.Triggered != (tt.at >= 0) || c.Triggered && c.TriggeredAt != tt.at {
			t.Errorf("%s: triggered %v at %d", tt.name, c.Triggered, c.TriggeredAt)
		}
		if !slices.Equal(at, tt.edges) || !maps.Equal(c.Initial, tt.initial) || c.Length != tt.length {
			t.Errorf("%s: edges at %v, first %v, length %d", tt.name, at, c.Initial, c.Length)
		}
		if !maps.Equal(before.Initial, whole().Initial) || !slices.Equal(before.Edges, whole().Edges) {
			t.Errorf("%s: the capture itself changed", tt.name)
		}
	}
}

func all() (at []timebase.Ticks) {
	for _, e := range whole().Edges {
		at = append(at, e.At)
	}
	return at
}

func TestSpecsRefused(t *testing.T) {
	for name, s := range map[string]CaptureSpec{
		"no lines to watch":         {},
		"named twice":               {Lines: []Line{"a", "a"}},
		"none of those watched":     {Lines: []Line{"a"}, Trigger: &Trigger{Line: "b"}},
		"a trigger with times belo": {Lines: []Line{"a"}, Trigger: &Trigger{Line: "a", Before: -1}},
	} {
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Line b is 3 ticks behind a, and once 5.
func looped() Capture {
	c := Capture{Rate: 1e6, Resolution: 2}
	for i := range timebase.Ticks(selfTestEdges) {
		late := timebase.Ticks(3)
		if i == 7 {
			late = 5
		}
		c.Edges = append(c.Edges, Edge{100 * i, "a", i%2 == 0}, Edge{100*i + late, "b", i%2 == 0})
	}
	return c
}

func TestSelfTestCompares(t *testing.T) {
	r, err := compare(looped(), "a", "b")
	if want := (Report{Rate: 1e6, Resolution: 2, Skew: 3, Spread: 2, N: selfTestEdges}); r != want || err != nil {
		t.Errorf("%+v, %v, want %+v", r, err, want)
	}
	if want := "resolution 2000.000 ns, skew 3000.000 ns, spread 2000.000 ns over 32 edges at 1 MHz"; r.String() != want {
		t.Errorf("%q, want %q", r, want)
	}
	if a, b := (Report{Resolution: 2, Spread: 5}).Known(), (Report{Resolution: 2, Spread: 1}).Known(); a != 5 || b != 2 {
		t.Errorf("known within %d and %d ticks", a, b)
	}
}

func TestSelfTestFinds(t *testing.T) {
	for want, spoil := range map[string]func(*Capture){
		"31 coming back": func(c *Capture) { c.Edges = c.Edges[:len(c.Edges)-1] },
		"1 lost":         func(c *Capture) { c.Lost = 1 },
		"the wrong way":  func(c *Capture) { c.Edges[5].High = !c.Edges[5].High },
		"came back 200":  func(c *Capture) { c.Edges[len(c.Edges)-1].At += 197 },
		"0 coming back":  func(c *Capture) { c.Edges = slices.DeleteFunc(c.Edges, func(e Edge) bool { return e.Line == "b" }) },
		"64 coming back": func(c *Capture) { twice(c) },
	} {
		c := looped()
		spoil(&c)
		if _, err := compare(c, "a", "b"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// twice lets line b bounce.
func twice(c *Capture) {
	for i := range timebase.Ticks(selfTestEdges) {
		c.Edges = append(c.Edges, Edge{10000 + i, "b", i%2 == 0})
	}
}

func TestFaultsRefused(t *testing.T) {
	for _, f := range []Fault{{}, {Kind: Open + 1}, {Kind: Open, Delay: -1}, {Kind: StuckLow, Width: maxDuration + 1}} {
		if f.Check() == nil {
			t.Errorf("%+v is accepted", f)
		}
	}
	if err := (Fault{Kind: StuckHigh, Width: time.Nanosecond}).Check(); err != nil {
		t.Error(err)
	}
}
