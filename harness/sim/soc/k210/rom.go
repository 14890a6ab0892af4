package k210

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"

	"rigor/harness/sim/clock"
	"rigor/harness/sim/nor"
)

// The boot ROM, as a model of our own in place of Canaan's machine code, of which
// there is no document. What it does is known from what programs and flash images
// for it look like, and from those who have read it (k210-sdk-stuff, doc/otp_layout.md
// and doc/memory_map.md): it sets the clocks, reads the strap IO16, and boots an
// image from the flash chip at SPI3, or waits for a program on UARTHS (isp.go).
//
// While it works the harts stand still, and the model goes on step by step, at times of
// its own, on the modelled registers: a wrong rate or a full FIFO do what they do there.
//
// Times: reading flash takes the clocks that it has at SPI3, hashing and decrypting
// what the blocks take. How SPI3 is set, and how long the ROM takes until it reads the
// strap, are assumed.
//
// Left out: the patch that OTP holds for the ROM, booting from SPI0, the fuse that
// raises clocks.
type romState struct {
	Phase  romPhase
	Header [imageHeader]byte
	Entry  uint32 // of the program that romEnter starts
	ISP    ispState
}

// romPhase is what the ROM is about to do.
type romPhase uint8

const (
	romOff    romPhase = iota // a program runs
	romStrap                  // read the strap
	romHeader                 // look at the image's header
	romImage                  // and at all of it
	romISP                    // listen
	romReply                  // answer a request
	romEnter                  // start a program
)

const slotROMStep = slotROM

// romStrapTime is from the reset vector to the look at the strap [A]. With the time
// before it is 75 ms after reset: clients pull IO16 low up to 50 ms after they let reset
// go, and 90 ms after it still find ISP.
const romStrapTime = 74 * clock.Millisecond

func (c *Chip) romReset() {
	c.ROM = romState{}
	c.ScheduleAt(slotROMStep, clock.NeverTime)
}

// romStart is the reset vector.
func (c *Chip) romStart() {
	c.romHandOver()
	c.romPins()
	c.romBaud(ispBaud)
	c.romNext(romStrap, romStrapTime)
}

// romNext goes on in a while.
func (c *Chip) romNext(p romPhase, d clock.Time) {
	c.ROM.Phase = p
	c.ScheduleIn(slotROMStep, d)
}

// romEvent does the next thing.
func (c *Chip) romEvent(int) {
	switch c.ROM.Phase {
	case romStrap:
		c.romStrap()
	case romHeader:
		c.romHeader()
	case romImage:
		c.romImage()
	case romISP:
		c.ispReceive()
	case romReply:
		c.ispPump()
	case romEnter:
		c.romJump(c.ROM.Entry)
	}
}

// romHandOver leaves clocks and gates as the ROM does when a program begins: ACLK
// 390 MHz from PLL0 at 780 MHz, APBs at half of it, SPI3 from PLL0. That GPIO has its clock is
// concluded from TinyGo's programs for the Maix Bit, which blink an LED by it
// and don't switch it on.
func (c *Chip) romHandOver() {
	s := &c.SYSCTL
	s.PLL[0], s.Locked[0] = 59<<4|1<<10|59<<14|pllPWRD|pllOUT_EN, true
	s.CLK_SEL[0] = selACLK | selSPI3 | 1<<3 | 1<<6 | 1<<9
	s.CLK_EN_CENT |= 7 << 3
	s.CLK_EN_PERI |= 1<<0 | 1<<5 | 1<<9 | 1<<19 | 1<<20 | 1<<26 | 1<<27
	c.setClocks()
}

// romPins connects UARTHS and the strap.
func (c *Chip) romPins() {
	const fpioa = 0x502B0000
	c.poke(fpioa+4*pinRX, fnUARTHS_RX|ioInput)
	c.poke(fpioa+4*pinTX, fnUARTHS_TX|ioOutput)
	c.poke(fpioa+4*pinBOOT, fnGPIOHS0|ioInput)
	c.poke(gpiohsInputEna, 1)
}

const (
	pinRX   = 4
	pinTX   = 5
	pinBOOT = 16

	gpiohsInput    = 0x38001000
	gpiohsInputEna = 0x38001004
)

// romStrap goes on with ISP if IO16 is low.
func (c *Chip) romStrap() {
	if c.peek(gpiohsInput)&1 == 0 && c.opt.Fuses.ispAllowed() {
		c.ispBegin()
		return
	}
	c.romNext(romHeader, c.romReadTime(imageHeader, false))
}

// An image in flash: a byte of flags, the length of the payload, the payload, and the
// SHA-256 of all that.
const (
	imageHeader = 5
	imageHash   = 32
	imageMost   = 6 << 20 // all of SRAM

	imageAES  = 1 << 0 // the payload is encrypted
	imageQuad = 1 << 1 // it is read on four lines
)

// Until it begins to read SPI3 is set as the SDK's driver sets it where nobody
// asks for more: PLL0 halved, divided by 20. [A]
const (
	romSPIHz    = 780_000_000 / 2 / 20
	romReadSize = 256 // bytes by one command [A]
	romReadCost = clock.Microsecond

	// What the ROM's blocks take for a byte: SHA-256 and AES by hand (k210-sdk-stuff,
	// rust/cryptest: 12.5 MB/s and 6.2 MB/s).
	romHashByte = 80 * clock.Nanosecond
	romAESByte  = 161 * clock.Nanosecond
)

// romReadTime is how long the ROM takes to read n bytes from flash.
func (c *Chip) romReadTime(n uint32, quad bool) clock.Time {
	t := nor.Transaction{Cmd: nor.ReadData, AddrBits: 24, In: make([]byte, romReadSize)}
	if quad {
		t.Cmd, t.Dummy, t.DataLines = nor.FastReadQuad, 8, 4
	}
	commands := (n + romReadSize - 1) / romReadSize
	clocks := commands*uint32(t.Clocks()) - (commands*romReadSize-n)*8/uint32(max(t.DataLines, 1))
	return clock.Time(clocks)*(clock.Second/romSPIHz) + clock.Time(commands)*romReadCost
}

// romFlash is what the ROM reads from flash: ones where the chip does not answer.
func (c *Chip) romFlash(off, n uint32) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = 0xFF
	}
	c.nor.Settle(c.Time())
	if _, busy := c.nor.Busy(c.Time()); !busy && c.nor.Powered && !c.nor.Asleep && off < c.nor.Size() {
		c.nor.Cells().Read(off, uint32(copy(p, c.nor.Data()[off:])))
	}
	return p
}

// romHeader goes on with an image that SRAM could hold.
func (c *Chip) romHeader() {
	copy(c.ROM.Header[:], c.romFlash(0, imageHeader))
	n := c.imageLength()
	if n > imageMost {
		c.romFail()
		return
	}
	flags := c.ROM.Header[0]
	d := c.romReadTime(n+imageHash, flags&imageQuad != 0) + clock.Time(imageHeader+n)*romHashByte
	if c.imageEncrypted() {
		d += clock.Time(n) * romAESByte
	}
	c.romNext(romImage, d)
}

func (c *Chip) imageLength() uint32 { return binary.LittleEndian.Uint32(c.ROM.Header[1:]) }

func (c *Chip) imageEncrypted() bool {
	return c.ROM.Header[0]&imageAES != 0 && c.opt.Fuses.B&fuseBNoAES == 0
}

// romImage starts what the image holds if its hash is right.
func (c *Chip) romImage() {
	n := c.imageLength()
	image := c.romFlash(0, imageHeader+n+imageHash)
	signed, hash := image[:imageHeader+n], image[imageHeader+n:]
	sum := sha256.Sum256(signed)
	if sum != [imageHash]byte(hash) || c.opt.Fuses.B&fuseBHash != 0 && sum != c.opt.Fuses.Hash {
		c.romFail()
		return
	}
	payload := signed[imageHeader:]
	if c.imageEncrypted() {
		payload = c.romDecrypt(payload)
	}
	copy(c.ram, payload)
	c.ramChanged(ramBase, n)
	c.romJump(ramBase)
}

// romDecrypt is AES-128 in CBC mode, whole blocks, from an initial vector of 0.
func (c *Chip) romDecrypt(p []byte) []byte {
	b, err := aes.NewCipher(c.opt.Key[:])
	if err != nil {
		panic("BUG: " + err.Error())
	}
	whole := make([]byte, (len(p)+aes.BlockSize-1)/aes.BlockSize*aes.BlockSize)
	copy(whole, p)
	cipher.NewCBCDecrypter(b, make([]byte, aes.BlockSize)).CryptBlocks(whole, whole)
	return whole[:len(p)]
}

// romFail is what follows an image that cannot be booted: ISP, or where that is forbidden
// nothing any more.
func (c *Chip) romFail() {
	if c.opt.Fuses.ispAllowed() {
		c.ispBegin()
	}
}

// romJump has both harts execute a program.
func (c *Chip) romJump(entry uint32) {
	c.ROM.Phase = romOff
	c.startHarts(uint64(entry))
	c.interrupt()
}
