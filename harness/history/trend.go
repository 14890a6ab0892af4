package history

import (
	"math"
	"slices"
	"time"

	"rigor/harness/judge/change"
	"rigor/harness/measure"
	"rigor/harness/measure/series"
	"rigor/harness/rig"
)

// Change is a place where a series has a new level.
type Change struct {
	At       int            `json:"at"`       // index of the first point of the new level
	Run      string         `json:"run"`      // that point's: the first bad run, if it got worse
	Time     time.Time      `json:"time"`     // when it began
	LastRun  string         `json:"last_run"` // the last of the old level
	Verdict  change.Verdict `json:"verdict"`  // better, worse or different
	Before   float64        `json:"before"`   // means of the levels; of exact values the values
	After    float64        `json:"after"`    // beside the change
	Relative float64        `json:"relative"` // of After to Before: 0.02 is 2 % more; 0 if Before is 0
	P        float64        `json:"p"`        // of such a step by chance; 0 if Exact
	Exact    bool           `json:"exact"`    // the values don't scatter: any difference is real
	Firmware bool           `json:"firmware"` // the image changed with it, or on hardware up to two runs off
	Harness  bool           `json:"harness"`  // and so did the version of the harness
	Suspect  rig.Class      `json:"suspect"`  // whose change it most likely is
	Reason   string         `json:"reason"`   // why
}

// Changes finds where the series of a figure's statistic has a new level. Points with a
// doubt are passed over. On a virtual rig values are exact, and each difference between
// two runs is a change; on hardware they scatter, and package series says what is one.
func Changes(f Figure, st measure.Statistic, points []Point, o series.Options) []Change {
	var sound []int
	var values []float64
	for i, p := range points {
		if p.Doubt == "" {
			sound, values = append(sound, i), append(values, float64(p.Value))
		}
	}
	steps := series.Changes
	exact := f.Rig.Kind == string(rig.Virtual)
	if exact {
		steps = differences
	}
	var all []Change
	for _, s := range steps(values, o) {
		c := Change{At: sound[s.At], Before: s.Before.Mean, After: s.After.Mean, Relative: s.Relative, P: s.P, Exact: exact}
		c.describe(f, st, points[sound[s.At-1]], points[c.At])
		c.blame(pick(points, sound), s.At)
		all = append(all, c)
	}
	return all
}

// differences are the change points of a series whose values are exact.
func differences(values []float64, _ series.Options) []series.ChangePoint {
	var all []series.ChangePoint
	for i := 1; i < len(values); i++ {
		if values[i] != values[i-1] {
			c := series.ChangePoint{At: i, Before: series.State{Mean: values[i-1], N: 1}, After: series.State{Mean: values[i], N: 1}}
			if values[i-1] != 0 {
				c.Relative = (values[i] - values[i-1]) / math.Abs(values[i-1])
			}
			all = append(all, c)
		}
	}
	return all
}

// pick gives the points at some indices.
func pick(points []Point, at []int) []Point {
	all := make([]Point, len(at))
	for i, k := range at {
		all[i] = points[k]
	}
	return all
}

// describe says what a change between two runs is.
func (c *Change) describe(f Figure, st measure.Statistic, last, first Point) {
	c.Run, c.Time, c.LastRun = first.Run, first.Time, last.Run
	q, _ := measure.Describe(f.Quantity)
	const fine = 1000 // means have fractions
	c.Verdict = change.Exact(q, st, f.Unit, int64(math.Round(c.Before*fine)), int64(math.Round(c.After*fine))).Verdict
}

// reach is by how many runs a change point on hardware may miss its place: package series'
// simulation finds them that near.
const reach = 2

// nearest finds the point nearest to one that differs from the point before it, or -1.
func nearest(points []Point, to, reach int, differ func(a, b Point) bool) int {
	for d := range reach + 1 {
		for _, i := range []int{to - d, to + d} {
			if i > 0 && i < len(points) && differ(points[i-1], points[i]) {
				return i
			}
		}
	}
	return -1
}

// blame says whose the change at an index most likely is.
func (c *Change) blame(points []Point, at int) {
	far := reach
	if c.Exact {
		far = 0
	}
	image := nearest(points, at, far, func(a, b Point) bool { return a.Firmware != b.Firmware })
	harness := nearest(points, at, far, func(a, b Point) bool { return a.Harness != b.Harness })
	c.Firmware, c.Harness = image >= 0, harness >= 0
	with := func(i int) string {
		if i == at {
			return "with it"
		}
		return "with " + points[i].Run
	}
	switch {
	case c.Firmware:
		c.Suspect, c.Reason = rig.Firmware, "the image changed "+with(image)
		if c.Harness {
			c.Reason += ", the harness " + with(harness)
		}
	case c.Exact:
		c.Suspect, c.Reason = rig.Harness, "the image is the same, and on a virtual rig all else is the harness"
	case c.Harness:
		c.Suspect, c.Reason = rig.Harness, "the image is the same, the harness changed "+with(harness)
	default:
		c.Suspect, c.Reason = rig.Rig, "image and harness are the same: probes, supply, temperature or the part itself"
	}
}

// slack is by how many runs a change point may move when a further run shows it
// more clearly.
const slack = 3

// News are the changes that the last point has brought to light: those that were
// not to be seen without it.
func News(f Figure, st measure.Statistic, points []Point, o series.Options) []Change {
	if len(points) == 0 {
		return nil
	}
	known := Changes(f, st, points[:len(points)-1], o)
	return slices.DeleteFunc(Changes(f, st, points, o), func(c Change) bool {
		return slices.ContainsFunc(known, func(k Change) bool {
			return c.At == k.At || !c.Exact && c.Verdict == k.Verdict && abs(c.At-k.At) <= slack
		})
	})
}

func abs(n int) int { return max(n, -n) }
