package esp32c3

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"hash/crc32"
	"math"
	"slices"
	"strings"
	"testing"

	"rigor/harness/sim/clock"
	"rigor/harness/sim/nor"
)

// caller calls functions of the ROM from the core.
type caller struct {
	*Chip
	t *testing.T
}

const (
	callerCode  = 0x40380000 // `j .`
	callerStack = 0x3FCC0000
	callerData  = 0x3FC90000
)

func newCaller(t *testing.T) *caller {
	t.Helper()
	c := New(Options{})
	c.GPIO.STRAP = 0
	c.Powered = true
	c.nor.SetPower(true, 0)
	c.watchBoot(false)
	c.poke(rtcBaseRegs+0xB0, 0x8F1D312A)
	c.poke(rtcBaseRegs+0xAC, 1<<31)
	c.ROM.Loader.Ticks = uint32(c.Clocks.CPU / 1_000_000)
	c.romFlashDefaults()
	c.romAttach()
	if err := c.LoadRAM(callerCode, spin); err != nil {
		t.Fatal(err)
	}
	c.romHand(callerCode, romBack)
	return &caller{c, t}
}

// call runs a function to its end and returns a0 and a1.
func (c *caller) call(name string, args ...uint32) uint64 {
	c.t.Helper()
	i := slices.Index(romNames, name)
	if i < 0 {
		c.t.Fatalf("no %s in the ROM", name)
	}
	return c.callAt(romBase+romEntries+4*uint32(i), args...)
}

func (c *caller) callAt(pc uint32, args ...uint32) uint64 {
	c.t.Helper()
	s := &c.core.State
	s.X[1], s.X[2], s.PC = callerCode, callerStack, uint64(pc)
	for i, v := range args {
		s.X[10+i] = signed(v)
	}
	for end := c.Now() + 60*clock.Second; uint32(s.PC) != callerCode; {
		if stop := c.Run(c.Now() + clock.Microsecond); stop.Err() != nil {
			c.t.Fatal(stop.Err())
		}
		if c.Now() > end || uint32(s.PC) == romBase+romHang {
			c.t.Fatalf("no return from 0x%08x: %v", pc, c.Warnings())
		}
	}
	for _, x := range []uint64{s.X[10], s.X[11]} {
		if x != signed(uint32(x)) {
			c.t.Fatalf("a register of 0x%x is not sign-extended", x)
		}
	}
	return uint64(uint32(s.X[10])) | s.X[11]<<32
}

func (c *caller) put(addr uint32, p []byte) {
	c.t.Helper()
	if err := c.LoadRAM(addr, p); err != nil {
		c.t.Fatal(err)
	}
}

func (c *caller) get(addr uint32, n int) []byte {
	c.t.Helper()
	p, err := c.ReadMemory(addr, n)
	if err != nil {
		c.t.Fatal(err)
	}
	return p
}

// Values that a definition of the function gives (GCC internals, libgcc; IEEE 754).
func TestArithmetic(t *testing.T) {
	const (
		nan   = 0x7FF8000000000000
		inf   = 0x7FF0000000000000
		nan32 = 0x7FC00000
		inf32 = 0x7F800000
	)
	d := math.Float64bits
	f := func(v float32) uint64 { return uint64(math.Float32bits(v)) }
	pair := func(a, b uint64) []uint32 { return []uint32{uint32(a), uint32(a >> 32), uint32(b), uint32(b >> 32)} }
	minus := func(n int64) uint64 { return uint64(n) }
	tests := []struct {
		name string
		args []uint32
		want uint64
		wide bool // a1 counts
	}{
		{"__divdi3", pair(minus(-7), 2), minus(-3), true},
		{"__moddi3", pair(minus(-7), 2), minus(-1), true},
		{"__divdi3", pair(1<<63, minus(-1)), 1 << 63, true},
		{"__udivdi3", pair(minus(-1), 10), 0x1999999999999999, true},
		{"__umoddi3", pair(minus(-1), 10), 5, true},
		{"__udivdi3", pair(5, 0), math.MaxUint64, true},
		{"__muldi3", pair(0x123456789, 0x987654321), 0x123456789 * 0x987654321 & math.MaxUint64, true},
		{"__ashldi3", []uint32{1, 0, 40}, 1 << 40, true},
		{"__ashrdi3", []uint32{0, 0x80000000, 63}, minus(-1), true},
		{"__lshrdi3", []uint32{0, 0x80000000, 63}, 1, true},
		{"__cmpdi2", pair(minus(-1), 1), 0, false},
		{"__ucmpdi2", pair(minus(-1), 1), 2, false},
		{"__clzdi2", []uint32{1, 0}, 63, false},
		{"__ctzdi2", []uint32{0, 4}, 34, false},
		{"__ffsdi2", []uint32{0, 0}, 0, false},
		{"__ffssi2", []uint32{8}, 4, false},
		{"__clrsbsi2", []uint32{0xFFFFFFFF}, 31, false},
		{"__clrsbdi2", []uint32{0, 0x40000000}, 0, false},
		{"__popcountdi2", []uint32{0xFF, 0xF}, 12, false},
		{"__paritysi2", []uint32{7}, 1, false},
		{"__bswapsi2", []uint32{0x11223344}, 0x44332211, false},
		{"__bswapdi2", []uint32{0x55667788, 0x11223344}, 0x8877665544332211, true},
		{"__absvdi2", []uint32{0xFFFFFFFE, 0xFFFFFFFF}, 2, true},
		{"__divsi3", []uint32{0x80000000, 0xFFFFFFFF}, 0x80000000, false},
		{"__modsi3", []uint32{0xFFFFFFF9, 2}, 0xFFFFFFFF, false},
		{"__umodsi3", []uint32{7, 0}, 7, false},

		{"__adddf3", pair(d(0.1), d(0.2)), d(0.1 + math.Float64frombits(d(0.2))), true},
		{"__subdf3", pair(inf, inf), nan, true},
		{"__muldf3", pair(d(3), d(-0.5)), d(-1.5), true},
		{"__divdf3", pair(d(1), d(3)), 0x3FD5555555555555, true},
		{"__divdf3", pair(d(1), 0), inf, true},
		{"__adddf3", pair(0xFFF0000000000001, d(1)), nan, true},
		{"__negdf2", []uint32{0, 0}, 1 << 63, true},
		{"__powidf2", []uint32{0, 0x40000000, 0xFFFFFFFD}, d(0.125), true},
		{"__addsf3", []uint32{uint32(f(1)), uint32(f(5.9604645e-08))}, f(1), false},
		{"__mulsf3", []uint32{1, uint32(f(0.5))}, 0, false},
		{"__divsf3", []uint32{uint32(f(1)), uint32(f(3))}, 0x3EAAAAAB, false},
		{"__subsf3", []uint32{inf32, inf32}, nan32, false},

		{"__eqdf2", pair(d(0), 1<<63), 0, false},
		{"__nedf2", pair(nan, nan), 1, false},
		{"__gedf2", pair(nan, d(1)), 0xFFFFFFFE, false},
		{"__ltdf2", pair(nan, d(1)), 2, false},
		{"__ltdf2", pair(d(-1), d(1)), 0xFFFFFFFF, false},
		{"__gtsf2", []uint32{uint32(f(2)), uint32(f(1))}, 1, false},
		{"__unordsf2", []uint32{nan32, 0}, 1, false},

		{"__floatdidf", []uint32{0xFFFFFFFF, 0xFFFFFFFF}, d(-1), true},
		{"__floatundidf", []uint32{0xFFFFFFFF, 0xFFFFFFFF}, d(18446744073709551616), true},
		{"__floatundisf", []uint32{0x00000001, 0x80000080}, 0x5F000001, false}, // rounded once
		{"__fixdfsi", []uint32{uint32(d(-2.9)), uint32(d(-2.9) >> 32)}, 0xFFFFFFFE, false},
		{"__fixdfsi", []uint32{uint32(d(1e10)), uint32(d(1e10) >> 32)}, 0x7FFFFFFF, false},
		{"__fixdfdi", []uint32{0, 0xFFF00000}, 1 << 63, true},
		{"__fixunsdfsi", []uint32{uint32(d(-5)), uint32(d(-5) >> 32)}, 0, false},
		{"__fixunssfdi", []uint32{uint32(f(1e30))}, math.MaxUint64, true},
		{"__extendsfdf2", []uint32{uint32(f(1.5))}, d(1.5), true},
		{"__extendsfdf2", []uint32{0xFF800001}, 0xFFF8000020000000, true},
		{"__truncdfsf2", []uint32{uint32(d(0.1)), uint32(d(0.1) >> 32)}, 0x3DCCCCCD, false},
		{"__truncdfsf2", []uint32{0, 0xFFF80000}, nan32, false},
		{"__powidf2", []uint32{5, 0x7FF00000, 1}, 0x7FF0000000000005, true}, // nothing is computed
		{"__divsc3", []uint32{uint32(f(1)), uint32(f(2)), uint32(f(3)), uint32(f(4))}, f(0.44) | f(0.08)<<32, true},
		{"__mulsc3", []uint32{uint32(f(1)), uint32(f(2)), uint32(f(3)), uint32(f(4))}, f(-5) | f(10)<<32, true},
	}
	c := newCaller(t)
	for _, test := range tests {
		got := c.call(test.name, test.args...)
		if !test.wide {
			got &= math.MaxUint32
		}
		if got != test.want {
			t.Errorf("%s(%x): got 0x%x, want 0x%x", test.name, test.args, got, test.want)
		}
	}
}

// C99 annex G.5.1: what is infinite in one part is infinite, and the result of
// doubles is where a0 points.
func TestComplex(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	tests := []struct {
		name         string
		a, b, c, d   float64
		wantRe, want float64
	}{
		{"__muldc3", 1, 2, 3, 4, -5, 10},
		{"__muldc3", inf, nan, 1, 1, inf, inf},
		{"__muldc3", nan, 0, 1, 1, nan, nan},
		{"__divdc3", 1, 2, 3, 4, 0.44, 0.08},
		{"__divdc3", 1, 1, 0, 0, inf, inf},
		{"__divdc3", 1, 1, inf, nan, 0, 0},
		{"__divdc3", inf, 0, 2, 0, inf, nan},
	}
	c := newCaller(t)
	for _, test := range tests {
		args := []uint32{callerData}
		for _, v := range []float64{test.a, test.b, test.c, test.d} {
			args = append(args, uint32(math.Float64bits(v)), uint32(math.Float64bits(v)>>32))
		}
		c.put(callerStack, words(args[8]))
		c.call(test.name, args[:8]...)
		p := c.get(callerData, 16)
		re, im := math.Float64frombits(binary.LittleEndian.Uint64(p)), math.Float64frombits(binary.LittleEndian.Uint64(p[8:]))
		same := func(got, want float64) bool { return got == want || got != got && want != want }
		if !same(re, test.wantRe) || !same(im, test.want) {
			t.Errorf("%s(%v, %v, %v, %v): %v, %v", test.name, test.a, test.b, test.c, test.d, re, im)
		}
	}
}

func TestDivisionsWithRemainder(t *testing.T) {
	c := newCaller(t)
	if got := c.call("__udivmoddi4", 0xFFFFFFFF, 0xFFFFFFFF, 10, 0, callerData); got != 0x1999999999999999 {
		t.Errorf("quotient 0x%x", got)
	}
	if got := binary.LittleEndian.Uint64(c.get(callerData, 8)); got != 5 {
		t.Errorf("remainder %d", got)
	}
	if got := uint32(c.call("__udiv_w_sdiv", callerData, 1, 1, 2)); got != 0x80000000 {
		t.Errorf("quotient 0x%x", got)
	}
	if got := binary.LittleEndian.Uint32(c.get(callerData, 4)); got != 1 {
		t.Errorf("remainder %d", got)
	}
}

func TestOverflowAborts(t *testing.T) {
	c := newCaller(t)
	s := &c.core.State
	i := slices.Index(romNames, "__addvsi3")
	s.X[10], s.X[11], s.PC = 0x7FFFFFFF, 1, uint64(romBase+romEntries+4*i)
	c.Run(c.Now() + clock.Millisecond)
	if uint32(s.PC) != romBase+romHang || !strings.Contains(strings.Join(c.Warnings(), " "), "aborts") {
		t.Errorf("pc 0x%08x, %v", s.PC, c.Warnings())
	}
}

func TestMemoryFunctions(t *testing.T) {
	c := newCaller(t)
	c.put(callerData, []byte("0123456789"))
	if got := uint32(c.call("memmove", callerData+2, callerData, 8)); got != callerData+2 || string(c.get(callerData, 10)) != "0101234567" {
		t.Errorf("memmove: 0x%08x, %q", got, c.get(callerData, 10))
	}
	c.call("memset", callerData, 'x', 3)
	if got := string(c.get(callerData, 5)); got != "xxx12" {
		t.Errorf("memset: %q", got)
	}
	if got := uint32(c.call("__gcc_bcmp", callerData, callerData+1, 2)); got != 0 {
		t.Errorf("bcmp of what is equal: %d", got)
	}
	if got := uint32(c.call("crc32_le", 0, callerData, 5)); got != crc32.ChecksumIEEE([]byte("xxx12")) {
		t.Errorf("crc32_le: 0x%08x", got)
	}
}

// Decoded code does not outlive being written by the ROM.
func TestMemcpyOfCode(t *testing.T) {
	c := newCaller(t)
	const code, from = 0x40384000, callerData
	c.put(code, words(0x00100513, 0x00008067)) // li a0, 1; ret
	if got := uint32(c.callAt(code)); got != 1 {
		t.Fatalf("got %d", got)
	}
	c.put(from, words(0x00200513))
	c.call("memcpy", code-iramBase+dramBase, from, 4)
	if got := uint32(c.callAt(code)); got != 2 {
		t.Errorf("the old code runs: %d", got)
	}
}

func TestMD5(t *testing.T) {
	c := newCaller(t)
	const ctx, sum = callerData, callerData + 0x100
	data := testData(1000)
	c.put(callerData+0x200, data)
	c.call("MD5Init", ctx)
	for at := 0; at < len(data); at += 77 {
		c.call("MD5Update", ctx, uint32(callerData+0x200+at), uint32(min(77, len(data)-at)))
	}
	c.call("MD5Final", sum, ctx)
	if want := md5.Sum(data); !bytes.Equal(c.get(sum, 16), want[:]) {
		t.Errorf("got %x, want %x", c.get(sum, 16), want)
	}
}

// tinfl_decompress in small pieces, into a buffer that wraps.
func TestTinfl(t *testing.T) {
	const self, in, out, inSize, outSize = callerData, callerData + 0x4000, callerData + 0x10000, callerData - 8, callerData - 4
	data := testData(100_000)
	z := deflated(data)
	c := newCaller(t)
	c.put(self, words(0))
	var got []byte
	next := uint32(0)
	status := int32(1)
	for len(z) > 0 && status > 0 {
		n := min(1000, len(z))
		c.put(in, z[:n])
		used := 0
		for {
			c.put(inSize, words(uint32(n-used), 0x8000-next))
			status = int32(uint32(c.call("tinfl_decompress", self, uint32(in+used), inSize, out, out+next, outSize, 1|2)))
			made := binary.LittleEndian.Uint32(c.get(outSize, 4))
			used += int(binary.LittleEndian.Uint32(c.get(inSize, 4)))
			got = append(got, c.get(out+next, int(made))...)
			next = (next + made) % 0x8000
			if status != int32(inflateMoreRoom) {
				break
			}
		}
		z = z[used:]
	}
	if status != int32(inflateEnd) || !bytes.Equal(got, data) || len(z) != 0 {
		t.Errorf("status %d, %d bytes of %d, %d left", status, len(got), len(data), len(z))
	}
}

func TestFlashFunctions(t *testing.T) {
	c := newCaller(t)
	if err := c.LoadFlash(0x1000, make([]byte, 0x3000)); err != nil {
		t.Fatal(err)
	}
	takes := func(name string, want clock.Time, args ...uint32) {
		t.Helper()
		start := c.Now()
		if got := uint32(c.call(name, args...)); got != flashOK {
			t.Fatalf("%s: result %d", name, got)
		}
		if d := c.Now() - start; d < want || d > want+want/10+20*clock.Microsecond {
			t.Errorf("%s took %d us, want %d", name, d/clock.Microsecond, want/clock.Microsecond)
		}
	}
	takes("esp_rom_spiflash_erase_sector", 45*clock.Millisecond, 2)
	data := testData(300)
	c.put(callerData, data)
	takes("esp_rom_spiflash_write", 1025*clock.Microsecond, 0x2010, callerData, 300) // ten programs: 10 x 30 us + 290 x 2.5 us
	if got := c.nor.Data()[0x2010 : 0x2010+300]; !bytes.Equal(got, data) || c.nor.Data()[0x1FFF] != 0 || c.nor.Data()[0x3000] != 0 {
		t.Error("flash holds something else")
	}
	c.call("esp_rom_spiflash_read", 0x2010, callerData+0x1000, 300)
	if !bytes.Equal(c.get(callerData+0x1000, 300), data) {
		t.Error("read something else")
	}
	takes("esp_rom_spiflash_erase_block", 150*clock.Millisecond, 0)
	takes("SPIEraseArea", 195*clock.Millisecond, 0x10000, 0x11000)
	if got := uint32(c.call("esp_rom_spiflash_erase_sector", 0x400)); got != flashErr {
		t.Errorf("beyond the end: %d", got)
	}
	c.call("esp_rom_spi_flash_update_id")
	if got := c.get(romFlashChip, 4); !bytes.Equal(got, []byte{0x16, 0x40, 0xEF, 0}) {
		t.Errorf("id %x", got)
	}
	c.call("esp_rom_spiflash_read_statushigh", romFlashChip, callerData)
	if got := binary.LittleEndian.Uint32(c.get(callerData, 4)); got != 0x200 {
		t.Errorf("status 0x%x", got)
	}
}

// The ROM takes the protection of blocks away.
func TestFlashUnlock(t *testing.T) {
	c := newCaller(t)
	c.flashExec(&nor.Transaction{Cmd: nor.VolatileWriteEnable})
	c.flashExec(&nor.Transaction{Cmd: nor.WriteStatus1, Out: []byte{0x1C}})
	c.call("esp_rom_spiflash_unlock")
	if got := c.flashStatus(nor.ReadStatus1); got != 0 {
		t.Errorf("status 0x%02x", got)
	}
}

func TestDelay(t *testing.T) {
	c := newCaller(t)
	start := c.core.Cycle
	c.call("ets_delay_us", 1000)
	want := uint64(c.ROM.Loader.Ticks) * 1000
	if got := c.core.Cycle - start; got < want || got > want+100 {
		t.Errorf("%d cycles, want %d", got, want)
	}
}

// Results of rom/cache.h, and pages mapped.
func TestMMUSet(t *testing.T) {
	c := newCaller(t)
	tests := []struct {
		args []uint32
		want uint32
	}{
		{[]uint32{0, dromBase, 0, 64, 128, 0}, 0},
		{[]uint32{0, dromBase + 1, 0, 64, 1, 0}, 1},
		{[]uint32{0, dromBase, 0, 32, 1, 0}, 2},
		{[]uint32{0, dromBase + 0x10000, 0, 64, 128, 0}, 4},
		{[]uint32{0, dromBase, 0xFF0000, 64, 2, 0}, 3},
		{[]uint32{0, dromBase, 0x20000, 64, 2, 0}, 0},
		{[]uint32{0, dromBase + 0x20000, 0x20000, 64, 2, 1}, 0},
	}
	for _, test := range tests {
		if got := uint32(c.call("Cache_Dbus_MMU_Set", test.args...)); got != test.want {
			t.Errorf("%x: %d, want %d", test.args, got, test.want)
		}
	}
	if got := c.EXTMEM.MMU[:5]; !slices.Equal(got, []uint32{2, 3, 2, 2, 4}) {
		t.Errorf("table %x", got)
	}
}

// counter attaches a handler to the interrupt that FROM_CPU_0 raises; it counts
// in the word at arg.
func (c *caller) counter(arg uint32) {
	c.t.Helper()
	const handler = 0x40384000
	c.put(handler, words(
		0x600C02B7, // lui t0, 0x600C0
		0x0202A423, // sw zero, 0x28(t0): FROM_CPU_0 off
		0x00052303, // lw t1, 0(a0)
		0x00130313, // addi t1, t1, 1
		0x00652023, // sw t1, 0(a0)
		0x00008067, // ret
	))
	c.put(arg, words(0))
	c.call("intr_matrix_set", 0, sourceFromCPU, 7)
	c.call("esprv_intc_int_set_priority", 7, 1)
	c.call("ets_isr_attach", 7, handler, arg)
	c.call("ets_isr_unmask", 1<<7)
}

// A handler attached to an interrupt runs with the ROM's vectors and returns to
// what it interrupted, a function of the ROM that waits among them.
func TestHandlers(t *testing.T) {
	c := newCaller(t)
	const arg = callerData
	c.counter(arg)
	c.poke(0x600C0028, 1)
	before := c.core.X
	c.call("ets_delay_us", 100)
	if got := binary.LittleEndian.Uint32(c.get(arg, 4)); got != 1 {
		t.Errorf("the handler ran %d times", got)
	}
	if c.core.X[2] != signed(callerStack) || c.core.X[8] != before[8] || c.core.Mstatus&8 == 0 {
		t.Errorf("sp 0x%x, mstatus 0x%x", c.core.X[2], c.core.Mstatus)
	}
}

// Functions that take long are interrupted: a receiver's FIFO would run over.
func TestLongFunctionsAreInterrupted(t *testing.T) {
	c := newCaller(t)
	const arg, ctx = callerData, callerData + 0x100
	c.counter(arg)
	c.call("MD5Init", ctx)
	s := &c.core.State
	s.X[1], s.X[10], s.X[11], s.X[12] = callerCode, ctx, callerData, 16384
	s.PC = uint64(romBase + romEntries + 4*slices.Index(romNames, "MD5Update"))
	c.Run(c.Now() + clock.Millisecond)
	c.poke(0x600C0028, 1)
	c.Run(c.Now() + romLook + 5*clock.Microsecond)
	if got := binary.LittleEndian.Uint32(c.get(arg, 4)); got != 1 || uint32(s.PC) == callerCode {
		t.Errorf("the handler ran %d times, pc 0x%08x", got, s.PC)
	}
	c.Run(c.Now() + 10*clock.Millisecond)
	if uint32(s.PC) != callerCode {
		t.Errorf("pc 0x%08x after it all", s.PC)
	}
}

// What is missing stops by name.
func TestMissingFunctionIsNamed(t *testing.T) {
	for _, test := range []struct {
		pc   uint32
		want string
	}{{0x400000CC, "tdefl_compress"}, {0x400015BC, "the radio's function at 0x400015bc"}, {0x40050100, "code at 0x40050100"}} {
		c := newCaller(t)
		c.core.State.PC = uint64(test.pc)
		if stop := c.Run(c.Now() + clock.Millisecond); stop.Text != "esp32c3: ROM: "+test.want+" not modelled, PC 0x"+strings.TrimPrefix(stop.Text[len(stop.Text)-8:], "0x") {
			t.Errorf("0x%08x: %q", test.pc, stop.Text)
		}
	}
}
