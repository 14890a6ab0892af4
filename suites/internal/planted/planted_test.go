// Package planted shows that the suite ota finds what is wrong in an update system: its questions are put
// to virtual boards whose boot program or application has a defect (firmware/ota/defect), and to
// one that is sound.
package planted

import (
	"strings"
	"testing"

	"rigor/firmware/ota/defect"
	"rigor/harness"
	"rigor/suites/internal/virtualrig"
	"rigor/suites/ota"
)

// objection is what the first experiment says that finds something wrong, "" if none does.
func objection(t *testing.T, all []harness.Experiment) string {
	t.Helper()
	runner := virtualrig.Open(t, "f407")
	for _, x := range all {
		e, err := runner.Run(t.Context(), x)
		if err != nil {
			t.Fatal(err)
		}
		if len(e.Attempts) > 0 && e.Attempts[len(e.Attempts)-1].Failure != nil {
			return x.Name + ": " + e.Attempts[len(e.Attempts)-1].Failure.Message
		}
		for _, m := range e.Measurements {
			for _, v := range m.Verdicts {
				if v.Blocks() {
					return x.Name + ": " + v.Reason + "\n" + strings.Join(m.Warnings, "\n")
				}
			}
		}
	}
	return ""
}

// Each defect is found by the question that should find it.
func TestDefectsAreFound(t *testing.T) {
	for _, d := range defect.All {
		t.Run(d.Name, func(t *testing.T) {
			defer defect.Plant(d.Defect)()
			all, err := ota.Planted(d)
			if err != nil {
				t.Fatal(err)
			}
			found := objection(t, all)
			if !strings.HasPrefix(found, all[0].Name+": ") {
				t.Errorf("%q does not find that %s", all[0].Name, d.Wrong)
			}
			t.Logf("%s\nshould be found by: %s\nis found by %s", d.Wrong, d.FoundBy, found)
		})
	}
}

// What is sound passes the same questions.
func TestSoundBoardPasses(t *testing.T) {
	all, err := ota.Planted(defect.Info{})
	if err != nil {
		t.Fatal(err)
	}
	if found := objection(t, all); found != "" {
		t.Error(found)
	}
}
