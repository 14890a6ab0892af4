package flash

import (
	"context"
	"fmt"
	"time"

	"rigor/harness"
	"rigor/harness/flash"
	"rigor/harness/measure"
	"rigor/harness/rig"
)

// A cut is a loss of power in a phase of flashing: some time after a share of
// the phase is done, so that it falls into the middle of a command, an erase or the
// programming of a word.
type cut struct {
	phase   flash.Phase
	percent int
	after   time.Duration
}

// off is how long the power stays away.
const off = 100 * time.Millisecond

// recover cuts the power, and flashes the board again once it is back.
func (c cut) recover(ctx context.Context, b *board) ([]measure.Sample, error) {
	l, err := b.Loader(ctx)
	if err != nil {
		return nil, err
	}
	var cutErr error
	done := false
	_, err = b.program(ctx, l, func(e flash.Event) {
		if !done && e.Phase == c.phase && 100*e.Done >= c.percent*e.Total {
			done = true
			cutErr = c.cut(ctx, b)
		}
	})
	if cutErr != nil {
		return nil, cutErr
	}
	if err == nil {
		return nil, fmt.Errorf("flashing outlived a loss of power in %v", c.phase)
	}
	return c.again(ctx, b)
}

// cut switches off in the middle of what comes next, or at once on a rig that
// cannot tell its supply to fail later.
func (c cut) cut(ctx context.Context, b *board) error {
	if p, ok := b.Board.(rig.PowerCutter); ok {
		return p.CutPower(ctx, c.after)
	}
	return b.Power(ctx, false)
}

// again looks at what the cut has left, and flashes a board fresh from a cold
// start. Where nothing is erased or written, nothing may be lost.
func (c cut) again(ctx context.Context, b *board) ([]measure.Sample, error) {
	if err := cycle(ctx, b); err != nil {
		return nil, err
	}
	kept, err := b.kept(ctx)
	if err != nil {
		return nil, err
	}
	m, err := b.parsed()
	if err == nil && kept != m.Size() && (c.phase == flash.PhaseIdentify || c.phase == flash.PhaseVerify) {
		err = fmt.Errorf("of the image's %d bytes %d are left after a loss of power in %v", m.Size(), kept, c.phase)
	}
	if err != nil {
		return nil, err
	}
	if err := cycle(ctx, b); err != nil {
		return nil, err
	}
	began := b.Clock().Now()
	_, err = harness.Flash(ctx, b.Station, b.image.Name, b.image.Data, silent)
	took := b.Clock().Now().Sub(began)
	return []measure.Sample{
		sample(measure.FlashAfterCut, measure.Bytes, int64(kept)),
		sample(measure.FlashRecovery, measure.Nanoseconds, took.Nanoseconds()),
	}, err
}

// cycle switches off, or leaves off, and on again.
func cycle(ctx context.Context, b *board) error {
	if err := b.Power(ctx, false); err != nil {
		return err
	}
	if err := b.Clock().Sleep(ctx, off); err != nil {
		return err
	}
	return b.Power(ctx, true)
}
