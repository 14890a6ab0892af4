package stm32f407

import "rigor/harness/sim/bus"

// External interrupt and event controller, RM0090 §12.2. Lines 0 to 15 follow
// pins, 17, 21 and 22 the RTC; 16 and 18 to 20 (PVD, USB, Ethernet) only
// software.
type exti struct {
	IMR, EMR, RTSR, FTSR, SWIER, PR uint32

	Level uint32 // of the lines
}

const extiLines = 0x007FFFFF

// extiIRQs are the NVIC lines and the EXTI lines that share them (§12.1.3,
// table 62).
var extiIRQs = [...]struct {
	irq   int
	lines uint32
}{
	{6, 1 << 0}, {7, 1 << 1}, {8, 1 << 2}, {9, 1 << 3}, {10, 1 << 4},
	{23, 0x03E0}, {40, 0xFC00},
	{1, 1 << 16}, {41, 1 << 17}, {42, 1 << 18}, {62, 1 << 19},
	{76, 1 << 20}, {2, 1 << 21}, {3, 1 << 22},
}

type extiDevice struct{ *Chip }

func (d extiDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	if r := d.EXTI.register(off); r != nil {
		return uint64(*r), bus.None
	}
	return 0, d.unknown("EXTI", off)
}

func (e *exti) register(off uint32) *uint32 {
	regs := [...]*uint32{&e.IMR, &e.EMR, &e.RTSR, &e.FTSR, &e.SWIER, &e.PR}
	if i := off / 4; int(i) < len(regs) {
		return regs[i]
	}
	return nil
}

func (d extiDevice) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	e, v := &d.EXTI, uint32(v64)&extiLines
	r := e.register(off)
	switch r {
	case nil:
		return d.unknown("EXTI", off)
	case &e.PR:
		e.PR &^= v
		e.SWIER &^= v
	case &e.SWIER:
		rising := v &^ e.SWIER
		e.SWIER |= v
		d.extiTrigger(rising)
	default:
		d.timCatchUp()
		*r = v
		d.timRewatch()
	}
	d.updateEXTI()
	return bus.None
}

// extiTrigger is an edge, or its like by software, on the lines given (§12.2.4,
// figure 41).
func (c *Chip) extiTrigger(lines uint32) {
	e := &c.EXTI
	e.PR |= lines
	if lines&e.EMR != 0 {
		c.core.SetEvent()
	}
	c.convertByEXTI(lines)
	c.updateEXTI()
}

// convertByEXTI passes chosen edges of three lines on to ADC and DAC, as pulses:
// the manual does not say whether the level itself goes there.
func (c *Chip) convertByEXTI(lines uint32) {
	for _, e := range [...]struct {
		line int
		t    trigger
	}{{9, trgEXTI9}, {11, trgEXTI11}, {15, trgEXTI15}} {
		if lines>>e.line&1 != 0 {
			c.trigger(e.t, true, c.Cycle())
			c.trigger(e.t, false, c.Cycle())
		}
	}
}

func (c *Chip) updateEXTI() {
	on := c.EXTI.PR & c.EXTI.IMR
	for i := range extiIRQs {
		c.irq(extiIRQs[i].irq, on&extiIRQs[i].lines != 0)
	}
}

// port is the port that a line listens to.
func (s *syscfg) port(line int) int { return int(s.EXTICR[line/4] >> (4 * (line % 4)) & 0xF) }

// extiPin tells EXTI of a pin's new level.
func (c *Chip) extiPin(port, line int, high bool) {
	if c.SYSCFG.port(line) == port {
		c.extiLine(line, high)
	}
}

func (c *Chip) extiLine(line int, high bool) {
	e, bit := &c.EXTI, uint32(1)<<line
	if e.Level>>line&1 != 0 == high {
		return
	}
	e.Level ^= bit
	edges := e.FTSR
	if high {
		edges = e.RTSR
	}
	if edges&bit != 0 {
		c.extiTrigger(bit)
	}
}

// rerouteEXTI follows a change of the pins that the lines listen to: a line
// that finds another level sees an edge.
func (c *Chip) rerouteEXTI() {
	for line := range 16 {
		port := c.SYSCFG.port(line)
		c.extiLine(line, port < ports && c.Pins.Input[port]>>line&1 != 0)
	}
}
