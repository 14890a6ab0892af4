package k210

import (
	"context"
	"fmt"
	"time"

	"rigor/harness/flash"
)

const (
	sectorSize = 4096     // the least that flash erases
	eraseSize  = 64 << 10 // the most that is asked for at once
	readSize   = 4096     // of data that the flasher gives in one packet
	// writeSize is what it is given in one, of 4096 that it would take: the last one is
	// programmed when the line is idle already, 1.6 ms of 4 pages.
	writeSize = 1024
)

// Times that are allowed for; the flash chip's maker is the board's choice. Sectors
// of the slowest take 0.4 s (W25Q128JV §9.6).
const (
	eraseWork   = 16 * 400 * time.Millisecond
	flushWork   = ahead * writeSize / 256 * 3 * time.Millisecond // 3 ms a page
	digestPerMB = 8 * time.Second
)

// Block is what is read at once. Segments of an image are widened to whole
// sectors, so that two in one sector are written together.
func (l *Loader) Block() (size, align uint32) { return readSize, sectorSize }

// within prepares, and refuses what is not wholly in flash, whose addresses are from 0
// on.
func (l *Loader) within(ctx context.Context, op string, addr uint32, n int) error {
	if err := l.Prepare(ctx); err != nil {
		return fmt.Errorf("%s at %#08x: %w", op, addr, err)
	}
	if uint64(addr)+uint64(n) > uint64(l.size) {
		return &AddressError{op, addr, fmt.Sprintf("%d bytes pass the end of the flash's %d KB", n, l.size>>10)}
	}
	return nil
}

// Read fills p from flash.
func (l *Loader) Read(ctx context.Context, addr uint32, p []byte) error {
	if err := l.within(ctx, "read", addr, len(p)); err != nil {
		return err
	}
	for len(p) > 0 {
		n := min(readSize, len(p))
		data, err := l.do(ctx, FlashRead, addr, uint32(n), nil, 0)
		switch {
		case err != nil:
			return fmt.Errorf("read flash at %#08x: %w", addr, err)
		case len(data) != n:
			return &ReplyError{FlashRead, fmt.Sprintf("has %d bytes of %d", len(data), n)}
		}
		copy(p, data)
		addr, p = addr+uint32(n), p[n:]
	}
	return nil
}

// Digest has the flasher make the SHA-256 of a span of flash.
func (l *Loader) Digest(ctx context.Context, s flash.Span) (algorithm string, sum []byte, err error) {
	if err := l.within(ctx, "digest", s.Addr, int(s.Size)); err != nil {
		return "", nil, err
	}
	sum, err = l.do(ctx, FlashDigest, s.Addr, s.Size, nil, time.Duration(uint64(digestPerMB)*uint64(s.Size)>>20))
	switch {
	case err != nil:
		return "", nil, fmt.Errorf("digest %v: %w", s, err)
	case len(sum) != 32:
		return "", nil, &ReplyError{FlashDigest, fmt.Sprintf("has %d bytes, a SHA-256 has 32", len(sum))}
	}
	return "sha256", sum, nil
}

// Erase erases the sectors that hold any of the span, at most those of one block of
// 64 KB at once.
func (l *Loader) Erase(ctx context.Context, s flash.Span) error {
	if err := l.within(ctx, "erase", s.Addr, int(s.Size)); err != nil || s.Size == 0 {
		return err
	}
	end := (s.Addr + s.Size + sectorSize - 1) &^ (sectorSize - 1)
	for at := s.Addr &^ (sectorSize - 1); at < end; {
		n := min(eraseSize-at%eraseSize, end-at)
		if _, err := l.do(ctx, FlashErase, at, n, nil, eraseWork); err != nil {
			return fmt.Errorf("erase %d bytes at %#08x: %w", n, at, err)
		}
		at += n
	}
	return nil
}

// Write programs flash, which must be erased.
func (l *Loader) Write(ctx context.Context, addr uint32, data []byte) error {
	if err := l.within(ctx, "write", addr, len(data)); err != nil || len(data) == 0 {
		return err
	}
	s := &stream{l: l, addr: addr, data: data}
	for {
		if n, err := s.Next(ctx); n == 0 || err != nil {
			return err
		}
	}
}

// Run resets the chip, whose ROM then starts the image at address 0: the strap must not
// be low. The line is at Baud again, as the ROM is.
func (l *Loader) Run(ctx context.Context, entry uint32) error {
	if entry != 0 {
		return &AddressError{"run", entry, "the ROM starts the image at address 0"}
	}
	err := l.Prepare(ctx)
	if err == nil {
		_, err = l.do(ctx, FlashRun, 0, 0, nil, 0)
	}
	if err != nil {
		return fmt.Errorf("start the program: %w", err)
	}
	l.lost, l.flashing = true, false
	return l.setBaud(Baud)
}
