package harness

import (
	"context"
	"errors"
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
		Chip: s.Config.Chip, Verify: true, Alone: s.Config.ROMLoader, Progress: percents(name, progress), Clock: s.Clock(),
	})
	if err != nil {
		return fail(culprit(ctx, loader, err), "flash "+name, err)
	}
	progress(fmt.Sprintf("flashed %s: %v", name, result))
	return result, nil
}

// culprit is who is to blame for a flash that went wrong: the line, unless memory
// gives the same wrong byte a second time. Reading has no checksum (AN3155 §3.4), so
// that one mismatch may be noise on its way here; noise does not repeat itself.
// Writing has one (§3.6), so that what is in the memory is most likely what the chip
// made of the right data: cells that do not erase or program. Trying again would
// hide that.
func culprit(ctx context.Context, l flash.Loader, err error) rig.Class {
	var wrong *flash.VerifyError
	r, ok := l.(flash.Reader)
	if !ok || !errors.As(err, &wrong) {
		return rig.Rig
	}
	again := make([]byte, 1)
	if err := r.Read(ctx, wrong.Addr, again); err != nil || again[0] != wrong.Got {
		return rig.Rig
	}
	return rig.DUT
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
	defer r.phase(record.FlashPhase)()
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
