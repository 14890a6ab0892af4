package flash

import (
	"context"
	"fmt"
	"time"

	"rigor/firmware/images"
	"rigor/harness"
	"rigor/harness/flash"
	"rigor/harness/measure"
	"rigor/harness/rig"
	"rigor/probes"
)

// A trial is something done to the board through its boot loader, and what was
// measured of it.
type trial func(ctx context.Context, b *board) ([]measure.Sample, error)

// Experiments are the suite's questions to a board with an image.
func Experiments(image images.Image) []harness.Experiment {
	chip, ok := chips[image.Chip]
	if !ok {
		panic("BUG: flash: nothing is known of " + image.Chip)
	}
	var all []harness.Experiment
	ask := func(name string, t trial) {
		all = append(all, experiment(name, image, t))
	}
	for _, baud := range chip.bauds {
		ask(fmt.Sprintf("speed at %d baud", baud), speed(baud))
	}
	ask("refuses a wrong image", wrongImage)
	ask("refuses a wrong chip", wrongChip)
	if chip.protects {
		ask("comes out of read protection", readProtection)
	}
	for _, c := range chip.cuts {
		ask(fmt.Sprintf("recovers from power lost in %v", c.phase), c.recover)
	}
	return all
}

// experiment puts a trial into the pipeline's shape: it is the stimulus, and
// what it measured is all there is to measure.
func experiment(name string, image images.Image, t trial) harness.Experiment {
	var samples []measure.Sample
	return harness.Experiment{
		Name:  name,
		Image: image,
		Watch: []probes.Line{"console-tx"},
		Stimulate: func(ctx context.Context, b *harness.Bench) (harness.Report, error) {
			var err error
			on := &board{Bench: b, image: image}
			if samples, err = t(ctx, on); err == nil {
				err = on.greets(ctx)
			}
			return harness.Report{}, on.blame(name, err)
		},
		Measure: func(harness.Observation) ([]measure.Sample, error) { return samples, nil },
	}
}

// board is the bench's board and the image that it holds.
type board struct {
	*harness.Bench
	image images.Image
}

// blame is the board's if nobody else's: the program has no part in this suite.
func (b *board) blame(op string, err error) error {
	if err == nil || rig.ClassOf(err) != rig.Harness {
		return err
	}
	return &rig.Error{Class: rig.DUT, Board: b.Name(), Op: op, Err: err}
}

// greets shows that the image is there and runs.
func (b *board) greets(ctx context.Context) error {
	if err := b.Console().DiscardInput(); err != nil {
		return err
	}
	if err := b.Reset(ctx, rig.BootApp); err != nil {
		return err
	}
	h, err := b.Firmware.Hello(ctx, harness.Patience)
	if err == nil && h.SourceDigest != b.image.SourceDigest {
		err = fmt.Errorf("the program that greets is not the one that was flashed")
	}
	return err
}

// parsed is the image as the loader needs it.
func (b *board) parsed() (*flash.Image, error) {
	part, err := flash.PartOf(b.Config.Chip)
	if err != nil {
		return nil, err
	}
	return flash.Read(b.image.Data, part)
}

// program flashes and verifies the image.
func (b *board) program(ctx context.Context, l flash.Loader, progress func(flash.Event)) (flash.Result, error) {
	m, err := b.parsed()
	if err != nil {
		return flash.Result{}, err
	}
	return flash.Program(ctx, l, m, flash.Options{
		Chip: b.Config.Chip, Verify: true, Alone: b.Config.ROMLoader, Clock: b.Clock(), Progress: progress,
	})
}

// speed writes the image at a rate.
func speed(baud int) trial {
	return func(ctx context.Context, b *board) ([]measure.Sample, error) {
		rated, ok := b.Board.(rig.RatedLoader)
		if !ok {
			return nil, &rig.MissingError{What: "boot loader at other rates"}
		}
		l, err := rated.LoaderAt(ctx, baud)
		if err != nil {
			return nil, err
		}
		r, err := b.program(ctx, l, nil)
		if err != nil {
			return nil, err
		}
		share, ok := r.Share()
		if !ok {
			return nil, fmt.Errorf("the loader tells no ceiling")
		}
		return []measure.Sample{
			sample(measure.FlashRate, measure.BytesPerSecond, writeRate(r)),
			sample(measure.FlashWriteShare, measure.Percent, int64(share)),
		}, nil
	}
}

func writeRate(r flash.Result) int64 {
	for _, s := range r.Steps {
		if s.Phase == flash.PhaseWrite && s.Duration > 0 {
			return int64(s.Bytes) * int64(time.Second) / int64(s.Duration)
		}
	}
	return 0
}

func sample(quantity string, u measure.Unit, v int64) measure.Sample {
	return measure.Sample{Name: quantity, Source: measure.Harness, Unit: u, Resolution: 1, Assumption: measure.Nothing, Values: []int64{v}}
}

// readProtection turns the read protection on, sees that flashing is refused
// for that reason, and takes the way out, which erases the flash.
func readProtection(ctx context.Context, b *board) ([]measure.Sample, error) {
	p, err := b.protector(ctx)
	if err != nil {
		return nil, err
	}
	if err := p.ReadoutProtect(ctx); err != nil {
		return nil, err
	}
	_, err = harness.Flash(ctx, b.Station, b.image.Name, b.image.Data, silent)
	if err := refusedBy[interface{ ReadProtected() bool }]("a read-protected part", err); err != nil {
		return nil, err
	}
	if p, err = b.protector(ctx); err != nil {
		return nil, err
	}
	began := b.Clock().Now()
	if err := p.ReadoutUnprotect(ctx); err != nil {
		return nil, err
	}
	took := b.Clock().Now().Sub(began)
	kept, err := b.kept(ctx)
	if err != nil {
		return nil, err
	}
	if kept > b.blank() {
		return nil, fmt.Errorf("%d bytes of the image outlived the end of the read protection", kept-b.blank())
	}
	_, err = harness.Flash(ctx, b.Station, b.image.Name, b.image.Data, silent)
	return []measure.Sample{sample(measure.FlashUnprotect, measure.Nanoseconds, took.Nanoseconds())}, err
}

func (b *board) protector(ctx context.Context) (flash.Protector, error) {
	l, err := b.Loader(ctx)
	if err != nil {
		return nil, err
	}
	p, ok := l.(flash.Protector)
	if !ok {
		return nil, fmt.Errorf("the loader knows no read protection")
	}
	return p, nil
}

func silent(string) {}
