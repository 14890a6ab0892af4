package armv7m

import "rigor/harness/sim/clock"

// System is what the private peripheral bus remembers: NVIC, system control
// block, SysTick, MPU, DWT, ITM and floating-point control, with the exception
// entry or return that is under way. It is plain data, part of State.
type System struct {
	// The exceptions, indexed by number: 2 is NMI, 16 the first external
	// interrupt. Line is the level of each external line.
	Pending, Enabled, Active, Line ExcSet
	Priority                       [256]uint8

	// Derived from the sets above, so that masking and unmasking need not search
	// them: the first pending and enabled exception (0 is none), its group
	// priority, and that of the most urgent active exception.
	Best       uint16
	BestPrio   int16
	ActivePrio int16

	Transit Transit

	VTOR     uint32
	PriGroup uint8 // AIRCR.PRIGROUP
	SCR      uint32
	CCR      uint32
	CFSR     uint32
	HFSR     uint32
	DFSR     uint32
	MMFAR    uint32
	BFAR     uint32
	ACTLR    uint32
	DEMCR    uint32
	ResetSt  bool // DHCSR.S_RESET_ST

	CPACR  uint32
	FPCCR  uint32
	FPCAR  uint32
	FPDSCR uint32

	SysTick SysTick
	MPU     MPU
	DWT     DWT
	ITM     ITM
	FPB     uint32 // FP_CTRL.ENABLE
}

// Exception numbers (DDI 0403E B1.5.2).
const (
	excNMI          = 2
	excHardFault    = 3
	excMemManage    = 4
	excBusFault     = 5
	excUsageFault   = 6
	excSVCall       = 11
	excDebugMonitor = 12
	excPendSV       = 14
	excSysTick      = 15
	excIRQ0         = 16
)

// resetSystem puts the private peripheral bus into its reset state
// (DDI 0403E B1.5.5 and the reset values of B3). External lines keep their
// level, for it is not the core's, and a high one is pending at once.
func (c *Core) resetSystem() {
	s := &c.Sys
	*s = System{
		Line:    s.Line,
		Pending: s.Line,
		CCR:     ccrSTKALIGN,
		FPCCR:   fpccrASPEN | fpccrLSPEN,
		ResetSt: true,
	}
	for _, exc := range []int{excNMI, excHardFault, excSVCall, excPendSV, excSysTick} {
		s.Enabled.set(exc)
	}
	s.SysTick.Next = clock.Never
	c.refreshExceptions()
	c.refreshDerived()
}

// refreshDerived recomputes what Core caches of State, after a reset or
// Restore.
func (c *Core) refreshDerived() {
	c.mpuChanged()
	c.refreshFlash()
	c.updatePending()
}

// notModelled ends Run at something that the part has and the model lacks.
func (c *Core) notModelled(what string) {
	c.stop = &Stop{Reason: NotModelled, PC: c.R[15], What: what}
}

// unimplementedSystem lists what the system part of the core lacks. What
// firmware can name stops the simulation by that name; the last three lines only
// cost cycles.
var unimplementedSystem = []string{
	"AIRCR.VECTRESET and VECTCLRACTIVE (debugger's use only)",
	"ACTLR.DISFOLD, DISFPCA and DISOOFP",
	"halting debug: DHCSR control, DCRSR, DCRDR; DEMCR.MON_STEP",
	"DWT comparators, PC sampling and the profiling counters other than CYCCNT",
	"FPB comparators and remapping",
	"ITM trace output (stimulus writes are dropped), TPIU, ETM",
	"CoreSight peripheral and component identification, ROM table",
	"accesses to word-only system registers in bytes or halfwords",
	"PWR Stop/Standby mode (WFI or WFE with SCR.SLEEPDEEP)",
	"the slower exception entry with stack and vectors on one bus",
	"an interrupt during the lazy save of floating-point registers waits for its end",
	"the time clocks take to start after WFI and WFE",
}
