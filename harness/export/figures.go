package export

import (
	"cmp"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rigor/harness/measure"
	"rigor/harness/record"
	"rigor/harness/timebase"
)

// sample is one measurement with its values.
type sample struct {
	run        *record.Run
	experiment record.Experiment
	record.Measurement
	values measure.Sample
}

func (s sample) labels() []string {
	e := s.experiment
	return []string{s.run.Rig.Name, s.run.Rig.Kind, e.Suite, e.Name, e.Board, s.run.ChipOf(e.Board),
		s.run.Program(e.Firmware), clockLabel(s.CoreHz), string(s.Source)}
}

// clockLabel is the core's rate in hertz, if it is known.
func clockLabel(core timebase.Rate) string {
	if core == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(core), 10)
}

func (m *metrics) addSample(s sample) {
	labels := s.labels()
	m.gauge(SampleDoubts, with(labels, s.Quantity)...).Set(float64(len(s.Doubts)))
	for _, v := range s.Verdicts {
		m.state(Verdict, v.Outcome.String(), with(labels, s.Quantity, string(v.Statistic), v.Limit)...)
	}
	m.addChange(s)
	if u, ok := gaugeUnits[s.Unit]; ok {
		m.median(s.Quantity, u.name).WithLabelValues(labels...).Set(float64(s.Summary.Median.Value) / u.parts)
		m.addFigures(s, u.name, func(v int64) float64 { return float64(v) / u.parts })
		return
	}
	if _, ok := s.values.Seconds(0); ok {
		m.addTimes(s, "seconds", secondsBuckets, s.seconds)
	}
	if s.Unit == measure.Cycles {
		m.addTimes(s, "cycles", cyclesBuckets, func(v int64) float64 { return float64(v) })
	}
}

// addChange shows what became of the sample's figure since the baseline, if that has it.
func (m *metrics) addChange(s sample) {
	c := s.Change
	if c == nil {
		return
	}
	labels := with(s.labels(), s.Quantity, string(c.Statistic))
	m.state(Change, string(c.Verdict), labels...)
	old := cmp.Or(c.Old.Value, 1)
	m.gauge(ChangeRatio, labels...).Set(float64(c.New.Value-c.Old.Value) / math.Abs(float64(old)))
}

func (s sample) seconds(v int64) float64 {
	t, _ := s.values.Seconds(v)
	f, _ := t.Float64()
	return f
}

// addTimes adds the values to the histogram of a unit, and their statistics.
func (m *metrics) addTimes(s sample, unit string, buckets []float64, convert func(int64) float64) {
	h := m.histogram(s.Quantity, unit, buckets).of(s)
	for _, v := range s.values.Values {
		h.observe(convert(v), s)
	}
	m.addFigures(s, unit, convert)
}

func (m *metrics) addFigures(s sample, unit string, convert func(int64) float64) {
	if s.Summary.N == 0 {
		return
	}
	labels := with(s.labels(), s.Quantity)
	for _, st := range figureStatistics {
		if e, ok := s.Summary.Estimate(st); ok {
			m.gauge(Figure(unit), with(labels, string(st))...).Set(convert(e.Value))
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

// histogram collects the series of a quantity in a unit, each with an exemplar.
//
// client_golang's own exemplars bear the time at which they were exported; these
// bear that of the experiment. There is one to a series, since Prometheus 2
// refuses those of a native histogram that are no younger than the last.
type histogram struct {
	*prometheus.HistogramVec
	series map[string]*marked
}

// marked is a series whose greatest value is marked.
type marked struct {
	prometheus.Histogram
	worst prometheus.Exemplar
}

func (m *metrics) histogram(quantity, unit string, buckets []float64) *histogram {
	name := metricName(quantity, unit)
	if h := m.histograms[name]; h != nil {
		return h
	}
	h := &histogram{series: map[string]*marked{}, HistogramVec: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: name, Help: help(quantity, unit),
		Buckets: buckets, NativeHistogramBucketFactor: nativeFactor, NativeHistogramMaxBucketNumber: 160,
	}, sampleLabels)}
	m.reg.MustRegister(h)
	m.histograms[name] = h
	return h
}

// of is the series that a sample belongs to.
func (h *histogram) of(s sample) *marked {
	labels := s.labels()
	key := strings.Join(labels, "\x00")
	if h.series[key] == nil {
		h.series[key] = &marked{Histogram: h.WithLabelValues(labels...).(prometheus.Histogram)}
	}
	return h.series[key]
}

func (s *marked) observe(v float64, from sample) {
	s.Observe(v)
	if s.worst.Labels == nil || v > s.worst.Value {
		s.worst = prometheus.Exemplar{Value: v, Timestamp: from.taken(), Labels: exemplarLabels(from.run)}
	}
}

// taken is when the sample was.
func (s sample) taken() time.Time {
	if n := len(s.experiment.Attempts); n > 0 {
		a := s.experiment.Attempts[n-1]
		return a.Started.Add(a.Took)
	}
	return s.run.Started
}

// exemplarLabels point to the run's bundle and, where traces are kept, to its trace.
func exemplarLabels(r *record.Run) prometheus.Labels {
	id := TraceID(r)
	return prometheus.Labels{"run": r.Name(), "trace_id": hex.EncodeToString(id[:])}
}

// Collect gives each series with its exemplar.
func (h *histogram) Collect(ch chan<- prometheus.Metric) {
	for _, s := range h.series {
		if s.worst.Labels == nil {
			ch <- s.Histogram
			continue
		}
		ch <- prometheus.MustNewMetricWithExemplars(s.Histogram, s.worst)
	}
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

// median is the gauge of a quantity that is no time; it shows the median.
func (m *metrics) median(quantity, unit string) *prometheus.GaugeVec {
	name := metricName(quantity, unit)
	if g := m.gauges[name]; g != nil {
		return g
	}
	return m.family(name, help(quantity, words(unit)), sampleLabels)
}

func metricName(quantity, unit string) string {
	return "rigor_" + strings.ReplaceAll(quantity, "-", "_") + "_" + unit
}

func help(quantity, unit string) string {
	q, ok := measure.Describe(quantity)
	if !ok {
		q.Help = "Quantity " + quantity
	}
	return q.Help + ", in " + unit + "."
}

func words(unit string) string { return strings.ReplaceAll(unit, "_", " ") }
