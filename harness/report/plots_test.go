package report

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot"

	"rigor/harness/judge"
	"rigor/harness/measure"
	"rigor/harness/record"
)

// heard is a bundle of a run with spectra and transforms.
func heard(t *testing.T) (*record.Bundle, *record.Run) {
	t.Helper()
	b, err := record.Create(filepath.Join(t.TempDir(), "run"), record.Run{
		Harness: "1.0", Rig: record.Rig{Name: "virtual", Kind: "virtual"}, Started: start,
		Boards: []record.Board{{Name: "k210", Chip: "k210"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	measured := func(s measure.Sample) record.Measurement {
		return record.Measured(s, 390e6, measure.Summarize(s), nil, nil)
	}
	spectrum := func(by measure.Source, floor int64) record.Measurement {
		s := measure.Sample{Name: measure.Under(measure.Spectra, measure.SoundTone), Source: by, Unit: measure.Millidecibels, Clock: 16_000}
		for k := range int64(33) {
			s.Values = append(s.Values, max(-6000-(k-4)*(k-4)*9000, floor+k%5*1000))
		}
		return measured(s)
	}
	tone := record.Experiment{Suite: "spectrum", Name: "tone <1 kHz>", Board: "k210", Measurements: []record.Measurement{
		spectrum(measure.Harness, -110_000), spectrum(measure.Firmware, -70_000)}}
	rates := record.Experiment{Suite: "spectrum", Name: "throughput", Board: "k210"}
	for i, variant := range measure.TransformVariants {
		for _, size := range measure.TransformSizes {
			cycles := int64(16 * size * (i*i*20 + 1))
			of := func(what string, by measure.Source, unit measure.Unit, value int64) {
				rates.Measurements = append(rates.Measurements, measured(measure.Sample{Source: by, Unit: unit,
					Name: measure.Transforming(what, variant, size), Values: []int64{value}}))
			}
			of(measure.TransformRate, measure.Firmware, measure.PerSecond, 390e6/cycles)
			of(measure.TransformTime, measure.Firmware, measure.Cycles, cycles)
			of(measure.TransformTime, measure.Probe, measure.Ticks, cycles*2564) // not to be taken for cycles
		}
	}
	for _, e := range []record.Experiment{tone, rates, tone} { // a repeat is not plotted again
		if err := b.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Finish(record.Complete, start); err != nil {
		t.Fatal(err)
	}
	r, err := record.Load(b.Dir())
	if err != nil {
		t.Fatal(err)
	}
	return b, r
}

func TestFiles(t *testing.T) {
	b, r := heard(t)
	if err := Files(b, r); err != nil {
		t.Fatal(err)
	}
	again, err := record.Load(b.Dir())
	if err != nil {
		t.Fatal(err)
	}
	want := []record.Plot{
		{Title: "Spectrum: tone <1 kHz>, k210", Board: "k210", File: "plots/spectrum-tone-1-khz-k210.svg"},
		{Title: "Transforms, k210", Board: "k210", File: "plots/transforms-k210.svg"},
		{Title: "Time of a transform, k210", Board: "k210", File: "plots/time-of-a-transform-k210.svg"},
	}
	if !slices.Equal(again.Plots, want) {
		t.Errorf("run.json has %+v, want %+v", again.Plots, want)
	}
	page := read(t, b, record.ReportFile)
	for _, p := range want {
		svg := read(t, b, p.File)
		wellFormed(t, svg)
		golden(t, filepath.Base(p.File), writes(svg))
		if !bytes.Contains(page, svg) {
			t.Errorf("the report does not show %s", p.File)
		}
	}
	golden(t, "report.html", writes(page))
	if outside := regexp.MustCompile(`(?i)src=|href="[^#]|url\(|@import|<script`).FindAll(page, -1); outside != nil {
		t.Errorf("the report needs %q", outside)
	}
}

func read(t *testing.T, b *record.Bundle, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(b.Dir(), name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func writes(text []byte) func(io.Writer) error {
	return func(w io.Writer) error { _, err := w.Write(text); return err }
}

func wellFormed(t *testing.T, text []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
	}
}

// A report of a run that plots nothing says all that the terminal does.
func TestReportWithoutPlots(t *testing.T) {
	r := run(t)
	all, err := figures(r)
	if err != nil || all != nil {
		t.Fatalf("%v, %v", all, err)
	}
	var b strings.Builder
	if err := page(&b, r, all); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"goroutine-switch", "1.2 us switch at 16 MHz", "refuted", "uart-echo: max &lt;= 9000 ns", "p99 &lt;= 500 cycles", ">FAIL</span>"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}

func TestPlotsNeedTheirSamples(t *testing.T) {
	b, r := heard(t)
	for _, e := range r.Experiments {
		for _, m := range e.Measurements {
			if err := os.Remove(filepath.Join(b.Dir(), m.File)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := Files(b, r); err == nil {
		t.Error("spectra without samples are plotted")
	}
}

// What is on axes: round numbers, and whole powers of ten around values.
func TestAxes(t *testing.T) {
	linear := func(from, to float64) (a plot.Axis) {
		a.Min, a.Max, a.Tick.Marker = from, to, plot.TickerFunc(even)
		return a
	}
	logarithmic := func(least, most float64) (a plot.Axis) {
		decades(&a, least, most)
		if math.Log10(least) < a.Min || math.Log10(most) > a.Max {
			t.Errorf("%g to %g is beyond %g to %g", least, most, a.Min, a.Max)
		}
		return a
	}
	for _, c := range []struct {
		axis plot.Axis
		want string
	}{
		{linear(-120, 0), "-110 -100 -90 -80 -70 -60 -50 -40 -30 -20 -10 0"},
		{linear(0, 8), "0 1 2 3 4 5 6 7 8"},
		{linear(0, 1.58), "0 0.2 0.4 0.6 0.8 1 1.2 1.4"},
		{linear(0, 24), "0 2 4 6 8 10 12 14 16 18 20 22 24"},
		{logarithmic(555, 80_000), "100 1k 10k 100k"},
		{logarithmic(7, 7), "1 10"},
		{logarithmic(1, 1), "1 10"},
		{logarithmic(1000, 1000), "1k 10k"},
		{logarithmic(2e6, 3e7), "1M 10M 100M"},
	} {
		ticks := c.axis.Tick.Marker.Ticks(c.axis.Min, c.axis.Max)
		slices.SortFunc(ticks, func(a, b plot.Tick) int { return cmp.Compare(a.Value, b.Value) })
		var got []string
		for _, tick := range ticks {
			if !tick.IsMinor() && tick.Value >= c.axis.Min && tick.Value <= c.axis.Max {
				got = append(got, tick.Label)
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%g to %g: %s, want %s", c.axis.Min, c.axis.Max, s, c.want)
		}
	}
}

// Quantiles of a spectrum's bins tell nothing, unless somebody has put a limit on them.
func TestTableLeavesSpectraToPlots(t *testing.T) {
	_, r := heard(t)
	table := func() string {
		var b strings.Builder
		if err := Summary(&b, r, false); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if s := table(); strings.Contains(s, "spectrum-") || !strings.Contains(s, "transform-rate-fixed-64") {
		t.Errorf("the table is\n%s", s)
	}
	tone := slices.IndexFunc(r.Experiments, func(e record.Experiment) bool { return e.Name == "tone <1 kHz>" })
	r.Experiments[tone].Measurements[0].Verdicts = []judge.Verdict{{Outcome: judge.Fail}}
	if n := strings.Count(table(), "\nspectrum-tone "); n != 1 {
		t.Errorf("a spectrum that failed is in the table %d times", n)
	}
}

// The lanes of an update's timeline that have times get bars, one for what lies close together.
func TestTimeline(t *testing.T) {
	b, err := record.Create(filepath.Join(t.TempDir(), "run"), record.Run{Rig: record.Rig{Name: "virtual", Kind: "virtual"}, Started: start})
	if err != nil {
		t.Fatal(err)
	}
	e := record.Experiment{Suite: "ota", Name: "cuts", Board: "f407"}
	add := func(quantity string, times ...int64) {
		s := measure.Sample{Name: quantity, Source: measure.Harness, Unit: measure.Nanoseconds, Values: times}
		e.Measurements = append(e.Measurements, record.Measured(s, 0, measure.Summarize(s), nil, nil))
	}
	add(measure.Under(measure.UpdateOperation, "staging"), 0, 1e9, 1001e6, 1002e6)
	add(measure.Under(measure.UpdateOperation, "journal"), 3e9)
	add(measure.Under(measure.CutBoots, "old"), 0, 1e9, 1001e6, 1002e6, 3e9)
	add(measure.Under(measure.CutBoots, "new"), 3e9)
	if err := b.Add(e); err != nil {
		t.Fatal(err)
	}
	r, err := record.Load(b.Dir())
	if err != nil {
		t.Fatal(err)
	}
	f, err := timeline(r, r.Experiments[0])
	if err != nil || f == nil {
		t.Fatalf("timeline: %v, %v", f, err)
	}
	var svg strings.Builder
	if err := f.chart.writeSVG(&svg); err != nil {
		t.Fatal(err)
	}
	if bars := strings.Count(svg.String(), "stroke-width:10"); bars != 2+1+3+1 {
		t.Errorf("%d bars, want those at 0, 1 s and 3 s of two lanes, less what a lane has not", bars)
	}
	if f, err := timeline(r, record.Experiment{}); f != nil || err != nil {
		t.Errorf("timeline of nothing: %v, %v", f, err)
	}
}
