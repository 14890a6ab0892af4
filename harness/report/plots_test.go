package report

import (
	"bytes"
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
			rates.Measurements = append(rates.Measurements, measured(measure.Sample{Source: measure.Firmware, Unit: measure.PerSecond,
				Name: measure.Transforming(measure.TransformRate, variant, size), Values: []int64{int64(6_400_000 / size / (i*i*20 + 1))}}))
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
	if outside := regexp.MustCompile(`(?i)(src|href)=|url\(|@import`).FindAll(page, -1); outside != nil {
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
	r.Boards = []record.Board{{Name: "f407", Chip: "stm32f407", ID: "0x413"}}
	all, err := plots(r)
	if err != nil || all != nil {
		t.Fatalf("%v, %v", all, err)
	}
	var b strings.Builder
	if err := page(&b, r, all); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"goroutine-switch", "1.2 us switch at 16 MHz", "refuted", "MISSING uart-echo", "p99 &lt;= 500 cycles", "FAIL (complete)"} {
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

func TestAxes(t *testing.T) {
	for _, c := range []struct {
		axis axis
		want string
	}{
		{axis{from: -120, to: 0}, "-120 -100 -80 -60 -40 -20 0"},
		{axis{from: 0, to: 8000}, "0 1000 2000 3000 4000 5000 6000 7000 8000"},
		{axis{from: 0, to: 24_000}, "0 5000 10k 15k 20k"},
		{axis{from: 0, to: 1}, "0 0.2 0.4 0.6 0.8 1"},
		{decades("", 555, 80_000), "100 1000 10k 100k"},
		{decades("", 7, 7), "1 10"},
		{decades("", 1000, 1000), "1000 10k"},
		{axis{from: 56, to: 585, log: true, ticks: []float64{64, 128}}, "64 128"},
	} {
		var got []string
		for _, v := range c.axis.places() {
			got = append(got, number(v))
			if at := c.axis.at(v, 0, 1); at < 0 || at > 1 {
				t.Errorf("%+v: %g lies at %g", c.axis, v, at)
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%+v: %s, want %s", c.axis, s, c.want)
		}
	}
	log := decades("", 10, 1000)
	if got := log.at(100, 200, 100); math.Abs(got-150) > 1e-9 || log.at(1, 200, 100) != 200 || log.at(0, 200, 100) != 200 || log.at(1e9, 200, 100) != 100 {
		t.Errorf("100 lies at %g", got)
	}
}
