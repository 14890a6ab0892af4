package softfloat_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rigor/harness/sim/conform"
)

//go:generate go run sample.go

// Both are Berkeley TestFloat's output; what is checked in was chosen by sample.go.
var testFloat = []string{"testfloat-arm-f32.txt.gz", "testfloat-riscv-f32-f64.txt.gz"}

// The sample always; the full files too where RIGOR_VECTORS says they are, and
// then one that is missing there is an error.
func TestTestFloat(t *testing.T) {
	runAll(t, "testdata")
	if folder := os.Getenv("RIGOR_VECTORS"); folder != "" {
		runAll(t, folder)
	}
}

func runAll(t *testing.T, folder string) {
	for _, file := range testFloat {
		report, err := conform.Run(filepath.Join(folder, file), nil)
		if err != nil {
			t.Error(err)
			continue
		}
		if !report.OK() {
			var b strings.Builder
			report.WriteTable(&b)
			t.Errorf("%s:\n%s", file, b.String())
		}
	}
}
