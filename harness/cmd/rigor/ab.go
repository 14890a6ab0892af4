package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"rigor/firmware/images"
	"rigor/harness"
	"rigor/harness/compare"
	"rigor/harness/judge"
	"rigor/harness/record"
	"rigor/harness/rig"
)

type abCmd struct {
	A      string   `arg:"" type:"existingdir" help:"Folder of images, the state before: manifest.json and *.elf, as under firmware/images or in a bundle's firmware."`
	B      string   `arg:"" type:"existingdir" help:"Folder of images, the state after; the same as A measures noise."`
	Rig    string   `default:"virtual" placeholder:"NAME" help:"Rig of rigs.yaml (default: ${default})."`
	Suite  []string `placeholder:"NAME" help:"Suite to run; may be repeated (default: all)."`
	Board  []string `placeholder:"NAME" help:"Board of the rig to run on; may be repeated (default: all)."`
	Label  string   `placeholder:"FILTER" help:"Run only what bears labels (ginkgo's label filters)."`
	Rounds int      `default:"20" placeholder:"N" help:"Rounds of three runs, A B A; a verdict needs 10 or more, and 40 where runs scatter by 1 % (default: ${default})."`
	All    bool     `help:"Show the figures that did not change, too."`
	JSON   bool     `name:"json" help:"Write the comparison as JSON."`

	AcceptNoise bool   `help:"With the same images twice: write the noise of each figure into the rig's baseline."`
	Why         string `placeholder:"TEXT" help:"With --accept-noise: why this is how the rig is; kept in the baseline."`
}

func (*abCmd) Help() string {
	return "Runs two sets of images in turns, A B A, A B A and so on, so that what drifts changes both alike, and tells for each figure whether\n" +
		"B is better, worse, the same, or cannot be told, with the effect's interval and the smallest effect that so many runs would have shown.\n" +
		"A rank test over the rounds decides, corrected for the number of figures.\n\n" +
		"On hardware no verdict is given without the noise of the figure on the rig. It is measured once, with the same images as A and B:\n\n" +
		"  rigor ab firmware/images firmware/images --rig lab --rounds 20 --accept-noise --why 'new bench, all covers closed'\n" +
		"  rigor ab firmware/images /tmp/faster --rig lab --suite latency --rounds 20\n\n" +
		"A virtual rig repeats itself to the cycle: there one run of each is all it takes, and any difference is real.\n\n" +
		"Each run leaves its bundle below results/runs. The exit status is 1 if something got worse."
}

// Run is the command.
func (c *abCmd) Run(ctx context.Context) error {
	files, err := harness.ProjectFiles(".")
	if err != nil {
		return err
	}
	config, err := rig.LoadConfig(files.Rigs)
	if err != nil {
		return err
	}
	r, err := config.Rig(c.Rig)
	if err != nil {
		return err
	}
	same, err := c.check(r)
	if err != nil {
		return err
	}
	ask := func(ctx context.Context, firmware string) (*record.Run, error) { return c.ask(ctx, files, firmware) }
	if r.Kind == rig.Virtual {
		return c.once(ctx, ask)
	}
	b, err := harness.Baseline(files.Root, r.Name)
	if err != nil {
		return err
	}
	rounds, err := c.rounds(ctx, ask)
	if err != nil {
		return err
	}
	if same && c.AcceptNoise {
		return c.acceptNoise(files.Root, b, rounds)
	}
	return c.show(compare.Interleaved(rounds, b))
}

// check says whether the images are the same, and what of the flags doesn't fit that.
func (c *abCmd) check(r *rig.RigConfig) (same bool, err error) {
	var digests [2][]string
	for i, dir := range []string{c.A, c.B} {
		if err := images.Check(dir); err != nil {
			return false, err
		}
		m, err := images.ReadManifest(os.DirFS(dir))
		if err != nil {
			return false, err
		}
		for _, e := range m.Images {
			digests[i] = append(digests[i], e.Name+" "+e.SHA256)
		}
		slices.Sort(digests[i])
	}
	same = slices.Equal(digests[0], digests[1])
	switch {
	case c.Rounds < 1:
		return same, fmt.Errorf("--rounds %d: want 1 or more", c.Rounds)
	case c.AcceptNoise && r.Kind == rig.Virtual:
		return same, errors.New("--accept-noise: a virtual rig has no noise")
	case c.AcceptNoise && !same:
		return same, errors.New("--accept-noise: noise is what scatters with the same images; give the same folder twice")
	case c.AcceptNoise && c.Why == "":
		return same, errors.New("--accept-noise needs --why")
	}
	return same, nil
}

// asker runs the suites once with the images of a folder.
type asker func(ctx context.Context, firmware string) (*record.Run, error)

// ask is the asker on a rig. Verdicts that fail don't matter here: both states
// are measured all the same.
func (c *abCmd) ask(ctx context.Context, files harness.Files, firmware string) (*record.Run, error) {
	run := runCmd{Rig: c.Rig, Suite: c.Suite, Board: c.Board, Label: c.Label, Repeat: 1, Firmware: firmware, trial: true}
	s, err := run.run(ctx, files, io.Discard)
	if status := (*exitError)(nil); errors.As(err, &status) && status.status == exitWanting {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	return record.Load(s.bundle.Dir())
}

// once compares one run of each, where that is all there is to know.
func (c *abCmd) once(ctx context.Context, ask asker) error {
	a, err := ask(ctx, c.A)
	if err != nil {
		return err
	}
	b, err := ask(ctx, c.B)
	if err != nil {
		return err
	}
	return c.show(compare.Compare(compare.OfRun(a), compare.OfRun(b)))
}

// rounds runs A B A again and again. A round in which the rig failed is told and left
// out; two of them in a row are the end.
func (c *abCmd) rounds(ctx context.Context, ask asker) ([]compare.Round, error) {
	var rounds []compare.Round
	failed := 0
	for n := range c.Rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", n+1, c.Rounds)
		r, err := c.round(ctx, ask)
		if err == nil {
			rounds, failed = append(rounds, r), 0
			continue
		}
		failed++
		if ctx.Err() != nil || failed == 2 {
			return nil, fmt.Errorf("round %d of %d: %w", n+1, c.Rounds, err)
		}
		fmt.Fprintf(os.Stderr, "round %d is left out: %v\n", n+1, err)
	}
	if len(rounds) == 0 {
		return nil, errors.New("no round was whole")
	}
	return rounds, nil
}

func (c *abCmd) round(ctx context.Context, ask asker) (r compare.Round, err error) {
	for _, s := range []struct {
		side *compare.Side
		dir  string
	}{{&r.A1, c.A}, {&r.B, c.B}, {&r.A2, c.A}} {
		run, err := ask(ctx, s.dir)
		if err != nil {
			return r, err
		}
		*s.side = compare.OfRun(run)
	}
	return r, nil
}

func (c *abCmd) show(found compare.Comparison) error {
	if err := showComparison(os.Stdout, &found, c.All, c.JSON); err != nil {
		return err
	}
	return worse(&found)
}

// acceptNoise writes the noise of each figure into the baseline. Figures that it does
// not have yet come along with their noise; those that it has stay as they are.
func (c *abCmd) acceptNoise(root string, b *judge.Baseline, rounds []compare.Round) error {
	first := rounds[0].B
	if b == nil {
		b = &judge.Baseline{Schema: judge.BaselineSchema, Rig: first.Rig.Name, Kind: first.Rig.Kind}
	}
	measured := compare.Noise(rounds)
	for _, f := range measured {
		if accepted := b.Figure(f.Key); accepted != nil {
			noise := f.Noise
			f = *accepted
			f.Noise = noise
		}
		b.Put(f)
	}
	for _, r := range rounds {
		b.Accepted = append(b.Accepted, judge.Acceptance{Time: time.Now().UTC().Truncate(time.Second), Run: r.B.Name,
			Harness: r.B.Version(), By: (&baselineAcceptCmd{}).by(), Why: "noise: " + c.Why})
	}
	b.Tidy()
	file := harness.BaselineFile(root, b.Rig)
	if err := b.Save(file); err != nil {
		return err
	}
	fmt.Printf("accepted the noise of %d figures over %d runs into %s\n", len(measured), 3*len(rounds), file)
	return nil
}
