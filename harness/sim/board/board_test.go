package board

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"rigor/harness/sim/clock"
)

// fake is a chip of four pins. Its TX pin follows RX when echo is set, and
// otherwise a script of edges. Run overshoots as a real core does.
type fake struct {
	fakeState
	watch  func(Pin, bool, clock.Time)
	script []Edge
}

type fakeState struct {
	now    clock.Time
	level  [4]bool
	power  bool
	reset  bool
	resets int
	echo   bool
	stopAt clock.Time
}

const (
	rx Pin = iota
	tx
	boot0
	other
	overshoot = 30 * clock.Nanosecond
)

var pinNames = []string{"RX", "TX", "BOOT0", "X"}

func (f *fake) Name() string                          { return "fake" }
func (f *fake) Now() clock.Time                       { return f.now }
func (f *fake) SetPower(on bool)                      { f.power = on }
func (f *fake) PinName(p Pin) string                  { return pinNames[p] }
func (f *fake) Level(p Pin) bool                      { return f.level[p] }
func (f *fake) SetAnalog(Pin, func(clock.Time) int64) {}
func (f *fake) MicroVolts(Pin) int64                  { return 0 }
func (f *fake) Stats() Stats                          { return Stats{} }
func (f *fake) Warnings() []string                    { return nil }
func (f *fake) Caveats() []string                     { return nil }
func (f *fake) Snapshot() any                         { return f.fakeState }
func (f *fake) Restore(s any)                         { f.fakeState = s.(fakeState) }
func (f *fake) Digest() [32]byte                      { return sha256.Sum256(fmt.Append(nil, f.fakeState)) }

func (f *fake) Watch(w func(Pin, bool, clock.Time)) { f.watch = w }

func (f *fake) SetReset(on bool) {
	f.reset = on
	f.resets++
}

func (f *fake) PinByName(name string) (Pin, error) {
	if i := slices.Index(pinNames, name); i >= 0 {
		return Pin(i), nil
	}
	return 0, fmt.Errorf("fake: no pin %q", name)
}

func (f *fake) Run(until clock.Time) Stop {
	if f.stopAt > 0 && until >= f.stopAt {
		f.now = f.stopAt
		return Stop{Kind: Lockup, Text: "lockup"}
	}
	f.now = max(f.now, until+overshoot)
	for len(f.script) > 0 && f.script[0].At <= f.now {
		e := f.script[0]
		f.script = f.script[1:]
		f.set(e.Pin, e.High, e.At)
	}
	return Stop{}
}

func (f *fake) Drive(p Pin, d Drive, at clock.Time) {
	high := d.Kind == DriveHigh || d.Kind == PullUp || d.Kind == ShortHigh
	f.set(p, high, at)
	if p == rx && f.echo {
		f.set(tx, high, at)
	}
}

func (f *fake) set(p Pin, high bool, at clock.Time) {
	if f.level[p] != high {
		f.level[p] = high
		f.watch(p, high, at)
	}
}

func wired(t *testing.T) (*Board, *fake, *Bridge) {
	t.Helper()
	f := &fake{}
	b, err := New(f, Wiring{Boot: "BOOT0", Bridges: []BridgeWiring{
		{Name: "loader", TX: "TX", RX: "RX", DTR: StrapReset, RTS: StrapBoot},
	}})
	if err != nil {
		t.Fatal(err)
	}
	b.SetPower(true)
	return b, f, b.Bridge("loader")
}

func bytesOf(br *Bridge) (p []byte, bad int) {
	for r, ok := br.Next(); ok; r, ok = br.Next() {
		p = append(p, r.Byte)
		if r.Framing || r.Parity || r.Break {
			bad++
		}
	}
	return p, bad
}

func TestEmptyWriteIsNothing(t *testing.T) {
	b, _, br := wired(t)
	br.Write(nil)
	if b.Advance(clock.Millisecond); br.Unsent() != 0 {
		t.Errorf("%d bytes unsent", br.Unsent())
	}
}

func TestBridgeEcho(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, m := range []Mode{{1200, ParityEven}, {9600, ParityNone}, {115200, ParityEven}, {256000, ParityOdd}, {3_000_000, ParityNone}} {
		b, f, br := wired(t)
		f.echo = true
		if err := br.SetMode(m); err != nil {
			t.Fatal(err)
		}
		start := b.Now()
		br.Write(all)
		if stop := b.AdvanceUntil(clock.Second*10, func() bool { return br.Buffered() == len(all) }); stop.Err() != nil {
			t.Fatal(stop)
		}
		line := clock.NewTimeline(0, start, 2*m.Baud)
		n := uint64(len(all)) * frameBits(m)
		if want := line.Time(2*n - 1); b.Now()-want > overshoot+2 {
			t.Errorf("%+v: last byte seen at %d ps, want %d", m, b.Now(), want)
		}
		last := br.received[len(all)-1].At
		if want := line.Time(2*n - 1); last < want || last > want+2 {
			t.Errorf("%+v: last byte arrived at %d ps, want %d: the bit clock drifts", m, last, want)
		}
		if got, bad := bytesOf(br); string(got) != string(all) || bad != 0 {
			t.Errorf("%+v: got % x, %d bad", m, got, bad)
		}
	}
}

// The waveform of 0x55 at 8E1 by hand: start 0, data LSB first 1 0 1 0 1 0 1 0,
// parity 0 (four ones), stop 1.
func TestBridgeWaveform(t *testing.T) {
	b, _, br := wired(t)
	if err := br.SetMode(Mode{1_000_000, ParityEven}); err != nil {
		t.Fatal(err)
	}
	r := b.Record(rx)
	br.Write([]byte{0x55})
	b.Advance(20 * clock.Microsecond)
	want := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 10}
	for i, e := range r.Edges() {
		if i >= len(want) || e.At != clock.Time(want[i])*clock.Microsecond || e.High != (i%2 == 1) {
			t.Fatalf("edge %d: %+v", i, e)
		}
	}
	if len(r.Edges()) != len(want) {
		t.Errorf("%d edges, want %d", len(r.Edges()), len(want))
	}
}

// script makes the edges of frames on the chip's TX pin at a rate of its own.
func script(start clock.Time, baud uint64, p Parity, data ...byte) []Edge {
	var edges []Edge
	line, bit, last := clock.NewTimeline(0, start, baud), uint64(0), true
	for _, d := range data {
		f, n := frame(d, p)
		for i := range n {
			if high := f>>i&1 != 0; high != last {
				edges = append(edges, Edge{line.Time(bit), tx, high})
				last = high
			}
			bit++
		}
	}
	return edges
}

// A receiver that samples in the middle of each bit tolerates half a bit in
// 10.5 over an 8E1 frame, 4.7 %.
func TestBridgeTolerance(t *testing.T) {
	for _, c := range []struct {
		permille int64
		ok       bool
	}{{0, true}, {20, true}, {-20, true}, {45, true}, {-45, true}, {70, false}, {-70, false}} {
		b, f, br := wired(t)
		if err := br.SetMode(Mode{115200, ParityEven}); err != nil {
			t.Fatal(err)
		}
		f.script = script(clock.Millisecond, uint64(115200*(1000+c.permille)/1000), ParityEven, 0x7F, 0x00, 0xA5, 0x80)
		b.Advance(3 * clock.Millisecond)
		got, bad := bytesOf(br)
		if ok := string(got) == "\x7f\x00\xa5\x80" && bad == 0; ok != c.ok {
			t.Errorf("%+d per mille: % x, %d bad", c.permille, got, bad)
		}
	}
}

func TestBridgeErrors(t *testing.T) {
	ms := clock.Millisecond
	low := func(from, to clock.Time) []Edge { return []Edge{{from, tx, false}, {to, tx, true}} }
	for name, c := range map[string]struct {
		script []Edge
		want   string
	}{
		"parity":  {script(ms, 115200, ParityOdd, 0x41), "[{65 parity}]"},
		"break":   {append(low(ms, 2*ms), script(3*ms, 115200, ParityEven, 0x42)...), "[{0 break} {66 }]"},
		"glitch":  {append(low(ms, ms+clock.Microsecond), script(2*ms, 115200, ParityEven, 0x43)...), "[{67 }]"},
		"framing": {append(script(ms, 115200, ParityEven, 0xFF)[:1], Edge{ms + 40*clock.Microsecond, tx, true}, Edge{ms + 88*clock.Microsecond, tx, false}, Edge{2 * ms, tx, true}), "[{240 framing}]"},
	} {
		b, f, br := wired(t)
		if err := br.SetMode(Mode{115200, ParityEven}); err != nil {
			t.Fatal(err)
		}
		f.script = c.script
		b.Advance(5 * ms)
		var got []string
		for r, ok := br.Next(); ok; r, ok = br.Next() {
			what := ""
			switch {
			case r.Break:
				what = "break"
			case r.Framing:
				what = "framing"
			case r.Parity:
				what = "parity"
			}
			got = append(got, fmt.Sprintf("{%d %s}", r.Byte, what))
		}
		if s := "[" + strings.Join(got, " ") + "]"; s != c.want {
			t.Errorf("%s: got %s, want %s", name, s, c.want)
		}
	}
}

func TestModeChangeOnTheFly(t *testing.T) {
	b, f, br := wired(t)
	f.echo = true
	for _, m := range []Mode{{9600, ParityNone}, {115200, ParityEven}} {
		if err := br.SetMode(m); err != nil {
			t.Fatal(err)
		}
		br.Write([]byte("ab"))
		b.AdvanceUntil(b.Now()+clock.Second, func() bool { return br.Buffered() == 2 && br.Unsent() == 0 })
		if got, bad := bytesOf(br); string(got) != "ab" || bad != 0 {
			t.Errorf("%+v: %q, %d bad", m, got, bad)
		}
	}
	if err := br.SetMode(Mode{}); err == nil {
		t.Error("0 baud accepted")
	}
}

// The frame that is on the line when output is discarded ends as it began.
func TestDiscardOutput(t *testing.T) {
	b, f, br := wired(t)
	f.echo = true
	br.Write([]byte("abc"))
	b.Advance(10 * clock.Microsecond)
	br.DiscardOutput()
	b.Advance(clock.Millisecond)
	if got, bad := bytesOf(br); string(got) != "a" || bad != 0 || br.Unsent() != 0 {
		t.Errorf("%q, %d bad, %d unsent", got, bad, br.Unsent())
	}
}

func TestBreakOut(t *testing.T) {
	b, f, br := wired(t)
	br.SetBreak(true)
	b.Advance(clock.Millisecond)
	if f.level[rx] {
		t.Error("line high in a break")
	}
	br.SetBreak(false)
	if !f.level[rx] {
		t.Error("line low after a break")
	}
}

func TestStraps(t *testing.T) {
	b, f, br := wired(t)
	check := func(what string, reset, boot bool) {
		t.Helper()
		if f.reset != reset || f.level[boot0] != boot {
			t.Errorf("%s: reset %v boot0 %v, want %v %v", what, f.reset, f.level[boot0], reset, boot)
		}
	}
	check("power-on", false, false)
	br.SetLines(true, true)
	check("DTR and RTS", true, true)
	br.SetLines(false, true)
	check("RTS", false, true)
	b.SetReset(true)
	br.SetLines(false, false)
	check("SetReset", true, false)
	b.SetBoot(true)
	check("SetBoot", true, true)
	b.SetReset(false)
	b.Reset(clock.Millisecond)
	check("after Reset", false, true)
	if f.resets != 6 || b.Now() < clock.Millisecond {
		t.Errorf("%d changes of reset by %d ps", f.resets, b.Now())
	}
}

func TestInvertedStraps(t *testing.T) {
	f := &fake{}
	b, err := New(f, Wiring{Bridges: []BridgeWiring{{Name: "u", TX: "TX", RX: "RX", DTR: StrapReset, Invert: true}}})
	if err != nil {
		t.Fatal(err)
	}
	if !f.reset {
		t.Error("an inverted DTR that is not asserted must hold reset")
	}
	b.Bridge("u").SetLines(true, false)
	if f.reset {
		t.Error("still in reset")
	}
}

// The two transistors of ESP32 boards: reset is low if RTS alone is asserted, the
// strap if DTR alone is.
func TestCrossedStraps(t *testing.T) {
	f := &fake{}
	b, err := New(f, Wiring{Boot: "BOOT0", BootLow: true, Bridges: []BridgeWiring{
		{Name: "u", TX: "TX", RX: "RX", DTR: StrapBoot, RTS: StrapReset, Cross: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ dtr, rts, reset, high bool }{
		{false, false, false, true}, {true, true, false, true}, {false, true, true, true}, {true, false, false, false},
	} {
		b.Bridge("u").SetLines(c.dtr, c.rts)
		if f.reset != c.reset || f.level[boot0] != c.high {
			t.Errorf("DTR %v RTS %v: reset %v, strap high %v", c.dtr, c.rts, f.reset, f.level[boot0])
		}
	}
}

// A strap that is low for the boot loader is pulled up else, and not driven: the
// program may use its pin.
func TestBootLow(t *testing.T) {
	b, err := New(&fake{}, Wiring{Boot: "BOOT0", BootLow: true})
	if err != nil {
		t.Fatal(err)
	}
	for loader, want := range map[bool]DriveKind{true: DriveLow, false: PullUp} {
		b.SetBoot(loader)
		if got := b.state.Applied[boot0].Kind; got != want {
			t.Errorf("strapped for the loader %v: drive %d, want %d", loader, got, want)
		}
	}
}

// The reset pin rises late, after its last release and after power-on.
func TestRise(t *testing.T) {
	const rise = 5 * clock.Millisecond
	f := &fake{}
	b, err := New(f, Wiring{Boot: "BOOT0", BootLow: true, Rise: rise, Bridges: []BridgeWiring{
		{Name: "u", TX: "TX", RX: "RX", DTR: StrapBoot, RTS: StrapReset, Cross: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	rises := func(what string, after clock.Time) {
		t.Helper()
		b.Advance(after - clock.Microsecond)
		if !f.reset {
			t.Errorf("%s: reset ended before %d ps", what, after)
		}
		b.Advance(after + clock.Microsecond)
		if f.reset {
			t.Errorf("%s: still in reset after %d ps", what, after)
		}
	}
	b.SetPower(true)
	rises("power-on", rise)
	u := b.Bridge("u")
	u.SetLines(false, true)
	b.Advance(20 * clock.Millisecond)
	u.SetLines(true, true) // as a client that moves one line after the other
	b.Advance(22 * clock.Millisecond)
	u.SetLines(true, false)
	first, snap := b.Now()+rise, b.Snapshot()
	for range 2 {
		rises("release", first-2*clock.Millisecond)
		if f.level[boot0] {
			t.Error("the strap is not low when reset ends")
		}
		b.Restore(snap)
	}
	u.SetLines(false, true)
	b.Advance(b.Now() + clock.Millisecond)
	u.SetLines(false, false)
	rises("pressed again while it rose", b.Now()+rise)
}

func TestWiringErrors(t *testing.T) {
	for _, w := range []Wiring{
		{Boot: "NOPE"},
		{Bridges: []BridgeWiring{{Name: "a", TX: "NOPE", RX: "RX"}}},
		{Bridges: []BridgeWiring{{Name: "a", TX: "TX", RX: "NOPE"}}},
		{Bridges: []BridgeWiring{{Name: "a", TX: "TX", RX: "RX"}, {Name: "b", TX: "TX", RX: "X"}}},
	} {
		if _, err := New(&fake{}, w); err == nil {
			t.Errorf("%+v: no error", w)
		}
	}
}

func TestScheduledDrives(t *testing.T) {
	b, _, _ := wired(t)
	r := b.Record(other)
	for _, e := range []struct {
		at   clock.Time
		high bool
	}{{3000, true}, {1000, true}, {2000, false}, {3000, false}} {
		if err := b.DriveAt(other, level(e.high), e.at); err != nil {
			t.Fatal(err)
		}
	}
	b.Advance(10_000)
	want := []Edge{{1000, other, true}, {2000, other, false}, {3000, other, true}, {3000, other, false}}
	if !slices.Equal(r.Edges(), want) {
		t.Errorf("got %v, want %v", r.Edges(), want)
	}
	if err := b.DriveAt(other, level(true), 0); err == nil {
		t.Error("a drive in the past was accepted")
	}
	r.Stop()
	b.Drive(other, level(true))
	if len(r.Edges()) != len(want) {
		t.Error("a stopped recorder went on")
	}
}

func TestStopEndsAdvance(t *testing.T) {
	b, f, _ := wired(t)
	f.stopAt = clock.Millisecond
	if stop := b.Advance(clock.Second); stop.Kind != Lockup || b.Now() != clock.Millisecond {
		t.Errorf("%+v at %d ps", stop, b.Now())
	}
}

func TestSnapshot(t *testing.T) {
	b, f, br := wired(t)
	f.echo = true
	br.Write([]byte("0123456789"))
	if err := b.DriveAt(other, level(true), 2*clock.Millisecond); err != nil {
		t.Fatal(err)
	}
	b.Advance(200 * clock.Microsecond) // in the middle of a frame
	snap, before := b.Snapshot(), b.Digest()
	b.Advance(5 * clock.Millisecond)
	after := b.Digest()
	first, _ := bytesOf(br)
	if before == after {
		t.Error("the digest does not see progress")
	}
	for range 2 {
		b.Restore(snap)
		if b.Digest() != before {
			t.Error("restored board differs")
		}
		b.Advance(5 * clock.Millisecond)
		if b.Digest() != after {
			t.Error("a restored board goes on differently")
		}
		if got, _ := bytesOf(br); string(got) != string(first) || len(got) != 10 {
			t.Errorf("got %q, first %q", got, first)
		}
	}
}

func TestWarnings(t *testing.T) {
	var w Warnings
	for i := range 300 {
		w.Add("thing %d", i/2)
	}
	if len(w) != 100 || w[0] != "thing 0" || w[99] != "thing 99" {
		t.Errorf("%d warnings from %q to %q, want things 0 to 99 once", len(w), w[0], w[len(w)-1])
	}
}
