package stm32f407

import "rigor/harness/sim/profile"

// Cores is one.
func (c *Chip) Cores() int { return 1 }

// Profile has the core count where its cycles go.
func (c *Chip) Profile(p ...*profile.Counter) {
	if len(p) == 0 {
		c.core.SetProfile(nil)
		return
	}
	c.core.SetProfile(p[0])
}
