package k210

import (
	"fmt"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// Transfers of SPI0, SPI1 and SPI3. The flash chip at SPI3 sees bytes (spi_flash.go).
// SPI0 and SPI1 have their pins: in the standard format, on one line each way, SCLK, D0
// and SS move and D1 is read bit by bit; in the formats of two, four and eight lines data
// lines stand still, and ones are read.

// spiTransfer is what goes on between the select of the slave and its end.
type spiTransfer struct {
	Phase spiPhase
	Frame uint32     // on the wire
	Bits  uint8      // of it
	Edge  uint8      // halves of clocks since its beginning, where the pins move
	In    uint32     // what was read so far, there
	Left  uint32     // frames to receive
	At    clock.Time // when what is on the wire has passed
}

type spiPhase uint8

const (
	spiIdle      spiPhase = iota
	spiCommand            // the instruction of the formats with more lines
	spiAddress            // its address, and the clocks without data
	spiSending            // frames of the transmitter's FIFO
	spiReceiving          // frames, while the transmitter repeats itself
)

// Fields of SPI_CTRLR0: how the formats with more lines begin.
func (s *spiState) transType() uint32   { return s.Regs[spiSPI_CTRLR0/4] & 3 }
func (s *spiState) addressBits() uint32 { return s.Regs[spiSPI_CTRLR0/4] >> 2 & 15 * 4 }
func (s *spiState) commandBits() uint32 { return [4]uint32{0, 4, 8, 16}[s.Regs[spiSPI_CTRLR0/4]>>8&3] }
func (s *spiState) waitClocks() uint32  { return s.Regs[spiSPI_CTRLR0/4] >> 11 & 31 }

// spiBegin begins a transfer if there is one to begin.
func (c *Chip) spiBegin(n int) {
	s := &c.SPI[n]
	if !s.Enabled || s.Sub.Phase != spiIdle || s.Regs[spiSER/4] == 0 {
		return
	}
	m := s.modes(n)
	headless := m.lines > 1 && m.tmod >= tmodReceive && s.commandBits() == 0 && s.addressBits() == 0
	if s.TX.Len == 0 && !headless {
		return
	}
	if what := s.lacks(n, m); what != "" {
		c.halt(board.NotModelled, c.harts[max(c.hart, 0)].PC, fmt.Sprintf("SPI%d: %s not modelled", n, what))
		return
	}
	if c.spiFrameTime(n, 1) == 0 {
		c.warn("SPI%d is to send without a clock", n)
		return
	}
	s.Sub = spiTransfer{At: c.Time()}
	c.spiSelect(n, true)
	switch {
	case m.lines > 1 && s.commandBits() > 0:
		c.spiShift(n, spiCommand, s.commandBits(), s.headClocks(s.commandBits(), m, 2))
	case m.lines > 1:
		c.spiAfterCommand(n)
	default:
		c.spiData(n)
	}
}

// lacks says what of a transfer the model has not.
func (s *spiState) lacks(n int, m spiModes) string {
	switch ser := s.Regs[spiSER/4]; {
	case m.other:
		return "a format other than Motorola's, or its loop"
	case ser&(ser-1) != 0:
		return "more than one slave at once"
	case n != 3:
	case m.bits%8 != 0 || m.lines > 4:
		return "frames that are no bytes, or on eight lines, to the flash chip"
	case m.lines > 1 && (s.commandBits() != 8 || s.transType() > 1):
		return "a command of the flash chip that is not eight bits on one line"
	}
	return ""
}

// headClocks is how many clocks an instruction (from transType 2 on) or an address (from 1
// on) takes: before that it is sent on one line.
func (s *spiState) headClocks(bits uint32, m spiModes, from uint32) uint32 {
	if s.transType() >= from {
		return bits / uint32(m.lines)
	}
	return bits
}

// spiShift puts what the transmitter has next on the wire.
func (c *Chip) spiShift(n int, p spiPhase, bits, clocks uint32) {
	t := &c.SPI[n].Sub
	t.Frame = c.SPI[n].TX.get()
	c.spiWait(n, p, bits, clocks)
	c.spiUpdate(n)
}

// spiWait lets clocks pass in a phase.
func (c *Chip) spiWait(n int, p spiPhase, bits, clocks uint32) {
	t := &c.SPI[n].Sub
	t.Phase, t.Bits, t.Edge, t.In = p, uint8(bits), 0, 0
	if c.spiOnPins(n) && p >= spiSending {
		c.spiEdge(n)
		return
	}
	t.At += c.spiFrameTime(n, clocks)
	c.ScheduleAt(slotSPI+n, t.At)
}

// spiEvent is the end of what is on the wire, or of half a clock of it.
func (c *Chip) spiEvent(n int) {
	s := &c.SPI[n]
	switch s.Sub.Phase {
	case spiIdle:
		return
	case spiCommand:
		if n == 3 {
			s.Wire.command(byte(s.Sub.Frame))
		}
		c.spiAfterCommand(n)
	case spiAddress:
		if n == 3 {
			s.Wire.address(s.Sub.Frame, s)
		}
		c.spiData(n)
	default:
		if c.spiOnPins(n) && s.Sub.Edge < 2*s.Sub.Bits {
			c.spiEdge(n)
			return
		}
		c.spiFrame(n)
	}
	c.spiUpdate(n)
}

// spiAfterCommand goes on with the address, or with clocks without data.
func (c *Chip) spiAfterCommand(n int) {
	s := &c.SPI[n]
	m := s.modes(n)
	bits, wait := s.addressBits(), s.waitClocks()
	if m.tmod == tmodSend {
		wait = 0
	}
	switch {
	case bits > 0 && s.TX.Len == 0:
		c.warn("SPI%d had no address to send: the slave's command ends", n)
		c.spiEnd(n)
	case bits > 0:
		c.spiShift(n, spiAddress, bits, s.headClocks(bits, m, 1)+wait)
	case wait > 0:
		s.Sub.Frame = 0
		c.spiWait(n, spiAddress, 0, wait)
	default:
		c.spiData(n)
	}
}

// spiData goes on with a frame, or ends the transfer.
func (c *Chip) spiData(n int) {
	s := &c.SPI[n]
	m := s.modes(n)
	t := &s.Sub
	bits := uint32(m.bits)
	clocks := max(bits/uint32(m.lines), 1)
	enhanced := m.lines > 1
	switch {
	case t.Phase == spiReceiving && t.Left > 0:
		c.spiWait(n, spiReceiving, bits, clocks)
	case t.Phase == spiReceiving:
		c.spiEnd(n)
	case s.TX.Len > 0 && !(enhanced && m.tmod >= tmodReceive) && m.tmod != tmodReceive:
		c.spiShift(n, spiSending, bits, clocks)
	case m.tmod < tmodReceive:
		c.spiEnd(n)
	default:
		if m.tmod == tmodReceive && !enhanced {
			t.Frame = s.TX.get()
		} else {
			t.Frame = 0
		}
		t.Left = s.Regs[spiCTRLR1/4] + 1
		c.spiWait(n, spiReceiving, bits, clocks)
	}
}

// spiFrame is the end of a frame: what came in goes to the receiver.
func (c *Chip) spiFrame(n int) {
	s := &c.SPI[n]
	m := s.modes(n)
	t := &s.Sub
	in := uint32(1<<m.bits - 1)
	switch {
	case n == 3:
		in = c.flashFrame(m)
	case c.spiOnPins(n):
		in = t.In
	}
	if t.Phase == spiReceiving {
		t.Left--
	}
	if t.Phase == spiReceiving || m.tmod == tmodBoth {
		if s.RX.Len < spiDepth {
			s.RX.put(s.ordered(in, m))
		} else {
			s.Raw |= spiRXO
		}
	}
	c.spiData(n)
}

// ordered gives a frame's bytes the order that ENDIAN says: by default the first
// one on the wire is the highest.
func (s *spiState) ordered(v uint32, m spiModes) uint32 {
	if s.Regs[spiENDIAN/4] == 0 || m.bits%8 != 0 {
		return v
	}
	var swapped uint32
	for range m.bits / 8 {
		swapped = swapped<<8 | v&0xFF
		v >>= 8
	}
	return swapped
}

// spiEnd is the end of a transfer. Another may be waiting.
func (c *Chip) spiEnd(n int) {
	c.spiStop(n)
	c.spiBegin(n)
}

// spiAbort ends a transfer in the middle. The flash chip executes nothing that does not
// end with a byte.
func (c *Chip) spiAbort(n int) {
	c.SPI[n].Wire.Selected = false
	c.spiStop(n)
}

// spiStop deselects the slave.
func (c *Chip) spiStop(n int) {
	s := &c.SPI[n]
	if s.Sub.Phase == spiIdle {
		return
	}
	s.Sub = spiTransfer{}
	c.ScheduleAt(slotSPI+n, clock.NeverTime)
	c.spiSelect(n, false)
}

// spiSelect pulls the slave's line.
func (c *Chip) spiSelect(n int, on bool) {
	s := &c.SPI[n]
	switch {
	case n == 3 && on:
		s.Wire = flashWire{Selected: s.Regs[spiSER/4] == 1}
	case n == 3:
		c.flashDeselect()
	default:
		c.spiLines(n)
		for i := range 4 {
			c.setOut(spiPins[n].ss+i, !on || s.Regs[spiSER/4]>>i&1 == 0, true)
		}
	}
}

// spiPins are the functions of FPIOA.
var spiPins = [2]struct{ d0, ss, sclk int }{
	{fnSPI0_D0, fnSPI0_SS0, fnSPI0_SCLK}, {fnSPI1_D0, fnSPI1_SS0, fnSPI1_SCLK},
}

// spiOnPins says whether the transfer under way moves pins bit by bit.
func (c *Chip) spiOnPins(n int) bool { return n < 2 && c.SPI[n].modes(n).lines == 1 }

// spiLines puts SCLK where it rests.
func (c *Chip) spiLines(n int) {
	c.setOut(spiPins[n].sclk, c.SPI[n].modes(n).polar != 0, true)
}

// spiEdge goes on by half a clock of SCLK. With CPHA 0 a bit is put out half a clock before
// the first edge and read at that; with CPHA 1 it is put out at the first and read at the
// second.
func (c *Chip) spiEdge(n int) {
	s := &c.SPI[n]
	m, t, p := s.modes(n), &s.Sub, spiPins[n]
	second := t.Edge&1 != 0
	active := second != (m.phase != 0)
	c.setOut(p.sclk, active != (m.polar != 0), true)
	if second {
		t.In = t.In<<1 | oneIf(c.in(p.d0+1))
	} else {
		bit := m.bits - 1 - int(t.Edge)/2
		c.setOut(p.d0, s.ordered(t.Frame, m)>>bit&1 != 0, true)
	}
	t.Edge++
	t.At += c.spiFrameTime(n, 1) / 2
	c.ScheduleAt(slotSPI+n, t.At)
}
