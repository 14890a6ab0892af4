package esp32c3

import (
	"encoding/binary"
	"fmt"

	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// MAC, at 0x600D1000, interrupt source 0 (the part's WIFI_MAC). It is not on the
// part, whose radio is undocumented and driven by closed code: there the block is
// reserved. It moves Ethernet frames between a program and the air, by registers
// alone, so that a driver is short. What the part's radio and its driver do to the
// rest of the chip is not modelled: its interrupts, its use of memory and bus, the time
// its driver takes.
//
// Registers are words; bits that are not named read 0 and take no effect.
//
//	0x000 ID       r   0x434D4752, "RGMC"
//	0x004 VERSION  r   1
//	0x008 COMMAND  w   1 joins the network that SSID and KEY name, after leaving
//	                   any other; 2 leaves
//	0x010 STATUS   r   bits 1:0 state: 0 off, 1 joining, 2 joined, 3 refused;
//	                   bits 15:8 why it is off or refused (board.Reason), 0 by command
//	0x014 ADDR_LO  r   MAC address as in eFuse, first byte in bits 7:0
//	0x018 ADDR_HI  r   its last two bytes in bits 15:0
//	0x020 INT_RAW  r   bit 0 RX: a received frame waits; bit 1 TX: a frame has been
//	                   sent or given up; bit 2 LINK: STATUS has changed
//	0x024 INT_ENA  rw  which of them interrupt
//	0x028 INT_ST   r   INT_RAW and INT_ENA
//	0x02C INT_CLR  w   1 clears; RX ends by itself
//	0x030 TX_DATA  w   the next four bytes of a frame, first in bits 7:0
//	0x034 TX_SEND  w   queues the frame, of so many bytes: 14 to 1514
//	0x038 TX_ROOM  r   how many more the queue takes, 0 to 4
//	0x03C TX_LOST  r   frames lost: not acknowledged, cut off by leaving, or
//	                   queued without room, in a wrong length or while not joined
//	0x040 RX_LEN   r   bytes of the first received frame, 0: none
//	0x044 RX_DATA  r   its next four bytes
//	0x048 RX_NEXT  w   drops it, whatever has been read of it
//	0x04C RX_LOST  r   frames lost because 16 were waiting
//	0x100 SSID     rw  32 bytes, first in bits 7:0 of the first word
//	0x120 SSID_LEN rw  1 to 32
//	0x140 KEY      w   63 bytes
//	0x180 KEY_LEN  w   8 to 63, or 0 for an open network
//
// Frames are Ethernet, from the destination address to the data's end. Those to
// other stations are not received.
//
// Joining searches channels 1 to 13, 120 ms each (ESP-IDF's default for an active
// scan), until one has the SSID, and gives up 5 s after it asked there. A network that
// is not heard for 6 s is gone (esp_wifi_set_inactive_time's default).
type macState struct {
	State  macLink
	Reason board.Reason
	Phase  macPhase
	Chan   uint8
	Name   string // of the network, as at the command
	Secret string

	SSID      [8]uint32
	SSIDLen   uint32
	Key       [16]uint32
	KeyLen    uint32
	IntRaw    uint32
	IntEna    uint32
	Stage     [macWords]uint32 // what TX_DATA has got
	Staged    int              // words of it
	TX        [macTXQueue]string
	TXFirst   int
	TXCount   int
	Sending   bool
	Heard     bool // the one being sent will be acknowledged
	TXLost    uint32
	RX        [macRXQueue]string
	RXFirst   int
	RXCount   int
	RXRead    int // bytes of the first one
	RXLost    uint32
	Listening bool
}

type macLink uint32

const (
	macOff macLink = iota
	macJoining
	macJoined
	macRefused
)

type macPhase uint8

const (
	macIdle macPhase = iota
	macScanning
	macAsking
)

const (
	macID      = 0x434D4752
	macSource  = 0
	macTXQueue = 4
	macRXQueue = 16
	macWords   = (board.MaxFrame + 3) / 4
	macHeader  = 14
	channels   = 13

	macIntRX   = 1 << 0
	macIntTX   = 1 << 1
	macIntLink = 1 << 2

	macScanTime   = 120 * clock.Millisecond
	macAskTime    = 5 * clock.Second
	macBeaconTime = 6 * clock.Second
)

// Slots of the block.
const (
	slotMACAir   = slotMAC     // the air has something, or may have
	slotMACTimer = slotMAC + 1 // patience ends
	slotMACSent  = slotMAC + 2 // a frame has passed
)

var _ board.Radio = (*Chip)(nil)

// SetAir connects the antenna.
func (c *Chip) SetAir(a board.Air) {
	c.air = a
	if a != nil {
		a.Attach(c.macFollow)
	}
	c.macRestored()
}

// macRestored tells the air what a restored state is.
func (c *Chip) macRestored() {
	if c.air != nil {
		c.air.Listen(c.MAC.Listening, c.Time())
	}
	c.macFollow()
}

// macFollow looks when the air may have something next.
func (c *Chip) macFollow() {
	at := clock.NeverTime
	if c.air != nil && c.MAC.Listening {
		at = c.air.Next()
	}
	c.ScheduleAt(slotMACAir, at)
}

func (c *Chip) macReset() {
	c.macListen(false)
	c.MAC = macState{}
	for slot := slotMAC; slot < slotMAC+4; slot++ {
		c.ScheduleAt(slot, clock.NeverTime)
	}
	c.macInterrupt()
}

func (c *Chip) macClockChanged() {}

func (c *Chip) macListen(on bool) {
	if on != c.MAC.Listening && c.air != nil {
		c.air.Listen(on, c.Time())
	}
	c.MAC.Listening = on
	c.macFollow()
}

func (c *Chip) macInterrupt() {
	m := &c.MAC
	m.IntRaw &^= macIntRX
	if m.RXCount > 0 {
		m.IntRaw |= macIntRX
	}
	c.source(macSource, m.IntRaw&m.IntEna != 0)
}

type macDevice struct{ *Chip }

func (d macDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	if off == 0x044 {
		return uint64(d.macRead()), bus.None
	}
	v, ok := d.macRegister(off)
	if !ok {
		return 0, d.lack(fmt.Sprintf("MAC+0x%03x", off))
	}
	return uint64(v), bus.None
}

// foreseeLoad: what can be read without effect changes at events only.
func (d macDevice) foreseeLoad(off uint32, _ uint64) (least, most uint64, ok bool) {
	v, ok := d.macRegister(off)
	return uint64(v), uint64(v), ok
}

// macRegister is a register whose reading has no effect.
func (c *Chip) macRegister(off uint32) (v uint32, ok bool) {
	m := &c.MAC
	switch off {
	case 0x000:
		return macID, true
	case 0x004:
		return 1, true
	case 0x010:
		return uint32(m.State) | uint32(m.Reason)<<8, true
	case 0x014:
		return binary.LittleEndian.Uint32(c.opt.MAC[:]), true
	case 0x018:
		return uint32(binary.LittleEndian.Uint16(c.opt.MAC[4:])), true
	case 0x020:
		return m.IntRaw, true
	case 0x024:
		return m.IntEna, true
	case 0x028:
		return m.IntRaw & m.IntEna, true
	case 0x038:
		return uint32(macTXQueue - m.TXCount), true
	case 0x03C:
		return m.TXLost, true
	case 0x040:
		return uint32(len(m.RX[m.RXFirst])), true
	case 0x04C:
		return m.RXLost, true
	case 0x120:
		return m.SSIDLen, true
	}
	if off >= 0x100 && off < 0x120 {
		return m.SSID[(off-0x100)/4], true
	}
	return 0, false
}

func (d macDevice) Store(off uint32, _ uint8, value uint64) bus.Fault {
	m, v := &d.MAC, uint32(value)
	switch off {
	case 0x008:
		d.macCommand(v)
	case 0x024:
		m.IntEna = v & (macIntRX | macIntTX | macIntLink)
	case 0x02C:
		m.IntRaw &^= v
	case 0x030:
		if m.Staged < macWords {
			m.Stage[m.Staged] = v
		}
		m.Staged = min(m.Staged, macWords) + 1
	case 0x034:
		d.macQueue(v)
	case 0x048:
		d.macNext()
	case 0x120:
		m.SSIDLen = v
	case 0x180:
		m.KeyLen = v
	default:
		switch {
		case off >= 0x100 && off < 0x120:
			m.SSID[(off-0x100)/4] = v
		case off >= 0x140 && off < 0x180:
			m.Key[(off-0x140)/4] = v
		default:
			return d.lack(fmt.Sprintf("MAC+0x%03x", off))
		}
	}
	d.macInterrupt()
	return bus.None
}

// macCommand obeys COMMAND.
func (c *Chip) macCommand(v uint32) {
	m := &c.MAC
	switch {
	case v == 2:
		c.macEnd(macOff, 0)
	case v != 1:
		c.warn("MAC.COMMAND %d does nothing", v)
	case m.SSIDLen < 1 || m.SSIDLen > 32 || m.KeyLen > 63 || m.KeyLen > 0 && m.KeyLen < 8:
		c.warn("MAC joins with an SSID of %d bytes and a key of %d", m.SSIDLen, m.KeyLen)
		c.macEnd(macRefused, board.ReasonNoAccessPoint)
	default:
		c.macEnd(macOff, 0)
		m.Name, m.Secret = text(m.SSID[:], m.SSIDLen), text(m.Key[:], m.KeyLen)
		m.RXFirst, m.RXCount, m.RXRead, m.RX = 0, 0, 0, [macRXQueue]string{}
		m.Phase, m.Chan = macScanning, 0
		c.macLinkIs(macJoining, 0)
		c.macListen(true)
		c.macSearch()
	}
}

// text is the first n bytes of words.
func text(words []uint32, n uint32) string {
	var b []byte
	for _, w := range words {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return string(b[:n])
}

// macSearch goes on to the next channel.
func (c *Chip) macSearch() {
	m := &c.MAC
	if m.Chan++; m.Chan > channels {
		c.macEnd(macRefused, board.ReasonNoAccessPoint)
		return
	}
	c.macSay(board.Message{Kind: board.Probe, SSID: m.Name, Channel: m.Chan})
	c.ScheduleIn(slotMACTimer, macScanTime)
}

// macSay sends a message without data.
func (c *Chip) macSay(msg board.Message) {
	if c.air != nil {
		msg.Station = c.opt.MAC
		c.air.Send(msg, c.Time())
		c.macFollow()
	}
}

func (c *Chip) macLinkIs(s macLink, why board.Reason) {
	m := &c.MAC
	if m.State != s || m.Reason != why {
		m.State, m.Reason = s, why
		m.IntRaw |= macIntLink
	}
}

// macEnd ends what is and says how. The radio is then deaf.
func (c *Chip) macEnd(s macLink, why board.Reason) {
	m := &c.MAC
	if m.State == macJoined && why == 0 {
		c.macSay(board.Message{Kind: board.Leave})
	}
	m.TXLost += uint32(m.TXCount)
	m.TX, m.TXFirst, m.TXCount, m.Sending = [macTXQueue]string{}, 0, 0, false
	m.Phase = macIdle
	c.ScheduleAt(slotMACTimer, clock.NeverTime)
	c.ScheduleAt(slotMACSent, clock.NeverTime)
	c.macLinkIs(s, why)
	c.macListen(false)
}

func (c *Chip) macEvent(slot int, _ uint64) {
	switch slot {
	case slotMACAir:
		c.macHear()
	case slotMACTimer:
		c.macPatienceEnds()
	case slotMACSent:
		c.macSent()
	}
	c.macInterrupt()
}

func (c *Chip) macPatienceEnds() {
	switch {
	case c.MAC.Phase == macScanning:
		c.macSearch()
	case c.MAC.Phase == macAsking:
		c.macEnd(macRefused, board.ReasonHandshakeTimeout)
	default:
		c.macEnd(macOff, board.ReasonBeaconTimeout)
	}
}

// macHear takes what has come through the air.
func (c *Chip) macHear() {
	for c.MAC.Listening {
		msg, ok := c.air.Receive(c.Time())
		if !ok {
			break
		}
		c.macTake(msg)
	}
	c.macFollow()
}

func (c *Chip) macTake(msg board.Message) {
	m := &c.MAC
	switch {
	case msg.Kind == board.Here && m.Phase == macScanning:
		m.Phase = macAsking
		c.macSay(board.Message{Kind: board.Join, SSID: m.Name, Key: m.Secret})
		c.ScheduleIn(slotMACTimer, macAskTime)
	case msg.Kind == board.Admit && m.Phase == macAsking:
		m.Phase = macIdle
		c.macLinkIs(macJoined, 0)
		c.ScheduleIn(slotMACTimer, macBeaconTime)
	case msg.Kind == board.PutOff && m.Phase == macAsking:
		c.macEnd(macRefused, msg.Reason)
	case msg.Kind == board.PutOff && m.State == macJoined:
		c.macEnd(macOff, msg.Reason)
	case msg.Kind == board.Beacon && m.State == macJoined && msg.SSID == m.Name:
		c.ScheduleIn(slotMACTimer, macBeaconTime)
	case msg.Kind == board.Data && m.State == macJoined:
		c.macKeep(msg.Frame)
	}
}

// macKeep queues a received frame.
func (c *Chip) macKeep(frame []byte) {
	m := &c.MAC
	if len(frame) < macHeader || len(frame) > board.MaxFrame || frame[0]&1 == 0 && [6]byte(frame) != c.opt.MAC {
		return
	}
	if m.RXCount == macRXQueue {
		m.RXLost++
		return
	}
	m.RX[(m.RXFirst+m.RXCount)%macRXQueue] = string(frame)
	m.RXCount++
}

// macRead is RX_DATA. Behind the frame's end it reads 0.
func (c *Chip) macRead() uint32 {
	m := &c.MAC
	var word [4]byte
	if frame := m.RX[m.RXFirst]; m.RXRead < len(frame) {
		copy(word[:], frame[m.RXRead:])
		m.RXRead += 4
	}
	return binary.LittleEndian.Uint32(word[:])
}

// macNext is RX_NEXT.
func (c *Chip) macNext() {
	m := &c.MAC
	if m.RXCount == 0 {
		return
	}
	m.RX[m.RXFirst] = ""
	m.RXFirst = (m.RXFirst + 1) % macRXQueue
	m.RXCount--
	m.RXRead = 0
}

// macQueue is TX_SEND.
func (c *Chip) macQueue(n uint32) {
	m := &c.MAC
	staged := m.Staged
	m.Staged = 0
	if m.State != macJoined || m.TXCount == macTXQueue || n < macHeader || n > board.MaxFrame || int(n+3)/4 != staged {
		c.warn("MAC.TX_SEND of %d bytes, %d words written: not joined, no room, or a wrong length", n, staged)
		m.TXLost++
		return
	}
	m.TX[(m.TXFirst+m.TXCount)%macTXQueue] = text(m.Stage[:], n)
	m.TXCount++
	c.macTransmit()
}

// macTransmit sends the first frame, unless one is on its way.
func (c *Chip) macTransmit() {
	m := &c.MAC
	if m.Sending || m.TXCount == 0 || c.air == nil {
		return
	}
	m.Sending = true
	msg := board.Message{Kind: board.Data, Station: c.opt.MAC, Frame: []byte(m.TX[m.TXFirst])}
	end, heard := c.air.Send(msg, c.Time())
	m.Heard = heard
	c.ScheduleAt(slotMACSent, end)
	c.macFollow()
}

func (c *Chip) macSent() {
	m := &c.MAC
	m.TX[m.TXFirst] = ""
	m.TXFirst = (m.TXFirst + 1) % macTXQueue
	m.TXCount--
	m.Sending = false
	if !m.Heard {
		m.TXLost++
	}
	m.IntRaw |= macIntTX
	c.macTransmit()
}
