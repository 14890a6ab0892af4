package board

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"rigor/harness/sim/clock"
)

const ns = clock.Nanosecond

// controller is a chip that plays an I2C controller on two open-drain pins by a
// list of what it does when. It looks at neither line.
type controller struct {
	fake
	pinState
	plan []act
}

type pinState struct {
	own  [4]bool // pulled low by the chip
	ext  [4]Drive
	done int
}

type act struct {
	at  clock.Time
	pin Pin
	low bool
}

// The controller's pins are the fake's.
const (
	sda = rx
	scl = tx
)

func (c *controller) Run(until clock.Time) Stop {
	for c.done < len(c.plan) && c.plan[c.done].at <= until {
		a := c.plan[c.done]
		c.done++
		c.now = max(c.now, a.at)
		c.own[a.pin] = a.low
		c.level(a.pin, a.at)
	}
	c.now = max(c.now, until)
	return Stop{}
}

func (c *controller) Drive(p Pin, d Drive, at clock.Time) {
	c.ext[p] = d
	c.level(p, at)
}

func (c *controller) level(p Pin, at clock.Time) {
	c.set(p, !c.own[p] && c.ext[p].Kind != DriveLow && c.ext[p].Kind != ShortLow, at)
}

type controllerState struct {
	fake fakeState
	pins pinState
}

func (c *controller) Snapshot() any { return controllerState{c.fakeState, c.pinState} }

func (c *controller) Restore(s any) {
	c.fakeState, c.pinState = s.(controllerState).fake, s.(controllerState).pins
}

func (c *controller) Digest() [32]byte { return sha256.Sum256(fmt.Append(nil, c.Snapshot())) }

// memory is an I2C device of 256 registers, whose address is written first.
type memory struct{ memoryState }

type memoryState struct {
	regs    [256]byte
	at      byte
	written int
	calls   string
}

func (m *memory) Address() uint8              { return 0x76 }
func (m *memory) Stop(clock.Time)             { m.calls += "P" }
func (m *memory) Power(on bool, _ clock.Time) { m.calls += map[bool]string{true: "+", false: "-"}[on] }
func (m *memory) Snapshot() any               { return m.memoryState }
func (m *memory) Restore(s any)               { m.memoryState = s.(memoryState) }
func (m *memory) Start(r bool, clock clock.Time) bool {
	m.calls += map[bool]string{true: "R", false: "W"}[r]
	m.written = 0
	return true
}

func (m *memory) Write(v byte, _ clock.Time) bool {
	if m.written++; m.written == 1 {
		m.at = v
		return true
	}
	m.regs[m.at] = v
	m.at++
	return true
}

func (m *memory) Read(clock.Time) (int, byte) {
	m.at++
	return int(m.at - 1), m.regs[m.at-1]
}

const (
	bitTime  = 2500 * ns // 400 kHz
	halfTime = bitTime / 2
)

// plan lays out what a controller does: "S" START or repeated START, "P" STOP,
// "EC" a byte to send and one clock for its acknowledge, "r" and "n" a byte to
// receive and to acknowledge, or not.
func plan(from clock.Time, words string) (acts []act) {
	at := from
	do := func(p Pin, low bool, after clock.Time) {
		at += after
		acts = append(acts, act{at, p, low})
	}
	bit := func(low bool) {
		do(sda, low, 300*ns)
		do(scl, false, halfTime-300*ns)
		do(scl, true, halfTime)
	}
	for _, w := range strings.Fields(words) {
		var v byte
		switch w {
		case "S":
			do(sda, false, 300*ns)
			do(scl, false, halfTime)
			do(sda, true, halfTime)
			do(scl, true, halfTime)
			continue
		case "P":
			do(sda, true, 300*ns)
			do(scl, false, halfTime)
			do(sda, false, halfTime)
			at += bitTime
			continue
		case "r", "n":
			v = 0xFF
		default:
			fmt.Sscanf(w, "%x", &v)
		}
		for i := 7; i >= 0; i-- {
			bit(v>>i&1 == 0)
		}
		bit(w == "r")
	}
	return acts
}

// heard says what a recorder of both pins saw, in the words of plan but with
// every byte's value and "A" or "N" for its acknowledge.
func heard(edges []Edge) string {
	var words []string
	level := map[Pin]bool{sda: true, scl: true}
	v, n := 0, 0
	for _, e := range edges {
		level[e.Pin] = e.High
		switch {
		case e.Pin == sda && level[scl]:
			words = append(words, map[bool]string{false: "S", true: "P"}[e.High])
			v, n = 0, 0
		case e.Pin == scl && e.High && n == 8:
			words = append(words, fmt.Sprintf("%02X", v), map[bool]string{false: "A", true: "N"}[level[sda]])
			v, n = 0, 0
		case e.Pin == scl && e.High:
			v, n = v<<1, n+1
			if level[sda] {
				v |= 1
			}
		}
	}
	return strings.Join(words, " ")
}

func onBus(t *testing.T) (*Board, *controller, *memory) {
	t.Helper()
	c, m := &controller{}, &memory{}
	for i := range m.regs {
		m.regs[i] = byte(i) ^ 0x5A
	}
	b, err := New(c, Wiring{Targets: []TargetWiring{{Name: "mem", SDA: "RX", SCL: "TX", Device: m}}})
	if err != nil {
		t.Fatal(err)
	}
	b.SetPower(true)
	b.Advance(us)
	return b, c, m
}

// say runs a plan and tells what was heard.
func say(b *Board, c *controller, words string) string {
	r := b.Record(sda, scl)
	defer r.Stop()
	c.plan, c.done = plan(b.Now(), words), 0
	end := c.plan[len(c.plan)-1].at
	b.Advance(end + 5*us)
	return heard(r.Edges())
}

func TestTargetSpeaks(t *testing.T) {
	for _, c := range []struct{ name, said, want, calls string }{
		{"write", "S EC 10 42 43 P", "S EC A 10 A 42 A 43 A P", "+WP"},
		{"read", "S EC 07 S ED r n P", "S EC A 07 A S ED A 5D A 52 N P", "+WRP"},
		{"another's address", "S E0 10 P", "S E0 N 10 N P", "+"},
		{"another's, then its own", "S E0 10 S EC 10 P", "S E0 N 10 N S EC A 10 A P", "+WP"},
		{"general call", "S 00 06 P", "S 00 N 06 N P", "+"},
		{"nothing but the address", "S EC P", "S EC A P", "+WP"},
		{"two transactions", "S EC 10 P S ED n P", "S EC A 10 A P S ED A 4A N P", "+WPRP"},
	} {
		b, chip, mem := onBus(t)
		if got := say(b, chip, c.said); got != c.want || mem.calls != c.calls {
			t.Errorf("%s: %q, calls %s; want %q, %s", c.name, got, mem.calls, c.want, c.calls)
		}
	}
}

// A target changes SDA 140 ns after SCL has fallen (BST-BME280-DS002 §6.4.2), and
// SDA takes 112.5 ns more to rise. The controller changes it 300 ns after.
func TestTargetTiming(t *testing.T) {
	b, c, _ := onBus(t)
	c.plan = plan(b.Now(), "S EC 25 S ED n P")
	r := b.Record(sda, scl)
	b.Advance(200 * us)
	var fall clock.Time
	var delays []clock.Time
	for _, e := range r.Edges() {
		switch {
		case e.Pin == scl && !e.High:
			fall = e.At
		case e.Pin == sda:
			if d := e.At - fall; d == 140*ns || d == 140*ns+i2cRise {
				delays = append(delays, d)
			}
		}
	}
	want := []clock.Time{
		140*ns + i2cRise, // the end of the address's acknowledge, which the read bit 0 ran into
		140 * ns,         // the register's, after a 1
		140*ns + i2cRise,
		140 * ns,         // the second address's, which the first bit of 0x7F, in 0x25, follows
		140*ns + i2cRise, // the second bit
	}
	if !slices.Equal(delays, want) {
		t.Errorf("delays %v, want %v", delays, want)
	}
}

func TestTargetMisbehaves(t *testing.T) {
	for _, c := range []struct {
		name string
		m    Misbehaviour
		said string
		want string
	}{
		{"no acknowledge of the address", Misbehaviour{Kind: NACKAddress, Transactions: 1}, "S EC 01 P S EC 01 P", "S EC N 01 N P S EC A 01 A P"},
		{"twice", Misbehaviour{Kind: Absent, Transactions: 2}, "S EC P S EC P S EC P", "S EC N P S EC N P S EC A P"},
		{"until cleared", Misbehaviour{Kind: Absent}, "S EC P S EC P S EC P", "S EC N P S EC N P S EC N P"},
		{"a byte", Misbehaviour{Kind: NACKData, Byte: 2, Transactions: 1}, "S EC 01 02 P S EC 01 02 P", "S EC A 01 A 02 N P S EC A 01 A 02 A P"},
		{"every byte", Misbehaviour{Kind: NACKData, Byte: EveryByte}, "S EC 01 P", "S EC A 01 N P"},
		{"bits of a byte sent", Misbehaviour{Kind: BitError, Byte: 3, Mask: 0x81}, "S EC 07 S ED r n P", "S EC A 07 A S ED A DC A 52 N P"},
		{"bits of a byte received", Misbehaviour{Kind: BitError, Byte: 1, Mask: 1, Transactions: 1}, "S EC 06 S ED n P", "S EC A 06 A S ED A 5D N P"},
		{"bits of the address", Misbehaviour{Kind: BitError, Byte: 0, Mask: 2, Transactions: 1}, "S EC 06 P S EC P", "S EC N 06 N P S EC A P"},
		{"a register's value", Misbehaviour{Kind: WrongValue, Register: 8, Value: 0x58}, "S EC 07 S ED r n P", "S EC A 07 A S ED A 5D A 58 N P"},
	} {
		b, chip, _ := onBus(t)
		if err := b.Target("mem").Misbehave(c.m); err != nil {
			t.Fatal(err)
		}
		if got := say(b, chip, c.said); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		b.Target("mem").Behave()
		if got := say(b, chip, "S EC 01 P"); got != "S EC A 01 A P" {
			t.Errorf("%s: %q after it was cleared", c.name, got)
		}
	}
}

func TestTargetRefusesNonsense(t *testing.T) {
	b, _, _ := onBus(t)
	for _, m := range []Misbehaviour{{Kind: Absent + 1}, {Byte: -2}, {For: -1}, {Clocks: -1}, {Transactions: -1}} {
		if b.Target("mem").Misbehave(m) == nil {
			t.Errorf("%+v is accepted", m)
		}
	}
}

// The clock is held from the end of the acknowledge on, and rises late.
func TestTargetStretches(t *testing.T) {
	b, c, _ := onBus(t)
	if err := b.Target("mem").Misbehave(Misbehaviour{Kind: Stretch, Byte: 0, For: 20 * us}); err != nil {
		t.Fatal(err)
	}
	c.plan = plan(b.Now(), "S EC")
	last := c.plan[len(c.plan)-1].at // SCL falls after the acknowledge
	c.plan = append(c.plan, act{last + us, scl, false})
	r := b.Record(scl)
	b.Advance(last + 100*us)
	edges := r.Edges()
	if e := edges[len(edges)-1]; !e.High || e.At != last+20*us {
		t.Errorf("SCL's last edge is %+v, want to rise at %d", e, last+20*us)
	}
}

func TestTargetStuckSDA(t *testing.T) {
	for _, c := range []struct {
		m     Misbehaviour
		words string // said while it is stuck, but for the first two by clocks alone
		free  bool
	}{
		{Misbehaviour{Kind: StuckSDA}, "FF FF", false},
		{Misbehaviour{Kind: StuckSDA, For: 40 * us}, "FF FF", true},
		{Misbehaviour{Kind: StuckSDA, For: 400 * us}, "FF FF", false},
		{Misbehaviour{Kind: StuckSDA, Clocks: 9}, "FF", true},
		{Misbehaviour{Kind: StuckSDA, Clocks: 10}, "FF", false},
	} {
		b, chip, _ := onBus(t)
		if err := b.Target("mem").Misbehave(c.m); err != nil {
			t.Fatal(err)
		}
		if chip.Level(sda) {
			t.Error("SDA is not low")
		}
		say(b, chip, c.words)
		if got := chip.Level(sda); got != c.free {
			t.Errorf("%+v: after %s SDA is high: %v", c.m, c.words, got)
		}
		b.Target("mem").Behave()
		if got := say(b, chip, "P S EC 01 P"); !strings.HasSuffix(got, "S EC A 01 A P") {
			t.Errorf("%+v: %q after it was cleared", c.m, got)
		}
	}
}

func TestTargetLog(t *testing.T) {
	b, c, _ := onBus(t)
	start := b.Now()
	say(b, c, "S E0 01 P S EC 07 S ED r n P")
	log, lost := b.Target("mem").Log()
	if len(log) != 1 || lost != 0 || log[0].Start <= start || log[0].End <= log[0].Start {
		t.Fatalf("log %+v, %d lost", log, lost)
	}
	want := []I2CByte{
		{Value: 0xEC, Address: true, Ack: true}, {Value: 0x07, Ack: true},
		{Value: 0xED, Address: true, Ack: true}, {Value: 0x5D, Sent: true, Ack: true}, {Value: 0x52, Sent: true},
	}
	if !slices.Equal(log[0].Bytes, want) {
		t.Errorf("bytes %+v", log[0].Bytes)
	}
	say(b, c, "S EC 07") // goes on
	if log, _ := b.Target("mem").Log(); len(log) != 0 {
		t.Errorf("an open transaction is logged: %+v", log)
	}
	say(b, c, "P")
	if log, _ := b.Target("mem").Log(); len(log) != 1 || len(log[0].Bytes) != 2 {
		t.Errorf("then %+v", log)
	}
}

// Without supply a target is not there and holds nothing.
func TestTargetPower(t *testing.T) {
	b, c, m := onBus(t)
	say(b, c, "S ED") // the first bit of 0x5A is 0
	if c.Level(sda) {
		t.Fatal("SDA is not held")
	}
	b.SetPower(false)
	if !c.Level(sda) {
		t.Error("SDA is held without supply")
	}
	say(b, c, "P")
	if got := say(b, c, "S EC P"); got != "S EC N P" {
		t.Errorf("%q without supply", got)
	}
	b.SetPower(true)
	if got := say(b, c, "S EC P"); got != "S EC A P" || m.calls != "+R-+WP" {
		t.Errorf("%q, calls %q", got, m.calls)
	}
}

// A board put back in the middle of a byte, and of a misbehaviour, goes on alike.
func TestTargetSnapshot(t *testing.T) {
	b, c, _ := onBus(t)
	tg := b.Target("mem")
	if err := tg.Misbehave(Misbehaviour{Kind: NACKAddress, Transactions: 2}); err != nil {
		t.Fatal(err)
	}
	say(b, c, "S EC 07 P")
	c.plan, c.done = plan(b.Now(), "S EC 10 P S EC 11 77 S ED r n P"), 0
	b.Advance(b.Now() + 31*us)
	snap, before := b.Snapshot(), b.Digest()
	var first string
	for i := range 3 {
		r := b.Record(sda, scl)
		b.Advance(b.Now() + 300*us)
		got := fmt.Sprint(r.Edges(), b.Digest())
		r.Stop()
		if i == 0 {
			first = got
		} else if got != first {
			t.Error("it goes on differently")
		}
		b.Restore(snap)
		if b.Digest() != before {
			t.Error("another digest")
		}
	}
}
