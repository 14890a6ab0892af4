package k210

import (
	"context"
	"errors"
	"fmt"

	"rigor/harness/flash"
)

const (
	magic    = "RIG1"    // the flasher's greeting begins with it
	infoSize = 4 + 4 + 8 // magic, kind of flash chip, its unique id
	ramBlock = 1024      // what kflash gives the ROM at once
)

// Prepare puts the Flasher into the chip's RAM, starts it and changes to the rate that
// was wanted, unless that is done. All that touches flash does so by itself.
func (l *Loader) Prepare(ctx context.Context) error {
	if err := ctx.Err(); err != nil || l.flashing {
		return err
	}
	if l.Flasher == nil {
		return errors.New("the ROM writes no flash, and there is no program to put into RAM that does")
	}
	if err := l.settleROM(ctx); err != nil {
		return err
	}
	for _, s := range l.Flasher.Segments {
		if err := l.load(ctx, s); err != nil {
			l.lost = true
			return fmt.Errorf("load the flasher to %#08x: %w", s.Addr, err)
		}
	}
	if err := l.start(ctx); err != nil {
		return &StartError{err}
	}
	l.flashing = true
	if l.baud == l.mode.Baud {
		return nil
	}
	return l.changeBaud(ctx)
}

// settleROM makes sure that what the ROM says next answers what it is asked next.
func (l *Loader) settleROM(ctx context.Context) error {
	if !l.lost {
		return nil
	}
	if err := l.drain(ctx); err != nil {
		return err
	}
	return l.greet(ctx)
}

// load fills RAM.
func (l *Loader) load(ctx context.Context, s flash.Segment) error {
	for at := 0; at < len(s.Data); at += ramBlock {
		if err := ctx.Err(); err != nil {
			return err
		}
		data := s.Data[at:min(at+ramBlock, len(s.Data))]
		if err := l.rom(MemoryWrite, s.Addr+uint32(at), uint32(len(data)), data); err != nil {
			return err
		}
	}
	return nil
}

// start runs what was loaded. Whether the ROM answers before it jumps is not known;
// the flasher greets by itself, and when it is greeted.
func (l *Loader) start(ctx context.Context) error {
	if err := l.send(request(MemoryBoot, 0, l.Flasher.Entry, 0, nil)); err != nil {
		return err
	}
	err := l.meet(0)
	for range greetTries {
		if timeout := (*TimeoutError)(nil); !errors.As(err, &timeout) || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		err = l.greetFlasher()
	}
	return err
}

func (l *Loader) greetFlasher() error {
	number, err := l.ask(FlashGreet, 0, 0, nil)
	if err == nil {
		err = l.meet(number)
	}
	return err
}

// meet awaits the flasher's greeting, and learns of the flash chip from it.
func (l *Loader) meet(number uint16) error {
	data, err := l.answer(FlashGreet, number, greetWait)
	if err != nil {
		return err
	}
	if len(data) < infoSize || string(data[:4]) != magic {
		return &ReplyError{FlashGreet, fmt.Sprintf("is % X, the flasher's begins with %q", data, magic)}
	}
	l.unique = [8]byte(data[8:])
	l.size, err = sizeOf([3]byte(data[4:]))
	return err
}

// sizeOf reads the size out of an identification: its third byte is the logarithm, by
// the makers' custom.
func sizeOf(jedec [3]byte) (uint32, error) {
	if log := jedec[2]; log >= 0x12 && log <= 0x18 {
		return 1 << log, nil
	}
	return 0, fmt.Errorf("the flash identifies as % X, which tells no size from 256 KB to 16 MB: no flash, or one that does not answer", jedec)
}

// changeBaud has the flasher answer at the old rate and go to the new one.
func (l *Loader) changeBaud(ctx context.Context) error {
	if _, err := l.do(ctx, FlashBaud, 0, 4, words(uint32(l.baud)), 0); err != nil {
		return fmt.Errorf("change to %d baud: %w", l.baud, err)
	}
	if err := l.setBaud(l.baud); err != nil {
		return err
	}
	if err := l.drain(ctx); err != nil {
		return err
	}
	if err := l.greetFlasher(); err != nil {
		return fmt.Errorf("after the change to %d baud: %w", l.baud, err)
	}
	return nil
}
