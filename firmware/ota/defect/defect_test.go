package defect

import (
	"fmt"
	"os"
	"testing"
)

// identifiers are the constants' names, in their order.
var identifiers = []string{"BootTrusts", "SwitchEarly", "SwitchInTwo", "OldFirst", "StreamDigest", "ResumeTrusts", "TornHeader",
	"CompactInForce", "MarkUnchecked", "ConfirmEarly", "AttemptLate", "AttemptsInRAM", "RevertBootsNew", "PayloadSigned",
	"BaseUnchecked", "LongScalar"}

// The list has each defect once, and for each there is a file that plants it under its tags.
func TestAll(t *testing.T) {
	if len(All) != int(LongScalar) || len(identifiers) != len(All) {
		t.Fatalf("%d defects are listed, there are %d", len(All), LongScalar)
	}
	for i, d := range All {
		if d.Defect != Defect(i+1) || d.Wrong == "" || d.FoundBy == "" || !d.Boot && !d.App || d.New && !d.App {
			t.Errorf("entry %d: %+v", i, d)
		}
		got, err := os.ReadFile("planted_" + d.Name + ".go")
		if err != nil {
			t.Error(err)
			continue
		}
		want := fmt.Sprintf("//go:build tinygo && %s\n\npackage defect\n\nconst planted = %s\n", d.Tags()[1], identifiers[i])
		if string(got) != want {
			t.Errorf("%s:\n%s\nwant\n%s", d.Name, got, want)
		}
	}
}

func TestPlant(t *testing.T) {
	if LongScalar.Planted() {
		t.Error("planted from the start")
	}
	remove := Plant(LongScalar)
	if !LongScalar.Planted() || BootTrusts.Planted() {
		t.Error("not planted alone")
	}
	if remove(); LongScalar.Planted() {
		t.Error("not removed")
	}
}
