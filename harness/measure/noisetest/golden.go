package noisetest

import (
	"bytes"
	"os"
	"testing"
)

// GoldenTrials is how many trials the rows of the checked-in tables are of.
const GoldenTrials = 200

// Count is 1 of what is so.
func Count(is bool) int {
	if is {
		return 1
	}
	return 0
}

// CompareGolden holds a table of so many trials a row against the checked-in one, if that is of as
// many, or writes it anew.
func CompareGolden(t *testing.T, name string, got []byte, trials int, update bool) {
	t.Helper()
	if trials != GoldenTrials {
		t.Logf("\n%s", got)
		return
	}
	if update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (-update writes it), got:\n%s", name, got)
	}
}
