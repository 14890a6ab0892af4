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
	other := record.Work{Suite: "flash", Board: "c", Took: 3 * second, Simulated: 6 * second, Instructions: 86e6}
	for want, work := range map[string][]record.Work{
		"took 7.0 s: build 1.5 s":              nil,
		"took 7.0 s: build 1.5 s, flash 3.0 s": {real},
		"took 7.0 s: build 1.5 s, flash 5.0 s; simulated 11.0 s with 176 million instructions, 32 MIPS, 2.00 times real time": {virtual, other},
	} {
		if got := Took(&record.Run{Work: work}, 1500*time.Millisecond, 7*second); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
