package ota

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	device "rigor/firmware/ota"
	"rigor/firmware/ota/defect"
	"rigor/harness"
	"rigor/harness/faults"
	"rigor/harness/measure"
	"rigor/harness/rig"
)

// The questions that find planted defects.
const (
	asksHang   = "goes back from an update that hangs"
	asksRefuse = "refuses what it must"
	asksCut    = "survives a cut"
	asksLater  = "survives a cut in a later update"
	asksOther  = "survives a fault that is no cut"
)

// finds is which question should find a defect first.
var finds = map[defect.Defect]string{
	defect.BootTrusts: asksOther, defect.SwitchEarly: asksCut, defect.SwitchInTwo: asksCut, defect.OldFirst: asksCut,
	defect.StreamDigest: asksOther, defect.ResumeTrusts: asksCut, defect.TornHeader: asksCut, defect.CompactInForce: asksLater,
	defect.MarkUnchecked: asksOther, defect.ConfirmEarly: asksHang, defect.AttemptLate: asksHang, defect.AttemptsInRAM: asksHang,
	defect.RevertBootsNew: asksHang, defect.PayloadSigned: asksRefuse, defect.BaseUnchecked: asksRefuse, defect.LongScalar: asksRefuse,
}

// Planted are questions to a board of whose programs one or both have a defect, the one that should find it first: the answers
// to some of them must be wrong. While they are asked the defect has to be planted in the host, too, which signs what such a
// board takes.
func Planted(d defect.Info) ([]harness.Experiment, error) {
	const chip = "stm32f407"
	boot, base, next := "otaboot-"+chip, imageName(first, chip, 0), ""
	if d.Boot {
		boot = "otaboot-" + d.Name + "-" + chip
	}
	if d.App {
		planted := fmt.Sprintf("ota-%s-%s-slot%d", d.Name, chip, d.Slot())
		if d.Slot() == 0 {
			base = planted
		} else {
			next = planted
		}
	}
	k, err := newKit(chip, boot, base)
	if err != nil {
		return nil, err
	}
	k.next = next
	all := []harness.Experiment{
		k.experiment(asksHang, true, goesBack(hang)),
		k.experiment(asksRefuse, true, refuses),
		k.experiment(asksOther, true, survivesOne((*kit).firstUpdate, faults.Edges, 3)),
		k.experiment(asksCut, true, survivesOne((*kit).firstUpdate, faults.Coarse, 0)),
		k.experiment(asksLater, true, survivesOne((*kit).laterUpdate, faults.Coarse, 0)),
	}
	own := slices.IndexFunc(all, func(x harness.Experiment) bool { return x.Name == finds[d.Defect] })
	if own > 0 {
		all[0], all[own] = all[own], all[0]
	}
	return all, nil
}

// survivesOne tries single faults in an update: cuts as the model says, and so many of each other kind in each place where
// that does harm.
func survivesOne(update updating, cuts faults.Model, others int) question {
	return func(ctx context.Context, s *session) ([]measure.Sample, error) {
		c, err := update(s.kit, ctx, s.Config, runtime.GOMAXPROCS(0))
		if err != nil {
			return nil, err
		}
		c.First, c.Depth, c.Samples, c.Recheck = cuts, 1, others, 0
		c.Areas, c.Resets = s.delicate(), nil
		r, err := faults.Explore(ctx, c)
		if err != nil {
			return nil, err
		}
		return []measure.Sample{violations(r)}, nil
	}
}

// updating prepares an update.
type updating func(*kit, context.Context, *rig.BoardConfig, int) (faults.Config, error)

// delicate is where faults are tried that are no cuts: the image that is written, the marks of the journal's first entry,
// and the image that runs.
func (k *kit) delicate() []faults.Area {
	image := uint32(len(k.base.Image))
	marks := k.layout.Journal[0].Off + 4*uint32(device.Switch)
	return []faults.Area{
		{Name: "new image", Off: k.layout.Image(1), Size: image},
		{Name: "marks", Off: marks, Size: device.EntrySize - 4*uint32(device.Switch)},
		{Name: "old image", Off: k.layout.Image(0), Size: image},
	}
}
