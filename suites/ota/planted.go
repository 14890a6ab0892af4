package ota

import (
	"fmt"

	"rigor/firmware/ota/defect"
	"rigor/harness"
)

// Planted are questions to a board of whose programs one or both have a defect, the quick ones first: the answers to some of
// them must be wrong. While they are asked the defect has to be planted in the host, too, which signs what such a board takes.
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
	return []harness.Experiment{
		k.experiment("goes back from an update that hangs", true, goesBack(hang)),
		k.experiment("refuses what it must", true, refuses),
		k.experiment("survives every fault", true, survives(1)),
		k.experiment("survives every fault of a later update", true, survivesLater(1)),
	}, nil
}
