package history

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"rigor/harness/measure"
	"rigor/harness/record"
)

// A rig's three years of nights, each of 100 experiments with 3 figures: about the size
// of a run of all suites on the virtual rig.
const (
	manyRuns        = 1000
	manyExperiments = 100
)

// many writes bundles that differ in their times. Package record makes the first; the
// others are its run.json with another time, as is all that the index reads.
func many(b *testing.B) (runs string) {
	b.Helper()
	runs = b.TempDir()
	first := filepath.Join(runs, name(0))
	bundle, err := record.Create(first, record.Run{Rig: record.Rig{Name: "lab", Kind: "hardware"}, Harness: "h1", Started: night,
		Boards: []record.Board{{Name: "f407", Chip: "stm32f407"}}})
	if err != nil {
		b.Fatal(err)
	}
	err = bundle.Update(func(r *record.Run) error {
		for i := range manyExperiments {
			e := experiment(spec{values: []int64{1, 2, 3}}, night, 0)
			e.Name = fmt.Sprintf("switch %d", i)
			m := e.Measurements[0]
			e.Measurements = append(e.Measurements, m, m)
			e.Measurements[1].Quantity, e.Measurements[2].Quantity = measure.PinEcho, measure.UARTEcho
			r.Experiments = append(r.Experiments, e)
		}
		r.Status = record.Complete
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(first, record.RunFile))
	if err != nil {
		b.Fatal(err)
	}
	for n := 1; n < manyRuns; n++ {
		put(b, runs, text, n)
	}
	return runs
}

// put writes the n-th night's run.json.
func put(b *testing.B, runs string, text []byte, n int) {
	b.Helper()
	dir := filepath.Join(runs, name(n))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	at := func(n int) []byte { return []byte(night.AddDate(0, 0, n).Format(time.RFC3339)) }
	if err := os.WriteFile(filepath.Join(dir, record.RunFile), bytes.ReplaceAll(text, at(0), at(n)), 0o644); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkRebuild reads 1000 bundles with 300 figures each.
func BenchmarkRebuild(b *testing.B) {
	runs := many(b)
	x := open(b, b.TempDir())
	for b.Loop() {
		if s, err := x.Rebuild(b.Context(), runs); err != nil || s.Added != manyRuns {
			b.Fatal(s, err)
		}
	}
}

// BenchmarkIndexed asks an index of 1000 bundles.
func BenchmarkIndexed(b *testing.B) {
	runs := many(b)
	x := open(b, runs)
	text, err := os.ReadFile(filepath.Join(runs, name(0), record.RunFile))
	if err != nil {
		b.Fatal(err)
	}
	figures, err := x.Figures(b.Context(), Pattern{})
	if err != nil || len(figures) != 3*manyExperiments {
		b.Fatal(len(figures), err)
	}
	for _, c := range []struct {
		name string
		ask  func() error
	}{
		{"sync, nothing new", func() error { _, err := x.Sync(b.Context(), runs); return err }},
		{"sync, one changed", func() error {
			put(b, runs, text, manyRuns-1)
			_, err := x.Sync(b.Context(), runs)
			return err
		}},
		{"20 runs", func() error { _, err := x.Runs(b.Context(), Filter{Limit: 20}); return err }},
		{"all runs", func() error { _, err := x.Runs(b.Context(), Filter{}); return err }},
		{"figures", func() error { _, err := x.Figures(b.Context(), Pattern{}); return err }},
		{"a series", func() error { _, err := x.Series(b.Context(), figures[0], measure.Median); return err }},
		{"50 series", func() error { _, err := x.SeriesOf(b.Context(), figures[:50], measure.Median); return err }},
		{"boards, 30 days", func() error { _, err := x.Boards(b.Context(), night.AddDate(0, 0, manyRuns-30)); return err }},
		{"boards", func() error { _, err := x.Boards(b.Context(), time.Time{}); return err }},
		{"experiments", func() error { _, err := x.Experiments(b.Context(), time.Time{}); return err }},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if err := c.ask(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
