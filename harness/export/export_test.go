package export

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"rigor/harness/history"
	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/measure"
	"rigor/harness/record"
	"rigor/harness/rig"
	"rigor/probes"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// tookPlace is when the experiments of run began.
var tookPlace = time.Date(2026, 11, 2, 9, 30, 10, 0, time.UTC)

var isolation = judge.Isolation{Suite: "smoke", Experiment: "known", Board: "f407", Owner: "ann", Reason: "loose cable", Issue: "#12", Expires: "2026-12-31"}

// run records a run of each kind of quantity, verdict and outcome.
func run(t *testing.T) *record.Run {
	t.Helper()
	start := time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)
	b, err := record.Create(filepath.Join(t.TempDir(), record.Name(start, "virtual")), record.Run{
		Harness: "1.0", Rig: record.Rig{Name: "virtual", Kind: "virtual"}, Started: start,
		Boards:     []record.Board{{Name: "f407", Chip: "stm32f407", ID: "0x413"}},
		Firmware:   []record.Firmware{{Program: "latency", Target: "stm32f407", Digest: "ab12", SourceDigest: "cd34", Toolchain: "tinygo 0.41.1"}},
		SelfTests:  []record.SelfTest{{Board: "f407", Loop: "loop", Report: probes.Report{Rate: 100e6, Skew: -2, Spread: 3, N: 32}}},
		Work:       []record.Work{{Suite: "smoke", Board: "f407", Took: 2 * time.Second, Simulated: 30 * time.Second}},
		Quarantine: []judge.Isolation{isolation},
	})
	if err != nil {
		t.Fatal(err)
	}
	cycles := measure.Sample{Name: measure.GoroutineSwitch, Source: measure.Firmware, Unit: measure.Cycles,
		Clock: 16e6, Assumption: measure.Exact, Values: []int64{160, 160, 161, 400}}
	ticks := measure.Sample{Name: measure.GoroutineSwitch, Source: measure.Probe, Unit: measure.Ticks,
		Clock: 100e6, Values: []int64{1000, 1000, 1006, 2500}, Doubts: []string{"the probe lost 1 edges"}}
	rate := measure.Sample{Name: measure.FlashWrite, Source: measure.Harness, Unit: measure.BytesPerSecond, Values: []int64{9600, 9400, 9500}}
	slower := record.Measured(cycles, 16e6, measure.Summarize(cycles), []judge.Verdict{{Outcome: judge.Pass, Statistic: measure.Median}}, nil)
	slower.Change = &change.Change{Verdict: change.Worse, Statistic: measure.Median, Unit: measure.Cycles,
		Old: measure.Estimate{Value: 128}, New: measure.Estimate{Value: 160}}
	tried := []record.Attempt{{Failure: &record.Failure{Class: rig.Rig, Message: "port gone"}}, {Started: tookPlace, Took: 1500 * time.Millisecond}}
	for _, e := range []record.Experiment{
		{Suite: "latency", Name: "switch", Board: "f407", Firmware: "ab12", Attempts: tried, Measurements: []record.Measurement{
			slower,
			record.Measured(ticks, 16e6, measure.Summarize(ticks), []judge.Verdict{{Reason: judge.NoLimit}}, nil)}},
		{Suite: "smoke", Name: "flash", Board: "f407", Attempts: tried[1:], Measurements: []record.Measurement{
			record.Measured(rate, 0, measure.Summarize(rate), []judge.Verdict{{Outcome: judge.Fail, Statistic: measure.Min, Class: rig.DUT}}, nil)}},
		{Suite: "smoke", Name: "known", Board: "f407", Attempts: tried[:1], Quarantine: &isolation},
		{Suite: "smoke", Name: "hang", Board: "f407", Attempts: tried[:1]},
		{Suite: "smoke", Name: "brown-out", Board: "f407", Skipped: "no supply to cut"},
	} {
		if err := b.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Finish(record.Complete, start.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	r, err := record.Load(b.Dir())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func of(r *record.Run) State { return State{Runs: []*record.Run{r}} }

func TestTextfileGolden(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.prom")
	if err := of(run(t)).WriteTextfile(path); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/metrics.prom"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var text bytes.Buffer
	if err := of(run(t)).WriteText(&text); err != nil || text.String() != string(want) {
		t.Errorf("WriteText: %v\n%s", err, &text)
	}
}

// The rules of "promtool check metrics".
func TestLint(t *testing.T) {
	reg, err := of(run(t)).Registry()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := testutil.GatherAndLint(reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// A repeat that passes doesn't hide that the one before failed.
func TestTheWorstOfRepeatsCounts(t *testing.T) {
	r := run(t)
	again := r.Experiments[2] // smoke, flash: its limit fails
	m := again.Measurements[0]
	m.Verdicts = []judge.Verdict{{Outcome: judge.Pass, Statistic: measure.Min}}
	again.Measurements = []record.Measurement{m}
	for _, i := range []int{2, 4} {
		r.Experiments = slices.Insert(r.Experiments, i, again)
	}
	reg, err := of(r).Registry()
	if err != nil {
		t.Fatal(err)
	}
	text, err := testutil.GatherAndFormat(reg, expfmt.TypeTextPlain, "rigor_verdict")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, `experiment="flash"`) && strings.HasSuffix(line, " 1\n") != strings.Contains(line, `outcome="fail"`) {
			t.Errorf("unexpected: %s", line)
		}
	}
}

// scrape asks for metrics as a Prometheus server with native histograms does.
func scrape(t *testing.T, h http.Handler) map[string]*dto.MetricFamily {
	t.Helper()
	req := httptest.NewRequest("GET", "/metrics", nil)
	req.Header.Set("Accept", string(expfmt.NewFormat(expfmt.TypeProtoDelim)))
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	d := expfmt.NewDecoder(rec.Body, expfmt.ResponseFormat(rec.Header()))
	families := map[string]*dto.MetricFamily{}
	for {
		f := &dto.MetricFamily{}
		switch err := d.Decode(f); {
		case errors.Is(err, io.EOF):
			return families
		case err != nil:
			t.Fatal(err)
		}
		families[f.GetName()] = f
	}
}

func TestHistogramsAreNativeAndClassic(t *testing.T) {
	r := run(t)
	families := scrape(t, Handler(func() (State, error) { return of(r), nil }))
	for name, sources := range map[string]int{"rigor_goroutine_switch_seconds": 2, "rigor_goroutine_switch_cycles": 1} {
		metrics := families[name].GetMetric()
		if len(metrics) != sources {
			t.Errorf("%s: %d series, want %d", name, len(metrics), sources)
		}
		for _, m := range metrics {
			h := m.GetHistogram()
			// A factor of 1.1 is schema 3: 2^(2^-3) = 1.0905.
			if h.GetSampleCount() != 4 || h.GetSchema() != 3 || len(h.GetPositiveSpan()) == 0 || len(h.GetBucket()) == 0 {
				t.Errorf("%s: %v", name, h)
			}
		}
	}
}

// The greatest value says in which run it was, at the time at which it was, however
// often it is scraped.
func TestExemplarsPointToTheBundle(t *testing.T) {
	r := run(t)
	h := Handler(func() (State, error) { return of(r), nil })
	id := TraceID(r)
	for _, m := range scrape(t, h)["rigor_goroutine_switch_seconds"].GetMetric() {
		all := m.GetHistogram().GetExemplars()
		if len(all) != 1 {
			t.Fatalf("%d exemplars, want 1: %v", len(all), all)
		}
		labels := map[string]string{}
		for _, l := range all[0].GetLabel() {
			labels[l.GetName()] = l.GetValue()
		}
		// 400 cycles at 16 MHz and 2500 ticks at 100 MHz; the attempt took 1.5 s.
		if labels["run"] != "20261102T093000Z-virtual" || labels["trace_id"] != hex.EncodeToString(id[:]) ||
			all[0].GetValue() != 25e-6 || !all[0].GetTimestamp().AsTime().Equal(tookPlace.Add(1500*time.Millisecond)) {
			t.Errorf("exemplar %v", all[0])
		}
	}
	req := httptest.NewRequest("GET", "/metrics", nil)
	req.Header.Set("Accept", string(expfmt.NewFormat(expfmt.TypeOpenMetrics)))
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	if text := rec.Body.String(); !strings.Contains(text, `# {run="20261102T093000Z-virtual",trace_id="`) || !strings.HasSuffix(text, "# EOF\n") {
		t.Errorf("OpenMetrics without exemplars:\n%s", text)
	}
}

// Who scrapes may keep series by name: a metric that is not defined is on no dashboard.
func TestEveryMetricIsDefined(t *testing.T) {
	reg, err := of(run(t)).Registry()
	if err != nil {
		t.Fatal(err)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	quantities := map[string]bool{"rigor_goroutine_switch_seconds": true, "rigor_goroutine_switch_cycles": true, "rigor_flash_write_bytes_per_second": true}
	for _, f := range families {
		defined := slices.ContainsFunc(Metrics, func(m Metric) bool { return m.Name == f.GetName() && m.Help == f.GetHelp() })
		if defined == quantities[f.GetName()] {
			t.Errorf("%s: defined %v", f.GetName(), defined)
		}
	}
}

// Nothing that fails the run lacks somebody to blame, and what is excused blames nobody.
func TestFailuresAreThoseThatBlock(t *testing.T) {
	r := run(t)
	r.Missing = []judge.Verdict{{Required: true}}
	reg, err := of(r).Registry()
	if err != nil {
		t.Fatal(err)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() == RunFailures {
			for _, m := range f.GetMetric() {
				sum += m.GetGauge().GetValue()
			}
		}
	}
	// smoke/flash breaks a limit, smoke/hang fails, and a limit has nothing to limit.
	if sum != 3 || r.Blocking() != 3 {
		t.Errorf("%g failures, %d findings block the run, want 3", sum, r.Blocking())
	}
}

func TestHealth(t *testing.T) {
	when := time.Unix(1793611860, 0)
	s := State{
		Boards: []history.Board{{Rig: record.Rig{Name: "lab", Kind: "hardware"}, Name: "f407", LastSeen: when,
			Counts: history.Counts{Attempts: 40}, Flashes: 12, FlashFailures: 2, Failures: []history.FailureCount{{Class: rig.Rig, N: 3}}}},
		Experiments: []history.Experiment{{Rig: record.Rig{Name: "lab", Kind: "hardware"}, Suite: "hub", Name: "busy", Board: "f407",
			Counts: history.Counts{Answered: 30, Flaky: 2}}},
	}
	var text bytes.Buffer
	err := s.WriteText(&text)
	for _, want := range []string{
		`rigor_board_last_seen_timestamp_seconds{board="f407",rig="lab",rig_kind="hardware"} 1.79361186e+09`,
		`rigor_board_recent_attempts{board="f407",rig="lab",rig_kind="hardware"} 40`,
		`rigor_board_recent_flashes{board="f407",rig="lab",rig_kind="hardware"} 12`,
		`rigor_board_recent_flash_failures{board="f407",rig="lab",rig_kind="hardware"} 2`,
		`rigor_board_recent_failures{board="f407",class="rig",rig="lab",rig_kind="hardware"} 3`,
		`rigor_board_recent_failures{board="f407",class="firmware",rig="lab",rig_kind="hardware"} 0`,
		`rigor_experiment_recent_answers{board="f407",experiment="busy",rig="lab",rig_kind="hardware",suite="hub"} 30`,
		`rigor_experiment_recent_flaky_answers{board="f407",experiment="busy",rig="lab",rig_kind="hardware",suite="hub"} 2`,
	} {
		if !strings.Contains(text.String(), want+"\n") {
			t.Errorf("lacks %s", want)
		}
	}
	if strings.Contains(text.String(), BoardLastAnswer) {
		t.Error("a board that never answered has a time of its last answer")
	}
	if err != nil || t.Failed() {
		t.Errorf("%v\n%s", err, &text)
	}
}

// Two nights of a virtual rig, the second one slower: where the level changed is told, as long
// as it is news, and so is how the board fared.
func TestHealthOfTheHistory(t *testing.T) {
	dir := t.TempDir()
	night := time.Date(2026, 11, 1, 1, 0, 0, 0, time.UTC)
	for day, cycles := range []int64{160, 200} {
		at := night.AddDate(0, 0, day)
		b, err := record.Create(filepath.Join(dir, record.Name(at, "virtual")), record.Run{
			Rig: record.Rig{Name: "virtual", Kind: "virtual"}, Started: at, Boards: []record.Board{{Name: "f407", Chip: "stm32f407"}}})
		if err != nil {
			t.Fatal(err)
		}
		s := measure.Sample{Name: measure.GoroutineSwitch, Source: measure.Firmware, Unit: measure.Cycles, Clock: 16e6, Values: []int64{cycles}}
		e := record.Experiment{Suite: "latency", Name: "switch", Board: "f407", Attempts: []record.Attempt{{Started: at}},
			Measurements: []record.Measurement{record.Measured(s, 16e6, measure.Summarize(s), nil, nil)}}
		if err := errors.Join(b.Add(e), b.Finish(record.Complete, at.Add(time.Minute))); err != nil {
			t.Fatal(err)
		}
	}
	x, err := history.Open(filepath.Join(t.TempDir(), history.File), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if _, err := x.Sync(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	const (
		trend = `rigor_trend_change_ratio{board="f407",clock_hz="16000000",experiment="switch",quantity="goroutine-switch",rig="virtual",rig_kind="virtual",` +
			`run="20261102T010000Z-virtual",source="firmware",statistic="p50",suite="latency",suspect="harness",verdict="worse"} 0.25`
		answers = `rigor_experiment_recent_answers{board="f407",experiment="switch",rig="virtual",rig_kind="virtual",suite="latency"} 2`
	)
	for _, c := range []struct {
		day            int
		trend, answers bool
	}{{2, true, true}, {1 + 8, false, true}, {60, false, false}} {
		var s State
		var text bytes.Buffer
		if err := errors.Join(s.AddHealth(t.Context(), x, night.AddDate(0, 0, c.day)), s.WriteText(&text)); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text.String(), trend) != c.trend || strings.Contains(text.String(), answers) != c.answers {
			t.Errorf("on day %d:\n%s", c.day, &text)
		}
	}
}

func TestHandlerSaysWhyItFails(t *testing.T) {
	h := Handler(func() (State, error) { return State{}, errors.New("find runs: none") })
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	if rec.Code != http.StatusInternalServerError || !strings.Contains(rec.Body.String(), "find runs: none") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

// Samples are read once, and a new run is shown at once.
func TestSamplesAreReadOnce(t *testing.T) {
	s := of(run(t))
	h := Handler(func() (State, error) { return s, nil })
	get := func() (int, string) {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
		return rec.Code, rec.Body.String()
	}
	_, first := get()
	if err := os.RemoveAll(filepath.Join(s.Runs[0].Dir(), "samples")); err != nil {
		t.Fatal(err)
	}
	if code, again := get(); code != http.StatusOK || again != first {
		t.Errorf("the second scrape differs: %d", code)
	}
	s.Runs[0].Experiments = s.Runs[0].Experiments[:1]
	s.Runs[0].Experiments[0].Measurements = nil
	if code, text := get(); code != http.StatusOK || text == first || strings.Contains(text, "rigor_figure") {
		t.Errorf("a change is not shown: %d", code)
	}
}

func TestUnreadableSampleIsAnError(t *testing.T) {
	r := run(t)
	r.Experiments[0].Measurements[0].File = "samples/gone.json"
	if _, err := of(r).Registry(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// What is no time has a gauge, or it would be exported as a histogram of nothing.
func TestEveryUnitIsExported(t *testing.T) {
	for _, u := range measure.Units {
		_, isTime := measure.Seconds(1, u, 1)
		if g, isGauge := gaugeUnits[u]; isTime == isGauge || isGauge && (g.name == "" || g.parts < 1) {
			t.Errorf("%s: a time %v, a gauge %v, %+v", u, isTime, isGauge, g)
		}
	}
}
