package ota

import (
	"testing"

	"rigor/firmware/ota/defect"
)

// suspects say for each defect what should find it.
var suspects = map[defect.Defect]func(w *world, find func(string)){
	defect.BootTrusts:     func(w *world, find func(string)) { w.flipped(find) },
	defect.SwitchEarly:    interrupting,
	defect.SwitchInTwo:    interrupting,
	defect.OldFirst:       interrupting,
	defect.StreamDigest:   func(w *world, find func(string)) { w.failing(find) },
	defect.ResumeTrusts:   interrupting,
	defect.TornHeader:     interrupting,
	defect.CompactInForce: interrupting,
	defect.MarkUnchecked:  func(w *world, find func(string)) { w.failing(find) },
	defect.ConfirmEarly:   hanging(true, false),
	defect.AttemptLate:    hanging(false, false),
	defect.AttemptsInRAM:  hanging(true, true),
	defect.RevertBootsNew: hanging(true, false),
	defect.PayloadSigned:  (*world).attacked,
	defect.BaseUnchecked:  (*world).attacked,
	defect.LongScalar:     (*world).attacked,
}

func interrupting(w *world, find func(string)) { w.interrupted(0, find) }

func hanging(starts, cold bool) func(*world, func(string)) {
	return func(w *world, find func(string)) { w.hanging(starts, func(int) bool { return cold }, find) }
}

// Each defect is found by what is said to find it, in one world at least.
func TestDefects(t *testing.T) {
	for _, d := range defect.All {
		t.Run(d.Name, func(t *testing.T) {
			all := worlds(t)
			defer defect.Plant(d.Defect)()
			if d.Defect == defect.PayloadSigned {
				all = worlds(t) // signed that way
			}
			var first string
			n := 0
			for _, name := range []string{"pages, first update", "pages, later update", "words, later update"} {
				suspects[d.Defect](all[name], func(s string) {
					if n++; n == 1 {
						first = name + ": " + s
					}
				})
				if n > 0 {
					break
				}
			}
			if n == 0 {
				t.Error("not found")
			}
			t.Log(first)
		})
	}
}
