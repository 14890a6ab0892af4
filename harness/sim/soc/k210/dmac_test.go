package k210

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
)

const (
	dmac = 0x50000000
	fft  = 0x42000000
)

// dmaBench is a chip at 390 MHz whose harts stand still, with the clocks of the blocks on and the
// DMAC enabled.
type dmaBench struct {
	*Chip
	t *testing.T
}

func newDMA(t *testing.T) dmaBench {
	t.Helper()
	b := dmaBench{New(Options{}), t}
	b.romHandOver()
	b.SYSCTL.CLK_EN_PERI = ^uint32(0)
	b.st(dmac+dmCFG, dmDMAC_EN|dmINT_EN)
	return b
}

func (b dmaBench) st(addr uint32, v uint64) {
	b.t.Helper()
	if f := b.store(uint64(addr), 8, v); f != bus.None {
		b.t.Fatalf("store to %s: %v (%s)", RegisterName(addr), f, b.lacking)
	}
}

func (b dmaBench) ld(addr uint32) uint64 {
	b.t.Helper()
	v, f := b.load(uint64(addr), 8)
	if f != bus.None {
		b.t.Fatalf("load of %s: %v", RegisterName(addr), f)
	}
	return v
}

// cycles lets time pass.
func (b dmaBench) cycles(n uint64) { b.Run(b.TimeOf(b.Clock + n)) }

// untilIdle runs until a channel is disabled, and returns the cycles that it took.
func (b dmaBench) untilIdle(ch int) (took uint64) {
	b.t.Helper()
	begin := b.Clock
	for b.ld(dmac+dmCHEN)>>ch&1 != 0 {
		if b.cycles(1); b.Clock > begin+1e7 {
			b.t.Fatalf("channel %d still waits: %+v", ch, b.DMAC.Channel[ch].Side)
		}
	}
	return b.Clock - begin
}

func (b dmaBench) enable(ch int) { b.st(dmac+dmCHEN, 0x101<<ch) }

func (b dmaBench) memory(addr uint32, n int) []byte { return b.ramAt(addr, uint32(n)) }

// transfer is what the SDK's dmac_set_single_mode is told.
type transfer struct {
	src, dst           uint32
	srcFixed, dstFixed bool
	srcWidth, dstWidth int // as in CTL
	srcMsize, dstMsize uint64
	ttfc               uint64
	items              int
	ctl, cfg           uint64 // further bits
}

func (b dmaBench) set(ch int, x transfer) {
	base := uint32(dmac + dmCHANNEL0 + ch<<8)
	b.st(base+dmCHCFG, x.ttfc<<32|uint64(ch)<<39|uint64(ch)<<44|x.cfg)
	b.st(base+dmSAR, uint64(x.src))
	b.st(base+dmDAR, uint64(x.dst))
	b.st(base+dmCTL, uint64(oneIf(x.srcFixed))<<4|uint64(oneIf(x.dstFixed))<<6|uint64(x.srcWidth)<<8|uint64(x.dstWidth)<<11|
		x.srcMsize<<14|x.dstMsize<<18|x.ctl)
	b.st(base+dmBLOCK_TS, uint64(x.items-1))
}

const (
	memToMem = 0
	memToPrf = 1
	prfToMem = 2
)

// Whatever the widths and the lengths of bursts, memory is copied, and nothing else.
func TestDMACopies(t *testing.T) {
	b := newDMA(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		x := transfer{
			src: 0x40010000 + 8*rnd.Uint32N(100), dst: 0x80020000 + 8*rnd.Uint32N(100),
			srcWidth: rnd.IntN(4), dstWidth: rnd.IntN(4), srcMsize: uint64(rnd.IntN(10)), dstMsize: uint64(rnd.IntN(10)),
			items: 8 * (1 + rnd.IntN(100)),
			ctl:   uint64(rnd.IntN(2))<<38 | uint64(rnd.IntN(20))<<39 | uint64(rnd.IntN(2))<<47 | uint64(rnd.IntN(20))<<48,
		}
		n := x.items << x.srcWidth
		for i := range b.memory(0x80010000, 0x20000) {
			b.ram[0x10000+i] = byte(rnd.Uint32())
		}
		want := bytes.Clone(b.memory(x.src, n))
		around := bytes.Clone(b.memory(x.dst-8, n+16))
		copy(around[8:], want)
		b.set(2, x)
		b.enable(2)
		b.untilIdle(2)
		if got := b.memory(x.dst-8, n+16); !bytes.Equal(got, around) {
			t.Fatalf("%+v: wrong copy", x)
		}
		if got := b.DMAC.Channel[2]; got.Level != 0 || got.INTSTATUS&dmDMA_TFR_DONE == 0 {
			t.Fatalf("%+v: %+v", x, got)
		}
	}
}

// Addresses that stay: memory is filled with an item, or an item is left in one place.
func TestDMAFixedAddresses(t *testing.T) {
	b := newDMA(t)
	copy(b.memory(0x40010000, 8), "abcdefgh")
	b.set(0, transfer{src: 0x40010000, dst: 0x40020000, srcFixed: true, srcWidth: 2, dstWidth: 2, srcMsize: 1, dstMsize: 1, items: 5})
	b.enable(0)
	b.untilIdle(0)
	if got, want := string(b.memory(0x40020000, 20)), strings.Repeat("abcd", 5); got != want {
		t.Errorf("filled with %q, want %q", got, want)
	}
	copy(b.memory(0x40020000, 24), "000011112222333344445555")
	b.set(0, transfer{src: 0x40020000, dst: 0x40010000, dstFixed: true, srcWidth: 2, dstWidth: 2, srcMsize: 2, dstMsize: 2, items: 6})
	b.enable(0)
	b.untilIdle(0)
	if got := string(b.memory(0x40010000, 8)); got != "5555efgh" {
		t.Errorf("left %q, want 5555efgh", got)
	}
}

// The stated time: a burst takes 10 cycles and one an item, reading and writing by turns.
func TestDMATime(t *testing.T) {
	tests := []struct {
		name  string
		x     transfer
		bytes int
		want  uint64
	}{
		{"bursts of 8", transfer{srcWidth: 3, dstWidth: 3, srcMsize: 2, dstMsize: 2}, 4096, 64 * 2 * (10 + 8)},
		{"longer ones are split by 64 bytes", transfer{srcWidth: 3, dstWidth: 3, srcMsize: 5, dstMsize: 5}, 4096, 64 * 2 * (10 + 8)},
		{"single bytes", transfer{}, 100, 100 * 2 * (10 + 1)},
		{"words read as bytes", transfer{srcWidth: 0, srcMsize: 3, dstWidth: 2, dstMsize: 1}, 160, 10*(10+16) + 10*(10+4)},
		{"by ARLEN and AWLEN", transfer{srcWidth: 3, dstWidth: 3, srcMsize: 2, dstMsize: 2, ctl: 1<<38 | 3<<39 | 1<<47 | 1<<48}, 4096, 128*(10+4) + 256*(10+2)},
		{"much", transfer{srcWidth: 3, dstWidth: 3, srcMsize: 2, dstMsize: 2}, 1 << 20, 1 << 14 * 2 * (10 + 8)},
	}
	for _, tt := range tests {
		b := newDMA(t)
		tt.x.src, tt.x.dst, tt.x.items = 0x40100000, 0x40300000, tt.bytes>>tt.x.srcWidth
		b.set(5, tt.x)
		b.enable(5)
		b.cycles(tt.want - 1)
		if b.ld(dmac+dmCHEN) != 1<<5 {
			t.Errorf("%s: done before %d cycles", tt.name, tt.want)
			continue
		}
		if more := b.untilIdle(5); more != 1 {
			t.Errorf("%s: took %d cycles, want %d", tt.name, tt.want-1+more, tt.want)
		}
	}
}

// The interrupt of channel 3 is source 30 (SDK plic.h). Status needs its enable, the
// interrupt its signal's and CFG's.
func TestDMAInterrupt(t *testing.T) {
	const ch3 = dmac + dmCHANNEL0 + 3<<8
	b := newDMA(t)
	done := func() {
		b.set(3, transfer{src: 0x40010000, dst: 0x40020000, items: 1, ctl: 1 << 58})
		b.enable(3)
		b.untilIdle(3)
	}
	tests := []struct {
		name                string
		status, signal, cfg uint64
		wantStatus          uint64
		wantIRQ             bool
	}{
		{"all", dmInterrupts, dmInterrupts, 3, dmBLOCK_TFR_DONE | dmDMA_TFR_DONE, true},
		{"as the SDK", 2, dmInterrupts, 3, dmDMA_TFR_DONE, true},
		{"no status", 0, dmInterrupts, 3, 0, false},
		{"no signal", 2, 1, 3, dmDMA_TFR_DONE, false},
		{"not in general", 2, 2, 1, dmDMA_TFR_DONE, false},
	}
	for _, tt := range tests {
		b.st(dmac+dmCFG, tt.cfg)
		b.st(ch3+dmINTSTATUS_EN, tt.status)
		b.st(ch3+dmINTSIGNAL_EN, tt.signal)
		done()
		if got := b.ld(ch3 + dmCHINTSTATUS); got != tt.wantStatus {
			t.Errorf("%s: INTSTATUS 0x%x, want 0x%x", tt.name, got, tt.wantStatus)
		}
		if got := b.PLIC.Level.has(30); got != tt.wantIRQ {
			t.Errorf("%s: interrupt %t, want %t", tt.name, got, tt.wantIRQ)
		}
		b.st(ch3+dmINTCLEAR, 0xFFFFFFFF)
		if b.PLIC.Level.has(30) || b.ld(ch3+dmCHINTSTATUS) != 0 {
			t.Errorf("%s: not cleared", tt.name)
		}
	}
}

// Registers as the SDK's dmac_init expects them, and halves as Linux's driver accesses them.
func TestDMARegisters(t *testing.T) {
	b := newDMA(t)
	b.st(dmac+dmRESET, 1)
	if b.ld(dmac+dmRESET) != 0 || b.ld(dmac+dmCFG) != 0 {
		t.Error("reset does not end")
	}
	for _, half := range []struct {
		addr, v uint32
	}{{dmac + dmCHANNEL0 + dmCTL, 0x12345678}, {dmac + dmCHANNEL0 + dmCTL + 4, 0x04000001}} {
		if f := b.store(uint64(half.addr), 4, uint64(half.v)); f != bus.None {
			t.Fatal(f)
		}
	}
	if got := b.ld(dmac + dmCHANNEL0 + dmCTL); got != 0x0400000112345678 {
		t.Errorf("CTL = 0x%x", got)
	}
	if got, _ := b.load(dmac+dmCHANNEL0+dmCTL+4, 4); got != 0x04000001 {
		t.Errorf("upper half of CTL = 0x%x", got)
	}
	b.enable(0)
	if b.ld(dmac+dmCHEN) != 0 || len(b.Warnings()) == 0 {
		t.Error("a channel was enabled while the DMAC was not")
	}
	if _, f := b.load(dmac, 8); f != bus.Unmodelled || b.lacking != "DMAC.ID" {
		t.Errorf("ID: %v %q", f, b.lacking)
	}
}

// A transfer that the SDK's fft_complex_uint16_dma makes: both channels wait for the
// block's requests.
func TestFFTByDMA(t *testing.T) {
	for _, tt := range []struct {
		n    int
		time uint64 // stated: N/8 bursts of 4 words in and out, and the computation
	}{{64, 432}, {128, 952}, {256, 2112}, {512, 4680}} {
		b := newDMA(t)
		x := fftVector(tt.n)
		for i, p := range x {
			binary.LittleEndian.PutUint16(b.memory(uint32(0x40010000+4*i), 2), uint16(p.Re))
			binary.LittleEndian.PutUint16(b.memory(uint32(0x40010002+4*i), 2), uint16(p.Im))
		}
		fftTransform(x, 0x1FF, false)
		b.DMAC.Channel[0].Warned = true
		b.SYSCTL.DMA_SEL[0] = dmaFFT_TX | dmaFFT_RX<<6
		point := map[int]uint64{512: 0, 256: 1, 128: 2, 64: 3}[tt.n]
		b.st(fft+ffCTRL, point|0x1FF<<4|ffENABLE|ffDMA_SEND)
		words := transfer{srcWidth: 3, dstWidth: 3, srcMsize: 1, dstMsize: 1, items: tt.n / 2}
		out, in := words, words
		out.src, out.dst, out.srcFixed, out.ttfc = fft+ffOUTPUT_FIFO, 0x40020000, true, prfToMem
		in.src, in.dst, in.dstFixed, in.ttfc = 0x40010000, fft+ffINPUT_FIFO, true, memToPrf
		b.set(1, out)
		b.set(0, in)
		b.enable(1)
		b.enable(0)
		took := b.untilIdle(1)
		bursts := uint64(tt.n / 8)
		if want := bursts*(10+4) + bursts*(10+4*3) + tt.time + bursts*(10+4*3) + bursts*(10+4); took != want {
			t.Errorf("%d points took %d cycles, want %d", tt.n, took, want)
		}
		for i, p := range x {
			re := int16(binary.LittleEndian.Uint16(b.memory(uint32(0x40020000+4*i), 2)))
			im := int16(binary.LittleEndian.Uint16(b.memory(uint32(0x40020002+4*i), 2)))
			if p != (fftPoint{re, im}) {
				t.Fatalf("%d points: [%d] = %d, %d, want %v", tt.n, i, re, im, p)
			}
		}
		if !b.PLIC.Level.has(26) {
			t.Errorf("%d points: no interrupt", tt.n)
		}
	}
}

// What is not modelled is named as the channel is enabled.
func TestDMANames(t *testing.T) {
	tests := []struct {
		x    transfer
		want string
	}{
		{transfer{ttfc: 4}, "a peripheral as flow controller"},
		{transfer{srcWidth: 4}, "items of more than 64 bits"},
		{transfer{dstMsize: 10}, "a reserved length of transactions"},
		{transfer{cfg: 2 << 2}, "shadow registers"},
		{transfer{cfg: 1}, "reloaded blocks without a linked list"},
		{transfer{ttfc: prfToMem, cfg: 1 << 37}, "a handshake that is active low"},
		{transfer{ctl: 1 << 57}, "fetching of status"},
		{transfer{srcWidth: 2, src: 2}, "an address or a size of a block that is no multiple of the item"},
		{transfer{dstWidth: 3, items: 9}, "an address or a size of a block that is no multiple of the item"},
	}
	for _, tt := range tests {
		b := newDMA(t)
		tt.x.src += 0x40010000
		tt.x.dst += 0x40020000
		tt.x.items = max(tt.x.items, 8)
		b.set(4, tt.x)
		if f := b.store(dmac+dmCHEN, 8, 0x101<<4); f != bus.Unmodelled || b.lacking != "DMAC channel 4 with "+tt.want {
			t.Errorf("%v, %q, want %q", f, b.lacking, tt.want)
		}
	}
}

func TestDMADecodeErrors(t *testing.T) {
	for _, tt := range []struct {
		src, dst uint32
		want     uint64
	}{
		{0x10000000, 0x40020000, 1 << 5},
		{0x40010000, 0x10000000, 1 << 6},
	} {
		b := newDMA(t)
		b.set(0, transfer{src: tt.src, dst: tt.dst, items: 8})
		b.enable(0)
		b.untilIdle(0)
		if got := b.ld(dmac + dmCHANNEL0 + dmCHINTSTATUS); got != tt.want {
			t.Errorf("0x%x to 0x%x: INTSTATUS 0x%x, want 0x%x", tt.src, tt.dst, got, tt.want)
		}
	}
}

// A transfer from a block that is not modelled stops the simulation, by name.
func TestDMAFromUnmodelledBlock(t *testing.T) {
	b := newDMA(t)
	b.set(0, transfer{src: 0x40840000, dst: 0x40020000, srcWidth: 2, dstWidth: 2, items: 8})
	b.enable(0)
	b.cycles(1000)
	if b.stopped.Kind != board.NotModelled || !strings.Contains(b.stopped.Text, "DMAC channel 0: ") {
		t.Errorf("%+v", b.stopped)
	}
}

// putLLI writes an item of a linked list.
func (b dmaBench) putLLI(at uint32, fields ...uint64) {
	for i, v := range fields {
		binary.LittleEndian.PutUint64(b.memory(at+uint32(8*i), 8), v)
	}
}

// A list that gathers three pieces: sources of the list, destinations contiguous. The
// second item becomes valid only later.
func TestDMALinkedList(t *testing.T) {
	const ch0 = dmac + dmCHANNEL0
	const valid, last, ioc = 1 << 63, 1 << 62, 1 << 58
	b := newDMA(t)
	copy(b.memory(0x40010000, 5), "first")
	copy(b.memory(0x40011000, 7), " second")
	copy(b.memory(0x40012000, 6), " third")
	b.putLLI(0x40018000, 0x40010000, 0xBAD, 4, 0x40018040, valid|ioc)
	b.putLLI(0x40018040, 0x40011000, 0xBAD, 6, 0x40018080, ioc)
	b.putLLI(0x40018080, 0x40012000, 0xBAD, 5, 0, valid|last|ioc)
	b.set(0, transfer{dst: 0x40020000, items: 1, cfg: 3})
	b.st(ch0+dmLLP, 0x40018000)
	b.enable(0)
	b.cycles(10_000)
	if got := b.ld(ch0 + dmCHINTSTATUS); got != dmBLOCK_TFR_DONE|dmINVALID_ERR {
		t.Errorf("at the invalid item: INTSTATUS 0x%x", got)
	}
	b.putLLI(0x40018060, valid|ioc)
	b.st(ch0+dmBLK_TFR, 1)
	b.untilIdle(0)
	if got := string(b.memory(0x40020000, 18)); got != "first second third" {
		t.Errorf("gathered %q", got)
	}
	for at := uint32(0x40018020); at < 0x400180C0; at += 64 {
		if b.memory(at+7, 1)[0]&0x80 != 0 {
			t.Errorf("the item at 0x%x is still valid", at)
		}
	}
	if got := b.ld(ch0 + dmCHINTSTATUS); got&dmDMA_TFR_DONE == 0 {
		t.Errorf("in the end: INTSTATUS 0x%x", got)
	}
}

func TestDMASuspendAndAbort(t *testing.T) {
	const ch1 = dmac + dmCHANNEL0 + 1<<8
	b := newDMA(t)
	b.set(1, transfer{src: 0x40010000, dst: 0x40020000, items: 10_000})
	b.enable(1)
	b.st(dmac+dmCHEN, 0x0202<<16)
	b.cycles(5000)
	done := b.ld(ch1 + dmSTATUS)
	if b.ld(ch1+dmCHINTSTATUS) != dmSUSPENDED || done == 0 || done == 10_000 {
		t.Errorf("suspended: INTSTATUS 0x%x, %d items", b.ld(ch1+dmCHINTSTATUS), done)
	}
	b.cycles(5000)
	if got := b.ld(ch1 + dmSTATUS); got != done {
		t.Errorf("%d items while suspended, want %d", got, done)
	}
	b.st(dmac+dmCHEN, 0x0200<<16)
	b.cycles(5000)
	if got := b.ld(ch1 + dmSTATUS); got <= done {
		t.Errorf("%d items after it, want more than %d", got, done)
	}
	b.st(dmac+dmCHEN, 0x0202<<32)
	if b.ld(dmac+dmCHEN) != 0 || b.ld(ch1+dmCHINTSTATUS)&dmABORTED == 0 {
		t.Error("not aborted")
	}
}

// A peripheral whose handshake is software's: each request moves a transaction of 4
// items, a single request one of the last two.
func TestDMASoftwareHandshake(t *testing.T) {
	const ch0 = dmac + dmCHANNEL0
	b := newDMA(t)
	copy(b.memory(0x40010000, 16), "0123456789")
	b.set(0, transfer{src: 0x40010000, dst: 0x40020000, srcMsize: 1, ttfc: prfToMem, cfg: 1 << 35, items: 6})
	b.enable(0)
	for _, step := range []struct{ request, done uint64 }{{0, 0}, {3, 4}, {0xC, 5}, {0xC, 6}} {
		b.st(ch0+dmINTCLEAR, dmTRANSCOMP)
		b.st(ch0+dmSWHSSRC, step.request)
		b.cycles(500)
		if got := b.ld(ch0+dmCHINTSTATUS)&dmTRANSCOMP != 0; got != (step.request != 0) {
			t.Errorf("request %x: transaction completed %t", step.request, got)
		}
		if step.done < 6 && b.ld(ch0+dmSTATUS) != step.done {
			t.Errorf("request %x: %d items, want %d", step.request, b.ld(ch0+dmSTATUS), step.done)
		}
	}
	if b.ld(dmac+dmCHEN) != 0 || string(b.memory(0x40020000, 6)) != "012345" {
		t.Error("not done")
	}
}

// Hart 0 reads a line through its cache and goes on; the DMAC writes it.
func TestDMAWarnsOfCaches(t *testing.T) {
	program := []uint32{
		0x00100293, // li t0, 1
		0x01F29293, // slli t0, t0, 31
		0x7C02A303, // lw t1, 0x7C0(t0)
		0x0000006F, // j .
	}
	for _, tt := range []struct {
		dst  uint32
		want int
	}{{0x400007D0, 1}, {0x800007D0, 1}, {0x40000800, 0}} {
		b := newDMA(t)
		code := make([]byte, 0, 12)
		for _, insn := range program {
			code = binary.LittleEndian.AppendUint32(code, insn)
		}
		if err := b.LoadRAM(0x80000000, code); err != nil {
			t.Fatal(err)
		}
		b.Start(0x80000000)
		b.SYSCTL.CLK_EN_PERI = ^uint32(0)
		b.cycles(500)
		b.set(0, transfer{src: 0x40050000, dst: tt.dst, items: 32})
		b.enable(0)
		b.cycles(5000)
		n := len(slices.DeleteFunc(b.Warnings(), func(w string) bool { return !strings.Contains(w, "data cache") }))
		if n != tt.want {
			t.Errorf("to 0x%x: %d warnings, want %d: %s", tt.dst, n, tt.want, b.Warnings())
		}
	}
}

// A snapshot in the middle of a transfer goes on as the chip itself.
func TestDMASnapshot(t *testing.T) {
	b := newDMA(t)
	b.set(0, transfer{src: 0x40010000, dst: 0x40020000, srcWidth: 3, dstWidth: 3, srcMsize: 2, dstMsize: 2, items: 1000})
	b.enable(0)
	b.cycles(1500)
	s := b.Snapshot()
	b.cycles(5000)
	want := b.Digest()
	b.Restore(s)
	b.cycles(5000)
	if b.Digest() != want {
		t.Error("another digest")
	}
}

// Whatever is written to a channel's registers, the DMAC comes to an end or waits.
func FuzzDMAC(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Add(bytes.Repeat([]byte{0xFF, 3}, 20))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := renewed()
		c.store(dmac+dmCFG, 8, 3)
		for len(data) >= 10 {
			off := uint64(binary.LittleEndian.Uint16(data)) & 0x3F8
			v := binary.LittleEndian.Uint64(data[2:])
			if off&0xF8 == dmSAR || off&0xF8 == dmDAR || off&0xF8 == dmLLP {
				v = 0x40000000 | v&0x1FFFF8
			}
			c.store(dmac+off, 8, v)
			c.Run(c.TimeOf(c.Clock + 100))
			data = data[10:]
		}
		c.Run(c.TimeOf(c.Clock + 10_000))
	})
}

// Whatever is read and written there, FFT and I2S go on.
func FuzzFFTAndI2S(f *testing.F) {
	f.Add([]byte{0x80, 2, 0x0F, 0x20, 0, 2})
	f.Add(bytes.Repeat([]byte{0xFF, 3, 9}, 20))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := renewed()
		for len(data) >= 6 {
			off := uint64(binary.LittleEndian.Uint16(data))
			v := uint64(binary.LittleEndian.Uint32(data[2:]))
			base := []uint64{fft, i2s0, i2s0}[off>>12%3]
			if off&(1<<11) != 0 {
				c.load(base+off&0x3FC, 4)
			} else {
				c.store(base+off&0x3F8, 8, v<<32|v)
			}
			c.Run(c.TimeOf(c.Clock + 3000))
			data = data[6:]
		}
	})
}

var fuzzed = New(Options{})

// renewed is one chip for all inputs, for a new one takes long, with its blocks reset.
func renewed() *Chip {
	c := fuzzed
	c.stopped, c.warnings = board.Stop{}, nil
	c.resetParts(resetPin)
	c.romHandOver()
	c.SYSCTL.CLK_EN_PERI, c.SYSCTL.Hz[2] = ^uint32(0), 26_000_000
	return c
}
