package device

import (
	"crypto/ed25519"
	"fmt"
	"testing"

	"rigor/firmware/images"
	device "rigor/firmware/ota"
	"rigor/firmware/ota/defect"
	"rigor/harness/faults"
	"rigor/harness/ota"
	"rigor/harness/rig"
	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

var chips = []string{"stm32f407", "esp32c3", "k210"}

// key is no secret.
var key = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

// program reads a program of the repository's images.
func program(t testing.TB, chip, release string, slot int) *ota.Program {
	t.Helper()
	name := "ota-" + release + chip
	if device.LayoutOf(chip).Origin != 0 {
		name += fmt.Sprintf("-slot%d", slot)
	}
	v := ota.Version(1 << 24)
	if release != "" {
		v += 1
	}
	image, err := images.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ota.ReadProgram(image.Data, chip, v)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func pack(t testing.TB, p, base *ota.Program) *ota.Package {
	t.Helper()
	made, err := ota.Pack(p, ota.Options{Base: base})
	if err != nil {
		t.Fatal(err)
	}
	made.Sign(key)
	return made
}

// onHost makes machines without silicon of machines with it.
func onHost(c faults.Config) faults.Config {
	for i, m := range c.Machines {
		was := m.(*Machine)
		h := &host{layout: c.Judge.(Judge).Layout, pack: was.pack, cells: make([]byte, was.size), resetAt: clock.NeverTime}
		h.word = h.layout.Origin != 0
		was.ReadCells(0, h.cells)
		c.Machines[i] = h
	}
	return c
}

// config is an exploration of a one-line change on a chip.
func config(t testing.TB, chip string, machines int) faults.Config {
	t.Helper()
	rigs, err := rig.LoadConfig("../../../rigs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	base := program(t, chip, "", 0)
	whole := pack(t, base, nil)
	update := pack(t, program(t, chip, "1.0.1-", 1), base)
	boot, err := images.Open("otaboot-" + chip)
	if err != nil {
		t.Fatal(err)
	}
	factory, err := ota.Factory(boot.Data, []ed25519.PublicKey{key.Public().(ed25519.PublicKey)}, whole)
	if err != nil {
		t.Fatal(err)
	}
	c := faults.Config{
		Judge: Judge{device.LayoutOf(chip), whole.ID(), update.ID()},
		Areas: Areas(device.LayoutOf(chip)), Horizon: Judge{Layout: device.LayoutOf(chip)}.Horizon(0), First: faults.Full, Again: faults.Coarse, Frail: faults.Edges, Seed: 1,
	}
	for _, b := range rigs.Rigs["virtual"].Boards {
		for range machines {
			if b.Chip != chip {
				continue
			}
			m, err := New(b, factory, update)
			if err != nil {
				t.Fatal(err)
			}
			c.Machines = append(c.Machines, m)
		}
	}
	return c
}

// The update system is sound, as far as two cuts after each other and a few of the
// other faults go. The suite goes on until it is closed, and on the silicon.
func TestSound(t *testing.T) {
	for _, chip := range chips {
		c := onHost(config(t, chip, 2))
		c.Depth, c.Samples, c.Recheck = 2, 4, 20
		c.Resets = []board.ResetKind{board.ResetWatchdog}
		r, err := faults.Explore(t.Context(), c)
		if err != nil {
			t.Fatalf("%s: %v", chip, err)
		}
		if r.Failed > 0 {
			t.Errorf("%s: %v", chip, &r.Failures[0])
		}
		if r.Points() < 70_000 || r.Executed > 400 {
			t.Errorf("%s: %d points by %d recoveries", chip, r.Points(), r.Executed)
		}
	}
}

// What is planted in firmware/ota and has to do with faults is found.
func TestPlantedDefects(t *testing.T) {
	for d, want := range map[defect.Defect]faults.Kind{
		defect.BootTrusts:     faults.Cut,
		defect.SwitchEarly:    faults.Cut,
		defect.SwitchInTwo:    faults.Cut,
		defect.OldFirst:       faults.Cut,
		defect.StreamDigest:   faults.Cut,
		defect.ResumeTrusts:   faults.Cut,
		defect.TornHeader:     faults.Cut,
		defect.ConfirmEarly:   faults.Cut,
		defect.AttemptLate:    faults.Cut,
		defect.RevertBootsNew: faults.Cut,
		defect.MarkUnchecked:  faults.Drop,
	} {
		c := onHost(config(t, "stm32f407", 2))
		c.Depth, c.Samples = 2, 8
		remove := defect.Plant(d)
		r, err := faults.Explore(t.Context(), c)
		remove()
		switch {
		case err != nil:
			t.Errorf("defect %d: %v", d, err)
		case r.Failed == 0:
			t.Errorf("defect %d is not found", d)
		case r.Failures[0].Faults[0].Kind != want:
			t.Errorf("defect %d: %v, not by a %v", d, &r.Failures[0], want)
		}
	}
}

// The silicon is a machine fit for the engine, and recovers from some faults.
func TestSilicon(t *testing.T) {
	for chip, sequence := range map[string]string{
		"stm32f407": "cut@4:program:bytes2; cut@0:erase:half",
		"k210":      "cut@1:program:bits1; cut@0:erase:zeroed0",
	} {
		if err := faults.Replay(t.Context(), config(t, chip, 1), sequence); err != nil {
			t.Errorf("%s: %v", chip, err)
		}
	}
}
