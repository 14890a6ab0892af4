// Package device makes a machine of the fault engine from a simulated board that
// runs the update system of firmware/ota, unchanged, with the host's own client as
// the one who updates it; and the judge who reads that board's flash.
//
// Left out: updates over the network; and what RAM holds at power-on is one content
// only, that of the board's seed.
package device

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"rigor/firmware/wire"
	wireota "rigor/firmware/wire/ota"

	device "rigor/firmware/ota"
	"rigor/harness/faults"
	"rigor/harness/flash"
	"rigor/harness/ota"
	"rigor/harness/rig"
	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/harness/timebase"
	"rigor/harness/virtual"
)

// pushes is within how many an update has to be done.
const pushes = 3

// patience is how long a device may take to say hello: some attempts of a trial
// that each end by the watchdog, with a verification each, at the slowest.
const patience = 60 * clock.Second

// Machine is a simulated board and who updates it.
type Machine struct {
	board.Nonvolatile
	sim    *board.Board
	line   *line
	pack   *ota.Package
	size   int
	report faults.Report // of the last start
}

var _ faults.Machine = (*Machine)(nil)

// New opens the board that c describes, with what a factory put into its flash
// (Intel hex) and nothing else, without power. Update brings the package onto it.
func New(c *rig.BoardConfig, factory []byte, p *ota.Package) (*Machine, error) {
	part, err := flash.PartOf(c.Chip)
	if err != nil {
		return nil, err
	}
	image, err := flash.Read(factory, part)
	if err != nil {
		return nil, err
	}
	station, err := virtual.Open(c)
	if err != nil {
		return nil, err
	}
	b := station.Board.(*virtual.Board)
	chip, ok := b.Sim().Chip().(board.Nonvolatile)
	l := device.LayoutOf(c.Chip)
	if !ok || l == nil {
		return nil, fmt.Errorf("the %s takes no updates here", c.Chip)
	}
	m := &Machine{Nonvolatile: chip, sim: b.Sim(), line: newLine(b, chip), pack: p, size: int(end(l))}
	m.sim.SetPower(false)
	for _, s := range image.Segments {
		m.SetCells(s.Addr-part.Memory[0].Addr, s.Data)
	}
	for _, a := range []device.Area{l.Journal[0], l.Journal[1], l.Staging} {
		chip.FineFlash(a.Off, a.Size)
	}
	return m, nil
}

// end is where the update system's flash ends: no one writes beyond it.
func end(l *device.Layout) uint32 { return max(l.Slots[1].End(), l.Staging.End()) }

// FlashSize is the size of the part that the update system has.
func (m *Machine) FlashSize() int { return m.size }

// WatchFlash tells w what happens there.
func (m *Machine) WatchFlash(w board.FlashWatcher) {
	if w != nil {
		w = within{w, uint32(m.size)}
	}
	m.Nonvolatile.WatchFlash(w)
}

// within watches the first part of a flash.
type within struct {
	board.FlashWatcher
	size uint32
}

func (w within) FlashRead(off, n uint32) {
	if off < w.size {
		w.FlashWatcher.FlashRead(off, min(n, w.size-off))
	}
}

// Power switches the supply.
func (m *Machine) Power(on bool) {
	m.report = faults.Report{}
	m.sim.SetPower(on)
}

// ResetAt resets the chip at a time to come.
func (m *Machine) ResetAt(at clock.Time, kind board.ResetKind) {
	m.line.resetAt, m.line.kind = at, kind
}

// snapshot is the board, and what its host knows.
type snapshot struct {
	sim    *board.Snapshot
	report faults.Report
}

// Snapshot copies the board.
func (m *Machine) Snapshot() any { return snapshot{m.sim.Snapshot(), m.report} }

// Restore puts a copy back.
func (m *Machine) Restore(s any) {
	m.sim.Restore(s.(snapshot).sim)
	m.report = s.(snapshot).report
	m.line.resetAt = clock.NeverTime
}

// Boot waits for hello.
func (m *Machine) Boot(ctx context.Context) (faults.Report, error) {
	err := Listen(ctx, ota.Serial(m.line, m.line, nil), m.line.time(m.sim.Now()+patience), &m.report)
	return m.report, err
}

// Listen takes in what a start tells of itself, until hello, or until the boot program says that it has
// nothing to run, or the deadline.
func Listen(ctx context.Context, link ota.Link, deadline time.Time, r *faults.Report) error {
	for {
		f, err := link.Receive(deadline)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, os.ErrDeadlineExceeded) || stopped(err):
			return nil
		case err != nil:
			return err
		case f.Type == wireota.TypeBoot:
			if b, err := wireota.ParseBoot(f.Payload); err == nil {
				*r = reportOf(b)
			}
			if r.Slot < 0 {
				return nil
			}
		case f.Type == wire.TypeHello:
			r.Alive = true
			return nil
		}
	}
}

// stopped tells whether a program locked its core up, which is the program's fault.
func stopped(err error) bool {
	var failure *rig.Error
	return errors.As(err, &failure) && failure.Class == rig.Firmware
}

// reportOf is a boot program's report in the fault engine's terms. Hello it cannot tell of.
func reportOf(b wireota.Boot) faults.Report {
	r := faults.Report{Slot: int(b.Slot), Why: b.Why.String(), Version: b.Version, Update: b.Update}
	if b.Attempt > 0 {
		r.Why += fmt.Sprintf(" %d", b.Attempt)
	}
	if b.Slot == wireota.NoSlot {
		r.Slot = -1
	}
	return r
}

// Update pushes the package until the device runs it, confirmed.
func (m *Machine) Update(ctx context.Context) (faults.Outcome, error) {
	return Push(ctx, m.line, func() ota.Link { return ota.Serial(m.line, m.line, nil) }, m.pack, &m.report, func() bool { return false })
}

// Push pushes a package over links until the device runs it, confirmed, or is gone, in so many pushes as an
// update may take. It keeps the report of the last start.
func Push(ctx context.Context, clock timebase.Clock, link func() ota.Link, p *ota.Package, r *faults.Report, gone func() bool) (o faults.Outcome, err error) {
	for o.Pushes = 1; ; o.Pushes++ {
		c := &ota.Client{Link: link(), Clock: clock, Token: uint16(o.Pushes) << 12}
		_, err := c.Push(ctx, p)
		if b := c.Boot(); b != nil {
			*r = reportOf(*b)
		}
		r.Alive = !silent(err)
		o.Report, o.Done = *r, err == nil
		var port *ota.PortError
		switch {
		case o.Done || gone():
			return o, nil
		case ctx.Err() != nil || errors.As(err, &port) && !stopped(err):
			return o, err
		}
		o.Err = err.Error()
		if o.Pushes == pushes {
			return o, nil
		}
	}
}

// silent tells whether a push ended because nothing came back.
func silent(err error) bool {
	var timeout *ota.TimeoutError
	return errors.As(err, &timeout) || stopped(err)
}
