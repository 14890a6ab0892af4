package armv7m

import (
	"encoding/binary"
	"testing"

	"rigor/harness/sim/bus"
)

// put writes halfwords to mapped memory behind the core's back.
func put(c *Core, addr uint32, code ...uint16) {
	w := c.windowAt(addr)
	for i, h := range code {
		binary.LittleEndian.PutUint16(w.data[addr-w.base+2*uint32(i):], h)
	}
	c.Invalidate(addr, uint32(2*len(code)))
}

// steps executes n instructions and fails the test if they don't all complete.
func steps(t *testing.T, c *Core, n int) {
	t.Helper()
	for range n {
		if stop := c.Step(); stop.Reason != Deadline {
			t.Fatalf("at %#x: %v %s", stop.PC, stop.Reason, stop.What)
		}
	}
}

// TestInstructionFaults executes one instruction that cannot complete.
func TestInstructionFaults(t *testing.T) {
	const usage, busFault, mem = excUsageFault, excBusFault, excMemManage
	tests := []struct {
		name  string
		code  []uint16
		setup func(*Core)
		exc   uint16
		cfsr  uint32
		pc    uint32 // stacked, from the instruction
	}{
		{"undefined", []uint16{0xDE00}, nil, usage, 1 << 16, 0},
		{"unpredictable: CMP pc, r0", []uint16{0x4587}, nil, usage, 1 << 16, 0},
		{"double precision", []uint16{0xEE30, 0x0B00}, nil, usage, 1 << 16, 0},
		{"coprocessor 1", []uint16{0xEE00, 0x0100}, nil, usage, 1 << 19, 0},
		{"floating point disabled", []uint16{0xEE30, 0x0A20}, func(c *Core) { c.Sys.CPACR = 0 }, usage, 1 << 19, 0},
		{"undefined and disabled", []uint16{0xEE30, 0x0B00}, func(c *Core) { c.Sys.CPACR = 0 }, usage, 1 << 19, 0},
		{"divide by zero", []uint16{0xFBB0, 0xF0F2}, func(c *Core) { c.Sys.CCR |= ccrDIV0TRP }, usage, 1 << 25, 0},
		{"unaligned, trapped", []uint16{0x6808}, func(c *Core) { c.Sys.CCR |= ccrUNALIGNTRP; c.R[1] = testRAM + 2 }, usage, 1 << 24, 0},
		{"unaligned LDM", []uint16{0xC90D}, func(c *Core) { c.R[1] = testRAM + 2 }, usage, 1 << 24, 0},
		{"unaligned LDRD", []uint16{0xE9D1, 0x2300}, func(c *Core) { c.R[1] = testRAM + 2 }, usage, 1 << 24, 0},
		{"unaligned STREXH", []uint16{0xE8C1, 0x2F53}, func(c *Core) { c.R[1] = testRAM + 1 }, usage, 1 << 24, 0},
		{"unaligned VLDR", []uint16{0xED91, 0x0A00}, func(c *Core) { c.R[1] = testRAM + 2 }, usage, 1 << 24, 0},
		{"load from nowhere", []uint16{0x6808}, func(c *Core) { c.R[1] = 0x50000000 }, busFault, 1<<9 | 1<<15, 0},
		{"store to read-only memory", []uint16{0x6008}, func(c *Core) { c.R[1] = 0x100 }, busFault, 1<<9 | 1<<15, 0},
		{"STM into nowhere", []uint16{0xC10D}, func(c *Core) { c.R[1] = testRAM + 0xFFF8 }, busFault, 1<<9 | 1<<15, 0},
		{"user at the system space", []uint16{0x6808}, func(c *Core) { c.R[1] = 0xE000ED00; c.Control = 1 }, busFault, 1<<9 | 1<<15, 0},
		{"LDRT from the system space", []uint16{0xF851, 0x0E00}, func(c *Core) { c.R[1] = 0xE000ED00 }, busFault, 1<<9 | 1<<15, 0},
		{"MPU: no access", []uint16{0x6808}, func(c *Core) { c.R[1] = testRAM; protect(c, 0) }, mem, 1<<1 | 1<<7, 0},
		{"MPU: LDRT", []uint16{0xF851, 0x0E00}, func(c *Core) { c.R[1] = testRAM; protect(c, 1<<24) }, mem, 1<<1 | 1<<7, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newSystem(t)
			c.Sys.CPACR = cpacrFull
			c.setSHCSR(7 << 16)
			put(c, testPC, tt.code...)
			if tt.setup != nil {
				tt.setup(c)
			}
			before := c.R
			c.SetMSP(testMSP)
			steps(t, c, 1)
			if c.IPSR != tt.exc || c.Sys.CFSR != tt.cfsr {
				t.Fatalf("exception %d CFSR %#x, want %d %#x", c.IPSR, c.Sys.CFSR, tt.exc, tt.cfsr)
			}
			frame, _ := c.read32(c.R[13] + 24)
			if frame != testPC {
				t.Errorf("returns to %#x, want the instruction", frame)
			}
			before[13], before[14], before[15] = c.R[13], c.R[14], c.R[15]
			if c.R != before {
				t.Errorf("registers %x changed from %x", c.R, before)
			}
		})
	}
}

// protect turns the MPU on with a region of 1 KB at testRAM.
func protect(c *Core, ap uint32) {
	c.ppbStore(scsBase+mpuRBAR, 4, testRAM|rbarVALID)
	c.ppbStore(scsBase+mpuRASR, 4, ap|9<<1|rasrENABLE)
	c.ppbStore(scsBase+mpuCTRL, 4, mpuENABLE|mpuPRIVDEFENA)
}

// TestBranchFaults branches to where no instruction can be executed; the fault
// is that of the target.
func TestBranchFaults(t *testing.T) {
	tests := []struct {
		name   string
		target uint32
		exc    uint16
		cfsr   uint32
	}{
		{"even address", testPC + 0x100, excUsageFault, 1 << 17},
		{"nowhere", 0x60000001, excBusFault, 1 << 8},
		{"execute never", 0x40000001, excMemManage, 1 << 0},
		{"an exception return in Thread mode", 0xFFFFFFF9, excMemManage, 1 << 0},
	}
	for _, tt := range tests {
		c := newSystem(t)
		c.setSHCSR(7 << 16)
		put(c, testPC, 0x4708) // BX r1
		c.R[1] = tt.target
		steps(t, c, 2)
		frame, _ := c.read32(c.R[13] + 24)
		if c.IPSR != tt.exc || c.Sys.CFSR != tt.cfsr || frame != tt.target&^1 {
			t.Errorf("%s: exception %d CFSR %#x from %#x, want %d %#x", tt.name, c.IPSR, c.Sys.CFSR, frame, tt.exc, tt.cfsr)
		}
	}
}

// TestFaultInIT wants the condition state of the faulting instruction in the
// frame, so that the return executes it as what it was.
func TestFaultInIT(t *testing.T) {
	c := newSystem(t)
	c.setSHCSR(7 << 16)
	put(c, testPC, 0x4280, 0xBF07, 0x3001, 0x6808, 0x3002, 0x3003)                    // CMP r0, r0; ITTEE EQ; ADD, LDR, ADD, ADD
	put(c, testVector+16*excBusFault, 0x4A01, 0x4611, 0x4770, 0xBF00, 0x0000, 0x2000) // r1 = RAM (stacked below); BX lr
	c.R[0], c.R[1] = 0, 0x50000000
	steps(t, c, 4)
	psr, _ := c.read32(c.R[13] + 28)
	if c.IPSR != excBusFault || psr>>25&3|psr>>8&0xFC != 0x0E {
		t.Fatalf("exception %d, stacked IT %#x, want 0x0E", c.IPSR, psr>>25&3|psr>>8&0xFC)
	}
	c.write32(c.R[13]+4, testRAM) // the stacked r1
	c.write32(testRAM, 77)
	for range 3 {
		c.Step()
	}
	for c.R[15] != testPC+12 {
		steps(t, c, 1)
	}
	if c.R[0] != 77 {
		t.Errorf("r0 = %d, want 77: the rest of the block is skipped", c.R[0])
	}
}

// TestCodeChanges runs code, changes it in each way there is, and runs it
// again.
func TestCodeChanges(t *testing.T) {
	const code = testRAM + 0x400
	tests := []struct {
		name   string
		change func(c *Core, flash []byte)
	}{
		{"store", func(c *Core, _ []byte) {
			put(c, testPC, 0x8011) // STRH r1, [r2]
			c.R[1], c.R[2], c.R[15] = 0x3002, code, testPC
			steps(t, c, 1)
		}},
		{"store through the bit band", func(c *Core, _ []byte) { // bit 1 set, bit 0 clear
			c.dataStore(0x22000000+(code-0x20000000)*32+4, 4, 1, true)
			c.dataStore(0x22000000+(code-0x20000000)*32, 1, 0, true)
		}},
		{"invalidated", func(c *Core, ram []byte) { ram[0x400] = 2; c.Invalidate(code-100, 101) }},
		{"mapped anew", func(c *Core, ram []byte) {
			other := make([]byte, len(ram))
			binary.LittleEndian.PutUint16(other[0x400:], 0x3002)
			c.Map([]Region{{Name: "rom", Data: c.windows[0].data}, {Name: "ram", Base: testRAM, Data: other, Write: true}})
		}},
		{"restored", func(c *Core, ram []byte) { s := c.Snapshot(); ram[0x400] = 2; c.Restore(s) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newSystem(t)
			put(c, code, 0x3001, 0xE7FE) // ADDS r0, #1; B .
			run := func() {
				c.R[0], c.R[15] = 0, code
				c.Run(c.Cycle + 100)
			}
			run()
			if c.R[0] != 1 {
				t.Fatalf("r0 = %d at first", c.R[0])
			}
			tt.change(c, c.windows[1].data)
			if run(); c.R[0] != 2 {
				t.Errorf("r0 = %d, want 2", c.R[0])
			}
		})
	}
}

// TestCodeChangesItself stores over the next instruction, in a block that has
// been decoded and is running.
func TestCodeChangesItself(t *testing.T) {
	c := newSystem(t)
	put(c, testRAM, 0x8011, 0x3001, 0x3010, 0xE7FE) // STRH r1, [r2]; ADDS r0, #1; ADDS r0, #16
	c.R[1], c.R[2], c.R[15] = 0x3002, testRAM+2, testRAM
	c.Run(100)
	if c.R[0] != 18 {
		t.Errorf("r0 = %d, want 18", c.R[0])
	}
}

// TestAlias changes code through another address of the same memory.
func TestAlias(t *testing.T) {
	ram := make([]byte, 0x1000)
	c := New(Config{IRQs: 1, PrioBits: 4, Bus: emptyBus{}})
	c.Map([]Region{{Base: 0, Data: ram[:0x800], Write: true}, {Base: testRAM, Data: ram, Write: true}})
	put(c, 0x100, 0x3001, 0xE7FE) // ADDS r0, #1
	c.R[15] = 0x100
	c.Run(100)
	put(c, testRAM+0xF00, 0x8011, 0xE7FE) // STRH r1, [r2]
	c.R[1], c.R[2], c.R[15] = 0x3002, testRAM+0x100, testRAM+0xF00
	c.Run(200)
	c.R[0], c.R[15] = 0, 0x100
	c.Run(300)
	if c.R[0] != 2 {
		t.Errorf("r0 = %d, want 2", c.R[0])
	}
}

func TestBitBand(t *testing.T) { // DDI 0439D 3.7
	c := newSystem(t)
	c.write32(testRAM+0x100, 0x80000001)
	tests := []struct {
		addr uint32
		want uint32
	}{
		{0x22002000, 1}, {0x22002004, 0}, {0x2200207C, 1}, {0x22002060, 0},
	}
	for _, tt := range tests {
		for _, width := range []uint8{1, 2, 4} {
			if v, ok := c.dataLoad(tt.addr, width, true); !ok || v != tt.want {
				t.Errorf("[%#x], %d bytes: %d %v, want %d", tt.addr, width, v, ok, tt.want)
			}
		}
	}
	c.dataStore(0x22002008, 4, 0xFFFFFFFF, true)
	c.dataStore(0x2200207C, 1, 0xFE, true)
	if v, _ := c.read32(testRAM + 0x100); v != 5 {
		t.Errorf("%#x, want 5", v)
	}
}

// script is a Bus whose loads and stores are functions.
type script struct {
	load  func(addr uint32, width uint8) (uint32, bus.Fault)
	store func(addr uint32, width uint8, v uint32) bus.Fault
}

func (s *script) Load(addr uint32, width uint8) (uint32, bus.Fault)  { return s.load(addr, width) }
func (s *script) Store(addr uint32, width uint8, v uint32) bus.Fault { return s.store(addr, width, v) }

// TestBusCalls wants Cycle and PC exact in calls of the Bus, wherever in a
// block they come from, and the width and order of accesses as on the part.
func TestBusCalls(t *testing.T) {
	type call struct {
		pc, addr uint32
		width    uint8
		cycle    uint64
	}
	var got []call
	c := newSystem(t)
	c.cfg.Bus = &script{
		load: func(addr uint32, width uint8) (uint32, bus.Fault) {
			got = append(got, call{c.R[15] - testPC, addr, width, c.Cycle})
			return 0, bus.None
		},
		store: func(addr uint32, width uint8, v uint32) bus.Fault {
			got = append(got, call{c.R[15] - testPC, addr, width, c.Cycle})
			return bus.None
		},
	}
	// MOVS r0, #0; LDR r2, [r1]; STRB r0, [r1, #1]; LDRH r3, [r1, #2]; LDM r1, {r2, r3};
	// LDR.W r2, [r1, #1]; B .
	put(c, testPC, 0x2000, 0x680A, 0x7048, 0x884B, 0xE891, 0x000C, 0xF8D1, 0x2001, 0xE7FE)
	c.R[1] = 0x40000000
	c.Run(100)
	want := []call{
		{2, 0x40000000, 4, 1},
		{4, 0x40000001, 1, 3},
		{6, 0x40000002, 2, 3},
		{8, 0x40000000, 4, 6}, {8, 0x40000004, 4, 7},
		{12, 0x40000001, 1, 11}, {12, 0x40000002, 2, 11}, {12, 0x40000004, 1, 11},
	}
	if len(got) != len(want) {
		t.Fatalf("%d calls %v, want %d", len(got), got, len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("call %d: %+v, want %+v", i, got[i], want[i])
		}
	}
}

// TestFetchFromBus executes from memory that isn't mapped, and an instruction
// that straddles its end.
func TestFetchFromBus(t *testing.T) {
	code := map[uint32]uint32{0x60000000: 0xF240, 0x60000002: 0x0307, 0x60000004: 0x3301, 0x60000006: 0x4770} // MOVW r3, #7; ADDS; BX lr
	code[testRAM+0x10000] = 0x0307
	c := newSystem(t)
	c.cfg.Bus = &script{load: func(addr uint32, width uint8) (uint32, bus.Fault) {
		if v, ok := code[addr]; ok && width == 2 {
			return v, bus.None
		}
		return 0, bus.Error
	}}
	c.R[14], c.R[15] = testPC+1, 0x60000000
	steps(t, c, 3)
	if c.R[3] != 8 || c.R[15] != testPC {
		t.Errorf("r3 = %d, PC %#x", c.R[3], c.R[15])
	}
	put(c, testRAM+0xFFFE, 0xF240)
	c.R[3], c.R[15] = 0, testRAM+0xFFFE
	steps(t, c, 1)
	if c.R[3] != 7 || c.R[15] != testRAM+0x10002 {
		t.Errorf("r3 = %d, PC %#x", c.R[3], c.R[15])
	}
	c.cfg.Bus = &script{load: func(uint32, uint8) (uint32, bus.Fault) { return 0, bus.Unmodelled }}
	if stop := c.Run(1000); stop.Reason != NotModelled || stop.Addr != testRAM+0x10002 {
		t.Errorf("%+v", stop)
	}
}

// TestIT checks what may be in an IT block, and that its conditions see the
// flags of the instruction before.
func TestIT(t *testing.T) {
	tests := []struct {
		name string
		code []uint16
		n    int // instructions executed
		r0   uint32
	}{
		{"flags change inside", []uint16{0xBF06, 0x2801, 0x3001, 0x3002}, 4, 2}, // ITTE EQ; CMPEQ r0, #1; ADDEQ; ADDNE
		{"always", []uint16{0xBFE8, 0x3001}, 2, 1},
		{"16 bits don't set flags", []uint16{0xBF04, 0x3001, 0x3001, 0xD000, 0x3004, 0x3008}, 5, 10}, // ITT EQ; BEQ
		{"a branch last", []uint16{0xBF04, 0x3001, 0xE000, 0x3002, 0x3004}, 4, 5},
	}
	for _, tt := range tests {
		c := newSystem(t)
		put(c, testPC, tt.code...)
		c.R[0] = 0
		c.setFlags(1 << 30) // Z
		steps(t, c, tt.n)
		if c.R[0] != tt.r0 || c.IPSR != 0 {
			t.Errorf("%s: r0 = %d, want %d (exception %d)", tt.name, c.R[0], tt.r0, c.IPSR)
		}
	}
	for _, code := range [][]uint16{
		{0xBF04, 0xE000},         // a branch that isn't last
		{0xBF04, 0x4700},         // BX
		{0xBF04, 0xBD00},         // POP {pc}
		{0xBF04, 0xF85D, 0xFB04}, // LDR pc
		{0xBF04, 0x4487},         // ADD pc
		{0xBF08, 0xBF08},         // IT
		{0xBF08, 0xD000},         // conditional branch
		{0xBF08, 0xB100},         // CBZ
		{0xBF08, 0xB662},         // CPSIE
		{0xBFF8}, {0xBFEC},       // no such condition; AL with else
	} {
		c := newSystem(t)
		put(c, testPC, code...)
		c.setFlags(1 << 30)
		c.Step()
		if c.IPSR == 0 {
			c.Step()
		}
		if c.Sys.CFSR != 1<<16 {
			t.Errorf("%x: CFSR %#x, want UNDEFINSTR", code, c.Sys.CFSR)
		}
	}
}

// TestNotModelled wants the simulation to stop before the instruction has done
// anything.
func TestNotModelled(t *testing.T) {
	c := newSystem(t)
	c.cfg.Bus = &script{load: func(uint32, uint8) (uint32, bus.Fault) { return 0, bus.Unmodelled }}
	put(c, testPC, 0x2005, 0x6808) // MOVS r0, #5; LDR r0, [r1]
	c.R[1] = 0x40000004
	want := Stop{Reason: NotModelled, PC: testPC + 2, Addr: 0x40000004, Width: 4, What: "memory access"}
	for range 2 { // it stays there
		if stop := c.Run(100); stop != want || c.R[0] != 5 || c.R[15] != testPC+2 || c.Cycle != 1 {
			t.Errorf("%+v with r0 = %d, PC %#x, cycle %d; want %+v", stop, c.R[0], c.R[15], c.Cycle, want)
		}
	}
}

// TestDeadline ends Run at the first boundary at or behind it.
func TestDeadline(t *testing.T) {
	for until := uint64(1); until < 30; until++ {
		c := newSystem(t)
		put(c, testPC, 0x3001, 0xFBB4, 0xF3F5, 0x3001, 0xE7FA) // ADDS; UDIV of 12 cycles; ADDS; B to the start
		c.R[4], c.R[5] = 0xFFFFFFFF, 1
		boundaries := []uint64{0, 1, 13, 14, 16, 17, 29, 30}
		stop := c.Run(until)
		want := boundaries[0]
		for i := 0; want < until; i++ {
			want = boundaries[i]
		}
		if stop.Reason != Deadline || c.Cycle != want {
			t.Errorf("to %d: %v at %d, want %d", until, stop.Reason, c.Cycle, want)
		}
	}
}

func TestSetDeadlineInBusCall(t *testing.T) {
	c := newSystem(t)
	c.cfg.Bus = &script{store: func(uint32, uint8, uint32) bus.Fault { c.SetDeadline(c.Cycle + 3); return bus.None }}
	put(c, testPC, 0x6008, 0x3001, 0x3001, 0x3001, 0x3001, 0xE7FE) // STR r0, [r1]; ADDS
	c.R[0], c.R[1] = 0, 0x40000000
	if stop := c.Run(1000); stop.Reason != Deadline || c.Cycle != 3 || c.R[0] != 2 {
		t.Errorf("%v at %d with r0 = %d, want 3 and 2", stop.Reason, c.Cycle, c.R[0])
	}
}

// TestStall stalls fetches from flash, not from RAM.
func TestStall(t *testing.T) {
	for _, at := range []uint32{testPC, testRAM} {
		c := newSystem(t)
		c.cfg.Bus = &script{store: func(uint32, uint8, uint32) bus.Fault { c.Stall(500); return bus.None }}
		put(c, at, 0x6008, 0x3001, 0xE7FE) // STR r0, [r1]; ADDS r0, #1; B .
		c.R[0], c.R[1], c.R[15] = 0, 0x40000000, at
		c.Run(400)
		early := c.R[0]
		c.Run(600)
		if want := uint32(0); c.R[0] != 1 || at == testPC && early != want || at != testPC && early == want {
			t.Errorf("code at %#x: r0 = %d at 400 and %d at 600", at, early, c.R[0])
		}
	}
}

func TestSleepInRun(t *testing.T) {
	c := newSystem(t)
	put(c, testPC, 0xBF30, 0x3001, 0xE7FE) // WFI; ADDS r0, #1; B .
	put(c, testVector+16*20, 0x4770)       // BX lr
	c.R[0] = 0
	if stop := c.Run(1000); stop.Reason != Asleep || c.Cycle != 1000 || c.Slept != 999 || c.R[0] != 0 {
		t.Errorf("%v at %d, %d of them asleep", stop.Reason, c.Cycle, c.Slept)
	}
	c.SetIRQ(4, true)
	c.SetIRQ(4, false)
	// Entry, BX, return: the instruction behind WFI is next.
	if stop := c.Run(1000 + 12 + 1 + 10 + 1); stop.Reason != Deadline || c.R[0] != 1 || c.Slept != 999 {
		t.Errorf("%v at %d with r0 = %d", stop.Reason, c.Cycle, c.R[0])
	}
}

func TestBreakpoint(t *testing.T) {
	c := newSystem(t)
	put(c, testPC, 0x3001, 0x3001, 0xE7FC) // ADDS; ADDS; B to the start
	c.R[0] = 0
	c.Run(100) // decoded and chained
	c.SetBreakpoint(testPC+2, true)
	for range 3 {
		before := c.R[0]
		if stop := c.Run(1000); stop.Reason != Breakpoint || stop.PC != testPC+2 || c.R[0]-before > 2 {
			t.Errorf("%v at %#x", stop.Reason, stop.PC)
		}
	}
	c.SetBreakpoint(testPC+2, false)
	if stop := c.Run(1000); stop.Reason != Deadline {
		t.Errorf("%v at %#x after its removal", stop.Reason, stop.PC)
	}
}

func TestTrace(t *testing.T) {
	c := newSystem(t)
	put(c, testPC, 0x3001, 0xF240, 0x0100, 0xE7FB) // ADDS; MOVW; B to the start
	var got []uint32
	c.SetTrace(func(pc uint32) { got = append(got, pc-testPC) })
	c.Run(5)
	c.SetTrace(nil)
	c.Run(100)
	want := []uint32{0, 2, 6, 0}
	if len(got) != len(want) {
		t.Fatalf("trace %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("trace %v, want %v", got, want)
		}
	}
}

// TestSnapshot goes on twice from the same point.
func TestSnapshot(t *testing.T) {
	c, ram := newMix()
	c.Run(100_000)
	state, memory := c.Snapshot(), string(ram)
	c.Run(200_000)
	want, wantRAM := c.Snapshot(), string(ram)
	copy(ram, memory)
	c.Restore(state)
	c.Run(200_000)
	if c.Snapshot() != want || string(ram) != wantRAM {
		t.Error("the second run differs")
	}
}

// TestInstructionsDoNotAllocate runs code that has been decoded. What is left
// are the blocks that begin where a Run happens to end.
func TestInstructionsDoNotAllocate(t *testing.T) {
	c, _ := newMix()
	c.Run(1_000_000)
	before := c.Insns
	n := testing.AllocsPerRun(1, func() { c.Run(c.Cycle + 1_000_000) })
	if executed := c.Insns - before; n*10_000 > float64(executed) {
		t.Errorf("%v allocations in %d instructions", n, executed)
	}
}
