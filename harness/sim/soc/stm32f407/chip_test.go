package stm32f407

import (
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/soc/fidelity"
	"rigor/harness/sim/soc/soctest"
)

// Addresses that tests use, RM0090 §2.3.
const (
	rcc0   = 0x40023800
	pwr0   = 0x40007000
	flash0 = 0x40023C00
	gpioA  = 0x40020000
	gpioB  = 0x40020400
	sysc0  = 0x40013800
	exti0  = 0x40013C00
	rng0   = 0x50060800
)

// endless is a program that loops: vectors, then "b .".
func endless() []byte { return program(0xE7FE) }

// program is a vector table with its code behind it.
func program(code ...uint16) []byte {
	b := binary.LittleEndian.AppendUint32(nil, 0x20010000)
	b = binary.LittleEndian.AppendUint32(b, flashBase+9)
	for _, h := range code {
		b = binary.LittleEndian.AppendUint16(b, h)
	}
	return b
}

// started is a chip that runs the image, just out of reset.
func started(t *testing.T, opt Options, image []byte) *Chip {
	t.Helper()
	c := New(opt)
	if err := c.LoadFlash(flashBase, image); err != nil {
		t.Fatal(err)
	}
	c.SetPower(true)
	run(t, c, powerOnReset)
	if !c.Running {
		t.Fatal("not running after the power-on delay")
	}
	return c
}

func run(t *testing.T, c *Chip, d clock.Time) {
	t.Helper()
	if stop := c.Run(c.Now() + d); stop.Kind != board.Running {
		t.Fatal(stop)
	}
}

func ld(t *testing.T, c *Chip, addr uint32) uint32 {
	t.Helper()
	v, f := cpuBus{c}.Load(addr, 4)
	if f != bus.None {
		t.Fatalf("load %s: %v", RegisterName(addr), f)
	}
	return v
}

func st(t *testing.T, c *Chip, addr, v uint32) {
	t.Helper()
	if f := (cpuBus{c}).Store(addr, 4, v); f != bus.None {
		t.Fatalf("store %s: %v", RegisterName(addr), f)
	}
}

// gates opens every clock gate.
func gates(t *testing.T, c *Chip) {
	for _, off := range []uint32{0x30, 0x34, 0x38, 0x40, 0x44} {
		st(t, c, rcc0+off, 0xFFFFFFFF)
	}
}

func warned(c *Chip, part string) bool {
	return slices.ContainsFunc(c.Warnings(), func(w string) bool { return strings.Contains(w, part) })
}

// The SVD gives RM0090's reset values; those that a fresh power-on or the
// simulated board changes are here.
func TestResetValues(t *testing.T) {
	c := started(t, Options{}, endless())
	if got := ld(t, c, rcc0+0x30); got != ahb1CCM {
		t.Errorf("RCC.AHB1ENR resets to %#x, want %#x", got, ahb1CCM)
	}
	gates(t, c)
	differs := map[string]uint32{
		"PWR.CSR":       pwrVOSRDY, // the regulator is ready at once
		"DBGMCU.IDCODE": dbgIDCODE,
		"GPIOA.IDR":     0xA000, // the pull-ups of JTMS and JTDI
		"GPIOB.IDR":     0x0010, // and of NJTRST
	}
	for _, p := range peripherals {
		b := c.block(p.Base)
		if b == nil || b.dev == nil {
			continue
		}
		for _, r := range p.Registers {
			name := p.Name + "." + r.Name
			want, ok := differs[name]
			if !ok {
				want = r.Reset
			}
			if p.Name == "RCC" && strings.HasSuffix(r.Name, "ENR") && !strings.HasSuffix(r.Name, "LPENR") {
				continue // the test itself opened the gates
			}
			v, f := cpuBus{c}.Load(p.Base+r.Offset, 4)
			if f == bus.None && v != want {
				t.Errorf("%s resets to %#x, want %#x", name, v, want)
			}
		}
	}
}

func TestResetFlags(t *testing.T) {
	c := started(t, Options{}, endless())
	tests := []struct {
		name string
		do   func()
		want uint32 // RM0090 §7.3.21
	}{
		{"power-on", func() {}, csrPORRSTF | csrBORRSTF | csrPINRSTF},
		{"removed", func() { st(t, c, rcc0+0x74, csrRMVF) }, 0},
		{"reset pin", func() { c.SetReset(true); c.SetReset(false); run(t, c, resetPulse) }, csrPINRSTF},
		{"power cycle", func() { c.SetPower(false); c.SetPower(true); run(t, c, powerOnReset) }, csrPORRSTF | csrBORRSTF | csrPINRSTF},
	}
	for _, tt := range tests {
		tt.do()
		if got := ld(t, c, rcc0+0x74); got != tt.want {
			t.Errorf("%s: CSR %#x, want %#x", tt.name, got, tt.want)
		}
	}
}

// AIRCR.SYSRESETREQ by a program: str r1, [r0]; the flag is SFTRSTF.
func TestSoftwareReset(t *testing.T) {
	code := program(0x4801, 0x4902, 0x6001, 0xE7FE) // ldr r0,=; ldr r1,=; str; b .
	code = binary.LittleEndian.AppendUint32(code, 0xE000ED0C)
	code = binary.LittleEndian.AppendUint32(code, 0x05FA0004)
	c := started(t, Options{}, code)
	run(t, c, 2*clock.Microsecond)
	if c.Running {
		t.Fatal("still running after SYSRESETREQ")
	}
	if got := c.RCC.CSR & csrSFTRSTF; got == 0 {
		t.Error("SFTRSTF is not set")
	}
	run(t, c, resetPulse)
	if c.Stats().Instructions < 4 {
		t.Error("not started again")
	}
}

// Cold and warm reset differ in RAM: RM0090 §2.3.1 leaves it undefined after
// power-on and untouched by a reset.
func TestRAMOverResets(t *testing.T) {
	c := started(t, Options{Seed: 1}, endless())
	first := slices.Clone(c.mem.SRAM)
	if slices.Equal(first[:1024], make([]byte, 1024)) {
		t.Error("RAM is zero after power-on")
	}
	c.mem.SRAM[5] ^= 0xFF
	want := c.mem.SRAM[5]
	c.SetReset(true)
	c.SetReset(false)
	run(t, c, resetPulse)
	if c.mem.SRAM[5] != want {
		t.Error("a warm reset changed RAM")
	}
	c.SetPower(false)
	c.SetPower(true)
	run(t, c, powerOnReset)
	if slices.Equal(first, c.mem.SRAM) {
		t.Error("two power-ons find the same RAM")
	}
	if again := started(t, Options{Seed: 1}, endless()); !slices.Equal(first, again.mem.SRAM) {
		t.Error("one seed gives two contents")
	}
}

// RM0090 §2.4, table 2.
func TestBootModes(t *testing.T) {
	tests := []struct {
		boot0, boot1 board.DriveKind
		rdp          byte
		mode         uint8
		booting      bool
	}{
		{board.DriveLow, board.DriveLow, rdpOff, remapFlash, false},
		{board.DriveLow, board.DriveHigh, rdpOff, remapFlash, false},
		{board.HiZ, board.HiZ, rdpOff, remapFlash, false},
		{board.DriveHigh, board.DriveLow, rdpOff, remapSystem, true},
		{board.DriveHigh, board.DriveHigh, rdpOff, remapSRAM, false},
		{board.DriveHigh, board.DriveLow, rdpForever, remapFlash, false},
	}
	for _, tt := range tests {
		c := New(Options{RDP: tt.rdp})
		if err := c.LoadFlash(flashBase, endless()); err != nil {
			t.Fatal(err)
		}
		c.Drive(pinBOOT0, board.Drive{Kind: tt.boot0}, 0)
		c.Drive(pinBOOT1, board.Drive{Kind: tt.boot1}, 0)
		c.SetPower(true)
		c.Run(powerOnReset)
		if c.BootMode != tt.mode || c.Booting != tt.booting {
			t.Errorf("%+v: mode %d, booting %v", tt, c.BootMode, c.Booting)
		}
	}
}

func TestStopsByName(t *testing.T) {
	load := func(addr uint32) []byte { // ldr r0,=addr; ldr r0,[r0]; b .
		return binary.LittleEndian.AppendUint32(program(0x4801, 0x6800, 0xE7FE, 0xBF00), addr)
	}
	tests := []struct {
		addr uint32
		want string
	}{
		{rcc0 + 0x80, "stm32f407: RCC.SSCGR not modelled, PC 0x0800000a"},
		{0x40012C04, "stm32f407: SDIO+0x04 not modelled, PC 0x0800000a"},
		{0x50050000, "stm32f407: DCMI+0x00 not modelled, PC 0x0800000a"},
		{0x50000008, "stm32f407: OTG_FS+0x08 not modelled, PC 0x0800000a"},
		{0x60000000, "stm32f407: FSMC memory banks not modelled, PC 0x0800000a"},
		{0x1FFF0000, "stm32f407: machine code of the boot loader in system memory not modelled, PC 0x0800000a"},
	}
	for _, tt := range tests {
		c := started(t, Options{}, load(tt.addr))
		stop := c.Run(c.Now() + clock.Microsecond)
		if stop.Kind != board.NotModelled || stop.Text != tt.want {
			t.Errorf("%#x: %q, want %q", tt.addr, stop.Text, tt.want)
		}
	}
}

// Holes in the map of RM0090 §2.3, and blocks that other parts of the family
// have (CRYP, GPIOJ, LTDC).
func TestBusErrors(t *testing.T) {
	c := started(t, Options{}, endless())
	for _, addr := range []uint32{0x40007800, 0x40014C00, 0x40022400, 0x40016800, 0x40023400, 0x50060000,
		0x08100000, 0x0C000000, 0x10010000, 0x1FFF7C00, 0x20020000, 0x1FFFC010} {
		if _, f := (cpuBus{c}).Load(addr, 4); f != bus.Error {
			t.Errorf("load 0x%08x: %v, want a bus error", addr, f)
		}
		if f := (cpuBus{c}).Store(addr, 4, 0); f != bus.Error {
			t.Errorf("store 0x%08x: %v, want a bus error", addr, f)
		}
	}
}

func TestClockGate(t *testing.T) {
	c := started(t, Options{}, endless())
	st(t, c, gpioA+0x14, 0x1234)
	if v := ld(t, c, gpioA); v != 0 {
		t.Errorf("GPIOA.MODER reads %#x without its clock, want 0", v)
	}
	if !warned(c, "GPIOA used while its clock is off") || len(c.Warnings()) != 1 {
		t.Errorf("warnings: %q", c.Warnings())
	}
	st(t, c, rcc0+0x30, 1)
	if v := ld(t, c, gpioA+0x14); v != 0 {
		t.Errorf("GPIOA.ODR %#x: the write without a clock went through", v)
	}
}

// RM0090 §2.3: identification, option bytes, system memory.
func TestSystemMemory(t *testing.T) {
	uid := [12]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	c := started(t, Options{UID: uid, LoaderVersion: 0x91}, endless())
	for addr, want := range map[uint32]uint32{
		0x1FFF7A10: 0x04030201,
		0x1FFF7A18: 0x0C0B0A09,
		0x1FFF7A20: 0x0400FFFF,
		0x1FFFC000: 0x5500AAFF, // RDP 0xAA, USER 0xFF and their complement
		0x1FFFC008: 0x0000FFFF,
		0x1FFF7800: 0xFFFFFFFF,
		0xE0042000: dbgIDCODE,
	} {
		if v := ld(t, c, addr); v != want {
			t.Errorf("0x%08x reads %#08x, want %#08x", addr, v, want)
		}
	}
	if v, _ := (cpuBus{c}).Load(0x1FFF77DE, 1); v != 0x91 {
		t.Errorf("loader id %#x, want 0x91", v)
	}
}

// RM0090 §2.1.11: an APB bridge repeats narrow data; GPIO takes lanes (§8.4).
func TestNarrowAccess(t *testing.T) {
	c := started(t, Options{}, endless())
	gates(t, c)
	if f := (cpuBus{c}).Store(sysc0+0x08, 1, 0x21); f != bus.None {
		t.Fatal(f)
	}
	if v := ld(t, c, sysc0+0x08); v != 0x2121 {
		t.Errorf("SYSCFG.EXTICR1 %#x after a byte store, want 0x2121", v)
	}
	if f := (cpuBus{c}).Store(gpioB+0x15, 1, 0xA5); f != bus.None {
		t.Fatal(f)
	}
	if v := ld(t, c, gpioB+0x14); v != 0xA500 {
		t.Errorf("GPIOB.ODR %#x after a byte store, want 0xA500", v)
	}
	if v, _ := (cpuBus{c}).Load(gpioB+0x15, 1); v != 0xA5 {
		t.Errorf("byte load %#x, want 0xA5", v)
	}
}

func TestRemap(t *testing.T) {
	c := started(t, Options{}, endless())
	gates(t, c)
	st(t, c, sysc0, remapSystem)
	if _, f := (cpuBus{c}).Load(0, 4); f != bus.Unmodelled {
		t.Errorf("system memory at 0: %v", f)
	}
	st(t, c, sysc0, remapFSMC)
	if _, f := (cpuBus{c}).Load(0, 4); f != bus.Unmodelled || c.lacking != "FSMC memory banks" {
		t.Errorf("FSMC at 0: %v, %s", f, c.lacking)
	}
}

func TestReadProtectionShutsFlash(t *testing.T) {
	c := New(Options{RDP: 0x55})
	if err := c.LoadFlash(flashBase, endless()); err != nil {
		t.Fatal(err)
	}
	c.Drive(pinBOOT0, board.Drive{Kind: board.DriveHigh}, 0)
	c.Drive(pinBOOT1, board.Drive{Kind: board.DriveHigh}, 0)
	c.SetPower(true)
	c.Run(powerOnReset)
	if _, f := (cpuBus{c}).Load(flashBase, 4); f != bus.Error {
		t.Errorf("flash read from a program in RAM at level 1: %v, want a bus error", f)
	}
}

// What a restored chip does is what the original did, to the bit.
func TestSnapshot(t *testing.T) {
	c := started(t, Options{Seed: 7}, endless())
	gates(t, c)
	st(t, c, rcc0, 0x83|crHSEON)
	st(t, c, rng0, rngEN)
	snap, before := c.Snapshot(), c.Digest()
	run(t, c, 3*clock.Millisecond)
	after, warnings := c.Digest(), c.Warnings()
	if after == before {
		t.Fatal("three milliseconds changed nothing")
	}
	other := New(Options{Seed: 7})
	for _, x := range []*Chip{c, other} {
		x.Restore(snap)
		if x.Digest() != before {
			t.Error("the restored chip has another digest")
		}
		run(t, x, 3*clock.Millisecond)
		if x.Digest() != after || !slices.Equal(x.Warnings(), warnings) {
			t.Error("the restored chip went another way")
		}
	}
}

func TestNamesAreCurrent(t *testing.T) { soctest.NamesAreCurrent(t, "stm32f407") }

func TestStateIsPlain(t *testing.T) {
	soctest.IsPlain(t, "state", reflect.TypeFor[state]())
	soctest.IsPlain(t, "core", reflect.TypeOf(New(Options{}).core.Snapshot()))
}

// No access of a program may panic, whatever it says.
func TestRandomAccesses(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	c := started(t, Options{}, endless())
	gates(t, c)
	for range 200_000 {
		b := &c.blocks[rnd.IntN(len(c.blocks))]
		addr := b.base + uint32(rnd.IntN(0x90))
		if rnd.IntN(20) == 0 {
			addr = rnd.Uint32()
		}
		width := uint8(1) << rnd.IntN(3)
		v := rnd.Uint32() >> rnd.IntN(32)
		if rnd.IntN(2) == 0 {
			cpuBus{c}.Load(addr, width)
		} else {
			cpuBus{c}.Store(addr, width, v)
		}
		if rnd.IntN(50) == 0 {
			c.core.Cycle += rnd.Uint64N(100_000)
			c.sync()
		}
	}
}

// Every peripheral of the SVD is in the table, but those of other parts.
func TestFidelityIsComplete(t *testing.T) {
	elsewhere := []string{"GPIOJ", "GPIOK", "CRYP", "LTDC", "FPU"}
	rows := map[string]bool{}
	for _, r := range Fidelity() {
		rows[r.Block] = true
	}
	for _, p := range peripherals {
		name := p.Name
		if strings.HasPrefix(name, "ADC") {
			name = "ADC"
		}
		if !rows[name] && !slices.Contains(elsewhere, name) {
			t.Errorf("%s is not in the fidelity table", name)
		}
	}
	c := New(Options{})
	for _, b := range c.blocks {
		if (b.dev == nil) != (b.status == fidelity.Faults) {
			t.Errorf("%s: status %s, device %v", b.name, b.status, b.dev)
		}
	}
}

// requested is the level of an NVIC line.
func requested(c *Chip, irq int) bool {
	n := 16 + irq
	return c.core.Sys.Line[n/64]>>(n%64)&1 != 0
}

func TestWhatCannotRun(t *testing.T) {
	c := started(t, Options{}, endless())
	if err := c.LoadRAM(ccmBase, []byte{0xFE, 0xE7}); err != nil {
		t.Fatal(err)
	}
	c.core.R[15] = ccmBase
	if stop := c.Run(c.Now() + clock.Microsecond); stop.Kind != board.Lockup { // a bus fault without a handler
		t.Errorf("code in CCM runs: %v", stop)
	}
}

// Without its clock CCM answers with nothing; its gate is open after reset
// (RM0090 §7.3.10).
func TestCCMClock(t *testing.T) {
	c := started(t, Options{}, endless())
	st(t, c, rcc0+0x30, 0)
	if v := ld(t, c, ccmBase); v != 0 || !warned(c, "CCM used while its clock is off") {
		t.Errorf("CCM reads %#x, %q", v, c.Warnings())
	}
}

func TestMemoryAccessOfTools(t *testing.T) {
	c := New(Options{UID: [12]byte{0xAB}})
	if err := c.LoadFlash(flashBase+flashSize-2, []byte{1, 2}); err != nil {
		t.Error(err)
	}
	for _, addr := range []uint32{flashBase - 1, flashBase + flashSize - 1, 0, 0xFFFFFFFF} {
		if c.LoadFlash(addr, []byte{1, 2}) == nil {
			t.Errorf("flash loaded at 0x%08x", addr)
		}
		if c.LoadRAM(addr, []byte{1, 2}) == nil {
			t.Errorf("RAM loaded at 0x%08x", addr)
		}
	}
	if b, err := c.ReadMemory(uidBase, 2); err != nil || b[0] != 0xAB {
		t.Errorf("UID % x, %v", b, err)
	}
	if b, err := c.ReadMemory(flashBase+flashSize-2, 2); err != nil || b[1] != 2 {
		t.Errorf("flash % x, %v", b, err)
	}
	if _, err := c.ReadMemory(flashBase+flashSize-2, 3); err == nil {
		t.Error("read past the end of flash")
	}
}

// The trace shows each access with its time, place and outcome.
func TestTrace(t *testing.T) {
	var got []Access
	c := started(t, Options{Trace: func(a Access) { got = append(got, a) }}, endless())
	st(t, c, rcc0+0x30, 1)
	ld(t, c, rcc0+0x30)
	pc, at := c.core.R[15], c.core.Cycle
	want := []Access{
		{Cycle: at, PC: pc, Addr: rcc0 + 0x30, Value: 1, Width: 4, Write: true},
		{Cycle: at, PC: pc, Addr: rcc0 + 0x30, Value: 1, Width: 4},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if name := RegisterName(rcc0 + 0x30); name != "RCC.AHB1ENR" {
		t.Errorf("named %s", name)
	}
}
