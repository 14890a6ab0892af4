package esp32c3

import (
	"fmt"

	"rigor/harness/sim/bus"
)

// radioDevice is a block of the radio of which one register is known, that gives
// it power (ESP-IDF, soc/bb_reg.h, nrx_reg.h, fe_reg.h): start-up code sets it on
// parts whose radio is never used. It is kept without effect, and the rest faults.
type radioDevice struct {
	*Chip
	n     int
	power uint32
}

func (d radioDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	if off != d.power {
		return 0, d.unmodelled(off)
	}
	return uint64(d.Radio[d.n]), bus.None
}

func (d radioDevice) Store(off uint32, _ uint8, v uint64) bus.Fault {
	if off != d.power {
		return d.unmodelled(off)
	}
	d.Radio[d.n] = uint32(v)
	return bus.None
}

func (d radioDevice) unmodelled(off uint32) bus.Fault {
	return d.lack(fmt.Sprintf("%s+0x%02x", [...]string{"FE2", "FE", "NRX", "BB"}[d.n], off))
}
