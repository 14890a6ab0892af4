package measure

import (
	"slices"
	"testing"
)

func TestQuantities(t *testing.T) {
	seen := map[string]bool{}
	for _, q := range Quantities {
		if seen[q.Name] {
			t.Errorf("%s is listed twice", q.Name)
		}
		seen[q.Name] = true
		if !slices.Contains([]Better{Lower, Higher, NearerZero, Neither}, q.Better) {
			t.Errorf("%s: better is %q", q.Name, q.Better)
		}
	}
}
