// Package liar shows that suites catch what is wrong. The suite latency's questions
// are put to a virtual board with an image that adds a thirty-second part to every
// time it reports (firmware/latency, build tag liar), and with the honest one beside
// it; those of the suite hub to a board around which one thing is not as it is told.
package liar

import (
	"strings"
	"testing"

	"rigor/firmware/images"
	"rigor/harness/measure"
	"rigor/harness/record"
	"rigor/harness/rig"
	"rigor/suites/internal/virtualrig"
	"rigor/suites/latency"
)

// ask runs the whole suite latency with an image on the virtual rig.
func ask(t *testing.T, name string) []record.Experiment {
	t.Helper()
	image, err := images.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	runner := virtualrig.Open(t, "f407")
	var all []record.Experiment
	for _, x := range latency.Experiments(image) {
		e, err := runner.Run(t.Context(), x)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func TestHonestProgramIsBelieved(t *testing.T) {
	for _, e := range ask(t, "latency-stm32f407-16mhz") {
		if e.Failed() {
			t.Errorf("%s: %s", e.Name, e.Attempts[0].Failure.Message)
		}
		if len(e.Measurements) == 0 {
			t.Errorf("%s: nothing was measured", e.Name)
		}
	}
}

// A thirty-second part of fewer than 64 cycles is a cycle at most, which is what
// the counter itself allows: such a lie is none. Times of one source have
// nothing to be held against.
func TestLiarIsCaught(t *testing.T) {
	caught := 0
	for _, e := range ask(t, "latency-liar-stm32f407-16mhz") {
		own := reported(e)
		if own == nil || own.Summary.Max+own.Overhead < 64+2 {
			continue
		}
		a := e.Attempts[len(e.Attempts)-1]
		if len(e.Attempts) != 1 || a.Failure == nil || a.Failure.Class != rig.Firmware ||
			!strings.Contains(a.Failure.Message, "firmware and probe differ on") {
			t.Errorf("%s, up to %d cycles: %d attempts, %+v", e.Name, own.Summary.Max, len(e.Attempts), a.Failure)
		}
		caught++
	}
	if caught < 4 {
		t.Errorf("only %d lies were large enough to tell", caught)
	}
}

// reported is what the firmware itself said of a quantity.
func reported(e record.Experiment) *record.Measurement {
	for i, m := range e.Measurements {
		if m.Source == measure.Firmware {
			return &e.Measurements[i]
		}
	}
	return nil
}
