// Package stm32 speaks to the system boot loader of an STM32F405/407/415/417
// over USART, as the host. It follows AN3155 rev 20 (the protocol), AN2606 rev
// 69 (what this part's loader does, and its start-up time) and DS8626 rev 12
// (the F405/407 data sheet: flash times, of which deadlines are made).
//
// It leaves out the one-byte Erase (0x43) and the Special commands (0x50, 0x51),
// which this part lacks, writing the option bytes, and the other ST parts: their
// sector tables differ.
//
// A command that was begun is waited for to its end, which its deadline bounds:
// the part cannot be stopped in an erase, and a loader left in the middle of a
// command is deaf. Contexts are therefore looked at before each command.
package stm32

import (
	"context"
	"fmt"
	"slices"
	"time"

	"rigor/harness/flash"
	"rigor/harness/port"
	"rigor/harness/timebase"
)

// Baud is the highest rate ST tested the loader at (AN2606).
const Baud = 115200

// Startup is how long after its reset is released the part may take to be ready
// for the first byte. One that comes earlier is measured wrongly and leaves the
// loader deaf until the next reset. AN2606 tables "F40xxx bootloader startup
// timings": 84.59 ms (V3.x), 74 ms and a time-out of the crystal of 96 ms (V9.x).
const Startup = 170 * time.Millisecond

// productID is DBGMCU_IDCODE.DEV_ID of the F405, F407, F415 and F417
// (RM0090 §38.6.1).
const productID = 0x413

// Command is a command code of AN3155 §3, table 2.
type Command byte

const (
	Get              Command = 0x00
	GetVersion       Command = 0x01
	GetID            Command = 0x02
	ReadMemory       Command = 0x11
	Go               Command = 0x21
	WriteMemory      Command = 0x31
	ExtendedErase    Command = 0x44
	WriteProtect     Command = 0x63
	WriteUnprotect   Command = 0x73
	ReadoutProtect   Command = 0x82
	ReadoutUnprotect Command = 0x92
)

var commandNames = map[Command]string{
	Get: "Get", GetVersion: "Get Version", GetID: "Get ID", ReadMemory: "Read Memory", Go: "Go",
	WriteMemory: "Write Memory", ExtendedErase: "Extended Erase",
	WriteProtect: "Write Protect", WriteUnprotect: "Write Unprotect",
	ReadoutProtect: "Readout Protect", ReadoutUnprotect: "Readout Unprotect",
}

func (c Command) String() string {
	if s, ok := commandNames[c]; ok {
		return s
	}
	return fmt.Sprintf("command %#02x", byte(c))
}

// Loader is a boot loader that has answered. It is for one goroutine.
type Loader struct {
	port     port.Port
	clock    timebase.Clock
	mode     port.Mode
	version  byte
	commands []byte
	lost     bool // the loader may be in the middle of a command
}

var (
	_ flash.Loader   = (*Loader)(nil)
	_ flash.Reader   = (*Loader)(nil)
	_ flash.Blocks   = (*Loader)(nil)
	_ flash.Sectored = (*Loader)(nil)
	_ flash.Ceiling  = (*Loader)(nil)

	_ flash.Protector  = (*Loader)(nil)
	_ flash.Identified = (*Loader)(nil)
)

// Connect sets the port to 8E1 at a rate, synchronises with the loader and asks
// for its commands. The board must have been reset into its loader Startup ago
// or longer.
func Connect(ctx context.Context, p port.Port, c timebase.Clock, baud int) (*Loader, error) {
	l := &Loader{port: p, clock: c, mode: port.Mode{Baud: baud, Parity: port.ParityEven}}
	if err := p.SetMode(l.mode); err != nil {
		return nil, fmt.Errorf("set the line to %v: %w", l.mode, err)
	}
	if err := l.sync(ctx); err != nil {
		return nil, err
	}
	if err := l.get(ctx); err != nil {
		return nil, fmt.Errorf("connect to the boot loader: %w", err)
	}
	return l, nil
}

// get asks for the version and the commands (AN3155 §3.1).
func (l *Loader) get(ctx context.Context) error {
	list, err := l.query(ctx, Get)
	if err != nil {
		return err
	}
	l.version, l.commands = list[0], list[1:]
	return nil
}

// Identify asks for the part's product number (AN3155 §3.3). A part whose number
// is not the F407's is given the name "stm32 0x…".
func (l *Loader) Identify(ctx context.Context) (flash.ChipID, error) {
	id, err := l.query(ctx, GetID)
	if err != nil {
		return flash.ChipID{}, err
	}
	c := flash.ChipID{Version: fmt.Sprintf("%d.%d", l.version>>4, l.version&0xF)}
	for _, b := range id {
		c.ID = c.ID<<8 | uint32(b)
	}
	c.Chip = "stm32f407"
	if c.ID != productID {
		c.Chip = fmt.Sprintf("stm32 %#x", c.ID)
	}
	return c, nil
}

// uniqueID is where the part keeps its unique device ID, 96 bits (RM0090 §39.1).
const uniqueID, uniqueIDSize = 0x1FFF_7A10, 12

// UniqueID reads the part's unique device ID, in order of address.
func (l *Loader) UniqueID(ctx context.Context) ([]byte, error) {
	id := make([]byte, uniqueIDSize)
	if err := l.Read(ctx, uniqueID, id); err != nil {
		return nil, fmt.Errorf("read the unique id: %w", err)
	}
	return id, nil
}

// Version asks for the protocol's version, 0x31 for 3.1, and the two option
// bytes, which are zero on USART (AN3155 §3.2).
func (l *Loader) Version(ctx context.Context) (version byte, options [2]byte, err error) {
	if err := l.command(ctx, GetVersion, 0); err != nil {
		return 0, options, err
	}
	var p [3]byte
	if err := l.recv(p[:], GetVersion.String(), l.answer(len(p))); err != nil {
		return 0, options, err
	}
	return p[0], [2]byte(p[1:]), l.ack(step{GetVersion, StageData, 0}, l.answer(1))
}

// query sends a command whose answer tells its own length: the number of bytes
// less one, the bytes, ACK.
func (l *Loader) query(ctx context.Context, c Command) ([]byte, error) {
	if err := l.command(ctx, c, 0); err != nil {
		return nil, err
	}
	p := make([]byte, 1, 1+256)
	if err := l.recv(p, c.String(), l.answer(1)); err != nil {
		return nil, err
	}
	p = p[:int(p[0])+1]
	if err := l.recv(p, c.String(), l.answer(len(p))); err != nil {
		return nil, err
	}
	return p, l.ack(step{c, StageData, 0}, l.answer(1))
}

// supports says whether the loader named the command in its answer to Get.
func (l *Loader) supports(c Command) bool { return slices.Contains(l.commands, byte(c)) }
