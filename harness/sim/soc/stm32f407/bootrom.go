package stm32f407

import (
	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// The boot loader in system memory, on its USARTs: AN3155 (Rev 20) for the
// protocol, AN2606 (Rev 69) for this part's versions 3.1, 9.0 and 9.1. It is a
// state machine of our own in place of ST's machine code, but it talks through
// the modelled USART, pins, clock tree and flash, so that a wrong rate, a parity
// error, a glitch, write protection or a power cut do what they do there.
//
// Not modelled: CAN, USB, I2C and SPI, which it would scan too; the time its
// code takes between bytes; reading its own machine code, which stops the
// simulation by name.
//
// Choices where the documents are silent: a frame with a parity or framing error spoils
// the part of the command that it belongs to, which is then refused like one with a
// wrong checksum; addresses in the loader's own RAM are refused, as AN2606
// gives the usable range; so are misaligned addresses, lengths not a multiple
// of 4 and blocks that leave their area, which AN3155 leaves to the host; sectors that do
// not exist are skipped without a word; OTP is written as flash is.

// bootPhase is what the loader waits for.
type bootPhase uint8

const (
	bootOff      bootPhase = iota
	bootStarting           // the time from reset to the first look at the lines
	bootIdle               // a start bit on any line
	bootLow                // the end of the first low: the first 1 of 0x7F
	bootHigh               // the end of the ones
	bootLast               // the end of the last 0
	bootSetup              // the USART is being set up
	bootCommand            // command and complement
	bootAddress
	bootReadLength
	bootWriteLength
	bootWriteData
	bootEraseCount
	bootEraseSpecial
	bootErasePages
	bootProtectCount
	bootProtectList
	bootFlash     // a flash operation
	bootJumping   // the last byte before Go is being sent
	bootResetting // the last byte before a system reset is being sent
)

// bootROM is the loader's state, as plain data.
type bootROM struct {
	Phase bootPhase
	Line  uint8  // of bootLines, the one that is measured or chosen
	Edge  uint64 // cycle of the edge that begins the measurement

	Cmd  byte
	Addr uint32
	In   [258]byte // of the present part, as far as it matters
	Got  int32     // bytes of the part so far
	Want int32
	Sum  byte // xor of the bytes so far
	Bad  bool // one of them had a parity or framing error

	Out  [272]byte // to send
	Head int32
	Tail int32

	Op   bootOp // the flash operation under way
	Next int32  // its next byte or sector
	Last int32  // after the last
	Then bootPhase
}

// bootLine is an interface that the loader scans (AN2606, STM32F40xxx).
type bootLine struct {
	usart  int
	tx, rx board.Pin
}

var bootLines = [...]bootLine{
	{1, 9, 10},                // PA9, PA10
	{3, 16 + 10, 16 + 11},     // PB10, PB11
	{3, 2*16 + 10, 2*16 + 11}, // PC10, PC11
}

const (
	bootACK  = 0x79
	bootNACK = 0x1F
)

// bootTimes are AN2606's: from the end of reset to readiness, and the
// "USART configuration" part of the connection time (0.165 ms for V3.x and
// 0.160 ms for V9.x, of which two bytes at 115200 are 0.15625 ms).
func (c *Chip) bootTimes() (start, setup clock.Time) {
	if c.opt.LoaderVersion >= 0x90 {
		return 74 * clock.Millisecond, 3750 * clock.Nanosecond
	}
	return 84590 * clock.Microsecond, 8750 * clock.Nanosecond
}

// bootOwnRAM is what of the SRAM the loader keeps for itself (AN2606).
func (c *Chip) bootOwnRAM() uint32 {
	if c.opt.LoaderVersion >= 0x90 {
		return 12 << 10
	}
	return 8 << 10
}

// bootStart is the reset vector of system memory: clocks are set up, and time
// passes. What the loader leaves in its own RAM is not known, so a program
// finds nothing there that it could count on.
func (c *Chip) bootStart() {
	c.Boot = bootROM{Phase: bootStarting}
	seed := c.opt.Seed ^ c.core.Cycle
	for i := range c.mem.SRAM[:c.bootOwnRAM()] {
		c.mem.SRAM[i] = byte(splitmix(&seed))
	}
	c.core.Invalidate(sramBase, c.bootOwnRAM())
	c.poke(rccBase+0x30, ahb1CCM|7)        // AHB1ENR: GPIOA, GPIOB, GPIOC
	c.poke(rccBase+0x40, 1<<18)            // APB1ENR: USART3
	c.poke(rccBase+0x44, 1<<4)             // APB2ENR: USART1
	c.poke(rccBase+0x04, 0x25003C10|1<<16) // PLLCFGR: HSI / 16 x 240 / 4 = 60 MHz
	c.poke(rccBase+0x00, 0x83|crPLLON)     // CR
	c.poke(flashRegs+0x00, 1)              // ACR: one wait state
	start, _ := c.bootTimes()
	c.ScheduleIn(slotBoot0, start-clock.Microsecond)
}

const (
	rccBase   = 0x40023800
	flashRegs = 0x40023C00
)

// bootEvent is a deadline of the loader's own.
func (c *Chip) bootEvent(slot int, at uint64) {
	switch slot {
	case slotBoot0:
		c.poke(rccBase+0x08, swPLL|4<<10) // CFGR: PLL, PCLK1 = HCLK / 2; done well within the time left
		c.ScheduleIn(slotBoot1, clock.Microsecond)
	case slotBoot1:
		c.bootListen(at)
	case slotBoot2:
		c.bootConnect()
	}
}

// bootListen gives the pins to the USARTs and looks at the lines. The
// transmitters are on from here, so that their idle frame is long over when
// the first byte is to be sent.
func (c *Chip) bootListen(at uint64) {
	for _, l := range bootLines {
		c.bootAltFunction(l.tx)
		c.bootAltFunction(l.rx)
		u := c.bootUSART(l)
		c.poke(u+usartBRR, 16)
		c.poke(u+usartCR1, usartUE|usartM|usartPCE|usartTE)
	}
	c.Boot.Phase = bootIdle
	for _, l := range bootLines {
		if !c.Level(l.rx) {
			c.bootPin(l.rx, false, at)
		}
	}
}

// bootAltFunction selects AF7 with a pull-up (RM0090 §8.4).
func (c *Chip) bootAltFunction(p board.Pin) {
	base, n := uint32(0x40020000+0x400*(p/16)), uint32(p%16)
	set := func(off, shift, mask, v uint32) {
		c.poke(base+off, c.peek(base+off)&^(mask<<shift)|v<<shift)
	}
	set(0x0C, 2*n, 3, 1)          // PUPDR
	set(0x20+n/8*4, n%8*4, 15, 7) // AFRL, AFRH
	set(0x00, 2*n, 3, 2)          // MODER
}

func (c *Chip) bootUSART(l bootLine) uint32 {
	if l.usart == 1 {
		return 0x40011000
	}
	return 0x40004800
}

// bootPin measures the rate on the pin itself: AN2606, "USART connection
// timing": the time from the rising edge of the first 1 bit of 0x7F to the
// falling edge of the last one, which is seven bits. Anything else on the line
// gives some other rate, and the loader is deaf from then on.
func (c *Chip) bootPin(p board.Pin, high bool, cycle uint64) {
	b := &c.Boot
	if b.Phase == bootIdle && !high {
		for i, l := range bootLines {
			if l.rx == p {
				b.Phase, b.Line = bootLow, uint8(i)
			}
		}
		return
	}
	if b.Phase < bootLow || b.Phase > bootLast || p != bootLines[b.Line].rx {
		return
	}
	switch {
	case b.Phase == bootLow && high:
		b.Phase, b.Edge = bootHigh, cycle
	case b.Phase == bootHigh && !high:
		b.Phase, b.Edge = bootLast, cycle-b.Edge
	case b.Phase == bootLast && high:
		b.Phase = bootSetup
		_, setup := c.bootTimes()
		c.ScheduleIn(slotBoot2, setup)
	}
}

// bootConnect sets the USART to the rate measured, as SysTick (24 bits at 60
// MHz) counted it, without snapping to a standard one, and answers.
func (c *Chip) bootConnect() {
	b := &c.Boot
	l := bootLines[b.Line]
	ticks := b.Edge & 0xFFFFFF
	div := 7 * c.pclkDiv(c.usart(l.usart).apb)
	u := c.bootUSART(l)
	c.poke(u+usartBRR, uint32((ticks+div/2)/div))
	c.poke(u+usartCR1, usartUE|usartM|usartPCE|usartTE|usartRE)
	for i, other := range bootLines {
		if i != int(b.Line) && other.usart == l.usart {
			c.bootDisconnect(other)
		}
	}
	c.bootAccept(bootCommand, 2)
}

// bootDisconnect frees the pins of the line that shares the USART but is not
// in use.
func (c *Chip) bootDisconnect(l bootLine) {
	for _, p := range []board.Pin{l.tx, l.rx} {
		moder := uint32(0x40020000 + 0x400*(p/16))
		c.poke(moder, c.peek(moder)&^(3<<(2*uint32(p%16))))
	}
}

// bootSerial serves the USART: it is called whenever one of its flags may have
// changed.
func (c *Chip) bootSerial(usart int) {
	b := &c.Boot
	l := bootLines[b.Line]
	if b.Phase < bootCommand || usart != l.usart {
		return
	}
	u := c.bootUSART(l)
	sr := c.peek(u + usartSR)
	for sr&usartRXNE != 0 && b.Phase < bootFlash {
		v := byte(c.peek(u + usartDR))
		c.bootByte(v, sr&(usartPE|usartFE) != 0)
		sr = c.peek(u + usartSR)
	}
	for sr&usartTXE != 0 && b.Head < b.Tail {
		c.poke(u+usartDR, uint32(b.Out[b.Head]))
		b.Head++
		sr = c.peek(u + usartSR)
	}
	if sr&usartTC != 0 && b.Head == b.Tail {
		c.bootSent()
	}
}

// bootSent: all that was to be said before a jump or a reset is on the line.
func (c *Chip) bootSent() {
	switch c.Boot.Phase {
	case bootJumping:
		c.bootGo()
	case bootResetting:
		c.Boot.Phase = bootOff
		c.systemReset(csrSFTRSTF)
	}
}

// bootSend queues bytes.
func (c *Chip) bootSend(p ...byte) {
	b := &c.Boot
	if b.Head == b.Tail {
		b.Head, b.Tail = 0, 0
	}
	if int(b.Tail)+len(p) > len(b.Out) {
		panic("BUG: the boot loader says more than its protocol has")
	}
	b.Tail += int32(copy(b.Out[b.Tail:], p))
	c.bootSerial(bootLines[b.Line].usart)
}

// bootExpect begins to receive the next part.
func (c *Chip) bootExpect(p bootPhase, n int32) {
	b := &c.Boot
	b.Phase, b.Want = p, n
	b.Got, b.Sum, b.Bad = 0, 0, false
}

// bootRefuse answers NACK and goes back to wait for a command.
func (c *Chip) bootRefuse() {
	c.bootExpect(bootCommand, 2)
	c.bootSend(bootNACK)
}

// bootAccept answers ACK and goes on to the next part.
func (c *Chip) bootAccept(p bootPhase, n int32) {
	c.bootExpect(p, n)
	c.bootSend(bootACK)
}

// bootGo leaves the loader: what it used is reset, which on this part leaves
// RCC.AHB1ENR at 0 and so CCM without a clock; memory at 0 stays system memory.
// Then the stack pointer and the entry are taken from the address given.
func (c *Chip) bootGo() {
	sp, pc := c.bootWord(c.Boot.Addr), c.bootWord(c.Boot.Addr+4)
	c.Clear()
	c.resetBlocks()
	c.poke(rccBase+0x30, 0)
	c.bootJump(sp, pc)
}

// bootWord reads a word of flash or SRAM; past their end nothing is there.
func (c *Chip) bootWord(addr uint32) (v uint32) {
	for i := range uint32(4) {
		b, _ := c.readByte(addr + i)
		v |= uint32(b) << (8 * i)
	}
	return v
}
