package esp32c3

// The ROM's functions on pads and on the GPIO matrix (ESP-IDF, rom/gpio.h).

const (
	gpioBase  = 0x60004000
	ioMuxBase = 0x60009000

	padPullDown = 1 << 7
	padPullUp   = 1 << 8
	padInput    = 1 << 9
	padDrive    = 10 // 2 bits
)

var romPads = map[string]romFunc{
	"rom_gpio_input_get":         value(10, func(c *Chip) uint32 { return c.peek(gpioBase + 0x3C) }),
	"rom_gpio_output_set":        effect(20, romGPIOSet),
	"rom_gpio_output_enable":     effect(10, func(c *Chip) { c.poke(gpioBase+0x24, 1<<(c.arg(0)&31)) }),
	"rom_gpio_output_disable":    effect(10, func(c *Chip) { c.poke(gpioBase+0x28, 1<<(c.arg(0)&31)) }),
	"rom_gpio_matrix_in":         effect(20, romMatrixIn),
	"rom_gpio_matrix_out":        effect(20, romMatrixOut),
	"rom_gpio_bypass_matrix_in":  effect(20, romBypassIn),
	"rom_gpio_pad_select_gpio":   effect(20, func(c *Chip) { c.romPad(7<<12, 1<<12) }),
	"rom_gpio_pad_set_drv":       effect(20, func(c *Chip) { c.romPad(3<<padDrive, c.arg(1)&3<<padDrive) }),
	"rom_gpio_pad_pullup":        effect(20, func(c *Chip) { c.romPad(padPullDown, padPullUp) }),
	"rom_gpio_pad_pulldown":      effect(20, func(c *Chip) { c.romPad(padPullUp, padPullDown) }),
	"rom_gpio_pad_input_enable":  effect(20, func(c *Chip) { c.romPad(0, padInput) }),
	"rom_gpio_pad_input_disable": effect(20, func(c *Chip) { c.romPad(padInput, 0) }),
}

// romPad changes a pad's word of IO_MUX.
func (c *Chip) romPad(clear, set uint32) {
	if n := c.arg(0); n < 22 {
		reg := ioMuxBase + 4 + 4*n
		c.poke(reg, c.peek(reg)&^clear|set)
	}
}

// romGPIOSet takes masks of what to set, clear, enable and disable.
func romGPIOSet(c *Chip) {
	for i, off := range []uint32{0x08, 0x0C, 0x24, 0x28} {
		c.poke(gpioBase+off, c.arg(i))
	}
}

// romMatrixIn leads a pad, 0x1E for a one or 0x1F for a zero to a peripheral's input.
func romMatrixIn(c *Chip) {
	if signal := c.arg(1); signal < 128 {
		c.poke(gpioBase+0x154+4*signal, c.arg(0)&0x1F|uint32(oneIf(c.arg(2)&0xFF != 0))<<5|1<<6)
	}
}

// romMatrixOut leads a peripheral's output to a pad, and lets the pad drive.
func romMatrixOut(c *Chip) {
	n := c.arg(0)
	if n >= 22 {
		return
	}
	c.poke(gpioBase+0x24, 1<<n)
	c.poke(gpioBase+0x554+4*n, c.arg(1)&0xFF|uint32(oneIf(c.arg(2)&0xFF != 0))<<8|uint32(oneIf(c.arg(3)&0xFF != 0))<<10)
}

// romBypassIn takes an input from its own pad, past the matrix.
func romBypassIn(c *Chip) {
	if signal := c.arg(0); signal < 128 {
		reg := gpioBase + 0x154 + 4*signal
		c.poke(reg, c.peek(reg)&^(1<<6)|c.arg(1)&1<<6)
	}
}
