package measure

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Of 1..10 in order, neighbours' ranks differ by 1: the ratio is 9/82.5, its variance by Bartels' formula
// 4*8*471/(5*10*11*81), so it lies 3.251 standard deviations below 2.
func TestSerial(t *testing.T) {
	up := []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	if got := Serial(up); math.Abs(got-0.000575) > 0.000005 {
		t.Errorf("in order: p %g", got)
	}
	if got := Serial([]int64{1, 10, 2, 9, 3, 8, 4, 7, 5, 6}); got < 0.99 {
		t.Errorf("to and fro: p %g", got)
	}
	if got := Serial(up[:9]); got != 1 {
		t.Errorf("nine values: p %g", got)
	}
	if got := Serial(make([]float64, 100)); got != 1 {
		t.Errorf("equal values: p %g", got)
	}
}

// Values in random order are taken for dependent as often as said: 10 of 1000 at 1 %, more
// than 20 in 1 of 500 such tests (binomial). Ties and outliers don't change that.
func TestSerialOfRandomValues(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for name, draw := range map[string]func() float64{
		"gaussian": rnd.NormFloat64,
		"ties":     func() float64 { return float64(rnd.IntN(4)) },
		"outliers": func() float64 { return math.Exp(4 * rnd.NormFloat64()) },
	} {
		found := 0
		for range 1000 {
			v := make([]float64, 20)
			for i := range v {
				v[i] = draw()
			}
			if Serial(v) < 0.01 {
				found++
			}
		}
		if found > 20 {
			t.Errorf("%s: %d of 1000", name, found)
		}
	}
}
