package k210

import (
	"encoding/binary"
	"slices"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

const (
	i2s0    = 0x50250000
	i2s0ch0 = i2s0 + i2CHANNEL0
)

// i2sBench is a chip whose I2S0 has an SCLK of 1 MHz, and a microphone at the pins of a Maix Bit
// that says when it was asked.
type i2sBench struct {
	dmaBench
	asked []clock.Time
	say   int32
}

func newI2S(t *testing.T) *i2sBench {
	t.Helper()
	b := &i2sBench{dmaBench: newDMA(t), say: 0x123456}
	b.SYSCTL.Hz[2], b.SYSCTL.PLL[2], b.SYSCTL.Locked[2] = 26_000_000, pllPWRD|pllOUT_EN, true
	b.SYSCTL.CLK_TH[3] = 12
	for pin, fn := range map[uint32]uint32{18: 88, 19: 89, 20: 90} {
		b.set32(0x502B0000+4*pin, fn|ioBoth)
	}
	err := b.ConnectI2S(18, 19, 20, false, func(at clock.Time) int32 {
		b.asked = append(b.asked, at)
		return b.say
	})
	if err != nil {
		t.Fatal(err)
	}
	b.setClocks()
	return b
}

func (b *i2sBench) set32(addr, v uint32) {
	b.t.Helper()
	if f := b.store(uint64(addr), 4, uint64(v)); f != bus.None {
		b.t.Fatalf("store to %s: %v (%s)", RegisterName(addr), f, b.lacking)
	}
}

func (b *i2sBench) get32(addr uint32) uint32 {
	b.t.Helper()
	v, f := b.load(uint64(addr), 4)
	if f != bus.None {
		b.t.Fatalf("load of %s: %v", RegisterName(addr), f)
	}
	return uint32(v)
}

// receive starts the receiver of channel 0, with slots of 32 SCLKs: a frame has 64 us.
func (b *i2sBench) receive(ccr, rcr uint32) {
	for ch := uint32(1); ch < 4; ch++ {
		b.set32(i2s0ch0+ch<<6+i2RER, 0)
	}
	b.set32(i2s0+i2CCR, 2<<3|ccr)
	b.set32(i2s0ch0+i2RCR, rcr)
	b.set32(i2s0+i2IRER, 1)
	b.set32(i2s0+i2CER, 1)
	b.set32(i2s0+i2IER, 1)
}

func (b *i2sBench) pass(d clock.Time) { b.Run(b.Now() + d) }

// A microphone of the left channel is asked at each falling edge of WS, by a frame of 64 SCLKs;
// the pair is there when its frame is over.
func TestI2SReceives(t *testing.T) {
	b := newI2S(t)
	begin := b.Now()
	b.receive(1<<5, 5)
	b.pass(63 * clock.Microsecond)
	if got := b.get32(i2s0ch0 + i2ISR); got != i2sTXFE {
		t.Errorf("ISR in the first frame = 0x%x", got)
	}
	b.pass(2 * clock.Microsecond)
	if got := b.get32(i2s0ch0 + i2ISR); got != i2sTXFE|i2sRXDA {
		t.Errorf("ISR behind the first frame = 0x%x", got)
	}
	b.pass(130 * clock.Microsecond)
	for range 3 {
		left, right := b.get32(i2s0ch0+i2LEFT), b.get32(i2s0ch0+i2RIGHT)
		if left != 0x12345600 || right != 0 {
			t.Errorf("received 0x%x, 0x%x", left, right)
		}
	}
	for i, at := range b.asked {
		want := begin + clock.Time(i)*64*clock.Microsecond
		if at != want {
			t.Errorf("asked at %d, want %d", at, want)
		}
	}
	if len(b.asked) != 4 || len(b.Warnings()) != 0 {
		t.Errorf("asked %d times, want 4; %q", len(b.asked), b.Warnings())
	}
}

// 24 bits, the first behind the first SCLK of the slot, as received by all
// resolutions and alignments. Expected words are made by hand from the bits on the line:
// 0 1000 0000 1111 0000 0001 0010, then zeros.
func TestI2SFormats(t *testing.T) {
	const standard, right, left = 1 << 5, 2 << 5, 4 << 5
	const slot32 = 2 << 3
	tests := []struct {
		name     string
		ccr, rcr uint32
		want     uint32
	}{
		{"all of the slot", slot32 | standard, 0, 0x80F01200},
		{"12 bits", slot32 | standard, 1, 0x80F},
		{"16 bits", slot32 | standard, 2, 0x80F0},
		{"20 bits", slot32 | standard, 3, 0x80F01},
		{"24 bits", slot32 | standard, 4, 0x80F012},
		{"32 bits", slot32 | standard, 5, 0x80F01200},
		{"sign of 16 bits", slot32 | standard | ccrSIGN_EXPAND, 2, 0xFFFF80F0},
		{"sign of 24 bits", slot32 | standard | ccrSIGN_EXPAND, 4, 0xFF80F012},
		{"left-justified", slot32 | left, 4, 0x407809},
		{"right-justified", slot32 | right, 4, 0xF01200 >> 1},
		{"a slot of 16 SCLKs", standard, 5, 0x80F0},
	}
	for _, tt := range tests {
		b := newI2S(t)
		b.say = 0x80F012 - 1<<24
		b.receive(0, tt.rcr)
		b.set32(i2s0+i2CCR, tt.ccr)
		b.pass(70 * clock.Microsecond)
		if got := b.get32(i2s0ch0 + i2LEFT); got != tt.want {
			t.Errorf("%s: 0x%x, want 0x%x", tt.name, got, tt.want)
		}
	}
}

// The FIFO holds 16 pairs; the next one is lost and flagged until ROR is read. Interrupts are
// source 5's (SDK plic.h).
func TestI2SOverrun(t *testing.T) {
	b := newI2S(t)
	b.set32(i2s0ch0+i2RFCR, 7)
	b.set32(i2s0ch0+i2IMR, i2sInterrupts&^i2sRXDA)
	b.receive(1<<5, 4)
	b.pass(7*64*clock.Microsecond + clock.Microsecond)
	if b.PLIC.Level.has(5) {
		t.Error("interrupt at seven pairs")
	}
	b.pass(64 * clock.Microsecond)
	if !b.PLIC.Level.has(5) {
		t.Error("no interrupt at eight pairs")
	}
	b.pass(8 * 64 * clock.Microsecond)
	if got := b.get32(i2s0ch0 + i2ISR); got&i2sRXFO != 0 {
		t.Error("overrun at 16 pairs")
	}
	b.pass(64 * clock.Microsecond)
	if got := b.get32(i2s0ch0 + i2ISR); got&i2sRXFO == 0 {
		t.Error("no overrun at 17 pairs")
	}
	if b.get32(i2s0ch0+i2ROR) != 1 || b.get32(i2s0ch0+i2ROR) != 0 {
		t.Error("reading ROR does not clear it")
	}
	b.set32(i2s0ch0+i2RFF, 1)
	if b.get32(i2s0ch0+i2ISR)&i2sRXDA != 0 || b.PLIC.Level.has(5) {
		t.Error("not flushed")
	}
}

// As the SDK's i2s_receive_data_dma: words of left and right slots by turns, or both in one.
func TestI2SReceivesByDMA(t *testing.T) {
	for _, tt := range []struct {
		name string
		ccr  uint32
		want []uint32
	}{
		{"words", 1<<5 | ccrDMA_RX_EN, []uint32{0xFFFF8001, 0, 0xFFFF8002, 0, 0xFFFF8003, 0, 0xFFFF8004, 0}},
		{"halves", 1<<5 | ccrDMA_RX_EN | ccrDMA_DIVIDE_16, []uint32{0x8001, 0x8002, 0x8003, 0x8004}},
	} {
		b := newI2S(t)
		b.microphones[0].sample = func(clock.Time) int32 { b.say++; return (b.say - 0x8000) << 8 }
		b.say = 0
		b.SYSCTL.DMA_SEL[0] = dmaI2S0_TX + 1
		b.dmaBench.set(0, transfer{src: i2s0 + i2RXDMA, dst: 0x40020000, srcFixed: true, srcWidth: 2, dstWidth: 2, ttfc: prfToMem, items: len(tt.want)})
		b.enable(0)
		b.receive(tt.ccr|ccrSIGN_EXPAND, 2)
		b.pass(4*64*clock.Microsecond + 2*clock.Microsecond)
		var got []uint32
		for i := range tt.want {
			got = append(got, binary.LittleEndian.Uint32(b.memory(uint32(0x40020000+4*i), 4)))
		}
		if !slices.Equal(got, tt.want) || b.ld(dmac+dmCHEN) != 0 {
			t.Errorf("%s: %x, want %x", tt.name, got, tt.want)
		}
	}
}

// A transmitter takes a pair a frame; the 17th write of a pair is lost, unless a frame has begun.
func TestI2SSends(t *testing.T) {
	b := newI2S(t)
	for range 17 {
		b.set32(i2s0ch0+i2LEFT, 1)
		b.set32(i2s0ch0+i2RIGHT, 2)
	}
	if b.get32(i2s0ch0+i2ISR) != i2sTXFO || b.get32(i2s0ch0+i2TOR) != 1 {
		t.Error("no overrun at 17 pairs")
	}
	b.set32(i2s0ch0+i2TFCR, 12)
	b.set32(i2s0+i2ITER, 1)
	b.receive(1<<5, 5)
	b.pass(2*64*clock.Microsecond + clock.Microsecond) // three frames have begun
	if got := b.get32(i2s0ch0 + i2ISR); got&i2sTXFE != 0 {
		t.Errorf("ISR at 13 pairs = 0x%x", got)
	}
	b.pass(64 * clock.Microsecond)
	if got := b.get32(i2s0ch0 + i2ISR); got&i2sTXFE == 0 {
		t.Errorf("ISR at 12 pairs = 0x%x", got)
	}
}

// The DMAC keeps the transmitter's FIFO full enough, by words and by halves.
func TestI2SSendsByDMA(t *testing.T) {
	for _, divide := range []uint32{0, ccrDMA_DIVIDE_16} {
		b := newI2S(t)
		for i := range uint32(40) {
			binary.LittleEndian.PutUint32(b.memory(0x40010000+4*i, 4), i<<16|i)
		}
		b.SYSCTL.DMA_SEL[0] = dmaI2S0_TX
		b.set32(i2s0ch0+i2TFCR, 3)
		for ch := uint32(1); ch < 4; ch++ {
			b.set32(i2s0ch0+ch<<6+i2TER, 0)
		}
		b.set32(i2s0+i2ITER, 1)
		b.dmaBench.set(0, transfer{src: 0x40010000, dst: i2s0 + i2TXDMA, dstFixed: true, srcWidth: 2, dstWidth: 2, ttfc: memToPrf, items: 40})
		b.enable(0)
		b.receive(1<<5|ccrDMA_TX_EN|divide, 5)
		b.pass(30 * clock.Microsecond)
		if got := b.I2S[0].Channel[0].TX.Len; got != 4 {
			t.Errorf("%d pairs in the FIFO, want 4", got)
		}
		b.pass(64 * 40 * clock.Microsecond)
		if b.ld(dmac+dmCHEN) != 0 || b.I2S[0].Channel[0].TX.Len != 0 || b.I2S[0].Channel[0].TXFO {
			t.Error("not all sent")
		}
	}
}

// WS on its pin: low from the frame's begin, high in the middle.
func TestI2SWordSelect(t *testing.T) {
	b := newI2S(t)
	b.SetPower(true)
	type edge struct {
		high bool
		at   clock.Time
	}
	var edges []edge
	b.Watch(func(p board.Pin, high bool, at clock.Time) {
		if p == 19 {
			edges = append(edges, edge{high, at})
		}
	})
	b.SYSCTL.CLK_EN_PERI = ^uint32(0)
	b.SYSCTL.PLL[2], b.SYSCTL.Locked[2], b.SYSCTL.CLK_TH[3] = pllPWRD|pllOUT_EN, true, 12
	b.set32(0x502B0000+4*19, 89|ioBoth)
	b.setClocks()
	edges = nil
	begin := b.Now()
	b.receive(1<<5, 5)
	b.pass(150 * clock.Microsecond)
	want := []edge{{true, 32}, {false, 64}, {true, 96}, {false, 128}}
	for i := range edges {
		edges[i].at = (edges[i].at - begin + clock.Microsecond/2) / clock.Microsecond
	}
	if !slices.Equal(edges, want) {
		t.Errorf("edges %v, want %v", edges, want)
	}
}

func TestI2SNames(t *testing.T) {
	b := newI2S(t)
	for _, tt := range []struct {
		addr, v uint32
		want    string
	}{
		{i2s0 + 0x204, 1, "APU.CTL"},
		{i2s0 + i2CCR, 1, "I2S0.CCR with gated SCLK"},
		{i2s0 + 0x1F4, 1, "I2S0.I2S_COMP_PARAM_1"},
	} {
		if f := b.store(uint64(tt.addr), 4, uint64(tt.v)); f != bus.Unmodelled || b.lacking != tt.want {
			t.Errorf("%v %q, want %q", f, b.lacking, tt.want)
		}
	}
	b.get32(0x50260000 + i2RXDMA)
	b.get32(i2s0ch0 + i2LEFT)
	if got := b.Warnings(); len(got) != 2 || got[0] != "I2S1.RXDMA read while no channel receives" {
		t.Errorf("%q", got)
	}
}

// A new divider begins a new frame; a clock that stops, stops frames.
func TestI2SClockChange(t *testing.T) {
	b := newI2S(t)
	b.receive(1<<5, 5)
	b.pass(100 * clock.Microsecond)
	b.asked = nil
	begin := b.Now()
	b.set32(0x50440000+syCLK_TH0+12, 25) // 500 kHz
	b.pass(130 * clock.Microsecond)
	if want := []clock.Time{begin, begin + 128*clock.Microsecond}; !slices.Equal(b.asked, want) {
		t.Errorf("asked at %d, want %d", b.asked, want)
	}
	b.set32(0x50440000+syCLK_EN_PERI, 1<<20)
	b.asked = nil
	b.pass(clock.Millisecond)
	if len(b.asked) != 0 {
		t.Error("frames without the block's clock")
	}
}

func TestI2SSnapshot(t *testing.T) {
	b := newI2S(t)
	b.receive(1<<5, 5)
	b.pass(100 * clock.Microsecond)
	s := b.Snapshot()
	b.pass(500 * clock.Microsecond)
	want := b.Digest()
	b.Restore(s)
	b.pass(500 * clock.Microsecond)
	if b.Digest() != want {
		t.Error("another digest")
	}
}
