package harness

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rigor/harness/record"
	"rigor/harness/rig"
)

func TestRoot(t *testing.T) {
	root := t.TempDir()
	deep := filepath.Join(root, "project", "suites", "latency")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	module := func(dir, name string) {
		if err := os.WriteFile(filepath.Join(root, dir, "go.mod"), []byte("module "+name+"\n\ngo 1.26\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Root(deep); err == nil || !strings.Contains(err.Error(), "not inside a checkout of rigor") {
		t.Errorf("outside: %v", err)
	}
	module("", "outer")
	module("project", "rigor")
	module("project/suites", "rigor/nested") // such as firmware/toolchain
	for _, dir := range []string{deep, filepath.Join(root, "project")} {
		if got, err := Root(dir); err != nil || got != filepath.Join(root, "project") {
			t.Errorf("from %s: %s, %v", dir, got, err)
		}
	}
	if _, err := Root(root); err == nil {
		t.Error("another module's folder is taken for ours")
	}
}

func TestNewBundle(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.FixedZone("", 3600))
	config := &rig.RigConfig{Name: "bench", Kind: rig.Virtual, Boards: []*rig.BoardConfig{{Name: "f407", Chip: "stm32f407", Seed: 7}}}
	dir := filepath.Join(t.TempDir(), "run")
	if _, err := NewBundle(dir, config, now); err != nil {
		t.Fatal(err)
	}
	run, err := record.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if run.Status != record.Running || !run.Started.Equal(now) || run.Started.Location() != time.UTC {
		t.Errorf("%s since %v", run.Status, run.Started)
	}
	if run.Rig != (record.Rig{Name: "bench", Kind: "virtual"}) || run.Seeds["board f407"] != 7 || run.ChipOf("f407") != "stm32f407" {
		t.Errorf("rig %+v, seeds %v, boards %v", run.Rig, run.Seeds, run.Boards)
	}
	if run.Harness == "" || run.Host.Go == "" || run.Host.CPUs == 0 {
		t.Errorf("harness %q on %+v", run.Harness, run.Host)
	}
	if _, err := NewBundle(dir, config, now); err == nil {
		t.Error("a run is begun over another")
	}
}

func TestBeginRun(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 59, 0, time.UTC)
	root := t.TempDir()
	for _, want := range []string{"20261123T090059Z-bench", "20261123T090100Z-bench"} {
		b, err := BeginRun(root, &rig.RigConfig{Name: "bench"}, now)
		if err != nil || b.Dir() != filepath.Join(root, "results", "runs", want) {
			t.Fatalf("%+v, %v; want %s", b, err, want)
		}
		if run, err := record.Load(b.Dir()); err != nil || !run.Started.Equal(now) {
			t.Errorf("%v, began %v", err, run.Started)
		}
	}
}
