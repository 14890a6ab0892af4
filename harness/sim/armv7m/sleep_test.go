package armv7m

import "testing"

func TestWFI(t *testing.T) { // DDI 0403E B1.5.19
	tests := []struct {
		name    string
		prepare func(*Core)
		wakes   bool
		enters  bool
	}{
		{"plain", func(c *Core) {}, true, true},
		{"PRIMASK", func(c *Core) { c.cps(false, true, false) }, true, false},
		{"BASEPRI", func(c *Core) { c.msr(sysmBASEPRI, 0, 0x10) }, false, false},
		{"FAULTMASK", func(c *Core) { c.cps(false, false, true) }, false, false},
		{"disabled", func(c *Core) { c.ppbStore(scsBase+nvicICER, 4, 1<<4) }, false, false},
	}
	for _, tt := range tests {
		for _, early := range []bool{true, false} {
			c := newSystem(t)
			setPriority(t, c, 20, 0x80)
			tt.prepare(c)
			if early {
				c.SetIRQ(4, true)
			}
			c.wfi()
			if !early {
				if c.Sleep != SleepWFI {
					t.Fatalf("%s: not asleep", tt.name)
				}
				c.SetIRQ(4, true)
			}
			if woke := c.Sleep == Awake; woke != tt.wakes || c.attention != tt.enters {
				t.Errorf("%s, interrupt before WFI %v: awake %v, to be taken %v", tt.name, early, woke, c.attention)
			}
		}
	}
}

func TestWFE(t *testing.T) { // DDI 0403E B1.5.18
	tests := []struct {
		name   string
		before func(*Core)
		while  func(*Core)
		sleeps bool
		wakes  bool
	}{
		{"event registered", func(c *Core) { c.SetEvent() }, func(c *Core) {}, false, true},
		{"SEV", func(c *Core) { c.sev() }, func(c *Core) {}, false, true},
		{"event arrives", func(c *Core) {}, func(c *Core) { c.SetEvent() }, true, true},
		{"interrupt", func(c *Core) {}, func(c *Core) { c.SetIRQ(4, true) }, true, true},
		{"masked interrupt", func(c *Core) { c.cps(false, true, false) }, func(c *Core) { c.SetIRQ(4, true) }, true, false},
		{"masked, SEVONPEND", func(c *Core) { c.cps(false, true, false); c.Sys.SCR = scrSEVONPEND },
			func(c *Core) { c.SetIRQ(4, true) }, true, true},
		{"disabled, SEVONPEND", func(c *Core) { c.ppbStore(scsBase+nvicICER, 4, 1<<4); c.Sys.SCR = scrSEVONPEND },
			func(c *Core) { c.SetIRQ(4, true) }, true, true},
		{"already pending, SEVONPEND", func(c *Core) {
			c.cps(false, true, false)
			c.SetIRQ(4, true)
			c.SetIRQ(4, false)
			c.Sys.SCR = scrSEVONPEND
		}, func(c *Core) { c.SetIRQ(4, true) }, true, false},
	}
	for _, tt := range tests {
		c := newSystem(t)
		tt.before(c)
		c.wfe()
		if got := c.Sleep == SleepWFE; got != tt.sleeps {
			t.Errorf("%s: asleep %v, want %v", tt.name, got, tt.sleeps)
		}
		tt.while(c)
		if got := c.Sleep == Awake; got != tt.wakes {
			t.Errorf("%s: awake %v, want %v", tt.name, got, tt.wakes)
		}
		if tt.wakes && !c.attention && c.Event {
			t.Errorf("%s: the event was not consumed", tt.name)
		}
	}
}

// TestExceptionIsAnEvent: WFE after an interrupt falls through once.
func TestExceptionIsAnEvent(t *testing.T) {
	c := newSystem(t)
	leaveWith(c, func() {})
	c.service()
	c.wfe()
	if c.Sleep != Awake {
		t.Fatal("the exception's event was lost")
	}
	c.wfe()
	if c.Sleep != SleepWFE {
		t.Fatal("the event was not consumed")
	}
}

func TestSleepOnExit(t *testing.T) {
	c := newSystem(t)
	storeOK(t, c, scsBase+scbSCR, scrSLEEPONEXIT)
	leaveWith(c, func() {})
	c.service()
	if c.Sleep != SleepOnExit || c.R[15] != testPC {
		t.Fatalf("sleep %d at %#x", c.Sleep, c.R[15])
	}
	start := c.Cycle
	c.SetIRQ(4, true)
	if c.Sleep != Awake || !c.attention {
		t.Fatal("not woken")
	}
	c.service()
	if c.IPSR != 20 || c.Cycle-start != entryCycles {
		t.Errorf("exception %d after %d cycles", c.IPSR, c.Cycle-start)
	}
	c.exceptionReturn(c.R[14]) // the line is high: no sleep
	c.service()
	if c.IPSR != 20 || c.Sleep != Awake {
		t.Errorf("exception %d sleep %d, want a tail-chain", c.IPSR, c.Sleep)
	}
}

func TestDeepSleepIsNotModelled(t *testing.T) {
	for _, sleep := range []func(*Core){(*Core).wfi, (*Core).wfe} {
		c := newSystem(t)
		storeOK(t, c, scsBase+scbSCR, scrSLEEPDEEP)
		sleep(c)
		if c.stop == nil || c.stop.Reason != NotModelled || c.stop.What != deepSleep {
			t.Errorf("stop = %+v", c.stop)
		}
	}
}
