package esp32

import (
	"context"
	"encoding/binary"
	"fmt"
)

// Registers of SPI1, which the flash is on, and their bits. The reference manual
// leaves them out; ESP-IDF's spi_mem_reg.h names them.
const (
	spiCmd      = 0x6000_2000
	spiUser     = spiCmd + 0x18
	spiUser2    = spiCmd + 0x20
	spiMISODlen = spiCmd + 0x28
	spiW0       = spiCmd + 0x58

	cmdUsr         = 1 << 18
	userCommand    = 1 << 31
	userMISO       = 1 << 28
	user2BitLenPos = 28
)

// readID is the flash chips' command "read identification" (JEDEC JESD216).
const readID = 0x9F

// spiPolls is how often the end of a transfer of four bytes is looked for.
const spiPolls = 10

// attach makes the flash usable, and learns its size.
func (l *Loader) attach(ctx context.Context) error {
	if _, err := l.do(ctx, SPIAttach, words(0, 0), 0); err != nil { // the usual pins
		return fmt.Errorf("attach the flash: %w", err)
	}
	id, err := l.flashID(ctx)
	if err != nil {
		return fmt.Errorf("identify the flash: %w", err)
	}
	if l.size, err = sizeOf(id); err != nil {
		return err
	}
	const eraseBlock, page, status = 0x1_0000, 0x100, 0xFFFF
	if _, err := l.do(ctx, SPISetParams, words(0, l.size, eraseBlock, sectorSize, page, status), 0); err != nil {
		return fmt.Errorf("tell the loader of the flash: %w", err)
	}
	return nil
}

// sizeOf reads the size out of an identification: its third byte is the
// logarithm, by the makers' custom.
func sizeOf(id uint32) (uint32, error) {
	log := id >> 16 & 0xFF
	if log < 0x12 || log > 0x18 {
		return 0, fmt.Errorf("the flash identifies as %06x, which tells no size from 256 KB to 16 MB: no flash, or one that does not answer", id)
	}
	return 1 << log, nil
}

// flashID has SPI1 send the command and take three bytes.
func (l *Loader) flashID(ctx context.Context) (uint32, error) {
	user, err := l.readReg(ctx, spiUser)
	if err != nil {
		return 0, err
	}
	user2, err := l.readReg(ctx, spiUser2)
	if err != nil {
		return 0, err
	}
	err = l.writeRegs(ctx, register{spiMISODlen, 24 - 1}, register{spiUser, userCommand | userMISO},
		register{spiUser2, 7<<user2BitLenPos | readID}, register{spiW0, 0}, register{spiCmd, cmdUsr})
	if err != nil {
		return 0, err
	}
	if err := l.spiDone(ctx); err != nil {
		return 0, err
	}
	id, err := l.readReg(ctx, spiW0)
	if err != nil {
		return 0, err
	}
	return id, l.writeRegs(ctx, register{spiUser, user}, register{spiUser2, user2})
}

func (l *Loader) spiDone(ctx context.Context) error {
	for range spiPolls {
		if v, err := l.readReg(ctx, spiCmd); err != nil || v&cmdUsr == 0 {
			return err
		}
	}
	return fmt.Errorf("the SPI transfer does not end")
}

// macRegister is the fuses' block with the MAC address: its low four bytes, then
// the other two (TRM chapter eFuse Controller).
const macRegister = 0x6000_8844

// UniqueID is the part's MAC address, in its usual order.
func (l *Loader) UniqueID(ctx context.Context) ([]byte, error) {
	low, err := l.readReg(ctx, macRegister)
	if err != nil {
		return nil, fmt.Errorf("read the MAC address: %w", err)
	}
	high, err := l.readReg(ctx, macRegister+4)
	if err != nil {
		return nil, fmt.Errorf("read the MAC address: %w", err)
	}
	id := binary.BigEndian.AppendUint16(nil, uint16(high))
	return binary.BigEndian.AppendUint32(id, low), nil
}

// Registers of RTC_CNTL (TRM chapter Watchdog Timers), and what they are given.
const (
	wdtConfig0 = 0x6000_8090
	wdtConfig1 = wdtConfig0 + 4
	wdtProtect = 0x6000_80A8
	wdtKey     = 0x50D8_3AA1
	// The first stage ends in a reset of the whole system, after 2000 ticks of
	// the slow clock, 15 ms; the reset's length is the middle of the choice.
	wdtSystemReset = 1<<31 | 5<<28 | 1<<8 | 2
	wdtTicks       = 2000
)

// Run starts the program in flash, whose image is at address 0. FLASH_END would
// restart the chip with its straps as they were and so come back to the loader;
// a reset by the RTC watchdog reads them anew. The line is at Baud again then, as the
// ROM is.
func (l *Loader) Run(ctx context.Context, entry uint32) error {
	if entry != 0 {
		return &AddressError{"run", entry, "the ROM starts the image at address 0"}
	}
	err := l.writeRegs(ctx, register{wdtProtect, wdtKey}, register{wdtConfig1, wdtTicks},
		register{wdtConfig0, wdtSystemReset}, register{wdtProtect, 0})
	if err != nil {
		return fmt.Errorf("start the program: %w", err)
	}
	l.lost, l.flashing = true, false
	return l.setBaud(Baud)
}
