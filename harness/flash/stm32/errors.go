package stm32

import (
	"fmt"
	"time"

	"rigor/harness/port"
)

// Stage is the part of a command that the loader answered to.
type Stage uint8

const (
	StageCommand Stage = iota // the code and its complement
	StageAddress
	StageLength // of a read
	StageData   // data, or a list of sectors, and the work on it
)

func (s Stage) String() string { return [...]string{"command", "address", "length", "data"}[s] }

func (s step) String() string { return describe(s.command, s.addr) }

func describe(c Command, addr uint32) string {
	switch c {
	case ReadMemory, WriteMemory, Go:
		return fmt.Sprintf("%v at %#08x", c, addr)
	}
	return c.String()
}

// NACKError is a command that the loader refused.
type NACKError struct {
	Command Command
	Stage   Stage
	Addr    uint32 // of Read Memory, Write Memory and Go
}

// ReadProtected says that the refusal is that of a part with its read protection
// on: it refuses right after the code all commands but Get, Get Version, Get ID
// and Readout Unprotect (AN3155 §3.4).
func (e *NACKError) ReadProtected() bool {
	switch e.Command {
	case Get, GetVersion, GetID, ReadoutUnprotect:
		return false
	}
	return e.Stage == StageCommand
}

func (e *NACKError) Error() string {
	s := fmt.Sprintf("%s: the boot loader refused the %v (NACK)", describe(e.Command, e.Addr), e.Stage)
	if e.ReadProtected() {
		s += ": the part is read protected; unprotect it with Readout Unprotect, which erases the whole flash"
	}
	return s
}

// TimeoutError is an answer that did not come, or not whole.
type TimeoutError struct {
	Op        string
	After     time.Duration
	Got, Want int // bytes
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("%s: no answer from the boot loader in %v (%d of %d bytes)", e.Op, e.After.Round(time.Millisecond), e.Got, e.Want)
}

// Timeout is true, as for net.Error.
func (e *TimeoutError) Timeout() bool { return true }

// UnexpectedError is a byte where ACK or NACK should be.
type UnexpectedError struct {
	Op  string
	Got byte
}

func (e *UnexpectedError) Error() string {
	return fmt.Sprintf("%s: the boot loader answered %#02x, neither ACK nor NACK", e.Op, e.Got)
}

// SyncError is a board that does not answer to 0x7F.
type SyncError struct {
	Tries int
	Mode  port.Mode
}

func (e *SyncError) Error() string {
	return fmt.Sprintf("no boot loader answers at %v (%d tries): check that BOOT0 is high and BOOT1 low at reset, "+
		"that the line is on USART1 or USART3, and reset the board: after a glitch the loader is deaf", e.Mode, e.Tries)
}

// UnsupportedError is a command that this boot loader did not list.
type UnsupportedError struct{ Command Command }

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("this boot loader has no %v (%#02x)", e.Command, byte(e.Command))
}

// AddressError is memory that this package does not touch.
type AddressError struct {
	Op     string
	Addr   uint32
	Reason string
}

func (e *AddressError) Error() string { return fmt.Sprintf("%s at %#08x: %s", e.Op, e.Addr, e.Reason) }
