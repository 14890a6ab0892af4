package report

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"rigor/harness/measure"
	"rigor/harness/record"
)

// figure is a chart, what it is of and what to know of it.
type figure struct {
	record.Plot
	caption string
	chart   *chart
}

// figures are the charts that a run gives: of each experiment the spectra that it found, or
// the update that it cut, and of each board how fast its transforms are. A sample that cannot be read is an error.
func figures(r *record.Run) (all []figure, err error) {
	for _, e := range r.Experiments {
		for _, draw := range []func(*record.Run, record.Experiment) (*figure, error){spectra, timeline} {
			f, err := draw(r, e)
			if err != nil {
				return nil, fmt.Errorf("plot %s on %s: %w", e.Name, e.Board, err)
			}
			if f != nil && !slices.ContainsFunc(all, func(o figure) bool { return o.Title == f.Title }) { // not of repeats
				all = append(all, *f)
			}
		}
	}
	for _, b := range r.Boards {
		for _, s := range []pace{
			{measure.TransformRate, measure.PerSecond, "Transforms", "transforms a second"},
			{measure.TransformTime, measure.Cycles, "Time of a transform", "time (cycles of the core)"},
		} {
			if f := throughput(r, b, s); f != nil {
				all = append(all, *f)
			}
		}
	}
	return all, nil
}

// spectra plots an experiment's spectra, or nothing.
func spectra(r *record.Run, e record.Experiment) (*figure, error) {
	title := "Spectrum: " + e.Name + ", " + e.Board
	c := newChart(title, "frequency (kHz)", "level (dBFS)")
	for _, m := range e.Measurements {
		if !isSpectrum(m) {
			continue
		}
		s, err := r.Sample(m)
		if err != nil {
			return nil, err
		}
		c.line(fmt.Sprintf("%s, by %s", strings.TrimPrefix(m.Quantity, measure.Spectra+"-"), m.Source), bins(s), false)
	}
	if c.lines == 0 {
		return nil, nil
	}
	c.Y.Min, c.Y.Max = -120, 0 // below is what rounding leaves
	return &figure{record.Plot{Title: title, Board: e.Board}, "Suite " + e.Suite + ".", c}, nil
}

func isSpectrum(m record.Measurement) bool {
	return strings.HasPrefix(m.Quantity, measure.Spectra+"-")
}

// bins are the levels of a spectrum in decibels over kilohertz, from 0 to half the rate.
func bins(s measure.Sample) (points plotter.XYs) {
	step := float64(s.Clock) / 2000 / float64(max(len(s.Values)-1, 1))
	for k, v := range s.Values {
		points = append(points, plotter.XY{X: step * float64(k), Y: float64(v) / 1000})
	}
	return points
}

// pace is how fast transforms are as one of their quantities has it, in one unit: the
// probe's ticks are no cycles.
type pace struct {
	what         string
	unit         measure.Unit
	title, label string
}

// throughput plots a quantity of transforms on a board over their size, or nothing.
func throughput(r *record.Run, b record.Board, of pace) *figure {
	points := map[string]plotter.XYs{} // medians by variant
	least, most := math.Inf(1), 0.0
	for _, variant := range measure.TransformVariants {
		for _, size := range measure.TransformSizes {
			if v, ok := median(r, b, measure.Transforming(of.what, variant, size), of.unit); ok {
				points[variant] = append(points[variant], plotter.XY{X: math.Log2(float64(size)), Y: math.Log10(v)})
				least, most = min(least, v), max(most, v)
			}
		}
	}
	if len(points) == 0 {
		return nil
	}
	title := of.title + ", " + b.Name
	c := newChart(title, "size of the block (points)", of.label)
	for _, variant := range slices.Sorted(maps.Keys(points)) {
		c.line(variant, points[variant], true)
	}
	sizes(&c.X)
	decades(&c.Y, least, most)
	return &figure{record.Plot{Title: title, Board: b.Name}, "Medians, chip " + b.Chip + ".", c}
}

// sizes lets an axis be of the logarithms to base two of the sizes of transforms.
func sizes(a *plot.Axis) {
	var ticks plot.ConstantTicks
	for _, size := range measure.TransformSizes {
		ticks = append(ticks, plot.Tick{Value: math.Log2(float64(size)), Label: fmt.Sprint(size)})
	}
	a.Min, a.Max = ticks[0].Value-0.2, ticks[len(ticks)-1].Value+0.2 // room for the marks
	a.Tick.Marker = ticks
}

// median is the last one above zero, which is what a logarithmic axis can show, of a
// quantity on a board, in a unit.
func median(r *record.Run, b record.Board, quantity string, unit measure.Unit) (last float64, ok bool) {
	for _, e := range r.Experiments {
		for _, m := range e.Measurements {
			if v := m.Summary.Median.Value; e.Board == b.Name && m.Quantity == quantity && m.Unit == unit && v > 0 {
				last, ok = float64(v), true
			}
		}
	}
	return last, ok
}

// Files writes the plots of a run and its report into the run's bundle.
func Files(b *record.Bundle, r *record.Run) error {
	all, err := figures(r)
	if err != nil {
		return err
	}
	r.Plots = nil
	for i := range all {
		if all[i].File, err = b.Plot(all[i].Title, all[i].chart.writeSVG); err != nil {
			return fmt.Errorf("plot: %w", err)
		}
		r.Plots = append(r.Plots, all[i].Plot)
	}
	if err := b.Update(func(on *record.Run) error { on.Plots = r.Plots; return nil }); err != nil {
		return fmt.Errorf("record the plots: %w", err)
	}
	return b.WriteFile(record.ReportFile, func(w io.Writer) error { return page(w, r, all) })
}
