// Package soctest is what the tests of simulated chips share: that a chip keeps to what every
// chip has to, and the checked-in firmware on a board with a console. It looks for files from
// the folder of a chip.
package soctest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// NamesAreCurrent: names.go is what svd/gen.go makes of the chip's SVD file today.
func NamesAreCurrent(t *testing.T, chip string) {
	t.Helper()
	want, err := os.ReadFile("names.go")
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "names.go")
	cmd := exec.Command("go", "run", "../svd/gen.go", "../../../../firmware/svd/"+chip+".svd", chip, out)
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, msg)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("names.go is out of date: run go generate")
	}
}

// IsPlain: a snapshot is a copy only as long as nothing in the state is shared that can
// change.
func IsPlain(t *testing.T, path string, state reflect.Type) {
	t.Helper()
	switch state.Kind() {
	case reflect.Struct:
		for i := range state.NumField() {
			IsPlain(t, path+"."+state.Field(i).Name, state.Field(i).Type)
		}
	case reflect.Array:
		IsPlain(t, path+"[]", state.Elem())
	case reflect.Slice, reflect.Map, reflect.Pointer, reflect.Interface, reflect.Func, reflect.Chan:
		t.Errorf("%s is a %v", path, state.Kind())
	}
}

// GoesTheSameWay: a chip that runs does the same from a snapshot taken anywhere: in
// start-up, in the middle of a byte, asleep.
func GoesTheSameWay(t *testing.T, c board.Chip) {
	t.Helper()
	runTo := func(at clock.Time) {
		if stop := c.Run(at); stop.Kind != board.Running {
			t.Fatal(stop)
		}
	}
	for range 8 {
		runTo(c.Now() + 4321*clock.Microsecond)
		snap, taken := c.Snapshot(), c.Now()
		runTo(taken + 3*clock.Millisecond)
		want := c.Digest()
		c.Restore(snap)
		runTo(taken + clock.Millisecond)
		runTo(taken + 3*clock.Millisecond)
		if c.Digest() != want {
			t.Errorf("from %d us on it went another way", taken/clock.Microsecond)
		}
		c.Restore(snap)
	}
}
