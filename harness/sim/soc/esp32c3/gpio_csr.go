package esp32c3

// GPIOs of the CPU itself (TRM ESP-RISC-V CPU, dedicated IO): three registers of
// control and status whose bits are the signals CPU_GPIO_0 to CPU_GPIO_7 of
// the GPIO matrix. They cost no access to the peripheral bus.

const (
	csrGPIO_OEN_USER = 0x803
	csrGPIO_IN_USER  = 0x804
	csrGPIO_OUT_USER = 0x805

	cpuGPIOs = 8
)

// gpioReadCSR reads one of the three; ok is false for other numbers.
func (c *Chip) gpioReadCSR(n uint16) (v uint64, ok bool) {
	switch n {
	case csrGPIO_OEN_USER:
		return uint64(c.GPIO.OENUser), true
	case csrGPIO_OUT_USER:
		return uint64(c.GPIO.OUTUser), true
	case csrGPIO_IN_USER:
		c.catchUpPins()
		for i := range cpuGPIOs {
			if c.sigIn(sigCPUGPIO + i) {
				v |= 1 << i
			}
		}
		return v, true
	}
	return 0, false
}

// gpioWriteCSR writes one of the three; ok is false for other numbers.
func (c *Chip) gpioWriteCSR(n uint16, v uint64) (ok bool) {
	g, set := &c.GPIO, uint32(v)&(1<<cpuGPIOs-1)
	switch n {
	case csrGPIO_OEN_USER:
		for i := range cpuGPIOs {
			c.sigOE(sigCPUGPIO+i, set>>i&1 != 0)
		}
		g.OENUser = set
	case csrGPIO_OUT_USER:
		for i := range cpuGPIOs {
			c.sigOut(sigCPUGPIO+i, set>>i&1 != 0)
		}
		g.OUTUser = set
	case csrGPIO_IN_USER: // read-only
	default:
		return false
	}
	return true
}
