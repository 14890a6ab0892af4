// Package virtual opens the boards of a virtual rig: a thin seam between the
// contracts of package rig and the simulated silicon below harness/sim. It
// converts time and errors and adds nothing of its own.
//
// A virtual board is passive: nothing happens between calls. Its time moves in
// the clock's Sleep, in a Read that has nothing to give yet, in a SetMode that
// waits for bytes to leave, and in Reset and Loader; two runs with the same
// input give the same bytes at the same picosecond.
//
// A chip that cannot go on (its core locked up, or the program needs what is
// not modelled) ends what waits for it with an error that says so, until the
// next reset.
package virtual

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"rigor/harness/flash"
	"rigor/harness/flash/loaders"
	"rigor/harness/port"
	"rigor/harness/rig"
	"rigor/harness/sim/bme280"
	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/soc/esp32c3"
	"rigor/harness/sim/soc/k210"
	"rigor/harness/sim/soc/stm32f407"
	"rigor/harness/timebase"
	"rigor/probes"
	probe "rigor/probes/virtual"
	"rigor/probes/virtual/accesspoint"
)

// Epoch is the date at which every virtual board begins.
var Epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Names of the bridges, as they show in messages.
const (
	consoleName = "console"
	loaderName  = "loader"
)

// microphoneName is that of the microphone.
const microphoneName = "microphone"

// resetPulse is how long Reset holds the reset pin: well above the 300 ns
// that DS8626 table 51 asks of an STM32F407's, and the 20 us that the part makes of
// it, and the 50 us that the ESP32-C3's datasheet asks (§2.4). The K210's asks nothing.
const resetPulse = time.Millisecond

// Board is a simulated board behind the rig's contract.
type Board struct {
	name    string
	sim     *board.Board
	kind    loaders.Kind
	strap   strap
	console *line
	loader  *line // may be the same
	wires   map[probes.Line]probe.Wire
	usual   port.Mode     // of the console
	baud    int           // of the loader
	rise    time.Duration // of the reset pin
	cutAt   clock.Time    // when the supply fails
	closed  bool
}

var (
	_ rig.Board       = (*Board)(nil)
	_ rig.Caveater    = (*Board)(nil)
	_ rig.RatedLoader = (*Board)(nil)
	_ rig.PowerCutter = (*Board)(nil)
)

// silicon is a chip that rigs.yaml may name, with the strap that sends it into its
// boot loader, and the pins that every board pulls up.
type silicon struct {
	make  func(*rig.BoardConfig) board.Chip
	strap strap
	pulls []string
}

// strap is a pin, and whether it selects the boot loader when low.
type strap struct {
	pin string
	low bool
}

var chips = map[string]silicon{
	"stm32f407": {make: newF407, strap: strap{pin: "BOOT0"}},
	// GPIO8 must not be low when GPIO9 is (datasheet §3.1).
	"esp32c3": {make: newC3, strap: strap{pin: "GPIO9", low: true}, pulls: []string{"GPIO8"}},
	"k210":    {make: newK210, strap: strap{pin: "IO16", low: true}},
}

func newF407(c *rig.BoardConfig) board.Chip {
	return stm32f407.New(stm32f407.Options{
		UID: uniqueID(c.Seed), HSEHz: uint64(c.CrystalHz), NoHSE: c.CrystalHz == 0, Seed: c.Seed,
	})
}

func newC3(c *rig.BoardConfig) board.Chip {
	return esp32c3.New(esp32c3.Options{MAC: macAddress(c.Seed), Seed: c.Seed})
}

func newK210(c *rig.BoardConfig) board.Chip {
	id := uniqueID(c.Seed)
	return k210.New(k210.Options{FlashID: [8]byte(id[:]), Seed: c.Seed})
}

// uniqueID gives each seed a part of its own.
func uniqueID(seed uint64) [12]byte {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("unique id"), seed))
	return [12]byte(sum[:])
}

// macAddress does so with an address of nobody's: a locally administered one.
func macAddress(seed uint64) [6]byte {
	id := uniqueID(seed)
	return [6]byte{0x02, id[0], id[1], id[2], id[3], id[4]}
}

// Open makes the board that c describes, powered and running what is in its
// flash, and puts the virtual probes on its lines.
func Open(c *rig.BoardConfig) (*rig.Station, error) {
	kind, ok := chips[c.Chip]
	if !ok {
		return nil, &rig.Error{Class: rig.Harness, Board: c.Name, Op: "open",
			Err: fmt.Errorf("chip %q is not simulated; those that are: %v", c.Chip, slices.Sorted(maps.Keys(chips)))}
	}
	s, err := assemble(c, kind)
	if err != nil {
		return nil, &rig.Error{Class: rig.Rig, Board: c.Name, Op: "wire the board", Err: err}
	}
	return s, nil
}

// assemble puts the chip on a board as c says, and switches it on.
func assemble(c *rig.BoardConfig, kind silicon) (*rig.Station, error) {
	chip := kind.make(c)
	sensors := sensorsOf(c)
	sim, err := board.New(chip, wiringOf(c, kind.strap, sensors))
	if err != nil {
		return nil, err
	}
	for _, name := range kind.pulls {
		pin, err := chip.PinByName(name)
		if err != nil {
			return nil, err
		}
		sim.Drive(pin, board.Drive{Kind: board.PullUp})
	}
	wires, err := wiresOf(chip, c.Lines)
	if err != nil {
		return nil, err
	}
	b, err := newBoard(c, sim, kind.strap)
	if err != nil {
		return nil, err
	}
	b.wires = wires
	p := probe.New(sim, wires)
	s := &rig.Station{Board: b, Config: c, Capturer: p, Driver: p, Source: p, Meter: p, Faults: p}
	if radio, ok := chip.(board.Radio); ok && c.AccessPoint {
		ap := accesspoint.New(radio, sim.Now, accesspoint.Options{Epoch: Epoch, Seed: c.Seed})
		s.AP, s.Net = ap, ap
	}
	if c.Microphone != nil {
		s.Audio = probe.NewAudio(sim, sim.Microphone(microphoneName), b.Clock())
	}
	s.Targets = map[string]probes.BusTarget{}
	for model, sensor := range sensors {
		s.Targets[model] = probe.NewTarget(sim, sim.Target(model), sensor)
	}
	sim.SetPower(true)
	return s, nil
}

// newBoard opens the adapters.
func newBoard(c *rig.BoardConfig, sim *board.Board, boot strap) (*Board, error) {
	kind, err := loaders.Of(c.Chip)
	if err != nil {
		return nil, err
	}
	b := &Board{
		name: c.Name, sim: sim, kind: kind, strap: boot,
		usual: port.Mode{Baud: c.Console.Baud}, baud: c.Loader.Baud, cutAt: clock.NeverTime,
	}
	b.console = &line{b: b, bridge: sim.Bridge(consoleName)}
	b.loader = b.console
	if !c.OneUART() {
		b.loader = &line{b: b, bridge: sim.Bridge(loaderName)}
	}
	if c.Reset != nil {
		b.rise = c.Reset.Rise
		for _, l := range []*line{b.console, b.loader} {
			l.modem = true
			l.bridge.SetLines(c.Reset.Invert, c.Reset.Invert) // no strap acts
		}
	}
	return b, b.console.SetMode(b.usual)
}

// sensorsOf makes the devices on the board's I2C buses, by their models.
func sensorsOf(c *rig.BoardConfig) map[string]*bme280.Sensor {
	all := map[string]*bme280.Sensor{}
	for model, t := range c.Targets {
		all[model] = bme280.New(t.Address, c.Seed)
	}
	return all
}

// wiringOf is what is soldered to the chip. The modem lines of either adapter
// reach the straps, if any do.
func wiringOf(c *rig.BoardConfig, boot strap, sensors map[string]*bme280.Sensor) board.Wiring {
	w := board.Wiring{Boot: boot.pin, BootLow: boot.low}
	adapter := board.BridgeWiring{}
	if r := c.Reset; r != nil {
		w.Rise = span(r.Rise)
		adapter.DTR, adapter.RTS = strapOf(r.DTR), strapOf(r.RTS)
		adapter.Invert, adapter.Cross = r.Invert, r.Circuit == rig.ESP32
	}
	adapter.Name, adapter.TX, adapter.RX = consoleName, c.Console.TX, c.Console.RX
	w.Bridges = append(w.Bridges, adapter)
	if !c.OneUART() {
		adapter.Name, adapter.TX, adapter.RX = loaderName, c.Loader.TX, c.Loader.RX
		w.Bridges = append(w.Bridges, adapter)
	}
	if m := c.Microphone; m != nil {
		w.Microphones = []board.MicrophoneWiring{{Name: microphoneName, SCK: m.SCK, WS: m.WS, SD: m.SD, Right: m.Right}}
	}
	for _, model := range slices.Sorted(maps.Keys(c.Targets)) {
		t := c.Targets[model]
		w.Targets = append(w.Targets, board.TargetWiring{Name: model, SDA: t.SDA, SCL: t.SCL, Device: sensors[model]})
	}
	return w
}

func strapOf(s rig.Strap) board.Strap {
	if s.Resets() {
		return board.StrapReset
	}
	return board.StrapBoot
}

func wiresOf(chip board.Chip, lines map[probes.Line]rig.LineConfig) (map[probes.Line]probe.Wire, error) {
	wires := map[probes.Line]probe.Wire{}
	for name, l := range lines {
		at := l.Pin
		if l.Loop != "" {
			at = lines[l.Loop].Pin
		}
		pin, err := chip.PinByName(at)
		if err != nil {
			return nil, fmt.Errorf("line %s: %w", name, err)
		}
		wires[name] = probe.Wire{Pin: pin, Drive: l.Drive, Analog: l.Analog}
	}
	return wires, nil
}

// Name is the board's in rigs.yaml.
func (b *Board) Name() string { return b.name }

// Clock is the board's own time.
func (b *Board) Clock() timebase.Clock { return simClock{b} }

// Console is the line to the firmware.
func (b *Board) Console() port.Port { return b.console }

// Sim is the simulated board, for those who want what only a simulation can
// tell.
func (b *Board) Sim() *board.Board { return b.sim }

// Caveats are those of the simulated chip.
func (b *Board) Caveats() []string { return b.sim.Chip().Caveats() }

// Power switches the supply. A board that comes up runs its program, whatever
// the boot strap was set for before, and a line that serves the loader, too, has the
// console's mode again.
func (b *Board) Power(ctx context.Context, on bool) error {
	if err := b.usable(ctx, "switch the power of"); err != nil {
		return err
	}
	b.cutAt = clock.NeverTime
	if on && !b.sim.Powered() {
		b.sim.SetBoot(false)
		if err := b.restoreMode(); err != nil {
			return err
		}
	}
	b.sim.SetPower(on)
	return nil
}

// CutPower switches the supply off when the board's time has come to it.
func (b *Board) CutPower(ctx context.Context, after time.Duration) error {
	if err := b.usable(ctx, "cut the power of"); err != nil {
		return err
	}
	b.cutAt = b.after(after)
	return nil
}

// Reset pulses the reset pin with the boot strap set for m, as a button does:
// whatever the circuit of the modem lines. A line that serves the loader, too, has
// the console's mode again when the program starts.
func (b *Board) Reset(ctx context.Context, m rig.BootMode) error {
	if err := b.usable(ctx, "reset"); err != nil {
		return err
	}
	b.sim.SetBoot(m == rig.BootLoader)
	b.sim.SetReset(true)
	err := b.Clock().Sleep(ctx, resetPulse)
	if m == rig.BootApp {
		err = errors.Join(err, b.restoreMode())
	}
	b.sim.SetReset(false)
	if err == nil && b.rise > 0 {
		err = b.Clock().Sleep(ctx, b.rise)
	}
	return err
}

// restoreMode undoes what the loader's client has set.
func (b *Board) restoreMode() error {
	if b.console != b.loader {
		return nil
	}
	return b.console.SetMode(b.usual)
}

// Loader resets the board into its boot loader and connects to it.
func (b *Board) Loader(ctx context.Context) (flash.Loader, error) { return b.LoaderAt(ctx, b.baud) }

// LoaderAt does so at a rate. A strap that a button pulls low is let go then, so
// that a reset by the loader itself starts the program.
func (b *Board) LoaderAt(ctx context.Context, baud int) (flash.Loader, error) {
	if err := b.Reset(ctx, rig.BootLoader); err != nil {
		return nil, err
	}
	if err := b.Clock().Sleep(ctx, b.kind.Startup); err != nil {
		return nil, err
	}
	if b.strap.low {
		b.sim.SetBoot(false)
	}
	l, err := b.kind.Connect(ctx, b.loader, b.Clock(), baud)
	switch {
	case err == nil:
		return l, nil
	case ctx.Err() != nil:
		return nil, err
	}
	return nil, &rig.Error{Class: rig.DUT, Board: b.name, Op: "connect to the boot loader", Err: err}
}

// Close switches the board off and closes its lines. From then on all calls
// but those of the clock give os.ErrClosed.
func (b *Board) Close() error {
	if b.closed {
		return fmt.Errorf("close board %s: %w", b.name, os.ErrClosed)
	}
	b.sim.SetPower(false)
	b.closed, b.console.closed, b.loader.closed = true, true, true
	return nil
}

// usable is the error of a call that must not begin.
func (b *Board) usable(ctx context.Context, op string) error {
	err := ctx.Err()
	if b.closed {
		err = os.ErrClosed
	}
	if err != nil {
		return fmt.Errorf("%s board %s: %w", op, b.name, err)
	}
	return nil
}

// advance lets the board run until done or until, and turns a chip that cannot
// go on into an error: a program that locked up is the firmware's fault, one
// that needs what is not modelled is ours.
func (b *Board) advance(op string, until clock.Time, done func() bool) error {
	stop := b.sim.AdvanceUntil(min(until, b.cutAt), done)
	if stop.Kind == board.Running && b.sim.Now() >= b.cutAt {
		b.cutAt = clock.NeverTime
		b.sim.SetPower(false)
		stop = b.sim.AdvanceUntil(until, done)
	}
	class := rig.Harness
	switch stop.Kind {
	case board.Running:
		return nil
	case board.Lockup:
		class = rig.Firmware
	}
	return &rig.Error{Class: class, Board: b.name, Op: op, Err: stop.Err()}
}

// simClock is a board's time as a Clock.
type simClock struct{ b *Board }

func (c simClock) Now() time.Time {
	return Epoch.Add(time.Duration(c.b.sim.Now() / clock.Nanosecond))
}

// Sleep lets the board run for d.
func (c simClock) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ended := func() bool { return ctx.Err() != nil }
	if err := c.b.advance("sleep", c.b.after(d), ended); err != nil {
		return err
	}
	return ctx.Err()
}

// after is the board's time in d from now.
func (b *Board) after(d time.Duration) clock.Time {
	now := b.sim.Now()
	return now + min(span(d), clock.NeverTime-now)
}

// span is a duration in the board's time; what is longer than that can hold is
// for ever.
func span(d time.Duration) clock.Time {
	if d > time.Duration(clock.NeverTime/clock.Nanosecond) {
		return clock.NeverTime
	}
	return clock.Time(d) * clock.Nanosecond
}
