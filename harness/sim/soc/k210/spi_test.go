package k210

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/nor"
)

// stopped is a chip with power and the ROM's clocks, whose harts stand still: registers
// are used from outside.
func stopped(t *testing.T) *Chip {
	t.Helper()
	c := New(Options{})
	c.SetPower(true)
	c.ScheduleAt(slotReset, clock.NeverTime)
	c.romHandOver()
	c.SYSCTL.CLK_EN_PERI = ^uint32(0)
	c.SYSCTL.CLK_SEL[0] |= selSPI3
	return c
}

// pass lets time go on.
func (c *Chip) pass(t *testing.T, d clock.Time) {
	t.Helper()
	if s := c.Run(c.Now() + d); s.Kind != board.Running {
		t.Fatalf("stopped: %v", s)
	}
}

// spiBus uses SPI3 as programs do.
type spiBus struct {
	*Chip
	t *testing.T
	n int
}

func newSPI(t *testing.T, n int) *spiBus {
	b := &spiBus{stopped(t), t, n}
	b.set(spiIMR, 0)
	b.set(spiBAUDR, 20)
	return b
}

func (b *spiBus) addr(off uint32) uint32 { return spiDevice{b.Chip, b.n}.base() + off }
func (b *spiBus) set(off, v uint32)      { b.t.Helper(); b.poke(b.addr(off), v) }
func (b *spiBus) get(off uint32) uint32  { b.t.Helper(); return b.peek(b.addr(off)) }

// setup chooses frames, TMOD and the lines: the fields of SPI3.
func (b *spiBus) setup(bits int, tmod uint32, lines int, receive int) {
	b.set(spiSSIENR, 0)
	frf := map[int]uint32{1: 0, 2: 1, 4: 2, 8: 3}[lines]
	v := uint32(bits-1) | tmod<<10 | frf<<22
	if b.n != 3 {
		v = uint32(bits-1)<<16 | tmod<<8 | frf<<21
	}
	b.set(spiCTRLR0, v)
	b.set(spiCTRLR1, uint32(receive-1))
	b.set(spiSSIENR, 1)
}

// run sends words, selected once they are in the FIFO, and reads what there is in the end.
func (b *spiBus) run(words ...uint32) (in []uint32) {
	b.t.Helper()
	for _, w := range words {
		b.set(spiDR, w)
	}
	b.set(spiSER, 1)
	for range 1000 {
		if b.get(spiSR)&(spiBUSY|spiTFE) == spiTFE && len(in) >= int(b.get(spiRXFLR)) {
			break
		}
		b.pass(b.t, clock.Microsecond)
		for b.get(spiRXFLR) > 0 {
			in = append(in, b.get(spiDR))
		}
	}
	b.set(spiSER, 0)
	b.set(spiSSIENR, 0)
	return in
}

func frames(p ...byte) (w []uint32) {
	for _, b := range p {
		w = append(w, uint32(b))
	}
	return w
}

// send is a command on one line without an answer.
func (b *spiBus) send(p ...byte) {
	b.t.Helper()
	b.setup(8, tmodSend, 1, 1)
	b.run(frames(p...)...)
}

// ask is one with n bytes of an answer, read by EEPROM mode.
func (b *spiBus) ask(n int, p ...byte) (out []byte) {
	b.t.Helper()
	b.setup(8, tmodEEPROM, 1, n)
	for _, v := range b.run(frames(p...)...) {
		out = append(out, byte(v))
	}
	return out
}

// TestSPIModes reads the chip's id by each mode of transfer: W25Q128JV §8.2.29.
func TestSPIModes(t *testing.T) {
	b := newSPI(t, 3)
	want := []uint32{0xEF, 0x40, 0x18}
	check := func(what string, got []uint32) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %x, want %x", what, got, want)
		}
	}
	b.setup(8, tmodEEPROM, 1, 3)
	check("EEPROM read", b.run(nor.JEDECID))
	b.setup(8, tmodBoth, 1, 1)
	if got := b.run(nor.JEDECID, 0, 0, 0); len(got) != 4 {
		t.Errorf("transmit and receive: %x, want four frames", got)
	} else {
		check("transmit and receive", got[1:])
	}
	b.setup(8, tmodSend, 1, 1)
	if got := b.run(nor.JEDECID, 0, 0); len(got) != 0 {
		t.Errorf("transmit only received %x", got)
	}
	b.setup(8, tmodReceive, 1, 2)
	if got := b.run(nor.ReadStatus2); fmt.Sprint(got) != "[255 2]" { // the first frame goes by while the command does
		t.Errorf("receive only: %v, want [255 2]", got)
	}
	b.setup(32, tmodEEPROM, 4, 1)
	b.set(spiSSIENR, 0)
	b.set(spiSPI_CTRLR0, 2<<8|6<<2|8<<11)
	b.set(spiSSIENR, 1)
	if got := b.run(nor.FastReadQuad, 0x1000); len(got) != 1 || got[0] != 0xFFFFFFFF {
		t.Errorf("quad output read: %x, want ffffffff", got)
	}
}

// TestSPIProgram programs and reads back, on one line and on four, with both orders of
// bytes.
func TestSPIProgram(t *testing.T) {
	b := newSPI(t, 3)
	b.send(nor.WriteEnable)
	b.send(nor.PageProgram, 0, 0x20, 0, 0x11, 0x22, 0x33, 0x44, 0x55)
	if b.ask(1, nor.ReadStatus1)[0]&1 == 0 {
		t.Error("the chip is not busy after a program")
	}
	b.pass(t, clock.Millisecond)
	if got, want := b.ask(5, nor.ReadData, 0, 0x20, 0), []byte{0x11, 0x22, 0x33, 0x44, 0x55}; !bytes.Equal(got, want) {
		t.Errorf("read %x, want %x", got, want)
	}
	for _, test := range []struct {
		cmd          uint32
		lines        int
		format, endi uint32
		addr, want   uint32
	}{
		{nor.FastReadQuad, 4, 8<<11 | 2<<8 | 6<<2, 0, 0x2000, 0x11223344},
		{nor.FastReadQuad, 4, 8<<11 | 2<<8 | 6<<2, 1, 0x2000, 0x44332211},
		{nor.FastReadDual, 2, 8<<11 | 2<<8 | 6<<2, 0, 0x2001, 0x22334455},
		{nor.FastReadQuadIO, 4, 4<<11 | 2<<8 | 8<<2 | 1, 0, 0x2000 << 8, 0x11223344}, // eight bits of mode
		{nor.FastReadDualIO, 2, 0<<11 | 2<<8 | 8<<2 | 1, 0, 0x2000 << 8, 0x11223344},
	} {
		b.set(spiENDIAN, test.endi)
		b.set(spiSPI_CTRLR0, test.format)
		b.setup(32, tmodEEPROM, test.lines, 1)
		if got := b.run(test.cmd, test.addr); len(got) != 1 || got[0] != test.want {
			t.Errorf("command %02x on %d lines: %x, want %x", test.cmd, test.lines, got, test.want)
		}
	}
	b.set(spiENDIAN, 1)
	b.send(nor.WriteEnable)
	b.set(spiSPI_CTRLR0, 2<<8|6<<2)
	b.setup(32, tmodSend, 4, 1)
	b.run(nor.QuadPageProgram, 0x3000, 0x04030201, 0x08070605)
	b.pass(t, clock.Millisecond)
	if got, want := b.ask(8, nor.ReadData, 0, 0x30, 0), []byte{1, 2, 3, 4, 5, 6, 7, 8}; !bytes.Equal(got, want) {
		t.Errorf("after a program on four lines: %x, want %x", got, want)
	}
	if w := b.Warnings(); len(w) != 0 {
		t.Error("warnings:", w)
	}
}

// TestSPIRunsDry is the databook's trap: a transmitter without data deselects the slave, whose
// command ends there.
func TestSPIRunsDry(t *testing.T) {
	b := newSPI(t, 3)
	b.send(nor.WriteEnable)
	b.setup(8, tmodSend, 1, 1)
	b.set(spiSER, 1)
	for _, v := range []uint32{nor.PageProgram, 0, 0x20, 0} {
		b.set(spiDR, v)
	}
	b.pass(t, 10*clock.Microsecond)
	b.set(spiDR, 0x55)
	b.pass(t, 10*clock.Microsecond)
	b.set(spiSSIENR, 0)
	b.pass(t, clock.Millisecond)
	if got := b.ask(1, nor.ReadData, 0, 0x20, 0)[0]; got != 0xFF {
		t.Errorf("the cell holds %02x, want ff", got)
	}
	if len(b.Warnings()) == 0 {
		t.Error("no warning of a command that the chip does not know")
	}
}

// TestSPIAborted disables the block in the middle of a command's last byte.
func TestSPIAborted(t *testing.T) {
	b := newSPI(t, 3)
	b.setup(8, tmodSend, 1, 1)
	b.set(spiSER, 1)
	b.set(spiDR, nor.WriteEnable)
	b.pass(t, 200*clock.Nanosecond)
	b.set(spiSSIENR, 0)
	if got := b.ask(1, nor.ReadStatus1)[0]; got != 0 {
		t.Errorf("status %02x, want 00: the command was not complete", got)
	}
}

// TestSPIReceiverFull: nobody reads, and what comes after 32 frames is lost.
func TestSPIReceiverFull(t *testing.T) {
	b := newSPI(t, 3)
	b.set(spiIMR, spiRXO)
	b.setup(8, tmodEEPROM, 1, 40)
	b.set(spiDR, nor.ReadStatus2)
	b.set(spiSER, 1)
	b.pass(t, 40*clock.Microsecond)
	if got := b.get(spiRXFLR); got != spiDepth {
		t.Errorf("%d frames in the FIFO, want %d", got, spiDepth)
	}
	if b.get(spiISR) != spiRXO || !b.PLIC.Level.has(irqSPI0+3) {
		t.Error("no interrupt for the receiver's overflow")
	}
	b.get(spiICR)
	if b.get(spiRISR)&spiRXO != 0 || b.PLIC.Level.has(irqSPI0+3) {
		t.Error("the interrupt was not cleared by reading ICR")
	}
}

// TestSPITime: 100 bytes of 8 clocks at 390 MHz / 20.
func TestSPITime(t *testing.T) {
	b := newSPI(t, 3)
	b.setup(8, tmodEEPROM, 1, 96)
	for _, v := range frames(nor.ReadData, 0, 0, 0) {
		b.set(spiDR, v)
	}
	start := b.Now()
	b.set(spiSER, 1)
	for b.get(spiSR)&spiBUSY != 0 {
		for b.get(spiRXFLR) > 0 {
			b.get(spiDR)
		}
		b.pass(t, 10*clock.Nanosecond)
	}
	want := 100 * 8 * 20 * clock.Second / 390_000_000
	if got := b.Now() - start; got < want || got > want+20*clock.Nanosecond {
		t.Errorf("100 bytes took %d ps, want %d", got, want)
	}
}

// TestSPIPins: SPI0's lines in the four modes of clock, with a wire from D0 to D1. Edges are
// counted by the databook's figures of transfers: SCLK rests at SCPOL, data changes at the edges
// that SCPH leaves.
func TestSPIPins(t *testing.T) {
	for mode := range uint32(4) {
		b := newSPI(t, 0)
		const sclk, d0, d1, ss = 8, 9, 10, 11
		for io, fn := range map[uint32]uint32{sclk: fnSPI0_SCLK, d0: fnSPI0_D0, d1: fnSPI0_D0 + 1, ss: fnSPI0_SS0} {
			pads := uint32(ioOutput)
			if io == d0 || io == d1 {
				pads = ioBoth | ioOE_INV | ioIE_INV // as the SDK has them
			}
			b.poke(0x502B0000+4*io, fn|pads)
		}
		b.set(spiSSIENR, 0)
		b.set(spiCTRLR0, 7<<16|mode<<6)
		b.set(spiBAUDR, 100)
		b.set(spiSSIENR, 1)
		var log []string
		b.Watch(func(p board.Pin, high bool, at clock.Time) {
			switch p {
			case d0:
				b.Drive(d1, board.Drive{Kind: board.DriveLow + board.DriveKind(oneIf(high))}, at)
			case sclk:
				log = append(log, fmt.Sprintf("%d", oneIf(high)))
			case ss:
				log = append(log, fmt.Sprintf("ss%d", oneIf(high)))
			}
		})
		got := b.run(0xA5, 0x3C)
		if fmt.Sprint(got) != "[165 60]" {
			t.Errorf("mode %d: %x came back", mode, got)
		}
		var edges []string
		for i := range uint32(32) {
			edges = append(edges, fmt.Sprint(1-i&1^mode>>1))
		}
		want := append(append([]string{"ss0"}, edges...), "ss1")
		if mode>>1 != 0 && len(log) > 0 && log[0] == "1" {
			log = log[1:] // SCLK comes to its rest
		}
		if fmt.Sprint(log) != fmt.Sprint(want) {
			t.Errorf("mode %d: edges %v, want %v", mode, log, want)
		}
	}
}

// putWords stores bytes as words of 32 bits, one each.
func putWords(m []byte, p ...byte) {
	for i, v := range p {
		binary.LittleEndian.PutUint32(m[4*i:], uint32(v))
	}
}

// TestSPIByDMA reads flash as the SDK's spi_receive_data_normal_dma: two channels, for the command
// and for more data than the FIFO holds.
func TestSPIByDMA(t *testing.T) {
	b := newSPI(t, 3)
	d := dmaBench{b.Chip, t}
	d.st(dmac+dmCFG, dmDMAC_EN|dmINT_EN)
	data := make([]byte, 200)
	for i := range data {
		data[i] = byte(3 * i)
	}
	if err := b.nor.Program(0x4000, data); err != nil {
		t.Fatal(err)
	}
	putWords(d.memory(0x40010000, 16), nor.ReadData, 0, 0x40, 0)
	b.SYSCTL.DMA_SEL[0] = 7 | 6<<6
	b.set(spiDMATDLR, 16)
	b.set(spiDMACR, 3)
	b.setup(8, tmodEEPROM, 1, len(data))
	const dr = 0x54000000 + spiDR
	d.set(1, transfer{src: dr, dst: 0x40020000, srcFixed: true, srcWidth: 2, dstWidth: 2, ttfc: prfToMem, items: len(data)})
	d.set(0, transfer{src: 0x40010000, dst: dr, dstFixed: true, srcWidth: 2, dstWidth: 2, srcMsize: 1, dstMsize: 1, ttfc: memToPrf, items: 4})
	d.enable(1)
	d.enable(0)
	b.pass(t, clock.Microsecond)
	b.set(spiSER, 1)
	d.untilIdle(1)
	for i, want := range data {
		if got := binary.LittleEndian.Uint32(d.memory(uint32(0x40020000+4*i), 4)); got != uint32(want) {
			t.Fatalf("word %d: %#x, want %#x", i, got, want)
		}
	}
}

// TestSPIVersion: the version in characters, the first one highest, as U-Boot and Linux read it.
func TestSPIVersion(t *testing.T) {
	c := stopped(t)
	for n, want := range map[uint32]uint32{0x52000000: '4'<<24 | '0'<<16 | '1'<<8 | '*', 0x54000000: '1'<<24 | '0'<<16 | '1'<<8 | '*'} {
		if got := c.peek(n + spiVERSION); got != want {
			t.Errorf("%#x: %#x, want %#x", n, got, want)
		}
	}
}
