package harness

import (
	"context"
	"fmt"

	"rigor/harness/flash"
	"rigor/harness/rig"
)

// Flash resets a board into its boot loader, puts an image into it and reads it
// back. A board whose chip is not the one that rigs.yaml names is refused
// before anything is erased. The board is left in its loader.
func Flash(ctx context.Context, s *rig.Station, name string, image []byte, progress func(string)) (flash.Result, error) {
	fail := func(class rig.Class, op string, err error) (flash.Result, error) {
		return flash.Result{}, &rig.Error{Class: class, Board: s.Name(), Op: op, Err: err}
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
		return flash.Result{}, err
	}
	report := throttled(name, progress)
	result, err := flash.Program(ctx, loader, m, flash.Options{
		Chip: s.Config.Chip, Verify: true, Progress: report, Clock: s.Clock(),
	})
	if err != nil {
		return fail(rig.Rig, "flash "+name, err)
	}
	progress(fmt.Sprintf("flashed %s: %v", name, result))
	return result, nil
}

// throttled tells of the beginning of each phase, and of each quarter of a long one.
func throttled(name string, progress func(string)) func(flash.Event) {
	last := -1
	phase := flash.Phase(255)
	return func(e flash.Event) {
		if e.Phase != phase {
			phase, last = e.Phase, -1
		}
		quarter := 0
		if e.Total > 0 {
			quarter = 4 * e.Done / e.Total
		}
		if quarter != last && quarter < 4 {
			last = quarter
			progress(fmt.Sprintf("%v %s, %d of %d", e.Phase, name, e.Done, e.Total))
		}
	}
}
