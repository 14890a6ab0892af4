package armv7m

import (
	"encoding/binary"
	"testing"

	"rigor/harness/sim/clock"
)

// FuzzSystem does what firmware and its surroundings can do to the system part,
// in any order and with any values. None of it may panic, and what is cached
// must stay equal to what it is derived from.
func FuzzSystem(f *testing.F) {
	f.Add([]byte{0, 0x0C, 0xED, 4, 0x05, 0xFA, 0, 0, 3, 4, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{4, 1, 0, 0, 0, 0, 0, 0, 4, 2, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0x90})
	f.Fuzz(func(t *testing.T, ops []byte) {
		c := newSystem(t)
		for ; len(ops) >= 8; ops = ops[8:] {
			systemOp(c, ops[0], binary.LittleEndian.Uint16(ops[1:]), ops[3], binary.LittleEndian.Uint32(ops[4:]))
			checkCaches(t, c)
		}
	})
}

func systemOp(c *Core, op byte, off uint16, arg byte, v uint32) {
	width := uint8(1) << (arg % 3)
	addr := itmBase + uint32(off)
	switch op % 10 {
	case 0:
		c.ppbStore(addr, width, v)
	case 1:
		c.ppbLoad(addr, width)
	case 2:
		c.msr(arg, uint8(off), v)
	case 3:
		c.SetIRQ(int(arg)%c.cfg.IRQs, v&1 != 0)
	case 4:
		c.raise(faultKind(1+int(arg)%int(faultBreakpoint)), v)
	case 5:
		c.limit = clock.Never
		if v&1 != 0 {
			c.limit = c.Cycle + uint64(arg%16)
		}
		c.service()
	case 6:
		if c.IPSR != 0 && !c.Sys.Transit.Busy {
			c.exceptionReturn(0xFFFFFFE0 | uint32(arg)&0x1F)
		}
	case 7:
		c.Cycle += uint64(arg)
		c.sysEvent()
	case 8:
		c.fpPrepare()
	case 9:
		c.wfe()
		c.wfi()
		c.svc()
	}
	if v>>30 == 3 {
		c.stop = nil
	}
}

func checkCaches(t *testing.T, c *Core) {
	t.Helper()
	s, attention := c.Sys, c.attention
	c.refreshExceptions()
	if c.Sys.Best != s.Best || c.Sys.BestPrio != s.BestPrio || c.Sys.ActivePrio != s.ActivePrio {
		t.Fatalf("cached best %d at %d, active %d; derived %d at %d, active %d",
			s.Best, s.BestPrio, s.ActivePrio, c.Sys.Best, c.Sys.BestPrio, c.Sys.ActivePrio)
	}
	if c.attention && !attention {
		t.Fatal("an exception is due and nobody was told")
	}
	if c.mpuOn != (c.Sys.MPU.Ctrl&mpuENABLE != 0) {
		t.Fatal("mpuOn is stale")
	}
}
