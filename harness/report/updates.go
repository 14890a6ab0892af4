package report

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"rigor/harness/measure"
	"rigor/harness/record"
)

// lane is one of a timeline's: what happens at the times of a quantity.
type lane struct{ quantity, label string }

// lanes of an update, from the bottom: where it writes, and what is booted after a cut.
func lanes() (all []lane) {
	for _, phase := range slices.Backward(measure.UpdatePhases) {
		all = append(all, lane{measure.Under(measure.UpdateOperation, phase), "writes " + phase})
	}
	for _, image := range slices.Backward(measure.CutOutcomes) {
		all = append(all, lane{measure.Under(measure.CutBoots, image), "cut: " + image + " boots"})
	}
	return all
}

// timeline shows an update's operations on flash over its time, and which image is booted
// if power is cut in each, or nothing where no cuts were tried.
func timeline(r *record.Run, e record.Experiment) (*figure, error) {
	title := "Update: " + e.Name + ", " + e.Board
	c := newChart(title, "time since the offer (s)", "")
	var ticks plot.ConstantTicks
	var times [][]float64
	last, seen := 0.0, 0
	for i, l := range lanes() {
		at, err := timesOf(r, e, l.quantity)
		if err != nil {
			return nil, err
		}
		if len(at) > 0 {
			last, seen = max(last, at[len(at)-1]), seen+len(at)
		}
		times = append(times, at)
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: l.label})
	}
	if seen == 0 {
		return nil, nil
	}
	for i, at := range times {
		c.spans(i, float64(i), at, last)
	}
	c.Y.Tick.Marker, c.Y.Tick.Length = ticks, 0
	c.Y.Min, c.Y.Max, c.X.Min = -0.5, float64(len(ticks))-0.5, 0
	caption := "Where the two lanes of cuts overlap, what is booted depends on how much of the operation was done."
	return &figure{record.Plot{Title: title, Board: e.Board}, caption, c}, nil
}

// timesOf are an experiment's values of a quantity, in seconds.
func timesOf(r *record.Run, e record.Experiment, quantity string) (times []float64, err error) {
	for _, m := range e.Measurements {
		if m.Quantity != quantity {
			continue
		}
		s, err := r.Sample(m)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", quantity, err)
		}
		for _, v := range s.Values {
			times = append(times, float64(v)/1e9)
		}
	}
	slices.Sort(times)
	return times, nil
}

// spans draws bars where there are times that lie nearer to each other than can be seen on an axis up to the last.
func (c *chart) spans(style int, y float64, times []float64, last float64) {
	const bars = 150 // that can be told apart, and seen
	if len(times) == 0 {
		return
	}
	near := last / bars
	for begin, i := 0, 1; i <= len(times); i++ {
		if i < len(times) && times[i]-times[i-1] <= near {
			continue
		}
		to := max(times[i-1], times[begin]+near) // wide enough to be seen
		c.Add(&plotter.Line{
			XYs:       plotter.XYs{{X: times[begin], Y: y}, {X: to, Y: y}},
			LineStyle: draw.LineStyle{Color: styles[style%len(styles)].colour, Width: vg.Length(10)},
		})
		begin = i
	}
}
