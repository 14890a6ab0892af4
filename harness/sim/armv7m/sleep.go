package armv7m

// deepSleep is what SCR.SLEEPDEEP asks for.
const deepSleep = "PWR Stop/Standby mode"

// wfi waits for an interrupt (DDI 0403E B1.5.19): for any that would pre-empt
// if PRIMASK were clear. What the model leaves out is the time a part needs to
// start its clocks again.
func (c *Core) wfi() {
	if !c.wakesFromWFI() {
		c.fallAsleep(SleepWFI)
	}
}

// wfe waits for an event (B1.5.18): the event register, which exception entry
// and return, SEV, SetEvent and with SEVONPEND any newly pending interrupt set,
// or an exception that can be taken. It consumes the event.
func (c *Core) wfe() {
	switch {
	case c.Event:
		c.Event = false
	case !c.attention:
		c.fallAsleep(SleepWFE)
	}
}

// sev signals an event to this core; it has no others to tell.
func (c *Core) sev() { c.SetEvent() }

// SetEvent signals an event from outside the core (RXEV).
func (c *Core) SetEvent() {
	if c.Sleep == SleepWFE {
		c.Sleep = Awake
		return
	}
	c.Event = true
}

func (c *Core) fallAsleep(k SleepKind) {
	if c.Sys.SCR&scrSLEEPDEEP != 0 {
		c.notModelled(deepSleep)
		return
	}
	c.Sleep = k
}

// sleepOnExit sleeps after a return to Thread mode if SCR.SLEEPONEXIT asks for
// it and nothing is pending.
func (c *Core) sleepOnExit() {
	if c.Sys.SCR&scrSLEEPONEXIT != 0 && c.IPSR == 0 && c.Sys.Active.count() == 0 && !c.wakesFromWFI() {
		c.fallAsleep(SleepOnExit)
	}
}

func (c *Core) wakesFromWFI() bool { return c.Sys.BestPrio < c.unmaskedPriority() }

func (c *Core) wakeIfDue() {
	switch {
	case c.attention, c.Sleep != SleepWFE && c.wakesFromWFI():
		c.Sleep = Awake
	}
}
