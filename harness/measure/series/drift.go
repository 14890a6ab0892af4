package series

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// evidence is by how much Schwarz's criterion must prefer a step over none: very strongly, in the words
// of Kass and Raftery (Bayes Factors, JASA 90, 1995).
const evidence = 10

// model is points as a level, perhaps a slope, and steps.
type model struct {
	schwarz float64   // Bayesian information criterion: lower is better
	heights []float64 // of the steps
}

// stands tells how well a step stands out from a straight line through the points within a window of it, and
// how high it is. Other steps there are allowed for, with and without.
func (f finder) stands(at []int, i int) (gain, height float64) {
	from, to := max(at[i]-f.Window, 0), min(at[i]+f.Window, len(f.drawn))
	steps, others := []int{at[i] - from}, []int(nil)
	for _, k := range at {
		if k > from && k < to && k != at[i] {
			others = append(others, k-from)
		}
	}
	steps = append(steps, others...)
	y := f.drawn[from:to]
	with, without := best(y, steps), best(y, others)
	return without.schwarz - with.schwarz, with.heights[0]
}

// best is the better model of with and without a slope.
func best(y []float64, steps []int) model {
	level, slope := fit(y, steps, false), fit(y, steps, true)
	if slope.schwarz < level.schwarz {
		return slope
	}
	return level
}

// fit is by least squares. Each step costs the criterion two parameters, its height and its place.
func fit(y []float64, steps []int, slope bool) model {
	n, columns := len(y), len(steps)+1
	if slope {
		columns++
	}
	a := mat.NewDense(n, columns, nil)
	for i := range y {
		for s, k := range steps {
			if i >= k {
				a.Set(i, s, 1)
			}
		}
		a.Set(i, len(steps), 1)
		if slope {
			a.Set(i, columns-1, float64(i)/float64(n))
		}
	}
	m := model{schwarz: math.Inf(1), heights: make([]float64, len(steps))}
	var x, left mat.VecDense
	points := mat.NewVecDense(n, y)
	if x.SolveVec(a, points) != nil {
		return m
	}
	for s := range steps {
		m.heights[s] = x.AtVec(s)
	}
	left.MulVec(a, &x)
	left.SubVec(points, &left)
	rss := max(mat.Dot(&left, &left), 1e-9)
	m.schwarz = float64(n)*math.Log(rss/float64(n)) + float64(columns+len(steps))*math.Log(float64(n))
	return m
}
