package report

import (
	"slices"

	"rigor/probes"
)

// background are lines that change by themselves, whatever is measured.
var background = []probes.Line{"running", "timer", "console-tx", "console-rx"}

// interesting is the index of the edge that a capture is looked at from: the first that is not of the background.
func interesting(c probes.Capture) int {
	i := slices.IndexFunc(c.Edges, func(e probes.Edge) bool { return !slices.Contains(background, e.Line) })
	return max(i, 0)
}
