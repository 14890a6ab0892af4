package armv7m

import "rigor/harness/sim/bus"

// Transit is an exception entry or return under way. It is a state rather than
// a call because interrupts may arrive in it: Run can end at any cycle of it,
// and the next Run goes on with whatever is pending by then.
type Transit struct {
	Busy bool
	// Exc is the exception to take when Until comes; 0 is none: registers are
	// unstacked.
	Exc   uint16
	Until uint64
	LR    uint32 // EXC_RETURN: that of the entry, or the one that is obeyed
}

// Cycles of exceptions with zero wait states.
//
// Entry 12, return 10, and 17 more for each if the floating-point registers
// move, are Arm's figures for the Cortex-M4 (Arm article 103489845, which also
// says that the return of 12 in the Cortex-M3 manual is an error), as is the
// tail-chain's 6 (DDI 0439 3.9.1). A Cortex-M3 in hardware showed 22 cycles
// from a timer's event to the handler's first read, without jitter: these 12 and
// the handler's prologue. Whether the returning instruction's own cycle is one
// of the 10 is not said; the model counts it beside them, so that a return may
// be one cycle long.
//
// The 12 hold if the stack is reached through another bus than vectors and
// code. With both in SRAM the part needs some cycles more, which the model
// leaves out.
//
// vectorCommit is how long before the end of an entry it is too late for
// another exception to take over. The same Cortex-M3 did so 0 to 8 cycles after
// the first request, which are the nine cycles of Arm's stack push; later ones
// pre-empted the first handler. That a late arrival costs nothing extra is
// assumed: its vector and code take six cycles, so that in the window's last
// two cycles the part may be up to 2 cycles slower.
const (
	entryCycles     = 12
	tailChainCycles = 6
	returnCycles    = 10
	fpFrameCycles   = 17
	vectorCommit    = entryCycles - 8
)

// Frame layout (DDI 0403E B1.5.7) and EXC_RETURN bits (B1.5.8).
const (
	basicFrame    = 0x20
	extendedFrame = 0x68

	excReturnHandler  = 0x1
	excReturnMain     = 0x9
	excReturnProcess  = 0xD
	excReturnBasic    = 1 << 4 // no floating-point state in the frame
	excReturnReserved = 0x0FFFFFE0
)

// service takes the most urgent pending exception if it pre-empts, and carries
// an entry or return forward: until it is complete, or to the limit of this Run.
func (c *Core) service() {
	if c.stop != nil {
		return
	}
	if !c.Sys.Transit.Busy {
		if c.Sys.BestPrio >= c.executionPriority() {
			c.updatePending()
			return
		}
		c.beginEntry()
	}
	for c.Sys.Transit.Busy && c.stop == nil {
		c.acceptArrival()
		if !c.passTransit() {
			return
		}
		c.finishTransit()
	}
	c.updatePending()
}

// acceptArrival lets a more urgent exception take over: a late arrival during
// an entry, and during a return a pre-emption of the unstacking, which then
// costs what a tail-chain costs.
func (c *Core) acceptArrival() {
	t, s := &c.Sys.Transit, &c.Sys
	switch {
	case s.Best == t.Exc || s.BestPrio >= c.executionPriority():
	case t.Exc == 0:
		t.Exc, t.Until = s.Best, c.Cycle+tailChainCycles
	case c.Cycle+vectorCommit <= t.Until:
		t.Exc = s.Best
	}
}

// passTransit lets time pass and reports whether the transit is due to end.
func (c *Core) passTransit() bool {
	t := &c.Sys.Transit
	for c.Cycle < t.Until {
		next := min(t.Until, max(c.limit, c.Cycle), c.nextSysEvent())
		if next > c.Cycle {
			c.Cycle = next
		} else if c.Cycle >= c.limit {
			return false
		}
		if c.nextSysEvent() <= c.Cycle {
			c.sysEvent()
			c.acceptArrival()
		}
	}
	return true
}

func (c *Core) finishTransit() {
	if t := c.Sys.Transit; t.Exc != 0 {
		c.enter(int(t.Exc))
	} else {
		c.unstack()
	}
}

// beginEntry stacks the interrupted context and starts the entry of the most
// urgent exception.
func (c *Core) beginEntry() {
	exc := c.Sys.Best
	lr, fault := c.stack()
	c.Sys.Transit = Transit{Busy: true, Exc: exc, Until: c.Cycle + entryCycles, LR: lr}
	if c.eagerFP(lr) {
		c.Sys.Transit.Until += fpFrameCycles
	}
	c.Sleep = Awake
	c.derived(fault)
}

// eagerFP says whether an entry or return with this EXC_RETURN moves the
// floating-point registers.
func (c *Core) eagerFP(lr uint32) bool {
	return lr&excReturnBasic == 0 && c.Sys.FPCCR&fpccrLSPACT == 0
}

// stack is PushStack() (DDI 0403E B1.5.7). It returns the EXC_RETURN of the
// context and the fault it met; the words up to there are written.
func (c *Core) stack() (lr uint32, fault faultKind) {
	fp := c.Control&controlFPCA != 0
	size, align := c.frameShape(!fp)
	old := c.R[13]
	sp := (old - size) &^ align
	psr := c.XPSR()&^(1<<9) | (old & align << 7)
	lr = c.excReturn()
	c.R[13] = sp

	words := [8]uint32{c.R[0], c.R[1], c.R[2], c.R[3], c.R[12], c.R[14], c.R[15], psr}
	if fault = c.stackWords(sp, words[:], c.privileged()); fault != faultNone || !fp {
		return lr, fault
	}
	if c.Sys.FPCCR&fpccrLSPEN != 0 {
		c.reserveFP(sp + basicFrame)
		return lr, faultNone
	}
	if !c.fpEnabled(c.privileged()) {
		return lr, faultNoCP
	}
	return lr, c.stackFP(sp+basicFrame, c.privileged())
}

// frameShape returns a frame's size and the address bits its alignment clears.
func (c *Core) frameShape(basic bool) (size, align uint32) {
	if !basic {
		return extendedFrame, 4
	}
	if c.Sys.CCR&ccrSTKALIGN != 0 {
		align = 4
	}
	return basicFrame, align
}

// excReturn is the EXC_RETURN value that describes the present context.
func (c *Core) excReturn() uint32 {
	v := uint32(0xFFFFFFE0 | excReturnBasic)
	if c.Control&controlFPCA != 0 {
		v &^= excReturnBasic
	}
	switch {
	case c.IPSR != 0:
		return v | excReturnHandler
	case c.Control&controlSPSEL != 0:
		return v | excReturnProcess
	}
	return v | excReturnMain
}

func (c *Core) stackWords(sp uint32, words []uint32, privileged bool) faultKind {
	for i, w := range words {
		if f := c.stackWord(sp+4*uint32(i), w, privileged); f != faultNone {
			return f
		}
	}
	return faultNone
}

func (c *Core) stackWord(addr, v uint32, privileged bool) faultKind {
	if c.mpuOn && !c.mpuAllowsAs(addr, write, privileged) {
		return faultMPUStacking
	}
	return c.stackingFault(c.write32(addr, v), addr, faultStacking)
}

// stackingFault turns the bus's answer into kind, or stops the simulation.
func (c *Core) stackingFault(f bus.Fault, addr uint32, kind faultKind) faultKind {
	switch f {
	case bus.Error:
		return kind
	case bus.Unmodelled:
		c.stop = &Stop{
			Reason: NotModelled, PC: c.R[15], Addr: addr, Width: 4,
			Write: kind == faultStacking, What: "stack access of an exception",
		}
	}
	return faultNone
}

// derived records a fault that an entry or return met. The more urgent of the
// two exceptions goes first, the other stays pending (B1.5.10).
func (c *Core) derived(k faultKind) {
	if k == faultNone {
		return
	}
	t := &c.Sys.Transit
	if t.Exc == excHardFault && !c.canTake(faults[k].exc) {
		c.lockup("fault while stacking for HardFault")
		return
	}
	c.record(k, 0)
	c.pendFault(faults[k].exc)
	t.Exc = c.Sys.Best
}

// enter is ExceptionTaken() (DDI 0403E B1.5.6).
func (c *Core) enter(exc int) {
	vector, f := c.read32(c.Sys.VTOR + 4*uint32(exc))
	if f != bus.None {
		c.vectorFault(exc, f)
		return
	}
	c.fetchVector(c.Sys.VTOR + 4*uint32(exc))
	main, process := c.stacks()
	c.IPSR = uint16(exc)
	c.Control &^= controlSPSEL | controlFPCA
	c.setStacks(main, process)
	c.R[14] = c.Sys.Transit.LR
	c.T, c.IT = vector&1 != 0, 0
	c.branchTo(vector &^ 1)

	c.Sys.Transit = Transit{}
	c.Sys.Pending.clear(exc)
	c.Sys.Active.set(exc)
	c.ExclusiveValid = false
	c.Event = true
	c.refreshExceptions()
}

// vectorFault is a bus fault on a vector: HardFault, or lockup if it is that of
// HardFault or NMI (B1.5.10, B1.5.15).
func (c *Core) vectorFault(exc int, f bus.Fault) {
	switch {
	case f == bus.Unmodelled:
		addr := c.Sys.VTOR + 4*uint32(exc)
		c.stop = &Stop{Reason: NotModelled, PC: c.R[15], Addr: addr, Width: 4, What: "exception vector"}
	case exc <= excHardFault:
		c.lockup("bus fault on the vector of NMI or HardFault")
	default:
		c.Sys.HFSR |= hfsrVECTTBL
		c.setPending(excHardFault)
		t := &c.Sys.Transit
		t.Exc, t.Until = excHardFault, c.Cycle+tailChainCycles
	}
}

// exceptionReturn begins the return that v, an EXC_RETURN value, asks for
// (ExceptionReturn(), DDI 0403E B1.5.8). service completes it: by a tail-chain
// if something is pending, else by unstacking.
func (c *Core) exceptionReturn(v uint32) {
	active := c.Sys.Active.count()
	legal := c.Sys.Active.has(int(c.IPSR)) && c.legalReturn(v, active)
	c.deactivate(int(c.IPSR))
	c.Sys.Transit = Transit{Busy: true, LR: v, Until: c.Cycle + returnCycles}
	if c.eagerFP(v) {
		c.Sys.Transit.Until += fpFrameCycles
	}
	if !legal {
		c.refuseReturn(faultInvPC)
	}
	c.updatePending()
}

// legalReturn checks v against the number of active exceptions. Bits 27 to 5
// that aren't ones are UNPREDICTABLE; the model refuses them.
func (c *Core) legalReturn(v uint32, active int) bool {
	if v&excReturnReserved != excReturnReserved {
		return false
	}
	switch v & 0xF {
	case excReturnHandler:
		return true
	case excReturnMain, excReturnProcess:
		return active == 1 || c.Sys.CCR&ccrNONBASETHRDENA != 0
	}
	return false
}

// deactivate is DeActivate() (B1.5.8). A line that is still high pends again.
func (c *Core) deactivate(exc int) {
	c.Sys.Active.clear(exc)
	if exc != excNMI {
		c.Faultmask = false
	}
	if c.Sys.Line.has(exc) {
		c.setPending(exc)
	}
	c.refreshExceptions()
}

// refuseReturn tail-chains from a return to the fault it met; the frame stays
// where it is.
func (c *Core) refuseReturn(k faultKind) {
	c.record(k, 0)
	c.pendFault(faults[k].exc)
	if t := &c.Sys.Transit; t.Busy {
		t.Exc, t.Until = c.Sys.Best, c.Cycle+tailChainCycles
	}
}

// returning is the context that an EXC_RETURN value goes back to.
type returning struct {
	frame   uint32
	handler bool
	process bool
	basic   bool
}

func (c *Core) returning(v uint32) returning {
	main, process := c.stacks()
	r := returning{frame: main, basic: v&excReturnBasic != 0}
	switch v & 0xF {
	case excReturnHandler:
		r.handler = true
	case excReturnProcess:
		r.process, r.frame = true, process
	}
	return r
}

func (r returning) privileged(c *Core) bool {
	return r.handler || c.Control&controlNPRIV == 0
}

// unstack is PopStack() (B1.5.8) with the checks that follow it. Nothing is
// changed until all of them have passed.
func (c *Core) unstack() {
	r := c.returning(c.Sys.Transit.LR)
	var words [8]uint32
	if f := c.unstackWords(r, 0, words[:]); f != faultNone {
		c.refuseReturn(f)
		return
	}
	if r.handler != (words[7]&psrException != 0) {
		c.refuseReturn(faultInvPC)
		return
	}
	if !r.basic {
		if f := c.unstackFP(r); f != faultNone {
			c.refuseReturn(f)
			return
		}
	}
	if c.stop == nil {
		c.resume(r, words)
	}
}

func (c *Core) unstackWords(r returning, off uint32, words []uint32) faultKind {
	for i := range words {
		addr := r.frame + off + 4*uint32(i)
		if c.mpuOn && !c.mpuAllowsAs(addr, read, r.privileged(c)) {
			return faultMPUUnstacking
		}
		v, bf := c.read32(addr)
		if f := c.stackingFault(bf, addr, faultUnstacking); f != faultNone {
			return f
		}
		words[i] = v
	}
	return faultNone
}

// resume puts an unstacked context in place.
func (c *Core) resume(r returning, w [8]uint32) {
	main, process := c.stacks()
	size, align := c.frameShape(r.basic)
	sp := (r.frame + size) | (w[7] >> 7 & align)
	c.Control &^= controlSPSEL | controlFPCA
	if r.process {
		process = sp
		c.Control |= controlSPSEL
	} else {
		main = sp
	}
	if !r.basic {
		c.Control |= controlFPCA
	}
	copy(c.R[:4], w[:4])
	c.R[12], c.R[14] = w[4], w[5]
	c.SetXPSR(w[7] &^ (1 << 9))
	c.IPSR = uint16(w[7] & psrException)
	c.setStacks(main, process)
	c.branchTo(w[6] &^ 1)

	c.Sys.Transit = Transit{}
	c.ExclusiveValid = false
	c.Event = true
	c.updatePending()
	c.sleepOnExit()
}

// faultKind is why an instruction, an entry or a return cannot go on.
type faultKind uint8

const (
	faultNone faultKind = iota
	faultUndefInstr
	faultInvState
	faultInvPC
	faultNoCP
	faultUnaligned
	faultDivByZero
	faultInstrBus
	faultPreciseData
	faultImpreciseData
	faultUnstacking
	faultStacking
	faultLazyBus
	faultMPUInstr
	faultMPUData
	faultMPUUnstacking
	faultMPUStacking
	faultMPULazy
	faultBreakpoint
)

// Bits of CFSR that say an address register is valid.
const (
	cfsrMMARVALID = 1 << 7
	cfsrBFARVALID = 1 << 15
)

// faults gives each kind its exception and its bits of CFSR (DDI 0403E B3.2.15).
var faults = [...]struct {
	exc    int
	status uint32
}{
	faultUndefInstr:    {excUsageFault, 1 << 16},
	faultInvState:      {excUsageFault, 1 << 17},
	faultInvPC:         {excUsageFault, 1 << 18},
	faultNoCP:          {excUsageFault, 1 << 19},
	faultUnaligned:     {excUsageFault, 1 << 24},
	faultDivByZero:     {excUsageFault, 1 << 25},
	faultInstrBus:      {excBusFault, 1 << 8},
	faultPreciseData:   {excBusFault, 1<<9 | cfsrBFARVALID},
	faultImpreciseData: {excBusFault, 1 << 10},
	faultUnstacking:    {excBusFault, 1 << 11},
	faultStacking:      {excBusFault, 1 << 12},
	faultLazyBus:       {excBusFault, 1 << 13},
	faultMPUInstr:      {excMemManage, 1 << 0},
	faultMPUData:       {excMemManage, 1<<1 | cfsrMMARVALID},
	faultMPUUnstacking: {excMemManage, 1 << 3},
	faultMPUStacking:   {excMemManage, 1 << 4},
	faultMPULazy:       {excMemManage, 1 << 5},
	faultBreakpoint:    {excDebugMonitor, 0},
}

// record sets the fault's status bits and address.
func (c *Core) record(k faultKind, addr uint32) {
	s, status := &c.Sys, faults[k].status
	s.CFSR |= status
	if status&cfsrBFARVALID != 0 {
		s.BFAR = addr
	}
	if status&cfsrMMARVALID != 0 {
		s.MMFAR = addr
	}
}

// raise takes a fault of the present instruction, whose address is still in
// R[15].
func (c *Core) raise(k faultKind, addr uint32) {
	c.record(k, addr)
	c.Fetch = systemCode{} // the instruction may have got anywhere
	switch k {
	case faultImpreciseData:
		c.pendImprecise()
		return
	case faultBreakpoint:
		c.Sys.DFSR |= dfsrBKPT
		if !c.canTake(excDebugMonitor) {
			c.Sys.HFSR |= hfsrDEBUGEVT
			c.pendHardFault("BKPT")
			break
		}
		c.setPending(excDebugMonitor)
	default:
		c.pendFault(faults[k].exc)
	}
	c.service()
}

// canTake says whether a synchronous exception is enabled and pre-empts.
func (c *Core) canTake(exc int) bool {
	return c.Sys.Enabled.has(exc) && c.groupPriority(exc) < c.executionPriority()
}

// pendFault pends a synchronous exception, escalated to HardFault if it cannot
// be taken at once (B1.5.4).
func (c *Core) pendFault(exc int) {
	if c.canTake(exc) {
		c.setPending(exc)
		return
	}
	c.Sys.HFSR |= hfsrFORCED
	c.pendHardFault(exceptionName(exc))
}

func (c *Core) pendHardFault(cause string) {
	if c.executionPriority() <= -1 {
		c.lockup(cause + " at the priority of HardFault or above")
		return
	}
	c.setPending(excHardFault)
}

// pendImprecise pends BusFault for a buffered store; if it is enabled it may
// wait for its turn.
func (c *Core) pendImprecise() {
	if c.Sys.Enabled.has(excBusFault) {
		c.setPending(excBusFault)
		return
	}
	c.Sys.HFSR |= hfsrFORCED
	c.setPending(excHardFault)
}

// lockup ends Run where neither a handler nor HardFault can take a fault
// (B1.5.15). The part would stay there until reset or NMI; a further Run only
// meets the same fault again.
func (c *Core) lockup(what string) {
	c.Sys.Transit = Transit{}
	c.stop = &Stop{Reason: Lockup, PC: c.R[15], What: what}
}

// svc takes SVCall; R[15] is the address after the SVC instruction. If it has
// to escalate, HardFault returns to that address too: ReturnAddress() of B1.5.6
// does not tell this case apart.
func (c *Core) svc() {
	c.pendFault(excSVCall)
	c.service()
}

// busFaultIgnored says whether CCR.BFHFNMIGN hides data bus faults: in NMI,
// HardFault and with FAULTMASK set. The access then has no effect.
func (c *Core) busFaultIgnored() bool {
	return c.Sys.CCR&ccrBFHFNMIGN != 0 && c.executionPriority() <= -1
}

var exceptionNames = [...]string{
	1: "Reset", "NMI", "HardFault", "MemManage", "BusFault", "UsageFault",
	excSVCall: "SVCall", excDebugMonitor: "DebugMonitor", excPendSV: "PendSV", excSysTick: "SysTick",
}

func exceptionName(exc int) string { return exceptionNames[exc] }
