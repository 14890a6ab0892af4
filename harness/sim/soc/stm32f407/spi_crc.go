package stm32f407

// The SPIs' CRC, RM0090 §28.3.6: of 8 or 16 bits as frames are, over the bits in
// the order in which they are on the line, from 0. One frame after the last data
// is the CRC, which counts for neither; what comes in is compared.
//
// Where the manual leaves it open: CRCNEXT falls as the CRC's frame begins.

// crcFrame tells whether the frame that begins is the CRC's: CRCNEXT was set, or
// the last data came by DMA, and no data waits.
func (s spi) crcFrame() bool {
	return s.Cr1&spiCRCEN != 0 && s.Cr1&spiCRCNEXT != 0 && s.Sr&spiTXE != 0
}

// crcDone takes a frame that is complete.
func (s spi) crcDone() {
	switch {
	case s.Cr1&spiCRCEN == 0:
	case s.CRC:
		s.CRC = false
		if s.receives() && s.In != s.Rxcrc {
			s.Sr |= spiCRCERR
		}
	default:
		s.Txcrc = s.crc(s.Txcrc, s.Out)
		s.Rxcrc = s.crc(s.Rxcrc, s.In)
	}
}

func (s spi) crc(sum, frame uint32) uint32 {
	for i := range s.bits() {
		top := sum >> (s.bits() - 1) & 1
		sum <<= 1
		if top != frame>>s.place(i)&1 {
			sum ^= s.Crcpr
		}
	}
	return sum & (1<<s.bits() - 1)
}

// spiLast tells an SPI that a stream moved the last data of its buffer: the CRC
// follows by itself (§28.3.9). A receiver's is already on its way.
func (c *Chip) spiLast(r request) {
	s := c.spi(int(r-reqSPI1RX)/2 + 1)
	if s.Cr1&spiCRCEN == 0 {
		return
	}
	s.sync(c.Cycle())
	if transmitter := (r-reqSPI1RX)%2 == 1; transmitter {
		s.Cr1 |= spiCRCNEXT
		s.kick()
	} else if !s.transmits() && s.Loaded {
		s.CRC = true
	} else if !s.transmits() {
		s.Cr1 |= spiCRCNEXT
	}
	s.apply()
}
