package report

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rigor/harness/measure"
	"rigor/harness/profile"
	"rigor/harness/record"
	"rigor/harness/rig"
	"rigor/harness/timebase"
	"rigor/probes"
)

// observed is a run with an experiment that failed, after the board had said something and moved a pin.
func observed(t *testing.T) *record.Run {
	t.Helper()
	b, err := record.Create(filepath.Join(t.TempDir(), "run"), record.Run{
		Rig: record.Rig{Name: "virtual", Kind: "virtual"}, Started: start, Boards: []record.Board{{Name: "k210", Chip: "k210"}},
		Firmware: []record.Firmware{{Program: "echo", Target: "echo-k210", Digest: "d1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := measure.Sample{Name: measure.PinToHandler, Source: measure.Probe, Unit: measure.Ticks, Clock: 1e9}
	for i := range int64(40) {
		s.Values = append(s.Values, 700+i%2*10)
	}
	s.Values[2] = 1500
	e := record.Experiment{Suite: "latency", Name: "pin", Board: "k210", Firmware: "d1", Profile: "profiles/pin.json",
		Attempts:     []record.Attempt{{Failure: &record.Failure{Class: rig.Firmware, Message: "no mark came"}}},
		Measurements: []record.Measurement{record.Measured(s, 390e6, measure.Summarize(s), nil, nil)}}
	name := "k210 latency echo-k210 pin" // as the runner calls it
	c := probes.Capture{Rate: 1e9, Resolution: 1, Initial: map[probes.Line]bool{"running": false, "stimulus": false, "mark-end": false},
		Length: 250_000, Lost: 2, Edges: []probes.Edge{{At: 10, Line: "running", High: true}}}
	for i, v := range s.Values {
		at := timebase.Ticks(5000 * (i + 1))
		c.Edges = append(c.Edges, probes.Edge{At: at, Line: "stimulus", High: true}, probes.Edge{At: at + timebase.Ticks(v), Line: "mark-end", High: true},
			probes.Edge{At: at + 2000, Line: "stimulus"}, probes.Edge{At: at + 2000, Line: "mark-end"})
	}
	if e.Trace, err = b.Trace(name, c); err != nil {
		t.Fatal(err)
	}
	w, err := b.Console(name)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(w, "%s\x1b[31mpanic: <nil>\n", strings.Repeat("ready\n", 5000))
	w.Close()
	if err := os.MkdirAll(filepath.Join(b.Dir(), "profiles"), 0o755); err != nil {
		t.Fatal(err)
	}
	p := profile.Profile{Schema: profile.Schema, Intervals: 3, Functions: []profile.Function{
		{Name: profile.Sleep, Cycles: 999}, {Name: "main.handler", Cycles: 75, Calls: 3}, {Name: "runtime.alloc", Cycles: 25, Calls: 1}}}
	if err := b.WriteFile(e.Profile, func(w io.Writer) error { return json.NewEncoder(w).Encode(p) }); err != nil {
		t.Fatal(err)
	}
	if err := b.Add(e); err != nil {
		t.Fatal(err)
	}
	r, err := record.Load(b.Dir())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func htmlOf(t *testing.T, r *record.Run) string {
	t.Helper()
	var b strings.Builder
	if err := HTML(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A failure is shown with all that was seen of it.
func TestDetails(t *testing.T) {
	page := htmlOf(t, observed(t))
	for _, want := range []string{
		`<span class="class firmware">firmware</span> <a href="#x0">latency/pin on k210</a>`,
		"no mark came",
		"panic: &lt;nil&gt;</pre>", // the console's end
		"the last 16384 of 30018 bytes of console/k210-latency-echo-k210-pin.log",
		`aria-label="pin-to-handler by probe"`,
		"32 of 161 edges from 3.150 µs on, in traces/k210-latency-echo-k210-pin.vcd; the probe lost 2", // not from running on
		"the greatest pin-to-handler: value 3 of 40, at 15.000 µs",
		"greatest 1.500 µs of 40: 1 of 40 values lie nearer to the maximum than to the median, number 3; what may lie beyond cannot be told: ",
		"<code>main.handler</code></td><td class=\"n\">75.0 %</td>",
		"100 cycles in 3 intervals between marks",
		"<code>rigor replay results/runs/run</code>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in the page", want)
		}
	}
	if strings.Contains(page, "\x1b") {
		t.Error("the page has escapes of a terminal")
	}
}

// What a bundle has lost is named, and the rest is shown.
func TestDetailsOfADamagedBundle(t *testing.T) {
	r := observed(t)
	for _, folder := range []string{"samples", "traces", "console", "profiles"} {
		if err := os.RemoveAll(filepath.Join(r.Dir(), folder)); err != nil {
			t.Fatal(err)
		}
	}
	page := htmlOf(t, r)
	for _, want := range []string{"no mark came", "has no picture: load sample", "has no picture: load trace", "pin.json: no such file"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in the page", want)
		}
	}
}

// A run that was killed shows what went on last, and says that it was killed.
func TestKilledRun(t *testing.T) {
	r := observed(t)
	b, err := record.Open(r.Dir())
	if err != nil {
		t.Fatal(err)
	}
	log, err := b.Events()
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Add(record.Event{Time: start, Kind: record.Begun, Board: "k210", Text: "latency/\x1b[1mpin"}); err != nil {
		t.Fatal(err)
	}
	if page := htmlOf(t, r); !strings.Contains(page, "so far: the run goes on<") {
		t.Error("a run that goes on doesn't say so")
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	page := htmlOf(t, r)
	for _, want := range []string{"until the run was killed", "<td>09:30:00</td><td><b>k210</b></td><td>latency/pin</td>"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in the page", want)
		}
	}
}

// What failed on several boards in the same way is one card.
func TestSameFindings(t *testing.T) {
	r := run(t)
	for _, board := range []string{"c3", "k210"} {
		r.Experiments = append(r.Experiments, record.Experiment{Suite: "smoke", Name: "hello", Board: board, Attempts: []record.Attempt{
			{Failure: &record.Failure{Class: rig.Harness, Message: "board " + board + ": no image"}}}})
	}
	page := htmlOf(t, r)
	if !strings.Contains(page, `The same: <a href="#x9">smoke/hello on k210</a></p>`) {
		t.Error("two failures alike are not one card")
	}
}
