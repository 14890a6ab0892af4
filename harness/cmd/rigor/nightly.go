package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"rigor/harness/record"
)

type nightlyCmd struct {
	Rig      string        `default:"virtual" placeholder:"NAME" help:"Rig of rigs.yaml (default: ${default})."`
	Wait     time.Duration `default:"2h" placeholder:"TIME" help:"Wait up to so long for real boards that somebody else holds (default: ${default})."`
	Within   time.Duration `default:"6h" placeholder:"TIME" help:"End the run if it takes longer, waiting included (default: ${default})."`
	Summary  string        `type:"path" env:"GITHUB_STEP_SUMMARY" placeholder:"FILE" help:"Append a summary in Markdown to a file."`
	Output   string        `type:"path" env:"GITHUB_OUTPUT" placeholder:"FILE" help:"Append the lines name=NAME and bundle=DIR of the run's bundle to a file, for a job's later steps."`
	Textfile string        `type:"path" placeholder:"FILE" help:"Write a file for node_exporter's textfile collector."`
	Notify   string        `placeholder:"COMMAND" help:"Shell command that gets the verdict, one line, on its standard input."`
	Keep     bool          `help:"Remove no old bundles."`
	Flags    []string      `arg:"" optional:"" placeholder:"FLAGS" help:"Flags of rigor run, after --."`
}

func (*nightlyCmd) Help() string {
	return "What a rig does each night, one step after another:\n\n" +
		"  run      rigor run, as a process of its own, ended if it takes too long\n" +
		"  judge    the index of runs is brought up to date: which figures came to a new level that shows since this run?\n" +
		"  record   nightly.json in the bundle says what was found\n" +
		"  publish  the summary, the text file and the notice, as far as asked for\n" +
		"  prune    bundles that no rule of results/retention.yaml keeps are removed\n\n" +
		"A step that fails is told, and the next ones are taken all the same. Flags after -- go to rigor run:\n\n" +
		"    rigor nightly --rig bench --notify 'curl -sS --data-binary @- https://chat.example/hook' -- --repeat 3\n\n" +
		"systemd, GitHub and GitLab are set up by .ci/systemd, .github/workflows/nightly.yml and .gitlab-ci.yml.\n\n" +
		"The exit status is that of the run. If the run is fine, it is 1 if a figure came to a worse level, else 2 if a later\n" +
		"step failed."
}

// Bounds of the steps beside the run.
const (
	timeToJudge   = 5 * time.Minute
	timeToPublish = 2 * time.Minute
	timeToPrune   = 15 * time.Minute
	timeToStop    = 30 * time.Second // of a run that is told to end
)

// Run is a night.
func (c *nightlyCmd) Run(ctx context.Context) error {
	root, config, err := rigs()
	if err != nil {
		return err
	}
	if _, err := config.Rig(c.Rig); err != nil {
		return err
	}
	for _, f := range c.Flags {
		if name, _, _ := strings.Cut(f, "="); slices.Contains([]string{"--rig", "--wait", "--out"}, name) {
			return fmt.Errorf("%s after --: nightly gives it to rigor run itself", name)
		}
	}
	n := &night{nightlyCmd: c, root: root}
	n.bundle = n.free(time.Now())
	n.step(ctx, "run", c.Within+timeToStop, n.run)
	stopped := ctx.Err() != nil
	ctx = context.WithoutCancel(ctx) // what was found until then is worth telling
	n.step(ctx, "judge", timeToJudge, n.judge)
	n.step(ctx, "publish", timeToPublish, n.publish)
	if !c.Keep && !stopped {
		n.step(ctx, "prune", timeToPrune, n.prune)
	}
	return n.outcome()
}

// night is what has been found so far.
type night struct {
	*nightlyCmd
	root     string
	bundle   string // folder of the run
	status   int    // of the run
	finding  finding
	recorded *record.Run // nil: the run left no bundle
	troubles []error     // of the other steps
}

// free is the first folder for a bundle begun now that there is not yet.
func (n *night) free(now time.Time) string {
	for ; ; now = now.Add(time.Second) {
		dir := filepath.Join(n.root, "results", "runs", record.Name(now, n.Rig))
		if _, err := os.Lstat(dir); err != nil {
			return dir
		}
	}
}

// step takes a step within a time, and remembers what went wrong.
func (n *night) step(ctx context.Context, name string, within time.Duration, do func(context.Context) error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if err := do(ctx); err != nil {
		err = fmt.Errorf("nightly, step %s: %w", name, err)
		fmt.Fprintln(os.Stderr, "rigor:", err)
		n.troubles = append(n.troubles, err)
	}
}

// run is rigor run in a process group of its own: a terminal's Ctrl-C, which would
// reach it twice, is for us to pass on.
func (n *night) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, n.Within)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c := exec.CommandContext(ctx, self, append([]string{"run", "--rig", n.Rig, "--wait", n.Wait.String(), "--out", n.bundle}, n.Flags...)...)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = timeToStop
	err = c.Run()
	n.status = exitSetup
	if c.ProcessState != nil && c.ProcessState.Exited() {
		n.status = c.ProcessState.ExitCode()
	}
	exited := (*exec.ExitError)(nil)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("ended after %v; --within allows more", n.Within)
	case ctx.Err() != nil:
		return errors.New("interrupted")
	case errors.As(err, &exited) && exited.Exited():
		return nil // the status says it
	}
	return err
}

// judge looks at the run among those before it, and records what it finds in the
// bundle.
func (n *night) judge(ctx context.Context) error {
	x, _, err := openHistory(ctx, n.root, false)
	if err != nil {
		return err
	}
	defer x.Close()
	if n.recorded, err = record.Load(n.bundle); err != nil {
		return fmt.Errorf("the run left nothing to judge: %w", err)
	}
	if n.finding.News, err = news(ctx, x, n.Rig, filepath.Base(n.bundle)); err != nil {
		return err
	}
	n.finding.Status = n.status
	n.finding.Line = n.finding.line(n.recorded)
	b, err := record.Open(n.bundle)
	if err != nil {
		return err
	}
	return b.WriteFile("nightly.json", n.finding.write)
}

// publish tells those who want to know, each whatever becomes of the others.
func (n *night) publish(ctx context.Context) error {
	if n.recorded == nil {
		n.finding.Line = fmt.Sprintf("FAIL %s: the nightly run left no bundle", n.Rig)
	}
	fmt.Println(n.finding.Line)
	var failed []error
	if n.Summary != "" {
		failed = append(failed, appendTo(n.Summary, n.finding.markdown(n.recorded)))
	}
	if n.Output != "" && n.recorded != nil {
		failed = append(failed, appendTo(n.Output, fmt.Sprintf("name=%s\nbundle=%s\n", filepath.Base(n.bundle), n.bundle)))
	}
	if n.Textfile != "" {
		s, err := newest(ctx, filepath.Join(n.root, "results"))
		if err == nil {
			err = s.WriteTextfile(n.Textfile)
		}
		failed = append(failed, err)
	}
	if n.Notify != "" {
		failed = append(failed, notify(ctx, n.Notify, n.finding.Line))
	}
	return errors.Join(failed...)
}

// appendTo appends text to a file, as CI systems want it.
func appendTo(path, text string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	_, err = file.WriteString(text)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

// notify gives a line to a shell command.
func notify(ctx context.Context, command, line string) error {
	c := exec.CommandContext(ctx, "/bin/sh", "-c", command)
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(line+"\n"), os.Stderr, os.Stderr
	c.WaitDelay = time.Second
	if err := c.Run(); err != nil {
		return fmt.Errorf("notify by %q: %w", command, err)
	}
	return nil
}

func (n *night) prune(ctx context.Context) error {
	x, _, err := openHistory(ctx, n.root, false)
	if err != nil {
		return err
	}
	defer x.Close()
	p, err := newPruning(ctx, n.root, x, time.Now())
	if err != nil {
		return err
	}
	fmt.Printf("pruned %v\n", p)
	return p.remove(ctx, x)
}

// outcome chooses the status. All that went wrong has been told.
func (n *night) outcome() error {
	worse := n.finding.worse()
	switch {
	case n.status != exitOK:
		return &exitError{status: min(n.status, exitSetup)}
	case len(worse) > 0:
		return &exitError{exitWanting, fmt.Errorf("%d figures came to a worse level; the first: %s", len(worse), worse[0])}
	case len(n.troubles) > 0:
		return &exitError{status: exitSetup}
	}
	return nil
}
