package riscv

import (
	"os"
	"path/filepath"
	"testing"

	"rigor/harness/sim/conform"
)

// vectorFolder has samples, or with RIGOR_VECTORS all vectors. See package conform for
// where they come from.
func vectorFolder() string {
	if folder := os.Getenv("RIGOR_VECTORS"); folder != "" {
		return folder
	}
	return "../conform/testdata"
}

func TestConformance(t *testing.T) {
	for _, arch := range []conform.Arch{conform.RV32IMC, conform.RV64GC} {
		for _, name := range []string{".jsonl.gz", "-decode-llvm19.tsv.gz"} {
			file := filepath.Join(vectorFolder(), string(arch)+name)
			for _, stepwise := range []bool{false, true} {
				m := NewMachine(arch)
				m.Stepwise = stepwise
				report, err := conform.Run(file, m)
				if err != nil {
					t.Fatal(err)
				}
				if !report.OK() {
					t.Errorf("%s, stepwise %v:", file, stepwise)
					report.WriteTable(t.Output())
				}
			}
		}
	}
}
