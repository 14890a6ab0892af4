package esp32c3

import (
	"rigor/harness/sim/board"
	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// USB Serial/JTAG (TRM USB Serial/JTAG Controller): the serial port, whose USB
// side is all hardware. There are no edges on D+ and D-: packets take their time
// and are there.
//
// The host is a Linux machine that has the port open. A transaction of n bytes
// takes 13+n bytes' time on the bus (USB 2.0 §5.8.4, table 5-9), one after another,
// as soon as both sides are ready. The driver (cdc-acm) reads 128 bytes at a time,
// so that a packet of 64 does not reach programs before the next one, which may
// be empty: that is why firmware has to flush twice then.
//
// Enumeration takes no time. JTAG, and the state of endpoints, are not modelled.
type usbState struct {
	INT_RAW, INT_ENA          uint32
	CONF0, TEST               uint32
	MISC_CONF, MEM_CONF, DATE uint32
	JFIFO_ST                  uint32
	In                        usbPacket  // to the host
	InReady                   bool       // and the host may have it
	Out                       usbPacket  // from the host
	OutRead                   uint8      // bytes of it that were read
	Frame                     clock.Time // the number of the frame in which SOF was cleared
	BusFree                   clock.Time // when the transaction under way ends
	ToChip, ToHost            usbQueue
	Held                      uint16 // the last bytes of ToHost, which a read of the driver still waits with
	Download                  bool   // the flag that DTR sets
}

// usbPacket is the buffer of an endpoint.
type usbPacket struct {
	N    uint8
	Data [usbPacketSize]byte
}

// usbQueue is a buffer of the host.
type usbQueue struct {
	N    uint16
	R    uint16
	Data [4096]byte
}

const (
	usbPacketSize = 64
	usbReadSize   = 128

	usbSOF         = 1 << 1
	usbRECV_PKT    = 1 << 2
	usbIN_EMPTY    = 1 << 3
	usbIN_TOKEN    = 1 << 8
	usbBUS_RESET   = 1 << 9 // never comes: the host resets the bus only to enumerate
	usbIntModelled = usbSOF | usbRECV_PKT | usbIN_EMPTY | usbBUS_RESET

	usbPAD_PULL_OVERRIDE = 1 << 8
	usbDP_PULLUP         = 1 << 9
	usbPAD_ENABLE        = 1 << 14

	sourceUSB = 26
)

// Deadlines.
const (
	slotUSBIn = slotUSB + iota
	slotUSBOut
	slotUSBFrame
)

var _ board.USBSerial = (*Chip)(nil)

// usbReset puts the block into its reset state. The host's side stays as it is;
// but for CHIP_EN the chip stays on the bus.
func (c *Chip) usbReset() {
	u := &c.USB
	*u = usbState{
		INT_RAW: usbIN_EMPTY, CONF0: 0x4200, MEM_CONF: 2, JFIFO_ST: 0x44, DATE: 0x02007300,
		ToChip: u.ToChip, ToHost: u.ToHost, BusFree: u.BusFree, Download: u.Download, Frame: c.usbFrame(),
	}
	switch c.Cause {
	case resetPowerOn:
		u.Download, u.ToChip.N = false, 0
	case resetUSB:
		c.GPIO.STRAP = c.GPIO.Pins.Straps
		if u.Download {
			c.GPIO.STRAP &^= strapGPIO9
		}
	}
	for _, slot := range []int{slotUSBIn, slotUSBOut, slotUSBFrame} {
		c.ScheduleAt(slot, clock.NeverTime)
	}
	c.usbApply()
}

// usbClockChanged: the bus has a clock of its own.
func (c *Chip) usbClockChanged() {}

// usbPad tells whether USB has its pads.
func (c *Chip) usbPad() bool { return c.USB.CONF0&usbPAD_ENABLE != 0 }

// usbPullUp tells whether USB pulls D+ up, by which the host sees it.
func (c *Chip) usbPullUp() bool {
	return c.usbPad() && (c.USB.CONF0&usbPAD_PULL_OVERRIDE == 0 || c.USB.CONF0&usbDP_PULLUP != 0)
}

// usbAttached tells whether the host can talk to the chip.
func (c *Chip) usbAttached() bool { return c.alive() && c.usbPullUp() }

// usbFrame is the number of the present frame of 1 ms.
func (c *Chip) usbFrame() clock.Time { return c.Time() / clock.Millisecond }

// usbTransaction is the duration of a transaction of n bytes of data.
func usbTransaction(n int) clock.Time { return clock.Time(13+n) * 2 * clock.Microsecond / 3 }

// usbApply brings the interrupt up to date and begins transactions that both sides
// are ready for.
func (c *Chip) usbApply() {
	u := &c.USB
	c.source(sourceUSB, c.usbRaw()&u.INT_ENA != 0)
	at := clock.NeverTime
	if u.INT_ENA&usbSOF != 0 && c.usbAttached() {
		at = (c.usbFrame() + 1) * clock.Millisecond
	}
	c.ScheduleAt(slotUSBFrame, at)
	if !c.usbAttached() || c.Due[slotUSBIn] != clock.NeverTime || c.Due[slotUSBOut] != clock.NeverTime {
		return
	}
	begin := max(c.Time(), u.BusFree)
	switch {
	case u.InReady && int(u.ToHost.N)+usbPacketSize <= len(u.ToHost.Data):
		c.ScheduleAt(slotUSBIn, begin+usbTransaction(int(u.In.N)))
	case u.ToChip.N > 0 && u.Out.N == 0:
		c.ScheduleAt(slotUSBOut, begin+usbTransaction(int(min(u.ToChip.N, usbPacketSize))))
	}
}

// usbRaw is INT_RAW. SOF is raised in every frame.
func (c *Chip) usbRaw() uint32 {
	if c.usbAttached() && c.usbFrame() != c.USB.Frame {
		return c.USB.INT_RAW | usbSOF
	}
	return c.USB.INT_RAW
}

// usbEvent handles the deadlines: the ends of transactions, and frames.
func (c *Chip) usbEvent(slot int, _ uint64) {
	u := &c.USB
	switch slot {
	case slotUSBIn:
		c.usbReceived()
	case slotUSBOut:
		u.Out.N = uint8(u.ToChip.take(u.Out.Data[:]))
		u.OutRead = 0
		u.INT_RAW |= usbRECV_PKT
	}
	if slot != slotUSBFrame {
		u.BusFree = c.Time()
	}
	c.usbApply()
}

// usbReceived ends a transaction to the host.
func (c *Chip) usbReceived() {
	u := &c.USB
	u.ToHost.put(u.In.Data[:u.In.N])
	if u.Held += uint16(u.In.N); u.In.N < usbPacketSize || u.Held == usbReadSize {
		u.Held = 0
	}
	u.In.N, u.InReady = 0, false
	u.INT_RAW |= usbIN_EMPTY | usbIN_TOKEN
}

func (q *usbQueue) put(data []byte) (n int) {
	for _, b := range data {
		if int(q.N) == len(q.Data) {
			break
		}
		q.Data[(int(q.R)+int(q.N))%len(q.Data)] = b
		q.N++
		n++
	}
	return n
}

func (q *usbQueue) take(to []byte) (n int) {
	for ; n < len(to) && q.N > 0; n++ {
		to[n] = q.Data[q.R]
		q.R = uint16((int(q.R) + 1) % len(q.Data))
		q.N--
	}
	return n
}

// USBWrite queues bytes for the chip; see board.USBSerial.
func (c *Chip) USBWrite(data []byte) int {
	n := c.USB.ToChip.put(data)
	c.usbApply()
	return n
}

// USBRead takes bytes that have come from the chip; see board.USBSerial.
func (c *Chip) USBRead(max int) []byte {
	u := &c.USB
	b := make([]byte, min(max, int(u.ToHost.N-u.Held)))
	u.ToHost.take(b)
	c.usbApply()
	return b
}

// USBLines sets DTR and RTS; see board.USBSerial. TRM table 30.3-2: with RTS low,
// DTR is the flag for the boot loader; RTS alone resets the chip; both
// together do nothing.
func (c *Chip) USBLines(dtr, rts bool) {
	switch {
	case !c.usbAttached():
	case !rts:
		c.USB.Download = dtr
	case !dtr:
		c.resetSoon(resetUSB)
	}
}

type usbDevice struct{ *Chip }

func (d usbDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	u := &d.USB
	switch off {
	case 0x00:
		return uint64(d.usbTake()), bus.None
	case 0x04:
		return uint64(oneIf(!u.InReady)<<1 | oneIf(u.Out.N > 0)<<2), bus.None
	case 0x08:
		return uint64(d.usbRaw()), bus.None
	case 0x0C:
		return uint64(d.usbRaw() & u.INT_ENA), bus.None
	case 0x14: // write-only
		return 0, bus.None
	case 0x24:
		return uint64(d.usbFrame() & 0x7FF), bus.None
	}
	if r := u.register(off); r != nil {
		return uint64(*r), bus.None
	}
	return 0, d.unknown("USB_DEVICE", off)
}

func (d usbDevice) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	u, v := &d.USB, uint32(v64)
	r := u.register(off)
	switch {
	case off == 0x00:
		d.usbGive(byte(v))
	case off == 0x04:
		u.InReady = u.InReady || v&1 != 0
	case off == 0x08 || off == 0x14: // raw bits are cleared by writing 1 as well
		u.INT_RAW &^= v
		if v&usbSOF != 0 {
			u.Frame = d.usbFrame()
		}
	case off == 0x0C || off == 0x24 || off == 0x20: // read-only
	case r == nil:
		return d.unknown("USB_DEVICE", off)
	case off == 0x10 && v&^usbIntModelled != 0:
		return d.lack("USB_DEVICE.INT_ENA: others than SOF, SERIAL_OUT_RECV_PKT, SERIAL_IN_EMPTY and USB_BUS_RESET")
	case off == 0x1C && v&1 != 0:
		return d.lack("USB_DEVICE.TEST.TEST_ENABLE")
	default:
		*r = v
	}
	if off == 0x18 {
		d.settlePins(1<<pinDM | 1<<pinDP)
	}
	d.usbApply()
	return bus.None
}

// foreseeLoad: EP1_CONF and what is only stored; frames pass without an event.
func (d usbDevice) foreseeLoad(off uint32, _ uint64) (least, most uint64, ok bool) {
	return steady(d, off, off == 0x04 || d.USB.register(off) != nil)
}

// usbTake is a load of EP1: the next byte of the packet. When the last one is
// taken the host may send the next packet.
func (d usbDevice) usbTake() byte {
	u := &d.USB
	if u.Out.N == 0 {
		return 0
	}
	b := u.Out.Data[u.OutRead]
	if u.OutRead++; u.OutRead == u.Out.N {
		u.Out.N = 0
		d.usbApply()
	}
	return b
}

// usbGive is a store to EP1: a full packet goes by itself.
func (d usbDevice) usbGive(b byte) {
	u := &d.USB
	if u.InReady {
		d.warn("USB_DEVICE.EP1 is stored to while the host has not taken the last packet: a byte is lost")
		return
	}
	u.In.Data[u.In.N] = b
	u.In.N++
	u.InReady = u.In.N == usbPacketSize
}

// register is the register at an offset that is read as it was stored, or nil.
func (u *usbState) register(off uint32) *uint32 {
	switch off {
	case 0x10:
		return &u.INT_ENA
	case 0x18:
		return &u.CONF0
	case 0x1C:
		return &u.TEST
	case 0x20:
		return &u.JFIFO_ST
	case 0x44:
		return &u.MISC_CONF
	case 0x48:
		return &u.MEM_CONF
	case 0x80:
		return &u.DATE
	}
	return nil
}
