package sketch

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Rule is a value to compare with: a limit or what the baseline has.
type Rule struct {
	At    float64
	Name  string
	Limit bool // else it is a baseline
}

// Sample is a picture of values: over their number to the left, how many there are of each height to the right.
type Sample struct {
	Title  string
	Unit   string
	Values []float64 // in Unit
	Rules  []Rule
}

// The parts of the picture: the series from left to mid, the distribution from there to right.
const (
	sampleHeight        = 132
	left, mid, right    = 52, 262, Width - 4
	top, bottom         = 16, sampleHeight - 18
	columns, bins       = 105, 24
	highest, lowestTick = bottom - top, 11.0
)

// SVG draws the picture, or gives "" for values that are all the same.
func (s Sample) SVG() string {
	if len(s.Values) == 0 || slices.Min(s.Values) == slices.Max(s.Values) {
		return ""
	}
	from, to := s.span()
	y := func(v float64) float64 { return bottom - (v-from)/(to-from)*highest }
	d := &drawing{height: sampleHeight}
	d.text("", 0, 10, "", s.Unit)
	var grid strings.Builder
	for _, v := range ticks(from, to, 5) {
		fmt.Fprintf(&grid, "M%d %sH%d", left, num(y(v)), right)
		d.text("", left-4, y(v)+4, "end", short(v))
	}
	d.path("gr", grid.String())
	d.path("hi", s.bars(from, to))
	d.path("pt", s.points(y))
	d.path("ax", fmt.Sprintf("M%d %dV%dH%dM%d %dV%d", left, top, bottom, right, mid, top, bottom))
	d.text("", left, sampleHeight-4, "", "1")
	d.text("", mid-6, sampleHeight-4, "end", fmt.Sprintf("value %d", len(s.Values)))
	d.text("", right, sampleHeight-4, "end", "how many")
	s.rules(d, from, to, y)
	return d.svg(s.Title)
}

// span is what the axis shows: all values, and rules that lie less far off than the values are apart; room around.
func (s Sample) span() (from, to float64) {
	least, most := slices.Min(s.Values), slices.Max(s.Values)
	from, to = least, most
	for _, r := range s.Rules {
		if r.At > least-1.5*(most-least) && r.At < most+1.5*(most-least) {
			from, to = min(from, r.At), max(to, r.At)
		}
	}
	room := (to - from) * 0.06
	return from - room, to + room
}

// points draws the values from left to right, of those that share a column the first, the least and the greatest.
func (s Sample) points(y func(float64) float64) string {
	var b strings.Builder
	n := min(len(s.Values), columns)
	for c := range n {
		part := s.Values[c*len(s.Values)/n : (c+1)*len(s.Values)/n]
		x := num(left + 4 + (mid-left-8)*float64(c)/float64(max(n-1, 1)))
		var drawn []string
		for _, v := range []float64{part[0], slices.Min(part), slices.Max(part)} {
			if at := num(y(v)); !slices.Contains(drawn, at) {
				drawn = append(drawn, at)
				fmt.Fprintf(&b, "M%s %sh.1", x, at)
			}
		}
	}
	return b.String()
}

// bars draws the distribution, sideways: each bin over the same axis as the points.
func (s Sample) bars(from, to float64) string {
	var counts [bins]int
	for _, v := range s.Values {
		counts[min(int((v-from)/(to-from)*bins), bins-1)]++
	}
	most := float64(slices.Max(counts[:]))
	var b strings.Builder
	const height = float64(highest) / bins
	for i, n := range counts {
		if n > 0 {
			width := max(float64(n)/most*(right-mid-6), 1.5)
			fmt.Fprintf(&b, "M%d %sh%sv%sh-%sz", mid+1, num(bottom-float64(i)*height-0.5), num(width), num(-height+1), num(width))
		}
	}
	return b.String()
}

// rules draws what lies on the axis as lines, and names with an arrow what lies beyond it.
func (s Sample) rules(d *drawing, from, to float64, y func(float64) float64) {
	x := float64(left)
	for _, r := range s.Rules {
		line, text := "bl", "bt"
		if r.Limit {
			line, text = "lm", "lt"
		}
		name := r.Name
		switch {
		case r.At < from:
			name += " ↓"
		case r.At > to:
			name += " ↑"
		default:
			d.path(line, fmt.Sprintf("M%d %sH%d", left, num(y(r.At)), right))
		}
		d.text(text, x, 10, "", name)
		x += lowestTick + 6*float64(len([]rune(name)))
	}
}

// short writes a number for an axis in seven characters or fewer, as far as that goes.
func short(v float64) string {
	for _, u := range []struct {
		scale float64
		name  string
	}{{1e9, "G"}, {1e6, "M"}, {1e4, "k"}} {
		if math.Abs(v) >= u.scale {
			scale := u.scale
			if u.name == "k" {
				scale = 1e3
			}
			return strconv.FormatFloat(v/scale, 'g', 5, 64) + u.name
		}
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}
