package k210

import (
	"fmt"

	"rigor/harness/sim/bus"
	"rigor/harness/sim/soc/fidelity"
)

//go:generate go run ../svd/gen.go ../../../../firmware/svd/k210.svd k210 names.go

// RegisterName names the register at an address, such as "SYSCTL.PLL0", or the block
// and an offset; outside of all blocks it is the address.
func RegisterName(addr uint32) string {
	for i := range blockTable {
		if b := &blockTable[i]; addr-b.base < b.size {
			return peripherals.Name(b.name, b.base, addr)
		}
	}
	return fmt.Sprintf("0x%08x", addr)
}

// blockInfo is a block of the memory map (SDK platform.h) with its bit in SYSCTL's
// clk_en_peri and peri_reset, -1 where it has none.
type blockInfo struct {
	name       string
	base, size uint32
	gate       int8
	// clock is how many cycles of ACLK one of the block's bus takes; nil for
	// those on the harts' own bus.
	clock  func(*Chip) uint64
	status fidelity.Status
	notes  string
}

// block is a blockInfo in one chip.
type block struct {
	*blockInfo
	dev bus.Device // nil: not modelled

	loads  foreseer // nil: nothing is foreseen
	stores storeForeseer
}

// pageTable finds blocks: its entries are the block's index + 1.
type pageTable struct {
	peripherals [0x500]int8 // by 64 KB from 0x50000000
	core        [2]int8     // by 4 KB from 0x38000000
	clint, plic int8
	kpu, fft    int8
}

// page is the table's entry for an address, or nil.
func (t *pageTable) page(addr uint64) *int8 {
	switch {
	case addr-0x50000000 < 0x5000000:
		return &t.peripherals[(addr-0x50000000)>>16]
	case addr-0x38000000 < 0x2000:
		return &t.core[(addr-0x38000000)>>12]
	case addr-0x02000000 < 0x10000:
		return &t.clint
	case addr-0x0C000000 < 0x400000:
		return &t.plic
	case addr-0x40800000 < 0xC00000:
		return &t.kpu
	case addr-0x42000000 < 0x400000:
		return &t.fft
	}
	return nil
}

func (c *Chip) wireBlocks() {
	c.blocks = make([]block, len(blockTable))
	for i := range blockTable {
		info := &blockTable[i]
		c.blocks[i] = newBlock(info, c.device(info.name))
		for a := info.base; a < info.base+info.size; a += 1 << 12 {
			*c.pages.page(uint64(a)) = int8(i + 1)
		}
	}
}

const txdata = 0x38000000 // UARTHS.TXDATA

func newBlock(info *blockInfo, dev bus.Device) block {
	b := block{blockInfo: info, dev: dev}
	var able any = dev
	if w, ok := dev.(words); ok {
		able = w.registers
	}
	b.loads, _ = able.(foreseer)
	b.stores, _ = able.(storeForeseer)
	return b
}

// block is the block at an address, or nil.
func (c *Chip) block(addr uint64) *block {
	p := c.pages.page(addr)
	if p == nil || *p == 0 {
		return nil
	}
	b := &c.blocks[*p-1]
	if uint32(addr)-b.base >= b.size {
		return nil
	}
	return b
}

// device is the model of a block, or nil.
func (c *Chip) device(name string) bus.Device {
	switch name {
	case "CLINT":
		return clintDevice{c}
	case "PLIC":
		return words{plicDevice{c}}
	case "UARTHS":
		return words{uarthsDevice{c}}
	case "GPIOHS":
		return words{gpiohsDevice{c}}
	case "FFT":
		return fftDevice{c}
	case "DMAC":
		return dmacDevice{c}
	case "GPIO":
		return words{gpioDevice{c}}
	case "UART1", "UART2", "UART3":
		return words{uartDevice{c, int(name[4] - '1')}}
	case "I2S0", "I2S1", "I2S2":
		return words{i2sDevice{c, int(name[3] - '0')}}
	case "FPIOA":
		return words{fpioaDevice{c}}
	case "SHA256":
		return words{shaDevice{c}}
	case "TIMER0", "TIMER1", "TIMER2":
		return words{timerDevice{c, int(name[5] - '0')}}
	case "WDT0", "WDT1":
		return words{wdtDevice{c, int(name[3] - '0')}}
	case "OTP":
		return words{otpDevice{c}}
	case "SYSCTL":
		return words{sysctlDevice{c}}
	case "AES":
		return words{aesDevice{c}}
	case "RTC":
		return words{rtcDevice{c}}
	case "SPI0", "SPI1", "SPI3":
		return words{spiDevice{c, int(name[3] - '0')}}
	}
	return nil
}

// loadBlock reads a register. Blocks on APB see aligned words, of which the hart takes its
// lane; the others see what the hart does.
func (c *Chip) loadBlock(b *block, addr uint32, width uint8) (uint64, bus.Fault) {
	if b.dev == nil {
		return 0, c.lack(RegisterName(addr))
	}
	if !c.clocked(b) {
		return 0, bus.None
	}
	if width >= 4 {
		return b.dev.Load(addr-b.base, width)
	}
	v, f := b.dev.Load((addr-b.base)&^3, 4)
	return v >> (8 * (addr & 3)) & (1<<(8*width) - 1), f
}

// storeBlock writes a register. What a block does with a byte or a half-word is
// not documented, but SiFive's take them by their lanes, and vendor code stores bytes to UARTHS.TXDATA.
func (c *Chip) storeBlock(b *block, addr uint32, width uint8, v uint64) bus.Fault {
	if b.dev == nil {
		return c.lack(RegisterName(addr))
	}
	if !c.clocked(b) {
		return bus.None
	}
	if width < 4 && addr != txdata {
		return c.lack(fmt.Sprintf("a store of %d bytes to %s", width, RegisterName(addr)))
	}
	return b.dev.Store(addr-b.base, max(width, 4), v)
}

// clocked tells whether a block answers: without its clock it reads 0 and
// ignores writes, and so it does while SYSCTL holds it in reset. [A]
func (c *Chip) clocked(b *block) bool {
	switch {
	case !c.clockOn(b):
		c.warn("%s used while its clock is off", b.name)
		return false
	case b.gate >= 0 && c.SYSCTL.PERI_RESET>>b.gate&1 != 0:
		c.warn("%s used while SYSCTL holds it in reset", b.name)
		return false
	}
	return true
}

// clockOn tells whether a block has the clock of its own.
func (c *Chip) clockOn(b *block) bool { return b.gate < 0 || c.SYSCTL.CLK_EN_PERI>>b.gate&1 != 0 }

// gateOpen is clocked without a warning.
func (c *Chip) gateOpen(b *block) bool {
	return c.clockOn(b) && (b.gate < 0 || c.SYSCTL.PERI_RESET>>b.gate&1 == 0)
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
// effects, without a hart.
func (c *Chip) peek(addr uint32) uint32 {
	v, f := c.load(uint64(addr), 4)
	if f != bus.None {
		panic("BUG: the ROM reads what is not modelled")
	}
	return uint32(v)
}

func (c *Chip) poke(addr, v uint32) {
	if c.store(uint64(addr), 4, uint64(v)) != bus.None {
		panic("BUG: the ROM writes what is not modelled")
	}
}

// registers are those of a block that has nothing but words.
type registers interface {
	loadWord(off uint32) (uint32, bus.Fault)
	storeWord(off, v uint32) bus.Fault
}

// words are registers as the bus asks for them: 8 bytes are two of them.
type words struct{ registers }

func (w words) Load(off uint32, width uint8) (uint64, bus.Fault) {
	lo, f := w.loadWord(off)
	if width < 8 || f != bus.None {
		return uint64(lo), f
	}
	hi, f := w.loadWord(off + 4)
	return uint64(hi)<<32 | uint64(lo), f
}

func (w words) Store(off uint32, width uint8, v uint64) bus.Fault {
	if f := w.storeWord(off, uint32(v)); width < 8 || f != bus.None {
		return f
	}
	return w.storeWord(off+4, uint32(v>>32))
}

func oneIf(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
