// Package rigtest is the conformance test of a rig.Board, real or virtual. It
// moves by the board's own clock only.
package rigtest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"rigor/firmware/wire"
	"rigor/harness/port"
	"rigor/harness/rig"
)

const (
	soon    = 100 * time.Millisecond // enough for a few bytes to cross
	patient = 10 * time.Second       // a bound for what is expected to happen
)

// Run tests boards. open gives a station each time, powered, whose flash holds
// the program firmware/echo: it greets after every reset and from then on
// returns every byte. open closes the station by t.Cleanup, and bears that the
// test has closed it before.
func Run(t *testing.T, open func(t *testing.T) *rig.Station) {
	for _, c := range []struct {
		name string
		test func(*bench)
	}{
		{"the board is the one that was described", (*bench).named},
		{"sleep takes its time and no less", (*bench).sleeps},
		{"sleep obeys its context", (*bench).sleepCancelled},
		{"reset starts the program anew", (*bench).resetApp},
		{"the console carries both ways", (*bench).consoleEchoes},
		{"a console without news times out", (*bench).consoleTimesOut},
		{"what the program said before is discarded", (*bench).consoleDiscards},
		{"reset into the loader keeps the program from running", (*bench).resetLoader},
		{"the loader identifies the chip", (*bench).loader},
		{"the loader can be entered again", (*bench).loaderTwice},
		{"the loader's visit leaves the program alone", (*bench).loaderLeavesNoTrace},
		{"without power the board is silent", (*bench).powerOff},
		{"power starts the program", (*bench).powerOn},
		{"power starts the program even after the loader", (*bench).powerAfterLoader},
		{"power that is on stays on", (*bench).powerTwice},
		{"a profile counts what the program does", (*bench).profiles},
		{"a cancelled context ends a call unbegun", (*bench).cancelled},
		{"close ends the board", (*bench).closed},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(&bench{t, open(t)}) })
	}
}

// bench is one station under test.
type bench struct {
	*testing.T
	*rig.Station
}

// Name is the board's, not the test's.
func (b *bench) Name() string { return b.Station.Name() }

func (b *bench) must(what string, err error) {
	b.Helper()
	if err != nil {
		b.Fatalf("%s: %v", what, err)
	}
}

func (b *bench) sleep(d time.Duration) {
	b.Helper()
	b.must("sleep", b.Clock().Sleep(b.Context(), d))
}

func (b *bench) reset(m rig.BootMode) {
	b.Helper()
	b.must("discard", b.Console().DiscardInput())
	b.must("reset", b.Reset(b.Context(), m))
}

func (b *bench) power(on bool) {
	b.Helper()
	b.must("switch the power", b.Power(b.Context(), on))
}

// switched reports whether the board's supply can be switched. One that cannot
// must say so, and go on undisturbed.
func (b *bench) switched() bool {
	b.Helper()
	b.reset(rig.BootApp)
	b.runs()
	err := b.Power(b.Context(), false)
	if err == nil {
		b.power(true)
		b.runs()
		return true
	}
	if missing := (*rig.MissingError)(nil); !errors.As(err, &missing) {
		b.Fatalf("power off says %v, want it done or a %T", err, missing)
	}
	b.silent()
	b.echoes()
	return false
}

// greeting reads the console until the program greets; ok is false if it does
// not within the given time.
func (b *bench) greeting(within time.Duration) (h wire.Hello, ok bool) {
	b.Helper()
	var d wire.Decoder
	b.must("set the deadline", b.Console().SetReadDeadline(b.Clock().Now().Add(within)))
	for {
		var p [1]byte // one by one, so that nothing beyond the frame is taken
		if _, err := b.Console().Read(p[:]); errors.Is(err, os.ErrDeadlineExceeded) {
			return h, false
		} else if err != nil {
			b.Fatalf("read the console: %v", err)
		}
		if f, ok := d.Feed(p[0]); ok && f.Type == wire.TypeHello {
			h, err := wire.ParseHello(f.Payload)
			b.must("read the greeting", err)
			return h, true
		}
	}
}

// runs checks that the program has just started.
func (b *bench) runs() {
	b.Helper()
	h, ok := b.greeting(patient)
	if !ok {
		b.Fatalf("no greeting within %v", patient)
	}
	if h.Chip != b.Config.Chip || h.Program != "echo" {
		b.Fatalf("%s on %s greets, want echo on %s", h.Program, h.Chip, b.Config.Chip)
	}
}

// echoes checks that the program is alive.
func (b *bench) echoes() {
	b.Helper()
	want := []byte("rigor\x00\xff")
	_, err := b.Console().Write(want)
	b.must("write", err)
	b.must("set the deadline", b.Console().SetReadDeadline(b.Clock().Now().Add(patient)))
	var got []byte
	for len(got) < len(want) {
		p := make([]byte, len(want)-len(got))
		n, err := b.Console().Read(p)
		b.must("read the echo", err)
		got = append(got, p[:n]...)
	}
	if !bytes.Equal(got, want) {
		b.Fatalf("sent % x, got back % x", want, got)
	}
}

func (b *bench) silent() {
	b.Helper()
	b.must("set the deadline", b.Console().SetReadDeadline(b.Clock().Now().Add(soon)))
	var p [8]byte
	if n, err := b.Console().Read(p[:]); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		b.Fatalf("read gave % x, %v, want no bytes and %v", p[:n], err, os.ErrDeadlineExceeded)
	}
}

func (b *bench) named() {
	if b.Name() == "" || b.Name() != b.Config.Name {
		b.Errorf("the board is called %q, its description %q", b.Name(), b.Config.Name)
	}
}

func (b *bench) sleeps() {
	for _, d := range []time.Duration{0, time.Microsecond, soon, -time.Second} {
		before := b.Clock().Now()
		b.sleep(d)
		if took := b.Clock().Now().Sub(before); took < max(d, 0) {
			b.Errorf("sleep of %v took %v", d, took)
		}
	}
}

func (b *bench) sleepCancelled() {
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	before := b.Clock().Now()
	if err := b.Clock().Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		b.Errorf("sleep says %v, want %v", err, context.Canceled)
	}
	if took := b.Clock().Now().Sub(before); took > patient {
		b.Errorf("a cancelled sleep took %v", took)
	}
}

func (b *bench) resetApp() {
	for range 3 {
		b.reset(rig.BootApp)
		b.runs()
		b.echoes()
	}
}

func (b *bench) consoleEchoes() {
	b.reset(rig.BootApp)
	b.runs()
	for range 20 {
		b.echoes()
	}
	b.silent()
}

func (b *bench) consoleTimesOut() {
	b.reset(rig.BootApp)
	b.runs()
	end := b.Clock().Now().Add(soon)
	b.silent()
	if now := b.Clock().Now(); now.Before(end) {
		b.Errorf("the read ended %v early", end.Sub(now))
	}
	b.echoes()
}

func (b *bench) consoleDiscards() {
	b.reset(rig.BootApp)
	b.sleep(time.Second)
	b.must("discard", b.Console().DiscardInput())
	b.silent()
	b.echoes()
}

func (b *bench) resetLoader() {
	b.reset(rig.BootLoader)
	if h, ok := b.greeting(time.Second); ok {
		b.Errorf("%s runs, not the boot loader", h.Program)
	}
	b.reset(rig.BootApp)
	b.runs()
}

func (b *bench) identify() {
	b.Helper()
	l, err := b.Loader(b.Context())
	b.must("enter the loader", err)
	id, err := l.Identify(b.Context())
	if err != nil || id.Chip != b.Config.Chip || id.Version == "" {
		b.Fatalf("the loader says %v, %v, want chip %s and a version", id, err, b.Config.Chip)
	}
}

func (b *bench) loader() { b.identify() }

func (b *bench) loaderTwice() {
	b.identify()
	b.identify()
}

func (b *bench) loaderLeavesNoTrace() {
	b.identify()
	b.reset(rig.BootApp)
	b.runs()
	b.echoes()
}

func (b *bench) powerOff() {
	if !b.switched() {
		return
	}
	b.reset(rig.BootApp)
	b.runs()
	b.power(false)
	b.power(false)
	b.must("discard", b.Console().DiscardInput())
	_, err := b.Console().Write([]byte("anybody?"))
	b.must("write", err)
	b.silent()
	b.must("reset", b.Reset(b.Context(), rig.BootApp))
	b.silent()
}

func (b *bench) powerOn() {
	if !b.switched() {
		return
	}
	for range 2 {
		b.power(false)
		b.sleep(soon)
		b.must("discard", b.Console().DiscardInput())
		b.power(true)
		b.runs()
		b.echoes()
	}
}

func (b *bench) powerAfterLoader() {
	if !b.switched() {
		return
	}
	b.identify()
	b.power(false)
	b.sleep(soon)
	b.must("discard", b.Console().DiscardInput())
	b.power(true)
	b.runs()
}

func (b *bench) powerTwice() {
	b.reset(rig.BootApp)
	b.runs()
	b.power(true)
	b.silent() // no second greeting
	b.echoes()
}

// profiles asks boards that can.
func (b *bench) profiles() {
	board, ok := b.Board.(rig.Profiler)
	if !ok {
		return
	}
	b.reset(rig.BootApp)
	b.runs()
	ended, cancel := context.WithCancel(b.Context())
	cancel()
	if _, err := board.Profile(ended, nil, nil); !errors.Is(err, context.Canceled) {
		b.Errorf("Profile says %v, want %v", err, context.Canceled)
	}
	for range 2 { // one after another
		p, err := board.Profile(b.Context(), nil, nil)
		b.must("profile", err)
		b.echoes()
		counted := p.Stop()
		if counted.Intervals != 0 || len(counted.Cores) == 0 {
			b.Fatalf("%d intervals of %d cores", counted.Intervals, len(counted.Cores))
		}
		if len(counted.Cores[0].At) == 0 {
			b.Error("the program returned bytes without an instruction")
		}
	}
}

func (b *bench) cancelled() {
	b.reset(rig.BootApp)
	b.runs()
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	_, loaderErr := b.Loader(ctx)
	for name, err := range map[string]error{
		"Power":  b.Power(ctx, false),
		"Reset":  b.Reset(ctx, rig.BootApp),
		"Loader": loaderErr,
	} {
		if !errors.Is(err, context.Canceled) {
			b.Errorf("%s says %v, want %v", name, err, context.Canceled)
		}
	}
	b.silent() // the program goes on, unaware
	b.echoes()
}

func (b *bench) closed() {
	console := b.Console()
	b.must("close", b.Close())
	_, readErr := console.Read(make([]byte, 1))
	_, writeErr := console.Write([]byte{1})
	_, loaderErr := b.Loader(b.Context())
	for name, err := range map[string]error{
		"Console.Read":    readErr,
		"Console.Write":   writeErr,
		"Console.SetMode": console.SetMode(port.Mode{Baud: b.Config.Console.Baud}),
		"Power":           b.Power(b.Context(), true),
		"Reset":           b.Reset(b.Context(), rig.BootApp),
		"Loader":          loaderErr,
	} {
		if !errors.Is(err, os.ErrClosed) {
			b.Errorf("%s after Close: %v, want %v", name, err, os.ErrClosed)
		}
	}
	if err := b.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		b.Errorf("second Close: %v", err)
	}
}
