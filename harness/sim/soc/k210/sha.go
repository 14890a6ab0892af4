package k210

import (
	"crypto/sha256"
	"encoding"
	"encoding/binary"

	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// SHA-256 accelerator (SDK sha256.h, sha256.c): NUM_REG says how many blocks of 64 bytes there
// will be, the program pads. Words hold bytes in the order of memory, the result begins
// with RESULT7.
//
// Time is concluded [A] from the fastest rate that has been measured through it, 19.0 MB/s
// (k210-sdk-stuff, rust/cryptest): ten cycles of APB0 a round. While a block is
// worked on, the next one goes into the FIFO. The other order of bytes, of which nobody
// says what it does to the result, is left out.
type shaState struct {
	COUNT   uint16 // of blocks; 0 is 65536
	DONE    uint16 // of them
	H       [8]uint32
	Endian  bool // big
	DMA     bool
	Running bool
	Ready   bool // the result is there
	Over    bool // data that found the FIFO full
	FIFO    [shaWords]uint32
	Len     uint8
	Busy    bool
}

const (
	shaWords     = sha256.BlockSize / 4
	shaRounds    = 64
	shaRoundTime = 10 // cycles of APB0

	shRESULT0 = 0x00
	shRESULT7 = 0x1C
	shDATA_IN = 0x20
	shNUM     = 0x28
	shFUNC0   = 0x2C
	shFUNC1   = 0x34

	shEN       = 1 << 0 // written: start; read: the result is there
	shOVERFLOW = 1 << 8
	shBIG      = 1 << 16
	shDMA_EN   = 1 << 0
	shFULL     = 1 << 8

	dmaSHA = 21
)

func (c *Chip) shaReset() {
	c.SHA256 = shaState{}
	c.ScheduleAt(slotSHA, clock.NeverTime)
	c.shaUpdate()
}

// shaUpdate asks DMAC for a block when there is room for one.
func (c *Chip) shaUpdate() {
	s := &c.SHA256
	c.setDMA(dmaSHA, s.Running && s.DMA && s.Len == 0)
}

// shaStart begins a new hash.
func (c *Chip) shaStart() {
	s := &c.SHA256
	*s = shaState{COUNT: s.COUNT, Endian: s.Endian, DMA: s.DMA, Running: true}
	s.H = [8]uint32{0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19} // FIPS 180-4 §5.3.3
	c.ScheduleAt(slotSHA, clock.NeverTime)
}

// shaTake takes a word of data.
func (c *Chip) shaTake(v uint32) {
	s := &c.SHA256
	switch {
	case !s.Running:
		c.warn("SHA256.DATA_IN written while the block does not work")
		return
	case s.Len == shaWords:
		s.Over = true
		return
	}
	s.FIFO[s.Len] = v
	s.Len++
	c.shaNext()
}

// shaNext begins with a block if all of it is there.
func (c *Chip) shaNext() {
	s := &c.SHA256
	if s.Busy || s.Len < shaWords {
		return
	}
	var block [sha256.BlockSize]byte
	for i, w := range s.FIFO {
		binary.LittleEndian.PutUint32(block[4*i:], w)
	}
	s.H = compress(s.H, block[:])
	s.Len, s.Busy = 0, true
	c.Schedule(slotSHA, c.Cycle()+shaRounds*shaRoundTime*c.SYSCTL.apbDivision(0))
}

// shaEvent is the end of a block.
func (c *Chip) shaEvent() {
	s := &c.SHA256
	s.Busy = false
	s.DONE++
	if s.DONE == s.COUNT {
		s.Running, s.Ready = false, true
	} else {
		c.shaNext()
	}
	c.shaUpdate()
}

// compress is the hash's step, by the state that Go's hash marshals: magic, words,
// unfinished block, length.
func compress(h [8]uint32, block []byte) [8]uint32 {
	state := []byte("sha\x03")
	for _, w := range h {
		state = binary.BigEndian.AppendUint32(state, w)
	}
	state = append(state, make([]byte, sha256.BlockSize+8)...)
	d := sha256.New()
	if err := d.(encoding.BinaryUnmarshaler).UnmarshalBinary(state); err != nil {
		panic("BUG: " + err.Error())
	}
	d.Write(block)
	state, err := d.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		panic("BUG: " + err.Error())
	}
	for i := range h {
		h[i] = binary.BigEndian.Uint32(state[4+4*i:])
	}
	return h
}

type shaDevice struct{ *Chip }

func (d shaDevice) loadWord(off uint32) (uint32, bus.Fault) {
	s := &d.SHA256
	switch {
	case off <= shRESULT7:
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], s.H[7-off/4])
		return binary.LittleEndian.Uint32(b[:]), bus.None
	case off == shDATA_IN:
		return 0, bus.None
	case off == shNUM:
		return uint32(s.COUNT) | uint32(s.DONE)<<16, bus.None
	case off == shFUNC0:
		return shEN*oneIf(s.Ready) | shOVERFLOW*oneIf(s.Over) | shBIG*oneIf(s.Endian), bus.None
	case off == shFUNC1:
		return shDMA_EN*oneIf(s.DMA) | shFULL*oneIf(s.Len == shaWords), bus.None
	}
	return 0, d.unknown("SHA256", off)
}

func (d shaDevice) storeWord(off, v uint32) bus.Fault {
	s := &d.SHA256
	switch {
	case off <= shRESULT7: // read-only
	case off == shDATA_IN:
		d.shaTake(v)
	case off == shNUM:
		s.COUNT = uint16(v)
	case off == shFUNC0:
		s.Endian = v&shBIG != 0
		if v&shEN != 0 {
			if !s.Endian {
				return d.lack("SHA256.FUNCTION_REG_0: little endian")
			}
			d.shaStart()
		}
	case off == shFUNC1:
		s.DMA = v&shDMA_EN != 0
	default:
		return d.unknown("SHA256", off)
	}
	d.shaUpdate()
	return bus.None
}

// foreseeLoad: all of it changes by events and stores only.
func (d shaDevice) foreseeLoad(off uint32, width uint8, _ uint64) (least, most uint64, ok bool) {
	return steady(words{d}, off, width, off <= shFUNC1)
}
