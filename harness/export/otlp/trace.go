package otlp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"rigor/harness/record"
)

// teller makes spans and log records of a run.
type teller struct {
	collected
	run    *record.Run
	tracer trace.Tracer
	logger log.Logger
	told   map[string]bool // console files
}

const scope = "rigor"

func tell(ctx context.Context, r *record.Run) (*teller, error) {
	t := &teller{run: r, told: map[string]bool{}}
	t.tracer = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(t), sdktrace.WithResource(of(r)), sdktrace.WithIDGenerator(newIDs(r)),
		sdktrace.WithSampler(sdktrace.AlwaysSample()), sdktrace.WithRawSpanLimits(unlimited)).Tracer(scope)
	t.logger = sdklog.NewLoggerProvider(sdklog.WithProcessor(t), sdklog.WithResource(of(r)),
		sdklog.WithAttributeCountLimit(-1), sdklog.WithAttributeValueLengthLimit(-1)).Logger(scope)
	events, err := record.Events(r.Dir())
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // older bundles have none
		return nil, err
	}
	return t, t.tellRun(ctx, events)
}

// unlimited keeps all that a bundle holds; it is bounded already.
var unlimited = sdktrace.SpanLimits{
	AttributeValueLengthLimit: -1, AttributeCountLimit: -1, EventCountLimit: -1, LinkCountLimit: -1,
	AttributePerEventCountLimit: -1, AttributePerLinkCountLimit: -1,
}

// span is a stretch of time.
type span struct{ from, to time.Time }

// widen makes the span hold another one.
func (s span) widen(o span) span {
	if o.from.IsZero() {
		return s
	}
	if s.from.IsZero() {
		return o
	}
	if o.from.Before(s.from) {
		s.from = o.from
	}
	if o.to.After(s.to) {
		s.to = o.to
	}
	return s
}

// begin starts a span, which end ends.
func (t *teller) begin(ctx context.Context, name string, s span, attrs ...attribute.KeyValue) (context.Context, trace.Span, func()) {
	ctx, sp := t.tracer.Start(ctx, name, trace.WithTimestamp(s.from), trace.WithAttributes(attrs...))
	return ctx, sp, func() { sp.End(trace.WithTimestamp(s.to)) }
}

// suite is what a suite asked a board.
type suite struct {
	name, board string
	experiments []record.Experiment
	took        span
}

func (t *teller) tellRun(ctx context.Context, events []record.Event) error {
	r := t.run
	suites := suitesOf(r)
	took := span{r.Started, r.Started}.widen(span{r.Started, r.Ended}) // of a run that was killed nobody knows the end
	for _, s := range suites {
		took = took.widen(s.took)
	}
	ctx, sp, end := t.begin(ctx, "run on "+r.Rig.Name, took,
		attribute.String("rigor.status", string(r.Status)), attribute.Int("rigor.blocking", r.Blocking()),
		attribute.String("rigor.samples_digest", r.SamplesDigest))
	defer end()
	if n := r.Blocking(); n > 0 {
		sp.SetStatus(codes.Error, fmt.Sprintf("%d findings fail the run", n))
	} else if r.Status != record.Complete {
		sp.SetStatus(codes.Error, string(r.Status))
	}
	for _, e := range events {
		t.tellEvent(ctx, e)
	}
	for _, s := range suites {
		if err := t.tellSuite(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// suitesOf groups the experiments in the order in which the groups began.
func suitesOf(r *record.Run) (all []*suite) {
	for _, e := range r.Experiments {
		i := slices.IndexFunc(all, func(s *suite) bool { return s.name == e.Suite && s.board == e.Board })
		if i < 0 {
			i, all = len(all), append(all, &suite{name: e.Suite, board: e.Board})
		}
		all[i].experiments = append(all[i].experiments, e)
		all[i].took = all[i].took.widen(timeOf(e))
	}
	for _, s := range all {
		slices.SortStableFunc(s.experiments, func(a, b record.Experiment) int { return timeOf(a).from.Compare(timeOf(b).from) })
		if s.took.from.IsZero() { // all was skipped
			s.took = span{r.Started, r.Started}
		}
	}
	slices.SortStableFunc(all, func(a, b *suite) int {
		return cmp.Or(a.took.from.Compare(b.took.from), cmp.Compare(a.board, b.board))
	})
	return all
}

// timeOf is from the beginning of the first attempt to the end of the last.
func timeOf(e record.Experiment) (s span) {
	for _, a := range e.Attempts {
		s = s.widen(span{a.Started, a.Started.Add(a.Took)})
	}
	return s
}

func (t *teller) tellSuite(ctx context.Context, s *suite) error {
	ctx, sp, end := t.begin(ctx, s.name+" on "+s.board, s.took,
		attribute.String("test.suite.name", s.name), attribute.String("rigor.board", s.board), attribute.String("rigor.chip", t.run.ChipOf(s.board)))
	defer end()
	status := "success"
	for _, e := range s.experiments {
		if e.Quarantine == nil && e.Findings() > 0 {
			status = "failure"
			sp.SetStatus(codes.Error, "see the experiments that failed")
		}
		if e.Outcome() == record.Skipped {
			sp.AddEvent("skipped", trace.WithTimestamp(s.took.from),
				trace.WithAttributes(attribute.String("test.case.name", e.Name), attribute.String("rigor.reason", e.Skipped)))
			continue
		}
		if err := t.tellExperiment(ctx, e); err != nil {
			return err
		}
	}
	sp.SetAttributes(attribute.String("test.suite.run.status", status))
	return nil
}

func (t *teller) tellExperiment(ctx context.Context, e record.Experiment) error {
	took := timeOf(e)
	ctx, sp, end := t.begin(ctx, e.Name, took,
		attribute.String("test.suite.name", e.Suite), attribute.String("test.case.name", e.Name), attribute.String("test.case.result.status", result(e)),
		attribute.String("rigor.board", e.Board), attribute.String("rigor.firmware", t.run.Program(e.Firmware)),
		attribute.Int("rigor.attempts", len(e.Attempts)), attribute.Bool("rigor.quarantined", e.Quarantined()))
	defer end()
	if n := e.Findings(); n > 0 {
		sp.SetStatus(codes.Error, fmt.Sprintf("%d findings", n))
	}
	for i, a := range e.Attempts {
		t.tellAttempt(ctx, i, a)
	}
	for _, m := range e.Measurements {
		t.tellMeasurement(sp, took.to, m)
	}
	return t.tellConsole(ctx, e, took.to)
}

// result is in the words of the semantic conventions.
func result(e record.Experiment) string {
	if e.Findings() > 0 {
		return "fail"
	}
	return "pass"
}

func (t *teller) tellAttempt(ctx context.Context, i int, a record.Attempt) {
	ctx, sp, end := t.begin(ctx, fmt.Sprintf("attempt %d", i+1), span{a.Started, a.Started.Add(a.Took)})
	defer end()
	from := a.Started
	for k, p := range a.Phases {
		_, phase, over := t.begin(ctx, p.Name, span{from, from.Add(p.Took)})
		if a.Failure != nil && k == len(a.Phases)-1 {
			phase.SetStatus(codes.Error, a.Failure.Message)
		}
		over()
		from = from.Add(p.Took)
	}
	if a.Failure != nil {
		sp.SetStatus(codes.Error, a.Failure.Message)
		sp.SetAttributes(attribute.String("rigor.class", string(a.Failure.Class)))
	}
}

// tellMeasurement makes an event of each verdict, and of what changed since the baseline.
func (t *teller) tellMeasurement(sp trace.Span, at time.Time, m record.Measurement) {
	about := []attribute.KeyValue{attribute.String("rigor.quantity", m.Quantity), attribute.String("rigor.source", string(m.Source))}
	for _, v := range m.Verdicts {
		sp.AddEvent("verdict", trace.WithTimestamp(at), trace.WithAttributes(append(about[:2:2],
			attribute.String("rigor.statistic", string(v.Statistic)), attribute.String("rigor.limit", v.Limit),
			attribute.String("rigor.outcome", v.Outcome.String()), attribute.String("rigor.reason", v.Reason), attribute.String("rigor.class", string(v.Class)))...))
	}
	if c := m.Change; c != nil {
		sp.AddEvent("change", trace.WithTimestamp(at), trace.WithAttributes(append(about[:2:2],
			attribute.String("rigor.statistic", string(c.Statistic)), attribute.String("rigor.verdict", string(c.Verdict)),
			attribute.Int64("rigor.old", c.Old.Value), attribute.Int64("rigor.new", c.New.Value), attribute.String("rigor.unit", string(c.Unit)),
			attribute.String("rigor.reason", c.Reason))...))
	}
}

// tellEvent makes a log record of what a person would have read during the run.
func (t *teller) tellEvent(ctx context.Context, e record.Event) {
	severity := map[record.EventKind]log.Severity{record.Note: log.SeverityInfo, record.Trouble: log.SeverityError, record.Over: log.SeverityInfo}[e.Kind]
	if severity == log.SeverityUndefined {
		return // spans tell it
	}
	t.emit(ctx, e.Text, e.Time, e.Time, severity, attribute.String("rigor.board", e.Board), attribute.String("test.suite.name", e.Suite))
}

func (t *teller) emit(ctx context.Context, text string, when, observed time.Time, severity log.Severity, attrs ...attribute.KeyValue) {
	var r log.Record
	r.SetBody(attribute.StringValue(text))
	r.SetTimestamp(when)
	r.SetObservedTimestamp(observed)
	r.SetSeverity(severity)
	r.SetSeverityText(strings.ToUpper(severity.String()))
	r.AddAttributes(attrs...)
	t.logger.Emit(ctx, r)
}
