package k210

import (
	"encoding/binary"
	"encoding/hex"
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// start runs a program, in hexadecimal, on both harts from the start of RAM, for a
// while.
func start(t *testing.T, c *Chip, program string, d clock.Time) {
	t.Helper()
	if err := c.LoadRAM(ramBase, fromHex(t, program)); err != nil {
		t.Fatal(err)
	}
	c.Start(ramBase)
	if stop := c.Run(c.Now() + d); stop.Kind != board.Running {
		t.Fatal(stop)
	}
}

func fromHex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// doubles are n of them in RAM.
func doubles(t *testing.T, c *Chip, addr uint32, n int) []uint64 {
	t.Helper()
	data, err := c.ReadMemory(addr, 8*n)
	if err != nil {
		t.Fatal(err)
	}
	all := make([]uint64, n)
	for i := range all {
		all[i] = binary.LittleEndian.Uint64(data[8*i:])
	}
	return all
}

// ipi is GNU as's output for:
//
//		csrr t0, mhartid;  li s0, 0x40100000;  li s1, 0x02000000;  bnez t0, other
//		li t1, 1000
//	1:	addi t1, t1, -1;  bnez t1, 1b
//		csrr t2, mcycle;  sd t2, 0(s0);  li t3, 1;  sw t3, 4(s1)	# MSIP of hart 1
//	2:	li t4, 0;  addi t5, s0, 16;  amoadd.w t4, zero, (t5);  beqz t4, 2b
//		csrr t2, mcycle;  sd t2, 24(s0)
//	3:	wfi;  j 3b
//	other:	li t1, 8;  csrw mie, t1;  sw zero, 16(s0);  wfi
//		csrr t2, mcycle;  sd t2, 8(s0);  sw zero, 4(s1)
//		addi t5, s0, 16;  li t1, 1;  amoadd.w t4, t1, (t5)
//	4:	wfi;  j 4b
const ipi = "f32240f137041040b7040002639c02021303803e7d13e31f03fef32300b023307400054e23a2c401814e130f0401af2e0f00e38b0efef32300b0233c740073005010f5bf2143731043302328040073005010f32300b02334740023a20400130f04010543af2e6f0073005010f5bf"

// TestSoftwareInterrupt has hart 0 wake hart 1, which answers by an atomic.
func TestSoftwareInterrupt(t *testing.T) {
	c := powered(Options{})
	start(t, c, ipi, 100*clock.Microsecond)
	got := doubles(t, c, mirrorBase+0x100000, 4)
	sent, woken, answered := got[0], got[1], got[3]
	// The store to MSIP takes coreCycles and the instructions around it; the rest is
	// waking, which takes hart 1 no time, and reading the counter.
	if woken < sent || woken > sent+40 {
		t.Errorf("hart 1 woke at %d, %d cycles after %d", woken, woken-sent, sent)
	}
	if answered < woken || answered > woken+150 {
		t.Errorf("hart 0 saw the answer at %d, %d cycles after hart 1 woke", answered, answered-woken)
	}
	if c.harts[1].Slept == 0 {
		t.Error("hart 1 has not slept")
	}
}

// powered is a chip on which nothing runs yet.
func powered(o Options) *Chip {
	c := New(o)
	c.SetReset(true)
	c.SetPower(true)
	return c
}

// TestTurnsAreDeterministic runs a program at once and in small pieces, and from a
// snapshot in the middle.
func TestTurnsAreDeterministic(t *testing.T) {
	whole, pieces := powered(Options{Seed: 7}), powered(Options{Seed: 7})
	start(t, whole, ipi, 20*clock.Microsecond)
	start(t, pieces, ipi, 3*clock.Microsecond)
	middle := pieces.Snapshot()
	for pieces.Now() < whole.Now() {
		pieces.Run(min(pieces.Now()+137*clock.Nanosecond, whole.Now()))
	}
	if whole.Digest() != pieces.Digest() {
		t.Error("in pieces it went otherwise")
	}
	other := New(Options{Seed: 7})
	other.Restore(middle)
	other.Run(whole.Now())
	if whole.Digest() != other.Digest() {
		t.Error("from a snapshot it went otherwise")
	}
}
