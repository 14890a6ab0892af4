package report

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"html"
	"image/color"
	"io"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// chart is a plot of lines over two axes with its legend below, written as SVG 1.1: one
// picture that needs nothing beside, whose text stays readable at a phone's width and
// whose lines can be told apart without colour.
type chart struct {
	*plot.Plot
	legend plot.Legend
	lines  int
}

// The picture's size, in units that are pixels where a page doesn't scale it.
const (
	chartWidth, chartHeight = 400, 320
	chartMargin             = 6
	fontSize                = 12
)

// styles are colours that the colour-blind can tell apart (Okabe and Ito, Color Universal
// Design, 2008), with dashes and marks for print.
var styles = []struct {
	colour color.RGBA
	dashes []vg.Length
	mark   draw.GlyphDrawer
}{
	{color.RGBA{0x00, 0x72, 0xb2, 0xff}, nil, draw.CircleGlyph{}},
	{color.RGBA{0xd5, 0x5e, 0x00, 0xff}, []vg.Length{6, 3}, draw.BoxGlyph{}},
	{color.RGBA{0x00, 0x9e, 0x73, 0xff}, []vg.Length{2, 3}, draw.PyramidGlyph{}},
	{color.RGBA{0xcc, 0x79, 0xa7, 0xff}, []vg.Length{9, 3, 2, 3}, draw.CrossGlyph{}},
}

// newChart is a chart without lines; the axes' labels have their units.
func newChart(title, x, y string) *chart {
	c := &chart{Plot: plot.New(), legend: plot.NewLegend()}
	c.Title.Text, c.X.Label.Text, c.Y.Label.Text = title, x, y
	c.BackgroundColor = nil // the picture has one
	c.X.Padding, c.Y.Padding = 0, 0
	c.X.Tick.Marker, c.Y.Tick.Marker = plot.TickerFunc(even), plot.TickerFunc(even)
	c.X.Tick.Length, c.Y.Tick.Length = 5, 5
	c.Title.Padding, c.X.Label.Padding, c.Y.Label.Padding = 8, 4, 4
	c.legend.Left, c.legend.Padding, c.legend.ThumbnailWidth = true, 4, 28
	for _, s := range []*text.Style{&c.Title.TextStyle, &c.X.Label.TextStyle, &c.X.Tick.Label, &c.Y.Label.TextStyle, &c.Y.Tick.Label, &c.legend.TextStyle} {
		s.Font.Variant, s.Font.Size = "Sans", fontSize
	}
	rules := draw.LineStyle{Color: color.Gray{0xdd}, Width: 0.75}
	c.Add(&plotter.Grid{Vertical: rules, Horizontal: rules})
	return c
}

// line adds a line through points, in order of x.
func (c *chart) line(name string, points plotter.XYs, marks bool) {
	s := styles[c.lines%len(styles)]
	c.lines++
	line := &plotter.Line{XYs: points, LineStyle: draw.LineStyle{Color: s.colour, Width: 1.5, Dashes: s.dashes}}
	look := []plot.Thumbnailer{line}
	c.Add(line)
	if marks {
		dots := &plotter.Scatter{XYs: points, GlyphStyle: draw.GlyphStyle{Color: s.colour, Radius: 4, Shape: s.mark}}
		look = append(look, dots)
		c.Add(dots)
	}
	c.legend.Add(name, look...)
}

// decades lets an axis be of logarithms to base ten, of whole powers of ten around values.
// (With the library's own LogScale the label of the axis takes room where the middle of a
// linear axis would be, and the plot shrinks.)
func decades(a *plot.Axis, least, most float64) {
	a.Min = math.Floor(math.Log10(least))
	a.Max = max(math.Ceil(math.Log10(most)), a.Min+1)
	var ticks plot.ConstantTicks
	for _, t := range (plot.LogTicks{}).Ticks(math.Pow10(int(a.Min)), math.Pow10(int(a.Max))) {
		if !t.IsMinor() {
			t.Label = number(t.Value)
		}
		t.Value = math.Log10(t.Value)
		ticks = append(ticks, t)
	}
	a.Tick.Marker = ticks
}

// even are ticks of a linear axis with their numbers, where the library gives only three; every other one where they
// would run into each other.
func even(from, to float64) []plot.Tick {
	const most = 13
	all := plot.DefaultTicks{}.Ticks(from, to)
	slices.SortFunc(all, func(a, b plot.Tick) int { return cmp.Compare(a.Value, b.Value) })
	for i, t := range all {
		if len(all) <= most || i%2 == 0 {
			all[i].Label = number(t.Value)
		} else {
			all[i].Label = ""
		}
	}
	return all
}

// number writes a tick's value, thousands and millions by their letters.
func number(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.4gM", v/1e6)
	case v >= 1000:
		return fmt.Sprintf("%.4gk", v/1000)
	}
	return fmt.Sprintf("%.4g", v)
}

// writeSVG draws the chart.
func (c *chart) writeSVG(w io.Writer) error {
	canvas := vgsvg.New(chartWidth, chartHeight)
	all := draw.New(canvas)
	all.SetColor(color.White)
	all.Fill(all.Rectangle.Path())
	area := draw.Crop(all, chartMargin, -chartMargin, chartMargin, -chartMargin)
	c.legend.Draw(area)
	c.Draw(draw.Crop(area, 0, 0, c.legend.Rectangle(area).Size().Y+chartMargin, 0))
	var svg bytes.Buffer
	if _, err := canvas.WriteTo(&svg); err != nil {
		return err
	}
	return frame(w, c.Title.Text, svg.Bytes())
}

// frame writes a drawing of vgsvg with a beginning that HTML takes too, the title for those
// who listen, and fonts for where there is no Liberation Sans, of the same widths first.
func frame(w io.Writer, title string, svg []byte) error {
	_, drawing, ok := bytes.Cut(svg, []byte("xmlns:xlink=\"http://www.w3.org/1999/xlink\">\n"))
	if !ok {
		return errors.New("BUG: vgsvg begins otherwise")
	}
	title = html.EscapeString(title)
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">
<title>%s</title>
<style>text { font-family: "Liberation Sans", Arimo, Arial, Helvetica, sans-serif !important }</style>
%s`, chartWidth, chartHeight, chartWidth, chartHeight, title, title, drawing)
	return err
}
