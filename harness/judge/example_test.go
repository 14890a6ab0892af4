package judge_test

import (
	"fmt"

	"rigor/harness/judge"
	"rigor/harness/measure"
)

func ExampleLimits_Judge() {
	limits, err := judge.Parse("limits.yaml", []byte(`
limits:
  - quantity: goroutine-switch
    clock_hz: 16000000
    statistic: p50
    unit: ns
    max: 12000
    reason: an example
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	s := measure.Sample{
		Name: measure.GoroutineSwitch, Source: measure.Firmware, Unit: measure.Cycles, Clock: 16e6,
		Assumption: measure.Exact, Values: []int64{160, 160, 160},
	}
	on := judge.Subject{RigKind: "virtual", Chip: "stm32f407", Core: 16e6}
	for _, v := range limits.Judge(on, s, measure.Summarize(s), nil) {
		fmt.Printf("%v: %s, %s\n", v.Outcome, v.Limit, v.Reason)
	}
	// Output: pass: p50 <= 12000 ns, p50 is 160 cycles
}
