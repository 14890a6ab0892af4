package esp32c3

import (
	"encoding/binary"
	"reflect"
	"strings"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/soc/fidelity"
	"rigor/harness/sim/soc/soctest"
)

// Instructions of RV32I, by the formats of volume I §2.3.

func iType(op, rd, f3, rs1 uint32, imm int32) uint32 {
	return uint32(imm)<<20 | rs1<<15 | f3<<12 | rd<<7 | op
}

func addi(rd, rs1 uint32, imm int32) uint32 { return iType(0x13, rd, 0, rs1, imm) }
func lw(rd, rs1 uint32, imm int32) uint32   { return iType(0x03, rd, 2, rs1, imm) }
func lui(rd, imm20 uint32) uint32           { return imm20<<12 | rd<<7 | 0x37 }
func sltu(rd, rs1, rs2 uint32) uint32       { return rs2<<20 | rs1<<15 | 3<<12 | rd<<7 | 0x33 }
func csrw(csr uint32, rs1 uint32) uint32    { return csr<<20 | rs1<<15 | 1<<12 | 0x73 }
func csrsi(csr uint32, imm uint32) uint32   { return csr<<20 | imm<<15 | 6<<12 | 0x73 }

func sw(rs2, rs1 uint32, imm int32) uint32 {
	u := uint32(imm)
	return u>>5&0x7F<<25 | rs2<<20 | rs1<<15 | 2<<12 | u&31<<7 | 0x23
}

func jal(rd uint32, to int32) uint32 {
	u := uint32(to)
	return u>>20&1<<31 | u>>1&0x3FF<<21 | u>>11&1<<20 | u>>12&0xFF<<12 | rd<<7 | 0x6F
}

func bne(rs1, rs2 uint32, to int32) uint32 {
	u := uint32(to)
	return u>>12&1<<31 | u>>5&0x3F<<25 | rs2<<20 | rs1<<15 | 1<<12 | u>>1&15<<8 | u>>11&1<<7 | 0x63
}

const (
	wfi     = 0x10500073
	mret    = 0x30200073
	mstatus = 0x300
	mtvec   = 0x305
	mieBit  = 8
)

func code(words ...uint32) []byte {
	var b []byte
	for _, w := range words {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}

// endless is a loop at its own address.
func endless() []byte { return code(jal(0, 0)) }

// started is a chip behind its ROM, which the program in IRAM does without.
func started(t *testing.T, opt Options, program []byte) *Chip {
	t.Helper()
	c := New(opt)
	c.SetPower(true)
	c.romReset()
	c.ScheduleAt(slotReset, clock.NeverTime)
	c.GPIO.STRAP = 0 // no boot from flash, which watchdogs would watch
	c.rtcSetCause(c.Cause)
	*c.RTC.reg(rtcSWD_CONF) |= swdDISABLE
	c.swdSchedule()
	if err := c.LoadRAM(iramBase, program); err != nil {
		t.Fatal(err)
	}
	c.startCore(iramBase)
	return c
}

// run runs for a while and wants the chip to survive it.
func run(t *testing.T, c *Chip, d clock.Time) {
	t.Helper()
	if s := c.Run(c.Now() + d); s.Kind != board.Running {
		t.Fatal(s)
	}
}

// ld and st are accesses of the core to a register, which have to work.
func ld(t *testing.T, c *Chip, addr uint32) uint32 {
	t.Helper()
	v, f := cpuBus{c}.Load(uint64(addr), 4)
	if f != bus.None {
		t.Fatalf("load of %s: %v %s", RegisterName(addr), f, c.lacking)
	}
	return uint32(v)
}

func st(t *testing.T, c *Chip, addr, v uint32) {
	t.Helper()
	if f := (cpuBus{c}).Store(uint64(addr), 4, uint64(v)); f != bus.None {
		t.Fatalf("store to %s: %v %s", RegisterName(addr), f, c.lacking)
	}
}

// Bases of the blocks that tests use.
const (
	rtc0    = 0x60008000
	efuse0  = 0x60008800
	timg0   = 0x6001F000
	st0     = 0x60023000
	apb0    = 0x60026000
	system0 = 0x600C0000
	matrix0 = 0x600C2000
	extmem0 = 0x600C4000
	mmu0    = 0x600C5000
)

// fast selects 160 MHz as TinyGo's run time does.
func fast(t *testing.T, c *Chip) {
	t.Helper()
	st(t, c, system0+0x58, 1<<10)
	st(t, c, system0+0x08, 0xD)
}

func TestNamesAreCurrent(t *testing.T) { soctest.NamesAreCurrent(t, "esp32c3") }

// Every peripheral of the SVD is in the table, and what the table calls
// modelled is.
func TestFidelityIsComplete(t *testing.T) {
	rows := map[string]bool{}
	for _, r := range Fidelity() {
		rows[r.Block] = true
	}
	for _, p := range peripherals {
		if !rows[p.Name] {
			t.Errorf("%s is not in the fidelity table", p.Name)
		}
	}
	c := New(Options{})
	for i, b := range c.blocks {
		if (b.dev == nil) != (b.status == fidelity.Faults) {
			t.Errorf("%s: status %s, device %v", b.name, b.status, b.dev)
		}
		if i > 0 && b.base < c.blocks[i-1].base+c.blocks[i-1].size {
			t.Errorf("%s is out of order", b.name)
		}
	}
}

// The registers' reset values are those of the SVD file, in the blocks that
// keep what software writes.
func TestResetValues(t *testing.T) {
	c := started(t, Options{}, endless())
	st(t, c, system0+0x10, 0xFFFFFFFF)
	differs := map[string]uint32{
		"SYSTEM.PERIP_CLK_EN0":       0xFFFFFFFF, // the test itself opened the gates
		"SYSTEM.SYSCLK_CONF":         1 | 40<<12, // the crystal's rate in MHz
		"RTC_CNTL.RESET_STATE":       0x3001,     // power-on
		"RTC_CNTL.SWD_CONF":          0x44B00000, // disabled by the helper
		"EFUSE.RD_MAC_SPI_SYS_0":     0x00000001,
		"EFUSE.RD_MAC_SPI_SYS_1":     0x00000200,
		"EFUSE.RD_MAC_SPI_SYS_3":     4 << 18, // v0.4
		"EFUSE.STATUS":               1,
		"TIMG0.RTCCALICFG1":          29257<<7 | 1>>1, // replaced below
		"APB_CTRL.RND_DATA":          0,
		"INTERRUPT_CORE0.CLOCK_GATE": 1,
	}
	checked := []string{"SYSTEM", "RTC_CNTL", "EFUSE", "TIMG0", "TIMG1", "SYSTIMER", "APB_CTRL", "INTERRUPT_CORE0", "EXTMEM"}
	cycling := uint32(d256Period/xtalPeriod)<<7 | 1 // RC_FAST/256 is being calibrated, over one cycle
	differs["TIMG0.RTCCALICFG1"], differs["TIMG1.RTCCALICFG1"] = cycling, cycling
	for _, p := range peripherals {
		if !strings.Contains(" "+strings.Join(checked, " ")+" ", " "+p.Name+" ") {
			continue
		}
		for _, r := range p.Registers {
			name := p.Name + "." + r.Name
			want, ok := differs[name]
			if !ok {
				want = r.Reset
			}
			v, f := cpuBus{c}.Load(uint64(p.Base+r.Offset), 4)
			if f == bus.None && uint32(v) != want && name != "APB_CTRL.RND_DATA" {
				t.Errorf("%s resets to %#x, want %#x", name, v, want)
			}
		}
	}
}

func TestUnmodelledIsNamed(t *testing.T) {
	tests := []struct {
		addr, v uint32
		want    string
	}{
		{0x6003A000, 0, "AES"},
		{0x600D0000, 0, "WORLD_CNTL"},
		{0x6001D058, 0, "BB+0x58"},
		{0x600CE070, 0, "ASSIST_DEBUG+0x70"},
		{system0 + 0x6C, 0, "SYSTEM.COMB_PVT_ERR_LVT_SITE0"},
		{efuse0 + 0x1D4, 2, "programming of eFuses"},
		{rtc0 + 0x18, 1 << 31, "sleep"},
		{extmem0 + 0x68, 0, "EXTMEM.IBUS_ACS_MISS_CNT"},
	}
	for _, tt := range tests {
		c := started(t, Options{}, code(
			lui(1, (tt.addr+0x800)>>12), lui(2, (tt.v+0x800)>>12), addi(2, 2, int32(tt.v<<20)>>20), sw(2, 1, int32(tt.addr<<20)>>20)))
		s := c.Run(c.Now() + clock.Millisecond)
		if s.Kind != board.NotModelled || !strings.HasPrefix(s.Text, "esp32c3: "+tt.want) || !strings.Contains(s.Text, "not modelled, PC 0x4038000c") {
			t.Errorf("store to %s: %v %q, want %s not modelled", RegisterName(tt.addr), s.Kind, s.Text, tt.want)
		}
	}
}

func TestGatesAndResets(t *testing.T) {
	c := started(t, Options{}, endless())
	const clk, rst, timg1Bit, config = system0 + 0x10, system0 + 0x18, 1 << 15, 0x60020000
	all := ld(t, c, clk)
	st(t, c, clk, all&^timg1Bit)
	if got := ld(t, c, config); got != 0 || len(c.Warnings()) != 1 {
		t.Errorf("TIMG1.T0CONFIG without a clock reads %#x, warnings %q: want 0 and one", got, c.Warnings())
	}
	st(t, c, clk, all|timg1Bit)
	st(t, c, config, 0x12345000)
	st(t, c, rst, timg1Bit)
	st(t, c, rst, 0)
	if got := ld(t, c, config); got != 0x60002000 {
		t.Errorf("TIMG1.T0CONFIG behind a reset reads %#x, want 0x60002000", got)
	}
}

// TRM Reset and Clock, CPU_CLK and APB_CLK.
func TestClockTree(t *testing.T) {
	tests := []struct {
		sysclk, perConf uint32
		cpu, apb        uint64
	}{
		{1, 0xC, 20_000_000, 20_000_000}, // as it is reset
		{0, 0xC, 40_000_000, 40_000_000},
		{1 << 10, 0xC, 80_000_000, 80_000_000},
		{1 << 10, 0xD, 160_000_000, 80_000_000},
		{1 << 10, 0x9, 160_000_000, 80_000_000}, // of 320 MHz
		{2 << 10, 0xC, 17_500_000, 17_500_000},
		{2<<10 | 3, 0xC, 4_375_000, 4_375_000},
	}
	for _, tt := range tests {
		c := started(t, Options{}, endless())
		st(t, c, system0+0x08, tt.perConf)
		st(t, c, system0+0x58, tt.sysclk)
		if got := c.Stats().ClockHz; got != tt.cpu || c.Clocks.APB != tt.apb {
			t.Errorf("SYSCLK_CONF %#x, CPU_PER_CONF %#x: CPU %d, APB %d, want %d and %d", tt.sysclk, tt.perConf, got, c.Clocks.APB, tt.cpu, tt.apb)
		}
		before := c.Stats().Cycles
		run(t, c, clock.Millisecond)
		if got := c.Stats().Cycles - before; got < tt.cpu/1000 || got > tt.cpu/1000+8 {
			t.Errorf("SYSCLK_CONF %#x: %d cycles in a millisecond, want %d", tt.sysclk, got, tt.cpu/1000)
		}
	}
}

func TestEfuse(t *testing.T) {
	c := started(t, Options{MAC: [6]byte{0x7C, 0xDF, 0xA1, 0x11, 0x22, 0x33}, Revision: 115, Package: 1}, endless())
	tests := []struct{ off, want uint32 }{
		{0x44, 0xA1112233},
		{0x48, 0x7CDF},
		{0x50, 15&7<<18 | 1<<21},
		{0x58, 1<<23 | 1<<24},
	}
	for _, tt := range tests {
		if got := ld(t, c, efuse0+tt.off); got != tt.want {
			t.Errorf("EFUSE+%#x reads %#x, want %#x", tt.off, got, tt.want)
		}
	}
}

// Numbers follow from the seed, and from how often the part was switched on.
func TestRandomNumbers(t *testing.T) {
	draw := func(seed uint64, colds int) (v [4]uint32) {
		c := New(Options{Seed: seed})
		for range colds {
			c.SetPower(false)
			c.SetPower(true)
		}
		for i := range v {
			v[i] = ld(t, c, apb0+0xB0)
		}
		return v
	}
	first, again := draw(1, 1), draw(1, 1)
	if first != again {
		t.Error("two chips of one seed draw different numbers")
	}
	if first == draw(2, 1) || first == draw(1, 2) {
		t.Error("another seed or power-on draws the same numbers")
	}
}

// A timer's interrupt wakes a program from WFI: the vector table is at the start
// of IRAM, its entry 9 counts in x10 and clears the interrupt.
func TestTimerInterruptWakes(t *testing.T) {
	const begin, handler = 0x200, 0x100
	program := make([]byte, 0x300)
	copy(program, code(jal(0, begin)))
	copy(program[9*4:], code(jal(0, handler-9*4)))
	copy(program[handler:], code(
		addi(10, 10, 1), lui(5, timg0>>12), addi(6, 0, 1), sw(6, 5, 0x7C), // INT_CLR_TIMERS
		lui(7, 0x60002), addi(7, 7, 0x400), lw(8, 5, 0), sw(9, 5, 0), mret)) // arm again: T0CONFIG = x9
	copy(program[begin:], code(
		lui(1, iramBase>>12), addi(1, 1, 1), csrw(mtvec, 1),
		lui(2, matrix0>>12), addi(3, 0, 9), sw(3, 2, 0x80), // TG_T0_INT_MAP
		addi(3, 0, 1<<9), sw(3, 2, 0x104), addi(3, 0, 5), sw(3, 2, 0x114+9*4), // enabled, priority 5
		lui(5, timg0>>12), addi(3, 0, 1), sw(3, 5, 0x70), // INT_ENA_TIMERS
		lui(3, 1), addi(3, 3, -96), sw(3, 5, 0x10), // ALARMLO = 4000
		lui(9, 0xE0002), addi(9, 9, 0x400), sw(9, 5, 0), // EN, INCREASE, AUTORELOAD, DIVIDER 1, ALARM_EN
		csrsi(mstatus, mieBit), wfi, jal(0, -4)))
	c := started(t, Options{}, program)
	run(t, c, 10*clock.Millisecond)
	// 20 MHz divided by 2, 4000 counts: 400 us
	if got := c.core.X[10]; got != 24 {
		t.Errorf("%d interrupts in 10 ms, want 24 of 400 us", got)
	}
	if s := c.Stats(); s.Slept < s.Cycles*9/10 {
		t.Errorf("slept %d of %d cycles", s.Slept, s.Cycles)
	}
}

// A restored chip goes the same way.
func TestSnapshot(t *testing.T) {
	program := code(lui(1, timg0>>12), lui(3, dramBase>>12), addi(4, 0, 0), // poll the timer, note it in DRAM
		sw(0, 1, 0xC), lw(2, 1, 4), sw(2, 3, 0), addi(4, 4, 1), jal(0, -16))
	c := started(t, Options{Seed: 7}, program)
	st(t, c, timg0, 0xC0004000)
	fast(t, c)
	run(t, c, 50*clock.Microsecond)
	s := c.Snapshot()
	before := c.Digest()
	run(t, c, 70*clock.Microsecond)
	want := c.Digest()
	if before == want {
		t.Error("time passes without a trace")
	}
	other := New(Options{Seed: 7})
	for _, restored := range []*Chip{c, other} {
		restored.Restore(s)
		if restored.Digest() != before {
			t.Error("the digest of a restored chip differs")
		}
		run(t, restored, 70*clock.Microsecond)
		if restored.Digest() != want {
			t.Error("the restored chip went another way")
		}
	}
}

// Looking at a pin changes nothing but which edges are told: PWM of 1.25 kHz by
// LEDC on GPIO2.
func TestWatchingChangesNothing(t *testing.T) {
	edges := 0
	digest := func(watch bool) [32]byte {
		c := started(t, Options{}, endless())
		fast(t, c)
		if watch {
			c.Watch(func(board.Pin, bool, clock.Time) { edges++ })
		} else {
			c.WatchOnly()
		}
		const ledc0, gpio0 = 0x60019000, 0x60004000
		st(t, c, system0+0x10, ld(t, c, system0+0x10)|1<<11)
		st(t, c, gpio0+0x554+4*2, 45) // LEDC_LS_SIG_OUT0
		st(t, c, gpio0+0x24, 1<<2)
		st(t, c, ledc0+0xD0, 1<<31|1)                // APB_CLK
		st(t, c, ledc0+0xA0, 1<<25|62<<12|128<<4|10) // 62.5 and 10 bits
		st(t, c, ledc0+0x08, 300<<4)
		st(t, c, ledc0+0x0C, 1<<31|1<<30)
		st(t, c, ledc0+0x00, 1<<4|1<<2)
		run(t, c, 10*clock.Millisecond+1234*clock.Nanosecond)
		return c.Digest()
	}
	seen, unseen := digest(true), digest(false)
	if edges < 20 {
		t.Errorf("%d edges of 1.25 kHz in 10 ms", edges)
	}
	if seen != unseen {
		t.Error("watching a pin changes the digest")
	}
}

func TestStateIsPlain(t *testing.T) {
	soctest.IsPlain(t, "state", reflect.TypeFor[state]())
}

// Loops that poll are skipped: with a Trace, which must see each access, the same
// happens at the same cycles.
func TestSkippingChangesNothing(t *testing.T) {
	program := code(lui(1, timg0>>12), lui(3, 1), // until T0LO is 4096
		sw(0, 1, 0xC), lw(2, 1, 4), sltu(5, 2, 3), bne(5, 0, -12),
		addi(4, 4, 1), jal(0, 0))
	outcome := func(opt Options) (uint64, uint64) {
		c := started(t, opt, program)
		fast(t, c)
		st(t, c, timg0, 0xC0004000)
		run(t, c, 200*clock.Microsecond)
		if c.core.X[4] != 1 {
			t.Error("the loop did not end")
		}
		return c.core.X[2], c.core.Insns
	}
	v, insns := outcome(Options{})
	traced := 0
	tv, tinsns := outcome(Options{Trace: func(Access) { traced++ }})
	if v != tv || insns != tinsns || traced < 1000 {
		t.Errorf("skipped: %d, %d instructions; traced: %d, %d (%d accesses)", v, insns, tv, tinsns, traced)
	}
}
