package k210

import (
	"fmt"
	"time"

	"rigor/harness/port"
)

// Reason is how the loader took a request.
type Reason byte

// The reasons.
const (
	OK          Reason = 0xE0
	BadLength   Reason = 0xE1
	BadChecksum Reason = 0xE2
	NoSuchOp    Reason = 0xE3
	BadInit     Reason = 0xE4
	ExecError   Reason = 0xE5
)

var reasonNames = map[Reason]string{
	0: "nothing of it", OK: "yes", BadLength: "bad length or address", BadChecksum: "bad checksum", NoSuchOp: "no such command",
	BadInit: "no flash chip answers", ExecError: "the flash chip did not do it",
}

func (r Reason) String() string {
	if s, ok := reasonNames[r]; ok {
		return s
	}
	return "a reason that nobody knows"
}

// ReasonError is a request that the loader refused.
type ReasonError struct {
	Op     Op
	Reason Reason
}

func (e *ReasonError) Error() string {
	return fmt.Sprintf("%v: the boot loader says %v (%#02x)", e.Op, e.Reason, byte(e.Reason))
}

// TimeoutError is an answer that did not come.
type TimeoutError struct {
	Op    Op
	After time.Duration
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("%v: no answer from the boot loader in %v", e.Op, e.After.Round(time.Millisecond))
}

// Timeout is true, as for net.Error.
func (e *TimeoutError) Timeout() bool { return true }

// ReplyError is an answer that is none.
type ReplyError struct {
	Op     Op
	Reason string
}

func (e *ReplyError) Error() string {
	return fmt.Sprintf("%v: the boot loader's answer %s", e.Op, e.Reason)
}

// GreetError is a board that does not answer the greeting.
type GreetError struct {
	Tries int
	Mode  port.Mode
}

func (e *GreetError) Error() string {
	return fmt.Sprintf("no boot loader answers at %v (%d tries): check that IO16 is low from the end of reset on for 100 ms, and that the line is on IO5 and IO4",
		e.Mode, e.Tries)
}

// StartError is a flasher that was put into RAM and gave no sign of life. The chip must
// be reset to get its loader back.
type StartError struct{ Err error }

func (e *StartError) Error() string {
	return fmt.Sprintf("the flasher in RAM does not start: %v", e.Err)
}

func (e *StartError) Unwrap() error { return e.Err }

// AddressError is memory that this package does not touch.
type AddressError struct {
	Op     string
	Addr   uint32
	Reason string
}

func (e *AddressError) Error() string { return fmt.Sprintf("%s at %#08x: %s", e.Op, e.Addr, e.Reason) }
