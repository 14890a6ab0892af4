package esp32c3

import (
	"bytes"
	"encoding/binary"
)

// tinfl_decompress of miniz: decompressor, input and its size, output buffer,
// next output and the room there, flags. The program clears the decompressor's first
// word to begin; what else is in there is the ROM's own, here an inflater.
func romInflate(c *Chip) uint32 {
	const (
		zlibHeader = 1
		moreInput  = 2
		noWrap     = 4
	)
	self, start, next, flags := c.arg(0), c.arg(3), c.arg(4), c.arg(6)
	z := newInflater(flags&zlibHeader != 0)
	if c.romGet32(self) != 0 {
		if _, err := binary.Decode(c.romBytes(self+4, inflaterSize), binary.LittleEndian, &z); err != nil {
			panic("BUG: " + err.Error())
		}
	}
	in := c.romBytes(c.arg(1), c.romGet32(c.arg(2)))
	room := c.romGet32(c.arg(5))
	out := bytes.Clone(c.romBytes(start, next-start+room))
	used, made, st := z.run(in, out, int(next-start), flags&noWrap == 0)
	if st == inflateMoreInput && flags&moreInput == 0 {
		st = inflateBad
	}
	c.romPut(next, out[next-start:int(next-start)+made])
	c.romPut32(c.arg(2), uint32(used))
	c.romPut32(c.arg(5), uint32(made))
	state := make([]byte, inflaterSize)
	if _, err := binary.Encode(state, binary.LittleEndian, &z); err != nil {
		panic("BUG: " + err.Error())
	}
	c.romPut32(self, uint32(z.State)+1)
	c.romPut(self+4, state)
	c.romTake(uint64(made+used) * romInflateCost)
	return uint32(st)
}

// romInflateCost is the cycles for a byte of input or output [A].
const romInflateCost = 12

// inflaterSize is what an inflater takes in memory, less than the 11 KB that
// programs set aside for miniz's.
var inflaterSize = uint32(binary.Size(inflater{}))
