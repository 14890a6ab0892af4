package judge

import (
	"slices"
	"strings"

	"rigor/harness/measure"
	"rigor/harness/rig"
)

// silicon are the beginnings of quantities that characterise the part itself:
// the program only starts the peripheral.
var silicon = []string{"adc-", "pwm-", measure.FlashErase, measure.FlashUnprotect}

// loading begins the quantities of the host's clients of boot loaders, which no
// firmware takes part in.
const loading = "flash-"

// culprit says whose a verdict is that is no pass. The first that holds:
//
//   - rig: the evidence is in doubt (lost edges, values below the measurement's own cost)
//   - harness: the virtual rig measured otherwise than for the baseline with the
//     same image, so that the simulated silicon or the judgement differs
//   - dut: the quantity is the silicon's
//   - harness: the quantity is that of our clients of the boot loaders
//   - firmware
func culprit(on Subject, s measure.Sample, sum measure.Summary, accepted *Figure) rig.Class {
	switch {
	case len(s.Doubts) > 0:
		return rig.Rig
	case accepted != nil && on.virtual() && on.Firmware == accepted.Firmware && !sameSummary(sum, accepted.Summary):
		return rig.Harness
	}
	return classOf(s.Name)
}

// classOf is whose a quantity is.
func classOf(quantity string) rig.Class {
	begins := func(prefix string) bool { return strings.HasPrefix(quantity, prefix) }
	switch {
	case slices.ContainsFunc(silicon, begins):
		return rig.DUT
	case begins(loading):
		return rig.Harness
	}
	return rig.Firmware
}

func sameSummary(a, b measure.Summary) bool {
	return a.N == b.N && !slices.ContainsFunc(measure.Statistics, func(st measure.Statistic) bool {
		x, _ := a.Estimate(st)
		y, _ := b.Estimate(st)
		return x.Value != y.Value
	})
}
