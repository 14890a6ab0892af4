package virtual

import (
	"context"
	"errors"
	"testing"
	"time"

	"rigor/harness/flash"
	"rigor/harness/flash/flashtest"
	"rigor/harness/rig"
	"rigor/harness/rig/rigtest"
)

const c3EchoImage = "echo-esp32c3"

// c3Config is the project's own virtual board with an ESP32-C3.
func c3Config(t *testing.T) *rig.BoardConfig {
	t.Helper()
	return configOf(t, "c3")
}

func TestC3Loader(t *testing.T) {
	program := imageOf(t, c3EchoImage)
	for name, prepare := range map[string]func(flash.Loader) error{
		"ROM":     func(flash.Loader) error { return nil },
		"flasher": func(l flash.Loader) error { return l.(flash.Preparer).Prepare(t.Context()) },
	} {
		t.Run(name, func(t *testing.T) {
			flashtest.Run(t, func(t *testing.T) (flash.Loader, flashtest.Info) {
				s := open(t, c3Config(t))
				l, err := s.Loader(t.Context())
				if err == nil {
					err = prepare(l)
				}
				if err != nil {
					t.Fatal(err)
				}
				return l, flashtest.Info{
					Chip: "esp32c3", Clock: s.Clock(),
					Scratch: flash.Span{Addr: 0x10_0000, Size: 0x2000}, Border: 0x10_1000,
					NoMemory: 0x100_0000, // past the flash chip's 4 MB
					Program:  program,
					Started:  func(ctx context.Context) (bool, error) { return greets(ctx, s) },
				}
			})
		})
	}
}

func TestC3Board(t *testing.T) {
	rigtest.Run(t, func(t *testing.T) *rig.Station { return load(t, open(t, c3Config(t)), c3EchoImage) })
}

// shareOfTheLine programs an image and gives what it took of the line, in per cent.
func shareOfTheLine(t *testing.T, c *rig.BoardConfig, m *flash.Image, baud int, alone bool) uint64 {
	t.Helper()
	s := open(t, c)
	l, err := s.Board.(rig.RatedLoader).LoaderAt(t.Context(), baud)
	if err != nil {
		t.Fatal(err)
	}
	r, err := flash.Program(t.Context(), l, m, flash.Options{Chip: c.Chip, Verify: true, Alone: alone, Clock: s.Clock()})
	if err != nil {
		t.Fatal(err)
	}
	share, ok := r.Share()
	if !ok {
		t.Fatal("there is no share")
	}
	t.Logf("%d baud: %v; %d bytes on the line, steps %v", baud, r, r.Wire, r.Steps)
	return share
}

// c3Image is an image of the project's, with others behind it if it is to be large.
func c3Image(t *testing.T, large bool) *flash.Image {
	t.Helper()
	var data []byte
	for _, name := range []string{"latency-esp32c3", "hub-esp32c3", "analog-esp32c3", "pwm-esp32c3", "jitter-esp32c3", "echo-esp32c3"} {
		m := imageOf(t, name)
		if !large {
			return m
		}
		data = append(data, m.Segments[0].Data...)
	}
	m, err := flash.ReadBin(append(data, data...), 0)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// esptool's figures are 91 % at 230400 baud (espressif/esptool pull request 639, ESP32-C3)
// and 75 % at 460800 (esptool's documentation), with a program in RAM as ours is. Of 1024
// bytes, 26 more are on the line for the packet, and 8 for SLIP's escapes: 96.8 % is all there
// can be; what the flash still has to do after the last block comes on top, and at 921600
// baud that it is as slow as the line.
func TestC3ShareOfTheLine(t *testing.T) {
	for _, large := range []bool{false, true} {
		m := c3Image(t, large)
		for baud, want := range map[int]uint64{115200: 95, 230400: 95, 460800: 94, 921600: 90} {
			if share := shareOfTheLine(t, c3Config(t), m, baud, false); share < want {
				t.Errorf("%d bytes at %d baud: %d %%, want %d or more", m.Size(), baud, share, want)
			}
		}
	}
}

// What the ROM alone allows. Of 1024 bytes, its most (espressif/esptool issue 860), 40 more
// are on the line for packet and reply. What was inflated it writes while it does
// not receive, in pieces of 32 bytes (ESP_ROM_SPIFLASH_BUFF_BYTE_WRITE_NUM of ESP-IDF's
// esp32c3/rom/spi_flash.h), of 107.5 us each (W25Q32JV section 9.6: tBP1, tBP2): of these
// 16848 bytes, deflated to 10845, that is 57 ms beside the line's 494 at 230400 baud.
func TestC3ShareOfTheROM(t *testing.T) {
	for baud, want := range map[int]uint64{115200: 88, 230400: 83, 460800: 75} {
		if share := shareOfTheLine(t, c3Config(t), c3Image(t, false), baud, true); share < want {
			t.Errorf("%d baud: %d %%, want %d or more", baud, share, want)
		}
	}
}

// Power lost while the flasher is loaded costs nothing but that: nothing was erased, and
// the next attempt succeeds.
func TestC3PowerLostInPrepare(t *testing.T) {
	loseInPrepare(t, c3Config(t), c3Image(t, false))
}

func loseInPrepare(t *testing.T, c *rig.BoardConfig, m *flash.Image) {
	t.Helper()
	s := open(t, c)
	options := flash.Options{Chip: c.Chip, Verify: true, Clock: s.Clock()}
	for _, after := range []time.Duration{0, 20 * time.Millisecond} {
		if err := s.Power(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		l, err := s.Loader(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		cut := options
		cut.Progress = func(e flash.Event) {
			if e.Phase == flash.PhasePrepare {
				if err := s.Board.(rig.PowerCutter).CutPower(t.Context(), after); err != nil {
					t.Error(err)
				}
			}
		}
		_, err = flash.Program(t.Context(), l, m, cut)
		if e := (*flash.Error)(nil); !errors.As(err, &e) || e.Phase != flash.PhasePrepare {
			t.Errorf("power lost after %v: %v, want an error of prepare", after, err)
		}
	}
	if err := s.Power(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	l, err := s.Loader(t.Context())
	if err == nil {
		_, err = flash.Program(t.Context(), l, m, options)
	}
	if err != nil {
		t.Error(err)
	}
}
