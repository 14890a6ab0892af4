// Package otlp sends what happened in a run to a collector: one trace to a run, with a
// span for each suite on a board, each experiment, each attempt and each phase of one, and
// what consoles said as log records of the experiments' spans. It is made of the bundle
// afterwards, so that a run does not depend on a collector, and an older one can be sent.
//
// It speaks OTLP/HTTP with protobuf (OpenTelemetry protocol 1.x). Attributes are those of
// the semantic conventions' test.* group where these have one, and rigor.* otherwise. The ids follow from
// the run: to send it twice gives the same spans, and exemplars of metrics lead to its trace
// ([export.TraceID]).
//
// The SDK's batching processors are left out: they drop what does not fit their queue
// and report errors to nobody. Here a run is sent as a whole or the error is told.
// It is the only importer of go.opentelemetry.io/otel.
package otlp

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"rigor/harness/export"
	"rigor/harness/record"
)

// Sent counts what a collector took.
type Sent struct{ Spans, Logs int }

// Send sends a run to the collector at base, such as http://localhost:4318; /v1/traces and
// /v1/logs are appended. The environment's OTEL_EXPORTER_OTLP_HEADERS may hold its
// credentials.
func Send(ctx context.Context, base string, r *record.Run) (Sent, error) {
	if u, err := url.Parse(base); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return Sent{}, fmt.Errorf("send run %s: %q is no http address of a collector", r.Name(), base)
	}
	t, err := tell(ctx, r)
	if err == nil {
		err = errors.Join(sendSpans(ctx, base, t.spans), sendLogs(ctx, base, t.logs))
	}
	if err != nil {
		return Sent{}, fmt.Errorf("send run %s: %w", r.Name(), err)
	}
	return Sent{len(t.spans), len(t.logs)}, nil
}

// What cannot be delivered is tried again for a while, since collectors ask for that when
// they are busy.
const (
	pause    = 500 * time.Millisecond
	longer   = 2 * time.Second
	patience = 10 * time.Second
)

// portion is how many spans or log records go into a request; a collector takes 20 MiB
// of them by default, and console lines are no longer than [longest].
const portion = 500

func sendSpans(ctx context.Context, base string, spans []sdktrace.ReadOnlySpan) error {
	to, err := url.JoinPath(base, "v1", "traces")
	if err != nil {
		return fmt.Errorf("spans: %w", err)
	}
	x, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(to),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: true, InitialInterval: pause, MaxInterval: longer, MaxElapsedTime: patience}))
	if err != nil {
		return fmt.Errorf("spans: %w", err)
	}
	for some := range slices.Chunk(spans, portion) {
		if err := x.ExportSpans(ctx, some); err != nil {
			return errors.Join(fmt.Errorf("spans: %w", err), x.Shutdown(ctx))
		}
	}
	return x.Shutdown(ctx)
}

func sendLogs(ctx context.Context, base string, logs []sdklog.Record) error {
	to, err := url.JoinPath(base, "v1", "logs")
	if err != nil {
		return fmt.Errorf("logs: %w", err)
	}
	x, err := otlploghttp.New(ctx, otlploghttp.WithEndpointURL(to),
		otlploghttp.WithRetry(otlploghttp.RetryConfig{Enabled: true, InitialInterval: pause, MaxInterval: longer, MaxElapsedTime: patience}))
	if err != nil {
		return fmt.Errorf("logs: %w", err)
	}
	for some := range slices.Chunk(logs, portion) {
		if err := x.Export(ctx, some); err != nil {
			return errors.Join(fmt.Errorf("logs: %w", err), x.Shutdown(ctx))
		}
	}
	return x.Shutdown(ctx)
}

// of says what made the run.
func of(r *record.Run) *resource.Resource {
	return resource.NewSchemaless(
		attribute.String("service.name", "rigor"),
		attribute.String("service.version", r.Harness),
		attribute.String("os.type", r.Host.OS),
		attribute.String("host.arch", r.Host.Arch),
		attribute.String("process.runtime.name", "go"),
		attribute.String("process.runtime.version", r.Host.Go),
		attribute.String("rigor.rig", r.Rig.Name),
		attribute.String("rigor.rig.kind", r.Rig.Kind),
		attribute.String("rigor.run", r.Name()),
	)
}

// ids numbers the spans of a run.
type ids struct {
	trace trace.TraceID
	n     uint64
}

func newIDs(r *record.Run) *ids { return &ids{trace: export.TraceID(r)} }

// NewIDs names the trace and its first span.
func (i *ids) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	return i.trace, i.NewSpanID(ctx, i.trace)
}

// NewSpanID names the next span.
func (i *ids) NewSpanID(_ context.Context, of trace.TraceID) trace.SpanID {
	i.n++
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(of[:], i.n))
	return trace.SpanID(sum[:8])
}

// collected keeps what the SDK made.
type collected struct {
	spans []sdktrace.ReadOnlySpan
	logs  []sdklog.Record
}

// OnStart takes no note.
func (*collected) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// OnEnd keeps a span.
func (c *collected) OnEnd(s sdktrace.ReadOnlySpan) { c.spans = append(c.spans, s) }

// Shutdown has nothing to do.
func (*collected) Shutdown(context.Context) error { return nil }

// ForceFlush has nothing to do.
func (*collected) ForceFlush(context.Context) error { return nil }

// Enabled wants all log records.
func (*collected) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }

// OnEmit keeps a log record.
func (c *collected) OnEmit(_ context.Context, r *sdklog.Record) error {
	c.logs = append(c.logs, r.Clone())
	return nil
}
