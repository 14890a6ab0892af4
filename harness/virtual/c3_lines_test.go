package virtual

import (
	"context"
	"os"
	"testing"
	"time"

	"rigor/harness/flash"
	"rigor/harness/flash/loaders"
	"rigor/harness/port"
	"rigor/harness/rig"
	"rigor/harness/sim/board"
)

// usbPort is the chip's own USB port, as a host's driver offers it: it has no
// rate, and its modem lines are commands to the chip.
type usbPort struct {
	b        *Board
	usb      board.USBSerial
	unread   []byte
	deadline time.Time
}

func newUSBPort(s *rig.Station) *usbPort {
	b := s.Board.(*Board)
	return &usbPort{b: b, usb: b.sim.Chip().(board.USBSerial)}
}

// poll is how often the driver's buffer is looked at: a frame of USB is 1 ms.
const poll = 100 * time.Microsecond

func (p *usbPort) Read(to []byte) (int, error) {
	for {
		if p.unread = append(p.unread, p.usb.USBRead(4096)...); len(p.unread) > 0 {
			n := copy(to, p.unread)
			p.unread = p.unread[n:]
			return n, nil
		}
		if !p.b.Clock().Now().Before(p.deadline) {
			return 0, os.ErrDeadlineExceeded
		}
		if err := p.b.Clock().Sleep(context.Background(), poll); err != nil {
			return 0, err
		}
	}
}

func (p *usbPort) Write(data []byte) (int, error) {
	for sent := 0; ; {
		if sent += p.usb.USBWrite(data[sent:]); sent == len(data) {
			return sent, nil
		}
		if err := p.b.Clock().Sleep(context.Background(), poll); err != nil {
			return sent, err
		}
	}
}

func (p *usbPort) SetReadDeadline(t time.Time) error { p.deadline = t; return nil }
func (p *usbPort) SetMode(port.Mode) error           { return nil }
func (p *usbPort) SetLines(l port.Lines) error       { p.usb.USBLines(l.DTR, l.RTS); return nil }
func (p *usbPort) DiscardInput() error               { p.unread = nil; p.usb.USBRead(4096); return nil }
func (p *usbPort) Close() error                      { return nil }

// play moves lines as a reset wants it.
func play(t *testing.T, s *rig.Station, on port.Port, steps []rig.LineStep) {
	t.Helper()
	for _, step := range steps {
		if err := on.SetLines(step.Lines); err != nil {
			t.Fatal(err)
		}
		if err := s.Clock().Sleep(t.Context(), step.For); err != nil {
			t.Fatal(err)
		}
	}
}

// program flashes a program through a port on which the loader listens.
func program(t *testing.T, s *rig.Station, m *flash.Image, p port.Port, baud int) flash.Loader {
	t.Helper()
	kind, err := loaders.Of(s.Config.Chip)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Clock().Sleep(t.Context(), kind.Startup); err != nil {
		t.Fatal(err)
	}
	l, err := kind.Connect(t.Context(), p, s.Clock(), baud)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := flash.Program(t.Context(), l, m, flash.Options{Chip: s.Config.Chip, Verify: true, Clock: s.Clock()}); err != nil {
		t.Fatal(err)
	}
	return l
}

// The sequences of package rig reach loader and program through each thing that
// may lie between host and chip.
func TestC3ResetSequences(t *testing.T) {
	for name, reset := range map[string]*rig.ResetConfig{
		"two transistors": {Circuit: rig.ESP32, DTR: rig.GPIO9, RTS: rig.EN, Hold: 100 * time.Millisecond,
			Rise: 5 * time.Millisecond, Sample: 50 * time.Millisecond},
		"USB Serial/JTAG": {Circuit: rig.USB, Hold: 100 * time.Millisecond, Sample: 100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			c := *c3Config(t)
			if reset.Circuit != rig.USB {
				c.Reset = reset
			}
			s := open(t, &c)
			on := s.Console()
			if reset.Circuit == rig.USB {
				on = newUSBPort(s)
			}
			play(t, s, on, reset.Sequence(true))
			program(t, s, imageOf(t, c3EchoImage), on, 115200)
			s.Console().DiscardInput()
			play(t, s, on, reset.Sequence(false))
			if ok, err := greets(t.Context(), s); !ok {
				t.Errorf("no program after a reset into it: %v", err)
			}
			play(t, s, on, reset.Sequence(true))
			if err := program(t, s, imageOf(t, c3EchoImage), on, 921600).Run(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			s.Console().DiscardInput()
			if ok, err := greets(t.Context(), s); !ok {
				t.Errorf("no program after the loader was to run it: %v", err)
			}
		})
	}
}
