package wire

const crcStart = 0xFFFF

// crcUpdate takes one byte into a CRC-16/CCITT-FALSE. Bit by bit: a table would
// take 512 bytes of flash, and the line is a thousand times slower than this loop.
func crcUpdate(crc uint16, b byte) uint16 {
	crc ^= uint16(b) << 8
	for range 8 {
		if crc&0x8000 != 0 {
			crc = crc<<1 ^ 0x1021
		} else {
			crc <<= 1
		}
	}
	return crc
}

// checksum is zero over bytes followed by their own checksum, high byte first.
func checksum(p []byte) uint16 {
	crc := uint16(crcStart)
	for _, b := range p {
		crc = crcUpdate(crc, b)
	}
	return crc
}
