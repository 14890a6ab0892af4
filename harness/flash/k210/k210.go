// Package k210 speaks to the ISP loader in the boot ROM of a Kendryte K210 over UART,
// as the host. Canaan does not describe the protocol: it is what kflash.py 0.8.3, their
// client, sends, and what the ROM answers.
//
// The ROM fills RAM and jumps there, no more: flash is written by a program of ours
// (firmware/flasher), which is put into RAM first and speaks with the same framing.
//
// The package leaves out the ROM's command to change its rate, C6, of which nobody says
// at which rate it is answered; the rate is the program's affair. Parts whose fuses
// forbid ISP do not answer.
//
// A request that was begun is waited for to its end, which its deadline bounds;
// contexts are looked at before each.
package k210

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

// Baud is the rate at which the ROM and a program fresh in RAM are spoken to.
const Baud = 115200

// Startup is how long after the end of its reset the ROM may take until it listens.
// Before that it reads its strap: by what works with kflash, between 50 ms and 90 ms
// after reset.
const Startup = 100 * time.Millisecond

// Op is an operation of the protocol.
type Op byte

// Of the ROM.
const (
	Greet       Op = 0xC2
	MemoryWrite Op = 0xC3
	MemoryBoot  Op = 0xC5
)

// Of the program in RAM. Those that kflash's has, too, have its numbers.
const (
	FlashGreet  Op = 0xD2
	FlashErase  Op = 0xD3
	FlashWrite  Op = 0xD4
	FlashRun    Op = 0xD5
	FlashBaud   Op = 0xD6
	FlashRead   Op = 0xD8
	FlashFlush  Op = 0xD9
	FlashDigest Op = 0xDA
)

var opNames = map[Op]string{
	Greet: "greeting", MemoryWrite: "memory write", MemoryBoot: "memory boot",
	FlashGreet: "flasher's greeting", FlashErase: "flash erase", FlashWrite: "flash write", FlashRun: "run", FlashBaud: "change of baud",
	FlashRead: "flash read", FlashFlush: "flash flush", FlashDigest: "flash digest",
}

func (o Op) String() string {
	if s, ok := opNames[o]; ok {
		return s
	}
	return fmt.Sprintf("operation %#02x", byte(o))
}

// Loader is a boot loader that has answered. It is for one goroutine.
type Loader struct {
	// Flasher is the program that Prepare puts into RAM. Without it there is no flash.
	Flasher *flash.Image

	port  port.Port
	clock timebase.Clock
	mode  port.Mode
	baud  int // of the flasher, in the end

	in     slip.Reader
	number uint16 // of the last request to the flasher

	lost     bool // the ROM's answers may be under way
	flashing bool // the flasher answers
	spoilt   bool // and refuses to write until it is flushed
	behind   int  // bytes of requests that may be under way to it

	unique [8]byte // of the flash chip, as the flasher says
	size   uint32
}

var (
	_ flash.Loader   = (*Loader)(nil)
	_ flash.Reader   = (*Loader)(nil)
	_ flash.Digester = (*Loader)(nil)
	_ flash.Blocks   = (*Loader)(nil)
	_ flash.Streamer = (*Loader)(nil)
	_ flash.Preparer = (*Loader)(nil)
	_ flash.Ceiling  = (*Loader)(nil)

	_ flash.Identified = (*Loader)(nil)
)

// Connect greets the ROM of a board that was reset into it Startup ago or longer. The
// rate is that of the flasher; the ROM and the flasher's first words are at Baud.
func Connect(ctx context.Context, p port.Port, c timebase.Clock, baud int) (*Loader, error) {
	l := &Loader{port: p, clock: c, baud: baud, in: newReader()}
	if err := l.setBaud(Baud); err != nil {
		return nil, err
	}
	if err := l.greet(ctx); err != nil {
		return nil, err
	}
	return l, nil
}

// setBaud sets this end of the line.
func (l *Loader) setBaud(baud int) error {
	l.mode.Baud = baud
	if err := l.port.SetMode(l.mode); err != nil {
		return fmt.Errorf("set the line to %v: %w", l.mode, err)
	}
	return nil
}

// greet repeats the ROM's greeting until it is answered.
func (l *Loader) greet(ctx context.Context) error {
	for range greetTries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := l.send(greeting(Greet, 0)); err != nil {
			return fmt.Errorf("greet the boot loader: %w", err)
		}
		_, err := l.answer(Greet, 0, greetWait)
		if timeout := (*TimeoutError)(nil); !errors.As(err, &timeout) {
			l.lost = l.lost && err != nil
			return err
		}
	}
	return &GreetError{Tries: greetTries, Mode: l.mode}
}

// Identify has the ROM or the flasher answer. Neither tells of the chip: who answers
// so is a K210, and there is no number.
func (l *Loader) Identify(ctx context.Context) (flash.ChipID, error) {
	id := flash.ChipID{Chip: "k210", Version: "ISP in ROM"}
	var err error
	if l.flashing {
		_, err = l.do(ctx, FlashGreet, 0, 0, nil, 0)
	} else if err = l.settleROM(ctx); err == nil {
		err = l.greet(ctx)
	}
	if err != nil {
		return flash.ChipID{}, fmt.Errorf("identify: %w", err)
	}
	return id, nil
}

// UniqueID is the flash chip's, as it comes out of it: the K210 has none itself.
func (l *Loader) UniqueID(ctx context.Context) ([]byte, error) {
	if err := l.Prepare(ctx); err != nil {
		return nil, fmt.Errorf("read the flash chip's unique id: %w", err)
	}
	return l.unique[:], nil
}

// Ceiling is what the line carries at the flasher's rate, a byte in ten bits.
func (l *Loader) Ceiling() uint64 { return uint64(l.baud) / bitsPerByte }

// words are 32-bit numbers as the protocol has them.
func words(w ...uint32) []byte {
	var p []byte
	for _, v := range w {
		p = binary.LittleEndian.AppendUint32(p, v)
	}
	return p
}
