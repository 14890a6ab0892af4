package k210

import (
	"fmt"

	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

type fpioaState struct{}

// outside is what the board connects; it is no part of a snapshot.
type outside struct{}

func (c *Chip) fpioaReset()        {}
func (c *Chip) fpioaClockChanged() {}
func (c *Chip) pinsEvent(slot int) {}
func (c *Chip) pinsRestored()      {}
func (c *Chip) crossing()          {}

// setOut is a block's output signal by its function number, and whether it drives.
func (c *Chip) setOut(fn int, high, drives bool) {}

// in is a block's input signal by its function number.
func (c *Chip) in(fn int) bool { return true }

// padOf is the IO that a function is connected to, or -1.
func (c *Chip) padOf(fn int) int { return -1 }

func (c *Chip) PinByName(name string) (board.Pin, error) {
	var n int
	if _, err := fmt.Sscanf(name, "IO%d", &n); err != nil || n < 0 || n >= 48 {
		return 0, fmt.Errorf("no pin %q; the k210 has IO0 to IO47", name)
	}
	return board.Pin(n), nil
}
func (c *Chip) PinName(p board.Pin) string                          { return fmt.Sprintf("IO%d", p) }
func (c *Chip) Drive(p board.Pin, d board.Drive, at clock.Time)     {}
func (c *Chip) SetAnalog(p board.Pin, f func(at clock.Time) int64)  {}
func (c *Chip) Level(p board.Pin) bool                              { return true }
func (c *Chip) MicroVolts(p board.Pin) int64                        { return 0 }
func (c *Chip) Watch(f func(p board.Pin, high bool, at clock.Time)) {}

type fpioaDevice struct{ *Chip }

func (d fpioaDevice) Load(off uint32, width uint8) (uint64, bus.Fault) {
	return 0, d.unknown("FPIOA", off)
}
func (d fpioaDevice) Store(off uint32, width uint8, v uint64) bus.Fault {
	return d.unknown("FPIOA", off)
}
