package esp32c3

import (
	"encoding/binary"

	"rigor/harness/sim/clock"
)

// The serial loader of the ROM: Espressif's esptool documentation, "Serial
// Protocol". It listens on UART0, whose rate it measures on the first packet, and
// on USB Serial/JTAG; the first one that syncs has it. Its commands are in
// loader_command.go, those on the flash chip in loader_flash.go.
//
// The packet and the window for inflating lie in RAM, where a program that is
// uploaded may overwrite them; where the ROM's lie is not documented.
//
// Choices where the document is silent: a packet that is longer than the buffer
// is dropped, as is one that is no request; sequence numbers are not checked.
type loaderState struct {
	Port  uint8  // romNoPort until a SYNC
	Ticks uint32 // cycles in a microsecond, as ets_delay_us counts

	Got    int32 // bytes of the packet so far
	Inside bool  // after its first delimiter
	Escape bool
	From   uint8 // port that the packet comes from

	Out        [1024]byte // replies on the wire
	Head, Tail int32
	After      loaderAfter
	Arg        uint32 // of After

	Attached bool   // SPI_ATTACH was done
	Mem      uint32 // where the next MEM_DATA goes
	Flash    loaderFlash
}

// loaderAfter is what follows when a reply has been sent.
type loaderAfter uint8

const (
	afterNothing loaderAfter = iota
	afterBaud                // Arg is the rate
	afterRun                 // Arg is the entry
	afterReset
	afterBoot
)

const (
	romUART   = 0
	romUSB    = 3
	romNoPort = 0xFF

	loaderBuffer = 0x3FCD0000 // [A] in RAM
	loaderMost   = 0x4000 + 24
	loaderWindow = 0x3FCC8000
	windowSize   = 32 << 10

	// loaderTick is how often the loader looks at its ports [A].
	loaderTick = 20 * clock.Microsecond
	// loaderEdges of UART0's line are counted before its rate is trusted [A]; the
	// zeros and ones of a SYNC have shown single bits of both kinds by then.
	loaderEdges = 29
)

// loaderStep does the next thing in the phase.
func (c *Chip) loaderStep() {
	switch c.ROM.Phase {
	case loaderStart:
		c.loaderBegin()
	case loaderBaud:
		c.loaderMeasure()
	case loaderWait:
		c.loaderReceive()
	case loaderWork:
		c.loaderWork()
	case loaderSend:
		c.loaderFlush()
	case loaderExit:
		c.loaderLeave()
	}
}

// loaderBegin switches off the watch over a boot from flash and the super
// watchdog, and begins to measure UART0, whose interrupt is the one that uploaded
// programs count on.
func (c *Chip) loaderBegin() {
	c.watchBoot(false)
	c.poke(rtcBaseRegs+0xB0, 0x8F1D312A)
	c.poke(rtcBaseRegs+0xAC, c.peek(rtcBaseRegs+0xAC)|1<<31)
	c.poke(rtcBaseRegs+0xB0, 0)
	c.poke(uart0Base+uartConf1, c.peek(uart0Base+uartConf1)&^0x1FF|1) // RXFIFO_FULL at one byte
	c.poke(intcBase+4*sourceUART0, romUARTInterrupt)
	c.poke(intcBase+0x114+4*romUARTInterrupt, 1)
	c.romFlashDefaults()
	c.ROM.Loader = loaderState{Port: romNoPort, Ticks: uint32(c.Clocks.CPU / 1_000_000)}
	c.romPut32(romUartPort, romUART)
	c.poke(uart0Base+uartConf0, c.peek(uart0Base+uartConf0)|romAutobaud)
	c.ROM.Phase = loaderBaud
	c.romNext(loaderTick)
}

const (
	rtcBaseRegs = 0x60008000
	romAutobaud = 1 << 27 // UART CONF0.AUTOBAUD_EN

	romUARTInterrupt = 5
)

// loaderMeasure waits for edges on UART0, or for a packet from USB.
func (c *Chip) loaderMeasure() {
	edges := c.peek(uart0Base + uartEdges)
	switch {
	case c.peek(usbBase+usbEP1_CONF)&usbOUT_HAS != 0:
	case edges < loaderEdges:
		c.romNext(loaderTick)
		return
	default:
		low, high := c.peek(uart0Base+uartLow)&0xFFF, c.peek(uart0Base+uartHigh)&0xFFF
		c.romBaud((low + high + 2) * 8)
		c.romClearFIFO()
	}
	c.poke(uart0Base+uartConf0, c.peek(uart0Base+uartConf0)&^romAutobaud)
	c.ROM.Phase = loaderWait
	c.romNext(loaderTick)
}

// loaderReceive takes what has come, up to the end of a packet.
func (c *Chip) loaderReceive() {
	l := &c.ROM.Loader
	for c.ROM.Phase == loaderWait {
		v, port, ok := c.loaderByte()
		if !ok {
			c.romNext(loaderTick)
			return
		}
		if port != l.From {
			l.From, l.Inside = port, false
		}
		if c.loaderFrame(v) {
			c.loaderPacket()
		}
	}
}

// loaderByte is the next byte from the port in use, or from either.
func (c *Chip) loaderByte() (v byte, port uint8, ok bool) {
	l := &c.ROM.Loader
	if l.Port != romUSB && c.peek(uart0Base+uartStatus)&0x3FF != 0 {
		return byte(c.peek(uart0Base + uartFIFOReg)), romUART, true
	}
	if l.Port != romUART && c.peek(usbBase+usbEP1_CONF)&usbOUT_HAS != 0 {
		return byte(c.peek(usbBase + usbEP1)), romUSB, true
	}
	return 0, 0, false
}

// SLIP (RFC 1055).
const (
	slipEnd       = 0xC0
	slipEsc       = 0xDB
	slipEscEnd    = 0xDC
	slipEscEsc    = 0xDD
	loaderRequest = 0
	loaderReply   = 1
)

// loaderFrame takes a byte into the packet and says when that is complete.
func (c *Chip) loaderFrame(v byte) bool {
	l := &c.ROM.Loader
	switch {
	case v == slipEnd:
		done := l.Inside && l.Got > 0 && l.Got <= loaderMost
		l.Inside, l.Escape = !done, false
		if !done {
			l.Got = 0
		}
		return done
	case !l.Inside:
		return false
	case l.Escape:
		l.Escape = false
		switch v {
		case slipEscEnd:
			v = slipEnd
		case slipEscEsc:
			v = slipEsc
		default:
			l.Inside, l.Got = false, 0
			return false
		}
	case v == slipEsc:
		l.Escape = true
		return false
	}
	if l.Got < loaderMost {
		c.ramAt(loaderBuffer, loaderMost)[l.Got] = v
	}
	l.Got++
	return false
}

// loaderPacket runs a request.
func (c *Chip) loaderPacket() {
	l := &c.ROM.Loader
	p := c.ramAt(loaderBuffer, loaderMost)[:l.Got]
	l.Got = 0
	c.ramChanged(loaderBuffer, loaderMost)
	if len(p) < 8 || p[0] != loaderRequest {
		return
	}
	if int(binary.LittleEndian.Uint16(p[2:])) != len(p)-8 {
		c.loaderDone(p[1], errMessage)
		return
	}
	c.loaderCommand(p[1], binary.LittleEndian.Uint32(p[4:]), p[8:])
}

// loaderPut queues the reply to a command: its data, then four bytes of status.
func (c *Chip) loaderPut(op byte, value uint32, data []byte, err loaderError) {
	l := &c.ROM.Loader
	p := []byte{loaderReply, op, 0, 0}
	binary.LittleEndian.PutUint16(p[2:], uint16(len(data)+4))
	p = binary.LittleEndian.AppendUint32(p, value)
	p = append(p, data...)
	p = append(p, byte(oneIf(err != 0)), byte(err), 0, 0)
	put := func(b byte) {
		l.Out[l.Tail] = b
		l.Tail++
	}
	put(slipEnd)
	for _, b := range p {
		switch b {
		case slipEnd:
			put(slipEsc)
			b = slipEscEnd
		case slipEsc:
			put(slipEsc)
			b = slipEscEsc
		}
		put(b)
	}
	put(slipEnd)
}

// loaderAnswer replies and then does what After says.
func (c *Chip) loaderAnswer(op byte, value uint32, data []byte) {
	c.loaderPut(op, value, data, 0)
	c.ROM.Phase = loaderSend
	c.romNext(0)
}

// loaderDone replies without data: a command is done, or has failed.
func (c *Chip) loaderDone(op byte, err loaderError) {
	c.loaderPut(op, 0, nil, err)
	c.ROM.Phase = loaderSend
	c.romNext(0)
}

// loaderFlush sends the replies. USB sends what is left of a packet when it is
// told, and after a full one an empty one, by which the host knows the end.
func (c *Chip) loaderFlush() {
	l := &c.ROM.Loader
	if l.From == romUSB {
		for l.Head < l.Tail && c.romUSBRoom() {
			c.poke(usbBase+usbEP1, uint32(l.Out[l.Head]))
			l.Head++
		}
		if l.Head == l.Tail && c.romUSBRoom() {
			c.poke(usbBase+usbEP1_CONF, usbWR_DONE)
			l.Head, l.Tail = 0, 0
		}
	} else {
		for l.Head < l.Tail && c.romUARTRoom() {
			c.poke(uart0Base+uartFIFOReg, uint32(l.Out[l.Head]))
			l.Head++
		}
		if l.Head == l.Tail && (l.After == afterNothing || c.romUARTIdle(uart0Base)) {
			l.Head, l.Tail = 0, 0
		}
	}
	if l.Tail != 0 {
		c.romNext(loaderTick)
		return
	}
	c.ROM.Phase = loaderExit
	c.romStep()
}

// loaderLeave does what was to follow the reply.
func (c *Chip) loaderLeave() {
	l := &c.ROM.Loader
	after := l.After
	l.After = afterNothing
	switch after {
	case afterBaud:
		if l.From == romUART && l.Arg != 0 {
			c.romBaud(xtalHz * 16 / l.Arg)
		}
	case afterRun:
		c.romHand(l.Arg, romBack)
		return
	case afterReset:
		c.resetSoon(resetSoftware)
		return
	case afterBoot:
		c.watchBoot(true)
		c.ROM.Phase = bootHeader
		c.romStep()
		return
	}
	c.ROM.Phase = loaderWait
	c.romNext(loaderTick)
}
