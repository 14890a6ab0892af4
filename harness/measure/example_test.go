package measure_test

import (
	"fmt"

	"rigor/harness/measure"
	"rigor/probes"
)

// A probe at 100 MHz saw a marker go high twice; the firmware counted cycles
// of 16 MHz.
func ExampleAgree() {
	capture := probes.Capture{Rate: 100e6, Resolution: 1, Edges: []probes.Edge{
		{At: 1000, Line: "marker0", High: true}, {At: 2000, Line: "marker0"},
		{At: 5000, Line: "marker0", High: true}, {At: 6006, Line: "marker0"},
	}}
	probed := measure.Durations(measure.GoroutineSwitch, capture, measure.Rise("marker0"), measure.Fall("marker0"))
	reported := measure.Sample{
		Name: measure.GoroutineSwitch, Source: measure.Firmware, Unit: measure.Cycles, Clock: 16e6, Values: []int64{160, 161},
	}
	a, err := measure.Agree(reported, probed)
	fmt.Println(a, err)
	// Output: firmware and probe agree on all 2 events; worst is event 1: 10062.500 ns against 10060.000 ns, tolerance 10.000 ns <nil>
}
