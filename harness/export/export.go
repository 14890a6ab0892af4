// Package export turns a run into Prometheus metrics: a registry, a text file for
// node_exporter's textfile collector, and an HTTP handler. It is the only
// importer of client_golang.
//
// Every time is exported in seconds, in a histogram that is native and classic
// at once; what a core's counter counted is exported in cycles too. Native
// histograms travel only in the protobuf format, which a scraper asks for; the text has the
// classic buckets. Names and units follow Prometheus's "Metric and label
// naming" and "Writing exporters"; what has states is a state set as OpenMetrics 1.0 has it,
// one series to a state, 1 for the present one.
//
// Left out: pushing to a gateway and remote write.
package export

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"rigor/harness/judge"
	"rigor/harness/measure"
	"rigor/harness/record"
)

// WriteTextfile writes the metrics of runs to path (ending in .prom), as a whole.
func WriteTextfile(path string, runs ...*record.Run) error {
	reg, err := Registry(runs...)
	if err != nil {
		return err
	}
	if err := prometheus.WriteToTextfile(path, reg); err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	return nil
}

// WriteText writes the metrics of runs in the text format.
func WriteText(w io.Writer, runs ...*record.Run) error {
	reg, err := Registry(runs...)
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

// Registry makes the metrics of runs. It reads the samples' values; one that
// cannot be read is an error.
func Registry(runs ...*record.Run) (*prometheus.Registry, error) {
	m := newMetrics()
	for _, r := range runs {
		if err := m.addRun(r); err != nil {
			return nil, fmt.Errorf("export run: %w", err)
		}
	}
	return m.reg, nil
}

var (
	rigLabels        = []string{"rig", "rig_kind"}
	experimentLabels = with(rigLabels, "suite", "experiment", "board")
	sampleLabels     = with(experimentLabels, "chip", "firmware", "clock_hz", "source")
)

// metrics are those of a registry. The families of quantities come with the
// first sample of each.
type metrics struct {
	reg        *prometheus.Registry
	run        *prometheus.GaugeVec
	status     *prometheus.GaugeVec
	started    *prometheus.GaugeVec
	ended      *prometheus.GaugeVec
	board      *prometheus.GaugeVec
	firmware   *prometheus.GaugeVec
	experiment *prometheus.GaugeVec
	attempts   *prometheus.GaugeVec
	duration   *prometheus.GaugeVec
	verdict    *prometheus.GaugeVec
	doubts     *prometheus.GaugeVec
	histograms map[string]*prometheus.HistogramVec
	rates      map[string]*prometheus.GaugeVec
	present    map[string]int // see states
}

func newMetrics() *metrics {
	m := &metrics{
		reg:        prometheus.NewRegistry(),
		histograms: map[string]*prometheus.HistogramVec{},
		rates:      map[string]*prometheus.GaugeVec{},
		present:    map[string]int{},
	}
	m.run = m.gauge("run_info", "What made the run.", with(rigLabels, "harness", "samples_digest"))
	m.status = m.gauge("run_status", "How far the run got.", with(rigLabels, "status"))
	m.started = m.gauge("run_start_timestamp_seconds", "When the run began, since the Unix epoch.", rigLabels)
	m.ended = m.gauge("run_end_timestamp_seconds", "When the run ended, since the Unix epoch.", rigLabels)
	m.board = m.gauge("board_info", "A board of the rig.", with(rigLabels, "board", "chip", "id"))
	m.firmware = m.gauge("firmware_info", "An image that was flashed.",
		with(rigLabels, "firmware", "target", "digest", "source_digest", "toolchain"))
	m.experiment = m.gauge("experiment_outcome", "What became of the experiment.", with(experimentLabels, "outcome"))
	m.attempts = m.gauge("experiment_attempts", "How often the experiment was tried.", experimentLabels)
	m.duration = m.gauge("experiment_duration_seconds", "How long the last attempt took on the host.", experimentLabels)
	m.verdict = m.gauge("verdict", "Judgement of a statistic; unset is not a pass.",
		with(sampleLabels, "quantity", "statistic", "limit", "outcome"))
	m.doubts = m.gauge("sample_doubts", "Reasons for which nothing may be judged by the sample.",
		with(sampleLabels, "quantity"))
	return m
}

func (m *metrics) gauge(name, help string, labels []string) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "rigor", Name: name, Help: help}, labels)
	m.reg.MustRegister(g)
	return g
}

func (m *metrics) addRun(r *record.Run) error {
	rig := []string{r.Rig.Name, r.Rig.Kind}
	m.run.WithLabelValues(with(rig, r.Harness, r.SamplesDigest)...).Set(1)
	m.states(m.status, rig, string(r.Status),
		string(record.Failed), string(record.Interrupted), string(record.Running), string(record.Complete))
	m.started.WithLabelValues(rig...).Set(float64(r.Started.Unix()))
	if !r.Ended.IsZero() {
		m.ended.WithLabelValues(rig...).Set(float64(r.Ended.Unix()))
	}
	for _, b := range r.Boards {
		m.board.WithLabelValues(with(rig, b.Name, b.Chip, b.ID)...).Set(1)
	}
	for _, f := range r.Firmware {
		m.firmware.WithLabelValues(with(rig, f.Program, f.Target, f.Digest, f.SourceDigest, f.Toolchain)...).Set(1)
	}
	for _, e := range r.Experiments {
		if err := m.addExperiment(r, e); err != nil {
			return err
		}
	}
	return nil
}

func (m *metrics) addExperiment(r *record.Run, e record.Experiment) error {
	labels := []string{r.Rig.Name, r.Rig.Kind, e.Suite, e.Name, e.Board}
	m.states(m.experiment, labels, string(e.Outcome()),
		string(record.Broken), string(record.Skipped), string(record.Answered))
	m.attempts.WithLabelValues(labels...).Set(float64(len(e.Attempts)))
	if n := len(e.Attempts); n > 0 {
		m.duration.WithLabelValues(labels...).Set(e.Attempts[n-1].Took.Seconds())
	}
	for _, ms := range e.Measurements {
		s, err := r.Sample(ms)
		if err != nil {
			return err
		}
		clock := ""
		if ms.CoreHz != 0 {
			clock = strconv.FormatUint(uint64(ms.CoreHz), 10)
		}
		m.addSample(with(labels, r.ChipOf(e.Board), r.Program(e.Firmware), clock, string(ms.Source)), ms, s)
	}
	return nil
}

func (m *metrics) addSample(labels []string, ms record.Measurement, s measure.Sample) {
	m.doubts.WithLabelValues(with(labels, s.Name)...).Set(float64(len(s.Doubts)))
	for _, v := range ms.Verdicts {
		m.states(m.verdict, with(labels, s.Name, string(v.Statistic), v.Limit), v.Outcome.String(),
			judge.Fail.String(), judge.Unset.String(), judge.Pass.String())
	}
	if u, ok := gaugeUnits[s.Unit]; ok {
		m.rate(s.Name, u.name).WithLabelValues(labels...).Set(float64(ms.Summary.Median.Value) / u.parts)
		return
	}
	seconds := m.histogram(s.Name, "seconds", secondsBuckets).WithLabelValues(labels...)
	for _, v := range s.Values {
		if t, ok := s.Seconds(v); ok {
			f, _ := t.Float64()
			seconds.Observe(f)
		}
	}
	if s.Unit == measure.Cycles {
		cycles := m.histogram(s.Name, "cycles", cyclesBuckets).WithLabelValues(labels...)
		for _, v := range s.Values {
			cycles.Observe(float64(v))
		}
	}
}

// Bounds of the classic buckets, for those who don't scrape native ones: 1-2-5
// steps over what a microcontroller's events take.
var (
	secondsBuckets = []float64{
		1e-7, 2e-7, 5e-7, 1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4,
		1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1,
	}
	cyclesBuckets = []float64{10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6}
)

// nativeFactor bounds how much wider a native bucket is than the one before: 8
// buckets to a power of two.
const nativeFactor = 1.1

func (m *metrics) histogram(quantity, unit string, buckets []float64) *prometheus.HistogramVec {
	name := metricName(quantity, unit)
	if h := m.histograms[name]; h != nil {
		return h
	}
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: "rigor", Name: name, Help: help(quantity, unit),
		Buckets: buckets, NativeHistogramBucketFactor: nativeFactor, NativeHistogramMaxBucketNumber: 160,
	}, sampleLabels)
	m.reg.MustRegister(h)
	m.histograms[name] = h
	return h
}

// gaugeUnits are the units that are no time, and the base units that metrics
// are in, of which they are parts.
var gaugeUnits = map[measure.Unit]struct {
	name  string
	parts float64
}{
	measure.Bytes:          {"bytes", 1},
	measure.BytesPerSecond: {"bytes_per_second", 1},
	measure.Percent:        {"ratio", 1e2},
	measure.PPM:            {"ratio", 1e6},
	measure.Microvolts:     {"volts", 1e6},
	measure.Hertz:          {"hertz", 1},
	measure.Millikelvins:   {"kelvin", 1e3},
	measure.Millipascals:   {"pascals", 1e3},
	measure.Harts:          {"harts", 1},
	measure.Millihertz:     {"hertz", 1e3},
	measure.Millidecibels:  {"decibels", 1e3},
	measure.Events:         {"events", 1},
	measure.PerSecond:      {"per_second", 1},
}

// rate is the gauge of a quantity that is no time; it shows the median.
func (m *metrics) rate(quantity, unit string) *prometheus.GaugeVec {
	name := metricName(quantity, unit)
	if m.rates[name] == nil {
		m.rates[name] = m.gauge(name, help(quantity, strings.ReplaceAll(unit, "_", " ")), sampleLabels)
	}
	return m.rates[name]
}

func metricName(quantity, unit string) string {
	return strings.ReplaceAll(quantity, "-", "_") + "_" + unit
}

func help(quantity, unit string) string {
	q, ok := measure.Describe(quantity)
	if !ok {
		q.Help = "Quantity " + quantity
	}
	return q.Help + ", in " + unit + "."
}

// states sets one series to each state, which are given from the worst to the
// best: 1 for the present one, 0 for the others. Of repeats the worst counts.
func (m *metrics) states(g *prometheus.GaugeVec, labels []string, present string, all ...string) {
	key := fmt.Sprintf("%p %q", g, labels)
	i := slices.Index(all, present)
	if before, ok := m.present[key]; ok {
		i = min(i, before)
	}
	m.present[key] = i
	for k, s := range all {
		v := 0.0
		if k == i {
			v = 1
		}
		g.WithLabelValues(with(labels, s)...).Set(v)
	}
}

// with appends labels to a copy.
func with(labels []string, more ...string) []string {
	return append(labels[:len(labels):len(labels)], more...)
}
