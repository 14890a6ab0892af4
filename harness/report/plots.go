package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"rigor/harness/measure"
	"rigor/harness/record"
)

// plot is a chart and what it is of.
type plot struct {
	record.Plot
	chart chart
}

// plots are the charts that a run gives: of each experiment the spectra that it found, and
// of each board how fast its transforms are. A sample that cannot be read is an error.
func plots(r *record.Run) (all []plot, err error) {
	for _, e := range r.Experiments {
		p, err := spectra(r, e)
		if err != nil {
			return nil, fmt.Errorf("plot %s on %s: %w", e.Name, e.Board, err)
		}
		if p != nil && !slices.ContainsFunc(all, func(o plot) bool { return o.Title == p.Title }) { // not of repeats
			all = append(all, *p)
		}
	}
	for _, b := range r.Boards {
		for _, of := range []struct{ what, title, label string }{
			{measure.TransformRate, "Transforms", "transforms a second"},
			{measure.TransformTime, "Time of a transform", "cycles of the core"},
		} {
			if p := throughput(r, b, of.what, of.title, of.label); p != nil {
				all = append(all, *p)
			}
		}
	}
	return all, nil
}

// newPlot names a plot and its board.
func newPlot(title string, b string, c chart) *plot {
	c.title, c.note = title, b+c.note
	return &plot{record.Plot{Title: title + ", " + b, Board: b}, c}
}

// spectra plots an experiment's spectra, or nothing.
func spectra(r *record.Run, e record.Experiment) (*plot, error) {
	c := chart{
		note: ", suite " + e.Suite,
		x:    axis{label: "frequency (Hz)"},
		y:    axis{label: "level (dBFS)", from: -120},
	}
	for _, m := range e.Measurements {
		if !strings.HasPrefix(m.Quantity, measure.Spectra+"-") {
			continue
		}
		s, err := r.Sample(m)
		if err != nil {
			return nil, err
		}
		l := line{name: fmt.Sprintf("%s, by %s", strings.TrimPrefix(m.Quantity, measure.Spectra+"-"), m.Source)}
		top := float64(s.Clock) / 2
		for k, v := range s.Values {
			l.points = append(l.points, point{top * float64(k) / float64(max(len(s.Values)-1, 1)), float64(v) / 1000})
		}
		c.x.to = max(c.x.to, top)
		c.lines = append(c.lines, l)
	}
	if len(c.lines) == 0 || c.x.to == 0 {
		return nil, nil
	}
	return newPlot("Spectrum: "+e.Name, e.Board, c), nil
}

// throughput plots a quantity of transforms on a board over their size, or nothing.
func throughput(r *record.Run, b record.Board, what, title, label string) *plot {
	least, most := int64(0), int64(0)
	points := map[string]map[int]int64{} // medians by variant and size
	for _, e := range r.Experiments {
		for _, m := range e.Measurements {
			variant, size, ok := transform(m.Quantity, what)
			v := m.Summary.Median.Value
			if !ok || e.Board != b.Name || v <= 0 {
				continue
			}
			if points[variant] == nil {
				points[variant] = map[int]int64{}
			}
			points[variant][size] = v
			least, most = cmp.Or(min(least, v), v), max(most, v)
		}
	}
	if len(points) == 0 {
		return nil
	}
	c := chart{
		note: fmt.Sprintf(" (%s), by the size of the block; medians", b.Chip),
		x:    axis{label: "points", from: 56, to: 585, log: true, ticks: []float64{64, 128, 256, 512}},
		y:    decades(label, float64(least), float64(most)),
	}
	for _, variant := range slices.Sorted(maps.Keys(points)) {
		l := line{name: variant, marks: true}
		for _, size := range slices.Sorted(maps.Keys(points[variant])) {
			l.points = append(l.points, point{float64(size), float64(points[variant][size])})
		}
		c.lines = append(c.lines, l)
	}
	return newPlot(title, b.Name, c)
}

// transform finds variant and size in the name of a quantity of transforms.
func transform(quantity, what string) (variant string, size int, ok bool) {
	for _, variant := range measure.TransformVariants {
		for _, size := range measure.TransformSizes {
			if quantity == measure.Transforming(what, variant, size) {
				return variant, size, true
			}
		}
	}
	return "", 0, false
}

// Files writes the plots of a run and its report into the run's bundle.
func Files(b *record.Bundle, r *record.Run) error {
	all, err := plots(r)
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
