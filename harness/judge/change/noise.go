package change

import (
	"fmt"
	"math"
	"slices"

	"rigor/harness/measure"
)

// Noise is how much a figure scatters from run to run while nothing changes, measured by runs
// of the same firmware (A/A). Its zero value is noise that was never measured, with which no
// verdict on hardware is given.
type Noise struct {
	Runs     int     `json:"runs"`
	Relative float64 `json:"relative"`           // standard deviation of a run, robust, relative to the median
	Widest   float64 `json:"widest"`             // the farthest run from the median, relative to it
	Unsteady string  `json:"unsteady,omitempty"` // how runs depend on those before: drift, temperature
}

// serial is the probability below which runs count as depending on those before.
const serial = 0.01

// MeasureNoise takes the noise from one value per run, in the order of the runs.
func MeasureNoise(runs []int64) Noise {
	if len(runs) == 0 {
		return Noise{}
	}
	v := floats(runs)
	level := median(v)
	widest := max(slices.Max(v)-level, level-slices.Min(v))
	n := Noise{Runs: len(runs), Relative: millionths(spread(v) / scale(level)), Widest: millionths(widest / scale(level))}
	if p := measure.Serial(v); p < serial {
		n.Unsteady = fmt.Sprintf("runs resemble those before them, as under drift (p %.2g)", p)
	}
	return n
}

// missing says why noise is not known, or nothing.
func (n Noise) missing(o Options) string {
	if n.Runs < o.NoiseRuns {
		return fmt.Sprintf("noise was measured by %d of %d runs of the same firmware", n.Runs, o.NoiseRuns)
	}
	return ""
}

// millionths rounds noise to what can be read in a baseline.
func millionths(x float64) float64 { return math.Round(x*1e6) / 1e6 }

// spread is the standard deviation by the median of the absolute deviations, as it is of
// Gaussian values. Outliers don't move it.
func spread(v []float64) float64 {
	m := median(v)
	d := make([]float64, len(v))
	for i, x := range v {
		d[i] = math.Abs(x - m)
	}
	return 1.4826 * median(d)
}

// scale is what effects are relative to: the level, or one unit if that is less.
func scale(level float64) float64 { return max(math.Abs(level), 1) }

func floats(v []int64) []float64 {
	f := make([]float64, len(v))
	for i, x := range v {
		f[i] = float64(x)
	}
	return f
}
