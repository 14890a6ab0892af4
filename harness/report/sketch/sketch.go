// Package sketch draws small pictures that a page may have hundreds of: the values of a sample in
// the order in which they were taken beside how they are distributed, and the levels of lines over time. Each is
// SVG 1.1 of a few kilobytes at most, whatever is drawn: what lies closer together than can be
// seen is drawn once. The looks (colours, fonts) come from the page, by classes; [Style] has them.
//
// Left out: pictures that stand alone, with axes for measuring; package report has those.
package sketch

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
)

// Width is that of every picture, in units that are pixels where a page doesn't scale it: those of a phone.
const Width = 360

// Style is the style sheet of a page with sketches.
const Style = `.sk { width: 100%; height: auto; font: 11px "Liberation Sans", Arimo, Arial, Helvetica, sans-serif; fill: #444 }
.sk .ax { stroke: #bbb; fill: none } .sk .gr { stroke: #e8e8e8; fill: none }
.sk .pt { stroke: #0072b2; fill: none; stroke-width: 2.4; stroke-linecap: round } .sk .hi { fill: #56b4e9 }
.sk .lm { stroke: #b00000; stroke-width: 1.2; stroke-dasharray: 5 3; fill: none } .sk .lt { fill: #b00000 }
.sk .bl { stroke: #555; stroke-width: 1.2; stroke-dasharray: 1.5 2.5; fill: none } .sk .bt { fill: #555 }
.sk .lv { stroke: #0072b2; fill: none; stroke-width: 1.5; stroke-linejoin: round } .sk .bz { fill: #56b4e9 }
.sk .sp { fill: #ffe9b8 }
`

// drawing gathers the elements of a picture.
type drawing struct {
	strings.Builder
	height int
}

func (d *drawing) text(class string, x, y float64, anchor, text string) {
	fmt.Fprintf(d, `<text x="%s" y="%s"`, num(x), num(y))
	if class != "" {
		fmt.Fprintf(d, ` class="%s"`, class)
	}
	if anchor != "" {
		fmt.Fprintf(d, ` text-anchor="%s"`, anchor)
	}
	fmt.Fprintf(d, ">%s</text>", html.EscapeString(text))
}

func (d *drawing) path(class, data string) {
	if data != "" {
		fmt.Fprintf(d, `<path class="%s" d="%s"/>`, class, data)
	}
}

// svg is the picture, with a title for those who listen.
func (d *drawing) svg(title string) string {
	return fmt.Sprintf(`<svg class="sk" viewBox="0 0 %d %d" role="img" aria-label="%s">%s</svg>`,
		Width, d.height, html.EscapeString(title), d.String())
}

// num writes a coordinate to a tenth.
func num(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// ticks are round numbers between two values, about n of them, a step of 1, 2 or 5 times a power of ten apart.
func ticks(from, to float64, n int) (all []float64) {
	if !(to > from) {
		return nil
	}
	step := math.Pow(10, math.Floor(math.Log10((to-from)/float64(n))))
	for _, m := range []float64{1, 2, 5, 10} {
		if (to-from)/(step*m) <= float64(n) {
			step *= m
			break
		}
	}
	for k := math.Ceil(from / step); k*step <= to; k++ {
		all = append(all, k*step+0) // not -0
	}
	return all
}
