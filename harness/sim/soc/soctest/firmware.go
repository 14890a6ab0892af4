package soctest

import (
	"debug/elf"
	"io"
	"slices"
	"testing"

	"rigor/firmware/wire"
	"rigor/harness/sim/board"
	"rigor/harness/sim/clock"
)

// Segment is a piece of a program, and where it is kept.
type Segment struct {
	Addr uint32
	Data []byte
}

// Segments are those of a checked-in ELF file.
func Segments(tb testing.TB, program string) (s []Segment) {
	tb.Helper()
	f, err := elf.Open("../../../../firmware/images/" + program + ".elf")
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
		s = append(s, Segment{uint32(p.Paddr), data})
	}
	return s
}

// Board is a chip on a board with a console.
type Board struct {
	*board.Board
	Console *board.Bridge

	tb      testing.TB
	decoder wire.Decoder
}

// New puts a chip on a board that has no power yet. The first bridge is the console, at
// 115200 baud.
func New(tb testing.TB, c board.Chip, w board.Wiring) *Board {
	tb.Helper()
	b, err := board.New(c, w)
	if err != nil {
		tb.Fatal(err)
	}
	console := b.Bridge(w.Bridges[0].Name)
	if err := console.SetMode(board.Mode{Baud: 115200}); err != nil {
		tb.Fatal(err)
	}
	return &Board{Board: b, Console: console, tb: tb}
}

// Frames advances to the first frame of a type, and returns all up to it.
func (b *Board) Frames(last wire.Type, limit clock.Time) (got []wire.Frame) {
	b.tb.Helper()
	found := false
	stop := b.AdvanceUntil(b.Now()+limit, func() bool {
		for !found {
			r, ok := b.Console.Next()
			if !ok {
				break
			}
			if r.Framing || r.Parity {
				b.tb.Errorf("byte %#x at %d ps is not a good frame", r.Byte, r.At)
			}
			if f, ok := b.decoder.Feed(r.Byte); ok {
				got = append(got, wire.Frame{Type: f.Type, Payload: slices.Clone(f.Payload)})
				found = f.Type == last
			}
		}
		return found
	})
	if err := stop.Err(); err != nil {
		b.tb.Fatal(err)
	}
	if !found {
		b.tb.Fatalf("no frame of type %v among %d; %q", last, len(got), b.Chip().Warnings())
	}
	return got
}

// Hello waits for the firmware's first frame.
func (b *Board) Hello() wire.Hello {
	b.tb.Helper()
	got := b.Frames(wire.TypeHello, clock.Second)
	if len(got) > 1 {
		b.tb.Errorf("%d frames come before the hello", len(got)-1)
	}
	h, err := wire.ParseHello(got[len(got)-1].Payload)
	if err != nil {
		b.tb.Fatal(err)
	}
	return h
}

// Run has the firmware obey a command, and returns its samples and their overhead.
func (b *Board) Run(name string, count int, param uint32) (samples []uint32, overhead uint32) {
	b.tb.Helper()
	b.Console.Write(wire.AppendCommand(nil, wire.Command{Name: name, Count: uint32(count), Param: param}))
	for _, f := range b.Frames(wire.TypeDone, 10*clock.Second) {
		var err error
		switch f.Type {
		case wire.TypeStatus:
			var s wire.Status
			if s, err = wire.ParseStatus(f.Payload); s.Code != wire.StatusOK {
				b.tb.Fatalf("%s: %+v", name, s)
			}
		case wire.TypeSamples:
			var s wire.Samples
			s, err = wire.ParseSamples(f.Payload)
			samples = append(samples, s.Values...)
		case wire.TypeDone:
			var d wire.Done
			d, err = wire.ParseDone(f.Payload)
			overhead = d.Overhead
		}
		if err != nil {
			b.tb.Fatalf("%s: %v", name, err)
		}
	}
	if len(samples) != count {
		b.tb.Fatalf("%s: %d samples of %d; %q", name, len(samples), count, b.Chip().Warnings())
	}
	return samples, overhead
}

// Echoes: with the program echo an edge on the stimulus pin comes out on the echo pin,
// and a byte comes back.
func (b *Board) Echoes(stimulus, echo board.Pin) {
	b.tb.Helper()
	rec := b.Record(echo)
	b.Drive(stimulus, board.Drive{Kind: board.DriveHigh})
	b.Console.Write([]byte("x"))
	stop := b.AdvanceUntil(b.Now()+10*clock.Millisecond, func() bool { return b.Console.Buffered() > 0 })
	if err := stop.Err(); err != nil {
		b.tb.Fatal(err)
	}
	if r, ok := b.Console.Next(); !ok || r.Byte != 'x' {
		b.tb.Errorf("echo of 'x' is %+v, %v", r, ok)
	}
	if e := rec.Edges(); len(e) != 1 || !e[0].High {
		b.tb.Errorf("edges on the echo pin: %+v", e)
	}
}
