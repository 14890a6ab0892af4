package history

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"rigor/harness/judge/change"
	"rigor/harness/measure"
	"rigor/harness/measure/series"
	"rigor/harness/record"
	"rigor/harness/rig"
)

// figure is a switch's time on a rig of a kind.
func figure(kind rig.Kind) Figure {
	return Figure{Rig: record.Rig{Name: "r", Kind: string(kind)}, Key: Key{Quantity: measure.GoroutineSwitch}, Unit: measure.Cycles}
}

func TestChangesOfExactValues(t *testing.T) {
	points := []Point{
		{Run: "a", Value: 187, Firmware: "f1", Harness: "h1"},
		{Run: "b", Value: 187, Firmware: "f1", Harness: "h2"},
		{Run: "c", Value: 400, Firmware: "f1", Harness: "h2", Doubt: "lost edges"},
		{Run: "d", Value: 188, Firmware: "f2", Harness: "h2"},
		{Run: "e", Value: 188, Firmware: "f2", Harness: "h2"},
		{Run: "f", Value: 94, Firmware: "f2", Harness: "h2"},
	}
	type found struct {
		At        int
		Run, Last string
		Verdict   change.Verdict
		Relative  float64
		Suspect   rig.Class
	}
	want := []found{{3, "d", "b", change.Worse, 1. / 187, rig.Firmware}, {5, "f", "e", change.Better, -.5, rig.Harness}}
	var got []found
	for _, c := range Changes(figure(rig.Virtual), measure.Median, points, series.Options{}) {
		if !c.Exact || c.P != 0 || c.Reason == "" {
			t.Errorf("%+v", c)
		}
		got = append(got, found{c.At, c.Run, c.LastRun, c.Verdict, c.Relative, c.Suspect})
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestChangesOfFewPoints(t *testing.T) {
	for _, points := range [][]Point{nil, {{Value: 1}}, {{Value: 1}, {Value: 1}}} {
		for _, kind := range []rig.Kind{rig.Virtual, rig.Hardware} {
			if got := Changes(figure(kind), measure.Median, points, series.Options{}); got != nil {
				t.Errorf("%s, %d points: %+v", kind, len(points), got)
			}
		}
	}
}

// labNights are 60 nights on hardware that scatter by half a percent, slower by 2 % from the
// 31st on, with another image, and an outlier in the 11th.
func labNights() []Point {
	r := rand.New(rand.NewPCG(7, 7))
	points := make([]Point, 60)
	for i := range points {
		level := 100000.
		points[i].Firmware = "f1"
		if i >= 30 {
			level, points[i].Firmware = 102000, "f2"
		}
		if i == 10 {
			level = 150000
		}
		points[i].Run, points[i].Value = name(i), int64(level*(1+0.005*r.NormFloat64()))
	}
	return points
}

func TestChangesOnHardware(t *testing.T) {
	points := labNights()
	points[20].Value, points[20].Doubt = 0, "lost edges"
	got := Changes(figure(rig.Hardware), measure.Median, points, series.Options{})
	if len(got) != 1 {
		t.Fatalf("%+v, want one change", got)
	}
	c := got[0]
	// The new level's first run happens to look like one before; the image tells better.
	if c.At != 31 || c.Run != name(31) || c.LastRun != name(30) || c.Reason != "the image changed with "+name(30) || c.Verdict != change.Worse || c.Suspect != rig.Firmware || c.Exact {
		t.Errorf("%+v", c)
	}
	if c.Relative < 0.015 || c.Relative > 0.025 || c.P > 1e-5 {
		t.Errorf("by %v with p = %v, want 2 %% and below 1e-5", c.Relative, c.P)
	}
	for i := range points {
		points[i].Firmware = "f1"
	}
	if c := Changes(figure(rig.Hardware), measure.Median, points, series.Options{})[0]; c.Suspect != rig.Rig || !strings.Contains(c.Reason, "the same") {
		t.Errorf("with one image: %s, %s", c.Suspect, c.Reason)
	}
}

// Each change is news once, however its place moves as further nights show it more clearly.
func TestNews(t *testing.T) {
	for _, c := range []struct {
		kind   rig.Kind
		points []Point
		when   map[int]string // index of the point that brings news, and since which run
	}{
		{rig.Hardware, labNights(), map[int]string{34: name(30)}},
		{rig.Virtual, []Point{{Run: "a", Value: 1}, {Run: "b", Value: 1}, {Run: "c", Value: 2}, {Run: "d", Value: 2}, {Run: "e", Value: 1}},
			map[int]string{2: "c", 4: "e"}},
		{rig.Virtual, nil, map[int]string{}},
	} {
		got := map[int]string{}
		for n := range len(c.points) + 1 {
			for _, change := range News(figure(c.kind), measure.Median, c.points[:n], series.Options{}) {
				got[n-1] += change.Run
			}
		}
		if !reflect.DeepEqual(got, c.when) {
			t.Errorf("%s: news %v, want %v", c.kind, got, c.when)
		}
	}
}
