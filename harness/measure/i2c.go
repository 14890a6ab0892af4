package measure

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"rigor/harness/timebase"
	"rigor/probes"
)

// I2CWiring says which lines of a capture are a bus.
type I2CWiring struct {
	SCL, SDA probes.Line
	// Glitch is the length below which a pulse is none: UM10204 revision 7 table 10
	// lets the inputs of Fast-mode suppress spikes of 50 ns. 0 keeps all.
	Glitch time.Duration
}

// I2CBus is what a capture of a bus shows: 7-bit addresses, as UM10204 §3.1 has
// them. Times are ticks of the capture's clock.
type I2CBus struct {
	Rate         timebase.Rate
	Transactions []I2CTransaction
	// Lows, Highs and Periods are SCL's times within bytes: low before each clock but a
	// byte's first, high in each that falls again, and from rise to rise. A clock that
	// is stretched is among them; what passes between bytes is not.
	Lows, Highs, Periods []timebase.Ticks
	Glitches             int // pulses left out
	// Doubts are what is no transaction, and why there may be others.
	Doubts []string
}

// I2CTransaction goes from a START on an idle bus to the STOP.
type I2CTransaction struct {
	Start, End timebase.Ticks
	Stopped    bool // the capture has its STOP
	Bytes      []I2CByte
}

// I2CByte is a byte and its acknowledge.
type I2CByte struct {
	At      timebase.Ticks // SCL's rise in the acknowledge
	Value   byte
	Address bool // it follows a START or repeated START
	Ack     bool
}

// I2C decodes a bus. A capture that lacks one of its lines is an error.
func I2C(c probes.Capture, w I2CWiring) (I2CBus, error) {
	d := i2cDecoder{bus: I2CBus{Rate: c.Rate}}
	for _, l := range []probes.Line{w.SCL, w.SDA} {
		if _, ok := c.Initial[l]; !ok || w.SCL == w.SDA || c.Rate == 0 {
			return I2CBus{}, fmt.Errorf("decode I2C on %s and %s: the capture of %v at %v has no such lines", w.SCL, w.SDA, c.Initial, c.Rate)
		}
	}
	d.scl, d.sda = c.Initial[w.SCL], c.Initial[w.SDA]
	if c.Lost > 0 {
		d.doubt("%d edges are lost", c.Lost)
	}
	shortest := timebase.Ticks(w.Glitch).Convert(1e9, c.Rate)
	for _, e := range d.edges(c, w, shortest) {
		if e.Line == w.SCL {
			d.clock(e.High, e.At)
		} else {
			d.data(e.High, e.At)
		}
	}
	if d.open {
		d.bus.Transactions[len(d.bus.Transactions)-1].End = c.Length
	}
	return d.bus, nil
}

// Hz is SCL's frequency by the median period; false if there is none.
func (b I2CBus) Hz() (uint64, bool) {
	p := slices.Sorted(slices.Values(b.Periods))
	if len(p) == 0 || p[(len(p)-1)/2] <= 0 {
		return 0, false
	}
	median := uint64(p[(len(p)-1)/2])
	return (uint64(b.Rate) + median/2) / median, true
}

// i2cDecoder is what is known up to an edge.
type i2cDecoder struct {
	bus        I2CBus
	scl, sda   bool
	open       bool // a transaction is
	addressing bool
	bits       int  // of the present byte that SCL has risen for
	value      byte // of these
	rise, fall timebase.Ticks
	headless   bool // SCL ran without a START
}

func (d *i2cDecoder) doubt(format string, args ...any) {
	d.bus.Doubts = append(d.bus.Doubts, fmt.Sprintf(format, args...))
}

// edges are those of the bus without glitches. Within one tick SDA changes while
// SCL is low, as it does but for a START and a STOP.
func (d *i2cDecoder) edges(c probes.Capture, w I2CWiring, shortest timebase.Ticks) []probes.Edge {
	var all []probes.Edge
	for _, l := range []probes.Line{w.SCL, w.SDA} {
		var line []probes.Edge
		for _, e := range c.Edges {
			n := len(line)
			switch {
			case e.Line != l:
			case n > 0 && e.At-line[n-1].At < shortest:
				line = line[:n-1]
				d.bus.Glitches++
			default:
				line = append(line, e)
			}
		}
		all = append(all, line...)
	}
	order := func(e probes.Edge) int {
		switch {
		case e.Line == w.SDA:
			return 1
		case e.High:
			return 2
		}
		return 0
	}
	slices.SortStableFunc(all, func(a, b probes.Edge) int { return cmp.Or(cmp.Compare(a.At, b.At), order(a)-order(b)) })
	return all
}

// data is an edge of SDA: with SCL high a START or a STOP.
func (d *i2cDecoder) data(high bool, at timebase.Ticks) {
	if high == d.sda {
		return
	}
	d.sda = high
	if !d.scl {
		return
	}
	if d.open && d.bits > 1 { // SCL has risen once for the condition itself
		d.doubt("%s at tick %d within a byte, after %d bits", map[bool]string{false: "START", true: "STOP"}[high], at, d.bits-1)
	}
	d.bits, d.value = 0, 0
	n := len(d.bus.Transactions)
	switch {
	case high && d.open:
		d.bus.Transactions[n-1].End, d.bus.Transactions[n-1].Stopped = at, true
		d.open = false
	case high:
		d.doubt("STOP at tick %d without a START", at)
	default:
		if !d.open {
			d.bus.Transactions = append(d.bus.Transactions, I2CTransaction{Start: at})
		}
		d.open, d.addressing = true, true
	}
}

// clock is an edge of SCL: at its rise SDA is a bit.
func (d *i2cDecoder) clock(high bool, at timebase.Ticks) {
	if high == d.scl {
		return
	}
	d.scl = high
	switch {
	case !d.open:
		if high && !d.headless {
			d.headless = true
			d.doubt("SCL runs at tick %d without a START", at)
		}
	case high:
		d.bit(at)
	case d.bits > 0:
		d.bus.Highs = append(d.bus.Highs, at-d.rise)
		if d.bits == 9 {
			d.bits, d.value = 0, 0
		}
	}
	if !high {
		d.fall = at
	}
}

func (d *i2cDecoder) bit(at timebase.Ticks) {
	if d.bits > 0 {
		d.bus.Lows = append(d.bus.Lows, at-d.fall)
		d.bus.Periods = append(d.bus.Periods, at-d.rise)
	}
	d.rise = at
	if d.bits++; d.bits < 9 {
		d.value <<= 1
		if d.sda {
			d.value |= 1
		}
		return
	}
	t := &d.bus.Transactions[len(d.bus.Transactions)-1]
	t.Bytes = append(t.Bytes, I2CByte{At: at, Value: d.value, Address: d.addressing, Ack: !d.sda})
	d.addressing = false
}
