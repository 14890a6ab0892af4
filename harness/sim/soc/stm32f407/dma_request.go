package stm32f407

// request is a line from a block to the DMA controllers (RM0090 §10.3.3,
// tables 43 and 44).
type request uint8

// Requests of one kind follow each other from block to block.
const (
	reqNone request = iota
	reqUSART1RX
	reqUSART1TX
	reqUSART2RX
	reqUSART2TX
	reqUSART3RX
	reqUSART3TX
	reqUART4RX
	reqUART4TX
	reqUART5RX
	reqUART5TX
	reqUSART6RX
	reqUSART6TX
	reqSPI1RX
	reqSPI1TX
	reqSPI2RX
	reqSPI2TX
	reqSPI3RX
	reqSPI3TX
	reqI2C1RX
	reqI2C1TX
	reqI2C2RX
	reqI2C2TX
	reqI2C3RX
	reqI2C3TX
	reqADC1
	reqADC2
	reqADC3
	reqDAC1
	reqDAC2
	reqTIM1UP // of TIM1 and TIM8 in the order UP, CH1 to CH4, TRIG, COM
	reqTIM1CH1
	reqTIM1CH2
	reqTIM1CH3
	reqTIM1CH4
	reqTIM1TRIG
	reqTIM1COM
	reqTIM8UP
	reqTIM8CH1
	reqTIM8CH2
	reqTIM8CH3
	reqTIM8CH4
	reqTIM8TRIG
	reqTIM8COM
	reqTIM2UP // of TIM2 to TIM5 in the order UP, CH1 to CH4, TRIG
	reqTIM2CH1
	reqTIM2CH2
	reqTIM2CH3
	reqTIM2CH4
	reqTIM2TRIG // on no stream
	reqTIM3UP
	reqTIM3CH1
	reqTIM3CH2
	reqTIM3CH3
	reqTIM3CH4
	reqTIM3TRIG
	reqTIM4UP
	reqTIM4CH1
	reqTIM4CH2
	reqTIM4CH3
	reqTIM4CH4  // on no stream
	reqTIM4TRIG // on no stream
	reqTIM5UP
	reqTIM5CH1
	reqTIM5CH2
	reqTIM5CH3
	reqTIM5CH4
	reqTIM5TRIG
	reqTIM6UP
	reqTIM7UP
	requests
)

// requestLines are the lines of all blocks.
type requestLines struct {
	Level   [requests]bool // as the block holds it
	Latched [requests]bool // until a stream serves it
}

// requestTable has the requests of each controller, channel and stream. Blocks
// that the model lacks (I2S's extensions, DCMI, SDIO) never ask.
var requestTable = [2][8][8][]request{
	{ // DMA1, table 43
		0: {0: {reqSPI3RX}, 2: {reqSPI3RX}, 3: {reqSPI2RX}, 4: {reqSPI2TX}, 5: {reqSPI3TX}, 7: {reqSPI3TX}},
		1: {0: {reqI2C1RX}, 2: {reqTIM7UP}, 4: {reqTIM7UP}, 5: {reqI2C1RX}, 6: {reqI2C1TX}, 7: {reqI2C1TX}},
		2: {0: {reqTIM4CH1}, 3: {reqTIM4CH2}, 6: {reqTIM4UP}, 7: {reqTIM4CH3}},
		3: {1: {reqTIM2UP, reqTIM2CH3}, 2: {reqI2C3RX}, 4: {reqI2C3TX}, 5: {reqTIM2CH1},
			6: {reqTIM2CH2, reqTIM2CH4}, 7: {reqTIM2UP, reqTIM2CH4}},
		4: {{reqUART5RX}, {reqUSART3RX}, {reqUART4RX}, {reqUSART3TX}, {reqUART4TX}, {reqUSART2RX}, {reqUSART2TX}, {reqUART5TX}},
		5: {2: {reqTIM3CH4, reqTIM3UP}, 4: {reqTIM3CH1, reqTIM3TRIG}, 5: {reqTIM3CH2}, 7: {reqTIM3CH3}},
		6: {0: {reqTIM5CH3, reqTIM5UP}, 1: {reqTIM5CH4, reqTIM5TRIG}, 2: {reqTIM5CH1}, 3: {reqTIM5CH4, reqTIM5TRIG},
			4: {reqTIM5CH2}, 6: {reqTIM5UP}},
		7: {1: {reqTIM6UP}, 2: {reqI2C2RX}, 3: {reqI2C2RX}, 4: {reqUSART3TX}, 5: {reqDAC1}, 6: {reqDAC2}, 7: {reqI2C2TX}},
	},
	{ // DMA2, table 44
		0: {0: {reqADC1}, 2: {reqTIM8CH1, reqTIM8CH2, reqTIM8CH3}, 4: {reqADC1}, 6: {reqTIM1CH1, reqTIM1CH2, reqTIM1CH3}},
		1: {2: {reqADC2}, 3: {reqADC2}},
		2: {0: {reqADC3}, 1: {reqADC3}},
		3: {0: {reqSPI1RX}, 2: {reqSPI1RX}, 3: {reqSPI1TX}, 5: {reqSPI1TX}},
		4: {2: {reqUSART1RX}, 5: {reqUSART1RX}, 7: {reqUSART1TX}},
		5: {1: {reqUSART6RX}, 2: {reqUSART6RX}, 6: {reqUSART6TX}, 7: {reqUSART6TX}},
		6: {0: {reqTIM1TRIG}, 1: {reqTIM1CH1}, 2: {reqTIM1CH2}, 3: {reqTIM1CH1}, 4: {reqTIM1CH4, reqTIM1TRIG, reqTIM1COM},
			5: {reqTIM1UP}, 6: {reqTIM1CH3}},
		7: {1: {reqTIM8UP}, 2: {reqTIM8CH1}, 3: {reqTIM8CH2}, 4: {reqTIM8CH3}, 7: {reqTIM8CH4, reqTIM8TRIG, reqTIM8COM}},
	},
}

// dmaRequest sets a line whose block holds it until it is served, such as RXNE
// until DR is read. Nothing is transferred before the caller returns.
func (c *Chip) dmaRequest(r request, on bool) {
	if c.Requests.Level[r] == on {
		return
	}
	c.Requests.Level[r] = on
	if on {
		c.dmaWake()
	}
}

// dmaLast tells a block that a stream made the last transfer of its buffer.
func (c *Chip) dmaLast(r request) {
	switch {
	case r >= reqADC1 && r <= reqADC3:
		c.adcLast(int(r - reqADC1))
	case r >= reqSPI1RX && r <= reqSPI3TX:
		c.spiLast(r)
	}
}

// dmaLastButOne tells a block that a stream has one more item to transfer.
func (c *Chip) dmaLastButOne(r request) {
	if r >= reqI2C1RX && r <= reqI2C3TX {
		c.i2cEnding(r)
	}
}

// dmaPulse asks for one transfer: the line falls when a stream serves it, as a
// timer's does.
func (c *Chip) dmaPulse(r request) {
	c.Requests.Latched[r] = true
	c.dmaWake()
}
