package series

import (
	"math"
	"slices"
	"testing"
)

// The first bad run of series that can be judged by eye.
func TestChanges(t *testing.T) {
	level := func(n int, v float64) (x []float64) {
		for i := range n {
			x = append(x, v+float64(i*7%5-2)) // 7i mod 5 goes through all of -2..2
		}
		return x
	}
	ramp := level(100, 1000)
	for i := range ramp {
		ramp[i] += float64(i)
	}
	single := level(60, 1000)
	single[30] = 2000
	for name, c := range map[string]struct {
		points []float64
		want   []int
	}{
		"nothing":              {nil, nil},
		"one run":              {[]float64{1000}, nil},
		"level":                {level(60, 1000), nil},
		"step":                 {slices.Concat(level(30, 1000), level(30, 1020)), []int{30}},
		"back again":           {slices.Concat(level(30, 1000), level(20, 1020), level(30, 1000)), []int{30, 50}},
		"too small to matter":  {slices.Concat(level(30, 1000), level(30, 1005)), nil},
		"five new runs":        {slices.Concat(level(30, 1000), level(5, 1020)), []int{30}},
		"four new runs":        {slices.Concat(level(30, 1000), level(4, 1020)), nil},
		"outlier":              {single, nil},
		"slides":               {ramp, nil},
		"far apart":            {slices.Concat(level(130, 1000), level(130, 980)), []int{130}},
		"step without scatter": {slices.Concat(slices.Repeat([]float64{1000}, 20), slices.Repeat([]float64{1011}, 20)), []int{20}},
	} {
		var got []int
		for _, cp := range Changes(c.points, Options{}) {
			got = append(got, cp.At)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: changes at %v, want %v", name, got, c.want)
		}
	}
}

// What is said of a step is what it was made of.
func TestDescription(t *testing.T) {
	var x []float64
	for i := range 40 {
		x = append(x, 1000+float64(i%3-1))
		if i >= 25 {
			x[i] *= 1.03
		}
	}
	cps := Changes(x, Options{})
	if len(cps) != 1 {
		t.Fatalf("changes: %+v", cps)
	}
	c := cps[0]
	if c.At != 25 || c.Before.N != 25 || c.After.N != 15 || math.Abs(c.Relative-0.03) > 0.001 || c.P > 1e-9 {
		t.Errorf("got %+v", c)
	}
}

// The energy distance of {0, 0} and {3, 3} weighted by 2*2/(2+2) is 2*3 - 0 - 0; of any other split it is less.
func TestSplit(t *testing.T) {
	if got := split([]float64{0, 0, 3, 3}, 1); got != 2 {
		t.Errorf("split at %d, want 2", got)
	}
	if got := split([]float64{1, 2, 3}, 2); got != 0 {
		t.Errorf("too short a stretch is split at %d", got)
	}
}
