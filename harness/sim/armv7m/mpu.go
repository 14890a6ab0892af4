package armv7m

// MPU is the memory protection unit (DDI 0403E B3.5): eight regions with
// subregions. Only permissions matter here; the memory attributes are kept and
// read back, but no caches or buffers exist for them to steer.
type MPU struct {
	Ctrl    uint32
	RNR     uint32
	Regions [8]MPURegion
}

// MPURegion is one region's base, without its VALID and REGION fields, and its
// attributes and size.
type MPURegion struct{ RBAR, RASR uint32 }

// Offsets from 0xE000E000, and bits.
const (
	mpuTYPE = 0xD90
	mpuCTRL = 0xD94
	mpuRNR  = 0xD98
	mpuRBAR = 0xD9C
	mpuRASR = 0xDA0
	mpuLast = 0xDB8 // MPU_RASR_A3

	mpuENABLE     = 1 << 0
	mpuHFNMIENA   = 1 << 1
	mpuPRIVDEFENA = 1 << 2

	rbarVALID  = 1 << 4
	rasrENABLE = 1 << 0
	rasrXN     = 1 << 28
	rasrMask   = 0x173FFF3F
)

// access is what an instruction wants to do at an address.
type access uint8

const (
	read access = iota
	write
	fetch
)

// mpuAllows says whether the memory protection unit, or the default memory map
// where it does not apply, allows the access at the present privilege. The
// default map still forbids fetches while the unit is off.
func (c *Core) mpuAllows(addr uint32, a access) bool {
	return c.mpuAllowsAs(addr, a, c.privileged())
}

// mpuAllowsAs is mpuAllows at a given privilege (ValidateAddress(), B3.5.3).
func (c *Core) mpuAllowsAs(addr uint32, a access, privileged bool) bool {
	m := &c.Sys.MPU
	if addr>>20 == 0xE00 || !c.mpuApplies() {
		return defaultAllows(addr, a)
	}
	for i := len(m.Regions) - 1; i >= 0; i-- {
		if r := m.Regions[i]; r.covers(addr) {
			return r.allows(a, privileged) && (a != fetch || addr < 0xE0000000)
		}
	}
	return privileged && m.Ctrl&mpuPRIVDEFENA != 0 && defaultAllows(addr, a)
}

// mpuApplies says whether the regions count: not while the unit is off, nor, if
// HFNMIENA is clear, at the priorities of HardFault and NMI (B3.5.3).
func (c *Core) mpuApplies() bool {
	ctrl := c.Sys.MPU.Ctrl
	return ctrl&mpuENABLE != 0 && (ctrl&mpuHFNMIENA != 0 || c.executionPriority() >= 0)
}

// defaultAllows is the default memory map (B3.1): peripherals, devices and the
// system space are execute never.
func defaultAllows(addr uint32, a access) bool {
	if a != fetch {
		return true
	}
	switch addr >> 29 {
	case 2, 5, 6, 7:
		return false
	}
	return true
}

// covers says whether the region and its subregion hold addr. The smallest
// region is 32 bytes; subregions exist from 256 bytes up.
func (r MPURegion) covers(addr uint32) bool {
	size := r.RASR >> 1 & 0x1F
	if r.RASR&rasrENABLE == 0 || size < 4 {
		return false
	}
	if uint64(addr^r.RBAR)>>(size+1) != 0 {
		return false
	}
	if size < 7 {
		return true
	}
	subregion := addr >> (size - 2) & 7
	return r.RASR>>(8+subregion)&1 == 0
}

// alike narrows the addresses from first up to end, which hold addr, to those
// that every region and subregion covers if and only if it covers addr.
func (m *MPU) alike(addr uint32, first, end uint64) (uint64, uint64) {
	for _, r := range m.Regions {
		size := r.RASR >> 1 & 0x1F
		if r.RASR&rasrENABLE == 0 || size < 4 {
			continue
		}
		n, at := size+1, r.RBAR // 1<<n addresses around at
		inside := uint64(addr^at)>>n == 0
		if inside {
			at = addr
			if size >= 7 && r.RASR>>8&0xFF != 0 {
				n -= 3
			}
		}
		from := uint64(at) >> n << n
		to := from + 1<<n
		switch {
		case inside:
			first, end = max(first, from), min(end, to)
		case uint64(addr) < from:
			end = min(end, from)
		default:
			first = max(first, to)
		}
	}
	return first, end
}

// allows decodes the AP field and XN (table B3-15). AP 4 is UNPREDICTABLE and
// refused.
func (r MPURegion) allows(a access, privileged bool) bool {
	const ( // one bit per value of AP
		privilegedRead  = 0b1110_1110
		privilegedWrite = 0b0000_1110
		userRead        = 0b1100_1100
		userWrite       = 0b0000_1000
	)
	table := uint32(userRead)
	switch {
	case a == write && privileged:
		table = privilegedWrite
	case a == write:
		table = userWrite
	case privileged:
		table = privilegedRead
	}
	ap := r.RASR >> 24 & 7
	return table>>ap&1 != 0 && (a != fetch || r.RASR&rasrXN == 0)
}

func (c *Core) mpuRead(off uint32) (v uint32, known bool) {
	m := &c.Sys.MPU
	switch off {
	case mpuTYPE:
		return uint32(len(m.Regions)) << 8, true
	case mpuCTRL:
		return m.Ctrl, true
	case mpuRNR:
		return m.RNR, true
	}
	r := m.Regions[m.RNR]
	if (off-mpuRBAR)%8 == 0 {
		return r.RBAR | m.RNR, true
	}
	return r.RASR, true
}

func (c *Core) mpuWrite(off, v uint32) (known bool) {
	m := &c.Sys.MPU
	switch off {
	case mpuTYPE:
	case mpuCTRL:
		m.Ctrl = v & (mpuENABLE | mpuHFNMIENA | mpuPRIVDEFENA)
	case mpuRNR:
		if v >= uint32(len(m.Regions)) {
			return false
		}
		m.RNR = v
	default:
		return c.mpuWriteRegion(off, v)
	}
	c.mpuChanged()
	return true
}

// mpuWriteRegion writes RBAR or RASR or one of their three aliases.
func (c *Core) mpuWriteRegion(off, v uint32) (known bool) {
	m := &c.Sys.MPU
	if (off-mpuRBAR)%8 == 0 {
		if v&rbarVALID != 0 {
			if v&0xF >= uint32(len(m.Regions)) {
				return false
			}
			m.RNR = v & 0xF
		}
		m.Regions[m.RNR].RBAR = v &^ 0x1F
	} else {
		m.Regions[m.RNR].RASR = v & rasrMask
	}
	c.mpuChanged()
	return true
}

// mpuChanged forgets what was derived from the old regions.
func (c *Core) mpuChanged() {
	c.mpuOn = c.Sys.MPU.Ctrl&mpuENABLE != 0
	c.forgetSpans()
}
