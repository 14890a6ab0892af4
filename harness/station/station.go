// Package station opens the boards of a rig, whatever its kind.
package station

import (
	"fmt"

	"rigor/harness/hardware"
	"rigor/harness/rig"
	"rigor/harness/timebase"
	"rigor/harness/virtual"
)

// Open opens a board of a rig with the probes that are wired to it.
func Open(r *rig.RigConfig, b *rig.BoardConfig) (*rig.Station, error) {
	switch r.Kind {
	case rig.Virtual:
		return virtual.Open(b)
	case rig.Hardware:
		return hardware.Open(r.Name, b, timebase.Host{})
	}
	return nil, fmt.Errorf("open board %s: rigs of kind %q are unknown", b.Name, r.Kind)
}
