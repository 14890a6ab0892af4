package record

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"rigor/harness/timebase"
	"rigor/probes"
)

// uart gives the edges of text sent at 115200 baud, 8N1, on a line idling
// high, as a capture at the given rate.
func uart(rate timebase.Rate, text string) probes.Capture {
	c := probes.Capture{Rate: rate, Resolution: 1, Initial: map[probes.Line]bool{"tx": true, "marker0": false}}
	level, bit := true, timebase.Ticks(10)
	put := func(high bool) {
		if high != level {
			c.Edges = append(c.Edges, probes.Edge{At: bit.Convert(115200, rate), Line: "tx", High: high})
		}
		level, bit = high, bit+1
	}
	for _, b := range []byte(text) {
		put(false)
		for i := range 8 {
			put(b>>i&1 == 1)
		}
		put(true)
	}
	c.Edges = append(c.Edges, probes.Edge{At: bit.Convert(115200, rate), Line: "marker0", High: true})
	c.Length = (bit + 10).Convert(115200, rate)
	return c
}

// sigrok-cli 0.7.2 reads "Rigor" from this golden file:
//
//	sigrok-cli -I vcd -i uart.vcd -P uart:rx=tx:baudrate=115200:format=ascii -A uart=rx-data
func TestVCDGolden(t *testing.T) {
	var text bytes.Buffer
	if err := WriteVCD(&text, uart(16e6, "Rigor"), "uart 115200 $end"); err != nil {
		t.Fatal(err)
	}
	golden(t, "uart.vcd", text.Bytes())
}

// The time unit follows the resolution: never longer, and no power of ten
// shorter than it must be.
func TestVCDTimescale(t *testing.T) {
	for _, c := range []struct {
		rate       timebase.Rate
		resolution timebase.Ticks
		want       string
	}{
		{16e6, 1, "10 ns"}, // 62.5 ns
		{16e6, 0, "10 ns"},
		{168e6, 1, "1 ns"}, // 5.95 ns
		{100e6, 1, "10 ns"},
		{1e12, 1, "1 ns"}, // the finest that is written
		{1e12, 62500, "10 ns"},
		{1e3, 1, "1 ms"},
		{1, 1, "1 ms"},
	} {
		got := timescales[timescale(probes.Capture{Rate: c.rate, Resolution: c.resolution})].name
		if got != c.want {
			t.Errorf("%v, %d ticks: %s, want %s", c.rate, c.resolution, got, c.want)
		}
	}
}

func TestVCDNeedsARate(t *testing.T) {
	if err := WriteVCD(io.Discard, probes.Capture{}, ""); err == nil {
		t.Error("no rate, no error")
	}
}

// Identifier codes are printable, not empty and never the same.
func TestVCDIdentifiers(t *testing.T) {
	seen := map[string]bool{}
	for i := range 20000 {
		id := vcdID(i)
		if seen[id] || id == "" || strings.ContainsFunc(id, func(r rune) bool { return r < '!' || r > '~' }) {
			t.Fatalf("line %d has the identifier %q", i, id)
		}
		seen[id] = true
	}
}
