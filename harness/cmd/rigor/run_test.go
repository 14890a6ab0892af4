package main

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"rigor/harness/record"
)

// fullRun is all suites on the virtual rig, run once for all tests.
var fullRun = sync.OnceValues(func() (string, outcome) {
	dir := filepath.Join(filepath.Dir(binary), "run")
	var stdout, stderr strings.Builder
	c := command("run", "--out", dir)
	c.Stdout, c.Stderr = &stdout, &stderr
	c.Run()
	return dir, outcome{stdout.String(), stderr.String(), c.ProcessState.ExitCode()}
})

func load(t *testing.T, dir string) *record.Run {
	t.Helper()
	run, err := record.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// The digest is that of every sample to the cycle: the same in any run, on any
// machine. It changes with the firmware images, with the model of the chip, and with nothing else.
func TestRunIsTheSameEachTime(t *testing.T) {
	dir, first := fullRun()
	first.want(t, exitOK)
	second := filepath.Join(t.TempDir(), "run")
	rigor(t, "run", "--out", second).want(t, exitOK)
	a, b := load(t, dir), load(t, second)
	if a.SamplesDigest != b.SamplesDigest {
		t.Errorf("the digests of two runs are %s and %s", a.SamplesDigest, b.SamplesDigest)
	}
	golden(t, "digest.txt", a.SamplesDigest+"\n")
}

func TestRunPrintsClaimsAndSummary(t *testing.T) {
	dir, o := fullRun()
	stable, bundle, ok := strings.Cut(o.stdout, "\nbundle ")
	if !ok || bundle != dir+"\n" {
		t.Errorf("standard output does not end in the bundle %s but in %q", dir, bundle)
	}
	golden(t, "summary.txt", stable)
}

// The lines of progress of a log: no terminal's sequences, a line to each phase
// of flashing, each experiment counted.
func TestRunTellsItsProgress(t *testing.T) {
	dir, o := fullRun()
	golden(t, "progress.txt", strings.Replace(o.stderr, dir, "DIR", 1))
}

func TestRunLeavesABundle(t *testing.T) {
	dir, _ := fullRun()
	if s := load(t, dir).Status; s != record.Complete {
		t.Errorf("status %s", s)
	}
	for _, pattern := range []string{"run.json", "bench.txt", "junit.xml", "metrics.prom", "samples/*.json", "traces/*.vcd", "console/f407-*.log", "console/suite-*.log"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(files) == 0 {
			t.Errorf("no %s in the bundle, %v", pattern, err)
		}
		for _, f := range files {
			if info, err := os.Stat(f); err != nil || info.Size() == 0 {
				t.Errorf("%s is empty, %v", f, err)
			}
		}
	}
	if hidden, _ := filepath.Glob(filepath.Join(dir, ".*.*")); hidden != nil {
		t.Errorf("left over: %v", hidden)
	}
}

// Colours are for terminals.
func TestRunWritesNoColoursIntoPipes(t *testing.T) {
	_, o := fullRun()
	if strings.Contains(o.stdout+o.stderr, "\x1b") {
		t.Error("escape sequences in a pipe")
	}
}

// On a terminal the steps of flashing overwrite each other on one line.
func TestProgressOnATerminal(t *testing.T) {
	c := command("flash", echo(t)["elf"])
	c.Env = append(os.Environ(), "TERM=xterm")
	terminal, err := pty.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	text, _ := io.ReadAll(terminal) // ends in EIO, when the other side is closed
	c.Wait()
	lines := strings.Split(strings.TrimSuffix(string(text), "\r\n"), "\r\n")
	if len(lines) != 1 || !strings.Contains(lines[0], "%\r\x1b[Kverify ") || !strings.Contains(lines[0], "%\r\x1b[Kflashed ") {
		t.Errorf("got %q", lines)
	}
}

// A user may be in any folder of the checkout; a fresh one has no .build and no results.
func TestRunFromASubfolderOfAFreshCheckout(t *testing.T) {
	dir := filepath.Join(checkout(t, nil), "harness", "sim")
	o := in(t, dir, "run", "--suite", "smoke", "--out", "../my run")
	o.want(t, exitOK)
	if run := load(t, filepath.Join(dir, "../my run")); run.Status != record.Complete || len(run.Experiments) != 4 {
		t.Errorf("%s with %d experiments, want complete with 4", run.Status, len(run.Experiments))
	}
	o = in(t, dir, "run", "--suite", "smoke")
	o.want(t, exitOK)
	if bundles, _ := filepath.Glob(filepath.Join(dir, "../../results/runs/*-virtual/run.json")); len(bundles) != 1 {
		t.Errorf("bundles under results/runs: %v, want one", bundles)
	}
	in(t, dir, "export").want(t, exitOK)
}

func TestRunFailsByVerdict(t *testing.T) {
	dir := checkout(t, map[string]string{"suites/limits.yaml": edited(t, "suites/limits.yaml", "min: 7200", "min: 720000")})
	o := in(t, dir, "run", "--suite", "smoke", "--out", "out")
	o.want(t, exitWanting, "FAIL smoke/takes the image and greets", "rigor: 1 findings fail the run; see the table")
	run := load(t, filepath.Join(dir, "out"))
	if run.Status != record.Complete || run.Blocking() != 1 || len(run.Experiments) != 4 {
		t.Errorf("%s, %d blocking, %d experiments; want all 4 run to the end", run.Status, run.Blocking(), len(run.Experiments))
	}
	if !strings.Contains(o.stdout, "FAIL min >= 720000 B/s") {
		t.Errorf("the table does not show the verdict:\n%s", o.stdout)
	}
	checkJUnit(t, filepath.Join(dir, "out"), 4, 1)
}

// A required limit that no suite measures anything for is no pass.
func TestRunFailsByWhatIsMissing(t *testing.T) {
	limit := edited(t, "suites/limits.yaml", "  - quantity: flash-write", `  - quantity: goroutine-switch
    chip: stm32f407
    clock_hz: 42000000
    statistic: min
    unit: cycles
    min: 1
    required: true
    reason: no image runs at this rate

  - quantity: flash-write`)
	dir := checkout(t, map[string]string{"suites/limits.yaml": limit})
	o := in(t, dir, "run", "--out", "out")
	o.want(t, exitWanting, "1 findings fail the run")
	if !strings.Contains(o.stdout, "MISSING") {
		t.Errorf("the summary does not tell what is missing:\n%s", o.stdout)
	}
}

func TestRunFailsBySuiteThatDoesNotBuild(t *testing.T) {
	dir := checkout(t, map[string]string{"suites/smoke/broken_test.go": "package smoke\n\nvar x int = \"\"\n"})
	in(t, dir, "run", "--suite", "smoke", "--out", "out").want(t, exitSetup, "build suite smoke", "broken_test.go:3")
	if s := load(t, filepath.Join(dir, "out")).Status; s != record.Failed {
		t.Errorf("status %s, want failed", s)
	}
}

// What cannot be recorded must not pass, and the message names it. A folder
// below /proc refuses new files even from root.
func TestRunFailsByBundleThatCannotBeWritten(t *testing.T) {
	out := t.TempDir()
	if err := os.Symlink("/proc/self", filepath.Join(out, "samples")); err != nil {
		t.Fatal(err)
	}
	rigor(t, "run", "--suite", "smoke", "--out", out).want(t, exitSetup, `record smoke "echoes a pin"`, "/samples/")
	rigor(t, "run", "--suite", "smoke", "--out", "/dev/null/run").want(t, exitSetup, "create bundle", "/dev/null")
}

func TestRunRefuses(t *testing.T) {
	dir, _ := fullRun()
	for name, c := range map[string]struct {
		args string
		want []string
	}{
		"an unknown rig":            {"--rig nowhere", []string{"nowhere", "virtual"}},
		"an unknown suite":          {"--suite nothing", []string{`no suite "nothing"`, "latency, smoke"}},
		"a folder that holds a run": {"--out " + dir, []string{dir + " already holds a run", "--out"}},
	} {
		t.Run(name, func(t *testing.T) {
			rigor(t, append([]string{"run"}, strings.Fields(c.args)...)...).want(t, exitSetup, c.want...)
		})
	}
}

func TestRunRefusesRigsWithMistakes(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"an unknown key":   {"crystal_hz: 8000000", "crystal: 8000000", "crystal"},
		"a wrong type":     {"seed: 1 ", "seed: one ", "wrong type: want uint64"},
		"an unknown chip":  {"chip: stm32f407", "chip: stm32f408", "stm32f407"},
		"a pin used twice": {"stimulus: {pin: PA0", "stimulus: {pin: PD12", "give one of them another pin"},
	} {
		t.Run(name, func(t *testing.T) {
			text := edited(t, "rigs.yaml", c.old, c.new)
			line := 1 + strings.Count(text[:strings.Index(text, c.new)], "\n")
			dir := t.TempDir()
			for file, content := range map[string]string{"go.mod": "module rigor\n", "rigs.yaml": text} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			for _, cmd := range []string{"run", "rigs"} {
				in(t, dir, cmd).want(t, exitSetup, fmt.Sprintf("rigs.yaml:%d", line), c.want)
			}
		})
	}
}

func TestRunWithoutGo(t *testing.T) {
	c := command("run")
	c.Env = []string{"PATH=" + t.TempDir(), "HOME=" + t.TempDir()}
	finish(t, c).want(t, exitSetup, "no Go toolchain", "install Go", "PATH")
}

// under starts a run and returns once the second experiment has ended.
func under(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	c := command("run", "--suite", "latency", "--out", dir)
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "[ 2/18]") {
			go io.Copy(io.Discard, stderr)
			return c
		}
	}
	t.Fatalf("the run ended before its second experiment: %v", c.Wait())
	return nil
}

// leftOver lists processes that were started for the bundle.
func leftOver(dir string) (found []string) {
	environments, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range environments {
		if text, _ := os.ReadFile(file); strings.Contains(string(text), "RIGOR_BUNDLE="+dir+"\x00") {
			found = append(found, filepath.Base(filepath.Dir(file)))
		}
	}
	return found
}

// The signal goes to rigor alone, as from kill; a terminal's Ctrl-C does the
// same, since suites have a process group of their own.
func TestRunInterrupted(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			c := under(t, dir)
			c.Process.Signal(signal)
			c.Wait()
			if status := c.ProcessState.ExitCode(); status != exitSetup {
				t.Errorf("exit status %d, want %d", status, exitSetup)
			}
			if pids := leftOver(dir); pids != nil {
				t.Errorf("still running: %v", pids)
			}
			run := load(t, dir)
			measured := 0
			for _, e := range run.Experiments {
				if len(e.Measurements) > 0 {
					measured++
				}
			}
			if run.Status != record.Interrupted || run.Ended.IsZero() || measured < 2 || measured > 17 {
				t.Errorf("%s at %v with %d experiments measured", run.Status, run.Ended, measured)
			}
			checkJUnit(t, dir, len(run.Experiments), -1)
			if text, err := os.ReadFile(filepath.Join(dir, record.MetricsFile)); err != nil || !strings.Contains(string(text), "rigor_") {
				t.Errorf("metrics.prom: %v\n%s", err, text)
			}
			rigor(t, "export", dir).want(t, exitOK, "not complete", "interrupted")
		})
	}
}

func TestRunKilled(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	c := under(t, dir)
	c.Process.Kill()
	c.Wait()
	for deadline := time.Now().Add(time.Minute); leftOver(dir) != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the suite goes on: %v", leftOver(dir))
		}
	}
	if run := load(t, dir); run.Status != record.Running || len(run.Experiments) < 2 {
		t.Errorf("%s with %d experiments, want running with 2 or more", run.Status, len(run.Experiments))
	}
	o := rigor(t, "export", dir)
	o.want(t, exitOK, "not complete", "still going, or killed")
	if !strings.Contains(o.stdout, `status="running"`) {
		t.Errorf("the metrics do not tell:\n%s", o.stdout)
	}
}

// checkJUnit counts test cases and, unless negative, failures.
func checkJUnit(t *testing.T, dir string, cases, failures int) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, record.JUnitFile))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
	}
	if err := xml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Tests != cases || failures >= 0 && doc.Failures != failures {
		t.Errorf("junit.xml has %d cases and %d failures, want %d and %d", doc.Tests, doc.Failures, cases, failures)
	}
}
