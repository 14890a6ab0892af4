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
	"sync/atomic"
	"time"

	"rigor/firmware/images"
	"rigor/harness"
	"rigor/harness/export"
	"rigor/harness/judge"
	"rigor/harness/record"
	"rigor/harness/report"
	"rigor/harness/rig"
	"rigor/harness/timebase"
)

type runCmd struct {
	Rig      string   `default:"virtual" placeholder:"NAME" help:"Rig of rigs.yaml (default: ${default})."`
	Suite    []string `placeholder:"NAME" help:"Suite to run; may be repeated (default: all)."`
	Board    []string `placeholder:"NAME" help:"Board of the rig to run on; may be repeated (default: all)."`
	Label    string   `placeholder:"FILTER" help:"Run only what bears labels, such as 'chip:stm32f407 && !board:spare' (ginkgo's label filters)."`
	Repeat   int      `default:"1" placeholder:"N" help:"Ask each experiment N times, flashing anew each time, for benchstat's intervals."`
	Thorough bool     `help:"Ask what takes minutes, too: in suite ota, cuts after cuts until they lead to nothing new."`
	Firmware string   `type:"existingdir" env:"RIGOR_FIRMWARE" placeholder:"DIR" help:"Folder of images to run in place of the built-in ones: manifest.json and *.elf, as under firmware/images or in a bundle's firmware."`
	Profile  bool     `help:"Keep in the bundle's profiles where the firmware's cycles went, by function: exactly, and slowly. Simulated boards only; the samples are the same."`
	Out      string   `type:"path" placeholder:"DIR" help:"Folder of the run bundle (default: results/runs/TIME-RIG)."`

	OTLP string        `name:"otlp" placeholder:"URL" help:"Send the run's trace and logs to this collector when it is over, as rigor export --otlp does; if that fails, the run stands all the same."`
	Wait time.Duration `placeholder:"TIME" help:"Wait up to so long, such as 90m, for real boards that somebody else holds, telling who (default: not at all)."`

	replayOf string // name of the bundle
	trial    bool   // see record.Invocation
}

func (*runCmd) Help() string {
	return "Builds the suites, runs them one after another on each board of the rig, boards at once, prints what they do and a\n" +
		"table of what they found, and leaves a bundle: run.json, bench.txt, junit.xml, metrics.prom, report.html with\n" +
		"plots, samples, traces and console logs.\n\n" +
		"--repeat asks the experiments of a suite from first to last, then all of them again: each time the image is flashed, the\n" +
		"board is reset for each experiment and its capture and samples get files of their own; the board stays open throughout.\n\n" +
		"A run holds its real boards from its begin to its end. --wait waits for each that another run or command holds.\n\n" +
		"The bundle carries all that a run on a virtual rig depends on: rigor replay shows that it does the same again.\n\n" +
		"The exit status is 0 if every verdict stands, 1 if one failed, 2 if the rig or the set-up failed or the run\n" +
		"was interrupted. The bundle is readable in each case, and says so if it is incomplete."
}

// Run is the command.
func (c *runCmd) Run(ctx context.Context) error {
	files, err := harness.ProjectFiles(".")
	if err != nil {
		return err
	}
	_, err = c.run(ctx, files, os.Stdout)
	return err
}

// run prepares, runs each suite on each board, and finishes; the table goes to out.
// What was asked for in vain leaves no bundle, and the session that comes back has none.
func (c *runCmd) run(ctx context.Context, files harness.Files, out io.Writer) (*session, error) {
	s, err := c.prepare(files)
	if err != nil {
		return nil, err
	}
	s.out = out
	defer s.release()
	if err := s.lease(ctx); err != nil {
		return nil, err
	}
	began := time.Now()
	if s.built, err = os.MkdirTemp("", "rigor-suites-"); err != nil {
		return nil, fmt.Errorf("build the suites: %w", err)
	}
	defer os.RemoveAll(s.built)
	plans, failed := s.plan(ctx)
	built := time.Since(began)
	if vain := (*filterError)(nil); errors.As(failed, &vain) {
		return nil, vain
	}
	if err := c.begin(s, began); err != nil {
		return s, err
	}
	failed = errors.Join(failed, s.runAll(ctx, plans))
	if ctx.Err() != nil {
		failed = nil // not what ended the run
	}
	run, err := s.finish(ctx, failed)
	if run != nil {
		fmt.Fprintln(os.Stderr, report.Took(run, built, time.Since(began)))
		c.trace(context.WithoutCancel(ctx), run)
	}
	return s, err
}

// trace sends the run to a collector, if there is one.
func (c *runCmd) trace(ctx context.Context, run *record.Run) {
	if c.OTLP == "" {
		return
	}
	if err := sendTraces(ctx, c.OTLP, run); err != nil {
		fmt.Fprintf(os.Stderr, "note: %v; rigor export --otlp sends it later\n", err)
	}
}

// lease takes the real boards for the whole run. Simulated ones nobody needs to share.
func (s *session) lease(ctx context.Context) error {
	if s.rig.Kind != rig.Hardware {
		return nil
	}
	for _, b := range s.rig.Boards {
		err := rig.Await(ctx, timebase.Host{}, s.wait, func() error {
			l, err := rig.AcquireForRun(rig.Leases(), s.rig.Name, b.Name, time.Now())
			if err == nil {
				s.leases = append(s.leases, l)
			}
			return err
		}, func(busy *rig.BusyError) { s.meter.Line(busy.Waiting(s.wait)) })
		if err != nil {
			return fmt.Errorf("lease the rig: %w", err)
		}
	}
	return nil
}

func (s *session) release() {
	for _, l := range s.leases {
		l.Release()
	}
}

// begin makes the bundle, with all that is known of the run. From then on its files are those
// that configure the run, whatever becomes of the project's.
func (c *runCmd) begin(s *session, began time.Time) (err error) {
	if c.Out == "" {
		s.bundle, err = harness.BeginRun(s.files.Root, s.rig, began)
	} else {
		s.bundle, err = harness.NewBundle(c.Out, s.rig, began)
	}
	if err != nil {
		return fmt.Errorf("%w; --out chooses another folder", err)
	}
	if err := s.describe(c.replayOf, c.trial); err != nil {
		return err
	}
	s.files = s.files.Carried(s.bundle.Dir())
	events, err := s.bundle.Events()
	if err != nil {
		return err
	}
	s.meter.Log(events)
	fmt.Fprintf(os.Stderr, "rig %s, suites %s, bundle %s\n", s.rig.Name, strings.Join(s.suites, ", "), s.bundle.Dir())
	return nil
}

// describe records what was asked for, and what it takes to ask it again.
func (s *session) describe(replayOf string, trial bool) error {
	if err := s.files.Carry(s.bundle); err != nil {
		return err
	}
	return s.bundle.Update(func(r *record.Run) error {
		r.Sources = harness.Sources(s.files.Root)
		r.Invocation = &record.Invocation{Suites: s.suites, Boards: s.boards(), Label: s.label, Repeat: s.repeat,
			Thorough: s.thorough, Whole: s.all, Firmware: s.firmware, ReplayOf: replayOf, Trial: trial}
		return nil
	})
}

// session is one call of rigor run.
type session struct {
	files      harness.Files
	out        io.Writer      // of the table
	rig        *rig.RigConfig // of which only the wanted boards
	limits     *judge.Limits
	quarantine *judge.Quarantine
	bundle     *record.Bundle // nil until there is something to run
	suites     []string
	built      string // folder of the suites' test binaries: of this run alone, so that others may run beside
	label      string
	repeat     int
	thorough   bool
	profile    bool
	wait       time.Duration // for a board that somebody holds
	leases     []*rig.Lease  // of this run
	firmware   string        // folder of the images; empty: the built-in ones
	all        bool          // nothing was left out
	meter      *report.Meter

	unrecorded atomic.Bool // something could not be recorded
}

func (c *runCmd) prepare(files harness.Files) (*session, error) {
	if err := needGo(); err != nil {
		return nil, err
	}
	config, err := rig.LoadConfig(files.Rigs)
	if err != nil {
		return nil, err
	}
	s := &session{
		files: files, label: c.Label, repeat: c.Repeat, thorough: c.Thorough, profile: c.Profile, wait: c.Wait, all: c.Suite == nil && c.Board == nil && c.Label == "",
		meter: report.NewMeter(report.NewDisplay(os.Stderr, report.IsTerminal(os.Stderr)), time.Now),
	}
	if c.Repeat < 1 {
		return nil, fmt.Errorf("--repeat %d: want 1 or more", c.Repeat)
	}
	if s.firmware = c.Firmware; s.firmware != "" {
		if err := images.Check(s.firmware); err != nil {
			return nil, err
		}
	}
	if s.rig, err = config.Rig(c.Rig); err != nil {
		return nil, err
	}
	if s.rig, err = chooseBoards(s.rig, c.Board); err != nil {
		return nil, err
	}
	if s.limits, err = judge.Load(files.Limits); err != nil {
		return nil, err
	}
	if s.quarantine, err = harness.Quarantine(files.Root); err != nil {
		return nil, err
	}
	if _, err := harness.Baseline(files.Root, c.Rig); err != nil { // before a suite stumbles on it
		return nil, err
	}
	if s.suites, err = chooseSuites(files.Root, c.Suite); err != nil {
		return nil, err
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
// The run is what the bundle holds, nil if nothing can be read of it.
func (s *session) finish(ctx context.Context, failure error) (*record.Run, error) {
	state := record.Complete
	switch {
	case ctx.Err() != nil:
		state = record.Interrupted
	case failure != nil:
		state = record.Failed
	}
	unwritten := errors.Join(s.close(state), s.meter.Over(state))
	run, err := record.Load(s.bundle.Dir())
	if err != nil {
		return nil, errors.Join(failure, unwritten, err)
	}
	err = errors.Join(
		s.bundle.WriteFile(record.JUnitFile, func(w io.Writer) error { return report.JUnit(w, run) }),
		export.State{Runs: []*record.Run{run}}.WriteTextfile(filepath.Join(s.bundle.Dir(), record.MetricsFile)),
		report.Files(s.bundle, run),
		report.Terminal(s.out, run, s.out == os.Stdout && report.Colours(os.Stdout)),
	)
	fmt.Fprintf(s.out, "\nbundle %s\n", s.bundle.Dir())
	if unwritten = errors.Join(unwritten, err); unwritten != nil {
		return run, errors.Join(failure, fmt.Errorf("%w; the bundle holds what was recorded until then", unwritten))
	}
	return run, verdict(run, failure)
}

// close writes the end of the run.
func (s *session) close(state record.Status) error {
	if err := s.bundle.Update(s.noteQuarantine); err != nil {
		return fmt.Errorf("finish the bundle: %w", err)
	}
	if s.all && state == record.Complete {
		if err := s.bundle.Update(s.noteMissing); err != nil {
			return fmt.Errorf("finish the bundle: %w", err)
		}
	}
	if err := s.bundle.Finish(state, time.Now()); err != nil {
		return fmt.Errorf("finish the bundle: %w", err)
	}
	return nil
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

// noteQuarantine records the entries of the quarantine that are about what was asked
// for.
func (s *session) noteQuarantine(r *record.Run) error {
	for _, i := range s.quarantine.Entries {
		if slices.Contains(s.suites, i.Suite) && slices.Contains(s.boards(), i.Board) {
			r.Quarantine = append(r.Quarantine, i)
		}
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
	if !e.Failed() || e.Quarantine != nil {
		return false
	}
	class := e.Attempts[len(e.Attempts)-1].Failure.Class
	return class == rig.Rig || class == rig.Harness
}
