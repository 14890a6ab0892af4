package stm32f407

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// Registers of stream i, RM0090 §10.5.
func dmaCR(i uint32) uint32   { return 0x10 + 0x18*i }
func dmaNDTR(i uint32) uint32 { return 0x14 + 0x18*i }
func dmaPAR(i uint32) uint32  { return 0x18 + 0x18*i }
func dmaM0AR(i uint32) uint32 { return 0x1C + 0x18*i }
func dmaM1AR(i uint32) uint32 { return 0x20 + 0x18*i }
func dmaFCR(i uint32) uint32  { return 0x24 + 0x18*i }

const (
	sizeByte, sizeHalf, sizeWord = 0, 1, 2

	dir = 6 // CR's fields
	ps  = 11
	ms  = 13
	pl  = 16
	pb  = 21
	mb  = 23
	chs = 25
)

// stream sets a stream up and enables it.
func stream(t *testing.T, d dmaDevice, i, par, mar, n, fcr, cr uint32) {
	t.Helper()
	set(t, d, dmaPAR(i), par)
	set(t, d, dmaM0AR(i), mar)
	set(t, d, dmaNDTR(i), n)
	set(t, d, dmaFCR(i), fcr)
	set(t, d, dmaCR(i), cr|dmaEN)
}

func dma2(c *Chip) dmaDevice { return dmaDevice{c.dmaController(1)} }

// Memory to memory through the FIFO, §10.3.6: packing and unpacking are little
// endian (§10.3.10), and bursts change nothing of the result.
func TestDMAPacking(t *testing.T) {
	tests := []struct {
		name       string
		psize, n   uint32
		msize, cr  uint32
		fth        uint32
		want       string
		wantFlags  uint32
		overwrites bool
	}{
		{"bytes", sizeByte, 16, sizeByte, dmaPINC | dmaMINC, 0, "0123456789abcdef", dmaHTIF | dmaTCIF, false},
		{"words", sizeWord, 4, sizeWord, dmaPINC | dmaMINC, 3, "0123456789abcdef", dmaHTIF | dmaTCIF, false},
		{"bytes to words", sizeByte, 16, sizeWord, dmaPINC | dmaMINC, 0, "0123456789abcdef", dmaHTIF | dmaTCIF, false},
		{"words to bytes", sizeWord, 4, sizeByte, dmaPINC | dmaMINC, 1, "0123456789abcdef", dmaHTIF | dmaTCIF, false},
		{"halves to words", sizeHalf, 6, sizeWord, dmaPINC | dmaMINC, 1, "0123456789ab....", dmaHTIF | dmaTCIF, false},
		{"bursts", sizeWord, 4, sizeWord, dmaPINC | dmaMINC | 1<<pb | 1<<mb, 3, "0123456789abcdef", dmaHTIF | dmaTCIF, false},
		{"PINCOS", sizeByte, 4, sizeByte, dmaPINC | dmaMINC | dmaPINCOS, 0, "048c............", dmaHTIF | dmaTCIF, false},
		{"fixed source", sizeHalf, 4, sizeHalf, dmaMINC, 0, "01010101........", dmaHTIF | dmaTCIF, false},
		{"fixed destination", sizeHalf, 4, sizeHalf, dmaPINC, 0, "67..............", dmaHTIF | dmaTCIF, false},
	}
	for _, tt := range tests {
		c := idle(t)
		copy(c.mem.SRAM, "0123456789abcdef................")
		d := dma2(c)
		stream(t, d, 3, sramBase, sramBase+16, tt.n, tt.fth, memToMem<<dir|tt.psize<<ps|tt.msize<<ms|tt.cr)
		until(c, c.Cycle()+1000)
		if got := string(c.mem.SRAM[16:32]); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		if got := get(t, d, 0) >> 22; got != tt.wantFlags {
			t.Errorf("%s: flags %#x, want %#x", tt.name, got, tt.wantFlags)
		}
		if cr, n := get(t, d, dmaCR(3)), get(t, d, dmaNDTR(3)); cr&dmaEN != 0 || n != 0 {
			t.Errorf("%s: ends with CR %#x, NDTR %d", tt.name, cr, n)
		}
	}
}

// The combinations of threshold and memory burst that §10.3.12, table 49
// forbids disable the stream with FEIF.
func TestDMAForbiddenBursts(t *testing.T) {
	const incr4, incr8, incr16 = 1, 2, 3
	allowed := map[[3]uint32]bool{ // MSIZE, MBURST, FTH
		{sizeByte, incr4, 0}: true, {sizeByte, incr4, 1}: true, {sizeByte, incr4, 2}: true, {sizeByte, incr4, 3}: true,
		{sizeByte, incr8, 1}: true, {sizeByte, incr8, 3}: true, {sizeByte, incr16, 3}: true,
		{sizeHalf, incr4, 1}: true, {sizeHalf, incr4, 3}: true, {sizeHalf, incr8, 3}: true,
		{sizeWord, incr4, 3}: true,
	}
	for size := range uint32(3) {
		for burst := uint32(incr4); burst <= incr16; burst++ {
			for fth := range uint32(4) {
				c := idle(t)
				d := dma2(c)
				stream(t, d, 0, sramBase, sramBase+64, 16, dmaDMDIS|fth, dmaMINC|size<<ms|burst<<mb)
				on := get(t, d, dmaCR(0))&dmaEN != 0
				if on != allowed[[3]uint32{size, burst, fth}] || on == (get(t, d, 0)&dmaFEIF != 0) {
					t.Errorf("MSIZE %d, MBURST %d, FTH %d: enabled %v", size, burst, fth, on)
				}
			}
		}
	}
}

// A transfer from an APB2 register by DMA2 (AN4031): arbitration and address 2,
// two clocks of PCLK2, then 3 at the memory port. PCLK2 is HCLK here.
func TestDMALatency(t *testing.T) {
	c := idle(t)
	d := dma2(c)
	stream(t, d, 2, usart1DR, sramBase, 4, 0, dmaMINC|4<<chs)
	from := c.Cycle()
	c.dmaPulse(reqUSART1RX)
	until(c, from+2+2+3-1)
	if n := get(t, d, dmaNDTR(2)); n != 3 || d.Phase != dmaAccess || !d.Memory {
		t.Errorf("NDTR %d and phase %d before the last cycle", n, d.Phase)
	}
	until(c, from+2+2+3)
	if d.Phase != dmaIdle {
		t.Error("not done in 7 cycles")
	}
}

const usart1DR = 0x40011004

// §10.3.4: the priority level decides, then the stream's number.
func TestDMAPriorities(t *testing.T) {
	c := idle(t)
	d := dma2(c)
	// Each copies one byte to the same cell; the last one wins.
	copy(c.mem.SRAM, "abc")
	for i, level := range []uint32{0, 3, 0} {
		stream(t, d, uint32(2*i), sramBase+uint32(i), sramBase+16, 1, 0, memToMem<<dir|level<<pl)
	}
	var order []byte
	for range 100 {
		until(c, c.Cycle()+1)
		if b := c.mem.SRAM[16]; len(order) == 0 || order[len(order)-1] != b {
			order = append(order, b)
		}
	}
	// Stream 0 was enabled first; arbitration one cycle later sees all three.
	if got := string(order[1:]); got != "bac" {
		t.Errorf("order %q, want stream 2 (very high), 0, 4", got)
	}
}

// §10.3.8 and §10.3.9: half and complete at every turn, the buffers in turn.
func TestDMACircular(t *testing.T) {
	for _, double := range []bool{false, true} {
		c := idle(t)
		d := dma2(c)
		mode := uint32(dmaCIRC)
		if double {
			mode = dmaDBM
		}
		set(t, d, dmaM1AR(0), sramBase+0x100)
		c.GPIO[0].ODR = 0
		stream(t, d, 0, gpioA+0x14, sramBase, 4, 0, mode|dmaMINC|sizeHalf<<ps|sizeHalf<<ms) // channel 0: ADC1
		var events []string
		for i := range uint32(8) {
			c.GPIO[0].ODR = 0x100 + i
			c.dmaPulse(reqADC1)
			until(c, c.Cycle()+20)
			f := get(t, d, 0) & 0x3D
			set(t, d, 8, f)
			events = append(events, map[uint32]string{0: "-", dmaHTIF: "h", dmaTCIF: "c"}[f])
			if ct := get(t, d, dmaCR(0))/dmaCT&1 != 0; double && ct != (i >= 3 && i < 7) {
				t.Errorf("CT %v after transfer %d", ct, i)
			}
		}
		if got := strings.Join(events, ""); got != "-h-c-h-c" {
			t.Errorf("double %v: events %s", double, got)
		}
		second := uint32(0)
		if double {
			second = 0x100
		}
		for i, want := range []uint16{0x104, 0x105, 0x106, 0x107} {
			if got := binary.LittleEndian.Uint16(c.mem.SRAM[second+uint32(2*i):]); got != want {
				t.Errorf("double %v: item %d of the second turn is %#x, want %#x", double, i, got, want)
			}
		}
	}
}

// §10.3.14: clearing EN writes what the FIFO holds, keeps NDTR and sets TCIF.
func TestDMASuspend(t *testing.T) {
	c := idle(t)
	d := dma2(c)
	stream(t, d, 0, gpioA+0x14, sramBase, 10, dmaDMDIS|3, dmaMINC)
	fill(c.mem.SRAM[:8], 0)
	for i := range uint32(3) {
		c.GPIO[0].ODR = 'x' + i
		c.dmaPulse(reqADC1)
		until(c, c.Cycle()+20)
	}
	if fs := get(t, d, dmaFCR(0)) >> 3 & 7; fs != 0 || c.mem.SRAM[0] != 0 {
		t.Errorf("FS %d with three bytes in the FIFO, memory %#x", fs, c.mem.SRAM[0])
	}
	set(t, d, dmaCR(0), get(t, d, dmaCR(0))&^dmaEN)
	if get(t, d, dmaCR(0))&dmaEN == 0 {
		t.Error("EN falls before the FIFO is empty")
	}
	until(c, c.Cycle()+20)
	if got := c.mem.SRAM[:4]; !bytes.Equal(got, []byte("xyz\x00")) {
		t.Errorf("memory %q", got)
	}
	if cr, n, f := get(t, d, dmaCR(0)), get(t, d, dmaNDTR(0)), get(t, d, 0); cr&dmaEN != 0 || n != 7 || f&dmaTCIF == 0 {
		t.Errorf("CR %#x, NDTR %d, flags %#x", cr, n, f)
	}
}

// Addresses outside of a port's reach (§2.1) are transfer errors, and flash
// cannot be written.
func TestDMAErrors(t *testing.T) {
	for _, tt := range []struct {
		name     string
		n        int
		from, to uint32
		want     bool
	}{
		{"SRAM", 1, sramBase, sramBase + 64, false},
		{"flash to SRAM", 1, flashBase, sramBase, false},
		{"CCM", 1, ccmBase, sramBase, true},
		{"to CCM", 1, sramBase, ccmBase, true},
		{"to flash", 1, sramBase, flashBase, true},
		{"hole", 1, 0x40007800, sramBase, true},
		{"behind SRAM", 1, sramBase + sramSize, sramBase, true},
		{"address 0", 1, 0, sramBase, true},
		{"DMA1 memory to memory", 0, sramBase, sramBase + 64, true},
	} {
		c := idle(t)
		d := dmaDevice{c.dmaController(tt.n)}
		stream(t, d, 1, tt.from, tt.to, 1, 0, memToMem<<dir|4) // TEIE
		until(c, c.Cycle()+50)
		if got := get(t, d, 0)&(dmaTEIF<<6) != 0; got != tt.want || get(t, d, dmaCR(1))&dmaEN != 0 {
			t.Errorf("%s: transfer error %v", tt.name, got)
		}
	}
}

// §10.3.15: with PFCTRL the stream counts down from 65535, whatever NDTR was, until
// software stops it; circular mode is forbidden.
func TestDMAFlowControl(t *testing.T) {
	c := idle(t)
	d := dma2(c)
	stream(t, d, 0, gpioA+0x14, sramBase, 3, 0, dmaPFCTRL|dmaCIRC|dmaMINC)
	for i := range uint32(10) {
		c.GPIO[0].ODR = 'a' + i
		c.dmaPulse(reqADC1)
		until(c, c.Cycle()+20)
	}
	if n, cr := get(t, d, dmaNDTR(0)), get(t, d, dmaCR(0)); n != 0xFFFF-10 || cr != dmaEN|dmaPFCTRL|dmaMINC {
		t.Errorf("NDTR %d, CR %#x", n, cr)
	}
	set(t, d, dmaCR(0), 0)
	if got := string(c.mem.SRAM[:10]); got != "abcdefghij" || get(t, d, 0)&dmaTCIF == 0 {
		t.Errorf("%q", got)
	}
	stream(t, d, 1, sramBase, sramBase+64, 3, 0, dmaPFCTRL|memToMem<<dir)
	if cr := get(t, d, dmaCR(1)); cr&dmaPFCTRL != 0 {
		t.Errorf("CR %#x: a memory controls the flow", cr)
	}
}

// DMA2's memory port writes a port's ODR (AHB1) and a timer's CCR (APB1), DMA1's
// cannot.
func TestDMAMemoryPortOnPeripherals(t *testing.T) {
	for _, to := range []uint32{gpioA + 0x14, 0x40000034} {
		c := idle(t)
		copy(c.mem.SRAM, "\x34\x12\x00\x00")
		stream(t, dma2(c), 0, sramBase, to, 1, 3, memToMem<<dir|sizeWord<<ps|sizeWord<<ms)
		until(c, c.Cycle()+50)
		if got := c.peek(to); got != 0x1234 {
			t.Errorf("%s: %#x", RegisterName(to), got)
		}
		d1 := dmaDevice{c.dmaController(0)}
		stream(t, d1, 5, 0x40004404, to, 1, 0, 4<<chs)
		c.dmaPulse(reqUSART2RX)
		until(c, c.Cycle()+50)
		if f := get(t, d1, 4) >> 6; f&dmaTEIF == 0 {
			t.Errorf("%s: DMA1 has no transfer error", RegisterName(to))
		}
	}
}

// What a stream does not let change while it is enabled (§10.5.5 to §10.5.10).
func TestDMAProtection(t *testing.T) {
	c := idle(t)
	d := dma2(c)
	stream(t, d, 0, gpioA, sramBase, 5, 0, dmaDBM)
	set(t, d, dmaNDTR(0), 9)
	set(t, d, dmaPAR(0), 9)
	set(t, d, dmaFCR(0), 7)
	set(t, d, dmaM1AR(0), 0x77)
	set(t, d, dmaCR(0), dmaEN|0x10|3<<pl)
	for off, want := range map[uint32]uint32{dmaNDTR(0): 5, dmaPAR(0): gpioA, dmaFCR(0): 0x20, dmaM1AR(0): 0x77, dmaCR(0): dmaEN | 0x10 | dmaDBM} {
		if got := get(t, d, off); got != want {
			t.Errorf("register %#x: %#x, want %#x", off, got, want)
		}
	}
	set(t, d, dmaM0AR(0), 0x55) // the buffer in use
	if get(t, d, dmaCR(0))&dmaEN != 0 || get(t, d, 0)&dmaTEIF == 0 {
		t.Error("the address of the buffer in use was written without an error")
	}
}

// DMA writes over code that ran: the core must decode it anew.
func TestDMAInvalidates(t *testing.T) {
	c := started(t, Options{}, endless())
	gates(t, c)
	loop := func(h uint16) []byte { return binary.LittleEndian.AppendUint16(nil, h) }
	if err := c.LoadRAM(sramBase+0x100, loop(0xE7FE)); err != nil { // b .
		t.Fatal(err)
	}
	if err := c.LoadRAM(sramBase+0x102, loop(0xE7FE)); err != nil {
		t.Fatal(err)
	}
	c.core.R[15] = sramBase + 0x100
	run(t, c, clock.Microsecond)
	if err := c.LoadRAM(sramBase+0x200, loop(0xBF00)); err != nil { // nop
		t.Fatal(err)
	}
	const d = 0x40026400
	st(t, c, d+dmaPAR(0), sramBase+0x200)
	st(t, c, d+dmaM0AR(0), sramBase+0x100)
	st(t, c, d+dmaNDTR(0), 1)
	st(t, c, d+dmaCR(0), memToMem<<dir|sizeHalf<<ps|sizeHalf<<ms|dmaEN)
	run(t, c, 10*clock.Microsecond)
	if pc := c.core.R[15]; pc != sramBase+0x102 {
		t.Errorf("PC 0x%08x: the old instruction still runs", pc)
	}
}

// A USART's buffer goes out and comes in without the core (§30.3.13).
func TestUSARTByDMA(t *testing.T) {
	c, u, b, br := serial(t, 115200, board.ParityNone)
	d1 := dmaDevice{c.dmaController(0)}
	start(t, b, u, 0x8B, 0)
	set(t, u, usartCR3, usartDMAR|usartDMAT)
	copy(c.mem.SRAM, "hello dma")
	const dr = 0x40004404
	stream(t, d1, 6, dr, sramBase, 9, 0, toPeripheral<<dir|dmaMINC|4<<chs)
	stream(t, d1, 5, dr, sramBase+0x40, 5, 0, dmaMINC|4<<chs)
	br.Write([]byte("abcde"))
	b.Advance(b.Now() + 20*clock.Millisecond)
	if got, bad := drain(br); string(got) != "hello dma" || bad != 0 {
		t.Errorf("sent %q, %d bad", got, bad)
	}
	if got := string(c.mem.SRAM[0x40:0x45]); got != "abcde" {
		t.Errorf("received %q", got)
	}
	if f := get(t, d1, 4); f&(dmaTCIF<<6) == 0 || f&(dmaTCIF<<16) == 0 {
		t.Errorf("HISR %#x: both streams are complete", f)
	}
}

// Whatever sizes, bursts and threshold are allowed, in every direction: what
// arrives is what was there, no byte more, with one request for each burst.
func TestDMAMovesAll(t *testing.T) {
	rnd := rand.New(rand.NewPCG(10, 3))
	for range 500 {
		way, psize, msize := uint32(rnd.IntN(3)), uint32(rnd.IntN(3)), uint32(rnd.IntN(3))
		n := uint32(1+rnd.IntN(20)) << (2 - psize) // whole words, so that nothing is left over
		cr := way<<dir | psize<<ps | msize<<ms | uint32(rnd.IntN(4))<<pb | uint32(rnd.IntN(4))<<mb | dmaPINC | dmaMINC
		fcr := uint32(rnd.IntN(8))
		c := idle(t)
		for i := range 128 {
			c.mem.SRAM[i] = byte(rnd.Uint32())
		}
		d := dma2(c)
		from, to := uint32(sramBase), uint32(sramBase+512)
		if way == toPeripheral {
			from, to = to, from
			copy(c.mem.SRAM[512:], c.mem.SRAM[:128])
			fill(c.mem.SRAM[:512], 0)
		}
		stream(t, d, 0, from, to, n, fcr, cr)
		if get(t, d, 0)&dmaFEIF != 0 {
			continue // forbidden
		}
		pulses := 0
		for ; get(t, d, dmaCR(0))&dmaEN != 0 && pulses <= int(n); pulses++ {
			if way != memToMem {
				c.dmaPulse(reqADC1)
			}
			until(c, c.Cycle()+200)
		}
		s := &d.Streams[0]
		want := (n + s.pbeats() - 1) / s.pbeats()
		if way != memToMem && pulses != int(want) {
			t.Errorf("CR %#x, FCR %#x, %d items: %d requests, want %d", cr, fcr, n, pulses, want)
		}
		size := n << psize
		a, b := c.mem.SRAM[:size], c.mem.SRAM[512:512+size]
		if !bytes.Equal(a, b) || bytes.Count(c.mem.SRAM[512+size:1024], []byte{0}) != 512-int(size) && way != toPeripheral {
			t.Fatalf("CR %#x, FCR %#x, %d items:\n% x became\n% x", cr, fcr, n, a, b)
		}
	}
}

// What is assumed of how DMA and core share the buses is a caveat while a stream is
// on, and how they share flash while one reads it.
func TestDMACaveat(t *testing.T) {
	c := idle(t)
	if got := c.Caveats(); len(got) != 0 {
		t.Errorf("%q without DMA", got)
	}
	stream(t, dma2(c), 0, sramBase, sramBase+64, 100, 0, memToMem<<dir)
	if got := c.Caveats(); len(got) != 1 || !strings.Contains(got[0], "assumed") {
		t.Errorf("%q with a stream at work", got)
	}
	stream(t, dma2(c), 1, flashBase, sramBase+64, 100, 0, memToMem<<dir)
	if got := c.Caveats(); len(got) != 2 || !strings.Contains(got[1], "flash") {
		t.Errorf("%q with a stream that reads flash", got)
	}
	until(c, c.Cycle()+5000)
	if got := c.Caveats(); len(got) != 0 {
		t.Errorf("%q with all done", got)
	}
}
