package ota

import (
	"context"
	"errors"
	"fmt"

	wire "rigor/firmware/wire/ota"
	"rigor/harness/measure"
	"rigor/harness/ota"
	"rigor/harness/ota/attack"
)

// Places of the kit's keys. A board trusts the first two.
const (
	usualKey = iota
	nextKey
	strangersKey
)

// refuses tries all attacks on the board one after the other. It must refuse each for the right
// reason, and afterwards still start its image, which its boot program verifies.
func refuses(ctx context.Context, s *session) ([]measure.Sample, error) {
	next, err := s.program(release, 1)
	if err != nil {
		return nil, err
	}
	all, err := attack.All(attack.Target{
		Base: s.base, New: next, Key: s.keys[usualKey], Second: s.keys[nextKey], Stranger: s.keys[strangersKey],
	})
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		if err := refusedBy(a.Try(ctx, s.client), a.Op, a.Want); err != nil {
			return nil, fmt.Errorf("%s: %w", a.Name, err)
		}
	}
	return []measure.Sample{sample(measure.UpdateRefusals, measure.Events, int64(len(all)))}, s.startsFirst(ctx)
}

// refusedBy is an error unless err is a board's refusal of that request for that reason.
func refusedBy(err error, op wire.Op, want wire.Refusal) error {
	var refused *ota.RefusedError
	switch {
	case err == nil:
		return errors.New("the board has taken it")
	case !errors.As(err, &refused):
		return err
	case refused.Op != op || refused.Code != want:
		return fmt.Errorf("%w, it should have refused to %v for %v", err, op, want)
	}
	return nil
}

// startsFirst restarts the board, which must boot the first release as what it has confirmed.
func (s *session) startsFirst(ctx context.Context) error {
	if err := s.client.Restart(ctx); err != nil {
		return err
	}
	report, err := s.client.AwaitBoot(ctx, patience)
	if want := (wire.Boot{Slot: 0, Why: wire.Confirmed, Version: uint32(version(first)), Update: s.firstID}); err == nil && report != want {
		err = fmt.Errorf("the boot program says %+v, want %+v", report, want)
	}
	return err
}

// rotates updates to a release that revokes the key that signed so far and raises the counter: from then on the board takes
// nothing of either.
func rotates(ctx context.Context, s *session) ([]measure.Sample, error) {
	middle, err := s.program(oneLine, 1)
	if err != nil {
		return nil, err
	}
	last, err := s.program(release, 0)
	if err != nil {
		return nil, err
	}
	const counter = 5
	change, err := s.pack(middle, ota.Options{Base: s.base, Counter: counter, Key: nextKey, Revoke: 1 << usualKey})
	if err != nil {
		return nil, err
	}
	if _, err := s.push(ctx, change); err != nil {
		return nil, err
	}
	offer := func(o ota.Options) error {
		o.Base = middle
		p, err := s.pack(last, o)
		if err != nil {
			return err
		}
		_, err = s.client.Offer(ctx, p.Manifest[:])
		return err
	}
	if err := refusedBy(offer(ota.Options{Counter: counter, Key: usualKey}), wire.Offer, wire.RevokedKey); err != nil {
		return nil, fmt.Errorf("signed with a key that was revoked: %w", err)
	}
	if err := refusedBy(offer(ota.Options{Counter: counter - 1, Key: nextKey}), wire.Offer, wire.OldCounter); err != nil {
		return nil, fmt.Errorf("with a counter that is too low: %w", err)
	}
	return []measure.Sample{sample(measure.UpdateRefusals, measure.Events, 2)}, offer(ota.Options{Counter: counter, Key: nextKey})
}
