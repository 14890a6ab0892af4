// Package pwm asks whether pulses that a hardware timer makes have the frequency
// and the width that they should: what the firmware set the timer to is taken from
// its report, what a tick of the timer lasts from the chip's clock tree, and what
// came of it from a probe at the pin.
package pwm
