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
	"time"

	"rigor/harness"
	"rigor/harness/export"
	"rigor/harness/judge"
	"rigor/harness/record"
	"rigor/harness/report"
	"rigor/harness/rig"
)

type runCmd struct {
	Rig   string   `default:"virtual" placeholder:"NAME" help:"Rig of rigs.yaml (default: ${default})."`
	Suite []string `placeholder:"NAME" help:"Suite to run; may be repeated (default: all)."`
	Out   string   `type:"path" placeholder:"DIR" help:"Folder of the run bundle (default: results/runs/TIME-RIG)."`
}

func (*runCmd) Help() string {
	return "Builds the suites, runs them one after another on the rig, prints what they do and a table of what they found,\n" +
		"and leaves a bundle: run.json, bench.txt, junit.xml, metrics.prom, samples, traces and console logs.\n\n" +
		"The exit status is 0 if every verdict stands, 1 if one failed, 2 if the rig or the set-up failed or the run\n" +
		"was interrupted. The bundle is readable in each case, and says so if it is incomplete."
}

// Run is the command: prepare, run each suite, finish.
func (c *runCmd) Run(ctx context.Context) error {
	s, err := c.prepare()
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "rig %s, suites %s, bundle %s\n", s.rig.Name, strings.Join(s.suites, ", "), s.bundle.Dir())
	var failures []error
	for _, name := range s.suites {
		if ctx.Err() != nil {
			break
		}
		fmt.Fprintf(os.Stderr, "suite %s\n", name)
		if err := s.suite(ctx, name); err != nil && ctx.Err() == nil {
			failures = append(failures, err)
		}
	}
	return s.finish(ctx, errors.Join(failures...))
}

// session is one call of rigor run.
type session struct {
	root   string
	rig    *rig.RigConfig
	limits *judge.Limits
	bundle *record.Bundle
	suites []string
	all    bool // no suite was left out
}

func (c *runCmd) prepare() (*session, error) {
	if err := needGo(); err != nil {
		return nil, err
	}
	root, config, err := rigs()
	if err != nil {
		return nil, err
	}
	s := &session{root: root, all: len(c.Suite) == 0}
	if s.rig, err = config.Rig(c.Rig); err != nil {
		return nil, err
	}
	if s.limits, err = judge.Load(filepath.Join(root, "suites", "limits.yaml")); err != nil {
		return nil, err
	}
	if s.suites, err = chooseSuites(root, c.Suite); err != nil {
		return nil, err
	}
	now := time.Now()
	dir := c.Out
	if dir == "" {
		dir = filepath.Join(root, "results", "runs", record.Name(now, s.rig.Name))
	}
	if s.bundle, err = harness.NewBundle(dir, s.rig, now); err != nil {
		return nil, fmt.Errorf("%w; --out chooses another folder", err)
	}
	return s, nil
}

// rigs finds the project and reads its rigs.yaml.
func rigs() (root string, c *rig.Config, err error) {
	if root, err = harness.Root("."); err != nil {
		return "", nil, err
	}
	c, err = rig.LoadConfig(filepath.Join(root, "rigs.yaml"))
	return root, c, err
}

// finish closes the bundle whatever happened, reports, and chooses the status.
func (s *session) finish(ctx context.Context, failure error) error {
	state := record.Complete
	switch {
	case ctx.Err() != nil:
		state = record.Interrupted
	case failure != nil:
		state = record.Failed
	}
	if s.all && state == record.Complete {
		if err := s.bundle.Update(s.noteMissing); err != nil {
			return err
		}
	}
	if err := s.bundle.Finish(state, time.Now()); err != nil {
		return err
	}
	run, err := record.Load(s.bundle.Dir())
	if err != nil {
		return err
	}
	err = errors.Join(
		s.bundle.WriteFile(record.JUnitFile, func(w io.Writer) error { return report.JUnit(w, run) }),
		export.WriteTextfile(filepath.Join(s.bundle.Dir(), record.MetricsFile), run),
		report.Terminal(os.Stdout, run, report.Colours(os.Stdout)),
	)
	fmt.Printf("\nbundle %s\n", s.bundle.Dir())
	if err != nil {
		return err
	}
	return verdict(run, failure)
}

// noteMissing records the required limits that nothing was measured for.
func (s *session) noteMissing(r *record.Run) error {
	for _, b := range s.rig.Boards {
		if !b.Required {
			continue
		}
		on := judge.Subject{RigKind: string(s.rig.Kind), Chip: b.Chip}
		r.Missing = append(r.Missing, s.limits.Missing(on, r.MeasuredOn(b.Name))...)
	}
	return nil
}

// verdict is the command's outcome.
func verdict(run *record.Run, failure error) error {
	switch {
	case run.Status == record.Interrupted:
		return &exitError{exitSetup, errors.New("interrupted; the bundle holds what was measured until then")}
	case failure != nil:
		return &exitError{exitSetup, failure}
	case slices.ContainsFunc(run.Experiments, ours):
		return &exitError{exitSetup, errors.New("the rig or the harness failed; see the table and the bundle's console logs")}
	case run.Blocking() > 0:
		return &exitError{exitWanting, fmt.Errorf("%d findings fail the run; see the table", run.Blocking())}
	}
	return nil
}

// ours reports an experiment that says nothing about the firmware.
func ours(e record.Experiment) bool {
	if !e.Failed() {
		return false
	}
	class := e.Attempts[len(e.Attempts)-1].Failure.Class
	return class == rig.Rig || class == rig.Harness
}
