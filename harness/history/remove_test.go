package history

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRemove(t *testing.T) {
	dir := t.TempDir()
	runs := filepath.Join(dir, "runs")
	nights(t, runs, 160, 161)
	for _, keep := range []string{"notes", ".pruned-earlier/traces"} {
		if err := os.MkdirAll(filepath.Join(runs, keep), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	nights(t, filepath.Join(dir, "others"), 170)
	if Size(runs, name(0)) < 500 {
		t.Errorf("a bundle of %d bytes", Size(runs, name(0)))
	}
	if err := Remove(runs, name(0)); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"notes", "nowhere", filepath.Join("..", "others", name(0)), ""} {
		if err := Remove(runs, bad); err == nil {
			t.Errorf("%q was removed", bad)
		}
	}
	if err := Sweep(runs); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(runs)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2 || entries[0].Name() != name(1) || entries[1].Name() != "notes" {
		t.Errorf("left are %v", entries)
	}
}
