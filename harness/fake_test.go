package harness

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"rigor/firmware/images"
	"rigor/firmware/wire"
	"rigor/harness/flash"
	"rigor/harness/port"
	"rigor/harness/rig"
	"rigor/harness/timebase"
	"rigor/probes"
)

// fake is a station in memory, whose time moves in Sleep and in a Read that has
// nothing to give.
type fake struct {
	now      time.Duration
	deadline time.Time
	input    []byte                   // what the console has to give
	greeting []byte                   // what the program says after a reset
	answer   func(sent []byte) []byte // what it says to what it is sent; nil: nothing
	capture  probes.Capture           // what every recording shows
	chip     string                   // as the loader names it
	memory   map[uint32]byte          // written by the loader
	fail     map[string][]error       // what each call has to say, in turn
	calls    map[string]int
}

var errCable = errors.New("the cable broke")

// call counts a call and gives the error that waits for it.
func (f *fake) call(name string) error {
	if f.calls == nil {
		f.calls = map[string]int{}
	}
	f.calls[name]++
	if len(f.fail[name]) == 0 {
		return nil
	}
	err := f.fail[name][0]
	f.fail[name] = f.fail[name][1:]
	return err
}

func (f *fake) station() *rig.Station {
	return &rig.Station{
		Board: board{f}, Capturer: capturer{f}, Driver: pins{f},
		Config: &rig.BoardConfig{Name: "fake", Chip: "stm32f407"},
	}
}

func (f *fake) Now() time.Time { return time.Unix(1e9, 0).Add(f.now) }

func (f *fake) Sleep(ctx context.Context, d time.Duration) error {
	f.now += d
	return ctx.Err()
}

type board struct{ *fake }

func (b board) Name() string                      { return "fake" }
func (b board) Clock() timebase.Clock             { return b.fake }
func (b board) Console() port.Port                { return serial(b) }
func (b board) Power(context.Context, bool) error { return nil }
func (b board) Close() error                      { return nil }

func (b board) Reset(context.Context, rig.BootMode) error {
	b.input = append(b.input, b.greeting...)
	return b.call("reset")
}

func (b board) Loader(context.Context) (flash.Loader, error) { return loader(b), b.call("loader") }

type serial struct{ *fake }

func (s serial) Read(p []byte) (int, error) {
	if err := s.call("read"); err != nil {
		return 0, err
	}
	if len(s.input) == 0 {
		s.now = max(s.now, s.deadline.Sub(time.Unix(1e9, 0)))
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(p, s.input)
	s.input = s.input[n:]
	return n, nil
}

func (s serial) Write(p []byte) (int, error) {
	if s.answer != nil {
		s.input = append(s.input, s.answer(p)...)
	}
	return len(p), s.call("write")
}

func (s serial) SetReadDeadline(t time.Time) error {
	s.deadline = t
	return s.call("deadline")
}

func (s serial) SetMode(port.Mode) error   { return nil }
func (s serial) SetLines(port.Lines) error { return errors.ErrUnsupported }
func (s serial) Close() error              { return nil }

func (s serial) DiscardInput() error {
	s.input = nil
	return s.call("discard")
}

type loader struct{ *fake }

func (l loader) Identify(context.Context) (flash.ChipID, error) {
	return flash.ChipID{Chip: l.chip, ID: 0x413, Version: "3.1"}, l.call("identify")
}

func (l loader) Erase(context.Context, flash.Span) error {
	l.memory = map[uint32]byte{}
	return l.call("erase")
}

func (l loader) Write(_ context.Context, addr uint32, data []byte) error {
	for i, b := range data {
		l.memory[addr+uint32(i)] = b
	}
	return l.call("flash")
}

func (l loader) Read(_ context.Context, addr uint32, p []byte) error {
	for i := range p {
		p[i] = l.memory[addr+uint32(i)]
	}
	if l.call("spoil") != nil {
		p[0] ^= 0x10
	}
	return nil
}

func (l loader) Run(context.Context, uint32) error { return nil }

type capturer struct{ *fake }

func (c capturer) Arm(context.Context, probes.CaptureSpec) (probes.Recording, error) {
	return recording(c), c.call("arm")
}

type recording struct{ *fake }

func (r recording) Stop(context.Context) (probes.Capture, error) { return r.capture, r.call("stop") }

type pins struct{ *fake }

func (p pins) Drive(context.Context, probes.Line, bool) error { return p.call("drive") }

// The run that the fake's program does: so many intervals of so many cycles.
const (
	start    probes.Line   = "start"
	end      probes.Line   = "end"
	interval               = 100
	clockHz  timebase.Rate = 16_000_000
)

var command = wire.Command{Name: "gosched", Count: 4}

// program is the fake's image.
func program(t *testing.T) images.Image {
	t.Helper()
	image, err := images.Open("latency-stm32f407-16mhz")
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// honest is a station on which all is well.
func honest(t *testing.T) *fake {
	f := &fake{
		chip: "stm32f407", fail: map[string][]error{},
		greeting: wire.AppendHello(nil, wire.Hello{
			Version: wire.Version, Program: "latency", SourceDigest: program(t).SourceDigest,
			Chip: "stm32f407", CoreHz: uint32(clockHz), CounterHz: uint32(clockHz),
		}),
		answer:  func([]byte) []byte { return slices.Concat(accepted(), reported(interval), finished(4)) },
		capture: probes.Capture{Rate: clockHz, Resolution: 1, Initial: map[probes.Line]bool{start: false, end: false}, Length: 10000},
	}
	for i := range timebase.Ticks(4) {
		for _, high := range []bool{true, false} {
			at := 1000 * i
			if !high {
				at += 500
			}
			f.capture.Edges = append(f.capture.Edges, probes.Edge{At: at, Line: start, High: high},
				probes.Edge{At: at + interval, Line: end, High: high})
		}
	}
	return f
}

func accepted() []byte { return wire.AppendStatus(nil, wire.Status{}) }

// reported are the program's samples, each of so many cycles.
func reported(cycles uint32) []byte {
	values := []uint32{cycles, cycles, cycles, cycles}
	return wire.AppendSamples(nil, wire.Samples{Name: command.Name, Values: values})
}

func finished(count uint32) []byte {
	return wire.AppendDone(nil, wire.Done{Name: command.Name, Count: count})
}
