package record

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"testing"
)

// What is kept beside an experiment's numbers is found by the experiment.
func TestObserved(t *testing.T) {
	b, err := Create(filepath.Join(t.TempDir(), "run"), Run{Firmware: []Firmware{{Target: "echo-k210", Digest: "d1"}}})
	if err != nil {
		t.Fatal(err)
	}
	e := Experiment{Suite: "Smoke", Name: "port, 9600", Board: "k210", Firmware: "d1"}
	name := fmt.Sprintf("%s %s %s %s", e.Board, e.Suite, "echo-k210", e.Name) // as the runner calls both files
	if e.Trace, err = b.Trace(name, uart(100e6, "Rigor")); err != nil {
		t.Fatal(err)
	}
	w, err := b.Console(name)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(w, "ready\nwent wrong\n")
	w.Close()
	r, err := Load(b.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if c, err := r.Capture(e, math.MaxInt); err != nil || len(c.Edges) != len(uart(100e6, "Rigor").Edges) {
		t.Errorf("%d edges, %v", len(c.Edges), err)
	}
	if tail, size, err := r.ConsoleTail(e, 6); string(tail) != "wrong\n" || size != 17 || err != nil {
		t.Errorf("%q of %d, %v", tail, size, err)
	}
	for _, none := range []Experiment{{}, {Firmware: "d2"}, {Firmware: "d1", Name: "never asked"}} {
		tail, size, err := r.ConsoleTail(none, 6)
		c, errTrace := r.Capture(none, 1)
		if tail != nil || size != 0 || err != nil || errTrace != nil || len(c.Edges) != 0 {
			t.Errorf("%+v: %q of %d, %v, %v", none, tail, size, err, errTrace)
		}
	}
	if _, err := r.Capture(Experiment{Trace: "../run.json"}, 1); !errors.Is(err, ErrForeign) {
		t.Errorf("a trace outside of the bundle: %v", err)
	}
	if _, err := r.Capture(Experiment{Trace: RunFile}, 1); !errors.Is(err, ErrVCD) {
		t.Errorf("a trace that is none: %v", err)
	}
}
