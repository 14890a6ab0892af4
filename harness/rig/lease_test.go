package rig

import (
	"bufio"
	"context"
	"errors"
	"fmt"
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

// waitClock is a clock whose sleeps end at once.
type waitClock struct {
	now   time.Time
	slept func()
}

func (c *waitClock) Now() time.Time { return c.now }

func (c *waitClock) Sleep(ctx context.Context, d time.Duration) error {
	c.now = c.now.Add(d)
	c.slept()
	return ctx.Err()
}

func TestAwait(t *testing.T) {
	for _, c := range []struct {
		name  string
		wait  time.Duration
		freed int // sleeps until the holder ends; 0: never
		other int // sleeps until another holds it in its place; 0: never
		stop  int // sleeps until the user ends it; 0: never
		told  int
		want  string
	}{
		{name: "does not wait", want: "leased by"},
		{name: "gets it", wait: time.Minute, freed: 3, told: 1},
		{name: "from the next", wait: time.Minute, freed: 9, other: 4, told: 2},
		{name: "in vain", wait: 2500 * time.Millisecond, told: 1, want: "waited 2.5s: board f407: open: board f407 is leased by"},
		{name: "is ended", wait: time.Minute, stop: 2, told: 1, want: "held by process 1: context canceled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			slept, holder, told := 0, "process 1", 0
			clock := &waitClock{now: time.Unix(0, 0)}
			clock.slept = func() {
				slept++
				if slept == c.other {
					holder = "process 2"
				}
				if slept == c.stop {
					cancel()
				}
			}
			err := Await(ctx, clock, c.wait, func() error {
				if c.freed > 0 && slept == c.freed {
					return nil
				}
				return &Error{Class: Rig, Board: "f407", Op: "open", Err: &BusyError{"f407", holder}}
			}, func(*BusyError) { told++ })
			if got := fmt.Sprint(err); c.want == "" && err != nil || !strings.Contains(got, c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if told != c.told {
				t.Errorf("told %d times, want %d", told, c.told)
			}
		})
	}
}

// Who runs suites on a board holds it between them, and leaves it to them.
func TestLeaseForRun(t *testing.T) {
	dir, now := t.TempDir(), time.Unix(0, 0)
	a, err := AcquireForRun(dir, "bench", "f407", now)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Release()
	if _, err := AcquireForRun(dir, "bench", "f407", now); err == nil {
		t.Error("two runs on a board")
	}
	suite, err := Acquire(dir, "bench", "f407", now)
	if err != nil {
		t.Fatal(err)
	}
	suite.Release()
}
