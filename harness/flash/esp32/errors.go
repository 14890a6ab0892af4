package esp32

import (
	"fmt"
	"regexp"
	"time"

	"rigor/harness/port"
)

// Code is why the ROM refused a request (Serial Protocol, "ROM Loader Errors").
type Code byte

// InvalidFormat is also the answer to commands that the ROM lacks.
const InvalidFormat Code = 0x05

var codeNames = map[Code]string{
	0x00: "undefined error", 0x01: "invalid parameter", 0x02: "out of memory", 0x03: "send failed", 0x04: "receive failed",
	InvalidFormat: "invalid message, or no such command", 0x06: "result wrong", 0x07: "checksum error",
	0x08: "flash write error: what was written does not read back", 0x09: "flash read error", 0x0A: "flash read length error",
	0x0B: "deflate error", 0x0C: "deflate Adler-32 error", 0x0D: "deflate parameter error",
	0x0E: "invalid RAM binary size", 0x0F: "invalid RAM binary address",
	0x64: "invalid parameter", 0x65: "invalid format", 0x66: "description too long", 0x67: "bad encoding", 0x69: "insufficient storage",
}

func (c Code) String() string {
	if s, ok := codeNames[c]; ok {
		return s
	}
	return "unknown error"
}

// StatusError is a request that the loader answered with an error.
type StatusError struct {
	Command Command
	Code    Code
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%v: the boot loader says %v (%#02x)", e.Command, e.Code, byte(e.Code))
}

// TimeoutError is an answer that did not come.
type TimeoutError struct {
	Command Command
	After   time.Duration
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("%v: no answer from the boot loader in %v", e.Command, e.After.Round(time.Millisecond))
}

// Timeout is true, as for net.Error.
func (e *TimeoutError) Timeout() bool { return true }

// ReplyError is an answer that is none.
type ReplyError struct {
	Command Command
	Reason  string
}

func (e *ReplyError) Error() string {
	return fmt.Sprintf("%v: the boot loader's answer %s", e.Command, e.Reason)
}

// SyncError is a board that does not answer to SYNC.
type SyncError struct {
	Tries int
	Mode  port.Mode
	Boot  string // what the ROM said of its boot mode, if it was heard
}

var bootLine = regexp.MustCompile(`boot:0x[0-9a-f]+ \([A-Z0-9_/]+[^)]*\)`)

func (e *SyncError) Error() string {
	s := fmt.Sprintf("no boot loader answers at %v (%d tries): ", e.Mode, e.Tries)
	if e.Boot != "" {
		return s + "the chip says " + e.Boot + ": GPIO9 was not low, or GPIO8 not high, at the end of reset"
	}
	return s + "check that GPIO9 is low and GPIO8 high at the end of reset, and that the line is on GPIO21 and GPIO20"
}

// AddressError is memory that this package does not touch.
type AddressError struct {
	Op     string
	Addr   uint32
	Reason string
}

func (e *AddressError) Error() string { return fmt.Sprintf("%s at %#08x: %s", e.Op, e.Addr, e.Reason) }

// SecureError is a part whose fuses keep it from being flashed here.
type SecureError struct{ Reason string }

func (e *SecureError) Error() string { return "the part " + e.Reason }
