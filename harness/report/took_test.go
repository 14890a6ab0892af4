package report

import (
	"testing"
	"time"

	"rigor/harness/record"
)

func TestTook(t *testing.T) {
	const second = time.Second
	real := record.Work{Suite: "flash", Board: "a", Took: 3 * second}
	virtual := record.Work{Suite: "flash", Board: "b", Took: 2 * second, Simulated: 5 * second, Instructions: 90e6}
	for want, work := range map[string][]record.Work{
		"took 7.0 s: build 1.5 s":              nil,
		"took 7.0 s: build 1.5 s, flash 3.0 s": {real},
		"took 7.0 s: build 1.5 s, flash 5.0 s; simulated 5.0 s with 90 million instructions, 45 MIPS, 2.50 times real time": {real, virtual},
	} {
		if got := Took(&record.Run{Work: work}, 1500*time.Millisecond, 7*second); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
