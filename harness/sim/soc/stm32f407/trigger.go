package stm32f407

// Trigger lines: what timers and EXTI put out to start conversions of ADC and
// DAC. RM0090 §13.6, tables 69 (EXTSEL) and 70 (JEXTSEL); §14.3.6 (TSEL).
//
// Both ends are functions of this chip. A source calls trigger at the exact
// cycle of its edge. A converter implements Trigger and Hears, and calls
// triggersChanged when what it hears changes: a timer that nobody hears does
// not stop for its edges.

// trigger is one trigger line.
type trigger uint8

const (
	trgTIM1CC1 trigger = iota
	trgTIM1CC2
	trgTIM1CC3
	trgTIM1CC4
	trgTIM1TRGO
	trgTIM2CC1
	trgTIM2CC2
	trgTIM2CC3
	trgTIM2CC4
	trgTIM2TRGO
	trgTIM3CC1
	trgTIM3CC2
	trgTIM3CC3 // nothing listens; keeps the channels of a timer together
	trgTIM3CC4
	trgTIM3TRGO
	trgTIM4CC1
	trgTIM4CC2
	trgTIM4CC3
	trgTIM4CC4
	trgTIM4TRGO
	trgTIM5CC1
	trgTIM5CC2
	trgTIM5CC3
	trgTIM5CC4
	trgTIM5TRGO
	trgTIM6TRGO
	trgTIM7TRGO
	trgTIM8CC1
	trgTIM8CC2
	trgTIM8CC3
	trgTIM8CC4
	trgTIM8TRGO
	trgEXTI9
	trgEXTI11
	trgEXTI15
	triggerCount
)

// trigger tells ADC and DAC of an edge of a line at the cycle. A pulse's
// falling edge comes along with its rising one, a timer clock ahead of time. An
// edge that comes late is one that nobody heard when it was due.
func (c *Chip) trigger(t trigger, high bool, cycle uint64) {
	if cycle < c.Cycle() {
		return
	}
	c.adcTrigger(t, high)
	c.dacTrigger(t, high)
}

// triggerHeard reports whether a converter would act on the line.
func (c *Chip) triggerHeard(t trigger) bool {
	return c.adcHears(t) || c.dacHears(t)
}

// triggersChanged follows a change of what converters hear.
func (c *Chip) triggersChanged() { c.timRewatch() }
