package stm32

import (
	"context"
	"time"
)

// WriteProtect protects sectors by number (AN3155 §3.9); the part resets and the
// loader is synchronised anew. The loader does not refuse wrong numbers.
func (l *Loader) WriteProtect(ctx context.Context, sectors []byte) error {
	if len(sectors) == 0 || len(sectors) > blockSize {
		return &AddressError{WriteProtect.String(), 0, "the list must be of 1 to 256 sectors"}
	}
	if err := l.command(ctx, WriteProtect, 0); err != nil {
		return err
	}
	p := append([]byte{byte(len(sectors) - 1)}, sectors...)
	if err := l.request(append(p, xor(p)), step{WriteProtect, StageData, 0}, optionBytesMax); err != nil {
		return err
	}
	return l.restart(ctx, 0)
}

// WriteUnprotect lifts the write protection of all sectors (AN3155 §3.10); the
// part resets and the loader is synchronised anew.
func (l *Loader) WriteUnprotect(ctx context.Context) error {
	return l.protection(ctx, WriteUnprotect, optionBytesMax, 0)
}

// ReadoutProtect turns read protection on (AN3155 §3.11); the part resets and
// the loader is synchronised anew.
func (l *Loader) ReadoutProtect(ctx context.Context) error {
	return l.protection(ctx, ReadoutProtect, optionBytesMax, 0)
}

// ReadoutUnprotect turns read protection off, which ERASES ALL OF THE FLASH
// (AN3155 §3.12); the part resets and the loader is synchronised anew. Since
// loaders differ in whether they answer before or after the erase, a mass
// erase's longest time is waited for in any case.
func (l *Loader) ReadoutUnprotect(ctx context.Context) error {
	return l.protection(ctx, ReadoutUnprotect, massEraseMax, massEraseMax)
}

// optionBytesMax bounds the change of the option bytes, which costs an erase of
// their area: no more than the smallest sector's.
const optionBytesMax = 800 * time.Millisecond

// protection sends a command without a payload that the loader acknowledges
// twice, and awaits its reset.
func (l *Loader) protection(ctx context.Context, c Command, work, after time.Duration) error {
	if err := l.command(ctx, c, 0); err != nil {
		return err
	}
	if err := l.ack(step{c, StageData, 0}, l.answer(1)+work); err != nil {
		return err
	}
	return l.restart(ctx, after)
}

// restart synchronises with a loader whose part resets itself.
func (l *Loader) restart(ctx context.Context, after time.Duration) error {
	l.lost = true
	if err := l.clock.Sleep(ctx, after+Startup); err != nil {
		return err
	}
	return l.sync(ctx)
}
