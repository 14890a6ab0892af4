package main

import (
	"path/filepath"
	"testing"
	"time"

	"rigor/harness/record"
)

// BenchmarkRun is how fast all boards of the virtual rig are together in a run: seconds of theirs
// in one of the host's, and the instructions of their cores.
func BenchmarkRun(b *testing.B) {
	var simulated, took time.Duration
	var instructions uint64
	for b.Loop() {
		out := filepath.Join(b.TempDir(), "run")
		if text, err := command("run", "--suite", "latency,jitter", "--out", out).CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, text)
		}
		run, err := record.Load(out)
		if err != nil {
			b.Fatal(err)
		}
		took += run.Ended.Sub(run.Started)
		for _, w := range run.Work {
			simulated, instructions = simulated+w.Simulated, instructions+w.Instructions
		}
	}
	b.ReportMetric(float64(simulated)/float64(took), "s/s")
	b.ReportMetric(float64(instructions)/1e6/took.Seconds(), "MIPS")
}
