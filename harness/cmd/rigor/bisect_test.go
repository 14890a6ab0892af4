package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"rigor/harness/measure"
	"rigor/harness/record"
)

// repository makes one with a commit for each value that a figure has; -1 is a commit that cannot be asked. A value's
// image is its tens.
func repository(t *testing.T, values ...int) string {
	t.Helper()
	dir := t.TempDir()
	git := func(args ...string) {
		t.Helper()
		c := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.org"}, args...)...)
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	git("init", "--quiet", "--initial-branch=main")
	for n, v := range values {
		if err := os.WriteFile(filepath.Join(dir, "value"), []byte(strconv.Itoa(v)), 0o644); err != nil {
			t.Fatal(err)
		}
		git("add", "value")
		git("commit", "--quiet", "--allow-empty", "-m", fmt.Sprintf("commit %d", n))
		git("tag", fmt.Sprintf("c%d", n))
	}
	return dir
}

// bisecting searches between the first commit and the last. Each is asked by reading the checked out value.
func bisecting(t *testing.T, dir string) *bisection {
	t.Helper()
	w, err := parseWanted("latency/switch/f407/goroutine-switch/firmware")
	if err != nil {
		t.Fatal(err)
	}
	b := &bisection{root: dir, temp: filepath.Join(t.TempDir(), "bisect"), figure: w, rig: "virtual", progress: io.Discard}
	b.try = func(ctx context.Context, at commit) (*record.Run, error) {
		if err := b.checkOut(ctx, at); err != nil {
			return nil, err
		}
		text, err := os.ReadFile(filepath.Join(b.tree(), "value"))
		if err != nil {
			return nil, err
		}
		v, err := strconv.ParseInt(string(text), 10, 64)
		if v < 0 {
			return nil, errors.New("build rigor: it does not compile")
		}
		return runWith(v), err
	}
	return b
}

// runWith is a run whose figure is v.
func runWith(v int64) *record.Run {
	s := measure.Sample{Name: measure.GoroutineSwitch, Source: measure.Firmware, Unit: measure.Cycles, Clock: 16e6, Values: []int64{v, v, v}}
	m := record.Measured(s, 16e6, measure.Summarize(s), nil, nil)
	m.Digest = strconv.FormatInt(v, 10)
	e := record.Experiment{Suite: "latency", Name: "switch", Board: "f407", Firmware: strconv.FormatInt(v/10, 10), Measurements: []record.Measurement{m}}
	return &record.Run{Rig: record.Rig{Name: "virtual", Kind: "virtual"}, Experiments: []record.Experiment{e}}
}

func TestBisect(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values []int
		want   string // the first bad commit's subject, or the suspects'
		whose  string
		asked  int
	}{
		{"one step", []int{100, 110}, "commit 1", "firmware", 2},
		{"in the middle", []int{100, 100, 100, 100, 112, 112, 112, 112}, "commit 4", "firmware", 5},
		{"at the end", []int{100, 100, 100, 100, 100, 112}, "commit 5", "firmware", 5},
		{"at the start", []int{100, 112, 112, 112, 112, 112}, "commit 1", "firmware", 4},
		{"the harness", []int{100, 100, 101, 101}, "commit 2", "harness", 4},
		{"something got better, too", []int{100, 100, 90, 90, 112, 112}, "commit 4", "firmware", 5},
		{"one cannot be asked", []int{100, 100, -1, 100, 112, 112}, "commit 4", "firmware", 6},
		{"the one cannot be asked", []int{100, 100, -1, 112, 112}, "commit 2, commit 3", "", 5},
		{"an improvement", []int{112, 112, 100, 100}, "commit 2", "firmware", 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := repository(t, tt.values...)
			b := bisecting(t, dir)
			o := search(t, b, len(tt.values)-1)
			var got []string
			for _, s := range o.Suspects {
				got = append(got, s.Subject)
			}
			if o.FirstBad != nil {
				got = []string{o.FirstBad.Subject}
			}
			if strings.Join(got, ", ") != tt.want || string(o.Whose) != tt.whose {
				t.Errorf("found %v, of the %s, not %s of the %s", got, o.Whose, tt.want, tt.whose)
			}
			if len(o.Steps) > tt.asked {
				t.Errorf("%d commits were asked, not %d", len(o.Steps), tt.asked)
			}
			b.close()
			if out, err := exec.Command("git", "-C", dir, "worktree", "list").Output(); err != nil || strings.Count(string(out), "\n") != 1 {
				t.Errorf("a worktree is left behind: %s, %v", out, err)
			}
			if _, err := os.Stat(b.temp); err == nil {
				t.Error("the temporary folder is left behind")
			}
		})
	}
}

func search(t *testing.T, b *bisection, last int) *bisected {
	t.Helper()
	var err error
	if b.good, err = b.commit(t.Context(), "c0"); err != nil {
		t.Fatal(err)
	}
	if b.bad, err = b.commit(t.Context(), fmt.Sprintf("c%d", last)); err != nil {
		t.Fatal(err)
	}
	o, err := b.search(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestBisectRefuses(t *testing.T) {
	dir := repository(t, 100, 100, 112)
	for _, tt := range []struct{ good, bad, want string }{
		{"c0", "c1", "nothing differs between good and bad"},
		{"c2", "c0", "is no ancestor of"},
		{"c1", "c1", "there is no commit after"},
		{"c9", "c1", "c9"},
	} {
		b := bisecting(t, dir)
		var err error
		if b.good, err = b.commit(t.Context(), tt.good); err == nil {
			if b.bad, err = b.commit(t.Context(), tt.bad); err == nil {
				_, err = b.search(t.Context())
			}
		}
		b.close()
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("from %s to %s: %v, want %q", tt.good, tt.bad, err, tt.want)
		}
	}
	for _, figure := range []string{"goroutine-switch", "*/switch/f407/goroutine-switch/firmware", "latency/switch/*/goroutine-switch/firmware", "a/[/c/d/e"} {
		if _, err := parseWanted(figure); err == nil {
			t.Errorf("figure %q is taken", figure)
		}
	}
}

// TestBisectInterrupted leaves nothing behind either.
func TestBisectInterrupted(t *testing.T) {
	dir := repository(t, 100, 100, 100, 112, 112)
	b := bisecting(t, dir)
	ctx, stop := context.WithCancel(t.Context())
	try, asked := b.try, 0
	b.try = func(ctx context.Context, at commit) (*record.Run, error) {
		if asked++; asked == 3 {
			stop()
		}
		return try(ctx, at)
	}
	b.good, _ = b.commit(ctx, "c0")
	b.bad, _ = b.commit(ctx, "c4")
	_, err := b.search(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
	b.close()
	if out, err := exec.Command("git", "-C", dir, "worktree", "list").Output(); err != nil || strings.Count(string(out), "\n") != 1 {
		t.Errorf("a worktree is left behind: %s, %v", out, err)
	}
}
