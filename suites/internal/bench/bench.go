// Package bench is what the suites share: it opens the boards of the rig that
// the environment names, gives each its container of specs, and turns what an
// experiment showed into the outcome of a spec.
//
// The environment, which `rigor run` sets and a bare ginkgo command need not:
//
//	RIGOR_RIG       name of the rig in rigs.yaml; default virtual
//	RIGOR_RIGS      file of the rigs; default the project's rigs.yaml
//	RIGOR_LIMITS    file of the limits; default the project's suites/limits.yaml
//	RIGOR_BUNDLE    folder of the run to add to; default a new one under results/runs
//	RIGOR_BOARD     the only board of the rig to use; default all
//	RIGOR_REPEAT    how often each experiment is asked; default once
//	RIGOR_THOROUGH  true: ask what takes minutes, too
//	RIGOR_PROFILE   true: keep where the firmware's cycles went, of simulated boards
//	RIGOR_FIRMWARE  folder of images to use in place of the built-in ones (package images)
//	RIGOR_WAIT      how long to wait for a board that somebody else holds; default not at all
//	RIGOR_PROGRESS  true: tell progress to `rigor run`, in lines of record.Event
package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"rigor/firmware/images"
	"rigor/harness"
	"rigor/harness/judge"
	"rigor/harness/record"
	"rigor/harness/report"
	"rigor/harness/rig"
	"rigor/harness/station"
	"rigor/harness/timebase"
)

// Variables of the environment.
const (
	RigVariable      = "RIGOR_RIG"
	RigsVariable     = "RIGOR_RIGS"
	LimitsVariable   = "RIGOR_LIMITS"
	BundleVariable   = "RIGOR_BUNDLE"
	BoardVariable    = "RIGOR_BOARD"
	RepeatVariable   = "RIGOR_REPEAT"
	ThoroughVariable = "RIGOR_THOROUGH"
	ProfileVariable  = "RIGOR_PROFILE"
	WaitVariable     = "RIGOR_WAIT"
	ProgressVariable = "RIGOR_PROGRESS"
)

// Bench is one board under one suite.
type Bench struct {
	Suite string
	Board *rig.BoardConfig

	kind   rig.Kind
	repeat int             // which of the repeats its specs are of
	runner *harness.Runner // of all repeats, ready once the board is open
}

// EachBoard adds a container of specs for every board of the rig. The board is
// opened once for the container and closed after its last spec.
func EachBoard(suite string, body func(b *Bench)) bool {
	config, err := config()
	times, errRepeat := repeat()
	if err := errors.Join(err, errRepeat); err != nil {
		panic(fmt.Sprintf("open the rig of suite %s: %v", suite, err)) // ginkgo has no other way while it builds its tree
	}
	for _, board := range config.Boards {
		if only := os.Getenv(BoardVariable); only != "" && only != board.Name {
			continue
		}
		b := Bench{Suite: suite, Board: board, kind: config.Kind, runner: &harness.Runner{}}
		labels := ginkgo.Label("board:"+board.Name, "chip:"+board.Chip, string(config.Kind))
		ginkgo.Describe(suite+" on "+board.Name, ginkgo.Ordered, ginkgo.ContinueOnFailure, labels, func() {
			ginkgo.BeforeAll(func(ctx context.Context) { b.open(ctx, config) })
			for b.repeat = range times {
				each := b
				body(&each)
			}
		})
	}
	return true
}

// repeat is how often each experiment is asked.
func repeat() (int, error) {
	text := os.Getenv(RepeatVariable)
	if text == "" {
		return 1, nil
	}
	n, err := strconv.Atoi(text)
	if err == nil && n < 1 {
		err = fmt.Errorf("want 1 or more")
	}
	if err != nil {
		return 0, fmt.Errorf("%s=%s: %w", RepeatVariable, text, err)
	}
	return n, nil
}

// Thorough says whether what takes minutes is to be asked.
func Thorough() bool { return os.Getenv(ThoroughVariable) == "true" }

// files are what the suite is configured by: the project's own or those that the
// environment names.
func files() (harness.Files, error) {
	f, err := harness.ProjectFiles(".")
	f.Rigs = cmp.Or(os.Getenv(RigsVariable), f.Rigs)
	f.Limits = cmp.Or(os.Getenv(LimitsVariable), f.Limits)
	return f, err
}

func config() (*rig.RigConfig, error) {
	f, err := files()
	if err != nil {
		return nil, err
	}
	c, err := rig.LoadConfig(f.Rigs)
	if err != nil {
		return nil, err
	}
	return c.Rig(cmp.Or(os.Getenv(RigVariable), string(rig.Virtual)))
}

// open opens the board, the limits and the bundle, without which the board is not
// asked anything.
func (b *Bench) open(ctx context.Context, config *rig.RigConfig) {
	if err := b.prepare(ctx, config); err != nil {
		tell(record.Event{Kind: record.Trouble, Text: err.Error()})
		ginkgo.Fail(err.Error())
	}
}

func (b *Bench) prepare(ctx context.Context, config *rig.RigConfig) error {
	files, err := files()
	if err != nil {
		return err
	}
	limits, err := judge.Load(files.Limits)
	if err != nil {
		return err
	}
	baseline, err := harness.Baseline(files.Root, config.Name)
	if err != nil {
		return err
	}
	quarantine, err := harness.Quarantine(files.Root)
	if err != nil {
		return err
	}
	if err := b.needFlasher(); err != nil {
		return err
	}
	bundle, err := openBundle(files, config)
	if err != nil {
		return err
	}
	station, err := b.await(ctx, config)
	if err != nil {
		return err
	}
	opened := time.Now()
	ginkgo.DeferCleanup(func() error {
		work := b.work(station.Board, time.Since(opened))
		return errors.Join(station.Close(), bundle.Update(func(r *record.Run) error { r.NoteWork(work); return nil }))
	})
	*b.runner = harness.Runner{
		Station: station, RigKind: config.Kind, Limits: limits, Bundle: bundle,
		Baseline: baseline, Quarantine: quarantine,
		Profile:  os.Getenv(ProfileVariable) == "true",
		Progress: func(text string) { tell(record.Event{Kind: record.Step, Suite: b.Suite, Text: text}) },
	}
	return nil
}

// work is what the suite took on the board.
func (b *Bench) work(board rig.Board, took time.Duration) record.Work {
	w := record.Work{Suite: b.Suite, Board: b.Board.Name, Took: took}
	if s, ok := board.(rig.Simulated); ok {
		w.Instructions, w.Simulated = s.Simulated()
	}
	return w
}

// await opens the board as soon as nobody else holds it.
func (b *Bench) await(ctx context.Context, config *rig.RigConfig) (s *rig.Station, err error) {
	var wait time.Duration
	if text := os.Getenv(WaitVariable); text != "" {
		if wait, err = time.ParseDuration(text); err != nil {
			return nil, fmt.Errorf("%s: %w", WaitVariable, err)
		}
	}
	open := func() error { s, err = station.Open(config, b.Board); return err }
	told := func(busy *rig.BusyError) { tell(record.Event{Kind: record.Note, Text: busy.Waiting(wait)}) }
	return s, rig.Await(ctx, timebase.Host{}, wait, open, told)
}

// needFlasher opens the program that a loader of some chips puts into RAM to write in its
// place: that it is missing in a folder of images is not the board's fault.
func (b *Bench) needFlasher() error {
	if b.Board.ROMLoader {
		return nil
	}
	_, err := images.For("flasher", b.Board.Chip)
	return err
}

func openBundle(f harness.Files, config *rig.RigConfig) (*record.Bundle, error) {
	if dir := os.Getenv(BundleVariable); dir != "" {
		return record.Open(dir)
	}
	b, err := harness.BeginRun(f.Root, config, time.Now())
	if err != nil {
		return nil, err
	}
	events, err := b.Events()
	if err != nil {
		return nil, err
	}
	meter.Log(events)
	ginkgo.DeferCleanup(func() error {
		return errors.Join(b.Finish(record.Complete, time.Now()), meter.Over(record.Complete))
	})
	return b, f.Carry(b)
}

// meter shows progress on standard error, past ginkgo's own report on standard
// output.
var meter = report.NewMeter(report.NewDisplay(os.Stderr, report.IsTerminal(os.Stderr)), time.Now)

var _ = ginkgo.ReportBeforeSuite(func(r ginkgo.Report) { meter.Expect("", r.PreRunStats.SpecsThatWillRun) })

// tell shows progress, or leaves that to the command that runs the suite.
func tell(e record.Event) {
	if os.Getenv(ProgressVariable) != "true" {
		meter.Tell("", e)
		return
	}
	fmt.Fprintln(os.Stderr, report.EventLine(e))
}

// A file that may not grow is a write that fails, not the end of the process.
func init() { signal.Ignore(syscall.SIGXFSZ) }

// Run takes an experiment through the pipeline and fails the spec for whatever
// would fail the run. Its numbers are recorded either way.
func (b *Bench) Run(ctx context.Context, x harness.Experiment) record.Experiment {
	ginkgo.GinkgoHelper()
	x.Suite, x.Repeat = b.Suite, b.repeat
	tell(record.Event{Kind: record.Begun, Suite: x.Suite, Experiment: x.Name,
		Text: fmt.Sprintf("%s/%s on %s, %s", x.Suite, x.Name, b.Board.Name, x.Image.Name)})
	e, err := b.runner.Run(ctx, x)
	tell(report.Progress(e))
	if err != nil { // the rest could not be recorded either
		abort(err)
	}
	for _, a := range e.Attempts {
		if a.Failure != nil {
			ginkgo.GinkgoWriter.Printf("attempt failed [%s]: %s\n", a.Failure.Class, a.Failure.Message)
		}
	}
	if e.Skipped != "" {
		ginkgo.Skip(e.Skipped)
	}
	if e.Quarantined() {
		ginkgo.Skip("something is wrong that is known: " + e.Quarantine.String())
	}
	if e.Failed() {
		f := e.Attempts[len(e.Attempts)-1].Failure
		ginkgo.Fail(fmt.Sprintf("%s [%s]", f.Message, f.Class))
	}
	for _, m := range e.Measurements {
		for _, v := range m.Verdicts {
			gomega.Expect(v.Blocks()).To(gomega.BeFalse(), "%s by %s: %s, limit %s: %s", m.Quantity, m.Source, v.Outcome, v.Limit, v.Reason)
		}
	}
	return e
}

// Images are the images of a program for the board's chip, in order of name.
// Where there is none the suite has nothing to ask this board, which is recorded
// as a skip: a suite that measures nothing must not pass. Where they cannot be
// had the suite fails.
func (b *Bench) Images(program string) []images.Image {
	found, err := images.For(program, b.Board.Chip)
	switch {
	case err != nil:
		ginkgo.It(program, func() { abort(err) })
	case len(found) == 0:
		ginkgo.It(program, func() { b.lack(fmt.Sprintf("program %s for %s", program, b.Board.Chip)) })
	}
	return found
}

// abort ends the suite for what is nobody's answer.
func abort(err error) {
	tell(record.Event{Kind: record.Trouble, Text: err.Error()})
	ginkgo.AbortSuite(err.Error())
}

// lack records that the board has not what the suite is about.
func (b *Bench) lack(what string) {
	e, err := b.runner.Skip(harness.Experiment{Suite: b.Suite, Name: "all"}, &rig.MissingError{What: what})
	tell(report.Progress(e))
	if err != nil {
		abort(err)
	}
	ginkgo.Skip(e.Skipped)
}
