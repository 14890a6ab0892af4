package virtual

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"rigor/harness/flash"
	"rigor/harness/flash/flashtest"
	"rigor/harness/rig"
	"rigor/harness/rig/rigtest"
)

const k210EchoImage = "echo-k210"

// k210Config is the project's own virtual board with a K210.
func k210Config(t *testing.T) *rig.BoardConfig {
	t.Helper()
	return configOf(t, "k210")
}

func TestK210Loader(t *testing.T) {
	program := imageOf(t, k210EchoImage)
	flashtest.Run(t, func(t *testing.T) (flash.Loader, flashtest.Info) {
		s := open(t, k210Config(t))
		l, err := s.Loader(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return l, flashtest.Info{
			Chip: "k210", Clock: s.Clock(),
			Scratch: flash.Span{Addr: 0x10_0000, Size: 0x2000}, Border: 0x10_1000,
			NoMemory: 0x100_0000, // past the flash chip's 16 MB
			Program:  program,
			Started:  func(ctx context.Context) (bool, error) { return greets(ctx, s) },
		}
	})
}

func TestK210Board(t *testing.T) {
	rigtest.Run(t, func(t *testing.T) *rig.Station { return load(t, open(t, k210Config(t)), k210EchoImage) })
}

// Each board has a flash chip of its own, by which it is known.
func TestK210UniqueID(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(2) {
		c := *k210Config(t)
		c.Seed = seed
		l, err := open(t, &c).Loader(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		id, err := l.(flash.Identified).UniqueID(t.Context())
		if want := uniqueID(seed); err != nil || !bytes.Equal(id, want[:8]) || seen[string(id)] {
			t.Errorf("seed %d: unique id % X, %v, want % X", seed, id, err, want[:8])
		}
		seen[string(id)] = true
	}
}

// Of 1024 bytes, 18 more are on the line for the packet, and one for each that is 0xC0 or
// 0xDB: of noise 97.5 % is all that there can be. What the flash still has to do after the
// last block, of 4 pages of 0.4 ms each (W25Q128JV section 9.6), comes on top.
func TestK210ShareOfTheLine(t *testing.T) {
	small := map[int]uint64{115200: 97, 460800: 96, 921600: 95, 1_500_000: 95, 2_000_000: 94}
	large := map[int]uint64{115200: 97, 460800: 97, 921600: 97, 1_500_000: 97, 2_000_000: 97}
	for size, wants := range map[int]map[int]uint64{3 * 4096: small, 160 << 10: large} {
		m, err := flash.ReadBin(noise(size), 0)
		if err != nil {
			t.Fatal(err)
		}
		for baud, want := range wants {
			if share := shareOfTheLine(t, k210Config(t), m, baud, false); share < want {
				t.Errorf("%d bytes at %d baud: %d %%, want %d or more", size, baud, share, want)
			}
		}
	}
}

// noise is the same in every run.
func noise(n int) []byte {
	p := make([]byte, n)
	rand.NewChaCha8([32]byte{}).Read(p)
	return p
}

// Power lost while the flasher is loaded costs nothing but that.
func TestK210PowerLostInPrepare(t *testing.T) {
	loseInPrepare(t, k210Config(t), imageOf(t, k210EchoImage))
}

// The sequences of package rig reach loader and program on both kinds of boards.
func TestK210ResetSequences(t *testing.T) {
	m := imageOf(t, k210EchoImage)
	for name, reset := range map[string]rig.ResetConfig{
		"dan":   {DTR: rig.IO16, RTS: rig.RST},
		"kd233": {DTR: rig.RST, RTS: rig.IO16},
	} {
		t.Run(name, func(t *testing.T) {
			c := *k210Config(t)
			reset.Circuit, reset.Hold, reset.Sample = rig.K210, 100*time.Millisecond, 100*time.Millisecond
			c.Reset = &reset
			s := open(t, &c)
			on := s.Console()
			play(t, s, on, reset.Sequence(true))
			l := program(t, s, m, on, 1_500_000)
			s.Console().DiscardInput()
			if err := l.Run(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			if ok, err := greets(t.Context(), s); !ok {
				t.Errorf("no program after the loader was to run it: %v", err)
			}
			play(t, s, on, reset.Sequence(false))
			if ok, err := greets(t.Context(), s); !ok {
				t.Errorf("no program after a reset into it: %v", err)
			}
		})
	}
}
