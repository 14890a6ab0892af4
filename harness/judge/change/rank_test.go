package change

import (
	"math"
	"testing"
)

// Of a round of three, each run is the highest in one of three cases; the test looks both ways.
func TestRankTest(t *testing.T) {
	highest := []int{2, 6, 4}
	middle := []int{2, 4, 6}
	alike := []int{4, 4, 4}
	for _, c := range []struct {
		name   string
		ranked [][]int
		want   float64
	}{
		{"one round", [][]int{highest}, 2. / 3},
		{"two rounds", [][]int{highest, highest}, 2. / 9},
		{"two rounds, one in the middle", [][]int{highest, middle}, 2 * 3. / 9},
		{"ties", [][]int{alike, alike}, 1},
		{"ties and a round", [][]int{alike, highest}, 2. / 3},
		{"nothing", nil, 1},
	} {
		if got := rankTest(c.ranked, newRun); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: p %g, want %g", c.name, got, c.want)
		}
	}
	ten := make([][]int, 10)
	for i := range ten {
		ten[i] = highest
	}
	if got, want := rankTest(ten, newRun), 2*math.Pow(3, -10); math.Abs(got/want-1) > 1e-9 {
		t.Errorf("ten rounds: p %g, want %g", got, want)
	}
}

func TestRanks(t *testing.T) {
	got := ranks([]round{{1, 5, 1}, {3, 5, 9}})
	want := [][]int{{3, 9, 3}, {6, 9, 12}} // halves: two ones share ranks 1 and 2, two fives 4 and 5
	for i := range want {
		for k := range want[i] {
			if got[i][k] != want[i][k] {
				t.Fatalf("got %v, want %v", got, want)
			}
		}
	}
}

// Drift and an outlier beside a known shift.
func TestShift(t *testing.T) {
	var rounds []round
	for i := range 12 {
		level := 1000 + 10*float64(i)
		rounds = append(rounds, round{level + float64(i%3), level + 20 + float64(i%2), level + float64(i%4)})
	}
	rounds[4][0] += 500
	if got := shift(rounds, 0); math.Abs(got-20) > 2 {
		t.Errorf("shifted by %g, want 20", got)
	}
	if lo, hi := shift(rounds, 2.6), shift(rounds, -2.6); lo > 20 || hi < 19 || lo > hi {
		t.Errorf("interval %g..%g doesn't hold 20", lo, hi)
	}
}
