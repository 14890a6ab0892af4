package web

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// point is a run's value of a figure.
type point struct {
	run           string
	at            time.Time
	value, lo, hi int64 // with the interval that holds the true one
	bad           bool  // the run's verdict on it failed
}

// shift is a change point: from the point at on, values lie at another level.
type shift struct {
	at            int
	before, after float64 // means of the runs before, until the shift before that, and after
	label         string  // by how much
}

// relative writes by how much a value changed.
func relative(before, after float64) string {
	if before == 0 {
		return minus(fmt.Sprintf("%+.4g", after-before))
	}
	percent := 100 * (after - before) / math.Abs(before)
	if math.Abs(percent) >= 100 {
		return minus(fmt.Sprintf("%+.0f %%", percent))
	}
	return minus(fmt.Sprintf("%+.2f %%", percent))
}

// minus has the sign of the length of a plus.
func minus(number string) string { return strings.ReplaceAll(number, "-", "−") }

// exactly writes by how much an exact value changed, and what that is in per cent, if it is anything.
func exactly(before, after int64) string {
	text := grouped(after - before)
	if after > before {
		text = "+" + text
	}
	if part := relative(float64(before), float64(after)); before != 0 && !strings.Contains(part, "0.00 ") {
		text += " (" + part + ")"
	}
	return text
}

// chart is the drawing of a series: run after run from left to right, each as far from the
// next, so that the order is plain however unevenly they lie in time.
type chart struct {
	Class, Title  string
	Width, Height float64
	Left, Right   float64 // the drawing's edges inside
	Top, Bottom   float64
	Values, Dates []tick
	Path          string
	Dots          []dot
	Levels        []level
	Shifts        []mark
}

type tick struct {
	At     float64
	Label  string
	Anchor string
}

type dot struct {
	X, Y, Lo, Hi float64
	Run, Title   string
	Bad          bool
	Last         bool
}

type level struct{ X1, X2, Y float64 }

type mark struct {
	X             float64
	Label, Anchor string
}

// letter is about the width of a digit of the charts' font.
const letter = 7

// charts draws a series for a wide page and for a phone.
func charts(title string, points []point, shifts []shift) []chart {
	if len(points) == 0 {
		return nil
	}
	wide := chart{Class: "wide-chart", Title: title, Width: 960, Height: 300}
	narrow := chart{Class: "narrow", Title: title, Width: 360, Height: 270}
	wide.draw(points, shifts, 6)
	narrow.draw(points, shifts, 2)
	return []chart{wide, narrow}
}

func (c *chart) draw(points []point, shifts []shift, dates int) {
	least, most := bounds(points)
	ticks := nice(least, most)
	longest := 0
	for _, v := range ticks {
		longest = max(longest, len([]rune(grouped(v))))
	}
	c.Left, c.Right, c.Top, c.Bottom = float64(longest*letter+14), c.Width-14, 30, c.Height-26
	lo, hi := float64(ticks[0]), float64(ticks[len(ticks)-1])
	y := func(v float64) float64 { return round(c.Bottom - (min(max(v, lo), hi)-lo)/(hi-lo)*(c.Bottom-c.Top)) }
	x := func(i int) float64 { return round(place(i, len(points), c.Left+10, c.Right-10)) }
	for _, v := range ticks {
		c.Values = append(c.Values, tick{y(float64(v)), grouped(v), "end"})
	}
	c.plot(points, x, y)
	c.segments(points, shifts, x, y)
	c.Dates = dated(points, dates, x)
}

// plot draws the values, and the intervals that they are known to.
func (c *chart) plot(points []point, x func(int) float64, y func(float64) float64) {
	var path strings.Builder
	for i, p := range points {
		fmt.Fprintf(&path, "%c%g %g", "ML"[min(i, 1)], x(i), y(float64(p.value)))
		c.Dots = append(c.Dots, dot{X: x(i), Y: y(float64(p.value)), Lo: y(float64(p.lo)), Hi: y(float64(p.hi)), Run: p.run, Bad: p.bad,
			Last: i == len(points)-1, Title: p.describe()})
	}
	c.Path = path.String()
}

func (p point) describe() string {
	text := fmt.Sprintf("%s: %s", p.at.UTC().Format("2006-01-02 15:04"), grouped(p.value))
	if p.lo != p.hi {
		text += fmt.Sprintf(" (%s to %s)", grouped(p.lo), grouped(p.hi))
	}
	return text + ", run " + p.run
}

// segments draws the level of the values between shifts, and the shifts.
func (c *chart) segments(points []point, shifts []shift, x func(int) float64, y func(float64) float64) {
	if len(shifts) == 0 {
		return
	}
	from := 0
	for _, s := range shifts {
		c.Levels = append(c.Levels, level{x(from), x(s.at - 1), y(s.before)})
		m := mark{X: round((x(s.at-1) + x(s.at)) / 2), Label: s.label, Anchor: "middle"}
		switch room := float64(len([]rune(m.Label))*letter) / 2; {
		case m.X-room < c.Left:
			m.Anchor = "start"
		case m.X+room > c.Right:
			m.Anchor = "end"
		}
		c.Shifts = append(c.Shifts, m)
		from = s.at
	}
	c.Levels = append(c.Levels, level{x(from), x(len(points) - 1), y(shifts[len(shifts)-1].after)})
}

// dated labels some of the runs with their date, or their time if all are of about a day.
func dated(points []point, n int, x func(int) float64) (ticks []tick) {
	layout := "2 Jan 2006"
	if points[len(points)-1].at.Sub(points[0].at) < 36*time.Hour {
		layout = "2 Jan 15:04"
	}
	n = min(n, len(points))
	for k := range n {
		i := k * (len(points) - 1) / max(n-1, 1)
		t := tick{At: x(i), Label: points[i].at.UTC().Format(layout), Anchor: "middle"}
		switch {
		case n > 1 && k == 0:
			t.Anchor = "start"
		case n > 1 && k == n-1:
			t.Anchor = "end"
		}
		ticks = append(ticks, t)
	}
	return ticks
}

// spark is a series small enough for a table's cell.
func spark(points []point, shifts []shift) *chart {
	if len(points) < 2 {
		return nil
	}
	c := &chart{Class: "spark", Width: 144, Height: 32, Left: 4, Right: 140, Top: 4, Bottom: 28}
	least, most := bounds(points)
	y := func(v float64) float64 {
		if least == most {
			return 16
		}
		v = min(max(v, float64(least)), float64(most))
		return round(c.Bottom - (v-float64(least))/float64(most-least)*(c.Bottom-c.Top))
	}
	x := func(i int) float64 { return round(place(i, len(points), c.Left, c.Right)) }
	c.plot(points, x, y)
	c.segments(points, shifts, x, y)
	return c
}

// bounds are the least and the largest value, intervals included, as far as they can be told apart
// in a float.
func bounds(points []point) (least, most int64) {
	least, most = points[0].value, points[0].value
	for _, p := range points {
		least, most = min(least, p.value, p.lo), max(most, p.value, p.hi)
	}
	return max(least, -limit), min(most, limit)
}

// limit bounds what a chart shows: axes reach beyond it.
const limit = 1 << 53

// place spreads n things evenly from one edge to the other.
func place(i, n int, left, right float64) float64 {
	if n == 1 {
		return (left + right) / 2
	}
	return left + float64(i)*(right-left)/float64(n-1)
}

// nice are some five round numbers that enclose two.
func nice(least, most int64) (ticks []int64) {
	if most-least < 3 { // room around what is as good as one line
		least, most = least-1, most+1
	}
	step := int64(1)
	for (most-least)/step > 5 {
		switch first := leading(step); first {
		case 2:
			step = step / 2 * 5
		default:
			step *= 2
		}
	}
	at := int64(math.Floor(float64(least)/float64(step))) * step
	for ; at < most; at += step {
		ticks = append(ticks, at)
	}
	return append(ticks, at)
}

// leading is the first digit.
func leading(n int64) int64 {
	for n >= 10 {
		n /= 10
	}
	return n
}

func round(v float64) float64 { return math.Round(10*v) / 10 }

// grouped writes a number with a narrow space between thousands.
func grouped(v int64) string {
	digits := fmt.Sprint(v)
	sign := ""
	if v < 0 {
		sign, digits = "−", digits[1:]
	}
	if len(digits) < 5 {
		return sign + digits
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteRune('\u202f')
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}
