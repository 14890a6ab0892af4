package esp32c3

import (
	"fmt"

	"rigor/harness/sim/bus"
	"rigor/harness/sim/soc/fidelity"
)

//go:generate go run ../svd/gen.go ../../../../firmware/svd/esp32c3.svd esp32c3 names.go

// RegisterName names the register at an address, such as "SYSTEM.SYSCLK_CONF",
// or the block and an offset, such as "SENSITIVE+0x08"; outside of all blocks it
// is the address.
func RegisterName(addr uint32) string {
	for i := range blockTable {
		if b := &blockTable[i]; addr-b.base < b.size {
			return peripherals.Name(b.name, b.base, addr)
		}
	}
	return fmt.Sprintf("0x%08x", addr)
}

// blockInfo is a block of the memory map (TRM System and Memory, peripherals)
// with its bit in SYSTEM's clock gates and resets: from 0 that of PERIP_CLK_EN0,
// from 32 that of PERIP_CLK_EN1, -1 where it has none.
type blockInfo struct {
	name       string
	base, size uint32
	gate       int8
	status     fidelity.Status
	notes      string
}

// block is a blockInfo in one chip.
type block struct {
	*blockInfo
	dev bus.Device // nil: not modelled
}

// Blocks begin at multiples of 256 bytes.
const (
	blocksBase = 0x60000000
	blocksEnd  = 0x600D1400
	pageCount  = (blocksEnd - blocksBase) >> 8
)

func (c *Chip) wireBlocks() {
	c.blocks = make([]block, len(blockTable))
	for i := range blockTable {
		info := &blockTable[i]
		c.blocks[i] = block{blockInfo: info, dev: c.device(info.name)}
		for a := info.base; a < info.base+info.size; a += 1 << 8 {
			c.pages[(a-blocksBase)>>8] = int8(i + 1)
		}
	}
}

// block is the block at an address, or nil.
func (c *Chip) block(addr uint32) *block {
	page := (addr - blocksBase) >> 8
	if page >= pageCount || c.pages[page] == 0 {
		return nil
	}
	return &c.blocks[c.pages[page]-1]
}

// device is the model of a block, or nil.
func (c *Chip) device(name string) bus.Device {
	switch name {
	case "UART0":
		return uartDevice{c, 0}
	case "UART1":
		return uartDevice{c, 1}
	case "SPI0":
		return spiDevice{c, 0}
	case "SPI1":
		return spiDevice{c, 1}
	case "GPIO":
		return gpioDevice{c}
	case "IO_MUX":
		return ioMuxDevice{c}
	case "RTC_CNTL":
		return rtcDevice{c}
	case "RTC_I2C":
		return regi2cDevice{c}
	case "EFUSE":
		return efuseDevice{c}
	case "I2C0":
		return i2cDevice{c}
	case "LEDC":
		return ledcDevice{c}
	case "TIMG0":
		return timgDevice{c, 0}
	case "TIMG1":
		return timgDevice{c, 1}
	case "SYSTIMER":
		return systimerDevice{c}
	case "APB_CTRL":
		return apbCtrlDevice{c}
	case "APB_SARADC":
		return adcDevice{c}
	case "USB_DEVICE":
		return usbDevice{c}
	case "SYSTEM":
		return systemDevice{c}
	case "INTERRUPT_CORE0":
		return matrixDevice{c}
	case "EXTMEM":
		return cacheDevice{c}
	case "MMU_TABLE":
		return mmuDevice{c}
	case "FE2":
		return radioDevice{c, 0, 0xF0}
	case "FE":
		return radioDevice{c, 1, 0x90}
	case "NRX":
		return radioDevice{c, 2, 0xCD4}
	case "BB":
		return radioDevice{c, 3, 0x54}
	case "SENSITIVE":
		return sensitiveDevice{c}
	case "ASSIST_DEBUG":
		return assistDevice{c}
	case "MAC":
		return macDevice{c}
	}
	return nil
}

// loadBlock reads a register. Blocks see aligned words: the core takes its lane
// of them.
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

// storeBlock writes a register. What a block does with a byte or a half-word is
// not documented, and Espressif's own code takes care to write words only.
func (c *Chip) storeBlock(b *block, addr uint32, width uint8, v uint32) bus.Fault {
	if b.dev == nil {
		return c.lack(RegisterName(addr))
	}
	if !c.clocked(b) {
		return bus.None
	}
	if width != 4 {
		return c.lack(fmt.Sprintf("a store of %d bytes to %s", width, RegisterName(addr)))
	}
	return b.dev.Store(addr-b.base, 4, uint64(v))
}

func laneMask(width uint8) uint32 { return uint32(1<<(8*uint(width)) - 1) }

// clocked tells whether a block answers: without its clock it reads 0 and
// ignores writes, and so it does while SYSTEM holds it in reset.
func (c *Chip) clocked(b *block) bool {
	if b.gate < 0 {
		return true
	}
	n, bit := b.gate>>5, b.gate&31
	if c.SYSTEM.PERIP_CLK_EN[n]>>bit&1 == 0 {
		c.warn("%s used while its clock is off", b.name)
		return false
	}
	if c.SYSTEM.PERIP_RST_EN[n]>>bit&1 != 0 {
		c.warn("%s used while SYSTEM holds it in reset", b.name)
		return false
	}
	return true
}

// gateOpen is clocked without a warning.
func (c *Chip) gateOpen(b *block) bool {
	return b.gate < 0 || c.SYSTEM.PERIP_CLK_EN[b.gate>>5]&^c.SYSTEM.PERIP_RST_EN[b.gate>>5]>>(b.gate&31)&1 != 0
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

// peek and poke access a register as the ROM's code would: with the block's
// effects, without the core.
func (c *Chip) peek(addr uint32) uint32 {
	b := c.block(addr)
	if b == nil || b.dev == nil {
		panic("BUG: the ROM reads what is not modelled")
	}
	v, f := c.loadBlock(b, addr, 4)
	if f != bus.None {
		panic("BUG: the ROM reads what is not modelled")
	}
	return v
}

func (c *Chip) poke(addr, v uint32) {
	b := c.block(addr)
	if b == nil || b.dev == nil || c.storeBlock(b, addr, 4, v) != bus.None {
		panic("BUG: the ROM writes what is not modelled")
	}
}
