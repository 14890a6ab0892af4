// Package flashtest is the conformance test of a flash.Loader: what Program and
// the rig count on, tried against a board that may be spoiled. It says nothing
// of a protocol; that is the loader's own tests' affair.
package flashtest

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"rigor/harness/flash"
	"rigor/harness/timebase"
)

// Info is what the test must know of the board.
type Info struct {
	Chip  string
	Clock timebase.Clock
	// Scratch is erasable memory that the test may spoil; it begins at a
	// sector's first byte and holds two sectors whole.
	Scratch flash.Span
	// Border is the address in Scratch at which its second sector begins.
	Border uint32
	// NoMemory is an address at which the part has nothing: reading there must
	// be an error. Zero: such an address is not to be found.
	NoMemory uint32
	// Program is an image, and Started tells whether it runs, waiting for a
	// while on the rig's clock.
	Program *flash.Image
	Started func(ctx context.Context) (bool, error)
}

// Run tests loaders on blank boards: open gives a fresh board each time and
// closes it by t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) (flash.Loader, Info)) {
	for _, c := range []struct {
		name string
		test func(*bench)
	}{
		{"identify is stable", (*bench).identify},
		{"erased memory reads as 0xFF", (*bench).eraseToBlank},
		{"writes of odd lengths read back", (*bench).oddLengths},
		{"a write across sectors reads back", (*bench).acrossSectors},
		{"an erase keeps the next sector", (*bench).eraseIsBounded},
		{"a write leaves its neighbours", (*bench).neighbours},
		{"a write without erase shows at verify", (*bench).overwrite},
		{"program verifies", (*bench).program},
		{"program refuses another chip and erases nothing", (*bench).wrongChip},
		{"a cancelled context ends a command unbegun", (*bench).cancelled},
		{"an error leaves the loader usable", (*bench).usableAfterError},
		{"run starts the program", (*bench).run},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, info := open(t)
			c.test(&bench{t, t.Context(), l, info})
		})
	}
}

// bench is one board under test.
type bench struct {
	*testing.T
	ctx    context.Context
	loader flash.Loader
	Info
}

func (b *bench) must(what string, err error) {
	b.Helper()
	if err != nil {
		b.Fatalf("%s: %v", what, err)
	}
}

func (b *bench) erase(s flash.Span) {
	b.Helper()
	b.must("erase "+s.String(), b.loader.Erase(b.ctx, s))
}

func (b *bench) write(addr uint32, p []byte) {
	b.Helper()
	b.must("write", b.loader.Write(b.ctx, addr, p))
}

// expect compares memory by the means the loader has; a loader that has none
// cannot be tested here.
func (b *bench) expect(addr uint32, want []byte) {
	b.Helper()
	r, ok := b.loader.(flash.Reader)
	if !ok {
		b.Fatal("flashtest needs a loader that is a flash.Reader")
	}
	got := make([]byte, len(want))
	b.must("read", r.Read(b.ctx, addr, got))
	for i := range want {
		if got[i] != want[i] {
			b.Fatalf("memory at %#08x is %#02x, want %#02x", addr+uint32(i), got[i], want[i])
		}
	}
}

// noise is the same on every run; no byte of it is 0xFF, which flash would hold
// anyway.
func noise(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(r.IntN(0xFF))
	}
	return p
}

func (b *bench) identify() {
	first, err := b.loader.Identify(b.ctx)
	b.must("identify", err)
	if first.Chip != b.Chip || first.Version == "" {
		b.Errorf("identify says %v, want chip %s and a version", first, b.Chip)
	}
	for range 3 {
		again, err := b.loader.Identify(b.ctx)
		b.must("identify again", err)
		if again != first {
			b.Fatalf("identify says %v, then %v", first, again)
		}
	}
}

func (b *bench) eraseToBlank() {
	b.write(b.Scratch.Addr, noise(64))
	b.erase(flash.Span{Addr: b.Scratch.Addr, Size: 64})
	b.expect(b.Scratch.Addr, bytes.Repeat([]byte{0xFF}, 600))
}

func (b *bench) oddLengths() {
	b.erase(b.Scratch)
	addr := b.Scratch.Addr
	for _, n := range []int{1, 2, 3, 4, 5, 7, 255, 256, 257, 513} {
		data := noise(n)
		b.write(addr, data)
		b.expect(addr, data)
		addr += uint32(n)/16*16 + 16
	}
}

func (b *bench) acrossSectors() {
	b.erase(b.Scratch)
	data := noise(600)
	b.write(b.Border-300, data)
	b.expect(b.Border-300, data)
}

func (b *bench) eraseIsBounded() {
	b.erase(b.Scratch)
	data := noise(32)
	b.write(b.Border-32, data)
	b.write(b.Border, data)
	b.erase(flash.Span{Addr: b.Border - 1, Size: 1})
	b.expect(b.Border-32, bytes.Repeat([]byte{0xFF}, 32))
	b.expect(b.Border, data)
}

func (b *bench) neighbours() {
	b.erase(b.Scratch)
	data := noise(15)
	for i, p := range [][]byte{data[:5], data[5:6], data[6:]} {
		b.write(b.Scratch.Addr+[]uint32{0, 5, 6}[i], p)
	}
	b.expect(b.Scratch.Addr, append(data, 0xFF))
}

func (b *bench) overwrite() {
	b.erase(b.Scratch)
	b.write(b.Scratch.Addr, bytes.Repeat([]byte{0x55}, 16))
	// Some loaders refuse the second write, others let the part spoil the data.
	if err := b.loader.Write(b.ctx, b.Scratch.Addr, bytes.Repeat([]byte{0xAA}, 16)); err == nil {
		got := make([]byte, 16)
		b.must("read", b.loader.(flash.Reader).Read(b.ctx, b.Scratch.Addr, got))
		if bytes.Equal(got, bytes.Repeat([]byte{0xAA}, 16)) {
			b.Error("flash was written twice without an erase, as if it were RAM")
		}
	}
	b.usable()
	unerased := &keepErased{b.loader, b.loader.(flash.Reader)}
	m, err := flash.ReadBin(bytes.Repeat([]byte{0xA5}, 16), b.Scratch.Addr)
	b.must("image", err)
	_, err = flash.Program(b.ctx, unerased, m, flash.Options{Verify: true, Clock: b.Clock})
	if e := (*flash.Error)(nil); !errors.As(err, &e) || e.Phase < flash.PhaseWrite {
		b.Errorf("programming over old data without an erase gave %v, want an error of write or verify", err)
	}
}

// keepErased is a loader whose erase does nothing, as a write protected sector's.
type keepErased struct {
	flash.Loader
	flash.Reader
}

func (*keepErased) Erase(context.Context, flash.Span) error { return nil }

func (b *bench) program() {
	m, err := flash.ReadBin(noise(int(b.Border-b.Scratch.Addr)+777), b.Scratch.Addr)
	b.must("image", err)
	r, err := flash.Program(b.ctx, b.loader, m, flash.Options{Chip: b.Chip, Verify: true, Clock: b.Clock})
	b.must("program", err)
	if r.Bytes != m.Size() || r.Chip.Chip != b.Chip || r.Duration() <= 0 {
		b.Errorf("result is %+v", r)
	}
	b.expect(m.Segments[0].Addr, m.Segments[0].Data)
	b.Logf("%v", r)
}

func (b *bench) wrongChip() {
	data := noise(16)
	b.erase(b.Scratch)
	b.write(b.Scratch.Addr, data)
	m, err := flash.ReadBin(noise(32), b.Scratch.Addr)
	b.must("image", err)
	_, err = flash.Program(b.ctx, b.loader, m, flash.Options{Chip: "another", Clock: b.Clock})
	if e := (*flash.ChipError)(nil); !errors.As(err, &e) {
		b.Errorf("got %v, want a *flash.ChipError", err)
	}
	b.expect(b.Scratch.Addr, data)
}

func (b *bench) cancelled() {
	data := noise(16)
	b.erase(b.Scratch)
	b.write(b.Scratch.Addr, data)
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	if err := b.loader.Erase(ctx, b.Scratch); !errors.Is(err, context.Canceled) {
		b.Errorf("erase says %v, want %v", err, context.Canceled)
	}
	if err := b.loader.Write(ctx, b.Scratch.Addr+64, data); !errors.Is(err, context.Canceled) {
		b.Errorf("write says %v, want %v", err, context.Canceled)
	}
	b.expect(b.Scratch.Addr, data)
	b.expect(b.Scratch.Addr+64, bytes.Repeat([]byte{0xFF}, 16))
}

func (b *bench) usableAfterError() {
	if b.NoMemory != 0 {
		if err := b.loader.(flash.Reader).Read(b.ctx, b.NoMemory, make([]byte, 16)); err == nil {
			b.Errorf("read at %#08x, where nothing is, gives no error", b.NoMemory)
		}
		b.usable()
		if err := b.loader.Write(b.ctx, b.NoMemory, make([]byte, 16)); err == nil {
			b.Errorf("write at %#08x, where nothing is, gives no error", b.NoMemory)
		}
	}
	b.usable()
}

// usable tries each kind of command.
func (b *bench) usable() {
	b.Helper()
	if id, err := b.loader.Identify(b.ctx); err != nil || id.Chip != b.Chip {
		b.Fatalf("identify after an error: %v, %v", id, err)
	}
	b.erase(b.Scratch)
	b.write(b.Scratch.Addr, []byte{1, 2, 3, 4})
	b.expect(b.Scratch.Addr, []byte{1, 2, 3, 4, 0xFF})
	b.erase(b.Scratch)
	b.write(b.Scratch.Addr, bytes.Repeat([]byte{0x5A}, 16))
}

func (b *bench) run() {
	_, err := flash.Program(b.ctx, b.loader, b.Program, flash.Options{Chip: b.Chip, Verify: true, Clock: b.Clock})
	b.must("program", err)
	b.must("run", b.loader.Run(b.ctx, b.Program.Entry))
	if ok, err := b.Started(b.ctx); err != nil || !ok {
		b.Errorf("the program does not run: %v, %v", ok, err)
	}
}
