package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"rigor/harness"
	"rigor/harness/compare"
	"rigor/harness/judge"
	"rigor/harness/record"
)

type baselineCmd struct {
	Show   baselineShowCmd   `cmd:"" help:"Show what is accepted on a rig, by whom and why."`
	Diff   baselineDiffCmd   `cmd:"" help:"Compare a run with what is accepted."`
	Accept baselineAcceptCmd `cmd:"" help:"Accept what a run found as what later runs are compared with."`
}

func (*baselineCmd) Help() string {
	return "A baseline, results/baseline/RIG.json, holds the figures that somebody accepted, one a line. It is checked in: each run on the\n" +
		"rig is compared with it, and limits that say 'against: baseline' judge by it. Nothing changes it but accept."
}

type baselineShowCmd struct {
	Rig     string `default:"virtual" placeholder:"NAME" help:"Rig whose baseline to show (default: ${default})."`
	Pattern string `arg:"" optional:"" help:"Only figures that fit, as accept --only takes it."`
	JSON    bool   `name:"json" help:"Write the baseline as JSON."`
}

func (*baselineShowCmd) Help() string {
	return "Lists who accepted what and why, and the figures. The exit status is 2 if nothing was accepted yet."
}

// Run is the command.
func (c *baselineShowCmd) Run() error {
	root, err := harness.Root(".")
	if err != nil {
		return err
	}
	b, err := judge.LoadBaseline(harness.BaselineFile(root, c.Rig))
	if err != nil {
		return fmt.Errorf("%w; rigor baseline accept makes one", err)
	}
	if b.Figures, err = fitting(b.Figures, c.Pattern); err != nil {
		return err
	}
	if c.JSON {
		return b.Write(os.Stdout)
	}
	showBaseline(b)
	return nil
}

func showBaseline(b *judge.Baseline) {
	for _, a := range b.Accepted {
		scope := ""
		if a.Only != "" {
			scope = " (" + a.Only + ")"
		}
		fmt.Printf("%s %s%s, harness %s, accepted by %s: %s\n", a.Time.Format(time.DateOnly), a.Run, scope, a.Harness, a.By, a.Why)
	}
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nFIGURE\tN\tMIN\tP50\tP99\tMAX\tUNIT\tNOISE\tRUN")
	for _, f := range b.Figures {
		noise := "-"
		if f.Noise != nil {
			noise = fmt.Sprintf("%.2f %%", 100*f.Noise.Relative)
		}
		s := f.Summary
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\n", f.Key, s.N, s.Min, s.Median.Value, s.P99.Value, s.Max, f.Unit, noise, f.Run)
	}
	t.Flush()
}

type baselineDiffCmd struct {
	RunName string `arg:"" name:"run" help:"Run to compare: a bundle's folder, a name below results/runs, or 'latest'."`
	All     bool   `help:"Show the figures that did not change, too."`
	JSON    bool   `name:"json" help:"Write the comparison as JSON."`
}

func (*baselineDiffCmd) Help() string {
	return "The same as rigor compare baseline RUN. The exit status is 1 if something got worse."
}

// Run is the command.
func (c *baselineDiffCmd) Run(ctx context.Context) error {
	return (&compareCmd{Old: compare.Baseline, New: c.RunName, All: c.All, JSON: c.JSON}).Run(ctx)
}

type baselineAcceptCmd struct {
	RunName string `arg:"" name:"run" help:"Run to accept: a bundle's folder, a name below results/runs, or 'latest'."`
	Why     string `required:"" placeholder:"TEXT" help:"Why these figures are right; it is kept beside them."`
	Only    string `placeholder:"PATTERN" help:"Accept only figures that fit: a quantity such as 'goroutine-*', or the beginning of a path SUITE/EXPERIMENT/BOARD/QUANTITY/SOURCE such as 'latency/*/f407'."`
	By      string `placeholder:"NAME" help:"Who accepts them (default: git's user.email, or the user's name)."`
}

func (*baselineAcceptCmd) Help() string {
	return "Writes what the run found into results/baseline/RIG.json and prints what that changes; git diff shows it a figure a line, for\n" +
		"review. Figures that the run did not measure stay, unless the run asked their suite on their board and they are no more there.\n" +
		"What probes were in doubt of is not accepted.\n\n" +
		"The exit status is 1 if the run has nothing of what was to be accepted, 2 if it may not be accepted.\n\n" +
		"  rigor baseline accept latest --why 'the scheduler keeps two registers less (issue 12)' --only 'goroutine-*'"
}

// Run is the command.
func (c *baselineAcceptCmd) Run() error {
	root, err := harness.Root(".")
	if err != nil {
		return err
	}
	run, err := findRun(root, c.RunName)
	if err != nil {
		return err
	}
	file := harness.BaselineFile(root, run.Rig.Name)
	b, err := judge.LoadBaseline(file)
	if errors.Is(err, fs.ErrNotExist) {
		b, err = &judge.Baseline{Schema: judge.BaselineSchema, Rig: run.Rig.Name, Kind: run.Rig.Kind}, nil
	}
	if err != nil {
		return err
	}
	was := *b
	was.Figures = slices.Clone(b.Figures)
	n, err := c.accept(b, run, time.Now())
	if err != nil {
		return err
	}
	if err := b.Save(file); err != nil {
		return err
	}
	fmt.Printf("accepted %d figures of %s into %s\n", n, run.Name(), file)
	if n := run.Blocking(); n > 0 {
		fmt.Printf("mind that %d findings failed that run\n", n)
	}
	if len(was.Figures) == 0 {
		return nil
	}
	fmt.Println()
	found := compare.Compare(compare.OfBaseline(&was), compare.OfBaseline(b))
	found.Old, found.New = "accepted before", "accepted now"
	return showComparison(os.Stdout, &found, false, false)
}

// accept puts the run's figures into the baseline and gives their number.
func (c *baselineAcceptCmd) accept(b *judge.Baseline, run *record.Run, now time.Time) (int, error) {
	switch {
	case strings.TrimSpace(c.Why) == "":
		return 0, errors.New("accept: --why is empty; say why these figures are right")
	case run.Status != record.Complete:
		return 0, fmt.Errorf("accept %s: it is %s; a run that did not end may lack what it would have shown", run.Name(), run.Status)
	}
	figures, err := fitting(run.Figures(), c.Only)
	if err != nil {
		return 0, err
	}
	figures = slices.DeleteFunc(figures, func(f judge.Figure) bool { return len(f.Doubts) > 0 })
	if len(figures) == 0 {
		return 0, &exitError{exitWanting, fmt.Errorf("accept %s: it has no figure that fits %q and is not in doubt", run.Name(), c.Only)}
	}
	if filtered := run.Invocation != nil && run.Invocation.Label != ""; c.Only == "" && !filtered {
		b.Figures = slices.DeleteFunc(b.Figures, func(f judge.Figure) bool { return gone(f.Key, run) })
	}
	b.Put(figures...)
	b.Accepted = append(b.Accepted, judge.Acceptance{Time: now.UTC().Truncate(time.Second), Run: run.Name(), Harness: run.Version(),
		By: c.by(), Why: c.Why, Only: c.Only})
	b.Tidy()
	return len(figures), nil
}

func (c *baselineAcceptCmd) by() string {
	if c.By != "" {
		return c.By
	}
	if out, err := exec.Command("git", "config", "user.email").Output(); err == nil {
		return strings.TrimSpace(string(out))
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}

// gone reports a figure that a run did not measure though it asked the figure's suite
// on its board, and everything there was answered.
func gone(k judge.Key, run *record.Run) bool {
	asked := false
	for _, e := range run.Experiments {
		if e.Suite != k.Suite || e.Board != k.Board {
			continue
		}
		asked = true
		if e.Outcome() != record.Answered {
			return false
		}
		for _, m := range e.Measurements {
			if e.Key(m) == k {
				return false
			}
		}
	}
	return asked
}

// fitting chooses figures by a pattern: that of a quantity, or of the beginning of
// a key's path. An empty one fits all.
func fitting(figures []judge.Figure, pattern string) (fit []judge.Figure, err error) {
	if _, err := path.Match(pattern, ""); err != nil {
		return nil, fmt.Errorf("pattern %q: %w", pattern, err)
	}
	parts := strings.Split(pattern, "/")
	for _, f := range figures {
		text := f.Quantity
		if len(parts) > 1 {
			levels := strings.Split(f.Key.String(), "/")
			text = strings.Join(levels[:min(len(parts), len(levels))], "/")
		}
		if ok, _ := path.Match(pattern, text); ok || pattern == "" {
			fit = append(fit, f)
		}
	}
	return fit, nil
}
