package stm32f407

import (
	"encoding/binary"
	"fmt"

	"rigor/harness/sim/armv7m"
	"rigor/harness/sim/bus"
)

// The memory map, RM0090 §2.3 and §2.4.
const (
	flashBase = 0x08000000
	flashSize = 1 << 20
	ccmBase   = 0x10000000
	ccmSize   = 64 << 10
	sramBase  = 0x20000000
	sramSize  = 128 << 10 // SRAM1 and SRAM2 side by side
	sram1Size = 112 << 10

	sysmemBase = 0x1FFF0000
	otpBase    = 0x1FFF7800
	uidBase    = 0x1FFF7A10
	sizeBase   = 0x1FFF7A22
	optBase    = 0x1FFFC000
)

// memories are the cells of the part. Flash, OTP and the option bytes outlive
// power.
type memories struct {
	Flash []byte // those of Chip.cells
	OTP   []byte // 512 bytes and 16 lock bytes, RM0090 §3.8
	SRAM  []byte
	CCM   []byte
	BKP   []byte
}

func newMemories() memories {
	m := memories{
		OTP:  make([]byte, uidBase-otpBase),
		SRAM: make([]byte, sramSize),
		CCM:  make([]byte, ccmSize),
		BKP:  make([]byte, bkpSize),
	}
	fill(m.OTP, 0xFF)
	return m
}

func fill(b []byte, v byte) {
	for i := range b {
		b[i] = v
	}
}

// LoadFlash puts an image into flash as a programmer at the factory would, at
// no cost in time. The rest of flash is left as it is.
func (c *Chip) LoadFlash(addr uint32, data []byte) error {
	if addr < flashBase || uint64(addr)+uint64(len(data)) > flashBase+flashSize {
		return fmt.Errorf("load flash: 0x%08x and %d bytes lie outside of 0x%08x to 0x%08x",
			addr, len(data), flashBase, flashBase+flashSize-1)
	}
	c.SetCells(addr-flashBase, data)
	return nil
}

// LoadRAM puts data into SRAM or CCM as a debugger would.
func (c *Chip) LoadRAM(addr uint32, data []byte) error {
	for _, r := range []armv7m.Region{{Base: sramBase, Data: c.mem.SRAM}, {Base: ccmBase, Data: c.mem.CCM}} {
		if addr >= r.Base && uint64(addr)+uint64(len(data)) <= uint64(r.Base)+uint64(len(r.Data)) {
			copy(r.Data[addr-r.Base:], data)
			c.core.Invalidate(addr, uint32(len(data)))
			return nil
		}
	}
	return fmt.Errorf("load ram: 0x%08x and %d bytes lie outside of SRAM and CCM", addr, len(data))
}

// ReadMemory copies flash, SRAM, CCM or the identification area as a debugger
// sees them.
func (c *Chip) ReadMemory(addr uint32, n int) ([]byte, error) {
	b := make([]byte, n)
	for i := range b {
		v, ok := c.peekByte(addr + uint32(i))
		if !ok {
			return nil, fmt.Errorf("read memory: nothing at 0x%08x", addr+uint32(i))
		}
		b[i] = v
	}
	return b, nil
}

// readByte is peekByte by the boot loader.
func (c *Chip) readByte(addr uint32) (byte, bool) {
	if addr-flashBase < flashSize {
		c.cells.Read(addr-flashBase, 1)
	}
	return c.peekByte(addr)
}

// peekByte reads a byte of memory without any effect.
func (c *Chip) peekByte(addr uint32) (byte, bool) {
	switch {
	case addr-flashBase < flashSize:
		return c.mem.Flash[addr-flashBase], true
	case addr-sramBase < sramSize:
		return c.mem.SRAM[addr-sramBase], true
	case addr-ccmBase < ccmSize:
		return c.mem.CCM[addr-ccmBase], true
	}
	v, f := c.systemByte(addr)
	return v, f == bus.None
}

// mapMemory tells the core what it reaches directly: after a reset, a remap, a
// change of CCM's clock or of read protection.
func (c *Chip) mapMemory() {
	regions := []armv7m.Region{{Name: "SRAM", Base: sramBase, Data: c.mem.SRAM, Write: true}}
	if c.flashReadable() {
		regions = append(regions, armv7m.Region{Name: "flash", Base: flashBase, Data: c.mem.Flash, Flash: true, Read: c.reader(flashBase)})
	}
	if c.RCC.ENR[ahb1]&ahb1CCM != 0 {
		regions = append(regions, armv7m.Region{Name: "CCM", Base: ccmBase, Data: c.mem.CCM, Write: true, NoExec: true}) // RM0090 §2.3.1: data bus only
	}
	switch {
	case c.SYSCFG.MEMRMP == remapFlash && c.flashReadable():
		regions = append(regions, armv7m.Region{Name: "flash alias", Data: c.mem.Flash, Flash: true, Read: c.reader(0)})
	case c.SYSCFG.MEMRMP == remapSRAM:
		regions = append(regions, armv7m.Region{Name: "SRAM1 alias", Data: c.mem.SRAM[:sram1Size], Write: true})
	}
	c.core.Map(regions)
}

// flashReadable is false in the boot modes that read protection shuts out
// (RM0090 §3.7.3).
func (c *Chip) flashReadable() bool { return !c.rdpActive() || c.BootMode == remapFlash }

// cpuBus is the system bus as the core sees it: all but directly mapped memory.
type cpuBus struct{ *Chip }

func (b cpuBus) Load(addr uint32, width uint8) (uint32, bus.Fault) {
	c := b.Chip
	c.sync()
	c.waitForBus(addr, false)
	c.sync()
	c.lacking = ""
	v, f := c.load(addr, width)
	if c.opt.Trace != nil {
		c.opt.Trace(Access{Cycle: c.core.Cycle, PC: c.core.R[15], Addr: addr, Value: v, Width: width, Fault: f})
	}
	return v, f
}

func (b cpuBus) Store(addr uint32, width uint8, v uint32) bus.Fault {
	c := b.Chip
	c.sync()
	c.waitForBus(addr, true)
	c.sync()
	c.lacking = ""
	f := c.store(addr, width, v)
	if c.opt.Trace != nil {
		c.opt.Trace(Access{Cycle: c.core.Cycle, PC: c.core.R[15], Addr: addr, Value: v, Width: width, Write: true, Fault: f})
	}
	return f
}

func (c *Chip) load(addr uint32, width uint8) (uint32, bus.Fault) {
	if b := c.block(addr); b != nil {
		return c.loadBlock(b, addr, width)
	}
	switch {
	case addr-sysmemBase < 0x10000:
		return c.loadSystem(addr, width)
	case addr < sysmemSize && c.SYSCFG.MEMRMP == remapSystem:
		return c.loadSystem(sysmemBase+addr, width)
	case addr-ccmBase < ccmSize:
		c.warn("CCM used while its clock is off (RCC.AHB1ENR.CCMDATARAMEN)")
		return 0, bus.None
	}
	return 0, c.decodeError(addr)
}

func (c *Chip) store(addr uint32, width uint8, v uint32) bus.Fault {
	if b := c.block(addr); b != nil {
		return c.storeBlock(b, addr, width, v)
	}
	switch {
	case addr-flashBase < flashSize && c.flashReadable(), addr-otpBase < uidBase-otpBase:
		return c.program(addr, width, v)
	case addr < flashSize && c.SYSCFG.MEMRMP == remapFlash && c.flashReadable():
		return c.program(flashBase+addr, width, v)
	case addr-ccmBase < ccmSize:
		c.warn("CCM used while its clock is off (RCC.AHB1ENR.CCMDATARAMEN)")
		return bus.None
	}
	return c.decodeError(addr)
}

// decodeError answers an access that no block of the table takes.
func (c *Chip) decodeError(addr uint32) bus.Fault {
	switch {
	case addr-0x60000000 < 0x40000000, addr < 0x04000000 && c.SYSCFG.MEMRMP == remapFSMC:
		return c.lack("FSMC memory banks")
	}
	return bus.Error
}

// sysmemSize is what of system memory appears at 0 (RM0090 §2.4).
const sysmemSize = 30 << 10

// loadSystem reads 0x1FFF0000 to 0x1FFFFFFF.
func (c *Chip) loadSystem(addr uint32, width uint8) (v uint32, f bus.Fault) {
	for i := range uint32(width) {
		b, f := c.systemByte(addr + i)
		if f != bus.None {
			return 0, f
		}
		v |= uint32(b) << (8 * i)
	}
	return v, bus.None
}

func (c *Chip) systemByte(addr uint32) (byte, bus.Fault) {
	switch {
	case addr == sysmemBase+0x77DE: // AN2606: boot loader id
		return c.opt.LoaderVersion, bus.None
	case addr-sysmemBase < otpBase-sysmemBase:
		return 0, c.lack("machine code of the boot loader in system memory")
	case addr-otpBase < uidBase-otpBase:
		return c.mem.OTP[addr-otpBase], bus.None
	case addr-uidBase < uint32(len(c.opt.UID)):
		return c.opt.UID[addr-uidBase], bus.None
	case addr-sizeBase < 2: // RM0090 §39.2: flash size in KB
		return byte(uint32(flashSize>>10) >> (8 * (addr - sizeBase))), bus.None
	case addr-optBase < 16:
		return c.optionByte(addr - optBase), bus.None
	case addr-uidBase < 0x7C00-0x7A10:
		return 0xFF, bus.None // rest of the identification area
	}
	return 0, bus.Error
}

// optionByte reads the option bytes, RM0090 §3.7.1, table 16: what is not used
// is 1. Each half-word has its complement beside it, where the manual only says
// reserved.
func (c *Chip) optionByte(off uint32) byte {
	half := uint16(c.FLASH.Options) | 0x0013
	if off >= 8 {
		half = uint16(c.FLASH.Options>>optWRPPos) | 0xF000
	}
	if off&7 >= 4 {
		return 0xFF
	}
	var b [4]byte
	binary.LittleEndian.PutUint16(b[:], half)
	binary.LittleEndian.PutUint16(b[2:], ^half)
	return b[off&3]
}
