// Package esp32 speaks to the loader in the ROM of an ESP32-C3 over UART, as the
// host. It follows Espressif's "Serial Protocol" (esptool documentation 5.x,
// ESP32-C3 pages) and the ESP32-C3 Technical Reference Manual v1.1 (fuses and RTC
// watchdog).
//
// The ROM writes while it does not receive, or the reverse. A program of ours in RAM
// (firmware/flasher; what esptool calls its stub) does both at once, if the Loader is
// given it. The package leaves out encrypted flash and secure download mode, whose
// parts it refuses, and the family's other chips, which it names.
//
// A request that was begun is waited for to its end, which its deadline bounds;
// contexts are looked at before each.
package esp32

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"rigor/harness/flash"
	"rigor/harness/flash/slip"
	"rigor/harness/port"
	"rigor/harness/timebase"
)

// Baud is the rate at which a loader fresh from reset is spoken to.
const Baud = 115200

// Startup is how long after the end of its reset the ROM may take until it
// listens. It says so itself ("waiting for download"), after 150 bytes at most.
const Startup = 50 * time.Millisecond

// Command is an operation of the protocol.
type Command byte

const (
	FlashBegin      Command = 0x02
	FlashData       Command = 0x03
	FlashEnd        Command = 0x04
	MemBegin        Command = 0x05
	MemEnd          Command = 0x06
	MemData         Command = 0x07
	Sync            Command = 0x08
	WriteReg        Command = 0x09
	ReadReg         Command = 0x0A
	SPISetParams    Command = 0x0B
	SPIAttach       Command = 0x0D
	ReadFlashSlow   Command = 0x0E
	ChangeBaud      Command = 0x0F
	FlashDeflBegin  Command = 0x10
	FlashDeflData   Command = 0x11
	FlashDeflEnd    Command = 0x12
	FlashMD5        Command = 0x13
	GetSecurityInfo Command = 0x14
)

var commandNames = map[Command]string{
	FlashBegin: "FLASH_BEGIN", FlashData: "FLASH_DATA", FlashEnd: "FLASH_END",
	MemBegin: "MEM_BEGIN", MemEnd: "MEM_END", MemData: "MEM_DATA", Sync: "SYNC", WriteReg: "WRITE_REG", ReadReg: "READ_REG",
	SPISetParams: "SPI_SET_PARAMS", SPIAttach: "SPI_ATTACH", ReadFlashSlow: "READ_FLASH_SLOW", ChangeBaud: "CHANGE_BAUDRATE",
	FlashDeflBegin: "FLASH_DEFL_BEGIN", FlashDeflData: "FLASH_DEFL_DATA", FlashDeflEnd: "FLASH_DEFL_END", FlashMD5: "SPI_FLASH_MD5", GetSecurityInfo: "GET_SECURITY_INFO",
}

func (c Command) String() string {
	if s, ok := commandNames[c]; ok {
		return s
	}
	return fmt.Sprintf("command %#02x", byte(c))
}

// Loader is a boot loader that has answered. It is for one goroutine.
type Loader struct {
	// Flasher is the program that Prepare puts into RAM; nil: the ROM does it all.
	Flasher *flash.Image

	port  port.Port
	clock timebase.Clock
	mode  port.Mode
	info  securityInfo
	size  uint32 // of the flash
	sent  uint64 // bytes of data, to be written

	in     slip.Reader
	lost   bool // answers to earlier requests may be under way
	behind int  // bytes of requests that may be, too

	flashing bool // the flasher answers
}

var (
	_ flash.Loader   = (*Loader)(nil)
	_ flash.Reader   = (*Loader)(nil)
	_ flash.Digester = (*Loader)(nil)
	_ flash.Blocks   = (*Loader)(nil)
	_ flash.Streamer = (*Loader)(nil)
	_ flash.Preparer = (*Loader)(nil)
	_ flash.Wired    = (*Loader)(nil)

	_ flash.Identified = (*Loader)(nil)
)

// Connect synchronises with the loader, asks which chip it is on, changes to a
// rate and, on an ESP32-C3, attaches the flash. The board must have been reset
// into its loader Startup ago or longer. A loader on another chip can do no more
// than Identify.
func Connect(ctx context.Context, p port.Port, c timebase.Clock, baud int) (*Loader, error) {
	l := &Loader{port: p, clock: c, in: newReader()}
	if err := l.setBaud(Baud); err != nil {
		return nil, err
	}
	if err := l.sync(ctx); err != nil {
		return nil, err
	}
	if err := l.identify(ctx); err != nil {
		return nil, fmt.Errorf("connect to the boot loader: %w", err)
	}
	if l.info.chip != esp32c3 {
		return l, nil
	}
	if err := l.info.writable(); err != nil {
		return nil, err
	}
	if baud != Baud {
		if err := l.changeBaud(ctx, baud); err != nil {
			return nil, err
		}
	}
	return l, l.attach(ctx)
}

// lowestBaud is where the divider of the ROM's UART, of 12 bits, ends: its clock
// is the crystal of 40 MHz (TRM chapter UART Controller, UART_CLKDIV).
const lowestBaud = 40_000_000/(1<<12-1) + 1

// changeBaud has the loader answer at the old rate and go to the new one.
func (l *Loader) changeBaud(ctx context.Context, baud int) error {
	if baud < lowestBaud {
		return fmt.Errorf("change to %d baud: the ROM's UART goes down to %d", baud, lowestBaud)
	}
	if _, err := l.do(ctx, ChangeBaud, words(uint32(baud), 0), 0); err != nil {
		return fmt.Errorf("change to %d baud: %w", baud, err)
	}
	if err := l.setBaud(baud); err != nil {
		return err
	}
	return l.drain(ctx)
}

// setBaud sets this end of the line.
func (l *Loader) setBaud(baud int) error {
	l.mode.Baud = baud
	if err := l.port.SetMode(l.mode); err != nil {
		return fmt.Errorf("set the line to %v: %w", l.mode, err)
	}
	return nil
}

// identify asks for the chip: loaders since the ESP32-S3's tell, older ones
// differ in what is at one address of their ROM.
func (l *Loader) identify(ctx context.Context) error {
	r, err := l.do(ctx, GetSecurityInfo, nil, 0)
	refused := (*StatusError)(nil)
	switch {
	case err == nil && len(r.data) >= securityInfoSize:
		l.info = parseSecurityInfo(r.data)
		return nil
	case err == nil || errors.As(err, &refused):
		return l.identifyByMagic(ctx)
	}
	return err
}

func (l *Loader) identifyByMagic(ctx context.Context) error {
	magic, err := l.readReg(ctx, magicRegister)
	if err == nil {
		l.info = securityInfo{chip: chipOfMagic(magic), magic: magic}
	}
	return err
}

// Identify gives the chip by the number that the loader told, and its
// interface's version. Chips other than the ESP32-C3 have their name in Espressif's
// spelling.
func (l *Loader) Identify(ctx context.Context) (flash.ChipID, error) {
	if err := l.begin(ctx); err != nil {
		return flash.ChipID{}, fmt.Errorf("identify: %w", err)
	}
	if err := l.identifyAgain(ctx); err != nil {
		return flash.ChipID{}, fmt.Errorf("identify: %w", err)
	}
	return l.info.id(), nil
}

// identifyAgain asks the ROM. The flasher knows no more than the chip that it runs on:
// that it answers is enough.
func (l *Loader) identifyAgain(ctx context.Context) error {
	if !l.flashing {
		return l.identify(ctx)
	}
	_, err := l.do(ctx, Sync, syncPacket, 0)
	return err
}

// readReg reads a word of the chip's memory.
func (l *Loader) readReg(ctx context.Context, addr uint32) (uint32, error) {
	r, err := l.do(ctx, ReadReg, words(addr), 0)
	if err != nil {
		return 0, fmt.Errorf("read register %#08x: %w", addr, err)
	}
	return r.value, nil
}

// register is a value for a word of the chip's memory.
type register struct{ addr, value uint32 }

// writeRegs writes some, in order, in one request.
func (l *Loader) writeRegs(ctx context.Context, regs ...register) error {
	var p []byte
	for _, r := range regs {
		p = append(p, words(r.addr, r.value, 0xFFFF_FFFF, 0)...)
	}
	if _, err := l.do(ctx, WriteReg, p, 0); err != nil {
		return fmt.Errorf("write register %#08x: %w", regs[0].addr, err)
	}
	return nil
}

// words are 32-bit numbers as the protocol has them.
func words(w ...uint32) []byte {
	var p []byte
	for _, v := range w {
		p = binary.LittleEndian.AppendUint32(p, v)
	}
	return p
}
