package esp32c3

import "rigor/harness/sim/bus"

// APB_CTRL, which Espressif also calls SYSCON: the random number register (TRM
// Random Number Generator), and registers for the radio, memories and flash areas,
// which are kept without effect.
//
// Each read of RND_DATA gives the next number of a generator that is seeded by
// Options.Seed; whether noise feeds it makes no difference.
type apbCtrlState struct {
	Regs [0xD4 / 4]uint32
}

type rngState struct{ State uint64 }

const (
	apbRND_DATA = 0xB0
	apbBACKUP   = 0xB4 // PERI_BACKUP_CONFIG
	apbDATE     = 0x3FC

	backupSTART = 1 << 29
)

func (c *Chip) apbCtrlReset() {
	c.APB_CTRL = apbCtrlState{}
	resetValues("APB_CTRL", c.APB_CTRL.Regs[:])
}

// resetRNG begins another sequence, at each power-on.
func (c *Chip) resetRNG() { c.RNG.State = c.opt.Seed ^ c.Colds<<32 }

type apbCtrlDevice struct{ *Chip }

func apbCtrlHas(off uint32) bool {
	return off < 0xD4 && peripherals.Register("APB_CTRL", off) != nil
}

func (d apbCtrlDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	switch {
	case off == apbRND_DATA:
		return splitmix(&d.RNG.State) & 0xFFFFFFFF, bus.None
	case off == apbDATE:
		return 0x02007210, bus.None
	case !apbCtrlHas(off):
		return 0, d.unknown("APB_CTRL", off)
	}
	return uint64(d.APB_CTRL.Regs[off/4]), bus.None
}

func (d apbCtrlDevice) Store(off uint32, _ uint8, v uint64) bus.Fault {
	switch {
	case !apbCtrlHas(off):
		return d.unknown("APB_CTRL", off)
	case off == apbBACKUP && v&backupSTART != 0:
		return d.lack("the backup DMA (APB_CTRL.PERI_BACKUP_CONFIG)")
	case off != apbRND_DATA:
		d.APB_CTRL.Regs[off/4] = uint32(v)
	}
	return bus.None
}
