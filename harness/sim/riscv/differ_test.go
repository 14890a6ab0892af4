package riscv

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
// by instruction, with interrupts, caches, PMP and a device that answers by the
// clock, and want the same state after every stretch, cycles included. Blocks,
// their chains, the static cycle counts, deadlines and invalidation are thus
// held to the plain order of the manual.

const (
	differRAM    = 0x20000000
	differCode   = 0x20001000
	differData   = 0x20008000
	differDevice = 0x60000000
	differFlash  = 0x42000000
	differSlow   = 0x50000000
	differCached = 0x30000000
)

// differHandlers is this program behind a table of jumps to it. The exception handler sends the
// program on from somewhere else in its code, with registers that lead to memory
// and to the device.
//
//	fault:	lui t0,0x20008
//		lw t1,-4(t0)
//		addi t1,t1,7
//		sw t1,-4(t0)
//		andi t1,t1,255
//		slli t1,t1,1
//		lui t2,0x20001
//		add t1,t1,t2
//		csrr t2,mepc
//		lui a0,8
//		and t2,t2,a0
//		bnez t2,1f
//		nop
//	1:	csrw mepc,t1
//		addi s0,t0,64
//		addi s1,t0,130
//		lui a0,0x60000
//		lui a1,0x20009
//		addi sp,a1,256
//		mv a5,a1
//		mret
//	irq:	csrw mscratch,t0
//		lui t0,0x2000A
//		sw t1,4(t0)
//		lw t1,0(t0)
//		addi t1,t1,1
//		sw t1,0(t0)
//		lui t1,0x60000
//		sw zero,8(t1)
//		lw t1,4(t0)
//		csrr t0,mscratch
//		mret
const differHandlers = "b782002003a3c2ff1303730023ae62fe1373f30f13131300b713002033037300f3231034" +
	"37850000b3f3a300639403001300000073101334138402049384220837050060b7950020" +
	"13810510938705007300203073900234b7a2002023a2620003a302001303130023a06200" +
	"370300602324030003a34200f322003473002030"

const differIRQ = 84 // from the start of the handlers

// differ is a core in a world that depends only on a seed.
type differ struct {
	c     *Core
	ram   []byte
	log   bytes.Buffer // what the device saw
	asked uint64       // the earliest deadline it has asked for

	other   *differ // the hart that shares ram, if any
	running bool
}

// Load answers by time, waits, and now and then refuses.
func (d *differ) Load(addr uint64, width uint8) (uint64, bus.Fault) {
	d.catchUp()
	fmt.Fprintf(&d.log, "%d %x: load %x\n", d.c.Cycle, d.c.PC, addr)
	if addr-differDevice >= 0x1000 || addr&0x3F == 0x3C {
		return 0, bus.Error
	}
	d.c.Cycle += addr >> 2 & 3
	return d.c.Cycle * 0x9E3779B97F4A7C15 >> (64 - 8*width), bus.None
}

// Store ends the Run soon, raises an interrupt, stalls, or empties caches.
func (d *differ) Store(addr uint64, width uint8, v uint64) bus.Fault {
	d.catchUp()
	fmt.Fprintf(&d.log, "%d %x: store %x %d %x\n", d.c.Cycle, d.c.PC, addr, width, v)
	if addr-differDevice >= 0x1000 {
		return bus.Error
	}
	switch addr >> 2 & 7 {
	case 0:
		d.asked = min(d.asked, d.c.Cycle+v&31)
		d.c.SetDeadline(d.asked)
	case 1:
		d.interrupt(int(v & 31))
	case 2:
		d.interrupt(0)
	case 3:
		d.c.Stall(d.c.Cycle + v&63)
	case 4:
		d.c.InvalidateCache(0)
	case 5:
		d.c.InvalidateCacheRange(0, differFlash+v&0xFFF, v>>4&255)
	case 6:
		if d.other != nil {
			d.other.interrupt(int(v & 31))
		}
	}
	return bus.None
}

// interrupt presents one, of either kind of core.
func (d *differ) interrupt(n int) {
	if d.c.cfg.Vectored31 {
		d.c.SetInterrupt(n)
		return
	}
	d.c.SetIP(1<<3|1<<7|1<<11, false)
	d.c.SetIP(uint64(n)&1<<3|uint64(n)&2<<6|uint64(n)&4<<9, true)
}

// miss takes a time that depends on the address, and sometimes asks for a deadline.
func (d *differ) miss(addr uint64, write bool) uint64 {
	d.catchUp()
	fmt.Fprintf(&d.log, "%d %x: miss %x\n", d.c.Cycle, d.c.PC, addr)
	if addr&0x80 != 0 {
		d.asked = min(d.asked, d.c.Cycle+addr>>5&7)
		d.c.SetDeadline(d.asked)
	}
	return 10 + addr>>5&7
}

func newDiffer(t testing.TB, cfg Config, code []byte, seed uint64) *differ {
	rnd := rand.New(rand.NewPCG(seed, 1))
	d := &differ{ram: make([]byte, 0x10000), asked: never}
	handlers, err := hex.DecodeString(differHandlers)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 32 { // JAL to the handlers behind the table
		target := 128 - 4*n
		if n > 0 {
			target += differIRQ
		}
		binary.LittleEndian.PutUint32(d.ram[4*n:], uint32(target)<<20|majorJAL)
	}
	copy(d.ram[128:], handlers)
	copy(d.ram[differCode-differRAM:], code)
	for i := differData - differRAM; i < len(d.ram); i += 4 {
		binary.LittleEndian.PutUint32(d.ram[i:], rnd.Uint32())
	}
	cfg.Bus = d
	cfg.Caches = []CacheConfig{{Size: 512, Ways: 2, Line: 32, Miss: d.miss}}
	cfg.Order = d.catchUp
	cfg.ROM = func(index uint32) {
		fmt.Fprintf(&d.log, "%d %x: call %d\n", d.c.Cycle, d.c.PC, index)
		d.c.X[10] += uint64(index)
		d.c.Cycle += uint64(index) & 7
		d.c.PC += 4
	}
	d.c = New(cfg)
	d.mapMemory(code)
	d.start(rnd)
	return d
}

// mapMemory has code in the RAM, in what is slow, and behind a cache.
func (d *differ) mapMemory(code []byte) {
	flash, slow := append(make([]byte, 0, 0x1008), code...)[:0x1008], append([]byte{}, d.ram[differCode-differRAM:differData-differRAM]...)
	d.c.Map([]Region{
		{Name: "ram", Base: differRAM, Data: d.ram, Write: true, Exec: true, ROM: true},
		{Name: "flash", Base: differFlash, Data: flash, Exec: true, ICache: 1, DCache: 1},
		{Name: "slow", Base: differSlow, Data: slow, Write: true, Exec: true, Wait: 3},
		{Name: "cached", Base: differCached, Data: d.ram, Write: true, Exec: true, ICache: 1, DCache: 1},
	})
}

// forget drops all that a core keeps only to be fast.
func (d *differ) forget(uint64) {
	d.c.drop()
	d.c.recent.clear()
}

// start puts the core in a state at random.
func (d *differ) start(rnd *rand.Rand) {
	c := d.c
	c.Reset([]uint64{differCode, differFlash, differSlow, differCached + differCode - differRAM}[rnd.IntN(4)])
	c.Mtvec = differRAM | 1
	c.Mstatus |= mstatusMPIE | uint64(rnd.IntN(2))*mstatusMIE | uint64(rnd.IntN(2))*mstatusMPP | uint64(rnd.IntN(4))<<mstatusFSShift
	c.Mie = 1<<3 | 1<<7 | 1<<11
	bases := []uint64{differData, differData + 0x100, differDevice, differFlash, differSlow, differCode + 0x40, differData + 2,
		differCached + differData - differRAM, differCached + differData - differRAM + 0x40, differCached + differCode - differRAM + 0x40}
	for i := 1; i < 32; i++ {
		c.X[i] = c.extend(rnd.Uint64())
		if rnd.IntN(3) > 0 {
			c.X[i] = bases[rnd.IntN(len(bases))]
		}
		c.F[i] = boxS | rnd.Uint64()
	}
	if rnd.IntN(2) == 0 {
		return
	}
	// Everything to the user but for 64 bytes of the code and of the data.
	for i, p := range []struct {
		addr uint64
		cfg  uint8
	}{
		{(differCode+0x100)>>2 | 7, pmpNAPOT | pmpR | uint8(rnd.IntN(2))*pmpL},
		{(differData+0x40)>>2 | 7, pmpNAPOT | pmpX},
		{^uint64(0) & c.mask, pmpNAPOT | pmpR | pmpW | pmpX},
	} {
		c.PMPAddr[i], c.PMPCfg[i] = p.addr, p.cfg
	}
	c.Priv = uint8(rnd.IntN(2)) * MachineMode
	c.refreshDerived()
}

// sameRuns runs code both ways. It returns how many instructions were executed.
func sameRuns(t *testing.T, cfg Config, code []byte, seed uint64) uint64 {
	blocks, steps := newDiffer(t, cfg, code, seed), newDiffer(t, cfg, code, seed)
	steps.c.SetTrace(steps.forget)
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
		n := rnd.IntN(32)
		blocks.interrupt(n)
		steps.interrupt(n)
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
	s := d.c.State
	s.Caches = [2]CacheState{}
	return fmt.Sprintf("%+v\n%s", s, &d.log)
}

// programs are the vectors that random programs are made of.
func programs(t testing.TB, arch conform.Arch) []conform.Program {
	t.Helper()
	all, err := conform.ReadPrograms("../conform/testdata/" + string(arch) + ".jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var differCores = []struct {
	arch conform.Arch
	cfg  func() Config
}{{conform.RV32IMC, esp32c3}, {conform.RV64GC, k210}}

func TestBlocksEqualSteps(t *testing.T) {
	for _, core := range differCores {
		var pool [][]byte
		for _, p := range programs(t, core.arch) {
			pool = append(pool, p.Code.Bytes)
		}
		rnd := rand.New(rand.NewPCG(4, 4))
		var insns uint64
		for seed := range uint64(400) {
			insns += sameRuns(t, core.cfg(), randomCode(rnd, pool), seed)
		}
		t.Logf("%s: %d instructions", core.arch, insns)
	}
}

// randomCode is programs in a row, with jumps back, waits and calls of the host.
func randomCode(rnd *rand.Rand, pool [][]byte) (code []byte) {
	for len(code) < 600 {
		code = append(code, pool[rnd.IntN(len(pool))]...)
		switch rnd.IntN(16) {
		case 0, 1: // BEQ x0, x0 back to somewhere
			back := -2 * min(len(code)/2, 1+rnd.IntN(300))
			imm := uint32(back)
			code = binary.LittleEndian.AppendUint32(code, imm>>12&1<<31|imm>>5&0x3F<<25|imm>>1&0xF<<8|imm>>11&1<<7|majorBRANCH)
		case 2:
			code = binary.LittleEndian.AppendUint32(code, wordWFI)
		case 3:
			code = binary.LittleEndian.AppendUint32(code, wordECALL)
		case 4:
			code = binary.LittleEndian.AppendUint32(code, wordMRET)
		case 5:
			code = binary.LittleEndian.AppendUint32(code, ROMCall(rnd.Uint32N(1000)))
		}
	}
	return code
}

func FuzzBlocksEqualSteps(f *testing.F) {
	for k, core := range differCores {
		for _, p := range programs(f, core.arch) {
			if p.ID%40 == 0 {
				f.Add(p.Code.Bytes, uint64(p.ID), k == 1)
			}
		}
	}
	f.Fuzz(func(t *testing.T, code []byte, seed uint64, rv64 bool) {
		if len(code) > 0x1000 {
			return
		}
		sameRuns(t, differCores[truth(rv64)].cfg(), code, seed)
	})
}
