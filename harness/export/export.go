// Package export turns a run into Prometheus metrics: a registry, a text file for
// node_exporter's textfile collector, and an HTTP handler. It is the only
// importer of client_golang.
//
// Every time is exported in seconds, in a histogram that is native and classic
// at once; what a core's counter counted is exported in cycles too. Native
// histograms travel only in the protobuf format, which a scraper asks for; the text has the
// classic buckets. The greatest value of a histogram is its exemplar, which names the run's bundle
// and, by [TraceID], its trace; exemplars travel in the OpenMetrics and protobuf formats. Statistics
// exact to a count are gauges, one family to a unit. Names and units follow Prometheus's "Metric and label
// naming" and "Writing exporters"; what has states is a state set as OpenMetrics 1.0 has it,
// one series to a state, 1 for the present one.
//
// Left out: pushing to a gateway and remote write.
package export

import (
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"rigor/harness/history"
	"rigor/harness/record"
)

// State is what is exported.
type State struct {
	Runs        []*record.Run   // the newest of each rig
	Boards      []history.Board // over [Recent] days
	Experiments []history.Experiment
	Trends      []Trend // of [Fresh] days
}

// WriteTextfile writes the metrics to path (ending in .prom), as a whole.
func (s State) WriteTextfile(path string) error {
	reg, err := s.Registry()
	if err != nil {
		return err
	}
	if err := prometheus.WriteToTextfile(path, reg); err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	return nil
}

// WriteText writes the metrics in the text format.
func (s State) WriteText(w io.Writer) error {
	reg, err := s.Registry()
	if err != nil {
		return err
	}
	families, err := reg.Gather()
	if err != nil {
		return fmt.Errorf("gather metrics: %w", err)
	}
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(w, f); err != nil {
			return fmt.Errorf("write metrics: %w", err)
		}
	}
	return nil
}

// Registry makes the metrics. It reads the samples' values; one that
// cannot be read is an error.
func (s State) Registry() (*prometheus.Registry, error) {
	m := newMetrics()
	for _, r := range s.Runs {
		if err := m.addRun(r); err != nil {
			return nil, fmt.Errorf("export run: %w", err)
		}
	}
	m.addHealth(s)
	return m.reg, nil
}

// TraceID names a run's trace, the same at each export: 16 bytes of the digest
// of the rig and of when the run began.
func TraceID(r *record.Run) [16]byte {
	sum := sha256.Sum256([]byte(r.Rig.Name + " " + r.Started.UTC().Format(time.RFC3339Nano)))
	return [16]byte(sum[:16])
}

// metrics are those of a registry. A family comes with its first series.
type metrics struct {
	reg        *prometheus.Registry
	gauges     map[string]*prometheus.GaugeVec
	histograms map[string]*histogram
	present    map[string]int // see state
}

func newMetrics() *metrics {
	return &metrics{
		reg:        prometheus.NewRegistry(),
		gauges:     map[string]*prometheus.GaugeVec{},
		histograms: map[string]*histogram{},
		present:    map[string]int{},
	}
}

// gauge is the series of a metric that is defined.
func (m *metrics) gauge(name string, labels ...string) prometheus.Gauge {
	g := m.gauges[name]
	if g == nil {
		d := definition(name)
		g = m.family(d.Name, d.Help, d.Labels)
	}
	return g.WithLabelValues(labels...)
}

func (m *metrics) family(name, help string, labels []string) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	m.reg.MustRegister(g)
	m.gauges[name] = g
	return g
}

// state sets one series to each state of a metric: 1 for the present one, 0 for
// the others. Of repeats the worst counts.
func (m *metrics) state(name, present string, labels ...string) {
	states := definition(name).States
	key := fmt.Sprintf("%s %q", name, labels)
	i := slices.Index(states, present)
	if before, ok := m.present[key]; ok {
		i = min(i, before)
	}
	m.present[key] = i
	for k, s := range states {
		v := 0.0
		if k == i {
			v = 1
		}
		m.gauge(name, with(labels, s)...).Set(v)
	}
}
