package stm32f407

import "rigor/harness/sim/bus"

// CRC calculation unit, RM0090 §4. A word is worked off within its store: the 4
// cycles of HCLK for which the part holds up a next access are not charged.
type crcUnit struct {
	DR  uint32
	IDR uint32
}

const crcPoly = 0x04C11DB7 // §4.3, as in Ethernet

type crcDevice struct{ *Chip }

func (d crcDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	switch off {
	case 0x00:
		return uint64(d.CRC.DR), bus.None
	case 0x04:
		return uint64(d.CRC.IDR), bus.None
	case 0x08:
		return 0, bus.None
	}
	return 0, d.unknown("CRC", off)
}

func (d crcDevice) Store(off uint32, _ uint8, v uint64) bus.Fault {
	switch off {
	case 0x00:
		d.CRC.DR = crcWord(d.CRC.DR, uint32(v))
	case 0x04:
		d.CRC.IDR = uint32(v) & 0xFF
	case 0x08:
		if v&1 != 0 {
			d.CRC.DR = ^uint32(0)
		}
	default:
		return d.unknown("CRC", off)
	}
	return bus.None
}

// crcWord takes a word, most significant bit first.
func crcWord(crc, v uint32) uint32 {
	crc ^= v
	for range 32 {
		top := crc >> 31
		crc = crc<<1 ^ top*crcPoly
	}
	return crc
}

// resetCRC leaves IDR alone when software resets the unit (§4.4.3), but RCC's
// reset is a whole one.
func (c *Chip) resetCRC() { c.CRC = crcUnit{DR: ^uint32(0)} }
