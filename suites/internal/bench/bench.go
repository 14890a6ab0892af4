// Package bench is what the suites share: it opens the boards of the rig that
// the environment names, gives each its container of specs, and turns what an
// experiment showed into the outcome of a spec.
//
// The environment, which `rigor run` sets and a bare ginkgo command need not:
//
//	RIGOR_RIG     name of the rig in rigs.yaml; default virtual
//	RIGOR_BUNDLE  folder of the run to add to; default a new one under results/runs
package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
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
)

// Variables of the environment.
const (
	RigVariable    = "RIGOR_RIG"
	BundleVariable = "RIGOR_BUNDLE"
)

// Bench is one board under one suite.
type Bench struct {
	Suite string
	Board *rig.BoardConfig

	kind   rig.Kind
	runner *harness.Runner
}

// EachBoard adds a container of specs for every board of the rig. The board is
// opened once for the container and closed after its last spec.
func EachBoard(suite string, body func(b *Bench)) bool {
	config, err := config()
	if err != nil {
		panic(fmt.Sprintf("open the rig of suite %s: %v", suite, err)) // ginkgo has no other way while it builds its tree
	}
	for _, board := range config.Boards {
		b := &Bench{Suite: suite, Board: board, kind: config.Kind}
		labels := ginkgo.Label("board:"+board.Name, "chip:"+board.Chip, string(config.Kind))
		ginkgo.Describe(suite+" on "+board.Name, ginkgo.Ordered, ginkgo.ContinueOnFailure, labels, func() {
			ginkgo.BeforeAll(func() { b.open(config) })
			ginkgo.BeforeEach(func() { count.now++ })
			body(b)
		})
	}
	return true
}

func config() (*rig.RigConfig, error) {
	root, err := harness.Root(".")
	if err != nil {
		return nil, err
	}
	c, err := rig.LoadConfig(filepath.Join(root, "rigs.yaml"))
	if err != nil {
		return nil, err
	}
	name := os.Getenv(RigVariable)
	if name == "" {
		name = string(rig.Virtual)
	}
	return c.Rig(name)
}

// open opens the board, the limits and the bundle.
func (b *Bench) open(config *rig.RigConfig) {
	root, err := harness.Root(".")
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	limits, err := judge.Load(filepath.Join(root, "suites", "limits.yaml"))
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	bundle, err := openBundle(root, config)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	station, err := station.Open(config, b.Board)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	ginkgo.DeferCleanup(station.Close)
	b.runner = &harness.Runner{
		Station: station, RigKind: config.Kind, Limits: limits, Bundle: bundle, Progress: display.Show,
	}
}

func openBundle(root string, config *rig.RigConfig) (*record.Bundle, error) {
	if dir := os.Getenv(BundleVariable); dir != "" {
		return record.Open(dir)
	}
	now := time.Now()
	b, err := harness.NewBundle(filepath.Join(root, "results", "runs", record.Name(now, config.Name)), config, now)
	if err != nil {
		return nil, err
	}
	ginkgo.DeferCleanup(func() error { return b.Finish(record.Complete, time.Now()) })
	return b, nil
}

// display is on standard error, past ginkgo's own report on standard output.
var display = report.NewDisplay(os.Stderr, report.IsTerminal(os.Stderr))

// count is how far the suite is, in specs.
var count struct{ now, all int }

var _ = ginkgo.ReportBeforeSuite(func(r ginkgo.Report) { count.all = r.PreRunStats.SpecsThatWillRun })

// Run takes an experiment through the pipeline and fails the spec for whatever
// would fail the run. Its numbers are recorded either way.
func (b *Bench) Run(ctx context.Context, x harness.Experiment) record.Experiment {
	ginkgo.GinkgoHelper()
	x.Suite = b.Suite
	at := fmt.Sprintf("[%*d/%d]", len(fmt.Sprint(count.all)), count.now, count.all)
	display.Underway(fmt.Sprintf("%s %s/%s on %s, %s", at, x.Suite, x.Name, b.Board.Name, x.Image.Name))
	e, err := b.runner.Run(ctx, x)
	display.Line(at + " " + report.Progress(e, report.Colours(os.Stderr)))
	if err != nil {
		display.Line(err.Error())
	}
	gomega.Expect(err).NotTo(gomega.HaveOccurred(), "record the experiment")
	for _, a := range e.Attempts {
		if a.Failure != nil {
			ginkgo.GinkgoWriter.Printf("attempt failed [%s]: %s\n", a.Failure.Class, a.Failure.Message)
		}
	}
	if e.Skipped != "" {
		ginkgo.Skip(e.Skipped)
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

// Images are the images of a program for the board, in order of name. None is
// a failure: a suite that measures nothing must not pass.
func (b *Bench) Images(names ...string) []images.Image {
	var found []images.Image
	for _, name := range names {
		image, err := images.Open(name)
		if err != nil {
			panic(fmt.Sprintf("suite %s: %v", b.Suite, err))
		}
		if image.Chip == b.Board.Chip {
			found = append(found, image)
		}
	}
	if len(found) == 0 {
		panic(fmt.Sprintf("suite %s: no image for chip %s among %v", b.Suite, b.Board.Chip, names))
	}
	return found
}
