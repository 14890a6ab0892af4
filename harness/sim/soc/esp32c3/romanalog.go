package esp32c3

import (
	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
)

// The ROM's functions for the bus to analog parts (ESP-IDF, rom.regi2c.ld and
// esp_rom_regi2c.h). Arguments are part, host and register, then the highest and
// lowest bit of a field, then what to write.

const romREGI2C = 0x1954 // read, read a field, write, write a field

// romREGI2CRead reads a register, or a field of it.
func romREGI2CRead(c *Chip, msb, lsb uint32) {
	if c.romREGI2C(0) {
		c.romReturn(c.ADC.Master >> 16 & 0xFF & (2<<(msb&7) - 1) >> (lsb & 7))
	}
}

// romREGI2CWrite replaces the bits of a field.
func romREGI2CWrite(c *Chip, msb, lsb, v uint32) {
	if !c.romREGI2C(0) {
		return
	}
	field := uint32(2<<(msb&7)-1) &^ (1<<(lsb&7) - 1)
	data := c.ADC.Master>>16&0xFF&^field | v<<(lsb&7)&field
	if c.romREGI2C(masterWRITE | data<<16) {
		c.romReturn(0)
	}
}

// romREGI2C has the bus's master transfer a byte, and tells whether there is a model of
// the part.
func (c *Chip) romREGI2C(command uint32) bool {
	part, reg := c.arg(0)&0xFF, c.arg(2)&0xFF
	if (regi2cDevice{c}).transfer(command|reg<<8|part) == bus.None {
		return true
	}
	c.halt(board.NotModelled, uint32(c.core.X[1]), "ROM: "+c.lacking+" not modelled")
	return false
}

// romAnalog are the functions by offset from romREGI2C.
var romAnalog = [...]romFunc{
	{200, func(c *Chip) { romREGI2CRead(c, 7, 0) }},
	{200, func(c *Chip) { romREGI2CRead(c, c.arg(3), c.arg(4)) }},
	{200, func(c *Chip) { romREGI2CWrite(c, 7, 0, c.arg(3)) }},
	{400, func(c *Chip) { romREGI2CWrite(c, c.arg(3), c.arg(4), c.arg(5)) }},
}
