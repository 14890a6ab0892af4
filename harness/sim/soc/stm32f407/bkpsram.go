package stm32f407

import (
	"encoding/binary"

	"rigor/harness/sim/bus"
)

// Backup SRAM, RM0090 §5.1.2: 4 KB that outlive a reset and, as everything in
// the backup domain, are write protected while PWR.CR.DBP is 0. There is no
// battery: the contents are lost with the supply.
const bkpSize = 4 << 10

type bkpDevice struct{ *Chip }

func (d bkpDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	return uint64(binary.LittleEndian.Uint32(d.mem.BKP[off:])), bus.None
}

func (d bkpDevice) Store(off uint32, _ uint8, v uint64) bus.Fault {
	if d.PWR.CR&pwrDBP == 0 {
		d.warn("BKPSRAM written while PWR.CR.DBP is 0")
		return bus.None
	}
	binary.LittleEndian.PutUint32(d.mem.BKP[off:], uint32(v))
	return bus.None
}
