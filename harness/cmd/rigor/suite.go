package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"rigor/firmware/images"
	"rigor/harness/record"
	"rigor/harness/report"
	"rigor/harness/rig"
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
	return choose("suite", "under suites", all, want)
}

// chooseBoards gives the rig with the wanted boards alone, or as it is.
func chooseBoards(r *rig.RigConfig, want []string) (*rig.RigConfig, error) {
	var all []string
	for _, b := range r.Boards {
		all = append(all, b.Name)
	}
	want, err := choose("board", "on rig "+r.Name, all, want)
	if err != nil {
		return nil, err
	}
	chosen := *r
	chosen.Boards = slices.DeleteFunc(slices.Clone(r.Boards), func(b *rig.BoardConfig) bool { return !slices.Contains(want, b.Name) })
	return &chosen, nil
}

// boards are the names of the boards to run on.
func (s *session) boards() []string {
	var all []string
	for _, b := range s.rig.Boards {
		all = append(all, b.Name)
	}
	return all
}

// choose gives those that are wanted of all there are, or all.
func choose(kind, where string, all, want []string) ([]string, error) {
	if len(want) == 0 {
		return all, nil
	}
	for i, name := range want {
		if !slices.Contains(all, name) {
			return nil, fmt.Errorf("no %s %q %s; there are: %s", kind, name, where, strings.Join(all, ", "))
		}
		if slices.Contains(want[:i], name) {
			return nil, fmt.Errorf("%s %q is named twice; --repeat asks it more than once", kind, name)
		}
	}
	return want, nil
}

// grace is how long a suite that was interrupted may take to put its board and
// its bundle in order.
const grace = 10 * time.Second

// job is a suite to run on a board.
type job struct {
	suite, board string
	binary       string
	specs        int // that will run
}

// plan builds the suites and gives the jobs of each board, in order. What cannot
// be built does not keep the others from running.
func (s *session) plan(ctx context.Context) (map[string][]job, error) {
	plans := map[string][]job{}
	var failures []error
	for _, suite := range s.suites {
		binary, err := s.build(ctx, suite)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		for _, b := range s.rig.Boards {
			j := job{suite: suite, board: b.Name, binary: binary}
			if j.specs, err = s.count(ctx, j); err != nil {
				failures = append(failures, err)
			}
			if err != nil && s.label != "" && ctx.Err() == nil { // the others would say the same of the label filter
				return nil, &filterError{err}
			}
			if j.specs > 0 {
				plans[b.Name] = append(plans[b.Name], j)
				s.meter.Expect(b.Name, j.specs)
			}
		}
	}
	if len(plans) == 0 && failures == nil {
		return nil, &filterError{fmt.Errorf("no experiment of suites %s matches --label %q; there are the labels %s",
			strings.Join(s.suites, ", "), s.label, strings.Join(labels(s.rig), ", "))}
	}
	return plans, errors.Join(failures...)
}

// filterError is a label filter that leaves nothing to run.
type filterError struct{ error }

// labels are those that package bench gives to a rig's experiments.
func labels(r *rig.RigConfig) []string {
	all := []string{string(r.Kind)}
	for _, b := range r.Boards {
		all = append(all, "board:"+b.Name, "chip:"+b.Chip)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// runAll runs the plans of all boards at once.
func (s *session) runAll(ctx context.Context, plans map[string][]job) error {
	failures := make([]error, len(s.rig.Boards))
	var boards sync.WaitGroup
	for i, b := range s.rig.Boards {
		boards.Go(func() { failures[i] = s.runPlan(ctx, plans[b.Name]) })
	}
	boards.Wait()
	return errors.Join(failures...)
}

// runPlan runs a board's suites one after another, until something could not be
// recorded: what the others find could not be either.
func (s *session) runPlan(ctx context.Context, plan []job) error {
	var failures []error
	for i, j := range plan {
		if ctx.Err() != nil {
			break
		}
		if s.unrecorded.Load() {
			failures = append(failures, fmt.Errorf("not begun on %s: %s", j.board, names(plan[i:])))
			break
		}
		s.meter.Tell(j.board, record.Event{Kind: record.Note, Suite: j.suite, Text: fmt.Sprintf("suite %s on %s%s", j.suite, j.board, s.meter.Left())})
		if err := s.run(ctx, j); err != nil {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

// names are those of the jobs' suites.
func names(jobs []job) string {
	var all []string
	for _, j := range jobs {
		all = append(all, j.suite)
	}
	return strings.Join(all, ", ")
}

// run runs a suite on a board. What specs found is in the bundle; an error is a
// suite that could not say.
func (s *session) run(ctx context.Context, j job) error {
	log, err := s.bundle.Console("suite-" + j.suite + "-" + j.board)
	if err != nil {
		s.unrecorded.Store(true)
		return err
	}
	defer log.Close()
	relay := &relay{board: j.board, meter: s.meter}
	failed := s.execute(ctx, j, log, relay)
	s.meter.Expect(j.board, relay.ended-j.specs)
	run, err := record.Load(s.bundle.Dir())
	if err != nil || relay.trouble != "" {
		s.unrecorded.Store(true)
	}
	if err != nil {
		return err
	}
	return explain(j, run.Part(j.suite, j.board), relay.trouble, failed)
}

// explain is the error of a suite that did not tell all it had to.
func explain(j job, found *record.Run, trouble string, failed error) error {
	var exit *exec.ExitError
	switch {
	case failed != nil && !errors.As(failed, &exit):
		return fmt.Errorf("run suite %s on %s: %w", j.suite, j.board, failed)
	case trouble != "":
		return fmt.Errorf("suite %s on %s ended early: %s", j.suite, j.board, trouble)
	case failed != nil && found.Blocking() == 0:
		return fmt.Errorf("suite %s on %s: %w, but recorded nothing that explains it; see its log under console", j.suite, j.board, failed)
	case len(found.Experiments) == 0:
		return fmt.Errorf("suite %s on %s recorded no experiment; see its log under console", j.suite, j.board)
	}
	return nil
}

// build makes a suite's test binary, which go links from its cache.
func (s *session) build(ctx context.Context, name string) (string, error) {
	binary := filepath.Join(s.built, name+".test")
	build := exec.CommandContext(ctx, "go", "test", "-c", "-o", binary, ".")
	build.Dir = s.dir(name)
	build.Env = append(build.Environ(), "GOTMPDIR="+s.built) // an interrupted go leaves its folders
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

func (s *session) dir(suite string) string { return filepath.Join(s.files.Root, "suites", suite) }

// count has ginkgo count the specs that it would run.
func (s *session) count(ctx context.Context, j job) (int, error) {
	file, err := os.CreateTemp("", "rigor-*.json")
	if err != nil {
		return 0, fmt.Errorf("count the experiments: %w", err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	c := s.command(ctx, j, "--ginkgo.dry-run", "--ginkgo.json-report="+file.Name())
	if out, err := c.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("count the experiments of suite %s on %s: %w\n%s", j.suite, j.board, err, out)
	}
	var reports []struct {
		PreRunStats struct{ SpecsThatWillRun int }
	}
	if err := json.NewDecoder(file).Decode(&reports); err != nil {
		return 0, fmt.Errorf("count the experiments of suite %s on %s: %w", j.suite, j.board, err)
	}
	n := 0
	for _, r := range reports {
		n += r.PreRunStats.SpecsThatWillRun
	}
	return n, nil
}

// execute runs the suite with ginkgo's report going to log and progress to
// relay.
func (s *session) execute(ctx context.Context, j job, log, relay io.Writer) error {
	run := s.command(ctx, j, "--ginkgo.v", "--ginkgo.fail-on-empty", "--ginkgo.fail-on-pending")
	run.Env = append(run.Env, "RIGOR_BUNDLE="+s.bundle.Dir())
	run.Stdout, run.Stderr = log, relay
	// Ctrl-C reaches the suite once, from here; so does the end of this process, which is that of its thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
	return run.Run()
}

// command is the suite's binary, told what to do by its environment.
func (s *session) command(ctx context.Context, j job, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, j.binary, append(args, "--ginkgo.label-filter="+s.label)...)
	c.Dir = s.dir(j.suite)
	c.Env = append(os.Environ(), "GINKGO_NO_COLOR=TRUE", "RIGOR_RIGS="+s.files.Rigs, "RIGOR_LIMITS="+s.files.Limits, "RIGOR_RIG="+s.rig.Name, "RIGOR_BOARD="+j.board,
		"RIGOR_REPEAT="+strconv.Itoa(s.repeat), "RIGOR_THOROUGH="+strconv.FormatBool(s.thorough), "RIGOR_PROFILE="+strconv.FormatBool(s.profile), "RIGOR_WAIT="+s.wait.String(), "RIGOR_PROGRESS=true")
	if s.firmware != "" {
		c.Env = append(c.Env, images.FolderVariable+"="+s.firmware)
	}
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = grace
	return c
}

// relay takes what a suite tells to the meter.
type relay struct {
	board   string
	meter   *report.Meter
	line    []byte // begun, not ended
	ended   int    // experiments
	trouble string // why the suite ended early
}

func (r *relay) Write(text []byte) (int, error) {
	r.line = append(r.line, text...)
	for {
		line, rest, ok := bytes.Cut(r.line, []byte("\n"))
		if !ok {
			return len(text), nil
		}
		r.take(string(line))
		r.line = rest
	}
}

func (r *relay) take(line string) {
	e, ok := report.ParseEvent(line)
	if !ok { // a panic, a race
		r.meter.Tell(r.board, record.Event{Kind: record.Note, Text: r.board + ": " + line})
		return
	}
	switch e.Kind {
	case record.Ended:
		r.ended++
	case record.Trouble:
		r.trouble = e.Text
	}
	r.meter.Tell(r.board, e)
}
