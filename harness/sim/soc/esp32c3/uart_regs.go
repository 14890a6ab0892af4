package esp32c3

import "rigor/harness/sim/bus"

// The registers (TRM UART Controller, register summary).

// uartDevice is a UART as the bus sees it.
type uartDevice struct {
	*Chip
	n int
}

func (d uartDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	u := d.uart(d.n)
	switch off {
	case 0x00:
		return uint64(u.read()), bus.None
	case 0x08:
		return uint64(u.INT_RAW & u.INT_ENA), bus.None
	case 0x10: // write-only
		return 0, bus.None
	case 0x1C:
		return uint64(u.status()), bus.None
	case 0x28:
		return uint64(u.Pulses.Low), bus.None
	case 0x2C:
		return uint64(u.Pulses.High), bus.None
	case 0x30:
		return uint64(u.Pulses.Edges), bus.None
	case 0x64:
		return uint64(u.TxFIFO.R)<<11 | uint64(u.TxFIFO.W), bus.None
	case 0x68:
		return uint64(u.RxFIFO.W)<<11 | uint64(u.RxFIFO.R), bus.None
	case 0x6C:
		return uint64(u.fsm()), bus.None
	case 0x70:
		return uint64(u.Pulses.Pos), bus.None
	case 0x74:
		return uint64(u.Pulses.Neg), bus.None
	}
	if r := u.register(off); r != nil {
		return uint64(*r), bus.None
	}
	return 0, d.unknown(u.name(), off)
}

func (d uartDevice) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	u, v := d.uart(d.n), uint32(v64)
	switch off {
	case 0x08, 0x1C, 0x28, 0x2C, 0x30, 0x64, 0x68, 0x6C, 0x70, 0x74: // read-only
		return bus.None
	case 0x00:
		u.write(byte(v))
	case 0x04, 0x10: // raw bits are cleared by writing 1 as well
		u.INT_RAW &^= v
	default:
		r := u.register(off)
		if r == nil {
			return d.unknown(u.name(), off)
		}
		if f := u.lacking(off, v); f != bus.None {
			return f
		}
		old := *r
		*r = v
		u.stored(off, old, v)
	}
	u.apply()
	return bus.None
}

// foreseeLoad: all but the FIFO change at events or by stores only.
func (d uartDevice) foreseeLoad(off uint32, _ uint64) (least, most uint64, ok bool) {
	return steady(d, off, off == 0x08 || off == 0x1C || d.uart(d.n).register(off) != nil)
}

// lacking refuses settings that are not modelled.
func (u uart) lacking(off, v uint32) bus.Fault {
	what := ""
	switch {
	case off == 0x0C && v&intUARTLacking != 0:
		what = ".INT_ENA: RS485, flow control, AT_CMD and wake-up interrupts"
	case off == 0x20 && v&conf0IRDA != 0:
		what = ".CONF0: IrDA"
	case off == 0x34 && v&1 != 0:
		what = ".FLOW_CONF.SW_FLOW_CON_EN"
	case off == 0x34 && v&0x3C != 0:
		what = ".FLOW_CONF: XON and XOFF"
	case off == 0x4C && v&1 != 0:
		what = ".RS485_CONF.RS485_EN"
	default:
		return bus.None
	}
	return u.c.lack(u.name() + what)
}

// stored puts a register's new value into effect.
func (u uart) stored(off, old, v uint32) {
	switch off {
	case 0x20:
		u.setCONF0(old, v)
	case 0x24: // RTS may follow the FIFO now
		u.driveLines()
	case 0x78:
		u.setCLK_CONF(v)
	case 0x80: // UART_UPDATE is done at once
		u.ID &^= 1 << 31
	}
}

func (u uart) setCONF0(old, v uint32) {
	if v&conf0TXFIFO_RST != 0 {
		u.clearFIFO(&u.TxFIFO, 0)
	}
	if v&conf0RXFIFO_RST != 0 {
		u.clearFIFO(&u.RxFIFO, 256)
	}
	if v&^old&conf0AUTOBAUD_EN != 0 {
		u.resetPulses()
	}
	u.driveLines()
	u.loop()
	u.start()
}

func (u uart) setCLK_CONF(v uint32) {
	if v&(clkRST_CORE|clkTX_RST) != 0 {
		u.clearFIFO(&u.TxFIFO, 0)
		u.resetTx()
	}
	if v&(clkRST_CORE|clkRX_RST) != 0 {
		u.clearFIFO(&u.RxFIFO, 256)
		u.resetRx()
	}
	u.start()
}

// read is a load of UART_FIFO.
func (u uart) read() byte {
	b := u.take(&u.RxFIFO, 256, u.rxSize())
	u.driveLines()
	return b
}

// status is UART_STATUS. RXD, CTSN and DSRN are behind inversion, TXD, RTSN and
// DTRN before the matrix.
func (u uart) status() uint32 {
	level := func(is bool, bit int) uint32 { return oneIf(is) << bit }
	return uint32(u.RxFIFO.N) | uint32(u.TxFIFO.N)<<16 |
		level(u.DSR != (u.CONF0&conf0DSR_INV != 0), 13) |
		level(u.CTS != (u.CONF0&conf0CTS_INV != 0), 14) |
		level(u.Rx.Level, 15) |
		level(u.dtrn(), 29) | level(u.rtsn(), 30) |
		level(u.Tx.Level != (u.CONF0&conf0TXD_INV != 0), 31)
}

// fsm is UART_FSM_STATUS. Only that an idle part is 0 is documented; other values
// are ours.
func (u uart) fsm() uint32 {
	return oneIf(u.Rx.Busy) | oneIf(u.Tx.Phase == txFrame || u.Tx.Phase == txBreak)<<4
}

// register is the register at an offset that is read as it was stored, or nil.
func (u uart) register(off uint32) *uint32 {
	switch off {
	case 0x04:
		return &u.INT_RAW
	case 0x0C:
		return &u.INT_ENA
	case 0x14:
		return &u.CLKDIV
	case 0x18:
		return &u.RX_FILT
	case 0x20:
		return &u.CONF0
	case 0x24:
		return &u.CONF1
	case 0x34:
		return &u.FLOW_CONF
	case 0x38:
		return &u.SLEEP_CONF
	case 0x3C, 0x40:
		return &u.SWFC_CONF[(off-0x3C)/4]
	case 0x44:
		return &u.TXBRK_CONF
	case 0x48:
		return &u.IDLE_CONF
	case 0x4C:
		return &u.RS485_CONF
	case 0x50, 0x54, 0x58, 0x5C:
		return &u.AT_CMD[(off-0x50)/4]
	case 0x60:
		return &u.MEM_CONF
	case 0x78:
		return &u.CLK_CONF
	case 0x7C:
		return &u.DATE
	case 0x80:
		return &u.ID
	}
	return nil
}
