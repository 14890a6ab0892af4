package esp32c3

import "rigor/harness/sim/riscv"

type romState struct{}

func (c *Chip) romReset()                    {}
func (c *Chip) romStart()                    {}
func (c *Chip) romEvent(slot int, at uint64) {}
func (c *Chip) romCall(index uint32)         {}
func (c *Chip) romRegions() []riscv.Region   { return nil }
