//go:build tinygo && k210 && ota

package board

import (
	"device/kendryte"
	"encoding/binary"
	"errors"
	"runtime/volatile"
)

// The flash chip hangs on SPI3, a DesignWare DW_apb_ssi; commands are those of Winbond's
// W25Q128JV data sheet (§8.2), on one line each way, as firmware/flasher has them.
const (
	flashPage   = 256
	flashSector = 4096

	flashWriteEnable = 0x06
	flashStatus      = 0x05
	flashRead        = 0x03
	flashProgram     = 0x02
	flashErase       = 0x20 // a sector

	flashBusy    = 1 << 0 // WIP, of its status register
	flashEnabled = 1 << 1 // WEL
)

// Of SPI3's registers.
const (
	spiBits8    = 7 // DATA_LENGTH
	spiBits32   = 31
	spiTransmit = 1 << 10 // TMOD: transmit only
	spiReceive  = 3 << 10 // TMOD: transmit what is in the FIFO, then receive CTRLR1+1
	spiFIFO     = 32
	spiDivider  = 16 // of 390 MHz: 24.4 MHz, within the chip's 50 MHz for a plain read
	spiTFE      = 1 << 2
)

// What goes wrong with flash.
var (
	errFlashRefused = errors.New("flash: not enabled")
	errFlashBusy    = errors.New("flash: does not end")
)

// NOR is the flash chip. Offsets are its addresses. The program runs from RAM meanwhile;
// no other goroutine does.
type NOR struct{}

func init() {
	s := kendryte.SYSCTL
	s.CLK_EN_PERI.SetBits(kendryte.SYSCTL_CLK_EN_PERI_SPI3_CLK_EN)
	s.CLK_SEL0.SetBits(1 << 12) // SPI3_CLK_SEL: PLL0
	s.CLK_TH1.ClearBits(kendryte.SYSCTL_CLK_TH1_SPI3_CLK_Msk)
	s.PERI.ClearBits(kendryte.SYSCTL_PERI_SPI3_XIP_EN)
	spi := kendryte.SPI3
	spi.SSIENR.Set(0)
	for _, r := range [...]*volatile.Register32{&spi.SER, &spi.IMR, &spi.DMACR, &spi.SPI_CTRLR0, &spi.ENDIAN} {
		r.Set(0)
	}
	spi.BAUDR.Set(spiDivider)
	awaitFlash(500_000) // what a reset of this part, but not of that one, came into
}

// Read copies what lies at an offset. It reads page by page: interrupts are held off for no
// longer than a page takes, 90 us.
func (NOR) Read(off uint32, p []byte) {
	for len(p) > 0 {
		n := min(len(p), flashPage)
		if n >= 4 {
			n &^= 3
			receiveWords(flashRead, off, p[:n])
		} else {
			receive(flashRead, off, p[:n])
		}
		off += uint32(n)
		p = p[n:]
	}
}

// Program clears bits, page by page. Offset and length are multiples of 4.
func (NOR) Program(off uint32, p []byte) error {
	for len(p) > 0 {
		n := min(len(p), flashPage-int(off%flashPage))
		if err := change(flashProgram, off, p[:n], 20, 500); err != nil {
			return err
		}
		off += uint32(n)
		p = p[n:]
	}
	return nil
}

// Erase sets all bits of the sectors from off to off+size. It takes no larger
// pieces, though they are faster by the byte: the boot ROM does not wait for an erase that a reset
// came into, and looks for its image 75 ms after, when one of 4 KB has ended (45 ms,
// W25Q128JV §9.6) and one of 64 KB has not.
func (NOR) Erase(off, size uint32) error {
	for end := off + size; off < end; off += flashSector {
		if err := change(flashErase, off, nil, 1000, 500); err != nil {
			return err
		}
	}
	return nil
}

// change has the chip program or erase, and looks every so many microseconds whether it has ended,
// so many times at most.
func change(command byte, addr uint32, data []byte, us, most uint32) error {
	enable()
	if status()&flashEnabled == 0 {
		return errFlashRefused
	}
	transmitWords(command, addr, data)
	for ; most > 0; most-- {
		pause(us)
		switch s := status(); {
		case s&flashBusy != 0:
		case s&flashEnabled != 0: // it took no notice
			return errFlashRefused
		default:
			return nil
		}
	}
	return errFlashBusy
}

// awaitFlash waits until the chip does nothing, but not for ever.
func awaitFlash(us uint32) {
	for ; us > 0 && status()&flashBusy != 0; us-- {
		pause(1)
	}
}

func status() byte {
	spi := kendryte.SPI3
	mask := begin(spiReceive|spiBits8, 1)
	spi.DR0.Set(flashStatus)
	spi.SER.Set(1)
	for spi.RXFLR.Get() == 0 {
	}
	v := byte(spi.DR0.Get())
	end(mask)
	return v
}

// enable lets the chip take one command that changes it.
func enable() {
	mask := begin(spiTransmit|spiBits8, 1)
	kendryte.SPI3.DR0.Set(flashWriteEnable)
	kendryte.SPI3.SER.Set(1)
	sent()
	end(mask)
}

// receive sends a command with an address, and takes the bytes that follow.
func receive(command byte, addr uint32, p []byte) {
	spi := kendryte.SPI3
	mask := begin(spiReceive|spiBits8, len(p))
	spi.DR0.Set(uint32(command))
	for shift := 16; shift >= 0; shift -= 8 {
		spi.DR0.Set(addr >> shift & 0xFF)
	}
	spi.SER.Set(1)
	for i := range p {
		for spi.RXFLR.Get() == 0 {
		}
		p[i] = byte(spi.DR0.Get())
	}
	end(mask)
}

// receiveWords is receive in frames of four bytes, of which command and address are one. No
// interrupt may let the FIFO overflow.
func receiveWords(command byte, addr uint32, p []byte) {
	spi := kendryte.SPI3
	mask := begin(spiReceive|spiBits32, len(p)/4)
	spi.DR0.Set(uint32(command)<<24 | addr)
	spi.SER.Set(1)
	for ; len(p) > 0; p = p[4:] {
		for spi.RXFLR.Get() == 0 {
		}
		binary.BigEndian.PutUint32(p, spi.DR0.Get())
	}
	end(mask)
}

// transmitWords sends a command with an address, and data. The transfer lasts for as long as there is
// something in the FIFO: no interrupt may let it run dry.
func transmitWords(command byte, addr uint32, p []byte) {
	spi := kendryte.SPI3
	mask := begin(spiTransmit|spiBits32, 1)
	spi.DR0.Set(uint32(command)<<24 | addr)
	spi.SER.Set(1)
	for ; len(p) > 0; p = p[4:] {
		for spi.TXFLR.Get() == spiFIFO {
		}
		spi.DR0.Set(binary.BigEndian.Uint32(p))
	}
	sent()
	end(mask)
}

// begin sets SPI3 up to receive so many frames, or to transmit, and holds interrupts off until end.
func begin(mode uint32, frames int) uintptr {
	mask := Hold()
	spi := kendryte.SPI3
	spi.SSIENR.Set(0)
	spi.CTRLR0.Set(mode)
	spi.CTRLR1.Set(uint32(frames - 1))
	spi.SSIENR.Set(1)
	return mask
}

func end(mask uintptr) {
	kendryte.SPI3.SER.Set(0)
	kendryte.SPI3.SSIENR.Set(0)
	Release(mask)
}

// sent waits until all has left.
func sent() {
	for kendryte.SPI3.SR.Get()&(spiTFE|kendryte.SPI3_SR_BUSY) != spiTFE {
	}
}

// pause lets microseconds pass, by CLINT's timer, which counts ACLK/50.
func pause(us uint32) {
	t := &kendryte.CLINT.MTIME
	for until := t.Get() + uint64(us)*(CoreHz/50)/1_000_000 + 1; t.Get() < until; {
	}
}
