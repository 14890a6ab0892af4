package stm32f407

import "rigor/harness/sim/bus"

// Power controller, RM0090 §5.4: what concerns the clock tree. The voltage
// detector, the backup regulator and the wake-up pin are not modelled; Stop and
// Standby begin in the core, which stops by name.
type pwr struct{ CR, CSR uint32 }

const (
	pwrPVDE  = 1 << 4
	pwrDBP   = 1 << 8
	pwrVOS   = 1 << 14
	pwrWrite = 0x43F3 &^ pwrPVDE

	pwrEWUP   = 1 << 8
	pwrBRE    = 1 << 9
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
	case off == 0x04 && v&pwrBRE != 0:
		return d.lack("PWR.CSR.BRE")
	case off == 0x04:
	default:
		return d.unknown("PWR", off)
	}
	return bus.None
}
