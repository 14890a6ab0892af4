package armv7m

import (
	"math/rand/v2"
	"testing"

	"rigor/harness/sim/clock"
)

// TestCountDown compares the closed form with a counter that counts.
func TestCountDown(t *testing.T) {
	for reload := uint32(0); reload < 6; reload++ {
		for start := uint32(0); start < 8; start++ {
			v, hit := start, false
			for n := uint64(0); n < 40; n++ {
				if got, zero := countDown(start, reload, n); got != v || zero != hit {
					t.Fatalf("from %d, reload %d, after %d: %d %v, want %d %v", start, reload, n, got, zero, v, hit)
				}
				if v == 0 {
					v = reload
				} else {
					v--
					hit = hit || v == 0
				}
			}
		}
	}
}

// TestSysTickAgainstTicking drives the timer with random register accesses
// beside one that ticks.
func TestSysTickAgainstTicking(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		c := newSystem(t)
		c.Primask = true
		var val, reload uint32
		var enabled, tickint, core, flag, pended bool
		for c.Cycle < 600 {
			switch rng.IntN(60) {
			case 0:
				v := uint32(rng.IntN(8))
				enabled, tickint, core = v&1 != 0, v&2 != 0, v&4 != 0
				storeOK(t, c, scsBase+sysTickCSR, v)
			case 1:
				reload = uint32(rng.IntN(12))
				storeOK(t, c, scsBase+sysTickRVR, reload)
			case 2:
				val, flag = 0, false
				storeOK(t, c, scsBase+sysTickCVR, 77)
			case 3:
				want := bit(enabled) | bit(tickint)<<1 | bit(core)<<2 | bit(flag)<<16
				if got := loadOK(t, c, scsBase+sysTickCSR); got != want {
					t.Fatalf("cycle %d: CSR = %#x, want %#x", c.Cycle, got, want)
				}
				flag = false
			case 4:
				if got := loadOK(t, c, scsBase+sysTickCVR); got != val {
					t.Fatalf("cycle %d: CVR = %d, want %d", c.Cycle, got, val)
				}
			}
			c.Cycle++
			if c.Cycle >= c.nextSysEvent() {
				c.sysEvent()
			}
			if enabled && (core || c.Cycle%8 == 0) {
				if val == 0 {
					val = reload
				} else if val--; val == 0 {
					flag = true
					pended = pended || tickint
				}
			}
			if got := c.Sys.Pending.has(excSysTick); got != pended {
				t.Fatalf("cycle %d: pending %v, want %v", c.Cycle, got, pended)
			}
			if pended && rng.IntN(4) == 0 {
				storeOK(t, c, scsBase+scbICSR, icsrPENDSTCLR)
				pended = false
			}
		}
	}
}

// TestSysTickPeriod: an interrupt every RELOAD+1 cycles (DDI 0403E B3.3.1).
func TestSysTickPeriod(t *testing.T) {
	for _, tt := range []struct {
		csr    uint32
		reload uint32
		first  uint64
		period uint64
	}{{7, 99, 110, 100}, {3, 99, 808, 800}, {7, 0xFFFFFF, 10 + 1<<24, 1 << 24}} {
		c := newSystem(t)
		c.Primask = true
		c.Cycle = 10
		storeOK(t, c, scsBase+sysTickRVR, tt.reload)
		storeOK(t, c, scsBase+sysTickCVR, 0)
		storeOK(t, c, scsBase+sysTickCSR, tt.csr)
		for i := range uint64(3) {
			want := tt.first + i*tt.period
			if got := c.nextSysEvent(); got != want {
				t.Fatalf("CSR %d, reload %d: interrupt %d at %d, want %d", tt.csr, tt.reload, i, got, want)
			}
			if c.limit > want {
				t.Errorf("the run's limit %d is behind the interrupt at %d", c.limit, want)
			}
			c.Cycle = want
			c.sysEvent()
		}
		storeOK(t, c, scsBase+sysTickCSR, 0)
		if c.nextSysEvent() != clock.Never {
			t.Error("a stopped timer has an event")
		}
	}
}

// TestSysTickArrivesDuringEntry: the timer's exception is more urgent and
// arrives inside the entry of another, without the run being cut.
func TestSysTickArrivesDuringEntry(t *testing.T) {
	c := newSystem(t)
	setPriority(t, c, 20, 0x80)
	storeOK(t, c, scsBase+sysTickRVR, 4)
	storeOK(t, c, scsBase+sysTickCSR, 7)
	c.SetIRQ(4, true)
	for c.IPSR == 0 {
		c.limit = clock.Never
		c.service()
	}
	if c.IPSR != excSysTick || c.Cycle != 12 || !c.Sys.Pending.has(20) {
		t.Errorf("in exception %d at cycle %d", c.IPSR, c.Cycle)
	}
}
