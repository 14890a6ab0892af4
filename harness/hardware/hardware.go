// Package hardware opens real boards behind the contracts of package rig: their
// serial ports, found by what stays the same when they are plugged in again, and
// the modem lines that pull reset and boot strap.
//
// A board is leased while it is open. Its time is the host's. Its power cannot
// be switched, and no probe is wired to it but a sound device before its microphone:
// what needs either says so.
//
// A port that vanishes, as USB devices do when they are enumerated again, is an
// error of class rig, and the next call looks for it again.
package hardware

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"rigor/harness/flash"
	"rigor/harness/flash/loaders"
	"rigor/harness/port"
	"rigor/harness/rig"
	"rigor/harness/timebase"
	"rigor/probes/player"
)

// Board is a real board.
type Board struct {
	config  *rig.BoardConfig
	kind    loaders.Kind
	clock   timebase.Clock
	lease   *rig.Lease
	ports   []*line // each once
	console *line
	loader  *line
	straps  *line // whose modem lines are the straps
	closed  atomic.Bool
}

var (
	_ rig.Board       = (*Board)(nil)
	_ rig.RatedLoader = (*Board)(nil)
)

// Open leases the board that c describes, opens its ports and lets it run.
func Open(rigName string, c *rig.BoardConfig, clock timebase.Clock) (*rig.Station, error) {
	lease, err := rig.Acquire(rig.Leases(), rigName, c.Name, clock.Now())
	if err != nil {
		return nil, &rig.Error{Class: rig.Rig, Board: c.Name, Op: "open", Err: err}
	}
	b, err := newBoard(c, clock)
	if err != nil {
		return nil, errors.Join(&rig.Error{Class: rig.Harness, Board: c.Name, Op: "open", Err: err}, lease.Release())
	}
	b.lease = lease
	if err := b.open(); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	s := &rig.Station{Board: b, Config: c}
	if a := c.Audio; a != nil {
		s.Audio = player.New(player.Config{Command: a.Player, Delay: a.Delay, Within: a.Within}, clock)
	}
	return s, nil
}

// newBoard makes the board and opens nothing.
func newBoard(c *rig.BoardConfig, clock timebase.Clock) (*Board, error) {
	kind, err := loaders.Of(c.Chip)
	if err != nil {
		return nil, err
	}
	b := &Board{config: c, kind: kind, clock: clock}
	b.console = b.line("console", *c.Console.Port, port.Mode{Baud: c.Console.Baud})
	b.loader = b.line("loader", *c.Loader.Port, port.Mode{Baud: c.Loader.Baud, Parity: kind.Parity})
	b.straps = b.line("reset", c.Line(), port.Mode{Baud: c.Loader.Baud})
	return b, nil
}

// line makes a port, or finds the one that has another role already.
func (b *Board) line(role string, at rig.PortConfig, m port.Mode) *line {
	for _, l := range b.ports {
		if l.at.Same(at) {
			return l
		}
	}
	l := &line{board: b.config.Name, role: role, at: at, clock: b.clock, open: openPort, mode: m}
	b.ports = append(b.ports, l)
	return l
}

func (b *Board) open() error {
	for _, l := range b.ports {
		if err := l.connect(); err != nil {
			return &rig.Error{Class: rig.Rig, Board: b.config.Name, Op: "open the " + l.role + "'s port", Err: err}
		}
	}
	return b.idle()
}

// Name is the board's in rigs.yaml.
func (b *Board) Name() string { return b.config.Name }

// Clock is the host's.
func (b *Board) Clock() timebase.Clock { return b.clock }

// Console is the line to the firmware.
func (b *Board) Console() port.Port { return b.console }

// Power is on. Nothing can switch it off.
func (b *Board) Power(ctx context.Context, on bool) error {
	if err := b.usable(ctx, "switch the power of"); err != nil || on {
		return err
	}
	return &rig.Error{Class: rig.Rig, Board: b.Name(), Op: "switch the power off",
		Err: &rig.MissingError{What: "switch for the supply"}}
}

// Reset moves the modem lines as the board's circuit wants it. The mode of a line
// that serves the loader, too, is the console's again when the program starts.
func (b *Board) Reset(ctx context.Context, m rig.BootMode) error {
	if err := b.usable(ctx, "reset"); err != nil {
		return err
	}
	boot := m == rig.BootLoader
	steps := b.config.Reset.Sequence(boot)
	for i, step := range steps {
		if i == len(steps)-1 && !boot && b.console == b.loader {
			if err := b.console.SetMode(port.Mode{Baud: b.config.Console.Baud}); err != nil {
				return errors.Join(err, b.idle())
			}
		}
		if err := b.straps.SetLines(step.Lines); err != nil {
			return err
		}
		if err := b.clock.Sleep(ctx, step.For); err != nil {
			return errors.Join(err, b.idle())
		}
	}
	return nil
}

// idle lets the board go, whatever a reset was about.
func (b *Board) idle() error { return b.straps.SetLines(b.config.Reset.Idle()) }

// Loader resets the board into its boot loader, connects to it, and makes sure
// that the board is the one that rigs.yaml names.
func (b *Board) Loader(ctx context.Context) (flash.Loader, error) {
	return b.LoaderAt(ctx, b.config.Loader.Baud)
}

// LoaderAt is Loader at a rate.
func (b *Board) LoaderAt(ctx context.Context, baud int) (flash.Loader, error) {
	l, err := b.connect(ctx, baud)
	if err != nil {
		return nil, err
	}
	if b.config.UID == "" {
		return l, nil
	}
	uid, err := uniqueID(ctx, l)
	if err == nil && uid != b.config.UID {
		err = &UIDError{Want: b.config.UID, Got: uid}
	}
	if err != nil {
		return nil, b.blame(rig.Rig, "make sure of the board", err)
	}
	return l, nil
}

// UIDError is another board than rigs.yaml names.
type UIDError struct{ Want, Got string }

func (e *UIDError) Error() string {
	return fmt.Sprintf("the chip at these ports has the unique id %s, rigs.yaml names %s: another board is plugged in there", e.Got, e.Want)
}

// connect resets the board into its boot loader and synchronises with it.
func (b *Board) connect(ctx context.Context, baud int) (flash.Loader, error) {
	if err := b.Reset(ctx, rig.BootLoader); err != nil {
		return nil, err
	}
	if err := b.clock.Sleep(ctx, b.kind.Startup); err != nil {
		return nil, err
	}
	l, err := b.kind.Connect(ctx, b.loader, b.clock, baud)
	if err != nil && ctx.Err() == nil {
		err = b.blame(rig.DUT, "connect to the boot loader", err)
	}
	return l, err
}

func uniqueID(ctx context.Context, l flash.Loader) (string, error) {
	part, ok := l.(flash.Identified)
	if !ok {
		return "", errors.New("the boot loader tells no unique id")
	}
	id, err := part.UniqueID(ctx)
	return hex.EncodeToString(id), err
}

// blame classes an error that carries no class yet.
func (b *Board) blame(class rig.Class, op string, err error) error {
	if classed := (*rig.Error)(nil); errors.As(err, &classed) {
		return err
	}
	return &rig.Error{Class: class, Board: b.Name(), Op: op, Err: err}
}

// Close lets the board run its program at its next reset, and gives back its
// ports and its lease.
func (b *Board) Close() error {
	if b.closed.Swap(true) {
		return fmt.Errorf("close board %s: %w", b.Name(), os.ErrClosed)
	}
	if b.straps.connected() {
		b.idle() // best effort: the port may be gone
	}
	var errs []error
	for _, l := range b.ports {
		errs = append(errs, l.Close())
	}
	if b.lease != nil {
		errs = append(errs, b.lease.Release())
	}
	return errors.Join(errs...)
}

// usable is the error of a call that must not begin.
func (b *Board) usable(ctx context.Context, op string) error {
	err := ctx.Err()
	if b.closed.Load() {
		err = os.ErrClosed
	}
	if err != nil {
		return fmt.Errorf("%s board %s: %w", op, b.Name(), err)
	}
	return nil
}

// comeback is how long a port that vanished may take to be there again: a USB
// device is back within some seconds.
const comeback, lookAgain = 5 * time.Second, 100 * time.Millisecond
