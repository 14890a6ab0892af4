package main

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"rigor/harness/record"
)

// The whole run of all suites on the virtual rig is made once for all tests.
var whole struct {
	once sync.Once
	dir  string
	outcome
}

func fullRun(t *testing.T) (dir string, o outcome) {
	t.Helper()
	whole.once.Do(func() {
		whole.dir = filepath.Join(filepath.Dir(binary), "run")
		whole.outcome = finishWithin(t, command("run", "--out", whole.dir), wholeRun)
	})
	return whole.dir, whole.outcome
}

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
	dir, first := fullRun(t)
	first.want(t, exitOK)
	golden(t, "digest.txt", load(t, dir).SamplesDigest+"\n")
	second := filepath.Join(t.TempDir(), "run")
	rigor(t, "run", "--suite", "latency", "--out", second).want(t, exitOK)
	sameSamples(t, load(t, second), load(t, dir), 20)
}

// digests are those of all samples, by their files.
func digests(r *record.Run) map[string]string {
	all := map[string]string{}
	for _, e := range r.Experiments {
		for _, m := range e.Measurements {
			all[m.File] = m.Digest
		}
	}
	return all
}

// sameSamples reports whether all samples of part are in all, and at least n.
func sameSamples(t *testing.T, part, all *record.Run, n int) {
	t.Helper()
	want, got := digests(all), digests(part)
	for file, digest := range got {
		if want[file] != digest {
			t.Errorf("%s: the digests of two runs are %s and %s", file, digest, want[file])
		}
	}
	if len(got) < n {
		t.Errorf("compared %d samples, want %d or more", len(got), n)
	}
}

func TestRunPrintsClaimsAndSummary(t *testing.T) {
	dir, o := fullRun(t)
	stable, bundle, ok := strings.Cut(o.stdout, "\nbundle ")
	if !ok || bundle != dir+"\n" {
		t.Errorf("standard output does not end in the bundle %s but in %q", dir, bundle)
	}
	golden(t, "summary.txt", stable)
}

// hostTime is what progress says of the host's own time, which no two runs
// share.
var hostTime = regexp.MustCompile(`, about \d+ (s|min) left|\ntook .*`)

// The lines of progress of a log: no terminal's sequences, a line to each phase
// of flashing, each experiment counted. Those of several boards come as the host has it.
func TestRunTellsItsProgress(t *testing.T) {
	part := filepath.Join(t.TempDir(), "run")
	o := rigor(t, "run", "--board", "f407", "--suite", "pwm", "--suite", "smoke", "--out", part)
	golden(t, "progress.txt", strings.Replace(hostTime.ReplaceAllString(o.stderr, ""), part, "DIR", 1))
	_, o = fullRun(t)
	if !regexp.MustCompile(`\nsuite smoke on f407, about \d+ (s|min) left\n`).MatchString(o.stderr) {
		t.Error("the last suite begins without an estimate of the time left")
	}
	spent := regexp.MustCompile(`\ntook \d+\.\d s: build \d+\.\d s, .*spectrum \d+\.\d s; simulated \d+\.\d s with \d+ million instructions, \d+ MIPS, \d+\.\d\d times real time\n$`)
	if !spent.MatchString(o.stderr) {
		t.Errorf("does not end in where the time went:\n%s", o.stderr)
	}
}

func TestRunLeavesABundle(t *testing.T) {
	dir, _ := fullRun(t)
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
	_, o := fullRun(t)
	if strings.Contains(o.stdout+o.stderr, "\x1b") {
		t.Error("escape sequences in a pipe")
	}
}

// On a terminal the steps of flashing overwrite each other on one line.
func TestProgressOnATerminal(t *testing.T) {
	c := command("flash", "--board", "f407", echo(t)["elf"])
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

// A user may be in any folder of the checkout; a fresh one has no results.
func TestRunFromASubfolderOfAFreshCheckout(t *testing.T) {
	dir := filepath.Join(checkout(t, nil), "harness", "sim")
	o := in(t, dir, "run", "--board", "f407", "--suite", "smoke", "--out", "../my run")
	o.want(t, exitOK)
	if run := load(t, filepath.Join(dir, "../my run")); run.Status != record.Complete || len(run.Experiments) != 4 {
		t.Errorf("%s with %d experiments, want complete with 4", run.Status, len(run.Experiments))
	}
	o = in(t, dir, "run", "--board", "f407", "--suite", "smoke")
	o.want(t, exitOK)
	if bundles, _ := filepath.Glob(filepath.Join(dir, "../../results/runs/*-virtual/run.json")); len(bundles) != 1 {
		t.Errorf("bundles under results/runs: %v, want one", bundles)
	}
	in(t, dir, "export").want(t, exitOK)
}

// Neither of two runs in a checkout takes the other's suites or bundle, and
// neither leaves what it built.
func TestTwoRunsAtOnce(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	dir := checkout(t, nil)
	var runs sync.WaitGroup
	for _, suite := range []string{"smoke", "pwm", "smoke"} {
		runs.Go(func() { in(t, dir, "run", "--board", "f407", "--suite", suite).want(t, exitOK) })
	}
	runs.Wait()
	experiments := map[int]int{}
	bundles, _ := filepath.Glob(filepath.Join(dir, "results/runs/*-virtual"))
	for _, b := range bundles {
		experiments[len(load(t, b).Experiments)]++
	}
	if experiments[4] != 2 || experiments[12] != 1 {
		t.Errorf("bundles %v with so many experiments: %v, want two of smoke with 4 and one of pwm with 12", bundles, experiments)
	}
	leavesNoSuites(t)
}

// leavesNoSuites looks for test binaries in the TMPDIR of runs that have ended.
func leavesNoSuites(t *testing.T) {
	t.Helper()
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), "rigor-suites-*"))
	builds, _ := filepath.Glob(filepath.Join(os.TempDir(), "go-build*"))
	if left = append(left, builds...); left != nil {
		t.Errorf("left over: %v", left)
	}
}

// What boards that run at once do is the same as what each does alone.
func TestBoardsRunAtOnce(t *testing.T) {
	dir := t.TempDir()
	all, first, second := filepath.Join(dir, "all"), filepath.Join(dir, "first"), filepath.Join(dir, "second")
	o := rigor(t, "run", "--suite", "smoke", "--out", all)
	o.want(t, exitOK, "suite smoke on f407\n", "suite smoke on c3\n", "suite smoke on k210\n", "[12/12] ok ", "c3: flashed echo-esp32c3")
	together := load(t, all)
	if len(together.Experiments) != 12 || len(together.Work) != 3 {
		t.Errorf("%d experiments in %d suites, want 12 in 3", len(together.Experiments), len(together.Work))
	}
	rigor(t, "run", "--suite", "smoke", "--board", "c3", "--out", second).want(t, exitOK, "[4/4] ok ")
	rigor(t, "run", "--suite", "smoke", "--label", "!chip:k210 && !board:c3", "--out", first).want(t, exitOK, "[4/4] ok ")
	for out, board := range map[string]string{first: "f407", second: "c3"} {
		run := load(t, out)
		if len(run.Experiments) != 4 || run.Experiments[0].Board != board {
			t.Errorf("%d experiments, the first on %s, want 4 on %s", len(run.Experiments), run.Experiments[0].Board, board)
		}
		sameSamples(t, run, together, 5)
	}
}

// Each repetition is flashed for, is a line of its own to benchstat and has a trace,
// and the first is what a single run measures.
func TestRunRepeats(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	rigor(t, "run", "--board", "f407", "--suite", "smoke", "--repeat", "3", "--out", dir).want(t, exitOK, "[ 1/12] ok ", "[12/12] ok ")
	bench, err := os.ReadFile(filepath.Join(dir, record.BenchFile))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(bench), "\nBenchmarkPinEcho/"); n != 3 {
		t.Errorf("%d lines of pin-echo, want 3:\n%s", n, bench)
	}
	all, _ := fullRun(t)
	whole, repeated := digests(load(t, all)), digests(load(t, dir))
	for _, file := range []string{"smoke.echoes-a-pin.f407.pin-echo.probe", "smoke.takes-the-image-and-greets.f407.flash-write.harness"} {
		first := filepath.Join("samples", file+".json")
		if repeated[first] == "" || repeated[first] != whole[first] {
			t.Errorf("%s: %q, in a single run %q", first, repeated[first], whole[first])
		}
	}
	for _, name := range []string{"echoes-a-pin.f407.pin-echo.probe", "takes-the-image-and-greets.f407.flash-write.harness"} {
		if _, ok := repeated["samples/smoke."+name+".3.json"]; !ok {
			t.Errorf("the third sample of %s is not among %d", name, len(repeated))
		}
	}
	traces := map[string]bool{}
	for _, e := range load(t, dir).Experiments {
		if _, err := os.Stat(filepath.Join(dir, e.Trace)); err != nil {
			t.Error(err)
		}
		traces[e.Trace] = true
	}
	if len(traces) != 12 {
		t.Errorf("12 experiments left %d traces", len(traces))
	}
}

func TestRunFailsByVerdict(t *testing.T) {
	dir := checkout(t, map[string]string{"suites/limits.yaml": edited(t, "suites/limits.yaml", "min: 7200", "min: 720000")})
	o := in(t, dir, "run", "--board", "f407", "--suite", "smoke", "--out", "out")
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

// A required limit that no suite measures anything for is no pass: here those
// of all suites but one, which have gone.
func TestRunFailsByWhatIsMissing(t *testing.T) {
	dir := checkout(t, nil)
	files, _ := filepath.Glob(filepath.Join(dir, "suites", "*", "*_suite_test.go"))
	for _, f := range files {
		if filepath.Base(f) != "smoke_suite_test.go" {
			os.Remove(f)
		}
	}
	o := in(t, dir, "run", "--out", "out")
	o.want(t, exitWanting, "[12/12] ok ", "findings fail the run")
	if !strings.Contains(o.stdout, "MISSING goroutine-switch: min >= 54 cycles: not measured\n") {
		t.Errorf("the summary does not tell what is missing:\n%s", o.stdout)
	}
	in(t, dir, "run", "--suite", "smoke", "--out", "part").want(t, exitOK)
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
	o := rigor(t, "run", "--suite", "smoke", "--suite", "pwm", "--out", out)
	o.want(t, exitSetup, `suite smoke on f407 ended early: record smoke "takes the image and greets"`, "/samples/", "not begun on f407: pwm")
	if strings.Contains(o.stderr, "pwm-stm32f407") {
		t.Errorf("another suite was run though nothing can be recorded:\n%s", o.stderr)
	}
	rigor(t, "run", "--suite", "smoke", "--out", "/dev/null/run").want(t, exitSetup, "create bundle", "/dev/null")
}

func TestRunRefuses(t *testing.T) {
	dir, _ := fullRun(t)
	vain := filepath.Join(t.TempDir(), "run")
	for name, c := range map[string]struct {
		args string
		want []string
	}{
		"an unknown rig":            {"--rig nowhere", []string{"nowhere", "virtual"}},
		"an unknown suite":          {"--suite nothing", []string{`no suite "nothing"`, "latency, "}},
		"a suite twice":             {"--suite smoke --suite smoke", []string{`suite "smoke" is named twice`, "--repeat"}},
		"an unknown board":          {"--board f408", []string{`no board "f408" on rig virtual; there are: f407, c3, k210`}},
		"a board twice":             {"--board f407 --board f407", []string{`board "f407" is named twice`}},
		"no repetition":             {"--repeat 0", []string{"--repeat 0: want 1 or more"}},
		"half a repetition":         {"--repeat 1.5", []string{"--repeat", "int"}},
		"a label that none bears":   {"--suite smoke --label chip:k230 --out " + vain, []string{`no experiment of suites smoke matches --label "chip:k230"; there are the labels board:c3, board:f407, board:k210, chip:esp32c3, chip:k210, chip:stm32f407, virtual`}},
		"a label filter cut short":  {"--suite smoke --label board:f407&&(virtual --out " + vain, []string{"Label Filter", "Mismatched '('"}},
		"a folder that holds a run": {"--out " + dir, []string{dir + " already holds a run", "--out"}},
	} {
		t.Run(name, func(t *testing.T) {
			rigor(t, append([]string{"run"}, strings.Fields(c.args)...)...).want(t, exitSetup, c.want...)
			if _, err := os.Lstat(vain); err == nil {
				t.Error("it leaves a bundle")
			}
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

// under starts a run and returns once the second experiment has ended. After
// the process, stderr gives the rest of what it said.
func under(t *testing.T, dir string) (c *exec.Cmd, stderr func() string) {
	t.Helper()
	c = command("run", "--board", "f407", "--suite", "latency", "--out", dir)
	c.SysProcAttr.Setpgid = true
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stderr = write
	if err := errors.Join(c.Start(), write.Close()); err != nil {
		t.Fatal(err)
	}
	bound(t, c, patience)
	lines := bufio.NewScanner(read)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "[ 2/18]") {
			rest := make(chan string, 1)
			go func() {
				text, _ := io.ReadAll(read)
				rest <- string(text)
			}()
			return c, func() string { return <-rest }
		}
	}
	t.Fatalf("the run ended before its second experiment: %v", c.Wait())
	return nil, nil
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
			t.Setenv("TMPDIR", t.TempDir())
			dir := filepath.Join(t.TempDir(), "run")
			c, _ := under(t, dir)
			c.Process.Signal(signal)
			c.Wait()
			if status := c.ProcessState.ExitCode(); status != exitSetup {
				t.Errorf("exit status %d, want %d", status, exitSetup)
			}
			if pids := leftOver(dir); pids != nil {
				t.Errorf("still running: %v", pids)
			}
			leavesNoSuites(t)
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
	c, _ := under(t, dir)
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

// A file size limit stands for a full disk: any growth of a file fails. Both
// processes get it in the middle of the run, so run.json cannot be written anew.
func TestRunOnAFullDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	c, stderr := under(t, dir)
	limit := unix.Rlimit{Cur: 4096, Max: 4096}
	pids := []int{c.Process.Pid}
	for _, text := range leftOver(dir) {
		pid, _ := strconv.Atoi(text)
		pids = append(pids, pid)
	}
	for _, pid := range pids {
		if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil {
			t.Fatal(err)
		}
	}
	c.Wait()
	outcome{stderr: stderr(), status: c.ProcessState.ExitCode()}.want(t, exitSetup,
		"suite latency on f407 ended early: record latency", "file too large", "the bundle holds what was recorded until then")
	run := load(t, dir)
	if run.Status != record.Running || len(run.Experiments) < 2 || len(run.Experiments) > 17 {
		t.Errorf("%s with %d experiments, want running with 2 to 17", run.Status, len(run.Experiments))
	}
	for _, e := range run.Experiments {
		for _, m := range e.Measurements {
			if _, err := run.Sample(m); err != nil {
				t.Error(err)
			}
		}
	}
	if hidden, _ := filepath.Glob(filepath.Join(dir, "*", ".*.*")); hidden != nil {
		t.Errorf("left over: %v", hidden)
	}
}

// checkJUnit counts test cases and, unless negative, failures; those of rig and harness are errors.
func checkJUnit(t *testing.T, dir string, cases, failures int) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, record.JUnitFile))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
	}
	if err := xml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if got := doc.Failures + doc.Errors; doc.Tests != cases || failures >= 0 && got != failures {
		t.Errorf("junit.xml has %d cases and %d failures, want %d and %d", doc.Tests, got, cases, failures)
	}
}
