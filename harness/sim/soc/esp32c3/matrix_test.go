package esp32c3

import "testing"

// What the matrix presents: TRM Interrupt Matrix, ESP-RISC-V CPU, Interrupt Controller.
func TestMatrixPresents(t *testing.T) {
	type set struct {
		source, irq int
		pri         uint32
		edge        bool
	}
	tests := []struct {
		name   string
		sets   []set
		thresh uint32
		want   uint8
	}{
		{"one", []set{{32, 9, 1, false}}, 0, 9},
		{"edge", []set{{32, 9, 1, true}}, 0, 9},
		{"priority 0 is off", []set{{32, 9, 0, false}}, 0, 0},
		{"at the threshold", []set{{32, 9, 5, false}}, 5, 9},
		{"below the threshold", []set{{32, 9, 4, false}}, 5, 0},
		{"the highest priority", []set{{32, 3, 4, false}, {16, 30, 7, false}, {21, 5, 6, false}}, 1, 30},
		{"of equal ones the lowest number", []set{{32, 31, 4, false}, {16, 7, 4, false}}, 1, 7},
		{"two sources on one", []set{{0, 12, 3, false}, {61, 12, 3, false}}, 0, 12},
		{"0 is no interrupt", []set{{32, 0, 15, false}}, 0, 0},
	}
	for _, tt := range tests {
		c := started(t, Options{}, endless())
		enable := uint32(0)
		for _, s := range tt.sets {
			st(t, c, matrix0+4*uint32(s.source), uint32(s.irq))
			st(t, c, matrix0+0x114+4*uint32(s.irq), s.pri)
			enable |= 1 << s.irq
			st(t, c, matrix0+0x108, oneIf(s.edge)<<s.irq)
		}
		st(t, c, matrix0+0x194, tt.thresh)
		st(t, c, matrix0+0x104, enable)
		for _, s := range tt.sets {
			c.source(s.source, true)
		}
		if c.core.Interrupt != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, c.core.Interrupt, tt.want)
		}
		st(t, c, matrix0+0x104, 0)
		if c.core.Interrupt != 0 {
			t.Errorf("%s: disabled, and presents %d", tt.name, c.core.Interrupt)
		}
	}
}

// An edge stays until it is cleared, a level goes with its source.
func TestMatrixEdges(t *testing.T) {
	c := started(t, Options{}, endless())
	const line = 17
	st(t, c, matrix0+4*21, line)
	st(t, c, matrix0+0x114+4*line, 1)
	st(t, c, matrix0+0x104, 1<<line)
	step := func(what string, want uint8) {
		t.Helper()
		if c.core.Interrupt != want || ld(t, c, matrix0+0x110) != uint32(want)>>4<<line {
			t.Errorf("%s: presents %d, want %d", what, c.core.Interrupt, want)
		}
	}
	c.source(21, true)
	step("level", line)
	c.source(21, false)
	step("level gone", 0)
	st(t, c, matrix0+0x108, 1<<line)
	c.source(21, true)
	c.source(21, false)
	step("edge", line)
	st(t, c, matrix0+0x10C, 1<<line)
	step("cleared", 0)
	c.source(21, true)
	step("held clear", 0)
	st(t, c, matrix0+0x10C, 0)
	step("an edge while held clear is lost", 0)
	if got := ld(t, c, matrix0+0xF8); got != 1<<21 {
		t.Errorf("INTR_STATUS_REG_0 reads %#x, want source 21", got)
	}
	c.source(21, false)
	c.source(21, true)
	step("the next one", line)
}

// CPU_INTR_FROM_CPU_n are sources 50 to 53.
func TestSoftwareInterrupts(t *testing.T) {
	c := started(t, Options{}, endless())
	for n := range uint32(4) {
		st(t, c, matrix0+4*(50+n), 1+n)
		st(t, c, matrix0+0x114+4*(1+n), 1)
		st(t, c, matrix0+0x104, 1<<(1+n))
		st(t, c, system0+0x28+4*n, 1)
		if got := c.core.Interrupt; got != uint8(1+n) {
			t.Errorf("CPU_INTR_FROM_CPU_%d presents %d, want %d", n, got, 1+n)
		}
		st(t, c, system0+0x28+4*n, 0)
	}
}
