package change_test

import (
	"fmt"

	"rigor/harness/judge/change"
	"rigor/harness/measure"
)

func ExampleExact() {
	q, _ := measure.Describe(measure.GoroutineSwitch)
	c := change.Exact(q, measure.Median, measure.Cycles, 187, 189)
	fmt.Printf("%s: %s\n", c.Verdict, c.Reason)
	// Output: worse: values are exact: +2 cycles
}

// Twelve rounds on a board that warms up by 1 %, a hundred units, while they last. The new firmware takes 3 % longer.
func ExampleInterleaved() {
	noise := change.MeasureNoise([]int64{10011, 9987, 10002, 9995, 10020, 9990, 10005, 9979, 10013, 9998, 10008, 9992})
	var a1, b, a2 []int64
	for i := range int64(12) {
		warm, jitter := 9*i, 7*i%11
		a1 = append(a1, 10000+warm+jitter)
		b = append(b, 10300+warm+8-jitter)
		a2 = append(a2, 10002+warm+3*i%7)
	}
	q, _ := measure.Describe(measure.PinToHandler)
	c := change.Interleaved(q, measure.Median, measure.Nanoseconds, a1, b, a2, noise, change.Options{})
	fmt.Printf("%s: %s\n", c.Verdict, c.Reason)
	// Output: worse: +2.95 % (+2.92 %..+3.00 %, p 3.8e-06, 24 and 12 runs)
}
