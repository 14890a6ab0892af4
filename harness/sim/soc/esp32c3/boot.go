package esp32c3

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"

	"rigor/harness/sim/clock"
)

// Booting from flash: an image at its start (Espressif, esptool documentation,
// Firmware Image Format) is loaded to RAM and jumped to. Segments at other
// addresses are read for the checksum only. What goes wrong is printed, and a
// watchdog resets the part; a wrong hash is printed and booted.
type bootState struct {
	Header  [24]byte
	Offset  uint32 // in flash, of what is read next
	Segment uint8
	Addr    uint32 // of the segment
	Size    uint32
	Sum     byte // exclusive or of the segments' bytes
}

const (
	imageMagic   = 0xE9
	imageHeader  = 24
	imageSeed    = 0xEF
	imageMax     = 16 << 20 // no segment is longer
	romReadCost  = 2 * clock.Microsecond
	romReadBytes = 64 // at a time, which is SPI1's buffer
)

// romReadTime is how long the ROM takes to read n bytes by SPI1.
func (c *Chip) romReadTime(n uint32) clock.Time {
	count := clock.Time(n+romReadBytes-1) / romReadBytes
	return count * (c.flashReadTime(&c.SPI.SPI1, romReadBytes) + romReadCost)
}

// romFlash is what the ROM reads from flash: lines that nobody drives are high,
// addresses come round.
func (c *Chip) romFlash(off, n uint32) []byte {
	p := bytes.Repeat([]byte{0xFF}, int(n))
	if _, busy := c.nor.Busy(c.Time()); !busy && c.Powered {
		cells := c.nor.Data()
		for done := 0; done < len(p); {
			at := (int(off) + done) % len(cells)
			n := copy(p[done:], cells[at:])
			c.nor.Cells().Read(uint32(at), uint32(n))
			done += n
		}
	}
	return p
}

func (c *Chip) bootStep() {
	b := &c.ROM.Boot
	switch c.ROM.Phase {
	case bootHeader:
		copy(b.Header[:], c.romFlash(0, imageHeader))
		c.ROM.Phase = bootCheck
		c.romNext(c.romReadTime(imageHeader))
	case bootCheck:
		c.bootCheckHeader()
	case bootSegment:
		c.bootNextSegment()
	case bootLoad:
		c.bootLoadSegment()
	case bootVerify:
		c.bootVerifyImage()
	case bootJump:
		c.bootEnter()
	}
}

// bootCheckHeader goes on with an image, or says for ever that there is none.
func (c *Chip) bootCheckHeader() {
	b := &c.ROM.Boot
	if b.Header[0] != imageMagic {
		c.romPrintf("invalid header: 0x%08x\n", binary.LittleEndian.Uint32(b.Header[:]))
		c.romPrint(bootHeader)
		return
	}
	mode, div := b.Header[2], map[byte]uint32{0: 2, 1: 3, 2: 4}[b.Header[3]&15]
	c.bootSPI(mode, max(div, 1))
	name := "SLOW READ"
	if int(mode) < len(bootModes) {
		name = bootModes[mode]
	}
	c.romPrintf("SPIWP:0x%x\nmode:%s, clock div:%d\n", b.Header[8], name, max(div, 1))
	b.Offset, b.Sum = imageHeader, imageSeed
	c.romPrint(bootSegment)
}

var bootModes = [...]string{"QIO", "QOUT", "DIO", "DOUT", "FAST READ"}

// bootSPI sets both controllers as the image's header says.
func (c *Chip) bootSPI(mode byte, div uint32) {
	c.spiReadMode(mode)
	for _, base := range []uint32{baseSPI0, baseSPI1} {
		c.poke(base+spiCLOCK, spiDivider(div))
	}
}

// spiReadMode chooses how both controllers read.
func (c *Chip) spiReadMode(mode byte) {
	ctrl := [...]uint32{ctrlFASTRD | ctrlQIO, ctrlFASTRD | ctrlQUAD, ctrlFASTRD | ctrlDIO, ctrlFASTRD | ctrlDUAL, ctrlFASTRD}
	bits := uint32(0)
	if int(mode) < len(ctrl) {
		bits = ctrl[mode]
	}
	for _, base := range []uint32{baseSPI0, baseSPI1} {
		c.poke(base+spiCTRL, c.peek(base+spiCTRL)&^(ctrlFASTRD|ctrlQIO|ctrlDIO|ctrlQUAD|ctrlDUAL)|bits)
	}
}

const (
	baseSPI1 = 0x60002000
	baseSPI0 = 0x60003000
)

// spiDivider is a controller's CLOCK for a divider.
func spiDivider(div uint32) uint32 {
	if div <= 1 {
		return 1 << 31
	}
	return (div-1)<<16 | (div/2-1)<<8 | (div - 1)
}

// bootNextSegment reads a segment's header.
func (c *Chip) bootNextSegment() {
	b := &c.ROM.Boot
	if b.Segment == b.Header[1] {
		c.ROM.Phase = bootVerify
		c.romNext(c.romReadTime(48))
		return
	}
	h := c.romFlash(b.Offset, 8)
	b.Addr, b.Size = binary.LittleEndian.Uint32(h), binary.LittleEndian.Uint32(h[4:])
	b.Offset += 8
	b.Segment++
	c.romPrintf("load:0x%08x,len:0x%x\n", b.Addr, b.Size)
	if b.Size >= imageMax {
		c.romPrintf("Invalid image block, can't boot.\nets_main.c 333 \n")
		c.romPrint(romHanging)
		return
	}
	c.romPrint(bootLoad)
}

// bootLoadSegment takes the time to read the segment, then copies it if there is
// RAM, and goes on.
func (c *Chip) bootLoadSegment() {
	b := &c.ROM.Boot
	data := c.romFlash(b.Offset, b.Size)
	for _, v := range data {
		b.Sum ^= v
	}
	if m := c.ramAt(b.Addr, b.Size); m != nil {
		copy(m, data)
		c.ramChanged(b.Addr, b.Size)
	}
	b.Offset += b.Size
	c.ROM.Phase = bootSegment
	c.romNext(c.romReadTime(b.Size))
}

// bootVerifyImage checks the last byte of the image's last 16, and the hash behind
// it if the header announces one.
func (c *Chip) bootVerifyImage() {
	b := &c.ROM.Boot
	end := (b.Offset/16 + 1) * 16
	if stored := c.romFlash(end-1, 1)[0]; stored != b.Sum {
		c.romPrintf("Checksum failure. Calculated 0x%02x stored 0x%02x\nets_main.c 333 \n", b.Sum, stored)
		c.romPrint(romHanging)
		return
	}
	if b.Header[23] == 1 {
		sum, want := sha256.Sum256(c.romFlash(0, end)), c.romFlash(end, 32)
		if !bytes.Equal(sum[:], want) {
			c.romPrintf("SHA-256 comparison failed:\nCalculated: %x\nExpected: %x\nAttempting to boot anyway...\n", sum, want)
		}
	}
	c.romPrintf("entry 0x%08x\n", c.bootEntry())
	c.romPrint(bootJump)
}

func (c *Chip) bootEntry() uint32 { return binary.LittleEndian.Uint32(c.ROM.Boot.Header[4:]) }

// bootEnter hands over to the image: the cache is on and maps nothing,
// watchdogs run as they did, clocks are those of the reset.
func (c *Chip) bootEnter() {
	c.mmuInit()
	c.cacheInvalidateAll()
	c.EXTMEM.Regs[extCTRL1/4] = 0
	c.cacheEnable(true)
	c.romFlashDefaults()
	c.romPut32(romUartPort, romUART)
	c.romHand(c.bootEntry(), romBack)
}
