package stm32f407

import "rigor/harness/sim/bus"

// System configuration controller, RM0090 §9.2 (STM32F405/407).
type syscfg struct {
	MEMRMP uint32
	PMC    uint32
	EXTICR [4]uint32
}

// What MEMRMP.MEM_MODE and the boot pins put at address 0.
const (
	remapFlash  = 0
	remapSystem = 1
	remapFSMC   = 2
	remapSRAM   = 3
)

type syscfgDevice struct{ *Chip }

func (d syscfgDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	s := &d.SYSCFG
	switch off {
	case 0x00:
		return uint64(s.MEMRMP), bus.None
	case 0x04:
		return uint64(s.PMC), bus.None
	case 0x08, 0x0C, 0x10, 0x14:
		return uint64(s.EXTICR[(off-8)/4]), bus.None
	}
	return 0, d.unknown("SYSCFG", off)
}

func (d syscfgDevice) Store(off uint32, _ uint8, v uint64) bus.Fault {
	s := &d.SYSCFG
	switch off {
	case 0x00:
		s.MEMRMP = uint32(v) & 3
		d.mapMemory()
	case 0x04:
		s.PMC = uint32(v) & (1 << 23) // MII_RMII_SEL
	case 0x08, 0x0C, 0x10, 0x14:
		d.timCatchUp()
		s.EXTICR[(off-8)/4] = uint32(v) & 0xFFFF
		d.rerouteEXTI()
		d.timRewatch()
	default:
		return d.unknown("SYSCFG", off)
	}
	return bus.None
}

// resetSYSCFG keeps what the boot pins chose (§9.2.1).
func (c *Chip) resetSYSCFG() {
	c.SYSCFG = syscfg{MEMRMP: uint32(c.BootMode)}
	c.mapMemory()
}
