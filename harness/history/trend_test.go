package history

import (
	"reflect"
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
