package sketch

import (
	"fmt"
	"slices"
	"strings"

	"rigor/harness/timebase"
	"rigor/probes"
)

// Wave is a picture of a part of a capture: a lane to each line, over time to scale.
type Wave struct {
	Title    string
	Capture  probes.Capture
	From, To timebase.Ticks
	Span     [2]timebase.Ticks // what to point at, from and to; zero: nothing
}

// The parts of the picture.
const (
	lane, swing  = 26, 15 // from lane to lane, from low to high
	names        = 74
	waveTop      = 6
	waveRight    = Width - 6
	narrowest    = 0.8 // between two edges that can be told apart
	dense        = 6   // edges in a place that make it a block
	longestLabel = 12
)

// SVG draws the picture.
func (w Wave) SVG() string {
	lines := w.lines()
	d := &drawing{height: waveTop + len(lines)*lane + 18}
	x := func(t timebase.Ticks) float64 {
		return names + float64(t-w.From)/float64(max(w.To-w.From, 1))*(waveRight-names)
	}
	if w.Span[1] > w.Span[0] {
		begin, end := x(w.Span[0]), max(x(w.Span[1]), x(w.Span[0])+1)
		fmt.Fprintf(d, `<rect class="sp" x="%s" y="0" width="%s" height="%d"/>`, num(begin), num(end-begin), d.height-14)
	}
	w.axis(d, x)
	for i, l := range lines {
		base := float64(waveTop + (i+1)*lane - 6)
		name := []rune(string(l))
		d.text("", names-6, base-3, "end", string(name[:min(len(name), longestLabel)]))
		w.level(d, l, base, x)
	}
	return d.svg(w.Title)
}

// lines are the capture's, in order.
func (w Wave) lines() (all []probes.Line) {
	for l := range w.Capture.Initial {
		all = append(all, l)
	}
	slices.Sort(all)
	return all
}

// axis draws round times since the part's begin, under grid lines.
func (w Wave) axis(d *drawing, x func(timebase.Ticks) float64) {
	span := float64(w.To-w.From) / float64(w.Capture.Rate)
	unit, scale := "s", 1.0
	for _, u := range []struct {
		name  string
		scale float64
	}{{"ms", 1e3}, {"µs", 1e6}, {"ns", 1e9}} {
		if span*scale < 2 {
			unit, scale = u.name, u.scale
		}
	}
	var grid strings.Builder
	for i, v := range ticks(0, span*scale, 5) {
		at := x(w.From + timebase.Ticks(v/scale*float64(w.Capture.Rate)))
		fmt.Fprintf(&grid, "M%s %dV%d", num(at), waveTop, d.height-16)
		label, anchor := fmt.Sprintf("%g", v), "middle"
		if i == 0 {
			label += " " + unit
		}
		if at > waveRight-10 {
			anchor = "end"
		}
		d.text("", at, float64(d.height-4), anchor, label)
	}
	d.path("gr", grid.String())
}

// level draws a line's level. Where its edges lie too close to be told apart a block stands for them.
func (w Wave) level(d *drawing, l probes.Line, base float64, x func(timebase.Ticks) float64) {
	y := func(high bool) float64 {
		if high {
			return base - swing
		}
		return base
	}
	high := w.Capture.Initial[l]
	var edges []probes.Edge
	for _, e := range w.Capture.Edges {
		switch {
		case e.Line != l || e.At > w.To:
		case e.At < w.From:
			high = e.High
		default:
			edges = append(edges, e)
		}
	}
	var path, blocks strings.Builder
	fmt.Fprintf(&path, "M%d %s", names, num(y(high)))
	for i := 0; i < len(edges); {
		n := crowd(edges[i:], x)
		at, end := x(edges[i].At), x(edges[i+n-1].At)
		if n >= dense {
			fmt.Fprintf(&blocks, "M%s %sH%sV%sH%sz", num(at), num(base), num(end), num(base-swing), num(at))
			fmt.Fprintf(&path, "H%sM%s %s", num(at), num(end), num(y(edges[i+n-1].High)))
		} else {
			for _, e := range edges[i : i+n] {
				fmt.Fprintf(&path, "H%sV%s", num(x(e.At)), num(y(e.High)))
			}
		}
		i += n
	}
	fmt.Fprintf(&path, "H%d", waveRight)
	d.path("bz", blocks.String())
	d.path("lv", path.String())
}

// crowd counts the edges from the first on that follow each other too closely, at least one.
func crowd(edges []probes.Edge, x func(timebase.Ticks) float64) int {
	n := 1
	for n < len(edges) && x(edges[n].At)-x(edges[n-1].At) < narrowest {
		n++
	}
	return n
}

// Part is what of a capture is worth a look: from an edge on as many as can be told apart. It ends before a
// silence beside which they could not, and after most edges. The margins are a twentieth to each side.
func Part(c probes.Capture, first, most int) (from, to timebase.Ticks, edges int) {
	if first >= len(c.Edges) {
		return 0, c.Length, 0
	}
	begin, last := c.Edges[first].At, first
	for i := first + 1; i < len(c.Edges) && i-first < most; i++ {
		silence, seen := c.Edges[i].At-c.Edges[i-1].At, c.Edges[i-1].At-begin
		if i-first > 2 && seen > 0 && silence/25 > seen {
			break
		}
		last = i
	}
	to = c.Edges[last].At
	if last == first {
		to = c.Length
	}
	margin := max((to-begin)/20, 1)
	return max(begin-margin, 0), to + margin, last - first + 1
}
