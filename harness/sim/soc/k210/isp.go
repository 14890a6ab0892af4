package k210

import (
	"encoding/binary"
	"hash/crc32"

	"rigor/harness/sim/clock"
)

// In-system programming: the ROM's loader on UARTHS, which fills RAM and jumps there.
// Canaan does not describe it; its protocol is what their client kflash.py (0.8.3)
// sends, and what parts answer.
//
// Choices where nothing is known: memory boot is not answered, since kflash takes an
// answer for an error; the rate changes before its change is answered, as kflash's own
// program in RAM does it; what lies outside of RAM is refused for its length; frames that
// exceed the buffer, too.
type ispState struct {
	Got    int32 // bytes of the frame so far
	Inside bool  // after its first delimiter
	Escape bool

	Out        [8]byte // the answer on the wire
	Head, Tail int32
	Packet     [ispMost]byte
}

const (
	ispBaud = 115200
	ispHead = 16
	ispMost = ispHead + 4096 // [A] kflash sends up to 1 KB of data

	// ispTick is how often the ROM looks at UARTHS: the FIFO's eight places hold what
	// comes meanwhile at rates up to 8 Mbaud. [A]
	ispTick = 10 * clock.Microsecond
	// ispByteTime is what the ROM takes for each byte of a frame, for its checksum and to
	// copy it: 100 cycles. [A]
	ispByteTime = 256 * clock.Nanosecond
)

// SLIP (RFC 1055).
const (
	slipEnd    = 0xC0
	slipEsc    = 0xDB
	slipEscEnd = 0xDC
	slipEscEsc = 0xDD
)

// Operations.
const (
	ispNOP         = 0xC2
	ispMemoryWrite = 0xC3
	ispMemoryBoot  = 0xC5
	ispBaudRate    = 0xC6
)

// ispReason is the second byte of an answer.
type ispReason byte

const (
	ispOK          ispReason = 0xE0
	ispBadLength   ispReason = 0xE1
	ispBadChecksum ispReason = 0xE2
	ispBadCommand  ispReason = 0xE3
)

const uarthsBase = 0x38000000

// romBaud sets UARTHS to a rate, and switches it on.
func (c *Chip) romBaud(baud uint32) {
	c.poke(uarthsBase+uhDIV, uint32(c.Timeline.Hz()/uint64(baud)-1)&0xFFFF)
	c.poke(uarthsBase+uhTXCTRL, uhEN)
	c.poke(uarthsBase+uhRXCTRL, uhEN)
}

// ispBegin listens from now on.
func (c *Chip) ispBegin() {
	c.ROM.ISP = ispState{}
	c.romNext(romISP, ispTick)
}

// ispReceive takes what has come, up to the end of a frame, and works on that.
func (c *Chip) ispReceive() {
	for {
		v := c.peek(uarthsBase + uhRXDATA)
		if v&uhFULL != 0 {
			c.romNext(romISP, ispTick)
			return
		}
		if c.ROM.ISP.take(byte(v)) {
			c.ispPacket()
			return
		}
	}
}

// take takes a byte of the line into the frame and says when that is complete.
func (s *ispState) take(v byte) bool {
	switch {
	case v == slipEnd:
		done := s.Inside && s.Got > 0
		s.Inside, s.Escape = !done, false
		if !done {
			s.Got = 0
		}
		return done
	case !s.Inside:
		return false
	case s.Escape:
		s.Escape = false
		switch v {
		case slipEscEnd:
			v = slipEnd
		case slipEscEsc:
			v = slipEsc
		}
	case v == slipEsc:
		s.Escape = true
		return false
	}
	if s.Got < ispMost {
		s.Packet[s.Got] = v
	}
	s.Got = min(s.Got+1, ispMost+1)
	return false
}

// ispPacket does what a frame asks for, and answers when the time for that has passed.
func (c *Chip) ispPacket() {
	s := &c.ROM.ISP
	d := clock.Time(s.Got) * ispByteTime
	p := s.Packet[:min(s.Got, ispMost)]
	reason := c.ispRequest(p, s.Got > ispMost)
	if p[0] == ispMemoryBoot && reason == ispOK {
		c.romNext(romEnter, d)
		return
	}
	s.answer(p[0], reason)
	c.romNext(romReply, d)
}

// ispRequest does what an operation asks for. Greetings have no checksum.
func (c *Chip) ispRequest(p []byte, tooLong bool) ispReason {
	op := p[0]
	switch op {
	case ispNOP:
		return ispOK
	case ispMemoryWrite, ispMemoryBoot, ispBaudRate:
	default:
		return ispBadCommand
	}
	if len(p) < ispHead || tooLong {
		return ispBadLength
	}
	sum, addr, size := binary.LittleEndian.Uint32(p[4:]), binary.LittleEndian.Uint32(p[8:]), binary.LittleEndian.Uint32(p[12:])
	data := p[ispHead:]
	switch {
	case crc32.ChecksumIEEE(p[8:]) != sum:
		return ispBadChecksum
	case uint64(size) != uint64(len(data)):
		return ispBadLength
	}
	switch op {
	case ispMemoryWrite:
		return c.ispWrite(addr, data)
	case ispBaudRate:
		return c.ispSetBaud(data)
	}
	c.ROM.Entry = addr
	return ispOK
}

// ispWrite is C3.
func (c *Chip) ispWrite(addr uint32, data []byte) ispReason {
	m := c.ramAt(addr, uint32(len(data)))
	if m == nil {
		c.warn("ISP was to write %d bytes to 0x%08x, outside of RAM: what the part does then is not known", len(data), addr)
		return ispBadLength
	}
	copy(m, data)
	c.ramChanged(addr, uint32(len(data)))
	return ispOK
}

// ispSetBaud is C6.
func (c *Chip) ispSetBaud(data []byte) ispReason {
	if len(data) != 4 {
		return ispBadLength
	}
	baud := binary.LittleEndian.Uint32(data)
	if baud == 0 || uint64(baud) > c.Timeline.Hz() {
		return ispBadLength
	}
	c.romBaud(baud)
	return ispOK
}

// answer queues an answer.
func (s *ispState) answer(op byte, reason ispReason) {
	s.Head, s.Tail = 0, 0
	put := func(b byte) {
		s.Out[s.Tail] = b
		s.Tail++
	}
	put(slipEnd)
	switch op {
	case slipEnd:
		put(slipEsc)
		put(slipEscEnd)
	case slipEsc:
		put(slipEsc)
		put(slipEscEsc)
	default:
		put(op)
	}
	put(byte(reason))
	put(slipEnd)
}

// ispPump sends the answer and listens again.
func (c *Chip) ispPump() {
	s := &c.ROM.ISP
	for s.Head < s.Tail && c.peek(uarthsBase+uhTXDATA)&uhFULL == 0 {
		c.poke(uarthsBase+uhTXDATA, uint32(s.Out[s.Head]))
		s.Head++
	}
	if s.Head < s.Tail {
		c.romNext(romReply, ispTick)
		return
	}
	s.Got, s.Inside = 0, false
	c.romNext(romISP, 0)
}
