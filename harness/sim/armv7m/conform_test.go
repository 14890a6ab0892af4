package armv7m

import (
	"os"
	"path/filepath"
	"testing"

	"rigor/harness/sim/conform"
)

// vectors returns the files to run: a sample, or with RIGOR_VECTORS all that
// folder has for this core. See package conform for where they come from.
func vectors(t *testing.T) []string {
	folder := os.Getenv("RIGOR_VECTORS")
	if folder == "" {
		return []string{
			"../conform/testdata/thumb2.jsonl.gz",
			"../conform/testdata/thumb2-decode-llvm19.tsv.gz",
		}
	}
	var files []string
	for _, name := range []string{"thumb2.jsonl.gz", "thumb2-decode-llvm19.tsv.gz", "vixl-t32.jsonl.gz"} {
		files = append(files, filepath.Join(folder, name))
	}
	return files
}

func TestConformance(t *testing.T) {
	for _, file := range vectors(t) {
		for _, stepwise := range []bool{false, true} {
			m := NewMachine()
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
