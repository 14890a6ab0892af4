package series

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// evidence is by how much Schwarz's criterion must prefer a step over none: very strongly, in the
// words of Kass and Raftery (Bayes Factors, JASA 90, 1995).
const evidence = 10

// walks are the random steps that a level may take from one point to the next without being a change: none, or
// such as have that part of the noise's variance.
var walks = []float64{0, 0.03}

// model is points as a level that may slope and wander, and steps.
type model struct {
	schwarz float64   // Bayesian information criterion: lower is better
	heights []float64 // of the steps
}

// stands tells how well a step stands out from the points within a window of it, and how high it is. Without
// it, they may slope and wander as they like, and with it, too. Other steps there are allowed for.
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

// best is the best model of a level, sloping or not, and wandering or not.
func best(y []float64, steps []int) model {
	b := fit(y, steps, false, 0)
	for _, walk := range walks {
		for _, slope := range []bool{false, true} {
			if m := fit(y, steps, slope, walk); m.schwarz < b.schwarz {
				b = m
			}
		}
	}
	return b
}

// fit is by generalised least squares. The criterion counts each step as two parameters, its height and
// its place.
func fit(y []float64, steps []int, slope bool, walk float64) model {
	n, parameters := len(y), 1+2*len(steps)
	columns := [][]float64{column(n, func(int) float64 { return 1 })}
	for _, k := range steps {
		columns = append(columns, column(n, func(i int) float64 {
			if i < k {
				return 0
			}
			return 1
		}))
	}
	if slope {
		columns = append(columns, column(n, func(i int) float64 { return float64(i) / float64(n) }))
		parameters++
	}
	if walk > 0 {
		parameters++
	}
	factors, rss, ok := leastSquares(columns, y, walk)
	if !ok {
		return model{math.Inf(1), make([]float64, len(steps))}
	}
	_, determinant := whiten(y, walk)
	schwarz := float64(n)*math.Log(rss/float64(n)) + determinant + float64(parameters)*math.Log(float64(n))
	return model{schwarz, factors[1 : 1+len(steps)]}
}

func column(n int, f func(i int) float64) []float64 {
	c := make([]float64, n)
	for i := range c {
		c[i] = f(i)
	}
	return c
}

// leastSquares gives the factors of columns that come nearest to y, and the sum of squares that is left.
func leastSquares(columns [][]float64, y []float64, walk float64) (factors []float64, rss float64, ok bool) {
	const none = 1e-9 // of a perfect fit; its logarithm is taken
	a := mat.NewDense(len(y), len(columns), nil)
	for i, c := range columns {
		white, _ := whiten(c, walk)
		a.SetCol(i, white)
	}
	white, _ := whiten(y, walk)
	points := mat.NewVecDense(len(y), white)
	var x, left mat.VecDense
	if x.SolveVec(a, points) != nil {
		return nil, 0, false
	}
	left.MulVec(a, &x)
	left.SubVec(points, &left)
	return x.RawVector().Data, max(mat.Dot(&left, &left), none), true
}

// whiten takes off each value what a walk makes it have in common with those before, by Kalman's filter for
// a level that wanders (Durbin and Koopman, Time Series Analysis by State Space Methods, chapter 2), and gives
// the logarithm of the determinant that the likelihood needs.
func whiten(y []float64, walk float64) (white []float64, determinant float64) {
	white = make([]float64, len(y))
	var level, variance float64
	for i, v := range y {
		f := 1 + variance
		white[i] = (v - level) / math.Sqrt(f)
		determinant += math.Log(f)
		level += variance / f * (v - level)
		variance = variance/f + walk
	}
	return white, determinant
}
