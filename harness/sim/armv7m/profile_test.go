package armv7m

import (
	"reflect"
	"testing"

	"rigor/harness/sim/profile"
)

func counting(c *Core) *profile.Counter {
	p := &profile.Counter{}
	c.SetProfile(p)
	p.Open(true)
	return p
}

// TestProfileOfAnInterrupt: 12 cycles in and 10 out belong to no instruction (see TestInterruptCycles), the sleep before neither.
func TestProfileOfAnInterrupt(t *testing.T) {
	c := runningCore(t, []uint16{0xBF00, 0xBF30, 0xBF00}) // NOP, WFI, NOP
	p := counting(c)
	c.Run(100)
	c.SetIRQ(4, true)
	c.SetIRQ(4, false)
	slept := c.Slept
	c.Run(100 + 12 + 1 + 10 + 1)
	handler := uint64(testVector + 16*20)
	want := profile.Counts{
		At: map[uint64]profile.Count{
			testPC: {Cycles: 1, Instructions: 1}, testPC + 2: {Cycles: 100 - 1 - slept, Instructions: 1}, testPC + 4: {Cycles: 1, Instructions: 1},
			handler: {Cycles: 1, Instructions: 1},
		},
		Exceptions: 22, Slept: slept,
	}
	if got := p.Counts(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

// TestProfileChangesNothing runs the mix of instructions with one and without, from flash of all kinds.
func TestProfileChangesNothing(t *testing.T) {
	for _, timing := range []FlashTiming{{}, {Waits: 5}, {Waits: 5, ICache: true, DCache: true, Prefetch: true}} {
		plain, _ := newMix()
		c, _ := newMix()
		plain.SetFlashTiming(timing)
		c.SetFlashTiming(timing)
		p := counting(c)
		for until := uint64(0); until < 200_000; until += 777 {
			plain.Run(until)
			c.Run(until)
			if plain.State != c.State {
				t.Fatalf("%+v: with a profile it went otherwise before cycle %d", timing, until)
			}
		}
		var got profile.Count
		counts := p.Counts()
		for _, k := range counts.At {
			got.Cycles += k.Cycles
			got.Instructions += k.Instructions
		}
		if want := (profile.Count{Cycles: c.Cycle, Instructions: c.Insns}); got != want {
			t.Errorf("%+v: the profile adds up to %+v, the core to %+v", timing, got, want)
		}
	}
}
