package board

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"sort"

	"rigor/harness/sim/clock"
)

// Wiring says what is soldered to the chip.
type Wiring struct {
	// Boot names the boot strap pin that SetBoot and the bridges' modem lines
	// hold; empty when the chip has none.
	Boot string
	// BootLow says that the strap sends the chip into its boot loader when low,
	// and that a resistor pulls it up else, so that a program may use the pin
	// (ESP32-C3's GPIO9, K210's IO16). Otherwise it does so when high, and is
	// held low else (STM32's BOOT0).
	BootLow bool
	// Rise is for how long the reset pin is still low after all have released it,
	// and after power-on: a resistor has to charge its capacitor.
	Rise    clock.Time
	Bridges []BridgeWiring
	Targets []TargetWiring
	// Microphones need a chip that is an I2SReceiver.
	Microphones []MicrophoneWiring
}

// Board is a chip, what is wired to it, and the outside events to come. It is
// passive: time moves only in Advance, AdvanceUntil and Reset.
type Board struct {
	chip        Chip
	boot        Pin
	hasBoot     bool
	bootLow     bool
	rise        clock.Time
	bridges     []*Bridge
	targets     []*Target
	microphones []*Microphone
	tapped      map[Pin]*tap
	sources     map[Pin]Source // what SetAnalog connected
	profiling   *Profiling     // nil: nobody wants to know
	state       state
}

// state is what the board itself remembers, as plain data.
type state struct {
	Power   bool
	Reset   bool       // held by SetReset
	Boot    bool       // strapped by SetBoot
	InReset bool       // NRST as the chip sees it
	RiseAt  clock.Time // when the reset pin will have risen; NeverTime: it does not rise
	Queue   []scheduled
	Applied map[Pin]Drive // what would be on the pins without faults
	Faults  []fault
}

// scheduled is an outside level to come.
type scheduled struct {
	At    clock.Time
	Pin   Pin
	Drive Drive
}

// tap is who wants to know a pin's changes.
type tap struct {
	bridge    *Bridge
	recorders []*Recorder
}

// New wires a board. It starts without power, reset released, the strap low.
func New(chip Chip, w Wiring) (*Board, error) {
	b := &Board{chip: chip, bootLow: w.BootLow, rise: w.Rise, tapped: map[Pin]*tap{}, sources: map[Pin]Source{}}
	b.state.Applied = map[Pin]Drive{}
	b.state.RiseAt = clock.NeverTime
	if w.Boot != "" {
		p, err := chip.PinByName(w.Boot)
		if err != nil {
			return nil, fmt.Errorf("wire the boot strap: %w", err)
		}
		b.boot, b.hasBoot = p, true
	}
	chip.SetPower(false)
	chip.Watch(b.changed)
	for _, bw := range w.Bridges {
		if err := b.addBridge(bw); err != nil {
			return nil, fmt.Errorf("wire bridge %q: %w", bw.Name, err)
		}
	}
	for _, tw := range w.Targets {
		if err := b.addTarget(tw); err != nil {
			return nil, fmt.Errorf("wire target %q: %w", tw.Name, err)
		}
	}
	for _, mw := range w.Microphones {
		if err := b.addMicrophone(mw); err != nil {
			return nil, fmt.Errorf("wire microphone %q: %w", mw.Name, err)
		}
	}
	b.rewatch()
	b.applyStraps()
	return b, nil
}

// Chip is the silicon on the board.
func (b *Board) Chip() Chip { return b.chip }

// Now is the world time.
func (b *Board) Now() clock.Time { return b.chip.Now() }

// Bridge finds a bridge by its wiring's name, or nil.
func (b *Board) Bridge(name string) *Bridge {
	for _, br := range b.bridges {
		if br.name == name {
			return br
		}
	}
	return nil
}

// SetPower switches the supply.
func (b *Board) SetPower(on bool) {
	if on && !b.state.Power && b.rise > 0 {
		b.state.RiseAt = clock.NeverTime
		b.hold(true) // the capacitor is empty
		b.applyStraps()
	}
	b.state.Power = on
	b.chip.SetPower(on)
	for _, t := range b.targets {
		t.power(on, b.Now())
	}
}

// Powered reports the supply switch.
func (b *Board) Powered() bool { return b.state.Power }

// SetReset holds or releases the reset pin; bridges may hold it as well.
func (b *Board) SetReset(asserted bool) {
	b.state.Reset = asserted
	b.applyStraps()
}

// SetBoot straps the boot pin for the boot loader, or for the program unless a
// bridge straps it for the boot loader.
func (b *Board) SetBoot(loader bool) {
	b.state.Boot = loader
	b.applyStraps()
}

// Reset holds the reset pin for the given time; then it rises.
func (b *Board) Reset(hold clock.Time) Stop {
	b.SetReset(true)
	stop := b.Advance(b.Now() + hold)
	b.SetReset(false)
	return stop
}

// applyStraps puts the wired-or of all who hold reset and boot on the pins.
func (b *Board) applyStraps() {
	reset, boot := b.state.Reset, b.state.Boot
	for _, br := range b.bridges {
		reset = reset || br.holds(StrapReset)
		boot = boot || br.holds(StrapBoot)
	}
	if b.hasBoot {
		b.apply(b.boot, b.strapped(boot), b.Now())
	}
	switch {
	case reset:
		b.state.RiseAt = clock.NeverTime
		b.hold(true)
	case b.state.InReset && b.rise > 0 && b.state.RiseAt == clock.NeverTime:
		b.state.RiseAt = later(b.Now(), b.rise)
	case b.rise == 0:
		b.hold(false)
	}
}

// strapped is what the boot strap's circuit does to its pin.
func (b *Board) strapped(loader bool) Drive {
	switch {
	case !b.bootLow:
		return level(loader)
	case loader:
		return Drive{Kind: DriveLow}
	}
	return Drive{Kind: PullUp}
}

// hold is the reset pin as the chip sees it.
func (b *Board) hold(reset bool) {
	if reset != b.state.InReset {
		b.state.InReset = reset
		b.chip.SetReset(reset)
	}
}

// risen ends a reset that nobody holds any more.
func (b *Board) risen(clock.Time) {
	b.state.RiseAt = clock.NeverTime
	b.hold(false)
}

// Drive applies a level to a pin from now on, in place of what was applied
// before.
func (b *Board) Drive(p Pin, d Drive) { b.apply(p, d, b.Now()) }

// SetAnalog connects a source whose voltage changes by itself, in place of what
// was applied before. Sources are instruments, not board: they are no part of
// snapshots and digests.
func (b *Board) SetAnalog(p Pin, s Source) {
	delete(b.state.Applied, p)
	b.sources[p] = s
	b.wire(p, b.Now())
}

// apply connects a level to a pin at a time.
func (b *Board) apply(p Pin, d Drive, at clock.Time) {
	delete(b.sources, p)
	b.state.Applied[p] = d
	b.wire(p, at)
}

// wire gives the chip what is on the pin: what is applied to it, or a fault.
func (b *Board) wire(p Pin, at clock.Time) {
	if d, faulty := b.faultAt(p); faulty {
		b.connect(p, Source{})
		b.chip.Drive(p, d, at)
		return
	}
	b.chip.Drive(p, b.state.Applied[p], at)
	b.connect(p, b.sources[p])
}

// DriveAt does the same at a time to come. Levels for the same time apply in
// the order of the calls.
func (b *Board) DriveAt(p Pin, d Drive, at clock.Time) error {
	if at < b.Now() {
		return fmt.Errorf("drive %s at %d ps: the time now is %d ps", b.chip.PinName(p), at, b.Now())
	}
	q := b.state.Queue
	i := sort.Search(len(q), func(i int) bool { return q[i].At > at })
	b.state.Queue = slices.Insert(q, i, scheduled{at, p, d})
	return nil
}

// Advance moves time to until, or returns earlier with the reason when the chip
// cannot go on.
func (b *Board) Advance(until clock.Time) Stop {
	return b.AdvanceUntil(until, func() bool { return false })
}

// AdvanceUntil moves time to until or to when done reports true. It asks after
// every outside event and every byte received by a bridge, at that event's
// time, and otherwise at least once a frame of the fastest bridge.
func (b *Board) AdvanceUntil(until clock.Time, done func() bool) Stop {
	for {
		b.settle()
		if b.Now() >= until || done() {
			return Stop{}
		}
		if stop := b.chip.Run(b.horizon(until)); stop.Kind != Running {
			b.settle()
			return stop
		}
	}
}

// horizon is how far the chip may run before the outside has to act. A bridge's
// receiver that is idle needs no look before a whole frame has passed.
func (b *Board) horizon(until clock.Time) clock.Time {
	at := min(until, b.state.RiseAt)
	if len(b.state.Queue) > 0 {
		at = min(at, b.state.Queue[0].At)
	}
	for _, br := range b.bridges {
		at = min(at, br.tx.next(), br.rx.next(), b.Now()+br.mode.frameTime())
	}
	for i := range b.state.Faults {
		at = min(at, b.state.Faults[i].look(b.Now()))
	}
	for _, t := range b.targets {
		at = min(at, t.look(b.Now()))
	}
	return at
}

// settle lets the outside do what it had to do until now, in order of time.
func (b *Board) settle() {
	for now := b.Now(); ; {
		at, fire := b.earliest()
		if at > now {
			return
		}
		fire(at)
	}
}

func (b *Board) earliest() (clock.Time, func(clock.Time)) {
	at, fire := b.state.RiseAt, b.risen
	if q := b.state.Queue; len(q) > 0 && q[0].At < at {
		at, fire = q[0].At, b.driveScheduled
	}
	for _, br := range b.bridges {
		if t := br.tx.next(); t < at {
			at, fire = t, br.send
		}
		if t := br.rx.next(); t < at {
			at, fire = t, br.receive
		}
	}
	for i := range b.state.Faults {
		if t := b.state.Faults[i].next(); t < at {
			at, fire = t, func(at clock.Time) { b.turn(i, at) }
		}
	}
	for _, t := range b.targets {
		if due := t.next(); due < at {
			at, fire = due, t.turn
		}
	}
	return at, fire
}

func (b *Board) driveScheduled(at clock.Time) {
	e := b.state.Queue[0]
	b.state.Queue = b.state.Queue[1:]
	b.apply(e.Pin, e.Drive, at)
}

// changed is the chip's watcher.
func (b *Board) changed(p Pin, high bool, at clock.Time) {
	if high {
		b.profiling.rose(p)
	}
	b.arm(p, high, at)
	if !b.cut(p) {
		b.tellTargets(p, high, at)
	}
	t := b.tapped[p]
	if t == nil {
		return
	}
	if t.bridge != nil && !b.cut(p) {
		t.bridge.edge(high, at)
	}
	for _, r := range t.recorders {
		r.edges = append(r.edges, Edge{At: at, Pin: p, High: high})
	}
}

func (b *Board) tap(p Pin) *tap {
	t := b.tapped[p]
	if t == nil {
		t = &tap{}
		b.tapped[p] = t
	}
	return t
}

// Snapshot is a board at one moment; it may be restored any number of times,
// also to another board of the same chip and wiring.
type Snapshot struct {
	chip    any
	board   state
	bridges []bridgeState
	targets []targetState
	devices []any
}

// Snapshot copies the board. Recorders are instruments, not board: they are not
// part of it.
func (b *Board) Snapshot() *Snapshot {
	s := &Snapshot{chip: b.chip.Snapshot(), board: b.state.clone()}
	for _, br := range b.bridges {
		s.bridges = append(s.bridges, br.bridgeState.clone())
	}
	for _, t := range b.targets {
		s.targets = append(s.targets, t.targetState.clone())
		s.devices = append(s.devices, t.device.Snapshot())
	}
	return s
}

// Restore puts the board back, time included. Sources whose voltage changes by
// itself stay as they are now.
func (b *Board) Restore(s *Snapshot) {
	if len(s.bridges) != len(b.bridges) || len(s.targets) != len(b.targets) {
		panic("BUG: a snapshot of another wiring")
	}
	b.chip.Restore(s.chip)
	b.state = s.board.clone()
	for i, br := range b.bridges {
		br.bridgeState = s.bridges[i].clone()
	}
	for i, t := range b.targets {
		t.targetState, t.log = s.targets[i].clone(), nil
		t.device.Restore(s.devices[i])
	}
	b.rewatch()
}

// Digest hashes the whole board (SHA-256): equal digests go on alike.
func (b *Board) Digest() [32]byte {
	h := sha256.New()
	chip := b.chip.Digest()
	h.Write(chip[:])
	fmt.Fprintf(h, "%v", b.state)
	for _, br := range b.bridges {
		fmt.Fprintf(h, "%v", br.bridgeState)
	}
	for _, t := range b.targets {
		fmt.Fprintf(h, "%v%v", t.targetState, t.device.Snapshot())
	}
	return [32]byte(h.Sum(nil))
}

func (s state) clone() state {
	s.Queue = slices.Clone(s.Queue)
	s.Applied = maps.Clone(s.Applied)
	s.Faults = slices.Clone(s.Faults)
	return s
}

func level(high bool) Drive {
	if high {
		return Drive{Kind: DriveHigh}
	}
	return Drive{Kind: DriveLow}
}
