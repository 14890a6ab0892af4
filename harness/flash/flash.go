// Package flash puts a firmware image into a board: it reads images (raw
// binary, Intel hex, ELF), and programs and verifies them through a Loader,
// which speaks one boot loader's protocol.
package flash

import (
	"context"
	"fmt"
)

// ChipID is what a boot loader says of the part it runs on.
type ChipID struct {
	Chip    string // stm32f407, esp32c3 or k210
	ID      uint32 // the part's own number, such as 0x413; 0: it has none
	Version string // of the boot loader
}

func (c ChipID) String() string {
	if c.ID == 0 {
		return fmt.Sprintf("%s (boot loader %s)", c.Chip, c.Version)
	}
	return fmt.Sprintf("%s (id %#x, boot loader %s)", c.Chip, c.ID, c.Version)
}

// Span is a range of the target's addresses.
type Span struct{ Addr, Size uint32 }

// Loader is one boot loader's protocol, spoken to a board that is in it.
type Loader interface {
	Identify(ctx context.Context) (ChipID, error)
	// Erase erases at least the span, in the part's own units.
	Erase(ctx context.Context, s Span) error
	Write(ctx context.Context, addr uint32, data []byte) error
	// Run leaves the loader and starts the program whose vectors or first
	// instruction are at entry.
	Run(ctx context.Context, entry uint32) error
}

// Reader is a Loader that can read memory back.
type Reader interface {
	Read(ctx context.Context, addr uint32, p []byte) error
}

// Digester is a Loader whose target can digest its own memory.
type Digester interface {
	Digest(ctx context.Context, s Span) (algorithm string, sum []byte, err error)
}

// Identified is a Loader of a part that has an identification of its own.
type Identified interface {
	UniqueID(ctx context.Context) ([]byte, error)
}

// Protector is a Loader that can turn the part's read protection on and off.
// Turning it off erases all of the flash. A refusal for being read protected is
// an error with a method ReadProtected that returns true.
type Protector interface {
	ReadoutProtect(ctx context.Context) error
	ReadoutUnprotect(ctx context.Context) error
}
