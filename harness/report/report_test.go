package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/measure"
	"rigor/harness/record"
	"rigor/harness/rig"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const limitsText = `
limits:
  - {quantity: goroutine-switch, statistic: p50, unit: cycles, max: 200, required: true, reason: "a source, page 1"}
  - {quantity: goroutine-launch, statistic: p99, unit: cycles, max: 500, reason: "a source, page 2"}
  - {quantity: pin-to-handler, statistic: max, unit: ns, max: 9000, required: true, reason: "a source, page 3"}
  - {quantity: uart-echo, statistic: max, unit: ns, max: 9000, required: true, reason: "a source, page 4"}
claims:
  - {quantity: goroutine-switch, text: 1.2 us switch at 16 MHz, statistic: p50, unit: ns, at_least: 1150, at_most: 1250, reason: "19 cycles"}
  - {quantity: goroutine-launch, text: 3.8 us launch at 16 MHz, statistic: p50, unit: ns, at_least: 3750, at_most: 3850, reason: "61 cycles"}
`

var start = time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)

// run judges samples of each kind by limitsText and adds every outcome that an
// experiment can have.
func run(t *testing.T) *record.Run {
	t.Helper()
	limits, err := judge.Parse("limits.yaml", []byte(limitsText))
	if err != nil {
		t.Fatal(err)
	}
	on := judge.Subject{RigKind: "virtual", Chip: "stm32f407", Core: 16e6}
	var all []judge.Measured
	measured := func(s measure.Sample) record.Measurement {
		all = append(all, judge.Measured{Quantity: s.Name, Source: s.Source, Core: on.Core})
		sum := measure.Summarize(s)
		return record.Measured(s, on.Core, sum, limits.Judge(on, s, sum, nil), limits.Check(on, s, sum))
	}
	cycles := func(name string, a measure.Assumption, values ...int64) measure.Sample {
		return measure.Sample{Name: name, Source: measure.Firmware, Unit: measure.Cycles, Clock: 16e6, Overhead: 4, Assumption: a, Values: values}
	}
	lost := measure.Sample{Name: measure.PinToHandler, Source: measure.Probe, Unit: measure.Ticks, Clock: 100e6,
		Values: []int64{230, 231}, Doubts: []string{"the probe lost 3 edges"}}
	rate := measure.Sample{Name: measure.FlashWrite, Source: measure.Harness, Unit: measure.BytesPerSecond, Assumption: measure.Exact, Values: []int64{9600}}

	ok := []record.Attempt{{Started: start, Took: 1500 * time.Millisecond}}
	portGone := record.Attempt{Took: 20 * time.Millisecond, Failure: &record.Failure{Class: rig.Rig, Message: "open port: gone"}}
	loop := record.SelfTest{Board: "f407", Loop: "loop"}
	loop.Report.Rate, loop.Report.Resolution, loop.Report.Skew, loop.Report.Spread, loop.Report.N = 100e6, 1, 12, 3, 32
	known := []judge.Isolation{
		{Suite: "smoke", Experiment: "watchdog", Board: "f407", Owner: "alice", Reason: "a loose wire", Issue: "#12", Expires: "2026-12-31"},
		{Suite: "smoke", Experiment: "flash", Board: "f407", Owner: "bob", Reason: "slow at times", Issue: "#9", Expires: "2026-11-02"},
		{Suite: "smoke", Experiment: "gone", Board: "f407", Owner: "carol", Reason: "it hangs", Issue: "#7", Expires: "2027-01-01"},
	}
	r := &record.Run{
		Quarantine: known, Boards: []record.Board{{Name: "f407", Chip: "stm32f407", ID: "0x413"}},
		Harness: "1.0", Rig: record.Rig{Name: "virtual", Kind: "virtual"}, Status: record.Complete, Started: start,
		SamplesDigest: "119fccb9", Warnings: []string{"rigs.yaml names a board twice"},
		SelfTests: []record.SelfTest{loop},
		Experiments: []record.Experiment{
			{Suite: "latency", Name: "launch", Board: "f407", Attempts: ok, Measurements: []record.Measurement{
				measured(cycles(measure.GoroutineLaunch, measure.Nothing, 638, 640, 655))}},
			{Suite: "latency", Name: "pin", Board: "f407", Attempts: ok, Measurements: []record.Measurement{measured(lost)}},
			{Suite: "latency", Name: "switch", Board: "f407", Attempts: append([]record.Attempt{portGone}, ok...),
				Measurements: []record.Measurement{measured(cycles(measure.GoroutineSwitch, measure.Exact, 160, 160, 210))}},
			{Suite: "smoke", Name: "brown-out", Board: "f407", Skipped: "no supply to cut"},
			{Suite: "smoke", Name: "flash", Board: "f407", Attempts: ok, Measurements: []record.Measurement{measured(rate)},
				Warnings: []string{"the loader is an old one"}},
			{Suite: "smoke", Name: "greeting", Board: "f407", Attempts: []record.Attempt{
				{Failure: &record.Failure{Class: rig.Firmware, Message: "read hello: i/o timeout\nconsole: <nothing>"}}}},
			{Suite: "smoke", Name: "port", Board: "f407", Attempts: []record.Attempt{portGone, portGone}},
			{Suite: "smoke", Name: "watchdog", Board: "f407", Quarantine: &known[0], Attempts: []record.Attempt{
				{Failure: &record.Failure{Class: rig.DUT, Message: "no reset came"}}}},
		},
	}
	faster := change.Exact(measure.Quantity{Better: measure.Lower}, measure.Median, measure.Cycles, 170, 160)
	slower := change.Exact(measure.Quantity{Better: measure.Lower}, measure.Median, measure.Cycles, 600, 640)
	r.Experiments[2].Measurements[0].Change, r.Experiments[0].Measurements[0].Change = &faster, &slower
	r.Missing = limits.Missing(on, all)
	return r
}

func golden(t *testing.T, name string, write func(io.Writer) error) {
	t.Helper()
	var got bytes.Buffer
	if err := write(&got); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, &got, want)
	}
}

func TestGolden(t *testing.T) {
	r := run(t)
	golden(t, "summary.txt", func(w io.Writer) error { return Summary(w, r, false) })
	golden(t, "claims.txt", func(w io.Writer) error { return Claims(w, r, false) })
	golden(t, "summary.md", func(w io.Writer) error { return Markdown(w, r) })
	golden(t, "line.txt", func(w io.Writer) error { _, err := fmt.Fprintln(w, Line(r)); return err })
	golden(t, "junit.xml", func(w io.Writer) error { return JUnit(w, r) })
	golden(t, "progress.txt", func(w io.Writer) error {
		for _, e := range r.Experiments {
			p := Progress(e)
			fmt.Fprintln(w, upshot(p.Upshot, false), p.Text)
		}
		return nil
	})
}

// Colours add nothing but their own sequences.
func TestColoursOnlyWhenAsked(t *testing.T) {
	r := run(t)
	for _, write := range []func(io.Writer, *record.Run, bool) error{Summary, Claims, Terminal} {
		var plain, painted bytes.Buffer
		if err := write(&plain, r, false); err != nil {
			t.Fatal(err)
		}
		if err := write(&painted, r, true); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(plain.String(), "\x1b") {
			t.Error("colours without being asked")
		}
		stripped := painted.String()
		for _, seq := range []string{"\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"} {
			stripped = strings.ReplaceAll(stripped, seq, "")
		}
		if stripped == painted.String() || stripped != plain.String() {
			t.Errorf("painted:\n%s\nplain:\n%s", stripped, &plain)
		}
	}
}

func TestTotalsWordIsHonest(t *testing.T) {
	for _, c := range []struct {
		status record.Status
		broken bool
		want   string
	}{
		{record.Complete, false, "PASS"},
		{record.Running, false, "INCOMPLETE"},
		{record.Interrupted, false, "INCOMPLETE"},
		{record.Failed, false, "FAIL"},
		{record.Complete, true, "FAIL"},
		{record.Interrupted, true, "FAIL"},
	} {
		r := &record.Run{Status: c.status}
		if c.broken {
			r.Missing = []judge.Verdict{{Required: true}}
		}
		var text bytes.Buffer
		if err := Summary(&text, r, false); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text.String(), "\n"+c.want+" (") {
			t.Errorf("%s, broken %v: want %s in\n%s", c.status, c.broken, c.want, &text)
		}
	}
}

func TestNoClaimsNoTable(t *testing.T) {
	var text bytes.Buffer
	if err := Claims(&text, &record.Run{}, false); err != nil || text.Len() > 0 {
		t.Errorf("%v: %q", err, &text)
	}
}

// JUnit counts what it lists, and a message cannot break it.
func TestJUnitCounts(t *testing.T) {
	r := run(t)
	r.Experiments[5].Attempts[0].Failure.Message = "]]> <&\x00\x1b[31m \xff"
	var text bytes.Buffer
	if err := JUnit(&text, r); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Suites   []struct {
			Tests int `xml:"tests,attr"`
			Cases []struct {
				Failure *string `xml:"failure"`
				Error   *string `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(text.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	tests, failures, errs := 0, 0, 0
	for _, s := range doc.Suites {
		for _, c := range s.Cases {
			tests++
			if c.Failure != nil {
				failures++
			}
			if c.Error != nil {
				errs++
			}
		}
	}
	// Blamed: a broken limit, a missing one, an expired quarantine and the greeting; the port and the edges that the
	// probe lost are the rig's, and what is in quarantine is nobody's.
	if tests != 10 || failures != 4 || errs != 2 || doc.Tests != tests || doc.Failures != failures || doc.Errors != errs {
		t.Errorf("counted %d, %d, %d; the file says %d, %d, %d", tests, failures, errs, doc.Tests, doc.Failures, doc.Errors)
	}
}

func TestTime(t *testing.T) {
	for _, c := range []struct {
		num, den int64
		want     string
	}{
		{3, 2, "1.500 s"}, {1, 1, "1.000 s"}, {1, 2, "500.000 ms"}, {1, 1e3, "1.000 ms"}, {10, 1e6, "10.000 us"},
		{1, 1e6, "1.000 us"}, {1, 168e6, "5.952 ns"}, {-1, 1e4, "-100.000 us"}, {0, 1, "0.000 ns"},
	} {
		if got := Time(big.NewRat(c.num, c.den)); got != c.want {
			t.Errorf("%d/%d s = %q, want %q", c.num, c.den, got, c.want)
		}
	}
}

// The texts are those of a flashed board.
func TestDisplay(t *testing.T) {
	steps := []string{"write f407 0%", "write f407 50%", "verify f407 0%", "flashed f407"}
	for _, c := range []struct {
		terminal bool
		want     string
	}{
		{false, "write f407\nverify f407\nflashed f407\n"},
		{true, "write f407 0%\r\x1b[Kwrite f407 50%\r\x1b[Kverify f407 0%\r\x1b[Kflashed f407\n"},
	} {
		var text bytes.Buffer
		d := NewDisplay(&text, c.terminal)
		for _, s := range steps {
			d.Show(s)
		}
		if text.String() != c.want {
			t.Errorf("terminal %v: %q, want %q", c.terminal, &text, c.want)
		}
	}
}

func TestUnderwayIsForTerminalsAndFits(t *testing.T) {
	var log, terminal bytes.Buffer
	NewDisplay(&log, false).Underway("measure")
	NewDisplay(&terminal, true).Underway(strings.Repeat("ä", 100))
	if log.Len() != 0 || terminal.String() != strings.Repeat("ä", 79) {
		t.Errorf("log %q, terminal %q", &log, &terminal)
	}
}

// However much changed, tables are of a length, and tell how much they leave out.
func TestManyChanges(t *testing.T) {
	r := run(t)
	for i := range 500 {
		e := r.Experiments[2]
		e.Measurements = slices.Clone(e.Measurements)
		c := *e.Measurements[0].Change
		if i%2 == 0 {
			c.Verdict = change.CannotTell
		}
		e.Measurements[0].Change = &c
		r.Experiments = append(r.Experiments, e)
	}
	var page, table, summary strings.Builder
	if err := errors.Join(HTML(&page, r), Summary(&table, r, false), Markdown(&summary, r)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, want string }{
		{page.String(), ">132 more are in run.json"}, {page.String(), ">130 more are in run.json"},
		{table.String(), "232 more figures changed"}, {summary.String(), "212 more are in report.html"},
	} {
		if !strings.Contains(c.text, c.want) {
			t.Errorf("%q is not told", c.want)
		}
	}
}
