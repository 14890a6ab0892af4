package sketch

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rigor/harness/timebase"
	"rigor/probes"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

// wellFormed fails unless a picture is XML of numbers, below the size that is promised.
func wellFormed(t *testing.T, svg string) {
	t.Helper()
	if len(svg) > 10<<10 || strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Errorf("%d bytes: %.300s", len(svg), svg)
	}
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
	}
}

// Two modes with an outlier, and of the rules one on the axis, one beyond.
func TestSample(t *testing.T) {
	s := Sample{Title: "a < b", Unit: "µs", Rules: []Rule{{15, "limit max", true}, {11.5, "baseline p50", false}, {99, "limit p99", true}}}
	for i := range 40 {
		s.Values = append(s.Values, float64(10+i%2*3))
	}
	s.Values[20] = 18
	svg := s.SVG()
	wellFormed(t, svg)
	golden(t, "sample.svg", svg)
	if n := strings.Count(svg, `class="lm"`); n != 1 || !strings.Contains(svg, "limit p99 ↑") {
		t.Errorf("%d limits are drawn; the one beyond is named: %s", n, svg)
	}
}

func TestSampleOfOneValueHasNoPicture(t *testing.T) {
	for _, values := range [][]float64{nil, {7}, {7, 7, 7}} {
		if svg := (Sample{Values: values}).SVG(); svg != "" {
			t.Errorf("%v: %s", values, svg)
		}
	}
}

// However many values there are and however large: a picture has its size, and all lie in it.
func TestSampleIsBounded(t *testing.T) {
	for _, far := range []float64{1e-12, 1, 1e18} {
		s := Sample{}
		for i := range 100_000 {
			s.Values = append(s.Values, far*math.Sin(float64(i*i)))
		}
		s.Rules = []Rule{{At: far * 1.1, Name: strings.Repeat("long", 9)}, {At: -1e18, Limit: true}}
		wellFormed(t, s.SVG())
	}
}

// A burst and a silence: the picture is of the burst.
func TestWave(t *testing.T) {
	c := probes.Capture{Rate: 1e9, Initial: map[probes.Line]bool{"mark": false, "tx<&>": true}, Length: 1e6}
	edge := func(at int64, l probes.Line, high bool) {
		c.Edges = append(c.Edges, probes.Edge{At: timebase.Ticks(at), Line: l, High: high})
	}
	edge(100, "mark", true)
	edge(150, "tx<&>", false)
	edge(300, "mark", false)
	edge(420, "tx<&>", true)
	edge(900_000, "mark", true)
	from, to, n := Part(c, 0, 32)
	if from != 84 || to != 436 || n != 4 {
		t.Errorf("from %d to %d, %d edges", from, to, n)
	}
	svg := Wave{Title: "a burst", Capture: c, From: from, To: to}.SVG()
	wellFormed(t, svg)
	golden(t, "wave.svg", svg)
}

// Edges that lie too close to be told apart are one block, however many.
func TestWaveIsBounded(t *testing.T) {
	c := probes.Capture{Rate: 1e9, Initial: map[probes.Line]bool{"a": false}, Length: 1e6}
	for i := range int64(500_000) {
		c.Edges = append(c.Edges, probes.Edge{At: timebase.Ticks(2 * i), Line: "a", High: i%2 == 0})
	}
	svg := Wave{Capture: c, From: 0, To: c.Length}.SVG()
	wellFormed(t, svg)
	if !strings.Contains(svg, `class="bz"`) {
		t.Errorf("no block in %s", svg)
	}
}

func TestPart(t *testing.T) {
	c := probes.Capture{Rate: 1e9, Length: 5000}
	if from, to, n := Part(c, 0, 10); from != 0 || to != 5000 || n != 0 {
		t.Errorf("nothing: %d to %d, %d edges", from, to, n)
	}
	c.Edges = []probes.Edge{{At: 1000}}
	if from, to, n := Part(c, 0, 10); from != 800 || to != 5200 || n != 1 {
		t.Errorf("one edge: %d to %d, %d edges", from, to, n)
	}
	for i := range int64(50) {
		c.Edges = append(c.Edges, probes.Edge{At: timebase.Ticks(1010 + 10*i)})
	}
	if _, _, n := Part(c, 0, 10); n != 10 {
		t.Errorf("%d edges, want the first 10", n)
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		from, to float64
		n        int
		want     []float64
	}{
		{0, 10, 5, []float64{0, 2, 4, 6, 8, 10}},
		{-3, 3, 3, []float64{-2, 0, 2}},
		{0.0121, 0.0139, 4, []float64{0.0125, 0.013, 0.0135}},
		{5, 5, 4, nil},
		{7, 3, 4, nil},
	} {
		got := ticks(c.from, c.to, c.n)
		same := len(got) == len(c.want)
		for i := range got {
			same = same && math.Abs(got[i]-c.want[i]) < 1e-9
		}
		if !same {
			t.Errorf("%g to %g: %v, want %v", c.from, c.to, got, c.want)
		}
	}
}
