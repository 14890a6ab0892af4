package stm32f407

import (
	"testing"

	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
	"rigor/harness/sim/soc/soctest"
)

// loadELF puts a checked-in firmware image into flash.
func loadELF(tb testing.TB, c *Chip, name string) {
	tb.Helper()
	for _, s := range soctest.Segments(tb, name) {
		if err := c.LoadFlash(s.Addr, s.Data); err != nil {
			tb.Fatal(err)
		}
	}
}

// console is a board with USART2 on a bridge, as UM1472's user would wire it.
func console(tb testing.TB, c *Chip) *soctest.Board {
	tb.Helper()
	b := soctest.New(tb, c, board.Wiring{Boot: "BOOT0", Bridges: []board.BridgeWiring{{Name: "usart2", TX: "PA2", RX: "PA3"}}})
	b.SetPower(true)
	return b
}

// The checked-in firmware says hello at the clock it claims.
func TestFirmwareSaysHello(t *testing.T) {
	tests := []struct {
		image, program string
		hz             uint64
	}{
		{"echo-stm32f407", "echo", 168e6},
		{"latency-stm32f407-168mhz", "latency", 168e6},
		{"latency-stm32f407-16mhz", "latency", 16e6},
	}
	for _, tt := range tests {
		c := New(Options{})
		loadELF(t, c, tt.image)
		b := console(t, c)
		h := b.Hello()
		if h.Program != tt.program || uint64(h.CoreHz) != tt.hz || c.Stats().ClockHz != tt.hz {
			t.Errorf("%s: %+v at %d Hz", tt.image, h, c.Stats().ClockHz)
		}
		t.Logf("%s: hello after %d us; %q", tt.image, b.Now()/clock.Microsecond, c.Warnings())
	}
}

// An edge on the stimulus pin comes out on the echo pin, and a byte comes back.
func TestFirmwareEchoes(t *testing.T) {
	c := New(Options{})
	loadELF(t, c, "echo-stm32f407")
	b := console(t, c)
	b.Hello()
	b.Echoes(portA+0, portD+12)
}

func TestFirmwareFromSnapshot(t *testing.T) {
	c := New(Options{Seed: 9})
	loadELF(t, c, "latency-stm32f407-16mhz")
	c.SetPower(true)
	soctest.GoesTheSameWay(t, c)
}

// BenchmarkFirmware is the speed of the whole chip on TinyGo's start-up.
func BenchmarkFirmware(b *testing.B) {
	c := New(Options{})
	loadELF(b, c, "latency-stm32f407-168mhz")
	c.SetPower(true)
	c.Run(powerOnReset)
	snap := c.Snapshot()
	var insns uint64
	for b.Loop() {
		c.Restore(snap)
		c.Run(c.Now() + 10*clock.Millisecond)
		insns += c.Stats().Instructions
	}
	b.ReportMetric(float64(insns)/b.Elapsed().Seconds()/1e6, "MIPS")
}

func BenchmarkSnapshot(b *testing.B) {
	c := New(Options{})
	for b.Loop() {
		c.Restore(c.Snapshot())
	}
}

func BenchmarkDigest(b *testing.B) {
	c := New(Options{})
	for b.Loop() {
		c.Digest()
	}
}
