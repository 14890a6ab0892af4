package esp32c3

import (
	"encoding/binary"

	"rigor/harness/sim/bus"
	"rigor/harness/sim/clock"
)

// loaderError is the ROM's code for what went wrong.
type loaderError byte

const (
	errMessage  loaderError = 0x05 // invalid format, or no such command
	errAct      loaderError = 0x06 // the operation failed
	errChecksum loaderError = 0x07
	errWrite    loaderError = 0x08 // flash
	errRead     loaderError = 0x09
	errReadLen  loaderError = 0x0A
	errInflate  loaderError = 0x0B
	errAdler    loaderError = 0x0C
	errDeflate  loaderError = 0x0D // parameters of a compressed write
	errRAMSize  loaderError = 0x0E
	errRAMAddr  loaderError = 0x0F
)

// Commands.
const (
	cmdFlashBegin   = 0x02
	cmdFlashData    = 0x03
	cmdFlashEnd     = 0x04
	cmdMemBegin     = 0x05
	cmdMemEnd       = 0x06
	cmdMemData      = 0x07
	cmdSync         = 0x08
	cmdWriteReg     = 0x09
	cmdReadReg      = 0x0A
	cmdSetParams    = 0x0B
	cmdAttach       = 0x0D
	cmdReadFlash    = 0x0E
	cmdChangeBaud   = 0x0F
	cmdDeflateBegin = 0x10
	cmdDeflateData  = 0x11
	cmdDeflateEnd   = 0x12
	cmdFlashMD5     = 0x13
	cmdSecurity     = 0x14

	syncValue = 0x20120707 // what the ROM's replies to SYNC carry; a program's carry 0
	syncCount = 8

	// loaderBlock is the most that a packet may have for flash: a part took 1024
	// bytes and called 2048 an invalid message (espressif/esptool issue 860); of
	// deflated ones that is assumed.
	loaderBlock = 0x400
)

// loaderLengths are the lengths of the commands' data, or the least ones of those
// with a payload.
var loaderLengths = map[byte][]int{
	cmdFlashBegin: {16, 20}, cmdFlashEnd: {4}, cmdMemBegin: {16}, cmdMemEnd: {8}, cmdSync: {36}, cmdReadReg: {4},
	cmdSetParams: {24}, cmdAttach: {4, 8}, cmdReadFlash: {8}, cmdChangeBaud: {8}, cmdDeflateBegin: {16, 20},
	cmdDeflateEnd: {4}, cmdFlashMD5: {16},
	cmdSecurity: {0, 20}, // tinygo.org/x/espflasher sends as many bytes as the answer has
}

// loaderSecure are the commands that secure download mode leaves.
var loaderSecure = map[byte]bool{
	cmdFlashBegin: true, cmdFlashData: true, cmdFlashEnd: true, cmdSync: true, cmdSetParams: true, cmdAttach: true,
	cmdChangeBaud: true, cmdSecurity: true,
}

// secureDownload is eFuse's ENABLE_SECURITY_DOWNLOAD.
func (c *Chip) secureDownload() bool { return *c.EFUSE.reg(0x3C)>>5&1 != 0 }

// loaderWord is a word of a command's data.
func loaderWord(p []byte, i int) uint32 { return binary.LittleEndian.Uint32(p[4*i:]) }

// loaderCommand runs a command.
func (c *Chip) loaderCommand(op byte, sum uint32, p []byte) {
	l := &c.ROM.Loader
	if !c.loaderAllowed(op, p) {
		c.loaderDone(op, errMessage)
		return
	}
	switch op {
	case cmdSync:
		c.loaderSync()
	case cmdSecurity:
		c.loaderAnswer(op, 0, c.securityInfo())
	case cmdReadReg:
		c.loaderReadReg(loaderWord(p, 0))
	case cmdWriteReg:
		c.loaderWriteReg(p)
	case cmdMemBegin:
		c.loaderDone(op, c.loaderMemBegin(loaderWord(p, 0), loaderWord(p, 3)))
	case cmdMemData:
		c.loaderDone(op, c.loaderMemData(sum, p))
	case cmdMemEnd:
		if loaderWord(p, 0) == 0 {
			l.After, l.Arg = afterRun, loaderWord(p, 1)
		}
		c.loaderDone(op, 0)
	case cmdChangeBaud:
		l.After, l.Arg = afterBaud, loaderWord(p, 0)
		c.loaderDone(op, 0)
	default:
		c.loaderFlashCommand(op, sum, p)
	}
}

// loaderAllowed checks a command's length, and what secure download mode
// allows.
func (c *Chip) loaderAllowed(op byte, p []byte) bool {
	if c.secureDownload() && !loaderSecure[op] {
		return false
	}
	switch op {
	case cmdFlashData, cmdDeflateData:
		return len(p) >= 16 && len(p) <= 16+loaderBlock && loaderWord(p, 0) == uint32(len(p)-16)
	case cmdMemData:
		return len(p) >= 16 && loaderWord(p, 0) == uint32(len(p)-16)
	case cmdWriteReg:
		return len(p) > 0 && len(p)%16 == 0
	}
	for _, n := range loaderLengths[op] {
		if n == len(p) {
			return true
		}
	}
	return false
}

// loaderSum is the checksum of a payload.
func loaderSum(data []byte) uint32 {
	sum := byte(imageSeed)
	for _, b := range data {
		sum ^= b
	}
	return uint32(sum)
}

// loaderSync settles the port and says so eight times.
func (c *Chip) loaderSync() {
	l := &c.ROM.Loader
	if l.Port == romNoPort {
		l.Port = l.From
		c.romPut32(romUartPort, uint32(l.Port))
		c.ROM.Console = uint8(l.Port)
	}
	for range syncCount {
		c.loaderPut(cmdSync, syncValue, nil, 0)
	}
	c.ROM.Phase = loaderSend
	c.romNext(0)
}

// securityInfo is the answer to GET_SECURITY_INFO: flags, count of flash
// encryption, purposes of the keys, chip id, version.
func (c *Chip) securityInfo() []byte {
	e := &c.EFUSE
	d1, d2 := *e.reg(0x34), *e.reg(0x38)
	flags := d2>>20&1 | d2>>21&1<<1 | oneIf(c.secureDownload())<<2
	p := binary.LittleEndian.AppendUint32(nil, flags)
	p = append(p, byte(d1>>18&7), byte(d1>>24&15), byte(d1>>28), byte(d2&15), byte(d2>>4&15), byte(d2>>8&15), byte(d2>>12&15), 12)
	p = binary.LittleEndian.AppendUint32(p, 5)
	return binary.LittleEndian.AppendUint32(p, 0)
}

// loaderReadReg answers with a word of memory or a register.
func (c *Chip) loaderReadReg(addr uint32) {
	v, ok := c.loaderLoad(addr &^ 3)
	if !ok {
		c.loaderDone(cmdReadReg, errAct)
		return
	}
	c.loaderAnswer(cmdReadReg, v, nil)
}

// loaderLoad reads as the ROM's code would. What the model lacks fails with a
// warning that names it.
func (c *Chip) loaderLoad(addr uint32) (uint32, bool) {
	if c.block(addr) == nil {
		p, err := c.ReadMemory(addr, 4)
		if err != nil {
			return 0, false
		}
		return binary.LittleEndian.Uint32(p), true
	}
	v, f := c.load(addr, 4)
	return v, c.loaderReached(f)
}

func (c *Chip) loaderReached(f bus.Fault) bool {
	if f == bus.Unmodelled {
		c.warn("the loader was asked for %s, which is not modelled", c.lacking)
	}
	return f == bus.None
}

// loaderWriteReg stores words: address, value, mask and a delay in microseconds
// for each.
func (c *Chip) loaderWriteReg(p []byte) {
	var delay clock.Time
	for ; len(p) > 0; p = p[16:] {
		addr, v, mask := loaderWord(p, 0)&^3, loaderWord(p, 1), loaderWord(p, 2)
		if mask != 0xFFFFFFFF {
			old, ok := c.loaderLoad(addr)
			if !ok {
				c.loaderDone(cmdWriteReg, errAct)
				return
			}
			v = old&^mask | v&mask
		}
		if !c.loaderStore(addr, v) {
			c.loaderDone(cmdWriteReg, errAct)
			return
		}
		delay += clock.Time(loaderWord(p, 3)) * clock.Microsecond
	}
	c.loaderPut(cmdWriteReg, 0, nil, 0)
	c.ROM.Phase = loaderSend
	c.romNext(delay)
}

func (c *Chip) loaderStore(addr, v uint32) bool {
	if c.block(addr) == nil {
		return c.LoadRAM(addr, binary.LittleEndian.AppendUint32(nil, v)) == nil
	}
	return c.loaderReached(c.store(addr, 4, v))
}

// loaderMemBegin and loaderMemData upload to RAM.
func (c *Chip) loaderMemBegin(size, addr uint32) loaderError {
	switch {
	case c.ramAt(addr, 1) == nil:
		return errRAMAddr
	case c.ramAt(addr, size) == nil:
		return errRAMSize
	}
	c.ROM.Loader.Mem = addr
	return 0
}

func (c *Chip) loaderMemData(sum uint32, p []byte) loaderError {
	l, data := &c.ROM.Loader, p[16:]
	if loaderSum(data) != sum {
		return errChecksum
	}
	if err := c.LoadRAM(l.Mem, data); err != nil {
		return errRAMAddr
	}
	l.Mem += uint32(len(data))
	return 0
}
