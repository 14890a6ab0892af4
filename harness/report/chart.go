package report

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// chart is a plot of lines over two axes, written as SVG 1.1: one picture that needs
// nothing beside, whose text stays readable at a phone's width and whose lines can be
// told apart without colour.
type chart struct {
	title string
	note  string // below the title: what, on what
	x, y  axis
	lines []line
}

// axis says what is along it. A logarithmic one goes from power to power of ten, unless
// it has ticks of its own.
type axis struct {
	label    string // with the unit
	from, to float64
	log      bool
	ticks    []float64 // nil: at round places
}

// line is a row of points, in order of x.
type line struct {
	name   string
	points []point
	marks  bool // a mark at each point
}

type point struct{ x, y float64 }

// The picture, in units that are pixels at its own size.
const (
	chartWidth, chartHeight = 480, 360
	plotLeft, plotRight     = 62, 460
	plotTop, plotBottom     = 50, 282
	fontSize                = 13
)

// styles are colours that the colour-blind can tell apart (Okabe and Ito, Color Universal
// Design, 2008), with dashes and marks for print.
var styles = []struct{ colour, dashes, mark string }{
	{"#0072b2", "", "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0"},
	{"#d55e00", "7 3", "M-4,-4h8v8h-8z"},
	{"#009e73", "2 3", "M0,-5l5,9h-10z"},
	{"#cc79a7", "9 3 2 3", "M0,-5l5,5l-5,5l-5,-5z"},
}

// writeSVG draws the chart.
func (c chart) writeSVG(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" font-family="sans-serif" font-size="%d">`+"\n",
		chartWidth, chartHeight, chartWidth, chartHeight, fontSize)
	fmt.Fprintf(b, "<title>%s</title>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n", html.EscapeString(c.title))
	text(b, plotLeft, 18, `font-weight="bold"`, c.title)
	text(b, plotLeft, 36, `fill="#444"`, c.note)
	c.drawX(b)
	c.drawY(b)
	for i, l := range c.lines {
		c.draw(b, l, i)
	}
	c.legend(b)
	fmt.Fprintln(b, "</svg>")
	return b.Flush()
}

func text(w io.Writer, x, y float64, attributes, s string) {
	fmt.Fprintf(w, "<text x=\"%.1f\" y=\"%.1f\" %s>%s</text>\n", x, y, attributes, html.EscapeString(s))
}

func (c chart) drawX(w io.Writer) {
	for _, v := range c.x.places() {
		x := c.x.at(v, plotLeft, plotRight)
		fmt.Fprintf(w, "<path d=\"M%.1f,%dV%d\" stroke=\"#ddd\"/>\n", x, plotTop, plotBottom)
		text(w, x, plotBottom+17, `text-anchor="middle"`, number(v))
	}
	text(w, (plotLeft+plotRight)/2, plotBottom+36, `text-anchor="middle"`, c.x.label)
}

func (c chart) drawY(w io.Writer) {
	for _, v := range c.y.places() {
		y := c.y.at(v, plotBottom, plotTop)
		fmt.Fprintf(w, "<path d=\"M%d,%.1fH%d\" stroke=\"#ddd\"/>\n", plotLeft, y, plotRight)
		text(w, plotLeft-6, y+fontSize/3, `text-anchor="end"`, number(v))
	}
	middle := (plotTop + plotBottom) / 2
	text(w, 14, float64(middle), fmt.Sprintf(`text-anchor="middle" transform="rotate(-90 14 %d)"`, middle), c.y.label)
	fmt.Fprintf(w, "<path d=\"M%d,%dV%dH%d\" fill=\"none\" stroke=\"#000\"/>\n", plotLeft, plotTop, plotBottom, plotRight)
}

func (c chart) draw(w io.Writer, l line, i int) {
	s := styles[i%len(styles)]
	var path, marks strings.Builder
	for k, p := range l.points {
		x, y := c.x.at(p.x, plotLeft, plotRight), c.y.at(p.y, plotBottom, plotTop)
		fmt.Fprintf(&path, "%c%.1f,%.1f", "ML"[min(k, 1)], x, y)
		if l.marks {
			fmt.Fprintf(&marks, "<path transform=\"translate(%.1f,%.1f)\" d=\"%s\" fill=\"%s\"/>\n", x, y, s.mark, s.colour)
		}
	}
	fmt.Fprintf(w, "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.6\" stroke-dasharray=\"%s\" stroke-linejoin=\"round\"/>\n%s",
		path.String(), s.colour, s.dashes, marks.String())
}

// legend names the lines, two to a row below the axes.
func (c chart) legend(w io.Writer) {
	for i, l := range c.lines {
		s := styles[i%len(styles)]
		x, y := float64(plotLeft+i%2*206), float64(plotBottom+54+i/2*17)
		fmt.Fprintf(w, "<path d=\"M%.1f,%.1fh24\" stroke=\"%s\" stroke-width=\"1.6\" stroke-dasharray=\"%s\"/>\n", x, y-4, s.colour, s.dashes)
		if l.marks {
			fmt.Fprintf(w, "<path transform=\"translate(%.1f,%.1f)\" d=\"%s\" fill=\"%s\"/>\n", x+12, y-4, s.mark, s.colour)
		}
		text(w, x+30, y, "", l.name)
	}
}

// at is where a value comes to lie between two places; what is beyond the axis lies at
// its end.
func (a axis) at(v, from, to float64) float64 {
	part := (a.scale(v) - a.scale(a.from)) / (a.scale(a.to) - a.scale(a.from))
	return from + (to-from)*min(max(part, 0), 1)
}

func (a axis) scale(v float64) float64 {
	if a.log {
		return math.Log10(max(v, math.SmallestNonzeroFloat64))
	}
	return v
}

// places are where the axis has ticks: given ones, powers of ten, or about six round ones.
func (a axis) places() (all []float64) {
	switch {
	case a.ticks != nil:
		return a.ticks
	case a.log:
		for v := a.from; v <= a.to*1.001; v *= 10 {
			all = append(all, v)
		}
		return all
	}
	step := math.Pow(10, math.Floor(math.Log10((a.to-a.from)/6)))
	for _, times := range []float64{2, 2.5, 2} { // 2, 5, 10
		if (a.to-a.from)/step > 8 {
			step *= times
		}
	}
	for i := math.Ceil(a.from / step); i*step <= a.to; i++ {
		all = append(all, i*step)
	}
	return all
}

// decades makes a logarithmic axis of whole powers of ten around values.
func decades(label string, least, most float64) axis {
	from := math.Pow(10, math.Floor(math.Log10(least)))
	return axis{label: label, log: true, from: from, to: max(math.Pow(10, math.Ceil(math.Log10(most))), 10*from)}
}

// number writes a tick's value, thousands and millions by their letters.
func number(v float64) string {
	unit := ""
	switch abs := math.Abs(v); {
	case abs >= 1e6:
		v, unit = v/1e6, "M"
	case abs >= 10_000:
		v, unit = v/1e3, "k"
	}
	return fmt.Sprintf("%.4g%s", v+0, unit)
}
