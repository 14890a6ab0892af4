package k210

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"rigor/harness/flash"
	"rigor/harness/flash/flashtest/transcript"
	"rigor/harness/port"
)

// The transcript in testdata was put together from the protocol's description by a
// program that shares nothing with this package.

var ctx = context.Background()

// script is a transcript that is put together here, by the same description.
type script struct{ strings.Builder }

func (s *script) frame(kind byte, p []byte) {
	fmt.Fprintf(s, "%c C0 %X C0\n", kind, strings.NewReplacer("\xDB", "\xDB\xDD", "\xC0", "\xDB\xDC").Replace(string(p)))
}

func (s *script) request(op byte, number uint16, addr, length uint32, data []byte) {
	body := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, addr), length)
	body = append(body, data...)
	p := []byte{op, 0, byte(number), byte(number >> 8)}
	s.frame('>', append(binary.LittleEndian.AppendUint32(p, crc32.ChecksumIEEE(body)), body...))
}

func (s *script) reply(op, reason byte, number uint16, data ...byte) {
	s.frame('<', append([]byte{op, reason, byte(number), byte(number >> 8)}, data...))
}

func (s *script) greeting() { s.frame('>', append([]byte{0xC2}, make([]byte, 12)...)) }

func (s *script) rom(op, reason byte) { s.frame('<', []byte{op, reason}) }

func (s *script) silence() { s.WriteString("~ silence\n") }

func (s *script) flushed(number uint16) {
	s.request(0xD9, number, 0, 0, nil)
	s.reply(0xD9, 0xE0, number)
}

// flasher has two chunks; the bytes are those of the transcript.
func flasher() *flash.Image {
	data := make([]byte, 1500)
	for i := range data {
		data[i] = byte(i % 251)
	}
	return &flash.Image{Segments: []flash.Segment{{Addr: 0x8000_0000, Data: data}}, Entry: 0x8000_0000}
}

// w25q128 is what the flasher says of one of 16 MB.
var w25q128 = []byte("RIG1\xEF\x40\x18\x00\xD4\x61\xC0\xDB\x01\x02\x03\x04\xBD\x73\xA9\x00")

func (s *script) upload() {
	data := flasher().Segments[0].Data
	s.request(0xC3, 0, 0x8000_0000, 1024, data[:1024])
	s.rom(0xC3, 0xE0)
	s.request(0xC3, 0, 0x8000_0400, 476, data[1024:])
	s.rom(0xC3, 0xE0)
	s.request(0xC5, 0, 0x8000_0000, 0, nil)
}

// connected plays a script to a loader that was greeted.
func connected(t *testing.T, rest *script) (*Loader, *transcript.Player) {
	t.Helper()
	s := &script{}
	s.greeting()
	s.rom(0xC2, 0xE0)
	p := transcript.Play(t, s.String()+rest.String())
	l, err := Connect(ctx, p, p.Clock, Baud)
	if err != nil {
		t.Fatal(err)
	}
	l.Flasher = flasher()
	return l, p
}

// prepared plays one to a loader whose flasher runs. The first request has number 1.
func prepared(t *testing.T, rest *script) (*Loader, *transcript.Player) {
	t.Helper()
	s := &script{}
	s.upload()
	s.reply(0xD2, 0xE0, 0, w25q128...)
	s.WriteString(rest.String())
	l, p := connected(t, s)
	if err := l.Prepare(ctx); err != nil {
		t.Fatal(err)
	}
	return l, p
}

func TestProgram(t *testing.T) {
	p := transcript.PlayFile(t, "program.txt")
	l, err := Connect(ctx, p, p.Clock, 1_500_000)
	if err != nil {
		t.Fatal(err)
	}
	l.Flasher = flasher()
	data := make([]byte, 5000)
	for i := range data {
		data[i] = byte(i * i >> 7)
	}
	m, err := flash.ReadBin(data, 0)
	if err != nil {
		t.Fatal(err)
	}
	r, err := flash.Program(ctx, l, m, flash.Options{Chip: "k210", Verify: true, Clock: p.Clock})
	if err != nil {
		t.Fatal(err)
	}
	if p.Mode != (port.Mode{Baud: 1_500_000}) || l.size != 16<<20 || r.Ceiling != 150_000 {
		t.Errorf("line is at %v, flash of %d bytes, ceiling %d", p.Mode, l.size, r.Ceiling)
	}
	for _, s := range r.Steps {
		want, timed := map[flash.Phase]time.Duration{flash.PhaseErase: 90 * time.Millisecond, flash.PhaseWrite: 63 * time.Millisecond}[s.Phase]
		if timed && s.Duration != want {
			t.Errorf("%v took %v, want the flasher's own %v", s.Phase, s.Duration, want)
		}
	}
	if id, err := l.UniqueID(ctx); err != nil || string(id) != "\xD4\x61\xC0\xDB\x01\x02\x03\x04" {
		t.Errorf("unique id % X, %v", id, err)
	}
	if err := l.Run(ctx, m.Entry); err != nil || p.Mode != (port.Mode{Baud: Baud}) {
		t.Errorf("run: %v; the line is at %v then", err, p.Mode)
	}
}

func TestConnectErrors(t *testing.T) {
	silent, refused := &script{}, &script{}
	for range greetTries {
		silent.greeting()
		silent.silence()
	}
	refused.greeting()
	refused.rom(0xC2, 0xE3)
	for name, c := range map[string]struct {
		script *script
		want   any
		says   string
	}{
		"silent":  {silent, new(*GreetError), "check that IO16 is low"},
		"refused": {refused, new(*ReasonError), "greeting: the boot loader says no such command (0xe3)"},
	} {
		t.Run(name, func(t *testing.T) {
			p := transcript.Play(t, c.script.String())
			if _, err := Connect(ctx, p, p.Clock, Baud); !errors.As(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %T that says %q", err, c.want, c.says)
			}
		})
	}
}

// The chip may be late, as after a reset that took long, and say other things first.
func TestConnectLate(t *testing.T) {
	s := &script{}
	s.greeting()
	s.silence()
	s.greeting()
	s.WriteString("< 00 FF 68 69 C0 D2 E0 C0\n")
	s.rom(0xC2, 0xE0)
	p := transcript.Play(t, s.String())
	if _, err := Connect(ctx, p, p.Clock, Baud); err != nil {
		t.Error(err)
	}
}

// Whether the ROM answers its last request, and the flasher's own greeting is heard, does
// not matter.
func TestPrepare(t *testing.T) {
	answered, unheard, twice := &script{}, &script{}, &script{}
	answered.upload()
	answered.rom(0xC5, 0xE0)
	answered.reply(0xD2, 0xE0, 0, w25q128...)
	unheard.upload()
	unheard.silence()
	unheard.request(0xD2, 1, 0, 0, nil)
	unheard.silence()
	unheard.request(0xD2, 2, 0, 0, nil)
	unheard.reply(0xD2, 0xE0, 2, w25q128...)
	twice.upload()
	twice.silence()
	twice.request(0xD2, 1, 0, 0, nil)
	twice.reply(0xD2, 0xE0, 0, w25q128...)
	twice.reply(0xD2, 0xE0, 1, w25q128...)
	for name, s := range map[string]*script{"answered": answered, "unheard": unheard, "twice": twice} {
		t.Run(name, func(t *testing.T) {
			l, _ := connected(t, s)
			for range 2 { // the second time there is nothing to do
				if err := l.Prepare(ctx); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestPrepareErrors(t *testing.T) {
	data := flasher().Segments[0].Data
	spoilt, silent, other, none, odd := &script{}, &script{}, &script{}, &script{}, &script{}
	spoilt.request(0xC3, 0, 0x8000_0000, 1024, data[:1024])
	spoilt.rom(0xC3, 0xE2)
	silent.upload()
	silent.silence()
	for i := range uint16(greetTries) {
		silent.request(0xD2, i+1, 0, 0, nil)
		silent.silence()
	}
	other.upload()
	other.reply(0xD2, 0xE0, 0)
	none.upload()
	none.reply(0xD2, 0xE4, 0, []byte("RIG1\xFF\xFF\xFF\x00")...)
	odd.upload()
	odd.reply(0xD2, 0xE0, 0, []byte("RIG1\xEF\x40\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00")...)
	for name, c := range map[string]struct {
		script *script
		want   any
		says   string
	}{
		"a chunk is spoilt": {spoilt, new(*ReasonError), "load the flasher to 0x80000000: memory write: the boot loader says bad checksum (0xe2)"},
		"silent":            {silent, new(*StartError), "no answer from the boot loader in 200ms"},
		"another program":   {other, new(*StartError), `begins with "RIG1"`},
		"no flash":          {none, new(*StartError), "no flash chip answers"},
		"odd flash":         {odd, new(*StartError), "EF 40 20, which tells no size"},
	} {
		t.Run(name, func(t *testing.T) {
			l, _ := connected(t, c.script)
			if err := l.Prepare(ctx); !errors.As(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %T that says %q", err, c.want, c.says)
			}
		})
	}
	l, _ := connected(t, &script{})
	l.Flasher = nil
	if err := l.Erase(ctx, flash.Span{Size: 1}); err == nil || !strings.Contains(err.Error(), "the ROM writes no flash") {
		t.Errorf("without a flasher: %v", err)
	}
}

// A chunk of the program that was lost costs the upload, and not the ROM: what comes
// late is not taken for another answer.
func TestPrepareAgain(t *testing.T) {
	s := &script{}
	s.request(0xC3, 0, 0x8000_0000, 1024, flasher().Segments[0].Data[:1024])
	s.silence()
	l, p := connected(t, s)
	if err := l.Prepare(ctx); !errors.As(err, new(*TimeoutError)) {
		t.Fatalf("got %v, want a *TimeoutError", err)
	}
	again := &script{}
	again.rom(0xC3, 0xE0) // late
	again.greeting()
	again.rom(0xC2, 0xE0)
	again.upload()
	again.reply(0xD2, 0xE0, 0, w25q128...)
	p.Then(again.String())
	if err := l.Prepare(ctx); err != nil {
		t.Error(err)
	}
}

func TestBaudErrors(t *testing.T) {
	refused, silent := &script{}, &script{}
	refused.upload()
	refused.reply(0xD2, 0xE0, 0, w25q128...)
	silent.WriteString(refused.String())
	refused.request(0xD6, 1, 0, 4, []byte{0x40, 0x54, 0x89, 0x00})
	refused.reply(0xD6, 0xE1, 1)
	silent.request(0xD6, 1, 0, 4, []byte{0x40, 0x54, 0x89, 0x00})
	silent.reply(0xD6, 0xE0, 1)
	silent.request(0xD2, 2, 0, 0, nil)
	silent.silence()
	for says, s := range map[string]*script{
		"change to 9000000 baud: change of baud: the boot loader says bad length": refused,
		"after the change to 9000000 baud: flasher's greeting: no answer":         silent,
	} {
		l, _ := connected(t, s)
		l.baud = 9_000_000
		if err := l.Prepare(ctx); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %q", err, says)
		}
	}
}

func TestMemory(t *testing.T) {
	s := &script{}
	s.request(0xD8, 1, 0x1FFF, 4096, nil)
	s.reply(0xD8, 0xE0, 1, make([]byte, 4096)...)
	s.request(0xD8, 2, 0x2FFF, 2, nil)
	s.reply(0xD8, 0xE0, 2, 0xC0, 0xDB)
	s.request(0xD4, 3, 0x10_13FE, 3, []byte{0xC0, 0xDB, 0x31})
	s.reply(0xD4, 0xE0, 3)
	s.flushed(4)
	// From the last sector of a block through a whole one into the first sector of another.
	s.request(0xD3, 5, 0xF000, 0x1000, nil)
	s.reply(0xD3, 0xE0, 5)
	s.request(0xD3, 6, 0x1_0000, 0x1_0000, nil)
	s.reply(0xD3, 0xE0, 6)
	s.request(0xD3, 7, 0x2_0000, 0x1000, nil)
	s.reply(0xD3, 0xE0, 7)
	s.request(0xDA, 8, 0, 5, nil)
	s.reply(0xDA, 0xE0, 8, 1, 2, 3)
	l, _ := prepared(t, s)
	got := make([]byte, 4098)
	if err := l.Read(ctx, 0x1FFF, got); err != nil || got[4096] != 0xC0 || got[4097] != 0xDB {
		t.Errorf("read ends in % X, %v", got[4096:], err)
	}
	if err := l.Write(ctx, 0x10_13FE, []byte{0xC0, 0xDB, 0x31}); err != nil {
		t.Error(err)
	}
	if err := l.Erase(ctx, flash.Span{Addr: 0xFFFF, Size: 0x1_0002}); err != nil {
		t.Error(err)
	}
	if _, _, err := l.Digest(ctx, flash.Span{Size: 5}); !errors.As(err, new(*ReplyError)) {
		t.Errorf("half a digest: %v", err)
	}
}

func TestRefusedBeforeSending(t *testing.T) {
	l, _ := prepared(t, &script{})
	second := func(_ any, err error) error { return err }
	for name, err := range map[string]error{
		"read past the end":   l.Read(ctx, 16<<20-2, make([]byte, 4)),
		"write past the end":  l.Write(ctx, 16<<20-2, make([]byte, 4)),
		"erase past the end":  l.Erase(ctx, flash.Span{Addr: 16<<20 - 2, Size: 4}),
		"stream past the end": second(l.Stream(ctx, 16<<20-4096, make([]byte, 4097))),
		"stream of no sector": second(l.Stream(ctx, 0x400, make([]byte, 4))),
		"run elsewhere":       l.Run(ctx, 0x8000_0000),
	} {
		if !errors.As(err, new(*AddressError)) {
			t.Errorf("%s: got %v, want an *AddressError", name, err)
		}
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	for name, err := range map[string]error{
		"erase": l.Erase(cancelled, flash.Span{Size: 1}), "read": l.Read(cancelled, 0, make([]byte, 1)),
		"write": l.Write(cancelled, 0, make([]byte, 1)), "run": l.Run(cancelled, 0),
		"identify": second(l.Identify(cancelled)), "stream": second(l.Stream(cancelled, 0, make([]byte, 1))),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s, cancelled: got %v", name, err)
		}
	}
}

// TestErrors spoils an answer; afterwards the loader is usable, whatever comes late.
func TestErrors(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(s *script)
		want  any
		says  string
	}{
		"refused":         {func(s *script) { s.reply(0xD8, 0xE5, 1) }, new(*ReasonError), "the flash chip did not do it (0xe5)"},
		"unknown reason":  {func(s *script) { s.reply(0xD8, 0x77, 1) }, new(*ReasonError), "(0x77)"},
		"silent":          {func(s *script) { s.silence() }, new(*TimeoutError), "flash read: no answer"},
		"another's":       {func(s *script) { s.reply(0xD8, 0xE0, 0, 1, 2, 3, 4); s.silence() }, new(*TimeoutError), "no answer"},
		"another kind":    {func(s *script) { s.reply(0xDA, 0xE0, 1, 1, 2, 3, 4); s.silence() }, new(*TimeoutError), "no answer"},
		"cut short":       {func(s *script) { s.WriteString("< C0 D8 E0 01\n"); s.silence() }, new(*TimeoutError), "no answer"},
		"bad escape":      {func(s *script) { s.WriteString("< C0 D8 E0 01 00 DB 01 C0\n"); s.silence() }, new(*TimeoutError), "no answer"},
		"too few bytes":   {func(s *script) { s.reply(0xD8, 0xE0, 1, 9, 9) }, new(*ReplyError), "2 bytes of 4"},
		"without number":  {func(s *script) { s.rom(0xD8, 0xE0); s.silence() }, new(*TimeoutError), "no answer"},
		"text in between": {func(s *script) { s.frame('<', []byte("\xD1\x00hello")); s.reply(0xD8, 0xE5, 1) }, new(*ReasonError), "(0xe5)"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{}
			s.request(0xD8, 1, 0, 4, nil)
			c.spoil(s)
			s.request(0xD2, 2, 0, 0, nil)
			s.reply(0xD8, 0xE0, 1, 1, 2, 3, 4) // late
			s.reply(0xD2, 0xE0, 2, w25q128...)
			l, _ := prepared(t, s)
			if err := l.Read(ctx, 0, make([]byte, 4)); !errors.As(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %T that says %q", err, c.want, c.says)
			}
			if id, err := l.Identify(ctx); err != nil || id != (flash.ChipID{Chip: "k210", Version: "ISP in ROM"}) {
				t.Errorf("the loader is not usable afterwards: %v, %v", id, err)
			}
		})
	}
}
