package web

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestNice(t *testing.T) {
	for _, tt := range []struct {
		least, most int64
		want        []int64
	}{
		{118, 119, []int64{117, 118, 119, 120}},
		{5, 5, []int64{4, 5, 6}},
		{0, 100, []int64{0, 20, 40, 60, 80, 100}},
		{11747, 12218, []int64{11700, 11800, 11900, 12000, 12100, 12200, 12300}},
		{-7, 3, []int64{-8, -6, -4, -2, 0, 2, 4}},
	} {
		if got := nice(tt.least, tt.most); !slices.Equal(got, tt.want) {
			t.Errorf("nice(%d, %d) = %d, want %d", tt.least, tt.most, got, tt.want)
		}
	}
}

func TestGrouped(t *testing.T) {
	for v, want := range map[int64]string{0: "0", 1234: "1234", 12345: "12\u202f345", -1234567: "−1\u202f234\u202f567", math.MinInt64: "−9\u202f223\u202f372\u202f036\u202f854\u202f775\u202f808"} {
		if got := grouped(v); got != want {
			t.Errorf("grouped(%d) = %q, want %q", v, got, want)
		}
	}
}

func TestExactly(t *testing.T) {
	for _, tt := range []struct {
		before, after int64
		want          string
	}{
		{118, 119, "+1 (+0.85 %)"}, {119, 118, "−1 (−0.84 %)"}, {1000000, 1000001, "+1"}, {0, 3, "+3"}, {28, 18036, "+18\u202f008 (+64314 %)"}, {-4, -8, "−4 (−100 %)"},
	} {
		if got := exactly(tt.before, tt.after); got != tt.want {
			t.Errorf("exactly(%d, %d) = %q, want %q", tt.before, tt.after, got, tt.want)
		}
	}
}

// Whatever was measured is drawn inside the picture, with an axis that encloses it.
func FuzzCharts(f *testing.F) {
	f.Add(int64(118), int64(119), int64(118), 5, 2)
	f.Add(int64(math.MinInt64), int64(math.MaxInt64), int64(0), 1, 0)
	f.Fuzz(func(t *testing.T, a, b, c int64, n, at int) {
		var points []point
		for i := range min(max(n, 1), 50) {
			v := []int64{a, b, c}[i%3]
			points = append(points, point{run: "r", at: time.Unix(int64(i)*86400, 0), value: v, lo: min(v, a), hi: max(v, b)})
		}
		var shifts []shift
		if at > 0 && at < len(points) {
			shifts = []shift{{at, float64(a), float64(b), relative(float64(a), float64(b))}}
		}
		all := charts("t", points, shifts)
		if s := spark(points, shifts); s != nil {
			all = append(all, *s)
		}
		for _, c := range all {
			var svg bytes.Buffer
			if err := layouts["trend.html"].ExecuteTemplate(&svg, "chart", c); err != nil || strings.Contains(svg.String(), "NaN") || strings.Contains(svg.String(), "Inf") {
				t.Fatalf("%v\n%s", err, svg.String())
			}
			for _, d := range c.Dots {
				if d.X < 0 || d.X > c.Width || d.Y < 0 || d.Y > c.Height || d.Lo < 0 || d.Hi > c.Height {
					t.Fatalf("%s: a point lies outside: %+v", fmt.Sprint(a, b, c), d)
				}
			}
		}
	})
}
