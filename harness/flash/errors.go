package flash

import "fmt"

// Error is a Program that went wrong: in which phase, and at which address.
// What was written before it stays in the part.
type Error struct {
	Phase Phase
	Addr  uint32
	Err   error
}

func (e *Error) Error() string {
	if e.Phase < PhaseErase {
		return fmt.Sprintf("flash not begun: %v: %v", e.Phase, e.Err)
	}
	return fmt.Sprintf("flash went wrong: %v at %#08x: %v", e.Phase, e.Addr, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// ChipError is a board that carries another chip than was asked for.
type ChipError struct {
	Want string
	Got  ChipID
}

func (e *ChipError) Error() string {
	return fmt.Sprintf("board is a %v, want %s: nothing was erased", e.Got, e.Want)
}

// VerifyError is memory that does not hold what was written.
type VerifyError struct {
	Addr       uint32 // of the first byte that differs
	Want, Got  byte
	Differ, Of int // bytes that differ in the block of Of bytes
}

func (e *VerifyError) Error() string {
	return fmt.Sprintf("read back %#02x at %#08x, wrote %#02x (%d of the block's %d bytes differ)",
		e.Got, e.Addr, e.Want, e.Differ, e.Of)
}

// DigestError is memory whose digest is not that of what was written.
type DigestError struct {
	Span      Span
	Algorithm string
	Want, Got []byte
}

func (e *DigestError) Error() string {
	return fmt.Sprintf("%s of %v is %x, want %x", e.Algorithm, e.Span, e.Got, e.Want)
}
