package esp32c3

import (
	"fmt"
	"slices"

	"rigor/harness/sim/bus"
)

// The bus to analog parts, and the part on it that the SAR ADCs have. It is not in
// the TRM; this follows ESP-IDF's regi2c_saradc.h and regi2c_defs.h, and how
// they are used. A transfer takes no time. The registers of the PLL, the bandgap, the bias
// and the regulators are kept without effect, but that what they calibrate is done at once;
// other parts on the bus, those of the radio, fault by name.

// Fields of the bus master's register.
const (
	masterWRITE = 1 << 24
	masterSAR   = 0x69 // I2C_SAR_ADC
)

// regi2cParts are the other parts, by number: I2C_ULP with I2C_BOD, I2C_BBPLL,
// I2C_BIAS, I2C_DIG_REG.
var regi2cParts = [...]uint32{0x61, 0x66, 0x6A, 0x6D}

const (
	partRegs = 16

	partULP   = 0
	partBBPLL = 1

	ulpDone   = 3 // O_DONE_FLAG is bit 0, BG_O_DONE_FLAG bit 3
	bbpllDone = 8 // OR_CAL_END is bit 6, OR_LOCK bit 7
)

// Registers of I2C_SAR_ADC: a byte each.
const (
	saradcRegs = 8

	saradcInit   = 0 // low byte, high nibble behind it; ADC2's three further
	saradcSAMPLE = 2 // SAMPLE_CYCLE in three bits, DREF above
	saradcENCAL  = 7 // GND of ADC1 is bit 5, of ADC2 bit 7; REF one below each
	saradcTests  = 0x5F
)

// regi2cReset puts the analog part into its reset state. Values are not
// published: SAMPLE_CYCLE is what ESP-IDF stores there.
func (c *Chip) regi2cReset() {
	a := &c.ADC
	a.Master, a.Config = 0, [3]uint32{}
	a.Internal = [saradcRegs]uint8{
		0: defaultZero & 0xFF, 1: defaultZero >> 8, 2: 2,
		3: defaultZero & 0xFF, 4: defaultZero >> 8,
	}
	a.Parts = [len(regi2cParts)][partRegs]uint8{}
	a.Parts[partULP][ulpDone] = 1<<0 | 1<<3
	a.Parts[partBBPLL][bbpllDone] = 1<<6 | 1<<7
}

// analog is a register of a part on the bus, or nil.
func (a *adcState) analog(part, reg uint32) *uint8 {
	if part == masterSAR && reg < saradcRegs {
		return &a.Internal[reg]
	}
	if i := slices.Index(regi2cParts[:], part); i >= 0 && reg < partRegs {
		return &a.Parts[i][reg]
	}
	return nil
}

// status tells whether a register only says how a calibration went.
func (a *adcState) status(r *uint8) bool {
	return r == &a.Parts[partULP][ulpDone] || r == &a.Parts[partBBPLL][bbpllDone]
}

// initialCode is what a converter subtracts.
func (a *adcState) initialCode(unit int) uint32 {
	r := a.Internal[saradcInit+3*unit:]
	return uint32(r[0]) | uint32(r[1]&0xF)<<8
}

// grounded tells whether a converter's input is connected to ground.
func (a *adcState) grounded(unit int) bool { return a.Internal[saradcENCAL]>>(5+2*unit)&1 != 0 }

func (a *adcState) sampleCycles() uint32 { return uint32(a.Internal[saradcSAMPLE] & 7) }

type regi2cDevice struct{ *Chip }

func (d regi2cDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	switch off {
	case 0x00:
		return uint64(d.ADC.Master), bus.None
	case 0x40, 0x44, 0x48:
		return uint64(d.ADC.Config[(off-0x40)/4]), bus.None
	}
	return 0, d.lack(fmt.Sprintf("the bus to analog parts, +0x%02x", off))
}

func (d regi2cDevice) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	v := uint32(v64)
	switch off {
	case 0x00:
		return d.transfer(v)
	case 0x40, 0x44, 0x48: // which parts have power: kept without effect
		d.ADC.Config[(off-0x40)/4] = v
		return bus.None
	}
	return d.lack(fmt.Sprintf("the bus to analog parts, +0x%02x", off))
}

// transfer reads or writes a register of a part on the bus.
func (d regi2cDevice) transfer(v uint32) bus.Fault {
	a, part, reg := &d.ADC, v&0xFF, v>>8&0xFF
	r := a.analog(part, reg)
	if r == nil {
		return d.lack(fmt.Sprintf("register 0x%02x of the analog part 0x%02x", reg, part))
	}
	if v&masterWRITE != 0 && !a.status(r) {
		*r = uint8(v >> 16)
	}
	a.Master = part | reg<<8 | uint32(*r)<<16
	return bus.None
}
