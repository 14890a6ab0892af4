package harness

import (
	"context"
	"fmt"

	"rigor/harness/flash"
	"rigor/harness/record"
	"rigor/harness/rig"
)

// Flash resets a board into its boot loader, puts an image into it and reads it
// back. A board whose chip is not the one that rigs.yaml names is refused
// before anything is erased. The board is left in its loader. Progress that ends
// in a percentage is a step of what is under way.
func Flash(ctx context.Context, s *rig.Station, name string, image []byte, progress func(string)) (flash.Result, error) {
	fail := func(class rig.Class, op string, err error) (flash.Result, error) {
		return flash.Result{}, blame(class, s.Name(), op, err)
	}
	part, err := flash.PartOf(s.Config.Chip)
	if err != nil {
		return fail(rig.Harness, "flash "+name, err)
	}
	m, err := flash.Read(image, part)
	if err != nil {
		return fail(rig.Harness, "read image "+name, err)
	}
	loader, err := s.Loader(ctx)
	if err != nil {
		return fail(rig.Rig, "enter the boot loader", err)
	}
	result, err := flash.Program(ctx, loader, m, flash.Options{
		Chip: s.Config.Chip, Verify: true, Progress: percents(name, progress), Clock: s.Clock(),
	})
	if err != nil {
		return fail(rig.Rig, "flash "+name, err)
	}
	progress(fmt.Sprintf("flashed %s: %v", name, result))
	return result, nil
}

// percents tells of each phase and each percent of it.
func percents(name string, progress func(string)) func(flash.Event) {
	last := ""
	return func(e flash.Event) {
		percent := 100 * e.Done / max(e.Total, 1)
		if text := fmt.Sprintf("%v %s %d%%", e.Phase, name, percent); text != last {
			last = text
			progress(text)
		}
	}
}

// onBoard is the image that the loader put on a board, for which of the repeats.
type onBoard struct {
	digest string
	repeat int
}

// flash puts the image on the board through its boot loader, unless it is there.
func (r *Runner) flash(ctx context.Context, x Experiment) (flash.Result, error) {
	want := onBoard{x.Image.SHA256, x.Repeat}
	if r.flashed == want {
		return flash.Result{}, nil
	}
	r.flashed = onBoard{}
	result, err := Flash(ctx, r.Station, x.Image.Name, x.Image.Data, r.progress)
	if err != nil {
		return result, err
	}
	r.flashed = want
	return result, r.Bundle.Update(func(run *record.Run) error {
		run.NoteBoard(record.Board{Name: r.Station.Name(), Chip: r.Station.Config.Chip, ID: result.Chip.String()})
		run.NoteFirmware(record.Firmware{Program: x.Image.Program, Target: x.Image.Name, Digest: x.Image.SHA256,
			SourceDigest: x.Image.SourceDigest, Toolchain: x.Image.Toolchain.String()})
		return nil
	})
}

func (r *Runner) progress(text string) {
	if r.Progress != nil {
		r.Progress(r.Station.Name() + ": " + text)
	}
}
