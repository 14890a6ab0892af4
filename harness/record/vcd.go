package record

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"rigor/harness/timebase"
	"rigor/probes"
)

// timescales are the units that VCD knows (IEEE 1364-2005, 18.2.3.7), largest
// first, down to what viewers can take.
var timescales = []struct {
	name string
	rate timebase.Rate
}{
	{"1 ms", 1e3}, {"100 us", 1e4}, {"10 us", 1e5}, {"1 us", 1e6}, {"100 ns", 1e7}, {"10 ns", 1e8},
	{"1 ns", 1e9},
}

// WriteVCD writes a capture as a value change dump, one wire to each line. Its time
// unit is the largest that is no longer than the capture's resolution, so edges
// move by less than they are known to; but never shorter than a nanosecond, to which a
// finer capture's edges are rounded. Viewers turn time units into samples: sigrok's decoders
// take minutes over picoseconds and then lose bits.
func WriteVCD(w io.Writer, c probes.Capture, comment string) error {
	if c.Rate == 0 {
		return fmt.Errorf("write VCD: capture without a rate")
	}
	b := bufio.NewWriter(w)
	unit := timescale(c)
	fmt.Fprintf(b, "$comment %s; %v capture, %d edges lost $end\n", vcdText(comment), c.Rate, c.Lost)
	fmt.Fprintf(b, "$timescale %s $end\n$scope module rig $end\n", timescales[unit].name)
	ids := map[probes.Line]string{}
	lines := linesOf(c)
	for i, l := range lines {
		ids[l] = vcdID(i)
		fmt.Fprintf(b, "$var wire 1 %s %s $end\n", ids[l], strings.Join(strings.Fields(string(l)), "_"))
	}
	fmt.Fprint(b, "$upscope $end\n$enddefinitions $end\n#0\n$dumpvars\n")
	for _, l := range lines {
		fmt.Fprintf(b, "%d%s\n", one(c.Initial[l]), ids[l])
	}
	fmt.Fprint(b, "$end\n")
	writeEdges(b, c, ids, timescales[unit].rate)
	return b.Flush()
}

func writeEdges(b *bufio.Writer, c probes.Capture, ids map[probes.Line]string, to timebase.Rate) {
	last := timebase.Ticks(0)
	for _, e := range c.Edges {
		if at := e.At.Convert(c.Rate, to); at != last {
			fmt.Fprintf(b, "#%d\n", at)
			last = at
		}
		fmt.Fprintf(b, "%d%s\n", one(e.High), ids[e.Line])
	}
	if end := c.Length.Convert(c.Rate, to); end > last {
		fmt.Fprintf(b, "#%d\n", end)
	}
}

// timescale picks the unit, by its index.
func timescale(c probes.Capture) int {
	period := max(c.Resolution, 1)
	for i, t := range timescales {
		if uint64(period)*uint64(t.rate) >= uint64(c.Rate) {
			return i
		}
	}
	return len(timescales) - 1
}

// linesOf gives the capture's lines in a fixed order.
func linesOf(c probes.Capture) []probes.Line {
	all := maps.Clone(c.Initial)
	if all == nil {
		all = map[probes.Line]bool{}
	}
	for _, e := range c.Edges {
		all[e.Line] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// vcdID gives the identifier code of the i-th line: printable characters from !
// (18.2.1), one as long as they last.
func vcdID(i int) string {
	const first, count = '!', '~' - '!' + 1
	if i < count {
		return string(rune(first + i))
	}
	return vcdID(i/count-1) + string(rune(first+i%count))
}

// vcdText keeps a comment from ending itself.
func vcdText(s string) string { return strings.ReplaceAll(s, "$end", "end") }
