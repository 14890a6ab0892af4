package ota

import "testing"

func TestUpdate(t *testing.T) {
	for name, w := range worlds(t) {
		w = w.branch()
		w.conclude()
		t.Log(name, w.ops, "operations", w.findings)
		for _, r := range Inspect(w.cells, w.l) {
			t.Log(r)
		}
		if len(w.findings) > 0 {
			t.Errorf("%s: %v", name, w.findings)
		}
	}
}
