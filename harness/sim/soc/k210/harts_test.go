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
func start(t testing.TB, c *Chip, program string, d clock.Time) {
	t.Helper()
	if err := c.LoadRAM(ramBase, fromHex(t, program)); err != nil {
		t.Fatal(err)
	}
	c.Start(ramBase)
	if stop := c.Run(c.Now() + d); stop.Kind != board.Running {
		t.Fatal(stop)
	}
}

func fromHex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// doubles are n of them in RAM.
func doubles(t testing.TB, c *Chip, addr uint32, n int) []uint64 {
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

// polls is GNU as's output for a program whose harts always wait in loops:
//
//		csrr t0, mhartid;  li s0, 0x80100000;  bnez t0, other
//		li s1, 0x38000000;  li s2, 0x0200BFF8
//		li t1, 1;  sw t1, 8(s1);  li t1, 3384;  sw t1, 24(s1);  li t6, 0	# TXCTRL, DIV
//	again:	li t1, 40
//	1:	lw t2, 0(s1);  bltz t2, 1b	# TXDATA
//		sw t1, 0(s1);  addi t1, t1, -1;  bnez t1, 1b
//		ld t3, 0(s2);  li t4, 7800	# mtime
//	2:	ld t5, 0(s2);  sub t5, t5, t3;  bltu t5, t4, 2b
//		addi t6, t6, 1;  sw t6, 0(s0)
//	3:	lw t5, 64(s0);  bne t5, t6, 3b
//		csrr t3, mcycle;  li t4, 195000
//	4:	csrr t5, mcycle;  sub t5, t5, t3;  bltu t5, t4, 4b
//		sd t5, 128(s0);  j again
//	other:	li t6, 0
//	5:	lw t5, 0(s0);  beq t5, t6, 5b
//		mv t6, t5;  csrr t3, mcycle;  sd t3, 192(s0);  li t4, 39000
//	6:	csrr t5, mcycle;  sub t5, t5, t3;  bltu t5, t4, 6b
//		sw t6, 64(s0);  j 5b
const polls = "f32240f105641b0414805204639c0206b704003837c900026139054323a4640005631b0383d323ac6400814f1303800283a30400e3ce03fe23a064007d13e31903fe033e0900896e9b8e8ee7033f0900330fcf41e36cdfff850f2320f401032f0404e31effff732e00b0b70e03009b8e8e9b732f00b0330fcf41e36cdfff2330e4096db7814f032f0400e30efffffa8f732e00b02330c40da96e9b8e8e85732f00b0330fcf41e36cdfff2320f405e1bf"

// TestHartsThatWait: most of what both harts do is left out. A round takes 4.4 ms: 40 bytes of 10 bits of 3385 cycles at 390 MHz,
// and 1.6 ms of delays, in which the FIFO's 8 bytes are sent.
func TestHartsThatWait(t *testing.T) {
	c := powered(Options{})
	start(t, c, polls, 100*clock.Millisecond)
	if rounds := doubles(t, c, ramBase+0x100000, 1)[0] & (1<<32 - 1); rounds != 23 {
		t.Errorf("in round %d, want 23", rounds)
	}
	for n, h := range c.harts {
		if h.Skipped()*10 < h.Insns*9 {
			t.Errorf("hart %d: %d of %d instructions left out", n, h.Skipped(), h.Insns)
		}
	}
}

// BenchmarkWaiting reports how much faster than real time that is.
func BenchmarkWaiting(b *testing.B) {
	c := powered(Options{})
	if err := c.LoadRAM(ramBase, fromHex(b, polls)); err != nil {
		b.Fatal(err)
	}
	c.Start(ramBase)
	from := c.Now()
	for b.Loop() {
		c.Run(c.Now() + clock.Millisecond)
	}
	b.ReportMetric(float64((c.Now()-from)/clock.Microsecond)/float64(b.Elapsed().Microseconds()), "x")
}

// TestTurnsAreDeterministic runs programs at once and in small pieces, and from a
// snapshot in the middle.
func TestTurnsAreDeterministic(t *testing.T) {
	for name, run := range map[string]struct {
		program      string
		long, middle clock.Time
		piece        clock.Time
	}{
		"by interrupts and atomics": {ipi, 20 * clock.Microsecond, 3 * clock.Microsecond, 137 * clock.Nanosecond},
		"by stores":                 {polls, 30 * clock.Millisecond, 7 * clock.Millisecond, 41 * clock.Microsecond},
	} {
		whole, pieces := powered(Options{Seed: 7}), powered(Options{Seed: 7})
		start(t, whole, run.program, run.long)
		start(t, pieces, run.program, run.middle)
		middle := pieces.Snapshot()
		for pieces.Now() < whole.Now() {
			pieces.Run(min(pieces.Now()+run.piece, whole.Now()))
		}
		if whole.Digest() != pieces.Digest() {
			t.Errorf("%s: in pieces it went otherwise", name)
		}
		other := New(Options{Seed: 7})
		other.Restore(middle)
		other.Run(whole.Now())
		if whole.Digest() != other.Digest() {
			t.Errorf("%s: from a snapshot it went otherwise", name)
		}
	}
}

// counteren is GNU as's output for:
//
//	csrr t0, mhartid;  li s0, 0x40100000;  slli t1, t0, 4;  add s0, s0, t1
//	li t2, 0xff;  add t2, t2, t0;  csrw mscounteren, t2;  csrr t3, mscounteren;  sd t3, 0(s0)
//	csrw mscounteren, t0;  csrr t3, mscounteren;  sd t3, 8(s0);  j .
const counteren = "f32240f137041040139342001a949303f00f969373901332732e10322330c40173901232732e10322334c40101a0"

// TestMSCOUNTEREN: U-Boot for machine mode writes it; each hart keeps three bits of its own.
func TestMSCOUNTEREN(t *testing.T) {
	c := powered(Options{})
	start(t, c, counteren, 10*clock.Microsecond)
	if got, want := [4]uint64(doubles(t, c, mirrorBase+0x100000, 4)), [4]uint64{7, 0, 0, 1}; got != want {
		t.Errorf("%d, want %d", got, want)
	}
}
