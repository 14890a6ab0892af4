package stm32f407

import (
	"encoding/binary"

	"rigor/harness/sim/bus"
)

// What the DMA controllers reach, RM0090 §2.1 and §10.3.1: DMA1's memory port
// flash and SRAM, its peripheral port APB1 alone, DMA2's ports everything. CCM
// belongs to the core, and the aliases at address 0 do too.

type dmaPort uint8

const (
	portPeripheral dmaPort = iota
	portMemory
)

func (d dmaController) read(s *dmaStream, p dmaPort, addr, size uint32) (uint32, bool) {
	if !d.reaches(p, addr) {
		d.fail(s, addr, bus.Error)
		return 0, false
	}
	if mem, off := d.c.dmaMemory(addr); mem != nil {
		if addr-flashBase < flashSize {
			d.c.cells.Read(off, size)
		}
		d.c.track.Loaded(addr, size)
		return uint32(littleEndian(mem[off:][:size])), true
	}
	v, f := d.c.load(addr, uint8(size))
	if f != bus.None {
		d.fail(s, addr, f)
	}
	return v, f == bus.None
}

func (d dmaController) write(s *dmaStream, p dmaPort, addr, size, v uint32) bool {
	if !d.reaches(p, addr) || addr-flashBase < flashSize {
		d.fail(s, addr, bus.Error)
		return false
	}
	if mem, off := d.c.dmaMemory(addr); mem != nil {
		var b [4]byte
		binary.LittleEndian.PutUint32(b[:], v)
		copy(mem[off:], b[:size])
		d.c.core.Invalidate(addr, size)
		d.c.track.Stored(addr, size)
		return true
	}
	f := d.c.store(addr, uint8(size), v)
	if f != bus.None {
		d.fail(s, addr, f)
	}
	return f == bus.None
}

func littleEndian(b []byte) (v uint64) {
	for i, x := range b {
		v |= uint64(x) << (8 * i)
	}
	return v
}

// dmaMemory is the memory that an address lies in.
func (c *Chip) dmaMemory(addr uint32) (mem []byte, off uint32) {
	switch {
	case addr-sramBase < sramSize:
		return c.mem.SRAM, addr - sramBase
	case addr-flashBase < flashSize && c.flashReadable():
		return c.mem.Flash, addr - flashBase
	}
	return nil, 0
}

func (d dmaController) reaches(p dmaPort, addr uint32) bool {
	if b := d.c.block(addr); b != nil {
		return b.bus != ppb && (d.n == 1 || p == portPeripheral && b.bus == apb1)
	}
	return (d.n == 1 || p == portMemory) && addr >= flashBase && addr-ccmBase >= ccmSize
}
