package measure

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rigor/harness/timebase"
	"rigor/probes"
)

var i2cLines = I2CWiring{SCL: "scl", SDA: "sda"}

// i2cCapture lays out a capture at 10 MHz of a bus at 400 kHz: SCL is low for 16
// ticks and high for 9. "S" is a START or repeated START, "P" a STOP, "." a pause of
// 100 ticks, "ECA" a byte and its acknowledge, "1" and "0" single bits.
func i2cCapture(words string) probes.Capture {
	c := probes.Capture{Rate: 10_000_000, Resolution: 1, Initial: map[probes.Line]bool{"scl": true, "sda": true}}
	at, level := timebase.Ticks(100), map[probes.Line]bool{"scl": true, "sda": true}
	set := func(l probes.Line, high bool, after timebase.Ticks) {
		at += after
		if level[l] != high {
			level[l] = high
			c.Edges = append(c.Edges, probes.Edge{At: at, Line: l, High: high})
		}
	}
	bit := func(high bool) {
		set("sda", high, 3)
		set("scl", true, 13)
		set("scl", false, 9)
	}
	for _, w := range strings.Fields(words) {
		switch w {
		case "S":
			set("sda", true, 3)
			set("scl", true, 13)
			set("sda", false, 9)
			set("scl", false, 9)
		case "P":
			set("sda", false, 3)
			set("scl", true, 13)
			set("sda", true, 9)
		case ".":
			at += 100
		case "0", "1":
			bit(w == "1")
		default:
			var v byte
			fmt.Sscanf(w[:2], "%x", &v)
			for i := 7; i >= 0; i-- {
				bit(v>>i&1 != 0)
			}
			bit(w[2] == 'N')
		}
	}
	c.Length = at + 100
	return c
}

// i2cWords says what was decoded, in words as above.
func i2cWords(b I2CBus) string {
	var words []string
	for _, t := range b.Transactions {
		for i, v := range t.Bytes {
			if v.Address || i == 0 {
				words = append(words, "S")
			}
			words = append(words, fmt.Sprintf("%02X%s", v.Value, map[bool]string{true: "A", false: "N"}[v.Ack]))
		}
		if len(t.Bytes) == 0 {
			words = append(words, "S")
		}
		if t.Stopped {
			words = append(words, "P")
		}
	}
	return strings.Join(words, " ")
}

func TestI2C(t *testing.T) {
	for _, tt := range []struct{ said, want, doubt string }{
		{"", "", ""},
		{"S ECA F7A P", "S ECA F7A P", ""},
		{"S ECA D0A S EDA 60N P . S E0N P", "S ECA D0A S EDA 60N P S E0N P", ""},
		{"S ECA . D0A P", "S ECA D0A P", ""},
		{"S ECA D0A", "S ECA D0A", ""},
		{"S P S ECA P", "S P S ECA P", ""},
		{"S ECA 1 0 1 P", "S ECA P", "STOP at tick 459 within a byte, after 3 bits"},
		{"S 1 0 S ECA P", "S ECA P", "START at tick 209 within a byte, after 2 bits"},
		{"1 1 S ECA P", "S ECA P", "SCL runs at tick 141 without a START"},
	} {
		b, err := I2C(i2cCapture(tt.said), i2cLines)
		if err != nil {
			t.Fatal(err)
		}
		if got := i2cWords(b); got != tt.want {
			t.Errorf("%q is decoded as %q, want %q", tt.said, got, tt.want)
		}
		if tt.doubt == "" && len(b.Doubts) > 0 || tt.doubt != "" && !strings.HasPrefix(strings.Join(b.Doubts, "; "), tt.doubt) {
			t.Errorf("%q: doubts %q, want %q", tt.said, b.Doubts, tt.doubt)
		}
	}
}

// A capture that begins within a transaction has the next, and says so.
func TestI2CBeginsLate(t *testing.T) {
	c := i2cCapture("S ECA D0A P S E0N P")
	for _, e := range c.Edges[:12] {
		c.Initial[e.Line] = e.High
	}
	c.Edges = c.Edges[12:]
	b, err := I2C(c, i2cLines)
	if err != nil {
		t.Fatal(err)
	}
	if got := i2cWords(b); got != "S E0N P" || len(b.Doubts) != 2 {
		t.Errorf("%q, doubts %q", got, b.Doubts)
	}
}

// Of the capture's clocks: 16 ticks low, 9 high, 25 a period, 400 kHz.
func TestI2CClock(t *testing.T) {
	b, err := I2C(i2cCapture("S ECA D0A . S EDA 60N P"), i2cLines)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range map[string][]timebase.Ticks{"low 16": b.Lows, "high 9": b.Highs, "period 25": b.Periods} {
		var want timebase.Ticks
		fmt.Sscanf(strings.Fields(name)[1], "%d", &want)
		if len(values) < 4*8 || slices.ContainsFunc(values, func(v timebase.Ticks) bool { return v != want }) {
			t.Errorf("%s: %v", name, values)
		}
	}
	if hz, ok := b.Hz(); hz != 400_000 || !ok {
		t.Errorf("%d Hz, %v", hz, ok)
	}
	if _, ok := (I2CBus{}).Hz(); ok {
		t.Error("no clocks have a frequency")
	}
	tr := b.Transactions[0]
	if tr.Start != 125 || tr.End != i2cCapture("S ECA D0A . S EDA 60N P").Length-100 {
		t.Errorf("from %d to %d", tr.Start, tr.End)
	}
}

// A pulse of 40 ns is nothing to Fast-mode inputs; unfiltered it is a clock, or a
// START.
func TestI2CGlitch(t *testing.T) {
	for _, line := range []probes.Line{"scl", "sda"} {
		c := i2cCapture("S ECA FFA P")
		c.Rate, c.Length = 100_000_000, c.Length*10
		var with []probes.Edge
		for i, e := range c.Edges {
			e.At *= 10
			with = append(with, e)
			if i == 20 { // SCL has risen in the second byte, in which SDA is high
				for k := range 2 {
					with = append(with, probes.Edge{At: e.At + 30 + 4*timebase.Ticks(k), Line: line, High: k == 1})
				}
			}
		}
		for _, e := range with[20:21] {
			if e.Line != "scl" || !e.High {
				t.Fatalf("the pulse follows %+v", e)
			}
		}
		c.Edges = with
		w := i2cLines
		raw, err := I2C(c, w)
		if err != nil {
			t.Fatal(err)
		}
		w.Glitch = 50 * time.Nanosecond
		b, err := I2C(c, w)
		if err != nil {
			t.Fatal(err)
		}
		if got := i2cWords(b); got != "S ECA FFA P" || b.Glitches != 1 || len(b.Doubts) != 0 {
			t.Errorf("%s: %q, %d glitches, doubts %q", line, got, b.Glitches, b.Doubts)
		}
		if got := i2cWords(raw); got == "S ECA FFA P" && len(raw.Doubts) == 0 {
			t.Errorf("%s: unfiltered %q, as if nothing was", line, got)
		}
	}
}

// An instrument that samples coarsely sees SDA change at the tick of SCL's edge.
func TestI2CCoarse(t *testing.T) {
	c := i2cCapture("S ECA D0A P")
	for i := range c.Edges {
		c.Edges[i].At /= 5
	}
	c.Rate, c.Length = 2_000_000, c.Length/5
	b, err := I2C(c, i2cLines)
	if err != nil {
		t.Fatal(err)
	}
	if got := i2cWords(b); got != "S ECA D0A P" {
		t.Errorf("%q", got)
	}
}

func TestI2CRefuses(t *testing.T) {
	c := i2cCapture("S ECA P")
	for _, w := range []I2CWiring{{SCL: "scl", SDA: "data"}, {SCL: "clock", SDA: "sda"}, {SCL: "scl", SDA: "scl"}} {
		if _, err := I2C(c, w); err == nil {
			t.Errorf("%+v is decoded", w)
		}
	}
	c.Lost = 3
	if b, err := I2C(c, i2cLines); err != nil || len(b.Doubts) != 1 {
		t.Errorf("lost edges: %v, doubts %q", err, b.Doubts)
	}
}

// Whatever the lines do, bytes have nine clocks each and times are in order.
func FuzzI2C(f *testing.F) {
	f.Add([]byte{0x11, 0x92, 0x13}, uint8(0))
	f.Fuzz(func(t *testing.T, data []byte, glitch uint8) {
		c := probes.Capture{Rate: 1_000_000_000, Initial: map[probes.Line]bool{"scl": true, "sda": true}}
		rises := 0
		for _, v := range data {
			c.Length += timebase.Ticks(v & 0x3F)
			e := probes.Edge{At: c.Length, Line: "scl", High: v&0x40 != 0}
			if v&0x80 != 0 {
				e.Line = "sda"
			} else if e.High {
				rises++
			}
			c.Edges = append(c.Edges, e)
		}
		w := i2cLines
		w.Glitch = time.Duration(glitch)
		b, err := I2C(c, w)
		if err != nil {
			t.Fatal(err)
		}
		bytes, last := 0, timebase.Ticks(0)
		for _, tr := range b.Transactions {
			if tr.Start < last || tr.End < tr.Start {
				t.Fatalf("a transaction from %d to %d after %d", tr.Start, tr.End, last)
			}
			for _, v := range tr.Bytes {
				if v.At < tr.Start || v.At > tr.End {
					t.Fatalf("a byte at %d of a transaction from %d to %d", v.At, tr.Start, tr.End)
				}
			}
			bytes, last = bytes+len(tr.Bytes), tr.End
		}
		if 9*bytes > rises || len(b.Periods) != len(b.Lows) {
			t.Fatalf("%d bytes of %d clocks, %d periods, %d lows", bytes, rises, len(b.Periods), len(b.Lows))
		}
	})
}
