package ota

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"rigor/firmware/wire"
	"rigor/harness"
	"rigor/harness/faults"
	"rigor/harness/faults/device"
	"rigor/harness/measure"
	"rigor/harness/ota"
	"rigor/harness/rig"
)

// randomCuts is how many updates are cut at moments that a seed chooses. A simulated board
// is only to show that the way through the rig's supply works: package faults does the rest.
func (s *session) randomCuts() int {
	const onSilicon, simulated = 20, 6
	if _, ok := s.Board.(rig.Simulated); ok {
		return simulated
	}
	return onSilicon
}

// survivesRandomCuts cuts the supply somewhere in an update, time and again.
func survivesRandomCuts(ctx context.Context, s *session) (all []measure.Sample, err error) {
	p, err := s.update(oneLine, false)
	if err != nil {
		return nil, err
	}
	b := &benched{session: s, pack: p}
	if err := b.cycle(ctx); err != nil { // here, and not after a flash, if the rig has no switch
		return nil, err
	}
	defer func() { err = errors.Join(err, b.leave(ctx)) }()
	n := s.randomCuts()
	found, err := faults.Sample(ctx, b, device.Judge{Layout: s.layout, Old: s.firstID, New: p.ID()}, n, faultSeed)
	if err != nil {
		return nil, err
	}
	wrong := sample(measure.UpdateBricks, measure.Events, int64(len(found.Failures)))
	for _, f := range found.Failures {
		wrong.Warnings = append(wrong.Warnings, strings.TrimSpace(f.Error()))
	}
	return []measure.Sample{sample(measure.UpdateFaults, measure.Events, int64(n)), wrong}, nil
}

// benched is a board for the fault engine, by the rig's contract and nothing else.
type benched struct {
	*session
	pack   *ota.Package
	whole  time.Duration // of an update that nobody disturbs; 0: not known yet
	dies   time.Time     // when the supply fails; zero: it does not
	cut    chan error    // how switching it off went; nil: nobody does
	report faults.Report // of the last start
}

var _ faults.Rig = (*benched)(nil)

// Prepare has the board run what the factory put into it. The first time it does so
// already, and shows how long an update takes.
func (b *benched) Prepare(ctx context.Context) (time.Duration, error) {
	if b.whole == 0 {
		began := b.Clock().Now()
		if _, err := b.push(ctx, b.pack); err != nil {
			return 0, fmt.Errorf("update without a cut: %w", err)
		}
		b.whole = b.Clock().Now().Sub(began)
	}
	if _, err := harness.Flash(ctx, b.Station, b.factory.Name, b.factory.Data, func(string) {}); err != nil {
		return 0, err
	}
	err := errors.Join(b.Console().DiscardInput(), b.Reset(ctx, rig.BootApp))
	if err != nil {
		return 0, b.blame("reset into the program", err)
	}
	r, err := b.listen(ctx)
	if err == nil && (!r.Alive || r.Update != b.firstID) {
		err = fmt.Errorf("fresh from the factory, the board says hello %t, and its boot program %v", r.Alive, r)
	}
	return b.whole, err
}

// CutAfter leaves it to the rig to be in time, if that can.
func (b *benched) CutAfter(ctx context.Context, d time.Duration) error {
	b.dies = b.Clock().Now().Add(d)
	if p, ok := b.Board.(rig.PowerCutter); ok {
		return b.blame("cut the supply", p.CutPower(ctx, d))
	}
	b.cut = make(chan error, 1)
	go func() {
		err := b.Clock().Sleep(ctx, d)
		if err == nil {
			err = b.Power(ctx, false)
		}
		b.cut <- err
	}()
	return nil
}

// settle waits until nobody is about to switch the supply off.
func (b *benched) settle() (err error) {
	if b.cut != nil {
		err = <-b.cut
	}
	b.dies, b.cut = time.Time{}, nil
	return b.blame("cut the supply", err)
}

// leave ends what is under way, and switches on.
func (b *benched) leave(ctx context.Context) error {
	return errors.Join(b.settle(), b.blame("switch the supply on", b.Power(context.WithoutCancel(ctx), true)))
}

// Boot is a start without power before it.
func (b *benched) Boot(ctx context.Context) (faults.Report, error) {
	err := b.settle()
	if err == nil {
		err = b.cycle(ctx)
	}
	if err != nil {
		return faults.Report{}, err
	}
	return b.listen(ctx)
}

// cycle switches off, or leaves off, and on again.
func (b *benched) cycle(ctx context.Context) error {
	const off = 100 * time.Millisecond
	err := b.Power(ctx, false)
	if err == nil {
		err = b.Clock().Sleep(ctx, off)
	}
	if err == nil {
		err = errors.Join(b.Console().DiscardInput(), b.Power(ctx, true))
	}
	return b.blame("switch the supply", err)
}

// listen waits for hello, which may come after trials that each end by the watchdog.
func (b *benched) listen(ctx context.Context) (faults.Report, error) {
	b.report = faults.Report{}
	err := device.Listen(ctx, b.link(), b.Clock().Now().Add(2*patience), &b.report)
	return b.report, err
}

// Update pushes the package until the board runs it, or has no supply.
func (b *benched) Update(ctx context.Context) (faults.Outcome, error) {
	mortal := func() ota.Link { return mortal{b.link(), b} }
	return device.Push(ctx, b.Clock(), mortal, b.pack, &b.report, b.gone)
}

func (b *benched) link() ota.Link { return ota.Serial(b.Console(), b.Clock(), nil) }

// gone tells whether the supply has failed.
func (b *benched) gone() bool { return !b.dies.IsZero() && !b.Clock().Now().Before(b.dies) }

// errGone is a board without power, from which nothing is to be waited for.
var errGone = errors.New("the supply is gone")

// mortal is a link to a board whose supply may fail.
type mortal struct {
	ota.Link
	board *benched
}

// Receive gives what comes as long as there is power.
func (m mortal) Receive(deadline time.Time) (wire.Frame, error) {
	if dies := m.board.dies; !dies.IsZero() && dies.Before(deadline) {
		deadline = dies
	}
	f, err := m.Link.Receive(deadline)
	if err != nil && m.board.gone() {
		err = errGone
	}
	return f, err
}
