package esp32c3

import (
	"fmt"

	"rigor/harness/sim/bus"
)

// The bus to analog parts, and the part on it that the SAR ADCs have. It is not in
// the TRM; this follows ESP-IDF's regi2c_saradc.h and regi2c_defs.h, and how
// they are used. A transfer takes no time. Other parts on the bus fault by name.

// Fields of the bus master's register.
const (
	masterWRITE = 1 << 24
	masterSAR   = 0x69 // I2C_SAR_ADC
)

// Registers of I2C_SAR_ADC: a byte each.
const (
	saradcRegs = 8

	saradcInit   = 0 // low byte, high nibble behind it; ADC2's three further
	saradcSAMPLE = 2 // SAMPLE_CYCLE in three bits, DREF above
	saradcENCAL  = 7 // GND of ADC1 is bit 5, of ADC2 bit 7; REF one below each
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
	if part != masterSAR || reg >= saradcRegs {
		return d.lack(fmt.Sprintf("register 0x%02x of the analog part 0x%02x", reg, part))
	}
	if v&masterWRITE != 0 {
		data := uint8(v >> 16)
		if reg == saradcENCAL && data&0x5F != 0 {
			return d.lack("I2C_SAR_ADC: calibration by reference, and tests")
		}
		a.Internal[reg] = data
	}
	a.Master = part | reg<<8 | uint32(a.Internal[reg])<<16
	return bus.None
}
