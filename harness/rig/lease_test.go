package rig

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestLeaseIsExclusive(t *testing.T) {
	dir, now := t.TempDir(), time.Unix(0, 0)
	a, err := Acquire(dir, "bench", "f407", now)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Acquire(dir, "bench", "f407", now)
	var busy *BusyError
	if !errors.As(err, &busy) || !strings.Contains(busy.Holder, "1970-01-01T00:00:00Z") {
		t.Errorf("second lease: %v", err)
	}
	if b, err := Acquire(dir, "bench", "other", now); err != nil {
		t.Errorf("another board: %v", err)
	} else {
		b.Release()
	}
	a.Release()
	if a, err = Acquire(dir, "bench", "f407", now); err != nil {
		t.Errorf("after release: %v", err)
	} else {
		a.Release()
	}
}

// A holder that is killed loses its lease: the test runs itself as the holder.
func TestLeaseEndsWithItsHolder(t *testing.T) {
	if dir := os.Getenv("RIGOR_TEST_LEASE"); dir != "" {
		if _, err := Acquire(dir, "bench", "f407", time.Now()); err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("held\n")
		select {}
	}
	dir := t.TempDir()
	holder := exec.Command(os.Args[0], "-test.run=^TestLeaseEndsWithItsHolder$")
	holder.Env = append(os.Environ(), "RIGOR_TEST_LEASE="+dir)
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the holder said %q, %v", line, err)
	}
	if _, err := Acquire(dir, "bench", "f407", time.Now()); err == nil {
		t.Error("two leases on one board")
	}
	holder.Process.Kill()
	holder.Wait()
	l, err := Acquire(dir, "bench", "f407", time.Now())
	if err != nil {
		t.Fatalf("after kill -9 of the holder: %v", err)
	}
	l.Release()
}
