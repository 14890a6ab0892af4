package stm32f407

import (
	"fmt"

	"rigor/harness/sim/bus"
	"rigor/harness/sim/soc/fidelity"
)

// RegisterName names the register at an address, such as "RCC.SSCGR", or
// the block and an offset, such as "OTG_FS+0x08"; outside of all blocks it is
// the address.
func RegisterName(addr uint32) string {
	for i := range blockTable {
		if b := &blockTable[i]; addr-b.base < b.size {
			return peripherals.Name(b.name, b.base, addr)
		}
	}
	return fmt.Sprintf("0x%08x", addr)
}

// Buses, and at the same time the indices of RCC's enable and reset registers.
const (
	ahb1 = iota
	ahb2
	ahb3
	apb1
	apb2
	buses
	ppb // no clock gate
)

// blockInfo is a block of the memory map (RM0090 §2.3, table 1) with its bit in
// RCC's enable and reset registers, -1 where it has none.
type blockInfo struct {
	name       string
	base, size uint32
	bus, bit   int8
	status     fidelity.Status
	notes      string
}

// block is a blockInfo in one chip. Devices see aligned words only: the frame
// does what the bus does to narrower accesses.
type block struct {
	*blockInfo
	dev bus.Device // nil: not modelled
}

// pageTable finds the block of an address: blocks begin at multiples of 1 KB.
type pageTable struct {
	apb  [512]int8 // 0x40000000 to 0x4007FFFF; index of the block + 1
	ahb2 [512]int8 // 0x50000000 to 0x5007FFFF
}

func (c *Chip) wireBlocks() {
	c.blocks = make([]block, len(blockTable))
	for i := range blockTable {
		info := &blockTable[i]
		c.blocks[i] = block{blockInfo: info, dev: c.device(info.name)}
		for a := info.base; a < info.base+info.size; a += 1 << 10 {
			if p := c.pages.page(a); p != nil {
				*p = int8(i + 1)
			}
		}
	}
}

func (t *pageTable) page(addr uint32) *int8 {
	switch {
	case addr-0x40000000 < 0x80000:
		return &t.apb[(addr-0x40000000)>>10]
	case addr-0x50000000 < 0x80000:
		return &t.ahb2[(addr-0x50000000)>>10]
	}
	return nil
}

// block is the block at an address, or nil.
func (c *Chip) block(addr uint32) *block {
	p := c.pages.page(addr)
	switch {
	case p != nil && *p != 0:
		return &c.blocks[*p-1]
	case addr-0xE0042000 < 0x400, addr-0xA0000000 < 0x1000:
		return c.blockNamed(addr)
	}
	return nil
}

// blockNamed searches for the few blocks outside of the page table.
func (c *Chip) blockNamed(addr uint32) *block {
	for i := range c.blocks {
		if b := &c.blocks[i]; addr-b.base < b.size {
			return b
		}
	}
	return nil
}

// device is the model of a block, or nil.
func (c *Chip) device(name string) bus.Device {
	switch name {
	case "RCC":
		return rccDevice{c}
	case "PWR":
		return pwrDevice{c}
	case "FLASH":
		return flashDevice{c}
	case "SYSCFG":
		return syscfgDevice{c}
	case "EXTI":
		return extiDevice{c}
	case "RNG":
		return rngDevice{c}
	case "BKPSRAM":
		return bkpDevice{c}
	case "CRC":
		return crcDevice{c}
	case "IWDG":
		return iwdgDevice{c}
	case "RTC":
		return rtcDevice{c}
	case "WWDG":
		return wwdgDevice{c}
	case "DBGMCU":
		return dbgmcuDevice{c}
	case "ADC":
		return adcDevice{c}
	case "DAC":
		return dacDevice{c}
	}
	if name == "DMA1" || name == "DMA2" {
		return dmaDevice{c.dmaController(int(name[3] - '1'))}
	}
	if n, ok := i2cNumber[name]; ok {
		return c.i2c(n)
	}
	if n, ok := spiNumber[name]; ok {
		return c.spi(n)
	}
	if n, ok := usartNumber[name]; ok {
		return c.usartDevice(n)
	}
	if n, ok := timNumber[name]; ok {
		return c.timDevice(n)
	}
	if len(name) == 5 && name[:4] == "GPIO" {
		return gpioDevice{c, int(name[4] - 'A')}
	}
	return nil
}

var usartNumber = map[string]int{"USART1": 1, "USART2": 2, "USART3": 3, "UART4": 4, "UART5": 5, "USART6": 6}

var timNumber = map[string]int{"TIM1": 1, "TIM2": 2, "TIM3": 3, "TIM4": 4, "TIM5": 5, "TIM6": 6, "TIM7": 7,
	"TIM8": 8, "TIM9": 9, "TIM10": 10, "TIM11": 11, "TIM12": 12, "TIM13": 13, "TIM14": 14}

// loadBlock reads a register. The bridges read whole words; the core takes its
// lane of them.
func (c *Chip) loadBlock(b *block, addr uint32, width uint8) (uint32, bus.Fault) {
	if b.dev == nil {
		return 0, c.lack(RegisterName(addr))
	}
	if !c.clocked(b) {
		return 0, bus.None
	}
	v, f := b.dev.Load((addr-b.base)&^3, 4)
	return uint32(v) >> (8 * (addr & 3)) & laneMask(width), f
}

// storeBlock writes a register. An APB bridge repeats a byte or half-word over
// the word (RM0090 §2.1.11); AHB blocks know which lanes are meant, and those
// that are modelled take them.
func (c *Chip) storeBlock(b *block, addr uint32, width uint8, v uint32) bus.Fault {
	if b.dev == nil {
		return c.lack(RegisterName(addr))
	}
	if !c.clocked(b) {
		return bus.None
	}
	off := (addr - b.base) &^ 3
	if width < 4 {
		lanes := laneMask(width) << (8 * (addr & 3))
		v = repeat(v, width)
		if b.bus != apb1 && b.bus != apb2 {
			old, f := b.dev.Load(off, 4)
			if f != bus.None {
				return f
			}
			v = v&lanes | uint32(old)&^lanes
		}
	}
	return b.dev.Store(off, 4, uint64(v))
}

func laneMask(width uint8) uint32 { return uint32(1<<(8*uint(width)) - 1) }

func repeat(v uint32, width uint8) uint32 {
	if width == 1 {
		return v & 0xFF * 0x01010101
	}
	return v & 0xFFFF * 0x00010001
}

// clocked tells whether a block answers: without its clock it reads 0 and
// ignores writes, and so it does while it is held in reset.
func (c *Chip) clocked(b *block) bool {
	if b.bit < 0 {
		return true
	}
	if c.RCC.ENR[b.bus]>>b.bit&1 == 0 {
		c.warn("%s used while its clock is off", b.name)
		return false
	}
	if c.RCC.RSTR[b.bus]>>b.bit&1 != 0 {
		c.warn("%s used while RCC holds it in reset", b.name)
		return false
	}
	return true
}

// unknown answers an access to a register that a modelled block does not
// implement: by name where the part has one, else as the reserved word it is,
// which reads 0.
func (c *Chip) unknown(block string, off uint32) bus.Fault {
	if r := peripherals.Register(block, off); r != nil {
		return c.lack(block + "." + r.Name)
	}
	c.warn("reserved word %s+0x%02x used", block, off)
	return bus.None
}

// peek and poke access a register as the boot loader's code would: with the
// block's effects, without the core.
func (c *Chip) peek(addr uint32) uint32 {
	b := c.block(addr)
	if b == nil || b.dev == nil {
		panic("BUG: the boot loader reads what is not modelled")
	}
	v, f := c.loadBlock(b, addr, 4)
	if f != bus.None {
		panic("BUG: the boot loader reads what is not modelled")
	}
	return v
}

func (c *Chip) poke(addr, v uint32) {
	b := c.block(addr)
	if b == nil || b.dev == nil || c.storeBlock(b, addr, 4, v) != bus.None {
		panic("BUG: the boot loader writes what is not modelled")
	}
}
