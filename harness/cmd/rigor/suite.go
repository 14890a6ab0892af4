package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"rigor/harness/record"
)

// chooseSuites gives the wanted suites in the order wanted, or all by name.
func chooseSuites(root string, want []string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(root, "suites", "*", "*_suite_test.go"))
	if err != nil {
		return nil, err
	}
	var all []string
	for _, f := range files {
		all = append(all, filepath.Base(filepath.Dir(f)))
	}
	if len(want) == 0 {
		want = all
	}
	for _, name := range want {
		if !slices.Contains(all, name) {
			return nil, fmt.Errorf("no suite %q under suites; there are: %s", name, strings.Join(all, ", "))
		}
	}
	return want, nil
}

// grace is how long a suite that was interrupted may take to put its board and
// its bundle in order.
const grace = 10 * time.Second

// suite builds a suite's test binary and runs it. What specs found is in the
// bundle; an error is a suite that could not say.
func (s *session) suite(ctx context.Context, name string) error {
	dir := filepath.Join(s.root, "suites", name)
	binary, err := s.build(ctx, name, dir)
	if err != nil {
		return err
	}
	log, err := s.bundle.Console("suite-" + name)
	if err != nil {
		return err
	}
	defer log.Close()
	before, err := record.Load(s.bundle.Dir())
	if err != nil {
		return err
	}
	failed := s.execute(ctx, binary, dir, log)
	after, err := record.Load(s.bundle.Dir())
	if err != nil {
		return err
	}
	var exit *exec.ExitError
	switch {
	case failed != nil && !errors.As(failed, &exit):
		return fmt.Errorf("run suite %s: %w", name, failed)
	case failed != nil && after.Blocking() == before.Blocking():
		return fmt.Errorf("suite %s: %w, but recorded nothing that explains it; see console/suite-%s.log", name, failed, name)
	case len(after.Experiments) == len(before.Experiments):
		return fmt.Errorf("suite %s recorded no experiment; see console/suite-%s.log", name, name)
	}
	return nil
}

// build makes a suite's test binary.
func (s *session) build(ctx context.Context, name, dir string) (string, error) {
	binary := filepath.Join(s.root, ".build", name+".test")
	if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
		return "", fmt.Errorf("build suite %s: %w", name, err)
	}
	build := exec.CommandContext(ctx, "go", "test", "-c", "-o", binary, ".")
	build.Dir = dir
	build.Cancel = func() error { return build.Process.Signal(os.Interrupt) }
	build.WaitDelay = grace
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build suite %s: %w\n%s", name, err, out)
	}
	return binary, nil
}

// needGo tells what to do where suites cannot be built.
func needGo() error {
	if _, err := exec.LookPath("go"); err != nil {
		return fmt.Errorf("suites are built when they are run, and there is no Go toolchain: install Go (go.dev/dl) and put its bin folder into PATH: %w", err)
	}
	return nil
}

// execute runs the binary with ginkgo's report going to log and progress to
// standard error.
func (s *session) execute(ctx context.Context, binary, dir string, log io.Writer) error {
	run := exec.CommandContext(ctx, binary, "--ginkgo.v", "--ginkgo.no-color", "--ginkgo.fail-on-empty", "--ginkgo.fail-on-pending")
	run.Dir, run.Stdout, run.Stderr = dir, log, os.Stderr
	run.Env = append(os.Environ(), "RIGOR_RIG="+s.rig.Name, "RIGOR_BUNDLE="+s.bundle.Dir())
	// Ctrl-C reaches the suite once, from here; so does the end of this process, which is that of its thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
	run.Cancel = func() error { return run.Process.Signal(os.Interrupt) }
	run.WaitDelay = grace
	return run.Run()
}
