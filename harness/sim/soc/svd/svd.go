// Package svd names registers: the tables that gen.go makes of a chip's
// CMSIS-SVD file (Arm, CMSIS System View Description 1.3), of which it knows
// names, addresses, reset values, derived peripherals, simple arrays of
// registers and clusters of them.
//
//	go run ../svd/gen.go FILE.svd PACKAGE FILE.go
package svd

import "fmt"

// Device is the register map of a chip, its peripherals in order of address.
type Device []Peripheral

// Peripheral is a named window of registers.
type Peripheral struct {
	Name      string
	Base      uint32
	Registers []Register
}

// Register is a word of a peripheral.
type Register struct {
	Offset uint32
	Name   string
	Reset  uint32 // after a system reset
}

// At is the register that holds the byte at an offset, or nil.
func (p *Peripheral) At(off uint32) *Register {
	for i := range p.Registers {
		if p.Registers[i].Offset == off&^3 {
			return &p.Registers[i]
		}
	}
	return nil
}

// Register is the register at an offset of a peripheral, or nil.
func (d Device) Register(peripheral string, off uint32) *Register {
	for i := range d {
		if d[i].Name == peripheral {
			return d[i].At(off)
		}
	}
	return nil
}

// Name names the register at an address in a block that begins at base, such as
// "RCC.SSCGR", or the block and an offset, such as "OTG_FS+0x08". It looks in the
// last peripheral that begins in the block at or before the address: a block may
// hold several.
func (d Device) Name(block string, base, addr uint32) string {
	begin := base
	for i := range d {
		p := &d[i]
		if p.Base < base || p.Base > addr {
			continue
		}
		if r := p.At(addr - p.Base); r != nil {
			return p.Name + "." + r.Name
		}
		block, begin = p.Name, p.Base
	}
	return fmt.Sprintf("%s+0x%02x", block, addr-begin)
}
