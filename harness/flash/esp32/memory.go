package esp32

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"rigor/harness/flash"
)

const (
	sectorSize = 4096  // the least that flash erases
	blockSize  = 0x400 // of data that the ROM takes in one packet
	readSize   = 64    // that READ_FLASH_SLOW of the ROM gives, always
)

// Times that esptool allows for; the flash chip's maker is the board's choice.
const (
	erasePerMB = 40 * time.Second // erase and write, too
	eraseLeast = 3 * time.Second  // a sector, of the slowest
	md5PerMB   = 8 * time.Second
)

func perMB(d time.Duration, n uint32) time.Duration {
	return time.Duration(uint64(d) * uint64(n) >> 20)
}

// Block is the size of a packet's data, and what flash is read and written in.
func (l *Loader) Block() (size, align uint32) { return blockSize, 4 }

// within refuses what is not wholly in flash, whose addresses are from 0 on.
func (l *Loader) within(op string, addr uint32, n int) error {
	if uint64(addr)+uint64(n) > uint64(l.size) {
		return &AddressError{op, addr, fmt.Sprintf("%d bytes pass the end of the flash's %d KB", n, l.size>>10)}
	}
	return nil
}

// Read fills p from flash, in whole words.
func (l *Loader) Read(ctx context.Context, addr uint32, p []byte) error {
	if err := l.within("read", addr, len(p)); err != nil {
		return err
	}
	most := readSize
	if l.flashing {
		most = flasherReadSize
	}
	for len(p) > 0 {
		front := int(addr % 4)
		n := min(most, (front+len(p)+3)&^3)
		r, err := l.do(ctx, ReadFlashSlow, words(addr-uint32(front), uint32(n)), 0)
		switch {
		case err != nil:
			return fmt.Errorf("read flash at %#08x: %w", addr, err)
		case len(r.data) < n:
			return &ReplyError{ReadFlashSlow, fmt.Sprintf("has %d bytes of %d", len(r.data), n)}
		}
		k := copy(p, r.data[front:n])
		addr, p = addr+uint32(k), p[k:]
	}
	return nil
}

// Digest has the loader make the MD5 of a span of flash.
func (l *Loader) Digest(ctx context.Context, s flash.Span) (algorithm string, sum []byte, err error) {
	if err := l.within("digest", s.Addr, int(s.Size)); err != nil {
		return "", nil, err
	}
	r, err := l.do(ctx, FlashMD5, words(s.Addr, s.Size, 0, 0), perMB(md5PerMB, s.Size))
	if err != nil {
		return "", nil, fmt.Errorf("digest %v: %w", s, err)
	}
	sum, err = hex.DecodeString(string(r.data)) // the ROM writes it in digits
	if err != nil || len(sum) != 16 {
		return "", nil, &ReplyError{FlashMD5, fmt.Sprintf("is %q, not 32 hexadecimal digits", r.data)}
	}
	return "md5", sum, nil
}

// Erase erases the sectors that hold any of the span, by beginning a write that
// does not come.
func (l *Loader) Erase(ctx context.Context, s flash.Span) error {
	if err := l.within("erase", s.Addr, int(s.Size)); err != nil || s.Size == 0 {
		return err
	}
	first := s.Addr &^ (sectorSize - 1)
	size := (s.Addr + s.Size - first + sectorSize - 1) &^ (sectorSize - 1)
	return l.beginFlash(ctx, FlashBegin, first, size, int(size/blockSize))
}

// beginFlash begins a write of a number of blocks, for which the loader erases.
func (l *Loader) beginFlash(ctx context.Context, c Command, addr, size uint32, blocks int) error {
	const plain = 0 // not encrypted
	_, err := l.do(ctx, c, words(size, uint32(blocks), blockSize, addr, plain), eraseLeast+perMB(erasePerMB, size))
	if err != nil {
		return fmt.Errorf("erase %d bytes at %#08x: %w", size, addr, err)
	}
	return nil
}

// Write programs flash, which must be erased. Since the loader erases whatever it
// writes, the sectors that hold any of the data are read, and written again with
// the data put in as flash itself would: no bit becomes 1. Without power meanwhile
// they are lost.
func (l *Loader) Write(ctx context.Context, addr uint32, data []byte) error {
	if err := l.within("write", addr, len(data)); err != nil || len(data) == 0 {
		return err
	}
	front := addr % sectorSize
	whole := make([]byte, (int(front)+len(data)+sectorSize-1)&^(sectorSize-1))
	if err := l.Read(ctx, addr-front, whole); err != nil {
		return err
	}
	for i, b := range data {
		whole[int(front)+i] &= b
	}
	s, err := l.Stream(ctx, addr-front, whole)
	for n := 1; n > 0 && err == nil; {
		n, err = s.Next(ctx)
	}
	return err
}
