package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"rigor/firmware/images"
	"rigor/harness"
	"rigor/harness/record"
	"rigor/harness/rig"
)

type replayCmd struct {
	Bundle string `arg:"" type:"existingdir" help:"Folder of the run: results/runs/TIME-RIG."`
	Out    string `type:"path" placeholder:"DIR" help:"Keep the replay's bundle in this folder (default: a temporary one, which stays if anything differs)."`
	JSON   bool   `help:"Print the comparison as JSON."`
}

func (*replayCmd) Help() string {
	return "Runs again what a bundle recorded, with its rig, its limits, its images, its seeds and what was asked for, and compares each\n" +
		"value of each sample. A virtual rig does the same again to the cycle, so what differs is due to the simulator or the suites,\n" +
		"which are those of this checkout: the bundle's `sources` name the commit that does the same.\n\n" +
		"A run that was killed or interrupted is compared as far as it got. A bundle whose files are not those that were\n" +
		"recorded is refused, as is one of real boards: ask those again with rigor run --firmware BUNDLE/firmware.\n\n" +
		"The exit status is 0 if all samples are identical, 1 if some differ, 2 if there was nothing to compare."
}

// Run is the command.
func (c *replayCmd) Run(ctx context.Context) error {
	run, err := record.Load(c.Bundle)
	if err != nil {
		return err
	}
	dir, err := replay(ctx, c.Bundle, replayOptions{Out: c.Out})
	if err != nil {
		return err
	}
	again, err := record.Load(dir)
	if err != nil {
		return err
	}
	compared, err := record.Repeats(run, again)
	if err != nil {
		return err
	}
	identical := len(compared.Departures) == 0
	if identical && c.Out == "" {
		if err := os.RemoveAll(filepath.Dir(dir)); err != nil {
			return err
		}
		dir = ""
	}
	if c.JSON {
		err = tellReplayJSON(os.Stdout, run, again, dir, compared)
	} else {
		tellReplay(os.Stdout, run, again, dir, compared)
	}
	if err == nil && !identical {
		err = &exitError{exitWanting, fmt.Errorf("%d of %d samples differ", len(compared.Departures), compared.Samples)}
	}
	return err
}

// tellReplay says what a comparison shows; dir is the replay's bundle, if that is
// to be looked at.
func tellReplay(w io.Writer, run, again *record.Run, dir string, c record.Replay) {
	if len(c.Departures) == 0 {
		fmt.Fprintf(w, "identical: %d samples, digest %s%s\n", c.Samples, c.Digest, asFarAs(run))
	}
	for _, d := range c.Departures {
		fmt.Fprintf(w, "%s: %s\n", d.Sample, d.Text)
	}
	if len(c.Departures) > 0 {
		fmt.Fprintf(w, "%d of %d samples differ%s\n", len(c.Departures), c.Samples, asFarAs(run))
		fmt.Fprintf(w, "recorded by rigor %s, suites %s, %s\nreplayed by rigor %s, suites %s, %s\n",
			run.Harness, run.Sources, run.Host.Go, again.Harness, again.Sources, again.Host.Go)
	}
	if dir != "" {
		fmt.Fprintf(w, "bundle %s\n", dir)
	}
}

// asFarAs says how far a run got that did not get to its end.
func asFarAs(run *record.Run) string {
	if run.Status == record.Complete {
		return ""
	}
	return fmt.Sprintf(", as far as the run got: its status is %s", run.Status)
}

// build is what may make a replay differ.
type build struct {
	Harness string `json:"harness"`
	Sources string `json:"sources"`
	Go      string `json:"go"`
}

func tellReplayJSON(w io.Writer, run, again *record.Run, dir string, c record.Replay) error {
	return writeJSON(w, struct {
		Identical bool `json:"identical"`
		record.Replay
		Recorded build  `json:"recorded"`
		Replayed build  `json:"replayed"`
		Bundle   string `json:"bundle,omitempty"`
	}{len(c.Departures) == 0, c, build{run.Harness, run.Sources, run.Host.Go}, build{again.Harness, again.Sources, again.Host.Go}, dir})
}

// replayOptions say how a bundle is replayed.
type replayOptions struct {
	Out     string // folder of the new bundle; empty: one of its own in a temporary folder of its own
	Profile bool   // as rigor run --profile does

	// Suites and Boards are those alone that are run, if any are given, in any order.
	Suites, Boards []string
}

// replay runs again what the bundle at dir recorded, with its rig, its images and
// its seeds, and gives the folder of the new bundle. That what it found fails the run is no
// error: it may have done so the first time. Progress goes to standard error.
func replay(ctx context.Context, dir string, o replayOptions) (replayed string, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("replay %s: %w", dir, err)
		}
	}()
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	c, err := replayOf(dir)
	if err != nil {
		return "", err
	}
	project, err := harness.ProjectFiles(".")
	if err != nil {
		return "", err
	}
	c.only(o.Suites, o.Boards)
	if c.Out, c.Profile = o.Out, o.Profile; c.Out == "" {
		temp, err := os.MkdirTemp("", "rigor-replay-")
		if err != nil {
			return "", err
		}
		c.Out = filepath.Join(temp, c.replayOf)
		defer os.Remove(temp) // unless it holds the bundle
	}
	s, err := c.run(ctx, project.Carried(dir), io.Discard)
	if s == nil || s.bundle == nil {
		return "", err
	}
	again, errLoad := record.Load(s.bundle.Dir())
	if errLoad != nil {
		return "", errors.Join(err, errLoad)
	}
	if again.Status != record.Complete {
		return s.bundle.Dir(), fmt.Errorf("the new run is %s: %w", again.Status, err)
	}
	return s.bundle.Dir(), nil
}

// only leaves out other suites and boards than those wanted, if any are.
func (c *runCmd) only(suites, boards []string) {
	keep := func(all, want []string) []string {
		if len(want) == 0 {
			return all
		}
		return slices.DeleteFunc(slices.Clone(all), func(name string) bool { return !slices.Contains(want, name) })
	}
	c.Suite, c.Board = keep(c.Suite, suites), keep(c.Board, boards)
}

// replayOf is the command that repeats a bundle's run, once that is known to be whole.
func replayOf(dir string) (*runCmd, error) {
	run, err := record.Load(dir)
	firmware := filepath.Join(dir, record.FirmwareDir)
	switch {
	case err != nil:
		return nil, err
	case run.Rig.Kind != string(rig.Virtual):
		return nil, fmt.Errorf("rig %s is %s, and real boards do not do the same to the cycle twice; "+
			"ask them again with rigor run --rig %s --firmware %s", run.Rig.Name, run.Rig.Kind, run.Rig.Name, firmware)
	case run.Invocation == nil:
		return nil, fmt.Errorf("%w: it was written by an older rigor (%s) or by other than rigor run", record.ErrNotCarried, run.Harness)
	case len(run.Experiments) == 0:
		return nil, errors.New("the run recorded no experiment")
	}
	if err := errors.Join(run.CheckCarried(), run.CheckSamples()); err != nil {
		return nil, fmt.Errorf("the bundle is not as it was recorded:\n%w", err)
	}
	if err := images.Check(firmware); err != nil {
		return nil, err
	}
	asked := run.Invocation
	return &runCmd{Rig: run.Rig.Name, Suite: asked.Suites, Board: asked.Boards, Label: asked.Label, Repeat: asked.Repeat,
		Thorough: asked.Thorough, Firmware: firmware, replayOf: filepath.Base(dir)}, nil
}
