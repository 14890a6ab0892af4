package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"rigor/harness"
	"rigor/harness/compare"
	"rigor/harness/judge"
	"rigor/harness/judge/change"
	"rigor/harness/record"
	"rigor/harness/report"
)

type compareCmd struct {
	Old   string `arg:"" placeholder:"A" help:"The state before: a bundle's folder, the name of a run below results/runs, 'latest' or 'baseline'."`
	New   string `arg:"" placeholder:"B" help:"The state after."`
	Where bool   `help:"Name the functions in which the cycles of changed figures are: by their profiles, for which bundles are replayed. Virtual rigs only."`
	All   bool   `help:"Show the figures that did not change, too."`
	JSON  bool   `name:"json" help:"Write the comparison as JSON."`
}

func (*compareCmd) Help() string {
	return "Tells for each figure of two runs whether it changed, by how much, and whose the change can be: that of the\n" +
		"firmware, the harness or the rig, as far as these differ between the two. On a virtual rig any difference is real, to the cycle;\n" +
		"on hardware nothing is told without the noise that rigor ab measures.\n\n" +
		"  rigor compare baseline latest\n" +
		"  rigor compare 20261102T093000Z-virtual /tmp/bundle --all\n" +
		"  rigor compare A B --where\n\n" +
		"The exit status is 1 if something got worse: a figure, or an experiment that fails in B alone."
}

// Run is the command.
func (c *compareCmd) Run(ctx context.Context) error {
	root, err := harness.Root(".")
	if err != nil {
		return err
	}
	old, now, err := sides(root, c.Old, c.New)
	if err != nil {
		return err
	}
	found := compare.Compare(old, now)
	var located []place
	if c.Where {
		if located, err = c.where(ctx, root, &found); err != nil {
			return err
		}
	}
	if err := showComparison(os.Stdout, &found, c.All, c.JSON); err != nil {
		return err
	}
	if !c.JSON {
		if err := tellWhere(os.Stdout, located); err != nil {
			return err
		}
	}
	return worse(&found)
}

// where finds the functions of what changed.
func (c *compareCmd) where(ctx context.Context, root string, found *compare.Comparison) ([]place, error) {
	old, err := c.side(root, c.Old, c.New, found)
	if err != nil {
		return nil, err
	}
	now, err := c.side(root, c.New, c.Old, found)
	if err != nil {
		return nil, err
	}
	return places(ctx, old, now, found)
}

// side is the run of a side: for the baseline that from which the figures were accepted that changed.
func (c *compareCmd) side(root, name, other string, found *compare.Comparison) (*record.Run, error) {
	if name != compare.Baseline {
		return findRun(root, name)
	}
	run, err := findRun(root, other)
	if err != nil {
		return nil, err
	}
	b, err := judge.LoadBaseline(harness.BaselineFile(root, run.Rig.Name))
	if err != nil {
		return nil, err
	}
	accepted := acceptedFrom(b, found)
	switch len(accepted) {
	case 0:
		return run, nil // nothing changed
	case 1:
		run, err := findRun(root, accepted[0])
		if err != nil {
			err = fmt.Errorf("--where: the baseline's figures were accepted from a run that is not here: %w; rigor bisect finds the commit", err)
		}
		return run, err
	}
	return nil, fmt.Errorf("--where: the figures that changed were accepted from several runs, compare with one of them: %s", strings.Join(accepted, ", "))
}

// acceptedFrom are the runs that the figures which changed were accepted from.
func acceptedFrom(b *judge.Baseline, found *compare.Comparison) (runs []string) {
	for _, r := range found.Rows {
		if f := b.Figure(r.Key); r.Changed() && f != nil && !slices.Contains(runs, f.Run) {
			runs = append(runs, f.Run)
		}
	}
	return runs
}

// sides opens the two states. The baseline is that of the other's rig.
func sides(root, old, now string) (a, b compare.Side, err error) {
	if old == compare.Baseline && now == compare.Baseline {
		return a, b, errors.New("compare the baseline with a run: rigor compare baseline RUN")
	}
	if old == compare.Baseline {
		b, a, err = sides(root, now, old)
		return a, b, err
	}
	run, err := findRun(root, old)
	if err != nil {
		return a, b, err
	}
	accepted, err := harness.Baseline(root, run.Rig.Name)
	if err != nil {
		return a, b, err
	}
	a = compare.OfRun(run).Noisy(accepted)
	if now == compare.Baseline {
		b, err = acceptedSide(root, run.Rig.Name)
		return a, b, err
	}
	if run, err = findRun(root, now); err != nil {
		return a, b, err
	}
	return a, compare.OfRun(run), nil
}

func acceptedSide(root, rig string) (compare.Side, error) {
	b, err := judge.LoadBaseline(harness.BaselineFile(root, rig))
	if err != nil {
		return compare.Side{}, fmt.Errorf("%w; rigor baseline accept makes one", err)
	}
	return compare.OfBaseline(b), nil
}

// findRun loads a run by its bundle's folder, by its name below results/runs, or
// the latest.
func findRun(root, name string) (*record.Run, error) {
	runs := filepath.Join(root, "results", "runs")
	names := runNames(runs)
	if name == "latest" && names != nil {
		return record.Load(filepath.Join(runs, names[len(names)-1]))
	}
	for _, dir := range []string{name, filepath.Join(runs, name)} {
		if _, err := os.Stat(filepath.Join(dir, record.RunFile)); err == nil {
			return record.Load(dir)
		}
	}
	newest := names[max(0, len(names)-3):]
	return nil, fmt.Errorf("no run %q: neither a bundle's folder nor below results/runs, where the newest are: %s",
		name, strings.Join(newest, ", "))
}

// runNames lists the runs below results/runs, the oldest first.
func runNames(runs string) (names []string) {
	files, _ := filepath.Glob(filepath.Join(runs, "*", record.RunFile)) // the pattern is good
	for _, f := range files {
		names = append(names, filepath.Base(filepath.Dir(f)))
	}
	slices.Sort(names)
	return names
}

func showComparison(w io.Writer, c *compare.Comparison, all, asJSON bool) error {
	if asJSON {
		return writeJSON(w, c)
	}
	return c.Write(w, all, verdictPaint(w))
}

// verdictPaint colours verdicts where colours are shown.
func verdictPaint(w io.Writer) func(change.Verdict) string {
	f, ok := w.(*os.File)
	if !ok || !report.Colours(f) {
		return func(v change.Verdict) string { return string(v) }
	}
	return func(v change.Verdict) string {
		colour := map[change.Verdict]string{change.Worse: "31", change.Better: "32", change.Same: "0"}[v] // ECMA-48 8.3.117
		if colour == "" {
			colour = "33"
		}
		return "\x1b[" + colour + "m" + string(v) + "\x1b[0m"
	}
}

// worse is the outcome of a comparison.
func worse(c *compare.Comparison) error {
	if !c.Worse() {
		return nil
	}
	return &exitError{exitWanting, fmt.Errorf("%d figures got worse, %d experiments fail that did not", c.Count(change.Worse), len(c.Failed))}
}
