package riscv

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"rigor/harness/sim/bus"
)

// The tests of this file run loops twice, with those skipped that only wait and with all
// executed, among events, interrupts and ends of Run, and want the same state, memory
// and device after every stretch.

// loops are programs in the place of (0: ...; 2: addi s5,s5,1; j 0b), whether most
// of them is skipped, and the same assembled.
var loops = []struct {
	name  string
	skips bool
	asm   string
	code  string
}{
	{"counts down", true, "li a0,1000000; 1: addi a0,a0,-1; bnez a0,1b; j 2f",
		"37450f00130505247d157dfd09a0850ac5bf"},
	{"counts in a volatile variable", true, "1: lw a1,0(s0); addi a1,a1,1; sw a1,0(s0); li a2,300000; bltu a1,a2,1b; sw zero,0(s0)",
		"0c4085050cc0379604001306063ee3e9c5fe23200400850ae5b7"},
	{"counts in a byte that wraps", false, "li a0,0; 1: lbu a1,9(s0); addi a1,a1,1; sb a1,9(s0); lhu a2,10(s0); addi a0,a0,3; blt a0,s2,1b",
		"0145834594008505a304b4000356a4000d05e34825ff850ae5b7"},
	{"polls a timer through a latch", true, "sw zero,12(s1); lw a0,4(s1); lw a1,8(s1); li a4,50000; add a2,a0,a4; sltu a3,a2,a0; add a3,a3,a1; 1: sw zero,12(s1); lw a0,4(s1); lw a1,8(s1); bltu a1,a3,1b; bne a1,a3,3f; bltu a0,a2,1b; 3: nop",
		"23a60400c8408c443167130707353306e500b336a600ae9623a60400c8408c44e3ecd5fe6394d500e368c5fe0100850ac1bf"},
	{"polls it by a call that spills", true, "lw a2,4(s1); li a4,70000; add a2,a2,a4; 1: call 9f; sub a3,a2,a0; bgtz a3,1b; j 2f; 9: addi sp,sp,-16; sw ra,12(sp); sw s3,8(sp); sw zero,12(s1); lw s3,4(s1); sw s3,4(sp); mv a0,s3; lw s3,8(sp); lw ra,12(sp); addi sp,sp,16; ret",
		"d0404567130707173a9697000000e7802001b306a640e34ad0fe31a8411106c64ec423a6040083a944004ec24e85a249b24041018280850ae1b7"},
	{"measures time by subtraction", true, "lw a2,4(s1); 1: sw zero,12(s1); lw a0,4(s1); sub a0,a0,a2; li a3,30000; bltu a0,a3,1b",
		"d04023a60400c840118d9d6693860653e369d5fe850aedb7"},
	{"scales what it polls", false, "1: sw zero,12(s1); lw a0,4(s1); slli a0,a0,1; srli a0,a0,6; andi a0,a0,1023; li a3,900; bne a0,a3,1b",
		"23a60400c840060519811375f53f93064038e317d5fe850ae5b7"},
	{"polls the performance counter", true, "csrr a2,0x7e2; 1: csrr a0,0x7e2; sub a0,a0,a2; li a3,100000; bltu a0,a3,1b",
		"7326207e7325207e118de1669386066ae36ad5fe850aedb7"},
	{"polls a flag in memory", true, "1: lw a0,64(s0); beqz a0,1b; sw zero,64(s0)",
		"28407ddd23200404850addbf"},
	{"polls a status bit", true, "1: lw a0,16(s1); andi a0,a0,4; beqz a0,1b; 4: lw a0,16(s1); andi a0,a0,4; bnez a0,4b",
		"8848118975dd8848118975fd850acdbf"},
	{"polls with a timeout", true, "li a4,20000; 1: addi a4,a4,-1; beqz a4,3f; lw a0,16(s1); andi a0,a0,2; beqz a0,1b; 3: nop",
		"1567130707e27d1701c78848098965dd0100850af5b7"},
	{"remembers what it read before", false, "li a5,0; 1: mv a4,a5; sw zero,12(s1); lw a5,4(s1); sub a3,a5,s4; srli a3,a3,14; beqz a3,1b; sw a4,20(s0); mv s4,a5",
		"81473e8723a60400dc40b3864741b982edda58c83e8a850ae5b7"},
	{"reads a register with an effect", false, "li a4,3000; 1: lw a0,20(s1); addi a4,a4,-1; bnez a4,1b",
		"0567130787bbc8487d1775ff850acdbf"},
	{"adds up", false, "li a4,3000; 1: add a5,a5,a4; addi a4,a4,-1; bnez a4,1b; sw a5,24(s0)",
		"0567130787bbba977d1775ff1ccc850ac5bf"},
	{"fills memory", false, "li a4,3000; addi a3,s0,1024; 1: sw a4,0(a3); addi a3,a3,4; addi a4,a4,-1; bnez a4,1b",
		"0567130787bb9306044098c291067d176dff850af5b7"},
	{"waits in a loop of delays", true, "li a4,20; 1: li a5,5000; 3: addi a5,a5,-1; bnez a5,3b; addi a4,a4,-1; bnez a4,1b",
		"5147856793878738fd17fdff7d1775fb850afdb7"},
}

// pollee is a device with a 64-bit timer at a quarter of the core's clock behind a latch, a status
// register that changes at events, and a register that counts its reads.
type pollee struct {
	c              *Core
	ram            []byte
	origin, latch  uint64
	status, counts uint64
}

func (d *pollee) time(cycle uint64) uint64 { return d.origin + cycle/4 }

// wait is what an access costs: two cycles of a bus at half the clock.
func (d *pollee) wait() { d.c.Cycle += 4 + d.c.Cycle&1 }

func (d *pollee) Load(addr uint64, width uint8) (uint64, bus.Fault) {
	d.wait()
	switch addr {
	case differDevice + 4:
		return d.latch & 0xFFFFFFFF, bus.None
	case differDevice + 8:
		return d.latch >> 32, bus.None
	case differDevice + 16:
		return d.status, bus.None
	case differDevice + 20:
		d.counts++
		return d.counts, bus.None
	}
	return 0, bus.Error
}

func (d *pollee) Store(addr uint64, width uint8, v uint64) bus.Fault {
	d.wait()
	if addr == differDevice+12 {
		d.latch = d.time(d.c.Cycle)
		return bus.None
	}
	return bus.Error
}

func (d *pollee) ForeseeLoad(addr uint64, width uint8, until uint64) (least, most uint64, ok bool) {
	now, then := d.latch, d.time(until)
	switch addr {
	case differDevice + 4:
		if now>>32 != then>>32 {
			return 0, 0xFFFFFFFF, true
		}
		return now & 0xFFFFFFFF, then & 0xFFFFFFFF, true
	case differDevice + 8:
		return now >> 32, then >> 32, true
	case differDevice + 16:
		return d.status, d.status, true
	}
	return 0, 0, false
}

func (d *pollee) ForeseeStore(addr uint64, width uint8, v uint64) bool {
	return addr == differDevice+12
}

func newPollee(t testing.TB, code []byte, seed uint64, noSkip bool) *pollee {
	rnd := rand.New(rand.NewPCG(seed, 3))
	d := &pollee{ram: make([]byte, 0x10000), origin: rnd.Uint64N(3)<<31 - 1000*rnd.Uint64N(100)}
	d.latch = d.origin
	handlers, err := hex.DecodeString(differHandlers)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 32 {
		binary.LittleEndian.PutUint32(d.ram[4*n:], uint32(128-4*n+differIRQ)<<20|majorJAL)
	}
	copy(d.ram[128:], handlers)
	binary.LittleEndian.PutUint32(d.ram[128+differIRQ+28:], 0x00000013) // it clears nothing in this device
	copy(d.ram[differCode-differRAM:], code)
	cfg := esp32c3()
	cfg.Bus, cfg.NoSkip = d, noSkip
	d.c = New(cfg)
	const flash = differCode + 0x100000
	d.c.Map([]Region{
		{Name: "ram", Base: differRAM, Data: d.ram, Write: true, Exec: true},
		{Name: "flash", Base: flash, Data: append([]byte{}, d.ram[differCode-differRAM:]...), Exec: true, ICache: 1, DCache: 1},
	})
	d.c.Reset([]uint64{differCode, flash}[seed&1])
	d.c.Mtvec = differRAM | 1
	d.c.Mstatus |= mstatusMIE
	d.c.Perf = PerfCounter{Mpcer: perfCycle, Mpcmr: perfEnable, Base: 0x7FFF0000}
	d.c.X[2], d.c.X[8], d.c.X[9], d.c.X[18] = differRAM+0xF000, differData, differDevice, 100_000
	return d
}

// event is something that happens to both.
func (d *pollee) event(what uint64) {
	d.status = what & 7
	d.ram[differData+64-differRAM] = byte(what >> 3 & 1)
	d.c.SetInterrupt(int(what >> 4 & 1))
	if what>>4&1 != 0 { // long enough to be taken once or a few times
		d.c.Run(d.c.Cycle + 40)
		d.c.SetInterrupt(0)
	}
}

// samePolls runs code both ways and returns how many instructions were executed and skipped.
func samePolls(t *testing.T, code []byte, seed, cycles uint64) (insns, skipped uint64) {
	a, b := newPollee(t, code, seed, false), newPollee(t, code, seed, true)
	rnd := rand.New(rand.NewPCG(seed, 4))
	for until := uint64(0); until < cycles; {
		until += rnd.Uint64N(60_000)
		if a, b := a.c.Run(until), b.c.Run(until); a != b {
			t.Fatalf("seed %d, code %x: to %d: stops %+v, executed %+v", seed, code, until, a, b)
		}
		if a.c.State != b.c.State || !bytes.Equal(a.ram, b.ram) || a.latch != b.latch || a.counts != b.counts {
			a.c.Caches, b.c.Caches = [2]CacheState{}, [2]CacheState{}
			t.Fatalf("seed %d, code %x: to %d\n%+v\nexecuted\n%+v\nlatch %d, %d", seed, code, until, a.c.State, b.c.State, a.latch, b.latch)
		}
		what := rnd.Uint64()
		a.event(what)
		b.event(what)
	}
	return a.c.Insns, a.c.Skipped()
}

func TestSkippingEqualsExecuting(t *testing.T) {
	for _, l := range loops {
		code, err := hex.DecodeString(l.code)
		if err != nil {
			t.Fatal(err)
		}
		var insns, skipped uint64
		for seed := range uint64(6) {
			i, s := samePolls(t, code, seed, 1_000_000)
			insns, skipped = insns+i, skipped+s
		}
		share := skipped * 100 / insns
		t.Logf("%s: %d %% skipped", l.name, share)
		if l.skips != (share > 50) {
			t.Errorf("%s: %d of %d instructions skipped, wanted most: %v", l.name, skipped, insns, l.skips)
		}
	}
}

// randomLoop is a loop of instructions at random that ends sooner or later, for ever
// again: registers a0 to a5 are computed, s6 counts.
func randomLoop(rnd *rand.Rand) (code []byte) {
	var words []uint32
	reg := func() uint32 { return 10 + rnd.Uint32N(6) }
	source := func() uint32 { return []uint32{0, 18, 22, reg(), reg(), reg()}[rnd.IntN(6)] }
	word := func(w uint32) { words = append(words, w) }
	for range 1 + rnd.IntN(3) {
		start := len(words)
		for range 1 + rnd.IntN(8) {
			switch rnd.IntN(10) {
			case 0, 1: // a register of the device
				word([]uint32{4, 8, 16, 4}[rnd.IntN(4)]<<20 | 9<<15 | 2<<12 | reg()<<7 | majorLOAD)
			case 2: // its latch
				word(12<<7 | 9<<15 | 2<<12 | majorSTORE)
			case 3: // memory
				word(rnd.Uint32N(16)<<22 | 8<<15 | 2<<12 | reg()<<7 | majorLOAD)
			case 4:
				word(rnd.Uint32N(8)<<9 | source()<<20 | 8<<15 | 2<<12 | majorSTORE)
			case 5, 6: // immediates but shifts
				word(rnd.Uint32()&^0xFFFFF | source()<<15 | []uint32{0, 0, 2, 3, 4, 6, 7}[rnd.IntN(7)]<<12 | reg()<<7 | majorOPIMM)
			case 7: // shifts
				word(rnd.Uint32N(2)<<30*rnd.Uint32N(2) | rnd.Uint32N(32)<<20 | source()<<15 | 5<<12 | reg()<<7 | majorOPIMM)
			case 8:
				word(rnd.Uint32N(2)<<30 | source()<<20 | source()<<15 | reg()<<7 | majorOP)
			case 9:
				word(rnd.Uint32N(2)<<25 | source()<<20 | source()<<15 | rnd.Uint32N(8)<<12 | reg()<<7 | majorOP)
			}
		}
		step := uint32(1 + rnd.Uint32N(3))
		word(step<<20 | 22<<15 | 22<<7 | majorOPIMM) // addi s6, s6, step
		if rnd.IntN(2) == 0 {
			word(branch(branchKinds[rnd.IntN(6)], source(), source(), 8)) // out
		}
		word(branch(branchKinds[2+2*rnd.IntN(2)], 22, 18, 4*(start-len(words)))) // while s6 < s2
		word(0<<20 | 0<<15 | 22<<7 | majorOPIMM)
	}
	word(branch(0, 0, 0, -4*len(words)))
	for _, w := range words {
		code = binary.LittleEndian.AppendUint32(code, w)
	}
	return code
}

var branchKinds = [...]uint32{0, 1, 4, 5, 6, 7}

func branch(f3, rs1, rs2 uint32, offset int) uint32 {
	imm := uint32(offset)
	return imm>>12&1<<31 | imm>>5&0x3F<<25 | rs2<<20 | rs1<<15 | f3<<12 | imm>>1&0xF<<8 | imm>>11&1<<7 | majorBRANCH
}

func TestSkippingRandomLoops(t *testing.T) {
	rnd := rand.New(rand.NewPCG(6, 6))
	var insns, skipped uint64
	for seed := range uint64(150) {
		i, s := samePolls(t, randomLoop(rnd), seed, 300_000)
		insns, skipped = insns+i, skipped+s
	}
	t.Logf("%d instructions, %d of them skipped", insns, skipped)
	if skipped*4 < insns {
		t.Errorf("%d of %d instructions skipped: the loops test little", skipped, insns)
	}
}

func FuzzSkipping(f *testing.F) {
	for _, l := range loops {
		code, err := hex.DecodeString(l.code)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(code, uint64(1))
	}
	f.Fuzz(func(t *testing.T, code []byte, seed uint64) {
		if len(code) < 0x1000 {
			samePolls(t, code, seed, 60_000)
		}
	})
}
