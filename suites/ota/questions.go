package ota

import (
	"context"
	"fmt"
	"time"

	wire "rigor/firmware/wire/ota"
	"rigor/harness"
	"rigor/harness/measure"
	"rigor/harness/ota"
	"rigor/harness/timebase"
	"rigor/probes"
)

// A question is put to a board that runs the first release, and gives what was measured.
type question func(ctx context.Context, s *session) ([]measure.Sample, error)

// session is a board with the means to update it.
type session struct {
	*harness.Bench
	*kit
	client *ota.Client
}

// Experiments are the suite's questions to a board. Thorough ones take minutes.
func Experiments(chip string, thorough bool) (all []harness.Experiment) {
	k, err := soundKit(chip)
	if err != nil {
		panic("BUG: ota: " + err.Error()) // all of it is in the repository
	}
	ask := func(name string, spoils bool, q question) {
		all = append(all, k.experiment(name, spoils, q))
	}
	ask("knows RFC 8032's vectors", false, vectors)
	ask("refuses what it must", false, refuses)
	ask("goes back from an update that hangs", false, goesBack(hang))
	ask("goes back from an update that nobody confirms", false, goesBack(restart))
	ask("revokes a key", true, rotates)
	ask("takes one changed line", true, takes(oneLine, measure.SmallChange, false))
	ask("takes a release", true, takes(release, measure.NewRelease, false))
	ask("takes a whole image", true, takes(release, measure.WholeImage, true))
	ask("takes a release over a bad line", true, badLine)
	ask("survives power cuts at random moments", true, survivesRandomCuts)
	if thorough {
		ask("survives every fault, and cuts after it", true, survives(0))
	} else {
		ask("survives every fault", true, survives(1))
	}
	if chip == "stm32f407" {
		all = append(all, atReset(chip))
	}
	more, err := overNetwork(chip)
	if err != nil {
		panic("BUG: ota: " + err.Error())
	}
	return append(all, more...)
}

// atReset is the question for the vectors to a board that stays at the clock that it has after a reset.
func atReset(chip string) harness.Experiment {
	k, err := newKit(chip, "otaboot-"+chip, "ota-16mhz-"+chip+"-slot0")
	if err != nil {
		panic("BUG: ota: " + err.Error())
	}
	return k.experiment("knows RFC 8032's vectors at 16 MHz", true, vectors)
}

// experiment puts a question into the pipeline's shape: it is the stimulus, and what it
// measured is all there is to measure.
func (k *kit) experiment(name string, spoils bool, q question) harness.Experiment {
	var samples []measure.Sample
	return harness.Experiment{
		Name:   name,
		Image:  k.factory,
		Spoils: spoils,
		Watch:  []probes.Line{"console-tx"},
		Stimulate: func(ctx context.Context, b *harness.Bench) (harness.Report, error) {
			s := &session{Bench: b, kit: k}
			s.connect(ota.Serial(b.Console(), b.Clock(), nil))
			var err error
			samples, err = q(ctx, s)
			return harness.Report{}, err
		},
		Measure: func(harness.Observation) ([]measure.Sample, error) { return samples, nil },
	}
}

// connect has the board spoken to over a link.
func (s *session) connect(l ota.Link) { s.client = &ota.Client{Link: l, Clock: s.Clock()} }

// vectors has the board verify signatures.
func vectors(ctx context.Context, s *session) ([]measure.Sample, error) {
	a, err := s.client.SelfTest(ctx)
	if err != nil {
		return nil, err
	}
	return []measure.Sample{
		{Name: measure.SignatureTime, Source: measure.Firmware, Unit: measure.Cycles, Clock: timebase.Rate(s.Hello.CoreHz), Values: []int64{int64(a.Cycles)}},
		sample(measure.SignatureStack, measure.Bytes, int64(a.Stack)),
	}, nil
}

// takes updates the board to a release.
func takes(release, change string, whole bool) question {
	return func(ctx context.Context, s *session) ([]measure.Sample, error) {
		p, err := s.update(release, whole)
		if err != nil {
			return nil, err
		}
		began := s.Clock().Now()
		result, err := s.push(ctx, p)
		if err != nil {
			return nil, err
		}
		took := s.Clock().Now().Sub(began)
		ratios, err := s.ratios(p, release, change)
		return append(ratios,
			sample(measure.UpdateTime, measure.Nanoseconds, took.Nanoseconds()),
			sample(measure.InstallTime, measure.Nanoseconds, result.Took(wire.Install).Nanoseconds()),
			sample(measure.UpdateSent, measure.Bytes, int64(len(p.Manifest)+len(p.Payload))),
		), err
	}
}

// push brings the board to run what a package holds, and asks it whether it does.
func (s *session) push(ctx context.Context, p *ota.Package) (ota.Result, error) {
	result, err := s.client.Push(ctx, p)
	if err != nil {
		return result, err
	}
	if a := result.Answer; a.Running != p.ID() || a.Slot != 1 || a.State != wire.Idle {
		return result, fmt.Errorf("after the update slot %d runs %v and is %v", a.Slot, ota.Version(a.Version), a.State)
	}
	return result, nil
}

// bad is a line that loses, repeats, delays and damages frames, five of a hundred each.
var bad = ota.Losses{Dropped: 50, Repeated: 50, Delayed: 50, Damaged: 50}

// badLine updates over one.
func badLine(ctx context.Context, s *session) ([]measure.Sample, error) {
	const seed = 1
	p, err := s.update(release, false)
	if err != nil {
		return nil, err
	}
	s.connect(ota.Serial(ota.NewLossy(s.Console(), seed, bad), s.Clock(), nil))
	began := s.Clock().Now()
	result, err := s.push(ctx, p)
	if err == nil && result.Counts.Repeats == 0 {
		err = fmt.Errorf("a bad line lost none of %d requests", result.Counts.Requests)
	}
	return []measure.Sample{sample(measure.UpdateTime, measure.Nanoseconds, s.Clock().Now().Sub(began).Nanoseconds())}, err
}

// goesBack has an update on trial fail each time that it is tried.
func goesBack(fail func(context.Context, *session) error) question {
	return func(ctx context.Context, s *session) ([]measure.Sample, error) {
		p, err := s.update(release, false)
		if err != nil {
			return nil, err
		}
		if err := s.install(ctx, p); err != nil {
			return nil, err
		}
		if err := s.client.Restart(ctx); err != nil {
			return nil, err
		}
		for attempt := uint8(1); ; attempt++ {
			report, err := s.client.AwaitBoot(ctx, patience)
			if err != nil {
				return nil, err
			}
			if want := s.expected(p, attempt); report != want {
				return nil, fmt.Errorf("start %d: the boot program says %+v, want %+v", attempt, report, want)
			}
			if report.Why != wire.Trial {
				break
			}
			if err := fail(ctx, s); err != nil {
				return nil, err
			}
		}
		a, err := s.client.Query(ctx)
		if err == nil && (a.Slot != 0 || a.Version != uint32(version(first)) || a.State != wire.Idle) {
			err = fmt.Errorf("after three trials slot %d runs %v and is %v", a.Slot, ota.Version(a.Version), a.State)
		}
		return []measure.Sample{sample(measure.TrialsReverted, measure.Events, 1)}, err
	}
}

// patience is for a start with a trial that ends by the watchdog before it.
const patience = 30 * time.Second

// install has the board ready to try a package.
func (s *session) install(ctx context.Context, p *ota.Package) error {
	a, err := s.client.Offer(ctx, p.Manifest[:])
	if err == nil {
		_, err = s.client.Send(ctx, p, a)
	}
	if err == nil {
		_, err = s.client.Install(ctx)
	}
	return err
}

// expected is what the boot program says at the nth start after an update was installed.
func (s *session) expected(p *ota.Package, n uint8) wire.Boot {
	const attempts = 3
	if n > attempts {
		return wire.Boot{Slot: 0, Why: wire.Reverted, Version: uint32(version(first)), Update: s.firstID}
	}
	m, _ := p.Decode()
	return wire.Boot{Slot: 1, Why: wire.Trial, Attempt: n, Version: m.Version, Update: p.ID()}
}

// hang lets a trial starve its watchdog.
func hang(ctx context.Context, s *session) error {
	_, err := s.client.Hang(ctx)
	s.client = &ota.Client{Link: s.client.Link, Clock: s.client.Clock, Token: s.client.Token} // that has seen no start yet
	return err
}

// restart has a trial restart instead of being confirmed.
func restart(ctx context.Context, s *session) error { return s.client.Restart(ctx) }

func sample(name string, unit measure.Unit, values ...int64) measure.Sample {
	return measure.Sample{Name: name, Source: measure.Harness, Unit: unit, Values: values}
}
