package history

import (
	"reflect"
	"testing"
	"time"

	"rigor/harness/record"
	"rigor/harness/rig"
)

func failedBy(class rig.Class, message string, at time.Time) record.Attempt {
	return record.Attempt{Started: at, Failure: &record.Failure{Class: class, Message: message}}
}

func TestHealth(t *testing.T) {
	runs := t.TempDir()
	day := func(n int) time.Time { return night.AddDate(0, 0, n) }
	add(t, runs, name(0), day(0), spec{values: []int64{1}})
	add(t, runs, name(1), day(1), spec{attempts: []record.Attempt{failedBy(rig.Rig, "port gone", day(1)),
		{Started: day(1).Add(time.Second), Phases: []record.Phase{{Name: record.FlashPhase}, {Name: record.JudgePhase}}}}})
	add(t, runs, name(2), day(2), spec{skipped: "no supply to cut"})
	broken := failedBy(rig.Rig, "port gone", day(3))
	broken.Phases = []record.Phase{{Name: record.SelfTestPhase}, {Name: record.FlashPhase}}
	add(t, runs, name(3), day(3), spec{attempts: []record.Attempt{
		broken, failedBy(rig.DUT, "a cell does not program", day(3).Add(time.Second))}})
	x := open(t, runs)
	all, err := x.Boards(t.Context(), time.Time{})
	if err != nil || len(all) != 2 {
		t.Fatalf("%+v, %v, want two boards", all, err)
	}
	want := Board{
		Rig: record.Rig{Name: "lab", Kind: "hardware"}, Name: "f407", Chip: "stm32f407", ID: "0x413",
		Runs: 3, LastSeen: day(3).Add(time.Second), LastOK: day(1).Add(time.Second), LastRun: name(3), Failing: "a cell does not program",
		Counts:   Counts{Asked: 3, Answered: 2, Broken: 1, Skipped: 1, Flaky: 1, Attempts: 5},
		Failures: []FailureCount{{rig.DUT, 1}, {rig.Rig, 2}},
		Flashes:  2, FlashFailures: 1,
		Recent: []Recent{{name(0), StateOK}, {name(1), StateFlaky}, {name(2), StateSkipped}, {name(3), StateFailed}},
	}
	if got := all[1]; !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if n := all[1].Failed(rig.Rig) + 10*all[1].Failed(rig.Harness); n != 2 {
		t.Errorf("failures counted as %d", n)
	}
	silent := Board{Rig: want.Rig, Name: "c3", Chip: "esp32c3", LastRun: name(3)}
	if got := all[0]; !reflect.DeepEqual(got, silent) {
		t.Errorf("got\n%+v\nwant\n%+v", got, silent)
	}
	experiments, err := x.Experiments(t.Context(), day(1))
	if err != nil || len(experiments) != 1 {
		t.Fatalf("%+v, %v", experiments, err)
	}
	e := experiments[0]
	if e.Runs != 3 || e.Asked != 2 || e.FlakeRate() != 1 {
		t.Errorf("since the second night: %+v", e)
	}
	if r := (Counts{Asked: 1}).FlakeRate(); r != 0 {
		t.Errorf("flake rate %v of what never answered", r)
	}
}
