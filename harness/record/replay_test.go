package record

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// carrying makes a bundle that carries what a replay needs.
func carrying(t *testing.T) *Bundle {
	t.Helper()
	b := bundle(t)
	err := b.Update(func(r *Run) error {
		return errors.Join(b.Carry(r, RigsFile, []byte("rigs:\n")), b.Carry(r, LimitsFile, []byte("limits:\n")),
			b.Carry(r, "firmware/latency.elf", []byte("\x7fELF")))
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func reload(t *testing.T, b *Bundle) *Run {
	t.Helper()
	r, err := Load(b.Dir())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCarry(t *testing.T) {
	b := carrying(t)
	if err := errors.Join(reload(t, b).CheckCarried(), reload(t, b).CheckSamples()); err != nil {
		t.Error(err)
	}
	// printf 'rigs:\n' | sha256sum
	if got, want := reload(t, b).Carried[RigsFile], "d8b26cfb8a3d9a7ebbe78ca4f8d7cc4f3ae25af9ee60f1c9f9a9639650e70aef"; got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
	again := func(text string) error {
		return b.Update(func(r *Run) error { return b.Carry(r, "firmware/latency.elf", []byte(text)) })
	}
	if err := again("\x7fELF"); err != nil {
		t.Errorf("the same again: %v", err)
	}
	if again("another") == nil {
		t.Error("another image took the place of one that an experiment needed")
	}
}

func TestCheckCarriedSaysWhatIsWrong(t *testing.T) {
	for name, harm := range map[string]func(*Bundle) error{
		"changed": func(b *Bundle) error {
			return os.WriteFile(filepath.Join(b.Dir(), "firmware/latency.elf"), []byte("\x7fELf"), 0o644)
		},
		"gone": func(b *Bundle) error { return os.Remove(filepath.Join(b.Dir(), RigsFile)) },
		"unknown": func(b *Bundle) error {
			return b.Update(func(r *Run) error { delete(r.Carried, LimitsFile); return nil })
		},
		"outside": func(b *Bundle) error {
			return b.Update(func(r *Run) error { r.Carried["../run/rigs.yaml"] = r.Carried[RigsFile]; return nil })
		},
	} {
		b := carrying(t)
		if err := harm(b); err != nil {
			t.Fatal(err)
		}
		if reload(t, b).CheckCarried() == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
	if err := reload(t, bundle(t)).CheckCarried(); !errors.Is(err, ErrNotCarried) {
		t.Errorf("a bundle of an older rigor: %v", err)
	}
}

func TestRepeats(t *testing.T) {
	run := func(s Status, es ...Experiment) *Run {
		b, err := Create(filepath.Join(t.TempDir(), "run"), meta())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range es {
			if err := b.Add(e); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Finish(s, start); err != nil {
			t.Fatal(err)
		}
		return reload(t, b)
	}
	a, c := experiment("a", switches(1, 2, 3)), experiment("c", switches(9))
	dearer, shorter := experiment("a", switches(1, 2, 3)), experiment("a", switches(1, 5))
	dearer.Measurements[0].Overhead++
	ticks := experiment("a", probed(1, 2, 3))
	ticks.Measurements[0].Source = "firmware"
	for name, x := range map[string]struct {
		run, replay *Run
		want        []string
	}{
		"identical":            {run(Complete, a, c), run(Complete, a, c), nil},
		"a repeat":             {run(Complete, a, a), run(Complete, a, shorter), []string{"1 of 2 values differ, the first is value 2: was 2 cycles, is 5; there were 3 values, are 2"}},
		"another cost":         {run(Complete, a), run(Complete, dearer), []string{"overhead was 4 cycles, is 5"}},
		"another unit":         {run(Complete, a), run(Complete, ticks), []string{"was in cycles at 16000000 Hz, is in ticks at 100000000 Hz"}},
		"one is gone":          {run(Complete, a, c), run(Complete, c), []string{"the replay has no such sample"}},
		"one is new":           {run(Complete, c), run(Complete, a, c), []string{"the replay alone has such a sample"}},
		"the run was killed":   {run(Running, c), run(Complete, a, c), nil},
		"killed, and differed": {run(Running, c), run(Complete, a, experiment("c", switches(8))), []string{"1 of 1 values differ, the first is value 1: was 9 cycles, is 8"}},
	} {
		got, err := Repeats(x.run, x.replay)
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, d := range got.Departures {
			texts = append(texts, d.Text)
		}
		if !slices.Equal(texts, x.want) {
			t.Errorf("%s: %q, want %q", name, texts, x.want)
		}
	}
}
