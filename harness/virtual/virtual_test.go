package virtual

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"rigor/firmware/images"
	"rigor/harness"
	"rigor/harness/flash"
	"rigor/harness/flash/flashtest"
	"rigor/harness/rig"
	"rigor/harness/rig/rigtest"
	"rigor/probes"
	"rigor/probes/probestest"
)

const echoImage = "echo-stm32f407"

// config is the project's own virtual board with an STM32F407.
func config(t *testing.T) *rig.BoardConfig {
	t.Helper()
	return configOf(t, "f407")
}

func configOf(t *testing.T, board string) *rig.BoardConfig {
	t.Helper()
	c, err := rig.LoadConfig("../../rigs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Rig("virtual")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range r.Boards {
		if b.Name == board {
			return b
		}
	}
	t.Fatalf("no board %s", board)
	return nil
}

func open(t *testing.T, c *rig.BoardConfig) *rig.Station {
	t.Helper()
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// blank is a board as it leaves the factory.
func blank(t *testing.T) *rig.Station {
	t.Helper()
	return open(t, config(t))
}

// imageOf is one of the project's images as its chip's loader takes it.
func imageOf(t *testing.T, name string) *flash.Image {
	t.Helper()
	image, err := images.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	part, err := flash.PartOf(image.Chip)
	if err != nil {
		t.Fatal(err)
	}
	m, err := flash.Read(image.Data, part)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// load puts an image on a board and starts it.
func load(t *testing.T, s *rig.Station, name string) *rig.Station {
	t.Helper()
	image, err := images.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := harness.Flash(t.Context(), s, name, image.Data, func(string) {}); err != nil {
		t.Fatal(err)
	}
	if err := s.Reset(t.Context(), rig.BootApp); err != nil {
		t.Fatal(err)
	}
	return s
}

// flashed is a board with a program, running.
func flashed(t *testing.T, name string) *rig.Station {
	t.Helper()
	return load(t, blank(t), name)
}

// greets waits for the program's greeting.
func greets(ctx context.Context, s *rig.Station) (bool, error) {
	_, err := harness.NewConsole(s.Console(), s.Clock(), new(bytes.Buffer)).Hello(ctx, time.Second)
	if silent := (*harness.SilentError)(nil); errors.As(err, &silent) {
		return false, nil
	}
	return err == nil, err
}

func TestBoard(t *testing.T) {
	rigtest.Run(t, func(t *testing.T) *rig.Station { return flashed(t, echoImage) })
}

func TestLoader(t *testing.T) {
	image, err := images.Open(echoImage)
	if err != nil {
		t.Fatal(err)
	}
	part, err := flash.PartOf("stm32f407")
	if err != nil {
		t.Fatal(err)
	}
	program, err := flash.Read(image.Data, part)
	if err != nil {
		t.Fatal(err)
	}
	flashtest.Run(t, func(t *testing.T) (flash.Loader, flashtest.Info) {
		s := blank(t)
		l, err := s.Loader(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return l, flashtest.Info{
			Chip: "stm32f407", Clock: s.Clock(),
			// RM0090 table 5: sectors 1 and 2, of 16 KB each.
			Scratch: flash.Span{Addr: 0x0800_4000, Size: 0x8000}, Border: 0x0800_8000,
			NoMemory: 0x3000_0000,
			Program:  program,
			Started:  func(ctx context.Context) (bool, error) { return greets(ctx, s) },
		}
	})
}

// echoing is a board whose line echo follows stimulus, by a program.
func echoing(t *testing.T) *rig.Station {
	t.Helper()
	s := flashed(t, echoImage)
	if ok, err := greets(t.Context(), s); !ok {
		t.Fatalf("no greeting: %v", err)
	}
	return s
}

func levels(s *rig.Station) probestest.Bench {
	return probestest.Bench{
		Capturer: s.Capturer, Driver: s.Driver, Clock: s.Clock(),
		Drive: "stimulus", Follow: "echo",
		Delay: 20 * time.Microsecond, // an interrupt's way through TinyGo's handlers
		Slack: time.Nanosecond,       // the clock counts whole ones, the probe picoseconds
	}
}

func TestProbes(t *testing.T) {
	probestest.Run(t, func(t *testing.T) probestest.Bench { return levels(echoing(t)) })
}

func TestFaults(t *testing.T) {
	probestest.RunFaults(t, func(t *testing.T) probestest.FaultBench {
		s := echoing(t)
		return probestest.FaultBench{Bench: levels(s), Faults: s.Faults}
	})
}

func TestAnalog(t *testing.T) {
	probestest.RunAnalog(t, func(t *testing.T) probestest.AnalogBench {
		s := echoing(t)
		return probestest.AnalogBench{
			Source: s.Source, Meter: s.Meter, Clock: s.Clock(), Line: "analog", Watched: "dac",
			Accuracy: 1, Slack: time.Nanosecond,
		}
	})
}

func TestSelfTest(t *testing.T) {
	s := echoing(t)
	r, err := probes.SelfTest(t.Context(), s.Clock(), s.Capturer, s.Driver, "stimulus", "loop")
	if want := (probes.Report{Rate: 1e12, Resolution: 1, N: 32}); r != want || err != nil {
		t.Errorf("%v, %v, want %v", r, err, want)
	}
}

// A cut console is silence, and so is one that is stuck; both end.
func TestCutConsole(t *testing.T) {
	s := flashed(t, echoImage)
	for _, f := range []probes.Fault{{Kind: probes.Open}, {Kind: probes.StuckHigh}} {
		if err := s.Faults.Inject(t.Context(), "console-tx", f); err != nil {
			t.Fatal(err)
		}
		if err := s.Reset(t.Context(), rig.BootApp); err != nil {
			t.Fatal(err)
		}
		if ok, err := greets(t.Context(), s); ok || err != nil {
			t.Errorf("%v: greeting %v, %v", f.Kind, ok, err)
		}
		if err := s.Faults.Clear(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Reset(t.Context(), rig.BootApp); err != nil {
			t.Fatal(err)
		}
		if ok, err := greets(t.Context(), s); !ok {
			t.Errorf("%v cleared: no greeting, %v", f.Kind, err)
		}
	}
}

func TestOpenMistakes(t *testing.T) {
	for name, spoil := range map[string]func(*rig.BoardConfig){
		`chip "z80" is not simulated`: func(c *rig.BoardConfig) { c.Chip = "z80" },
		"line echo":                   func(c *rig.BoardConfig) { c.Lines["echo"] = rig.LineConfig{Pin: "PX1"} },
		`wire bridge "console"`:       func(c *rig.BoardConfig) { c.Console.TX = "PX1" },
		"set console to 0 8N1":        func(c *rig.BoardConfig) { c.Console.Baud = 0 },
	} {
		c := config(t)
		spoil(c)
		if _, err := Open(c); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want an error about %s", err, name)
		}
	}
}

// Erased flash gives the core 0xFFFFFFFF as its stack and its entry: it locks up
// (ARMv7-M ARM B1.5.15), which is the program's fault and lasts until a reset.
func TestProgramThatLocksUp(t *testing.T) {
	s := blank(t)
	err := s.Clock().Sleep(t.Context(), time.Second)
	if rig.ClassOf(err) != rig.Firmware || !strings.Contains(err.Error(), "lockup, PC 0x") {
		t.Errorf("sleep says %v", err)
	}
	if _, err := s.Console().Read(make([]byte, 1)); rig.ClassOf(err) != rig.Firmware {
		t.Errorf("read says %v", err)
	}
	if _, err := s.Loader(t.Context()); err != nil {
		t.Errorf("a reset into the loader: %v", err)
	}
	if err := s.Clock().Sleep(t.Context(), time.Second); err != nil {
		t.Errorf("sleep in the loader says %v", err)
	}
}

// Nothing moves a board's time but what is said to.
func TestPassive(t *testing.T) {
	s := flashed(t, echoImage)
	before := s.Clock().Now()
	s.Console().Write([]byte("x"))
	s.Console().SetReadDeadline(before.Add(time.Hour))
	s.Console().DiscardInput()
	s.Power(t.Context(), true)
	s.Driver.Drive(t.Context(), "stimulus", true)
	r, err := s.Capturer.Arm(t.Context(), probes.CaptureSpec{Lines: []probes.Line{"stimulus"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now := s.Clock().Now(); now != before {
		t.Errorf("the clock moved by %v", now.Sub(before))
	}
}

// A sleep whose context ends meanwhile ends with it, though nothing but the
// sleep itself moves the board.
func TestSleepEndsWithItsContext(t *testing.T) {
	s := flashed(t, echoImage)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if err := s.Clock().Sleep(ctx, 1000*time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("sleep says %v", err)
	}
}

// A read without a deadline must come back, for only itself moves the time.
func TestReadWithoutDeadline(t *testing.T) {
	s := flashed(t, echoImage)
	if ok, err := greets(t.Context(), s); !ok {
		t.Fatalf("no greeting: %v", err)
	}
	s.Console().SetReadDeadline(time.Time{})
	before := s.Clock().Now()
	if _, err := s.Console().Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read says %v", err)
	}
	if took := s.Clock().Now().Sub(before); took < Patience || took > Patience+time.Second {
		t.Errorf("read took %v, want %v", took, Patience)
	}
}

func TestUniqueID(t *testing.T) {
	if uniqueID(1) == uniqueID(2) || uniqueID(0) == [12]byte{} {
		t.Errorf("ids: %x %x %x", uniqueID(0), uniqueID(1), uniqueID(2))
	}
}
