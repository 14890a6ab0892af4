package armv7m

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

func TestFrameLayout(t *testing.T) { // DDI 0403E B1.5.7
	tests := []struct {
		name            string
		sp              uint32
		process, fp     bool
		lazy, stkalign  bool
		frame           uint32 // expected address
		lr, psrAlign    uint32
		cycles          uint64
		fpWords, lspact bool
	}{
		{"main", testMSP, false, false, true, true, testMSP - 0x20, 0xFFFFFFF9, 0, 12, false, false},
		{"unaligned", testMSP + 4, false, false, true, true, testMSP - 0x20, 0xFFFFFFF9, 0x200, 12, false, false},
		{"no STKALIGN", testMSP + 4, false, false, true, false, testMSP - 0x1C, 0xFFFFFFF9, 0, 12, false, false},
		{"process", testPSP, true, false, true, true, testPSP - 0x20, 0xFFFFFFFD, 0, 12, false, false},
		{"lazy", testMSP, false, true, true, true, testMSP - 0x68, 0xFFFFFFE9, 0, 12, false, true},
		{"eager", testMSP, false, true, false, true, testMSP - 0x68, 0xFFFFFFE9, 0, 29, true, false},
		{"eager unaligned", testPSP + 4, true, true, false, false, testPSP - 0x68, 0xFFFFFFED, 0x200, 29, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newSystem(t)
			c.Sys.CPACR = cpacrFull
			if !tt.stkalign {
				c.Sys.CCR = 0
			}
			if !tt.lazy {
				c.Sys.FPCCR &^= fpccrLSPEN
			}
			if tt.process {
				c.msr(sysmCONTROL, 0, controlSPSEL)
			}
			if tt.fp {
				c.Control |= controlFPCA
			}
			c.R[13] = tt.sp
			for i := range c.S {
				c.S[i] = 0x5000 + uint32(i)
			}
			for _, i := range []int{0, 1, 2, 3, 12, 14} {
				c.R[i] = 0x100 + uint32(i)
			}
			c.SetXPSR(0x61000000)
			before := c.State
			c.SetIRQ(7, true)
			c.service()

			want := []uint32{0x100, 0x101, 0x102, 0x103, 0x10C, 0x10E, testPC, 0x61000000 | tt.psrAlign}
			if tt.fpWords {
				for i := range 16 {
					want = append(want, 0x5000+uint32(i))
				}
				want = append(want, before.FPSCR)
			}
			for i, w := range want {
				if got := word(t, c, tt.frame+4*uint32(i)); got != w {
					t.Errorf("frame word %d = %#x, want %#x", i, got, w)
				}
			}
			if c.R[14] != tt.lr || c.R[15] != testVector+16*23 || c.IPSR != 23 || c.Control&^controlNPRIV != 0 {
				t.Errorf("lr %#x pc %#x ipsr %d control %#x", c.R[14], c.R[15], c.IPSR, c.Control)
			}
			if c.Cycle != tt.cycles {
				t.Errorf("entry took %d cycles, want %d", c.Cycle, tt.cycles)
			}
			if got := c.Sys.FPCCR&fpccrLSPACT != 0; got != tt.lspact {
				t.Errorf("LSPACT = %v, want %v", got, tt.lspact)
			}
			if tt.lspact && c.Sys.FPCAR != tt.frame+0x20 {
				t.Errorf("FPCAR = %#x, want %#x", c.Sys.FPCAR, tt.frame+0x20)
			}

			// The return undoes all of it.
			c.SetIRQ(7, false)
			start := c.Cycle
			c.exceptionReturn(c.R[14])
			c.service()
			if got := c.Cycle - start; got != tt.cycles-2 {
				t.Errorf("return took %d cycles, want %d", got, tt.cycles-2)
			}
			if c.R != before.R || c.S != before.S || c.XPSR() != 0x61000000 || c.Control != before.Control || c.OtherSP != before.OtherSP {
				t.Errorf("after return\n got %x control %x\nwant %x control %x", c.R, c.Control, before.R, before.Control)
			}
		})
	}
}

// A mock program: Thread mode and handlers are runs of one-cycle instructions,
// a handler ends after its length in them. Everything that happens is logged
// as "cycle:exception", 0 for Thread mode.
type mock struct {
	*Core
	length map[uint16]int
	left   []int
	log    []string
}

type irqEvent struct {
	at    uint64
	irq   int
	level bool
}

func (m *mock) run(events []irqEvent, until uint64) {
	for _, e := range events {
		m.runUntil(e.at)
		m.SetIRQ(e.irq, e.level)
	}
	m.runUntil(until)
}

func (m *mock) runUntil(until uint64) {
	m.limit = until
	for m.Cycle < until {
		if m.attention {
			m.service()
			if !m.Sys.Transit.Busy {
				m.entered()
			}
			continue
		}
		if n := len(m.left); n > 0 {
			if m.left[n-1] == 0 {
				m.left = m.left[:n-1]
				m.exceptionReturn(m.R[14])
				continue
			}
			m.left[n-1]--
		}
		m.Cycle++
	}
}

// entered logs what service led to: a handler begins if it is at its vector's
// address, where the mock stays for the return to find it.
func (m *mock) entered() {
	if m.R[15] == testVector+16*uint32(m.IPSR) {
		m.left = append(m.left, m.length[m.IPSR])
		m.R[15] += 2 // it is under way
	}
	m.log = append(m.log, fmt.Sprintf("%d:%d", m.Cycle, m.IPSR))
}

// TestArrivalWindow lets interrupt 1 come at cycle 100 and the more urgent
// interrupt 2 at each cycle from there on. Handlers are 10 instructions long.
// The end of the late-arrival window is the measured one (Δ = 0 to 8) of a
// Cortex-M3; 12, 10 and 6 cycles are Arm's.
func TestArrivalWindow(t *testing.T) {
	const low, high = 17, 18
	for d := uint64(0); d <= 45; d++ {
		at := 100 + d
		entry := func(cycle uint64, exc int) string { return fmt.Sprintf("%d:%d", cycle, exc) }
		var want []string
		switch {
		case d <= 8: // late arrival, then the first one by tail-chaining
			want = []string{entry(112, high), entry(128, low), entry(148, 0)}
		case d <= 12: // the first instruction of the first handler is overtaken
			want = []string{entry(112, low), entry(124, high), entry(144, low), entry(164, 0)}
		case d <= 22: // nested; 12 in, 10 instructions, 10 out
			want = []string{entry(112, low), entry(at+12, high), entry(at+32, low), entry(164, 0)}
		case d < 32: // during the return from the first: its unstacking is abandoned
			want = []string{entry(112, low), entry(at+6, high), entry(at+26, 0)}
		default:
			want = []string{entry(112, low), entry(132, 0), entry(at+12, high), entry(at+32, 0)}
		}
		c := newSystem(t)
		setPriority(t, c, low, 0x80)
		setPriority(t, c, high, 0x40)
		m := &mock{Core: c, length: map[uint16]int{low: 10, high: 10}}
		m.run([]irqEvent{{100, 1, true}, {100, 1, false}, {at, 2, true}, {at, 2, false}}, 300)
		if !reflect.DeepEqual(m.log, want) {
			t.Errorf("Δ=%d:\n got %v\nwant %v", d, m.log, want)
		}
	}
}

// TestTailChain: a second interrupt of the same priority waits, and follows 6
// cycles after the first handler's return.
func TestTailChain(t *testing.T) {
	for d := uint64(0); d <= 21; d++ {
		c := newSystem(t)
		m := &mock{Core: c, length: map[uint16]int{17: 10, 18: 10}}
		m.run([]irqEvent{{100, 1, true}, {100, 1, false}, {100 + d, 2, true}, {100 + d, 2, false}}, 300)
		want := []string{"112:17", "128:18", "148:0"}
		if !reflect.DeepEqual(m.log, want) {
			t.Errorf("Δ=%d:\n got %v\nwant %v", d, m.log, want)
		}
	}
}

func TestLevelPendsAgainOnReturn(t *testing.T) {
	c := newSystem(t)
	m := &mock{Core: c, length: map[uint16]int{17: 10}}
	m.run([]irqEvent{{100, 1, true}, {130, 1, false}}, 300)
	if want := []string{"112:17", "128:17", "148:0"}; !reflect.DeepEqual(m.log, want) {
		t.Errorf("a level held past the return:\n got %v\nwant %v", m.log, want)
	}
	c = newSystem(t)
	m = &mock{Core: c, length: map[uint16]int{17: 10}}
	m.run([]irqEvent{{100, 1, true}, {113, 1, false}, {114, 1, true}, {115, 1, false}}, 300)
	if want := []string{"112:17", "128:17", "148:0"}; !reflect.DeepEqual(m.log, want) {
		t.Errorf("a pulse while active:\n got %v\nwant %v", m.log, want)
	}
	c = newSystem(t)
	c.Primask = true
	c.SetIRQ(1, true)
	storeOK(t, c, scsBase+nvicICPR, 2)
	if !c.Sys.Pending.has(17) {
		t.Error("ICPR cleared an interrupt whose line is high")
	}
	c.SetIRQ(1, false)
	storeOK(t, c, scsBase+nvicICPR, 2)
	if c.Sys.Pending.has(17) {
		t.Error("ICPR did not clear an interrupt whose line is low")
	}
}

// The oracle simulates the same rules one cycle at a time, with sorted lists
// instead of sets and deadlines.
type oracle struct {
	prio      map[int]int // full priority
	shift     int         // bits of subpriority
	mask      int         // BASEPRI's group, or a large number
	length    map[int]int
	level     map[int]bool
	pend      []int
	nest      []oracleFrame // active handlers, innermost last
	phase     string
	target    int
	countdown int
	log       []string
}

type oracleFrame struct{ exc, left int }

func (o *oracle) group(exc int) int { return o.prio[exc] >> o.shift }

// candidate is the pending exception that beats the innermost handlers, if any.
func (o *oracle) candidate() int {
	best := 0
	for _, p := range o.pend {
		if best == 0 || o.prio[p] < o.prio[best] || o.prio[p] == o.prio[best] && p < best {
			best = p
		}
	}
	if best == 0 || o.group(best) >= o.mask {
		return 0
	}
	for _, f := range o.nest {
		if o.group(best) >= o.group(f.exc) {
			return 0
		}
	}
	return best
}

func (o *oracle) event(e irqEvent) {
	exc := e.irq + excIRQ0
	if e.level && !o.level[exc] {
		o.add(exc)
	}
	o.level[exc] = e.level
}

func (o *oracle) add(exc int) {
	for _, p := range o.pend {
		if p == exc {
			return
		}
	}
	o.pend = append(o.pend, exc)
}

func (o *oracle) remove(exc int) {
	for i, p := range o.pend {
		if p == exc {
			o.pend = append(o.pend[:i:i], o.pend[i+1:]...)
			return
		}
	}
}

func (o *oracle) begin(cycle uint64) {
	o.remove(o.target)
	o.nest = append(o.nest, oracleFrame{o.target, o.length[o.target]})
	o.log = append(o.log, fmt.Sprintf("%d:%d", cycle, o.target))
	o.phase = "run"
}

func (o *oracle) resume(cycle uint64) {
	exc := 0
	if n := len(o.nest); n > 0 {
		exc = o.nest[n-1].exc
	}
	o.log = append(o.log, fmt.Sprintf("%d:%d", cycle, exc))
	o.phase = "run"
}

// finish completes what is due at a cycle's beginning, before its events.
func (o *oracle) finish(now uint64) {
	if o.phase == "enter" && o.countdown == 0 {
		o.begin(now)
	}
	if o.phase == "leave" && o.countdown == 0 {
		o.resume(now)
	}
}

// cycle is what happens in a cycle, after its events.
func (o *oracle) cycle() {
	if o.phase == "run" {
		o.instruction()
	}
	best := o.candidate()
	switch {
	case o.phase == "enter" && o.countdown >= 4 && best != 0:
		o.target = best
	case o.phase == "leave" && best != 0:
		o.phase, o.target, o.countdown = "enter", best, 6
	}
	o.countdown--
}

func (o *oracle) instruction() {
	if best := o.candidate(); best != 0 {
		o.phase, o.target, o.countdown = "enter", best, 12
		return
	}
	n := len(o.nest)
	if n == 0 {
		return
	}
	f := &o.nest[n-1]
	if f.left > 0 {
		f.left--
		return
	}
	exc := f.exc
	o.nest = o.nest[:n-1]
	if o.level[exc] {
		o.add(exc)
	}
	o.phase, o.countdown = "leave", 10
}

// TestRandomPreemption compares the orders and cycles of random interrupt
// programs with the oracle's.
func TestRandomPreemption(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for program := 0; program < 3000; program++ {
		c := newSystem(t)
		groups := uint32(rng.IntN(8))
		storeOK(t, c, scsBase+scbAIRCR, 0x05FA0000|groups<<8)
		o := &oracle{prio: map[int]int{}, shift: int(groups) + 1, mask: 1000, length: map[int]int{}, level: map[int]bool{}, phase: "run"}
		m := &mock{Core: c, length: map[uint16]int{}}
		if rng.IntN(3) == 0 {
			base := 16 * (1 + rng.IntN(15))
			c.msr(sysmBASEPRI, 0, uint32(base))
			o.mask = base >> o.shift
		}
		lines := 2 + rng.IntN(5)
		for irq := range lines {
			exc := excIRQ0 + irq*17
			prio := 16 * rng.IntN(16)
			setPriority(t, c, exc, uint8(prio))
			o.prio[exc], o.length[exc] = prio, rng.IntN(30)
			m.length[uint16(exc)] = o.length[exc]
		}
		var events []irqEvent
		for at := uint64(0); len(events) < 12; at += uint64(rng.IntN(25)) {
			events = append(events, irqEvent{at, 17 * rng.IntN(lines), rng.IntN(2) == 0})
		}
		for irq := range lines {
			events = append(events, irqEvent{400, 17 * irq, false})
		}
		m.run(events, 1500)
		next := 0
		for now := uint64(0); now < 1500; now++ {
			o.finish(now)
			for ; next < len(events) && events[next].at == now; next++ {
				o.event(events[next])
			}
			o.cycle()
		}
		if !reflect.DeepEqual(m.log, o.log) {
			t.Fatalf("program %d, PRIGROUP %d, BASEPRI %#x, priorities %v, lengths %v, events %v\n   got %v\noracle %v",
				program, groups, c.Basepri, o.prio, o.length, events, m.log, o.log)
		}
	}
}

// TestPriorityGrouping is table B1-8 of DDI 0403E for 4 priority bits: how many
// of them decide about pre-emption.
func TestPriorityGrouping(t *testing.T) {
	for group, bits := range []int{4, 4, 4, 4, 3, 2, 1, 0} {
		c := newSystem(t)
		storeOK(t, c, scsBase+scbAIRCR, 0x05FA0000|uint32(group)<<8)
		for running := 0; running < 16; running++ {
			for pending := 0; pending < 16; pending++ {
				c.Sys.Active, c.Sys.Pending = ExcSet{}, ExcSet{}
				setPriority(t, c, 20, uint8(running<<4))
				setPriority(t, c, 21, uint8(pending<<4))
				c.Sys.Active.set(20)
				c.setPending(21)
				if got, want := c.attention, pending>>(4-bits) < running>>(4-bits); got != want {
					t.Fatalf("PRIGROUP %d: %d pre-empts %d: %v, want %v", group, pending, running, got, want)
				}
			}
		}
	}
}

func TestSubpriorityOrdersPending(t *testing.T) {
	c := newSystem(t)
	storeOK(t, c, scsBase+scbAIRCR, 0x05FA0700) // no pre-emption at all
	for exc, prio := range map[int]uint8{20: 0x80, 21: 0x30, 22: 0x30, 23: 0x40} {
		setPriority(t, c, exc, prio)
	}
	c.Primask = true
	for irq := 4; irq < 8; irq++ {
		c.SetIRQ(irq, true)
	}
	if c.Sys.Best != 21 {
		t.Errorf("best of the pending is %d, want 21", c.Sys.Best)
	}
}

func TestMasks(t *testing.T) { // DDI 0403E B1.4.3, B1.5.4
	tests := []struct {
		name     string
		set      func(*Core)
		exc      int
		prio     uint8
		preempts bool
	}{
		{"nothing", func(c *Core) {}, 20, 0xF0, true},
		{"PRIMASK", func(c *Core) { c.cps(false, true, false) }, 20, 0, false},
		{"PRIMASK lets HardFault", func(c *Core) { c.cps(false, true, false) }, excHardFault, 0, true},
		{"FAULTMASK", func(c *Core) { c.cps(false, false, true) }, excHardFault, 0, false},
		{"FAULTMASK lets NMI", func(c *Core) { c.cps(false, false, true) }, excNMI, 0, true},
		{"BASEPRI equal", func(c *Core) { c.msr(sysmBASEPRI, 0, 0x40) }, 20, 0x40, false},
		{"BASEPRI above", func(c *Core) { c.msr(sysmBASEPRI, 0, 0x40) }, 20, 0x30, true},
		{"BASEPRI low bits", func(c *Core) { c.msr(sysmBASEPRI, 0, 0x0F) }, 20, 0xF0, true},
		{"BASEPRI_MAX lower", func(c *Core) { c.msr(sysmBASEPRI, 0, 0x40); c.msr(sysmBASEPRIMAX, 0, 0x80) }, 20, 0x70, false},
		{"BASEPRI_MAX higher", func(c *Core) { c.msr(sysmBASEPRI, 0, 0x80); c.msr(sysmBASEPRIMAX, 0, 0x40) }, 20, 0x50, false},
		{"BASEPRI_MAX zero", func(c *Core) { c.msr(sysmBASEPRI, 0, 0x40); c.msr(sysmBASEPRIMAX, 0, 0) }, 20, 0x50, false},
		{"unprivileged CPSID", func(c *Core) { c.Control |= controlNPRIV; c.cps(false, true, true) }, 20, 0xF0, true},
		{"unprivileged MSR", func(c *Core) { c.Control |= controlNPRIV; c.msr(sysmPRIMASK, 0, 1) }, 20, 0xF0, true},
	}
	for _, tt := range tests {
		c := newSystem(t)
		if tt.exc >= excIRQ0 {
			setPriority(t, c, tt.exc, tt.prio)
		}
		tt.set(c)
		c.setPending(tt.exc)
		if c.attention != tt.preempts {
			t.Errorf("%s: exception %d pre-empts: %v, want %v", tt.name, tt.exc, c.attention, tt.preempts)
		}
	}
}

func TestICSR(t *testing.T) {
	c := newSystem(t)
	c.Primask = true
	setPriority(t, c, 30, 0x40)
	c.SetIRQ(14, true)
	storeOK(t, c, scsBase+scbICSR, icsrPENDSVSET|icsrPENDSTSET)
	setPriority(t, c, excPendSV, 0xF0)
	setPriority(t, c, excSysTick, 0xF0)
	if got, want := loadOK(t, c, scsBase+scbICSR), uint32(icsrPENDSVSET|icsrPENDSTSET|icsrISRPENDING|30<<12|icsrRETTOBASE); got != want {
		t.Errorf("ICSR = %#x, want %#x", got, want)
	}
	c.msr(sysmBASEPRI, 0, 0x40)
	if got := loadOK(t, c, scsBase+scbICSR) >> 12 & 0x1FF; got != 0 {
		t.Errorf("VECTPENDING = %d with everything masked by BASEPRI", got)
	}
	c.msr(sysmBASEPRI, 0, 0)
	c.msr(sysmPRIMASK, 0, 0)
	c.service()
	storeOK(t, c, scsBase+scbICSR, icsrPENDSVCLR)
	if got, want := loadOK(t, c, scsBase+scbICSR), uint32(icsrPENDSTSET|15<<12|icsrRETTOBASE|30); got != want {
		t.Errorf("in the handler: ICSR = %#x, want %#x", got, want)
	}
	c.SetNMI()
	c.service()
	if got, want := loadOK(t, c, scsBase+scbICSR), uint32(icsrPENDSTSET|15<<12|2); got != want {
		t.Errorf("nested in NMI: ICSR = %#x, want %#x", got, want)
	}
}

func TestSHCSR(t *testing.T) {
	c := newSystem(t)
	storeOK(t, c, scsBase+scbSHCSR, 7<<16)
	if got := loadOK(t, c, scsBase+scbSHCSR); got != 7<<16 {
		t.Errorf("SHCSR = %#x, want the three enables", got)
	}
	c.raise(faultDivByZero, 0)
	if got := loadOK(t, c, scsBase+scbSHCSR); got != 7<<16|1<<3 || c.IPSR != excUsageFault {
		t.Errorf("SHCSR = %#x in exception %d, want USGFAULTACT in 6", got, c.IPSR)
	}
}

func TestFaults(t *testing.T) { // DDI 0403E B1.5.4, B1.5.14, B3.2.15
	const addr = 0x40001234
	all := func(c *Core) { c.setSHCSR(7 << 16) }
	tests := []struct {
		name       string
		prepare    func(*Core)
		kind       faultKind
		exc        uint16
		cfsr, hfsr uint32
	}{
		{"undefined", all, faultUndefInstr, 6, 1 << 16, 0},
		{"state", all, faultInvState, 6, 1 << 17, 0},
		{"no coprocessor", all, faultNoCP, 6, 1 << 19, 0},
		{"unaligned", all, faultUnaligned, 6, 1 << 24, 0},
		{"division", all, faultDivByZero, 6, 1 << 25, 0},
		{"fetch", all, faultInstrBus, 5, 1 << 8, 0},
		{"data", all, faultPreciseData, 5, 0x8200, 0},
		{"imprecise", all, faultImpreciseData, 5, 1 << 10, 0},
		{"MPU fetch", all, faultMPUInstr, 4, 1, 0},
		{"MPU data", all, faultMPUData, 4, 0x82, 0},
		{"disabled", func(c *Core) {}, faultPreciseData, 3, 0x8200, hfsrFORCED},
		{"PRIMASK", func(c *Core) { all(c); c.cps(false, true, false) }, faultUndefInstr, 3, 1 << 16, hfsrFORCED},
		{"imprecise, disabled", func(c *Core) {}, faultImpreciseData, 3, 1 << 10, hfsrFORCED},
		{"imprecise, masked", func(c *Core) { all(c); c.cps(false, true, false) }, faultImpreciseData, 0, 1 << 10, 0},
		{"breakpoint", all, faultBreakpoint, 3, 0, hfsrDEBUGEVT},
		{"breakpoint, monitor", func(c *Core) { c.setDEMCR(demcrMONEN) }, faultBreakpoint, 12, 0, 0},
	}
	for _, tt := range tests {
		c := newSystem(t)
		tt.prepare(c)
		c.raise(tt.kind, addr)
		for c.attention {
			c.service()
		}
		if c.IPSR != tt.exc || c.Sys.CFSR != tt.cfsr || c.Sys.HFSR != tt.hfsr || c.stop != nil {
			t.Errorf("%s: exception %d CFSR %#x HFSR %#x stop %v, want %d %#x %#x",
				tt.name, c.IPSR, c.Sys.CFSR, c.Sys.HFSR, c.stop, tt.exc, tt.cfsr, tt.hfsr)
		}
		if tt.cfsr&cfsrBFARVALID != 0 && c.Sys.BFAR != addr || tt.cfsr&cfsrMMARVALID != 0 && c.Sys.MMFAR != addr {
			t.Errorf("%s: BFAR %#x MMFAR %#x, want %#x", tt.name, c.Sys.BFAR, c.Sys.MMFAR, addr)
		}
		if tt.exc != 0 && word(t, c, c.R[13]+0x18) != testPC {
			t.Errorf("%s: return address %#x, want that of the instruction", tt.name, word(t, c, c.R[13]+0x18))
		}
	}
}

func TestSVC(t *testing.T) {
	c := newSystem(t)
	c.svc()
	if c.IPSR != excSVCall || c.Cycle != entryCycles {
		t.Errorf("SVC led to exception %d at cycle %d", c.IPSR, c.Cycle)
	}
	c.svc() // from its own handler
	if c.IPSR != excHardFault || c.Sys.HFSR != hfsrFORCED {
		t.Errorf("nested SVC led to exception %d, HFSR %#x", c.IPSR, c.Sys.HFSR)
	}
}

func TestLockup(t *testing.T) { // DDI 0403E B1.5.15
	tests := []struct {
		name string
		do   func(*Core)
	}{
		{"fault in HardFault", func(c *Core) { c.raise(faultUndefInstr, 0); c.raise(faultPreciseData, 4) }},
		{"fault in NMI", func(c *Core) { c.SetNMI(); c.service(); c.raise(faultUndefInstr, 0) }},
		{"SVC in HardFault", func(c *Core) { c.raise(faultUndefInstr, 0); c.svc() }},
		{"BKPT with FAULTMASK", func(c *Core) { c.cps(false, false, true); c.raise(faultBreakpoint, 0) }},
		{"HardFault without a vector", func(c *Core) { c.Sys.VTOR = 0x30000000; c.raise(faultUndefInstr, 0) }},
		{"HardFault without a stack", func(c *Core) { c.SetMSP(0x30000000); c.raise(faultUndefInstr, 0) }},
		{"BKPT in HardFault, monitor on", func(c *Core) {
			c.setDEMCR(demcrMONEN)
			c.raise(faultUndefInstr, 0)
			c.raise(faultBreakpoint, 0)
		}},
	}
	for _, tt := range tests {
		c := newSystem(t)
		tt.do(c)
		if c.stop == nil || c.stop.Reason != Lockup || c.stop.What == "" {
			t.Errorf("%s: stop = %+v, want a lockup", tt.name, c.stop)
		}
	}
}

func TestDerivedExceptions(t *testing.T) { // DDI 0403E B1.5.10
	bad := uint32(0x30000000)
	tests := []struct {
		name       string
		do         func(*Core)
		exc        uint16
		pending    int
		cfsr, hfsr uint32
	}{
		{"stacking, BusFault takes over", func(c *Core) {
			c.setSHCSR(1 << 17)
			c.SetMSP(bad)
			setPriority(t, c, 20, 0x10)
			c.SetIRQ(4, true)
		}, 5, 20, 1 << 12, 0},
		{"stacking, disabled", func(c *Core) { c.SetMSP(bad); c.SetIRQ(4, true) }, 3, 20, 1 << 12, hfsrFORCED},
		{"stacking, BusFault waits", func(c *Core) {
			c.setSHCSR(1 << 17)
			setPriority(t, c, excBusFault, 0x80)
			c.SetMSP(bad)
			c.SetIRQ(4, true)
		}, 20, 5, 1 << 12, 0},
		{"NMI first, HardFault after", func(c *Core) { c.SetMSP(bad); c.SetNMI() }, 2, 3, 1 << 12, hfsrFORCED},
		{"vector", func(c *Core) { c.Sys.VTOR = 0x3F80; c.SetIRQ(90, true) }, 3, 106, 0, hfsrVECTTBL},
		{"eager stacking without access to the unit", func(c *Core) {
			c.setSHCSR(1 << 18)
			c.Sys.FPCCR &^= fpccrLSPEN
			c.Control |= controlFPCA
			setPriority(t, c, 20, 0x10)
			c.SetIRQ(4, true)
		}, 6, 20, 1 << 19, 0},
		{"unstacking", func(c *Core) { leaveWith(c, func() { c.SetMSP(bad) }) }, 3, 0, 1 << 11, hfsrFORCED},
		{"return to Thread with two active", func(c *Core) { leaveWith(c, func() { c.Sys.Active.set(30); c.refreshExceptions() }) },
			3, 0, 1 << 18, hfsrFORCED},
		{"return from an inactive one", func(c *Core) { leaveWith(c, func() { c.Sys.Active.clear(20) }) }, 3, 0, 1 << 18, hfsrFORCED},
		{"return value 3", func(c *Core) { leaveWith(c, func() { c.R[14] = 0xFFFFFFF3 }) }, 3, 0, 1 << 18, hfsrFORCED},
		{"return value with zeros", func(c *Core) { leaveWith(c, func() { c.R[14] = 0xF0FFFFF9 }) }, 3, 0, 1 << 18, hfsrFORCED},
		{"return to Handler with a Thread frame", func(c *Core) { leaveWith(c, func() { c.R[14] = 0xFFFFFFF1 }) }, 3, 0, 1 << 18, hfsrFORCED},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newSystem(t)
			fixVectors(c)
			tt.do(c)
			c.service()
			if c.IPSR != tt.exc || c.Sys.CFSR != tt.cfsr || c.Sys.HFSR != tt.hfsr || c.stop != nil {
				t.Errorf("exception %d CFSR %#x HFSR %#x stop %+v, want %d %#x %#x",
					c.IPSR, c.Sys.CFSR, c.Sys.HFSR, c.stop, tt.exc, tt.cfsr, tt.hfsr)
			}
			if tt.pending != 0 && !c.Sys.Pending.has(tt.pending) {
				t.Errorf("exception %d is not pending", tt.pending)
			}
		})
	}
}

// leaveWith enters exception 20, lets spoil change something and returns.
func leaveWith(c *Core, spoil func()) {
	c.SetIRQ(4, true)
	c.SetIRQ(4, false)
	c.service()
	spoil()
	c.exceptionReturn(c.R[14])
}

// fixVectors gives a table at 0x3F80, the last 128 bytes of ROM, a HardFault
// vector: entry 32 and above lie outside of all memory.
func fixVectors(c *Core) {
	rom := c.windowAt(0).data
	copy(rom[0x3F80:], rom[:0x80])
}

// unmodelledBus answers every access that the model lacks it.
type unmodelledBus struct{}

func (unmodelledBus) Load(uint32, uint8) (uint32, bus.Fault) { return 0, bus.Unmodelled }
func (unmodelledBus) Store(uint32, uint8, uint32) bus.Fault  { return bus.Unmodelled }

func TestUnmodelledStackAndVector(t *testing.T) {
	for name, spoil := range map[string]func(*Core){
		"stack":  func(c *Core) { c.SetMSP(0x40001000) },
		"vector": func(c *Core) { c.Sys.VTOR = 0x40000000 },
	} {
		c := newSystem(t)
		c.cfg.Bus = unmodelledBus{}
		spoil(c)
		c.SetIRQ(4, true)
		c.service()
		if c.stop == nil || c.stop.Reason != NotModelled || c.stop.Addr>>28 != 4 {
			t.Errorf("%s: stop %+v", name, c.stop)
		}
	}
}

func TestBadReturnKeepsFrame(t *testing.T) {
	c := newSystem(t)
	leaveWith(c, func() { c.R[14] = 0xFFFFFFF3 })
	sp := c.R[13]
	start := c.Cycle
	c.service()
	if c.R[13] != sp || c.R[14] != 0xFFFFFFF3 || c.Cycle-start != tailChainCycles {
		t.Errorf("sp %#x lr %#x after %d cycles, want the old frame, the bad value and a tail-chain", c.R[13], c.R[14], c.Cycle-start)
	}
}

func TestNonBaseThreadEnable(t *testing.T) {
	c := newSystem(t)
	c.Sys.CCR |= ccrNONBASETHRDENA
	leaveWith(c, func() { c.Sys.Active.set(30); c.refreshExceptions() })
	c.service()
	if c.IPSR != 0 || c.R[15] != testPC || c.Sys.CFSR != 0 {
		t.Errorf("exception %d at %#x, CFSR %#x: want Thread mode", c.IPSR, c.R[15], c.Sys.CFSR)
	}
}

func TestFaultmaskClearsOnReturn(t *testing.T) { // B1.5.8: but not on NMI's
	for exc, want := range map[int]bool{20: false, excNMI: true} {
		c := newSystem(t)
		c.setPending(exc)
		c.service()
		c.Faultmask = true
		c.exceptionReturn(c.R[14])
		c.service()
		if c.Faultmask != want || c.IPSR != 0 {
			t.Errorf("after exception %d: FAULTMASK %v, want %v", exc, c.Faultmask, want)
		}
	}
}

// TestEntryIsResumable cuts an entry and a return at every cycle: nothing but
// the place of the cuts may differ.
func TestEntryIsResumable(t *testing.T) {
	for step := uint64(1); step < 15; step++ {
		c := newSystem(t)
		c.SetIRQ(4, true)
		c.SetIRQ(4, false)
		cut := func() {
			for c.attention {
				c.limit = c.Cycle + step
				c.service()
				if c.Cycle > c.limit {
					t.Fatalf("at %d, past the limit %d", c.Cycle, c.limit)
				}
			}
		}
		cut()
		if c.Cycle != 12 || c.IPSR != 20 {
			t.Fatalf("steps of %d: in exception %d at %d", step, c.IPSR, c.Cycle)
		}
		c.exceptionReturn(c.R[14])
		cut()
		if c.Cycle != 22 || c.IPSR != 0 || c.R[13] != testMSP {
			t.Fatalf("steps of %d: in exception %d at %d", step, c.IPSR, c.Cycle)
		}
	}
}

// TestSnapshotInEntry restores a core in the middle of an entry.
func TestSnapshotInEntry(t *testing.T) {
	c := newSystem(t)
	c.SetIRQ(4, true)
	c.limit = 5
	c.service()
	saved := c.State
	c.limit = clock.Never
	c.service()
	want := c.State
	c.State = saved
	c.service()
	if c.State != want {
		t.Error("the restored entry ended differently")
	}
}
