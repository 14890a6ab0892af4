package armv7m

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"

	"rigor/harness/sim/bus"
	"rigor/harness/sim/conform"
)

// The tests of this file run random programs twice, in blocks and instruction
// by instruction, with interrupts, SysTick and a device that answers by the
// clock, and want the same state after every stretch, cycles included. Blocks,
// their chains, the static cycle counts, deadlines and invalidation are thus
// held to the plain order of the manual's pseudocode.

const (
	differCode   = 0x20001000
	differData   = 0x20008000
	differDevice = 0x40000000
	differFlash  = 0x1000
)

// differHandlers is this program at address 0x400. The fault handler sends the
// program on from somewhere else in its code, with registers that lead to memory
// and to the device; the first interrupt handler uses a floating-point register, the
// second one reads and writes the device.
//
//	fault:	tst lr, #4
//		ite eq
//		mrseq r0, msp
//		mrsne r0, psp
//		ldr r1, =0x20008000
//		ldr r2, [r1, #-4]
//		adds r2, #7
//		str r2, [r1, #-4]
//		movs r3, #255
//		ands r2, r3
//		lsls r2, r2, #1
//		ldr r3, =0x20001000
//		adds r2, r3
//		str r2, [r0, #24]
//		mov r3, #0x01000000
//		str r3, [r0, #28]
//		str r1, [r0, #0]
//		add r1, #64
//		str r1, [r0, #4]
//		add r1, #67
//		str r1, [r0, #8]
//		mov r1, #0x40000000
//		str r1, [r0, #12]
//		ldr r1, =0xE000ED28
//		ldr r2, [r1]
//		str r2, [r1]
//		ldr r1, =0x20009000
//		mov r4, r1
//		adds r5, r1, #4
//		mov r8, r1
//		bx lr
//	irq:	ldr r1, =0x2000A000
//		ldr r0, [r1]
//		adds r0, #1
//		str r0, [r1]
//		vadd.f32 s0, s1, s2
//		bx lr
//	irq2:	push {r4, lr}
//		mov r0, #0x40000000
//		ldr r1, [r0, #8]
//		str r1, [r0, #12]
//		pop {r4, pc}
const (
	differHandlers = "1ef0040f0cbfeff30880eff30980104951f8042c073241f8042cff231a405200" +
		"0c4bd21882614ff08073c361016001f14001416001f1430181604ff08041c160" +
		"05490a680a6005490c460d1d88467047008000200010002028ed00e000900020" +
		"034908680130086030ee810a7047000000a0002010b54ff080408168c16010bd"
	handlerBase  = 0x400
	handlerIRQ   = handlerBase + 0x60
	handlerIRQ2  = handlerBase + 0x74
	handlerFault = handlerBase
)

// differ is a core in a world that depends only on a seed.
type differ struct {
	c     *Core
	ram   []byte
	log   bytes.Buffer // what the device saw
	asked uint64       // the earliest deadline it has asked for
}

// Load answers by time, and now and then refuses.
func (d *differ) Load(addr uint32, width uint8) (uint32, bus.Fault) {
	fmt.Fprintf(&d.log, "%d %x: load %x\n", d.c.Cycle, d.c.R[15], addr)
	if addr-differDevice >= 0x1000 || addr&0x3F == 0x3C {
		return 0, bus.Error
	}
	return uint32(d.c.Cycle) * 0x9E3779B1, bus.None
}

// Store ends the Run soon, raises an interrupt, stalls flash, or changes how it
// is read.
func (d *differ) Store(addr uint32, width uint8, v uint32) bus.Fault {
	fmt.Fprintf(&d.log, "%d %x: store %x %d %x\n", d.c.Cycle, d.c.R[15], addr, width, v)
	if addr-differDevice >= 0x1000 {
		return bus.Error
	}
	switch addr >> 2 & 7 {
	case 0:
		d.asked = min(d.asked, d.c.Cycle+uint64(v&31))
		d.c.SetDeadline(d.asked)
	case 1:
		d.c.SetIRQ(int(v&7), v&8 != 0)
	case 2:
		d.c.Stall(d.c.Cycle + uint64(v&63))
	case 3:
		d.c.SetFlashTiming(differTiming(v))
	case 4:
		d.c.ResetFlashCaches(v&1 != 0, v&2 != 0)
	}
	return bus.None
}

func differTiming(v uint32) FlashTiming {
	return FlashTiming{Waits: uint8(v & 7), Prefetch: v&8 != 0, ICache: v&16 != 0, DCache: v&32 != 0}
}

func newDiffer(t testing.TB, code []byte, seed uint64) *differ {
	rnd := rand.New(rand.NewPCG(seed, 1))
	d := &differ{ram: make([]byte, 0x10000), asked: never}
	rom := make([]byte, differFlash+0x1000+8)
	for n := range 256 {
		binary.LittleEndian.PutUint32(rom[4*n:], handlerIRQ+uint32(n&1)*(handlerIRQ2-handlerIRQ)+1)
		if n < 7 || n == excSVCall {
			binary.LittleEndian.PutUint32(rom[4*n:], handlerFault+1)
		}
	}
	handlers, err := hex.DecodeString(differHandlers)
	if err != nil {
		t.Fatal(err)
	}
	copy(rom[handlerBase:], handlers)
	binary.LittleEndian.PutUint32(rom, 0x20007F00)
	copy(d.ram[differCode-machineRAM:], code)
	copy(rom[differFlash:], code)
	for i := differData - machineRAM; i < len(d.ram); i += 4 {
		binary.LittleEndian.PutUint32(d.ram[i:], rnd.Uint32())
	}
	c := New(Config{CPUID: 0x410FC241, IRQs: 16, PrioBits: 4, RefDiv: 8, Bus: d})
	d.c = c
	c.Map([]Region{{Name: "rom", Data: rom, Flash: true}, {Name: "ram", Base: machineRAM, Data: d.ram, Write: true}})
	c.Reset()
	c.Sys.CPACR = cpacrFull
	c.R[15] = differCode
	if seed&1 != 0 {
		c.R[15] = differFlash
		c.SetFlashTiming(differTiming(rnd.Uint32()))
	}
	bases := []uint32{differData, differData + 0x100, differDevice, differFlash, differCode + 0x40, 0x22100000, 0xE000ED00, 0xE000E010, differData + 2}
	for i := range 13 {
		c.R[i] = rnd.Uint32()
		if rnd.IntN(3) > 0 {
			c.R[i] = bases[rnd.IntN(len(bases))]
		}
	}
	for i := range c.S {
		c.S[i] = rnd.Uint32()
	}
	c.ppbStore(scsBase+nvicISER, 4, 0xFFFF)
	for n := range 16 {
		c.ppbStore(scsBase+nvicIPR+uint32(n), 1, uint32(rnd.IntN(16))<<4)
	}
	c.ppbStore(scsBase+sysTickRVR, 4, 50+rnd.Uint32N(500))
	c.ppbStore(scsBase+sysTickCVR, 4, 0)
	c.ppbStore(scsBase+sysTickCSR, 4, uint32(rnd.IntN(8)))
	if rnd.IntN(4) == 0 { // part of the code is execute never, part of the data read-only
		c.ppbStore(scsBase+mpuRBAR, 4, differCode+0x100|rbarVALID)
		c.ppbStore(scsBase+mpuRASR, 4, rasrXN|3<<24|4<<1|rasrENABLE)
		c.ppbStore(scsBase+mpuRBAR, 4, differData+0x100|rbarVALID|1)
		c.ppbStore(scsBase+mpuRASR, 4, 2<<24|6<<1|rasrENABLE)
		c.ppbStore(scsBase+mpuCTRL, 4, mpuENABLE|mpuPRIVDEFENA)
	}
	c.SetPSP(0x20006000)
	c.msr(sysmCONTROL, 0, uint32(rnd.IntN(2))*controlSPSEL|uint32(rnd.IntN(8)/7))
	return d
}

// sameRuns runs code both ways. It returns how many instructions were executed.
func sameRuns(t *testing.T, code []byte, seed uint64) uint64 {
	blocks, steps := newDiffer(t, code, seed), newDiffer(t, code, seed)
	steps.c.SetTrace(func(uint32) { steps.c.drop() }) // decodes every instruction anew
	rnd := rand.New(rand.NewPCG(seed, 2))
	for until := uint64(0); until < 3000; {
		until += rnd.Uint64N(200)
		blocks.asked = never
		a := blocks.c.Run(until)
		b := steps.runInPieces(until, rand.New(rand.NewPCG(seed, until)))
		if a != b || blocks.c.State != steps.c.State {
			t.Fatalf("seed %d, code %x: to cycle %d\nblocks %+v %s\nsteps  %+v %s", seed, code, until, a, blocks, b, steps)
		}
		if !bytes.Equal(blocks.log.Bytes(), steps.log.Bytes()) {
			t.Fatalf("seed %d, code %x: the device saw\n%s\nand\n%s", seed, code, &blocks.log, &steps.log)
		}
		if a.Reason > Asleep {
			break
		}
		n, level := rnd.IntN(16), rnd.IntN(2) == 0
		blocks.c.SetIRQ(n, level)
		steps.c.SetIRQ(n, level)
	}
	if !bytes.Equal(blocks.ram, steps.ram) {
		t.Fatalf("seed %d, code %x: memory differs", seed, code)
	}
	return blocks.c.Insns
}

// runInPieces is Run with needless stops on the way.
func (d *differ) runInPieces(until uint64, rnd *rand.Rand) Stop {
	for d.asked = never; ; {
		early := min(d.c.Cycle+rnd.Uint64N(40), until, d.asked)
		stop := d.c.Run(early)
		if stop.Reason > Asleep || d.c.Cycle >= min(until, d.asked) {
			return stop
		}
	}
}

func (d *differ) String() string {
	c := d.c
	sys := c.Sys
	sys.Priority = [256]uint8{}
	return fmt.Sprintf("r %x xpsr %x cycle %d insns %d pipe %x fetch %+v sleep %v limit %d\ns %x fpscr %x\n%+v",
		c.R, c.XPSR(), c.Cycle, c.Insns, c.Pipe, c.Fetch, c.Sleep, c.limit, c.S, c.FPSCR, sys)
}

// programs are the vectors that random programs are made of.
func programs(t testing.TB) []conform.Program {
	t.Helper()
	all, err := conform.ReadPrograms("../conform/testdata/thumb2.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestBlocksEqualSteps(t *testing.T) {
	var pool [][]byte
	for _, p := range programs(t) {
		pool = append(pool, p.Code.Bytes)
	}
	rnd := rand.New(rand.NewPCG(4, 4))
	var insns uint64
	for seed := range uint64(400) {
		var code []byte
		for len(code) < 600 {
			code = append(code, pool[rnd.IntN(len(pool))]...)
			if rnd.IntN(8) == 0 { // back to somewhere: 16-bit B
				back := min(len(code)/2+2, 1+rnd.IntN(300))
				code = binary.LittleEndian.AppendUint16(code, 0xE000|uint16(-back)&0x7FF)
			}
		}
		insns += sameRuns(t, code, seed)
	}
	t.Logf("%d instructions", insns)
}

func FuzzBlocksEqualSteps(f *testing.F) {
	for _, p := range programs(f) {
		if p.ID%40 == 0 {
			f.Add(p.Code.Bytes, uint64(p.ID))
		}
	}
	f.Fuzz(func(t *testing.T, code []byte, seed uint64) {
		if len(code) > 0x1000 {
			return
		}
		sameRuns(t, code, seed)
	})
}
