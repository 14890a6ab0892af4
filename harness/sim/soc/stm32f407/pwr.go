package stm32f407

import "rigor/harness/sim/bus"

// Power controller, RM0090 §5.4: what concerns the clock tree. The voltage
// detector and the wake-up pin are not modelled; Stop and Standby begin in the
// core, which stops by name. The backup regulator is ready at once, and keeps
// nothing: there is no battery. CSR outlives a reset (§5.4.2).
type pwr struct{ CR, CSR uint32 }

const (
	pwrPVDE  = 1 << 4
	pwrDBP   = 1 << 8
	pwrVOS   = 1 << 14
	pwrWrite = 0x43F3 &^ pwrPVDE

	pwrEWUP   = 1 << 8
	pwrBRE    = 1 << 9
	pwrBRR    = 1 << 3
	pwrVOSRDY = 1 << 14
)

type pwrDevice struct{ *Chip }

func (d pwrDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	switch off {
	case 0x00:
		return uint64(d.PWR.CR), bus.None
	case 0x04:
		return uint64(d.PWR.CSR | pwrVOSRDY), bus.None
	}
	return 0, d.unknown("PWR", off)
}

func (d pwrDevice) Store(off uint32, _ uint8, v uint64) bus.Fault {
	switch {
	case off == 0x00 && v&pwrPVDE != 0:
		return d.lack("PWR.CR.PVDE")
	case off == 0x00:
		d.PWR.CR = uint32(v) & pwrWrite
		d.checkClocks()
	case off == 0x04 && v&pwrEWUP != 0:
		return d.lack("PWR.CSR.EWUP")
	case off == 0x04:
		d.writePowerCSR(uint32(v))
	default:
		return d.unknown("PWR", off)
	}
	return bus.None
}

// writePowerCSR switches the backup regulator, behind the backup domain's
// protection.
func (c *Chip) writePowerCSR(v uint32) {
	if c.PWR.CR&pwrDBP == 0 {
		c.warn("PWR.CSR.BRE written while PWR.CR.DBP is 0")
		return
	}
	c.PWR.CSR = 0
	if v&pwrBRE != 0 {
		c.PWR.CSR = pwrBRE | pwrBRR
	}
}
