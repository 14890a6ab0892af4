package probestest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"rigor/harness/timebase"
	"rigor/probes"
)

// instrument is a capturer and a driver in memory, on a clock of its own. Line
// "out" follows line "in" 3 us later. Its buffer holds few edges between two
// moments of the clock, so that it can lose some. A defect spoils one thing.
type instrument struct {
	defect string
	now    time.Duration
	level  bool
	burst  int
	open   []*recording
}

const (
	in    probes.Line = "in"
	out   probes.Line = "out"
	delay             = 3 * time.Microsecond
	depth             = 16
)

// Of a capture: a tick is 100 ns.
const rate timebase.Rate = 10_000_000

func ticks(d time.Duration) timebase.Ticks { return timebase.Ticks(d / 100) }

func (x *instrument) has(defect string) bool { return x.defect == defect }

func (x *instrument) Now() time.Time { return time.Unix(0, 0).Add(x.now) }

func (x *instrument) Sleep(ctx context.Context, d time.Duration) error {
	if d > 0 {
		x.now += d
		x.burst = 0
	}
	return ctx.Err()
}

func (x *instrument) unknown(l probes.Line, have ...probes.Line) error {
	if x.has("untyped unknown line") {
		return fmt.Errorf("no line %q", l)
	}
	return fmt.Errorf("use a line: %w", &probes.UnknownLineError{Line: l, Have: have})
}

func (x *instrument) Drive(ctx context.Context, l probes.Line, high bool) error {
	if err := ctx.Err(); err != nil && !x.has("drives when cancelled") {
		return err
	}
	if l != in && !(l == out && x.has("drives what it watches")) {
		return x.unknown(l, in)
	}
	if x.level != high || x.has("edge without change") {
		x.level = high
		x.burst++
		for _, r := range x.open {
			r.record(high)
		}
	}
	return nil
}

func (x *instrument) Arm(ctx context.Context, s probes.CaptureSpec) (probes.Recording, error) {
	if err := ctx.Err(); err != nil && !x.has("arms when cancelled") {
		return nil, err
	}
	if len(s.Lines) == 0 && !x.has("captures nothing") {
		return nil, errors.New("no lines")
	}
	for i, l := range s.Lines {
		if l != in && l != out {
			return nil, x.unknown(l, in, out)
		}
		if slices.Contains(s.Lines[:i], l) && !x.has("captures twice") {
			return nil, errors.New("named twice")
		}
	}
	if t := s.Trigger; t != nil && !slices.Contains(s.Lines, t.Line) && !x.has("triggers anywhere") {
		return nil, errors.New("triggers elsewhere")
	}
	if len(x.open) > 0 && x.has("one at a time") { // allowed
		return nil, errors.New("busy")
	}
	r := &recording{x: x, lines: s.Lines, start: x.now, initial: x.level, trigger: s.Trigger}
	if x.has("one origin for all") {
		r.start = 0
	}
	x.open = append(x.open, r)
	return r, nil
}

type recording struct {
	x       *instrument
	lines   []probes.Line
	start   time.Duration
	initial bool
	trigger *probes.Trigger
	edges   []probes.Edge
	lost    int
	stopped bool
}

func (r *recording) record(high bool) {
	if r.x.burst > depth {
		r.lost++
		return
	}
	late := time.Duration(0)
	if r.x.has("late edges") {
		late = 10 * time.Microsecond
	}
	for _, l := range []probes.Line{in, out} {
		at := r.x.now - r.start + late
		if l == out {
			at += delay
		}
		if slices.Contains(r.lines, l) || r.x.has("all lines") {
			r.edges = append(r.edges, probes.Edge{At: ticks(at), Line: l, High: high})
		}
	}
	if r.x.has("out of order") {
		slices.Reverse(r.edges)
	}
}

func (r *recording) Stop(context.Context) (probes.Capture, error) {
	if r.stopped && !r.x.has("stops twice") {
		return probes.Capture{}, errors.New("stopped before")
	}
	r.stopped = true
	r.x.open = slices.DeleteFunc(r.x.open, func(o *recording) bool { return o == r })
	if r.x.has("stops all") {
		r.x.open = nil
	}
	c := probes.Capture{
		Rate: rate, Resolution: 1, Initial: map[probes.Line]bool{}, Edges: r.edges,
		Length: ticks(r.x.now - r.start), Lost: r.lost,
	}
	for _, l := range r.lines {
		c.Initial[l] = r.initial && !r.x.has("no initial level")
	}
	r.spoil(&c)
	if r.trigger == nil || r.x.has("ignores triggers") {
		return c, nil
	}
	if r.x.has("no holdoff") {
		r.trigger.Holdoff = 0
	}
	c = r.trigger.Cut(c)
	if !c.Triggered && r.x.has("keeps all without a trigger") {
		c.Edges = r.edges
	}
	return c, nil
}

func (r *recording) spoil(c *probes.Capture) {
	switch r.x.defect {
	case "no rate":
		c.Rate = 0
	case "no length":
		c.Length = 0
	case "hides losses":
		c.Lost = 0
	case "loses an edge":
		c.Edges = c.Edges[:max(len(c.Edges)-2, 0)]
	}
}

func run(t *testing.T, defect string) {
	Run(t, func(t *testing.T) Bench {
		x := &instrument{defect: defect}
		return Bench{
			Capturer: x, Driver: x, Clock: x, Drive: in, Follow: out, Delay: delay, Slack: time.Nanosecond,
			Overrun: func(t *testing.T) {
				for i := range 2 * depth {
					if err := x.Drive(t.Context(), in, i%2 == 0); err != nil {
						t.Fatal(err)
					}
				}
			},
		}
	})
}

func TestGoodInstruments(t *testing.T) {
	run(t, "")
	run(t, "one at a time")
}

const defectVariable = "RIGOR_TEST_DEFECT"

// findsDefects wants each defect to fail the test at a place. The test runs itself on it, in
// a process of its own.
func findsDefects(t *testing.T, run func(t *testing.T, defect string), places map[string]string) {
	if defect := os.Getenv(defectVariable); defect != "" {
		run(t, defect)
		return
	}
	for defect, want := range places {
		c := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		c.Env = append(os.Environ(), defectVariable+"="+defect)
		text, err := c.CombinedOutput()
		if err == nil || !strings.Contains(string(text), "--- FAIL: "+t.Name()+"/"+want) {
			t.Errorf("defect %q: %v, want %s among the failures:\n%s", defect, err, want, text)
		}
	}
}

func TestDefectsAreFound(t *testing.T) {
	findsDefects(t, run, map[string]string{
		"untyped unknown line":        "an_unknown_line_cannot_be_watched",
		"drives when cancelled":       "a_cancelled_context",
		"arms when cancelled":         "a_cancelled_context",
		"drives what it watches":      "a_line_that_is_only_watched",
		"captures nothing":            "a_capture_of_nothing",
		"captures twice":              "a_line_named_twice",
		"edge without change":         "a_level_driven_again",
		"one origin for all":          "a_recording_begins_anew",
		"late edges":                  "edges_are_where_the_line_was_driven",
		"all lines":                   "only_the_lines_of_the_spec",
		"out of order":                "edges_of_two_lines_are_in_order",
		"stops twice":                 "a_recording_stops_once",
		"stops all":                   "two_recordings_at_once",
		"no initial level":            "initial_levels",
		"no rate":                     "a_quiet_line",
		"no length":                   "a_quiet_line",
		"hides losses":                "edges_that_are_lost",
		"triggers anywhere":           "a_trigger_on_another_line",
		"ignores triggers":            "a_trigger_keeps",
		"no holdoff":                  "a_trigger_keeps",
		"keeps all without a trigger": "without_the_trigger",
		"loses an edge":               "edges_are_where_the_line_was_driven",
	})
}
