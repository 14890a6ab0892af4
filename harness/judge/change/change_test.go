package change

import (
	"testing"

	"rigor/harness/measure"
)

func TestExact(t *testing.T) {
	for _, c := range []struct {
		better   measure.Better
		old, new int64
		want     Verdict
	}{
		{measure.Lower, 187, 187, Same},
		{measure.Lower, 187, 188, Worse},
		{measure.Lower, 187, 186, Better},
		{measure.Higher, 187, 188, Better},
		{measure.Higher, 187, 186, Worse},
		{measure.Neither, 187, 188, Different},
		{measure.NearerZero, -3, 2, Better},
		{measure.NearerZero, -3, -4, Worse},
		{measure.NearerZero, 3, 4, Worse},
		{measure.NearerZero, 3, -3, Different},
		{"", 1, 2, Different},
	} {
		q := measure.Quantity{Name: "q", Better: c.better}
		got := Exact(q, measure.Median, measure.Cycles, c.old, c.new)
		if got.Verdict != c.want || got.Effect != nil {
			t.Errorf("%s, %d to %d: %s, want %s", c.better, c.old, c.new, got.Verdict, c.want)
		}
	}
}
