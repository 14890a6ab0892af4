// Package measure turns counts into numbers that can be judged: samples,
// summaries with confidence intervals, histograms, durations between captured
// edges, jitter, what characterises a converter, what a sound is made of, and the check that
// two instruments saw the same. It is pure: no clock, no file, no board.
//
// Values stay integers in the unit they were counted in (cycles of a core,
// ticks of a capture), so that nothing is rounded before it is recorded;
// conversions to time are rational. What needs fractions takes a smaller unit.
//
// The intervals are those of order statistics, free of any assumption about
// the distribution (Conover, Practical Nonparametric Statistics, 3rd edition,
// section 3.2; David and Nagaraja, Order Statistics, 3rd edition, section 7.1).
// Left out: comparing two states of a figure, which package change does, and benchstat from bench.txt.
package measure

import (
	"fmt"
	"math/big"
	"slices"

	"rigor/harness/timebase"
)

// Unit is what values count.
type Unit string

// The units. Cycles and Ticks need a clock to be a time.
const (
	Cycles         Unit = "cycles" // of a core's clock
	Ticks          Unit = "ticks"  // of a capture's clock
	Nanoseconds    Unit = "ns"
	Picoseconds    Unit = "ps"
	Bytes          Unit = "B"
	BytesPerSecond Unit = "B/s"
	Percent        Unit = "%"
	PPM            Unit = "ppm" // millionths
	Microvolts     Unit = "uV"
	Hertz          Unit = "Hz"
	Millikelvins   Unit = "mK"
	Millipascals   Unit = "mPa"
	Harts          Unit = "harts" // cores, as RISC-V counts them
	Millihertz     Unit = "mHz"
	Millidecibels  Unit = "mdB" // of two powers, or of a power and that of a sine at full scale
	Events         Unit = "events"
	PerSecond      Unit = "1/s"
)

// Units lists them.
var Units = []Unit{Cycles, Ticks, Nanoseconds, Picoseconds, Bytes, BytesPerSecond, Percent, PPM, Microvolts,
	Hertz, Millikelvins, Millipascals, Harts, Millihertz, Millidecibels, Events, PerSecond}

// Valid reports whether u is one of the units.
func (u Unit) Valid() bool { return slices.Contains(Units, u) }

// Source is who measured.
type Source string

// The sources.
const (
	Firmware Source = "firmware" // the board, by its own counter
	Probe    Source = "probe"    // an instrument at the board's pins
	Harness  Source = "harness"  // the host, on the rig's clock
)

// Assumption is what may be taken for granted about a sample's values.
type Assumption string

// The assumptions.
const (
	Nothing Assumption = "nothing" // values scatter as they like; intervals are estimated
	Exact   Assumption = "exact"   // values are equal by construction: any spread is a finding
)

// Sample holds the values of one quantity, in the order in which they were taken.
type Sample struct {
	Name       string // the quantity, see [Quantities]
	Source     Source
	Unit       Unit
	Clock      timebase.Rate // that Cycles or Ticks are counted by, else 0
	Resolution int64         // each value is known to within this many units
	Overhead   int64         // cost of the measurement, already subtracted from each value
	Assumption Assumption
	Values     []int64
	Warnings   []string // what a reader of the numbers should know
	Doubts     []string // why no verdict may rest on them, such as lost edges
}

// Subtract takes the cost of the measurement off every value and remembers it,
// so that it is shown beside the result. A value below zero keeps its sign and
// raises a doubt: the cost was not constant.
func (s Sample) Subtract(cost int64) Sample {
	s.Overhead += cost
	s.Values = slices.Clone(s.Values)
	below := 0
	for i := range s.Values {
		s.Values[i] -= cost
		if s.Values[i] < 0 {
			below++
		}
	}
	if below > 0 {
		s.Doubts = append(slices.Clone(s.Doubts),
			fmt.Sprintf("%d of %d values are below the measurement's own cost of %d %s", below, len(s.Values), cost, s.Unit))
	}
	return s
}

// Seconds is the span of n units, or false if the unit is no time. The clock
// is that of Cycles and Ticks.
func Seconds(n int64, u Unit, clock timebase.Rate) (*big.Rat, bool) {
	switch u {
	case Nanoseconds:
		clock = 1e9
	case Picoseconds:
		clock = 1e12
	case Cycles, Ticks:
	default:
		return nil, false
	}
	if clock == 0 {
		return nil, false
	}
	hz := new(big.Int).SetUint64(uint64(clock))
	return new(big.Rat).SetFrac(big.NewInt(n), hz), true
}

// Seconds is the span of n of the sample's units.
func (s Sample) Seconds(n int64) (*big.Rat, bool) { return Seconds(n, s.Unit, s.Clock) }
