package faults

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"rigor/harness/sim/board"
)

func toyConfig(d defect, machines int) Config {
	c := Config{
		Judge: toyJudge{}, Areas: toyAreas, First: Full, Again: Coarse, Frail: Coarse, Seed: 1, Horizon: reverted,
		Samples: 8, Resets: []board.ResetKind{board.ResetWatchdog}, Recheck: 200,
	}
	for range machines {
		c.Machines = append(c.Machines, newToy(d))
	}
	return c
}

func TestSoundDevicePasses(t *testing.T) {
	r, err := Explore(context.Background(), toyConfig(none, 2))
	if err != nil {
		t.Fatal(err)
	}
	if !r.Closed || r.Failed > 0 || r.Rechecked != 200 {
		t.Fatalf("closed: %t; %d failures: %v; %d rechecked", r.Closed, r.Failed, r.Failures, r.Rechecked)
	}
	if r.Beyond == 0 || r.Executed >= r.Points()/5 {
		t.Errorf("%d beyond the horizon, %d recoveries for %d points: the toy is to need that", r.Beyond, r.Executed, r.Points())
	}
}

// The first level by hand: an erase has a cut before it, half way, three of zeroes,
// two of ones, and is marginal in three readings; the 11 words have one before, three
// bytes, two of bits, and three readings; one more is at the end. The update: erase,
// 8 words of the image, the switch, an attempt, the confirmation.
func TestPointsOfTheFirstLevel(t *testing.T) {
	c := toyConfig(none, 1)
	c.Depth, c.Samples = 1, 0
	r, err := Explore(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	if want := 10 + 11*9 + 1; r.Cuts.Total() != want {
		t.Errorf("%d cuts, not %d", r.Cuts.Total(), want)
	}
	if r.Closed || len(r.Timeline) != 12 || r.States != 13 {
		t.Errorf("closed %t, %d operations, %d states", r.Closed, len(r.Timeline), r.States)
	}
	p := r.Timeline[9] // the switch
	if p.Area != "journal" || p.Cuts.Of(RunsNew) == 0 || p.Cuts.Of(RunsOld) == 0 {
		t.Errorf("a cut in the switch leads to %v", p)
	}
	if p := r.Timeline[5]; p.Area != "slot 1" || p.Cuts.Of(RunsOld) != 9 {
		t.Errorf("a cut in the image leads to %v", p)
	}
}

func TestNumberOfWorkersChangesNothing(t *testing.T) {
	var first *Result
	for _, n := range []int{1, 3} {
		r, err := Explore(context.Background(), toyConfig(none, n))
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = r
		}
		if !reflect.DeepEqual(r, first) {
			t.Errorf("with %d workers:\n%+v\nwith one:\n%+v", n, r, first)
		}
	}
}

func TestSnapshotsMayBeFew(t *testing.T) {
	c := toyConfig(none, 1)
	all, err := Explore(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	c.Snapshots = 2
	few, err := Explore(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(few, all) {
		t.Errorf("with two snapshots:\n%+v\nwith many:\n%+v", few, all)
	}
}

func TestPlantedDefectsAreFound(t *testing.T) {
	for _, c := range []struct {
		defect defect
		faults string // the shortest sequence
		wrong  string
	}{
		{trustsBlank, "cut@0:erase:marginal; cut@11:end/1", "after the confirmation"},
		{blindBoot, "cut@9:program:marginal; cut@0:erase:half/1", "the image \"other\""},
		{twoSteps, "cut@0:program:marginal/1", "the image \"none\""},
		{needsBoth, "cut@9:program:marginal/1; cut@2:end", "after the confirmation"},
		{readsOnce, "cut@11:program:marginal; cut@1:program:bits0/1; cut@0:end", "after the confirmation"},
		{confirmsInRAM, "reset@11:watchdog", "not in flash"},
	} {
		r, err := Explore(context.Background(), toyConfig(c.defect, 2))
		if err != nil {
			t.Errorf("defect %d: %v", c.defect, err)
			continue
		}
		if r.Failed == 0 {
			t.Errorf("defect %d is not found", c.defect)
			continue
		}
		f := r.Failures[0]
		if f.Faults.String() != c.faults || !strings.Contains(f.Err.Error(), c.wrong) {
			t.Errorf("defect %d: %v, not %s: %s", c.defect, &f, c.faults, c.wrong)
		}
		var again *Failure
		if err := Replay(context.Background(), toyConfig(c.defect, 1), f.Faults.String()); !errors.As(err, &again) {
			t.Errorf("defect %d: replay of %s gives %v", c.defect, f.Faults, err)
		}
		if err := Replay(context.Background(), toyConfig(none, 1), f.Faults.String()); errors.As(err, &again) {
			t.Errorf("the sound device fails, too, after %s: %v", f.Faults, err)
		}
		if !strings.Contains(f.Spec(), f.Faults.String()) {
			t.Errorf("spec:\n%s", f.Spec())
		}
	}
}

func TestUnfitMachines(t *testing.T) {
	for d, want := range map[defect]string{
		rambles:       "two things",
		overconfident: "another version",
		idle:          "not in flash",
	} {
		if _, err := Explore(context.Background(), toyConfig(d, 1)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("defect %d: %v, not %q", d, err, want)
		}
	}
	c := toyConfig(none, 2)
	c.Machines[1].SetCells(0, []byte{0})
	if _, err := Explore(context.Background(), c); err == nil {
		t.Error("machines that are not alike are taken")
	}
	c = toyConfig(none, 1)
	c.Machines[0].SetCells(toySlots[0], makeImage(2))
	if _, err := Explore(context.Background(), c); err == nil {
		t.Error("a device that needs no update is taken")
	}
}
