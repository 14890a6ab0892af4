package stm32f407

// dmaWake lets idle controllers look at the requests.
func (c *Chip) dmaWake() {}
