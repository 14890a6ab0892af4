// Package planted shows that the suite ota finds what is wrong in an update system: its questions are put
// to virtual boards whose boot program or application has a defect (firmware/ota/defect), and to
// one that is sound.
package planted

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rigor/firmware/ota/defect"
	"rigor/harness"
	"rigor/harness/judge"
	"rigor/harness/rig"
	"rigor/harness/virtual"
	"rigor/suites/ota"
)

const root = "../../.."

// openRunner opens the STM32F407 of the virtual rig.
func openRunner(t *testing.T) *harness.Runner {
	t.Helper()
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
	for _, b := range config.Boards {
		if b.Chip != "stm32f407" {
			continue
		}
		station, err := virtual.Open(b)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { station.Close() })
		return &harness.Runner{Station: station, RigKind: config.Kind, Limits: limits, Bundle: bundle}
	}
	t.Fatal("the virtual rig has no STM32F407")
	return nil
}

// objection is what the first experiment says that finds something wrong, "" if none does.
func objection(t *testing.T, all []harness.Experiment) string {
	t.Helper()
	runner := openRunner(t)
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

// Each defect is found, and by what should find it the log says.
func TestDefectsAreFound(t *testing.T) {
	for _, d := range defect.All {
		t.Run(d.Name, func(t *testing.T) {
			defer defect.Plant(d.Defect)()
			all, err := ota.Planted(d)
			if err != nil {
				t.Fatal(err)
			}
			found := objection(t, all)
			if found == "" {
				t.Errorf("nobody finds that %s", d.Wrong)
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
