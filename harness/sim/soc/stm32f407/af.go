package stm32f407

// Alternate functions, DS8626 §4, table 9: which signal of a modelled block a
// pin carries for each value of its AFR field. An input that no pin selects
// idles: high for USART RX and the modem lines, I2C and NSS (the manual leaves
// it open), low for timers and SPI's other lines.

type signal uint8

// Signals of one kind follow each other from block to block.
const (
	sigNone signal = iota
	sigUSART1TX
	sigUSART1RX
	sigUSART1CTS
	sigUSART1RTS
	sigUSART1CK
	sigUSART2TX
	sigUSART2RX
	sigUSART2CTS
	sigUSART2RTS
	sigUSART2CK
	sigUSART3TX
	sigUSART3RX
	sigUSART3CTS
	sigUSART3RTS
	sigUSART3CK
	sigUART4TX
	sigUART4RX
	_
	_
	_
	sigUART5TX
	sigUART5RX
	_
	_
	_
	sigUSART6TX
	sigUSART6RX
	sigUSART6CTS
	sigUSART6RTS
	sigUSART6CK
	sigTIM2CH1 // also TIM2's ETR
	sigTIM2CH2
	sigTIM2CH3
	sigTIM2CH4
	sigTIM3CH1
	sigTIM3CH2
	sigTIM3CH3
	sigTIM3CH4
	sigTIM4CH1
	sigTIM4CH2
	sigTIM4CH3
	sigTIM4CH4
	sigTIM5CH1
	sigTIM5CH2
	sigTIM5CH3
	sigTIM5CH4
	sigTIM3ETR
	sigTIM4ETR
	sigTIM1CH1
	sigTIM1CH2
	sigTIM1CH3
	sigTIM1CH4
	sigTIM1CH1N
	sigTIM1CH2N
	sigTIM1CH3N
	sigTIM1ETR
	sigTIM1BKIN
	sigTIM8CH1
	sigTIM8CH2
	sigTIM8CH3
	sigTIM8CH4
	sigTIM8CH1N
	sigTIM8CH2N
	sigTIM8CH3N
	sigTIM8ETR
	sigTIM8BKIN
	sigTIM9CH1
	sigTIM9CH2
	sigTIM10CH1
	sigTIM11CH1
	sigTIM12CH1
	sigTIM12CH2
	sigTIM13CH1
	sigTIM14CH1
	sigI2C1SCL
	sigI2C1SDA
	sigI2C2SCL
	sigI2C2SDA
	sigI2C3SCL
	sigI2C3SDA
	sigSPI1NSS
	sigSPI2NSS
	sigSPI3NSS
	sigSPI1SCK
	sigSPI1MISO
	sigSPI1MOSI
	sigSPI2SCK
	sigSPI2MISO
	sigSPI2MOSI
	sigSPI3SCK
	sigSPI3MISO
	sigSPI3MOSI
	signalCount
)

const (
	portA = 16 * iota
	portB
	portC
	portD
	portE
	portF
	portG
	portH
	portI
)

var afTable = []struct {
	pin, af int
	sig     signal
}{
	{portA + 0, 1, sigTIM2CH1}, {portA + 0, 2, sigTIM5CH1}, {portA + 0, 3, sigTIM8ETR}, {portA + 0, 7, sigUSART2CTS}, {portA + 0, 8, sigUART4TX},
	{portA + 1, 1, sigTIM2CH2}, {portA + 1, 2, sigTIM5CH2}, {portA + 1, 7, sigUSART2RTS}, {portA + 1, 8, sigUART4RX},
	{portA + 2, 1, sigTIM2CH3}, {portA + 2, 2, sigTIM5CH3}, {portA + 2, 3, sigTIM9CH1}, {portA + 2, 7, sigUSART2TX},
	{portA + 3, 1, sigTIM2CH4}, {portA + 3, 2, sigTIM5CH4}, {portA + 3, 3, sigTIM9CH2}, {portA + 3, 7, sigUSART2RX},
	{portA + 4, 7, sigUSART2CK},
	{portA + 5, 1, sigTIM2CH1}, {portA + 5, 3, sigTIM8CH1N},
	{portA + 6, 1, sigTIM1BKIN}, {portA + 6, 2, sigTIM3CH1}, {portA + 6, 3, sigTIM8BKIN}, {portA + 6, 9, sigTIM13CH1},
	{portA + 7, 1, sigTIM1CH1N}, {portA + 7, 2, sigTIM3CH2}, {portA + 7, 3, sigTIM8CH1N}, {portA + 7, 9, sigTIM14CH1},
	{portA + 8, 1, sigTIM1CH1}, {portA + 8, 7, sigUSART1CK},
	{portA + 9, 1, sigTIM1CH2}, {portA + 9, 7, sigUSART1TX},
	{portA + 10, 1, sigTIM1CH3}, {portA + 10, 7, sigUSART1RX},
	{portA + 11, 1, sigTIM1CH4}, {portA + 11, 7, sigUSART1CTS},
	{portA + 12, 1, sigTIM1ETR}, {portA + 12, 7, sigUSART1RTS},
	{portA + 15, 1, sigTIM2CH1},

	{portB + 0, 1, sigTIM1CH2N}, {portB + 0, 2, sigTIM3CH3}, {portB + 0, 3, sigTIM8CH2N},
	{portB + 1, 1, sigTIM1CH3N}, {portB + 1, 2, sigTIM3CH4}, {portB + 1, 3, sigTIM8CH3N},
	{portB + 3, 1, sigTIM2CH2},
	{portB + 4, 2, sigTIM3CH1},
	{portB + 5, 2, sigTIM3CH2},
	{portB + 6, 2, sigTIM4CH1}, {portB + 6, 7, sigUSART1TX},
	{portB + 7, 2, sigTIM4CH2}, {portB + 7, 7, sigUSART1RX},
	{portB + 8, 2, sigTIM4CH3}, {portB + 8, 3, sigTIM10CH1},
	{portB + 9, 2, sigTIM4CH4}, {portB + 9, 3, sigTIM11CH1},
	{portB + 10, 1, sigTIM2CH3}, {portB + 10, 7, sigUSART3TX},
	{portB + 11, 1, sigTIM2CH4}, {portB + 11, 7, sigUSART3RX},
	{portB + 12, 1, sigTIM1BKIN}, {portB + 12, 7, sigUSART3CK},
	{portB + 13, 1, sigTIM1CH1N}, {portB + 13, 7, sigUSART3CTS},
	{portB + 14, 1, sigTIM1CH2N}, {portB + 14, 3, sigTIM8CH2N}, {portB + 14, 7, sigUSART3RTS}, {portB + 14, 9, sigTIM12CH1},
	{portB + 15, 1, sigTIM1CH3N}, {portB + 15, 3, sigTIM8CH3N}, {portB + 15, 9, sigTIM12CH2},

	{portC + 6, 2, sigTIM3CH1}, {portC + 6, 3, sigTIM8CH1}, {portC + 6, 8, sigUSART6TX},
	{portC + 7, 2, sigTIM3CH2}, {portC + 7, 3, sigTIM8CH2}, {portC + 7, 8, sigUSART6RX},
	{portC + 8, 2, sigTIM3CH3}, {portC + 8, 3, sigTIM8CH3}, {portC + 8, 8, sigUSART6CK},
	{portC + 9, 2, sigTIM3CH4}, {portC + 9, 3, sigTIM8CH4},
	{portC + 10, 7, sigUSART3TX}, {portC + 10, 8, sigUART4TX},
	{portC + 11, 7, sigUSART3RX}, {portC + 11, 8, sigUART4RX},
	{portC + 12, 7, sigUSART3CK}, {portC + 12, 8, sigUART5TX},

	{portD + 2, 2, sigTIM3ETR}, {portD + 2, 8, sigUART5RX},
	{portD + 3, 7, sigUSART2CTS},
	{portD + 4, 7, sigUSART2RTS},
	{portD + 5, 7, sigUSART2TX},
	{portD + 6, 7, sigUSART2RX},
	{portD + 7, 7, sigUSART2CK},
	{portD + 8, 7, sigUSART3TX},
	{portD + 9, 7, sigUSART3RX},
	{portD + 10, 7, sigUSART3CK},
	{portD + 11, 7, sigUSART3CTS},
	{portD + 12, 2, sigTIM4CH1}, {portD + 12, 7, sigUSART3RTS},
	{portD + 13, 2, sigTIM4CH2},
	{portD + 14, 2, sigTIM4CH3},
	{portD + 15, 2, sigTIM4CH4},

	{portE + 0, 2, sigTIM4ETR},
	{portE + 5, 3, sigTIM9CH1},
	{portE + 6, 3, sigTIM9CH2},
	{portE + 7, 1, sigTIM1ETR},
	{portE + 8, 1, sigTIM1CH1N},
	{portE + 9, 1, sigTIM1CH1},
	{portE + 10, 1, sigTIM1CH2N},
	{portE + 11, 1, sigTIM1CH2},
	{portE + 12, 1, sigTIM1CH3N},
	{portE + 13, 1, sigTIM1CH3},
	{portE + 14, 1, sigTIM1CH4},
	{portE + 15, 1, sigTIM1BKIN},

	{portF + 6, 3, sigTIM10CH1},
	{portF + 7, 3, sigTIM11CH1},
	{portF + 8, 9, sigTIM13CH1},
	{portF + 9, 9, sigTIM14CH1},

	{portG + 7, 8, sigUSART6CK},
	{portG + 8, 8, sigUSART6RTS},
	{portG + 9, 8, sigUSART6RX},
	{portG + 12, 8, sigUSART6RTS},
	{portG + 13, 8, sigUSART6CTS},
	{portG + 14, 8, sigUSART6TX},
	{portG + 15, 8, sigUSART6CTS},

	{portH + 6, 9, sigTIM12CH1},
	{portH + 9, 9, sigTIM12CH2},
	{portH + 10, 2, sigTIM5CH1},
	{portH + 11, 2, sigTIM5CH2},
	{portH + 12, 2, sigTIM5CH3},
	{portH + 13, 3, sigTIM8CH1N},
	{portH + 14, 3, sigTIM8CH2N},
	{portH + 15, 3, sigTIM8CH3N},

	{portI + 0, 2, sigTIM5CH4},
	{portI + 2, 3, sigTIM8CH4},
	{portI + 3, 3, sigTIM8ETR},
	{portI + 4, 3, sigTIM8BKIN},
	{portI + 5, 3, sigTIM8CH1},
	{portI + 6, 3, sigTIM8CH2},
	{portI + 7, 3, sigTIM8CH3},

	{portA + 4, 5, sigSPI1NSS}, {portA + 15, 5, sigSPI1NSS},
	{portA + 5, 5, sigSPI1SCK}, {portB + 3, 5, sigSPI1SCK},
	{portA + 6, 5, sigSPI1MISO}, {portB + 4, 5, sigSPI1MISO},
	{portA + 7, 5, sigSPI1MOSI}, {portB + 5, 5, sigSPI1MOSI},
	{portB + 9, 5, sigSPI2NSS}, {portB + 12, 5, sigSPI2NSS}, {portI + 0, 5, sigSPI2NSS},
	{portB + 10, 5, sigSPI2SCK}, {portB + 13, 5, sigSPI2SCK}, {portI + 1, 5, sigSPI2SCK},
	{portB + 14, 5, sigSPI2MISO}, {portC + 2, 5, sigSPI2MISO}, {portI + 2, 5, sigSPI2MISO},
	{portB + 15, 5, sigSPI2MOSI}, {portC + 3, 5, sigSPI2MOSI}, {portI + 3, 5, sigSPI2MOSI},
	{portA + 4, 6, sigSPI3NSS}, {portA + 15, 6, sigSPI3NSS},
	{portB + 3, 6, sigSPI3SCK}, {portC + 10, 6, sigSPI3SCK},
	{portB + 4, 6, sigSPI3MISO}, {portC + 11, 6, sigSPI3MISO},
	{portB + 5, 6, sigSPI3MOSI}, {portC + 12, 6, sigSPI3MOSI},
	{portB + 6, 4, sigI2C1SCL}, {portB + 8, 4, sigI2C1SCL},
	{portB + 7, 4, sigI2C1SDA}, {portB + 9, 4, sigI2C1SDA},
	{portB + 10, 4, sigI2C2SCL}, {portF + 1, 4, sigI2C2SCL}, {portH + 4, 4, sigI2C2SCL},
	{portB + 11, 4, sigI2C2SDA}, {portF + 0, 4, sigI2C2SDA}, {portH + 5, 4, sigI2C2SDA},
	{portA + 8, 4, sigI2C3SCL}, {portH + 7, 4, sigI2C3SCL},
	{portC + 9, 4, sigI2C3SDA}, {portH + 8, 4, sigI2C3SDA},
}

// afSignal is afTable by pin and function, afPins by signal.
var afSignal, afPins = indexAF()

func indexAF() (byPin [ports * 16][16]signal, bySignal [signalCount][]int) {
	for _, e := range afTable {
		byPin[e.pin][e.af] = e.sig
		bySignal[e.sig] = append(bySignal[e.sig], e.pin)
	}
	return byPin, bySignal
}

// afOut is a block driving its signal; the pins that select it follow.
func (c *Chip) afOut(sig signal, level bool) {
	if c.Pins.AFDriven[sig] && c.Pins.AFLevel[sig] == level {
		return
	}
	c.Pins.AFDriven[sig], c.Pins.AFLevel[sig] = true, level
	c.settleSelecting(sig)
}

// afRelease is a block letting go of its signal.
func (c *Chip) afRelease(sig signal) {
	if c.Pins.AFDriven[sig] {
		c.Pins.AFDriven[sig] = false
		c.settleSelecting(sig)
	}
}

func (c *Chip) settleSelecting(sig signal) {
	for _, p := range afPins[sig] {
		if c.Pins.Selected[p] == sig {
			c.settle(p)
		}
	}
}

// afIn is the present level of an input signal.
func (c *Chip) afIn(sig signal) bool { return c.Pins.AFIn[sig] }

// refreshInput brings an input signal up to date and tells its block. Of
// several pins that select one input the first in the table counts.
func (c *Chip) refreshInput(sig signal) {
	if sig == sigNone {
		return
	}
	level := afIdle(sig)
	for _, p := range afPins[sig] {
		if c.Pins.Selected[p] == sig {
			level = c.Pins.Input[p/16]>>(p%16)&1 != 0
			break
		}
	}
	if level != c.Pins.AFIn[sig] {
		c.Pins.AFIn[sig] = level
		c.afChanged(sig, level, c.Cycle())
	}
}

func afIdle(sig signal) bool {
	return sig < sigTIM2CH1 || sig >= sigI2C1SCL && sig < sigSPI1SCK
}
