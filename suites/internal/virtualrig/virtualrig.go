// Package virtualrig opens boards of the virtual rig for tests that show what suites find.
package virtualrig

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"rigor/harness"
	"rigor/harness/judge"
	"rigor/harness/rig"
	"rigor/harness/virtual"
)

// Open opens a board by its name in rigs.yaml, with the project's limits and a bundle that goes with the test.
func Open(t testing.TB, board string) *harness.Runner {
	t.Helper()
	root, err := harness.Root(".")
	if err != nil {
		t.Fatal(err)
	}
	rigs, err := rig.LoadConfig(filepath.Join(root, "rigs.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	config, err := rigs.Rig("virtual")
	if err != nil {
		t.Fatal(err)
	}
	limits, err := judge.Load(filepath.Join(root, "suites", "limits.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := harness.NewBundle(filepath.Join(t.TempDir(), "run"), config, time.Unix(1e9, 0))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(config.Boards, func(b *rig.BoardConfig) bool { return b.Name == board })
	if i < 0 {
		t.Fatalf("the virtual rig has no board %s", board)
	}
	station, err := virtual.Open(config.Boards[i])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { station.Close() })
	return &harness.Runner{Station: station, RigKind: config.Kind, Limits: limits, Bundle: bundle}
}
