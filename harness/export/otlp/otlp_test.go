package otlp

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	collectlogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collecttrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	resources "go.opentelemetry.io/proto/otlp/resource/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"rigor/harness/export"
	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/measure"
	"rigor/harness/record"
	"rigor/harness/rig"
)

var start = time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)

func after(d time.Duration) time.Time { return start.Add(d) }

const said = "hello\r\n\x00SH\xff\n"

// bundle is a run with an experiment that took two attempts and breaks a limit, one that was
// skipped, and another board's.
func bundle(t *testing.T) *record.Run {
	t.Helper()
	b, err := record.Create(filepath.Join(t.TempDir(), record.Name(start, "lab")), record.Run{
		Harness: "1.0", Rig: record.Rig{Name: "lab", Kind: "hardware"}, Started: start, Host: record.Host{OS: "linux", Arch: "arm64", Go: "go1.26"},
		Boards:   []record.Board{{Name: "f407", Chip: "stm32f407"}, {Name: "c3", Chip: "esp32c3"}},
		Firmware: []record.Firmware{{Program: "latency", Target: "latency-stm32f407", Digest: "ab12"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := measure.Sample{Name: measure.GoroutineSwitch, Source: measure.Firmware, Unit: measure.Cycles, Clock: 16e6, Values: []int64{160}}
	slow := record.Measured(s, 16e6, measure.Summarize(s), []judge.Verdict{{Outcome: judge.Fail, Statistic: measure.Median, Limit: "p50 <= 150 cycles", Class: rig.Firmware}}, nil)
	slow.Change = &change.Change{Verdict: change.Worse, Statistic: measure.Median, Unit: measure.Cycles, Old: measure.Estimate{Value: 150}, New: measure.Estimate{Value: 160}}
	for _, e := range []record.Experiment{
		{Suite: "latency", Name: "switch", Board: "f407", Firmware: "ab12", Measurements: []record.Measurement{slow}, Attempts: []record.Attempt{
			{Started: after(time.Second), Took: time.Second, Failure: &record.Failure{Class: rig.Rig, Message: "port gone"},
				Phases: []record.Phase{{Name: record.FlashPhase, Took: 900 * time.Millisecond}}},
			{Started: after(3 * time.Second), Took: 2 * time.Second, Phases: []record.Phase{
				{Name: record.FlashPhase, Took: time.Second}, {Name: record.ObservePhase, Took: 500 * time.Millisecond}}}}},
		{Suite: "latency", Name: "brown-out", Board: "f407", Skipped: "no supply to cut"},
		{Suite: "smoke", Name: "hello", Board: "c3", Attempts: []record.Attempt{{Started: after(2 * time.Second), Took: time.Second}}},
	} {
		if err := b.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	log, err := b.Events()
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	for _, e := range []record.Event{{Time: after(time.Second), Kind: record.Note, Text: "suite latency on f407"}, {Time: after(time.Second), Kind: record.Step, Text: "write 50%"}} {
		if err := log.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Finish(record.Complete, after(time.Minute)); err != nil {
		t.Fatal(err)
	}
	r, err := record.Load(b.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.Dir(), r.ConsoleFile(r.Experiments[1])), []byte(said), 0o644); err != nil {
		t.Fatal(err)
	}
	return r
}

// collector is a receiver that decodes what it gets with OpenTelemetry's own definitions.
type collector struct {
	t         *testing.T
	spans     []*spans.Span
	logs      []*logs.LogRecord
	resources []*resources.Resource
	headers   http.Header
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" && err == nil {
		z, bad := gzip.NewReader(bytes.NewReader(body))
		if bad != nil {
			c.t.Error(bad)
			return
		}
		body, err = io.ReadAll(z)
	}
	if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-protobuf" {
		c.t.Errorf("%s %s: %v", r.Method, r.Header, err)
	}
	c.headers = r.Header
	switch r.URL.Path {
	case "/v1/traces":
		var q collecttrace.ExportTraceServiceRequest
		if err := proto.Unmarshal(body, &q); err != nil {
			c.t.Error(err)
		}
		for _, rs := range q.ResourceSpans {
			c.resources = append(c.resources, rs.Resource)
			for _, ss := range rs.ScopeSpans {
				c.spans = append(c.spans, ss.Spans...)
			}
		}
	case "/v1/logs":
		var q collectlogs.ExportLogsServiceRequest
		if err := proto.Unmarshal(body, &q); err != nil {
			c.t.Error(err)
		}
		for _, rl := range q.ResourceLogs {
			c.resources = append(c.resources, rl.Resource)
			for _, sl := range rl.ScopeLogs {
				c.logs = append(c.logs, sl.LogRecords...)
			}
		}
	default:
		c.t.Errorf("sent to %s", r.URL.Path)
	}
}

// collect sends a run to a collector of its own.
func collect(t *testing.T, r *record.Run) *collector {
	t.Helper()
	c := &collector{t: t}
	s := httptest.NewServer(c)
	defer s.Close()
	sent, err := Send(t.Context(), s.URL, r)
	if err != nil {
		t.Fatal(err)
	}
	if sent != (Sent{len(c.spans), len(c.logs)}) {
		t.Errorf("sent %+v, %d spans and %d log records came", sent, len(c.spans), len(c.logs))
	}
	return c
}

// tree draws the spans with their times in milliseconds and status.
func (c *collector) tree() string {
	var b strings.Builder
	slices.SortStableFunc(c.spans, func(x, y *spans.Span) int { return cmp.Compare(x.StartTimeUnixNano, y.StartTimeUnixNano) })
	var draw func(parent []byte, indent string)
	draw = func(parent []byte, indent string) {
		for _, s := range c.spans {
			if bytes.Equal(s.ParentSpanId, parent) {
				ms := func(at uint64) int64 { return time.Unix(0, int64(at)).Sub(start).Milliseconds() }
				fmt.Fprintf(&b, "%s%s %d-%d %s\n", indent, s.Name, ms(s.StartTimeUnixNano), ms(s.EndTimeUnixNano), s.GetStatus().GetMessage())
				draw(s.SpanId, indent+"  ")
			}
		}
	}
	draw(nil, "")
	return b.String()
}

func TestTrace(t *testing.T) {
	r := bundle(t)
	c := collect(t, r)
	const want = `run on lab 0-60000 1 findings fail the run
  latency on f407 1000-5000 see the experiments that failed
    switch 1000-5000 1 findings
      attempt 1 1000-2000 port gone
        flash 1000-1900 port gone
      attempt 2 3000-5000 
        flash 3000-4000 
        observe 4000-4500 
  smoke on c3 2000-3000 
    hello 2000-3000 
      attempt 1 2000-3000 
`
	if got := c.tree(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	id := export.TraceID(r)
	for _, s := range c.spans {
		if !bytes.Equal(s.TraceId, id[:]) {
			t.Errorf("%s is in trace %x, want %x", s.Name, s.TraceId, id)
		}
		if (s.GetStatus().GetCode() == spans.Status_STATUS_CODE_ERROR) != (s.GetStatus().GetMessage() != "") {
			t.Errorf("%s: status %v", s.Name, s.Status)
		}
	}
	for _, res := range c.resources {
		if a := attributes(res.Attributes); a["service.name"] != "rigor" || a["rigor.run"] != "20261102T093000Z-lab" || a["host.arch"] != "arm64" {
			t.Errorf("resource %v", a)
		}
	}
}

func attributes(kvs []*common.KeyValue) map[string]string {
	all := map[string]string{}
	for _, kv := range kvs {
		switch v := kv.Value.Value.(type) {
		case *common.AnyValue_StringValue:
			all[kv.Key] = v.StringValue
		default:
			all[kv.Key] = kv.Value.String()
		}
	}
	return all
}

func (c *collector) span(name string) *spans.Span {
	c.t.Helper()
	i := slices.IndexFunc(c.spans, func(s *spans.Span) bool { return s.Name == name })
	if i < 0 {
		c.t.Fatalf("no span %s", name)
	}
	return c.spans[i]
}

func TestSpansTellWhatWasFound(t *testing.T) {
	c := collect(t, bundle(t))
	s := c.span("switch")
	if a := attributes(s.Attributes); a["test.case.result.status"] != "fail" || a["rigor.firmware"] != "latency" || a["rigor.board"] != "f407" {
		t.Errorf("experiment %v", a)
	}
	var events []string
	for _, e := range s.Events {
		a := attributes(e.Attributes)
		events = append(events, e.Name+" "+a["rigor.quantity"]+" "+a["rigor.limit"]+" "+cmp.Or(a["rigor.outcome"], a["rigor.verdict"])+" "+a["rigor.class"])
	}
	if want := []string{"verdict goroutine-switch p50 <= 150 cycles fail firmware", "change goroutine-switch  worse "}; !slices.Equal(events, want) {
		t.Errorf("events %q, want %q", events, want)
	}
	if a := attributes(c.span("attempt 1").Attributes); a["rigor.class"] != "rig" {
		t.Errorf("attempt %v", a)
	}
	skipped := c.span("latency on f407")
	if len(skipped.Events) != 1 || attributes(skipped.Events[0].Attributes)["rigor.reason"] != "no supply to cut" {
		t.Errorf("what was skipped: %v", skipped.Events)
	}
	if a := attributes(skipped.Attributes); a["test.suite.run.status"] != "failure" || a["rigor.chip"] != "stm32f407" {
		t.Errorf("suite %v", a)
	}
}

// Lines are with their experiment, in order, and bytes that are no text are escaped.
func TestConsole(t *testing.T) {
	c := collect(t, bundle(t))
	of := c.span("switch")
	var got []string
	for _, l := range c.logs {
		a := attributes(l.Attributes)
		if a["log.file.path"] == "" {
			continue
		}
		got = append(got, l.Body.GetStringValue())
		if !bytes.Equal(l.SpanId, of.SpanId) || !bytes.Equal(l.TraceId, of.TraceId) || l.TimeUnixNano != 0 || l.ObservedTimeUnixNano != of.EndTimeUnixNano {
			t.Errorf("line %q: %v", l.Body.GetStringValue(), l)
		}
	}
	if want := []string{"hello", `\x00SH\xff`}; !slices.Equal(got, want) {
		t.Errorf("lines %q, want %q", got, want)
	}
	var notes []string
	for _, l := range c.logs {
		if l.TimeUnixNano == uint64(after(time.Second).UnixNano()) {
			notes = append(notes, l.Body.GetStringValue()+" "+l.SeverityText)
		}
	}
	if want := []string{"suite latency on f407 INFO"}; !slices.Equal(notes, want) {
		t.Errorf("notes %q, want %q", notes, want)
	}
}

// What is sent twice is the same: a collector may take it for one.
func TestSentAgainItIsTheSame(t *testing.T) {
	r := bundle(t)
	ids := func(c *collector) (all []string) {
		for _, s := range c.spans {
			all = append(all, hex.EncodeToString(s.SpanId))
		}
		return all
	}
	first := ids(collect(t, r))
	if again := ids(collect(t, r)); !slices.Equal(first, again) || len(slices.Compact(slices.Sorted(slices.Values(first)))) != len(first) {
		t.Errorf("spans %q, then %q", first, again)
	}
}

// More than fits a request goes in several.
func TestManySpans(t *testing.T) {
	r := bundle(t)
	for i := range 2 * portion {
		r.Experiments = append(r.Experiments, record.Experiment{Suite: "smoke", Name: fmt.Sprint(i), Board: "c3",
			Attempts: []record.Attempt{{Started: after(5 * time.Second), Took: time.Second}}})
	}
	// Each experiment and its attempt, beside those of TestTrace.
	if c := collect(t, r); len(c.spans) != 11+2*2*portion {
		t.Errorf("%d spans", len(c.spans))
	}
}

func TestARunThatWasKilledIsSent(t *testing.T) {
	r := bundle(t)
	r.Status, r.Ended = record.Running, time.Time{}
	if s := collect(t, r).span("run on lab"); s.EndTimeUnixNano != uint64(after(5*time.Second).UnixNano()) {
		t.Errorf("it ends at %v", time.Unix(0, int64(s.EndTimeUnixNano)))
	}
	r.Experiments = nil
	if s := collect(t, r).span("run on lab"); s.EndTimeUnixNano != s.StartTimeUnixNano {
		t.Errorf("it ends at %v", time.Unix(0, int64(s.EndTimeUnixNano)))
	}
}

func TestSendSaysWhatIsWrong(t *testing.T) {
	r := bundle(t)
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "who are you", http.StatusUnauthorized) }))
	defer refusing.Close()
	for base, want := range map[string]string{
		refusing.URL:         "401",
		"localhost:4318":     "no http address",
		"http://127.0.0.1:1": "refused",
		"":                   "no http address",
	} {
		if _, err := Send(t.Context(), base, r); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "20261102T093000Z-lab") {
			t.Errorf("%q: %v, want %q", base, err, want)
		}
	}
}

func TestHeadersOfTheEnvironmentAreSent(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20secret")
	if c := collect(t, bundle(t)); c.headers.Get("Authorization") != "Bearer secret" {
		t.Errorf("headers %v", c.headers)
	}
}
