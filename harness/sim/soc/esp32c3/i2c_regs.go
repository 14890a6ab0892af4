package esp32c3

import "rigor/harness/sim/bus"

// The I2C controller's registers, TRM §28.8.

const (
	i2cLOW_PERIOD   = 0x00
	i2cCTR          = 0x04
	i2cSR           = 0x08
	i2cTO           = 0x0C
	i2cSLAVE_ADDR   = 0x10
	i2cFIFO_ST      = 0x14
	i2cFIFO_CONF    = 0x18
	i2cDATA         = 0x1C
	i2cINT_RAW      = 0x20
	i2cINT_CLR      = 0x24
	i2cINT_ENA      = 0x28
	i2cINT_STATUS   = 0x2C
	i2cSDA_HOLD     = 0x30
	i2cSDA_SAMPLE   = 0x34
	i2cHIGH_PERIOD  = 0x38
	i2cSTART_HOLD   = 0x40
	i2cRSTART_SETUP = 0x44
	i2cSTOP_HOLD    = 0x48
	i2cSTOP_SETUP   = 0x4C
	i2cFILTER_CFG   = 0x50
	i2cCLK_CONF     = 0x54
	i2cCOMD0        = 0x58
	i2cST_TO        = 0x78
	i2cMAIN_ST_TO   = 0x7C
	i2cSP_CONF      = 0x80
	i2cSTRETCH_CONF = 0x84
	i2cDATE         = 0xF8
	i2cTXRAM        = 0x100
	i2cRXRAM        = 0x180

	i2cSDA_FORCE_OUT  = 1 << 0 // CTR
	i2cSCL_FORCE_OUT  = 1 << 1
	i2cSAMPLE_LEVEL   = 1 << 2
	i2cRX_FULL_ACK    = 1 << 3
	i2cMS_MODE        = 1 << 4
	i2cTRANS_BEGIN    = 1 << 5
	i2cTX_LSB_FIRST   = 1 << 6
	i2cRX_LSB_FIRST   = 1 << 7
	i2cARBITRATION_EN = 1 << 9
	i2cFSM_RST        = 1 << 10
	i2cCONF_UPGATE    = 1 << 11
	i2cTIME_OUT_EN    = 1 << 5 // TO

	i2cNONFIFO_EN  = 1 << 10 // FIFO_CONF
	i2cADDR_CFG_EN = 1 << 11
	i2cRX_RST      = 1 << 12
	i2cTX_RST      = 1 << 13
	i2cPRT_EN      = 1 << 14

	i2cSCL_FILTER_EN = 1 << 8 // FILTER_CFG
	i2cSDA_FILTER_EN = 1 << 9
	i2cSCLK_SEL      = 1 << 20 // CLK_CONF
	i2cSCLK_ACTIVE   = 1 << 21
	i2cRST_SLV_EN    = 1 << 0 // SCL_SP_CONF
	i2cSCL_PD_EN     = 1 << 6
	i2cSDA_PD_EN     = 1 << 7

	i2cRXFIFO_WM        = 1 << 0 // interrupts
	i2cTXFIFO_WM        = 1 << 1
	i2cRXFIFO_OVF       = 1 << 2
	i2cEND_DETECT       = 1 << 3
	i2cBYTE_TRANS_DONE  = 1 << 4
	i2cARBITRATION_LOST = 1 << 5
	i2cMST_TXFIFO_UDF   = 1 << 6
	i2cTRANS_COMPLETE   = 1 << 7
	i2cTIME_OUT         = 1 << 8
	i2cTRANS_START      = 1 << 9
	i2cNACK             = 1 << 10
	i2cTXFIFO_OVF       = 1 << 11
	i2cRXFIFO_UDF       = 1 << 12
	i2cSCL_ST_TO        = 1 << 13
	i2cSCL_MAIN_ST_TO   = 1 << 14
	i2cDET_START        = 1 << 15

	sourceI2C = 29
)

// i2cWritable are the bits of the registers that keep what is written.
var i2cWritable = i2cRegs{
	i2cLOW_PERIOD / 4: 0x1FF, i2cCTR / 4: 0x73DF, i2cTO / 4: 0x3F, i2cSLAVE_ADDR / 4: 0x80007FFF,
	i2cFIFO_CONF / 4: 0x7FFF, i2cSDA_HOLD / 4: 0x1FF, i2cSDA_SAMPLE / 4: 0x1FF, i2cHIGH_PERIOD / 4: 0xFFFF,
	i2cSTART_HOLD / 4: 0x1FF, i2cRSTART_SETUP / 4: 0x1FF, i2cSTOP_HOLD / 4: 0x1FF, i2cSTOP_SETUP / 4: 0x1FF,
	i2cFILTER_CFG / 4: 0x3FF, i2cCLK_CONF / 4: 0x3FFFFF,
	i2cCOMD0 / 4: 0x80003FFF, i2cCOMD0/4 + 1: 0x80003FFF, i2cCOMD0/4 + 2: 0x80003FFF, i2cCOMD0/4 + 3: 0x80003FFF,
	i2cCOMD0/4 + 4: 0x80003FFF, i2cCOMD0/4 + 5: 0x80003FFF, i2cCOMD0/4 + 6: 0x80003FFF, i2cCOMD0/4 + 7: 0x80003FFF,
	i2cST_TO / 4: 0x1F, i2cMAIN_ST_TO / 4: 0x1F, i2cSP_CONF / 4: 0xFF, i2cSTRETCH_CONF / 4: 0x37FF,
}

// i2cImmediate take effect when they are written (§28.4.5 lists the others).
var i2cImmediate = map[uint32]bool{i2cFIFO_CONF: true, i2cCLK_CONF: true}

const fifoSize = 32

// i2cFIFO is TX RAM or RX RAM.
type i2cFIFO struct {
	RAM         [fifoSize]byte
	Read, Write uint8
	N           uint8
}

// push stores a byte; a full FIFO overwrites its oldest.
func (f *i2cFIFO) push(v byte) (room bool) {
	f.RAM[f.Write] = v
	f.Write = (f.Write + 1) % fifoSize
	if f.N == fifoSize {
		f.Read = f.Write
		return false
	}
	f.N++
	return true
}

// pop takes the oldest byte; an empty FIFO goes on through its memory.
func (f *i2cFIFO) pop() byte {
	v := f.RAM[f.Read]
	f.Read = (f.Read + 1) % fifoSize
	if f.N > 0 {
		f.N--
	} else {
		f.Write = f.Read
	}
	return v
}

func (f *i2cFIFO) empty() { f.Read, f.Write, f.N = 0, 0, 0 }

// raise sets raw interrupts.
func (i i2c) raise(bits uint32) { i.Raw |= bits }

// update brings watermarks and the interrupt's level up to date.
func (i i2c) update() {
	if conf := i.Set[i2cFIFO_CONF/4]; conf&i2cPRT_EN != 0 {
		if uint32(i.RX.N) > conf&0x1F {
			i.raise(i2cRXFIFO_WM)
		}
		if uint32(i.TX.N) < conf>>5&0x1F {
			i.raise(i2cTXFIFO_WM)
		}
	}
	i.c.source(sourceI2C, i.Raw&i.Ena != 0)
}

type i2cDevice struct{ *Chip }

func (d i2cDevice) Load(off uint32, _ uint8) (uint64, bus.Fault) {
	i := d.i2c()
	if off == i2cDATA {
		v := i.readData()
		i.update()
		return uint64(v), bus.None
	}
	v, ok := i.look(off)
	if !ok {
		return 0, d.unknown("I2C0", off)
	}
	return uint64(v), bus.None
}

// foreseeLoad: all but the FIFO change at events or by stores only.
func (d i2cDevice) foreseeLoad(off uint32, _ uint64) (least, most uint64, ok bool) {
	v, ok := d.i2c().look(off)
	return uint64(v), uint64(v), ok
}

// look reads a register whose reading does nothing.
func (i i2c) look(off uint32) (v uint32, ok bool) {
	switch off {
	case i2cSR:
		return i.status(), true
	case i2cFIFO_ST:
		return uint32(i.RX.Read) | uint32(i.RX.Write)<<5 | uint32(i.TX.Read)<<10 | uint32(i.TX.Write)<<15, true
	case i2cINT_RAW:
		return i.Raw, true
	case i2cINT_CLR:
		return 0, true
	case i2cINT_ENA:
		return i.Ena, true
	case i2cINT_STATUS:
		return i.Raw & i.Ena, true
	case i2cDATE:
		return 0x20070201, true
	}
	switch {
	case off >= i2cRXRAM && off < i2cRXRAM+4*fifoSize:
		return uint32(i.RX.RAM[(off-i2cRXRAM)/4]), true
	case off >= i2cTXRAM && off < i2cTXRAM+4*fifoSize:
		return uint32(i.TX.RAM[(off-i2cTXRAM)/4]), true
	case off != i2cDATA && off/4 < uint32(len(i2cWritable)) && i2cWritable[off/4] != 0:
		return i.Set[off/4], true
	}
	return 0, false
}

func (i i2c) readData() byte {
	if i.RX.N == 0 {
		i.raise(i2cRXFIFO_UDF)
		return i.RX.RAM[i.RX.Read]
	}
	return i.RX.pop()
}

// States of the two state machines, as SR shows them.
var (
	i2cMainState = map[bool][2]uint32{true: {4, 6}, false: {3, 5}} // sending: data, acknowledge
	i2cSCLState  = [...]uint32{i2cStartHold: 1, i2cHold: 2, i2cLow: 3, i2cHeld: 3, i2cWaitHigh: 4, i2cSample: 5, i2cHigh: 5, i2cSetup: 5, i2cStopHold: 6}
)

func (i i2c) status() uint32 {
	v := oneIf(i.Ack) | oneIf(i.Lost)<<3 | oneIf(i.Busy)<<4
	v |= uint32(i.RX.N)<<8 | 3<<14 | uint32(i.TX.N)<<18
	if i.Phase >= i2cHold && i.Phase != i2cStopHold && i.Job == i2cByte {
		v |= i2cMainState[i.Sending][i.Bit/8&1] << 24
	}
	return v | i2cSCLState[i.Phase]<<28
}

func (d i2cDevice) Store(off uint32, _ uint8, v64 uint64) bus.Fault {
	i, v := d.i2c(), uint32(v64)
	defer i.update()
	switch off {
	case i2cSR, i2cFIFO_ST, i2cINT_RAW, i2cINT_STATUS, i2cDATE: // read-only
		return bus.None
	case i2cDATA:
		if i.TX.N == fifoSize {
			i.raise(i2cTXFIFO_OVF)
			return bus.None
		}
		i.TX.push(byte(v))
		return bus.None
	case i2cINT_CLR:
		i.Raw &^= v
		return bus.None
	case i2cINT_ENA:
		i.Ena = v & 0x3FFFF
		return bus.None
	}
	switch {
	case off >= i2cTXRAM && off < i2cTXRAM+4*fifoSize:
		i.TX.RAM[(off-i2cTXRAM)/4] = byte(v)
		return bus.None
	case off >= i2cRXRAM && off < i2cRXRAM+4*fifoSize: // read-only
		return bus.None
	case off/4 >= uint32(len(i2cWritable)) || i2cWritable[off/4] == 0:
		return d.unknown("I2C0", off)
	}
	return i.store(off, v)
}

// store writes a register that keeps its value.
func (i i2c) store(off, v uint32) bus.Fault {
	if what := i.lacks(off, v); what != "" {
		return i.c.lack("I2C0." + what)
	}
	i.Set[off/4] = v & i2cWritable[off/4]
	if i2cImmediate[off] {
		i.Live[off/4] = i.Set[off/4]
	}
	switch off {
	case i2cFIFO_CONF:
		if v&i2cRX_RST != 0 {
			i.RX.empty()
		}
		if v&i2cTX_RST != 0 {
			i.TX.empty()
		}
	case i2cCTR:
		return i.control(v)
	}
	return bus.None
}

// lacks names what a value asks of a register and the model does not have. The
// slave's own settings do nothing to a master.
func (i i2c) lacks(off, v uint32) string {
	switch {
	case off == i2cCTR && v&i2cSAMPLE_LEVEL != 0:
		return "CTR.SAMPLE_SCL_LEVEL"
	case off == i2cFIFO_CONF && v&i2cADDR_CFG_EN != 0:
		return "FIFO_CONF.FIFO_ADDR_CFG_EN"
	case off == i2cCTR && v&(i2cMS_MODE|i2cCONF_UPGATE) == i2cCONF_UPGATE && i.Set[i2cSLAVE_ADDR/4] != 0:
		return "CTR.MS_MODE, slave mode"
	}
	return ""
}

// control does what the bits of CTR do that are not kept, in the order in which
// one write of all of them makes sense.
func (i i2c) control(v uint32) bus.Fault {
	if v&i2cFSM_RST != 0 {
		i.Busy = false
		i.abort()
	}
	if v&i2cCONF_UPGATE != 0 {
		i.upgate()
	}
	if v&i2cTRANS_BEGIN != 0 {
		return i.begin(i.c.Time())
	}
	return bus.None
}

// upgate makes what was written effective (§28.4.5).
func (i i2c) upgate() {
	clearing := i.Live[i2cSP_CONF/4]&i2cRST_SLV_EN != 0
	i.Live = i.Set
	i.drive()
	i.awaitTimeout()
	if i.Live[i2cSP_CONF/4]&i2cRST_SLV_EN == 0 || clearing {
		return
	}
	if i.Phase == i2cIdle && i.Live[i2cCTR/4]&i2cMS_MODE != 0 {
		i.clearBus(i.c.Time())
	}
}
