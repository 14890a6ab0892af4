package faults

import (
	"context"
	"errors"
	"testing"
	"time"

	"rigor/harness/sim/board"
)

// bench is a toy whose supply fails at the operation that a time stands for.
type bench struct {
	*toy
	off any
}

func (b *bench) Prepare(context.Context) (time.Duration, error) {
	b.Restore(b.off)
	b.fail = nil
	b.Power(true)
	_, err := b.Boot(context.Background())
	return 12, err
}

func (b *bench) CutAfter(_ context.Context, d time.Duration) error {
	b.fail = func(op board.FlashOp) board.FlashFault {
		if d--; d < 0 {
			panic(errReset)
		}
		return board.FlashFault{}
	}
	return nil
}

func (b *bench) Boot(ctx context.Context) (Report, error) {
	b.Power(false)
	b.fail = nil
	b.Power(true)
	return b.toy.Boot(ctx)
}

func (b *bench) Update(ctx context.Context) (o Outcome, err error) {
	defer func() {
		if e := recover(); e != nil {
			o, err = Outcome{Err: e.(error).Error()}, nil
		}
	}()
	return b.toy.Update(ctx)
}

// reporter judges by reports alone.
type reporter struct{}

func (reporter) Booted(f Flash, r Report) (Image, error) {
	if f != nil {
		return Other, errors.New("there is no flash to be seen")
	}
	if r.Slot < 0 {
		return None, nil
	}
	return map[uint32]Image{1: Old, 2: New}[r.Version], nil
}

func (j reporter) Updated(f Flash, o Outcome) (Image, error) { return j.Booted(f, o.Report) }

func TestSample(t *testing.T) {
	for d, fails := range map[defect]bool{none: false, twoSteps: true} {
		b := &bench{toy: newToy(d)}
		b.off = b.Snapshot()
		s, err := Sample(context.Background(), b, reporter{}, 50, 1)
		if err != nil {
			t.Fatal(err)
		}
		if s.Cuts[RunsOld] == 0 || s.Cuts[RunsNew] == 0 && !fails || fails != (len(s.Failures) > 0) {
			t.Errorf("defect %d: %v, %v", d, s.Cuts, s.Failures)
		}
	}
}
