package profile

import (
	"reflect"
	"testing"
)

// core is one whose cycles the test counts.
type core struct {
	State
	p Counter
}

func newCore(addr uint64) *core {
	c := &core{State: State{Cycle: 1000, Slept: 100, Insns: 500}}
	c.p.Attach(addr, func() State { return c.State })
	return c
}

// step executes an instruction.
func (c *core) step(addr, cycles uint64) {
	c.p.Step(addr, c.State)
	c.Cycle += cycles
	c.Insns++
}

func (c *core) want(t *testing.T, want Counts) {
	t.Helper()
	if got := c.p.Counts(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, not %+v", got, want)
	}
}

// TestCounter: each instruction has its cycles, from the very cycle on at which the counter is opened, even
// within one, up to that at which it is shut.
func TestCounter(t *testing.T) {
	c := newCore(0x100)
	c.step(0x100, 5)
	c.p.Step(0x102, c.State)
	c.Cycle += 2
	c.p.Open(true)
	c.Cycle += 3
	c.Insns++
	c.step(0x8000_0000, 7)
	c.p.Exception(c.State)
	c.Cycle += 12
	c.step(0x102, 1)
	c.Cycle += 50 // asleep after it
	c.Slept += 50
	c.p.Step(0x104, c.State)
	c.Cycle += 4
	c.p.Open(false)
	c.Cycle += 4
	c.Insns++
	c.step(0x106, 1)
	c.want(t, Counts{
		At:         map[uint64]Count{0x102: {4, 2}, 0x104: {4, 0}, 0x8000_0000: {7, 1}},
		Exceptions: 12, Slept: 50,
	})
}

// TestRepeat: turns that are left out count as the last one did.
func TestRepeat(t *testing.T) {
	c := newCore(0)
	c.p.Open(true)
	c.step(0x10, 9)
	for range 2 {
		c.step(0x20, 2)
		c.step(0x22, 3)
	}
	c.p.Repeat(c.State, 1000, Count{Cycles: 5, Instructions: 2})
	c.Cycle += 5000
	c.Insns += 2000
	c.step(0x20, 2)
	c.want(t, Counts{At: map[uint64]Count{0x10: {9, 1}, 0x20: {2006, 1003}, 0x22: {3006, 1002}}})
}

// TestRepeatOfTheUnseen: of a loop that was entered before the counter was there, the instruction under way
// has it all.
func TestRepeatOfTheUnseen(t *testing.T) {
	c := newCore(0x20)
	c.p.Open(true)
	c.p.Repeat(c.State, 10, Count{Cycles: 5, Instructions: 2})
	c.Cycle += 50
	c.Insns += 20
	c.want(t, Counts{At: map[uint64]Count{0x20: {50, 20}}})
}

// TestRestore: a snapshot takes the core back in time, for which nobody is charged.
func TestRestore(t *testing.T) {
	c := newCore(0)
	c.p.Open(true)
	c.step(0x10, 3)
	c.p.Step(0x12, c.State)
	c.State = State{Cycle: 10, Slept: 0, Insns: 2}
	c.step(0x14, 4)
	c.want(t, Counts{At: map[uint64]Count{0x10: {3, 1}, 0x14: {4, 1}}})
}
