package armv7m

import (
	"encoding/binary"
	"slices"
	"testing"
)

// kernel runs a loop of body 16 times over, SUBS r0 and BNE, and returns the
// cycles of one iteration.
func kernel(t *testing.T, at uint32, body []uint16, setup func(*Core)) uint64 {
	t.Helper()
	var loop []uint16
	for range 16 {
		loop = append(loop, body...)
	}
	loop = append(loop, 0x3801)
	loop = append(loop, 0xD100|uint16(-len(loop)-2)&0xFF) // BNE to the start
	one, many := loopCycles(t, at, loop, 1, setup), loopCycles(t, at, loop, 101, setup)
	if (many-one)%100 != 0 {
		t.Errorf("100 iterations take %d cycles", many-one)
	}
	return (many - one) / 100
}

// loopCycles runs code until r0, which starts as n, has counted down.
func loopCycles(t *testing.T, at uint32, code []uint16, n uint32, setup func(*Core)) uint64 {
	t.Helper()
	c := program(at, code...)
	setup(c)
	c.R[0] = n
	end := at + uint32(2*len(code))
	c.SetBreakpoint(end, true)
	if stop := c.Run(100_000); stop.Reason != Breakpoint {
		t.Fatalf("stopped at %#x: %v %s", stop.PC, stop.Reason, stop.What)
	}
	return c.Cycle
}

// codeRAM is where code and data don't share a bus.
const codeRAM = 0x10000

// program makes a core about to run code at codeRAM or machineRAM, with 64 KB
// there each.
func program(at uint32, code ...uint16) *Core {
	ram, other := make([]byte, 64<<10), make([]byte, 64<<10)
	c := New(Config{CPUID: 0x410FC241, IRQs: 82, PrioBits: 4, RefDiv: 8, Bus: emptyBus{}})
	c.Map([]Region{
		{Name: "ram", Base: machineRAM, Data: ram, Write: true},
		{Name: "code", Base: codeRAM, Data: other, Write: true},
	})
	w := c.windowAt(at)
	for i, h := range code {
		binary.LittleEndian.PutUint16(w.data[2*i:], h)
	}
	c.Sys.CPACR = cpacrFull
	c.Control = controlFPCA
	c.SetXPSR(psrT)
	c.R[13] = machineRAM + 0x8000
	c.R[15] = at
	return c
}

// TestKernels compares with a published calibration: 16 instructions, SUBS and
// BNE, on a Cortex-M3 r2p0 at 8 MHz and 0 wait states, timed by DWT. The
// Cortex-M4's table (DDI 0439D) gives the same for these.
func TestKernels(t *testing.T) {
	tests := []struct {
		name  string
		body  []uint16
		setup func(*Core)
		want  uint64
	}{
		{"empty loop", nil, nil, 3},
		{"ADDS r1, #1", []uint16{0x3101}, nil, 19},
		{"MULS r1, r2", []uint16{0x4351}, nil, 19},
		{"STR r1, [r2]", []uint16{0x6011}, nil, 19},
		{"LDR independent", []uint16{0x6811}, nil, 20},
		{"LDR dependent", []uint16{0x6812}, nil, 35},
		{"B taken", []uint16{0xE7FF}, nil, 35},
		{"LDM of 4", []uint16{0xE892, 0x0078}, nil, 83},
		{"UDIV fast", []uint16{0xFBB4, 0xF3F5}, func(c *Core) { c.R[4], c.R[5] = 7, 5 }, 51},
		{"UDIV slow", []uint16{0xFBB4, 0xF3F5}, func(c *Core) { c.R[4], c.R[5] = 0xFFFFFFFF, 1 }, 195},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := kernel(t, codeRAM, tt.body, func(c *Core) {
				c.R[2] = machineRAM + 0x1000
				binary.LittleEndian.PutUint32(c.windows[0].data[0x1000:], machineRAM+0x1000)
				if tt.setup != nil {
					tt.setup(c)
				}
			})
			if got != tt.want {
				t.Errorf("%d cycles an iteration, want %d", got, tt.want)
			}
		})
	}
}

// TestKernelsInSRAM compares with the same calibration's two kernels that were
// executed from where their data is. What follows them is the model's, not measured.
func TestKernelsInSRAM(t *testing.T) {
	tests := []struct {
		name string
		body []uint16
		base uint32
		want uint64
	}{
		{"ADDS r1, #1", []uint16{0x3101}, machineRAM, 20},
		{"LDR independent", []uint16{0x6811}, machineRAM, 29},

		{"empty loop", nil, machineRAM, 4},
		{"LDR of data on another bus", []uint16{0x6811}, codeRAM, 21},
		{"LDR, ADDS: the bus is free in time", []uint16{0x6811, 0x3301}, machineRAM, 1 + 3 + 16*3},
		{"STR", []uint16{0x6011}, machineRAM, 28},
		{"32-bit ADD: a word in two cycles", []uint16{0xF101, 0x0101}, machineRAM, 1 + 3 + 16*2},
		{"B taken", []uint16{0xE7FF}, machineRAM, 35 + 17},
	}
	for _, tt := range tests {
		got := kernel(t, machineRAM, tt.body, func(c *Core) { c.R[2] = tt.base + 0x1000 })
		if got != tt.want {
			t.Errorf("%s: %d cycles an iteration, want %d", tt.name, got, tt.want)
		}
	}
}

// TestSequences checks the cycles of short sequences: the pairs of DDI 0439D
// 3.3.3, its tables 3-1 and 7-1, and the measurements that cycles.go names.
func TestSequences(t *testing.T) {
	tests := []struct {
		name string
		code []uint16
		want uint64
	}{
		{"LDR r0, [r1]; LDR r1, [r2]", []uint16{0x6808, 0x6811}, 3},
		{"three loads", []uint16{0x5948, 0x6811, 0x685A}, 4},
		{"LDR; STR immediate: hidden", []uint16{0x5948, 0x6158}, 2},
		{"LDR; STR register", []uint16{0x5948, 0x5159}, 3},
		{"LDR; STR through the loaded address", []uint16{0x6812, 0x6011}, 3},
		{"STR register", []uint16{0x5159}, 2},
		{"STR; LDR", []uint16{0x6011, 0x6811}, 4},
		{"LDR; NOP", []uint16{0x6811, 0xBF00}, 2},
		{"ADDS; LDR through the sum", []uint16{0x3204, 0x6811}, 4},
		{"ADDS; LDR through another", []uint16{0x3104, 0x6811}, 3},
		{"ADDS; STR of the sum", []uint16{0x3104, 0x6011}, 2},
		{"LDR [r2], #4 twice", []uint16{0xF852, 0x1B04, 0xF852, 0x3B04}, 4},
		{"LDRD", []uint16{0xE9D2, 0x1300}, 3},
		{"STRD", []uint16{0xE9C2, 0x1300}, 3},
		{"PUSH {r0-r3}", []uint16{0xB40F}, 5},
		{"LDR of a word in two halves", []uint16{0xF8D2, 0x1002}, 3},
		{"LDR of a word at an odd address", []uint16{0xF8D2, 0x1001}, 4},
		{"LDRH at an odd address", []uint16{0xF8B2, 0x1001}, 3},
		{"MLA, SMLAL, SMLAD", []uint16{0xFB01, 0x2103, 0xFBC1, 0x4503, 0xFB21, 0x2103}, 3},
		{"ITE folded; ADD; SUB", []uint16{0x2800, 0xBF0C, 0x3101, 0x3901}, 3},
		{"IT not folded", []uint16{0xF1B0, 0x0F00, 0xBF08, 0x3101}, 3},
		{"LDREX; STREX", []uint16{0xE852, 0x1F00, 0xE842, 0x1300}, 3},
		{"BL, B: one more each", []uint16{0xF000, 0xF800, 0xE7FF}, 4},
		{"CBZ taken, CBNZ not", []uint16{0xB100, 0xBF00, 0xB900}, 3},
		{"ADDS; two 32-bit ADD across words", []uint16{0x3101, 0xF101, 0x0101, 0xF101, 0x0101}, 3},
		{"ADDS; three 32-bit ADD across words", []uint16{0x3101, 0xF101, 0x0101, 0xF101, 0x0101, 0xF101, 0x0101}, 5},
		{"ADDS; four 32-bit ADD across words", []uint16{0x3101, 0xF101, 0x0101, 0xF101, 0x0101, 0xF101, 0x0101, 0xF101, 0x0101}, 6},
		{"three 32-bit ADD in words", []uint16{0xF101, 0x0101, 0xF101, 0x0101, 0xF101, 0x0101}, 3},
		{"DSB", []uint16{0xF3BF, 0x8F4F}, 1},
		{"ISB", []uint16{0xF3BF, 0x8F6F}, 4},
		{"MRS, MSR", []uint16{0xF3EF, 0x8110, 0xF381, 0x8810}, 2},
		{"VADD; VADD of the sum", []uint16{0xEE30, 0x0A20, 0xEE30, 0x0A20}, 3},
		{"VADD; VADD of others", []uint16{0xEE30, 0x0A20, 0xEE71, 0x0AA1}, 2},
		{"VFMA; VFMA to the same", []uint16{0xEEA1, 0x0A21, 0xEEA1, 0x0A21}, 6},
		{"VDIV, VSQRT", []uint16{0xEE81, 0x0A21, 0xEEF1, 0x1AC2}, 28},
		{"VLDR, VSTR", []uint16{0xED92, 0x0A00, 0xEDC2, 0x0A01}, 4},
		{"VLDM of 4", []uint16{0xEC92, 0x0A04}, 5},
		{"VMOV of a pair", []uint16{0xEC41, 0x0B10}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := loopCycles(t, codeRAM, tt.code, 0, func(c *Core) {
				c.R[1], c.R[2], c.R[3] = machineRAM+0x1000, machineRAM+0x1000, machineRAM+0x1000
				binary.LittleEndian.PutUint32(c.windows[0].data[0x1000:], machineRAM+0x1000)
			})
			if got != tt.want {
				t.Errorf("%d cycles, want %d", got, tt.want)
			}
		})
	}
}

// TestRefill checks what branches cost where the target's place or kind
// matters: see the constants in cycles.go.
func TestRefill(t *testing.T) {
	const end = codeRAM + 0x100
	tests := []struct {
		name string
		code []uint16
		want uint64
	}{
		{"BX", []uint16{0x4708}, 1 + refillRegister},
		{"BLX", []uint16{0x4788}, 1 + refillRegister},
		{"MOV pc", []uint16{0x468F}, 1 + refillRegister},
		{"LDR pc", []uint16{0xF8D2, 0xF000}, 5},
		{"POP {r4, pc}", []uint16{0xBD10}, 1 + 2 + refillLoad},
		{"TBB", []uint16{0xE8D2, 0xF000}, 6},
		{"B to 32 bits in two words", []uint16{0xE001, 0xBF00, 0xBF00, 0xF240, 0x0400, 0x4708}, 2 + misalignedRefill + 1 + 1 + refillRegister},
		{"B to 32 bits in one word", []uint16{0xE000, 0xBF00, 0xF240, 0x0400, 0x4708}, 2 + 1 + 1 + refillRegister},
	}
	for _, tt := range tests {
		c := program(codeRAM, tt.code...)
		c.R[1], c.R[2], c.R[13] = end+1, machineRAM+0x1000, machineRAM+0x1000-4
		binary.LittleEndian.PutUint32(c.windows[0].data[0x1000:], end+1)
		if slices.Contains(tt.code, 0xF000) && tt.code[0] == 0xE8D2 { // offset of TBB
			c.R[0] = 4
			c.windows[0].data[0x1004] = (0x100 - 4) / 2
		}
		c.SetBreakpoint(end, true)
		if stop := c.Run(1000); stop.Reason != Breakpoint || c.Cycle != tt.want {
			t.Errorf("%s: %d cycles to %#x (%v), want %d", tt.name, c.Cycle, stop.PC, stop.Reason, tt.want)
		}
	}
}

func TestDivideCycles(t *testing.T) {
	tests := []struct {
		n, d uint32
		want uint64
	}{
		{0, 1, 2}, {4, 5, 2}, {1, 0, 2}, {5, 5, 3}, {1, 1, 3}, {15, 1, 3}, {16, 1, 4},
		{1000, 10, 4}, {0xFFFFFFFF, 0x10000, 7}, {0xFFFFFFFF, 1, 12}, {0x80000000, 1, 12},
	}
	for _, tt := range tests {
		if got := divideCycles(tt.n, tt.d); got != tt.want {
			t.Errorf("%#x / %#x: %d cycles, want %d", tt.n, tt.d, got, tt.want)
		}
	}
}
