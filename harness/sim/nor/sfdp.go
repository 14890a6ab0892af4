package nor

import "encoding/binary"

// sfdp makes the discoverable parameters, JESD216 (April 2011): one header, one
// parameter header, and the nine double words of the basic table at 0x80.
func (f *Flash) sfdp() (t [256]byte) {
	fill(t[:], 0xFF)
	const table = 0x80
	words := map[int]uint32{
		0x00: 0x50444653,            // "SFDP"
		0x04: 0xFF_00_01_00,         // revision 1.0, one parameter header
		0x08: 0x09_01_00_00,         // JEDEC's basic table, revision 1.0, nine words
		0x0C: 0xFF_00_00_00 | table, // where

		table + 0x00: 0xFFF1_20E5,    // 4 KB erase 20h, 64-byte write granularity, 1-1-2 1-2-2 1-4-4 1-1-4 reads
		table + 0x04: 8*f.Size() - 1, // density in bits
		table + 0x08: 0x6B_08_EB_44,  // 1-1-4: 8 wait clocks; 1-4-4: 4, and 2 of mode
		table + 0x0C: 0xBB_80_3B_08,  // 1-2-2: 4 of mode; 1-1-2: 8 wait clocks
		table + 0x10: 0xFFFF_FFEE,    // neither 2-2-2 nor 4-4-4
		table + 0x14: 0xFF00_FFFF,    // 2-2-2
		table + 0x18: 0xFF00_FFFF,    // 4-4-4
		table + 0x1C: 0x52_0F_20_0C,  // erase types: 2^12 by 20h, 2^15 by 52h
		table + 0x20: 0xFF_00_D8_10,  // 2^16 by D8h, none
	}
	for off, v := range words {
		binary.LittleEndian.PutUint32(t[off:], v)
	}
	return t
}
