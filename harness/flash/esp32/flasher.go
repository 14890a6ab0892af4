package esp32

import (
	"context"
	"fmt"

	"rigor/harness/flash"
)

// What differs when a flasher answers and not the ROM: see firmware/flasher, whose
// replies are of the ROM's form.
const (
	// greeting is the value of its first packet, as a reply to MEM_END, and of
	// its replies to SYNC.
	greeting = 0x3147_4952 // "RIG1"
	// ahead is how many blocks may be under way to it: it acknowledges each before
	// it is written, and has room for so many meanwhile, were each byte an escape.
	ahead           = 15
	flasherReadSize = 4096
)

// ramBlock is what the ROM takes in one packet for RAM (esptool's ESP_RAM_BLOCK).
const ramBlock = 0x1800

// StartError is a flasher that was loaded into RAM and gave no sign of life. The
// chip must be reset to get its loader back.
type StartError struct{ Err error }

func (e *StartError) Error() string {
	return fmt.Sprintf("the flasher in RAM does not start: %v; a board with rom_loader: true is flashed without it", e.Err)
}

func (e *StartError) Unwrap() error { return e.Err }

// Prepare puts the Flasher into the chip's RAM and starts it, unless it runs or
// there is none. From then on it answers, at the rate of the line.
func (l *Loader) Prepare(ctx context.Context) error {
	if l.Flasher == nil || l.flashing {
		return nil
	}
	for _, s := range l.Flasher.Segments {
		if err := l.load(ctx, s); err != nil {
			return fmt.Errorf("load the flasher to %#08x: %w", s.Addr, err)
		}
	}
	return l.start(ctx, l.Flasher.Entry)
}

// load fills RAM.
func (l *Loader) load(ctx context.Context, s flash.Segment) error {
	n := len(s.Data)
	if _, err := l.do(ctx, MemBegin, words(uint32(n), uint32((n+ramBlock-1)/ramBlock), ramBlock, s.Addr), 0); err != nil {
		return err
	}
	for seq := 0; seq*ramBlock < n; seq++ {
		data := s.Data[seq*ramBlock : min((seq+1)*ramBlock, n)]
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := l.exchange(MemData, block(MemData, seq, data), 0); err != nil {
			return err
		}
	}
	return nil
}

// start runs what was loaded. The ROM's reply may be lost (Serial Protocol, MEM_END),
// the flasher's greeting may not.
func (l *Loader) start(ctx context.Context, entry uint32) error {
	const run = 0
	r, err := l.do(ctx, MemEnd, words(run, entry), 0)
	if err == nil && r.value != greeting {
		r, err = l.answer(MemEnd, processing)
	}
	if err == nil && r.value != greeting {
		err = &ReplyError{MemEnd, fmt.Sprintf("is %#08x, the flasher's is %#08x", r.value, uint32(greeting))}
	}
	if err != nil {
		return &StartError{err}
	}
	l.flashing = true
	return nil
}
