package k210

import "rigor/harness/sim/profile"

// Cores are the harts.
func (c *Chip) Cores() int { return len(c.harts) }

// Profile has the harts count where their cycles go.
func (c *Chip) Profile(p ...*profile.Counter) {
	for n, h := range c.harts {
		if len(p) == 0 {
			h.SetProfile(nil)
			continue
		}
		h.SetProfile(p[n])
	}
}
