package virtual

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"rigor/harness/port"
	"rigor/harness/port/porttest"
	"rigor/harness/rig"
	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// cable is a chip that is only wires: what comes in at RX1 goes out at TX2, and
// what comes in at RX2 goes out at TX1, so that the two bridges of a board talk
// to each other.
type cable struct {
	now   clock.Time
	level [5]bool
	watch func(board.Pin, bool, clock.Time)
	ends  clock.Time // it stops then; 0: never
}

var cablePins = []string{"BOOT0", "TX1", "RX1", "TX2", "RX2"}

var across = map[board.Pin]board.Pin{2: 3, 4: 1} // RX1 to TX2, RX2 to TX1

func (c *cable) Name() string                                { return "cable" }
func (c *cable) Now() clock.Time                             { return c.now }
func (c *cable) SetPower(bool)                               {}
func (c *cable) SetReset(bool)                               {}
func (c *cable) PinName(p board.Pin) string                  { return cablePins[p] }
func (c *cable) Level(p board.Pin) bool                      { return c.level[p] }
func (c *cable) SetAnalog(board.Pin, func(clock.Time) int64) {}
func (c *cable) MicroVolts(board.Pin) int64                  { return 0 }
func (c *cable) Stats() board.Stats                          { return board.Stats{} }
func (c *cable) Warnings() []string                          { return nil }
func (c *cable) Caveats() []string                           { return nil }
func (c *cable) Snapshot() any                               { return *c }
func (c *cable) Restore(any)                                 {}
func (c *cable) Digest() (sum [32]byte)                      { return sum }
func (c *cable) Watch(f func(board.Pin, bool, clock.Time))   { c.watch = f }

func (c *cable) PinByName(name string) (board.Pin, error) {
	if i := slices.Index(cablePins, name); i >= 0 {
		return board.Pin(i), nil
	}
	return 0, fmt.Errorf("cable: no pin %q", name)
}

func (c *cable) Run(until clock.Time) board.Stop {
	if c.ends > 0 && until >= c.ends {
		c.now = max(c.now, c.ends)
		return board.Stop{Kind: board.Lockup, Text: "the cable broke"}
	}
	c.now = max(c.now, until)
	return board.Stop{}
}

func (c *cable) Drive(p board.Pin, d board.Drive, at clock.Time) {
	high := d.Kind == board.DriveHigh || d.Kind == board.PullUp
	c.set(p, high, at)
	if q, ok := across[p]; ok {
		c.set(q, high, at)
	}
}

func (c *cable) set(p board.Pin, high bool, at clock.Time) {
	if c.level[p] != high {
		c.level[p] = high
		c.watch(p, high, at)
	}
}

// cabled is a board whose console and loader are wired to each other.
func cabled(t *testing.T, c *cable) *Board {
	t.Helper()
	s, err := assemble(&rig.BoardConfig{
		Name: "cable", Chip: "stm32f407",
		Console: rig.UARTConfig{TX: "TX1", RX: "RX1", Baud: 115200},
		Loader:  rig.UARTConfig{TX: "TX2", RX: "RX2", Baud: 115200},
	}, silicon{make: func(*rig.BoardConfig) board.Chip { return c }, strap: strap{pin: "BOOT0"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.Board.(*Board)
}

func TestPorts(t *testing.T) {
	for _, name := range []string{consoleName, loaderName} {
		t.Run(name, func(t *testing.T) {
			porttest.Run(t, func(t *testing.T) porttest.Pair {
				b := cabled(t, &cable{})
				if name == consoleName {
					return pair(b, b.console, b.loader.bridge)
				}
				return pair(b, b.loader, b.console.bridge)
			})
		})
	}
}

// pair is a port whose line ends at another bridge.
func pair(b *Board, p *line, peer *board.Bridge) porttest.Pair {
	var received []byte
	pin, _ := b.sim.Chip().PinByName(map[*line]string{b.console: "RX1", b.loader: "RX2"}[p])
	return porttest.Pair{
		Break: func() bool { return !b.sim.Chip().Level(pin) },
		Port:  p, Clock: b.Clock(), Late: 1,
		Send: func(data []byte) error { peer.Write(data); return nil },
		Received: func() []byte {
			for r, ok := peer.Next(); ok; r, ok = peer.Next() {
				received = append(received, r.Byte)
			}
			return received
		},
		Modes: []port.Mode{{Baud: 9600}, {Baud: 115200, Parity: port.ParityEven}, {Baud: 1200, Parity: port.ParityOdd}},
		Mode: func() (port.Mode, error) {
			m := p.bridge.Mode()
			return port.Mode{Baud: int(m.Baud), Parity: port.Parity(m.Parity)}, nil
		},
	}
}

// What was written before a change of mode leaves in the old one.
func TestModeWaitsForWhatWasWritten(t *testing.T) {
	b := cabled(t, &cable{})
	b.console.Write([]byte("slow"))
	if err := b.console.SetMode(port.Mode{Baud: 9600}); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 8)
	n, err := b.loader.Read(got)
	if err != nil || string(got[:n]) != "slow" {
		t.Errorf("got %q, %v", got[:n], err)
	}
}

// What a chip sent before it stopped is read before the stop is told.
func TestReadBeforeStop(t *testing.T) {
	b := cabled(t, &cable{ends: 200 * clock.Microsecond})
	b.console.Write([]byte("abc")) // 87 us each: two arrive
	got := make([]byte, 8)
	var n int
	for n < 2 {
		k, err := b.loader.Read(got[n:])
		if err != nil {
			t.Fatalf("after %q: %v", got[:n], err)
		}
		n += k
	}
	_, err := b.loader.Read(got)
	var stop board.Stop
	if string(got[:n]) != "ab" || !errors.As(err, &stop) || rig.ClassOf(err) != rig.Firmware {
		t.Errorf("got %q, then %v", got[:n], err)
	}
}

// A break reaches the chip's UART as 00 without a stop bit: with FF behind it, the
// boot loader would take it for Get (AN3155 §3.1), but answers NACK, 1F.
func TestBreakReachesTheChip(t *testing.T) {
	s := blank(t)
	if _, err := s.Loader(t.Context()); err != nil {
		t.Fatal(err)
	}
	l := s.Board.(*Board).loader
	for _, on := range []bool{true, false} {
		if err := l.SetBreak(on); err != nil {
			t.Fatal(err)
		}
		if err := s.Clock().Sleep(t.Context(), time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Write([]byte{0xFF}); err != nil {
		t.Fatal(err)
	}
	if err := l.SetReadDeadline(s.Clock().Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 2)
	if n, err := l.Read(got); n != 1 || got[0] != 0x1F {
		t.Errorf("the boot loader answers % x, %v, want 1f", got[:n], err)
	}
}
