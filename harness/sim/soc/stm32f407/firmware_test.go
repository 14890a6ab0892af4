package stm32f407

import (
	"debug/elf"
	"io"
	"testing"

	"rigor/firmware/wire"
	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// loadELF puts a checked-in firmware image into flash.
func loadELF(tb testing.TB, c *Chip, name string) {
	tb.Helper()
	f, err := elf.Open("../../../../firmware/images/" + name + ".elf")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type != elf.PT_LOAD || p.Filesz == 0 {
			continue
		}
		data, err := io.ReadAll(p.Open())
		if err != nil {
			tb.Fatal(err)
		}
		if err := c.LoadFlash(uint32(p.Paddr), data); err != nil {
			tb.Fatal(err)
		}
	}
}

// console is a board with USART2 on a bridge, as UM1472's user would wire it.
func console(tb testing.TB, c *Chip) (*board.Board, *board.Bridge) {
	tb.Helper()
	b, err := board.New(c, board.Wiring{Boot: "BOOT0", Bridges: []board.BridgeWiring{{Name: "usart2", TX: "PA2", RX: "PA3"}}})
	if err != nil {
		tb.Fatal(err)
	}
	br := b.Bridge("usart2")
	if err := br.SetMode(board.Mode{Baud: 115200}); err != nil {
		tb.Fatal(err)
	}
	b.SetPower(true)
	return b, br
}

// frames advances until the decoder has n frames.
func frames(tb testing.TB, b *board.Board, br *board.Bridge, n int, limit clock.Time) []wire.Frame {
	tb.Helper()
	var d wire.Decoder
	var got []wire.Frame
	stop := b.AdvanceUntil(b.Now()+limit, func() bool {
		for r, ok := br.Next(); ok; r, ok = br.Next() {
			if r.Framing || r.Parity {
				tb.Errorf("byte %#x at %d ps is not a good frame", r.Byte, r.At)
			}
			if f, ok := d.Feed(r.Byte); ok {
				got = append(got, f)
			}
		}
		return len(got) >= n
	})
	if err := stop.Err(); err != nil {
		tb.Fatal(err)
	}
	return got
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
		b, br := console(t, c)
		got := frames(t, b, br, 1, clock.Second)
		if len(got) == 0 || got[0].Type != wire.TypeHello {
			t.Errorf("%s: no hello, %+v", tt.image, got)
			continue
		}
		h, err := wire.ParseHello(got[0].Payload)
		if err != nil {
			t.Fatal(err)
		}
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
	b, br := console(t, c)
	if len(frames(t, b, br, 1, clock.Second)) == 0 {
		t.Fatal("no hello")
	}
	rec := b.Record(portD + 12)
	b.Drive(portA+0, board.Drive{Kind: board.DriveHigh})
	br.Write([]byte("x"))
	stop := b.AdvanceUntil(b.Now()+10*clock.Millisecond, func() bool { return br.Buffered() > 0 })
	if err := stop.Err(); err != nil {
		t.Fatal(err)
	}
	if r, ok := br.Next(); !ok || r.Byte != 'x' {
		t.Errorf("echo of 'x' is %+v, %v", r, ok)
	}
	if e := rec.Edges(); len(e) != 1 || !e[0].High {
		t.Errorf("edges on the echo pin: %+v", e)
	}
}

// A program goes the same way from a snapshot taken anywhere: in start-up, in
// the middle of a byte, asleep.
func TestFirmwareFromSnapshot(t *testing.T) {
	c := New(Options{Seed: 9})
	loadELF(t, c, "latency-stm32f407-16mhz")
	c.SetPower(true)
	for range 8 {
		run(t, c, 4321*clock.Microsecond)
		snap := c.Snapshot()
		run(t, c, 3*clock.Millisecond)
		want := c.Digest()
		c.Restore(snap)
		run(t, c, clock.Millisecond)
		run(t, c, snap.(*snapshot).time()+3*clock.Millisecond-c.Now())
		if c.Digest() != want {
			t.Errorf("from %d us on it went another way", snap.(*snapshot).time()/clock.Microsecond)
		}
		c.Restore(snap)
	}
}

func (s *snapshot) time() clock.Time { return s.agenda.Timeline.Time(s.core.Cycle) }

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
