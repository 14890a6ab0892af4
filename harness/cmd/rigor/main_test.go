package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files")

// binary is the command under test, root the checkout.
var binary, root string

// TestMain builds the command once: what is tested is what a user runs.
func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "rigor")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if root, err = filepath.Abs("../../.."); err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "rigor")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build rigor: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// outcome is what a finished process leaves.
type outcome struct {
	stdout, stderr string
	status         int
}

// command is rigor with arguments, to be run in the checkout.
func command(args ...string) *exec.Cmd {
	c := exec.Command(binary, args...)
	c.Dir = root
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // of a test that timed out
	return c
}

// patience is for commands that do not end: a test must fail, not hang.
const patience = 3 * time.Minute

// bound ends a started command that takes too long, with all that it started:
// suites, which have groups of their own, die with it.
func bound(t *testing.T, c *exec.Cmd, patience time.Duration) {
	timer := time.AfterFunc(patience, func() { syscall.Kill(-c.Process.Pid, syscall.SIGKILL) })
	t.Cleanup(func() { timer.Stop() })
}

// finish runs a command to its end.
func finish(t *testing.T, c *exec.Cmd) outcome {
	t.Helper()
	return finishWithin(t, c, patience)
}

func finishWithin(t *testing.T, c *exec.Cmd, patience time.Duration) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr, c.WaitDelay = &stdout, &stderr, time.Second
	if c.SysProcAttr == nil {
		c.SysProcAttr = &syscall.SysProcAttr{}
	}
	c.SysProcAttr.Setpgid = true
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	bound(t, c, patience)
	c.Wait()
	return outcome{stdout.String(), stderr.String(), c.ProcessState.ExitCode()}
}

// background starts a command that goes on until it is interrupted, which it is with the
// test; it must end well then, unless somebody killed it.
func background(t *testing.T, c *exec.Cmd) (stderr io.Reader) {
	t.Helper()
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Process.Signal(os.Interrupt)
		if c.Wait(); c.ProcessState.ExitCode() != exitOK && c.ProcessState.Exited() {
			t.Errorf("%q ended with status %d", c.Args[1:], c.ProcessState.ExitCode())
		}
	})
	return stderr
}

// rigor runs the command in the checkout.
func rigor(t *testing.T, args ...string) outcome {
	t.Helper()
	return finish(t, command(args...))
}

// want checks the status, and that standard error holds each of the texts.
func (o outcome) want(t *testing.T, status int, texts ...string) {
	t.Helper()
	if o.status != status {
		t.Errorf("exit status %d, want %d; standard error:\n%s", o.status, status, o.stderr)
	}
	for _, text := range texts {
		if !strings.Contains(o.stderr, text) {
			t.Errorf("standard error lacks %q:\n%s", text, o.stderr)
		}
	}
}

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}

// write makes a file in a new folder.
func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// checkout copies what a fresh clone has and a run needs, with some files
// replaced: path and content.
func checkout(t *testing.T, replace map[string]string) string {
	t.Helper()
	to := t.TempDir()
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if slices.Contains([]string{".git", ".build", "bin", "results", "testdata"}, d.Name()) {
				return fs.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, path), 0o755)
		}
		text, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, path), text, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range replace {
		if err := os.WriteFile(filepath.Join(to, path), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// in runs rigor in a folder of another checkout. -trimpath lets its builds come
// from the cache of the last one.
func in(t *testing.T, dir string, args ...string) outcome {
	t.Helper()
	c := command(args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -trimpath")
	return finish(t, c)
}

// original is the text of a file of the checkout.
func original(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// edited is a file of the checkout with one text in place of another.
func edited(t *testing.T, path, old, new string) string {
	t.Helper()
	text := original(t, path)
	if !strings.Contains(text, old) {
		t.Fatalf("%s does not hold %q", path, old)
	}
	return strings.Replace(text, old, new, 1)
}

// Every command's help tells how its end is to be read.
func TestHelpNamesExitStatus(t *testing.T) {
	for _, args := range []string{"", "run", "flash", "sim run", "sim serve", "sim conform", "export", "dashboards",
		"ota keygen", "ota pack", "ota sign", "ota inspect", "ota diff", "ota image", "ota factory", "ota push",
		"compare", "ab", "baseline show", "baseline diff", "baseline accept"} {
		o := rigor(t, append(strings.Fields(args), "--help")...)
		o.want(t, exitOK)
		if !strings.Contains(strings.ToLower(strings.Join(strings.Fields(o.stdout), " ")), "exit status") {
			t.Errorf("rigor %s --help does not tell the exit status:\n%s", args, o.stdout)
		}
	}
}

func TestUsageErrors(t *testing.T) {
	for _, args := range []string{"", "walk", "run --rigs virtual", "sim run --chip stm32f407", "sim run --chip 8051 x", "export no-such-folder"} {
		o := rigor(t, strings.Fields(args)...)
		if o.status != exitSetup || o.stderr == "" {
			t.Errorf("rigor %s: exit status %d, want %d and a message, got %q", args, o.status, exitSetup, o.stderr)
		}
	}
}

func TestVersionNamesTheImages(t *testing.T) {
	o := rigor(t, "version")
	o.want(t, exitOK)
	if !strings.Contains(o.stdout, "rigor ") || !strings.Contains(o.stdout, "image echo-stm32f407, sha256 ") {
		t.Errorf("got %s", o.stdout)
	}
}

func TestOutsideOfACheckout(t *testing.T) {
	for _, args := range []string{"run", "rigs", "export"} {
		in(t, t.TempDir(), args).want(t, exitSetup, "not inside a checkout of rigor")
	}
}
