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

func TestTestFloatSample(t *testing.T) { runAll(t, "testdata") }

// The full files are run where RIGOR_VECTORS says they are; one that is missing there is an error.
func TestTestFloat(t *testing.T) {
	folder, set := os.LookupEnv("RIGOR_VECTORS")
	if !set {
		t.Skip("RIGOR_VECTORS doesn't name the folder of the full vectors")
	}
	runAll(t, folder)
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
