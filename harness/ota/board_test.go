package ota_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	device "rigor/firmware/ota"
	"rigor/firmware/wire"
	wireota "rigor/firmware/wire/ota"
	"rigor/harness/flash"
	"rigor/harness/ota"
	"rigor/harness/port"
)

// fakeBoard is a board without silicon: what the boot program and the application of
// firmware/ota do, over flash in memory, behind a port. Its time is the host's patience, and
// what a request takes.
type fakeBoard struct {
	layout  *device.Layout
	flash   ota.Memory
	updater *device.Updater
	decoder wire.Decoder
	said    []byte // that the host has not read

	now      time.Time
	deadline time.Time

	broken uint32 // a version that starts its program and never answers
	mute   bool   // no program runs, or it hangs
	cut    int    // flash operations until power fails; below 0: never
	ops    int    // flash operations so far
	pieces int    // requests with pieces so far
}

var _ port.Port = (*fakeBoard)(nil)

// epoch is when all begins.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// newBoard puts a factory file into a board and switches it on.
func newBoard(t testing.TB, chip string, factory []byte) *fakeBoard {
	t.Helper()
	part, err := flash.PartOf(chip)
	if err != nil {
		t.Fatal(err)
	}
	image, err := flash.Read(factory, part)
	if err != nil {
		t.Fatal(err)
	}
	b := &fakeBoard{layout: device.LayoutOf(chip), now: epoch, cut: -1}
	b.flash = ota.Memory(bytes.Repeat([]byte{0xFF}, int(max(b.layout.Slots[1].End(), b.layout.Staging.End()))))
	for _, s := range image.Segments {
		copy(b.flash[s.Addr-part.Memory[0].Addr:], s.Data)
	}
	b.start()
	return b
}

// start is a reset: RAM is lost.
func (b *fakeBoard) start() {
	b.decoder = wire.Decoder{}
	for {
		b.updater, b.mute = new(device.Updater), false
		b.updater.Open(fakeFlash{b}, b.layout)
		report := b.updater.Boot()
		b.say(wireota.AppendBoot(nil, report))
		switch {
		case report.Why == wireota.None:
			b.mute = true
			return
		case report.Version != b.broken:
			b.updater.Start(report.Slot)
			b.say(wire.AppendHello(nil, wire.Hello{Version: wire.Version, Program: "fake", Chip: b.layout.Chip}))
			return
		case report.Why != wireota.Trial:
			b.mute = true // for ever: there is no watchdog
			return
		}
		b.now = b.now.Add(8 * time.Second) // of the watchdog
	}
}

func (b *fakeBoard) say(frame []byte) { b.said = append(b.said, frame...) }

// powerFailed is the panic that ends a flash operation in its middle.
type powerFailed struct{}

// fakeFlash is the board's flash as its programs use it.
type fakeFlash struct{ *fakeBoard }

// operation counts down to the power's failure, which leaves the operation half done.
func (f fakeFlash) operation(half func()) {
	f.ops++
	if f.cut--; f.cut == -1 {
		half()
		panic(powerFailed{})
	}
}

func (f fakeFlash) Read(off uint32, p []byte) { f.flash.Read(off, p) }

func (f fakeFlash) Program(off uint32, p []byte) error {
	f.operation(func() { f.flash.Program(off, p[:len(p)/2]) })
	return f.flash.Program(off, p)
}

func (f fakeFlash) Erase(off, size uint32) error {
	f.operation(func() { f.flash.Erase(off, size/2) })
	f.now = f.now.Add(10 * time.Millisecond)
	return f.flash.Erase(off, size)
}

// powered runs do, and starts the board again if the power failed in it.
func (b *fakeBoard) powered(do func()) {
	defer func() {
		switch r := recover(); r.(type) {
		case nil:
		case powerFailed:
			b.start()
		default:
			panic(r)
		}
	}()
	do()
}

// Write is what the host sends. Answers take no time but what flash takes.
func (b *fakeBoard) Write(p []byte) (int, error) {
	for _, c := range p {
		if f, ok := b.decoder.Feed(c); ok && f.Type == wireota.TypeRequest && !b.mute {
			b.powered(func() { b.request(f.Payload) })
		}
	}
	return len(p), nil
}

func (b *fakeBoard) request(payload []byte) {
	r, err := wireota.ParseRequest(payload)
	if err != nil {
		return
	}
	if r.Op == wireota.Piece {
		b.pieces++
	}
	var a wireota.Answer
	b.updater.Do(&r, &a)
	if r.Op == wireota.SelfTest && !b.updater.SelfTest() {
		a.Refusal = wireota.SelfTestFailed
	}
	b.say(wireota.AppendAnswer(nil, &a))
	switch r.Op {
	case wireota.Restart:
		b.start()
	case wireota.Hang:
		b.mute = true
	}
}

// Read is what the host receives; with nothing to be had it waits for its deadline.
func (b *fakeBoard) Read(p []byte) (int, error) {
	if len(b.said) == 0 {
		if b.now.Before(b.deadline) {
			b.now = b.deadline
		}
		return 0, os.ErrDeadlineExceeded
	}
	b.now = b.now.Add(time.Millisecond)
	n := copy(p, b.said)
	b.said = b.said[n:]
	return n, nil
}

func (b *fakeBoard) SetReadDeadline(t time.Time) error { b.deadline = t; return nil }
func (b *fakeBoard) SetMode(port.Mode) error           { return nil }
func (b *fakeBoard) SetLines(port.Lines) error         { return nil }
func (b *fakeBoard) DiscardInput() error               { b.said = nil; return nil }
func (b *fakeBoard) Close() error                      { return nil }

// Now and Sleep make the board its own clock.
func (b *fakeBoard) Now() time.Time { return b.now }

func (b *fakeBoard) Sleep(_ context.Context, d time.Duration) error {
	b.now = b.now.Add(d)
	return nil
}

// client speaks to the board.
func (b *fakeBoard) client() *ota.Client { return &ota.Client{Link: ota.Serial(b, b, nil), Clock: b} }

// image is what lies in the slot that runs, as far as a program reaches.
func (b *fakeBoard) image(slot uint8, size int) []byte {
	return b.flash[b.layout.Image(int(slot)):][:size]
}

// The keys of the tests: the board trusts the first two.
var (
	key      = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	second   = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, ed25519.SeedSize))
	stranger = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, ed25519.SeedSize))
	trusted  = []ed25519.PublicKey{public(key), public(second)}
)

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

// factory is what a board of the chip is flashed with; the boot program is only space.
func factory(t testing.TB, chip string, first *ota.Package) []byte {
	t.Helper()
	part, err := flash.PartOf(chip)
	if err != nil {
		t.Fatal(err)
	}
	boot := flash.AppendHex(nil, []flash.Segment{{Addr: part.Memory[0].Addr, Data: []byte("boot program")}})
	hex, err := ota.Factory(boot, trusted, first)
	if err != nil {
		t.Fatal(err)
	}
	return hex
}

// pack makes a package that is signed with the first key.
func pack(t testing.TB, p *ota.Program, o ota.Options) *ota.Package {
	t.Helper()
	made, err := ota.Pack(p, o)
	if err != nil {
		t.Fatal(err)
	}
	made.Sign(key)
	return made
}

// program makes a program for a slot: words of a fixed noise, many of which point into
// the slot, and some of which another seed changes.
func program(t testing.TB, chip string, slot int, v ota.Version, size int) *ota.Program {
	t.Helper()
	l := device.LayoutOf(chip)
	noise, changes := rand.New(rand.NewPCG(1, 1)), rand.New(rand.NewPCG(2, uint64(v)))
	image := make([]byte, size)
	for i := 0; i < size; i += 4 {
		word := noise.Uint32()
		if l.Origin != 0 && word%3 == 0 {
			word = l.Origin + l.Image(slot) + word%uint32(size)
		}
		if changes.IntN(200) == 0 {
			word = changes.Uint32()
		}
		binary.LittleEndian.PutUint32(image[i:], word)
	}
	if l.Origin != 0 {
		binary.LittleEndian.PutUint32(image[4:], l.Origin+l.Image(slot)+9)
	}
	p, err := ota.ReadProgram(image, chip, v)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
